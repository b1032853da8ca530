//! Where figures are shown: what objectives can bound, what is summed up, compared and swept.

use super::catalogue::{Metric, Restored};
use super::percentile::Among;
use crate::observe::count::Count;
use crate::observe::ledger::Failure;

/// In which windows figures are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// In all.
    Everywhere,
    /// In those that are as long in every system. A window that lasts as long as a fault has its
    /// effect is longer where recovery is slower, and the share that fails in it less.
    InFixedWindows,
    /// In the whole run alone.
    InTheRun,
    /// In the whole run of several regions.
    AmongRegions,
}

impl Metric {
    /// The percentiles that every report shows.
    pub const PERCENTILES: [Metric; 5] = [
        Metric::Latency(0.5),
        Metric::Latency(0.9),
        Metric::Latency(0.95),
        Metric::P99,
        Metric::Latency(0.999),
    ];

    /// The percentile that charts are about.
    pub const P99: Metric = Metric::Latency(0.99);

    /// What objectives can bound, beside further percentiles.
    pub const DEMANDED: [Metric; 20] = [
        Metric::SentLatency(0.5),
        Metric::SentLatency(0.95),
        Metric::SentLatency(0.99),
        Metric::SentLatency(0.999),
        Metric::MeanLatency,
        Metric::Greatest(Among::Sent),
        Metric::Availability,
        Metric::Failed,
        Metric::Rejected,
        Metric::RECOVERY,
        Metric::REDUNDANCY,
        Metric::RTO,
        Metric::Recovery(Restored::Clients(50)),
        Metric::Recovery(Restored::Clients(95)),
        Metric::Recovery(Restored::Clients(99)),
        Metric::RPO,
        Metric::Cpu,
        Metric::CpuMonitored,
        Metric::Recovered,
        Metric::Stuck,
    ];

    /// The rows of tables of windows, before the percentiles; rejected requests only if there are
    /// any.
    pub const ROWS: [Metric; 6] = [
        Metric::Length,
        Metric::Offered,
        Metric::Throughput,
        Metric::Availability,
        Metric::Rejected,
        Metric::MeanLatency,
    ];

    /// The figures that the files of a sweep have of each cell.
    pub const SWEPT: [Metric; 8] = [
        Metric::MeanLatency,
        Metric::Latency(0.5),
        Metric::Latency(0.95),
        Metric::P99,
        Metric::Latency(0.999),
        Metric::Availability,
        Metric::Throughput,
        Metric::Cpu,
    ];

    /// The figures that are compared, and where.
    pub const COMPARED: [(Metric, Compared); 9] = [
        (Metric::MeanLatency, Compared::Everywhere),
        (Metric::Latency(0.5), Compared::Everywhere),
        (Metric::Latency(0.95), Compared::Everywhere),
        (Metric::P99, Compared::Everywhere),
        (Metric::Failed, Compared::InFixedWindows),
        (Metric::RTO, Compared::AmongRegions),
        (Metric::RECOVERY, Compared::InTheRun),
        (Metric::REDUNDANCY, Compared::InTheRun),
        (Metric::Cpu, Compared::InTheRun),
    ];

    /// What is summed up of the requests of every window.
    pub fn of_requests() -> Vec<Metric> {
        use Metric::*;
        let mut all = vec![Length, Offered, Served, InFlight, Unanswered];
        all.extend(Failure::ALL.map(FailedBy));
        all.extend([Availability, Rejected, Throughput, MeanLatency]);
        all.extend(Metric::PERCENTILES);
        all
    }

    /// What is summed up of the attempts for the requests of every window, if
    /// requests feed back.
    pub fn of_attempts() -> Vec<Metric> {
        use Metric::*;
        let mut all = vec![Attempts, AttemptsServed, AttemptsInFlight];
        all.extend(Failure::ALL.map(AttemptsFailedBy));
        all.extend([AttemptsPerRequest, Retries, WastedWork, CacheHits]);
        all.extend(Count::ALL.map(Counted));
        all
    }
}
