//! From values to places: axes, frames, lines through series of values, and room for labels.
//!
//! A [`Frame`] is a rectangle with two axes; it says where a value lies and draws what every
//! panel has. A [`PlotAxis`] owns its bounds, its scale and its ticks with their labels, and is
//! never degenerate, whatever the data. `series` thins values to what can be seen, and `lines`
//! turns them into lines, steps, areas and bands that are cut at the frame. Labels find room in
//! two ways: `label_lanes` stacks those of moments in time, and [`LabelPlacement`] tries wishes
//! among marks that are already there.
//!
//! It asks `canvas` for marks and the width of text, and knows no chart. Start with `frame.rs`.

pub(crate) mod axis;
pub(crate) mod frame;
pub(crate) mod label_lanes;
pub(crate) mod label_placement;
pub(crate) mod lines;
pub(crate) mod load_axis;
pub(crate) mod series;

pub(crate) use axis::{AxisScale, PlotAxis, ends, short, si, time_unit};
pub(crate) use frame::{Frame, LegendEntry, LegendRow, Swatch, shade, stack};
pub(crate) use label_lanes::{Flag, lanes, spread};
pub(crate) use label_placement::{LabelPlacement, Rect};
pub(crate) use load_axis::{LEAST_LOAD, MOST_LOAD};
pub(crate) use series::SeriesPoint;
