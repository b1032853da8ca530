//! The APIs behind the gateway, and what carries them out.

use super::Popularity;
use crate::policy::admission::AdmissionSpec;
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

/// How many connections a host accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostLimit {
    /// Over all replicas, in use or idle; at least 1.
    pub connections: u32,
    /// How long a replica keeps a connection that it does not use.
    pub keep_alive: Span,
}

/// Whose a number of connections is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Divided {
    /// Each replica's.
    No,
    /// That of all replicas of the start together; each has its part, rounded down, for good.
    AtStart,
    /// That of all replicas that are ready at the moment.
    ByReady,
}

impl Divided {
    /// What each of so many replicas has; at least 1.
    pub fn part(self, connections: u32, replicas: usize) -> u32 {
        match self {
            Divided::No => connections,
            _ => (connections / replicas.max(1) as u32).max(1),
        }
    }
}

impl Upstream {
    /// Connections that its hosts accept together, if these are counted.
    fn accepted(&self) -> Option<usize> {
        Some(self.accepts?.connections as usize * self.hosts)
    }

    /// Says so if the replicas may keep more connections than are accepted: `most` of them, where
    /// there are `replicas` at the start and up to `leaving` that finish what they have.
    pub fn excess(&self, replicas: usize, most: usize, leaving: usize) -> Option<String> {
        let (accepted, name) = (self.accepted()?, &self.name);
        let connections = self.breaker.connections?;
        let each = self.divided.part(connections, replicas) as usize;
        if self.divided != Divided::ByReady {
            return (most * each > accepted).then(|| {
                format!(
                    "{most} replicas with up to {each} connections each want more than the \
                     {accepted} that upstream {name} accepts"
                )
            });
        }
        let all = connections as usize;
        if all > accepted {
            return Some(format!(
                "replicas share {all} connections, more than the {accepted} that upstream {name} \
                 accepts"
            ));
        }
        // Whoever leaves is not ready and keeps what it has under way.
        (all + leaving * each > accepted).then(|| {
            format!(
                "{all} connections are divided by the ready replicas, and {leaving} that leaves \
                 keeps up to {each}: more than the {accepted} that upstream {name} accepts"
            )
        })
    }

    /// What helps where it has no connection left.
    pub fn remedy(&self) -> &'static str {
        match (self.breaker.connections, self.divided) {
            (None, _) => {
                "write breaker = true with connections and connections-divided = \"by-ready\", or \
                 let it accept more"
            }
            (Some(_), Divided::ByReady) => "lower its connections, or let it accept more",
            (Some(_), _) => {
                "lower its connections or write connections-divided = \"by-ready\", or let it \
                 accept more"
            }
        }
    }

    /// Says so if its hosts have workers that no connection ever brings work.
    pub fn idle_workers(&self) -> Option<String> {
        let (workers, accepts) = (self.workers?, self.accepts?.connections as usize);
        (workers > accepts).then(|| {
            format!(
                "a host of upstream {} has {workers} workers and accepts {accepts} connections: \
                 the others never work",
                self.name
            )
        })
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
    /// How long a host may take before a replica gives up on that try, and makes another if one is
    /// left; `None` = as long as the time-out lasts.
    pub try_timeout: Option<Span>,
    /// Whether such a try stays open and the other one is made beside it.
    pub hedges: bool,
    /// Whether a host stops work that nobody waits for any more.
    pub cancels: bool,
    /// Further tries of a replica after an error or a try that took too long.
    pub retries: u32,
    /// Connections that a host accepts; `None` = any number.
    pub accepts: Option<HostLimit>,
    /// Limits of each replica.
    pub breaker: BreakerSpec,
    /// Whose the connections of `breaker` are.
    pub divided: Divided,
    /// When a replica avoids a host; `None` = never.
    pub outliers: Option<OutlierSpec>,
    /// When a replica turns requests away because of how those before ended; `None` = never.
    pub admission: Option<AdmissionSpec>,
}
