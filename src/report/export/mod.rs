//! Results in the formats of other programs, to be looked at and judged there.
//!
//! Each format has a file, which opens with what it writes and by which specification:
//! `perfetto.rs` draws the replication that is told as a trace (`tracks.rs` writes tracks,
//! `proto.rs` declares the messages), `openmetrics.rs` has its timeline for Prometheus and Grafana,
//! `hdr.rs` the latencies of all replications. `junit.rs` and `sarif.rs` tell verdicts to build
//! servers and code scanners; what they tell is gathered by `cases.rs`, and of studies by
//! `studies.rs`, for every command alike. `kind.rs` has what can be asked for, `write.rs` puts it
//! into the results directory.
//!
//! A file is a function of the results and of an [`Epoch`], which stands for the start of simulated
//! time where a format knows calendars only: nobody asks a clock. Begin with [`ExportKind`].

pub(crate) mod cases;
mod hdr;
pub(crate) mod junit;
pub mod kind;
mod openmetrics;
mod perfetto;
mod proto;
pub(crate) mod sarif;
mod studies;
mod tracks;
mod write;

pub use kind::{Epoch, ExportKind, Exports};
pub use write::{write_availability, write_comparison, write_plan, write_run, write_sweep};
