//! Tests of the chart of latency against a swept setting.

use super::*;
use crate::plot::canvas::Point;
use crate::plot::tests::{
    assert_sound, assert_tells, blocks, fills, find, lines as drawn_lines, polygons, texts,
};
use proptest::prelude::*;

fn point(x: f64, y: f64) -> HockeyPoint {
    HockeyPoint { x, y: Some(y), interval: Some((0.9 * y, 1.1 * y)), settled: true }
}

fn line(label: &str, points: Vec<HockeyPoint>) -> HockeyLine {
    HockeyLine { label: label.to_owned(), points }
}

fn input(lines: Vec<HockeyLine>) -> HockeyInput<'static> {
    HockeyInput {
        title: "Title",
        subtitle: "Sample",
        x_label: "offered load (requests/s)",
        lines,
        objectives: vec![],
        usable: None,
        throughput: vec![],
        is_load: true,
    }
}

/// Loads from 100/s to 1,000/s at which latency grows from `base` seconds.
fn rising(base: f64) -> Vec<HockeyPoint> {
    let rising = |i: i32| point(100.0 * f64::from(i), base * 1.3_f64.powi(i));
    (1..=10).map(rising).collect()
}

fn served(label: &str, most: f64) -> HockeyLine {
    let points = (1..=10).map(|i| 100.0 * f64::from(i)).map(|load| point(load, load.min(most)));
    HockeyLine { label: label.to_owned(), points: points.collect() }
}

fn full() -> HockeyInput<'static> {
    let mut input = input(vec![line("p50", rising(0.01)), line("p99", rising(0.05))]);
    input.objectives = vec![("objective: p99 within 250 ms".to_owned(), 0.25)];
    input.usable = Some((700.0, "usable capacity".to_owned()));
    input.throughput = vec![served("served", 800.0)];
    input
}

#[test]
fn lines_go_through_their_points_and_bear_their_names_at_the_end() {
    let figure = hockey(&full());
    for (label, role) in [("p50", Role::Median), ("p99", Role::P99)] {
        let paths = drawn_lines(&figure, role);
        assert_eq!((paths.len(), paths[0].len()), (1, 10), "{label}");
        let steps = paths[0].windows(2).map(|pair| (pair[1].0 - pair[0].0, pair[0].1 - pair[1].1));
        let steps: Vec<(f64, f64)> = steps.collect();
        let even = |step: &(f64, f64)| {
            (step.0 - steps[0].0).abs() < 1e-6 && (step.1 - steps[0].1).abs() < 1e-6
        };
        assert!(steps.iter().all(even) && steps[0].1 > 0.0, "{label}: {steps:?}");
        let (end, name) = (paths[0][9], find(&figure, label).unwrap());
        assert_eq!(name, (end.0 + 10.0, end.1 + 4.1), "{label}");
    }
    assert_sound(&figure);
}

#[test]
fn a_band_lies_around_its_line() {
    let figure = hockey(&full());
    let (band, path) =
        (polygons(&figure, Role::P99).remove(0), drawn_lines(&figure, Role::P99).concat());
    assert_eq!(band.len(), 20);
    for (index, at) in path.iter().enumerate() {
        let (lower, upper) = (band[index], band[19 - index]);
        assert!(lower.0 == at.0 && upper.0 == at.0 && upper.1 < at.1 && at.1 < lower.1);
    }
}

#[test]
fn points_that_did_not_settle_are_hollow_and_their_segments_dashed() {
    let mut points = rising(0.01);
    points[8].settled = false;
    points[9].settled = false;
    let figure = hockey(&input(vec![line("p99", points)]));
    let paths = drawn_lines(&figure, Role::P99);
    assert_eq!(paths[0].len(), 8);
    assert!(paths.len() > 8 && paths[1..].iter().all(|dash| dash.len() == 2), "{}", paths.len());
    // Each mark has a rim in the background colour, and a hollow one an inside.
    assert_eq!(fills(&figure, Role::Background).len(), 12);
    let told =
        texts(&figure).iter().any(|text| text.text.contains("hollow, dashed: did not settle"));
    assert!(told && figure.alt.contains("at 1000, not settled"), "{}", figure.alt);
}

#[test]
fn a_line_ends_where_nothing_was_served() {
    let mut points = rising(0.01);
    points[7].y = None;
    points.truncate(8);
    let figure = hockey(&input(vec![line("p99", points)]));
    assert_eq!(drawn_lines(&figure, Role::P99)[0].len(), 7);
    assert!(figure.alt.contains("nothing at 800."), "{}", figure.alt);
}

#[test]
fn the_region_beyond_use_is_tinted_through_both_panels() {
    let figure = hockey(&full());
    let tint = blocks(&figure, Role::Vermilion)[0];
    let path = drawn_lines(&figure, Role::P99).concat();
    assert!((tint.left - path[6].0).abs() < 1e-6, "{tint:?}");
    let label = find(&figure, "usable capacity").unwrap();
    let lower = find(&figure, "Requests served per second").unwrap();
    assert!(label.1 < tint.top && lower.1 < tint.bottom);
}

#[test]
fn names_of_objectives_lie_on_their_level_where_no_line_is() {
    let level = |figure: &Figure| drawn_lines(figure, Role::Text)[0][0].1;
    let name = "objective: p99 within 250 ms";
    let figure = hockey(&full());
    assert_eq!(find(&figure, name).unwrap(), (LEFT + 8.0, level(&figure) - 6.0));
    let mut input = full();
    // A line just above the level, from the first point to the last.
    input.lines.push(line("max", (1..=10).map(|i| point(100.0 * f64::from(i), 0.27)).collect()));
    input.lines[2].points.insert(0, point(0.0, 0.27));
    let figure = hockey(&input);
    assert_eq!(find(&figure, name).unwrap(), (LEFT + 8.0, level(&figure) + 15.0));
    assert_sound(&figure);
}

#[test]
fn throughput_has_the_look_of_its_latency_and_is_compared_with_the_load() {
    let lines = [2, 3].map(|n| line(&format!("{n} replicas, p99"), rising(0.01 * f64::from(n))));
    let mut input = input(lines.into());
    input.throughput = vec![served("3 replicas", 900.0), served("2 replicas", 600.0)];
    let figure = hockey(&input);
    let (two, three) =
        (drawn_lines(&figure, Style::nth(0).role), drawn_lines(&figure, Style::nth(1).role));
    assert!(three[1][9].1 < two[1][9].1, "the line of three replicas is the upper one");
    assert!(find(&figure, "offered").is_some());
    assert_sound(&figure);
    input.is_load = false;
    assert!(find(&hockey(&input), "offered").is_none());
}

#[test]
fn names_that_would_cover_each_other_move_to_a_column_at_the_right() {
    let lines = (0..6).map(|i| line(&format!("{i} replicas, p99"), rising(0.01)));
    let figure = hockey(&input(lines.collect()));
    let places: Vec<Point> =
        (0..6).map(|i| find(&figure, &format!("{i} replicas, p99")).unwrap()).collect();
    let apart = |pair: &[Point]| pair[0].0 == pair[1].0 && pair[1].1 - pair[0].1 >= 14.9;
    assert!(places.windows(2).all(apart), "{places:?}");
    assert_sound(&figure);
}

#[test]
fn the_words_tell_every_value() {
    assert_tells(
        &hockey(&full()),
        &[
            "against offered load (requests/s).",
            " p50: 13 ms (11.7 ms to 14.3 ms) at 100;",
            " Level: objective: p99 within 250 ms, at 250 ms.",
            " Tinted beyond 700: usable capacity.",
            " served: 100 (90 to 110) at 100;",
        ],
    );
}

#[test]
fn nothing_one_point_and_equal_points_are_drawn() {
    let nothing = hockey(&input(vec![]));
    assert!(find(&nothing, "nothing was served").is_some());
    assert_sound(&nothing);
    let mut none = full();
    none.lines.iter_mut().flat_map(|line| &mut line.points).for_each(|point| point.y = None);
    none.throughput[0].points.clear();
    assert_sound(&hockey(&none));
    assert_sound(&hockey(&input(vec![line("p99", vec![point(5.0, 0.02)])])));
    assert_sound(&hockey(&input(vec![line("p99", vec![point(5.0, 0.02); 40])])));
    let many = (0..50_000).map(|i| point(f64::from(i), 0.02 + 1e-6 * f64::from(i)));
    let figure = hockey(&input(vec![line("p99", many.collect())]));
    assert!(figure.shapes.len() < 400, "{}", figure.shapes.len());
}

fn points() -> impl Strategy<Value = Vec<HockeyPoint>> {
    let number = || prop_oneof![3 => 0.0..2e3_f64, 1 => prop::num::f64::ANY];
    let ends = || prop::option::of((number(), number()));
    let parts = (number(), prop::option::of(number()), ends(), any::<bool>());
    let point = parts.prop_map(|(x, y, interval, settled)| HockeyPoint { x, y, interval, settled });
    prop::collection::vec(point, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_values_make_a_sound_picture(
        lines in prop::collection::vec(("[a-z ]{0,60}", points()), 0..6),
        throughput in prop::collection::vec(("[a-z ]{0,60}", points()), 0..4),
        (usable, label) in (prop::num::f64::ANY, "[a-z]{0,200}"), objective in 0.0..2.0_f64,
        is_load in any::<bool>()
    ) {
        let mut input = input(lines.into_iter().map(|(label, all)| line(&label, all)).collect());
        let throughput = throughput.into_iter();
        input.throughput = throughput.map(|(label, points)| HockeyLine { label, points }).collect();
        (input.usable, input.is_load) = (Some((usable, label)), is_load);
        input.objectives = vec![("objective".to_owned(), objective)];
        assert_sound(&hockey(&input));
    }
}
