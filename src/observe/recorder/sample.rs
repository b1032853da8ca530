//! Every n-th request with its stages.

use std::collections::BTreeMap;

use crate::observe::ledger::Failure;
use crate::observe::outcome::RequestRecord;
use crate::observe::{Sent, Served};
use crate::units::Instant;

/// Sampled requests, by number.
#[derive(Clone, Debug)]
pub(super) struct RequestSample {
    every: u64,
    seen: u64,
    records: Vec<RequestRecord>,
    /// Those without an outcome, by sending time, which no two requests share.
    open: BTreeMap<Instant, usize>,
}

impl RequestSample {
    pub fn new(every: Option<u64>) -> Self {
        let every = every.unwrap_or(u64::MAX).max(1);
        RequestSample { every, seen: 0, records: Vec::new(), open: BTreeMap::new() }
    }

    pub fn offered(&mut self, Sent { at: sent, api }: Sent) {
        let number = self.seen;
        self.seen += 1;
        if number.is_multiple_of(self.every) {
            self.open.insert(sent, self.records.len());
            self.records.push(RequestRecord {
                number,
                sent,
                api,
                taken: None,
                demand: None,
                ended: None,
                failure: None,
            });
        }
    }

    pub fn served(&mut self, request: &Served, over: bool) {
        if let Some(record) = self.close(request.sent) {
            record.taken = Some((request.arrived, request.replica));
            record.demand = Some(request.demand);
            record.ended = (!over).then_some(request.finished);
        }
    }

    pub fn failed(&mut self, sent: Instant, at: Instant, failure: Failure) {
        if let Some(record) = self.close(sent) {
            (record.ended, record.failure) = (Some(at), Some(failure));
        }
    }

    fn close(&mut self, sent: Instant) -> Option<&mut RequestRecord> {
        self.open.remove(&sent).map(|index| &mut self.records[index])
    }

    pub fn finish(self) -> Vec<RequestRecord> {
        self.records
    }
}
