//! Requests that feed back: clients, their attempts, what these meet in a replica and behind it.
//!
//! ```text
//! client ─► attempt ─► ingress ─► policies ─► a replica's CPU ─► upstream ─► completion ─► client
//!    ▲                     a time-out, a loss or a failure ends it anywhere ──────────────────┘
//!    └── retry, after a back-off ◄── reaction
//! ```
//!
//! This room owns [`Requests`]: clients and what they wait for, time-outs, what policies and
//! upstreams remember. The attempts themselves are in the [`Context`](super::context::Context),
//! since replicas' servers have to know of them. It asks a region for a replica that takes an
//! attempt, and its fleet for their servers. It never starts or stops a replica.
//!
//! - `attempt` is the data; `client` sends and reacts, `completion` ends.
//! - `passage` is its way through the ingress, `handshake` the connection on which it comes,
//!   `hedging` several tries of one request at once.
//! - `work` is an attempt in a replica's server, `policies` before it; `model/upstream` is behind
//!   it.
//! - `timeouts`, `next_completion` and steps (`attempt`) are what the event loop looks for next.
//!
//! Start reading at `attempt` and its diagram, then `client`.

pub(super) mod attempt;
mod client;
mod completion;
mod handshake;
mod hedging;
pub(super) mod next_completion;
mod passage;
mod policies;
pub(super) mod timeouts;
mod work;

use slotmap::SlotMap;

use crate::engine::calendar::Calendar;
use crate::model::gates::{Gates, OverloadManagers};
use crate::model::ingress::retries::Retries;
use crate::model::upstream::hosts::Upstreams;
use crate::plan::Plan;
use crate::random::Seed;
use crate::units::Instant;
use attempt::{BackedOff, RequestId, Step};
use client::Clients;
use handshake::Handshakes;
use hedging::Hedges;
use next_completion::NextCompletions;
use policies::Policies;
use timeouts::Timeouts;

/// The requests that are under way and what will happen to them.
#[derive(Debug)]
pub(super) struct Requests {
    /// Requests between two attempts; every other is with its attempt.
    backed_off: SlotMap<RequestId, BackedOff>,
    steps: Calendar<Step>,
    pub timeouts: Timeouts,
    pub next_completions: NextCompletions,
    /// Whether a step or a time-out was entered that may be the next to happen.
    pub stirred: bool,
    /// Whether the horizon is past and only work that began is finished.
    pub over: bool,
    pub clients: Clients,
    handshakes: Handshakes,
    retries: Retries,
    hedges: Hedges,
    /// Admission control of ingress instances.
    gates: Option<Gates>,
    managers: Option<OverloadManagers>,
    pub policies: Policies,
    pub upstreams: Upstreams,
}

impl Requests {
    pub fn new(plan: &Plan, seed: Seed) -> Self {
        Requests {
            backed_off: SlotMap::default(),
            steps: Calendar::default(),
            timeouts: Timeouts::default(),
            next_completions: NextCompletions::default(),
            stirred: false,
            over: false,
            clients: Clients::new(plan, seed),
            handshakes: Handshakes::new(plan, seed),
            retries: Retries::new(&plan.ingress, seed),
            hedges: Hedges::default(),
            managers: OverloadManagers::new(plan, seed),
            gates: Gates::new(plan.ingress.admission, plan.ingress.instances.len(), seed, 0),
            policies: Policies::new(plan, seed),
            upstreams: Upstreams::new(plan, seed),
        }
    }

    /// Puts a step on the calendar.
    pub fn schedule(&mut self, at: u64, step: Step) {
        self.steps.insert(Instant(at), 0, step);
        self.stirred = true;
    }

    /// When the next step happens; `u64::MAX` if there is none.
    #[inline(always)]
    pub fn next_step_at(&self) -> u64 {
        self.steps.next_at().0
    }

    /// Takes the next step off the calendar.
    pub fn pop_step(&mut self) -> Option<(Instant, Step)> {
        self.steps.pop()
    }
}
