//! The sections `[[api]]`.

use crate::diagnostic::{Place, Problem, clip, suggestion};
use crate::plan::{Api, Policy, PolicyKind, Upstream};
use crate::scenario::Mark;
use crate::scenario::around::{self, Named};
use crate::scenario::book::{Book, Found, Section};
use crate::scenario::clients::popularity;
use crate::scenario::keys::api as key;
use crate::scenario::value::Located;
use crate::units::{Bytes, Share, Span};

const API_LIMIT: usize = 1_000;
/// The most resources of all APIs.
pub(crate) const RESOURCE_LIMIT: u64 = 1_000_000;
/// The largest answer that the policy HTTP Caching stores.
const ENTRY_LIMIT: Bytes = Bytes(1 << 20);
/// How far the shares may be from 100 %, for those that are no finite decimal.
const SHARE_SLACK: f64 = 1e-6;

/// What APIs may name, and what they inherit.
pub(crate) struct Parts<'p> {
    pub(crate) policies: &'p [Named<Policy>],
    pub(crate) upstreams: &'p [Named<Upstream>],
    /// Whether the gateway's APIs use contracts.
    pub(crate) contracts: bool,
}

/// Reads every `[[api]]`, in the order of the file; without any there is one with all policies of
/// the file and its only upstream.
pub(crate) fn read<'a>(book: &mut Book<'a>, top: &Section<'a>, parts: &Parts<'_>) -> Vec<Api> {
    let mut sections = book.elements(top, "api", API_LIMIT);
    let implied = sections.is_empty();
    if implied {
        sections.push(Book::implied("api"));
        if let [_, second, ..] = parts.upstreams {
            let title = "nothing says which upstream is asked";
            let help = format!("write [[api]] with upstream = {:?}", second.plan.name);
            book.error(second.place.clone(), title, help);
        }
    }
    let weights = weights(book, &sections);
    let (mut apis, mut total) = (Vec::<Api>::new(), 0);
    for (section, weight) in sections.iter().zip(weights) {
        let name = match implied {
            true => Some(book.get_or(section, key::NAME, "api".to_owned(), Mark::Inferred, ALONE)),
            false => book.require(section, key::NAME, "name = \"orders\""),
        };
        let used: Vec<&str> = apis.iter().map(|api| api.name.as_str()).collect();
        let name = around::name(book, name, "API", "APIs", &used);
        let api = api(book, section, (name, weight), parts, implied);
        total += api.resources.keys as u64;
        if total > RESOURCE_LIMIT {
            let title = format!("the APIs so far have {total} resources");
            let help = format!("all together may have {RESOURCE_LIMIT}: lower `resources`");
            book.error(section.key_place(&key::RESOURCES), title, help);
        }
        apis.push(api);
    }
    apis
}

/// Why there is an API that the file does not have.
const ALONE: &str = "the only API";

fn api<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    (name, weight): (String, f64),
    parts: &Parts<'_>,
    implied: bool,
) -> Api {
    let policies = policies(book, section, parts.policies, implied);
    let upstream = upstream(book, section, parts.upstreams, implied);
    let demand = book.find(section, key::DEMAND);
    if let Some(none) = demand.as_ref().filter(|demand| demand.value.mean_secs() <= 0.0) {
        let title = "requests that take no CPU cannot be simulated";
        let help = "give `cpu-per-request` a mean above zero".to_owned();
        book.error(none.place.clone(), title, help);
    }
    let used = |policy: &usize| &parts.policies[*policy].plan;
    let by_size = policies.iter().map(used).any(|policy| policy.cpu_per_kb > Span::ZERO);
    let caches =
        policies.iter().map(used).any(|policy| matches!(policy.kind, PolicyKind::Cache(_)));
    let payload = match by_size || caches {
        true => book.get(section, key::PAYLOAD),
        false => {
            let reason = "none of its policies is a cache or has `cpu-per-kb`";
            book.idle(section, key::PAYLOAD, reason);
            Found { value: Bytes(1_024), place: section.place.clone(), given: false }
        }
    };
    let fits = payload.value <= ENTRY_LIMIT;
    if caches && !fits {
        let problem = Problem::warning(payload.place.clone(), "this API is never cached")
            .label("an entry of the cache holds 1MiB at most");
        book.problems.push(problem);
    }
    let payload = payload.value;
    let (resources, cacheable) = match caches {
        true => {
            let count = book.count(section, key::RESOURCES, 1..=RESOURCE_LIMIT).value;
            let mark = key::CACHEABLE.mark;
            let source = "an API with a cache is read from";
            let all = book.get_or(section, key::CACHEABLE, Share::ONE, mark, source);
            (count, if fits { all.value } else { Share::ZERO })
        }
        false => {
            let reason = "none of its policies is a cache";
            book.idle(section, key::RESOURCES, reason);
            book.idle(section, key::CACHEABLE, reason);
            (1, Share::ZERO)
        }
    };
    let idle = "the API has one resource: raise `resources`";
    Api {
        name,
        weight,
        demand: demand.map(|demand| demand.value),
        payload_kb: payload.0 as f64 / 1_024.0,
        policies,
        upstream,
        resources: popularity(book, section, key::POPULARITY, resources, idle),
        cacheable,
        contracts: contracts(book, section, parts.contracts),
    }
}

fn policies<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    policies: &[Named<Policy>],
    implied: bool,
) -> Vec<usize> {
    let names: Vec<&str> = policies.iter().map(|policy| policy.plan.name.as_str()).collect();
    let of_file = |name: &&str| Located { value: (*name).to_owned(), span: 0..0 };
    let default: Vec<_> = match implied {
        true => names.iter().map(of_file).collect(),
        false => Vec::new(),
    };
    let source = if implied { ALONE } else { "none" };
    let list = book.get_or(section, key::POLICIES, default, key::POLICIES.mark, source);
    let mut found = Vec::new();
    for name in &list.value {
        let place = if list.given { Place::Span(name.span.clone()) } else { list.place.clone() };
        let index = find(book, &name.value, place.clone(), "policy", &names);
        if index.is_some_and(|index| found.contains(&index)) {
            let title = format!("the policy {:?} acts twice", clip(&name.value));
            let help = "name it once, or write a second [[policy]]".to_owned();
            book.error(place, title, help);
        }
        found.extend(index);
    }
    found
}

fn upstream<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    upstreams: &[Named<Upstream>],
    implied: bool,
) -> Option<usize> {
    let names: Vec<&str> = upstreams.iter().map(|upstream| upstream.plan.name.as_str()).collect();
    let upstream = match names.first().filter(|_| implied) {
        Some(only) => {
            let (mark, only) = (key::UPSTREAM.mark, (*only).to_owned());
            Some(book.get_or(section, key::UPSTREAM, only, mark, "the only one"))
        }
        None => book.find(section, key::UPSTREAM),
    };
    let Found { value, place, .. } = upstream?;
    find(book, &value, place, "upstream", &names)
}

/// The place of a name among those of a kind; notes an error if it is none of them.
fn find(
    book: &mut Book<'_>,
    name: &str,
    place: Place,
    kind: &str,
    names: &[&str],
) -> Option<usize> {
    let found = names.iter().position(|other| *other == name);
    if found.is_none() {
        let help = suggestion(name, names.iter().copied());
        let help = help.unwrap_or_else(|| format!("write a [[{kind}]] with this name"));
        book.error(place, format!("no {kind} is called {:?}", clip(name)), help);
    }
    found
}

fn contracts<'a>(book: &mut Book<'a>, section: &Section<'a>, gateway: bool) -> bool {
    let (mark, source) = (key::CONTRACTS.mark, key::CONTRACTS.source);
    let contracts = book.get_or(section, key::CONTRACTS, gateway, mark, source);
    if contracts.value && !gateway {
        let problem = Problem::error(contracts.place, "this gateway knows no contracts");
        book.problems.push(problem.help("write contracts = true in [gateway]"));
    }
    contracts.value
}

/// The APIs' shares of the requests; those that have none share what the others leave.
fn weights<'a>(book: &mut Book<'a>, sections: &[Section<'a>]) -> Vec<f64> {
    let given: Vec<Option<Found<Share>>> =
        sections.iter().map(|section| book.find(section, key::SHARE)).collect();
    let open = sections.iter().filter(|section| !section.has(&key::SHARE)).count();
    let sum: f64 = given.iter().flatten().map(|share| share.value.0).sum();
    for none in given.iter().flatten().filter(|share| share.value == Share::ZERO) {
        let help = "leave this [[api]] out, or write a share above 0%".to_owned();
        book.error(none.place.clone(), "this API gets no request", help);
    }
    let left = 1.0 - sum;
    let misread = given.iter().flatten().count() + open < sections.len();
    let wrong = if open > 0 { left < SHARE_SLACK } else { left.abs() > SHARE_SLACK };
    if let Some(last) = given.iter().flatten().last().filter(|_| wrong && !misread) {
        let title = format!("the shares of the APIs make {:.6}", sum * 100.0);
        let title = format!("{} %", title.trim_end_matches('0').trim_end_matches('.'));
        let help = match open {
            0 => "let them make 100%, or leave one share out",
            _ => "nothing is left for an API without a `share`",
        };
        book.error(last.place.clone(), title, help.to_owned());
    }
    // As many digits as a share is written with.
    let even = (left / open.max(1) as f64 * 1e11).round() / 1e11;
    let even = Share(even.clamp(0.0, 1.0));
    let weight = |(section, share): (&Section<'a>, Option<Found<Share>>)| {
        let (mark, source) = (key::SHARE.mark, key::SHARE.source);
        let share = share.unwrap_or_else(|| book.get_or(section, key::SHARE, even, mark, source));
        if share.value > Share::ZERO { share.value.0 } else { 1.0 }
    };
    sections.iter().zip(given).map(weight).collect()
}
