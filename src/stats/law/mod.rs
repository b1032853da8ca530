//! Laws whose quantiles are limits.
//!
//! Student's t is that of means over replications; the beta distribution is that of shares, and
//! Student's rests on it; the gamma distribution is that of counts. Each is given by its quantile,
//! which is found by halving what the distribution function leaves.
//!
//! It owns these functions, each with its source, and asks its parent for what an interval is.
//! Begin with `student.rs`.

pub(super) mod beta;
pub mod gamma;
pub mod student;
