//! What clients, policies and upstreams did, in words: attempts by outcome, and a line for
//! everything that the plan has: retries, wasted work, caches, limits, handshakes, upstreams.

use crate::experiment::summary::{AttemptSummary, WindowSummary};
use crate::metric::Metric;
use crate::observe::count::Count;
use crate::observe::ledger::Failure;
use crate::plan::{Clients, Plan, PolicyKind, Upstream};
use crate::report::format::table::{Cell, Table};
use crate::report::format::words::shown;
use crate::report::run::tables::part;

/// A line of the report: its name and its text.
pub(crate) type Line = (&'static str, String);

/// Where every attempt for the requests of a window ended, beside the requests themselves.
pub(crate) fn attempts(window: &WindowSummary, attempts: &AttemptSummary) -> String {
    table(window, attempts).text()
}

/// The same as a table.
pub(crate) fn table(window: &WindowSummary, attempts: &AttemptSummary) -> Table {
    let (made, sent) = (&attempts.ledger, &window.ledger);
    let header = ["outcome", "attempts per replication", "of attempts", "of requests"];
    let mut table = Table::of_numbers().with(header);
    let mut row = |name: &str, metric: Metric, (of_made, of_sent): (u64, u64)| {
        let mean = Cell::Figure(attempts.figures.get(metric).copied());
        let shares = [part(of_made, made.offered), part(of_sent, sent.offered)].map(Cell::from);
        table.row([name.into(), mean].into_iter().chain(shares));
    };
    row("served", Metric::AttemptsServed, (made.served, sent.served));
    for kind in Failure::ALL {
        let both = (made.failed_by(kind), sent.failed_by(kind));
        if both != (0, 0) {
            row(kind.label(), Metric::AttemptsFailedBy(kind), both);
        }
    }
    row("in flight at the end", Metric::AttemptsInFlight, (made.in_flight, sent.in_flight));
    row("made", Metric::Attempts, (made.offered, sent.offered));
    table
}

/// A line for each kind of client, policy and upstream that the plan has.
pub(crate) fn lines(plan: &Plan, attempts: &AttemptSummary) -> Vec<Line> {
    let dependencies = &plan.dependencies;
    let mut lines = of_clients(&dependencies.clients, attempts);
    if plan.ingress.retries > 0 {
        let hedges = plan.ingress.hedges();
        lines.push(of_ingress(hedges, |kind| each(attempts, kind)));
    }
    let has = |kind: fn(&PolicyKind) -> bool| dependencies.policies.iter().any(|p| kind(&p.kind));
    if has(|kind| matches!(kind, PolicyKind::Cache(_))) {
        lines.push(("cache hits", hits(attempts)));
    }
    if has(|kind| matches!(kind, PolicyKind::Limit { .. })) {
        lines.push(("limits", limits(attempts)));
    }
    if dependencies.tls.is_some() {
        let (full, resumed) = (each(attempts, Count::Handshake), each(attempts, Count::Resumption));
        lines.push(("TLS handshakes", format!("{full} full, {resumed} resumed per replication")));
    }
    lines.extend(of_upstreams(&dependencies.upstreams, attempts));
    lines
}

/// What the ingress tried again, by counts per replication; whether it hedges.
pub(super) fn of_ingress(hedges: bool, count: impl Fn(Count) -> String) -> Line {
    let kinds = [Count::IngressRetry, Count::Hedge, Count::HedgeWon];
    ("ingress retries", tried_again(hedges, kinds.map(count)))
}

/// How much was tried again, and if hedged how much of that beside a try that took long, and how
/// often that was answered first.
fn tried_again(hedges: bool, [made, beside, first]: [String; 3]) -> String {
    let made = format!("{made} per replication");
    if !hedges {
        return made;
    }
    format!("{made}, {beside} of them beside a try that took long, {first} answered first")
}

fn each(attempts: &AttemptSummary, kind: Count) -> String {
    shown(attempts.figures.get(Metric::Counted(kind)))
}

fn of_clients(clients: &Clients, attempts: &AttemptSummary) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(retry) = &clients.retry {
        let per_request = shown(attempts.figures.get(Metric::AttemptsPerRequest));
        let retries = shown(attempts.figures.get(Metric::Retries));
        let text = format!("{per_request} per request, {retries} retries per replication");
        lines.push(("attempts", text));
        if retry.budget.is_some() || retry.breaker.is_some() {
            let spent = each(attempts, Count::BudgetSpent);
            lines.push(("retries withheld", format!("{spent} per replication")));
        }
    }
    if clients.patience.is_some() {
        let part = shown(attempts.figures.get(Metric::WastedWork));
        let wasted = each(attempts, Count::Wasted);
        let text = format!("{part} of the answers came too late, {wasted} per replication");
        lines.push(("wasted work", text));
    }
    lines
}

fn hits(attempts: &AttemptSummary) -> String {
    let ratio = shown(attempts.figures.get(Metric::CacheHits));
    let (hits, misses) = (each(attempts, Count::Hit), each(attempts, Count::Miss));
    format!("{ratio} of the look-ups, {hits} hits and {misses} misses per replication")
}

fn limits(attempts: &AttemptSummary) -> String {
    let rejected = shown(attempts.figures.get(Metric::AttemptsFailedBy(Failure::RateLimited)));
    let mut text = format!("{} admitted, {rejected} rejected", each(attempts, Count::Admitted));
    let seen =
        |kind| attempts.figures.get(Metric::Counted(kind)).is_some_and(|count| count.point > 0.0);
    if seen(Count::StorageAsked) {
        text += &format!(", storage asked {} times", each(attempts, Count::StorageAsked));
    }
    if seen(Count::Unlimited) {
        text += &format!(", {} passed without a limit", each(attempts, Count::Unlimited));
    }
    text + " per replication"
}

fn of_upstreams(upstreams: &[Upstream], attempts: &AttemptSummary) -> Vec<Line> {
    let mut lines = Vec::new();
    if upstreams.iter().any(|upstream| upstream.retries > 0) {
        let kinds = [Count::UpstreamRetry, Count::UpstreamHedge, Count::UpstreamHedgeWon];
        let hedges = upstreams.iter().any(|upstream| upstream.hedges);
        let again = tried_again(hedges, kinds.map(|kind| each(attempts, kind)));
        lines.push(("upstream retries", again));
    }
    if upstreams.iter().any(|upstream| upstream.outliers.is_some()) {
        let panics = each(attempts, Count::Panic);
        let text = format!("found {panics} times per replication: all hosts were used");
        lines.push(("no sound host", text));
    }
    lines
}
