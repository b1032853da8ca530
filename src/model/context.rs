//! What every part of the model may ask for: the moment, the plan, the calendar, the fault clocks,
//! and who is told.
//!
//! A part gets this and what it owns, and nothing of other parts. What it did that concerns another
//! part it leaves here as a [`Loss`]: the world hands it on as soon as the event is over.

use super::control_plane::ControlPlane;
use super::event::{Event, Guard};
use super::fault::clock::Clocks;
use super::ingress::seen::Seen;
use super::request::attempt::InFlight;
use crate::engine::calendar::Calendar;
use crate::engine::digest::Digest;
use crate::engine::jobs::JobId;
use crate::engine::progress::{Holding, Overflow, Progress};
use crate::observe::ledger::Failure;
use crate::observe::listener::Listener;
use crate::observe::{Avoided, Observation, Observer, ReplicaId, Sent};
use crate::plan::{Plan, Slot};
use crate::policy::outlier::Response;
use crate::random::{Law, Seed};
use crate::units::{Instant, Span};

/// What becomes of requests, and of what a process remembers, when something ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// The attempts that a replica has.
    HeldBy(ReplicaId),
    /// So many requests that a replica had, where requests do not feed back.
    InFlight(ReplicaId, usize),
    /// One of these, which an instance had sent there, if the machine has vanished: nobody answers
    /// and nothing says so.
    Stranded { replica: ReplicaId, id: JobId, arrived: u64, instance: usize },
    /// What the process in a slot remembers; one that ends in order hands it over.
    Memory { slot: Slot, in_order: bool },
    /// The attempts through an ingress instance.
    Through(usize),
}

/// The services of a replication.
pub(super) struct Context<'a> {
    pub plan: &'a Plan,
    pub seed: Seed,
    /// The moment that the replication has come to.
    pub now: Instant,
    /// Who is told of it.
    pub listener: Listener<'a>,
    /// Digest of everything that happened.
    pub digest: Digest,
    /// The events that will happen.
    calendar: Calendar<Event>,
    /// The clocks of faults.
    pub faults: Clocks,
    /// What replicas fetch contracts and configuration from.
    pub control_plane: ControlPlane,
    /// The attempts without an end, where requests feed back.
    pub in_flight: InFlight,
    /// What ingress instances have seen of answers.
    pub seen: Seen,
    /// What the event has left for other parts, in order.
    losses: Vec<Loss>,
    /// Requests offered since the progress was noted last.
    offered: u64,
    /// Whoever may want an end, and the room that requests in flight take.
    holding: Holding<'a>,
    /// Whether the replication ends before its time.
    pub is_cut: bool,
    /// Whether a replica has run out of memory at this moment: nothing else happens before.
    pub is_out_of_memory: bool,
    /// The index of the replication.
    replication: u64,
}

impl<'a> Context<'a> {
    pub fn new(
        plan: &'a Plan,
        replication: u64,
        listener: Listener<'a>,
        progress: &'a Progress,
    ) -> Self {
        let seed = Seed { seed: plan.run.seed, replication };
        Context {
            plan,
            seed,
            now: Instant::ZERO,
            listener,
            digest: Digest::default(),
            calendar: Calendar::default(),
            faults: Clocks::new(plan, seed),
            control_plane: ControlPlane::new(seed),
            in_flight: InFlight::new(!plan.is_open_loop()),
            seen: Seen::new(plan),
            losses: Vec::new(),
            offered: 0,
            holding: Holding::new(progress),
            is_cut: false,
            is_out_of_memory: false,
            replication,
        }
    }

    /// Who is told how far the replication is.
    pub fn progress(&self) -> &'a Progress {
        self.holding.progress
    }

    /// Whether somebody wants the replication to end.
    #[inline(always)]
    pub fn is_cancelled(&self) -> bool {
        self.holding.progress.is_cancelled()
    }

    /// Whether somebody wants the replication to end; then it is cut.
    #[inline(always)]
    pub fn is_stopped(&mut self) -> bool {
        let stopped = !self.is_cut && self.holding.progress.is_cancelled();
        self.is_cut |= stopped;
        stopped
    }

    /// Takes note of how many requests are held; if there is no room for them, everything ends.
    pub fn note_held(&mut self, held: usize) {
        let bytes = held as u64 * self.plan.bytes_held();
        if let Some(bytes) = self.holding.hold(bytes) {
            let (replication, at) = (self.replication, self.now);
            self.progress().overflow(Overflow { replication, at, held, bytes });
        }
    }

    /// Whether requests feed back, and are taken one by one in order of time.
    #[inline(always)]
    pub fn feeds_back(&self) -> bool {
        self.in_flight.feeds_back
    }

    /// Puts an event on the calendar; it may not lie in the past.
    pub fn schedule(&mut self, at: Instant, event: Event) {
        assert!(at >= self.now, "{event:?} at {at}, before {}", self.now);
        self.calendar.insert(at, event.rank(), event);
    }

    /// A replica has more requests than its memory holds.
    #[cold]
    pub fn run_out_of_memory(&mut self, at: Instant, replica: ReplicaId, epoch: u32) {
        self.is_out_of_memory = true;
        self.schedule(at, Event::OutOfMemory { replica, epoch });
    }

    /// When the next event happens.
    #[inline(always)]
    pub fn next_event_at(&self) -> Instant {
        self.calendar.next_at()
    }

    /// Takes the next event off the calendar.
    pub fn pop_event(&mut self) -> Option<(Instant, Event)> {
        let next = self.calendar.pop();
        assert!(next.is_none_or(|(at, _)| at >= self.now), "{next:?} is before {}", self.now);
        next
    }

    /// Tells a fact of this moment.
    pub fn tell(&mut self, observation: Observation) {
        self.listener.observe(self.now, &observation);
    }

    /// Leaves something for another part.
    pub fn lose(&mut self, loss: Loss) {
        let is_counted = matches!(loss, Loss::InFlight(..) | Loss::Stranded { .. });
        debug_assert!(self.feeds_back() != is_counted, "nobody takes care of {loss:?}");
        self.losses.push(loss);
    }

    /// What was left since this was asked last.
    pub fn take_losses(&mut self) -> Vec<Loss> {
        std::mem::take(&mut self.losses)
    }

    /// Announces an incident of a fault, which takes these slots; gives its number. It must precede
    /// its consequences. `lasting`: the fault goes on until [`Context::end_fault`].
    pub fn begin_incident(
        &mut self,
        fault: usize,
        slots: Vec<Slot>,
        lasting: bool,
        subject: String,
    ) -> usize {
        assert!(fault < self.plan.faults.len(), "fault {fault} does not exist");
        let incident = self.faults.number_incident();
        self.tell(Observation::FaultInjected { fault, incident, slots, lasting, subject });
        incident
    }

    /// Clients avoid all ingress instances that a zone took, or these are back.
    pub fn end_loss_of_instances(&mut self, fault: usize, incident: usize) {
        self.tell(Observation::InstancesAvoided { fault, incident });
    }

    /// A fault is over.
    pub fn end_fault(&mut self, fault: usize, incident: usize) {
        assert!(self.faults.has_begun(incident), "incident {incident} ends before it begins");
        self.tell(Observation::FaultEnded { fault, incident });
    }

    /// The control plane is back.
    pub fn return_control_plane(&mut self, fault: usize, incident: usize) {
        self.control_plane.come_back();
        self.end_fault(fault, incident);
    }

    /// A fault found nothing that it could hit.
    pub fn miss(&mut self, fault: usize, reason: &'static str) {
        self.tell(Observation::FaultMissed { fault, reason });
    }

    /// How long a fault that hits this entity lasts.
    pub fn lasting(&mut self, fault: usize, entity: usize, law: &Law) -> Span {
        self.faults.draw(fault, entity, law)
    }

    /// Starts the clock of a random fault for an entity that is up from `up` on.
    pub fn await_fault(&mut self, fault: usize, entity: usize, up: Instant, guard: Guard) {
        if let Some(after) = self.faults.next(fault, entity, &self.plan.faults[fault].schedule) {
            self.schedule(up + after, Event::Injected { fault, entity, guard });
        }
    }

    /// The next random fault on an entity that comes up again at `up`, whoever holds it then.
    pub fn await_again(&mut self, fault: usize, entity: usize, up: Instant) {
        self.await_fault(fault, entity, up, None);
    }

    /// A request was sent.
    #[inline(always)]
    pub fn offer(&mut self, request: Sent) {
        self.offered += 1;
        self.listener.offered(request);
    }

    /// How many requests were offered since this was asked last.
    pub fn take_offered(&mut self) -> u64 {
        std::mem::take(&mut self.offered)
    }

    /// A replica is ejected by so many ingress instances from now on.
    pub fn tell_ejected(&mut self, replica: ReplicaId, by: usize) {
        let of = self.plan.ingress.instances.len();
        assert!(by <= of, "{by} of {of} instances eject a replica");
        self.tell(Observation::Avoided(Avoided { replica, by, of, how: "outlier detection" }));
    }

    /// An ingress instance sees how a replica did.
    #[cold]
    pub fn note_response(&mut self, at: u64, instance: u32, replica: ReplicaId, how: Response) {
        // What ends after the horizon decides nothing any more.
        if !self.seen.judges() || self.now > self.plan.run.horizon {
            return;
        }
        let ejected = self.seen.note(Instant(at), instance as usize, replica, how);
        if let Some(by) = ejected {
            self.tell_ejected(replica, by);
        }
    }

    /// A request failed at `at`.
    pub fn note_failure(&mut self, request: Sent, at: u64, failure: Failure) {
        let sent = request.at.0;
        debug_assert!(sent <= at, "a request sent at {sent} cannot fail at {at}");
        self.digest.in_any_order(at, !sent ^ ((failure as u64) << 56));
        self.listener.failed(request, Instant(at), failure);
    }
}
