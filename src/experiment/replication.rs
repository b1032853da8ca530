//! One replication: the model before a recorder.

use crate::model::{Gauge, simulate};
use crate::observe::outcome::Outcome;
use crate::observe::recorder::{Follow, Keep, Recorder, Scope, WindowExtent};
use crate::plan::{Extent, Plan, Window};
use crate::units::{Instant, SECOND, Span};

/// Simulates replication `replication` of `plan` and gives its outcome.
///
/// # Panics
/// As [`simulate`]; and if a ledger does not balance, which would be an error of this program.
pub fn replicate(plan: &Plan, replication: u64, keep: Keep, gauge: &Gauge) -> Outcome {
    let mut recorder = Recorder::new(scope(plan, replication), keep);
    let end = simulate(plan, replication, &mut recorder, gauge);
    let outcome = recorder.finish(end.at, end.interrupted, end.digest);
    for (of, ledger) in [("requests", &outcome.ledger), ("attempts", &outcome.attempts)] {
        assert!(
            ledger.balances(),
            "the {of} of replication {replication} (seed {}) do not balance: {ledger:?}",
            plan.run.seed
        );
    }
    outcome
}

/// What a recorder has to know of a plan.
pub fn scope(plan: &Plan, replication: u64) -> Scope {
    let extent = |window: &Window| match window.extent {
        Extent::Run => WindowExtent::Between(plan.run.warm_up, Instant::NEVER),
        Extent::Between(from, to) => WindowExtent::Between(from, to),
        Extent::During(fault) => WindowExtent::During(fault),
    };
    Scope {
        replication,
        windows: plan.windows.iter().map(extent).collect(),
        faults: plan.faults.len(),
        warm_up: plan.run.warm_up,
        bin: plan.run.bin,
        hop: plan.ingress.hop,
        cores: plan.gateway.cores.0,
        follow: plan.surroundings.as_ref().map(|_| follow(plan)),
    }
}

/// Slots of a second; longer ones in runs of more than 20 000 of them.
fn follow(plan: &Plan) -> Follow {
    const MOST: u64 = 20_000;
    let slot = Span(SECOND) * plan.run.horizon.0.div_ceil(MOST * SECOND).max(1);
    Follow { slot, rise: super::rise::rise(plan) }
}
