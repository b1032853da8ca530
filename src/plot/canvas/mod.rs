//! What every picture is made of: marks in logical pixels, colour roles, text and symbols.
//!
//! A [`Figure`] is a list of primitives (lines, polygons, blocks and texts) with a title and the
//! whole story in words. It owns the sizes of text and the measures that charts share. A
//! [`Role`] says what a mark stands for; its colour in the light and in the dark theme follows
//! from the table in `theme`, and the levels of heat maps from `ramp`. `fonts` measures text in
//! the embedded typeface and shortens it; `symbols` and `dots` are the marks of single values.
//!
//! Nothing here knows axes, values or charts, nor how a figure is rendered; it asks only the
//! plotting library for its registry of typefaces. Start with `figure.rs`.

pub(crate) mod dots;
pub(crate) mod figure;
pub(crate) mod fonts;
pub(crate) mod ramp;
pub(crate) mod symbols;
pub mod theme;

pub use figure::Figure;
pub(crate) use figure::{Anchor, LABEL, LEFT, MARGIN, PANEL, Point, Primitive, SMALL, Text, WIDTH};
pub(crate) use symbols::{Style, Symbol};
pub use theme::Role;
