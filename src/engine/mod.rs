//! The engine: a calendar for rare events, processor-sharing servers for the many, and a digest.
//! It knows time, jobs and servers, and not one word of gateways.

pub mod calendar;
pub mod deadline;
pub mod digest;
pub mod jobs;
mod pace;
pub mod server;
