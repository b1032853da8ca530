//! `replications.csv`: one row for each replication, with the figures of the run after warm-up.

use std::io::{Result, Write};

use crate::metric::Metric;
use crate::observe::count::Count;
use crate::observe::failover::CLIENTS_BACK;
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
/// back, what is of each API if there are several, and at last the fail-overs of several regions.
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
    let failovers = failover_columns().into_iter().filter(|_| plan.regions.is_some());
    let header = header.chain(further).chain(by_api::columns(names, &[])).chain(failovers);
    let rows = outcomes.iter().map(|outcome| {
        let further = if feeds_back { attempts(outcome) } else { Vec::new() };
        let of_apis = apis.iter().flat_map(|(window, _)| api(&outcome.windows[*window]));
        let failover = failover(&outcome.windows[0].incidents);
        let failover = failover.into_iter().filter(|_| plan.regions.is_some());
        let own = row(outcome).into_iter().chain(further).chain(stability(outcome));
        own.chain(of_apis).chain(failover)
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
    row.push(longest(service).filter(|_| *abnormal == 0).into());
    row.push(longest(redundancy).into());
    row.push(cells::digest(outcome.digest).into());
    row
}

/// The longest; nothing if there was none, or the end of one was not seen.
fn longest(of: &Restorations) -> Option<Span> {
    (of.count() > 0 && of.unseen() == 0).then(|| of.longest())
}

/// The recovery time, and when shares of the clients were led elsewhere.
fn failover_columns() -> Vec<String> {
    let back = CLIENTS_BACK.map(|percent| format!("clients_back_{percent}_s"));
    ["rto_s".to_owned()].into_iter().chain(back).collect()
}

fn failover(incidents: &Tally) -> Vec<Cell> {
    let rto = longest(&incidents.answers).filter(|_| incidents.abnormal == 0);
    let back = incidents.failover.led.iter().map(longest);
    [rto].into_iter().chain(back).map(Cell::from).collect()
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
    fn a_fail_over_has_its_times_unless_an_end_was_not_seen() {
        use crate::observe::failover::FailoverCourse;
        use crate::units::Instant;
        let at = Instant::from_secs;
        let mut incident = example::experiment().outcomes[0].incidents[0].clone();
        let written = |incident: &crate::observe::incident::Incident| {
            let (mut tally, mut out) = (Tally::default(), Vec::new());
            tally.add(incident, at(600.0));
            write_csv(&mut out, failover_columns(), [failover(&tally)]).unwrap();
            String::from_utf8(out).unwrap()
        };
        let header = "rto_s,clients_back_50_s,clients_back_95_s,clients_back_99_s";
        incident.at = at(180.0);
        incident.answers = Some(at(250.5));
        let mut course = FailoverCourse::new(0, true, 1.0);
        course.led = [Some(at(210.0)), Some(at(240.0)), None];
        incident.failover = Some(course);
        assert_eq!(written(&incident), format!("{header}\n70.5,30,60,\n"));
        incident.answers = None;
        assert_eq!(written(&incident), format!("{header}\n,30,60,\n"));
        incident.answers = Some(at(250.5));
        incident.normal_before = false;
        assert_eq!(written(&incident), format!("{header}\n,30,60,\n"));
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
