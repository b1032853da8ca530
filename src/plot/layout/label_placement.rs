//! Finding room for a label among marks and other labels.

use crate::plot::canvas::{Anchor, Figure, LABEL, Point, Role, fonts};

/// A rectangle that is taken, in logical pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rect {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Rect {
    /// The rectangle with these two opposite corners.
    pub(crate) fn between(a: Point, b: Point) -> Self {
        let (left, right) = (a.0.min(b.0), a.0.max(b.0));
        Rect { left, top: a.1.min(b.1), right, bottom: a.1.max(b.1) }
    }

    /// The square that reaches `reach` from `middle` in each direction.
    pub(crate) fn around(middle: Point, reach: f64) -> Self {
        Rect::between((middle.0 - reach, middle.1 - reach), (middle.0 + reach, middle.1 + reach))
    }

    /// What a label takes, with a little air.
    pub(crate) fn of_text(at: Point, text: &str, anchor: Anchor) -> Self {
        let width = fonts::width(&fonts::spell(text), LABEL, false);
        let left = at.0 + anchor.start(width);
        Rect::between((left - 2.0, at.1 - 0.85 * LABEL), (left + width + 2.0, at.1 + 0.3 * LABEL))
    }

    /// Whether the two share a place.
    pub(crate) fn meets(&self, other: &Rect) -> bool {
        let beside = self.right <= other.left || other.right <= self.left;
        !beside && self.top < other.bottom && other.top < self.bottom
    }

    /// Whether `other` lies inside.
    pub(crate) fn holds(&self, other: &Rect) -> bool {
        let across = self.left <= other.left && other.right <= self.right;
        across && self.top <= other.top && other.bottom <= self.bottom
    }
}

/// Where a label may go, and what it must not cover.
#[derive(Clone, Debug)]
pub(crate) struct LabelPlacement {
    /// Labels stay inside.
    pub(crate) within: Rect,
    /// Marks and labels that are already there.
    pub(crate) taken: Vec<Rect>,
}

/// Lines that are neither level nor upright take the room of pieces of this length.
const PIECE: f64 = 4.0;

impl LabelPlacement {
    /// Takes the room along a line.
    pub(crate) fn take_path(&mut self, path: &[Point]) {
        for ends in path.windows(2) {
            let (from, to) = (ends[0], ends[1]);
            let (wide, high) = (to.0 - from.0, to.1 - from.1);
            let straight = wide == 0.0 || high == 0.0;
            let pieces = if straight { 1.0 } else { (wide.hypot(high) / PIECE).ceil() };
            let at = |piece: f64| (from.0 + wide * piece / pieces, from.1 + high * piece / pieces);
            let piece = |index: u32| Rect::between(at(index.into()), at((index + 1).into()));
            self.taken.extend((0..pieces as u32).map(piece));
        }
    }

    /// Whether nothing there is covered.
    pub(crate) fn is_free(&self, rect: &Rect) -> bool {
        self.within.holds(rect) && !self.taken.iter().any(|taken| taken.meets(rect))
    }

    /// The first of `wishes` where `text` covers nothing; takes the room.
    pub(crate) fn find(
        &mut self,
        text: &str,
        wishes: impl IntoIterator<Item = (Point, Anchor)>,
    ) -> Option<(Point, Anchor)> {
        for (at, anchor) in wishes {
            let rect = Rect::of_text(at, text, anchor);
            if self.is_free(&rect) {
                self.taken.push(rect);
                return Some((at, anchor));
            }
        }
        None
    }

    /// Writes `text` at the first of `wishes` where it covers nothing; says where.
    pub(crate) fn write(
        &mut self,
        figure: &mut Figure,
        (text, role): (&str, Role),
        wishes: impl IntoIterator<Item = (Point, Anchor)>,
    ) -> Option<Point> {
        let (at, anchor) = self.find(text, wishes)?;
        figure.text(at, text, anchor, role, LABEL);
        Some(at)
    }

    /// Like [`LabelPlacement::write`], but at the first wish where nothing is free.
    pub(crate) fn write_anyway(
        &mut self,
        figure: &mut Figure,
        (text, role): (&str, Role),
        wishes: impl Iterator<Item = (Point, Anchor)>,
    ) {
        let mut wishes = wishes.peekable();
        let Some((at, anchor)) = wishes.peek().copied() else { return };
        if self.write(figure, (text, role), wishes).is_none() {
            self.taken.push(Rect::of_text(at, text, anchor));
            figure.text(at, text, anchor, role, LABEL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::canvas::Primitive;
    use crate::plot::tests::drawn;

    fn page() -> Rect {
        Rect::between((0.0, 0.0), (200.0, 100.0))
    }

    #[test]
    fn rooms_that_only_touch_do_not_meet() {
        let room = Rect::around((10.0, 10.0), 5.0);
        assert!(room.meets(&Rect::between((14.0, 14.0), (30.0, 30.0))));
        assert!(!room.meets(&Rect::between((15.0, 5.0), (30.0, 15.0))));
        assert!(!room.meets(&Rect::between((5.0, 15.0), (15.0, 30.0))));
        assert!(page().holds(&room) && !room.holds(&page()));
    }

    #[test]
    fn a_text_takes_room_on_the_side_of_its_anchor() {
        let room = |anchor| Rect::of_text((100.0, 50.0), "Large", anchor);
        assert!(room(Anchor::Start).left > 97.0 && room(Anchor::End).right < 103.0);
        assert!(room(Anchor::Middle).left < 95.0 && room(Anchor::Middle).right > 105.0);
    }

    #[test]
    fn a_line_takes_the_room_that_it_crosses_and_no_other() {
        let free = |from, to| {
            let mut places = LabelPlacement { within: page(), taken: Vec::new() };
            places.take_path(&[from, to]);
            !places
                .taken
                .iter()
                .any(|taken| taken.meets(&Rect::between((10.0, 10.0), (20.0, 14.0))))
        };
        assert!(!free((0.0, 12.0), (100.0, 12.0)));
        assert!(!free((15.0, 100.0), (15.0, 0.0)));
        assert!(!free((100.0, 55.0), (0.0, 5.0)));
        assert!(free((0.0, 15.0), (100.0, 15.0)));
        assert!(free((0.0, 18.0), (8.0, 2.0)));
        assert!(free((0.0, 30.0), (60.0, 10.0)));
    }

    #[test]
    fn the_first_free_wish_is_granted_and_then_taken() {
        let taken = vec![Rect::around((20.0, 20.0), 4.0)];
        let mut places = LabelPlacement { within: page(), taken };
        let outside = ((-9.0, 20.0), Anchor::Start);
        let (covered, free) = (((10.0, 22.0), Anchor::Start), ((60.0, 22.0), Anchor::Start));
        let wishes = [outside, covered, free];
        assert_eq!(places.find("Large", wishes), Some(free));
        assert_eq!(places.find("Large", wishes), None);
        let written = drawn(|figure| {
            places.write_anyway(figure, ("Large", Role::Text), [covered, free].into_iter());
        });
        assert!(matches!(&written[..], [Primitive::Text(text)] if text.at == covered.0));
        assert_eq!(places.taken.len(), 3);
    }
}
