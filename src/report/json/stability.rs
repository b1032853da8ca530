//! Whether replications came back, in `summary.json`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Estimate, estimate};
use crate::experiment::stability::{Feedback, StabilitySummary};
use crate::observe::aftermath::Unclear;

/// Probabilities are over the replications that had a trigger and say what became of it.
#[derive(Serialize)]
pub(super) struct StabilityPart {
    recovered: Option<Estimate>,
    degraded: Option<Estimate>,
    stuck: Option<Estimate>,
    untroubled: u64,
    unclear: BTreeMap<&'static str, u64>,
    recovered_after_s: Option<Estimate>,
    goodput_before: Option<Estimate>,
    goodput_last: Option<Estimate>,
    held_by: Vec<FeedbackPart>,
}

#[derive(Serialize)]
struct FeedbackPart {
    what: &'static str,
    before: Option<Estimate>,
    last: Option<Estimate>,
}

pub(super) fn stability(found: &StabilitySummary) -> StabilityPart {
    let plain = |e: &Option<crate::stats::Estimate>| estimate(e.as_ref(), 1.0);
    let feedback = |feedback: &Feedback| FeedbackPart {
        what: feedback.of.key(),
        before: estimate(Some(&feedback.before), 1.0),
        last: estimate(Some(&feedback.last), 1.0),
    };
    StabilityPart {
        recovered: plain(&found.recovered.estimate),
        degraded: plain(&found.degraded.estimate),
        stuck: plain(&found.stuck.estimate),
        untroubled: found.untroubled,
        unclear: found.unclear.iter().map(|(why, count)| (reason(*why), *count)).collect(),
        recovered_after_s: plain(&found.recovered_after),
        goodput_before: plain(&found.goodput.0),
        goodput_last: plain(&found.goodput.1),
        held_by: found.held_by.iter().map(feedback).collect(),
    }
}

fn reason(why: Unclear) -> &'static str {
    match why {
        Unclear::NothingBefore => "nothing_before",
        Unclear::TriggerLasts => "trigger_lasts",
        Unclear::TooShort => "too_short",
    }
}
