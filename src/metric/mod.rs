//! The figures that can be known of a gateway: what each is called, what kind it is, how it is
//! estimated, and where it is shown.
//!
//! [`Metric`] is the catalogue. Whatever names a figure reads it: objectives what can be demanded,
//! experiments what is summed up, studies what is compared and swept, reports the rows of their
//! tables, the keys of their files and in which unit a value is written. So a further figure is a
//! variant of [`Metric`] and what is said of it there, and its place in the lists of
//! `places.rs`, which say what objectives can bound and what is summed up, compared and swept.
//!
//! A [`Statistic`] is an estimate that knows what [`Dimension`] it has, and keeps to it: a share
//! cannot leave 0 to 100 %, neither by its interval nor by how it is written.
//!
//! An [`Estimator`](estimator::Estimator) makes estimates of outcomes, with the methods of
//! [`crate::stats`]; [`percentile`] does so for latencies. [`evidence`] says what faults that
//! strike at random leave open. Nothing here knows what is demanded, or how it is shown. Start at
//! `catalogue.rs`.

mod catalogue;
mod estimate;
pub mod estimator;
pub mod evidence;
pub mod incidents;
pub mod percentile;
mod places;
mod statistic;

pub use catalogue::{Demand, Entry, Metric, Preferred, Restored};
pub use estimate::cpu_of_region;
pub use places::Compared;
pub use statistic::{Dimension, Statistic, nine_digits};
