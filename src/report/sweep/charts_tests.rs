use super::*;
use crate::experiment::summary::Figures;
use crate::report::sweep::report::sample::{axes, cells, report, without_objectives};

fn of(settings: &[&str]) -> Vec<Kind> {
    kinds(&axes(settings))
}

#[test]
fn the_charts_follow_from_what_varies() {
    let (load, replicas, tier) =
        ("traffic.rate=10/s..80/s:8", "gateway.replicas=2,3", "gateway.tier=small,large");
    let tiers = "gateway.image=a,b,c,d,e,f,g";
    assert_eq!(of(&[load]), [Kind::Latency(0)]);
    assert_eq!(of(&[tier]), [Kind::Percentiles]);
    assert_eq!(of(&[tiers]), []);
    assert_eq!(of(&[replicas, load]), [Kind::Latency(1), Kind::Map(1)]);
    assert_eq!(of(&[load, "a.b=1..8:8"]), [Kind::Map(0)]);
    assert_eq!(of(&[replicas, tier]), [Kind::Latency(0)]);
    assert_eq!(of(&[tier, "a.b=p,q"]), [Kind::Map(1)]);
    assert_eq!(of(&[replicas, tiers]), [Kind::Map(1)]);
    assert_eq!(of(&[load, replicas, tier]), []);
}

#[test]
fn latency_over_the_load_shows_percentiles_levels_and_the_usable_load() {
    let axes = axes(&["traffic.rate=10/s,20/s,300/s"]);
    let cells = cells(&axes);
    let report = report(&axes, &cells, &[50.0, 60.0, 900.0].map(Some));
    let [(name, figure)] = &charts(&report)[..] else { panic!("one chart") };
    assert_eq!(*name, "latency");
    assert_eq!(figure.title, "p99 stays under 250 ms up to 20 requests/s");
    for word in ["offered load (requests/s)", "p50", "p95", "p99 < 250ms", "usable up to 20/s"] {
        assert!(figure.alt.contains(word), "{word}: {}", figure.alt);
    }
    assert!(figure.alt.contains("served"), "{}", figure.alt);
}

#[test]
fn two_settings_make_a_line_for_each_value_and_a_map() {
    let axes = axes(&["gateway.replicas=3,2", "traffic.rate=10/s,300/s"]);
    let cells = cells(&axes);
    let report = report(&axes, &cells, &[50.0, 900.0, 60.0].map(Some));
    let all = charts(&report);
    let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["latency", "map"]);
    assert!(all[0].1.alt.contains("replicas=2, p99"), "{}", all[0].1.alt);
    let map = &all[1].1;
    assert_eq!(
        map.title,
        "All objectives are met in 2 of 3 combinations; p99 goes from 52.4 ms to 944 ms"
    );
    assert!(map.alt.contains("gateway.replicas"), "{}", map.alt);
}

#[test]
fn a_cell_of_the_map_has_its_value_and_verdict() {
    let axes = axes(&["traffic.rate=10/s,300/s"]);
    let cells = cells(&axes);
    let found = report(&axes, &cells, &[50.0, 900.0].map(Some));
    let (met, missed) = (map_cell(&found.rows[0]), map_cell(&found.rows[1]));
    assert_eq!((met.verdict, missed.verdict), (Overall::Met, Overall::Missed));
    assert!(missed.text.starts_with('~') && !met.text.starts_with('~'), "{missed:?}");
    assert!((met.value.unwrap() - 0.05).abs() < 0.005, "{met:?}");
    let mut empty = found.rows[0].clone();
    empty.windows[0].figures = Figures::default();
    assert_eq!(map_cell(&empty), HeatmapCell { verdict: Overall::Met, ..nothing() });
}

#[test]
fn numbers_on_a_map_are_in_order_and_words_as_given() {
    let steps = |text: &str| Steps::of(&axes(&[text])[0]);
    let load = steps("traffic.rate=1500/s,100/s");
    assert_eq!((load.caption.as_str(), load.order), ("offered load (requests/s)", vec![1, 0]));
    assert_eq!(load.names, ["100", "1,500"]);
    assert_eq!(steps("gateway.tier=small,large").names, ["small", "large"]);
    assert_eq!(steps("startup.boot=4s,2s").caption, "startup.boot (s)");
}

#[test]
fn words_make_a_distribution_for_each() {
    let axes = axes(&["gateway.tier=small,large"]);
    let cells = without_objectives(cells(&axes));
    let [(name, figure)] = &charts(&report(&axes, &cells, &[900.0, 50.0].map(Some)))[..] else {
        panic!("one chart")
    };
    assert_eq!(*name, "percentiles");
    assert!(figure.title.ends_with("with tier=small"), "{}", figure.title);
    assert!(figure.alt.contains("small: ") && figure.alt.contains("large: "), "{}", figure.alt);
    assert!(charts(&report(&axes, &cells, &[])).is_empty());
}

#[test]
fn levels_of_one_percentile_do_not_stand_beside_lines_of_another() {
    let axes = axes(&["traffic.rate=10/s"]);
    let mut cells = cells(&axes);
    let mut mean = cells.first.objectives[0].clone();
    mean.metric = Metric::MeanLatency;
    cells.first.objectives.push(mean);
    let report = report(&axes, &cells, &[]);
    assert_eq!((levels(&report, true).len(), levels(&report, false).len()), (2, 1));
}
