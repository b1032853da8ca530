//! Places and words of the chart of headroom.

use super::*;
use crate::plot::canvas::{Point, Primitive};
use crate::plot::tests::{assert_legible, assert_tells, count_texts, text, texts};
use proptest::prelude::*;

fn tier(name: &str, low: f64, point: f64, high: f64) -> HeadroomTier {
    HeadroomTier { name: name.to_owned(), low, point, high }
}

fn input(demand: f64, tiers: Vec<HeadroomTier>) -> HeadroomInput<'static> {
    let title = "Large lasts until demand has grown by a third";
    HeadroomInput { title, subtitle: "30 replications", demand, tiers }
}

fn typical() -> HeadroomInput<'static> {
    let tiers = vec![
        tier("Small", 465.0, 495.0, 525.0),
        tier("Medium", 1_010.0, 1_040.0, 1_070.0),
        tier("Large", 1_213.0, 1_240.0, 1_267.0),
    ];
    input(900.0, tiers)
}

/// The frame of the figure that `input` makes.
fn framed(input: &HeadroomInput) -> Frame {
    let head = Figure::new(WIDTH, input.title, input.subtitle).1;
    frame(&lasts(input), head + 30.0)
}

fn line_of(figure: &Figure, wanted: Role) -> &[Point] {
    let long = figure.shapes.iter().find_map(|shape| match shape {
        Primitive::Line { points, role, width } if *role == wanted && *width > 2.0 => Some(points),
        _ => None,
    });
    long.expect("the tier has a line")
}

#[test]
fn a_line_falls_from_the_headroom_of_today_through_its_crossing() {
    let (input, figure) = (typical(), headroom(&typical()));
    let frame = framed(&input);
    let line = line_of(&figure, Role::Purple);
    let today = frame.down(1.0 - 900.0 / 1_240.0);
    assert!((line[0].0 - frame.left).abs() < 1e-6 && (line[0].1 - today).abs() < 1e-6);
    let slope = (line[1].1 - line[0].1) / (line[1].0 - line[0].0);
    let crossing = line[0].0 + (frame.down(0.0) - line[0].1) / slope;
    assert!((crossing - frame.across(340.0 / 900.0)).abs() < 1e-6);
}

#[test]
fn lines_and_bands_stay_inside_the_frame() {
    let mut input = typical();
    input.tiers.push(tier("X-Large", 5_000.0, 9_000.0, 20_000.0));
    let (frame, figure) = (framed(&input), headroom(&input));
    let mut seen = 0;
    for shape in &figure.shapes {
        if let Primitive::Line { points, width: 2.2, .. }
        | Primitive::Fill { points, opacity: 0.18, .. } = shape
        {
            seen += 1;
            for (x, y) in points {
                assert!((frame.left - 1e-6..=frame.right + 1e-6).contains(x), "{shape:?}");
                assert!((frame.top - 1e-6..=frame.bottom + 1e-6).contains(y), "{shape:?}");
            }
        }
    }
    assert_eq!(seen, 6);
}

#[test]
fn the_axis_shows_the_crossings_within_its_limits() {
    let reach =
        |capacity: f64| framed(&input(100.0, vec![tier("a", capacity, capacity, capacity)])).x.high;
    assert!((0.2..0.21).contains(&reach(101.0)));
    assert!((1.25..1.6).contains(&reach(200.0)));
    assert!((4.0..4.01).contains(&reach(9_000.0)));
    assert!((0.2..0.21).contains(&reach(10.0)));
}

#[test]
fn every_tier_says_how_long_it_lasts_or_what_it_lacks() {
    let figure = headroom(&typical());
    assert_legible(&figure);
    let said: Vec<&str> = texts(&figure).iter().map(|text| text.text.as_str()).collect();
    let expected = [
        "Small: 45 % short today (42–48)",
        "Medium lasts until +12 %, at most +19 %",
        "Large lasts until +34 %, at most +41 %",
        "objectives not met",
    ];
    for words in expected {
        assert!(said.contains(&words), "{words}: {said:?}");
    }
    let frame = framed(&typical());
    let large = text(&figure, "Large lasts until +").at;
    assert!((large.0 - frame.across(340.0 / 900.0) - 7.0).abs() < 1e-6);
    assert!(large.1 < frame.down(0.0));
}

#[test]
fn what_outlasts_the_axis_says_what_is_left_at_its_end() {
    let figure = headroom(&input(100.0, vec![tier("X-Large", 900.0, 1_000.0, 1_100.0)]));
    assert_legible(&figure);
    assert_eq!(text(&figure, "X-Large").text, "X-Large: 50 % left at +400 %");
    assert!(figure.alt.contains("lasts until +800 %, at most +1000 %"), "{}", figure.alt);
}

#[test]
fn the_words_tell_every_value() {
    assert_tells(
        &headroom(&typical()),
        &[
            "Demand today: 900/s.",
            "Small: capacity 495/s (465/s to 525/s), 45 % short today (42–48).",
            "Large: capacity 1240/s (1213/s to 1267/s), 27 % headroom today, \
         lasts until +34 %, at most +41 %.",
        ],
    );
}

#[test]
fn intervals_are_written_so_that_signs_can_be_read() {
    assert_eq!(interval(0.35, 0.41), " (35–41)");
    assert_eq!(interval(-0.083, 0.12), " (−8.3 to 12)");
    assert_eq!(interval(0.38, 0.38), "");
    assert_eq!(percent(-0.0), "0");
}

#[test]
fn nothing_to_show_is_said() {
    for demand in [f64::NAN, 0.0, -5.0, f64::INFINITY] {
        let figure = headroom(&HeadroomInput { demand, ..typical() });
        assert_legible(&figure);
        assert_eq!(text(&figure, "there is no").text, "there is no demand and capacity to compare");
        assert!(figure.alt.contains("3 without a capacity or a demand"), "{}", figure.alt);
    }
    let figure = headroom(&input(5_000.0, vec![tier("Small", 0.0, 0.0, 0.0)]));
    assert_legible(&figure);
    assert_eq!(text(&figure, "no tier").text, "no tier carries today's demand");
    assert_eq!(text(&figure, "Small").text, "Small: 100 % short today");
}

#[test]
fn tiers_beyond_the_room_are_counted() {
    let many = (0..60).map(|i| {
        let capacity = 700.0 + 40.0 * f64::from(i);
        tier(&format!("Tier {i}"), capacity - 20.0, capacity, capacity + 20.0)
    });
    let figure = headroom(&input(900.0, many.collect()));
    assert_legible(&figure);
    let named = count_texts(&figure, |text| text.starts_with("Tier"));
    assert!(named > 10, "{named}");
    let remark = format!("{} tiers have no name for want of room; 36 more", MOST - named);
    assert!(text(&figure, &remark).text.ends_with("36 more tiers are not drawn"));
}

fn any_load() -> impl Strategy<Value = f64> {
    prop_oneof![prop::num::f64::ANY, 0.0..2_000.0_f64, Just(900.0)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_input_makes_an_illegible_picture(
        tiers in prop::collection::vec(
            ("\\PC{0,50}", any_load(), any_load(), any_load()), 0..12),
        demand in any_load(),
    ) {
        let tiers = tiers.into_iter().map(|(name, low, point, high)| tier(&name, low, point, high));
        let figure = headroom(&input(demand, tiers.collect()));
        assert_legible(&figure);
    }
}
