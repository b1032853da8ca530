//! The sections `[[policy]]`.

use crate::diagnostic::{Flaw, Problem, clip};
use crate::plan::{LimitKey, Policy, PolicyKind, SpikeQueue};
use crate::policy::cache::CacheSpec;
use crate::policy::limit::{Algorithm, LimitSpec, OnUnknown, Quota, Sharing, WindowOrigin};
use crate::quantity;
use crate::scenario::reader::{Mark, Only, Parsed, Reader, SectionReader, TypedKey, keys};
use crate::scenario::request::named::{Named, read_all};
use crate::scenario::section::gateway::Management;
use crate::scenario::text::{Located, words};
use crate::units::{Rate, Share, Span};

words! {
    /// What a policy does.
    enum PolicyWord {
        Work = "work", Authentication = "authentication", Cache = "cache",
        RateLimit = "rate-limit", SpikeControl = "spike-control",
    }
    /// How a rate limit counts.
    enum Counting { FixedWindow = "fixed-window", TokenBucket = "token-bucket" }
    /// How replicas share a limit.
    enum SharingKind { Leases = "leases", Counter = "counter", PerReplica = "per-replica" }
    WindowOrigin { FirstRequest = "first-request", Clock = "clock" }
    LimitKey { All = "all", Client = "client" }
    OnUnknown { Block = "block", Pass = "pass" }
}

const AUTHENTICATION: Only = Only::If("kind", &["\"authentication\""]);
const CACHE: Only = Only::If("kind", &["\"cache\""]);
const RATE_LIMIT: Only = Only::If("kind", &["\"rate-limit\""]);
const SPIKE_CONTROL: Only = Only::If("kind", &["\"spike-control\""]);
const LIMITS: Only = Only::If("kind", &["\"rate-limit\"", "\"spike-control\""]);
const FIXED_WINDOW: Only = Only::If("algorithm", &["\"fixed-window\""]);
const TOKEN_BUCKET: Only = Only::If("algorithm", &["\"token-bucket\""]);
const ASKED: Only = Only::Unless(
    "sharing",
    &["\"per-replica\""],
    "replicas that count for themselves ask no storage",
);
const QUEUED: Only = Only::Unless("queue", &["0"], "no request waits: raise `queue`");

keys! { key "policy" list {
    NAME: String = "name", "", Given, "", "Its name.";
    KIND: PolicyWord = "kind", "", Given, "", "What it does.";
    CPU: Span = "cpu", "0s", Inferred, "the tiers' ratings are with four light policies",
        "CPU time that it takes, beside that of the request.";
    CPU_PER_KB: Span = "cpu-per-kb", "0s", Inferred, "the same",
        "CPU time that it takes for each 1024 bytes of payload.";
    SPENT: Share = "spent", "20%", Assumed, "an early answer is cheap",
        "Share of the request's own CPU time that is spent when this policy has ended it.",
        Unless("kind", &["\"work\""], "a policy of this kind ends no request"),
        Unless("rejects", &["\"0%\""], "no request is rejected: raise `rejects`");
    REJECTS: Share = "rejects", "0%", Assumed, "the simpler case",
        "Share of the requests that are rejected (401), at every attempt the same.", AUTHENTICATION;
    TOKEN_LIFETIME: Span = "token-lifetime", "", Assumed, "every region can check every token",
        "How long a token counts that its region issued and no other region knows: what is lost of \
         tokens with a region (its RPO), where everybody signs in again.", AUTHENTICATION;
    ENTRIES: u64 = "entries", "10000", Documented, "policy HTTP Caching",
        "The most entries: of all replicas together if they share, else of each.", CACHE;
    TTL: Span = "ttl", "600s", Documented, "policy HTTP Caching",
        "How long an entry counts.", CACHE;
    SHARED: bool = "shared", "", Documented,
        "managed: the product page, replicas share it; self-managed: policy HTTP Caching",
        "Whether all replicas share one cache.", CACHE;
    REPLICATION: u64 = "replication", "1", Assumed, "not published",
        "Copies of a shared entry beside the first, each with another replica.", CACHE,
        If("shared", &["true"]);
    PERSIST: bool = "persist", "false", Documented, "policy HTTP Caching",
        "Whether a new replica has what its predecessor cached (not if shared).", CACHE,
        If("shared", &["false"]);
    ALGORITHM: Counting = "algorithm", "fixed-window", Documented, "policy Rate Limiting",
        "How a rate limit counts.", RATE_LIMIT;
    QUOTAS: Vec<Located<String>> = "quotas", "", Given, "",
        "Several limits that all hold, such as [\"100/10s\", \"1000/1h\"].", RATE_LIMIT,
        FIXED_WINDOW;
    LIMIT: u64 = "limit", "", Given, "", "Requests in a window.", LIMITS, FIXED_WINDOW;
    WINDOW: Span = "window", "", Given, "", "Length of the window.", LIMITS, FIXED_WINDOW;
    WINDOW_START: WindowOrigin = "window-start", "first-request", Documented,
        "policy Rate Limiting", "When windows start (fixed-window only).", RATE_LIMIT, FIXED_WINDOW;
    RATE: Rate = "rate", "", Given, "",
        "Tokens that flow in (token-bucket only).", RATE_LIMIT, TOKEN_BUCKET;
    SIZE: u64 = "size", "", Assumed, "the tokens of a second",
        "Tokens that the bucket holds (token-bucket only).", RATE_LIMIT, TOKEN_BUCKET;
    SHARING: SharingKind = "sharing", "leases", Documented, "the rate-limiting library",
        "How replicas share a rate limit.", RATE_LIMIT;
    LEASE_FRACTION: Share = "lease-fraction", "10%", Documented, "the rate-limiting library",
        "Part of what is left that a replica takes at a time (leases only).", RATE_LIMIT,
        If("sharing", &["\"leases\""]);
    PER: LimitKey = "per", "all", Inferred, "the simpler case",
        "Whose requests a limit counts together.", LIMITS;
    WHEN_UNKNOWN: OnUnknown = "when-unknown", "block", Documented, "policy Rate Limiting",
        "What becomes of requests while the shared storage cannot be reached.", RATE_LIMIT, ASKED;
    STORAGE_LATENCY: Span = "storage-latency", "1ms", Assumed, "a call between replicas",
        "How long a replica waits for the shared storage.", RATE_LIMIT, ASKED;
    DELAY: Span = "delay", "1s", Documented, "policy Spike Control",
        "From one try of a waiting request to the next (with queue only).", SPIKE_CONTROL, QUEUED;
    ATTEMPTS: u64 = "attempts", "1", Documented, "policy Spike Control",
        "Tries after the first, 1 to 1000 (with queue only).", SPIKE_CONTROL, QUEUED;
    QUEUE: u64 = "queue", "0", Documented, "policy Spike Control",
        "Requests over the limit that may wait in a replica; the others are rejected.",
        SPIKE_CONTROL;
}}

const POLICY_LIMIT: usize = 1_000;
const ENTRY_LIMIT: u64 = 100_000_000;
const REQUEST_LIMIT: u64 = 1_000_000_000;
/// A sliding window keeps the time of each request in it.
const SLIDING_LIMIT: u64 = 1_000_000;
const QUOTA_LIMIT: usize = 10;

/// Reads every `[[policy]]`, in the order of the file.
pub(crate) fn read(reader: &Reader<'_>, management: Management) -> Vec<Named<Policy>> {
    let sections = reader.elements(&key::SPEC, POLICY_LIMIT);
    let name = (key::NAME, "name = \"limit\"");
    read_all(&sections, ("policy", "policies"), name, |section, name| {
        policy(section, name.to_owned(), management)
    })
}

fn policy(section: &SectionReader<'_>, name: String, management: Management) -> Policy {
    let word = section.require(key::KIND, "kind = \"rate-limit\"").map(|kind| kind.value);
    let (cpu, cpu_per_kb) = (section.get(key::CPU), section.get(key::CPU_PER_KB));
    let kind = match word {
        None | Some(PolicyWord::Work) => PolicyKind::Work,
        Some(PolicyWord::Authentication) => {
            let regional = section.find(key::TOKEN_LIFETIME).map(|found| found.value);
            PolicyKind::Authentication { rejects: section.get(key::REJECTS), regional }
        }
        Some(PolicyWord::Cache) => PolicyKind::Cache(cache(section, management)),
        Some(PolicyWord::RateLimit) => rate_limit(section),
        Some(PolicyWord::SpikeControl) => spike_control(section),
    };
    let policy = Policy { name, cpu, cpu_per_kb, spent: Share::ONE, kind };
    if policy.may_end_requests() {
        return Policy { spent: section.get(key::SPENT), ..policy };
    }
    if word.is_some() && cpu + cpu_per_kb == Span::ZERO {
        let help = "write cpu = \"0.1ms\" or cpu-per-kb = \"5us\"";
        section.warn(section, "this policy does nothing", help);
    }
    policy
}

/// A cache of no keys yet.
fn cache(section: &SectionReader<'_>, management: Management) -> CacheSpec {
    let entries = section.count(key::ENTRIES, 1..=ENTRY_LIMIT).value as usize;
    let ttl = section.parsed(key::TTL);
    above_zero(section, key::TTL, &ttl);
    let (default, source) = match management {
        Management::Managed => (true, "the product page: replicas of a managed gateway share it"),
        Management::SelfManaged => (false, "policy HTTP Caching"),
    };
    let shared = section.get_or(key::SHARED, default, Mark::Documented, source).value;
    let replication = match shared {
        true => section.count(key::REPLICATION, 0..=1_000).value as usize,
        false => 1,
    };
    let persist = !shared && section.get(key::PERSIST);
    CacheSpec { entries, ttl: ttl.value, shared, replication, persist, keys: 0 }
}

/// Notes an error if a span is zero.
fn above_zero(section: &SectionReader<'_>, key: TypedKey<Span>, span: &Parsed<Span>) {
    if span.value == Span::ZERO {
        section.error(span, format!("`policy.{}` is zero", key.name), "write \"1s\" or so");
    }
}

fn rate_limit(section: &SectionReader<'_>) -> PolicyKind {
    let counting = section.get(key::ALGORITHM);
    let algorithm = match counting {
        Counting::FixedWindow => fixed_window(section),
        Counting::TokenBucket => token_bucket(section),
    };
    let sharing = sharing(section, counting);
    if let (Sharing::Leases { .. }, Algorithm::FixedWindow { quotas, .. }) = (sharing, &algorithm) {
        warn_of_longer_windows(section, quotas);
    }
    let (mut on_unknown, mut storage) = (OnUnknown::Block, Span::ZERO);
    if sharing != Sharing::PerReplica {
        on_unknown = section.get(key::WHEN_UNKNOWN);
        storage = section.get(key::STORAGE_LATENCY);
    }
    let spec = LimitSpec { algorithm, sharing, on_unknown };
    PolicyKind::Limit { spec, of: section.get(key::PER), queue: None, storage }
}

fn fixed_window(section: &SectionReader<'_>) -> Algorithm {
    let quotas = match section.has(&key::QUOTAS) {
        true => {
            let reason = "`quotas` has limits and windows";
            section.idle(&key::LIMIT, reason);
            section.idle(&key::WINDOW, reason);
            section.find(key::QUOTAS).map_or(Vec::new(), |list| quotas(section, &list))
        }
        false => vec![single(section, REQUEST_LIMIT)],
    };
    Algorithm::FixedWindow { quotas, start: section.get(key::WINDOW_START) }
}

fn quotas(section: &SectionReader<'_>, list: &Parsed<Vec<Located<String>>>) -> Vec<Quota> {
    if list.value.is_empty() || list.value.len() > QUOTA_LIMIT {
        let title = format!("{} quotas make no limit", list.value.len());
        let help = format!("write 1 to {QUOTA_LIMIT}, such as [\"100/10s\"]");
        section.error(list, title, help);
        return Vec::new();
    }
    section.each(&list.value, quota, |text| {
        Flaw::new(format!("{:?} is no quota", clip(text)))
            .help("write requests and a window, such as \"100/10s\" or \"5000/1h\"")
    })
}

/// Reads `100/10s`, or `100/s`.
fn quota(text: &str) -> Option<Quota> {
    let (limit, window) = text.split_once('/')?;
    let (limit, window) = (limit.trim().parse().ok()?, window.trim());
    let unit = window.starts_with(|c: char| c.is_ascii_alphabetic());
    let window = quantity::span(&if unit { format!("1{window}") } else { window.to_owned() });
    let window = window.ok().filter(|window| *window > Span::ZERO)?;
    (1..=REQUEST_LIMIT).contains(&limit).then_some(Quota { limit, window })
}

/// The one limit of `limit` and `window`.
fn single(section: &SectionReader<'_>, most: u64) -> Quota {
    let limit = section.require(key::LIMIT, "limit = 100");
    let limit = section.bounded(key::LIMIT, 1..=most, limit).unwrap_or(1);
    let window = section.require(key::WINDOW, "window = \"10s\"");
    window.iter().for_each(|window| above_zero(section, key::WINDOW, window));
    let window = window.map_or(Span::from_secs(1.0), |window| window.value.max(Span(1)));
    Quota { limit, window }
}

fn token_bucket(section: &SectionReader<'_>) -> Algorithm {
    let rate = section.require(key::RATE, "rate = \"100/s\"");
    if let Some(dry) = rate.as_ref().filter(|rate| rate.value.0 <= 0.0) {
        section.error(dry, "no token ever flows in", "write a rate above 0");
    }
    let per_sec = rate.map_or(Rate(1.0), |rate| rate.value);
    let size = section.or(key::SIZE, (per_sec.0.ceil() as u64).clamp(1, REQUEST_LIMIT));
    let size = section.within(key::SIZE, 1..=REQUEST_LIMIT, size).value;
    Algorithm::TokenBucket { per_sec, size }
}

fn sharing(section: &SectionReader<'_>, counting: Counting) -> Sharing {
    let leases = counting == Counting::FixedWindow;
    let kind = match leases {
        true => section.parsed(key::SHARING),
        false => {
            let source = "leases are for fixed windows";
            section.get_or(key::SHARING, SharingKind::Counter, Mark::Inferred, source)
        }
    };
    match kind.value {
        SharingKind::Counter => return Sharing::Counter,
        SharingKind::PerReplica => return Sharing::PerReplica,
        SharingKind::Leases => {}
    }
    if !leases {
        let help = "write sharing = \"counter\" or \"per-replica\"";
        section.error(&kind, "a token bucket cannot be shared by leases", help);
    }
    let fraction = section.parsed(key::LEASE_FRACTION);
    if fraction.value == Share::ZERO {
        let help = "write a share above 0%; sharing = \"counter\" takes one at a time";
        section.error(&fraction, "a lease of nothing admits nothing", help);
    }
    Sharing::Leases { fraction: fraction.value }
}

/// Warns of windows that leases make longer.
fn warn_of_longer_windows(section: &SectionReader<'_>, quotas: &[Quota]) {
    let key = if section.has(&key::QUOTAS) { &*key::QUOTAS } else { &*key::WINDOW };
    let longer = quotas.iter().filter(|quota| quota.stretched() != **quota);
    for quota in longer.filter(|_| section.has(key)) {
        let Quota { limit, window } = quota.stretched();
        let title = format!("leases stretch the window of {} to {window}", quota.window);
        let problem = Problem::warning(section.key_place(key), title);
        let help = "write sharing = \"counter\" to keep it, as a what-if";
        section.note(problem.label(format!("{limit} in {window}")).help(help));
    }
}

fn spike_control(section: &SectionReader<'_>) -> PolicyKind {
    let Quota { limit, window } = single(section, SLIDING_LIMIT);
    let algorithm = Algorithm::SlidingWindow { limit, window };
    let spec = LimitSpec { algorithm, sharing: Sharing::PerReplica, on_unknown: OnUnknown::Block };
    let limit = section.count(key::QUEUE, 0..=SLIDING_LIMIT).value as u32;
    let queue = (limit > 0).then(|| {
        let delay = section.period(key::DELAY).value;
        let attempts = section.count(key::ATTEMPTS, 1..=1_000).value as u32;
        SpikeQueue { delay, attempts, limit }
    });
    PolicyKind::Limit { spec, of: section.get(key::PER), queue, storage: Span::ZERO }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_read_as_they_are_written() {
        let of = |limit, seconds| Some(Quota { limit, window: Span::from_secs(seconds) });
        assert_eq!(quota("100/10s"), of(100, 10.0));
        assert_eq!(quota(" 5000 / 1h "), of(5_000, 3_600.0));
        assert_eq!(quota("7/min"), of(7, 60.0));
        for wrong in ["", "100", "0/s", "-1/s", "1/0s", "1.5/s", "1/", "/s", "1/x"] {
            assert_eq!(quota(wrong), None, "{wrong}");
        }
    }
}
