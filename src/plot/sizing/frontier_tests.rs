//! Places and words of the chart of cost and capacity.

use super::*;
use crate::plot::tests::{assert_legible, assert_tells, circles, count_texts, lines, text};
use proptest::prelude::*;

fn point(label: &str, cost: f64, capacity: f64) -> FrontierPoint {
    let (low, high) = (0.9 * capacity, 1.1 * capacity);
    FrontierPoint { label: label.to_owned(), cost, low, point: capacity, high }
}

fn input(points: Vec<FrontierPoint>, demand: Option<f64>) -> FrontierInput<'static> {
    FrontierInput {
        title: "Three Large are the cheapest that carry the demand",
        subtitle: "30 replications",
        arrivals: "requests",
        cost_label: "entitlements (Large)",
        points,
        demand: demand.map(|demand| (demand, "today".to_owned())),
    }
}

fn typical() -> FrontierInput<'static> {
    let points = vec![
        point("3 × Large", 3.0, 950.0),
        point("2 × Large", 2.0, 620.0),
        point("4 × Small", 2.0, 500.0),
        point("4 × Large", 4.0, 1_300.0),
        point("6 × Small", 3.5, 800.0),
    ];
    input(points, Some(900.0))
}

#[test]
fn only_what_nothing_as_cheap_outdoes_is_on_the_frontier() {
    let input = typical();
    let names = |efficient: bool| -> Vec<String> {
        let sizings = sizings(&input).into_iter().filter(|s| s.efficient == efficient);
        sizings.map(|sizing| sizing.label.to_owned()).collect()
    };
    assert_eq!(names(true), ["2 × Large", "3 × Large", "4 × Large"]);
    assert_eq!(names(false), ["4 × Small", "6 × Small"]);
}

#[test]
fn equals_do_not_outdo_each_other() {
    let input = self::input(vec![point("a", 1.0, 5.0), point("b", 1.0, 5.0)], None);
    assert!(sizings(&input).iter().all(|sizing| sizing.efficient));
    let input = self::input(vec![point("a", 1.0, 5.0), point("b", 2.0, 5.0)], None);
    assert_eq!(sizings(&input).iter().filter(|sizing| sizing.efficient).count(), 1);
}

#[test]
fn dots_lie_at_cost_and_capacity_and_those_outdone_are_hollow() {
    let input = typical();
    let figure = frontier(&input);
    let (sizings, near) = (sizings(&input), |a: f64, b: f64| (a - b).abs() < 1e-6);
    let head = Figure::new(WIDTH, input.title, input.subtitle).1;
    let frame = frame(&input, &sizings, head + 30.0);
    assert_eq!((frame.x.low, frame.y.low), (0.0, 0.0));
    let filled = circles(&figure, Role::Blue);
    assert_eq!(filled.len(), 3);
    let place = place(&frame, &sizings[1]);
    assert!(filled.iter().any(|dot| near(dot.0, place.0) && near(dot.1, place.1)), "{filled:?}");
    assert_eq!(circles(&figure, Role::Unready).len(), 2);
}

#[test]
fn the_frontier_is_level_up_to_the_next_cost() {
    let input = typical();
    let figure = frontier(&input);
    let steps = lines(&figure, Role::Sky);
    let step = steps.first().expect("there is a frontier");
    assert_eq!(step.len(), 6);
    assert!(step.windows(2).all(|ends| ends[0].0 == ends[1].0 || ends[0].1 == ends[1].1));
    assert!(step.windows(2).all(|ends| ends[1].0 >= ends[0].0 && ends[1].1 <= ends[0].1));
}

#[test]
fn sizings_are_named_beside_their_dots() {
    let input = typical();
    let figure = frontier(&input);
    let dots = [circles(&figure, Role::Blue), circles(&figure, Role::Unready)].concat();
    for point in &input.points {
        let at = text(&figure, &point.label).at;
        let near = |dot: &&Point| (dot.0 - at.0).abs() < 12.0 && (dot.1 - at.1).abs() < 30.0;
        assert!(dots.iter().any(|dot| near(&dot)), "{}", point.label);
    }
    assert_legible(&figure);
}

#[test]
fn the_words_tell_every_value_and_who_carries_the_demand() {
    assert_tells(
        &frontier(&typical()),
        &[
            "against cost in entitlements (Large).",
            "Demand: 900/s (today); the cheapest that carries it with its whole interval is \
             4 × Large.",
            "3 × Large: 950/s (855/s to 1045/s) for 3.",
            "4 × Small: 500/s (450/s to 550/s) for 2, but another costs no more.",
        ],
    );
    let alt = frontier(&input(vec![point("a", 1.0, 5.0)], Some(900.0))).alt;
    assert!(alt.contains("no sizing carries it"), "{alt}");
}

#[test]
fn nothing_to_show_is_said() {
    let figure = frontier(&input(vec![point("a", f64::NAN, 5.0), point("b", 1.0, -5.0)], None));
    assert_legible(&figure);
    assert_eq!(text(&figure, "no sizing").text, "no sizing has a cost and a capacity");
    assert!(figure.alt.contains("2 without a cost or a capacity are left out"), "{}", figure.alt);
    assert_legible(&frontier(&input(vec![point("free", 0.0, 0.0)], Some(0.0))));
}

#[test]
fn names_and_dots_beyond_the_room_are_counted() {
    let name = |i: u32| format!("sizing {i} of many that look alike");
    let cost = |i: u32| 1.0 + f64::from(i % 40);
    let many = (0..1_000).map(|i| point(&name(i), cost(i), 100.0 + f64::from(i * 37 % 900)));
    let figure = frontier(&input(many.collect(), Some(400.0)));
    assert_legible(&figure);
    let named = count_texts(&figure, |text| text.starts_with("sizing"));
    assert!(named > 3, "{named}");
    let remark = format!("{} have no name for want of room", MOST - named);
    assert_eq!(text(&figure, &remark).text, remark);
    assert_eq!(text(&figure, "400 more").text, "400 more are not drawn");
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![prop::num::f64::ANY, 0.0..2_000.0_f64, Just(500.0)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_input_makes_an_illegible_picture(
        points in prop::collection::vec(
            ("\\PC{0,50}", any_value(), any_value(), any_value(), any_value()), 0..20),
        demand in any_value(),
        name in "[a-z ]{0,150}",
    ) {
        let points = points.into_iter().map(|(label, cost, low, point, high)| {
            FrontierPoint { label, cost, low, point, high }
        });
        let mut input = input(points.collect(), None);
        input.demand = Some((demand, name));
        let figure = frontier(&input);
        assert_legible(&figure);
    }

    #[test]
    fn the_frontier_is_what_none_outdoes(
        raw in prop::collection::vec((0..20_u32, 0..20_u32), 1..30)
    ) {
        let points = raw.iter().map(|(c, p)| point("", f64::from(*c), f64::from(*p))).collect();
        let input = input(points, None);
        let all = sizings(&input);
        for a in &all {
            let outdone = all.iter().any(|b| {
                let better = b.cost < a.cost || b.capacity.1 > a.capacity.1;
                better && b.cost <= a.cost && b.capacity.1 >= a.capacity.1
            });
            prop_assert_eq!(a.efficient, !outdone);
        }
    }
}
