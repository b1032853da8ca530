//! The incident timeline: one replication, panel below panel over one time axis.
//!
//! `input` says what the picture shows: the recorded rows and lives of a replication, the moments
//! that are marked through all panels, and the latency goals. `chart` stacks the panels and draws
//! the moments. Each panel has a file: `panels` (traffic, latency, CPU, cache), `failures`,
//! `autoscaling`, `regions` for whom clients send to and what each of several regions gets, and
//! `strips` for the replicas, whose conditions over time `conditions` works
//! out; `bands` shows behind three of them how far replications differ. `waterfall` is a picture of
//! its own: the steps of a fail-over, over all replications.
//!
//! It asks `observe` for what was recorded, and `canvas` and `layout` for everything drawn. Start
//! with `chart.rs`.

mod autoscaling;
mod bands;
mod chart;
mod conditions;
mod failures;
mod input;
mod load;
mod panels;
mod regions;
mod strips;
mod waterfall;

pub(crate) use bands::BandPoint;
pub use bands::TimelineBands;
pub use chart::timeline;
pub(crate) use conditions::{Condition, ConditionSpan, intervals};
pub use input::{Autoscaler, Goal, RuleKind, TimelineInput, TimelineRegion, TimelineRule};
pub(crate) use load::ready as ready_capacity;
pub use waterfall::{WaterfallInput, WaterfallStep, waterfall};
