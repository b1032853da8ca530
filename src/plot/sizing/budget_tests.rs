//! Places and words of the chart of cost and error budget.

use super::*;
use crate::plot::tests::{assert_legible, assert_sound, assert_tells, circles, find, lines, text};
use proptest::prelude::*;

fn point(label: &str, cost: Option<f64>, share: f64) -> BudgetPoint {
    let price = cost.map_or("1 Small".to_owned(), |cost| format!("{cost} Large"));
    BudgetPoint { label: label.to_owned(), cost, price, share: [0.8 * share, share, 1.3 * share] }
}

fn input(points: Vec<BudgetPoint>) -> BudgetInput<'static> {
    BudgetInput {
        title: "Large uses 40 % of the error budget",
        subtitle: "200 M requests each; 95 % intervals.",
        cost_label: "entitlements (Large)",
        budget_label: "error budget of 99.95 %",
        points,
    }
}

fn typical() -> BudgetInput<'static> {
    input(vec![
        point("small", None, 1.6),
        point("xlarge", Some(2.0), 0.3),
        point("large", Some(1.0), 0.4),
        point("large, one zone", Some(1.0), 3.0),
        point("two pairs, badly placed", Some(3.0), 0.5),
    ])
}

#[test]
fn what_nothing_as_cheap_beats_is_filled_and_the_rest_hollow() {
    let input = typical();
    let names = |efficient: bool| -> Vec<String> {
        let dots = dots(&input).into_iter().filter(|one| one.efficient == efficient);
        dots.map(|one| one.label.to_owned()).collect()
    };
    assert_eq!(names(true), ["large", "xlarge"]);
    assert_eq!(names(false), ["large, one zone", "two pairs, badly placed", "small"]);
    let figure = budget(&input);
    // What has no cost to compare by is neither.
    assert_eq!(circles(&figure, Role::Blue).len(), 3);
    assert_eq!(circles(&figure, Role::Unready).len(), 2);
    let words = ["small: 160 % (128 to 208) for 1 Small.", "large, one zone: 300 %", "no more."];
    assert_tells(&figure, &words);
    assert_legible(&figure);
}

#[test]
fn every_sizing_has_its_name_beside_it_and_costs_apart_stand_apart() {
    let figure = budget(&typical());
    let dots = [circles(&figure, Role::Blue), circles(&figure, Role::Unready)].concat();
    for one in ["small", "xlarge", "large", "large, one zone", "two pairs, badly placed"] {
        let at = find(&figure, one).unwrap_or_else(|| panic!("{one} has no name"));
        assert!(dots.iter().any(|dot| (dot.1 - at.1).abs() < 60.0), "{one}");
    }
    let small = find(&figure, "1 Small").expect("its cost is told");
    assert!(small.0 > find(&figure, "xlarge").unwrap().0);
    assert_eq!(text(&figure, "other costs").at.0, small.0);
}

#[test]
fn the_whole_budget_is_a_line_and_the_axis_is_of_decades_where_shares_are_far_apart() {
    let near = input(vec![point("a", Some(1.0), 0.4), point("b", Some(2.0), 0.2)]);
    let axis = |input: &BudgetInput| axis(&dots(input));
    assert_eq!((axis(&near).scale, axis(&near).low), (AxisScale::Linear, 0.0));
    let far = input(vec![point("a", Some(1.0), 40.0), point("b", Some(2.0), 0.002)]);
    let (low, high) = (axis(&far).low, axis(&far).high);
    assert_eq!((axis(&far).scale, low, high), (AxisScale::Log, 0.001, 100.0));
    let labels: Vec<String> = axis(&far).ticks.into_iter().map(|tick| tick.1).collect();
    assert_eq!(labels, ["0.1 %", "1 %", "10 %", "100 %", "10×", "100×"]);
    let none = input(vec![point("none fails", Some(1.0), 0.0), point("b", Some(2.0), 9.0)]);
    assert_sound(&budget(&none));
}

#[test]
fn the_frontier_falls_from_cost_to_cost() {
    let figure = budget(&typical());
    let steps = lines(&figure, Role::Sky);
    let step = steps.first().expect("there is a frontier");
    assert!(step.windows(2).all(|ends| ends[0].0 == ends[1].0 || ends[0].1 == ends[1].1));
    assert!(step.windows(2).all(|ends| ends[1].0 >= ends[0].0 && ends[1].1 >= ends[0].1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn any_sizings_can_be_drawn(
        all in prop::collection::vec((prop::option::of(0.0..1e6), -1.0..1e7_f64), 0..12)
    ) {
        let point = |(index, (cost, share)): (usize, (Option<f64>, f64))| {
            self::point(&format!("variant {index}"), cost, share)
        };
        assert_sound(&budget(&input(all.into_iter().enumerate().map(point).collect())));
    }
}
