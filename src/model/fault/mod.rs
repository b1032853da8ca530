//! Faults: when they are injected, whom they hit, and how they are cleared.
//!
//! ```text
//! at a given time ──────────────┐
//!                               ├─► inject ─► victims ─► what happens to them ─► cleared
//! after a random time of health ┘      └─► incident n (a fault that hit something)
//! ```
//!
//! This room owns the [`Clocks`](clock::Clocks) of faults and decides whom a fault hits. What then
//! happens belongs to the parts that are hit: each file here hands a fault to one of them and gets
//! no more than that part.
//!
//! - `inject` is the table from kinds of faults to what they do. Start reading there.
//! - `replicas`: crash, hang, slow replica. `machines`: zones, nodes, drains, maintenance.
//! - `dependencies`: upstreams, the storage of limits, contracts.
//! - `platform`: control plane, ingress instances, supply of nodes.

pub(super) mod clock;
pub(super) mod dependencies;
pub(super) mod inject;
pub(super) mod machines;
pub(super) mod platform;
pub(super) mod replicas;
