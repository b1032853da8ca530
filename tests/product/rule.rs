//! One rule for objectives: a run and the mode of a plan that does the same say the same of it.

use std::path::Path;

use brownout::experiment::store::NoStore;
use brownout::experiment::{Experiment, Progress, Retention, Runner};
use brownout::scenario::{Scenario, read};
use brownout::study::capacity::finding::SearchEffort;
use brownout::study::capacity::probe::probe;
use brownout::study::mode::{Mode, Trial};
use brownout::units::Span;
use brownout::verdict::{Verdict, judge_all};

use crate::desk::Desk;

const REPLICATIONS: usize = 4;

/// Two Large replicas of which a zone outage at 2 min takes one, judged for 10 min over `window`.
fn zone_loss(window: &str) -> Scenario {
    let text = format!(
        "question = \"Is the loss of a zone borne?\"\n\
         objectives = [\"p99 < 250ms{window}\", \"p99 of served < 250ms{window}\", \
         \"availability >= 95%{window}\"]\n\
         gateway = {{ tier = \"large\" }}\n[traffic]\nrate = \"600/s\"\n\
         [[fault]]\nname = \"z\"\nkind = \"zone-outage\"\nat = \"2m\"\nfor = \"1h\"\n\
         target = \"a\"\n\
         [run]\nhorizon = \"12m\"\nwarm-up = \"1m\"\n"
    );
    read::parse("zone-loss", &text, Path::new("")).scenario.expect("sound")
}

fn runner(progress: &Progress) -> Runner<'_> {
    Runner::new(None, progress, &NoStore).unwrap()
}

#[test]
fn a_run_and_the_mode_of_a_plan_judge_alike() {
    let progress = Progress::default();
    let run = zone_loss(" from 2m to 12m");
    let ran: Experiment = runner(&progress).run(&run.plan, REPLICATIONS, Retention::None);
    let of_run: Vec<_> = judge_all(&ran, &run.objectives);
    let effort = SearchEffort {
        trial: Trial { judged: Span::from_secs(600.0), peak_ratio: 2.0 },
        replications: REPLICATIONS,
        tolerance: 0.01,
        demand: None,
    };
    let tried = probe(&runner(&progress), &zone_loss(""), Mode::ZoneLoss, effort, 600.0).unwrap();
    let verdicts: Vec<Verdict> = of_run.iter().map(|judgement| judgement.verdict).collect();
    let of_plan: Vec<Verdict> = tried.judged.iter().map(|(found, _)| found.verdict).collect();
    assert_eq!(of_plan, verdicts, "{tried:#?}");
    // Some 4 % fail until the loss is noticed, so p99 lies among them whatever the rest took.
    assert_eq!(verdicts[0], Verdict::Missed);
    assert!(of_run[0].without_latency.is_some_and(|share| share > 0.02));
    assert_eq!(verdicts[2], Verdict::Met);
    assert!(tried.excess.least > 0.0);
}

#[test]
fn the_requests_of_a_run_can_be_replayed_as_they_are() {
    let desk = Desk::new();
    let text = |traffic: &str| {
        format!(
            "question = \"Is it the same again?\"\n[gateway]\ntier = \"small\"\n\
             [traffic]\n{traffic}\n[[fault]]\nname = \"crash\"\nkind = \"replica-crash\"\n\
             at = \"30s\"\n[run]\nhorizon = \"60s\"\nwarm-up = \"10s\"\nreplications = 1\n"
        )
    };
    std::fs::write(desk.path("drawn.toml"), text("rate = \"40/s\"")).unwrap();
    assert_eq!(desk.code(&["run", "drawn.toml", "--requests-every", "1"]), 0);
    let recorded = "replay = \"results/drawn/requests.csv\"";
    std::fs::write(desk.path("again.toml"), text(recorded)).unwrap();
    assert_eq!(desk.code(&["run", "again.toml", "--requests-every", "1"]), 0);
    let rows = |name: &str| {
        let path = desk.path(&format!("results/{name}/requests.csv"));
        let mut reader = csv::Reader::from_path(path).unwrap();
        let column =
            |name: &str| reader.headers().unwrap().iter().position(|it| it == name).unwrap();
        let names = ["sent_s", "demand_ms", "latency_ms", "failed_after_ms", "outcome"];
        let columns = names.map(column);
        let rows = reader.records().map(|row| {
            let row = row.unwrap();
            columns.map(|column| row[column].to_owned())
        });
        rows.collect::<Vec<_>>()
    };
    let (drawn, again) = (rows("drawn"), rows("again"));
    assert_eq!(drawn.len(), again.len());
    for (first, second) in drawn.iter().zip(&again) {
        assert_eq!(first[0], second[0], "sent at the same time");
        if !first[1].is_empty() && !second[1].is_empty() {
            assert_eq!(first[1], second[1], "the demand of {}", first[0]);
        }
        // Who is served has a latency, who fails the time to that.
        assert_eq!(first[2].is_empty(), first[4] != "served");
        assert!(first[3].is_empty() == matches!(first[4].as_str(), "served" | "in_flight"));
    }
    assert!(drawn.iter().any(|row| !row[3].is_empty()), "some failed");
}
