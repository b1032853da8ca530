//! Limits: policies of the kinds `rate-limit` and `spike-control`.

use crate::diagnostic::{Flaw, Problem, clip};
use crate::plan::{LimitKey, PolicyKind, SpikeQueue};
use crate::policy::limit::{Algorithm, LimitSpec, OnUnknown, Quota, Sharing, WindowOrigin};
use crate::quantity;
use crate::scenario::Mark;
use crate::scenario::book::{Book, Found, Section};
use crate::scenario::ingress::not_tiny;
use crate::scenario::keys::policy as key;
use crate::scenario::policy::above_zero;
use crate::scenario::value::Located;
use crate::scenario::word::{Counting, Per, PolicyWord, SharingKind, Unknown, WindowStart};
use crate::units::{Rate, Share, Span};

const REQUEST_LIMIT: u64 = 1_000_000_000;
/// A sliding window keeps the time of each request in it.
const SLIDING_LIMIT: u64 = 1_000_000;
const QUOTA_LIMIT: usize = 10;

/// Notes the keys that a policy of this kind does not have.
pub(crate) fn idle<'a>(book: &mut Book<'a>, section: &Section<'a>, kind: PolicyWord) {
    if kind != PolicyWord::RateLimit {
        let reason = "only with kind = \"rate-limit\"";
        book.idle(section, key::ALGORITHM, reason);
        book.idle(section, key::QUOTAS, reason);
        book.idle(section, key::WINDOW_START, reason);
        book.idle(section, key::RATE, reason);
        book.idle(section, key::SIZE, reason);
        book.idle(section, key::SHARING, reason);
        book.idle(section, key::LEASE_FRACTION, reason);
        book.idle(section, key::WHEN_UNKNOWN, reason);
        book.idle(section, key::STORAGE_LATENCY, reason);
    }
    if kind != PolicyWord::SpikeControl {
        let reason = "only with kind = \"spike-control\"";
        book.idle(section, key::DELAY, reason);
        book.idle(section, key::ATTEMPTS, reason);
        book.idle(section, key::QUEUE, reason);
    }
    if matches!(kind, PolicyWord::Work | PolicyWord::Cache) {
        let reason = "only with kind = \"rate-limit\" or \"spike-control\"";
        book.idle(section, key::LIMIT, reason);
        book.idle(section, key::WINDOW, reason);
        book.idle(section, key::PER, reason);
    }
}

/// Reads a rate limit.
pub(crate) fn rate_limit<'a>(book: &mut Book<'a>, section: &Section<'a>) -> PolicyKind {
    let counting = book.get(section, key::ALGORITHM).value;
    let algorithm = match counting {
        Counting::FixedWindow => fixed_window(book, section),
        Counting::TokenBucket => token_bucket(book, section),
    };
    let sharing = sharing(book, section, counting);
    if let (Sharing::Leases { .. }, Algorithm::FixedWindow { quotas, .. }) = (sharing, &algorithm) {
        stretched(book, section, quotas);
    }
    let (mut on_unknown, mut storage) = (OnUnknown::Block, Span::ZERO);
    if sharing == Sharing::PerReplica {
        let reason = "replicas that count for themselves ask no storage";
        book.idle(section, key::WHEN_UNKNOWN, reason);
        book.idle(section, key::STORAGE_LATENCY, reason);
    } else {
        on_unknown = match book.get(section, key::WHEN_UNKNOWN).value {
            Unknown::Block => OnUnknown::Block,
            Unknown::Pass => OnUnknown::Pass,
        };
        storage = book.get(section, key::STORAGE_LATENCY).value;
    }
    let spec = LimitSpec { algorithm, sharing, on_unknown };
    PolicyKind::Limit { spec, of: of(book, section), queue: None, storage }
}

fn of<'a>(book: &mut Book<'a>, section: &Section<'a>) -> LimitKey {
    match book.get(section, key::PER).value {
        Per::All => LimitKey::All,
        Per::Client => LimitKey::Client,
    }
}

fn fixed_window<'a>(book: &mut Book<'a>, section: &Section<'a>) -> Algorithm {
    let reason = "only with algorithm = \"token-bucket\"";
    book.idle(section, key::RATE, reason);
    book.idle(section, key::SIZE, reason);
    let quotas = match section.has(&key::QUOTAS) {
        true => {
            let reason = "`quotas` has limits and windows";
            book.idle(section, key::LIMIT, reason);
            book.idle(section, key::WINDOW, reason);
            book.find(section, key::QUOTAS).map_or(Vec::new(), |list| quotas(book, list))
        }
        false => vec![single(book, section, REQUEST_LIMIT)],
    };
    let start = match book.get(section, key::WINDOW_START).value {
        WindowStart::FirstRequest => WindowOrigin::FirstRequest,
        WindowStart::Clock => WindowOrigin::Clock,
    };
    Algorithm::FixedWindow { quotas, start }
}

fn quotas(book: &mut Book<'_>, list: Found<Vec<Located<String>>>) -> Vec<Quota> {
    if list.value.is_empty() || list.value.len() > QUOTA_LIMIT {
        let title = format!("{} quotas make no limit", list.value.len());
        let help = format!("write 1 to {QUOTA_LIMIT}, such as [\"100/10s\"]");
        book.error(list.place, title, help);
        return Vec::new();
    }
    let mut quotas = Vec::new();
    for text in &list.value {
        match quota(&text.value) {
            Some(quota) => quotas.push(quota),
            None => {
                let flaw = Flaw::new(format!("{:?} is no quota", clip(&text.value)));
                let help = "write requests and a window, such as \"100/10s\" or \"5000/1h\"";
                book.flaw(&text.span, flaw.help(help), "");
            }
        }
    }
    quotas
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
fn single<'a>(book: &mut Book<'a>, section: &Section<'a>, most: u64) -> Quota {
    let limit = book.require(section, key::LIMIT, "limit = 100");
    let limit = limit.map(|found| book.within(section, key::LIMIT, 1..=most, found));
    let window = book.require(section, key::WINDOW, "window = \"10s\"");
    if let Some(window) = &window {
        above_zero(book, window.place.clone(), window.value, "policy.window");
    }
    let window = window.map_or(Span::from_secs(1.0), |window| window.value.max(Span(1)));
    Quota { limit: limit.map_or(1, |limit| limit.value), window }
}

fn token_bucket<'a>(book: &mut Book<'a>, section: &Section<'a>) -> Algorithm {
    let reason = "only with algorithm = \"fixed-window\"";
    book.idle(section, key::QUOTAS, reason);
    book.idle(section, key::LIMIT, reason);
    book.idle(section, key::WINDOW, reason);
    book.idle(section, key::WINDOW_START, reason);
    let rate = book.require(section, key::RATE, "rate = \"100/s\"");
    if let Some(dry) = rate.as_ref().filter(|rate| rate.value.0 <= 0.0) {
        let help = "write a rate above 0".to_owned();
        book.error(dry.place.clone(), "no token ever flows in", help);
    }
    let per_sec = rate.map_or(Rate(1.0), |rate| rate.value);
    let default = (per_sec.0.ceil() as u64).clamp(1, REQUEST_LIMIT);
    let default = (default, key::SIZE.mark, key::SIZE.source);
    let size = book.count_or(section, key::SIZE, 1..=REQUEST_LIMIT, default).value;
    Algorithm::TokenBucket { per_sec, size }
}

fn sharing<'a>(book: &mut Book<'a>, section: &Section<'a>, counting: Counting) -> Sharing {
    let leases = counting == Counting::FixedWindow;
    let kind = match leases {
        true => book.get(section, key::SHARING),
        false => {
            let source = "leases are for fixed windows";
            book.get_or(section, key::SHARING, SharingKind::Counter, Mark::Inferred, source)
        }
    };
    if kind.value == SharingKind::Leases && !leases {
        let title = "a token bucket cannot be shared by leases";
        let help = "write sharing = \"counter\" or \"per-replica\"".to_owned();
        book.error(kind.place, title, help);
    }
    if kind.value != SharingKind::Leases {
        book.idle(section, key::LEASE_FRACTION, "only with sharing = \"leases\"");
    }
    match kind.value {
        SharingKind::Leases => Sharing::Leases { fraction: fraction(book, section) },
        SharingKind::Counter => Sharing::Counter,
        SharingKind::PerReplica => Sharing::PerReplica,
    }
}

fn fraction<'a>(book: &mut Book<'a>, section: &Section<'a>) -> Share {
    let fraction = book.get(section, key::LEASE_FRACTION);
    if fraction.value == Share::ZERO {
        let help = "write a share above 0%; sharing = \"counter\" takes one at a time".to_owned();
        book.error(fraction.place, "a lease of nothing admits nothing", help);
    }
    fraction.value
}

/// Warns of windows that leases make longer.
fn stretched<'a>(book: &mut Book<'a>, section: &Section<'a>, quotas: &[Quota]) {
    let given = section.has(&key::QUOTAS) || section.has(&key::WINDOW);
    for quota in quotas.iter().filter(|quota| given && quota.stretched() != **quota) {
        let Quota { limit, window } = quota.stretched();
        let many = section.has(&key::QUOTAS);
        let place =
            if many { section.key_place(&key::QUOTAS) } else { section.key_place(&key::WINDOW) };
        let title = format!("leases stretch the window of {} to {window}", quota.window);
        let problem = Problem::warning(place, title).label(format!("{limit} in {window}"));
        book.problems.push(problem.help("write sharing = \"counter\" to keep it, as a what-if"));
    }
}

/// Reads a spike control.
pub(crate) fn spike_control<'a>(book: &mut Book<'a>, section: &Section<'a>) -> PolicyKind {
    let Quota { limit, window } = single(book, section, SLIDING_LIMIT);
    let algorithm = Algorithm::SlidingWindow { limit, window };
    let spec = LimitSpec { algorithm, sharing: Sharing::PerReplica, on_unknown: OnUnknown::Block };
    let queue = queue(book, section);
    PolicyKind::Limit { spec, of: of(book, section), queue, storage: Span::ZERO }
}

/// Where requests over the limit wait, if they do.
fn queue<'a>(book: &mut Book<'a>, section: &Section<'a>) -> Option<SpikeQueue> {
    let limit = book.count(section, key::QUEUE, 0..=SLIDING_LIMIT).value as u32;
    if limit == 0 {
        let reason = "no request waits: raise `queue`";
        book.idle(section, key::DELAY, reason);
        book.idle(section, key::ATTEMPTS, reason);
        return None;
    }
    let delay = book.get(section, key::DELAY);
    not_tiny(book, &delay, "policy.delay");
    let attempts = book.count(section, key::ATTEMPTS, 1..=1_000).value as u32;
    Some(SpikeQueue { delay: delay.value, attempts, limit })
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
