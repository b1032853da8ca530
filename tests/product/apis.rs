//! Results of each API: what they must come to where that is known, that they are those of the run
//! taken apart, and that objectives on them are judged by the same rule in a run and in a plan.

use std::fs;
use std::path::Path;

use brownout::experiment::store::NoStore;
use brownout::experiment::{Experiment, Progress, Retention, Runner};
use brownout::metric::Metric;
use brownout::observe::ledger::{Failure, Ledger};
use brownout::observe::outcome::Outcome;
use brownout::plan::Extent;
use brownout::report::Report;
use brownout::scenario::{Scenario, read};
use brownout::study::capacity::finding::SearchEffort;
use brownout::study::capacity::probe::probe;
use brownout::study::mode::{Mode, Trial};
use brownout::units::Span;
use brownout::verdict::{Doubt, Verdict, judge_all};
use serde_json::Value;

use crate::desk::Desk;

fn scenario(text: &str) -> Scenario {
    let loaded = read::parse("apis", text, Path::new(""));
    loaded.scenario.unwrap_or_else(|| panic!("{:#?}", loaded.problems))
}

fn ran(scenario: &Scenario, replications: usize) -> Experiment {
    let progress = Progress::default();
    let runner = Runner::new(None, &progress, &NoStore).unwrap();
    let retention = Retention::First { requests_every: None };
    runner.run(&scenario.plan, replications, retention)
}

/// One core of which nobody takes anything: no way to and fro, no zones, no autoscaler.
const ONE_CORE: &str = "[gateway]\ncores = 1\nreplicas = 1\ncpu-per-request = \"1ms\"\n\
                        [ingress]\ndelay = \"0s\"\nhop = \"0s\"\n";

/// The value of a figure of an API over the whole run.
fn point(report: &Report, api: usize, metric: Metric) -> f64 {
    report.summary.apis[api].windows[0].get(metric).unwrap().point
}

#[test]
fn two_apis_on_one_core_take_as_long_as_processor_sharing_says() {
    // Of a core that is shared evenly and busy 40 % of the time, each request takes its own demand
    // over 0.6, whatever the law of the demands (Kleinrock 1967): 2/0.6 and 6/0.6 ms.
    let scenario = scenario(&format!(
        "question = \"?\"\nobjectives = [\"mean < 3.5ms for quick\", \"mean > 9.5ms for slow\", \
         \"mean < 6ms\"]\n{ONE_CORE}[traffic]\nrate = \"100/s\"\n\
         [[api]]\nname = \"quick\"\nshare = \"50%\"\ncpu-per-request = \"2ms\"\n\
         [[api]]\nname = \"slow\"\ncpu-per-request = \"6ms\"\n\
         [run]\nhorizon = \"20m\"\nreplications = 10\n"
    ));
    let run = ran(&scenario, 10);
    let report = Report::new(&scenario, &run, None);
    for (api, expected) in [(0, 2e-3 / 0.6), (1, 6e-3 / 0.6)] {
        let mean = report.summary.apis[api].windows[0].get(Metric::MeanLatency).unwrap();
        let error = mean.half_width().unwrap() * 2.5;
        assert!((mean.point - expected).abs() < error, "{api}: {mean:?} is not {expected}");
        assert!(error < 0.05 * expected, "{api}: {mean:?} says little");
        assert_eq!(point(&report, api, Metric::Availability), 1.0);
    }
    let verdicts: Vec<_> = report.judgements.iter().map(|judged| judged.verdict).collect();
    // Over all requests it is the middle of the two, 6.67 ms.
    assert_eq!(verdicts, [Verdict::Met, Verdict::Met, Verdict::Missed]);
}

/// Two APIs of the same size, of which the second may have a half of what is asked of it.
const LIMITED: &str = "[traffic]\nrate = \"200/s\"\narrivals = \"deterministic\"\n\
                       [[policy]]\nname = \"half\"\nkind = \"rate-limit\"\nlimit = 500\n\
                       window = \"10s\"\nsharing = \"counter\"\n\
                       [[api]]\nname = \"orders\"\nshare = \"50%\"\n\
                       [[api]]\nname = \"stock\"\npolicies = [\"half\"]\n";

#[test]
fn what_a_limit_rejects_is_of_its_api_alone() {
    let scenario = scenario(&format!(
        "question = \"?\"\nobjectives = [\"rejected < 0.1% for orders\", \
         \"rejected > 48% for stock\", \"rejected < 52% for stock\", \"rejected < 30%\"]\n\
         {ONE_CORE}{LIMITED}[run]\nhorizon = \"11m\"\nreplications = 5\n"
    ));
    let run = ran(&scenario, 5);
    let report = Report::new(&scenario, &run, None);
    assert!(report.judgements.iter().all(|judged| judged.verdict == Verdict::Met));
    assert_eq!(point(&report, 0, Metric::Rejected), 0.0);
    // 500 of some 1000 in each window of 10 s, 60 of them.
    let rejected = point(&report, 1, Metric::Rejected);
    assert!((rejected - 0.5).abs() < 0.01, "{rejected}");
    assert_eq!(point(&report, 1, Metric::FailedBy(Failure::RateLimited)), {
        report.summary.windows[0].get(Metric::FailedBy(Failure::RateLimited)).unwrap().point
    });
}

/// Everything that may become of a request: clients of sessions that give up and try again, a
/// cache, a limit, authentication, an upstream, and a crash.
fn everything() -> Scenario {
    scenario(
        "question = \"?\"\nobjectives = [\"p99 < 1s during crash for orders\"]\n\
         gateway = { tier = \"large\" }\n[traffic]\nrate = \"100/s\"\n\
         [clients]\nloop = \"sessions\"\nrequests-per-session = 3\nthink = \"exponential(1s)\"\n\
         timeout = \"300ms\"\nattempts = 3\nbackoff-first = \"50ms\"\n\
         [[policy]]\nname = \"cache\"\nkind = \"cache\"\nttl = \"30s\"\n\
         [[policy]]\nname = \"limit\"\nkind = \"rate-limit\"\nlimit = 500\nwindow = \"10s\"\n\
         [[policy]]\nname = \"jwt\"\nkind = \"authentication\"\nrejects = \"2%\"\n\
         [[upstream]]\nname = \"host\"\nlatency = \"exponential(100ms)\"\n\
         [[api]]\nname = \"orders\"\nshare = \"40%\"\nupstream = \"host\"\n\
         policies = [\"jwt\", \"cache\"]\nresources = 500\n\
         [[api]]\nname = \"stock\"\nshare = \"40%\"\npolicies = [\"limit\"]\nupstream = \"host\"\n\
         [[api]]\nname = \"status\"\n\
         [[fault]]\nname = \"crash\"\nkind = \"replica-crash\"\nat = \"2m\"\n\
         [run]\nhorizon = \"4m\"\nwarm-up = \"30s\"\n",
    )
}

/// The sum of some ledgers of the windows of APIs that are the whole run.
fn sum(scenario: &Scenario, outcome: &Outcome, of: fn(&Outcome, usize) -> Ledger) -> Ledger {
    let mut sum = Ledger::default();
    let windows = scenario.plan.windows.iter().enumerate();
    let runs = windows.filter(|(_, it)| it.extent == Extent::Run && it.api.is_some());
    runs.for_each(|(index, _)| sum += &of(outcome, index));
    sum
}

#[test]
fn whatever_becomes_of_requests_those_of_the_apis_are_those_of_the_run() {
    let scenario = everything();
    let run = ran(&scenario, 2);
    for outcome in &run.outcomes {
        let all = &outcome.windows[0];
        assert_eq!(sum(&scenario, outcome, |it, index| it.windows[index].ledger), all.ledger);
        assert_eq!(sum(&scenario, outcome, |it, index| it.windows[index].attempts), all.attempts);
        assert!(all.ledger.failed() > 0 && all.attempts.failed() > 0);
    }
    let report = Report::new(&scenario, &run, None);
    let figures = |api: usize| {
        let attempts = report.summary.apis[api].windows[0].attempts.as_ref().unwrap();
        let hits = attempts.figures.get(Metric::CacheHits).map(|hits| hits.point);
        let of = |kind| point(&report, api, Metric::FailedBy(kind)) > 0.0;
        (hits.is_some(), of(Failure::RateLimited), of(Failure::Unauthenticated))
    };
    // Only orders has a cache and asks who sends, only stock a limit, and status nothing.
    assert_eq!(figures(0), (true, false, true));
    assert_eq!(figures(1), (false, true, false));
    assert_eq!(figures(2), (false, false, false));
    let during = &report.summary.windows.last().unwrap();
    assert_eq!((during.label.as_str(), during.api), ("during crash for orders", Some(0)));
    assert!(during.ledger.offered > 0 && during.ledger.offered < all_of_crash(&report));
}

/// Requests during the crash, for all APIs.
fn all_of_crash(report: &Report) -> u64 {
    let windows = &report.summary.windows;
    windows.iter().find(|window| window.label == "during crash").unwrap().ledger.offered
}

/// Two Large replicas of which a zone outage at 2 min takes one. Of orders nobody asks as much as
/// the one that is left can carry; the requests for stock take long by themselves.
fn zone_loss(window: &str) -> Scenario {
    scenario(&format!(
        "question = \"?\"\nobjectives = [\"p95 of served < 50ms{window} for orders\", \
         \"p95 of served < 50ms{window} for stock\", \"rejected < 10%{window} for stock\", \
         \"rejected < 10%{window} for orders\", \"failed < 10%{window}\"]\n\
         gateway = {{ tier = \"large\" }}\n[traffic]\nrate = \"200/s\"\n\
         [[policy]]\nname = \"limit\"\nkind = \"rate-limit\"\nlimit = 500\nwindow = \"10s\"\n\
         [[upstream]]\nname = \"slow\"\nlatency = \"300ms\"\n\
         [[api]]\nname = \"stock\"\nshare = \"50%\"\npolicies = [\"limit\"]\nupstream = \"slow\"\n\
         [[api]]\nname = \"orders\"\n\
         [[fault]]\nname = \"z\"\nkind = \"zone-outage\"\nat = \"2m\"\nfor = \"1h\"\n\
         target = \"a\"\n[run]\nhorizon = \"8m\"\nwarm-up = \"1m\"\n"
    ))
}

#[test]
fn a_run_and_a_plan_judge_an_api_alike() {
    let run = zone_loss(" from 2m to 8m");
    let experiment = ran(&run, 4);
    let judged = judge_all(&experiment, &run.objectives);
    let of_run: Vec<Verdict> = judged.iter().map(|judged| judged.verdict).collect();
    let (met, missed) = (Verdict::Met, Verdict::Missed);
    assert_eq!(of_run, [met, missed, missed, met, met]);
    let progress = Progress::default();
    let runner = Runner::new(None, &progress, &NoStore).unwrap();
    let effort = SearchEffort {
        trial: Trial { judged: Span::from_secs(360.0), peak_ratio: 2.0 },
        replications: 4,
        tolerance: 0.01,
        demand: None,
    };
    let tried = probe(&runner, &zone_loss(""), Mode::ZoneLoss, effort, 200.0).unwrap();
    let of_plan: Vec<Verdict> = tried.judged.iter().map(|(found, _)| found.verdict).collect();
    assert_eq!(of_plan, of_run);
    let rejected = |index: usize| tried.unserved_of(&tried.judged[index].0.objective).rejected;
    let (share, kind) = rejected(2).expect("some are rejected");
    let in_run = judged[2].figure.expect("the same in the run").point;
    assert!((share - in_run).abs() < 0.02, "{share} and {in_run}");
    assert_eq!((kind, rejected(3)), (Failure::RateLimited, None));
    // Of all requests it is a half of that, as the other half is for orders.
    let (of_all, _) = rejected(4).expect("some are rejected");
    assert!((2.0 * of_all - share).abs() < 0.02, "{of_all} of all, {share} of stock");
}

#[test]
fn an_api_that_nobody_asked_has_no_figures_and_an_objective_on_it_is_undecided() {
    let scenario = scenario(&format!(
        "question = \"?\"\nobjectives = [\"p99 < 1s for rare\", \"failed < 1% for rare\", \
         \"availability >= 99% in the worst minute for rare\", \"p99 < 1s for usual\"]\n\
         {ONE_CORE}[traffic]\nrate = \"20/s\"\n[[api]]\nname = \"rare\"\nshare = \"0.0001%\"\n\
         [[api]]\nname = \"usual\"\n[run]\nhorizon = \"5m\"\nreplications = 3\n"
    ));
    let run = ran(&scenario, 3);
    let report = Report::new(&scenario, &run, None);
    let verdicts: Vec<_> = report.judgements.iter().map(|judged| judged.verdict).collect();
    let nothing = Verdict::Undecided(Doubt::NoData);
    assert_eq!(verdicts, [nothing, nothing, nothing, Verdict::Met]);
    let rare = &report.summary.apis[0];
    assert_eq!(rare.windows[0].ledger, Ledger::default());
    assert_eq!((rare.worst_availability, rare.worst_p99), (None, None));
    assert!([Metric::P99, Metric::Availability].iter().all(|m| rare.windows[0].get(*m).is_none()));
}

#[test]
fn the_worst_minute_of_an_api_is_its_own() {
    // A minute in which all of the upstream's requests fail: those of the other API are answered.
    let scenario = scenario(&format!(
        "question = \"?\"\nobjectives = [\"availability >= 99.9% in the worst minute for plain\", \
         \"availability <= 1% in the worst minute for behind\"]\n\
         {ONE_CORE}[traffic]\nrate = \"50/s\"\n[[upstream]]\nname = \"u\"\nlatency = \"5ms\"\n\
         [[api]]\nname = \"behind\"\nshare = \"50%\"\nupstream = \"u\"\n[[api]]\nname = \"plain\"\n\
         [[fault]]\nname = \"down\"\nkind = \"upstream-outage\"\nat = \"119s\"\nfor = \"62s\"\n\
         [run]\nhorizon = \"4m\"\nwarm-up = \"1m\"\nreplications = 3\n"
    ));
    let run = ran(&scenario, 3);
    let judged = judge_all(&run, &scenario.objectives);
    let figures: Vec<f64> = judged.iter().map(|one| one.figure.unwrap().point).collect();
    assert_eq!(figures, [1.0, 0.0]);
    assert!(judged.iter().all(|one| one.verdict == Verdict::Met), "{judged:#?}");
}

/// The columns of a file by their names.
fn table(content: &[u8]) -> (Vec<String>, Vec<csv::StringRecord>) {
    let mut reader = csv::Reader::from_reader(content);
    let header = reader.headers().unwrap().iter().map(str::to_owned).collect();
    (header, reader.records().map(Result::unwrap).collect())
}

#[test]
fn files_and_the_report_tell_every_api() {
    let desk = Desk::new();
    let text = format!(
        "question = \"?\"\nobjectives = [\"rejected < 60% from 1m to 2m for stock\"]\n\
         {ONE_CORE}{LIMITED}[run]\nhorizon = \"3m\"\nreplications = 2\nwarm-up = \"10s\"\n"
    );
    fs::write(desk.path("two.toml"), text).unwrap();
    let output = desk.run(&["run", "two.toml", "--requests-every", "50", "--no-charts", "-v"]);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{shown}");
    let by_api = shown.lines().skip_while(|line| !line.starts_with("By API"));
    let by_api: Vec<&str> = by_api.take_while(|line| !line.starts_with("Where")).collect();
    assert!(by_api.iter().all(|line| line.chars().count() <= 80), "{by_api:#?}");
    for row in ["  orders ", "  stock ", "    1:00 to 2:00 "] {
        assert_eq!(by_api.iter().filter(|line| line.starts_with(row)).count(), 2, "{by_api:#?}");
    }
    let files: std::collections::BTreeMap<_, _> = desk.results("results/two").into_iter().collect();
    let (header, rows) = table(&files["timeline.csv"]);
    let column = |name: &str| header.iter().position(|it| it == name).expect(name);
    let number = |row: &csv::StringRecord, name: &str| row[column(name)].parse::<u64>().unwrap();
    let bins: Vec<_> = rows.iter().filter(|row| &row[column("replica")] == "all").collect();
    assert!(bins.len() >= 18);
    for bin in bins {
        for what in ["offered", "served"] {
            let of = |api: &str| number(bin, &format!("{api}.{what}"));
            assert_eq!(of("orders") + of("stock"), number(bin, what));
        }
        assert_eq!(number(bin, "stock.rejected"), number(bin, "rejected_limit"));
        assert_eq!((number(bin, "orders.rejected"), number(bin, "orders.failed")), (0, 0));
    }
    let (header, rows) = table(&files["replications.csv"]);
    let sum = |row: &csv::StringRecord, what: &str| {
        let of = |name: String| row[header.iter().position(|it| *it == name).unwrap()].parse();
        let all: [u64; 3] =
            ["orders.", "stock.", ""].map(|api| of(format!("{api}{what}")).unwrap());
        all[0] + all[1] == all[2]
    };
    assert!(rows.len() == 2 && rows.iter().all(|row| sum(row, "offered") && sum(row, "served")));
    let (header, rows) = table(&files["requests.csv"]);
    let api = header.iter().position(|name| name == "api").unwrap();
    let of_stock = rows.iter().filter(|row| &row[api] == "stock").count();
    assert!(of_stock > 100 && of_stock < rows.len() - 100);
    let summary: Value = serde_json::from_slice(&files["summary.json"]).unwrap();
    assert_eq!(summary["objectives"][0]["window"], "1:00 to 2:00 for stock");
    let labels = |windows: &Value| -> Vec<String> {
        let windows = windows.as_array().unwrap().iter();
        windows.map(|one| one["label"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(labels(&summary["windows"]), ["the run", "1:00 to 2:00"]);
    let stock = &summary["apis"][1];
    assert_eq!(stock["name"], "stock");
    assert_eq!(labels(&stock["windows"]), ["the run for stock", "1:00 to 2:00 for stock"]);
    assert!(stock["windows"][0]["latency_ms"]["p99"]["high"].is_number());
}

#[test]
fn requests_of_several_apis_are_replayed_for_the_same() {
    let recorded = format!(
        "question = \"?\"\n{ONE_CORE}[[api]]\nname = \"orders\"\nshare = \"50%\"\n\
         [[api]]\nname = \"stock\"\n"
    );
    let desk = Desk::new();
    let run = "[run]\nhorizon = \"30s\"\nreplications = 1\nwarm-up = \"0s\"\n";
    let first = format!("{recorded}[traffic]\nrate = \"20/s\"\n{run}");
    fs::write(desk.path("first.toml"), first).unwrap();
    let again = "[traffic]\nreplay = \"results/first/requests.csv\"\n";
    fs::write(desk.path("again.toml"), format!("{recorded}{again}{run}")).unwrap();
    let apis = |name: &str| {
        let args = ["run", name, "--requests-every", "1", "--no-charts"];
        let output = desk.run(&args);
        assert_eq!(output.status.code(), Some(0), "{}", crate::desk::err(&output));
        let folder = format!("results/{}", name.trim_end_matches(".toml"));
        let files = desk.results(&folder);
        let file = files.iter().find(|(file, _)| file == "requests.csv").unwrap();
        let (header, rows) = table(&file.1);
        let api = header.iter().position(|name| name == "api").unwrap();
        rows.iter().map(|row| row[api].to_owned()).collect::<Vec<_>>()
    };
    let (first, again) = (apis("first.toml"), apis("again.toml"));
    assert!(first.len() > 400 && first == again);
}
