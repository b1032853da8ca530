//! The tables of the text report.

use super::incidents::time_share;
use super::words::{NOTHING, plural, shown, whole};
use crate::experiment::summary::{GatewaySummary, WindowSummary};
use crate::metric::Metric;
use crate::observe::ledger::Failure;
use crate::plan::Memory;
use crate::units::{Bytes, Share};

/// Windows side by side at most; the others come below, also where lines would be too wide.
const WINDOWS_PER_BLOCK: usize = 3;
pub(super) const WIDTH: usize = 100;

/// Rows of cells, aligned: the first column to the left, the others to the right.
pub(super) fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::from("  ");
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            match column {
                0 => line.push_str(&format!("{cell:<width$}")),
                _ => line.push_str(&format!("  {cell:>width$}")),
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Rows of cells, all aligned to the left.
pub(super) fn left(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let length = |cell: &String| cell.chars().count();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(length).max();
    let widths: Vec<usize> = (0..columns).filter_map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("  {}", cells.collect::<Vec<_>>().join("  ")).trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// The figures of the windows, as many side by side as there is room for.
pub(super) fn windows(windows: &[WindowSummary]) -> String {
    let table = |side_by_side| {
        let blocks = windows.chunks(side_by_side).map(|block| aligned(&window_rows(block)));
        blocks.collect::<Vec<_>>().join("\n")
    };
    let fits = |table: &String| table.lines().all(|line| line.chars().count() <= WIDTH);
    (2..=WINDOWS_PER_BLOCK).rev().map(table).find(fits).unwrap_or_else(|| table(1))
}

fn window_rows(windows: &[WindowSummary]) -> Vec<Vec<String>> {
    let row = |name: &str, cell: &dyn Fn(&WindowSummary) -> String| {
        [name.to_owned()].into_iter().chain(windows.iter().map(cell)).collect::<Vec<_>>()
    };
    let figures = Metric::ROWS.into_iter().chain(Metric::PERCENTILES).map(|metric| {
        let name = if metric == Metric::Throughput { "served".into() } else { metric.name() };
        row(&name, &|window| shown(window.get(metric)))
    });
    let greatest = |w: &WindowSummary| w.greatest.map_or(NOTHING.to_owned(), |l| l.to_string());
    let head = row("", &|window| window.label.clone());
    [head].into_iter().chain(figures).chain([row("greatest", &greatest)]).collect()
}

/// Where every request of a window ended, per replication.
pub(super) fn ledger(window: &WindowSummary) -> String {
    let of_all = |requests: u64| part(requests, window.ledger.offered);
    let row = |name: &str, metric: Metric, requests: u64, status: &str| {
        vec![name.to_owned(), shown(window.get(metric)), of_all(requests), status.to_owned()]
    };
    let header = ["outcome", "per replication", "share", "client sees"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.push(row("served", Metric::Served, window.ledger.served, "answer"));
    for kind in Failure::ALL {
        let requests = window.ledger.failed_by(kind);
        if !kind.is_of_surroundings() || requests > 0 {
            rows.push(row(kind.label(), Metric::FailedBy(kind), requests, &status(kind)));
        }
    }
    let open = window.ledger.in_flight;
    rows.push(row("in flight at the end", Metric::InFlight, open, NOTHING));
    rows.push(row("sent", Metric::Offered, window.ledger.offered, ""));
    aligned(&rows)
}

pub(super) fn part(requests: u64, of: u64) -> String {
    match (requests, requests as f64 / of as f64) {
        _ if of == 0 => NOTHING.to_owned(),
        (1.., tiny) if tiny < 0.000_01 => "< 0.001 %".to_owned(),
        (_, share) => Share(share).to_string(),
    }
}

fn status(kind: Failure) -> String {
    kind.status().map_or_else(|| "no answer".to_owned(), |status| status.to_string())
}

/// The gateway as a whole, line by line: name and text.
pub(super) fn gateway(
    gateway: &GatewaySummary,
    memory: Option<Memory>,
) -> Vec<(&'static str, String)> {
    let serving = gateway.serving.iter().enumerate();
    let serving: Vec<_> = serving
        .filter_map(|(k, time)| time.filter(|time| time.point > 0.0).map(|time| (k, time.point)))
        .map(|(k, time)| format!("{k} for {} of the time", time_share(time)))
        .collect();
    let mut lines = vec![
        ("replicas serving", serving.join(", ")),
        ("CPU in use", shown(gateway.cpu.as_ref())),
        ("most in flight", in_flight(gateway, memory)),
    ];
    if let Some(probes) = &gateway.probes {
        let restarts = shown(probes.restarts.as_ref());
        let losses = shown(probes.readiness_losses.as_ref());
        lines.push(("liveness probes", format!("{restarts} restarts per replication")));
        let text = format!("{losses} times a replica taken out of rotation per replication");
        lines.push(("readiness probes", text));
    }
    let recovery = &gateway.recovery;
    let incidents = recovery.recovered + recovery.unrecovered;
    if incidents > 0 {
        let longest = shown(recovery.longest.as_ref());
        let seen = format!("{} of {}", whole(recovery.recovered), plural(incidents, "incident"));
        let bound = if recovery.unrecovered > 0 { "at least " } else { "" };
        lines.push(("longest recovery", format!("{bound}{longest}, end seen of {seen}")));
    }
    lines
}

fn in_flight(gateway: &GatewaySummary, memory: Option<Memory>) -> String {
    let mean = shown(gateway.in_flight_peak.as_ref());
    let most = gateway.in_flight_greatest;
    let mut text = format!("{mean} in one replica, {} at most", whole(most));
    if let Some(memory) = memory {
        let held = Bytes(most.saturating_mul(memory.per_request.0));
        text.push_str(&format!(", holding {held} of {}", memory.limit));
    }
    text
}
