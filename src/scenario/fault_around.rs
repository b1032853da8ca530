//! Faults of what surrounds the replicas: upstreams, the storage of limits, contracts.

use crate::diagnostic::{Place, Problem, clip, suggestion};
use crate::plan::{Down, Fault, HostTarget, PolicyKind, Surroundings};
use crate::policy::limit::Sharing;
use crate::random::Law;
use crate::scenario::book::{Book, Found, Section};
use crate::scenario::fault::{Targets, forbid};
use crate::scenario::keys::fault as key;
use crate::scenario::word::FaultKind;

/// The target of a fault of an upstream or a contract: the only one there is, or the one that the
/// file must name.
pub(crate) fn target<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    kind: FaultKind,
    targets: &Targets<'_>,
) -> Found<String> {
    let only = match kind {
        FaultKind::ContractRevoked => (clients(targets) == 1).then(|| "1".to_owned()),
        _ => match targets.around.map(|around| around.upstreams.as_slice()) {
            Some([only]) => Some(only.name.clone()),
            _ => None,
        },
    };
    let example = match kind {
        FaultKind::ContractRevoked => "target = \"3\" for the third client",
        _ => "target = \"orders\" for an upstream, or \"orders/2\" for its second host",
    };
    let found = match only {
        Some(only) => {
            Some(book.get_or(section, key::TARGET, only, key::TARGET.mark, "the only one"))
        }
        None => book.require(section, key::TARGET, example),
    };
    found.unwrap_or(Found { value: String::new(), place: section.place.clone(), given: false })
}

fn clients(targets: &Targets<'_>) -> usize {
    targets.around.map_or(1, |around| around.clients.popularity.keys)
}

/// Hosts that are down.
pub(crate) fn outage<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    target: &Found<String>,
    duration: Law,
    targets: &Targets<'_>,
) -> Option<Fault> {
    let silent = book.get(section, key::SILENT).value;
    let down = if silent { Down::Silent } else { Down::Refuses };
    Some(Fault::UpstreamOutage(hosts(book, section, target, targets)?, down, duration))
}

/// Hosts that take longer.
pub(crate) fn slow<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    target: &Found<String>,
    duration: Law,
    targets: &Targets<'_>,
) -> Option<Fault> {
    let factor = book.require(section, key::FACTOR, "factor = 10");
    let hosts = hosts(book, section, target, targets);
    let factor = factor?;
    if factor.value <= 1.0 {
        let help = "write how many times as long it takes, such as 10".to_owned();
        book.error(factor.place, "this upstream is not slow", help);
    }
    Some(Fault::UpstreamSlow(hosts?, factor.value, duration))
}

/// Reads `orders` or `orders/2`.
fn hosts<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    target: &Found<String>,
    targets: &Targets<'_>,
) -> Option<HostTarget> {
    let around = targets.around.filter(|around| !around.upstreams.is_empty());
    let Some(around) = around else {
        let problem = Problem::error(section.place.clone(), "this scenario has no upstream");
        book.problems.push(problem.help("write an [[upstream]] with name and latency"));
        return None;
    };
    let text = target.value.trim();
    if text.is_empty() {
        return None;
    }
    let (name, host) = match text.split_once('/') {
        Some((name, host)) => (name.trim(), Some(host.trim())),
        None => (text, None),
    };
    let Some(upstream) = around.upstreams.iter().position(|one| one.name == name) else {
        let names = around.upstreams.iter().map(|one| one.name.as_str());
        let help = suggestion(name, names).unwrap_or_default();
        let title = format!("no upstream is called {:?}", clip(name));
        refuse(book, target, targets, title, help);
        return None;
    };
    let count = around.upstreams[upstream].hosts;
    let Some(host) = host else { return Some(HostTarget { upstream, host: None }) };
    match host.parse().ok().filter(|number| (1..=count).contains(number)) {
        Some(number) => Some(HostTarget { upstream, host: Some(number - 1) }),
        None => {
            let title = format!("the upstream {name:?} has no host {:?}", clip(host));
            let help = match count {
                1 => format!("it has one: write {name:?}"),
                _ => format!("its hosts are \"{name}/1\" to \"{name}/{count}\""),
            };
            refuse(book, target, targets, title, help);
            None
        }
    }
}

fn refuse(
    book: &mut Book<'_>,
    target: &Found<String>,
    targets: &Targets<'_>,
    title: String,
    help: String,
) {
    if targets.sound {
        book.error(target.place.clone(), title, help);
    }
}

/// The storage that nobody reaches.
pub(crate) fn storage<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    duration: Law,
    targets: &Targets<'_>,
) -> Fault {
    if targets.sound && !targets.around.is_some_and(asks_storage) {
        let problem = Problem::warning(section.place.clone(), "an outage of what nobody asks");
        let help = "write a [[policy]] of kind \"rate-limit\" that is not \"per-replica\"";
        let label = "no limit is shared by replicas";
        book.problems.push(problem.label(label).help(help));
    }
    Fault::StorageOutage(duration)
}

/// Whether an API has a limit that replicas share.
fn asks_storage(around: &Surroundings) -> bool {
    let used = around.apis.iter().flat_map(|api| &api.policies);
    used.map(|index| &around.policies[*index].kind).any(|kind| match kind {
        PolicyKind::Limit { spec, .. } => spec.sharing != Sharing::PerReplica,
        _ => false,
    })
}

/// A contract that ends.
pub(crate) fn contract<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    target: &Found<String>,
    targets: &Targets<'_>,
) -> Option<Fault> {
    let needed = |around: &Surroundings| around.apis.iter().any(|api| api.contracts);
    if targets.sound && !(targets.contracts && targets.around.is_some_and(needed)) {
        let problem =
            Problem::error(section.place.clone(), "no API of this scenario has contracts");
        let help = match targets.contracts {
            true => "write [clients] with count = 10, or an [[api]] with contracts = true",
            false => "write contracts = true in [gateway], and count = 10 in [clients]",
        };
        book.problems.push(problem.help(help));
    }
    let text = target.value.trim();
    let count = clients(targets);
    let number = text.parse().ok().filter(|number| (1..=count).contains(number));
    if number.is_none() && !text.is_empty() {
        let title = format!("there is no client {:?}", clip(text));
        let help = format!("clients are counted from 1 to {count} (`clients.count`)");
        refuse(book, target, targets, title, help);
    }
    number.map(|number: usize| Fault::ContractRevoked(number - 1))
}

/// Notes the keys of faults of upstreams that a fault of this kind does not have.
pub(crate) fn forbid_others<'a>(book: &mut Book<'a>, section: &Section<'a>, kind: FaultKind) {
    if kind != FaultKind::UpstreamOutage {
        forbid(book, section, &key::SILENT, kind, "only upstream-outage has it");
    }
    if kind != FaultKind::UpstreamSlow {
        forbid(book, section, &key::FACTOR, kind, "only upstream-slow has it");
    }
}

/// A place for a target that a kind of fault does not have.
pub(crate) fn no_target() -> Found<String> {
    Found { value: String::new(), place: Place::Whole, given: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::around_tests::{LEAST, read};
    use crate::scenario::tests::written;
    use crate::units::Span;

    #[test]
    fn faults_of_the_surroundings_find_their_targets() {
        let text = r#"
gateway.contracts = true
clients = { count = 9 }
policy = [{ name = "r", kind = "rate-limit", quotas = ["9/10s"] }]
[[upstream]]
name = "u"
hosts = 2
latency = "5ms"
[[fault]]
kind = "upstream-outage"
at = "2m"
for = "1m"
target = "u/2"
silent = true
[[fault]]
kind = "upstream-slow"
every = "exponential(5m)"
for = "1m"
factor = 10
[[fault]]
kind = "storage-outage"
at = "4m"
for = "1m"
[[fault]]
kind = "contract-revoked"
at = "5m"
target = "9"
"#;
        let (plan, settings, shown) = read(&format!("{LEAST}{text}"));
        assert_eq!(shown, "");
        let faults: Vec<Fault> = plan.faults.iter().map(|fault| fault.fault.clone()).collect();
        let minute = Law::Constant(Span::from_secs(60.0));
        let host = HostTarget { upstream: 0, host: Some(1) };
        let all = HostTarget { upstream: 0, host: None };
        let expected = [
            Fault::UpstreamOutage(host, Down::Silent, minute.clone()),
            Fault::UpstreamSlow(all, 10.0, minute.clone()),
            Fault::StorageOutage(minute),
            Fault::ContractRevoked(8),
        ];
        assert_eq!(faults, expected);
        assert_eq!(read(&written(&settings)).0, plan);
    }
}
