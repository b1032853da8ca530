//! The sections `[[api]]`.

use crate::diagnostic::{Place, Problem, clip};
use crate::plan::{Api, Policy, PolicyKind, Upstream};
use crate::random::Law;
use crate::scenario::reader::{Mark, Parsed, Reader, SectionReader, keys};
use crate::scenario::request::clients::popularity;
use crate::scenario::request::named::{Named, find, names, sound_name};
use crate::scenario::request::skew::Skew;
use crate::scenario::text::Located;
use crate::units::{Bytes, Share, Span};

keys! { key "api" list {
    NAME: String = "name", "", Given, "", "Its name.";
    SHARE: Share = "share", "", Inferred, "what the others leave, evenly",
        "Its share of the requests.";
    DEMAND: Law = "cpu-per-request", "", Inferred, "gateway.cpu-per-request",
        "CPU time that a request takes if it goes all the way, without that of the policies.";
    PAYLOAD: Bytes = "payload", "1KiB", Assumed, "as in the vendor's sizing guide",
        "What a request and its answer carry, for policies with cpu-per-kb.";
    POLICIES: Vec<Located<String>> = "policies", "", Inferred,
        "none; without any [[api]] all of the file",
        "Names of its policies, in the order in which they act.";
    UPSTREAM: String = "upstream", "", Inferred,
        "none, the gateway answers; without any [[api]] the only one of the file",
        "Name of the upstream that answers.";
    RESOURCES: u64 = "resources", "1", Assumed, "the simpler case",
        "Resources that a cache tells apart; those of all APIs are 1000000 at most.";
    POPULARITY: Skew = "popularity", "uniform", Assumed, "the worse case for a cache",
        "How often each resource is asked for.";
    CACHEABLE: Share = "cacheable", "", Assumed, "100% with a cache, else 0%",
        "Share of its requests that may be cached (GET and HEAD).";
    CONTRACTS: bool = "contracts", "", Inferred, "gateway.contracts", "Whether it needs contracts.";
} instead {
    "weight": "share = \"30%\"",
}}

const API_LIMIT: usize = 1_000;
/// The most resources of all APIs.
pub(crate) const RESOURCE_LIMIT: u64 = 1_000_000;
/// The largest answer that the policy HTTP Caching stores.
const ENTRY_LIMIT: Bytes = Bytes(1 << 20);
/// How far the shares may be from 100 %, for those that are no finite decimal.
const SHARE_SLACK: f64 = 1e-6;

/// What APIs may name, and what they inherit.
pub(crate) struct ApiParts<'p> {
    pub(crate) policies: &'p [Named<Policy>],
    pub(crate) upstreams: &'p [Named<Upstream>],
    /// Whether the gateway's APIs use contracts.
    pub(crate) contracts: bool,
}

/// Why there is an API that the file does not have.
const ALONE: &str = "the only API";

/// Reads every `[[api]]`, in the order of the file; without any there is one with all policies of
/// the file and its only upstream.
pub(crate) fn read(reader: &Reader<'_>, parts: &ApiParts<'_>) -> Vec<Api> {
    let mut sections = reader.elements(&key::SPEC, API_LIMIT);
    let implied = sections.is_empty();
    if implied {
        sections.push(reader.implied(&key::SPEC));
        if let [_, second, ..] = parts.upstreams {
            let help = format!("write [[api]] with upstream = {:?}", second.name);
            reader.error(second.place.clone(), "nothing says which upstream is asked", help);
        }
    }
    let weights = weights(reader, &sections);
    let (mut apis, mut total) = (Vec::<Api>::new(), 0);
    for (section, weight) in sections.iter().zip(weights) {
        let name = match implied {
            true => Some(section.get_or(key::NAME, "api".to_owned(), Mark::Inferred, ALONE)),
            false => section.require(key::NAME, "name = \"orders\""),
        };
        let used: Vec<&str> = apis.iter().map(|api| api.name.as_str()).collect();
        let name = sound_name(section, name, ("API", "APIs"), &used);
        let api = api(section, (name, weight), parts, implied);
        total += api.resources.keys as u64;
        if total > RESOURCE_LIMIT {
            let title = format!("the APIs so far have {total} resources");
            let help = format!("all together may have {RESOURCE_LIMIT}: lower `resources`");
            section.error(section.key_place(&key::RESOURCES), title, help);
        }
        apis.push(api);
    }
    apis
}

fn api(
    section: &SectionReader<'_>,
    (name, weight): (String, f64),
    parts: &ApiParts<'_>,
    implied: bool,
) -> Api {
    let policies = policies(section, parts.policies, implied);
    let upstream = upstream(section, parts.upstreams, implied);
    let demand = section.find(key::DEMAND);
    if let Some(none) = demand.as_ref().filter(|demand| demand.value.mean_secs() <= 0.0) {
        let title = "requests that take no CPU cannot be simulated";
        section.error(none, title, "give `cpu-per-request` a mean above zero");
    }
    let has = |what: fn(&Policy) -> bool| {
        policies.iter().any(|policy| what(&parts.policies[*policy].plan))
    };
    let caches = has(|policy| matches!(policy.kind, PolicyKind::Cache(_)));
    let payload = payload(section, caches, has(|policy| policy.cpu_per_kb > Span::ZERO));
    let (mut resources, mut cacheable) = (1, Share::ZERO);
    if caches {
        resources = section.count(key::RESOURCES, 1..=RESOURCE_LIMIT).value;
        let (mark, source) = (key::CACHEABLE.mark, "an API with a cache is read from");
        let all = section.get_or(key::CACHEABLE, Share::ONE, mark, source).value;
        cacheable = if payload <= ENTRY_LIMIT { all } else { Share::ZERO };
    } else {
        let reason = "none of its policies is a cache";
        section.idle(&key::RESOURCES, reason);
        section.idle(&key::CACHEABLE, reason);
    }
    let idle = "the API has one resource: raise `resources`";
    Api {
        name,
        weight,
        demand: demand.map(|demand| demand.value),
        payload_kb: payload.0 as f64 / 1_024.0,
        policies,
        upstream,
        resources: popularity(section, key::POPULARITY, resources, idle),
        cacheable,
        contracts: contracts(section, parts.contracts),
    }
}

/// What a request carries, if a policy asks for it; warns if that is too much for a cache.
fn payload(section: &SectionReader<'_>, caches: bool, by_size: bool) -> Bytes {
    if !caches && !by_size {
        let reason = "none of its policies is a cache or has `cpu-per-kb`";
        section.idle(&key::PAYLOAD, reason);
        return Bytes(1_024);
    }
    let payload = section.parsed(key::PAYLOAD);
    if caches && payload.value > ENTRY_LIMIT {
        let problem = Problem::warning(payload.place, "this API is never cached");
        section.note(problem.label("an entry of the cache holds 1MiB at most"));
    }
    payload.value
}

fn policies(section: &SectionReader<'_>, policies: &[Named<Policy>], implied: bool) -> Vec<usize> {
    let names = names(policies);
    let all = names.iter().filter(|_| implied);
    let default = all.map(|name| Located { value: (*name).to_owned(), span: 0..0 }).collect();
    let source = if implied { ALONE } else { "none" };
    let list = section.get_or(key::POLICIES, default, key::POLICIES.mark, source);
    let mut found = Vec::new();
    for name in &list.value {
        let place = if list.given { Place::Span(name.span.clone()) } else { list.place.clone() };
        let index = find(section, &name.value, place.clone(), "policy", &names);
        if index.is_some_and(|index| found.contains(&index)) {
            let title = format!("the policy {:?} acts twice", clip(&name.value));
            section.error(place, title, "name it once, or write a second [[policy]]");
        }
        found.extend(index);
    }
    found
}

fn upstream(
    section: &SectionReader<'_>,
    upstreams: &[Named<Upstream>],
    implied: bool,
) -> Option<usize> {
    let names = names(upstreams);
    let upstream = match names.first().filter(|_| implied) {
        Some(only) => {
            let (mark, only) = (key::UPSTREAM.mark, (*only).to_owned());
            Some(section.get_or(key::UPSTREAM, only, mark, "the only one"))
        }
        None => section.find(key::UPSTREAM),
    };
    let Parsed { value, place, .. } = upstream?;
    find(section, &value, place, "upstream", &names)
}

fn contracts(section: &SectionReader<'_>, gateway: bool) -> bool {
    let contracts = section.or(key::CONTRACTS, gateway);
    if contracts.value && !gateway {
        let help = "write contracts = true in [gateway]";
        section.error(&contracts, "this gateway knows no contracts", help);
    }
    contracts.value
}

/// The APIs' shares of the requests; those that have none share what the others leave.
fn weights(reader: &Reader<'_>, sections: &[SectionReader<'_>]) -> Vec<f64> {
    let given: Vec<Option<Parsed<Share>>> =
        sections.iter().map(|section| section.find(key::SHARE)).collect();
    let open = sections.iter().filter(|section| !section.has(&key::SHARE)).count();
    let sum: f64 = given.iter().flatten().map(|share| share.value.0).sum();
    for none in given.iter().flatten().filter(|share| share.value == Share::ZERO) {
        let help = "leave this [[api]] out, or write a share above 0%";
        reader.error(none, "this API gets no request", help);
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
        reader.error(last, title, help);
    }
    // As many digits as a share is written with.
    let even = (left / open.max(1) as f64 * 1e11).round() / 1e11;
    let even = Share(even.clamp(0.0, 1.0));
    let weight = |(section, share): (&SectionReader<'_>, Option<Parsed<Share>>)| {
        let share = share.unwrap_or_else(|| section.or(key::SHARE, even));
        if share.value > Share::ZERO { share.value.0 } else { 1.0 }
    };
    sections.iter().zip(given).map(weight).collect()
}
