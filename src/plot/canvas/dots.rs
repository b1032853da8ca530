//! Marks of single values: dots, hollow marks, whiskers and arrows.

use super::figure::{Figure, Point};
use super::theme::Role;

/// Reach of a dot from its middle.
pub(crate) const DOT: f64 = 4.6;
/// Reach of a diamond from its middle.
const DIAMOND: f64 = 4.2;
/// How far a diamond lies above the line it belongs to: clear of a dot and of a number there.
const LIFT: f64 = 10.4;
/// Width of whiskers and of the rims of hollow marks.
const WIDTH: f64 = 1.6;
/// Half the length of the cap of a whisker.
const CAP: f64 = 3.5;
/// Corners of a circle.
const CORNERS: u32 = 32;

fn circle(middle: Point, reach: f64) -> Vec<Point> {
    let corner = |i: u32| {
        let angle = f64::from(i) / f64::from(CORNERS) * std::f64::consts::TAU;
        (middle.0 + reach * angle.cos(), middle.1 + reach * angle.sin())
    };
    (0..=CORNERS).map(corner).collect()
}

/// A filled dot with a rim in the background colour, so that those that touch can be told apart.
pub(crate) fn dot(figure: &mut Figure, at: Point, role: Role) {
    figure.fill(circle(at, DOT + 1.0), Role::Background, 1.0);
    figure.fill(circle(at, DOT), role, 1.0);
}

/// A hollow dot.
pub(crate) fn ring(figure: &mut Figure, at: Point, role: Role) {
    figure.fill(circle(at, DOT), Role::Background, 1.0);
    figure.line(circle(at, DOT - WIDTH / 2.0), role, WIDTH);
}

/// A hollow diamond just above `at`, so that it never hides a dot there.
pub(crate) fn diamond(figure: &mut Figure, at: Point, role: Role) {
    let (x, y) = (at.0, at.1 - LIFT);
    let corners = [(x, y - DIAMOND), (x + DIAMOND, y), (x, y + DIAMOND), (x - DIAMOND, y)];
    figure.fill(corners.into(), Role::Background, 1.0);
    figure.line(corners.into_iter().cycle().take(6).collect(), role, 1.2);
}

/// A level whisker with a cap at each end.
pub(crate) fn whisker(figure: &mut Figure, (from, to): (f64, f64), y: f64, role: Role) {
    figure.line(vec![(from, y), (to, y)], role, WIDTH);
    for x in [from, to] {
        figure.line(vec![(x, y - CAP), (x, y + CAP)], role, WIDTH);
    }
}

/// An upright whisker with a cap at each end.
pub(crate) fn upright(figure: &mut Figure, x: f64, (from, to): (f64, f64), role: Role) {
    figure.line(vec![(x, from), (x, to)], role, WIDTH);
    for y in [from, to] {
        figure.line(vec![(x - CAP, y), (x + CAP, y)], role, WIDTH);
    }
}

/// A level arrow to the right.
pub(crate) fn arrow(figure: &mut Figure, (from, to): (f64, f64), y: f64, role: Role) {
    figure.line(vec![(from, y), (to - 4.0, y)], role, WIDTH);
    figure.fill(vec![(to - 7.0, y - 4.0), (to, y), (to - 7.0, y + 4.0)], role, 1.0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::canvas::figure::Primitive;
    use crate::plot::tests::drawn;

    fn reach(points: &[Point], middle: Point) -> (f64, f64) {
        let far = points.iter().map(|point| (point.0 - middle.0).hypot(point.1 - middle.1));
        (far.clone().fold(f64::MAX, f64::min), far.fold(0.0, f64::max))
    }

    #[test]
    fn a_dot_is_filled_and_a_ring_is_hollow() {
        let at = (50.0, 40.0);
        let [_, Primitive::Fill { points, role: Role::Blue, .. }] =
            &drawn(|figure| dot(figure, at, Role::Blue))[..]
        else {
            panic!("a dot is a rim and a disc");
        };
        let (least, most) = reach(points, at);
        assert!((least - DOT).abs() < 1e-9 && (most - DOT).abs() < 1e-9);
        let shapes = drawn(|figure| ring(figure, at, Role::Muted));
        let [Primitive::Fill { role: hole, .. }, Primitive::Line { points, role, .. }] =
            &shapes[..]
        else {
            panic!("a ring is a hole and a rim");
        };
        assert_eq!((*hole, *role), (Role::Background, Role::Muted));
        assert!(reach(points, at).1 < DOT && points.first() == points.last());
    }

    #[test]
    fn a_diamond_leaves_a_dot_visible() {
        let at = (50.0, 40.0);
        let shapes = drawn(|figure| diamond(figure, at, Role::Text));
        let [Primitive::Fill { role: Role::Background, .. }, Primitive::Line { points, .. }] =
            &shapes[..]
        else {
            panic!("{shapes:?}");
        };
        assert!(reach(points, at).0 > DOT + 1.0, "{points:?}");
        let middle = points.iter().take(4).map(|point| point.0 / 4.0).sum::<f64>();
        assert!((middle - at.0).abs() < 1e-9);
    }

    #[test]
    fn whiskers_and_arrows_end_where_they_are_told() {
        let ends = |shapes: &[Primitive]| -> Vec<Point> {
            let points = |shape: &Primitive| match shape {
                Primitive::Line { points, .. } | Primitive::Fill { points, .. } => points.clone(),
                _ => vec![],
            };
            shapes.iter().flat_map(points).collect()
        };
        let level = ends(&drawn(|figure| whisker(figure, (10.0, 30.0), 5.0, Role::Blue)));
        assert!(level.iter().all(|point| (10.0..=30.0).contains(&point.0)));
        assert!(level.contains(&(10.0, 5.0)) && level.contains(&(30.0, 5.0)));
        let upright = ends(&drawn(|figure| upright(figure, 5.0, (10.0, 30.0), Role::Blue)));
        assert!(upright.contains(&(5.0, 10.0)) && upright.contains(&(5.0, 30.0)));
        let arrow = ends(&drawn(|figure| arrow(figure, (10.0, 30.0), 5.0, Role::Blue)));
        assert!(arrow.contains(&(30.0, 5.0)) && arrow.iter().all(|point| point.0 <= 30.0));
    }
}
