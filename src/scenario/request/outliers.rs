//! Outlier detection, of replicas by ingress instances and of hosts by replicas: one reading for
//! both.

use crate::diagnostic::{Place, Problem};
use crate::policy::outlier::OutlierSpec;
use crate::scenario::reader::{SectionReader, TypedKey};
use crate::units::{Share, Span};

const COUNT_LIMIT: u64 = 1_000_000;

/// The keys of a section that say how outliers are found, and what becomes of them.
pub(crate) struct OutlierKeys {
    pub(crate) base_ejection: TypedKey<Span>,
    pub(crate) max_ejection: TypedKey<Span>,
    pub(crate) max_ejected: TypedKey<Share>,
    pub(crate) always_eject_one: TypedKey<bool>,
    pub(crate) consecutive: TypedKey<u64>,
}

/// Outlier detection that is asked for at a place, with so much time between two sweeps, over so
/// many of its kind; its share for panic is the usual one.
pub(crate) fn read(
    section: &SectionReader<'_>,
    keys: &OutlierKeys,
    (place, interval): (Place, Span),
    (members, kind): (usize, &str),
) -> Option<OutlierSpec> {
    let consecutive = section.count(keys.consecutive, 1..=COUNT_LIMIT).value as u32;
    let base_ejection = section.get(keys.base_ejection);
    let max_ejection = section.parsed(keys.max_ejection);
    let spec = OutlierSpec {
        interval,
        base_ejection,
        max_ejection: max_ejection.value,
        max_ejected: section.get(keys.max_ejected),
        always_eject_one: section.get(keys.always_eject_one),
        consecutive_5xx: Some(consecutive),
        ..OutlierSpec::default()
    };
    if !spec.allows(1, members.max(1)) {
        let key = format!("`{}.outlier-detection` has no effect", keys.base_ejection.section);
        let problem = Problem::warning(place, key);
        let problem = problem.label(format!("{} of {members} {kind} is none", spec.max_ejected));
        section.note(problem.help("raise `max-ejected`, or write always-eject-one = true"));
    }
    if max_ejection.value < base_ejection {
        let title = "the longest ejection is shorter than the first: all last as long as that";
        let help = format!("the first lasts {base_ejection}: raise `max-ejection` or lower it");
        section.warn(&max_ejection, title, &help);
    }
    Some(spec)
}
