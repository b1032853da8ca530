//! The ledger: every request offered ends in exactly one outcome.

use serde::{Deserialize, Serialize};
use std::ops::AddAssign;

/// Why a request was not served, in broad terms: a colour each in charts, but for the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// Somebody had it, and was lost.
    Lost,
    /// It got an answer that is an error.
    Refused,
    /// Somebody waited no longer.
    TimedOut,
    /// A policy turned it away on purpose: that is an answer, and no failure.
    Rejected,
}

/// The table of the ways not to be served: the type, the list of all, and what is known of each. A
/// line is `Name = "word in tables", "column in files", HTTP status, mechanism;`. Those that are
/// `Rejected` are no failures: availability, incidents, and what a latency objective takes for
/// slower than any bound leave them out.
macro_rules! failures {
    ($($(#[$doc:meta])* $name:ident = $label:literal, $key:literal, $status:expr, $of:ident;)*) => {
        /// How a request can end without being served: it fails, or is rejected on purpose. Each
        /// is a named mechanism; there is no other way.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Failure { $($(#[$doc])* $name,)* }

        impl Failure {
            /// All of them, in the order of their declaration, by which counts are indexed
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

            /// Why it was not served, in broad terms.
            pub fn mechanism(self) -> Mechanism {
                match self { $(Failure::$name => Mechanism::$of,)* }
            }
        }
    };
}

failures! {
    /// The replica that was working on it died.
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
    /// A limit had admitted all that it admits in this time: what it is there for.
    RateLimited = "rejected: limit reached", "rejected_limit", Some(429), Rejected;
    /// Nobody could say whether a limit has room: its storage could not be reached. A failure, as
    /// nobody meant to turn it away.
    QuotaUnknown = "refused: quota unknown", "refused_quota_unknown", Some(429), Refused;
    /// Its client's contract had been revoked, by whoever manages the API.
    ContractRevoked =
        "rejected: contract revoked", "rejected_contract_revoked", Some(401), Rejected;
    /// The replica had as many requests at the upstream as its circuit breaker allows.
    BreakerOpen = "refused: circuit breaker", "refused_circuit_breaker", Some(503), Refused;
    /// The upstream's host had as many connections as it accepts.
    UpstreamFull = "refused: upstream full", "refused_upstream_full", Some(503), Refused;
    /// It was sent when its connection was just being closed because nobody had used it.
    IdleClosed = "lost: idle connection closed", "lost_idle_connection", Some(502), Lost;
    /// The upstream answered with an error, or its host refused the connection.
    UpstreamFailed = "failed upstream", "failed_upstream", Some(503), Refused;
    /// The upstream did not answer in time.
    UpstreamTimedOut = "timed out upstream", "timed_out_upstream", Some(504), TimedOut;
    /// It did not prove who sends it. (No provider is modelled that could be unreachable.)
    Unauthenticated =
        "rejected: not authenticated", "rejected_unauthenticated", Some(401), Rejected;
    /// The replica that took it on answered with an error of its own: its version is bad, or it is
    /// in a gray failure.
    ReplicaError = "failed: error of the replica", "failed_replica_error", Some(500), Refused;
    /// Too much of what an ingress instance, or a replica towards its upstream, had let through
    /// before had failed, so that admission control turned it away.
    NotAdmitted =
        "refused: admission control", "refused_admission_control", Some(503), Refused;
    /// The replica takes on no more: it has as many requests as it may, or its overload manager
    /// finds too much of its memory or CPU in use.
    Overloaded = "refused: replica overloaded", "refused_overloaded", Some(503), Refused;
    /// The ingress instance through which it went died, so that nobody is left to answer: its
    /// client sees a connection that is closed, or hears nothing.
    LostWithIngress = "lost with the ingress instance", "lost_with_ingress", None, Lost;
}

/// A number for each way not to be served, indexed by `Failure as usize`.
pub type ByFailure = [u64; Failure::ALL.len()];

/// How many of these failed, and how many were rejected.
pub fn failed_and_rejected(counts: &ByFailure) -> (u64, u64) {
    Failure::ALL.into_iter().fold((0, 0), |(failed, rejected), kind| {
        let count = counts[kind as usize];
        match kind.is_rejection() {
            true => (failed, rejected + count),
            false => (failed + count, rejected),
        }
    })
}

impl Failure {
    /// Whether only who sends the request can cause it, and no incident.
    pub fn is_of_the_sender(self) -> bool {
        self == Failure::Unauthenticated
    }

    /// Whether a policy turns the request away on purpose, which is no failure.
    pub fn is_rejection(self) -> bool {
        self.mechanism() == Mechanism::Rejected
    }

    /// Whether tables tell it even where it did not happen: what comes of the loss of replicas and
    /// ingress instances, whatever else a scenario has.
    pub fn is_always_told(self) -> bool {
        use Failure::*;
        match self {
            LostInFlight | NoReadyReplica | DeadAddress | ContractsMissing | TimedOut
            | IngressDown => true,
            GivenUp | RateLimited | QuotaUnknown | ContractRevoked | BreakerOpen | UpstreamFull
            | IdleClosed | UpstreamFailed | UpstreamTimedOut | Unauthenticated | ReplicaError
            | NotAdmitted | Overloaded | LostWithIngress => false,
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
    /// Failed or rejected before the horizon, by mechanism.
    pub failures: ByFailure,
    /// Without an outcome at the horizon.
    pub in_flight: u64,
}

impl Ledger {
    /// Failed requests of every kind.
    pub fn failed(&self) -> u64 {
        failed_and_rejected(&self.failures).0
    }

    /// Rejected requests of every kind.
    pub fn rejected(&self) -> u64 {
        failed_and_rejected(&self.failures).1
    }

    /// Answered requests: served, or rejected on purpose.
    pub fn answered(&self) -> u64 {
        self.served + self.rejected()
    }

    /// Requests that have an outcome.
    pub fn decided(&self) -> u64 {
        self.answered() + self.failed()
    }

    /// Requests of one kind that were not served.
    pub fn failed_by(&self, failure: Failure) -> u64 {
        self.failures[failure as usize]
    }

    /// Answered over all that have an outcome; `None` when none has.
    pub fn availability(&self) -> Option<f64> {
        let decided = self.decided();
        (decided > 0).then(|| self.answered() as f64 / decided as f64)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_policy_turns_away_on_purpose_is_answered_and_what_nobody_meant_to_is_a_failure() {
        let rejections: Vec<_> =
            Failure::ALL.into_iter().filter(|kind| kind.is_rejection()).collect();
        use Failure::{ContractRevoked, RateLimited, Unauthenticated};
        assert_eq!(rejections, [RateLimited, ContractRevoked, Unauthenticated]);
        let mut ledger = Ledger { offered: 100, served: 60, in_flight: 5, ..Ledger::default() };
        ledger.failures[RateLimited as usize] = 20;
        ledger.failures[Failure::QuotaUnknown as usize] = 15;
        assert_eq!((ledger.rejected(), ledger.failed(), ledger.decided()), (20, 15, 95));
        assert_eq!(ledger.availability(), Some(80.0 / 95.0));
        assert!(ledger.balances());
    }
}
