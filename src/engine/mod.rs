//! The engine: a calendar for rare events, processor-sharing servers for the many, with a quota of
//! work or without, and a digest. It knows time, jobs and servers, and not one word of gateways.

pub mod calendar;
pub mod deadline;
pub mod digest;
pub mod jobs;
pub mod progress;
pub mod quota;
pub mod server;
mod service_rate;

/// Names what simulations give: raised with every change after which the same scenario, seed and
/// index lead to another outcome. Results, manifests and checkpoints carry it.
pub const ENGINE: u32 = 1;
