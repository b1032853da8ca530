//! Properties of requests: who serves them, how long that takes, and what becomes of the others.

mod authentication;
mod clients;
mod hedging;
mod in_cluster;
mod ingress_health;
mod ingress_retries;
mod ingress_zones;
mod memory;
pub mod overload;
mod probes;
mod purge;
mod sharing;
mod spike;
mod throttling;
mod upstreams;
mod users;
