//! Properties of requests: who serves them, how long that takes, and what becomes of the others.

mod authentication;
mod clients;
pub mod overload;
mod probes;
mod sharing;
mod spike;
mod throttling;
mod upstreams;
