//! Symbols that tell things compared apart without their colours.

use std::f64::consts::TAU;

use super::figure::{Figure, Point};
use super::theme::Role;

/// The outline of a small mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Symbol {
    Circle,
    Square,
    Up,
    Diamond,
    Down,
    Right,
}

/// Colour and symbol of one of several things compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Style {
    pub(crate) role: Role,
    pub(crate) symbol: Symbol,
}

/// Width of the rim that sets a symbol off from the lines beneath it.
const RIM: f64 = 1.2;
/// Width of the outline of a hollow symbol.
const OUTLINE: f64 = 1.6;

impl Style {
    /// The style of the n-th of several things. Where the colours begin anew, the symbols do not.
    pub(crate) fn nth(index: usize) -> Self {
        use Symbol::{Circle, Diamond, Down, Right, Square, Up};
        let symbols = [Circle, Square, Up, Diamond, Down, Right];
        let symbol = symbols[(index + index / symbols.len()) % symbols.len()];
        Style { role: Role::compared(index), symbol }
    }

    /// Draws a piece of line of 20 pixels with its symbol, as in a key, from `at` on.
    pub(crate) fn sample(self, figure: &mut Figure, at: Point) {
        figure.line(vec![at, (at.0 + 20.0, at.1)], self.role, 2.2);
        self.symbol.draw(figure, (at.0 + 10.0, at.1), 3.6, self.role, false);
    }
}

impl Symbol {
    /// Draws the symbol over what is there. `radius` is that of the circle; the others look as
    /// large.
    pub(crate) fn draw(
        self,
        figure: &mut Figure,
        at: Point,
        radius: f64,
        role: Role,
        hollow: bool,
    ) {
        figure.fill(self.outline(at, radius + RIM), Role::Background, 1.0);
        figure.fill(self.outline(at, radius), role, 1.0);
        if hollow {
            figure.fill(self.outline(at, radius - OUTLINE), Role::Background, 1.0);
        }
    }

    /// The corners of a regular polygon, of which a larger one has a rim of even width.
    fn outline(self, at: Point, radius: f64) -> Vec<Point> {
        let around = |corners: usize, first: f64, reach: f64| -> Vec<Point> {
            let angle = |i: usize| TAU * (i as f64 / corners as f64 + first);
            let corner = |i: usize| (at.0 + reach * angle(i).cos(), at.1 + reach * angle(i).sin());
            (0..corners).map(corner).collect()
        };
        match self {
            Symbol::Circle => around(24, 0.0, radius),
            Symbol::Square => around(4, 0.125, 1.25 * radius),
            Symbol::Diamond => around(4, 0.0, 1.35 * radius),
            Symbol::Up => around(3, -0.25, 1.4 * radius),
            Symbol::Down => around(3, 0.25, 1.4 * radius),
            Symbol::Right => around(3, 0.0, 1.4 * radius),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::canvas::figure::Primitive;
    use crate::plot::tests::drawn;

    #[test]
    fn things_with_one_colour_have_different_symbols() {
        let looks: Vec<Style> = (0..36).map(Style::nth).collect();
        for (i, look) in looks.iter().enumerate() {
            assert!(!looks[..i].contains(look), "{i}: {look:?}");
        }
    }

    #[test]
    fn symbols_lie_around_their_place_and_are_much_of_one_size() {
        for symbol in (0..6).map(|index| Style::nth(index).symbol) {
            let corners = symbol.outline((50.0, 70.0), 4.0);
            let count = corners.len() as f64;
            let middle = corners.iter().fold((0.0, 0.0), |sum, at| (sum.0 + at.0, sum.1 + at.1));
            assert!((middle.0 / count - 50.0).abs() < 1e-9, "{symbol:?}");
            assert!((middle.1 / count - 70.0).abs() < 1e-9, "{symbol:?}");
            let next = corners.iter().cycle().skip(1);
            let area: f64 =
                corners.iter().zip(next).map(|(a, b)| (a.0 * b.1 - b.0 * a.1) / 2.0).sum();
            assert!((35.0..60.0).contains(&area.abs()), "{symbol:?}: {area}");
        }
    }

    #[test]
    fn a_hollow_symbol_shows_the_background_inside() {
        let shapes = drawn(|figure| {
            Symbol::Square.draw(figure, (50.0, 50.0), 4.0, Role::Blue, true);
        });
        let role = |shape: &Primitive| match shape {
            Primitive::Fill { role, .. } => *role,
            other => panic!("{other:?}"),
        };
        let roles: Vec<Role> = shapes.iter().map(role).collect();
        assert_eq!(roles, [Role::Background, Role::Blue, Role::Background]);
    }
}
