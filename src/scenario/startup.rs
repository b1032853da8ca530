//! The sections `[startup]`, `[probes]` and `[detection]`.

use crate::diagnostic::Problem;
use crate::plan::{
    Backoff, Configuration, Contracts, ControlPlaneCall, Detection, Gate, Probe, Startup,
};
use crate::scenario::Mark;
use crate::scenario::around::SECTIONS;
use crate::scenario::book::{Book, Found, Section};
use crate::scenario::gateway::GatewayPart;
use crate::scenario::ingress::not_tiny;
use crate::scenario::keys::{Key, detection, probes, startup as key};
use crate::scenario::word::{GateKind, Management, Store};
use crate::units::{Share, Span};

/// Both probes.
pub(crate) struct Probes {
    readiness: Probe,
    liveness: Probe,
    /// CPU time of one, if they compete for CPU.
    cpu: Option<Span>,
}

/// Reads `[startup]`.
pub(crate) fn read<'a>(
    book: &mut Book<'a>,
    top: &Section<'a>,
    gateway: &GatewayPart,
    probes: &Probes,
) -> Startup {
    let section = book.section(top, "startup");
    Startup {
        schedule: book.get(&section, key::SCHEDULE).value,
        sandbox: book.get(&section, key::SANDBOX).value,
        image: book.get(&section, key::IMAGE).value,
        boot: book.get(&section, key::BOOT).value,
        configuration: configuration(book, &section, gateway.management),
        contracts: contracts(book, &section, gateway.contracts, top.has_any(&SECTIONS)),
        readiness: probes.readiness,
    }
}

fn configuration<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    management: Management,
) -> Configuration {
    let (default, source) = match management {
        Management::Managed => (Store::Local, "a managed gateway keeps it in the cluster"),
        Management::SelfManaged => (Store::Download, "a self-managed gateway downloads it"),
    };
    let store = book.get_or(section, key::CONFIGURATION, default, Mark::Documented, source);
    if store.value != Store::Download {
        let reason = "only with configuration = \"download\"";
        book.idle(section, key::DOWNLOAD, reason);
        book.idle(section, key::DOWNLOAD_TIMEOUT, reason);
        book.idle(section, key::DOWNLOAD_BACKOFF, reason);
        return Configuration::Local;
    }
    let duration = book.get(section, key::DOWNLOAD).value;
    let timeout = book.get(section, key::DOWNLOAD_TIMEOUT).value;
    let backoff = book.get(section, key::DOWNLOAD_BACKOFF);
    not_tiny(book, &backoff, "startup.download-backoff");
    Configuration::Download(ControlPlaneCall { duration, timeout, backoff: backoff.value })
}

/// Contracts, if they are used; `apis` says whether the file has APIs that say so one by one.
fn contracts<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    used: bool,
    apis: bool,
) -> Option<Contracts> {
    if !used {
        let reason = "only with contracts = true in [gateway]";
        book.idle(section, key::FETCH, reason);
        book.idle(section, key::FETCH_TIMEOUT, reason);
        book.idle(section, key::FETCH_BACKOFF, reason);
        book.idle(section, key::POLL, reason);
        book.idle(section, key::GATE, reason);
        book.idle(section, key::SHARE, reason);
        return None;
    }
    let duration = book.get(section, key::FETCH).value;
    let timeout = book.get(section, key::FETCH_TIMEOUT).value;
    let backoff = book.get(section, key::FETCH_BACKOFF);
    not_tiny(book, &backoff, "startup.contract-backoff");
    let poll = book.get(section, key::POLL);
    not_tiny(book, &poll, "startup.contract-poll");
    let gate = gate(book, section, apis);
    let fetch = ControlPlaneCall { duration, timeout, backoff: backoff.value };
    Some(Contracts { fetch, poll: poll.value, gate })
}

fn gate<'a>(book: &mut Book<'a>, section: &Section<'a>, apis: bool) -> Gate {
    match book.get(section, key::GATE).value {
        GateKind::Replica => {
            book.idle(section, key::SHARE, "only with contract-gate = \"api\"");
            Gate::Replica
        }
        GateKind::Api if apis => {
            book.idle(section, key::SHARE, "APIs say whether they need contracts");
            Gate::Api(Share::ONE)
        }
        GateKind::Api => Gate::Api(book.get(section, key::SHARE).value),
    }
}

/// Reads `[probes]`.
pub(crate) fn read_probes<'a>(
    book: &mut Book<'a>,
    top: &Section<'a>,
    gateway: &GatewayPart,
) -> Probes {
    let section = book.section(top, "probes");
    let limit = 1..=10_000;
    let (ready, live) = (probes::READINESS_PERIOD, probes::LIVENESS_PERIOD);
    let ready = period(book, &section, ready, "probes.readiness-period");
    let live = period(book, &section, live, "probes.liveness-period");
    let readiness = Probe {
        initial_delay: book.get(&section, probes::READINESS_DELAY).value,
        period: ready.value,
        timeout: book.get(&section, probes::READINESS_TIMEOUT).value,
        failures: book.count(&section, probes::READINESS_FAILURES, limit.clone()).value as u32,
    };
    let liveness = Probe {
        initial_delay: book.get(&section, probes::LIVENESS_DELAY).value,
        period: live.value,
        timeout: book.get(&section, probes::LIVENESS_TIMEOUT).value,
        failures: book.count(&section, probes::LIVENESS_FAILURES, limit).value as u32,
    };
    let alone = gateway.plan.cores.0.min(1.0);
    let least = readiness.timeout.min(liveness.timeout);
    let cpu = probe_cpu(book, &section, [&ready, &live], Span::from_secs(least.as_secs() * alone));
    Probes { readiness, liveness, cpu }
}

/// The CPU time of a probe if probes compete for it; a replica without other work must have done
/// it within `least` of CPU time.
fn probe_cpu<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    periods: [&Found<Span>; 2],
    least: Span,
) -> Option<Span> {
    if !book.get(section, probes::COMPETE).value {
        book.idle(section, probes::CPU, "only with compete = true");
        return None;
    }
    for period in periods.into_iter().filter(|period| period.value == Span::ZERO) {
        let problem = Problem::error(period.place.clone(), "nothing checks without a pause")
            .label("a probe that takes CPU must have a period")
            .help("write a period such as \"10s\", or compete = false");
        book.problems.push(problem);
    }
    let cpu = book.get(section, probes::CPU);
    if cpu.value >= least {
        let title = "a probe takes longer than its timeout allows";
        let problem = Problem::error(cpu.place.clone(), title)
            .label(format!("an idle replica does less than {least} in the shorter timeout"))
            .help("lower `probes.cpu`, or raise the timeouts");
        book.problems.push(problem);
    }
    Some(cpu.value)
}

/// A period of a probe: zero or not tiny.
fn period<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    key: Key<Span>,
    path: &str,
) -> Found<Span> {
    let period = book.get(section, key);
    if period.value > Span::ZERO {
        not_tiny(book, &period, path);
    }
    period
}

/// Reads `[detection]`.
pub(crate) fn read_detection<'a>(
    book: &mut Book<'a>,
    top: &Section<'a>,
    probes: &Probes,
) -> Detection {
    let section = book.section(top, "detection");
    let crash = book.get(&section, detection::CRASH).value;
    let grace = book.get(&section, detection::GRACE).value;
    let lease = book.get(&section, detection::LEASE);
    not_tiny(book, &lease, "detection.lease");
    let node_grace = book.get(&section, detection::NODE_GRACE);
    if node_grace.value <= lease.value {
        let place = if node_grace.given { &node_grace.place } else { &lease.place };
        let title = "healthy nodes would be declared not ready between two renewals";
        let problem = Problem::error(place.clone(), title);
        book.problems.push(problem.help("`detection.node-grace` must exceed `detection.lease`"));
    }
    let monitor = book.get(&section, detection::MONITOR);
    not_tiny(book, &monitor, "detection.monitor");
    let toleration = book.get(&section, detection::TOLERATION).value;
    let after_crash = book.get(&section, detection::AFTER_CRASH).value;
    let backoff = backoff(book, &section);
    Detection {
        crash,
        liveness: probes.liveness,
        probe_cpu: probes.cpu,
        grace,
        after_crash,
        backoff,
        lease: lease.value,
        node_grace: node_grace.value,
        monitor: monitor.value,
        toleration,
    }
}

fn backoff<'a>(book: &mut Book<'a>, section: &Section<'a>) -> Backoff {
    let first = book.get(section, detection::BACKOFF);
    let limit = book.get(section, detection::BACKOFF_LIMIT);
    if limit.value < first.value {
        let place = if limit.given { &limit.place } else { &first.place };
        let title = "the longest back-off is shorter than the first";
        let problem = Problem::error(place.clone(), title);
        let help = "`detection.backoff-limit` must be at least `detection.backoff`";
        book.problems.push(problem.help(help));
    }
    let reset = book.get(section, detection::BACKOFF_RESET).value;
    Backoff { first: first.value, limit: limit.value, reset }
}
