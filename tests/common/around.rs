//! Surroundings to start from.

use brownout::plan::*;
use brownout::policy::breaker::BreakerSpec;
use brownout::policy::cache::CacheSpec;
use brownout::policy::limit::{Algorithm, LimitSpec, OnUnknown, Quota, Sharing, WindowOrigin};
use brownout::random::Law;
use brownout::units::{Share, Span};

/// Clients in an open loop that wait for ever, and an API that the gateway answers itself.
pub fn bystanders() -> Surroundings {
    let clients = Clients {
        population: Population::Open,
        popularity: Popularity::ONE,
        patience: None,
        network: None,
        retry: None,
        cancels: true,
    };
    let api = Api {
        name: "api".to_owned(),
        weight: 1.0,
        demand: None,
        payload_kb: 0.0,
        policies: Vec::new(),
        upstream: None,
        resources: Popularity::ONE,
        cacheable: Share::ZERO,
        contracts: false,
    };
    Surroundings {
        clients,
        apis: vec![api],
        policies: Vec::new(),
        upstreams: Vec::new(),
        tls: None,
    }
}

/// The same with these policies before the API, which may be cached.
pub fn with_policies(kinds: impl IntoIterator<Item = PolicyKind>) -> Surroundings {
    let mut around = bystanders();
    around.policies = kinds.into_iter().map(policy).collect();
    around.apis[0].policies = (0..around.policies.len()).collect();
    around.apis[0].cacheable = Share(1.0);
    around
}

/// The same with this upstream behind the API.
pub fn with_upstream(upstream: Upstream) -> Surroundings {
    let mut around = bystanders();
    around.upstreams.push(upstream);
    around.apis[0].upstream = Some(0);
    around
}

/// A policy that costs nothing.
fn policy(kind: PolicyKind) -> Policy {
    Policy {
        name: "policy".to_owned(),
        cpu: Span::ZERO,
        cpu_per_kb: Span::ZERO,
        spent: Share::ZERO,
        kind,
    }
}

/// A limit of all requests that rejects what it does not admit; its storage answers at once.
pub fn limit(algorithm: Algorithm, sharing: Sharing) -> PolicyKind {
    let spec = LimitSpec { algorithm, sharing, on_unknown: OnUnknown::Block };
    PolicyKind::Limit { spec, of: LimitKey::All, queue: None, storage: Span::ZERO }
}

/// So many requests in each window; windows follow one another from time 0.
pub fn windows(limit: u64, window: Span) -> Algorithm {
    Algorithm::FixedWindow { quotas: vec![Quota { limit, window }], start: WindowOrigin::Clock }
}

/// A cache with room for everything.
pub fn cache(ttl: Span, shared: bool, keys: u32) -> PolicyKind {
    PolicyKind::Cache(CacheSpec {
        entries: keys as usize,
        ttl,
        shared,
        ..CacheSpec::for_keys(keys)
    })
}

/// One host that works on any number of requests at once, for as long as is asked, without errors.
pub fn upstream(latency: Law) -> Upstream {
    Upstream {
        name: "upstream".to_owned(),
        hosts: 1,
        latency,
        per_request: Span::ZERO,
        workers: None,
        errors: Share::ZERO,
        timeout: Span::MAX,
        cancels: false,
        retries: 0,
        breaker: BreakerSpec::NONE,
        outliers: None,
    }
}

/// So many attempts in all, one right after the other.
pub fn retries(attempts: u32) -> Retry {
    let backoff =
        RetryBackoff { first: Span::ZERO, factor: 1.0, limit: Span::ZERO, jitter: Jitter::None };
    Retry { attempts, backoff, budget: None, breaker: None, limited: false }
}
