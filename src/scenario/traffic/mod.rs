//! The section `[traffic]`: when requests come.
//!
//! `format.rs` has the tables of the section and of the changes and bursts in it. `arrivals.rs`
//! reads rates, changes and bursts into a process; `profile.rs` the shape of days and weeks.
//! `replay.rs` reads another file instead: recorded arrivals, whose formats `recording/` beside
//! this knows, or rates over time as a monitoring system has them (`rate_file.rs` reads
//! tables and Prometheus, `cloudwatch.rs` and `locust.rs` what their names say, `rates.rs` makes a
//! process of them).
//!
//! The room may know clients and APIs as read, for recordings name APIs and users of a closed loop
//! need no rate. Start with `arrivals.rs`.

pub(crate) mod arrivals;
mod cloudwatch;
pub(crate) mod format;
mod locust;
mod profile;
mod rate_file;
mod rates;
mod replay;
