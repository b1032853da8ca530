//! One rule for objectives: a run and the mode of a plan that does the same say the same of it.

use std::path::Path;

use brownout::experiment::store::NoStore;
use brownout::experiment::{Experiment, Progress, Retention, Runner};
use brownout::scenario::{Scenario, read};
use brownout::study::capacity::finding::SearchEffort;
use brownout::study::capacity::mode::{Mode, Trial};
use brownout::study::capacity::probe::probe;
use brownout::units::Span;
use brownout::verdict::{Verdict, judge_all};

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
