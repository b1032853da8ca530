//! The model: what the documents promise, laws that hold in every run, what others recorded.

mod autoscaler;
mod balancing;
mod cluster;
#[path = "../common/mod.rs"]
mod common;
mod derived;
mod determinism;
mod gray;
mod incidents;
mod laws;
mod machines;
mod overlaps;
mod protection;
mod regions;
mod replay;
mod requests;
mod rules;
mod stability;
