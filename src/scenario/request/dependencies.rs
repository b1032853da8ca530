//! What stands before and behind the gateway and answers back: `[clients]`, `[[api]]`,
//! `[[policy]]`, `[[upstream]]` and `[tls]` together.

use crate::diagnostic::clip;
use crate::plan::{Api, Dependencies, Ingress, Policy, PolicyKind};
use crate::scenario::reader::{Reader, SectionSpec};
use crate::scenario::request::api::{self, ApiParts};
use crate::scenario::request::named::Named;
use crate::scenario::request::{clients, policy, tls, upstream};
use crate::scenario::section::gateway::GatewayPart;

/// A scenario with any of these has clients and upstreams that answer back.
pub(crate) const SECTIONS: [&SectionSpec; 5] = [
    &clients::key::SPEC,
    &api::key::SPEC,
    &policy::key::SPEC,
    &upstream::key::SPEC,
    &tls::key::SPEC,
];

/// Reads them; neutral ones if the file says nothing of them.
pub(crate) fn read(reader: &Reader<'_>, gateway: &GatewayPart, ingress: &Ingress) -> Dependencies {
    if !reader.has_any(&SECTIONS) {
        return Dependencies::neutral();
    }
    let clients = clients::read(reader, ingress);
    let mut policies = policy::read(reader, gateway.management);
    let upstreams = upstream::read(reader);
    let parts =
        ApiParts { policies: &policies, upstreams: &upstreams, contracts: gateway.contracts };
    let apis = api::read(reader, &parts);
    let uses_policy = |index| apis.iter().any(|api: &Api| api.policies.contains(&index));
    let help = "name it in `policies` of an [[api]]";
    warn_of_unused(reader, ("policy", help), &policies, uses_policy);
    if reader.has_any(&[&api::key::SPEC]) {
        let uses_upstream = |index| apis.iter().any(|api: &Api| api.upstream == Some(index));
        let help = "name it as `upstream` of an [[api]]";
        warn_of_unused(reader, ("upstream", help), &upstreams, uses_upstream);
    }
    number_resources(&mut policies, &apis);
    Dependencies {
        clients,
        apis,
        policies: policies.into_iter().map(|policy| policy.plan).collect(),
        upstreams: upstreams.into_iter().map(|upstream| upstream.plan).collect(),
        tls: tls::read(reader, ingress),
    }
}

/// Warns of what no API uses.
fn warn_of_unused<T>(
    reader: &Reader<'_>,
    (kind, help): (&str, &str),
    all: &[Named<T>],
    is_used: impl Fn(usize) -> bool,
) {
    for (_, one) in all.iter().enumerate().filter(|(index, _)| !is_used(*index)) {
        let title = format!("no API uses the {kind} {:?}", clip(&one.name));
        reader.warn(one.place.clone(), title, help);
    }
}

/// Tells caches how many resources all APIs have.
fn number_resources(policies: &mut [Named<Policy>], apis: &[Api]) {
    let total: usize = apis.iter().map(|api| api.resources.keys).sum();
    for policy in policies {
        if let PolicyKind::Cache(spec) = &mut policy.plan.kind {
            spec.keys = total.min(api::RESOURCE_LIMIT as usize) as u32;
        }
    }
}
