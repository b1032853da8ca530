//! One replication: the model before a recorder.

use crate::engine::progress::Progress;
use crate::experiment::recovery::after_trigger::{may_be_troubled, recovery};
use crate::experiment::strikes;
use crate::model::record;
use crate::observe::ApiId;
use crate::observe::outcome::Outcome;
use crate::observe::recorder::{Keep, Recorder, Scope, ScopeWindow, StruckRegion, WindowExtent};
use crate::plan::{Extent, Plan, Window};
use crate::units::{Instant, SECOND, Span};

/// Simulates replication `replication` of `plan` and gives its outcome.
///
/// # Panics
/// As [`record`]; and if a ledger does not balance, which would be an error of this program.
pub fn replicate(plan: &Plan, replication: u64, keep: Keep, progress: &Progress) -> Outcome {
    let mut recorder = Recorder::new(scope(plan, replication), keep);
    let end = record(plan, replication, &mut recorder, progress);
    let series = recorder.take_time_series();
    let mut outcome = recorder.finish(end.at, end.interrupted, end.digest);
    outcome.recovery = recovery(plan, &outcome, series.as_ref());
    strikes::note(plan, &mut outcome);
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
    let window = |window: &Window| ScopeWindow {
        extent: extent(window),
        api: window.api.map(|api| api as ApiId),
    };
    let told_apart = plan.windows.iter().any(|window| window.api.is_some());
    Scope {
        replication,
        windows: plan.windows.iter().map(window).collect(),
        apis: if told_apart { plan.names_told_apart().len() } else { 0 },
        faults: plan.faults.len(),
        exchanges: plan.faults.iter().map(|one| one.fault.release().is_some()).collect(),
        struck: struck(plan),
        regions: plan.regions.as_ref().map_or(0, |regions| regions.all.len()),
        warm_up: plan.run.warm_up,
        bin: plan.run.bin,
        hop: plan.ingress.hop,
        cores: cores(plan),
        boots_take_cpu: plan.startup.boot_cpu > 0.0,
        feeds_back: !plan.is_open_loop(),
        interval: may_be_troubled(plan).then(|| interval(plan)),
    }
}

/// Cores of a replica, of each region in turn.
fn cores(plan: &Plan) -> Vec<f64> {
    match &plan.regions {
        Some(regions) => regions.all.iter().map(|one| one.gateway.gateway.cores.0).collect(),
        None => vec![plan.gateway.cores.0],
    }
}

/// The region that each fault strikes, of several.
fn struck(plan: &Plan) -> Vec<Option<StruckRegion>> {
    let Some(regions) = &plan.regions else { return vec![None; plan.faults.len()] };
    let struck = plan.faults.iter().zip(&regions.of_fault);
    let struck = struck.map(|(fault, region)| {
        let (is_left, is_lost) = (fault.fault.leads_away(), fault.fault.shuts_out());
        region.map(|region| StruckRegion { region, is_left, is_lost })
    });
    struck.collect()
}

/// A second; longer in runs of more than 20 000 of them.
fn interval(plan: &Plan) -> Span {
    const MOST: u64 = 20_000;
    Span(SECOND) * plan.run.horizon.0.div_ceil(MOST * SECOND).max(1)
}
