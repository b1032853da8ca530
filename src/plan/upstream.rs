//! The APIs behind the gateway, and what carries them out.

use super::Popularity;
use crate::policy::breaker::BreakerSpec;
use crate::policy::outlier::OutlierSpec;
use crate::random::Law;
use crate::units::{Share, Span};

/// One API of the gateway.
#[derive(Clone, Debug, PartialEq)]
pub struct Api {
    /// Its name.
    pub name: String,
    /// Its share of the requests, in proportion to the others'; above 0.
    pub weight: f64,
    /// CPU time that a request takes in the gateway if it goes all the way, without that of the
    /// policies; `None` = the gateway's.
    pub demand: Option<Law>,
    /// Kilobytes that a request and its answer carry, for policies that cost by size.
    pub payload_kb: f64,
    /// Its policies, in the order in which they act.
    pub policies: Vec<usize>,
    /// What answers; `None` = the gateway does.
    pub upstream: Option<usize>,
    /// How often each of its resources is asked for: what a cache tells apart.
    pub resources: Popularity,
    /// Share of its requests that may be cached (GET and HEAD).
    pub cacheable: Share,
    /// Whether it needs contracts.
    pub contracts: bool,
}

impl Api {
    /// Whether a replica has nothing to find out about a request before it works on it.
    #[inline(always)]
    pub fn is_plain(&self) -> bool {
        self.policies.is_empty() && !self.contracts
    }
}

/// A service behind the gateway.
#[derive(Clone, Debug, PartialEq)]
pub struct Upstream {
    /// Its name.
    pub name: String,
    /// Hosts that it runs on, at least 1; each replica takes them in turn.
    pub hosts: usize,
    /// How long a host works on a request.
    pub latency: Law,
    /// What each request that the host has already adds to that.
    pub per_request: Span,
    /// Requests that a host works on at once, at least 1; more wait in order of arrival. `None` =
    /// without limit.
    pub workers: Option<usize>,
    /// Share of the requests that it answers with an error.
    pub errors: Share,
    /// How long a replica waits for an answer before it gives 504.
    pub timeout: Span,
    /// Whether a host stops work that nobody waits for any more.
    pub cancels: bool,
    /// Further tries of a replica after an error.
    pub retries: u32,
    /// Limits of each replica.
    pub breaker: BreakerSpec,
    /// When a replica avoids a host; `None` = never.
    pub outliers: Option<OutlierSpec>,
}
