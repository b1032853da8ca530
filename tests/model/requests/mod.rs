//! Properties of requests: who serves them, how long that takes, and what becomes of the others.

pub mod overload;
mod probes;
mod sharing;
mod spike;
mod surroundings;
mod throttling;
mod upstreams;
