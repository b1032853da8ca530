//! What a judgement is worth when some requests were never answered, or too few tell of it.

use crate::metric::estimator::{self, Unanswered};
use crate::metric::evidence::{Evidence, Seldom};
use crate::metric::percentile::{self, Among, too_few_beyond};
use crate::objective::Objective;
use crate::observe::outcome::{Outcome, WindowOutcome};
use crate::stats::Confidence;
use crate::verdict::judgement::{Doubt, FewStrikes, Verdict, judge};

/// What a percentile that seems to be met is worth. One of the served requests must be met also if
/// those that nobody answered had been served later than any other.
pub(crate) fn percentile(
    objective: &Objective,
    (q, among): (f64, Among),
    windows: &[&WindowOutcome],
    confidence: Confidence,
) -> Verdict {
    let count = windows.iter().map(|window| among.count(window)).sum();
    let open = || percentile::estimate(windows, q, Among::NotFailed, confidence);
    if among == Among::Served && judge(objective, open().as_ref()) != Verdict::Met {
        Verdict::Undecided(Doubt::Unanswered(unanswered(windows)))
    } else if too_few_beyond(count, q).is_some() {
        Verdict::Undecided(Doubt::FewBeyond)
    } else {
        Verdict::Met
    }
}

/// The share of the requests that nobody ever answered.
fn unanswered(windows: &[&WindowOutcome]) -> f64 {
    share(windows, |window| window.unanswered)
}

/// The share of the requests that these counts are.
fn share(windows: &[&WindowOutcome], count: impl Fn(&WindowOutcome) -> u64) -> f64 {
    let counted: u64 = windows.iter().map(|window| count(window)).sum();
    let offered: u64 = windows.iter().map(|window| window.ledger.offered).sum();
    counted as f64 / offered.max(1) as f64
}

/// Of the requests, the share that was rejected.
pub(crate) fn rejected(windows: &[&WindowOutcome]) -> f64 {
    share(windows, |window| window.ledger.rejected())
}

/// The share of the requests that failed or that nobody ever answered, of those that have an
/// outcome or nobody answered.
pub(crate) fn without_latency(windows: &[&WindowOutcome]) -> f64 {
    let sum = |of: fn(&WindowOutcome) -> u64| windows.iter().map(|w| of(w)).sum::<u64>() as f64;
    sum(|w| Among::Sent.endless(w)) / sum(|w| Among::Sent.count(w)).max(1.0)
}

/// What a mean or a greatest latency that seems to be low enough is worth: requests without an
/// answer would raise it.
pub(crate) fn answered(windows: &[&WindowOutcome]) -> Verdict {
    match unanswered(windows) {
        0.0 => Verdict::Met,
        share => Verdict::Undecided(Doubt::Unanswered(share)),
    }
}

/// A judgement on availability stands only if it stands whatever became of the requests that
/// nobody answered.
pub(crate) fn availability(
    objective: &Objective,
    verdict: Verdict,
    windows: &[&WindowOutcome],
    confidence: Confidence,
) -> Verdict {
    let if_counted = |unanswered| {
        let counted = estimator::availability(windows, unanswered, confidence);
        judge(objective, counted.as_ref()) == verdict
    };
    match if_counted(Unanswered::Failed) && if_counted(Unanswered::Served) {
        true => verdict,
        false => Verdict::Undecided(Doubt::Unanswered(unanswered(windows))),
    }
}

/// Why an objective is undecided: because a fault struck too seldom, if there is no data without
/// it, or if what was seen would decide had there been no such fault.
pub(crate) fn few_strikes(
    objective: &Objective,
    verdict: Verdict,
    outcomes: &[Outcome],
    confidence: Confidence,
) -> Verdict {
    let windows = estimator::windows(outcomes, objective.window);
    let lacking = Evidence::of(&windows, confidence).and_then(|evidence| evidence.lacking());
    let Some(Seldom { fault, struck, needed, .. }) = lacking else { return verdict };
    let is_its_doing = || {
        let mut seen = outcomes.to_vec();
        let windows = seen.iter_mut().flat_map(|outcome| &mut outcome.windows);
        windows.for_each(|window| window.strikes.clear());
        let figure = objective.metric.estimate(&seen, objective.window, confidence);
        !matches!(judge(objective, figure.as_deref()), Verdict::Undecided(_))
    };
    match verdict == Verdict::Undecided(Doubt::NoData) && struck == 0 || is_its_doing() {
        true => Verdict::Undecided(Doubt::FewStrikes(FewStrikes { fault, struck, needed })),
        false => verdict,
    }
}
