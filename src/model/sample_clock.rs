//! When replicas are sampled, and how far a replication has told that it is.

use crate::engine::progress::Progress;
use crate::observe::Reading;
use crate::plan::Run;
use crate::units::{Instant, SECOND, Span};

/// When replicas are sampled, and how far the progress has been noted.
#[derive(Debug)]
pub(super) struct Sampling {
    pub interval: Span,
    pub readings: Vec<Reading>,
    noted: Instant,
}

/// How often replicas are sampled: every second, so that incidents end at the same time however
/// long the run is; less often in runs of more than two million seconds, more often if bins are
/// narrower.
fn interval(run: &Run) -> Span {
    let fits =
        |every: &Span| run.bin.0.is_multiple_of(every.0) && run.horizon.0 / every.0 <= 2_000_000;
    let seconds = [1, 2, 5, 10, 30, 60, 300].map(|seconds| Span(seconds * SECOND));
    seconds.into_iter().find(fits).unwrap_or(run.bin)
}

impl Sampling {
    pub fn new(run: &Run) -> Self {
        assert!(run.bin > Span::ZERO, "a bin of no time never ends");
        Sampling { interval: interval(run), readings: Vec::new(), noted: Instant::ZERO }
    }

    /// Tells how far the replication is, and how many requests were offered meanwhile.
    pub fn note_progress(&mut self, at: Instant, offered: u64, progress: &Progress) {
        assert!(at >= self.noted, "the progress goes back from {} to {at}", self.noted);
        let passed = at.since(std::mem::replace(&mut self.noted, at));
        progress.advance(passed.0, offered);
    }
}
