//! Properties of the cluster: where replicas are, when they start, and who replaces them.

mod afterwards;
mod api_server;
mod boots;
mod connections;
mod delays;
mod exchanges;
mod failover;
mod nodes;
mod releases;
mod replicas;
mod rollouts;
pub mod scaling;
mod start;
mod stranded;
