//! `timeline.csv`: the replication that is told, one row per bin for the whole gateway and one per
//! bin and replica.

use std::io::{Result, Write};

use crate::observe::count::Count;
use crate::observe::ledger::Failure;
use crate::observe::timeline::{ApiRow, Latency, ReplicaLife, ReplicaRow, Timeline, TotalRow};
use crate::plan::Plan;
use crate::report::files::by_api;
use crate::report::format::cells;
use crate::report::format::table::{Cell, write_csv};
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

/// The share of all clients that send to a region at the end of a bin.
const CLIENTS: [&str; 1] = ["clients"];

/// Writes the timeline. Times are the starts of bins; counts of a replica are requests that reached
/// and left it; `cpu_monitored` is the CPU of the last full minute, as a dashboard shows it. If
/// requests feed back, attempts and what is counted for them follow; if APIs or regions are told
/// apart, what is of each.
pub(crate) fn write(
    plan: &Plan,
    (replication, timeline): (u64, &Timeline),
    out: &mut dyn Write,
) -> Result<()> {
    let failures = Failure::ALL.map(Failure::key);
    let counts = ["attempts"].into_iter().chain(Count::ALL.map(Count::key));
    let further: Vec<&str> = counts.filter(|_| !plan.is_open_loop()).collect();
    let fixed = BEFORE_FAILURES.iter().chain(&failures).chain(&AFTER_FAILURES).chain(&further);
    let per_bin = timeline.by_api.len() / timeline.total.len().max(1);
    let apis = plan.names_told_apart().into_iter().take(per_bin);
    let of_regions = &CLIENTS[..if plan.regions.is_some() { 1 } else { 0 }];
    let of_apis = by_api::columns(apis, of_regions);
    let header = fixed.copied().chain(of_apis.iter().map(String::as_str)).chain(["replication"]);
    let monitored = timeline.monitored(DASHBOARD_BUCKET);
    let by_replica = timeline.monitored_by_replica(DASHBOARD_BUCKET);
    let mut replicas = timeline.by_replica.iter().zip(&by_replica).peekable();
    let rows = timeline.total.iter().enumerate().flat_map(|(bin, total)| {
        let more = [total.attempts].into_iter().chain(total.counts).map(Cell::from);
        let mut row = total_row(total, monitored[bin]);
        row.extend(more.take(further.len()));
        row.extend(timeline.by_api[bin * per_bin..][..per_bin].iter().flat_map(api_row));
        row.push(replication.into());
        let mut rows = vec![row];
        let ends = (total.start, total.start + timeline.bin);
        while let Some((row, monitored)) = replicas.next_if(|(row, _)| row.bin == bin) {
            let life = &timeline.replicas[row.replica];
            let mut row = replica_row(row, life, &plan.topology.zones[life.zone], ends, *monitored);
            let empty = further.len() + of_apis.len();
            row.extend((0..empty).map(|_| Cell::from("")));
            row.push(replication.into());
            rows.push(row);
        }
        rows
    });
    write_csv(out, header, rows)
}

fn total_row(row: &TotalRow, monitored: Option<f64>) -> Vec<Cell> {
    let millis =
        |of: fn(&Latency) -> Span| Cell::from(row.latency.as_ref().map(|it| cells::millis(of(it))));
    let share = |share: Option<f64>| Cell::from(share.map(cells::share));
    let mut row_cells = vec![row.start.into(), "all".into(), "".into(), "".into()];
    row_cells.extend([row.offered, row.served].into_iter().chain(row.failures).map(Cell::from));
    row_cells.extend([millis(|it| it.mean), millis(|it| it.p50), millis(|it| it.p95)]);
    row_cells.extend([millis(|it| it.p99), row.in_flight.into(), share(row.cpu)]);
    row_cells.extend([share(monitored), row.in_rotation.into(), row.wanted.into()]);
    row_cells.push(share(row.cpu_seen));
    row_cells
}

/// A bin of an API.
fn api_row(row: &ApiRow) -> impl Iterator<Item = Cell> + use<> {
    let counts = [row.offered, row.served, row.failed, row.rejected];
    let clients = row.clients.map(|share| Cell::from(cells::share(share)));
    let latencies = [row.latency.map(|it| it.p50), row.latency.map(|it| it.p99)];
    by_api::row(counts, latencies).chain(clients)
}

fn replica_row(
    row: &ReplicaRow,
    life: &ReplicaLife,
    zone: &str,
    (start, end): (Instant, Instant),
    monitored: Option<f64>,
) -> Vec<Cell> {
    let changes = life.rotation.partition_point(|(at, _)| *at < end);
    let in_rotation = changes > 0 && life.rotation[changes - 1].1;
    let mut cells: Vec<Cell> =
        vec![start.into(), (&life.name).into(), zone.into(), row.state.label().into()];
    cells.extend([row.arrived, row.served].map(Cell::from));
    cells.extend((0..Failure::ALL.len() + 4).map(|_| Cell::from("")));
    cells.extend([row.in_flight.into(), cells::share(row.cpu).into()]);
    cells.extend([monitored.map(cells::share).into(), u64::from(in_rotation).into()]);
    cells.extend([Cell::from(""), Cell::from("")]);
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::{example, with_clients};

    /// Columns of every timeline.
    const COLUMNS: usize = BEFORE_FAILURES.len() + Failure::ALL.len() + AFTER_FAILURES.len();

    #[test]
    fn what_happens_as_a_bin_ends_belongs_to_the_next() {
        let mut timeline = example::outcome(&example::plan(), 0).timeline.unwrap();
        timeline.replicas[0].rotation.push((Instant::from_secs(30.0), false));
        let mut out = Vec::new();
        write(&example::plan(), (0, &timeline), &mut out).unwrap();
        let mut reader = csv::Reader::from_reader(&out[..]);
        let rows: Vec<_> = reader.records().map(|row| row.unwrap()).collect();
        let column = AFTER_FAILURES.iter().position(|name| *name == "in_rotation").unwrap();
        let from_end = AFTER_FAILURES.len() - column + 1;
        let rotation = |bin: usize| {
            let row = &rows[bin * 3 + 1];
            row[row.len() - from_end].to_owned()
        };
        assert_eq!([2, 3].map(rotation), ["1", "0"]);
    }

    #[test]
    fn attempts_and_counts_follow_if_requests_feed_back() {
        let outcome = with_clients::experiment().outcomes.remove(0);
        let mut out = Vec::new();
        write(&with_clients::plan(), (0, &outcome.timeline.unwrap()), &mut out).unwrap();
        let mut reader = csv::Reader::from_reader(&out[..]);
        let header = reader.headers().unwrap().clone();
        let column = |name: &str| header.iter().position(|cell| cell == name).unwrap();
        let rows: Vec<_> = reader.records().map(|row| row.unwrap()).collect();
        assert_eq!((column("attempts"), header.len()), (COLUMNS, COLUMNS + 2 + Count::ALL.len()));
        let cells =
            |row: usize| ["attempts", "cache_hits", "panics"].map(|c| &rows[row][column(c)]);
        assert_eq!((cells(18 * 3), cells(18 * 3 + 1)), (["160", "20", "0"], ["", "", ""]));
    }

    #[test]
    fn every_bin_has_a_row_for_the_gateway_and_one_for_each_replica() {
        let outcome = example::outcome(&example::plan(), 0);
        let timeline = outcome.timeline.unwrap();
        let mut out = Vec::new();
        write(&example::plan(), (0, &timeline), &mut out).unwrap();
        let mut reader = csv::Reader::from_reader(&out[..]);
        let header = reader.headers().unwrap().clone();
        let column = |name: &str| header.iter().position(|cell| cell == name).unwrap();
        let rows: Vec<_> = reader.records().map(|row| row.unwrap()).collect();
        assert_eq!((header.len(), rows.len()), (COLUMNS + 1, 180));
        let (total, dead) = (&rows[18 * 3], &rows[17 * 3 + 2]);
        assert_eq!((&total[column("time_s")], &total[column("replica")]), ("180", "all"));
        assert_eq!(&total[column("lost_in_flight")], "1");
        assert_eq!((&dead[column("replica")], &dead[column("zone")]), ("b-1", "b"));
        assert_eq!((&dead[column("in_rotation")], &dead[column("p99_ms")]), ("1", ""));
        assert_eq!(&rows[19 * 3][column("cpu")], "");
        assert_eq!(&rows[19 * 3][column("cpu_monitored")], "0.500000");
    }
}
