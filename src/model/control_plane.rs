//! Whether the control plane can be reached, and what it has decided.
//!
//! ```text
//! up ─ outage ─► down ─ all outages over ─► up
//! ```
//!
//! Assumptions: it is reachable or not, for everyone alike; it has no load of its own. What
//! replicas fetch from it is told in `replica/fetch.rs`. Left out: contracts that change, quotas of
//! the control plane.

use crate::random::{Law, Seed, Stream};
use crate::units::{Instant, Share, Span};

/// The control plane.
#[derive(Clone, Debug)]
pub(super) struct ControlPlane {
    /// Outages in progress.
    down: u32,
    /// Outages so far.
    outages: u32,
    /// When the last one began.
    last_down: Option<Instant>,
    /// Clients whose contracts are revoked.
    revoked: Vec<u32>,
    /// Decides which requests need contracts.
    gate: Stream,
    /// Decides when in their polls an outage finds the replicas that run.
    polls: Stream,
}

impl ControlPlane {
    pub fn new(seed: Seed) -> Self {
        ControlPlane {
            down: 0,
            outages: 0,
            last_down: None,
            revoked: Vec::new(),
            gate: seed.stream("contract gate", 0),
            polls: seed.stream("contract polls", 0),
        }
    }

    /// Whether a request belongs to the `share` of them that needs contracts.
    pub fn needs_contracts(&mut self, share: Share) -> bool {
        self.gate.unit() < share.0
    }

    pub fn is_up(&self) -> bool {
        self.down == 0
    }

    /// Whether it was up without a break since `began`.
    pub fn stayed_up_since(&self, began: Instant) -> bool {
        self.is_up() && self.last_down.is_none_or(|down| down < began)
    }

    /// An outage begins; gives its number.
    pub fn go_down(&mut self, now: Instant) -> u32 {
        debug_assert!(self.last_down.is_none_or(|last| last <= now), "outages come in order");
        self.down += 1;
        self.outages += 1;
        self.last_down = Some(now);
        self.outages
    }

    /// An outage is over; others may go on.
    pub fn come_back(&mut self) {
        assert!(self.down > 0, "the control plane cannot come back without an outage");
        assert!(self.down <= self.outages, "more outages go on than began");
        self.down -= 1;
    }

    /// Whether this outage, or one since that overlapped it, goes on.
    pub fn is_in_outage(&self, outage: u32) -> bool {
        self.outages == outage && !self.is_up()
    }

    /// When within a poll interval an outage finds a replica.
    pub fn poll_phase(&mut self, poll: Span) -> Span {
        Law::Uniform(Span::ZERO, poll).draw(&mut self.polls)
    }

    /// The contract of a client is revoked, for good.
    pub fn revoke(&mut self, client: u32) {
        self.revoked.push(client);
    }

    /// Clients whose contracts are revoked.
    pub fn revoked(&self) -> &[u32] {
        &self.revoked
    }
}
