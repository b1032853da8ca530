//! `timeline.csv`: the first replication, one row per bin for the whole gateway and one per bin
//! and replica.

use std::io::{Result, Write};

use super::cells::{self, optional};
use crate::observe::count::Count;
use crate::observe::ledger::Failure;
use crate::observe::timeline::{ReplicaLife, ReplicaRow, Timeline, TotalRow};
use crate::plan::Plan;
use crate::units::{Instant, SECOND, Span};

/// The bucket of dashboards: the product shows its metrics per minute.
pub const DASHBOARD_BUCKET: Span = Span(60 * SECOND);

const BEFORE_FAILURES: [&str; 6] = ["time_s", "replica", "zone", "state", "offered", "served"];
const AFTER_FAILURES: [&str; 10] = [
    "mean_ms",
    "p50_ms",
    "p95_ms",
    "p99_ms",
    "in_flight",
    "cpu",
    "cpu_monitored",
    "in_rotation",
    "wanted",
    "cpu_autoscaler",
];

/// Writes the timeline. Times are the starts of bins; counts of a replica are requests that reached
/// and left it; `cpu_monitored` is the CPU as a dashboard with one-minute buckets shows it. If
/// something surrounds the replicas, attempts and what is counted for them follow.
///
/// # Errors
/// Those of the writer.
pub fn write(plan: &Plan, timeline: &Timeline, out: &mut dyn Write) -> Result<()> {
    let mut rows = cells::rows(out);
    let failures = Failure::ALL.map(Failure::key);
    let counts = ["attempts"].into_iter().chain(Count::ALL.map(Count::key));
    let further: Vec<&str> = counts.filter(|_| plan.surroundings.is_some()).collect();
    let header = BEFORE_FAILURES.iter().chain(&failures).chain(&AFTER_FAILURES);
    rows.write_record(header.chain(&further))?;
    let monitored = timeline.monitored(DASHBOARD_BUCKET);
    let by_replica = timeline.monitored_by_replica(DASHBOARD_BUCKET);
    let mut next = 0;
    for (bin, total) in timeline.total.iter().enumerate() {
        let cells = total_row(total, monitored[bin]).into_iter();
        rows.write_record(cells.chain(row_around(total).into_iter().take(further.len())))?;
        while let Some(row) = timeline.by_replica.get(next).filter(|row| row.bin == bin) {
            let life = &timeline.replicas[row.replica];
            let end = total.start + timeline.bin;
            let zone = &plan.topology.zones[life.zone];
            let cells = replica_row(row, life, zone, total.start, end, by_replica[next]);
            rows.write_record(cells.into_iter().chain(further.iter().map(|_| String::new())))?;
            next += 1;
        }
    }
    rows.flush()
}

fn total_row(row: &TotalRow, monitored: Option<f64>) -> Vec<String> {
    let blank = String::new;
    let mut cells = vec![cells::time(row.start), "all".to_owned(), blank(), blank()];
    cells.extend([row.offered.to_string(), row.served.to_string()]);
    cells.extend(row.failures.map(|count| count.to_string()));
    let latency = row.latency;
    cells.extend([
        optional(latency, |latency| cells::millis(latency.mean)),
        optional(latency, |latency| cells::millis(latency.p50)),
        optional(latency, |latency| cells::millis(latency.p95)),
        optional(latency, |latency| cells::millis(latency.p99)),
        row.in_flight.to_string(),
        optional(row.cpu, cells::share),
        optional(monitored, cells::share),
        row.in_rotation.to_string(),
        optional(row.wanted, |count| count.to_string()),
        optional(row.cpu_seen, cells::share),
    ]);
    cells
}

fn row_around(row: &TotalRow) -> Vec<String> {
    [row.attempts].iter().chain(&row.counts).map(u64::to_string).collect()
}

fn replica_row(
    row: &ReplicaRow,
    life: &ReplicaLife,
    zone: &str,
    start: Instant,
    end: Instant,
    monitored: Option<f64>,
) -> Vec<String> {
    let state = row.state.label().to_owned();
    let mut cells = vec![cells::time(start), life.name.clone(), zone.to_owned(), state];
    cells.extend([row.arrived.to_string(), row.served.to_string()]);
    cells.extend(vec![String::new(); Failure::ALL.len() + 4]);
    let changes = life.rotation.partition_point(|(at, _)| *at < end);
    let in_rotation = changes > 0 && life.rotation[changes - 1].1;
    cells.extend([
        row.in_flight.to_string(),
        cells::share(row.cpu),
        optional(monitored, cells::share),
        u8::from(in_rotation).to_string(),
    ]);
    cells.extend([String::new(), String::new()]);
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{sample, surrounded};

    #[test]
    fn what_happens_as_a_bin_ends_belongs_to_the_next() {
        let mut timeline = sample::outcome(&sample::plan(), 0).timeline.unwrap();
        timeline.replicas[0].rotation.push((Instant::from_secs(30.0), false));
        let mut out = Vec::new();
        write(&sample::plan(), &timeline, &mut out).unwrap();
        let mut reader = csv::Reader::from_reader(&out[..]);
        let rows: Vec<_> = reader.records().map(|row| row.unwrap()).collect();
        let column = AFTER_FAILURES.iter().position(|name| *name == "in_rotation").unwrap();
        let from_end = AFTER_FAILURES.len() - column;
        let rotation = |bin: usize| {
            let row = &rows[bin * 3 + 1];
            row[row.len() - from_end].to_owned()
        };
        assert_eq!([2, 3].map(rotation), ["1", "0"]);
    }

    #[test]
    fn attempts_and_counts_follow_if_something_surrounds_the_replicas() {
        let outcome = surrounded::experiment().outcomes.remove(0);
        let mut out = Vec::new();
        write(&surrounded::plan(), &outcome.timeline.unwrap(), &mut out).unwrap();
        let mut reader = csv::Reader::from_reader(&out[..]);
        let header = reader.headers().unwrap().clone();
        let column = |name: &str| header.iter().position(|cell| cell == name).unwrap();
        let rows: Vec<_> = reader.records().map(|row| row.unwrap()).collect();
        assert_eq!((column("attempts"), header.len()), (29, 29 + 1 + Count::ALL.len()));
        let cells =
            |row: usize| ["attempts", "cache_hits", "panics"].map(|c| &rows[row][column(c)]);
        assert_eq!((cells(18 * 3), cells(18 * 3 + 1)), (["160", "20", "0"], ["", "", ""]));
    }

    #[test]
    fn every_bin_has_a_row_for_the_gateway_and_one_for_each_replica() {
        let outcome = sample::outcome(&sample::plan(), 0);
        let timeline = outcome.timeline.unwrap();
        let mut out = Vec::new();
        write(&sample::plan(), &timeline, &mut out).unwrap();
        let mut reader = csv::Reader::from_reader(&out[..]);
        let header = reader.headers().unwrap().clone();
        let column = |name: &str| header.iter().position(|cell| cell == name).unwrap();
        let rows: Vec<_> = reader.records().map(|row| row.unwrap()).collect();
        assert_eq!((header.len(), rows.len()), (29, 180));
        let (total, dead) = (&rows[18 * 3], &rows[17 * 3 + 2]);
        assert_eq!((&total[column("time_s")], &total[column("replica")]), ("180", "all"));
        assert_eq!(&total[column("lost_in_flight")], "1");
        assert_eq!((&dead[column("replica")], &dead[column("zone")]), ("b-1", "b"));
        assert_eq!((&dead[column("in_rotation")], &dead[column("p99_ms")]), ("1", ""));
        assert_eq!(&rows[19 * 3][column("cpu")], "");
        assert_eq!(&rows[19 * 3][column("cpu_monitored")], "0.500000");
    }
}
