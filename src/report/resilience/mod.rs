//! The tables that reviewers of resilience know.
//!
//! `grid.rs` has disruption by disruption (software, hardware, zone, region, control plane) the
//! recovery time and the recovery point, what is demanded of them, and the verdict: met, missed,
//! undecided, or not tested, with the words that would test it; `deciding.rs` says what would
//! decide what is undecided. `strategies.rs` sets variants of several regions side by side: what
//! each takes to recover, what it loses, costs and has left.
//!
//! What is shown was found by [`crate::verdict`], [`crate::study`] and the summaries of
//! [`crate::experiment`]; here it gets its form as text and as files.

pub(crate) mod deciding;
pub(crate) mod grid;
pub(crate) mod strategies;
