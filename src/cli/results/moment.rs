//! `brownout explain RESULT --at TIME`: why latency was what it was at a moment of a run.

use std::path::Path;

use anyhow::Context;

use super::open;
use crate::cli::exit::Exit;
use crate::cli::terminal::Terminal;
use crate::experiment::Progress;
use crate::report::moment::{RunMoment, text};
use crate::study::counterfactual::{counterfactuals, row_at, struck_by, timeline};
use crate::units::{Instant, Span};

/// Explains a moment of the replication that results tell, by runs that differ in one thing.
pub(in crate::cli) fn explain(
    folder: &Path,
    base: &Path,
    at: Option<Span>,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let found = open::open(folder, base, terminal)?;
    let plan = &found.scenario.plan;
    let told = found.summary["told_replication"].as_u64().unwrap_or(0);
    let progress = Progress::default();
    let kept = timeline(plan, told, &progress).context("the run keeps no timeline")?;
    let (ours, struck) = kept;
    let at = match at {
        Some(at) => Instant::ZERO + at,
        None => worst(&ours, plan.run.warm_up).context("nothing was answered: name --at")?,
    };
    let row = row_at(&ours, at).with_context(|| {
        format!("--at {at} is outside the run, which ends at {}", plan.run.horizon)
    })?;
    let changed = counterfactuals(plan, &struck_by(&struck, &plan.faults, at));
    let others = changed.into_iter().map(|one| {
        let found = timeline(&one.plan, told, &progress);
        (one.name, found.and_then(|(timeline, _)| row_at(&timeline, at).copied()))
    });
    let moment = RunMoment {
        of: (&found.scenario.name, told),
        at,
        timeline: &ours,
        row,
        first: struck.iter().map(|(_, when)| *when).min().filter(|when| *when <= at),
        warm_up: plan.run.warm_up,
        each: plan.saturation().0,
        others: others.collect(),
    };
    terminal.print(&text(&moment, terminal.prints_colour()))?;
    Ok(Exit::Met)
}

/// When p99 was greatest after warm-up.
fn worst(timeline: &crate::observe::timeline::Timeline, warm_up: Instant) -> Option<Instant> {
    let rows = timeline.total.iter().filter(|row| row.start >= warm_up && row.latency.is_some());
    let slowest = rows.max_by_key(|row| row.latency.map(|latency| latency.p99));
    slowest.map(|row| row.start)
}
