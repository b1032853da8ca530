//! Why latency was what it was at a moment of a run, in text: what the gateway had and what was
//! asked of it, and what would have been without this and that.

use crate::observe::timeline::{Timeline, TotalRow};
use crate::report::format::page::Paint;
use crate::report::format::table::Table;
use crate::report::format::words::{NOTHING, plural, share_of, whole, wrapped};
use crate::units::{Instant, Span};

/// A moment of a replication.
pub struct RunMoment<'a> {
    /// The name of the scenario, and which replication.
    pub of: (&'a str, u64),
    /// When.
    pub at: Instant,
    /// The timeline that it belongs to.
    pub timeline: &'a Timeline,
    /// The row of it.
    pub row: &'a TotalRow,
    /// When the first fault struck, if any did by then.
    pub first: Option<Instant>,
    /// From when on figures count.
    pub warm_up: Instant,
    /// Requests in a second that a replica serves with full CPU.
    pub each: f64,
    /// The same moment of runs that differ in one thing, each with its name.
    pub others: Vec<(String, Option<TotalRow>)>,
}

/// What is said of a moment.
pub fn text(moment: &RunMoment<'_>, colour: bool) -> String {
    let paint = Paint { colour };
    let (name, replication) = moment.of;
    let until = moment.row.start + moment.timeline.bin;
    let head = format!(
        "{name}, replication {replication}, at {} ({} to {until})",
        moment.at, moment.row.start
    );
    let why = "Why: the same arrivals and the same luck, but";
    paint.page(
        vec![
            wrapped("", &head),
            paint.section("What was", facts(moment)),
            paint.section(why, others(moment)),
        ],
        None,
    )
}

fn facts(moment: &RunMoment<'_>) -> String {
    let RunMoment { row, timeline, each, .. } = moment;
    let secs = timeline.bin.as_secs();
    let calm = calm(moment);
    let before = |text: Option<String>| {
        text.map_or(String::new(), |text| format!("{text} before the first fault"))
    };
    let mut table = Table::default();
    let p99 = |row: &TotalRow| row.latency.map_or(NOTHING.to_owned(), |it| it.p99.to_string());
    table.row(["p99".to_owned(), p99(row), before(calm.as_ref().map(p99))]);
    let mean = row.latency.map_or(NOTHING.to_owned(), |it| it.mean.to_string());
    table.row(["mean".to_owned(), mean, String::new()]);
    let rate = |count: u64| format!("{}/s", whole((count as f64 / secs).round() as u64));
    let sent = |row: &TotalRow| rate(row.offered);
    table.row(["sent".to_owned(), sent(row), before(calm.as_ref().map(sent))]);
    let ended = format!("{} answered, {} failed", rate(row.served), rate(row.failed()));
    table.row(["ended".to_owned(), ended, String::new()]);
    let rotation = |row: &TotalRow| plural(row.in_rotation as u64, "replica");
    table.row(["in rotation".to_owned(), rotation(row), before(calm.as_ref().map(rotation))]);
    let cpu = row.cpu.map_or(NOTHING.to_owned(), share_of);
    table.row(["CPU".to_owned(), cpu, String::new()]);
    let flight = |row: &TotalRow| whole(row.in_flight);
    table.row(["in flight".to_owned(), flight(row), before(calm.as_ref().map(flight))]);
    let can = *each * row.in_rotation as f64;
    let mut out = table.text();
    if can > 0.0 && row.in_flight as f64 > can / 10.0 {
        let backlog = Span::from_secs((row.in_flight as f64 / can * 10.0).round() / 10.0);
        let said = format!("a backlog of {backlog} of all that those in rotation can do");
        out += &wrapped("  → ", &said);
    }
    out
}

/// A row of calm times: the last whole one before the first fault, after warm-up.
fn calm(moment: &RunMoment<'_>) -> Option<TotalRow> {
    let first = moment.first?;
    let bin = moment.timeline.bin;
    let mut rows = moment.timeline.total.iter();
    rows.rfind(|row| row.start >= moment.warm_up && row.start + bin <= first).copied()
}

fn others(moment: &RunMoment<'_>) -> String {
    if moment.others.is_empty() {
        return wrapped("  ", "nothing had struck by then, and nothing retries or scales");
    }
    let p99 = |row: &TotalRow| row.latency.map(|latency| latency.p99);
    let ours = p99(moment.row);
    let mut table = Table::default().with(["", "p99", "difference", "failed"]);
    for (name, row) in &moment.others {
        let theirs = row.as_ref().and_then(p99);
        let difference = match (ours, theirs) {
            (Some(ours), Some(theirs)) if theirs <= ours => format!("−{}", ours - theirs),
            (Some(ours), Some(theirs)) => format!("+{}", theirs - ours),
            _ => NOTHING.to_owned(),
        };
        let p99 = theirs.map_or(NOTHING.to_owned(), |theirs| theirs.to_string());
        let failed = row.map_or(NOTHING.to_owned(), |row| whole(row.failed()));
        table.row([name.clone(), p99, difference, failed]);
    }
    table.text()
        + &wrapped(
            "  ",
            "each is one run with one thing changed; the differences overlap and do not add up",
        )
}
