use super::*;
use crate::report::sweep::report::sample::{axes, cells, report, without_objectives};

fn fits(text: &str) {
    assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
}

#[test]
fn a_sweep_of_the_load_says_up_to_where_all_is_met() {
    let axes = axes(&["traffic.rate=10/s,20/s,300/s", "gateway.replicas=2"]);
    let cells = cells(&axes);
    let text = render(&report(&axes, &cells, &[50.0, 60.0, 900.0].map(Some)), None, false);
    fits(&text);
    assert!(text.starts_with("traffic.rate (10/s, 20/s, 300/s): 3 cells\n"), "{text}");
    assert!(text.contains("  5 replications of 10 min each, seed 42, common random numbers"));
    assert!(text.contains("  with gateway.replicas=2\n"), "{text}");
    assert!(text.contains("  p99 < 250ms  met in 2, undecided in 0, missed in 1 of 3 cells\n"));
    assert!(text.contains("  → p99 < 250ms is met up to 20/s; at 300/s p99 < 250ms is missed\n"));
    let row = text.lines().find(|line| line.starts_with("  300/s")).expect(&text);
    assert!(row.contains('✗') && row.contains("~944 ms (902–985)"), "{row}");
    let row = text.lines().find(|line| line.starts_with("  10/s")).expect(&text);
    assert!(row.contains('✓') && !row.contains('~'), "{row}");
    assert!(text.contains("  ~ the figures depend on how long the run is, because the load is"));
    assert!(text.contains("  ! traffic.rate=300/s: 300/s is 150 % of"), "{text}");
}

#[test]
fn a_sweep_that_was_stopped_says_so() {
    let axes = axes(&["a.x=1,2,3", "a.y=1,2", "a.z=1,2"]);
    let cells = cells(&axes);
    let text = render(&report(&axes, &cells, &[Some(50.0); 5]), None, false);
    assert!(text.contains("  stopped early: 5 of 12 cells are complete\n"), "{text}");
    assert!(text.contains("no chart is drawn of more than two settings"), "{text}");
    let none = render(&report(&axes, &cells, &[]), None, false);
    assert!(none.contains("No cell is complete"), "{none}");
}

#[test]
fn without_objectives_there_is_nothing_to_miss() {
    let axes = axes(&["a.x=1,2"]);
    let cells = without_objectives(cells(&axes));
    let found = report(&axes, &cells, &[Some(50.0); 2]);
    assert_eq!(verdicts_only(&found, false), "No objectives: nothing to meet or miss.\n");
    assert!(render(&found, None, false).lines().any(|line| line.starts_with("  1    –")));
}

#[test]
fn wide_and_long_tables_are_cut_to_fit() {
    let long = format!("a.{}=uniform(1s, 2s),{}", "x".repeat(60), "y".repeat(50));
    let axes = axes(&[&long, "some.other-setting=1..150:150"]);
    let cells = cells(&axes);
    let text = render(&report(&axes, &cells, &[Some(50.0); 300]), None, false);
    fits(&text);
    assert!(text.contains("yyyyyyyyyyyyyyy…"), "{text}");
    assert!(text.contains("  and 100 cells more, see sweep.csv\n"), "{text}");
}

#[test]
fn a_caveat_is_said_once_with_the_cells_that_have_it() {
    let axes = axes(&["traffic.rate=10/s,300/s,400/s"]);
    let cells = cells(&axes);
    let text = render(&report(&axes, &cells, &[Some(50.0); 3]), None, false);
    let overload = "  ! 2 of 3 cells, worst at traffic.rate=400/s: 400/s is 200 % of what";
    assert!(text.contains(overload), "{text}");
    assert_eq!(text.matches("what all replicas can carry").count(), 1, "{text}");
}
