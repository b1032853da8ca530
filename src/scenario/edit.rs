//! Changing a setting in the text of a scenario: what `gateway.replicas=3` on a command line asks
//! for. The text stays as its author wrote it, but for the one value.

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Flaw, Place, Problem, clip, closest, suggestion, synonyms};
use crate::scenario::keys;
use crate::scenario::reader::{KeySpec, SectionSpec};
use crate::scenario::region::split::OWN;
use crate::scenario::text::value::{Node, quote};

/// A text in which settings were changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// It.
    pub text: String,
    /// The paths that were set, as a list of settings calls them.
    pub paths: Vec<String>,
    /// What could not be changed, and why.
    pub problems: Vec<Problem>,
}

/// The text with every change made, in order, that is written like `gateway.replicas=3`; see
/// [`set`].
pub fn apply(text: &str, changes: &[String]) -> Changed {
    let mut changed = Changed { text: text.to_owned(), ..Changed::default() };
    for change in changes {
        match apply_one(&changed.text, change) {
            Ok((text, path)) => {
                changed.text = text;
                changed.paths.push(path);
            }
            Err(flaw) => changed.problems.push(refused(change, flaw)),
        }
    }
    changed
}

fn apply_one(text: &str, change: &str) -> Result<(String, String), Flaw> {
    let parts = change.split_once('=').filter(|(path, _)| !path.trim().is_empty());
    let Some((path, value)) = parts else {
        let flaw = Flaw::new(format!("{:?} sets nothing", clip(change)));
        return Err(flaw.help("write PATH=VALUE, such as gateway.replicas=3"));
    };
    let text = set(text, path, value)?;
    let (table, _) = DeTable::parse_recoverable(&text);
    let path = EditTarget::find(path)?.path(table.get_ref());
    Ok((text, path))
}

/// A change of a command line that cannot be made.
fn refused(change: &str, flaw: Flaw) -> Problem {
    let line = change.replace('\n', " ");
    let span = 0..line.len();
    let place = Place::Elsewhere { path: "--set".to_owned(), line: 1, text: line, span };
    Problem::error(place, flaw.title).helps(flaw.help)
}

/// The text with the setting at `path` changed to `value`.
///
/// A path is the name of a key after that of its section: `gateway.tier`; elements of a list are
/// counted from 1 or called by their name: `fault[2].at`, `fault.crash.at`. The value needs no
/// quotes.
///
/// # Errors
/// Says that the path or the element is unknown, or that the value cannot be written. Whether the
/// value is sound shows when the text is read.
pub fn set(text: &str, path: &str, value: &str) -> Result<String, Flaw> {
    let target = EditTarget::find(path)?;
    let literal = target.literal(value)?;
    let (table, _) = DeTable::parse_recoverable(text);
    let line = format!("{} = {literal}", target.key.name);
    if let Some(region) = target.region {
        return target.set_of_region(text, (table.get_ref(), region), (&literal, &line));
    }
    match target.place(table.get_ref())? {
        Home::Absent => Ok(format!("{}\n\n[{}]\n{line}\n", text.trim_end(), target.section.name)),
        Home::Top => match table.get_ref().get(target.key.name) {
            Some(old) => Ok(replaced(text, old.span(), &literal)),
            None => Ok(format!("{line}\n{text}")),
        },
        Home::Table(section) => {
            let old = section.get_ref().get(target.key.name).map(Spanned::span);
            match old {
                Some(span) => Ok(replaced(text, span, &literal)),
                None => target.inserted(text, section.span(), &line),
            }
        }
    }
}

fn replaced(text: &str, span: Range<usize>, literal: &str) -> String {
    let before = text.get(..span.start).unwrap_or(text);
    let after = text.get(span.end..).unwrap_or("");
    format!("{before}{literal}{after}")
}

/// A key and, for an element of a list, which one.
struct EditTarget<'p> {
    /// The region whose own setting it is.
    region: Option<&'p str>,
    section: &'static SectionSpec,
    key: &'static KeySpec,
    element: Option<&'p str>,
}

/// Where a key is or belongs.
enum Home<'t> {
    Absent,
    Top,
    Table(&'t Spanned<DeValue<'t>>),
}

impl<'p> EditTarget<'p> {
    fn find(path: &'p str) -> Result<EditTarget<'p>, Flaw> {
        let Some((region, own)) = of_region(path.trim()) else { return EditTarget::shared(path) };
        let target = EditTarget::shared(own)?;
        if target.element.is_some() {
            let title = format!("{path:?} is in a list of its region");
            return Err(Flaw::new(title).help("change it in the file"));
        }
        Ok(EditTarget { region: Some(region), ..target })
    }

    /// A setting that is none of a region's own.
    fn shared(path: &'p str) -> Result<EditTarget<'p>, Flaw> {
        let (home, name) = path.trim().rsplit_once('.').unwrap_or(("", path.trim()));
        let is_list = |name| keys::section(name).is_some_and(|section| section.list);
        let (home, element) = match home.split_once('[') {
            Some((section, rest)) => (section, rest.strip_suffix(']')),
            None => match home.split_once('.') {
                Some((list, name)) if is_list(list) => (list, Some(name)),
                _ => (home, None),
            },
        };
        let section = keys::section(home);
        let key = section.and_then(|section| section.key(name));
        let Some((section, key)) = section.zip(key) else { return Err(unknown(path)) };
        if section.list != element.is_some() {
            let title = format!("{path:?} does not say which {home} is meant");
            return Err(Flaw::new(title).help(format!("write {home}[1].{name} for the first")));
        }
        Ok(EditTarget { region: None, section, key, element })
    }

    /// Its path as a list of settings calls it: elements by their number.
    fn path(&self, top: &DeTable<'_>) -> String {
        let (section, name) = (self.section.name, self.key.name);
        if let Some(region) = self.region {
            return format!("region.{region}.{section}.{name}");
        }
        match self.element {
            None if section.is_empty() => name.to_owned(),
            None => format!("{section}.{name}"),
            Some(which) => {
                let list = self.list(top).into_iter().flatten().enumerate();
                let place = list.into_iter().position(|(at, it)| is(which, at, it));
                format!("{section}[{}].{name}", place.map_or(1, |place| place + 1))
            }
        }
    }

    /// What the scenario has under the name of its section.
    fn home<'t>(&self, top: &'t DeTable<'t>) -> Option<&'t Spanned<DeValue<'t>>> {
        match self.section.home() {
            ("", name) => top.get(name),
            (home, name) => top.get(home).and_then(|home| home.get_ref().get(name)),
        }
    }

    fn list<'t>(&self, top: &'t DeTable<'t>) -> Option<&'t [Spanned<DeValue<'t>>]> {
        self.home(top)?.get_ref().as_array().map(|list| &list[..])
    }

    /// The value as a file has it: with quotes or without, as the key takes it.
    fn literal(&self, value: &str) -> Result<String, Flaw> {
        let value = value.trim();
        let (bare, quoted) = (value.to_owned(), quote(value));
        let likely = if self.key.bare { [&bare, &quoted] } else { [&quoted, &bare] };
        if is_range(value) && !likely.into_iter().any(|text| self.takes(text)) {
            let title = format!("{:?} is a range, and here one value is set", clip(value));
            let help = "`brownout sweep` takes ranges such as 2..6:5; it and `brownout compare` \
                        take several values, such as 2,3,4";
            return Err(Flaw::new(title).help(help));
        }
        let literal = match value.starts_with(['"', '\'']) {
            true => &bare,
            // What fits in neither way is told as a value of the usual kind.
            false => likely.into_iter().find(|text| self.takes(text)).unwrap_or(likely[0]),
        };
        match DeValue::parse(literal) {
            Ok(_) if !literal.contains('\n') => Ok(literal.clone()),
            _ => {
                let title = format!("{:?} cannot be the value of a setting", clip(value));
                Err(Flaw::new(title).help(format!("expected {}", (self.key.kind)())))
            }
        }
    }

    /// Whether the key takes what is written so.
    fn takes(&self, text: &str) -> bool {
        let Ok(value) = DeValue::parse(text) else { return false };
        let (span, base) = (value.span(), Path::new(""));
        (self.key.check)(&Node { value: value.get_ref(), span, text, base }).is_ok()
    }

    /// Finds the table that the key belongs in.
    fn place<'t>(&self, top: &'t DeTable<'t>) -> Result<Home<'t>, Flaw> {
        let section = self.section.name;
        if section.is_empty() {
            return Ok(Home::Top);
        }
        let Some(which) = self.element else {
            return Ok(self.home(top).map_or(Home::Absent, Home::Table));
        };
        let mut list = self.list(top).into_iter().flatten().enumerate();
        let element = list.find(|(at, it)| is(which, *at, it)).map(|(_, it)| Home::Table(it));
        element.ok_or_else(|| {
            let names: Vec<&str> = self.list(top).into_iter().flatten().filter_map(name).collect();
            let title = format!("the scenario has no [[{section}]] called {which:?}");
            let none = || format!("it has no [[{section}]] at all: write one in the file");
            Flaw::new(title).help(suggestion(which, names).unwrap_or_else(none))
        })
    }

    /// The text with a setting of a region changed: where it stands, or in its section, or below
    /// the header of the region.
    fn set_of_region(
        &self,
        text: &str,
        (top, which): (&DeTable<'_>, &str),
        (literal, line): (&str, &str),
    ) -> Result<String, Flaw> {
        let regions = top.get("region").and_then(|list| list.get_ref().as_array());
        let mut all = regions.into_iter().flatten().enumerate();
        let Some((_, region)) = all.find(|(at, it)| is(which, *at, it)) else {
            let names = regions.into_iter().flatten().filter_map(name).collect::<Vec<_>>();
            let title = format!("the scenario has no [[region]] called {which:?}");
            return Err(Flaw { help: suggestion(which, names), ..Flaw::new(title) });
        };
        let section = region.get_ref().get(self.section.name);
        if let Some(old) = section.and_then(|section| section.get_ref().get(self.key.name)) {
            return Ok(replaced(text, old.span(), literal));
        }
        let headed = |at: &Range<usize>, header: &str| {
            text.get(at.clone()).is_some_and(|head| head.replace(' ', "") == header)
        };
        let header = format!("[region.{}]", self.section.name);
        let (at, line) = match section.map(Spanned::span).filter(|at| headed(at, &header)) {
            Some(at) => (at, line.to_owned()),
            None => (region.span(), format!("{}.{line}", self.section.name)),
        };
        if !headed(&at, "[[region]]") && !headed(&at, &header) {
            let title = format!("the region {which:?} is written on one line, in braces");
            return Err(Flaw::new(title).help("write [[region]] on a line of its own"));
        }
        let end = text[at.end..].find('\n').map_or(text.len(), |newline| at.end + newline);
        Ok(format!("{}\n{line}{}", &text[..end], &text[end..]))
    }

    /// Adds the line to a section that stands at `span` and lacks the key.
    fn inserted(&self, text: &str, span: Range<usize>, line: &str) -> Result<String, Flaw> {
        let section = self.section.name;
        let header = text.get(span.clone()).unwrap_or("").replace(' ', "");
        if header == self.section.header() {
            let end = text[span.end..].find('\n').map_or(text.len(), |newline| span.end + newline);
            return Ok(format!("{}\n{line}{}", &text[..end], &text[end..]));
        }
        if header.starts_with('{') {
            let title = format!("the scenario writes {section} on one line, in braces");
            return Err(Flaw::new(title).help(format!("write [{section}] as a section")));
        }
        if header.starts_with('[') {
            return Ok(format!("{}\n\n[{section}]\n{line}\n", text.trim_end()));
        }
        Ok(format!("{section}.{line}\n{text}"))
    }
}

/// The region of which a path names a setting, and the rest: `region.east.gateway.tier`. Names may
/// have points in them.
fn of_region(path: &str) -> Option<(&str, &str)> {
    if let Some((which, own)) = path.strip_prefix("region[").and_then(|rest| rest.split_once("]."))
    {
        let section = own.split('.').next();
        return section.filter(|section| OWN.contains(section)).map(|_| (which, own));
    }
    let rest = path.strip_prefix("region.")?;
    let owns = |(at, _): &(usize, &str)| {
        let section = rest[at + 1..].split('.').next();
        section.is_some_and(|section| OWN.contains(&section))
    };
    let (at, _) = rest.match_indices('.').find(owns)?;
    Some((&rest[..at], &rest[at + 1..]))
}

/// Whether a text is meant as a range: two numbers with two points between them.
fn is_range(text: &str) -> bool {
    let is_number = |text: &str| text.trim().starts_with(|c: char| c.is_ascii_digit());
    text.split_once("..").is_some_and(|(from, to)| is_number(from) && is_number(to))
}

/// Whether a list's element is the one that is meant: by its place from 1, or by its name.
fn is(which: &str, at: usize, element: &Spanned<DeValue<'_>>) -> bool {
    which.parse() == Ok(at + 1) || name(element) == Some(which)
}

/// What an element is called: by its name, else by its kind.
fn name<'t>(element: &'t Spanned<DeValue<'_>>) -> Option<&'t str> {
    let word = |key| element.get_ref().get(key).and_then(|word| word.get_ref().as_str());
    word("name").or_else(|| word("kind"))
}

fn unknown(path: &str) -> Flaw {
    let of = |key: &KeySpec| match key.section {
        "" => key.name.to_owned(),
        section => format!("{section}.{}", key.name),
    };
    let paths: Vec<String> = keys::reference().map(of).collect();
    let alike = || closest(path, paths.iter().map(String::as_str)).map(str::to_owned);
    let shared = || {
        let (_, own) = path.strip_prefix("region.")?.split_once('.')?;
        let section = keys::section(own.rsplit_once('.')?.0)?;
        let of_all = !OWN.contains(&section.name);
        of_all.then(|| format!("regions share [{}]: write {own}", section.name))
    };
    let help = shared().or_else(|| {
        let meant = meant(path).or_else(|| Some(vec![alike()?]))?;
        let quoted: Vec<String> =
            meant.iter().map(|path| format!("{:?}", settable(path))).collect();
        Some(format!("did you mean {}?", quoted.join(" or ")))
    });
    let listed = "`brownout explain KEY` says what there is".to_owned();
    Flaw {
        help: help.or(Some(listed)),
        ..Flaw::new(format!("no setting is called {:?}", clip(path)))
    }
}

/// The settings that a path of others means, or one without its section: those of the section that
/// it names, if there are any.
fn meant(path: &str) -> Option<Vec<String>> {
    const TOLD: usize = 3;
    let (home, name) = path.rsplit_once('.').unwrap_or(("", path));
    let name = synonyms::written_here(name);
    let same = keys::FORMAT.iter().filter(|section| section.key(&name).is_some());
    let same: Vec<String> = same.map(|section| format!("{}.{name}", section.name)).collect();
    let others = synonyms::settings(&name).iter().filter(|path| !path.starts_with('['));
    let others: Vec<String> = others.map(|path| (*path).to_owned()).collect();
    let all = [others, same].concat();
    let of_home: Vec<String> = all.iter().filter(|path| is_of(path, home)).cloned().collect();
    let mut all = if of_home.is_empty() { all } else { of_home };
    let mut told = HashSet::new();
    all.retain(|path| told.insert(path.clone()));
    all.truncate(TOLD);
    (!all.is_empty()).then_some(all)
}

fn is_of(path: &str, section: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(home, _)| home == section)
}

/// A path as it is set: of a list, that of its first element.
fn settable(path: &str) -> String {
    let (home, name) = path.rsplit_once('.').unwrap_or(("", path));
    match keys::section(home).filter(|section| section.list) {
        Some(list) => format!("{}[1].{name}", list.name),
        None => path.trim_start_matches('.').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Plan, Schedule};
    use crate::scenario::read::parse;
    use crate::units::{Instant, SECOND};

    const TEXT: &str = "question = \"?\"\nrun.horizon = \"10m\"\n\n\
                        [gateway] # two\nreplicas = 2\n\n\
                        [[traffic.change]]\nkind = \"step\"\nat = \"2m\"\nrate = \"5/s\"\n\n\
                        [[fault]]\nname = \"crash\"\nkind = \"replica-crash\"\nat = \"3m\"\n";

    fn plan(settings: &[(&str, &str)]) -> Plan {
        let rated = set(TEXT, "traffic.rate", "900/s").expect("set");
        let change = |text: String, (path, value): &(&str, &str)| {
            set(&text, path, value).unwrap_or_else(|flaw| panic!("{path}: {}", flaw.title))
        };
        let text = settings.iter().fold(rated, change);
        let loaded = parse("a.toml", &text, Path::new(""));
        let problems = format!("{:?}\n{text}", loaded.problems);
        loaded.scenario.expect(&problems).plan
    }

    #[test]
    fn every_key_is_set_to_whatever_a_file_may_say() {
        let words = [
            "1",
            "2",
            "0.5",
            "500m",
            "true",
            "false",
            "30s",
            "20%",
            "any",
            "terminates",
            "10/s",
            "exponential(10ms)",
            "1GiB",
            "[1, 2]",
            "2026-03-02T14:30:00Z",
        ];
        let mut taken = 0;
        for section in keys::FORMAT {
            for key in section.keys {
                let setting = EditTarget { section, key, element: None, region: None };
                for word in words {
                    let forms = [word.to_owned(), quote(word)];
                    let is_sound = forms.iter().any(|form| setting.takes(form));
                    let literal = setting.literal(word).unwrap_or_default();
                    assert_eq!(setting.takes(&literal), is_sound, "{}={word}", key.name);
                    taken += usize::from(is_sound);
                }
            }
        }
        assert!(taken > 500, "{taken}");
        let plan = plan(&[
            ("nodes.per-zone", "2"),
            ("gateway.cores", "500m"),
            ("gateway.cpu-per-request", "exponential(1ms)"),
            ("ingress.tls", "true"),
            ("run.seed", "5"),
        ]);
        assert_eq!((plan.gateway.cores.0, plan.run.seed), (0.5, 5));
        assert_eq!(plan.nodes.per_zone, Some(2));
    }

    #[test]
    fn a_value_is_replaced_where_it_stands_and_added_where_it_belongs() {
        let plan = plan(&[
            ("gateway.replicas", "3"),
            ("gateway.tier", "small"),
            ("ingress.hop", "2ms"),
            ("run.seed", "5"),
            ("topology.zones", "[\"x\", \"y\"]"),
            ("objectives", "[\"p99 < 1s during crash\"]"),
            ("traffic.change[1].at", "4m"),
            ("fault.crash.at", "5m"),
            ("fault[1].target", "zone x"),
        ]);
        assert_eq!((plan.gateway.replicas, plan.gateway.cores.0), (3, 0.1));
        assert_eq!((plan.run.seed, plan.topology.zones.len()), (5, 2));
        assert_eq!(plan.faults[0].schedule, Schedule::At(Instant(300 * SECOND)));
    }

    #[test]
    fn the_rest_of_the_text_stays_as_it_was() {
        let text = set(TEXT, "gateway.replicas", "3").expect("set");
        assert_eq!(text, TEXT.replace("replicas = 2", "replicas = 3"));
        let text = set(TEXT, "gateway.tier", "large").expect("set");
        assert_eq!(text, TEXT.replace("# two\n", "# two\ntier = \"large\"\n"));
    }

    const REGIONS: &str = "[[region]]\nname = \"x.1\"\n[region.gateway]\nreplicas = 2\n\n\
                           [[region]] # the other\nname = \"y\"\n";

    #[test]
    fn a_setting_of_a_region_is_changed_in_that_region() {
        let set = |path| set(REGIONS, path, "3").unwrap_or_else(|flaw| panic!("{}", flaw.title));
        let replicas = REGIONS.replace("replicas = 2", "replicas = 3");
        assert_eq!(set("region.x.1.gateway.replicas"), replicas);
        assert_eq!(set("region[1].gateway.replicas"), replicas);
        let traffic = super::set(REGIONS, "region.y.traffic.rate", "3").unwrap_err();
        assert_eq!(traffic.help.unwrap(), "regions share [traffic]: write traffic.rate");
        assert_eq!(
            set("region.y.gateway.replicas"),
            REGIONS.replace("# the other\n", "# the other\ngateway.replicas = 3\n")
        );
        assert_eq!(
            set("region.x.1.gateway.cores"),
            REGIONS.replace("[region.gateway]\n", "[region.gateway]\ncores = 3\n")
        );
        assert_eq!(
            set("region.y.weight"),
            REGIONS.replace("# the other\n", "# the other\nweight = 3\n")
        );
        let flaw = super::set(REGIONS, "region.z.gateway.replicas", "3").unwrap_err();
        assert!(flaw.title.contains("no [[region]] called \"z\""), "{}", flaw.title);
    }

    #[test]
    fn what_cannot_be_set_is_explained() {
        let flaw = |path: &str, value: &str| {
            let flaw = set(TEXT, path, value).expect_err(path);
            format!("{} {}", flaw.title, flaw.help.unwrap_or_default())
        };
        assert!(flaw("gateway.replcas", "3").contains("did you mean \"gateway.replicas\"?"));
        assert!(flaw("fault.at", "3m").contains("fault[1].at"));
        let hang = flaw("fault.hang.at", "3m");
        assert!(hang.contains("called \"hang\" the only choice is \"crash\""), "{hang}");
        assert!(flaw("gateway.replicas", "3\ntier = 4").contains("cannot be the value"));
        assert!(flaw("gateway.replicas", "").contains("expected a whole number"));
        assert!(flaw("", "").contains("no setting"));
    }
}
