//! The tables of the text report.

use std::borrow::Cow;

use crate::experiment::recovery::incidents::Recovery;
use crate::experiment::summary::{ApiSummary, GatewaySummary, WindowSummary};
use crate::metric::Metric;
use crate::observe::ledger::Failure;
use crate::plan::{Answers, DeadAddress, Memory, Plan};
use crate::report::format::table::{Cell, Table, fits};
use crate::report::format::words::{NOTHING, grouped, plural, share_of, shown, whole};
use crate::report::run::incidents::time_share;
use crate::units::Share;

/// Windows side by side at most; the others come below, also where lines would be too wide.
const WINDOWS_PER_BLOCK: usize = 3;

/// The figures of the windows, as many side by side as there is room for.
pub(crate) fn windows(windows: &[&WindowSummary]) -> String {
    let table = |side_by_side| {
        let blocks = windows.chunks(side_by_side).map(|block| window_table(block).text());
        blocks.collect::<Vec<_>>().join("\n")
    };
    (2..=WINDOWS_PER_BLOCK).rev().map(table).find(|table| fits(table)).unwrap_or_else(|| table(1))
}

/// The figures of the windows side by side.
pub(crate) fn window_table(windows: &[&WindowSummary]) -> Table {
    let mut table = Table::of_numbers();
    let mut row = |name: Cow<'static, str>, cell: &dyn Fn(&WindowSummary) -> Cell| {
        table.row([Cell::from(name)].into_iter().chain(windows.iter().map(|one| cell(one))));
    };
    row("".into(), &|window| (&window.label).into());
    let rejects = windows.iter().any(|window| window.ledger.rejected() > 0);
    for metric in Metric::ROWS.into_iter().chain(Metric::PERCENTILES) {
        if metric == Metric::Rejected && !rejects {
            continue;
        }
        let name = if metric == Metric::Throughput { "served".into() } else { metric.name() };
        row(name, &|window| Cell::Figure(window.get(metric).copied()));
    }
    row("greatest".into(), &|window| greatest(window).into());
    table
}

/// APIs that are told in the text; the others are in `summary.json`.
const APIS_TOLD: usize = 20;

/// The figures of each API, or of each region, its windows one below the other: in two tables, so
/// that lines stay short. Nothing if there are none.
pub(crate) fn by_api(kind: &str, apis: &[ApiSummary]) -> String {
    let Some((counts, latencies)) = by_api_tables(kind, apis) else { return String::new() };
    let rest = match apis.len().saturating_sub(APIS_TOLD) {
        0 => String::new(),
        more => {
            format!("  and {}, see summary.json\n", plural(more as u64, &format!("more {kind}")))
        }
    };
    format!("{}\n{}{rest}", counts.text(), latencies.text())
}

/// The same as two tables, of counts and of latencies.
pub(crate) fn by_api_tables(kind: &str, apis: &[ApiSummary]) -> Option<(Table, Table)> {
    if apis.is_empty() {
        return None;
    }
    let told = &apis[..apis.len().min(APIS_TOLD)];
    let mut counts = Table::of_numbers().with([kind, "sent", "availability", "rejected"]);
    let mut latencies = Table::of_numbers().with(["served requests", "p50", "p99", "greatest"]);
    for (api, window) in told.iter().flat_map(|api| api.windows.iter().map(move |one| (api, one))) {
        let figure = |metric: Metric| Cell::Figure(window.get(metric).copied());
        let (name, sent) = (row_name(api, window), window.get(Metric::Offered));
        let sent = sent.map_or(NOTHING.to_owned(), |sent| grouped(sent.point, 0));
        let counted = [Metric::Availability, Metric::Rejected].map(figure);
        counts.row([Cell::from(&name), sent.into()].into_iter().chain(counted));
        let greatest = Cell::from(greatest(window));
        let percentiles = [Metric::Latency(0.5), Metric::P99].map(figure);
        latencies.row([Cell::from(name)].into_iter().chain(percentiles).chain([greatest]));
    }
    Some((counts, latencies))
}

/// The name of an API, and below it the parts of the run.
fn row_name(api: &ApiSummary, window: &WindowSummary) -> String {
    let is_run = api.windows.first().is_some_and(|run| run.label == window.label);
    let part = window.label.strip_suffix(&api.name).and_then(|part| part.strip_suffix(" for "));
    if is_run { api.name.clone() } else { format!("  {}", part.unwrap_or(&window.label)) }
}

fn greatest(window: &WindowSummary) -> String {
    window.greatest.map_or(NOTHING.to_owned(), |latency| latency.to_string())
}

/// Where every request of a window ended, per replication.
pub(crate) fn ledger(window: &WindowSummary, plan: &Plan) -> String {
    ledger_table(window, plan).text()
}

/// The same as a table.
pub(crate) fn ledger_table(window: &WindowSummary, plan: &Plan) -> Table {
    let of_all = |requests: u64| part(requests, window.ledger.offered);
    let mut table =
        Table::of_numbers().with(["outcome", "per replication", "share", "client sees"]);
    let mut row = |name: &str, metric: Metric, requests: u64, status: &str| {
        let mean = Cell::Figure(window.get(metric).copied());
        table.row([name.into(), mean, of_all(requests).into(), status.into()]);
    };
    row("served", Metric::Served, window.ledger.served, "answer");
    let (rejected, failed): (Vec<_>, Vec<_>) =
        Failure::ALL.into_iter().partition(|kind| kind.is_rejection());
    for kind in failed.into_iter().chain(rejected) {
        let requests = window.ledger.failed_by(kind);
        if kind.is_always_told() || requests > 0 {
            row(kind.label(), Metric::FailedBy(kind), requests, &status(kind, plan));
        }
    }
    row("in flight at the end", Metric::InFlight, window.ledger.in_flight, NOTHING);
    row("sent", Metric::Offered, window.ledger.offered, "");
    table
}

pub(crate) fn part(requests: u64, of: u64) -> String {
    if of == 0 { NOTHING.to_owned() } else { share_of(requests as f64 / of as f64) }
}

/// What clients see of a failure, by the HTTP statuses of their ingress.
fn status(kind: Failure, plan: &Plan) -> String {
    let nothing = "no answer";
    let seen = by_ingress(kind, plan);
    // Whoever comes past the ingress has nobody to answer for a replica that is lost.
    match plan.ingress.in_cluster.filter(|_| is_of_connection(kind)) {
        Some(inside) if inside.share == Share::ONE => nothing.to_owned(),
        Some(_) => seen.map_or_else(|| nothing.to_owned(), |seen| format!("{seen} or {nothing}")),
        None => seen.unwrap_or_else(|| nothing.to_owned()),
    }
}

/// What the ingress answers to a failure; `None` where it is the one that is lost, or is not asked.
fn by_ingress(kind: Failure, plan: &Plan) -> Option<String> {
    let Answers { refused, connect_timeout, reset } = plan.ingress.answers;
    let of_dead = match (plan.ingress.dead_address, plan.loses_machines()) {
        // The address of a lost machine is silent, whatever a dead replica's does.
        (DeadAddress::Refuses, true) if refused != connect_timeout => {
            format!("{refused} or {connect_timeout}")
        }
        (DeadAddress::Refuses, _) => refused.to_string(),
        (DeadAddress::Drops, _) => connect_timeout.to_string(),
    };
    match kind {
        Failure::LostInFlight | Failure::IdleClosed => Some(reset.to_string()),
        Failure::DeadAddress => Some(of_dead),
        _ => kind.status().map(|status| status.to_string()),
    }
}

/// Whether a failure is one of the connection to a replica, and no answer of that.
fn is_of_connection(kind: Failure) -> bool {
    use Failure::{DeadAddress, IdleClosed, LostInFlight, NoReadyReplica};
    matches!(kind, LostInFlight | IdleClosed | DeadAddress | NoReadyReplica)
}

/// The gateway as a whole, line by line: name and text.
pub(crate) fn gateway(
    gateway: &GatewaySummary,
    apis: &[ApiSummary],
    memory: Option<Memory>,
) -> Vec<(&'static str, String)> {
    let serving = gateway.serving.iter().enumerate();
    let serving: Vec<_> = serving
        .filter_map(|(k, time)| time.filter(|time| time.point > 0.0).map(|time| (k, time.point)))
        .map(|(k, time)| format!("{k} for {} of the time", time_share(time)))
        .collect();
    let mut lines = vec![
        ("replicas serving", serving.join(", ")),
        ("CPU in use", shown(gateway.cpu.as_ref()) + &cpu_by_region(apis)),
        ("in flight", format!("{} on average", shown(gateway.in_flight_mean.as_ref()))),
        ("most in flight", in_flight(gateway, memory)),
    ];
    if let (Some(available), Some(p99)) = (&gateway.worst_availability, &gateway.worst_p99) {
        let (available, p99) = (shown(Some(available)), shown(Some(p99)));
        lines.push(("worst minute", format!("availability {available}, p99 {p99} of all sent")));
    }
    if let Some(cpu) = &gateway.cpu_monitored {
        lines.push(("busiest minute", format!("CPU {} as monitored", shown(Some(cpu)))));
    }
    if let Some(probes) = &gateway.probes {
        let restarts = shown(probes.restarts.as_ref());
        let losses = shown(probes.readiness_losses.as_ref());
        lines.push(("liveness probes", format!("{restarts} restarts per replication")));
        let text = format!("{losses} times a replica taken out of rotation per replication");
        lines.push(("readiness probes", text));
    }
    if let Some(killed) = &gateway.out_of_memory {
        let killed = shown(Some(killed));
        lines.push(("out of memory", format!("{killed} kills per replication (OOMKilled)")));
    }
    lines.extend(restored("longest recovery", "clients hit no more", &gateway.recovery));
    let words = "as many replicas and zones as before";
    lines.extend(restored("redundancy", words, &gateway.redundancy));
    lines
}

/// The CPU in use of each region, if there are several.
fn cpu_by_region(apis: &[ApiSummary]) -> String {
    let of = |one: &ApiSummary| {
        let cpu = one.cpu.as_ref()?;
        Some(format!("{} {}", one.name, shown(cpu.as_ref())))
    };
    let each: Vec<String> = apis.iter().filter_map(of).take(APIS_TOLD).collect();
    if each.is_empty() { String::new() } else { format!("; {}", each.join(", ")) }
}

/// Until when something was restored; nothing without incidents.
fn restored(name: &'static str, what: &str, recovery: &Recovery) -> Option<(&'static str, String)> {
    let Recovery { longest, recovered, unrecovered, abnormal, .. } = recovery;
    let incidents = recovered + unrecovered + abnormal;
    let figure = shown(longest.as_ref());
    let bound = if *unrecovered > 0 { "at least " } else { "" };
    let seen = format!("{} of {}", whole(*recovered), plural(incidents, "incident"));
    let unknown = match abnormal {
        0 => String::new(),
        count => format!("; not normal before {}", whole(*count)),
    };
    (incidents > 0).then(|| (name, format!("{bound}{figure}, {what} in {seen}{unknown}")))
}

fn in_flight(gateway: &GatewaySummary, memory: Option<Memory>) -> String {
    let mean = shown(gateway.in_flight_peak.as_ref());
    let most = gateway.in_flight_greatest;
    let mut text = format!("{mean} in one replica, {} at most", whole(most));
    if let Some(memory) = memory {
        text.push_str(&format!(", holding {} of {}", memory.used(most), memory.limit));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;
    use crate::plan::{Fault, FaultPlan, InCluster, InstanceTarget, ReplicaTarget, Schedule};
    use crate::random::Law;
    use crate::units::{Instant, Span};

    #[test]
    fn clients_see_what_can_happen_and_nothing_else() {
        let seen = |faults: &[Fault], kind| {
            let fault = |fault: &Fault| FaultPlan {
                name: "fault".to_owned(),
                fault: fault.clone(),
                schedule: Schedule::At(Instant::ZERO),
            };
            let mut plan = Plan::neutral();
            plan.ingress.dead_address = DeadAddress::Refuses;
            plan.faults = faults.iter().map(fault).collect();
            status(kind, &plan)
        };
        let crash = Fault::ReplicaCrash(ReplicaTarget::Any);
        let node = Fault::NodeLoss(ReplicaTarget::Any, None);
        let instance = Fault::IngressLoss(InstanceTarget::Any, Law::Constant(Span::MAX));
        // An instance that is lost answers nothing; for a replica the ingress does.
        for faults in [from_ref(&crash), &[crash.clone(), instance]] {
            assert_eq!(seen(faults, Failure::LostInFlight), "502");
            assert_eq!(seen(faults, Failure::LostWithIngress), "no answer");
            assert_eq!(seen(faults, Failure::IngressDown), "no answer");
        }
        // A process that ended refuses, a machine that is gone is silent.
        let dead = Failure::DeadAddress;
        assert_eq!(seen(from_ref(&crash), dead), "502");
        assert_eq!(seen(&[crash, node], dead), "502 or 504");
    }

    #[test]
    fn nobody_answers_who_comes_past_the_ingress_for_a_replica_that_is_lost() {
        let seen = |share, kind| {
            let mut plan = Plan::neutral();
            plan.ingress.answers = Answers::ENVOY;
            plan.ingress.in_cluster = Some(InCluster { share, connections: 1 });
            status(kind, &plan)
        };
        let (some, all) = (Share(0.2), Share::ONE);
        for kind in [Failure::LostInFlight, Failure::NoReadyReplica, Failure::DeadAddress] {
            assert_eq!(seen(some, kind), "503 or no answer");
            assert_eq!(seen(all, kind), "no answer");
        }
        // A replica that works answers by itself.
        assert_eq!(seen(all, Failure::ContractsMissing), "503");
        assert_eq!(seen(all, Failure::UpstreamTimedOut), "504");
    }

    #[test]
    fn what_happened_is_never_nothing() {
        assert_eq!((part(0, 9).as_str(), part(1, 9_000_000).as_str()), ("0 %", "< 0.001 %"));
        assert_eq!(share_of(0.2 / 4_860_160.0), "< 0.001 %");
    }
}
