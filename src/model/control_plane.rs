//! The control plane, from which starting replicas fetch contracts and, if self-managed, their
//! configuration.
//!
//! ```text
//! attempt ─┬─ control plane up ──── duration ──► fetched
//!          └─ down, or goes down ── time-out ──► failed ── back-off ──► attempt
//! ```
//!
//! Assumptions: it is reachable or not, for everyone alike; it has no load of its own. A download
//! is several requests, and the time-out is that of one: a download that is answered may take
//! longer, and one that an outage cuts off fails at its time-out or, if that is past, when it would
//! have been complete. Replicas
//! that run keep their last contracts while it is away: a failed refresh changes nothing and is
//! only told once per replica and outage. Left out: contracts that change, quotas of the control
//! plane.

use super::World;
use super::event::Event;
use crate::observe::{Observation, Observer, ReplicaId};
use crate::plan::{Configuration, ControlPlaneCall};
use crate::random::{Law, Seed, Stream};
use crate::units::{Instant, Share, Span};

/// What a starting replica fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Configuration,
    Contracts,
}

impl Wanted {
    fn label(self) -> &'static str {
        match self {
            Wanted::Configuration => "configuration",
            Wanted::Contracts => "contracts",
        }
    }
}

/// Whether the control plane can be reached.
#[derive(Clone, Debug)]
pub(super) struct ControlPlane {
    /// Outages in progress.
    down: u32,
    /// Outages so far.
    outages: u32,
    /// When the last one began.
    last_down: Option<Instant>,
    /// Decides which requests need contracts.
    gate: Stream,
    /// Decides when in their polls an outage finds the replicas that run.
    polls: Stream,
}

impl ControlPlane {
    pub fn new(seed: Seed) -> Self {
        let gate = seed.stream("contract gate", 0);
        let polls = seed.stream("contract polls", 0);
        ControlPlane { down: 0, outages: 0, last_down: None, gate, polls }
    }

    /// Whether a request belongs to the `share` of them that needs contracts.
    pub fn needs_contracts(&mut self, share: Share) -> bool {
        self.gate.unit() < share.0
    }

    pub fn is_up(&self) -> bool {
        self.down == 0
    }

    /// Whether it was up without a break since `began`.
    fn stayed_up_since(&self, began: Instant) -> bool {
        self.is_up() && self.last_down.is_none_or(|down| down < began)
    }
}

impl<O: Observer> World<'_, O> {
    fn call_for(&self, wanted: Wanted) -> Option<&ControlPlaneCall> {
        let startup = &self.plan.startup;
        match (wanted, &startup.configuration, &startup.contracts) {
            (Wanted::Configuration, Configuration::Download(call), _) => Some(call),
            (Wanted::Contracts, _, Some(contracts)) => Some(&contracts.fetch),
            _ => None,
        }
    }

    /// A replica asks the control plane for what it needs next.
    pub(super) fn begin_fetch(&mut self, id: ReplicaId, wanted: Wanted) {
        let Some(call) = self.call_for(wanted) else { return };
        let call = call.clone();
        let answered = self.control_plane.is_up();
        let lasts = if answered { self.draw(id, &call.duration) } else { call.timeout };
        let (began, epoch) = (self.now, self.replicas[id].epoch);
        let ends = Event::FetchEnds { replica: id, epoch, wanted, began, answered };
        self.schedule(began + lasts, ends);
    }

    /// An attempt ends; one that the outage cut off fails at its time-out.
    pub(super) fn end_fetch(
        &mut self,
        id: ReplicaId,
        wanted: Wanted,
        began: Instant,
        answered: bool,
    ) {
        let Some(call) = self.call_for(wanted) else { return };
        let (timeout, backoff) = (call.timeout, call.backoff);
        let epoch = self.replicas[id].epoch;
        if answered && self.control_plane.stayed_up_since(began) {
            return self.use_fetched(id, wanted);
        }
        if answered && began + timeout > self.now {
            let fails = Event::FetchEnds { replica: id, epoch, wanted, began, answered: false };
            return self.schedule(began + timeout, fails);
        }
        self.tell(Observation::FetchFailed { replica: id, what: wanted.label() });
        self.schedule(self.now + backoff, Event::FetchAgain { replica: id, epoch, wanted });
    }

    fn use_fetched(&mut self, id: ReplicaId, wanted: Wanted) {
        if wanted == Wanted::Contracts && self.replicas[id].lacks_contracts {
            self.replicas[id].lacks_contracts = false;
            self.tell(Observation::ContractsLoaded { replica: id });
        } else {
            self.enter_next_phase(id);
        }
    }

    /// The control plane goes away.
    pub(super) fn lose_control_plane(&mut self) {
        self.control_plane.down += 1;
        self.control_plane.outages += 1;
        self.control_plane.last_down = Some(self.now);
        let Some(contracts) = &self.plan.startup.contracts else { return };
        let (poll, timeout) = (contracts.poll, contracts.fetch.timeout);
        let outage = self.control_plane.outages;
        for id in self.present.clone() {
            let replica = &self.replicas[id];
            if replica.is_ready() && !replica.lacks_contracts {
                let phase = Law::Uniform(Span::ZERO, poll);
                let (at, epoch) = (phase.draw(&mut self.control_plane.polls), replica.epoch);
                let ends = Event::RefreshEnds { replica: id, epoch, outage };
                self.schedule(self.now + at + timeout, ends);
            }
        }
    }

    /// A refresh during an outage ends: the replica keeps what it has.
    pub(super) fn end_refresh(&mut self, id: ReplicaId, outage: u32) {
        let same = self.control_plane.outages == outage && !self.control_plane.is_up();
        if same && self.replicas[id].is_ready() {
            self.tell(Observation::FetchFailed { replica: id, what: "refresh of contracts" });
        }
    }

    /// The control plane is back.
    pub(super) fn return_control_plane(&mut self, fault: usize, incident: usize) {
        self.control_plane.down -= 1;
        self.end_fault(fault, incident);
    }
}
