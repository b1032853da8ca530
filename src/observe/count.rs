//! What is counted beside outcomes where requests feed back.

/// Something that happened to a request, or for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Count {
    /// A replica finished work for an attempt that nobody waited for any more.
    Wasted,
    /// A failed attempt was not made again because the client's retry budget was spent.
    BudgetSpent,
    /// The ingress tried a request once more, whose connection had failed or which it had sent.
    IngressRetry,
    /// A cache had the answer.
    Hit,
    /// A cache that was asked did not have it.
    Miss,
    /// A limit admitted an attempt.
    Admitted,
    /// A replica asked the shared storage of a limit.
    StorageAsked,
    /// A limit let an attempt pass because its storage could not be reached.
    Unlimited,
    /// A TLS connection was set up with a full handshake.
    Handshake,
    /// A TLS connection was set up by resuming a session.
    Resumption,
    /// A replica tried an upstream once more.
    UpstreamRetry,
    /// A replica found no upstream host to be sound and used all of them.
    Panic,
    /// The ingress sent another try beside one that took too long; an [`Count::IngressRetry`] as
    /// well.
    Hedge,
    /// The first good answer to a hedged request was that of a further try.
    HedgeWon,
    /// A replica made another try beside one at an upstream that took too long; a
    /// [`Count::UpstreamRetry`] as well.
    UpstreamHedge,
    /// The first good answer of an upstream was that to a further try, with an earlier one open.
    UpstreamHedgeWon,
}

impl Count {
    /// All of them, in the order of their declaration, by which they are indexed.
    pub const ALL: [Count; 16] = [
        Count::Wasted,
        Count::BudgetSpent,
        Count::IngressRetry,
        Count::Hit,
        Count::Miss,
        Count::Admitted,
        Count::StorageAsked,
        Count::Unlimited,
        Count::Handshake,
        Count::Resumption,
        Count::UpstreamRetry,
        Count::Panic,
        Count::Hedge,
        Count::HedgeWon,
        Count::UpstreamHedge,
        Count::UpstreamHedgeWon,
    ];

    /// The column name in files.
    pub fn key(self) -> &'static str {
        match self {
            Count::Wasted => "wasted",
            Count::BudgetSpent => "budget_spent",
            Count::IngressRetry => "ingress_retries",
            Count::Hit => "cache_hits",
            Count::Miss => "cache_misses",
            Count::Admitted => "admitted",
            Count::StorageAsked => "storage_asked",
            Count::Unlimited => "unlimited",
            Count::Handshake => "handshakes",
            Count::Resumption => "resumptions",
            Count::UpstreamRetry => "upstream_retries",
            Count::Panic => "panics",
            Count::Hedge => "hedges",
            Count::HedgeWon => "hedges_won",
            Count::UpstreamHedge => "upstream_hedges",
            Count::UpstreamHedgeWon => "upstream_hedges_won",
        }
    }
}

/// How often each [`Count`] happened, indexed by `Count as usize`.
pub type Counts = [u64; Count::ALL.len()];

const _: () = {
    let mut index = 0;
    while index < Count::ALL.len() {
        assert!(Count::ALL[index] as usize == index, "ALL is in the order of the declaration");
        index += 1;
    }
};
