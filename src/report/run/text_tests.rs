use std::path::Path;

use super::*;
use crate::experiment::Experiment;
use crate::experiment::tests::{example, with_clients};
use crate::objective::{Bound, Objective, Relation};
use crate::observe::count::Count;
use crate::report::sample::scenario;
use crate::scenario::Scenario;
use crate::units::Instant;

fn rendered(run: &Experiment, colour: bool) -> String {
    show(&scenario(), run, colour)
}

fn show(scenario: &Scenario, run: &Experiment, colour: bool) -> String {
    let report = Report::new(scenario, run, None);
    let names = ["summary.json".to_owned(), "timeline.csv".to_owned()];
    let written = Written { directory: Path::new("results/one-crash"), names: &names };
    render(&report, Some(written), colour)
}

/// To renew the expected text after a wanted change, run with UPDATE=1.
#[test]
fn the_report_reads_as_it_should() {
    let text = rendered(&example::experiment(), false);
    expect(&text, "text_tests.txt", include_str!("text_tests.txt"));
}

#[test]
fn clients_and_upstreams_are_told_too() {
    let scenario = Scenario { plan: with_clients::plan(), ..scenario() };
    let text = show(&scenario, &with_clients::experiment(), false);
    expect(&text, "text_dependencies.txt", include_str!("text_dependencies.txt"));
    let wide: Vec<_> = text.lines().filter(|line| line.chars().count() > 100).collect();
    assert!(wide.is_empty(), "{wide:#?}");
}

#[test]
fn what_the_ingress_tried_again_is_told_where_nothing_feeds_back_too() {
    let (mut told, mut run) = (scenario(), example::experiment());
    told.plan.ingress.retries = 1;
    run.outcomes.iter_mut().for_each(|outcome| {
        outcome.windows[0].counts[Count::IngressRetry as usize] = 7;
    });
    assert!(told.plan.is_open_loop(), "connections alone are tried again");
    let text = show(&told, &run, false);
    assert!(text.contains("ingress retries   7 per replication"), "{text}");
    told.plan.ingress.retries = 0;
    assert!(!show(&told, &run, false).contains("ingress retries"));
}

fn expect(text: &str, file: &str, expected: &str) {
    if std::env::var_os("UPDATE").is_some() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/run");
        std::fs::write(folder.join(file), text).unwrap();
    }
    assert_eq!(text, expected);
}

#[test]
fn no_line_is_wider_than_a_hundred_columns() {
    let mut run = example::experiment();
    example::change_incident(&mut run.outcomes[0], |incident| {
        (incident.normal, incident.service) = (None, None);
    });
    run.interrupted = true;
    let text = rendered(&run, false);
    let wide: Vec<_> = text.lines().filter(|line| line.chars().count() > 100).collect();
    assert!(wide.is_empty(), "{wide:#?}");
}

#[test]
fn colour_adds_nothing_but_colour() {
    let run = example::experiment();
    let coloured = rendered(&run, true);
    assert!(coloured.contains("\u{1b}["));
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), rendered(&run, false));
}

#[test]
fn the_verdict_comes_first_and_gives_its_reasons() {
    let mut run = example::experiment();
    let first = |run: &Experiment| rendered(run, false).lines().next().unwrap().to_owned();
    assert_eq!(first(&run), "✗ MISSED: 1 of 3 objectives");
    run.outcomes.truncate(1);
    assert_eq!(first(&run), "? UNDECIDED: 3 of 3 objectives");
    assert!(rendered(&run, false).contains("one replication has no interval"));
}

#[test]
fn a_recovery_that_never_came_is_told_as_a_lower_bound() {
    let objective = Objective {
        text: "recovery < 60s".to_owned(),
        metric: Metric::RECOVERY,
        relation: Relation::Below,
        bound: Bound::Span(Span::from_secs(60.0)),
        window: 0,
    };
    let scenario = Scenario { objectives: vec![objective], ..scenario() };
    let mut run = example::experiment();
    for outcome in &mut run.outcomes {
        example::change_incident(outcome, |incident| incident.service = None);
    }
    let text = show(&scenario, &run, false);
    // Injected at 3:00, and not over at 10:00.
    let line = "✗ missed  recovery < 60s  at least 420 s  by 6 min and more";
    assert!(text.contains(line), "{text}");
}

#[test]
fn a_run_that_was_stopped_says_when() {
    let mut run = example::experiment();
    run.outcomes.truncate(1);
    (run.outcomes[0].interrupted, run.outcomes[0].ended) = (true, Instant::from_secs(133.0));
    let text = rendered(&run, false);
    assert!(text.contains("1 replication of 10 min, stopped at 2:13, warm-up 60 s"), "{text}");
}

#[test]
fn many_incidents_are_cut_short_with_their_number() {
    let mut run = example::experiment();
    let incident = run.outcomes[0].incidents[0].clone();
    example::set_incidents(&mut run.outcomes[0], vec![incident; 9]);
    run.outcomes[0].incidents_unlisted = 1_000;
    run.outcomes[0].incidents[0].at = Instant::from_secs(1.0);
    assert!(rendered(&run, false).contains("and 1,004 more, see events.csv"));
}
