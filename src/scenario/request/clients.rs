//! The section `[clients]`.

use crate::plan::{
    Clients, Ingress, Jitter, Popularity, Population, Retry, RetryBackoff, RetryBudget,
};
use crate::random::Law;
use crate::scenario::reader::{Only, Reader, SectionReader, TypedKey, keys};
use crate::scenario::request::skew::Skew;
use crate::scenario::text::words;
use crate::units::{Share, Span};

words! {
    /// How requests come about.
    enum Loop { Open = "open", Closed = "closed", Sessions = "sessions" }
    /// How waits before further attempts grow.
    enum BackoffKind { Exponential = "exponential", Fixed = "fixed" }
    Jitter { None = "none", Half = "half", Full = "full" }
}

const AGAIN: Only = Only::Unless("attempts", &["0", "1"], "only with `attempts` above 1");

keys! { key "clients" {
    LOOP: Loop = "loop", "open", Inferred, "many independent clients",
        "Whether requests, or sessions, come whatever became of those before.";
    USERS: u64 = "users", "", Given, "",
        "Users of a closed loop, 1 to 1000000.", If("loop", &["\"closed\""]);
    THINK: Law = "think", "exponential(1s)", Assumed, "no behaviour of clients is published",
        "From an outcome to the user's next request (closed loop and sessions).",
        If("loop", &["\"closed\"", "\"sessions\""]);
    REQUESTS: f64 = "requests-per-session", "", Given, "",
        "Mean number of requests of a session, geometrically distributed (sessions only).",
        If("loop", &["\"sessions\""]);
    COUNT: u64 = "count", "1", Inferred, "clients are not told apart",
        "Clients, 1 to 1000000; each has its own retry budget, contract and limit.";
    POPULARITY: Skew = "popularity", "uniform", Assumed, "no client is said to send more",
        "How often each client sends.";
    TIMEOUT: Span = "timeout", "", Assumed, "none: clients wait for ever",
        "How long a client waits for the answer to an attempt.";
    CANCELS: bool = "cancels", "true", Inferred, "a proxy ends work when its client is gone",
        "Whether giving up ends the work in the gateway (with timeout only).", With(&["timeout"]);
    NETWORK: Law = "network", "", Assumed, "none beside ingress.delay",
        "Network between client and ingress, each way of each attempt.";
    ATTEMPTS: u64 = "attempts", "1", Inferred, "the simpler case",
        "Attempts that a client makes in all, 1 to 100.";
    BACKOFF: BackoffKind = "backoff", "exponential", Assumed, "usual in client libraries",
        "Whether the wait before an attempt doubles each time.", AGAIN;
    BACKOFF_FIRST: Span = "backoff-first", "100ms", Assumed, "usual in client libraries",
        "The wait before the second attempt.", AGAIN;
    BACKOFF_LIMIT: Span = "backoff-limit", "20s", Assumed, "usual in client libraries",
        "The longest wait (exponential only).", AGAIN,
        Unless("backoff", &["\"fixed\""], "every wait is `backoff-first`");
    JITTER: Jitter = "jitter", "full", Assumed, "usual in client libraries",
        "How much of the wait is drawn at random: nothing, half of it or all of it.", AGAIN;
    BUDGET: Share = "retry-budget", "", Assumed, "none",
        "Further attempts for each request that a client may make in the long run.", AGAIN;
    BUDGET_SIZE: f64 = "retry-budget-size", "10", Assumed, "enough for a short fault",
        "Further attempts that a client may have saved up (with retry-budget only).", AGAIN,
        With(&["retry-budget"]);
    BREAKER: Share = "retry-breaker", "", Assumed, "none",
        "No further attempt while more than this share of a client's attempts has failed.", AGAIN;
    LIMITED: bool = "retry-limited", "false", Assumed, "429 asks to wait",
        "Whether an attempt that a limit rejected (429) is made again.", AGAIN;
} instead {
    "retries": "attempts = 3", "patience": "timeout = \"5s\"",
    "think-time": "think = \"exponential(1s)\"",
}}

const CLIENT_LIMIT: u64 = 1_000_000;
const ATTEMPT_LIMIT: u64 = 100;

/// Reads `[clients]`.
pub(crate) fn read(reader: &Reader<'_>, ingress: &Ingress) -> Clients {
    let section = reader.section(&key::SPEC);
    let network = section.find(key::NETWORK).map(|network| network.value);
    let count = section.count(key::COUNT, 1..=CLIENT_LIMIT).value;
    let reason = "there is one client: raise `clients.count`";
    let patience = patience(&section, ingress, network.as_ref());
    let clients = Clients {
        population: population(&section),
        popularity: popularity(&section, key::POPULARITY, count, reason),
        patience,
        network,
        retry: retry(&section),
        cancels: !section.has(&key::TIMEOUT) || section.get(key::CANCELS),
    };
    refuse_endless_failures(&section, &clients, ingress);
    clients
}

/// How often each of so many keys is asked for.
pub(crate) fn popularity(
    section: &SectionReader<'_>,
    key: TypedKey<Skew>,
    count: u64,
    idle: &str,
) -> Popularity {
    if count <= 1 {
        section.idle(&key, idle);
        return Popularity::ONE;
    }
    let Skew(zipf) = section.get(key);
    Popularity { keys: count as usize, zipf }
}

fn population(section: &SectionReader<'_>) -> Population {
    match section.get(key::LOOP) {
        Loop::Open => Population::Open,
        Loop::Closed => {
            let users = section.require(key::USERS, "users = 100");
            let users = section.bounded(key::USERS, 1..=CLIENT_LIMIT, users);
            let users = users.map_or(1, |users| users as usize);
            Population::Closed { users, think: section.get(key::THINK) }
        }
        Loop::Sessions => {
            let requests = section.require(key::REQUESTS, "requests-per-session = 10");
            if let Some(few) = requests.as_ref().filter(|requests| requests.value < 1.0) {
                section.error(few, "a session has one request at least", "write 1 or more");
            }
            let requests = requests.map_or(1.0, |requests| requests.value.max(1.0));
            Population::Sessions { requests, think: section.get(key::THINK) }
        }
    }
}

/// How long a client waits.
fn patience(section: &SectionReader<'_>, ingress: &Ingress, network: Option<&Law>) -> Option<Span> {
    let timeout = section.find(key::TIMEOUT)?;
    let way = network.map_or(0.0, Law::least_secs);
    let least = ingress.delay + ingress.hop + Span::from_secs(2.0 * way);
    if timeout.value <= least {
        let help = format!("`clients.network`, `ingress.delay` and `ingress.hop` make {least}");
        section.error(&timeout, "no answer comes before `clients.timeout`", help);
    } else {
        section.not_tiny(&key::TIMEOUT, &timeout);
    }
    Some(timeout.value)
}

fn retry(section: &SectionReader<'_>) -> Option<Retry> {
    let attempts = section.count(key::ATTEMPTS, 1..=ATTEMPT_LIMIT).value as u32;
    if attempts <= 1 {
        return None;
    }
    let backoff = backoff(section);
    let budget = budget(section);
    let breaker = section.find(key::BREAKER);
    if let Some(never) = breaker.as_ref().filter(|share| share.value >= Share::ONE) {
        let help = "no share is above 100%: write less, or leave it out";
        section.error(never, "`clients.retry-breaker` never holds back", help);
    }
    let breaker = breaker.map(|share| share.value);
    Some(Retry { attempts, backoff, budget, breaker, limited: section.get(key::LIMITED) })
}

fn backoff(section: &SectionReader<'_>) -> RetryBackoff {
    let kind = section.get(key::BACKOFF);
    let wait = section.parsed(key::BACKOFF_FIRST);
    let (first, jitter) = (wait.value, section.get(key::JITTER));
    if kind == BackoffKind::Fixed {
        return RetryBackoff { first, factor: 1.0, limit: first, jitter };
    }
    let limit = section.parsed(key::BACKOFF_LIMIT);
    if limit.value < first {
        let help = format!("`backoff-first` is {first}, `backoff-limit` {}", limit.value);
        let at = if limit.given { &limit } else { &wait };
        section.error(at, "the first wait is longer than the longest", help);
    }
    RetryBackoff { first, factor: 2.0, limit: limit.value, jitter }
}

fn budget(section: &SectionReader<'_>) -> Option<RetryBudget> {
    if !section.has(&key::BUDGET) {
        return None;
    }
    let share = section.find(key::BUDGET);
    let size = section.parsed(key::BUDGET_SIZE);
    if size.value < 1.0 {
        let help = "write 1 or more, or attempts = 1";
        section.error(&size, "a budget of less than one attempt allows none", help);
    }
    share.map(|share| RetryBudget { per_request: share.value.0, size: size.value })
}

/// Refuses users who may fail without end in no time.
fn refuse_endless_failures(section: &SectionReader<'_>, clients: &Clients, ingress: &Ingress) {
    let think = match &clients.population {
        Population::Open => return,
        Population::Closed { think, .. } | Population::Sessions { think, .. } => think,
    };
    let way = clients.network.as_ref().map_or(0.0, Law::mean_secs);
    if think.mean_secs() + way + ingress.delay.as_secs() <= 0.0 {
        let title = "users who fail would try again at the same moment, without end";
        let help = "give `clients.think` or `ingress.delay` a length";
        section.error(section.key_place(&key::THINK), title, help);
    }
}
