//! What a recorder is told before it begins.

use crate::observe::ApiId;
use crate::units::{Instant, Span};

/// What a recorder is told of the plan: nothing but extents and sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    /// Index of the replication.
    pub replication: u64,
    /// When each window is open, and whose requests count in it.
    pub windows: Vec<ScopeWindow>,
    /// Number of APIs, if they are told apart; else zero.
    pub apis: usize,
    /// Number of faults in the plan.
    pub faults: usize,
    /// Which of them exchange replicas for others in other slots, so that only how many serve says
    /// what they took.
    pub exchanges: Vec<bool>,
    /// The region that each fault strikes, of several.
    pub struck: Vec<Option<StruckRegion>>,
    /// How many regions there are, if there are several; else zero.
    pub regions: usize,
    /// End of warm-up.
    pub warm_up: Instant,
    /// Width of a bin.
    pub bin: Span,
    /// The way back from replica to client, added to every latency.
    pub hop: Span,
    /// Cores of a replica, of each region in turn.
    pub cores: Vec<f64>,
    /// Whether boots take CPU, so that it counts as there for them.
    pub boots_take_cpu: bool,
    /// Whether requests feed back, so that attempts are counted apart from requests.
    pub feeds_back: bool,
    /// The length, not zero, of the intervals by which the run is followed; `None` = not at all.
    pub interval: Option<Span>,
}

impl Scope {
    /// The cores of the replica of a slot: regions have every so manieth of them.
    pub(super) fn cores_of(&self, slot: usize) -> f64 {
        self.cores[slot % self.cores.len()]
    }
}

/// A region that a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StruckRegion {
    /// Which.
    pub region: usize,
    /// Whether clients are to be led away from it, whatever is found out.
    pub is_left: bool,
    /// Whether it serves nobody meanwhile.
    pub is_lost: bool,
}

/// A window of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopeWindow {
    /// When it is open.
    pub extent: WindowExtent,
    /// The API whose requests count in it; `None` = those of all.
    pub api: Option<ApiId>,
}

/// When a window is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowExtent {
    /// From the first instant (inclusive) to the second (exclusive).
    Between(Instant, Instant),
    /// While an incident of this fault is in progress.
    During(usize),
}

impl WindowExtent {
    /// Whether an incident of `fault` that began at `at` belongs to the window.
    pub fn holds(self, fault: usize, at: Instant) -> bool {
        match self {
            WindowExtent::Between(from, to) => from <= at && at < to,
            WindowExtent::During(other) => other == fault,
        }
    }
}

/// What to keep beside the figures; it costs memory in proportion to bins, events and samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// A few figures of every bin.
    pub trace: bool,
    /// The timeline.
    pub timeline: bool,
    /// The journal.
    pub journal: bool,
    /// Every n-th request.
    pub requests_every: Option<u64>,
}

impl Keep {
    /// The same without what a checkpoint does not hold.
    pub fn without_details(self) -> Self {
        Keep { trace: self.trace, ..Keep::default() }
    }

    /// Whether anything is kept that a checkpoint does not hold.
    pub fn has_details(&self) -> bool {
        self.timeline || self.journal || self.requests_every.is_some()
    }
}
