//! Dependencies to start from.

use brownout::plan::*;
use brownout::policy::breaker::BreakerSpec;
use brownout::policy::cache::CacheSpec;
use brownout::policy::limit::{Algorithm, LimitSpec, OnUnknown, Quota, Sharing, WindowOrigin};
use brownout::random::Law;
use brownout::units::{Share, Span};

/// Clients in an open loop who would give up after more time than any run has, and an API that the
/// gateway answers itself: requests feed back, and nothing comes of it.
pub fn bystanders() -> Dependencies {
    let mut dependencies = Dependencies::neutral();
    dependencies.clients.patience = Some(Span::from_secs(1e9));
    dependencies
}

/// Neutral dependencies with these policies before the API, which may be cached.
pub fn with_policies(kinds: impl IntoIterator<Item = PolicyKind>) -> Dependencies {
    let mut dependencies = Dependencies::neutral();
    dependencies.policies = kinds.into_iter().map(policy).collect();
    dependencies.apis[0].policies = (0..dependencies.policies.len()).collect();
    dependencies.apis[0].cacheable = Share(1.0);
    dependencies
}

/// Neutral dependencies with this upstream behind the API.
pub fn with_upstream(upstream: Upstream) -> Dependencies {
    let mut dependencies = Dependencies::neutral();
    dependencies.upstreams.push(upstream);
    dependencies.apis[0].upstream = Some(0);
    dependencies
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
        try_timeout: None,
        hedges: false,
        cancels: false,
        retries: 0,
        accepts: None,
        divided: Divided::No,
        breaker: BreakerSpec::NONE,
        outliers: None,
        admission: None,
    }
}

/// So many attempts in all, one right after the other.
pub fn retries(attempts: u32) -> Retry {
    let backoff =
        RetryBackoff { first: Span::ZERO, factor: 1.0, limit: Span::ZERO, jitter: Jitter::None };
    Retry { attempts, backoff, budget: None, breaker: None, limited: false }
}
