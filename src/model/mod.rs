//! The model of a replicated gateway: what happens to requests, replicas, zones and the control
//! plane, and when.
//!
//! ```text
//!  arrivals ──► ingress instance ──► balancer ──► replica (processor sharing) ──► observer
//!                                      ▲               ▲
//!                                      │ endpoints     │ crash, hang, slow, restart
//!  faults ──► detection ──► endpoints ─┘               │
//!     └──────────────► cluster ──────► start-up ───────┘
//!                                        ▲ configuration, contracts
//!                                        └── control plane
//! ```
//!
//! Rare events stand on a calendar. Between two of them replicas do not influence each other, so
//! requests are routed in blocks and each replica then works through its share alone; the result is
//! the same as event by event, and far faster. What happens at the same moment is ordered:
//! completions and time-outs first, then events by the rank of their kind, then new requests.
//!
//! A replication is a function of the plan, the seed and its index. Observers are told of
//! everything and can change nothing.
//!
//! | room or file | what it owns |
//! |---|---|
//! | `world` | the parts of a replication; takes event after event and hands each to a part |
//! | `context` | what every part may ask for: moment, plan, calendar, fault clocks, observer |
//! | `event` | the rare events and the order of simultaneous ones |
//! | `open_loop`, `event_loop` | the two ways in which requests are taken |
//! | `region` | one gateway: a cluster and an ingress |
//! | `global` | several regions, and what leads clients to them |
//! | `traffic` | when requests come |
//! | `ingress` | instances, rotation, connections |
//! | `cluster` | nodes, scheduling, evictions, rollouts, autoscaler |
//! | `replica` | the life of replicas and their servers |
//! | `request` | clients, attempts, policies |
//! | `upstream` | the hosts of upstreams, and tries of replicas there |
//! | `fault` | what goes wrong, when, and whom it hits |
//!
//! Start reading at `world`.

mod cluster;
mod context;
mod control_plane;
mod event;
mod event_loop;
mod fault;
mod gates;
mod global;
mod ingress;
mod open_loop;
mod region;
mod replica;
mod request;
mod sample_clock;
mod sampling;
mod traffic;
mod upstream;
mod world;

use crate::engine::progress::Progress;
use crate::observe::Observer;
use crate::observe::listener::Listener;
use crate::observe::listener::audience::Audience;
use crate::observe::recorder::Recorder;
use crate::plan::Plan;
use global::Globe;
pub use world::End;
use world::World;

/// Simulates replication `replication` of `plan` and tells `observer` everything.
///
/// `progress` takes note of the progress and may ask for an early end.
///
/// # Panics
/// If the plan breaks a rule that its types document (no replicas, no zones, no corners): the
/// scenario checker refuses such plans. And if an impossible state is met, which would be an error
/// of this program.
pub fn simulate(
    plan: &Plan,
    replication: u64,
    observer: &mut dyn Observer,
    progress: &Progress,
) -> End {
    run(plan, replication, Audience::Tap(observer), progress)
}

/// [`simulate`] for a recorder, which is faster.
///
/// # Panics
/// As [`simulate`].
pub fn record(plan: &Plan, replication: u64, recorder: &mut Recorder, progress: &Progress) -> End {
    run(plan, replication, Audience::Recorder(recorder), progress)
}

fn run<'a>(
    plan: &'a Plan,
    replication: u64,
    audience: Audience<'a>,
    progress: &'a Progress,
) -> End {
    match &plan.regions {
        None => World::new(plan, replication, Listener::Audience(audience), progress).run(),
        Some(regions) => Globe::new(plan, regions, replication, (audience, progress)).run(),
    }
}
