//! Faults that are injected with another one.
//!
//! ```text
//! after = "NAME" ───────► a fault of this file, in the same region, that does not follow this one
//! target = "same zone" ─► that one takes a zone, or a part of it
//! ```

use crate::diagnostic::{Place, suggestion};
use crate::plan::{Fault, FaultPlan, Followed, Reach, Schedule};
use crate::random::Law;
use crate::scenario::fault::kind::key;
use crate::scenario::fault::target::PlacedFault;
use crate::scenario::reader::{Parsed, Reader, SectionReader};
use crate::units::Instant;

/// The schedule of a fault until it is tied to the one that it follows, if it can be.
pub(crate) const UNTIED: Schedule = Schedule::Elsewhere;

/// A fault that is to follow another one.
pub(crate) struct Link<'s> {
    section: &'s SectionReader<'s>,
    /// Its index.
    fault: usize,
    named: Parsed<String>,
    delay: Law,
    same_zone: bool,
}

impl<'s> Link<'s> {
    /// What a section says of that, if it says which fault this one follows.
    pub(crate) fn find(
        section: &'s SectionReader<'s>,
        fault: usize,
        same_zone: bool,
    ) -> Option<Self> {
        let named = section.find(key::AFTER)?;
        let delay = section.get(key::DELAY);
        Some(Link { section, fault, named, delay, same_zone })
    }

    /// Ties it to the other one, or notes why that cannot be. `is_whole`: whether every fault of
    /// the file is among these.
    pub(crate) fn tie(self, faults: &mut [PlacedFault], is_whole: bool) {
        let Link { section, fault, named, delay, same_zone } = self;
        let Some(other) = faults.iter().position(|one| one.plan.name == named.value) else {
            if is_whole {
                let names = faults.iter().map(|one| one.plan.name.as_str());
                let title = format!("no fault is called {:?}", named.value);
                let help = suggestion(&named.value, names).unwrap_or_default();
                section.error(&named, title, help);
            }
            return;
        };
        match refusal(faults, fault, other, same_zone) {
            Some((title, help)) => section.error(&named, title, help),
            None => {
                let followed = Followed { fault: other, delay, same_zone };
                faults[fault].plan.schedule = Schedule::After(followed);
            }
        }
    }
}

/// Why a fault cannot follow another one, and what to write instead.
fn refusal(
    faults: &[PlacedFault],
    fault: usize,
    other: usize,
    same_zone: bool,
) -> Option<(String, String)> {
    let (one, after) = (&faults[fault], &faults[other]);
    let (name, followed) = (&one.plan.name, &after.plan.name);
    if follows(faults, other, fault) {
        let help = "write `at` or `every` for one of them".to_owned();
        return Some((format!("the fault {name:?} waits for itself"), help));
    }
    let is_of_all = |fault: &PlacedFault| {
        matches!(fault.plan.fault, Fault::PlannedFailover(_))
            || fault.plan.fault.reach() == Reach::Manager
    };
    if is_of_all(one) || is_of_all(after) {
        let title = format!("{name:?} cannot follow {followed:?}");
        let help = "what leads clients to regions fails, or is used, by itself: write `at`";
        return Some((title, help.to_owned()));
    }
    if one.region != after.region {
        let title = format!("{followed:?} strikes another region than {name:?}");
        let help = "a fault follows one of its own region: write the same `region`";
        return Some((title, help.to_owned()));
    }
    let has_zone = matches!(after.plan.fault, Fault::ZoneOutage(..) | Fault::PartialOutage(..));
    if same_zone && !has_zone {
        let title = format!("{followed:?} takes no zone that {name:?} could strike too");
        let help = "follow a zone-outage, or name a zone";
        return Some((title, help.to_owned()));
    }
    None
}

/// Whether a fault is another one, or follows it in the end.
fn follows(faults: &[PlacedFault], mut fault: usize, other: usize) -> bool {
    while fault != other {
        let Schedule::After(followed) = &faults[fault].plan.schedule else { return false };
        fault = followed.fault;
    }
    true
}

/// Notes a fault that follows one so late that the run is over.
pub(crate) fn check_follower(
    reader: &Reader<'_>,
    (fault, place): (&FaultPlan, &Place),
    faults: &[PlacedFault],
    horizon: Instant,
) {
    let (mut one, mut later) = (fault, 0.0);
    while let Schedule::After(Followed { fault, delay, .. }) = &one.schedule {
        later += delay.least_secs();
        one = &faults[*fault].plan;
    }
    let Schedule::At(at) = one.schedule else { return };
    if at < horizon && at.as_secs() + later >= horizon.as_secs() {
        let title = format!("the fault {:?} is never injected", fault.name);
        let help =
            format!("it comes {later} s after {at} at the earliest, and the run ends at {horizon}");
        reader.error(place.clone(), title, help);
    }
}
