//! Who lets through what: admission control of ingress instances, and of replicas towards
//! upstreams; and replicas that take on no more.
//!
//! ```text
//! request ─► gate ─┬─ turned away: refused, 503
//!                  └─ admitted ─► … ─► its last answer, good or not ─► the window of the gate
//! ```
//!
//! An instance, or a replica towards an upstream, decides once for each request, before it tries
//! anything, and counts what came of it after all its tries, as a filter before Envoy's router
//! does. What its client gave up is not counted: nobody was answered.
//!
//! The windows themselves are in `policy/admission`, and when a replica takes on no more is in
//! `policy/overload`. Each looks at itself at regular times, from a phase of its own; the first
//! look is after its first request. What it refuses costs no CPU.

use crate::observe::ledger::Failure;
use crate::plan::{Plan, Slot};
use crate::policy::admission::{AdmissionSpec, AdmissionWindow};
use crate::policy::overload::{OverloadSpec, Pressure};
use crate::random::{Seed, Stream};
use crate::units::Instant;

/// The gates of one kind, by place: instances, or slots.
#[derive(Debug)]
pub(in crate::model) struct Gates {
    spec: AdmissionSpec,
    windows: Vec<AdmissionWindow>,
    stream: Stream,
}

impl Gates {
    /// So many gates, if there is admission control at all; `number` names their stream.
    pub fn new(
        spec: Option<AdmissionSpec>,
        places: usize,
        seed: Seed,
        number: u64,
    ) -> Option<Gates> {
        let spec = spec?;
        let windows = vec![AdmissionWindow::new(spec); places];
        Some(Gates { spec, windows, stream: seed.stream("admission control", number) })
    }

    /// Whether a request passes.
    pub fn admits(&mut self, at: u64, place: usize) -> bool {
        let Some(window) = self.windows.get_mut(place) else { return true };
        let rejection = window.rejection(Instant(at));
        debug_assert!((0.0..1.0).contains(&rejection), "{rejection} of what comes is refused");
        !(rejection > 0.0 && self.stream.unit() < rejection)
    }

    /// A request that was admitted is answered, well or with a failure.
    pub fn note(&mut self, at: u64, place: usize, failure: Option<Failure>) {
        let is_good = match failure {
            Some(Failure::NotAdmitted | Failure::GivenUp) => return,
            // Who would note it is gone.
            Some(Failure::IngressDown | Failure::LostWithIngress) => return,
            Some(failure) => failure.status().is_some_and(|status| status < 500),
            None => true,
        };
        if let Some(window) = self.windows.get_mut(place) {
            window.note(Instant(at), is_good);
        }
    }

    /// A new process is at a place, which knows nothing.
    pub fn forget(&mut self, place: usize) {
        assert!(place < self.windows.len(), "there is no gate {place}");
        self.windows[place] = AdmissionWindow::new(self.spec);
    }
}

/// The overload managers of the replicas, by slot.
#[derive(Debug)]
pub(in crate::model) struct OverloadManagers {
    spec: OverloadSpec,
    pressures: Vec<Pressure>,
    /// Those that have begun to look.
    look: Vec<bool>,
    seed: Seed,
    stream: Stream,
}

impl OverloadManagers {
    /// Those of a plan, if it has any.
    pub fn new(plan: &Plan, seed: Seed) -> Option<OverloadManagers> {
        let (spec, slots) = (plan.gateway.overload?, plan.slots());
        Some(OverloadManagers {
            spec,
            pressures: vec![Pressure::default(); slots],
            look: vec![false; slots],
            seed,
            stream: seed.stream("overload manager", 0),
        })
    }

    /// When the manager of a slot looks for the first time, if it has not begun to.
    pub fn first_look(&mut self, at: u64, slot: Slot) -> Option<u64> {
        if !self.spec.looks() || std::mem::replace(&mut self.look[slot], true) {
            return None;
        }
        let phase = self.seed.stream("phase of an overload manager", slot as u64).unit();
        Some(at.saturating_add((phase * self.spec.refresh.0 as f64) as u64))
    }

    /// Whether a replica with so many requests refuses another one.
    pub fn refuses(&mut self, slot: Slot, requests: usize) -> bool {
        if self.spec.requests.is_some_and(|most| requests >= most as usize) {
            return true;
        }
        let state = self.pressures[slot].state();
        state >= 1.0 || (state > 0.0 && self.stream.unit() < state)
    }

    /// The manager of a slot looks: the share of the memory in use, and the core-nanoseconds used
    /// until now, of so many cores. Gives when it looks next.
    pub fn look(&mut self, at: u64, slot: Slot, memory: f64, cpu: (f64, f64)) -> u64 {
        self.pressures[slot].refresh(&self.spec, Instant(at), memory, cpu);
        self.next_look(at)
    }

    /// When a manager looks again that looks now.
    pub fn next_look(&self, at: u64) -> u64 {
        debug_assert!(self.spec.refresh.0 > 0, "a manager looks all the time");
        at.saturating_add(self.spec.refresh.0)
    }

    /// A new process is in a slot, which knows nothing.
    pub fn forget(&mut self, slot: Slot) {
        assert!(slot < self.pressures.len(), "there is no slot {slot}");
        self.pressures[slot] = Pressure::default();
    }
}
