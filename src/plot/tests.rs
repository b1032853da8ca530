//! What holds for every picture, whatever the data, and how tests of charts look at one.

use super::canvas::{Figure, Point, Primitive, Role, Text, fonts};
use super::layout::Rect;
use super::render::svg;

/// The marks that `draw` adds to an empty figure.
pub(crate) fn drawn(draw: impl FnOnce(&mut Figure)) -> Vec<Primitive> {
    let mut figure = Figure::new(100.0, "", "").0;
    figure.shapes.clear();
    draw(&mut figure);
    figure.shapes
}

/// What `of` finds in the marks of a figure.
fn marks<T>(figure: &Figure, of: impl Fn(&Primitive) -> Option<T>) -> Vec<T> {
    figure.shapes.iter().filter_map(of).collect()
}

/// Every text of a figure.
pub(crate) fn texts(figure: &Figure) -> Vec<&Text> {
    fn text(primitive: &Primitive) -> Option<&Text> {
        if let Primitive::Text(text) = primitive { Some(text) } else { None }
    }
    figure.shapes.iter().filter_map(text).filter(|text| !text.text.is_empty()).collect()
}

/// The text that starts with `start`.
pub(crate) fn text<'a>(figure: &'a Figure, start: &str) -> &'a Text {
    let found = texts(figure).into_iter().find(|text| text.text.starts_with(start));
    found.unwrap_or_else(|| panic!("no text starts with {start:?}"))
}

/// How many texts of a figure are as `wanted`.
pub(crate) fn count_texts(figure: &Figure, wanted: impl Fn(&str) -> bool) -> usize {
    texts(figure).iter().filter(|text| wanted(&text.text)).count()
}

/// How often a text stands in a figure.
pub(crate) fn count(figure: &Figure, wanted: &str) -> usize {
    count_texts(figure, |text| text == wanted)
}

/// Where a text is.
pub(crate) fn find(figure: &Figure, wanted: &str) -> Option<Point> {
    texts(figure).iter().find(|text| text.text == wanted).map(|text| text.at)
}

/// The lines of one role, in their order.
pub(crate) fn lines(figure: &Figure, wanted: Role) -> Vec<Vec<Point>> {
    marks(figure, |primitive| match primitive {
        Primitive::Line { points, role, .. } if *role == wanted => Some(points.clone()),
        _ => None,
    })
}

/// The polygons of one role.
pub(crate) fn polygons(figure: &Figure, wanted: Role) -> Vec<Vec<Point>> {
    marks(figure, |primitive| match primitive {
        Primitive::Fill { points, role, .. } if *role == wanted => Some(points.clone()),
        _ => None,
    })
}

/// The polygons of one role, as their middles.
pub(crate) fn fills(figure: &Figure, wanted: Role) -> Vec<Point> {
    polygons(figure, wanted).iter().map(|points| middle(points)).collect()
}

/// Middles of circles of one role, filled or hollow, without those of the key at the foot.
pub(crate) fn circles(figure: &Figure, wanted: Role) -> Vec<Point> {
    let all = [lines(figure, wanted), polygons(figure, wanted)].concat();
    let round = all.iter().filter(|points| points.len() > 8).map(|points| middle(&points[1..]));
    round.filter(|at| at.1 < figure.size().1 - 30.0).collect()
}

/// The blocks of one role.
pub(crate) fn blocks(figure: &Figure, wanted: Role) -> Vec<Rect> {
    marks(figure, |primitive| match primitive {
        Primitive::Block { from, to, role, .. } if *role == wanted => {
            Some(Rect::between(*from, *to))
        }
        _ => None,
    })
}

/// The mean of the corners.
fn middle(points: &[Point]) -> Point {
    let count = points.len() as f64;
    let sum = points.iter().fold((0.0, 0.0), |sum, at| (sum.0 + at.0, sum.1 + at.1));
    (sum.0 / count, sum.1 / count)
}

/// Fails unless the story of a figure has all of these words.
pub(crate) fn assert_tells(figure: &Figure, words: &[&str]) {
    for words in words {
        assert!(figure.alt.contains(words), "{words}: {}", figure.alt);
    }
}

/// Fails if a text leaves the figure or lies over another, if the figure has no size or no story,
/// or if it cannot be rendered.
pub(crate) fn assert_legible(figure: &Figure) {
    let (_, height) = figure.size();
    assert!((60.0..2_500.0).contains(&height), "{height}");
    let page = Rect::between((0.0, 0.0), figure.size());
    let texts = texts(figure);
    let rects: Vec<Rect> = texts.iter().map(|text| covered(text)).collect();
    for (i, rect) in rects.iter().enumerate() {
        assert!(page.holds(rect), "{:?} leaves the page: {rect:?}", texts[i].text);
        let over = rects[..i].iter().position(|other| other.meets(rect));
        assert!(over.is_none(), "{:?} over {:?}", texts[i].text, over.map(|j| &texts[j].text));
    }
    assert!(figure.alt.len() > 40 && !figure.alt.contains("NaN"), "{}", figure.alt);
    assert!(svg(figure).is_ok());
}

/// What a text covers, without air.
fn covered(text: &Text) -> Rect {
    let width = fonts::width(&text.text, text.size, text.bold);
    let left = text.at.0 + text.anchor.start(width);
    let (top, bottom) = (text.at.1 - 0.7 * text.size, text.at.1 + 0.2 * text.size);
    Rect { left, top, right: left + width, bottom }
}

/// Fails if a figure is not legible, or if a mark has no place in it.
pub(crate) fn assert_sound(figure: &Figure) {
    assert_legible(figure);
    let (width, height) = figure.size();
    assert!(width == 860.0, "{width}");
    let inside = |(x, y): &Point| (-1.0..=width + 1.0).contains(x) && (-1.0..=height).contains(y);
    for primitive in &figure.shapes {
        let fine = match primitive {
            Primitive::Line { points, .. } | Primitive::Fill { points, .. } => {
                points.iter().all(inside)
            }
            Primitive::Block { from, to, .. } => inside(from) && inside(to),
            Primitive::Text(text) => inside(&text.at),
        };
        assert!(fine, "{primitive:?} in {width} by {height}");
    }
}
