//! The horizontal pod autoscaler of Kubernetes, as functions of what it is shown.
//!
//! ```text
//! pods with their samples ─► group ─► recommend ─► stabilise ─► limit ─► Decision
//!   (a Snapshot)            pods.rs  calculator.rs  log.rs   behavior.rs   decision.rs
//!   └────────────────────────────── controller.rs ─────────────────────────────┘
//! ```
//!
//! The algorithm is that of the current upstream controller (`pkg/controller/podautoscaler`), for a
//! CPU metric with a utilisation target: integer milli-cores and percents, the same floats, the
//! same order of steps. Counts of replicas are `i32` as there. Time is the simulator's; nothing
//! here reads a clock.
//!
//! Left out: other kinds of metrics, several metrics at once, and an object that is paused by hand.

pub mod behavior;
pub mod calculator;
pub mod controller;
pub mod decision;
pub mod log;
pub mod metrics;
pub mod pods;
