//! Health checks that ingress instances make of the addresses in rotation.
//!
//! ```text
//! healthy ─ checks fail, `unhealthy` times ─► not used ─ succeed, `healthy` times ─► healthy
//!    check: every interval ─┬─ answered ─► succeeds at once
//!                           ├─ refused ──► fails at once
//!                           └─ silence, or a process that hangs (HTTP) ─► fails after its time-out
//! ```
//!
//! What fails at a moment that checks know nothing of is left U((k − 1)·I, k·I) later, with k
//! failures in a row every I, plus the time-out if nobody refuses. Each instance checks for itself,
//! at times of its own. Checks are simulated from the moment on at which a replica stops to answer,
//! until it answers and is healthy again: before and after that they change nothing.
//!
//! A new address is used at once (HAProxy, nginx), or once one of its checks has succeeded, which
//! comes U(0, I) later (`first`: AWS target groups, Envoy).
//!
//! Assumptions: checks succeed while a process works, however long its requests take; what
//! Kubernetes takes out of the endpoints is forgotten, whatever checks say. Left out: CPU that
//! checks take, and checks that fail because a replica is busy.

use std::collections::btree_map::Entry;

use super::routing::Ingress;
use super::views::CheckedAddress;
use crate::model::context::Context;
use crate::model::event::{Event, TargetCheck};
use crate::model::replica::fleet::Fleet;
use crate::observe::{Avoided, Observation, ReplicaId};
use crate::plan::{CheckBy, DeadAddress};
use crate::units::{Instant, Span};

/// What a check meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reply {
    Answer,
    Refusal,
    Silence,
}

impl Ingress {
    /// An instance checks, or all look at what they have seen.
    pub fn check(&mut self, cx: &mut Context, fleet: &Fleet, check: TargetCheck) {
        match check {
            TargetCheck::Sent { replica, instance } => {
                self.send_check(cx, fleet, replica, instance);
            }
            TargetCheck::Failed { replica, instance } => {
                let target = self.targets.get(&(replica, instance));
                if target.is_some_and(|target| target.waits) {
                    self.fail_check(cx, replica, instance);
                }
            }
            TargetCheck::Swept => self.sweep(cx),
        }
    }

    /// A replica has failed or hangs: from now on its checks are looked at.
    pub fn watch(&mut self, cx: &mut Context, fleet: &Fleet, replica: ReplicaId) {
        let Some(check) = cx.plan.ingress.health else { return };
        if !fleet[replica].in_rotation {
            return;
        }
        self.look_at(cx, check.interval, replica, CheckedAddress::default());
    }

    /// A new replica is in the endpoints: where checks come first, no instance uses it before it
    /// has passed one.
    pub(super) fn await_first_check(&mut self, cx: &mut Context, fleet: &Fleet, id: ReplicaId) {
        let Some(check) = cx.plan.ingress.health.filter(|check| check.first) else { return };
        assert!(fleet[id].in_rotation, "{} is checked and not in rotation", fleet[id].name);
        if self.has_begun {
            debug_assert!(check.interval > Span::ZERO, "checks follow one another");
            let fresh = CheckedAddress { unhealthy: true, fresh: true, ..Default::default() };
            self.look_at(cx, check.interval, id, fresh);
            for instance in 0..cx.plan.ingress.instances.len() {
                self.balancer.judge(&cx.seen, instance, id, false);
            }
        }
    }

    /// From now on the checks of a replica are looked at, of which so much is known.
    fn look_at(
        &mut self,
        cx: &mut Context,
        interval: Span,
        replica: ReplicaId,
        known: CheckedAddress,
    ) {
        for instance in 0..cx.plan.ingress.instances.len() {
            if let Entry::Vacant(entry) = self.targets.entry((replica, instance)) {
                let next = next_check(cx, interval, replica, instance);
                entry.insert(CheckedAddress { next, ..known });
                cx.schedule(next, Event::Check(TargetCheck::Sent { replica, instance }));
            }
        }
    }

    /// An instance checks the address of a replica.
    fn send_check(&mut self, cx: &mut Context, fleet: &Fleet, replica: ReplicaId, instance: usize) {
        let Some(check) = cx.plan.ingress.health else { return };
        // It may have been taken out of the endpoints meanwhile, and be back.
        let target = self.targets.get_mut(&(replica, instance));
        let Some(target) = target.filter(|target| target.next == cx.now) else { return };
        target.next = cx.now + check.interval;
        assert!(fleet[replica].in_rotation, "{instance} checks {replica}, which it forgot");
        match reply(cx, fleet, replica, check.by) {
            Reply::Answer => self.pass_check(cx, replica, instance),
            Reply::Refusal => self.fail_check(cx, replica, instance),
            Reply::Silence => {
                target.waits = true;
                cx.schedule(
                    cx.now + check.timeout,
                    Event::Check(TargetCheck::Failed { replica, instance }),
                );
            }
        }
        if self.targets.contains_key(&(replica, instance)) {
            cx.schedule(
                cx.now + check.interval,
                Event::Check(TargetCheck::Sent { replica, instance }),
            );
        }
    }

    fn pass_check(&mut self, cx: &mut Context, replica: ReplicaId, instance: usize) {
        let check = cx.plan.ingress.health.unwrap_or_default();
        let Some(target) = self.targets.get_mut(&(replica, instance)) else { return };
        assert!(target.next > cx.now, "{replica} is checked by {instance} twice at a time");
        (target.failures, target.successes) = (0, target.successes + 1);
        let enough = target.fresh || target.successes >= check.healthy;
        let recovers = target.unhealthy && enough;
        if !target.unhealthy || recovers {
            self.targets.remove(&(replica, instance));
        }
        if recovers {
            self.judge(cx, replica, instance, true);
        }
    }

    /// A check came to nothing.
    fn fail_check(&mut self, cx: &mut Context, replica: ReplicaId, instance: usize) {
        let check = cx.plan.ingress.health.unwrap_or_default();
        let Some(target) = self.targets.get_mut(&(replica, instance)) else { return };
        assert!(target.next >= cx.now, "{replica} is checked by {instance} twice at a time");
        (target.failures, target.successes, target.waits) = (target.failures + 1, 0, false);
        if !target.unhealthy && target.failures >= check.unhealthy {
            target.unhealthy = true;
            self.judge(cx, replica, instance, false);
        }
    }

    /// The next look at what replicas answered, if instances judge by that.
    pub(super) fn await_sweep(&self, cx: &mut Context) {
        if let Some(outliers) = cx.plan.ingress.outliers {
            cx.schedule(cx.now + outliers.interval, Event::Check(TargetCheck::Swept));
        }
    }

    /// Every instance looks at how replicas did.
    fn sweep(&mut self, cx: &mut Context) {
        for (replica, by) in cx.seen.sweep(cx.now) {
            cx.tell_ejected(replica, by);
        }
        self.await_sweep(cx);
    }

    /// An instance finds a replica unhealthy, or healthy again.
    fn judge(&mut self, cx: &mut Context, replica: ReplicaId, instance: usize, healthy: bool) {
        let by = self.balancer.judge(&cx.seen, instance, replica, healthy);
        let of = cx.plan.ingress.instances.len();
        assert!(by <= of, "{by} of {of} instances avoid a replica");
        cx.tell(Observation::Avoided(Avoided { replica, by, of, how: "health checks" }));
    }
}

/// When an instance checks a replica next: it does at a phase of their own.
fn next_check(cx: &Context, interval: Span, replica: ReplicaId, instance: usize) -> Instant {
    let key = (instance as u64) << 32 | replica as u64;
    let first = (cx.seed.stream("health check", key).unit() * interval.0 as f64) as u64;
    let passed = cx.now.0.saturating_sub(first).div_ceil(interval.0.max(1));
    let next = Instant(first + passed * interval.0);
    assert!(next >= cx.now, "a check at {next} is due before {}", cx.now);
    next
}

/// What a check of a replica meets now.
fn reply(cx: &Context, fleet: &Fleet, id: ReplicaId, by: CheckBy) -> Reply {
    let replica = &fleet[id];
    match (replica.listens, replica.silent) {
        (true, _) if replica.hung && by == CheckBy::Http => Reply::Silence,
        (true, _) => Reply::Answer,
        (false, false) if cx.plan.ingress.dead_address == DeadAddress::Refuses => Reply::Refusal,
        (false, _) => Reply::Silence,
    }
}
