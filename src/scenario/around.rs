//! What surrounds the replicas: the sections `[clients]`, `[[api]]`, `[[policy]]`, `[[upstream]]`
//! and `[tls]` together.

use crate::diagnostic::{Place, Problem, clip};
use crate::plan::{Api, Balancing, Ingress, Policy, PolicyKind, Surroundings, Tls, TlsEnd};
use crate::scenario::api::{self, Parts};
use crate::scenario::book::{Book, Found, Section};
use crate::scenario::gateway::{GatewayPart, is_name};
use crate::scenario::keys::tls as key;
use crate::scenario::word::Termination;
use crate::scenario::{clients, policy, upstream};

/// A scenario with any of these has surroundings that answer back.
pub(crate) const SECTIONS: [&str; 5] = ["clients", "api", "policy", "upstream", "tls"];

/// Something with a name, and its header.
pub(crate) struct Named<T> {
    pub(crate) plan: T,
    pub(crate) place: Place,
}

/// Reads what surrounds the replicas; `None` if the file says nothing of it.
pub(crate) fn read<'a>(
    book: &mut Book<'a>,
    top: &Section<'a>,
    gateway: &GatewayPart,
    ingress: &Ingress,
) -> Option<Surroundings> {
    if !top.has_any(&SECTIONS) {
        return None;
    }
    let clients = clients::read(book, top, ingress);
    let mut policies = policy::read(book, top, gateway.management);
    let upstreams = upstream::read(book, top);
    let parts = Parts { policies: &policies, upstreams: &upstreams, contracts: gateway.contracts };
    let apis = api::read(book, top, &parts);
    let uses_policy = |index| apis.iter().any(|api: &Api| api.policies.contains(&index));
    unused(book, "policy", &policies, |policy| &policy.name, uses_policy);
    let uses_upstream = |index| apis.iter().any(|api: &Api| api.upstream == Some(index));
    if top.has_any(&["api"]) {
        unused(book, "upstream", &upstreams, |upstream| &upstream.name, uses_upstream);
    }
    number_resources(&mut policies, &apis);
    Some(Surroundings {
        clients,
        apis,
        policies: policies.into_iter().map(|policy| policy.plan).collect(),
        upstreams: upstreams.into_iter().map(|upstream| upstream.plan).collect(),
        tls: tls(book, top, ingress),
    })
}

/// A name as it is given, checked against those of the same kind; empty if it is missing.
pub(crate) fn name(
    book: &mut Book<'_>,
    name: Option<Found<String>>,
    kind: &str,
    kinds: &str,
    used: &[&str],
) -> String {
    let Some(Found { value, place, .. }) = name else { return String::new() };
    if !is_name(&value) {
        let title = format!("{:?} cannot name this {kind}", clip(&value));
        book.error(place, title, "use letters, digits, -, _ and .".to_owned());
    } else if used.contains(&value.as_str()) {
        let title = format!("two {kinds} are called {value:?}");
        book.error(place, title, format!("give every {kind} a name of its own"));
    }
    value
}

/// Warns of what no API uses.
fn unused<T>(
    book: &mut Book<'_>,
    kind: &str,
    all: &[Named<T>],
    name: impl Fn(&T) -> &str,
    is_used: impl Fn(usize) -> bool,
) {
    for (_, one) in all.iter().enumerate().filter(|(index, _)| !is_used(*index)) {
        let title = format!("no API uses the {kind} {:?}", clip(name(&one.plan)));
        let help = match kind {
            "policy" => "name it in `policies` of an [[api]]",
            _ => "name it as `upstream` of an [[api]]",
        };
        book.problems.push(Problem::warning(one.place.clone(), title).help(help));
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

/// Reads `[tls]`.
fn tls<'a>(book: &mut Book<'a>, top: &Section<'a>, ingress: &Ingress) -> Option<Tls> {
    let section = book.section(top, "tls");
    if !section.is_there() {
        return None;
    }
    let at = book.get(&section, key::AT);
    let by_connection = matches!(ingress.balancing, Balancing::PerConnection { .. });
    if at.value == Termination::Replica && !by_connection {
        let problem = Problem::error(at.place, "TLS at the replica needs balancing by connection")
            .label("each connection begins with a handshake, at its replica")
            .help("write balancing = \"per-connection\" in [ingress]");
        book.problems.push(problem);
    }
    let at = match at.value {
        Termination::Replica => {
            let reason = "only with at = \"ingress\"";
            book.idle(&section, key::INGRESS_CORES, reason);
            book.idle(&section, key::CONNECTIONS, reason);
            book.idle(&section, key::PER_CONNECTION, reason);
            TlsEnd::Replica
        }
        Termination::Ingress => {
            let cores = book.get(&section, key::INGRESS_CORES);
            if cores.value.0 <= 0.0 {
                let help = "write a number above 0".to_owned();
                book.error(cores.place, "an ingress without cores ends no handshake", help);
            }
            let connections = book.count(&section, key::CONNECTIONS, 1..=1_000_000).value;
            let requests = book.find(&section, key::PER_CONNECTION);
            let limit = 1..=u64::from(u32::MAX);
            let requests =
                requests.map(|found| book.within(&section, key::PER_CONNECTION, limit, found));
            TlsEnd::Ingress {
                cores: cores.value.0,
                connections: connections as usize,
                requests: requests.map(|requests| requests.value as u32),
            }
        }
    };
    Some(Tls {
        at,
        handshake: book.get(&section, key::HANDSHAKE).value,
        resumption: book.get(&section, key::RESUMPTION).value,
        resumed: book.get(&section, key::RESUMED).value,
    })
}
