//! The path of a request: ingress instance, choice of a replica, connection, retry.
//!
//! ```text
//! sent ─ delay ─► instance ─┬─ vanished ───────────────► refused: ingress instance down
//!                           ├─ nobody in rotation ─────► refused: no ready replica
//!                           ├─ connection was reset ───► lost in flight
//!                           ├─ idle connection is being closed ► lost: idle connection closed
//!                           ├─ machine of an open connection gone ─► timed out, or given up
//!                           ├─ replica ─┬─ contracts missing ► refused: contracts missing
//!                           │           └─ in its server ────► served, timed out, lost in flight
//!                           └─ dead address ─ timeout ─┬─ retry left ─► next choice
//!                                        or refusal    └─ none ───────► refused: dead address
//! ```
//!
//! Assumptions: the ingress has capacity without limit and constant delays; a hung replica accepts
//! connections. What fails after it was sent to a replica is in `retries`. Left out: connection
//! pools, TLS handshakes, the way of the payload.

use std::collections::{BTreeMap, VecDeque};

use super::balancer::{Balancer, Ring};
use super::connections::{Broken, Peer, RETRANSMISSION, Sender};
use super::in_cluster::InsidePool;
use super::instance::{Alike, Instances};
use super::seen::Seen;
use super::views::{CheckedAddress, Endpoint};
use crate::engine::jobs::JobId;
use crate::model::context::Context;
use crate::model::replica::fleet::Fleet;
use crate::observe::ledger::Failure;
use crate::observe::{Observation, ReplicaId};
use crate::plan::{DeadAddress, Ingress as Rules, Plan, RetryHost, Slot};
use crate::policy::outlier::Response;
use crate::random::Seed;
use crate::units::{Instant, Span};

/// A request, or an attempt by its name, that an instance has and no replica yet.
#[derive(Clone, Copy, Debug)]
pub(in crate::model) struct Connecting {
    /// The moment that it has come to: now, or when its connection times out.
    pub due: u64,
    pub id: JobId,
    pub demand: f64,
    pub instance: usize,
    pub retries_left: u32,
    /// Slots whose address was tried, one bit each; those from 64 on are not remembered.
    pub tried: u64,
    /// When the time is over that the request has for all its tries.
    pub until: u64,
    /// The client connection that it is to open, if these keep their replica.
    pub connection: Option<usize>,
    /// Who sent it, if that is known.
    pub client: Option<u32>,
    /// The replica that it was to reach, if that came to nothing yet.
    pub to: Option<ReplicaId>,
    /// Whether it was sent on an open connection, to a machine that is gone.
    pub hangs: bool,
}

impl Connecting {
    /// The next try of one whose connection came to nothing, if it has any left. What was sent
    /// already is not sent again.
    #[cold]
    pub fn next_try(self, ingress: &Rules) -> Option<Connecting> {
        let through = self.instance < ingress.instances.len();
        let asks = ingress.retry.on_connect_failure && through;
        let may = asks && self.retries_left > 0 && !self.hangs;
        assert!(self.retries_left <= ingress.retries, "more retries than allowed");
        may.then(|| Connecting { retries_left: self.retries_left - 1, ..self })
    }
}

/// What becomes of a request for which no replica was found at once.
#[derive(Clone, Copy, Debug)]
pub(in crate::model) enum Routed {
    /// A replica gets it.
    To(ReplicaId, Connecting),
    /// It waits until its connection times out.
    Waits(Connecting),
    /// It fails.
    Fails(Failure, Connecting),
}

/// Instances that are all up and take turns over replicas that take what they are sent.
pub(in crate::model) struct Undisturbed<'a> {
    instances: Alike<'a>,
    turns: &'a mut Ring,
}

impl Undisturbed<'_> {
    /// The instance and the replica of the next request.
    #[inline(always)]
    pub fn next(&mut self) -> (usize, ReplicaId) {
        let instance = self.instances.meet();
        (instance, self.turns.next(instance).expect("somebody is in rotation"))
    }
}

/// The ingress of a region.
#[derive(Debug)]
pub(in crate::model) struct Ingress {
    pub(super) balancer: Balancer,
    /// Clients that come past it, if there are any.
    pub(super) inside: Option<InsidePool>,
    pub(super) instances: Instances,
    /// Connections to dead addresses until their time-out, in order of it.
    pub(super) connecting: VecDeque<Connecting>,
    /// What hangs on open connections to machines that are gone until its time-out, in order of it.
    pub(super) hanging: VecDeque<Connecting>,
    /// When the first of both times out; `u64::MAX` if there is none.
    next_due: u64,
    /// What instances know of replicas whose health checks fail, or failed.
    pub(super) targets: BTreeMap<(ReplicaId, usize), CheckedAddress>,
    /// Whether the endpoints of the start are in: whoever joins after that is new.
    pub(super) has_begun: bool,
}

/// What an instance sees of a replica that it cannot reach.
const NO_ANSWER: Response = Response::GatewayFailure;

/// A slot among those that were tried; those from 64 on are not remembered.
pub(in crate::model) fn slot_bit(slot: Slot) -> u64 {
    1_u64.checked_shl(slot as u32).unwrap_or(0)
}

/// What is at a replica's address.
fn peer(fleet: &Fleet, id: ReplicaId) -> Peer {
    Peer { process: fleet[id].probes.process, silent: fleet[id].silent }
}

impl Ingress {
    /// An ingress whose instances are all up, with nobody in rotation.
    pub fn new(plan: &Plan, seed: Seed) -> Self {
        Ingress {
            balancer: Balancer::new(plan, seed),
            inside: InsidePool::new(plan, seed),
            instances: Instances::new(&plan.ingress, seed),
            connecting: VecDeque::new(),
            hanging: VecDeque::new(),
            next_due: u64::MAX,
            targets: BTreeMap::new(),
            has_begun: false,
        }
    }

    /// The first endpoints are in: every instance begins at another one.
    pub fn begin(&mut self, cx: &mut Context) {
        self.has_begun = true;
        self.balancer.begin();
        self.await_sweep(cx);
    }

    /// How many replicas are in rotation.
    pub fn in_rotation(&self) -> usize {
        self.balancer.endpoints().len()
    }

    /// A replica comes into rotation.
    pub fn join(&mut self, cx: &mut Context, fleet: &mut Fleet, replica: ReplicaId) {
        let joining = &mut fleet[replica];
        assert!(joining.is_ready(), "{} comes into rotation and is not ready", joining.name);
        if !std::mem::replace(&mut joining.in_rotation, true) {
            let endpoint = Endpoint { slot: joining.slot, replica, zone: joining.zone };
            self.balancer.join(cx.now, endpoint);
            cx.seen.join(cx.now, replica);
            self.await_first_check(cx, fleet, replica);
        }
        cx.tell(Observation::JoinedRotation { replica });
    }

    /// The address of a replica is dropped.
    pub fn leave(&mut self, cx: &mut Context, fleet: &mut Fleet, replica: ReplicaId) {
        if std::mem::take(&mut fleet[replica].in_rotation) {
            self.balancer.leave(replica);
            if fleet[replica].listens {
                self.inside.iter_mut().for_each(|inside| inside.leave(replica));
            }
            cx.seen.leave(replica);
            self.targets.retain(|(of, _), _| *of != replica);
            cx.tell(Observation::LeftRotation { replica });
        }
        fleet.retire(replica, cx.now);
    }

    /// Whether that is no instance but the number of clients who come past all of them.
    pub fn is_passed_by(&self, instance: usize) -> bool {
        self.inside.as_ref().is_some_and(|inside| inside.instance == instance)
    }

    /// The number of the clients who come past all instances, if the request that was born then is
    /// theirs.
    #[inline(always)]
    pub fn passed_by(&self, born: impl Fn() -> u64) -> Option<usize> {
        let inside = self.inside.as_ref()?;
        inside.sends(born()).then_some(inside.instance)
    }

    /// The replica that a request from inside the cluster reaches; perhaps nobody listens there.
    pub fn choose_inside(&mut self, fleet: &Fleet, sender: Sender) -> Option<ReplicaId> {
        let inside = self.inside.as_mut().expect("somebody sends from inside");
        let chosen = inside.choose(&mut self.balancer, sender, |id| peer(fleet, id));
        if chosen.is_some_and(|id| !fleet[id].listens) {
            inside.refuse();
            self.balancer.opened = false;
        }
        chosen
    }

    /// The instance that a request meets, of this client if it is told apart; `None` if it is a
    /// vanished one.
    #[inline(always)]
    pub fn meet(&mut self, at: u64, client: Option<u32>) -> Option<usize> {
        self.instances.meet(at, client)
    }

    /// How requests find their replicas as long as nothing can come between: every instance is up
    /// and takes its turn, and there are endpoints, which all `take` what they are sent.
    pub fn undisturbed(&mut self, takes: impl Fn(ReplicaId) -> bool) -> Option<Undisturbed<'_>> {
        let (instances, turns) = (self.instances.alike()?, self.balancer.turns()?);
        let some = turns.replicas().next().is_some();
        (some && turns.replicas().all(takes)).then_some(Undisturbed { instances, turns })
    }

    /// Whether clients reach an instance.
    #[inline(always)]
    pub fn is_reachable(&self, instance: usize) -> bool {
        self.instances.is_reachable(instance)
    }

    /// Whether the last choice opened a connection to a replica.
    #[inline(always)]
    pub fn take_opened(&mut self) -> bool {
        std::mem::take(&mut self.balancer.opened)
    }

    /// The replica that an instance chooses for a request, which may be bound to a slot; perhaps
    /// nobody listens there.
    #[inline(always)]
    pub fn choose(
        &mut self,
        seen: &Seen,
        fleet: &Fleet,
        instance: usize,
        slot: Option<Slot>,
        sender: Sender,
    ) -> Option<ReplicaId> {
        let Some(slot) = slot else {
            let requests_at = |id: ReplicaId| fleet[id].requests_from(instance);
            let picked =
                self.balancer.pick(seen, instance, sender, requests_at, |id| peer(fleet, id));
            debug_assert!(
                picked.is_none_or(|id| fleet[id].in_rotation),
                "{picked:?} is chosen and not in rotation"
            );
            return picked;
        };
        // Bound to a slot, it comes on no connection that keeps its replica.
        self.balancer.opened = false;
        fleet.holder(slot)
    }

    /// What becomes of a request for which no replica was chosen, or one where nobody listens.
    #[cold]
    pub fn miss(
        &mut self,
        cx: &mut Context,
        fleet: &Fleet,
        (at, id, demand): (u64, JobId, f64),
        (instance, client): (usize, Option<u32>),
        (slot, chosen): (Option<Slot>, Option<ReplicaId>),
    ) -> Routed {
        debug_assert!(
            chosen.is_none_or(|id| !fleet[id].listens),
            "{chosen:?} would have taken the request"
        );
        let connecting = Connecting {
            due: at,
            id,
            demand,
            instance,
            retries_left: cx.plan.ingress.retries,
            tried: 0,
            until: match self.is_passed_by(instance) {
                true => u64::MAX,
                false => at.saturating_add(cx.plan.ingress.request_timeout.0),
            },
            connection: self.balancer.refuse(),
            client,
            to: chosen,
            hangs: false,
        };
        match (chosen, self.balancer.broken.take()) {
            (Some(id), _) => self.connect(cx, fleet, connecting, id),
            (None, _) if slot.is_some() => self.meet_dead_address(cx, connecting, false),
            (None, None) => Routed::Fails(Failure::NoReadyReplica, connecting),
            (None, Some((broken, id))) => {
                let tried = slot_bit(fleet[id].slot);
                let connecting = Connecting { tried, to: Some(id), ..connecting };
                match broken {
                    Broken::Reset => Routed::Fails(Failure::LostInFlight, connecting),
                    Broken::Idle => Routed::Fails(Failure::IdleClosed, connecting),
                    Broken::Hangs => self.hang(cx, connecting),
                }
            }
        }
    }

    /// What is sent on an open connection to a machine that is gone is never answered, and nothing
    /// says so.
    fn hang(&mut self, cx: &Context, connecting: Connecting) -> Routed {
        let lasts = match self.is_passed_by(connecting.instance) {
            true => RETRANSMISSION,
            false => cx.plan.ingress.read_timeout.min(RETRANSMISSION),
        };
        let hanging = Connecting { hangs: true, ..connecting };
        self.wait(|ingress| &mut ingress.hanging, hanging, lasts)
    }

    /// Something waits for its time-out, or for the end of the time that its request has.
    fn wait(
        &mut self,
        queue: fn(&mut Self) -> &mut VecDeque<Connecting>,
        connecting: Connecting,
        lasts: Span,
    ) -> Routed {
        let due = connecting.due.saturating_add(lasts.0).min(connecting.until);
        debug_assert!(due >= connecting.due, "a time-out at {due} is over before it begins");
        let queue = queue(self);
        // Almost always at the end.
        let place = queue.partition_point(|other| other.due <= due);
        queue.insert(place, Connecting { due, ..connecting });
        self.find_next_due();
        Routed::Waits(connecting)
    }

    /// A process of a replica has ended with requests in flight: of these users, or of so many who
    /// are not known.
    pub fn close_in_flight(
        &mut self,
        fleet: &Fleet,
        id: ReplicaId,
        users: impl Iterator<Item = Option<u32>>,
    ) {
        // Who waits for a machine that is gone learns nothing of that.
        if !fleet[id].silent {
            let ended = fleet[id].probes.process - 1;
            self.balancer.close_in_flight(id, ended, users);
        }
    }

    /// The same of those that came past all instances.
    pub fn close_inside(
        &mut self,
        fleet: &Fleet,
        id: ReplicaId,
        users: impl Iterator<Item = Option<u32>>,
    ) {
        if let Some(inside) = self.inside.as_mut().filter(|_| !fleet[id].silent) {
            inside.close_in_flight(id, fleet[id].probes.process - 1, users);
        }
    }

    /// An instance connects to a replica that it has chosen.
    fn connect(
        &mut self,
        cx: &mut Context,
        fleet: &Fleet,
        connecting: Connecting,
        id: ReplicaId,
    ) -> Routed {
        let replica = &fleet[id];
        if replica.listens {
            if let Some(connection) = connecting.connection {
                self.balancer.open(connection, id, replica.probes.process, connecting.due);
            }
            return Routed::To(id, connecting);
        }
        let tried = connecting.tried | slot_bit(replica.slot);
        let connecting = Connecting { tried, to: Some(id), ..connecting };
        self.meet_dead_address(cx, connecting, replica.silent)
    }

    #[cold]
    fn meet_dead_address(
        &mut self,
        cx: &mut Context,
        connecting: Connecting,
        silent: bool,
    ) -> Routed {
        if silent || cx.plan.ingress.dead_address == DeadAddress::Drops {
            let lasts = cx.plan.ingress.connect_timeout;
            return self.wait(|ingress| &mut ingress.connecting, connecting, lasts);
        }
        self.give_up_address(cx, connecting)
    }

    /// When the first connection times out; `u64::MAX` if none is being tried and none hangs.
    #[inline(always)]
    pub fn next_connect_timeout(&self) -> u64 {
        self.next_due
    }

    /// What waits for a time-out has changed.
    pub(super) fn find_next_due(&mut self) {
        let due = |queue: &VecDeque<Connecting>| queue.front().map_or(u64::MAX, |first| first.due);
        self.next_due = due(&self.connecting).min(due(&self.hanging));
    }

    /// Takes out the connection that times out first.
    pub fn take_timed_out(&mut self) -> Connecting {
        let hung = self.hanging.front().map_or(u64::MAX, |first| first.due);
        let queue = match self.connecting.front() {
            Some(first) if first.due <= hung => &mut self.connecting,
            _ => &mut self.hanging,
        };
        let first = queue.pop_front().expect("a connection is being tried, or hangs");
        self.find_next_due();
        first
    }

    /// What is being connected or hangs.
    pub fn connecting(&self) -> impl Iterator<Item = &Connecting> {
        self.connecting.iter().chain(&self.hanging)
    }

    /// A connection came to nothing, and the request with it, unless it has another try.
    #[cold]
    pub fn give_up_address(&mut self, cx: &mut Context, mut connecting: Connecting) -> Routed {
        if let Some(id) = connecting.to.take() {
            let drops = cx.plan.ingress.dead_address == DeadAddress::Drops;
            let took = if drops { cx.plan.ingress.connect_timeout } else { Span::ZERO };
            cx.seen.note_latency(Instant(connecting.due), connecting.instance, id, took);
            cx.note_response(connecting.due, connecting.instance as u32, id, NO_ANSWER);
        }
        let is_over = connecting.due >= connecting.until;
        let reads = cx.plan.ingress.read_timeout <= RETRANSMISSION;
        let reads = reads && !self.is_passed_by(connecting.instance);
        match is_over || connecting.hangs && reads {
            true => Routed::Fails(Failure::TimedOut, connecting),
            false => Routed::Fails(Failure::DeadAddress, connecting),
        }
    }

    /// An instance tries a request again with another replica, as far as its rules ask for that.
    #[cold]
    pub fn try_elsewhere(
        &mut self,
        cx: &mut Context,
        fleet: &Fleet,
        connecting: Connecting,
    ) -> Routed {
        let Rules { retries, retry, .. } = &cx.plan.ingress;
        debug_assert!(connecting.retries_left < *retries, "this is no further try");
        let Connecting { instance, tried, due: at, client, .. } = connecting;
        let sender = Sender { at, user: None, client };
        let is_tried = |slot: Slot| tried & slot_bit(slot) != 0;
        let requests_at = |id: ReplicaId| fleet[id].requests_from(instance);
        self.balancer.opened = false;
        let mut choose = || self.balancer.pick_endpoint(&cx.seen, instance, sender, requests_at);
        let chosen = match retry.host {
            RetryHost::Chosen(anew) => {
                let mut chosen = choose();
                for _ in 0..anew {
                    if chosen.is_none_or(|id| !is_tried(fleet[id].slot)) {
                        break;
                    }
                    chosen = choose();
                }
                chosen
            }
            RetryHost::Other => {
                let other = self.balancer.pick_untried(&cx.seen, instance, is_tried);
                other.or_else(|| self.balancer.pick_endpoint(&cx.seen, instance, sender, |_| 0))
            }
        };
        match chosen {
            Some(replica) => self.connect(cx, fleet, connecting, replica),
            None => Routed::Fails(Failure::NoReadyReplica, connecting),
        }
    }
}
