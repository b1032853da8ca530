//! Whether verdicts are true where what counts comes seldom: with faults that strike at random, of
//! which an experiment may see none.
//!
//! Each case is an experiment that is made with many seeds. The truth is the figure of all their
//! replications together. Counted are the 95 % intervals that hold it, and the verdicts on bounds
//! near it and far from it that are false: met though missed in truth, or missed though met. Beside
//! them stands what was counted before strikes were: the same without them.
//!
//! `BROWNOUT_SUITE=all cargo test --release --test statistics rare -- --nocapture` makes 200
//! experiments of every case, with the rows of the table in `docs/STATISTICS.md`. A sample makes
//! 40 of some, with less load. Where a third of the verdicts is false, as it was, it finds that in
//! more than 999 of 1,000 cases.

mod cases;

use std::path::Path;

use brownout::experiment::runner::{Retention, Runner};
use brownout::experiment::{Experiment, Progress, SequenceEnd, store};
use brownout::metric::Metric;
use brownout::objective::{Bound, Objective, Relation};
use brownout::observe::outcome::Outcome;
use brownout::scenario::{Scenario, read};
use brownout::stats::Confidence;
use brownout::study::precision::{self, Precision};
use brownout::units::{Share, Span};
use brownout::verdict::{Verdict, judge_all};
use cases::Case;
use rayon::prelude::*;

use crate::common;
use crate::{Effort, effort};

/// Bounds as multiples of the truth; those above one are met. Of an availability it is what lacks.
const FACTORS: [f64; 6] = [0.2, 0.5, 0.9, 1.1, 2.0, 5.0];

/// The bounds that must be decided where faults are frequent.
const CLEAR: [usize; 2] = [1, 4];

/// A scenario with an objective on a figure; the bound does not matter.
fn scenario(case: &Case, rate: &str, figure: &str) -> Scenario {
    let bound = match figure {
        "availability" => ">= 99%",
        "cpu" | "cpu as monitored" => "< 99%",
        _ => "< 1s",
    };
    let objectives = format!("question = \"?\"\nobjectives = [\"{figure} {bound}\"]\n");
    let text = objectives + &case.text.replace("RATE", rate);
    let checked = read::parse(case.name, &text, Path::new("."));
    checked.scenario.unwrap_or_else(|| panic!("{}: unsound", case.name))
}

/// The replications of experiments with so many seeds.
fn experiments(case: &Case, rate: &str, seeds: u64) -> Vec<Experiment> {
    let plan = scenario(case, rate, case.figures[0]).plan;
    let one = |seed| {
        let mut plan = plan.clone();
        plan.run.seed = seed;
        let count = case.replications as u64;
        let outcomes = (0..count).map(|index| common::replicate(&plan, index)).collect();
        let (interrupted, asked, sequence) = (false, case.replications, None);
        Experiment { outcomes, interrupted, asked, confidence: Confidence::USUAL, sequence }
    };
    (1..=seeds).into_par_iter().map(one).collect()
}

/// As if nothing struck at random.
fn without_strikes(run: &Experiment) -> Experiment {
    let mut run = run.clone();
    let windows = run.outcomes.iter_mut().flat_map(|outcome| &mut outcome.windows);
    windows.for_each(|window| window.strikes.clear());
    run
}

fn objective(metric: Metric, truth: f64, factor: f64) -> Objective {
    let (relation, bound) = match metric.is_share() {
        true if metric.is_better_high() => {
            (Relation::AtLeast, Bound::Share(Share(1.0 - (1.0 - truth) * factor)))
        }
        true => (Relation::AtMost, Bound::Share(Share(truth * factor))),
        false => (Relation::AtMost, Bound::Span(Span::from_secs(truth * factor))),
    };
    Objective { text: String::new(), metric, relation, bound, window: 0 }
}

/// What was counted of a figure.
#[derive(Debug, Default)]
struct Count {
    /// Experiments that have it.
    all: usize,
    /// Those whose interval lies below the truth, or above it.
    off: usize,
    /// False verdicts, and all that are decided, for each bound.
    wrong: [usize; FACTORS.len()],
    decided: [usize; FACTORS.len()],
}

impl Count {
    fn of(runs: &[Experiment], metric: Metric, truth: f64) -> Count {
        let mut found = Count::default();
        for run in runs {
            let Some(figure) = metric.estimate(&run.outcomes, 0, run.confidence) else { continue };
            found.all += 1;
            let holds = figure.interval.is_none_or(|i| i.low <= truth && truth <= i.high);
            found.off += usize::from(!holds);
            for (index, factor) in FACTORS.into_iter().enumerate() {
                let verdict = judge_all(run, &[objective(metric, truth, factor)])[0].verdict;
                let right = if factor < 1.0 { Verdict::Missed } else { Verdict::Met };
                let is_decided = matches!(verdict, Verdict::Met | Verdict::Missed);
                found.decided[index] += usize::from(is_decided);
                found.wrong[index] += usize::from(is_decided && verdict != right);
            }
        }
        found
    }

    fn share(&self, count: usize) -> f64 {
        count as f64 / self.all.max(1) as f64
    }

    /// The share of the intervals that hold the truth.
    fn hold(&self) -> f64 {
        self.share(self.all - self.off)
    }

    /// The share of false verdicts at the bound where it is greatest.
    fn wrong(&self) -> f64 {
        self.share(self.wrong.into_iter().max().unwrap_or(0))
    }

    /// The share of the verdicts on bounds at half the truth and twice the truth that are decided.
    fn clear(&self) -> [f64; 2] {
        CLEAR.map(|bound| self.share(self.decided[bound]))
    }

    fn cells(&self) -> String {
        let percent = |share: f64| format!("{:.1}", 100.0 * share);
        let [half, twice] = self.clear().map(percent);
        format!("{} | {} | {half}, {twice}", percent(self.hold()), percent(self.wrong()))
    }

    /// What is not as it must be, as far as so many experiments tell: within 1.645 standard errors,
    /// which one of twenty that are just good enough exceed.
    fn flaws(&self, before: &Count, frequent: bool) -> Vec<String> {
        let noise = |share: f64| 1.645 * (share * (1.0 - share) / self.all as f64).sqrt();
        let mut flaws = Vec::new();
        if self.hold() < 0.93 - noise(0.93) {
            flaws.push(format!("{:.3} hold the truth", self.hold()));
        }
        if self.wrong() > 0.03 + noise(0.03) {
            flaws.push(format!("{:.3} of the verdicts are false", self.wrong()));
        }
        let (clear, known) = (self.clear(), before.clear());
        if frequent && clear.iter().zip(known).any(|(now, before)| *now < 0.9 * before) {
            flaws.push(format!("{clear:.2?} are decided, not {known:.2?}"));
        }
        flaws
    }
}

/// Makes the experiments of a case and fails with all that is not as it must be.
fn expect_true_verdicts(case: &Case) {
    let (rate, seeds) = match (effort(), case.rates) {
        (Effort::Full, (rate, _)) => (rate, 200),
        (Effort::Sample, (_, Some(rate))) => (rate, 40),
        (Effort::Sample, _) => return println!("{}: not in the sample", case.name),
    };
    let runs = experiments(case, rate, seeds);
    let before: Vec<Experiment> = runs.iter().map(without_strikes).collect();
    let all: Vec<Outcome> = runs.iter().flat_map(|run| run.outcomes.clone()).collect();
    let mut flaws = Vec::new();
    for figure in case.figures {
        let metric = scenario(case, rate, figure).objectives[0].metric;
        let truth = metric.estimate(&all, 0, Confidence::USUAL).expect("data").point;
        let (before, now) = (Count::of(&before, metric, truth), Count::of(&runs, metric, truth));
        let cells = (before.cells(), now.cells());
        println!("| {} | {figure} {truth:.7} | {} | {} |", case.name, cells.0, cells.1);
        let found = now.flaws(&before, case.frequent);
        flaws.extend(found.into_iter().map(|flaw| format!("{figure}: {flaw}")));
    }
    assert!(flaws.is_empty(), "{}: {}", case.name, flaws.join("; "));
}

#[test]
fn of_a_node_that_is_seldom_lost() {
    expect_true_verdicts(&cases::NODE);
}

#[test]
fn of_a_tail_that_one_strike_makes() {
    expect_true_verdicts(&cases::TAIL);
}

#[test]
fn of_a_busy_minute_that_most_runs_do_not_see() {
    expect_true_verdicts(&cases::BUSY);
}

#[test]
fn of_crashes_that_most_runs_do_not_see() {
    expect_true_verdicts(&cases::CRASH);
}

#[test]
fn of_a_day_of_three_kinds_of_faults() {
    expect_true_verdicts(&cases::DAY);
}

#[test]
fn of_a_frequent_fault_beside_a_rare_one() {
    expect_true_verdicts(&cases::TWO);
}

#[test]
fn of_faults_at_the_same_time() {
    expect_true_verdicts(&cases::TOGETHER);
}

#[test]
fn of_a_frequent_fault() {
    expect_true_verdicts(&cases::OFTEN);
}

#[test]
fn of_a_fault_that_is_not_at_random() {
    expect_true_verdicts(&cases::NEVER);
}

/// Replications do not go on until they are enough while the fault has not struck: they are not.
#[test]
fn what_never_struck_is_not_known_precisely() {
    let progress = Progress::default();
    let runner = Runner::new(None, &progress, &store::NoStore).expect("threads");
    let mut unstruck = 0;
    for seed in 1..=4 {
        let mut scenario = scenario(&cases::NODE, "0.1/s", "availability");
        scenario.objectives[0].bound = Bound::Share(Share(0.999));
        scenario.plan.run.seed = seed;
        let precision = Precision { relative: 0.5, most: 20 };
        let run = precision::run(&runner, &scenario, precision, Retention::None);
        let strikes: u64 = run.outcomes.iter().map(|o| o.windows[0].strikes[0].struck).sum();
        let end = run.sequence.map(|sequence| sequence.end);
        if strikes == 0 {
            unstruck += 1;
            assert_eq!(end, Some(SequenceEnd::Most), "seed {seed}");
        }
    }
    assert!(unstruck > 0, "the fault struck with every seed");
}
