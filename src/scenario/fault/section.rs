//! The sections `[[fault]]`, one by one.

use crate::diagnostic::Problem;
use crate::plan::{Fault, FaultPlan, Reach, Schedule, Topology};
use crate::random::Law;
use crate::scenario::fault::after::{Link, UNTIED, check_follower};
use crate::scenario::fault::kind::{Aim, FaultKind, Lasts, key};
use crate::scenario::fault::target::{FaultReader, PlacedFault, SAME_ZONE, Targets};
use crate::scenario::fault::typical::{Every, TypicalFault, TypicalKinds};
use crate::scenario::reader::{KeySpec, Mark, Parsed, Reader, SectionReader};
use crate::scenario::region::section::{RegionKeys, find, suggest};
use crate::scenario::text::{Value, is_name};
use crate::units::{Instant, Span};

const FAULT_LIMIT: usize = 1_000;

/// The most times that a fault may be injected in a replication on average.
const INJECTION_LIMIT: f64 = 1e7;

/// What faults may strike.
pub(crate) struct Strikable<'t> {
    /// The regions; none where there is one gateway.
    pub(crate) regions: &'t [RegionKeys],
    /// What targets may name in each of them, or in the one gateway.
    pub(crate) targets: Vec<Targets<'t>>,
}

/// Reads every `[[fault]]`, in the order of the file, and adds those of `typical` kinds.
pub(crate) fn read(
    reader: &Reader<'_>,
    strikable: &Strikable<'_>,
    typical: &Parsed<TypicalKinds>,
) -> Vec<PlacedFault> {
    let mut names: Vec<String> = Vec::new();
    let (mut faults, mut links) = (Vec::new(), Vec::new());
    let sections = reader.elements(&key::SPEC, FAULT_LIMIT);
    for section in &sections {
        let region = region(section, strikable);
        let targets = &strikable.targets[region.unwrap_or(0)];
        if let Some((mut plan, same_zone)) = fault(section, targets) {
            check_region(section, &plan.fault, (region, strikable));
            plan.name = name(section, &plan.name, &names);
            names.push(plan.name.clone());
            links.extend(Link::find(section, faults.len(), same_zone));
            faults.push(PlacedFault { plan, region, place: section.place.clone() });
        }
    }
    let is_whole = faults.len() == sections.len();
    links.into_iter().for_each(|link| link.tie(&mut faults, is_whole));
    typical.add(strikable.regions, &mut faults);
    faults
}

/// The region that is named.
fn region(section: &SectionReader<'_>, strikable: &Strikable<'_>) -> Option<usize> {
    let named = section.find(key::REGION)?;
    let found = find(strikable.regions, &named.value);
    if found.is_none() && strikable.regions.is_empty() {
        let help = "drop `region`, or write [[region]] for each of several";
        section.error(&named, "this scenario has one region", help);
    } else if found.is_none() {
        let title = format!("no region is called {:?}", named.value);
        section.error(&named, title, suggest(strikable.regions, &named.value));
    }
    found
}

/// Notes if a fault does not say which region it strikes, or says it of what regions share.
fn check_region(
    section: &SectionReader<'_>,
    fault: &Fault,
    (region, strikable): (Option<usize>, &Strikable<'_>),
) {
    let one = strikable.regions.first();
    match (fault.reach(), one) {
        (Reach::Shared | Reach::Manager, _) if region.is_some() => {
            let help = "drop `region`";
            let place = section.key_place(&key::REGION);
            section.error(place, "this fault strikes what all regions share", help);
        }
        (Reach::Region | Reach::Manager, None) => {
            let help = "write [[region]] for each of several regions";
            section.error(section, "this fault needs several regions", help);
        }
        (Reach::Gateway | Reach::Region, Some(one))
            if region.is_none() && !section.has(&key::REGION) =>
        {
            let help = format!("write region = {:?}", one.name);
            section.error(section, "this fault does not say which region it strikes", help);
        }
        _ => {}
    }
}

/// The name that is given, or the kind with a number if an earlier fault is called so.
fn name(section: &SectionReader<'_>, kind: &str, used: &[String]) -> String {
    let free = |name: &String| !used.contains(name);
    let numbered = (2..).map(|number| format!("{kind}-{number}"));
    let default = std::iter::once(kind.to_owned()).chain(numbered).find(free).unwrap_or_default();
    let name = section.get_or(key::NAME, default, Mark::Inferred, key::NAME.source);
    if !is_name(&name.value) {
        let title = format!("{:?} cannot name a fault", name.value);
        section.error(&name, title, "use letters, digits, -, _ and .");
    } else if used.contains(&name.value) {
        let title = format!("two faults are called {:?}", name.value);
        section.error(&name, title, "give every fault a name of its own");
    }
    name.value
}

/// A fault without its name, and whether it strikes the zone of the one that it follows.
fn fault(section: &SectionReader<'_>, targets: &Targets<'_>) -> Option<(FaultPlan, bool)> {
    let kind = section.require(key::KIND, "kind = \"replica-crash\"");
    let schedule = schedule(section, kind.as_ref().map(|kind| kind.value));
    let kind = kind?.value;
    let duration = duration(section, kind);
    for other in key::SPEC.keys.iter().filter(|key| !kind.keys.contains(&key.name)) {
        match &FaultKind::with_key(other.name)[..] {
            [] => {}
            [owner] => forbid(section, other, kind, &format!("only {owner} has it")),
            owners => {
                forbid(section, other, kind, &format!("only {} have it", owners.join(" and ")))
            }
        }
    }
    let target = target(section, kind, targets);
    let same_zone = target.value.trim() == SAME_ZONE;
    if same_zone && !section.has(&key::AFTER) {
        let help = "write after = \"zone-outage\" and the like, or name a zone";
        section.error(&target, "the same zone as which fault?", help);
    }
    let fault = (kind.build)(&FaultReader { section, targets, target, duration })?;
    Some((FaultPlan { name: kind.word.to_owned(), fault, schedule: schedule? }, same_zone))
}

/// When it is injected; one that follows another is tied to that when all are known.
fn schedule(section: &SectionReader<'_>, kind: Option<&FaultKind>) -> Option<Schedule> {
    match [&key::AT.spec, &key::EVERY.spec, &key::AFTER.spec].map(|key| section.has(key)) {
        [true, false, false] => Some(Schedule::At(Instant(section.find(key::AT)?.value.0))),
        [false, false, true] => Some(UNTIED),
        [false, true, false] => at_random(section, kind?),
        [true, true, false] => {
            let title = "a fault is injected once or at random, not both";
            section.error(section.key_place(&key::EVERY), title, "drop `at` or `every`");
            None
        }
        [_, _, true] => {
            let title = "a fault is injected with another one or by itself, not both";
            section.error(
                section.key_place(&key::AFTER),
                title,
                "drop `after`, or `at` and `every`",
            );
            None
        }
        [false, false, false] => {
            let help = "write at = \"3m\" for once, every = \"exponential(30d)\" for at random, or \
                        after = \"NAME\" for with another fault";
            section.error(section, "this fault does not say when it is injected", help);
            None
        }
    }
}

/// At the rate that is written, or that is typical of the kind.
fn at_random(section: &SectionReader<'_>, kind: &FaultKind) -> Option<Schedule> {
    let every = section.find(key::EVERY)?;
    let law = match (&every.value, TypicalFault::of(kind.word)) {
        (Every::Law(law), _) => law.clone(),
        (Every::Typical, Some(typical)) => typical.rate(),
        (Every::Typical, None) => {
            let title = format!("nothing is known of how often a {} comes", kind.word);
            section.error(&every, title, "write every = \"exponential(30d)\" with your own mean");
            return None;
        }
    };
    if law.mean_secs() > 0.0 {
        return Some(Schedule::Random(law));
    }
    let help = "give `every` a mean above zero";
    section.error(&every, "this fault would be injected without end", help);
    None
}

/// How long a fault of this kind lasts typically, if that is asked for.
fn typical_duration(section: &SectionReader<'_>, kind: &FaultKind) -> Option<Law> {
    let text = section.value_at(&section.path(key::EVERY.name))?;
    let asked = Every::parse(text.trim_matches('"')) == Ok(Every::Typical);
    let typical = TypicalFault::of(kind.word).filter(|_| asked)?;
    let lasts = typical.lasting()?;
    Some(section.get_or(key::FOR, lasts, typical.mark, typical.source).value)
}

/// How long the fault lasts; zero for those that something else ends.
fn duration(section: &SectionReader<'_>, kind: &FaultKind) -> Law {
    match kind.lasts {
        Lasts::Until(reason) => {
            forbid(section, &key::FOR, kind, reason);
            return Law::ZERO;
        }
        _ if !section.has(&key::FOR)
            && let Some(lasts) = typical_duration(section, kind) =>
        {
            return lasts;
        }
        Lasts::Emptied => {
            let away = Law::Constant(Span::from_secs(180.0));
            let source = "an emptied machine is away for 3 minutes";
            return section.get_or(key::FOR, away, Mark::Assumed, source).value;
        }
        Lasts::Optional if !section.has(&key::FOR) => return Law::ZERO,
        Lasts::Optional | Lasts::For => {}
    }
    let Some(found) = section.require(key::FOR, "for = \"10m\"") else { return Law::ZERO };
    if found.value.mean_secs() <= 0.0 {
        section.error(&found, "this fault lasts no time", "give `for` a mean above zero");
    }
    found.value
}

/// The target as written, or the only one that there is.
fn target(section: &SectionReader<'_>, kind: &FaultKind, targets: &Targets<'_>) -> Parsed<String> {
    let nothing = || Parsed { value: String::new(), place: section.into(), given: false };
    let upstreams = &targets.dependencies.upstreams;
    let (only, example) = match kind.target {
        Aim::Any => return section.parsed(key::TARGET),
        Aim::Everywhere => {
            let all = "all".to_owned();
            return section.get_or(key::TARGET, all, key::TARGET.mark, "in every zone");
        }
        Aim::Nothing(reason) => {
            forbid(section, &key::TARGET, kind, reason);
            return nothing();
        }
        Aim::Client => {
            let only = (targets.clients() == 1).then(|| "1".to_owned());
            (only, "target = \"3\" for the third client")
        }
        Aim::Host => {
            let only = upstreams.first().filter(|_| upstreams.len() == 1);
            let example =
                "target = \"orders\" for an upstream, or \"orders/2\" for its second host";
            (only.map(|only| only.name.clone()), example)
        }
    };
    let found = match only {
        Some(only) => Some(section.get_or(key::TARGET, only, key::TARGET.mark, "the only one")),
        None => section.require(key::TARGET, example),
    };
    found.unwrap_or_else(nothing)
}

/// Notes an error for a key that a fault of this kind does not have.
fn forbid(section: &SectionReader<'_>, key: &KeySpec, kind: &FaultKind, reason: &str) {
    if section.has(key) {
        let title = format!("a fault of kind \"{}\" has no `{}`", kind.word, key.name);
        section.note(Problem::error(section.key_place(key), title).label(reason));
    }
}

/// Notes faults that are injected outside the run, or too often to be simulated.
pub(crate) fn check_times(
    reader: &Reader<'_>,
    faults: &[PlacedFault],
    horizon: Instant,
    warm_up: Instant,
    strikable: &Strikable<'_>,
) {
    for PlacedFault { plan: fault, region, place } in faults {
        let targets = &strikable.targets[region.unwrap_or(0)];
        let Topology { zones, placement, .. } = targets.topology;
        let things = zones.len().max(placement.len()).max(targets.instances) as f64;
        let name = &fault.name;
        match &fault.schedule {
            Schedule::At(at) if *at >= horizon => {
                let title = format!("the fault {name:?} is never injected");
                let help = format!("it is set for {at}, but the run ends at {horizon}");
                reader.error(place.clone(), title, help);
            }
            Schedule::At(at) if *at < warm_up => {
                let title = format!("the fault {name:?} is injected during warm-up");
                let help = format!("nothing before {warm_up} is counted; inject it later");
                reader.warn(place.clone(), title, help);
            }
            Schedule::Random(law) => {
                let injections = horizon.as_secs() / law.mean_secs() * things;
                if injections > INJECTION_LIMIT {
                    let title = format!("the fault {name:?} is injected too often");
                    let help = "lengthen the mean of `every` or shorten the run";
                    reader.error(place.clone(), title, help);
                }
            }
            Schedule::Elsewhere => {} // refused, and tied to no other one
            Schedule::After(_) => check_follower(reader, (fault, place), faults, horizon),
            Schedule::At(at) => {
                let back = fault.fault.release().and_then(|release| release.back_after);
                if back.is_some_and(|back| *at + back >= horizon) {
                    let title = format!("the rollout {name:?} is not rolled back in this run");
                    let help = "lengthen the run, or shorten `roll-back-after`";
                    reader.warn(place.clone(), title, help);
                }
            }
        }
    }
}
