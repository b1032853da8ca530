//! An experiment: the replications of one plan, and the figures that follow from them.
//!
//! `replication.rs` puts the model before a recorder; `runner.rs` does so for many replications at
//! a time, tells how far it is (`progress.rs`), and asks a store (`store.rs`) for what was
//! complete before. Where several processes share the work, `partition.rs` says who simulates
//! what. The result is an [`Experiment`]: outcomes, and whether they are all that was
//! asked for. `summary.rs` makes of them everything that reports say, as estimates with intervals;
//! `recovery` says how the system came back from incidents, and whether it came back from what
//! troubled it.
//!
//! An outcome is a function of plan, seed and index: not of threads or of who observes. Start at
//! `runner.rs`.

mod outcomes;
pub mod partition;
pub mod recovery;
mod replication;
mod run;
pub mod runner;
pub mod store;
mod strikes;
pub mod summary;
#[cfg(test)]
pub(crate) mod tests;

pub use crate::engine::progress::Progress;
pub use outcomes::{Experiment, Sequence, SequenceEnd};
pub use replication::{replicate, scope};
pub use run::{Options, run};
pub use runner::{Retention, Runner};
