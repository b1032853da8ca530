//! The ledger: every request offered ends in exactly one outcome.

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
}

impl Failure {
    /// All ways to fail, in the order of their declaration, by which counts are indexed and files
    /// and reports list them.
    pub const ALL: [Failure; 6] = [
        Failure::LostInFlight,
        Failure::NoReadyReplica,
        Failure::DeadAddress,
        Failure::ContractsMissing,
        Failure::TimedOut,
        Failure::IngressDown,
    ];

    /// The word that tables use.
    pub fn label(self) -> &'static str {
        match self {
            Failure::LostInFlight => "lost in flight",
            Failure::NoReadyReplica => "refused: no ready replica",
            Failure::DeadAddress => "refused: dead address",
            Failure::ContractsMissing => "refused: contracts missing",
            Failure::TimedOut => "timed out at the ingress",
            Failure::IngressDown => "refused: ingress instance down",
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
        }
    }

    /// What the client sees: an HTTP status, or nothing when no server is left to answer.
    pub fn status(self) -> Option<u16> {
        match self {
            Failure::LostInFlight | Failure::DeadAddress => Some(502),
            Failure::NoReadyReplica | Failure::ContractsMissing => Some(503),
            Failure::TimedOut => Some(504),
            Failure::IngressDown => None,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
