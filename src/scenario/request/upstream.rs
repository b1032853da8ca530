//! The sections `[[upstream]]`.

use crate::diagnostic::Problem;
use crate::plan::{Divided, HostLimit, Upstream};
use crate::policy::breaker::BreakerSpec;
use crate::policy::outlier::OutlierSpec;
use crate::policy::retries::RetryLimit;
use crate::random::Law;
use crate::scenario::reader::{Only, Reader, SectionReader, TypedKey, keys};
use crate::scenario::request::admission::{self, AdmissionKeys};
use crate::scenario::request::named::{Named, read_all};
use crate::scenario::request::outliers::{self, OutlierKeys};
use crate::scenario::text::words;
use crate::units::{Rate, Share, Span};

words! {
    Divided { No = "no", AtStart = "at-start", ByReady = "by-ready" }
}

const BREAKS: Only = Only::If("breaker", &["true"]);
const EJECTS: Only = Only::If("outlier-detection", &["true"]);
const ADMITS: Only = Only::If("admission-control", &["true"]);

keys! { key "upstream" list {
    NAME: String = "name", "", Given, "", "Its name.";
    HOSTS: u64 = "hosts", "1", Assumed, "the simpler case",
        "Hosts that it runs on, 1 to 1000; each replica takes them in turn.";
    LATENCY: Law = "latency", "", Given, "", "How long a host works on a request.";
    PER_REQUEST: Span = "latency-per-request", "0s", Assumed, "a host that scales",
        "What each request that the host has already adds to that.";
    WORKERS: u64 = "workers", "", Assumed, "none: any number at once",
        "Requests that a host works on at once; more wait in order of arrival.";
    ACCEPTS: u64 = "host-connections", "", Assumed, "none: any number",
        "Connections that a host accepts, over all replicas; beyond them 503 at once.";
    KEEP_ALIVE: Span = "keep-alive", "1h", Documented, "Envoy's idle_timeout of connections",
        "How long a replica keeps a connection that it does not use.",
        With(&["host-connections"]);
    ERRORS: Share = "errors", "0%", Assumed, "the simpler case",
        "Share of the requests that it answers with an error.";
    IDLE_TIMEOUT: Span = "idle-timeout", "300s", Documented, "gateway documentation",
        "How long nothing may come from it before the replica gives 504, if that is shorter.";
    TIMEOUT: Span = "timeout", "15s", Documented, "gateway documentation",
        "How long a replica waits for its answer before it gives 504.";
    CANCELS: bool = "cancels", "false", Assumed, "servers mostly finish what they began",
        "Whether a host stops work that nobody waits for any more.";
    TRY_TIMEOUT: Span = "try-timeout", "", Documented,
        "Envoy: per_try_timeout, only if configured",
        "How long a host may take, from when the replica has a connection, before that try is \
         given up and another is made if one is left; if none is, 504. `timeout` ends them all.";
    RETRIES: u64 = "retries", "0", Documented, "Envoy: none unless configured",
        "Further tries of a replica after an error or a try-timeout, as Envoy's 5xx; 0 to 100.";
    HEDGES: bool = "hedge", "false", Documented, "Envoy: hedge_policy, only if configured",
        "Whether a try that takes longer than try-timeout stays open and another one is made \
         beside it (hedge_on_per_try_timeout): the first good answer counts.",
        Unless("retries", &["0"], "no other try is made: raise `retries`"),
        With(&["try-timeout"]);
    BREAKER: bool = "breaker", "false", Documented, "the gateway's is optional",
        "Whether each replica limits what it has under way (503 beyond).";
    CONNECTIONS: u64 = "connections", "1024", Documented, "Envoy's default",
        "Connections of a replica, hence its active requests (with breaker only).", BREAKS;
    DIVIDED: Divided = "connections-divided", "no", Documented, "Envoy counts in each proxy",
        "Whether all replicas share these: divided by those of the start, or by those ready.",
        BREAKS;
    PENDING: u64 = "pending", "1024", Documented, "Envoy's default",
        "Requests of a replica that wait for a connection (with breaker only).", BREAKS;
    REQUESTS: u64 = "requests", "1024", Documented, "Envoy's default",
        "Requests of a replica, active or waiting (with breaker only).", BREAKS;
    MAX_RETRIES: u64 = "max-retries", "3", Documented, "Envoy's default",
        "Retries of a replica that are under way (with breaker only).", BREAKS;
    BUDGET: Share = "retry-budget", "", Documented, "Envoy: none unless configured, then 20%",
        "Share of the requests of a replica under way that may be retries, instead of \
         `max-retries` (with breaker only).", BREAKS;
    BUDGET_LEAST: u64 = "retry-budget-least", "3", Documented, "Envoy's min_retry_concurrency",
        "Retries that may be under way however few requests are.", BREAKS,
        With(&["retry-budget"]);
    OUTLIERS: bool = "outlier-detection", "false", Documented, "Envoy: only if configured",
        "Whether replicas avoid hosts that fail.";
    INTERVAL: Span = "interval", "10s", Documented, "Envoy's default",
        "Between two sweeps of outlier detection.", EJECTS;
    BASE_EJECTION: Span = "base-ejection", "30s", Documented, "Envoy's default",
        "How long the first ejection of a host lasts; the n-th n times as long.", EJECTS;
    MAX_EJECTION: Span = "max-ejection", "300s", Documented, "Envoy's default",
        "The longest ejection.", EJECTS;
    MAX_EJECTED: Share = "max-ejected", "10%", Documented, "Envoy's default",
        "Share of the hosts that may be out at once.", EJECTS;
    ALWAYS_EJECT_ONE: bool = "always-eject-one", "false", Documented,
        "Envoy since 1.28 (always_eject_one_host); before it was true",
        "Whether one host may be out even if that is more than max-ejected.", EJECTS;
    CONSECUTIVE: u64 = "consecutive-errors", "5", Documented, "Envoy's default",
        "Errors in a row that eject a host.", EJECTS;
    PANIC: Share = "panic", "50%", Documented, "Envoy's default",
        "With a smaller share of hosts in use, all are used; 0% = never.", EJECTS;
    ADMISSION: bool = "admission-control", "false", Documented, "Envoy: only if configured",
        "Whether a replica turns requests away (503) when too many of those before failed (5xx).";
    ADMISSION_WINDOW: Span = "admission-window", "30s", Documented, "Envoy's sampling_window",
        "How long an answer counts for that, 1 s or more.", ADMITS;
    ADMISSION_SUCCESS: Share = "admission-success", "95%", Documented, "Envoy's sr_threshold",
        "Nothing is turned away while this share of the answers is below 500.", ADMITS;
    ADMISSION_AGGRESSION: f64 = "admission-aggression", "1", Documented, "Envoy's default: linear",
        "Below that what is missing is turned away, to the power of 1 over this; 1 or more.",
        ADMITS;
    ADMISSION_LEAST: Rate = "admission-least", "0/s", Documented, "Envoy's rps_threshold",
        "Nothing is turned away while fewer are answered.", ADMITS;
    ADMISSION_MOST: Share = "admission-most", "80%", Documented,
        "Envoy's max_rejection_probability", "The most that is ever turned away.", ADMITS;
} instead {
    "max-connections": "breaker = true and connections = 1024",
}}

/// What outlier detection is called here.
const KEYS: OutlierKeys = OutlierKeys {
    base_ejection: key::BASE_EJECTION,
    max_ejection: key::MAX_EJECTION,
    max_ejected: key::MAX_EJECTED,
    always_eject_one: key::ALWAYS_EJECT_ONE,
    consecutive: key::CONSECUTIVE,
};

/// What admission control is called here.
const ADMISSION: AdmissionKeys = AdmissionKeys {
    on: key::ADMISSION,
    window: key::ADMISSION_WINDOW,
    success: key::ADMISSION_SUCCESS,
    aggression: key::ADMISSION_AGGRESSION,
    least: key::ADMISSION_LEAST,
    most: key::ADMISSION_MOST,
};

const UPSTREAM_LIMIT: usize = 1_000;
const HOST_LIMIT: u64 = 1_000;
const COUNT_LIMIT: u64 = 1_000_000;

/// Reads every `[[upstream]]`, in the order of the file.
pub(crate) fn read(reader: &Reader<'_>) -> Vec<Named<Upstream>> {
    let sections = reader.elements(&key::SPEC, UPSTREAM_LIMIT);
    let name = (key::NAME, "name = \"orders\"");
    read_all(&sections, ("upstream", "upstreams"), name, |section, name| {
        upstream(section, name.to_owned())
    })
}

fn upstream(section: &SectionReader<'_>, name: String) -> Upstream {
    let hosts = section.count(key::HOSTS, 1..=HOST_LIMIT).value as usize;
    let latency = section.require(key::LATENCY, "latency = \"log-normal(50ms, cv=1)\"");
    let latency = latency.map_or(Law::ZERO, |latency| latency.value);
    let workers = section.bounded(key::WORKERS, 1..=COUNT_LIMIT, section.find(key::WORKERS));
    let (timeout, idle) = (section.period(key::TIMEOUT), section.period(key::IDLE_TIMEOUT));
    // An answer comes as a whole: until then nothing does.
    let timeout = if idle.value < timeout.value { idle } else { timeout };
    if Span::from_secs(latency.least_secs()) >= timeout.value {
        let help = "lengthen `timeout` or lower `latency`";
        section.error(&timeout, "no answer of this upstream comes in time", help);
    }
    let retries = section.count(key::RETRIES, 0..=100).value as u32;
    let hedges = section.get(key::HEDGES) && retries > 0;
    let try_timeout = try_timeout(section, (latency.least_secs(), timeout.value), retries, hedges);
    Upstream {
        name,
        hosts,
        latency,
        per_request: section.get(key::PER_REQUEST),
        workers: workers.map(|workers| workers as usize),
        errors: section.get(key::ERRORS),
        timeout: timeout.value,
        try_timeout,
        hedges,
        cancels: section.get(key::CANCELS),
        retries,
        accepts: accepts(section),
        breaker: breaker(section),
        divided: section.get(key::DIVIDED),
        outliers: ejects(section, hosts),
        admission: admission::read(section, &ADMISSION),
    }
}

/// How long a try may take, of hosts that work for so many seconds at least and have so long for
/// all tries together.
fn try_timeout(
    section: &SectionReader<'_>,
    (least, all): (f64, Span),
    retries: u32,
    hedges: bool,
) -> Option<Span> {
    let found = section.find(key::TRY_TIMEOUT)?;
    section.not_tiny(&key::TRY_TIMEOUT, &found);
    let (place, lasts) = (section.key_place(&key::TRY_TIMEOUT), found.value.max(Span(1)));
    if lasts >= all {
        let title = format!("`upstream.try-timeout` has no effect: all tries together have {all}");
        section.warn(place, title, "lower it, or raise `timeout` (and `idle-timeout`)");
    } else if !hedges && Span::from_secs(least) >= lasts {
        section.error(&found, "no try is answered in time", "lengthen it or lower `latency`");
    } else if retries == 0 {
        let help = "raise `retries`, or write `timeout` alone";
        section.warn(place, "a try that takes too long is the only one: requests fail", help);
    } else if !hedges && all.0 / lasts.0 < u64::from(retries) {
        let fits = 1 + all.0 / lasts.0;
        let title =
            format!("no more than {fits} tries of {lasts} fit into {all}, of {}", retries + 1);
        section.warn(place, title, "raise `timeout`, or lower `try-timeout` or `retries`");
    }
    Some(lasts)
}

fn accepts(section: &SectionReader<'_>) -> Option<HostLimit> {
    let found = section.bounded(key::ACCEPTS, 1..=COUNT_LIMIT, section.find(key::ACCEPTS))?;
    Some(HostLimit { connections: found as u32, keep_alive: section.get(key::KEEP_ALIVE) })
}

fn breaker(section: &SectionReader<'_>) -> BreakerSpec {
    if !section.get(key::BREAKER) {
        return BreakerSpec::NONE;
    }
    let count =
        |key: TypedKey<u64>, least| Some(section.count(key, least..=COUNT_LIMIT).value as u32);
    BreakerSpec {
        connections: count(key::CONNECTIONS, 1),
        pending: count(key::PENDING, 0),
        requests: count(key::REQUESTS, 1),
        retries: retries(section),
    }
}

/// How many retries may be under way: a budget overrides a number, as in Envoy.
fn retries(section: &SectionReader<'_>) -> RetryLimit {
    let Some(share) = section.find(key::BUDGET) else {
        return RetryLimit::Count(section.count(key::MAX_RETRIES, 0..=COUNT_LIMIT).value as u32);
    };
    section.idle(&key::MAX_RETRIES, "`retry-budget` is the limit");
    let least = section.count(key::BUDGET_LEAST, 0..=COUNT_LIMIT).value as u32;
    RetryLimit::Budget { share: share.value, least }
}

/// When replicas avoid hosts.
fn ejects(section: &SectionReader<'_>, hosts: usize) -> Option<OutlierSpec> {
    let on = section.parsed(key::OUTLIERS);
    if !on.value {
        return None;
    }
    let panic = section.get(key::PANIC);
    if hosts == 1 && panic > Share::ZERO {
        let problem =
            Problem::warning(on.place.clone(), "`upstream.outlier-detection` has no effect");
        let problem = problem.label("with its only host out, all are used (panic)");
        section.note(problem.help("raise `hosts`, or write panic = \"0%\""));
    }
    let interval = section.period(key::INTERVAL).value;
    let spec = outliers::read(section, &KEYS, (on.place, interval), (hosts, "hosts"))?;
    Some(OutlierSpec { panic, ..spec })
}
