//! Several regions that share their clients, and what leads clients to them.
//!
//! ```text
//! arrivals ─► client groups ─► region ─► all of a gateway (`World`)
//!                  ▲              │ asked
//!                  │ answers      ▼
//!          traffic manager ◄─ health checks
//! ```
//!
//! A region is a [`World`](super::world::World): everything that a gateway is by itself, with a
//! calendar and random streams of its own. What regions share is here: the requests, which go where
//! their client group sends at the moment; the checks of the regions and what follows from them;
//! the control plane, if a region is its home. Regions go on together from event to event, so that
//! whoever listens is told of all of them in order of time.
//!
//! | file | what it owns |
//! |---|---|
//! | `globe` | the regions, and in which order things happen |
//! | `crowd` | client groups: where each sends, and when it learns of another answer |
//! | `health` | what the locations that check make of each region |
//! | `manager` | which regions serve, and what is decided about that |
//! | `steering` | what follows from checks, decisions and faults |
//!
//! Assumptions: a request, with all of its tries, stays in the region that it was sent to. Left
//! out: users who wait for their answers (they would have to move with what they wait for), and
//! upstreams whose load several regions share.

mod crowd;
mod globe;
mod health;
mod manager;
mod steering;

pub(super) use globe::Globe;
