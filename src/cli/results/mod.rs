//! What looks at results of `run` again, without running all of it.
//!
//! ```text
//! diff      by how much two results differ, and in which settings
//! moment    why latency was what it was, by a few runs of the replication that is told
//! ```
//!
//! `open.rs` opens a folder of results: the scenario as it was run, from the manifest, and the
//! summary. Results of another engine are refused, as what is run again would differ. Nothing is
//! written.

pub(in crate::cli) mod diff;
pub(in crate::cli) mod moment;
mod open;
