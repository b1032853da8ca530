//! Who sends requests, and what they do when an answer does not come.

use crate::random::Law;
use crate::units::{Share, Span};

/// The clients of the gateway.
#[derive(Clone, Debug, PartialEq)]
pub struct Clients {
    /// How their requests come about.
    pub population: Population,
    /// Which client sends a request; each has its own retry budget, contract and rate limit.
    pub popularity: Popularity,
    /// How long a client waits for the answer to one attempt; `None` = for ever.
    pub patience: Option<Span>,
    /// Network between client and ingress, each way of each attempt; `None` = only the constant
    /// delays of the ingress.
    pub network: Option<Law>,
    /// What a client does about a failed attempt; `None` = nothing.
    pub retry: Option<Retry>,
    /// Whether a client that gives up ends the work for it in the gateway; otherwise that goes on.
    pub cancels: bool,
}

/// How requests come about.
#[derive(Clone, Debug, PartialEq)]
pub enum Population {
    /// Whenever the traffic says, whatever became of those before.
    Open,
    /// Each of so many users sends a request, awaits its outcome, thinks, and so on. There is no
    /// other traffic: a request of it would bring one more user.
    Closed {
        /// Users, at least 1.
        users: usize,
        /// From an outcome to the next request.
        think: Law,
    },
    /// The traffic says when sessions begin; in each a user sends one request after the other.
    Sessions {
        /// Mean number of requests of a session, at least 1; geometrically distributed.
        requests: f64,
        /// From an outcome to the next request.
        think: Law,
    },
}

/// How often each of a number of keys is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Popularity {
    /// Number of keys, at least 1.
    pub keys: usize,
    /// Exponent s of Zipf's law: the k-th key is asked for in proportion to k^−s; 0 = all alike.
    pub zipf: f64,
}

impl Popularity {
    /// A single key.
    pub const ONE: Popularity = Popularity { keys: 1, zipf: 0.0 };
}

/// What a client does about a failed attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// Attempts in all, at least 1.
    pub attempts: u32,
    /// The wait before the k-th further attempt (k = 1, 2, …).
    pub backoff: RetryBackoff,
    /// Tokens for further attempts; `None` = without limit.
    pub budget: Option<RetryBudget>,
    /// No further attempt while more than this share of a client's attempts so far has failed.
    pub breaker: Option<Share>,
    /// Whether an attempt that a limit rejected (429) is made again.
    pub limited: bool,
}

/// The wait before a further attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryBackoff {
    /// Before the first further attempt.
    pub first: Span,
    /// Each wait is this times the one before.
    pub factor: f64,
    /// The longest wait.
    pub limit: Span,
    /// How it scatters.
    pub jitter: Jitter,
}

/// How waits scatter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// Not at all.
    None,
    /// Uniform between half of the wait and all of it.
    Half,
    /// Uniform between nothing and all of it.
    Full,
}

/// A client's bucket of tokens; every further attempt takes one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryBudget {
    /// Tokens that a request puts in.
    pub per_request: f64,
    /// Tokens that the bucket holds, and has at the start.
    pub size: f64,
}
