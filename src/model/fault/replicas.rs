//! Faults of replicas: crash, hang, slow-down, gray failure.
//!
//! Only replicas that are ready can be hit. Slow-downs add up to the worst in progress, and end
//! with the process that was slow. A gray failure is of all replicas, also those that start
//! meanwhile.

use super::dependencies::begin;
use crate::model::context::Context;
use crate::model::event::{Event, Guard};
use crate::model::replica::fleet::Fleet;
use crate::model::replica::process::Slowdown;
use crate::observe::{ReplicaId, State};
use crate::plan::{Gray, ReplicaTarget, Slot};
use crate::random::Law;
use crate::units::Share;

/// Why a fault of replicas may come to nothing.
pub(super) const NONE_READY: &str = "no replica that it could hit was ready";

/// The slots of replicas.
pub(super) fn slots_of(fleet: &Fleet, ids: &[ReplicaId]) -> Vec<Slot> {
    ids.iter().map(|id| fleet[*id].slot).collect()
}

/// The replicas that a fault hits: those that work, of those that the target names.
pub(super) fn victims(
    cx: &mut Context,
    fleet: &Fleet,
    fault: usize,
    target: ReplicaTarget,
    guard: Guard,
) -> Vec<ReplicaId> {
    let ready = |id: &ReplicaId| fleet[*id].state() == State::Ready;
    let mut working: Vec<ReplicaId> = fleet.holders().filter(ready).collect();
    if let Some((_, id, _)) = guard {
        working.retain(|other| *other == id);
        return working;
    }
    match target {
        ReplicaTarget::All => {}
        ReplicaTarget::Zone(zone) => working.retain(|id| fleet[*id].zone == zone),
        ReplicaTarget::Slot(slot) => working.retain(|id| fleet[*id].slot == fleet.role(slot)),
        ReplicaTarget::Any if working.is_empty() => {}
        ReplicaTarget::Any => working = vec![working[cx.faults.choose(fault, working.len())]],
    }
    working
}

/// Something happens at once to every replica that a fault hits.
pub(super) fn hit(
    cx: &mut Context,
    fleet: &mut Fleet,
    (fault, target, guard): (usize, ReplicaTarget, Guard),
    happens: fn(&mut Fleet, &mut Context, ReplicaId),
) {
    let victims = victims(cx, fleet, fault, target, guard);
    if victims.is_empty() {
        return cx.miss(fault, NONE_READY);
    }
    let (slots, subject) = (slots_of(fleet, &victims), fleet.name_all(&victims));
    cx.begin_incident(fault, slots, false, subject);
    victims.into_iter().for_each(|id| happens(fleet, cx, id));
}

/// Replicas are left only a share of their CPU for a while.
pub(super) fn slow_down(
    cx: &mut Context,
    fleet: &mut Fleet,
    (fault, target, guard): (usize, ReplicaTarget, Guard),
    share: Share,
    lasts: &Law,
) {
    let victims = victims(cx, fleet, fault, target, guard);
    if victims.is_empty() {
        return cx.miss(fault, NONE_READY);
    }
    for id in victims {
        let incident = cx.begin_incident(fault, Vec::new(), true, fleet.name_all(&[id]));
        fleet[id].slow.push(Slowdown { fault, incident, share });
        fleet.change_speed(cx, id);
        let returns = cx.now + cx.lasting(fault, fleet[id].slot, lasts);
        cx.schedule(returns, Event::SpeedReturns { replica: id, incident });
    }
}

/// All replicas are in a gray failure, and those that come while it lasts.
pub(super) fn turn_gray(
    cx: &mut Context,
    fleet: &mut Fleet,
    (fault, gray): (usize, &Gray),
    lasts: &Law,
) {
    let incident = begin(cx, fault, "all replicas".to_owned(), lasts);
    fleet.begin_gray(cx, incident, *gray);
}

/// The slow time is over, unless it ended with the process that was slow.
pub(in crate::model) fn return_speed(
    cx: &mut Context,
    fleet: &mut Fleet,
    id: ReplicaId,
    incident: usize,
) {
    let Some(place) = fleet[id].slow.iter().position(|slow| slow.incident == incident) else {
        return;
    };
    let Slowdown { fault, .. } = fleet[id].slow.remove(place);
    cx.end_fault(fault, incident);
    fleet.change_speed(cx, id);
    // A hung one starts its clocks when it is in rotation again.
    let replica = &fleet[id];
    if replica.is_ready() {
        let guard = Some((replica.slot, id, replica.incarnation()));
        cx.await_fault(fault, replica.slot, cx.now, guard);
    }
}
