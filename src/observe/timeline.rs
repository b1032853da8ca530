//! The timeline of one replication: a row for every bin of simulated time, for the whole gateway
//! and for each replica.

use serde::{Deserialize, Serialize};

use super::count::Counts;
use super::histogram::Histogram;
use super::ledger::{ByFailure, Failure, failed_and_rejected};
use super::{ReplicaId, State};
use crate::units::{Instant, Share, Span};

/// One replication, bin by bin. Requests count in the bin in which their outcome is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// Width of a bin; the last may be shorter.
    pub bin: Span,
    /// The whole gateway, one row per bin, without gaps.
    pub total: Vec<TotalRow>,
    /// Each API in turn, one row per bin; empty unless they are told apart.
    pub by_api: Vec<ApiRow>,
    /// Each replica, one row per bin while it exists; ordered by bin, then replica.
    pub by_replica: Vec<ReplicaRow>,
    /// Every replica that existed.
    pub replicas: Vec<ReplicaLife>,
}

/// The whole gateway in one bin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TotalRow {
    /// Start of the bin.
    pub start: Instant,
    /// Requests that reached the ingress.
    pub offered: u64,
    /// Attempts made; 0 unless requests feed back.
    pub attempts: u64,
    /// What happened in the bin, by kind; indexed by `Count as usize`.
    pub counts: Counts,
    /// Requests answered.
    pub served: u64,
    /// Requests that failed or were rejected.
    pub failures: ByFailure,
    /// Latency of the requests answered in this bin; `None` if there were none.
    pub latency: Option<Latency>,
    /// Requests in replicas at the end of the bin.
    pub in_flight: u64,
    /// Replicas in rotation at the end of the bin.
    pub in_rotation: usize,
    /// CPU in use: work done over the capacity of the replicas that could work; `None` without any.
    pub cpu: Option<f64>,
    /// Replicas that the autoscaler wanted last; `None` without one.
    pub wanted: Option<usize>,
    /// CPU of what replicas request, as it saw it last; `None` if it saw nothing.
    pub cpu_seen: Option<f64>,
}

impl TotalRow {
    /// Requests that failed.
    pub fn failed(&self) -> u64 {
        failed_and_rejected(&self.failures).0
    }
}

/// The requests for one API in one bin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ApiRow {
    /// Requests that reached the ingress.
    pub offered: u64,
    /// Requests answered.
    pub served: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Requests that were rejected on purpose.
    pub rejected: u64,
    /// Latency of the requests answered in this bin; `None` if there were none.
    pub latency: Option<Latency>,
    /// Of a region: the share of all clients that send to it at the end of the bin.
    pub clients: Option<f64>,
}

impl ApiRow {
    /// A request failed or was rejected.
    pub(super) fn fail(&mut self, failure: Failure) {
        match failure.is_rejection() {
            true => self.rejected += 1,
            false => self.failed += 1,
        }
    }
}

/// What is kept of a bin of every replication, so that it can be seen how far they differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BinTrace {
    /// Requests answered.
    pub served: u64,
    /// Requests failed; what a policy rejects does not.
    pub failed: u64,
    /// 99th percentile of the latency of the requests answered in this bin.
    pub p99: Option<Span>,
    /// Mean latency of the same requests.
    pub mean: Option<Span>,
}

/// Latency figures of the requests that were answered in a bin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latency {
    /// Their mean.
    pub mean: Span,
    /// Their median.
    pub p50: Span,
    /// Their 95th percentile.
    pub p95: Span,
    /// Their 99th percentile.
    pub p99: Span,
}

impl Latency {
    /// The figures of a histogram; `None` when it is empty.
    pub(super) fn of(answered: &Histogram) -> Option<Latency> {
        Some(Latency {
            mean: answered.mean()?,
            p50: answered.quantile(0.50)?,
            p95: answered.quantile(0.95)?,
            p99: answered.quantile(0.99)?,
        })
    }
}

/// One replica in one bin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReplicaRow {
    /// Index of the bin (row of [`Timeline::total`]).
    pub bin: usize,
    /// Which replica.
    pub replica: ReplicaId,
    /// Requests that reached it.
    pub arrived: u64,
    /// Requests it answered.
    pub served: u64,
    /// Requests it has at the end of the bin.
    pub in_flight: u64,
    /// CPU in use, as a share of its cores.
    pub cpu: f64,
    /// Its state at the end of the bin.
    pub state: State,
}

/// The life of a replica.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaLife {
    /// Its name, such as `b-1`: the zone and a number.
    pub name: String,
    /// Its zone (index into the plan's zones).
    pub zone: usize,
    /// Its slot.
    pub slot: usize,
    /// States entered, in order of time.
    pub states: Vec<(Instant, State)>,
    /// When it entered (`true`) or left (`false`) the rotation.
    pub rotation: Vec<(Instant, bool)>,
    /// Changes of its speed: the share of its CPU that it works at.
    pub speed: Vec<(Instant, Share)>,
}

impl Timeline {
    /// CPU of the whole gateway as a dashboard with buckets of `bucket` shows it while a row lasts:
    /// the average over the last bucket that is over by then. `None` before one is, or if no row of
    /// it has a value.
    pub fn monitored(&self, bucket: Span) -> Vec<Option<f64>> {
        let values = self.total.iter().enumerate().map(|(bin, row)| (bin, row.cpu));
        let by_bin = monitored(values, self.bin, bucket);
        by_bin.into_iter().map(|(_, value)| value).collect()
    }

    /// The same for each row of [`Timeline::by_replica`]: the average over that replica's rows in
    /// that bucket.
    pub fn monitored_by_replica(&self, bucket: Span) -> Vec<Option<f64>> {
        let mut rows_of = vec![Vec::new(); self.replicas.len()];
        for (index, row) in self.by_replica.iter().enumerate() {
            rows_of[row.replica].push(index);
        }
        let mut seen = vec![None; self.by_replica.len()];
        for rows in rows_of {
            let row = |index: &usize| &self.by_replica[*index];
            let values = rows.iter().map(|index| (row(index).bin, Some(row(index).cpu)));
            let averaged = monitored(values, self.bin, bucket);
            rows.iter().zip(averaged).for_each(|(index, (_, value))| seen[*index] = value);
        }
        seen
    }
}

/// Replaces each value by the mean of the values in the bucket before its own.
fn monitored(
    values: impl Iterator<Item = (usize, Option<f64>)>,
    bin: Span,
    bucket: Span,
) -> Vec<(usize, Option<f64>)> {
    let per_bucket = (bucket.0 / bin.0.max(1)).max(1) as usize;
    let mut out: Vec<(usize, Option<f64>)> = values.collect();
    // The bucket that is over, and its mean.
    let mut before = None;
    for group in out.chunk_by_mut(|a, b| a.0 / per_bucket == b.0 / per_bucket) {
        let index = group[0].0 / per_bucket;
        let known: Vec<f64> = group.iter().filter_map(|(_, value)| *value).collect();
        let mean = known.iter().sum::<f64>() / known.len() as f64;
        let shown = before.filter(|(last, _)| last + 1 == index).and_then(|(_, mean)| mean);
        before = Some((index, (!known.is_empty()).then_some(mean)));
        group.iter_mut().for_each(|(_, value)| *value = shown);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_knows_a_minute_before_it_is_over() {
        let cpu = [Some(0.2), Some(0.4), Some(0.9), None, Some(0.1), Some(0.3)];
        let (bin, minute) = (Span::from_secs(30.0), Span::from_secs(60.0));
        let shown = monitored(cpu.into_iter().enumerate(), bin, minute);
        let shown: Vec<_> = shown.into_iter().map(|(_, value)| value).collect();
        let first = Some((0.2 + 0.4) / 2.0);
        assert_eq!(shown, [None, None, first, first, Some(0.9), Some(0.9)]);
        // A replica that was not there in the bucket before shows nothing.
        let late = monitored([(0, Some(0.5)), (4, Some(0.7))].into_iter(), bin, minute);
        assert_eq!(late, [(0, None), (4, None)]);
    }
}
