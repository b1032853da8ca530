//! Places and words of the chart of capacities.

use super::*;
use crate::plot::canvas::{Point, Primitive};
use crate::plot::tests::{
    assert_legible, assert_tells, blocks, circles, count, drawn, lines as lines_of, polygons, text,
    texts,
};
use proptest::prelude::*;

fn row(mode: &str, found: CapacityFound, theory: Option<f64>) -> CapacityRow {
    let (mode, words) = (mode.to_owned(), "p99, CPU".to_owned());
    CapacityRow { mode, found, bands: Vec::new(), theory, words }
}

fn between(low: f64, point: f64, high: f64) -> CapacityFound {
    CapacityFound::Between { low, point, high }
}

fn input(rows: Vec<CapacityRow>, demand: Option<f64>) -> CapacityInput<'static> {
    CapacityInput {
        title: "Large carries the loss of a zone",
        subtitle: "30 replications",
        arrivals: "requests",
        demand: demand.map(|demand| (demand, "today".to_owned())),
        groups: vec![CapacityGroup { name: "Large".to_owned(), rows }],
    }
}

fn typical() -> CapacityInput<'static> {
    let rows = vec![
        row("nothing fails", between(880.0, 900.0, 930.0), Some(910.0)),
        row("a zone is lost", between(400.0, 450.0, 520.0), None),
        row("rolling upgrade", CapacityFound::AtLeast(1_200.0), None),
        row("upstream is slow", CapacityFound::Nothing("no load meets".to_owned()), None),
    ];
    input(rows, Some(600.0))
}

/// How far across dots of one role lie, from the top down, without those of the key.
fn dots(figure: &Figure, wanted: Role) -> Vec<f64> {
    circles(figure, wanted).iter().map(|at| at.0).collect()
}

#[test]
fn dots_lie_on_an_axis_from_zero_and_their_colour_says_whether_they_carry_the_demand() {
    let input = typical();
    let figure = capacity(&input);
    let frame = frame(&input, 0.0, 100.0);
    assert_eq!((frame.x.low, frame.x.scale), (0.0, AxisScale::Linear));
    let (blue, vermilion) = (dots(&figure, Role::Blue), dots(&figure, Role::Vermilion));
    let near = |x: f64, load: f64| (x - frame.across(load)).abs() < 1e-6;
    assert!(near(blue[0], 900.0) && near(blue[1], 1_200.0), "{blue:?}");
    assert!(vermilion.len() == 1 && near(vermilion[0], 450.0), "{vermilion:?}");
}

#[test]
fn whiskers_reach_from_the_low_end_to_the_high_end() {
    let input = typical();
    let frame = frame(&input, 0.0, 100.0);
    let mode = Some(&input.groups[0].rows[1]);
    let shapes =
        drawn(|figure| draw_row(figure, &frame, &TableLine { y: 50.0, tier: "", mode }, None));
    let Primitive::Line { points, .. } = &shapes[0] else { panic!("{shapes:?}") };
    assert_eq!(points[..], [(frame.across(400.0), 50.0), (frame.across(520.0), 50.0)]);
}

#[test]
fn loads_that_miss_and_pass_again_are_drawn_beside_the_capacity_and_told() {
    let mut input = input(vec![row("a replica is lost", between(690.0, 700.0, 710.0), None)], None);
    let band = CapacityBand { missed: (710.0, 1_068.0), passed: (1_134.0, 1_330.0) };
    let unsound = CapacityBand { missed: (f64::NAN, 1.0), ..band };
    input.groups[0].rows[0].bands = vec![band, unsound];
    let figure = capacity(&input);
    assert_legible(&figure);
    let frame = frame(&input, 0.0, 100.0);
    let spans = |role: Role| -> Vec<(f64, f64)> {
        blocks(&figure, role).iter().map(|block| (block.left, block.right)).collect()
    };
    let place = |(from, to): (f64, f64)| (frame.across(from), frame.across(to));
    assert_eq!(spans(Role::Failure)[0], place(band.missed));
    assert!(spans(Role::Blue).contains(&place(band.passed)));
    // Their key.
    assert_eq!(spans(Role::Failure).len(), 2);
    assert_tells(&figure, &["missed from 710/s to 1068/s and met again from 1134/s to 1330/s"]);
}

#[test]
fn a_row_without_capacity_says_why_and_a_bound_ends_in_an_arrow() {
    let input = typical();
    let figure = capacity(&input);
    let frame = frame(&input, 0.0, 100.0);
    assert_eq!(text(&figure, "no load meets").at.0, frame.left + 8.0);
    let number = text(&figure, "at least 1.2k");
    assert_eq!((number.anchor, number.at.0), (Anchor::End, frame.across(1_200.0) - DOT - 6.0));
    let blue = polygons(&figure, Role::Blue);
    let heads: Vec<_> = blue.iter().filter(|points| points.len() == 3).collect();
    assert!(heads.len() == 1 && heads[0][1].0 == frame.across(1_200.0) + ARROW, "{heads:?}");
}

#[test]
fn the_demand_is_named_above_its_upright() {
    let input = typical();
    let figure = capacity(&input);
    let x = frame(&input, 0.0, 100.0).across(600.0);
    assert!((text(&figure, "today").at.0 - x).abs() < 1e-6);
    let dashes = lines_of(&figure, Role::Text);
    let upright = |points: &&Vec<Point>| points.iter().all(|point| (point.0 - x).abs() < 1e-6);
    assert!(dashes.iter().filter(upright).count() > 8);
}

#[test]
fn loads_that_differ_much_lie_on_a_log_scale_from_a_power_of_ten() {
    let rows = vec![
        row("a", between(0.0, 30.0, 40.0), None),
        row("b", between(900.0, 1_000.0, 1_100.0), None),
    ];
    let figure = capacity(&input(rows.clone(), None));
    let frame = frame(&input(rows, None), 0.0, 100.0);
    assert_eq!((frame.x.low, frame.x.scale), (10.0, AxisScale::Log));
    assert_eq!(across(&frame, 0.0), frame.left);
    assert!(texts(&figure).iter().any(|text| text.text.contains("log scale")));
}

#[test]
fn the_words_tell_every_value() {
    assert_tells(
        &capacity(&typical()),
        &[
            "Demand: 600/s (today)",
            "Large: nothing fails: 900/s (880/s to 930/s), which carries the demand, theory 910/s, \
         limited by p99, CPU; ",
            "a zone is lost: 450/s (400/s to 520/s), which is less than the demand, ",
            "rolling upgrade: at least 1200/s, which carries the demand, ",
            "upstream is slow: no load meets, ",
        ],
    );
}

#[test]
fn rows_beyond_the_room_are_counted() {
    let many = (0..500).map(|i| row("crash", between(1.0, f64::from(i + 2), 600.0), None));
    let figure = capacity(&input(many.collect(), None));
    assert_legible(&figure);
    assert!(figure.size().1 < 1_500.0);
    let drawn = count(&figure, "crash");
    let remark = format!("{} more rows are not drawn", 500 - drawn);
    assert_eq!(text(&figure, &remark).text, remark);
    let groups = (0..200).map(|_| typical().groups.remove(0)).collect();
    let figure = capacity(&CapacityInput { groups, ..typical() });
    assert_legible(&figure);
    assert!(figure.size().1 < 1_500.0);
    let drawn = count(&figure, "nothing fails");
    assert!((3..20).contains(&drawn), "{drawn}");
}

#[test]
fn nothing_to_show_is_said() {
    let empty = CapacityInput { groups: vec![], ..typical() };
    let figure = capacity(&empty);
    assert_legible(&figure);
    assert_eq!(text(&figure, "no capacity").text, "no capacity was looked for");
    let unknown = vec![
        row("a", between(f64::NAN, f64::INFINITY, f64::NAN), Some(f64::NAN)),
        row("b", CapacityFound::AtLeast(-1.0), Some(f64::NEG_INFINITY)),
        row("c", between(0.0, 0.0, 0.0), Some(0.0)),
    ];
    let figure = capacity(&input(unknown, Some(f64::NAN)));
    assert_legible(&figure);
    assert_eq!(count(&figure, "no load was found"), 3);
}

fn any_found() -> impl Strategy<Value = CapacityFound> {
    let load = || prop_oneof![prop::num::f64::ANY, 0.0..2_000.0_f64, Just(500.0)];
    prop_oneof![
        (load(), load(), load()).prop_map(|(low, point, high)| between(low, point, high)),
        load().prop_map(CapacityFound::AtLeast),
        "\\PC{0,60}".prop_map(CapacityFound::Nothing),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_input_makes_an_illegible_picture(
        rows in prop::collection::vec(("\\PC{0,50}", any_found(), prop::num::f64::ANY), 0..12),
        demand in prop_oneof![prop::num::f64::ANY, 0.0..2_000.0_f64],
        name in "[a-z ]{0,150}",
    ) {
        let rows = rows.into_iter().map(|(mode, found, theory)| {
            let missed = (theory / 4.0, theory / 3.0);
            let bands = vec![CapacityBand { missed, passed: (theory / 2.0, theory) }];
            CapacityRow { words: mode.clone(), mode, found, bands, theory: Some(theory) }
        });
        let mut input = input(rows.collect(), None);
        input.demand = Some((demand, name));
        let figure = capacity(&input);
        assert_legible(&figure);
    }
}
