//! Requests in blocks, where nothing that becomes of one decides when others come.
//!
//! Between two events replicas do not influence each other, so requests are routed in blocks into
//! the replicas' inboxes, and each replica then works through its inbox alone. This gives the same
//! result as one by one, because routing depends on the rotation and never on what replicas do.
//!
//! Where memory is given a replica may die of one request too many, and what is routed after that
//! must meet a dead address. So a block has no more requests than the fullest replica has room for:
//! none of them can be too many. If there is no room a block is one request.

use super::context::Context;
use super::ingress::connections::Sender;
use super::ingress::routing::{Connecting, Ingress, Routed};
use super::replica::fleet::Fleet;
use super::traffic::arrivals::{Arrivals, BLOCK};
use super::world::World;
use crate::engine::jobs::JobId;
use crate::engine::server::Coming;
use crate::observe::count::Count;
use crate::observe::ledger::Failure;
use crate::observe::{Observer, ReplicaId};
use crate::plan::Gate;
use crate::units::Instant;

impl World<'_> {
    /// Routes every request that reaches the ingress before `until`, and lets replicas take them.
    pub(super) fn route_blocks_until(&mut self, until: Instant) {
        let Self { cx, region, arrivals, .. } = self;
        let (fleet, ingress) = (&mut region.cluster.fleet, &mut region.ingress);
        let holds = cx.plan.gateway.memory.map(|memory| memory.holds());
        for block in 0_u64.. {
            let most = holds.map_or(BLOCK, |holds| fleet.room(holds).clamp(1, BLOCK));
            let more = route_block(cx, fleet, ingress, arrivals, (until.0, most));
            match holds {
                None => fleet.take_in(cx),
                Some(holds) => {
                    if let Some((at, id)) = fleet.take_in_to(cx, holds) {
                        return cx.run_out_of_memory(Instant(at), id, fleet[id].epoch);
                    }
                }
            }
            if !more {
                return;
            }
            if block % BLOCKS_NOTED == BLOCKS_NOTED - 1 {
                cx.note_held(fleet.count_kept());
            }
            if cx.is_stopped() {
                // All that comes before the next request has been taken.
                let next = next_at(cx, ingress, arrivals);
                cx.now = Instant(next.min(until.0).max(cx.now.0));
                return;
            }
        }
    }
}

/// After so many blocks it is noted how many requests replicas have.
const BLOCKS_NOTED: u64 = 64;

/// When the next request reaches the ingress, or the next attempt to connect ends.
fn next_at(cx: &Context, ingress: &Ingress, arrivals: &mut Arrivals) -> u64 {
    let delay = cx.plan.ingress.delay.0;
    let arrival = arrivals.next_sent().map_or(u64::MAX, |sent| sent.saturating_add(delay));
    arrival.min(ingress.next_connect_timeout())
}

/// Routes at most so many requests; false when none is left before `until`.
fn route_block(
    cx: &mut Context,
    fleet: &mut Fleet,
    ingress: &mut Ingress,
    arrivals: &mut Arrivals,
    (until, most): (u64, usize),
) -> bool {
    let mut routed = 0;
    while routed < most {
        let coming = next_at(cx, ingress, arrivals);
        if coming >= until {
            return false;
        }
        let undisturbed = route_undisturbed(cx, fleet, ingress, arrivals, (until, most - routed));
        if undisturbed == 0 {
            route_next(cx, fleet, ingress, arrivals);
        }
        routed += undisturbed.max(1);
    }
    true
}

/// Routes requests of the current block, so many at most, that reach the ingress before `until` and
/// before anything else can happen; gives how many. None if what may happen to the next is more
/// than to find a replica.
fn route_undisturbed(
    cx: &mut Context,
    fleet: &mut Fleet,
    ingress: &mut Ingress,
    arrivals: &mut Arrivals,
    (until, most): (u64, usize),
) -> usize {
    let until = until.min(ingress.next_connect_timeout());
    let takes = |id: ReplicaId| fleet[id].listens && !fleet[id].lacks_contracts;
    let Some(mut ways) = ingress.undisturbed(takes).filter(|_| !arrivals.have_targets()) else {
        return 0;
    };
    let delay = cx.plan.ingress.delay.0;
    let coming = arrivals.take_before(until.saturating_sub(delay), most);
    for (sent, demand) in coming.sent.iter().zip(coming.demands) {
        let request = Instant(*sent);
        cx.offer(request.into());
        let (instance, id) = ways.next();
        debug_assert!(fleet[id].listens, "nobody listens at replica {id}");
        fleet[id].inbox.push(Coming {
            at: sent + delay,
            id: request.into(),
            demand: *demand,
            mark: instance as u32,
        });
    }
    debug_assert!(
        coming.sent.last().is_none_or(|sent| sent + delay < until),
        "none comes too late"
    );
    coming.sent.len()
}

/// The next thing that can happen before a request is in an inbox: it reaches the ingress, or the
/// connection of one before it times out.
fn route_next(cx: &mut Context, fleet: &mut Fleet, ingress: &mut Ingress, arrivals: &mut Arrivals) {
    let at =
        arrivals.next_sent().map_or(u64::MAX, |sent| sent.saturating_add(cx.plan.ingress.delay.0));
    if ingress.next_connect_timeout() <= at {
        let connecting = ingress.take_timed_out();
        let routed = ingress.give_up_address(cx, connecting);
        return deliver(cx, fleet, ingress, routed);
    }
    let request = arrivals.take();
    cx.offer(Instant(request.sent).into());
    let Some(instance) = ingress.meet(at, None) else {
        return cx.note_failure(Instant(request.sent).into(), at, Failure::IngressDown);
    };
    let what = (at, Instant(request.sent).into(), request.demand);
    let sender = Sender { at, user: None, client: None };
    match ingress.choose(&cx.seen, fleet, instance, request.slot, sender) {
        Some(id) if fleet[id].listens => accept(cx, fleet, what, instance, id),
        chosen => {
            let chosen = (request.slot, chosen);
            let routed = ingress.miss(cx, fleet, what, (instance, None), chosen);
            deliver(cx, fleet, ingress, routed);
        }
    }
}

/// A request gets into the inbox of a replica, unless it needs contracts that this one lacks.
#[inline(always)]
fn accept(
    cx: &mut Context,
    fleet: &mut Fleet,
    (at, id, demand): (u64, JobId, f64),
    instance: usize,
    replica: ReplicaId,
) {
    let replica = &mut fleet[replica];
    if replica.lacks_contracts && needs_contracts(cx) {
        return cx.note_failure(Instant::from(id).into(), at, Failure::ContractsMissing);
    }
    replica.inbox.push(Coming { at, id, demand, mark: instance as u32 });
}

/// What becomes of a request for which no replica was found at once.
#[cold]
fn deliver(cx: &mut Context, fleet: &mut Fleet, ingress: &mut Ingress, mut routed: Routed) {
    loop {
        let (failure, connecting) = match routed {
            Routed::To(replica, Connecting { due: at, id, demand, instance, .. }) => {
                return accept(cx, fleet, (at, id, demand), instance, replica);
            }
            Routed::Waits(_) => return,
            Routed::Fails(failure, connecting) => (failure, connecting),
        };
        let request = Instant::from(connecting.id).into();
        let next = connecting.next_try(&cx.plan.ingress);
        let Some(next) = next.filter(|_| failure == Failure::DeadAddress) else {
            return cx.note_failure(request, connecting.due, failure);
        };
        cx.listener.counted(request, Count::IngressRetry);
        routed = ingress.try_elsewhere(cx, fleet, next);
    }
}

/// Whether a request needs contracts, where a share of them does.
#[cold]
fn needs_contracts(cx: &mut Context) -> bool {
    match cx.plan.startup.contracts.as_ref().map(|contracts| contracts.gate) {
        Some(Gate::Api(share)) => cx.control_plane.needs_contracts(share),
        _ => false,
    }
}
