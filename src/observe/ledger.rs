//! The ledger: every request offered ends in exactly one outcome.

use serde::{Deserialize, Serialize};
use std::ops::AddAssign;

/// By what a request failed, in broad terms: a colour each in charts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// Somebody had it, and was lost.
    Lost,
    /// It got an answer that is an error.
    Refused,
    /// Somebody waited no longer.
    TimedOut,
}

/// The table of the ways to fail: the type, the list of all, and what is known of each. A line is
/// `Name = "word in tables", "column in files", HTTP status, mechanism;`.
macro_rules! failures {
    ($($(#[$doc:meta])* $name:ident = $label:literal, $key:literal, $status:expr, $of:ident;)*) => {
        /// How a request can fail. Each is a named mechanism; there is no other way.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Failure { $($(#[$doc])* $name,)* }

        impl Failure {
            /// All ways to fail, in the order of their declaration, by which counts are indexed
            /// and files and reports list them.
            pub const ALL: [Failure; [$($label),*].len()] = [$(Failure::$name),*];

            /// The word that tables use.
            pub fn label(self) -> &'static str {
                match self { $(Failure::$name => $label,)* }
            }

            /// The column name in files.
            pub fn key(self) -> &'static str {
                match self { $(Failure::$name => $key,)* }
            }

            /// What the client sees: an HTTP status, or nothing when no server is left to answer.
            /// By it clients decide whether to try again.
            pub fn status(self) -> Option<u16> {
                match self { $(Failure::$name => $status,)* }
            }

            /// By what it failed, in broad terms.
            pub fn mechanism(self) -> Mechanism {
                match self { $(Failure::$name => Mechanism::$of,)* }
            }
        }
    };
}

failures! {
    /// The replica that was working on it died, or its ingress instance did.
    LostInFlight = "lost in flight", "lost_in_flight", Some(502), Lost;
    /// No replica was in rotation.
    NoReadyReplica =
        "refused: no ready replica", "refused_no_ready_replica", Some(503), Refused;
    /// It was sent to the address of a dead replica and no retry was left.
    DeadAddress = "refused: dead address", "refused_dead_address", Some(502), Refused;
    /// Its API uses contracts and the replica had not loaded them.
    ContractsMissing =
        "refused: contracts missing", "refused_contracts_missing", Some(503), Refused;
    /// The replica did not answer within the ingress read timeout.
    TimedOut = "timed out at the ingress", "timed_out", Some(504), TimedOut;
    /// It was sent to an ingress instance that had vanished.
    IngressDown = "refused: ingress instance down", "refused_ingress_down", None, Refused;
    /// Its client waited no longer.
    GivenUp = "given up by the client", "given_up", None, TimedOut;
    /// A limit had admitted all that it admits in this time.
    RateLimited = "rejected: limit reached", "rejected_limit", Some(429), Refused;
    /// Nobody could say whether a limit has room: its storage could not be reached.
    QuotaUnknown = "rejected: quota unknown", "rejected_quota_unknown", Some(429), Refused;
    /// Its client's contract had been revoked.
    ContractRevoked =
        "refused: contract revoked", "refused_contract_revoked", Some(401), Refused;
    /// The replica had as many requests at the upstream as its circuit breaker allows.
    BreakerOpen = "refused: circuit breaker", "refused_circuit_breaker", Some(503), Refused;
    /// The upstream answered with an error, or its host refused the connection.
    UpstreamFailed = "failed upstream", "failed_upstream", Some(503), Refused;
    /// The upstream did not answer in time.
    UpstreamTimedOut = "timed out upstream", "timed_out_upstream", Some(504), TimedOut;
    /// It did not prove who sends it.
    Unauthenticated =
        "rejected: not authenticated", "rejected_unauthenticated", Some(401), Refused;
}

impl Failure {
    /// Whether only who sends the request can cause it, and no incident.
    pub fn is_of_the_sender(self) -> bool {
        self == Failure::Unauthenticated
    }

    /// Whether only these can cause it: clients that react, policies, upstreams.
    pub fn is_of_dependencies(self) -> bool {
        use Failure::*;
        match self {
            LostInFlight | NoReadyReplica | DeadAddress | ContractsMissing | TimedOut
            | IngressDown => false,
            GivenUp | RateLimited | QuotaUnknown | ContractRevoked | BreakerOpen
            | UpstreamFailed | UpstreamTimedOut | Unauthenticated => true,
        }
    }
}

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
        let ended = [self.served, self.in_flight].into_iter().chain(self.failures);
        u128::from(self.offered) == ended.map(u128::from).sum()
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
