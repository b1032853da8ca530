//! What replicas fetch from the control plane: contracts and, if self-managed, their configuration.
//!
//! ```text
//! attempt ─┬─ control plane up ──── duration ──► fetched
//!          └─ down, or goes down ── time-out ──► failed ── back-off ──► attempt
//! ```
//!
//! Assumptions: a download is several requests, and the time-out is that of one: a download that is
//! answered may take longer, and one that an outage cuts off fails at its time-out or, if that is
//! past, when it would have been complete. Replicas that run keep their last contracts while the
//! control plane is away: a failed refresh changes nothing and is only told once per replica and
//! outage. A replica refreshes its contracts at a phase of its own and then learns which are
//! revoked; while the control plane is down it learns nothing, and asks again one interval after it
//! is back.

use super::fleet::Fleet;
use crate::model::context::Context;
use crate::model::event::{Event, Wanted};
use crate::observe::{Observation, ReplicaId, State};
use crate::plan::{Configuration, ControlPlaneCall, Plan};
use crate::units::Instant;

/// How a replica asks for what it wants; a replica that needs none is never in the state of it.
fn call_for(plan: &Plan, wanted: Wanted) -> &ControlPlaneCall {
    let startup = &plan.startup;
    match (wanted, &startup.configuration, &startup.contracts) {
        (Wanted::Configuration, Configuration::Download(call), _) => call,
        (Wanted::Contracts, _, Some(contracts)) => &contracts.fetch,
        _ => unreachable!("a replica fetches {wanted:?}, of which the plan has none"),
    }
}

impl Fleet {
    /// A replica asks the control plane for what it needs next.
    pub fn begin_fetch(&mut self, cx: &mut Context, id: ReplicaId, wanted: Wanted) {
        let call = call_for(cx.plan, wanted);
        let answered = cx.control_plane.is_up();
        let lasts = if answered { self.draw(id, &call.duration) } else { call.timeout };
        let (began, epoch) = (cx.now, self[id].epoch);
        assert_ne!(self[id].state(), State::Terminated, "{} has ended", self[id].name);
        let ends = Event::FetchEnds { replica: id, epoch, wanted, began, answered };
        cx.schedule(began + lasts, ends);
    }

    /// An attempt ends; one that the outage cut off fails at its time-out.
    pub fn end_fetch(
        &mut self,
        cx: &mut Context,
        id: ReplicaId,
        wanted: Wanted,
        (began, answered): (Instant, bool),
    ) {
        let ControlPlaneCall { timeout, backoff, .. } = *call_for(cx.plan, wanted);
        let epoch = self[id].epoch;
        assert!(began <= cx.now, "a fetch began at {began}, after {}", cx.now);
        if answered && cx.control_plane.stayed_up_since(began) {
            return self.use_fetched(cx, id, wanted);
        }
        if answered && began + timeout > cx.now {
            let fails = Event::FetchEnds { replica: id, epoch, wanted, began, answered: false };
            return cx.schedule(began + timeout, fails);
        }
        let what = match wanted {
            Wanted::Configuration => "configuration",
            Wanted::Contracts => "contracts",
        };
        cx.tell(Observation::FetchFailed { replica: id, what });
        cx.schedule(cx.now + backoff, Event::FetchAgain { replica: id, epoch, wanted });
    }

    fn use_fetched(&mut self, cx: &mut Context, id: ReplicaId, wanted: Wanted) {
        if wanted == Wanted::Contracts && self[id].lacks_contracts {
            assert!(self[id].listens, "{} serves without contracts and is dead", self[id].name);
            self[id].lacks_contracts = false;
            cx.tell(Observation::ContractsLoaded { replica: id });
        } else {
            let configures = self[id].state() == State::Configuring;
            assert_eq!(
                configures,
                wanted == Wanted::Configuration,
                "{} has {wanted:?} and did not wait for that",
                self[id].name
            );
            self.enter_next_phase(cx, id);
        }
    }

    /// An outage of the control plane begins: the refreshes of the replicas that run will fail.
    pub fn lose_control_plane(&mut self, cx: &mut Context) {
        let outage = cx.control_plane.go_down(cx.now);
        let Some(contracts) = &cx.plan.startup.contracts else { return }; // nobody refreshes any
        for id in self.present() {
            let replica = &self[*id];
            if replica.is_ready() && !replica.lacks_contracts {
                let phase = cx.control_plane.poll_phase(contracts.poll);
                let ends = Event::RefreshEnds { replica: *id, epoch: replica.epoch, outage };
                cx.schedule(cx.now + phase + contracts.fetch.timeout, ends);
            }
        }
    }

    /// A refresh during an outage ends: the replica keeps what it has.
    pub fn end_refresh(&mut self, cx: &mut Context, id: ReplicaId, outage: u32) {
        if cx.control_plane.is_in_outage(outage) && self[id].is_ready() {
            cx.tell(Observation::FetchFailed { replica: id, what: "refresh of contracts" });
        }
    }

    /// A client's contract is revoked: every replica learns of it at its next refresh.
    pub fn revoke_contract(&mut self, cx: &mut Context, client: u32) {
        cx.control_plane.revoke(client);
        let ready: Vec<_> = self.holders().filter(|id| self[*id].state() == State::Ready).collect();
        ready.into_iter().for_each(|id| self.await_revocation(cx, id, client));
    }

    fn await_revocation(&mut self, cx: &mut Context, replica: ReplicaId, client: u32) {
        // Replicas that fetch no contracts never learn of it.
        let Some(contracts) = &cx.plan.startup.contracts else { return };
        let stream = &mut self[replica].stream;
        let poll = stream.unit() * contracts.poll.0 as f64;
        let fetch = contracts.fetch.duration.draw(stream);
        let at = Instant(cx.now.0 + poll as u64) + fetch;
        let epoch = self[replica].epoch;
        cx.schedule(at, Event::LearnsRevocation { replica, epoch, client });
    }

    /// A replica's refresh is done.
    pub fn learn_revocation(&mut self, cx: &mut Context, replica: ReplicaId, client: u32) {
        if cx.control_plane.is_up() {
            self[replica].revoked.push(client);
        } else {
            self.await_revocation(cx, replica, client);
        }
    }
}
