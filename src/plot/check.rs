//! What holds for the picture of a chart, whatever the data.

use super::figure::{Figure, Point, Shape};
use super::places::Room;
use super::places::tests::{assert_apart, texts};
use super::svg;
use super::theme::Ink;

/// Asserts that every mark has a place in the picture, and that no text covers another.
pub(crate) fn assert_sound(figure: &Figure) {
    assert_apart(figure);
    let (width, height) = figure.size();
    assert!(width == 860.0 && (60.0..2_500.0).contains(&height), "{width} by {height}");
    let inside = |(x, y): &Point| (-1.0..=width + 1.0).contains(x) && (-1.0..=height).contains(y);
    for shape in &figure.shapes {
        assert!(corners(shape).iter().all(inside), "{shape:?} in {width} by {height}");
    }
    assert!(figure.alt.len() > 40 && !figure.alt.contains("NaN"), "{}", figure.alt);
    assert!(svg(figure).is_ok());
}

/// How often a text stands in a figure.
pub(crate) fn count(figure: &Figure, wanted: &str) -> usize {
    texts(figure).iter().filter(|text| text.text == wanted).count()
}

/// Where a text is.
pub(crate) fn find(figure: &Figure, wanted: &str) -> Option<Point> {
    texts(figure).iter().find(|text| text.text == wanted).map(|text| text.at)
}

/// The polygons of one ink, as their middles.
pub(crate) fn fills(figure: &Figure, wanted: Ink) -> Vec<Point> {
    let of = |shape: &Shape| match shape {
        Shape::Fill { points, ink, .. } if *ink == wanted => Some(middle(points)),
        _ => None,
    };
    figure.shapes.iter().filter_map(of).collect()
}

/// The blocks of one ink.
pub(crate) fn blocks(figure: &Figure, wanted: Ink) -> Vec<Room> {
    let of = |shape: &Shape| match shape {
        Shape::Block { from, to, ink, .. } if *ink == wanted => Some(Room::between(*from, *to)),
        _ => None,
    };
    figure.shapes.iter().filter_map(of).collect()
}

/// The mean of the corners.
fn middle(points: &[Point]) -> Point {
    let count = points.len() as f64;
    let sum = points.iter().fold((0.0, 0.0), |sum, at| (sum.0 + at.0, sum.1 + at.1));
    (sum.0 / count, sum.1 / count)
}

fn corners(shape: &Shape) -> Vec<Point> {
    match shape {
        Shape::Line { points, .. } | Shape::Fill { points, .. } => points.clone(),
        Shape::Block { from, to, .. } => vec![*from, *to],
        Shape::Text(text) => vec![text.at],
    }
}
