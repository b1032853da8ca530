//! What is kept apart for each API, where they are told apart: a list begins with the sum of all
//! requests, and a sum for each API follows. A request counts in the first and in that of its API.

use super::live::Live;
use crate::observe::ApiId;
use crate::observe::histogram::Histogram;
use crate::observe::timeline::{ApiRow, Latency};

/// The sums in which a request for this API counts.
#[inline(always)]
pub(super) fn sums_of<T>(sums: &mut [T], api: ApiId) -> impl Iterator<Item = &mut T> {
    let (all, by_api) = sums.split_at_mut(1);
    all.iter_mut().chain(by_api.get_mut(api as usize))
}

/// What gathers of the requests of one API: since the last cut, and in the current bin.
#[derive(Clone, Debug, Default)]
pub(super) struct ApiFlow {
    /// As [`super::Recorder::live`] of all, which has nothing of these requests until the cut.
    pub live: Live,
    /// As [`super::Recorder::late`] of all.
    pub late: Histogram,
    bin: Histogram,
    /// Its latency and answers are in `bin`.
    pub row: ApiRow,
}

impl ApiFlow {
    /// Puts what gathered since the last cut into the bin, and what of it is live into `all`.
    pub fn cut(&mut self, all: &mut Live) {
        self.bin.merge(&self.live.answered);
        self.row.offered += self.live.offered;
        self.live.move_to(all);
        self.bin.merge(&self.late);
        self.late.clear();
    }

    /// Adds the requests that were sent since the last bin ended to its row.
    pub fn add_to(&self, row: &mut ApiRow) {
        row.offered += self.row.offered;
    }

    /// Ends a bin and gives its row.
    pub fn end_bin(&mut self) -> ApiRow {
        let (served, latency) = (self.bin.count(), Latency::of(&self.bin));
        self.bin.clear();
        ApiRow { served, latency, ..std::mem::take(&mut self.row) }
    }
}
