//! Tests of the timelines laid over each other.

use super::*;
use crate::plot::tests::{assert_sound, assert_tells, blocks, count, find, lines};
use proptest::prelude::*;

fn at(seconds: f64) -> Instant {
    Instant::from_secs(seconds)
}

fn level(value: f64) -> Vec<SeriesPoint> {
    (0..=60).map(|i| (10.0 * f64::from(i), Some(value))).collect()
}

fn panel(title: &str, scale: PanelScale, series: Vec<Vec<SeriesPoint>>) -> OverlayPanel {
    OverlayPanel { title: title.to_owned(), scale, steps: false, series }
}

fn input<'a>(names: &[&str], panels: Vec<OverlayPanel>) -> OverlayInput<'a> {
    OverlayInput {
        title: "Title",
        subtitle: "Sample",
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        panels,
        rules: vec![(at(180.0), "zone b is lost".to_owned()), (at(900.0), "later".to_owned())],
        warm_up: at(60.0),
        horizon: at(600.0),
    }
}

fn two(first: f64, second: f64) -> OverlayInput<'static> {
    let shares = panel("Failed", PanelScale::Share, vec![level(first), level(second)]);
    input(&["small", "large"], vec![shares])
}

fn three(levels: [f64; 3]) -> OverlayInput<'static> {
    let shares = panel("Failed", PanelScale::Share, levels.map(level).into());
    input(&["small", "large", "huge"], vec![shares])
}

/// The places that lines of one role go through.
fn path(figure: &Figure, wanted: Role) -> Vec<Point> {
    lines(figure, wanted).concat()
}

#[test]
fn names_stand_at_line_ends_that_are_apart() {
    let figure = overlay(&two(0.2, 0.8));
    for (name, index) in [("small", 0), ("large", 1)] {
        let end = *path(&figure, Style::nth(index).role).last().unwrap();
        let place = find(&figure, name).unwrap();
        assert!(place.0 > end.0 && (place.1 - 4.1 - end.1).abs() < 1e-6, "{name}: {place:?}");
    }
    assert_sound(&figure);
}

#[test]
fn names_stand_in_a_row_above_if_line_ends_are_not_apart() {
    let figure = overlay(&three([0.5, 0.5, 0.51]));
    let (small, large) = (find(&figure, "small").unwrap(), find(&figure, "large").unwrap());
    let title = find(&figure, "Failed").unwrap();
    assert!(small.1 == large.1 && small.0 < large.0 && large.1 < title.1);
    assert_eq!(count(&figure, "small"), 1);
    assert_sound(&figure);
}

#[test]
fn one_variant_that_collides_in_one_panel_moves_all_names_above() {
    let mut input = three([0.2, 0.5, 0.8]);
    assert_eq!(count(&overlay(&input), "large"), 1);
    input.panels.push(input.panels[0].clone());
    assert_eq!(count(&overlay(&input), "large"), 2);
    input.panels[1].series = vec![level(0.1); 3];
    let figure = overlay(&input);
    assert_eq!(count(&figure, "large"), 1);
    assert_sound(&figure);
}

#[test]
fn rules_run_through_all_panels_and_are_named_once() {
    let mut input = two(0.2, 0.8);
    input.panels.push(panel("p99 latency", PanelScale::Latency, vec![level(0.01), level(1.0)]));
    let figure = overlay(&input);
    let rules = blocks(&figure, Role::Text);
    assert_eq!(rules.len(), 1, "{rules:?}");
    let (rule, label) = (rules[0], find(&figure, "zone b is lost").unwrap());
    let titles = ["Failed", "p99 latency"].map(|title| find(&figure, title).unwrap());
    assert!(rule.top < label.1 && label.1 < titles[0].1 && titles[1].1 < rule.bottom);
    let middle = (rule.left + rule.right) / 2.0;
    let (start, end) = (LEFT, path(&figure, Role::Blue).last().unwrap().0);
    assert!((middle - (start + 0.3 * (end - start))).abs() < 1e-6, "{middle}");
    assert!(find(&figure, "later").is_none() && !figure.alt.contains("later"));
}

#[test]
fn a_label_that_would_leave_the_picture_lies_before_its_rule() {
    let mut input = two(0.5, 0.5);
    input.rules = vec![(at(595.0), "the zone is back and all is well again".to_owned())];
    let figure = overlay(&input);
    let label = find(&figure, "the zone is back and all is well again").unwrap();
    assert!(label.0 < blocks(&figure, Role::Text)[0].left, "{label:?}");
    assert_sound(&figure);
}

#[test]
fn a_rule_that_would_cross_the_label_of_another_has_none() {
    let mut input = two(0.5, 0.5);
    let label = |words: &str| words.repeat(2);
    input.rules = vec![(at(480.0), label("it begins")), (at(560.0), label("here it ends, "))];
    let figure = overlay(&input);
    assert!(find(&figure, &label("it begins")).is_some());
    input.rules[0].0 = at(540.0);
    let crowded = overlay(&input);
    let named = input.rules.iter().filter(|rule| find(&crowded, &rule.1).is_some()).count();
    assert_eq!((named, blocks(&crowded, Role::Text).len()), (1, 2));
}

#[test]
fn steps_stay_level_and_gaps_stay_open() {
    let mut input = two(0.2, 0.8);
    input.panels[0].scale = PanelScale::Count;
    input.panels[0].steps = true;
    let series = [(0.0, Some(4.0)), (300.0, Some(2.0)), (400.0, None), (500.0, Some(4.0))];
    input.panels[0].series = vec![series.into()];
    let path = path(&overlay(&input), Role::Blue);
    let xs: Vec<f64> = path.iter().map(|at| at.0 - LEFT).collect();
    let per_second = xs[1] / 300.0;
    let expected = [0.0, 300.0, 300.0, 400.0, 500.0, 600.0].map(|seconds| seconds * per_second);
    assert_eq!(xs.len(), expected.len());
    assert!(xs.iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-6), "{xs:?}");
    assert!(path[0].1 == path[1].1 && path[1].1 < path[2].1 && path[0].1 == path[5].1);
}

#[test]
fn the_words_tell_the_range_of_every_variant() {
    let mut input = two(0.02, 0.8);
    input.panels[0].series[0][9].1 = Some(0.05);
    let mut fast = level(0.041);
    fast[3].1 = Some(0.0);
    input.panels.push(panel("p99 latency", PanelScale::Latency, vec![fast, vec![]]));
    assert_tells(
        &overlay(&input),
        &[
            "2 variants from 0:00 to 10:00",
            " 3:00: zone b is lost.",
            " Failed: small: from 2 % to 5 %, highest at 1:30, 2 % at the end;",
            " large: from 80 % to 80 %,",
            " p99 latency: small: from 41 ms to 41 ms,",
            " large: nothing was measured.",
        ],
    );
}

#[test]
fn nothing_one_value_and_very_much_are_drawn() {
    assert_sound(&overlay(&input(&[], vec![])));
    assert!(find(&overlay(&input(&["a"], vec![])), "no metric to show").is_some());
    let empty = overlay(&input(&["a"], vec![panel("Empty", PanelScale::Latency, vec![vec![]])]));
    assert!(find(&empty, "nothing was measured").is_some());
    assert_sound(&empty);
    let one = vec![vec![(5.0, Some(0.1))]];
    assert_sound(&overlay(&input(&["a"], vec![panel("One", PanelScale::Latency, one)])));
    let many = |i: u32| {
        let value = |j: u32| (f64::from(j) * 0.01, Some(f64::from(i + j % 7)));
        (0..60_000).map(value).collect()
    };
    let mut much = panel("Much", PanelScale::Count, (0..20).map(many).collect());
    much.steps = true;
    let names: Vec<String> = (0..20).map(|i| format!("{i} {}", "long ".repeat(30))).collect();
    let mut input = input(&[], vec![much; 3]);
    (input.names, input.horizon) = (names, Instant::NEVER);
    input.rules = (0..500).map(|i| (at(f64::from(i)), format!("rule {i}"))).collect();
    let figure = overlay(&input);
    assert!(find(&figure, "and 8 more").is_some());
    assert!(figure.shapes.len() < 3_000, "{}", figure.shapes.len());
}

fn samples() -> impl Strategy<Value = SeriesPoint> {
    (prop::num::f64::ANY, prop::option::of(prop::num::f64::ANY))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_values_make_a_sound_picture(
        series in prop::collection::vec(prop::collection::vec(samples(), 0..9), 0..9),
        names in prop::collection::vec("[a-z ]{1,70}", 0..9),
        rules in prop::collection::vec((0.0..700.0_f64, "[a-z]{1,60}"), 0..9),
        (steps, end, warm_up) in (any::<bool>(), 0.0..1e5_f64, 0.0..1e5_f64)
    ) {
        let scales = [PanelScale::Latency, PanelScale::Share, PanelScale::Count];
        let panel = |scale| OverlayPanel { steps, ..panel("A metric", scale, series.clone()) };
        let mut input = input(&[], scales.map(panel).into());
        input.names = names;
        input.rules = rules.into_iter().map(|(when, label)| (at(when), label)).collect();
        (input.warm_up, input.horizon) = (at(warm_up), at(end));
        assert_sound(&overlay(&input));
    }
}
