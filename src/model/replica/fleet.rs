//! All replicas of a region: who exists, who holds which slot, how many are wanted.
//!
//! A slot is a place for one replica. Whoever gives it up (deleted, replaced) may go on for a while
//! without it; the replica that takes its place is another one.

use std::ops::{Index, IndexMut};

use super::process::{Replica, idle_server};
use super::version::Version;
use crate::engine::jobs::JobId;
use crate::engine::quota::Metered;
use crate::model::context::{Context, Loss};
use crate::model::event::{Event, NodeId, STATE_TAGS};
use crate::observe::ledger::Failure;
use crate::observe::{Observation, Reading, ReplicaId, Sent, State};
use crate::plan::{AfterCrash, Gray, Slot, ZoneId};
use crate::random::Law;
use crate::units::{Instant, SECOND, Share, Span};

/// No server has anything left to do then.
const DRAIN_END: u64 = u64::MAX / 2;

/// The replicas of a region.
#[derive(Debug)]
pub(in crate::model) struct Fleet {
    /// Every replica that existed, by id.
    all: Vec<Replica>,
    /// Those that exist, in order, and those that ended and of which something is left: an address
    /// in rotation.
    present: Vec<ReplicaId>,
    /// What those showed that ended in the current bin and of which nothing is left.
    ended: Vec<Reading>,
    /// The replica that holds each slot, if it has one.
    slots: Vec<Option<ReplicaId>>,
    /// For each slot, the slot of the replica that plays the part of its first one: rollouts
    /// exchange them.
    roles: Vec<Slot>,
    /// Gray failures in progress, each with its incident.
    gray: Vec<(usize, Gray)>,
    /// How many replicas are wanted.
    desired: usize,
    /// The server that every replica begins with.
    fresh: Metered,
    /// Replicas created so far, by zone and by slot.
    created: Vec<u32>,
    generations: Vec<u64>,
    /// States entered since they were asked for last.
    entered: Vec<(ReplicaId, State)>,
    /// When the ingress knows every change of the endpoints that was made so far.
    told: Instant,
}

impl Index<ReplicaId> for Fleet {
    type Output = Replica;

    #[inline(always)]
    fn index(&self, id: ReplicaId) -> &Replica {
        &self.all[id]
    }
}

impl IndexMut<ReplicaId> for Fleet {
    #[inline(always)]
    fn index_mut(&mut self, id: ReplicaId) -> &mut Replica {
        &mut self.all[id]
    }
}

impl Fleet {
    /// Slots without replicas.
    pub fn new(cx: &Context) -> Self {
        let plan = cx.plan;
        let slots = plan.slots();
        Fleet {
            all: Vec::new(),
            present: Vec::new(),
            ended: Vec::new(),
            slots: vec![None; slots],
            roles: (0..slots).collect(),
            desired: plan.gateway.replicas,
            fresh: idle_server(cx),
            created: vec![0; plan.topology.zones.len()],
            gray: Vec::new(),
            generations: vec![0; slots],
            entered: Vec::new(),
            told: Instant::ZERO,
        }
    }

    /// Every replica is in a gray failure from now on, of this incident.
    pub fn begin_gray(&mut self, cx: &Context, incident: usize, gray: Gray) {
        self.gray.push((incident, gray));
        self.make_all(cx);
    }

    /// The gray failure of this incident is over.
    pub fn end_gray(&mut self, cx: &Context, incident: usize) {
        let before = self.gray.len();
        self.gray.retain(|(other, _)| *other != incident);
        assert_eq!(self.gray.len() + 1, before, "incident {incident} is no gray failure");
        self.make_all(cx);
    }

    fn make_all(&mut self, cx: &Context) {
        for id in &self.present {
            self.all[*id].make(cx.plan, cx.seed, &self.gray);
        }
    }

    /// Creates a replica in a slot on a node of a zone; it does nothing yet.
    pub fn create(
        &mut self,
        cx: &mut Context,
        slot: Slot,
        (node, zone): (NodeId, ZoneId),
        version: Version,
    ) -> ReplicaId {
        assert!(self.slots[slot].is_none(), "slot {slot} is held by {:?}", self.slots[slot]);
        let id = self.all.len();
        self.created[zone] += 1;
        let name = format!("{}-{}", cx.plan.topology.zones[zone], self.created[zone]);
        let ids = (id, self.generations[slot]);
        self.generations[slot] += 1;
        let place = (slot, zone, node);
        let mut replica = Replica::new(ids, place, name.clone(), &self.fresh, cx.seed);
        replica.version = version;
        replica.make(cx.plan, cx.seed, &self.gray);
        self.all.push(replica);
        self.present.push(id);
        self.slots[slot] = Some(id);
        cx.tell(Observation::Created { replica: id, slot, zone, name });
        id
    }

    /// The replicas that exist, and those that ended and are in rotation.
    #[inline(always)]
    pub fn present(&self) -> &[ReplicaId] {
        &self.present
    }

    /// The replicas that hold a slot, in order of slots.
    pub fn holders(&self) -> impl Iterator<Item = ReplicaId> {
        self.slots.iter().flatten().copied()
    }

    /// How many hold a slot.
    pub fn count_held(&self) -> usize {
        self.holders().count()
    }

    /// Replicas that are ready, as the API server knows it.
    pub fn count_ready(&self) -> usize {
        self.holders().filter(|id| self[*id].known_ready).count()
    }

    /// The replica that holds a slot.
    #[inline(always)]
    pub fn holder(&self, slot: Slot) -> Option<ReplicaId> {
        self.slots[slot]
    }

    /// The slots that nobody holds.
    pub fn free_slots(&self) -> impl Iterator<Item = Slot> {
        (0..self.slots.len()).filter(|slot| self.slots[*slot].is_none())
    }

    /// Whether a replica is still wanted: one that was deleted has given up its slot.
    pub fn holds_slot(&self, id: ReplicaId) -> bool {
        self.slots[self[id].slot] == Some(id)
    }

    /// A replica gives up its slot.
    pub fn vacate(&mut self, id: ReplicaId) -> (Slot, ZoneId) {
        let Replica { slot, zone, .. } = self.all[id];
        assert_eq!(self.slots[slot], Some(id), "replica {id} does not hold slot {slot}");
        self.slots[slot] = None;
        (slot, zone)
    }

    /// How many replicas are wanted.
    pub fn desired(&self) -> usize {
        self.desired
    }

    /// Wants one replica more or less.
    pub fn want(&mut self, desired: usize) {
        assert!(desired <= self.slots.len(), "{desired} replicas in {} slots", self.slots.len());
        self.desired = desired;
    }

    /// The slot of the replica that plays the part of the first one in `slot`.
    pub fn role(&self, slot: Slot) -> Slot {
        self.roles[slot]
    }

    /// A replica beyond the slots that are wanted plays the part of one that is empty now, so that
    /// who is aimed at by name is still there.
    pub fn recast(&mut self) {
        for role in 0..self.desired.min(self.roles.len()) {
            let is_held = |other: &usize| self.slots[self.roles[*other]].is_some();
            if !is_held(&role)
                && let Some(other) = (role + 1..self.roles.len()).rev().find(is_held)
            {
                self.roles.swap(role, other);
            }
        }
        debug_assert!(
            (0..self.roles.len()).all(|slot| self.roles.contains(&slot)),
            "roles {:?} are no order of the slots",
            self.roles
        );
    }

    /// The replicas that a node holds, bound to it or on their way.
    pub fn replicas_on(&self, node: NodeId) -> Vec<ReplicaId> {
        let here = |id: &ReplicaId| {
            let replica = &self[*id];
            replica.node == node && replica.state() != State::Terminated
        };
        self.present.iter().copied().filter(here).collect()
    }

    /// Draws from a replica's own random stream.
    pub fn draw(&mut self, id: ReplicaId, law: &Law) -> Span {
        law.draw(&mut self.all[id].stream)
    }

    /// Moves a replica to a state.
    pub fn enter(&mut self, cx: &mut Context, id: ReplicaId, state: State, cause: &'static str) {
        self[id].enter(state, cx.now);
        let vacated = matches!(state, State::Draining | State::Failed | State::Unready);
        assert!(
            self.holds_slot(id) || vacated || state == State::Terminated,
            "{} is {state:?} without a slot",
            self[id].name
        );
        assert!(
            state != State::Terminated || !self.holds_slot(id),
            "{} ended with a slot",
            self[id].name
        );
        cx.digest.in_order(cx.now.0, STATE_TAGS + state as u64, id as u64);
        cx.tell(Observation::Entered { replica: id, state, cause });
        self.entered.push((id, state));
    }

    /// The states entered since this was asked last, in order.
    pub fn take_entered(&mut self) -> Vec<(ReplicaId, State)> {
        std::mem::take(&mut self.entered)
    }

    /// Lets every replica work until this moment.
    pub fn advance_all(&mut self, cx: &mut Context) {
        for id in &self.present {
            self.all[*id].advance(cx);
        }
    }

    /// What every replica shows at this moment.
    pub fn read_all(&self, now: Instant, readings: &mut Vec<Reading>) {
        readings.clear();
        readings.extend(self.present.iter().map(|id| self[*id].reading(now)));
        if !self.ended.is_empty() {
            readings.extend(&self.ended);
            readings.sort_unstable_by_key(|reading| reading.replica);
        }
    }

    /// Warm-up is over: the most requests that replicas have are counted anew.
    pub fn forget_peaks(&mut self) {
        self.present.iter().for_each(|id| self.all[*id].forget_peak());
        self.ended.iter_mut().for_each(|reading| reading.in_flight_peak = 0);
    }

    /// A replica that ended, and that the ingress has dropped, is looked at no more; what it showed
    /// at last is kept for the next sample.
    pub fn retire(&mut self, id: ReplicaId, now: Instant) {
        let replica = &mut self.all[id];
        let is_over = replica.state() == State::Terminated && !replica.in_rotation;
        if !is_over || replica.in_flight() > 0 {
            return;
        }
        if let Ok(place) = self.present.binary_search(&id) {
            debug_assert!(self.present.is_sorted(), "replicas stand in order of their numbers");
            self.present.remove(place);
            self.ended.push(replica.reading(now));
            replica.reap(&self.fresh);
        }
    }

    /// Forgets the ended replicas; what is left of them costs next to no memory.
    pub fn reap(&mut self) {
        let Self { present, all, fresh, ended, .. } = self;
        ended.clear();
        let held = self.slots.iter().flatten().count();
        present.retain(|id| {
            let ended = all[*id].state() == State::Terminated;
            if ended {
                all[*id].reap(fresh);
            }
            !ended
        });
        assert!(held <= present.len(), "{held} slots are held by {} replicas", present.len());
    }

    /// The readiness probe of a replica has failed often enough.
    pub fn miss_readiness(&mut self, cx: &mut Context, id: ReplicaId) {
        self.lose_readiness(cx, id, "readiness probe");
    }

    /// A replica stops being ready; the ingress hears of it after the propagation delay. One that
    /// was told to stop drains as before.
    pub fn lose_readiness(&mut self, cx: &mut Context, id: ReplicaId, cause: &'static str) {
        assert_ne!(self[id].state(), State::Terminated, "{} has ended", self[id].name);
        match self[id].probes.stopping {
            true => self[id].be_known(false, cx.now),
            false => self.enter(cx, id, State::Unready, cause),
        }
        self.announce_leave(cx, id);
    }

    /// The ingress is to drop a replica's address, if it has it.
    pub fn announce_leave(&mut self, cx: &mut Context, id: ReplicaId) {
        if self[id].in_rotation {
            let (at, readiness) = (self.ingress_knows(cx, id), self[id].readiness);
            cx.schedule(at, Event::Leaves { replica: id, readiness });
        }
    }

    /// When the ingress knows a change that is made now; not before those that were made earlier,
    /// if it hears of them in order.
    pub fn ingress_knows(&mut self, cx: &Context, id: ReplicaId) -> Instant {
        let at = cx.now + self.draw(id, &cx.plan.ingress.propagation);
        if cx.plan.ingress.endpoints_in_order {
            self.told = self.told.max(at);
            return self.told;
        }
        at
    }

    /// The process dies at this moment; what it had in hand is lost.
    pub fn stop_process(&mut self, cx: &mut Context, id: ReplicaId, cause: &'static str) {
        self[id].advance(cx);
        let lacked = self[id].start_cpu.takes();
        let stranded = self.stranded(cx, id);
        let (lost, slow) = self[id].end_process(cx.now.0);
        if lacked || !slow.is_empty() {
            cx.tell(Observation::Speed { replica: id, share: Share::ONE });
        }
        if cx.feeds_back() {
            cx.lose(Loss::HeldBy(id));
            self.lose_memory(cx, id, false);
        } else {
            let at = cx.now.0;
            cx.lose(Loss::InFlight(id, lost.len()));
            match self[id].silent {
                true => stranded.into_iter().for_each(|one| cx.lose(one)),
                false => lost
                    .into_iter()
                    .map(Instant::from)
                    .for_each(|sent| cx.note_failure(sent.into(), at, Failure::LostInFlight)),
            }
        }
        self.enter(cx, id, State::Failed, cause);
        slow.iter().for_each(|slow| cx.end_fault(slow.fault, slow.incident));
    }

    /// What a replica has whose machine vanishes, where requests do not feed back.
    fn stranded(&self, cx: &Context, replica: ReplicaId) -> Vec<Loss> {
        if cx.feeds_back() || !self[replica].silent {
            return Vec::new();
        }
        let jobs = self[replica].server.in_service_jobs();
        let mut all: Vec<_> = jobs.map(|job| (job.arrived, job.id, job.mark)).collect();
        all.sort_unstable();
        let stranded =
            |(arrived, id, mark)| Loss::Stranded { replica, id, arrived, instance: mark as usize };
        all.into_iter().map(stranded).collect()
    }

    /// What the process in a slot remembers goes with it, unless another replica has the slot.
    pub fn lose_memory(&mut self, cx: &mut Context, id: ReplicaId, in_order: bool) {
        let slot = self[id].slot;
        if cx.feeds_back() && self.slots[slot].is_none_or(|other| other == id) {
            cx.lose(Loss::Memory { slot, in_order });
        }
    }

    /// A crash: the process is gone, and its requests with it.
    pub fn crash(&mut self, cx: &mut Context, id: ReplicaId) {
        self.die(cx, id, "crash", cx.plan.detection.after_crash);
    }

    /// The process of a replica dies by itself, which the runtime notices somewhat later.
    pub fn die(&mut self, cx: &mut Context, id: ReplicaId, cause: &'static str, then: AfterCrash) {
        assert!(self[id].listens, "{} has no process to die", self[id].name);
        self.stop_process(cx, id, cause);
        let noticed = cx.now + self.draw(id, &cx.plan.detection.crash);
        let epoch = self[id].epoch;
        cx.schedule(noticed, Event::CrashNoticed { replica: id, epoch, then });
    }

    /// The process stops working but keeps its address.
    pub fn hang(&mut self, cx: &mut Context, id: ReplicaId) {
        let replica = &mut self[id];
        assert!(replica.works(), "{} has no working process to hang", replica.name);
        replica.advance(cx);
        replica.hung = true;
        replica.set_speed(cx.now.0);
        replica.epoch += 1;
        let epoch = replica.epoch;
        let detection = &cx.plan.detection;
        if detection.follows_probes() {
            return self.enter(cx, id, State::Hung, "hang"); // its probes will find it
        }
        let unready = replica.probe_failure(&cx.plan.startup.readiness, cx.now);
        let killed = replica.probe_failure(&detection.liveness, cx.now) + detection.grace;
        self.enter(cx, id, State::Hung, "hang");
        cx.schedule(unready, Event::ReadinessLost { replica: id, epoch });
        cx.schedule(killed, Event::HungKilled { replica: id, epoch });
    }

    /// A replica works as fast from now on as slow-downs and a hang allow.
    pub fn change_speed(&mut self, cx: &mut Context, id: ReplicaId) {
        let replica = &mut self[id];
        replica.advance(cx);
        replica.set_speed(cx.now.0);
        let share = replica.share();
        assert!(replica.listens, "{} changes its speed and is dead", replica.name);
        cx.tell(Observation::Speed { replica: id, share });
    }

    /// The kubelet stops a container politely because its node shuts down: it says no to readiness
    /// from then on and works on, ready to all who know until that has failed often enough.
    pub fn stop_politely(&mut self, cx: &mut Context, id: ReplicaId, cause: &'static str) {
        let replica = &mut self[id];
        assert!(replica.listens, "{} stops and has no process", replica.name);
        replica.epoch += 1; // whatever else was to end it
        if replica.state() != State::Draining {
            replica.probes.stopping = true;
            self.enter(cx, id, State::Draining, cause);
        }
        let detection = &cx.plan.detection;
        if !detection.follows_probes() {
            let replica = &self[id];
            let readiness = &cx.plan.startup.readiness;
            let refused = replica.probe_refusal(readiness, cx.now);
            let epoch = replica.epoch;
            cx.schedule(refused, Event::ReadinessLost { replica: id, epoch });
        }
    }

    /// "replica a-1", or "replicas a-1, b-1".
    pub fn name_all(&self, ids: &[ReplicaId]) -> String {
        let names: Vec<&str> = ids.iter().map(|id| self[*id].name.as_str()).collect();
        match names.len() {
            1 => format!("replica {}", names[0]),
            _ => format!("replicas {}", names.join(", ")),
        }
    }

    /// The connections through an ingress instance break: gives the sending times of the requests
    /// that replicas have from there and lose.
    pub fn break_connections(&mut self, cx: &mut Context, instance: usize) -> Vec<JobId> {
        let mut lost = Vec::new();
        for id in &self.present {
            let replica = &mut self.all[*id];
            replica.advance(cx);
            lost.extend(replica.server.remove(cx.now.0, |job| job.mark as usize == instance));
        }
        lost
    }

    /// Every replica takes on what is in its inbox.
    #[inline(always)]
    pub fn take_in(&mut self, cx: &mut Context) {
        for id in &self.present {
            let replica = &mut self.all[*id];
            if !replica.inbox.is_empty() {
                replica.take_in(cx);
            }
        }
    }

    /// Requests that may come before any replica can have more than it `holds`.
    pub fn room(&self, holds: usize) -> usize {
        let in_flight = |id: &ReplicaId| self[*id].server.in_service();
        holds.saturating_sub(self.present.iter().map(in_flight).max().unwrap_or(0))
    }

    /// Every replica takes on what is in its inbox; when and which one then has more than it
    /// `holds`. There is one at most if no more came than there was room for, or one alone.
    pub fn take_in_to(&mut self, cx: &mut Context, holds: usize) -> Option<(u64, ReplicaId)> {
        let mut over = None;
        for id in &self.present {
            let replica = &mut self.all[*id];
            let Some(last) = replica.inbox.last().map(|inbound| inbound.at) else { continue };
            replica.take_in(cx);
            if replica.server.in_service() > holds {
                assert!(over.is_none(), "{} and another run out of memory", replica.name);
                over = Some((last, *id));
            }
        }
        over
    }

    /// Adds the requests that are in servers, where these are requests.
    pub fn add_sent(&self, requests: &mut Vec<Sent>) {
        for id in &self.present {
            let times = self[*id].server.in_service_jobs().map(|job| Instant::from(job.id));
            requests.extend(times.map(Sent::from));
        }
    }

    /// Every server finishes what it has, after the horizon; in steps, so that it can be stopped.
    pub fn drain(&mut self, cx: &mut Context) {
        for id in &self.present {
            let replica = &mut self.all[*id];
            let patience = cx.plan.ingress.first_timeout();
            let (step, over) = (SECOND.max(patience.0 / 1_024), cx.now + patience);
            let mut until = cx.now.0;
            while until < DRAIN_END && !cx.is_cut {
                if replica.server.in_service() > 0 && cx.is_stopped() {
                    return;
                }
                // In a server that stands still requests run out of patience.
                let next = match replica.server.next_change() {
                    u64::MAX if replica.server.in_service() > 0 && until < over.0 => 0,
                    next => next,
                };
                until = until.saturating_add(step).max(next).min(DRAIN_END);
                replica.advance_to(until, cx);
            }
        }
    }

    /// Requests that servers keep, those whose time was up among them.
    pub fn count_kept(&self) -> usize {
        self.present.iter().map(|id| self[*id].server.kept()).sum()
    }
}
