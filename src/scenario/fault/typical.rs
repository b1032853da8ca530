//! How often faults strike and how long they last where a scenario does not say: a table of what is
//! published, and of what is assumed where nothing is.
//!
//! `every = "typical"` takes the rate of its kind from here, and `for` too if it is not written;
//! `typical-faults` at the top of a file adds whole faults. Nobody publishes how often replicas of
//! this gateway fail, nor how often a provider loses a zone: the figures are orders of magnitude,
//! to be replaced by one's own, and say so.

use crate::diagnostic::Flaw;
use crate::plan::{Fault, FaultPlan, Reach, Release, ReplicaTarget, Schedule};
use crate::random::Law;
use crate::scenario::fault::target::PlacedFault;
use crate::scenario::reader::Parsed;
use crate::scenario::reader::setting::Mark;
use crate::scenario::region::section::RegionKeys;
use crate::scenario::text::value::Value;
use crate::scenario::text::word::unknown;
use crate::scenario::text::{ValueShape, law};

/// How often a kind of fault strikes, and how long it lasts.
#[derive(Debug)]
pub struct TypicalFault {
    /// The kind, as a file calls it.
    pub kind: &'static str,
    /// The time from coming up to failing, of each thing that it may strike.
    pub every: &'static str,
    /// How long it lasts; empty if something else ends it.
    pub lasts: &'static str,
    /// How well founded that is.
    pub mark: Mark,
    /// What it rests on.
    pub source: &'static str,
    build: fn(Law) -> Fault,
}

/// Every kind of which something is known or assumed, in the order in which they are added.
pub static TYPICAL: [TypicalFault; 9] = [
    TypicalFault {
        kind: "replica-crash",
        every: "exponential(90d)",
        lasts: "",
        mark: Mark::Assumed,
        source: "once in 90 days and replica: not published for this gateway",
        build: |_| Fault::ReplicaCrash(ReplicaTarget::Any),
    },
    TypicalFault {
        kind: "replica-hang",
        every: "exponential(1095d)",
        lasts: "",
        mark: Mark::Assumed,
        source: "once in 3 years and replica: not published for this gateway",
        build: |_| Fault::ReplicaHang(ReplicaTarget::Any),
    },
    TypicalFault {
        kind: "node-loss",
        every: "exponential(365d)",
        lasts: "exponential(1h)",
        mark: Mark::Assumed,
        source: "once a year and node, back in an hour: about 8 % of servers a year need a repair \
                 (Vishwanath and Nagappan, SoCC 2010), restarts and lost links come on top",
        build: |lasts| Fault::NodeLoss(ReplicaTarget::Any, Some(lasts)),
    },
    TypicalFault {
        kind: "zone-outage",
        every: "exponential(7300d)",
        lasts: "log-normal(median=2.5h, cv=0.947)",
        mark: Mark::Inferred,
        source: "once in 20 years and zone, all of it: 3 to 5 known outages in some 14 years of 6 \
                 zones (AWS us-east-1), most of 1 to 6 hours",
        build: |lasts| Fault::ZoneOutage(None, lasts),
    },
    TypicalFault {
        kind: "provisioning-outage",
        every: "exponential(1826d)",
        lasts: "log-normal(median=5h, cv=0.947)",
        mark: Mark::Inferred,
        source: "once in 5 years and region: EC2 launched nothing for 8 hours in us-east-1 on \
                 2025-10-20",
        build: |lasts| Fault::ProvisioningOutage(None, lasts),
    },
    TypicalFault {
        kind: "control-plane-outage",
        every: "exponential(1826d)",
        lasts: "log-normal(median=5h, cv=0.947)",
        mark: Mark::Assumed,
        source: "as often and as long as trouble of a region's own control plane",
        build: Fault::ControlPlaneOutage,
    },
    TypicalFault {
        kind: "rollout",
        every: "exponential(30d)",
        lasts: "",
        mark: Mark::Inferred,
        source: "one patch a month, and each is sound",
        build: |_| Fault::Rollout(Release::SOUND),
    },
    TypicalFault {
        kind: "maintenance",
        every: "exponential(30d)",
        lasts: "3m",
        mark: Mark::Inferred,
        source: "nodes are replaced once a month, one after the other, each in 3 minutes",
        build: Fault::Maintenance,
    },
    TypicalFault {
        kind: "region-outage",
        every: "exponential(36500d)",
        lasts: "log-normal(median=5h, cv=0.947)",
        mark: Mark::Assumed,
        source: "once in 100 years and region: no provider has lost all zones of one for hours \
                 often enough to say",
        build: Fault::RegionOutage,
    },
];

impl TypicalFault {
    /// What is typical of a kind, if anything is said of it.
    pub fn of(kind: &str) -> Option<&'static TypicalFault> {
        TYPICAL.iter().find(|one| one.kind == kind)
    }

    /// The entry that a fault of a plan was made from, as far as its rate tells.
    pub fn behind(fault: &FaultPlan) -> Option<&'static TypicalFault> {
        let is_it = |one: &&TypicalFault| {
            let made = (one.build)(Law::ZERO);
            std::mem::discriminant(&made) == std::mem::discriminant(&fault.fault)
                && fault.schedule == Schedule::Random(one.rate())
        };
        TYPICAL.iter().find(is_it)
    }

    /// The law of the time from coming up to failing.
    pub(crate) fn rate(&self) -> Law {
        law::parse(self.every).expect("a test reads every law of the table")
    }

    /// The law of how long it lasts, if that is its own.
    pub(crate) fn lasting(&self) -> Option<Law> {
        let read = |text| law::parse(text).expect("a test reads every law of the table");
        (!self.lasts.is_empty()).then_some(self.lasts).map(read)
    }

    fn fault(&self, name: String) -> FaultPlan {
        let fault = (self.build)(self.lasting().unwrap_or(Law::ZERO));
        FaultPlan { name, fault, schedule: Schedule::Random(self.rate()) }
    }
}

/// The word for what is typical.
const TYPICAL_WORD: &str = "typical";

/// How often a fault is injected, as a file says it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Every {
    /// As often as its kind is in the table.
    Typical,
    /// By this law.
    Law(Law),
}

impl Value for Every {
    fn kind() -> String {
        format!("{}, or \"{TYPICAL_WORD}\"", Law::kind())
    }
    fn shape() -> ValueShape {
        ValueShape::Either(vec![Law::shape(), ValueShape::Words(vec![TYPICAL_WORD])])
    }
    fn parse(text: &str) -> Result<Self, Flaw> {
        match text.trim() {
            TYPICAL_WORD => Ok(Every::Typical),
            text => Law::parse(text).map(Every::Law),
        }
    }
    fn show(&self) -> String {
        match self {
            Every::Typical => format!("\"{TYPICAL_WORD}\""),
            Every::Law(law) => law.show(),
        }
    }
    fn quoted(number: &str) -> Option<String> {
        Law::quoted(number)
    }
    fn is_long(&self) -> bool {
        matches!(self, Every::Law(law) if law.is_long())
    }
    fn read(node: &crate::scenario::text::value::Node<'_>) -> Result<Self, Vec<Flaw>> {
        match node.value.as_str().map(str::trim) {
            Some(TYPICAL_WORD) => Ok(Every::Typical),
            _ => Law::read(node).map(Every::Law),
        }
    }
}

/// The kinds of faults that a scenario takes from the table.
#[derive(Clone, Debug, Default)]
pub(crate) struct TypicalKinds {
    text: String,
    kinds: Vec<&'static TypicalFault>,
}

impl Value for TypicalKinds {
    fn kind() -> String {
        "\"all\", \"none\" or kinds of faults, such as \"replica-crash, node-loss\"".to_owned()
    }
    fn shape() -> ValueShape {
        ValueShape::words_between_commas(&TYPICAL.each_ref().map(|one| one.kind), &["all", "none"])
    }
    fn parse(text: &str) -> Result<Self, Flaw> {
        let kinds = match text.trim() {
            "none" => Vec::new(),
            "all" => TYPICAL.iter().collect(),
            list => list.split(',').map(str::trim).map(named).collect::<Result<_, _>>()?,
        };
        Ok(TypicalKinds { text: text.trim().to_owned(), kinds })
    }
    fn show(&self) -> String {
        format!("{:?}", self.text)
    }
}

fn named(kind: &str) -> Result<&'static TypicalFault, Flaw> {
    let words = TYPICAL.each_ref().map(|one| one.kind);
    TypicalFault::of(kind).ok_or_else(|| {
        let flaw = unknown(kind, &words);
        match flaw.help {
            Some(_) => flaw,
            None => flaw.help(format!("write {}", words.join(", "))),
        }
    })
}

impl Parsed<TypicalKinds> {
    /// Adds those that mean something here and do not strike at random already: what is part of a
    /// region strikes each of them.
    pub(crate) fn add(&self, regions: &[RegionKeys], faults: &mut Vec<PlacedFault>) {
        for one in &self.value.kinds {
            let made = (one.build)(Law::ZERO);
            let struck = match (made.reach(), regions.len()) {
                (Reach::Region | Reach::Manager, 0) => continue,
                (Reach::Shared | Reach::Manager, _) | (_, 0) => vec![None],
                (_, count) => (0..count).map(Some).collect(),
            };
            for region in struck {
                let is_there = |other: &PlacedFault| {
                    let same = std::mem::discriminant(&other.plan.fault);
                    other.region == region
                        && same == std::mem::discriminant(&made)
                        && matches!(other.plan.schedule, Schedule::Random(_))
                };
                if !faults.iter().any(is_there) {
                    let place = region.map(|region| regions[region].name.as_str());
                    let plan = one.fault(free_name(one.kind, place, faults));
                    faults.push(PlacedFault { plan, region, place: self.place.clone() });
                }
            }
        }
    }
}

/// A name that no fault has.
fn free_name(kind: &str, region: Option<&str>, faults: &[PlacedFault]) -> String {
    let stem = region.map_or_else(|| kind.to_owned(), |region| format!("{region}.{kind}"));
    let numbered = (2..).map(|number| format!("{stem}-{number}"));
    let is_free = |name: &String| faults.iter().all(|other| other.plan.name != *name);
    std::iter::once(stem.clone()).chain(numbered).find(is_free).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::diagnostic::render;
    use crate::plan::Plan;
    use crate::scenario::fault::kind::KINDS;
    use crate::scenario::read::parse;
    use crate::scenario::request::tests::{LEAST, read};
    use crate::units::Span;

    #[test]
    fn every_entry_is_a_kind_with_laws_and_a_source() {
        for one in &TYPICAL {
            assert!(KINDS.iter().any(|kind| kind.word == one.kind), "{}", one.kind);
            assert!(one.rate().mean_secs() > 0.0 && !one.source.is_empty(), "{}", one.kind);
            let made = one.fault("x".to_owned());
            assert_eq!(TypicalFault::behind(&made).map(|one| one.kind), Some(one.kind));
        }
    }

    /// What is said of a scenario that is wrong.
    fn said(text: &str) -> String {
        let loaded = parse("test.toml", text, Path::new(""));
        assert!(loaded.scenario.is_none(), "{text}");
        render(&loaded.source, &loaded.problems, false)
    }

    fn random(plan: &Plan) -> Vec<(&str, Law)> {
        let all = plan.faults.iter().filter_map(|fault| match &fault.schedule {
            Schedule::Random(law) => Some((fault.name.as_str(), law.clone())),
            _ => None,
        });
        all.collect()
    }

    #[test]
    fn a_fault_takes_what_is_typical_of_its_kind_and_keeps_what_it_says() {
        let text = "[[fault]]\nkind = \"zone-outage\"\nevery = \"typical\"\n\
                    [[fault]]\nkind = \"node-loss\"\nevery = \"typical\"\nfor = \"2h\"\n";
        let (plan, _, shown) = read(&format!("{LEAST}{text}"));
        assert_eq!(shown, "");
        let days = |days: f64| Law::Exponential(Span::from_secs(86_400.0 * days));
        assert_eq!(random(&plan), [("zone-outage", days(7_300.0)), ("node-loss", days(365.0))]);
        let Fault::ZoneOutage(None, lasts) = &plan.faults[0].fault else { panic!("{plan:?}") };
        // The mean of a log-normal law of median 2.5 h and σ = 0.8 is 2.5 h · exp(0.32).
        assert!((lasts.mean_secs() / 3_600.0 - 3.443).abs() < 0.005, "{lasts:?}");
        let two_hours = Law::Constant(Span::from_secs(7_200.0));
        assert_eq!(plan.faults[1].fault, Fault::NodeLoss(ReplicaTarget::Any, Some(two_hours)));
        let wrong = "[[fault]]\nkind = \"cache-purge\"\nevery = \"typical\"\n";
        let shown = said(&format!("{LEAST}{wrong}"));
        assert!(shown.contains("nothing is known of how often"), "{shown}");
    }

    #[test]
    fn typical_faults_are_added_where_none_of_the_kind_strikes_at_random() {
        let text = "[[fault]]\nname = \"mine\"\nkind = \"node-loss\"\nevery = \"exponential(9d)\"\n\
                    [[fault]]\nkind = \"rollout\"\nat = \"2m\"\n";
        let (plan, _, shown) = read(&format!("typical-faults = \"all\"\n{LEAST}{text}"));
        assert_eq!(shown, "");
        let names: Vec<&str> = random(&plan).iter().map(|(name, _)| *name).collect();
        // The rollout at a given time keeps its name; a region cannot be lost where there is one.
        let added = [
            "mine",
            "replica-crash",
            "replica-hang",
            "zone-outage",
            "provisioning-outage",
            "control-plane-outage",
            "rollout-2",
            "maintenance",
        ];
        assert_eq!(names, added);
        let (plan, ..) = read(&format!("typical-faults = \"zone-outage\"\n{LEAST}"));
        assert_eq!(random(&plan).len(), 1);
        let shown = said(&format!("typical-faults = \"zone-outages\"\n{LEAST}"));
        assert!(shown.contains("did you mean \"zone-outage\""), "{shown}");
    }
}
