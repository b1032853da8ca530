//! How often a fault that strikes at random was seen to.

use serde::{Deserialize, Serialize};

use crate::units::Span;

/// What a window of one replication shows of a fault that strikes at random.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Strikes {
    /// Index of the fault in the plan.
    pub fault: usize,
    /// Whether the window is there for its incidents.
    #[serde(default)]
    pub own: bool,
    /// Its incidents that were in progress at some time of the window.
    pub struck: u64,
    /// The longest of them; as long as the window if one was not over.
    pub longest: Span,
    /// How often it strikes in a second, at most; `None` if its law does not say.
    pub rate: Option<f64>,
    /// The share of the window that may be expected to come after the fault has struck once.
    pub after: f64,
}
