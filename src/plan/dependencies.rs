//! Who sends requests, and what answers them.

use super::{Api, Clients, Population, Upstream};
use crate::policy::cache::CacheSpec;
use crate::policy::limit::LimitSpec;
use crate::units::{Share, Span};

/// Clients, and what a request meets in a replica and behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Dependencies {
    /// Who sends requests.
    pub clients: Clients,
    /// The APIs, at least one.
    pub apis: Vec<Api>,
    /// The policies of all APIs.
    pub policies: Vec<Policy>,
    /// What is behind the gateway.
    pub upstreams: Vec<Upstream>,
    /// What TLS handshakes cost, if that is to be simulated.
    pub tls: Option<Tls>,
}

impl Dependencies {
    /// Whether nothing that becomes of a request can decide when others come or what they meet, and
    /// all are for one API: in blocks nobody asks for which.
    pub(super) fn are_open_loop(&self) -> bool {
        let Dependencies { clients, apis, policies, upstreams, tls } = self;
        let react = clients.patience.is_some() || clients.retry.is_some();
        let independent = clients.population == Population::Open && !react;
        let plain = |api: &Api| api.is_plain() && api.demand.is_none();
        let nothing_behind = policies.is_empty() && upstreams.is_empty() && tls.is_none();
        let alike = apis.len() <= 1 && apis.iter().all(plain);
        independent && clients.network.is_none() && nothing_behind && alike
    }
}

/// Something that a replica does with each request of an API.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// CPU time that it takes, beside that of the request.
    pub cpu: Span,
    /// CPU time that it takes for each kilobyte of payload.
    pub cpu_per_kb: Span,
    /// The share of the request's own CPU time that is spent when this policy has ended it.
    pub spent: Share,
    /// What it does.
    pub kind: PolicyKind,
}

impl Policy {
    /// CPU time in seconds for a request with so much payload.
    pub fn cpu_secs(&self, payload_kb: f64) -> f64 {
        self.cpu.as_secs() + self.cpu_per_kb.as_secs() * payload_kb
    }

    /// Whether it may end a request before that has gone all the way.
    pub fn may_end_requests(&self) -> bool {
        match &self.kind {
            PolicyKind::Work => false,
            PolicyKind::Authentication { rejects, .. } => *rejects > Share::ZERO,
            PolicyKind::Cache(_) | PolicyKind::Limit { .. } => true,
        }
    }
}

/// What a policy does.
#[derive(Clone, Debug, PartialEq)]
pub enum PolicyKind {
    /// It only takes time.
    Work,
    /// Asks who sends a request, and turns away what does not prove it.
    Authentication {
        /// The share of the requests that is turned away.
        rejects: Share,
        /// For how long a token counts that its region issued and no other one knows; `None` = all
        /// regions can check it.
        regional: Option<Span>,
    },
    /// Answers from a cache.
    Cache(CacheSpec),
    /// Admits so many requests in a time.
    Limit {
        /// How many.
        spec: LimitSpec,
        /// Of whom.
        of: LimitKey,
        /// What becomes of a request that is not admitted at once; `None` = it is rejected.
        queue: Option<SpikeQueue>,
        /// How long it takes to ask the shared storage.
        storage: Span,
    },
}

/// Whose requests a limit counts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitKey {
    /// All of them.
    All,
    /// Those of a client.
    Client,
}

/// Requests that wait for a limit to admit them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpikeQueue {
    /// From one try to the next.
    pub delay: Span,
    /// Tries after the first.
    pub attempts: u32,
    /// Requests that may wait at once in a replica.
    pub limit: u32,
}

/// TLS connections of clients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tls {
    /// Where they end.
    pub at: TlsEnd,
    /// CPU time of a full handshake.
    pub handshake: Span,
    /// CPU time of a handshake that resumes a session.
    pub resumption: Span,
    /// Share of the handshakes that resume a session.
    pub resumed: Share,
}

/// Where a TLS connection ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TlsEnd {
    /// At the replica (last-mile security): it pays for handshakes.
    Replica,
    /// At the ingress instance.
    Ingress {
        /// Cores of an instance for handshakes, above 0.
        cores: f64,
        /// Client connections open at any time, at least 1; each request comes on any of them
        /// alike.
        connections: usize,
        /// Requests after which a connection closes; `None` = never.
        requests: Option<u32>,
    },
}
