//! The ledger: every request offered ends in exactly one outcome.

use serde::{Deserialize, Serialize};
use std::ops::AddAssign;

/// How a request can fail. Each is a named mechanism; there is no other way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Failure {
    /// The replica that was working on it died, or its ingress instance did.
    LostInFlight,
    /// No replica was in rotation.
    NoReadyReplica,
    /// It was sent to the address of a dead replica and no retry was left.
    DeadAddress,
    /// Its API uses contracts and the replica had not loaded them.
    ContractsMissing,
    /// The replica did not answer within the ingress read timeout.
    TimedOut,
    /// It was sent to an ingress instance that had vanished.
    IngressDown,
    /// Its client waited no longer.
    GivenUp,
    /// A limit had admitted all that it admits in this time.
    RateLimited,
    /// Nobody could say whether a limit has room: its storage could not be reached.
    QuotaUnknown,
    /// Its client's contract had been revoked.
    ContractRevoked,
    /// The replica had as many requests at the upstream as its circuit breaker allows.
    BreakerOpen,
    /// The upstream answered with an error, or its host refused the connection.
    UpstreamFailed,
    /// The upstream did not answer in time.
    UpstreamTimedOut,
}

impl Failure {
    /// All ways to fail, in the order of their declaration, by which counts are indexed and files
    /// and reports list them.
    pub const ALL: [Failure; 13] = [
        Failure::LostInFlight,
        Failure::NoReadyReplica,
        Failure::DeadAddress,
        Failure::ContractsMissing,
        Failure::TimedOut,
        Failure::IngressDown,
        Failure::GivenUp,
        Failure::RateLimited,
        Failure::QuotaUnknown,
        Failure::ContractRevoked,
        Failure::BreakerOpen,
        Failure::UpstreamFailed,
        Failure::UpstreamTimedOut,
    ];

    /// Whether only these can cause it: clients that react, policies,
    /// upstreams.
    pub fn is_of_dependencies(self) -> bool {
        self as usize > Failure::IngressDown as usize
    }

    /// The word that tables use.
    pub fn label(self) -> &'static str {
        match self {
            Failure::LostInFlight => "lost in flight",
            Failure::NoReadyReplica => "refused: no ready replica",
            Failure::DeadAddress => "refused: dead address",
            Failure::ContractsMissing => "refused: contracts missing",
            Failure::TimedOut => "timed out at the ingress",
            Failure::IngressDown => "refused: ingress instance down",
            Failure::GivenUp => "given up by the client",
            Failure::RateLimited => "rejected: limit reached",
            Failure::QuotaUnknown => "rejected: quota unknown",
            Failure::ContractRevoked => "refused: contract revoked",
            Failure::BreakerOpen => "refused: circuit breaker",
            Failure::UpstreamFailed => "failed upstream",
            Failure::UpstreamTimedOut => "timed out upstream",
        }
    }

    /// The column name in files.
    pub fn key(self) -> &'static str {
        match self {
            Failure::LostInFlight => "lost_in_flight",
            Failure::NoReadyReplica => "refused_no_ready_replica",
            Failure::DeadAddress => "refused_dead_address",
            Failure::ContractsMissing => "refused_contracts_missing",
            Failure::TimedOut => "timed_out",
            Failure::IngressDown => "refused_ingress_down",
            Failure::GivenUp => "given_up",
            Failure::RateLimited => "rejected_limit",
            Failure::QuotaUnknown => "rejected_quota_unknown",
            Failure::ContractRevoked => "refused_contract_revoked",
            Failure::BreakerOpen => "refused_circuit_breaker",
            Failure::UpstreamFailed => "failed_upstream",
            Failure::UpstreamTimedOut => "timed_out_upstream",
        }
    }

    /// What the client sees: an HTTP status, or nothing when no server is left to answer.
    pub fn status(self) -> Option<u16> {
        match self {
            Failure::LostInFlight | Failure::DeadAddress => Some(502),
            Failure::NoReadyReplica | Failure::ContractsMissing => Some(503),
            Failure::BreakerOpen | Failure::UpstreamFailed => Some(503),
            Failure::TimedOut | Failure::UpstreamTimedOut => Some(504),
            Failure::RateLimited | Failure::QuotaUnknown => Some(429),
            Failure::ContractRevoked => Some(401),
            Failure::IngressDown | Failure::GivenUp => None,
        }
    }
}

const _: () = {
    let mut index = 0;
    while index < Failure::ALL.len() {
        assert!(Failure::ALL[index] as usize == index, "ALL is in the order of the declaration");
        index += 1;
    }
};

/// Counts of requests by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Requests that clients sent.
    pub offered: u64,
    /// Answered before the horizon.
    pub served: u64,
    /// Failed before the horizon, by mechanism; indexed by `Failure as usize`.
    pub failures: [u64; Failure::ALL.len()],
    /// Without an outcome at the horizon.
    pub in_flight: u64,
}

impl Ledger {
    /// Failed requests of every kind.
    pub fn failed(&self) -> u64 {
        self.failures.iter().sum()
    }

    /// Failed requests of one kind.
    pub fn failed_by(&self, failure: Failure) -> u64 {
        self.failures[failure as usize]
    }

    /// Served over all that have an outcome; `None` when none has.
    pub fn availability(&self) -> Option<f64> {
        let decided = self.served + self.failed();
        (decided > 0).then(|| self.served as f64 / decided as f64)
    }

    /// Whether every request offered has exactly one place in the ledger.
    pub fn balances(&self) -> bool {
        self.offered == self.served + self.failed() + self.in_flight
    }
}

impl AddAssign<&Ledger> for Ledger {
    fn add_assign(&mut self, other: &Ledger) {
        self.offered += other.offered;
        self.served += other.served;
        self.in_flight += other.in_flight;
        self.failures.iter_mut().zip(other.failures).for_each(|(mine, theirs)| *mine += theirs);
    }
}
