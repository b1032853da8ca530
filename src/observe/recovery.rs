//! What became of a run once what troubled it was gone.

use serde::{Deserialize, Serialize};

use super::time_series::IntervalStats;
use crate::units::{Instant, Span};

/// What became of a run after its trigger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Stability {
    /// There was no trigger.
    #[default]
    Untroubled,
    /// All was as before, so long after the trigger was over.
    Recovered {
        /// From the end of the trigger to the first of the good windows.
        after: Span,
    },
    /// It was neither as before nor stuck.
    Degraded,
    /// Less than half of what was answered before was answered at the end, without the trigger.
    Stuck,
    /// The run does not say.
    Unclear(Unclear),
}

/// Why a run does not say whether it came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unclear {
    /// There are less than 20 s before the trigger, or nothing was answered in them.
    NothingBefore,
    /// In the time before the trigger one request in ten or more failed or was not answered: a
    /// gateway that did not work then has nothing to come back to.
    AbnormalBefore,
    /// The trigger was not over at the end, or there were more incidents than are followed.
    TriggerLasts,
    /// There are less than two windows after the trigger.
    TooShort,
}

impl Unclear {
    /// All reasons.
    pub const ALL: [Unclear; 4] =
        [Unclear::NothingBefore, Unclear::AbnormalBefore, Unclear::TriggerLasts, Unclear::TooShort];
}

impl Stability {
    /// The word that files and reports use.
    pub fn label(self) -> &'static str {
        match self {
            Stability::Untroubled => "untroubled",
            Stability::Recovered { .. } => "recovered",
            Stability::Degraded => "degraded",
            Stability::Stuck => "stuck",
            Stability::Unclear(_) => "unclear",
        }
    }
}

/// What troubled a run: from when, and until when if that was seen.
pub type Trigger = (Instant, Option<Instant>);

/// What became of a run after its trigger, with what that rests on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunRecovery {
    /// The finding.
    pub stability: Stability,
    /// What troubled it.
    pub trigger: Option<Trigger>,
    /// What was normal.
    pub before: IntervalStats,
    /// The last part.
    pub last: IntervalStats,
}
