//! The section `[clients]`.

use crate::diagnostic::{Place, Problem};
use crate::plan::{Clients, Ingress, Popularity, Population, Retry, RetryBackoff, RetryBudget};
use crate::random::Law;
use crate::scenario::book::{Book, Section};
use crate::scenario::ingress::not_tiny;
use crate::scenario::keys::{Key, clients as key};
use crate::scenario::skew::Skew;
use crate::scenario::word::{BackoffKind, Loop};
use crate::units::{Share, Span};

const CLIENT_LIMIT: u64 = 1_000_000;
const ATTEMPT_LIMIT: u64 = 100;

/// Reads `[clients]`.
pub(crate) fn read<'a>(book: &mut Book<'a>, top: &Section<'a>, ingress: &Ingress) -> Clients {
    let section = book.section(top, "clients");
    let network = book.find(&section, key::NETWORK).map(|network| network.value);
    let population = population(book, &section);
    let count = book.count(&section, key::COUNT, 1..=CLIENT_LIMIT).value;
    let reason = "there is one client: raise `clients.count`";
    let popularity = popularity(book, &section, key::POPULARITY, count, reason);
    let patience = patience(book, &section, ingress, network.as_ref());
    let cancels = match patience {
        Some(_) => book.get(&section, key::CANCELS).value,
        None => {
            book.idle(&section, key::CANCELS, "only with `timeout`");
            true
        }
    };
    let retry = retry(book, &section);
    let clients = Clients { population, popularity, patience, network, retry, cancels };
    check_pace(book, &section, &clients, ingress);
    clients
}

/// How often each of so many keys is asked for.
pub(crate) fn popularity<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    key: Key<Skew>,
    count: u64,
    idle: &str,
) -> Popularity {
    if count <= 1 {
        book.idle(section, key, idle);
        return Popularity::ONE;
    }
    let Skew(zipf) = book.get(section, key).value;
    Popularity { keys: count as usize, zipf }
}

fn population<'a>(book: &mut Book<'a>, section: &Section<'a>) -> Population {
    let kind = book.get(section, key::LOOP).value;
    if kind != Loop::Closed {
        book.idle(section, key::USERS, "only with loop = \"closed\"");
    }
    if kind != Loop::Sessions {
        book.idle(section, key::REQUESTS, "only with loop = \"sessions\"");
    }
    match kind {
        Loop::Open => {
            let reason = "only with loop = \"closed\" or \"sessions\"";
            book.idle(section, key::THINK, reason);
            Population::Open
        }
        Loop::Closed => {
            let users = book.require(section, key::USERS, "users = 100");
            let users =
                users.map(|found| book.within(section, key::USERS, 1..=CLIENT_LIMIT, found));
            let users = users.map_or(1, |users| users.value as usize);
            Population::Closed { users, think: book.get(section, key::THINK).value }
        }
        Loop::Sessions => {
            let requests = book.require(section, key::REQUESTS, "requests-per-session = 10");
            if let Some(few) = requests.as_ref().filter(|requests| requests.value < 1.0) {
                let help = "write 1 or more".to_owned();
                book.error(few.place.clone(), "a session has one request at least", help);
            }
            let requests = requests.map_or(1.0, |requests| requests.value.max(1.0));
            Population::Sessions { requests, think: book.get(section, key::THINK).value }
        }
    }
}

/// How long a client waits.
fn patience<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    ingress: &Ingress,
    network: Option<&Law>,
) -> Option<Span> {
    let timeout = book.find(section, key::TIMEOUT)?;
    let way = network.map_or(0.0, Law::least_secs);
    let least = ingress.delay + ingress.hop + Span::from_secs(2.0 * way);
    if timeout.value <= least {
        let title = "no answer comes before `clients.timeout`";
        let help = format!("`clients.network`, `ingress.delay` and `ingress.hop` make {least}");
        book.error(timeout.place.clone(), title, help);
    } else {
        not_tiny(book, &timeout, "clients.timeout");
    }
    Some(timeout.value)
}

fn retry<'a>(book: &mut Book<'a>, section: &Section<'a>) -> Option<Retry> {
    let attempts = book.count(section, key::ATTEMPTS, 1..=ATTEMPT_LIMIT).value as u32;
    if attempts <= 1 {
        idle_retry(book, section, "only with `attempts` above 1");
        return None;
    }
    let backoff = backoff(book, section);
    let budget = budget(book, section);
    let breaker = book.find(section, key::BREAKER);
    if let Some(never) = breaker.as_ref().filter(|share| share.value >= Share::ONE) {
        let help = "no share is above 100%: write less, or leave it out".to_owned();
        book.error(never.place.clone(), "`clients.retry-breaker` never holds back", help);
    }
    let breaker = breaker.map(|share| share.value);
    let limited = book.get(section, key::LIMITED).value;
    Some(Retry { attempts, backoff, budget, breaker, limited })
}

fn idle_retry<'a>(book: &mut Book<'a>, section: &Section<'a>, reason: &str) {
    book.idle(section, key::BACKOFF, reason);
    book.idle(section, key::BACKOFF_FIRST, reason);
    book.idle(section, key::BACKOFF_LIMIT, reason);
    book.idle(section, key::JITTER, reason);
    book.idle(section, key::BUDGET, reason);
    book.idle(section, key::BUDGET_SIZE, reason);
    book.idle(section, key::BREAKER, reason);
    book.idle(section, key::LIMITED, reason);
}

fn backoff<'a>(book: &mut Book<'a>, section: &Section<'a>) -> RetryBackoff {
    let kind = book.get(section, key::BACKOFF).value;
    let first = book.get(section, key::BACKOFF_FIRST);
    let jitter = book.get(section, key::JITTER).value;
    let first_wait = first.value;
    if kind == BackoffKind::Fixed {
        book.idle(section, key::BACKOFF_LIMIT, "every wait is `backoff-first`");
        return RetryBackoff { first: first_wait, factor: 1.0, limit: first_wait, jitter };
    }
    let limit = book.get(section, key::BACKOFF_LIMIT);
    if limit.value < first_wait {
        let place = if limit.given { limit.place } else { first.place };
        let title = "the first wait is longer than the longest";
        let help = format!("`backoff-first` is {first_wait}, `backoff-limit` {}", limit.value);
        book.error(place, title, help);
    }
    RetryBackoff { first: first_wait, factor: 2.0, limit: limit.value, jitter }
}

fn budget<'a>(book: &mut Book<'a>, section: &Section<'a>) -> Option<RetryBudget> {
    if !section.has(&key::BUDGET) {
        book.idle(section, key::BUDGET_SIZE, "only with `retry-budget`");
        return None;
    }
    let share = book.find(section, key::BUDGET);
    let size = book.get(section, key::BUDGET_SIZE);
    if size.value < 1.0 {
        let help = "write 1 or more, or attempts = 1".to_owned();
        book.error(size.place, "a budget of less than one attempt allows none", help);
    }
    share.map(|share| RetryBudget { per_request: share.value.0, size: size.value })
}

/// Refuses users who may fail without end in no time.
fn check_pace<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    clients: &Clients,
    ingress: &Ingress,
) {
    let think = match &clients.population {
        Population::Open => return,
        Population::Closed { think, .. } | Population::Sessions { think, .. } => think,
    };
    let way = clients.network.as_ref().map_or(0.0, Law::mean_secs);
    if think.mean_secs() + way + ingress.delay.as_secs() <= 0.0 {
        let place: Place = section.key_place(&key::THINK);
        let title = "users who fail would try again at the same moment, without end";
        let problem = Problem::error(place, title);
        book.problems.push(problem.help("give `clients.think` or `ingress.delay` a length"));
    }
}
