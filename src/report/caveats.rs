//! What limits the figures, and what to do about it.

use crate::experiment::Experiment;
use crate::experiment::summary::{PERCENTILES, Summary, WindowSummary};
use crate::model::plan::{Plan, Traffic};
use crate::observe::Observation;
use crate::observe::timeline::TotalRow;
use crate::report::words::{grouped, plural};
use crate::scenario::{Mark, Scenario, Setting};
use crate::units::{Bytes, Instant, Rate, Span};

/// A percentile needs this many slower requests to mean something.
const BEYOND: f64 = 10.0;
/// A p99 interval that reaches further than this share of the point is wide.
const WIDE: f64 = 0.25;
/// Bins between warm-up and the first fault that it takes to judge warm-up.
const QUIET_BINS: usize = 20;

/// Something that limits the figures.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // each variant says what its fields are
pub enum Caveat {
    /// The run was stopped: so many replications of those asked for were kept; `partial` = they
    /// end early.
    Interrupted { kept: usize, asked: usize, partial: bool },
    /// There is only one replication.
    OneReplication,
    /// Requests are slower long after warm-up than just after it: mean latency in the first
    /// quarter of the quiet time and in the rest.
    WarmUpShort { first: Span, rest: Span },
    /// A percentile of a window rests on so few slower requests; `needed` replications would do.
    FewSamples { window: String, percentile: &'static str, beyond: f64, needed: u64 },
    /// The interval of p99 of a window reaches this share of the point to each side.
    WideInterval { window: String, reach: f64, needed: u64 },
    /// The greatest rate is this share of the capacity of all replicas.
    Overload { rate: Rate, utilisation: f64 },
    /// The greatest rate is this share of the capacity that is left with one replica less.
    NoSpare { utilisation: f64, left: usize },
    /// Requests in flight would take this much memory of the limit.
    MemoryOver { peak: Bytes, limit: Bytes },
    /// Incidents were not over at the end of the run.
    Unrecovered { incidents: u64 },
    /// A fault found nothing to hit, in the first replication.
    FaultMissed { fault: String, at: Instant, reason: &'static str },
    /// Settings that nobody publishes.
    Assumed { settings: Vec<Assumption> },
}

/// A setting that nobody publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the fields say it
pub struct Assumption {
    pub path: String,
    pub value: String,
    pub source: String,
}

/// Everything that limits the figures of an experiment, the gravest first.
pub fn find(scenario: &Scenario, run: &Experiment, summary: &Summary) -> Vec<Caveat> {
    let plan = &scenario.plan;
    let mut all = Vec::new();
    all.extend(interrupted(run));
    all.extend((run.outcomes.len() == 1).then_some(Caveat::OneReplication));
    all.extend(capacity(plan));
    all.extend(memory(plan, summary));
    all.extend(unfinished(summary));
    all.extend(missed_faults(plan, run));
    all.extend(warm_up(plan, run));
    for window in &summary.windows {
        all.extend(few_samples(window, run.outcomes.len()));
        all.extend(wide(window, run.outcomes.len()));
    }
    all.extend(assumed(scenario));
    all
}

fn interrupted(run: &Experiment) -> Option<Caveat> {
    let (kept, asked, partial) = (run.outcomes.len(), run.asked, run.is_partial());
    run.interrupted.then_some(Caveat::Interrupted { kept, asked, partial })
}

/// The load against the capacity of all replicas, else of all but one if anything can fail.
fn capacity(plan: &Plan) -> Option<Caveat> {
    let Traffic::Process(process) = &plan.traffic else { return None };
    let greatest = process.corners.iter().map(|(_, rate)| rate.0).fold(0.0, f64::max);
    let (rate, replicas) = (Rate(greatest), plan.gateway.replicas);
    let utilisation = plan.utilisation(rate, replicas);
    if utilisation > 1.0 {
        return Some(Caveat::Overload { rate, utilisation });
    }
    let left = replicas - 1;
    let utilisation = if left > 0 { plan.utilisation(rate, left) } else { 0.0 };
    (utilisation > 1.0 && !plan.faults.is_empty()).then_some(Caveat::NoSpare { utilisation, left })
}

fn memory(plan: &Plan, summary: &Summary) -> Option<Caveat> {
    let memory = plan.gateway.memory?;
    let peak = summary.gateway.in_flight_greatest.saturating_mul(memory.per_request.0);
    let over = peak > memory.limit.0;
    over.then_some(Caveat::MemoryOver { peak: Bytes(peak), limit: memory.limit })
}

fn unfinished(summary: &Summary) -> Option<Caveat> {
    let incidents = summary.gateway.recovery.unrecovered;
    (incidents > 0).then_some(Caveat::Unrecovered { incidents })
}

/// The first miss of each fault, in the first replication.
fn missed_faults(plan: &Plan, run: &Experiment) -> Vec<Caveat> {
    let journal = run.outcomes.first().map_or(&[][..], |outcome| &outcome.journal);
    let first_miss = |index: usize| {
        journal.iter().find_map(|entry| match &entry.observation {
            Observation::FaultMissed { fault, reason } if *fault == index => {
                let fault = plan.faults[index].name.clone();
                Some(Caveat::FaultMissed { fault, at: entry.at, reason })
            }
            _ => None,
        })
    };
    (0..plan.faults.len()).filter_map(first_miss).collect()
}

/// Compares the first quarter of the quiet time after warm-up with the rest: a gateway that has
/// not filled up yet is faster at first. Says nothing if the rate itself changes.
fn warm_up(plan: &Plan, run: &Experiment) -> Option<Caveat> {
    let outcome = run.outcomes.first().filter(|_| has_one_rate(plan))?;
    let end = outcome.incidents.first().map_or(outcome.ended, |incident| incident.at);
    let rows = &outcome.timeline.as_ref()?.total;
    let from = rows.partition_point(|row| row.start < plan.run.warm_up);
    let to = rows.partition_point(|row| row.start + plan.run.bin <= end);
    let quiet = rows.get(from..to).filter(|quiet| quiet.len() >= QUIET_BINS)?;
    let (first, rest) = quiet.split_at(quiet.len() / 4);
    let (first, rest) = (mean_latency(first)?, mean_latency(rest)?);
    (first.as_secs() < 0.8 * rest.as_secs()).then_some(Caveat::WarmUpShort { first, rest })
}

fn has_one_rate(plan: &Plan) -> bool {
    let Traffic::Process(process) = &plan.traffic else { return false };
    process.corners.windows(2).all(|pair| pair[0].1 == pair[1].1)
}

fn mean_latency(rows: &[TotalRow]) -> Option<Span> {
    let known = || rows.iter().filter_map(|row| Some((row.latency?.mean.as_secs(), row.served)));
    let served: u64 = known().map(|(_, served)| served).sum();
    let sum: f64 = known().map(|(mean, served)| mean * served as f64).sum();
    (served > 0).then(|| Span::from_secs(sum / served as f64))
}

/// The least extreme percentile that too few requests exceed; those above it are no better.
fn few_samples(window: &WindowSummary, replications: usize) -> Option<Caveat> {
    let beyond = |q: f64| window.samples as f64 * (1.0 - q);
    let few = |(q, _): &&(f64, &str)| window.samples > 0 && beyond(*q) < BEYOND - 1e-6;
    let (q, percentile) = PERCENTILES.iter().find(few)?;
    let beyond = beyond(*q);
    let needed = (replications as f64 * BEYOND / beyond).ceil() as u64;
    Some(Caveat::FewSamples { window: window.label.clone(), percentile, beyond, needed })
}

fn wide(window: &WindowSummary, replications: usize) -> Option<Caveat> {
    let p99 = window.percentiles[3].filter(|p99| p99.point > 0.0)?;
    let reach = p99.half_width()? / p99.point;
    let needed = (replications as f64 * (reach / WIDE).powi(2)).ceil() as u64;
    (reach > WIDE).then(|| Caveat::WideInterval { window: window.label.clone(), reach, needed })
}

fn assumed(scenario: &Scenario) -> Option<Caveat> {
    // How long and how often to run is a choice, not something to find out.
    let is_fact = |path: &str| path.contains('.') && !path.starts_with("run.");
    let wanted = |s: &&Setting| s.mark == Mark::Assumed && is_fact(&s.path);
    let assumed = scenario.settings.iter().filter(wanted);
    let settings: Vec<_> = assumed
        .map(|setting| Assumption {
            path: setting.path.clone(),
            value: setting.value.clone(),
            source: setting.source.clone(),
        })
        .collect();
    (!settings.is_empty()).then_some(Caveat::Assumed { settings })
}

impl Caveat {
    /// One word for programs.
    pub fn key(&self) -> &'static str {
        match self {
            Caveat::Interrupted { .. } => "interrupted",
            Caveat::OneReplication => "one_replication",
            Caveat::WarmUpShort { .. } => "warm_up_short",
            Caveat::FewSamples { .. } => "few_samples",
            Caveat::WideInterval { .. } => "wide_interval",
            Caveat::Overload { .. } => "overload",
            Caveat::NoSpare { .. } => "no_spare",
            Caveat::MemoryOver { .. } => "memory_over",
            Caveat::Unrecovered { .. } => "unrecovered",
            Caveat::FaultMissed { .. } => "fault_missed",
            Caveat::Assumed { .. } => "assumed",
        }
    }

    /// What is the matter.
    pub fn message(&self) -> String {
        match self {
            Caveat::Interrupted { kept, asked, partial } => {
                let what = if *partial { "unfinished replications" } else { "replications" };
                format!("stopped early: the figures rest on {kept} of {asked} {what}")
            }
            Caveat::OneReplication => {
                "one replication shows no spread: no figure has an interval".to_owned()
            }
            Caveat::WarmUpShort { first, rest } => format!(
                "warm-up looks too short: mean latency {first} right after it, {rest} later"
            ),
            Caveat::FewSamples { window, percentile, beyond, .. } => format!(
                "{window}: {percentile} rests on {} slower requests; 10 are the least",
                grouped(*beyond, 1)
            ),
            Caveat::WideInterval { window, reach, .. } => {
                let percent = grouped(reach * 100.0, 0);
                format!("{window}: p99 is known only to ±{percent} %")
            }
            Caveat::Overload { rate, utilisation } => format!(
                "{rate} is {} % of what all replicas can carry: latency grows for as long as it \
                 lasts",
                grouped(utilisation * 100.0, 0)
            ),
            Caveat::NoSpare { utilisation, left } => format!(
                "with one replica less, the peak load is {} % of what {} can carry: a backlog \
                 builds up until the replacement serves",
                grouped(utilisation * 100.0, 0),
                plural(*left as u64, "replica")
            ),
            Caveat::MemoryOver { peak, limit } => format!(
                "requests in flight would take {peak} of a limit of {limit}; the model does not \
                 kill the replica, the kernel would"
            ),
            Caveat::Unrecovered { incidents } => {
                let incidents = plural(*incidents, "incident");
                format!("{incidents} not back to normal before the end of the run")
            }
            Caveat::FaultMissed { fault, at, reason } => {
                format!("fault {fault} had no effect at {at}: {reason}")
            }
            Caveat::Assumed { settings } => assumed_message(settings),
        }
    }

    /// What to do about it, if anything can be done.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Caveat::Interrupted { .. } => Some("let the run finish".to_owned()),
            Caveat::OneReplication => Some("--replications 10".to_owned()),
            Caveat::WarmUpShort { .. } => Some("raise run.warm-up".to_owned()),
            Caveat::FewSamples { needed, .. } | Caveat::WideInterval { needed, .. } => {
                Some(format!("--replications {needed}"))
            }
            Caveat::Overload { .. } | Caveat::NoSpare { .. } => {
                Some("raise gateway.replicas or choose a larger gateway.tier".to_owned())
            }
            Caveat::MemoryOver { .. } => {
                Some("raise gateway.memory or gateway.replicas".to_owned())
            }
            Caveat::Unrecovered { .. } => Some("raise run.horizon".to_owned()),
            Caveat::FaultMissed { .. } => Some("check the fault's time and target".to_owned()),
            Caveat::Assumed { .. } => {
                Some("write down your own; brownout check --settings says more".to_owned())
            }
        }
    }
}

fn assumed_message(settings: &[Assumption]) -> String {
    let one = |s: &Assumption| format!("{} = {}", s.path, s.value);
    let list: Vec<_> = settings.iter().map(one).collect();
    format!("assumed by default, because nothing is published: {}", list.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{sample, summary::summarize};
    use crate::report;

    fn keys(scenario: &Scenario, run: &Experiment) -> Vec<&'static str> {
        let summary = summarize(&scenario.plan, &run.outcomes);
        find(scenario, run, &summary).iter().map(Caveat::key).collect()
    }

    #[test]
    fn a_sound_experiment_has_only_its_assumptions_and_its_rare_events() {
        let found = keys(&report::sample::scenario(), &sample::experiment());
        assert_eq!(found, ["fault_missed", "few_samples", "assumed"]);
    }

    #[test]
    fn an_interrupted_single_replication_says_so() {
        let mut run = sample::experiment();
        run.outcomes.truncate(1);
        run.interrupted = true;
        let found = keys(&report::sample::scenario(), &run);
        assert_eq!(found[..2], ["interrupted", "one_replication"]);
    }

    #[test]
    fn load_above_capacity_is_told_from_load_above_what_survives() {
        let key = |rate| {
            let mut scenario = report::sample::scenario();
            let Traffic::Process(process) = &mut scenario.plan.traffic else { unreachable!() };
            process.corners[0].1 = Rate(rate);
            capacity(&scenario.plan).map(|caveat| caveat.key())
        };
        assert_eq!((key(90.0), key(110.0), key(210.0)), (None, Some("no_spare"), Some("overload")));
    }

    #[test]
    fn memory_over_the_limit_and_incidents_without_end_are_told() {
        let (mut scenario, mut run) = (report::sample::scenario(), sample::experiment());
        scenario.plan.gateway.memory.as_mut().unwrap().limit = Bytes(10 << 20);
        sample::change_incident(&mut run.outcomes[0], |incident| incident.normal = None);
        let found = keys(&scenario, &run);
        assert_eq!(found[..2], ["memory_over", "unrecovered"]);
    }

    #[test]
    fn a_gateway_that_still_fills_up_after_warm_up_is_noticed() {
        let mut run = sample::experiment();
        let plan = Plan { faults: vec![], ..sample::plan() };
        run.outcomes[0].incidents.clear();
        assert_eq!(warm_up(&plan, &run), None);
        let rows = &mut run.outcomes[0].timeline.as_mut().unwrap().total;
        let rows_early = rows[..19].iter_mut().filter_map(|row| row.latency.as_mut());
        rows_early.for_each(|latency| latency.mean = Span::from_secs(0.01));
        let found = warm_up(&plan, &run).unwrap();
        assert_eq!(found.remedy().unwrap(), "raise run.warm-up");
    }
}
