//! Reading by key: every value is taken from the file or from its default, every problem is noted,
//! and reading goes on.

use std::ops::{Range, RangeInclusive};
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Flaw, Place, Problem, Severity, clip, suggestion};
use crate::scenario::keys::{self, Key, SECTIONS};
use crate::scenario::value::{Node, Value};
use crate::scenario::{Mark, Setting};

/// What has been read so far: problems and resolved settings.
pub(crate) struct Book<'a> {
    /// The file.
    pub(crate) text: &'a str,
    /// The folder that paths in the file start from.
    pub(crate) base: &'a Path,
    /// All problems, in the order in which they were found.
    pub(crate) problems: Vec<Problem>,
    settings: Vec<(Order, Setting)>,
}

/// Section, element and key in the order of the reference.
type Order = (usize, usize, usize);

/// A table of the file, or a section that the file leaves out.
pub(crate) struct Section<'a> {
    name: &'static str,
    /// Position among the elements of an array of tables, from 1; 0 for a plain section.
    element: usize,
    table: Option<&'a DeTable<'a>>,
    /// Its header.
    pub(crate) place: Place,
}

/// A value and where it comes from.
#[derive(Clone, Debug)]
pub(crate) struct Found<T> {
    /// The value; a default if what is written is wrong.
    pub(crate) value: T,
    /// Where it is written, or the section that lacks it.
    pub(crate) place: Place,
    /// Whether it is written in the file.
    pub(crate) given: bool,
}

impl Section<'_> {
    /// `ingress.hop`, `fault[2].at`.
    fn path(&self, key: &str) -> String {
        match (self.name, self.element) {
            ("", _) => key.to_owned(),
            (name, 0) => format!("{name}.{key}"),
            (name, element) => format!("{name}[{element}].{key}"),
        }
    }

    /// Whether the file has this section.
    pub(crate) fn is_there(&self) -> bool {
        self.table.is_some()
    }

    /// Whether it has any of these sections.
    pub(crate) fn has_any(&self, sections: &[&str]) -> bool {
        let has = |name: &&str| self.table.is_some_and(|table| table.contains_key(*name));
        sections.iter().any(has)
    }

    /// Whether the file has this key.
    pub(crate) fn has<T>(&self, key: &Key<T>) -> bool {
        self.table.is_some_and(|table| table.contains_key(key.name))
    }

    /// Where the key stands in the file; the section's place if it does not.
    pub(crate) fn key_place<T>(&self, key: &Key<T>) -> Place {
        let entry = self.table.and_then(|table| table.get_key_value(key.name));
        entry.map_or_else(|| self.place.clone(), |(key, _)| Place::Span(key.span()))
    }
}

impl<'a> Book<'a> {
    /// An empty book for a file.
    pub(crate) fn new(text: &'a str, base: &'a Path) -> Book<'a> {
        Book { text, base, problems: Vec::new(), settings: Vec::new() }
    }

    /// The top of the file; notes unknown keys.
    pub(crate) fn top(&mut self, table: &'a DeTable<'a>) -> Section<'a> {
        let top = Section { name: "", element: 0, table: Some(table), place: Place::Whole };
        self.check_keys(&top);
        top
    }

    /// A section, within `outer` if its name says so; notes unknown keys.
    pub(crate) fn section(&mut self, outer: &Section<'a>, name: &'static str) -> Section<'a> {
        let mut section = Section { name, element: 0, table: None, place: Place::Whole };
        let key = name.rsplit('.').next().unwrap_or(name);
        let Some(node) = outer.table.and_then(|table| table.get(key)) else {
            return section;
        };
        section.place = Place::Span(node.span());
        match node.get_ref() {
            DeValue::Table(table) => section.table = Some(table),
            DeValue::Array(_) => self.error(
                Place::Span(node.span()),
                format!("`{name}` appears once, not as a list"),
                format!("write [{name}] with single brackets"),
            ),
            _ => self.error(
                Place::Span(node.span()),
                format!("`{name}` is a section, not a value"),
                format!("write [{name}] on a line of its own and its keys below"),
            ),
        }
        self.check_keys(&section);
        section
    }

    /// The only element of an array of tables that the file leaves out.
    pub(crate) fn implied(name: &'static str) -> Section<'a> {
        Section { name, element: 1, table: None, place: Place::Whole }
    }

    /// The elements of an array of tables, `limit` at most; notes unknown keys.
    pub(crate) fn elements(
        &mut self,
        parent: &Section<'a>,
        name: &'static str,
        limit: usize,
    ) -> Vec<Section<'a>> {
        let key = name.rsplit('.').next().unwrap_or(name);
        let Some(node) = parent.table.and_then(|table| table.get(key)) else {
            return Vec::new();
        };
        let place = Place::Span(node.span());
        let Some(array) = node.get_ref().as_array() else {
            let remedy = format!("write [[{name}]] with double brackets, once per {key}");
            self.error(place, format!("`{name}` is a list of tables"), remedy);
            return Vec::new();
        };
        if array.len() > limit {
            let title = format!("{} times [[{name}]] is more than {limit}", array.len());
            self.error(place, title, "leave some out".to_owned());
            return Vec::new();
        }
        let elements = array.iter().enumerate();
        elements.filter_map(|(index, node)| self.element(name, index + 1, node)).collect()
    }

    fn element(
        &mut self,
        name: &'static str,
        element: usize,
        node: &'a Spanned<DeValue<'a>>,
    ) -> Option<Section<'a>> {
        let place = Place::Span(node.span());
        let Some(table) = node.get_ref().as_table() else {
            let remedy = format!("write [[{name}]] on a line of its own and its keys below");
            self.error(place, format!("`{name}` is a list of tables"), remedy);
            return None;
        };
        let section = Section { name, element, table: Some(table), place };
        self.check_keys(&section);
        Some(section)
    }

    /// Notes every key that the section does not have.
    fn check_keys(&mut self, section: &Section<'a>) {
        let Some(table) = section.table else { return };
        for (key, _) in table.iter() {
            let word = key.get_ref().as_ref();
            if known_keys(section.name).any(|known| known == word) {
                continue;
            }
            let title = match section.name {
                "" => format!("unknown key `{}`", clip(word)),
                name => format!("unknown key `{}` in [{name}]", clip(word)),
            };
            let help = meant(section.name, word)
                .or_else(|| elsewhere(section.name, word))
                .or_else(|| suggestion(word, known_keys(section.name).collect::<Vec<_>>()));
            let problem = Problem::error(Place::Span(key.span()), title);
            self.problems.push(help.into_iter().fold(problem, Problem::help));
        }
    }

    /// A value that is written in the file, if it is there and sound.
    pub(crate) fn find<T: Value>(
        &mut self,
        section: &Section<'a>,
        key: Key<T>,
    ) -> Option<Found<T>> {
        let (value, span) = self.value(section, key)?;
        let shown = if value.is_long() { self.raw(&span) } else { value.show() };
        let order = key_of(section, key.name);
        self.settle(order, section.path(key.name), shown, Mark::Given, "this file");
        Some(Found { value, place: Place::Span(span), given: true })
    }

    /// As [`Book::find`], without taking it for a setting.
    fn value<T: Value>(&mut self, section: &Section<'a>, key: Key<T>) -> Option<(T, Range<usize>)> {
        let spanned = section.table.and_then(|table| table.get(key.name))?;
        let (span, text, base) = (spanned.span(), self.text, self.base);
        let node = Node { value: spanned.get_ref(), span: span.clone(), text, base };
        match T::read(&node) {
            Ok(value) => Some((value, span)),
            Err(flaws) => {
                for flaw in flaws {
                    self.flaw(&span, flaw, &format!("expected {}", T::kind()));
                }
                None
            }
        }
    }

    fn raw(&self, span: &Range<usize>) -> String {
        self.text.get(span.clone()).unwrap_or("").to_owned()
    }

    /// A value that is written in the file, or the default that the table of keys names.
    pub(crate) fn get<T: Value>(&mut self, section: &Section<'a>, key: Key<T>) -> Found<T> {
        let default = T::parse(key.default).expect("a test reads every default of the table");
        let (mark, source) = (key.mark, key.source);
        self.get_or(section, key, default, mark, source)
    }

    /// A value that is written in the file, or this default.
    pub(crate) fn get_or<T: Value>(
        &mut self,
        section: &Section<'a>,
        key: Key<T>,
        default: T,
        mark: Mark,
        source: &str,
    ) -> Found<T> {
        let (has, shown) = (section.has(&key), default.show());
        self.find(section, key).unwrap_or_else(|| {
            if !has {
                let entry = key_of(section, key.name);
                self.settle(entry, section.path(key.name), shown, mark, source);
            }
            Found { value: default, place: section.place.clone(), given: has }
        })
    }

    /// A value that the file must have; `example` is a line that would do.
    pub(crate) fn require<T: Value>(
        &mut self,
        section: &Section<'a>,
        key: Key<T>,
        example: &str,
    ) -> Option<Found<T>> {
        let misshaped = section.table.is_none() && section.place != Place::Whole;
        if !section.has(&key) && !misshaped {
            let title = format!("`{}` is missing", section.path(key.name));
            let problem = Problem::error(section.place.clone(), title).label("it belongs here");
            let home = match (section.table, section.name) {
                (Some(_), _) => String::new(),
                (None, name) => format!(" in [{name}]"),
            };
            self.problems.push(problem.help(format!("{} Write {example}{home}", key.about)));
        }
        self.find(section, key)
    }

    /// A count within a range.
    pub(crate) fn count(
        &mut self,
        section: &Section<'a>,
        key: Key<u64>,
        range: RangeInclusive<u64>,
    ) -> Found<u64> {
        let found = self.get(section, key);
        self.within(section, key, range, found)
    }

    /// A count within a range, with a default that other settings give.
    pub(crate) fn count_or(
        &mut self,
        section: &Section<'a>,
        key: Key<u64>,
        range: RangeInclusive<u64>,
        (default, mark, source): (u64, Mark, &str),
    ) -> Found<u64> {
        let found = self.get_or(section, key, default, mark, source);
        self.within(section, key, range, found)
    }

    /// A value brought within its range, with an error if it was outside.
    pub(crate) fn within(
        &mut self,
        section: &Section<'a>,
        key: Key<u64>,
        range: RangeInclusive<u64>,
        found: Found<u64>,
    ) -> Found<u64> {
        if !range.contains(&found.value) {
            let title = format!("`{}` is out of range", section.path(key.name));
            let label = format!("{} to {}", range.start(), range.end());
            self.problems.push(Problem::error(found.place.clone(), title).label(label));
        }
        Found { value: found.value.clamp(*range.start(), *range.end()), ..found }
    }

    /// Notes that a key has no effect, and why.
    pub(crate) fn idle<T: Value>(&mut self, section: &Section<'a>, key: Key<T>, reason: &str) {
        if self.value(section, key).is_some() {
            let title = format!("`{}` has no effect", section.path(key.name));
            let problem = Problem::warning(section.key_place(&key), title).label(reason);
            self.problems.push(problem);
        }
    }

    /// Notes an error with its remedy.
    pub(crate) fn error(&mut self, place: Place, title: impl Into<String>, help: String) {
        self.problems.push(Problem::error(place, title).help(help));
    }

    /// Notes a flaw of the value at `span`; `expected` stands under the caret unless it says more.
    pub(crate) fn flaw(&mut self, span: &Range<usize>, flaw: Flaw, expected: &str) {
        let place = Place::Span(flaw.range.unwrap_or(span.clone()));
        let label = if flaw.label.is_empty() { expected } else { &flaw.label };
        let problem = Problem::error(place, flaw.title).label(label);
        self.problems.push(flaw.help.into_iter().fold(problem, Problem::help));
    }

    /// How many errors there are.
    pub(crate) fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    fn settle(&mut self, order: Order, path: String, value: String, mark: Mark, source: &str) {
        let setting = Setting { path, value, mark, source: source.to_owned() };
        self.settings.push((order, setting));
    }

    /// The settings in the order of the reference.
    pub(crate) fn into_settings(mut self) -> Vec<Setting> {
        self.settings.sort_by_key(|(order, _)| *order);
        self.settings.into_iter().map(|(_, setting)| setting).collect()
    }
}

fn key_of(section: &Section<'_>, key: &str) -> Order {
    let section_at = SECTIONS.iter().position(|name| *name == section.name).unwrap_or(0);
    let key_at = keys::names(section.name).iter().position(|name| *name == key).unwrap_or(0);
    (section_at, section.element, key_at)
}

/// The keys of a section and the sections within it.
fn known_keys(section: &'static str) -> impl Iterator<Item = &'static str> {
    let within = move |name: &&'static str| match name.rsplit_once('.') {
        Some((parent, _)) => parent == section,
        None => section.is_empty() && !name.is_empty(),
    };
    let inner = SECTIONS.iter().copied().filter(move |name| within(name));
    let inner = inner.map(|name| name.rsplit('.').next().unwrap_or(name));
    keys::names(section).iter().copied().chain(inner)
}

/// What a key that other programs use is called here.
fn meant(section: &str, key: &str) -> Option<String> {
    let line = match (section, key) {
        ("fault", "zone") => "target = \"zone b\"",
        ("fault", "replica") => "target = \"b-1\"",
        ("fault", "duration") => "for = \"10m\"",
        ("fault", "mtbf") => "every = \"exponential(30d)\"",
        ("clients", "retries") => "attempts = 3",
        ("clients", "patience") => "timeout = \"5s\"",
        ("clients", "think-time") => "think = \"exponential(1s)\"",
        ("api", "weight") => "share = \"30%\"",
        ("upstream", "max-connections") => "breaker = true and connections = 1024",
        ("run", "duration" | "length" | "until") => "horizon = \"10m\"",
        ("gateway", "size") => "tier = \"large\"",
        ("gateway", "cpu" | "vcpu") => "cores = 1",
        _ => return None,
    };
    Some(format!("write {line}"))
}

/// The section in which a key of this name belongs, if it is another.
fn elsewhere(section: &str, key: &str) -> Option<String> {
    let home =
        SECTIONS.iter().find(|name| **name != section && keys::names(name).contains(&key))?;
    Some(match *home {
        "" => format!("`{key}` belongs to the top of the file, above the first section"),
        name => format!("`{key}` belongs in {}", keys::header(name)),
    })
}
