//! The horizontal pod autoscaler of Kubernetes, as functions of what it is shown.
//!
//! ```text
//! pods, samples ─► group ─► recommend ─► largest ─► stabilise ─► limit ─► Decision
//! (a Snapshot of   pods.rs  calculator.rs  goals.rs   log.rs  behavior.rs  decision.rs
//!  each metric)             average.rs
//!   └─────────────────────────── controller.rs ─────────────────────────────────┘
//! ```
//!
//! The algorithm is that of the current upstream controller (`pkg/controller/podautoscaler`), for
//! CPU and memory with a utilisation target and metrics of pods with an average value: integers of
//! a thousandth and percents, the same floats, the same order of steps. Counts of replicas are
//! `i32` as there. Time is the simulator's; nothing here reads a clock.
//!
//! What becomes of a reading before it is shown: `metrics` for the metrics-server, `rates` for
//! Prometheus. Left out: metrics of objects and external ones, and an object that is paused by
//! hand.

pub mod average;
pub mod behavior;
pub mod calculator;
pub mod controller;
pub mod decision;
pub mod goals;
pub mod log;
pub mod metrics;
pub mod pods;
pub mod rates;
