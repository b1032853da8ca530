//! Tests of the forest plot.

use super::*;
use crate::plot::tests::{assert_sound, assert_tells, blocks, count, fills, find};
use proptest::prelude::*;

fn row(label: &str, point: f64, interval: Option<(f64, f64)>, call: Call) -> ForestRow {
    let words = format!("{point} ms");
    ForestRow { label: label.to_owned(), point, interval, unpaired: None, words, call }
}

fn panel(better: Preferred, rows: Vec<ForestRow>) -> ForestPanel {
    ForestPanel { metric: "p99 latency".to_owned(), unit: "ms".to_owned(), better, rows }
}

fn draw(panels: Vec<ForestPanel>) -> Figure {
    forest(&ForestInput { title: "Title", subtitle: "Sample", panels })
}

fn three() -> Vec<ForestRow> {
    vec![
        row("a", -3.0, Some((-3.5, -2.5)), Call::Less),
        row("b", 4.0, Some((3.0, 5.0)), Call::Greater),
        row("c", 0.5, Some((-1.0, 2.0)), Call::TooClose),
    ]
}

/// In a metric of which neither direction is better.
fn different() -> ForestPanel {
    panel(Preferred::Neither, vec![row("d", 2.0, Some((1.0, 3.0)), Call::Greater)])
}

#[test]
fn marks_lie_to_their_side_of_the_zero_line_by_their_difference() {
    let other = draw(vec![different()]);
    assert!(fills(&other, Role::Blue)[0].0 > blocks(&other, Role::Text)[0].right);
    let figure = draw(vec![panel(Preferred::Less, three())]);
    let zero = blocks(&figure, Role::Text)[0];
    let zero = (zero.left + zero.right) / 2.0;
    let off = |role| fills(&figure, role)[0].0 - zero;
    let per_unit = off(Role::Vermilion) / 4.0;
    assert!(per_unit > 10.0, "{per_unit}");
    let expected = [(Role::Green, -3.0), (Role::Offered, 0.5)];
    for (role, difference) in expected {
        assert!((off(role) - difference * per_unit).abs() < 1e-6, "{role:?}: {}", off(role));
    }
    let heights: Vec<f64> = ["a", "b", "c"].map(|label| find(&figure, label).unwrap().1).into();
    assert!(heights.windows(2).all(|pair| pair[1] - pair[0] == PITCH), "{heights:?}");
    assert!((fills(&figure, Role::Green)[0].1 - (heights[0] - 4.1)).abs() < 1e-6);
}

#[test]
fn whiskers_reach_from_end_to_end_in_either_order() {
    let whisker = |interval| {
        let figure =
            draw(vec![panel(Preferred::Less, vec![row("a", 2.0, interval, Call::Greater)])]);
        blocks(&figure, Role::Vermilion)
    };
    let whole = whisker(Some((1.0, 3.0)));
    assert_eq!(whole.len(), 3);
    assert_eq!(whole, whisker(Some((3.0, 1.0))));
    let middle = |cap: usize| (whole[cap].left + whole[cap].right) / 2.0;
    assert!((middle(1) - whole[0].left).abs() < 1e-6);
    assert!((middle(2) - whole[0].right).abs() < 1e-6);
    assert!(whisker(Some((f64::NAN, 1.0))).is_empty());
}

#[test]
fn what_leaves_the_axis_ends_in_an_arrow() {
    let open = row("a", 2.0, Some((1.0, f64::INFINITY)), Call::Greater);
    let figure = draw(vec![panel(Preferred::Less, vec![open])]);
    assert_eq!(
        (blocks(&figure, Role::Vermilion).len(), fills(&figure, Role::Vermilion).len()),
        (2, 2)
    );
    let mut wide = row("a", 2.0, Some((1.0, 3.0)), Call::Greater);
    wide.unpaired = Some((-90.0, 94.0));
    let figure = draw(vec![panel(Preferred::Less, vec![wide])]);
    assert_eq!(fills(&figure, Role::Capacity).len(), 2);
    let reach = blocks(&figure, Role::Vermilion)[0];
    assert!(reach.right - reach.left > 40.0, "the wide whisker squeezes the other: {reach:?}");
}

#[test]
fn the_ends_of_the_axis_say_which_side_is_better() {
    for (better, left, right) in [
        (Preferred::Less, "better", "worse"),
        (Preferred::More, "worse", "better"),
        (Preferred::Neither, "less", "more"),
    ] {
        let figure = draw(vec![panel(better, vec![row("a", 1.0, None, Call::TooClose)])]);
        let (left, right) = (find(&figure, left).unwrap(), find(&figure, right).unwrap());
        assert!(left.0 < right.0 && left.1 == right.1);
    }
}

#[test]
fn the_words_tell_every_estimate_interval_and_call() {
    let mut rows = three();
    rows[0].unpaired = Some((-6.0, 0.25));
    rows[1].words = String::new();
    rows.push(row("e", f64::NAN, None, Call::TooClose));
    let empty = panel(Preferred::Neither, vec![]);
    let figure = draw(vec![panel(Preferred::Less, rows), different(), empty]);
    assert_tells(
        &figure,
        &[
            " p99 latency, in ms; lower is better:",
            " a: -3 ms, better, independent runs would have given -6 to 0.25;",
            " b: 4 (3 to 5), worse;",
            " c: 0.5 ms, too close to call;",
            " e: no estimate.",
            "neither direction is better: d: 2 ms, differs.",
            "neither direction is better: no variant.",
        ],
    );
    for words in ["4 (3 to 5)", "too close to call", "what independent runs would have given"] {
        assert!(find(&figure, words).is_some(), "{words}");
    }
}

#[test]
fn nothing_to_compare_is_said_so() {
    assert!(find(&draw(vec![]), "nothing was compared").is_some());
    assert!(draw(vec![]).alt.contains("Nothing was compared."));
    let empty = draw(vec![panel(Preferred::Less, vec![])]);
    assert!(find(&empty, "no variant").is_some());
    assert_sound(&draw(vec![]));
    assert_sound(&empty);
}

#[test]
fn more_rows_and_metrics_than_can_be_read_are_counted() {
    let many =
        |count: usize| (0..count).map(|i| row(&format!("v{i}"), i as f64, None, Call::Greater));
    let figure = draw(vec![panel(Preferred::Less, many(1_000).collect())]);
    assert!(find(&figure, "and 952 more").is_some() && find(&figure, "v47").is_some());
    assert!(figure.alt.contains(" v999: 999 ms, worse."));
    assert_sound(&figure);
    let figure = draw((0..20).map(|_| panel(Preferred::Less, many(9).collect())).collect());
    assert!(find(&figure, "and 12 more metrics").is_some());
    assert_eq!(count(&figure, "and 3 more"), 8);
    assert_sound(&figure);
}

fn numbers() -> impl Strategy<Value = f64> {
    prop_oneof![3 => -1e3..1e3_f64, 1 => prop::num::f64::ANY, 1 => Just(0.0)]
}

fn rows() -> impl Strategy<Value = ForestRow> {
    let ends = || prop::option::of((numbers(), numbers()));
    let calls = vec![Call::Less, Call::Greater, Call::TooClose, Call::Equal, Call::Unknown];
    let call = prop::sample::select(calls);
    ("[a-zé≤–\u{202f} 0-9]{0,80}", numbers(), ends(), ends(), "[a-z0-9 ]{0,90}", call).prop_map(
        |(label, point, interval, unpaired, words, call)| ForestRow {
            label,
            point,
            interval,
            unpaired,
            words,
            call,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_differences_make_a_sound_picture(
        panels in prop::collection::vec(prop::collection::vec(rows(), 0..12), 0..5),
        metric in "[a-z ]{0,200}", unit in "[a-z%]{0,60}"
    ) {
        let panel = |rows| {
            let (metric, unit) = (metric.clone(), unit.clone());
            ForestPanel { metric, unit, better: Preferred::More, rows }
        };
        assert_sound(&draw(panels.into_iter().map(panel).collect()));
    }
}
