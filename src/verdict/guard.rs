//! What a judgement is worth when some requests failed or were never answered.

use crate::metric::estimator::{self, Unanswered};
use crate::metric::percentile::too_few_beyond;
use crate::objective::Objective;
use crate::observe::outcome::WindowOutcome;
use crate::stats::Confidence;
use crate::verdict::judgement::{Doubt, Verdict, judge};

/// What a percentile that seems to be met is worth.
pub(crate) fn percentile(q: f64, windows: &[&WindowOutcome]) -> Verdict {
    let answered: u64 = windows.iter().map(|window| window.latency.count()).sum();
    let failed: u64 = windows.iter().map(|window| window.ledger.failed() + window.unanswered).sum();
    let share = failed as f64 / (answered + failed).max(1) as f64;
    if share > 1.0 - q {
        Verdict::Undecided(Doubt::Failed(share))
    } else if too_few_beyond(answered, q).is_some() {
        Verdict::Undecided(Doubt::FewBeyond)
    } else {
        Verdict::Met
    }
}

/// The share of the requests that nobody ever answered.
fn unanswered(windows: &[&WindowOutcome]) -> f64 {
    let unanswered: u64 = windows.iter().map(|window| window.unanswered).sum();
    let offered: u64 = windows.iter().map(|window| window.ledger.offered).sum();
    unanswered as f64 / offered.max(1) as f64
}

/// What a mean that seems to be low enough is worth: requests without an answer would raise it.
pub(crate) fn mean(windows: &[&WindowOutcome]) -> Verdict {
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
