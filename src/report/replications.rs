//! `replications.csv`: one row for each replication, with the figures of the run after warm-up.

use std::io::{Result, Write};

use super::cells::{self, optional};
use crate::metric::Metric;
use crate::observe::aftermath::Stability;
use crate::observe::count::Count;
use crate::observe::ledger::Failure;
use crate::observe::outcome::Outcome;
use crate::observe::tally::Tally;
use crate::plan::Plan;

/// Writes one row for each outcome. `recovery_s` is the longest recovery; it is empty if there was
/// no incident or one was not over. If something surrounds the replicas, the attempts for the
/// requests and what is counted for them follow, and whether the replication came back.
///
/// # Errors
/// Those of the writer.
pub fn write(plan: &Plan, outcomes: &[Outcome], out: &mut dyn Write) -> Result<()> {
    let mut rows = cells::rows(out);
    let around = plan.surroundings.is_some();
    let further = if around { header_around() } else { Vec::new() };
    rows.write_record(header().into_iter().chain(further))?;
    for outcome in outcomes {
        let further = if around { row_around(outcome) } else { Vec::new() };
        rows.write_record(row(outcome).into_iter().chain(further))?;
    }
    rows.flush()
}

fn header() -> Vec<String> {
    let latency = Metric::PERCENTILES.map(|one| format!("{}_ms", one.name().replace('.', "_")));
    let mut header: Vec<String> =
        ["replication", "ended_s", "interrupted", "offered", "served"].map(str::to_owned).to_vec();
    header.extend(Failure::ALL.map(|failure| failure.key().to_owned()));
    header.extend(["in_flight", "availability", "mean_ms"].map(str::to_owned));
    header.extend(latency);
    header.extend(
        [
            "greatest_ms",
            "busy_s",
            "in_flight_peak",
            "incidents",
            "unrecovered",
            "recovery_s",
            "digest",
        ]
        .map(str::to_owned),
    );
    header
}

fn row(outcome: &Outcome) -> Vec<String> {
    let window = &outcome.windows[0];
    let (ledger, latency) = (&window.ledger, &window.latency);
    let mut cells = vec![outcome.replication.to_string(), cells::time(outcome.ended)];
    cells.push(outcome.interrupted.to_string());
    cells.extend([ledger.offered.to_string(), ledger.served.to_string()]);
    cells.extend(ledger.failures.map(|count| count.to_string()));
    cells.push(ledger.in_flight.to_string());
    cells.push(optional(ledger.availability(), |share| format!("{share:.9}")));
    cells.push(optional(latency.mean(), cells::millis));
    cells.extend(Metric::PERCENTILES.map(|metric| match metric {
        Metric::Latency(share) => optional(latency.quantile(share), cells::millis),
        _ => String::new(),
    }));
    cells.push(optional(latency.greatest(), cells::millis));
    cells.push(format!("{:.6}", outcome.busy_secs));
    cells.push(outcome.in_flight_peak.to_string());
    let incidents = &window.incidents;
    cells.push(incidents.struck.to_string());
    cells.push(incidents.unrecovered.to_string());
    cells.push(optional(seen_whole(incidents).then(|| incidents.longest()), cells::secs));
    cells.push(cells::digest(outcome.digest));
    cells
}

fn header_around() -> Vec<String> {
    let counts = Count::ALL.map(Count::key);
    let stability = ["stability", "recovered_after_s"];
    ["attempts"].into_iter().chain(counts).chain(stability).map(str::to_owned).collect()
}

fn row_around(outcome: &Outcome) -> Vec<String> {
    let window = &outcome.windows[0];
    let numbers = [window.attempts.offered].into_iter().chain(window.counts);
    let stability = outcome.aftermath.as_ref().map(|aftermath| aftermath.stability);
    let after = match stability {
        Some(Stability::Recovered { after }) => Some(after),
        _ => None,
    };
    let words = [optional(stability, |s| s.label().to_owned()), optional(after, cells::secs)];
    numbers.map(|number| number.to_string()).chain(words).collect()
}

/// Whether there were incidents, and all were over.
fn seen_whole(incidents: &Tally) -> bool {
    incidents.struck > 0 && incidents.unrecovered == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{sample, surrounded};

    #[test]
    fn attempts_and_counts_follow_if_something_surrounds_the_replicas() {
        let mut out = Vec::new();
        write(&surrounded::plan(), &surrounded::experiment().outcomes, &mut out).unwrap();
        let mut reader = csv::Reader::from_reader(&out[..]);
        let header = reader.headers().unwrap().clone();
        let column = |name: &str| header.iter().position(|cell| cell == name).unwrap();
        let row = reader.records().nth(1).unwrap().unwrap();
        let number = |name: &str| row[column(name)].parse::<u64>().unwrap();
        let tried_again = number("cache_misses") + number("lost_in_flight");
        assert_eq!(number("attempts"), number("offered") + tried_again);
        assert_eq!((number("cache_hits"), number("panics")), (2_700, 0));
        assert_eq!((&row[column("stability")], &row[column("recovered_after_s")]), ("stuck", ""));
    }

    #[test]
    fn each_replication_has_one_full_row() {
        let mut outcomes = sample::experiment().outcomes;
        sample::change_incident(&mut outcomes[1], |incident| incident.normal = None);
        let mut out = Vec::new();
        write(&sample::plan(), &outcomes, &mut out).unwrap();
        let mut reader = csv::Reader::from_reader(&out[..]);
        let header = reader.headers().unwrap().clone();
        let column = |name: &str| header.iter().position(|cell| cell == name).unwrap();
        let rows: Vec<_> = reader.records().map(|row| row.unwrap()).collect();
        assert_eq!(rows.len(), 5);
        assert_eq!(&rows[4][column("replication")], "4");
        assert_eq!(&rows[1][column("recovery_s")], "");
        assert_eq!(&rows[1][column("unrecovered")], "1");
        assert_eq!(&rows[0][column("digest")], "123456789abcdef0");
        assert!(rows[0][column("p99_9_ms")].parse::<f64>().unwrap() > 40.0);
    }
}
