//! The sections `[[policy]]`.

use crate::diagnostic::{Place, Problem};
use crate::plan::{Policy, PolicyKind};
use crate::policy::cache::CacheSpec;
use crate::scenario::Mark;
use crate::scenario::around::{self, Named};
use crate::scenario::book::{Book, Section};
use crate::scenario::keys::policy as key;
use crate::scenario::limit;
use crate::scenario::word::{Management, PolicyWord};
use crate::units::{Share, Span};

const POLICY_LIMIT: usize = 1_000;
const ENTRY_LIMIT: u64 = 100_000_000;

/// Reads every `[[policy]]`, in the order of the file.
pub(crate) fn read<'a>(
    book: &mut Book<'a>,
    top: &Section<'a>,
    management: Management,
) -> Vec<Named<Policy>> {
    let sections = book.elements(top, "policy", POLICY_LIMIT);
    let mut policies: Vec<Named<Policy>> = Vec::new();
    for section in &sections {
        let used: Vec<&str> = policies.iter().map(|policy| policy.plan.name.as_str()).collect();
        let name = book.require(section, key::NAME, "name = \"limit\"");
        let name = around::name(book, name, "policy", "policies", &used);
        let plan = policy(book, section, name, management);
        policies.push(Named { plan, place: section.place.clone() });
    }
    policies
}

fn policy<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    name: String,
    management: Management,
) -> Policy {
    let kind = book.require(section, key::KIND, "kind = \"rate-limit\"").map(|kind| kind.value);
    let cpu = book.get(section, key::CPU).value;
    let cpu_per_kb = book.get(section, key::CPU_PER_KB).value;
    let spent = match kind {
        Some(PolicyWord::Work) => {
            book.idle(section, key::SPENT, "a policy of this kind ends no request");
            Share::ONE
        }
        _ => book.get(section, key::SPENT).value,
    };
    if kind == Some(PolicyWord::Work) && cpu + cpu_per_kb == Span::ZERO {
        let problem = Problem::warning(section.place.clone(), "this policy does nothing");
        book.problems.push(problem.help("write cpu = \"0.1ms\" or cpu-per-kb = \"5us\""));
    }
    let kind = kind.map_or(PolicyKind::Work, |kind| what(book, section, kind, management));
    Policy { name, cpu, cpu_per_kb, spent, kind }
}

fn what<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    kind: PolicyWord,
    management: Management,
) -> PolicyKind {
    if kind != PolicyWord::Cache {
        idle_cache(book, section, "only with kind = \"cache\"");
    }
    limit::idle(book, section, kind);
    match kind {
        PolicyWord::Work => PolicyKind::Work,
        PolicyWord::Cache => PolicyKind::Cache(cache(book, section, management)),
        PolicyWord::RateLimit => limit::rate_limit(book, section),
        PolicyWord::SpikeControl => limit::spike_control(book, section),
    }
}

fn idle_cache<'a>(book: &mut Book<'a>, section: &Section<'a>, reason: &str) {
    book.idle(section, key::ENTRIES, reason);
    book.idle(section, key::TTL, reason);
    book.idle(section, key::SHARED, reason);
    book.idle(section, key::REPLICATION, reason);
    book.idle(section, key::PERSIST, reason);
}

/// A cache of no keys yet.
fn cache<'a>(book: &mut Book<'a>, section: &Section<'a>, management: Management) -> CacheSpec {
    let entries = book.count(section, key::ENTRIES, 1..=ENTRY_LIMIT).value as usize;
    let ttl = book.get(section, key::TTL);
    above_zero(book, ttl.place, ttl.value, "policy.ttl");
    let (default, source) = match management {
        Management::Managed => (true, "the product page: replicas of a managed gateway share it"),
        Management::SelfManaged => (false, "policy HTTP Caching"),
    };
    let shared = book.get_or(section, key::SHARED, default, Mark::Documented, source).value;
    let (mut replication, mut persist) = (1, false);
    if shared {
        replication = book.count(section, key::REPLICATION, 0..=1_000).value as usize;
        book.idle(section, key::PERSIST, "only with shared = false");
    } else {
        book.idle(section, key::REPLICATION, "only with shared = true");
        persist = book.get(section, key::PERSIST).value;
    }
    CacheSpec { entries, ttl: ttl.value, shared, replication, persist, keys: 0 }
}

/// Notes an error if a span is zero.
pub(crate) fn above_zero(book: &mut Book<'_>, place: Place, span: Span, path: &str) {
    if span == Span::ZERO {
        book.error(place, format!("`{path}` is zero"), "write \"1s\" or so".to_owned());
    }
}
