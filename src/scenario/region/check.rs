//! What cannot fail over as it seems to be meant.

use crate::diagnostic::{Place, Problem};
use crate::objective::{Objective, Restored};
use crate::plan::{
    Failback, Fault, FaultPlan, InstanceTarget, Plan, RegionRole, Regions, Routing, Schedule,
};
use crate::random::Law;
use crate::scenario::reader::Reader;
use crate::scenario::region::section::global;
use crate::units::{Instant, Span};

/// Several regions, and the faults of the file with their places.
struct Checked<'c> {
    reader: &'c Reader<'c>,
    plan: &'c Plan,
    regions: &'c Regions,
    places: &'c [Place],
}

/// Warns of what cannot fail over as it seems to be meant; `places` are those of the faults.
pub(crate) fn failover(reader: &Reader<'_>, plan: &Plan, places: &[Place]) {
    let Some(regions) = &plan.regions else { return };
    let checked = Checked { reader, plan, regions, places };
    checked.one_region();
    checked.unnoticed();
    checked.undeployable();
    checked.lasting_connections();
    for fault in 0..plan.faults.len() {
        checked.nobody_left(fault);
        checked.lost_already(fault);
        checked.not_back(fault);
    }
}

/// Warns of client groups that are too few to tell a share of them from all.
pub(crate) fn groups(reader: &Reader<'_>, plan: &Plan, objectives: &[(Objective, Place)]) {
    let Some(regions) = &plan.regions else { return };
    let weights: f64 = regions.active().map(|one| regions.all[one].weight).sum();
    let least = regions.active().map(|one| regions.all[one].weight).fold(f64::INFINITY, f64::min);
    let groups = (regions.manager.groups as f64 * least / weights).floor();
    for (objective, place) in objectives {
        let Some(Restored::Clients(percent)) = objective.metric.restored() else { continue };
        let needed = 100.0 / (100.0 - f64::from(percent));
        if groups < needed {
            let title = format!("{percent} % of {groups} groups of clients are all of them");
            let all = global_groups(needed, least / weights);
            let help = format!("write client-groups = {all} or more in [global]");
            reader.warn(place.clone(), title, help);
        }
    }
}

/// Groups in all, of which a region with this share has so many.
fn global_groups(needed: f64, share: f64) -> u64 {
    (needed / share).ceil() as u64
}

/// When a fault is injected and when it is over, if that is said.
fn extent(fault: &FaultPlan) -> Option<(Instant, Instant)> {
    let (Fault::RegionOutage(lasts)
    | Fault::IngressLoss(InstanceTarget::All, lasts)
    | Fault::PlannedFailover(lasts)
    | Fault::ManagerFrozen(lasts)) = &fault.fault
    else {
        return None;
    };
    match fault.schedule {
        Schedule::At(at) => Some((at, at + Span::from_secs(lasts.mean_secs()))),
        _ => None,
    }
}

impl Checked<'_> {
    fn warn(&self, place: Place, title: impl Into<String>, help: impl Into<String>) {
        self.reader.note(Problem::warning(place, title).help(help));
    }

    fn name(&self, region: usize) -> &str {
        &self.regions.all[region].name
    }

    /// The faults by which a region is lost, and which.
    fn lost(&self) -> impl Iterator<Item = usize> {
        let lost = self.plan.faults.iter().zip(&self.regions.of_fault);
        lost.filter_map(|(fault, region)| region.filter(|_| fault.fault.shuts_out()))
    }

    /// Nobody can be led from one region to itself.
    fn one_region(&self) {
        if let [only] = &self.regions.all[..]
            && self.reader.has_any(&[&global::SPEC])
        {
            let title = format!("[global] leads clients to one region, {}", only.name);
            let help = "write [[region]] for each of several, or leave out [global]";
            self.warn(self.reader.place_of(&global::SPEC, &global::PRESET), title, help);
        }
    }

    fn unnoticed(&self) {
        if self.regions.manager.check.is_none() && self.lost().next().is_some() {
            let place = self.reader.place_of(&global::SPEC, &global::CHECKS);
            let title = "nobody finds out that a region is lost";
            self.warn(place, title, "leave out checks = false in [global]");
        }
    }

    /// A cold standby starts through the control plane.
    fn undeployable(&self) {
        let home = self.regions.control_plane.as_ref().map(|(home, _)| *home);
        let cold = self.regions.all.iter().find(|region| region.role == RegionRole::Cold);
        let goes_along = self.lost().any(|region| Some(region) == home);
        if let Some(cold) = cold.filter(|_| goes_along) {
            let title = format!("region {} cannot be deployed when it is needed", cold.name);
            let help = "the control plane is in the region that is lost: a cold standby starts \
                        through it";
            self.warn(Place::Whole, title, help);
        }
    }

    /// Clients that keep their connections all the time stay, as long as the region works.
    fn lasting_connections(&self) {
        let Routing::Dns { connections, .. } = &self.regions.manager.routing else { return };
        let horizon = self.plan.run.horizon;
        if connections.mean_secs() >= horizon.as_secs() {
            let place = self.reader.place_of(&global::SPEC, &global::CONNECTIONS);
            let title = "clients keep their connections for longer than the run";
            let help = format!(
                "of a region that works nobody is led away: write less than {} for `connections`",
                Span(horizon.0)
            );
            self.warn(place, title, help);
        }
    }

    /// A region that is left on purpose, and no other one serves.
    fn nobody_left(&self, fault: usize) {
        let plan = &self.plan.faults[fault];
        let (Fault::PlannedFailover(_), Some(left), Some((at, _))) =
            (&plan.fault, self.regions.of_fault[fault], extent(plan))
        else {
            return;
        };
        let away = |region: usize| {
            let faults = self.plan.faults.iter().zip(&self.regions.of_fault);
            let mut away =
                faults.filter(|(_, of)| **of == Some(region)).filter_map(|(f, _)| extent(f));
            away.any(|(from, to)| from <= at && at < to)
        };
        if (0..self.regions.all.len()).all(|region| region == left || away(region)) {
            let title = format!("no region is left when clients leave {}", self.name(left));
            let help = match self.regions.all.len() {
                1 => "write a second [[region]]",
                _ => "the others are lost or left themselves at that time: move one of the faults",
            };
            self.warn(self.places[fault].clone(), title, help);
        }
    }

    /// A region that is struck while it is lost.
    fn lost_already(&self, fault: usize) {
        let plan = &self.plan.faults[fault];
        let Some((at, _)) = extent(plan).filter(|_| self.regions.of_fault[fault].is_some()) else {
            return;
        };
        let before = self.plan.faults.iter().zip(&self.regions.of_fault).enumerate();
        let mut before = before.filter(|(other, (plan, of))| {
            let is_lost = matches!(plan.fault, Fault::RegionOutage(_));
            let same = **of == self.regions.of_fault[fault];
            let goes_on =
                extent(plan).is_some_and(|(from, to)| (from, *other) < (at, fault) && at < to);
            is_lost && same && goes_on
        });
        if let Some((_, (first, Some(region)))) = before.next() {
            let name = self.name(*region);
            let title = format!("region {name} is lost already when {:?} strikes it", plan.name);
            let help = format!("{:?} goes on at that time: inject it later", first.name);
            self.warn(self.places[fault].clone(), title, help);
        }
    }

    /// A region whose return, or the way back to it, the run does not see.
    fn not_back(&self, fault: usize) {
        let plan = &self.plan.faults[fault];
        let (Some((_, until)), Some(region)) = (extent(plan), self.regions.of_fault[fault]) else {
            return;
        };
        let horizon = self.plan.run.horizon;
        let name = self.name(region);
        let led_back = match &self.regions.manager.failback {
            Failback::After(law) => until + Span::from_secs(law.least_secs()),
            Failback::Never => until,
        };
        if until >= horizon {
            let title = format!("{:?} lasts beyond the end of the run", plan.name);
            let help = format!(
                "what the return of region {name} does is not seen: lengthen the run beyond {}, or \
                 shorten `for`",
                Span(until.0)
            );
            self.warn(self.places[fault].clone(), title, help);
        } else if led_back >= horizon && self.has_clients(region) && self.ends_last(fault) {
            let title = format!("nobody is led back to region {name} in this run");
            let help = format!(
                "lengthen the run beyond {}, or shorten `failback-after`",
                Span(led_back.0)
            );
            self.warn(self.reader.place_of(&global::SPEC, &global::FAILBACK_AFTER), title, help);
        }
        if self.has_clients(region) {
            self.undecided(fault);
        }
    }

    /// Whether clients are led to a region while all are healthy.
    fn has_clients(&self, region: usize) -> bool {
        self.regions.all[region].role == RegionRole::Active
    }

    /// Whether no other fault of the same region is over later.
    fn ends_last(&self, fault: usize) -> bool {
        let until = |fault: usize| extent(&self.plan.faults[fault]).map(|(_, until)| until);
        let of = &self.regions.of_fault;
        let others = (0..of.len()).filter(|other| of[*other] == of[fault] && *other != fault);
        let mut later = others.filter(|other| (until(*other), *other) > (until(fault), fault));
        later.next().is_none()
    }

    /// A person who decides after the run.
    fn undecided(&self, fault: usize) {
        let plan = &self.plan.faults[fault];
        let lost = extent(plan).filter(|_| plan.fault.shuts_out());
        let Some((at, until)) = lost else { return };
        let decision: &Law = &self.regions.manager.decision;
        let end = until.min(self.plan.run.horizon);
        if self.regions.manager.check.is_some() && decision.least_secs() >= end.since(at).as_secs()
        {
            let title = format!("nobody decides on {:?} before it is over", plan.name);
            let help = format!("it lasts {}: shorten `decision`", end.since(at));
            self.warn(self.reader.place_of(&global::SPEC, &global::DECISION), title, help);
        }
    }
}
