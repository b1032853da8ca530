//! `replications.csv`: one row for each replication, with the figures of the run after warm-up.

use std::io::{Result, Write};

use crate::metric::Metric;
use crate::observe::count::Count;
use crate::observe::ledger::Failure;
use crate::observe::outcome::{Outcome, WindowOutcome};
use crate::observe::recovery::Stability;
use crate::observe::tally::{Restorations, Tally};
use crate::plan::{Extent, Plan};
use crate::report::files::by_api;
use crate::report::format::cells;
use crate::report::format::table::{Cell, write_csv};
use crate::units::Span;

/// Writes one row for each outcome. `recovery_s` is the longest time until clients were hit no
/// more, `redundancy_restored_s` the longest until as many replicas and zones served as before;
/// each is empty if there was no incident or it was not seen of one. If requests feed back, the
/// attempts for the requests and what is counted for them follow; then whether the replication came
/// back, and at last what is of each API if there are several.
pub(crate) fn write(plan: &Plan, outcomes: &[Outcome], out: &mut dyn Write) -> Result<()> {
    let feeds_back = !plan.is_open_loop();
    let last = if feeds_back { &["attempts"][..] } else { &[] };
    let counts = Count::ALL.iter().map(|count| count.key()).filter(|_| feeds_back);
    let further = ["stability", "recovered_after_s"];
    let header = header().into_iter();
    let further = last.iter().copied().chain(counts).chain(further).map(str::to_owned);
    let apis: Vec<(usize, usize)> = runs_of_apis(plan).collect();
    let told_apart = plan.names_told_apart();
    let names = apis.iter().map(|(_, api)| told_apart[*api]);
    let header = header.chain(further).chain(by_api::columns(names));
    let rows = outcomes.iter().map(|outcome| {
        let further = if feeds_back { attempts(outcome) } else { Vec::new() };
        let of_apis = apis.iter().flat_map(|(window, _)| api(&outcome.windows[*window]));
        row(outcome).into_iter().chain(further).chain(stability(outcome)).chain(of_apis)
    });
    write_csv(out, header, rows)
}

/// The windows that are the whole run of an API, and the APIs.
fn runs_of_apis(plan: &Plan) -> impl Iterator<Item = (usize, usize)> {
    let runs = plan.windows.iter().enumerate().filter(|(_, window)| window.extent == Extent::Run);
    runs.filter_map(|(index, window)| Some((index, window.api?)))
}

fn api(window: &WindowOutcome) -> impl Iterator<Item = Cell> + use<> {
    let WindowOutcome { ledger, latency, .. } = window;
    let counts = [ledger.offered, ledger.served, ledger.failed(), ledger.rejected()];
    by_api::row(counts, [latency.quantile(0.5), latency.quantile(0.99)])
}

fn header() -> Vec<String> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let latency = Metric::PERCENTILES.map(|one| format!("{}_ms", one.name().replace('.', "_")));
    let last =
        "greatest_ms busy_s in_flight_peak incidents unrecovered recovery_s redundancy_restored_s \
         digest"
            .split(' ');
    [
        words(&["replication", "ended_s", "interrupted", "offered", "served"]),
        words(&Failure::ALL.map(Failure::key)),
        words(&["in_flight", "availability", "mean_ms"]),
        latency.to_vec(),
        last.map(str::to_owned).collect(),
    ]
    .concat()
}

fn row(outcome: &Outcome) -> Vec<Cell> {
    let window = &outcome.windows[0];
    let (ledger, latency, incidents) = (&window.ledger, &window.latency, &window.incidents);
    let millis = |span: Option<Span>| Cell::from(span.map(cells::millis));
    let mut row = vec![outcome.replication.into(), outcome.ended.into()];
    row.push(outcome.interrupted.into());
    row.extend([ledger.offered, ledger.served].map(Cell::from));
    row.extend(ledger.failures.map(Cell::from));
    row.push(ledger.in_flight.into());
    row.push(ledger.availability().map(|share| format!("{share:.9}")).into());
    row.push(millis(latency.mean()));
    row.extend(Metric::PERCENTILES.map(|metric| match metric {
        Metric::Latency(share) => millis(latency.quantile(share)),
        _ => millis(None),
    }));
    row.push(millis(latency.greatest()));
    row.push(cells::share(outcome.busy_secs).into());
    let Tally { service, redundancy, abnormal, .. } = incidents;
    row.extend([outcome.in_flight_peak, incidents.injected, service.unseen()].map(Cell::from));
    let longest = |of: &Restorations| (of.count() > 0 && of.unseen() == 0).then(|| of.longest());
    row.push(longest(service).filter(|_| *abnormal == 0).into());
    row.push(longest(redundancy).into());
    row.push(cells::digest(outcome.digest).into());
    row
}

fn attempts(outcome: &Outcome) -> Vec<Cell> {
    let window = &outcome.windows[0];
    [window.attempts.offered].into_iter().chain(window.counts).map(Cell::from).collect()
}

fn stability(outcome: &Outcome) -> [Cell; 2] {
    let after = match outcome.recovery.stability {
        Stability::Recovered { after } => Some(after),
        _ => None,
    };
    [outcome.recovery.stability.label().into(), after.into()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::{example, with_clients};

    #[test]
    fn attempts_and_counts_follow_if_requests_feed_back() {
        let mut out = Vec::new();
        write(&with_clients::plan(), &with_clients::experiment().outcomes, &mut out).unwrap();
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
        let mut outcomes = example::experiment().outcomes;
        example::change_incident(&mut outcomes[1], |incident| incident.service = None);
        let mut out = Vec::new();
        write(&example::plan(), &outcomes, &mut out).unwrap();
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
