//! The report as text: the verdict first, then the figures with their intervals, where every
//! request ended, the incidents in words, what limits it all, and where the files are. At most 100
//! columns; colour repeats what words say.

use anstyle::AnsiColor;

use crate::experiment::summary::{Summary, WindowSummary};
use crate::experiment::{Sequence, SequenceEnd};
use crate::metric::percentile::Among;
use crate::metric::{Metric, Statistic};
use crate::plan::{Plan, RecoveryPoint, Routing};
use crate::report::availability::judging::not_judged;
use crate::report::caveats::caveat::Caveat;
use crate::report::format::page::{Paint, Written, mark};
use crate::report::format::table::{Cell, Table};
use crate::report::format::words::{NOTHING, from_nothing, plural, shown, whole, wrapped};
use crate::report::resilience::{deciding, grid};
use crate::report::run::report::Report;
use crate::report::run::{attempts, cluster, incidents, recovery, tables};
use crate::units::{Share, Span};
use crate::verdict::{Judgement, Overall, Verdict};

/// Incidents told one by one; the others are in the files.
const INCIDENTS_TOLD: usize = 5;

/// The whole report.
pub fn render(report: &Report, written: Option<Written>, colour: bool) -> String {
    let paint = Paint { colour };
    let sections = vec![
        verdict(report, paint) + "\n" + &head(report),
        windows(report, paint),
        apis(report, paint),
        ledger(report, paint),
        attempts(report, paint),
        gateway(report, paint),
        failover_sections(report, paint),
        disruptions(report, paint),
        story(report, paint),
        stability(report, paint),
        cluster_facts(report, paint),
        paint.caveats(report.caveats.iter().map(Caveat::text)),
    ];
    paint.page(sections, written)
}

fn head(report: &Report) -> String {
    let scenario = report.scenario;
    let run = &scenario.plan.run;
    let outcomes = &report.experiment.outcomes;
    let replications = plural(outcomes.len() as u64, "replication");
    let (horizon, warm_up) = (Span(run.horizon.0), Span(run.warm_up.0));
    let partial = outcomes.iter().filter(|outcome| outcome.interrupted);
    let length = match partial.map(|outcome| outcome.ended).min() {
        Some(ended) => format!("{horizon}, stopped at {ended}"),
        None => horizon.to_string(),
    };
    let (name, seed) = (&scenario.name, run.seed);
    let line = format!("{name}: {replications} of {length}, warm-up {warm_up}, seed {seed}");
    let changes = match &scenario.changes[..] {
        [] => String::new(),
        changes => wrapped("  ", &format!("with {}", changes.join(", "))),
    };
    let enough = report.experiment.sequence.map(|it| wrapped("  ", &enough(&it)));
    wrapped("  ", &scenario.question)
        + &wrapped("  ", &line)
        + &changes
        + &enough.unwrap_or_default()
}

/// Why replications that went on until they were enough ended.
fn enough(sequence: &Sequence) -> String {
    let Sequence { precision, most, looks: _, end } = sequence;
    let precision = Share(*precision);
    match end {
        SequenceEnd::Decided => "enough: every objective is decided".to_owned(),
        SequenceEnd::Precise => format!("enough: figures are known to ±{precision}"),
        SequenceEnd::Most => format!("not enough: {most} replications do not give ±{precision}"),
        SequenceEnd::Interrupted => format!("stopped before ±{precision} was reached"),
    }
}

/// The verdict alone, with each objective.
pub fn verdict_only(report: &Report, colour: bool) -> String {
    verdict(report, Paint { colour })
}

fn verdict(report: &Report, paint: Paint) -> String {
    let further = not_judged(report.scenario).map(|text| wrapped("  – ", &text));
    judged(report, paint) + &further.unwrap_or_default()
}

fn judged(report: &Report, paint: Paint) -> String {
    let number = |verdict: fn(&Verdict) -> bool| {
        report.judgements.iter().filter(|judgement| verdict(&judgement.verdict)).count()
    };
    let all = plural(report.judgements.len() as u64, "objective");
    let missed = number(|verdict| *verdict == Verdict::Missed);
    let undecided = number(|verdict| matches!(verdict, Verdict::Undecided(_)));
    let line = match report.overall() {
        Overall::NoObjectives => return "No objectives: nothing to meet or miss.\n".to_owned(),
        Overall::Met => paint.ink(AnsiColor::Green, &format!("✓ MET: {all}")),
        Overall::Missed => paint.ink(AnsiColor::Red, &format!("✗ MISSED: {missed} of {all}")),
        Overall::Undecided => {
            paint.ink(AnsiColor::Yellow, &format!("? UNDECIDED: {undecided} of {all}"))
        }
    };
    let mut table = Table::default();
    let plan = &report.scenario.plan;
    report.judgements.iter().for_each(|judgement| table.row(objective_row(judgement, plan)));
    let lines = table.text();
    let lines = lines.lines().zip(&report.judgements).map(|(line, judgement)| {
        let (glyph, colour, _) = mark(&judgement.verdict);
        format!("  {} {}\n", paint.ink(colour, glyph), &line[2..])
    });
    let decides = decides(report).into_iter().map(|line| wrapped("  ", &line));
    format!("{line}\n{}", lines.collect::<String>()) + &decides.collect::<String>()
}

/// What would decide objectives on recovery that are undecided, each once.
pub(crate) fn decides(report: &Report) -> Vec<String> {
    let (plan, replications) = (&report.scenario.plan, report.experiment.outcomes.len());
    let of = |one: &Judgement| {
        let remedy = deciding::remedy(one, plan, replications)?;
        Some(format!("what would decide {}: {remedy}", one.objective.text))
    };
    report.judgements.iter().filter_map(of).collect()
}

/// An objective: its verdict, its text, what was found, and by how much.
pub(crate) fn objective_row(judgement: &Judgement, plan: &Plan) -> [Cell; 4] {
    let (_, _, word) = mark(&judgement.verdict);
    let (figure, remark) = (figure(judgement), remark(judgement, plan));
    [word.into(), (&judgement.objective.text).into(), figure.into(), remark.into()]
}

/// What was measured, in words.
pub(crate) fn figure(judgement: &Judgement) -> String {
    // The verdict hangs on what was not seen, which is the end of the interval.
    let hangs = matches!(judgement.verdict, Verdict::Undecided(_));
    match judgement.figure {
        Some(figure) if hangs && figure.point == 0.0 => from_nothing(&figure),
        Some(figure) if judgement.not_over > 0 => at_least(&figure),
        Some(figure) if judgement.objective.metric.is_given() => {
            Span::from_secs(figure.point).to_string()
        }
        figure => shown(figure.as_ref()),
    }
}

/// A figure that waits for what was not over.
fn at_least(figure: &Statistic) -> String {
    format!("at least {}", shown(Some(figure)))
}

/// What requests that were not served mean for a latency: that it counts them, or how many there
/// are where it may lie among them or leaves them out.
fn lacking(judgement: &Judgement) -> Option<String> {
    let share = judgement.without_latency.filter(|share| *share > 0.0)?;
    let figure = judgement.figure?;
    let is_certain = figure.point.max(figure.interval?.high).is_finite();
    Some(match judgement.objective.metric {
        Metric::SentLatency(_) | Metric::Greatest(Among::Sent) if is_certain => {
            "of all sent".to_owned()
        }
        _ => format!("{} not served", Share(share)),
    })
}

/// That a latency of all sent is not of those that were turned away on purpose.
fn rejected(judgement: &Judgement) -> Option<String> {
    let share = judgement.rejected.filter(|share| *share > 0.0)?;
    Some(format!("without the {} rejected", Share(share)))
}

/// The margin, or why there is no decision.
pub(crate) fn remark(judgement: &Judgement, plan: &Plan) -> String {
    let lacking = lacking(judgement);
    let is_endless = judgement.figure.is_some_and(|figure| figure.point.is_infinite());
    let margin = match judgement.verdict {
        Verdict::Missed if is_endless => {
            return lacking.unwrap_or_else(|| "more failed than it leaves out".to_owned());
        }
        Verdict::Met => format!("margin {}", distance(judgement)),
        Verdict::Missed if judgement.not_over > 0 => {
            format!("by {} and more", distance(judgement))
        }
        Verdict::Missed => format!("by {}", distance(judgement)),
        Verdict::Undecided(doubt) => deciding::doubtful(doubt, plan, judgement.objective.window),
    };
    let parts = [margin].into_iter().chain(lacking).chain(rejected(judgement));
    let parts = parts.chain(oldest(judgement, plan));
    parts.collect::<Vec<_>>().join("; ")
}

/// Of a recovery point: why an item is lost or not, and which one if several may be.
fn oldest(judgement: &Judgement, plan: &Plan) -> Option<String> {
    let Metric::Rpo(RecoveryPoint { item, .. }) = judgement.objective.metric else { return None };
    let (_, oldest, loss) = plan.recovery_point(judgement.objective.window, item)?;
    let why = loss.why()?;
    Some(if item.is_some() { why.to_owned() } else { format!("{}: {why}", oldest.word()) })
}

fn distance(judgement: &Judgement) -> String {
    let Some(margin) = judgement.margin.map(f64::abs) else { return NOTHING.to_owned() };
    match judgement.objective.metric.is_share() {
        true => format!("{} points", Share(margin).to_string().replace(" %", "")),
        false => Span::from_secs(margin).to_string(),
    }
}

fn windows(report: &Report, paint: Paint) -> String {
    let title = match report.experiment.outcomes.len() {
        1 => "Load, and latency of the served requests".to_owned(),
        _ => format!("Load, and latency of the served requests ({})", intervals(report)),
    };
    let of_all: Vec<_> = report.summary.windows_of_all().collect();
    format!("{}\n{}", paint.title(&title), tables::windows(&of_all))
}

fn apis(report: &Report, paint: Paint) -> String {
    let kind = report.scenario.plan.told_apart_by();
    paint.section(
        &format!("By {kind} (the run, and parts that objectives speak of)"),
        tables::by_api(kind, &report.summary.apis),
    )
}

/// What the intervals are worth.
pub(crate) fn intervals(report: &Report) -> String {
    let looks = report.experiment.sequence.map_or(1, |sequence| sequence.looks);
    match looks {
        1 => "95 % interval".to_owned(),
        looks => format!("95 % interval, corrected for {looks} looks"),
    }
}

fn ledger(report: &Report, paint: Paint) -> String {
    let Some(window) = report.summary.windows.first() else { return String::new() };
    let title = paint.title("Where every request ended");
    format!("{title} ({})\n{}", window.label, tables::ledger(window, &report.scenario.plan))
}

fn attempts(report: &Report, paint: Paint) -> String {
    let Some(window) = report.summary.windows.first() else { return String::new() };
    let plan = &report.scenario.plan;
    let clients = &plan.dependencies.clients;
    let (lines, attempts) = match &window.attempts {
        Some(attempts) => (lines(&attempts::lines(plan, attempts)), attempts),
        // Connections that fail may be tried again though nothing feeds back.
        None if plan.ingress.retries > 0 => {
            return untold(window, &lines(&[retries(report)]), paint);
        }
        None => return String::new(),
    };
    // Where nobody gives up or tries again every request is one attempt.
    if clients.patience.is_none() && clients.retry.is_none() {
        return untold(window, &lines, paint);
    }
    let title = paint.title("Where every attempt ended");
    let table = attempts::attempts(window, attempts);
    format!("{title} ({})\n{table}{lines}", window.label)
}

/// Lines without a table of attempts, if there are any.
fn untold(window: &WindowSummary, lines: &str, paint: Paint) -> String {
    let title = paint.title("Clients, ingress and upstreams");
    if lines.is_empty() { String::new() } else { format!("{title} ({})\n{lines}", window.label) }
}

/// What the ingress tried again over the whole run.
fn retries(report: &Report) -> attempts::Line {
    let run = report.experiment;
    let estimate = |kind| Metric::Counted(kind).estimate(&run.outcomes, 0, run.confidence);
    let hedges = report.scenario.plan.ingress.hedges();
    attempts::of_ingress(hedges, |kind| shown(estimate(kind).as_ref()))
}

/// Lines of a name and a text.
fn lines(lines: &[(&str, String)]) -> String {
    lines.iter().map(|(name, text)| wrapped(&format!("  {name:<16}  "), text)).collect()
}

fn gateway(report: &Report, paint: Paint) -> String {
    let memory = report.scenario.plan.gateway.memory;
    let title = paint.title("Gateway");
    let Summary { gateway, apis, .. } = &report.summary;
    format!("{title}\n{}", lines(&tables::gateway(gateway, apis, memory)))
}

/// Which replication is told.
pub(crate) fn which(report: &Report) -> String {
    let run = report.experiment;
    let told = run.told().map_or(0, |told| told.replication);
    match run.typical().and_then(|typical| run.outcomes.get(typical)) {
        _ if run.outcomes.len() < 2 => "the only replication".to_owned(),
        Some(typical) if typical.replication == told => {
            format!("replication {told}, nearest the median of failed requests")
        }
        _ => format!("replication {told}"),
    }
}

fn story(report: &Report, paint: Paint) -> String {
    let plan = &report.scenario.plan;
    let Some(told) = report.experiment.told() else { return String::new() };
    if plan.faults.is_empty() {
        return String::new();
    }
    let mut out = format!("{}\n", paint.title(&format!("Incidents ({})", which(report))));
    if told.incidents.is_empty() {
        out.push_str("  none\n");
    }
    for incident in told.incidents.iter().take(INCIDENTS_TOLD) {
        let sentence = incidents::sentence(plan, incident, &told.incidents, told.ended);
        out.push_str(&wrapped(&format!("  {:>7}  ", incident.at.to_string()), &sentence));
    }
    let rest = told.incidents.len().saturating_sub(INCIDENTS_TOLD) as u64;
    if rest + told.incidents_unlisted > 0 {
        let more = whole(rest + told.incidents_unlisted);
        out.push_str(&format!("  and {more} more, see events.csv\n"));
    }
    let replications = report.experiment.outcomes.len();
    for fault in &report.summary.faults {
        if let Some(text) = incidents::over_replications(fault, replications) {
            out.push_str(&wrapped(&format!("  {}: ", fault.name), &text));
        }
    }
    out
}

fn failover_sections(report: &Report, paint: Paint) -> String {
    let each = failovers(report).into_iter();
    let told = each.map(|(title, found)| paint.section(&title, lines(&found)));
    told.collect::<Vec<_>>().join("\n")
}

/// The fail-overs of each fault that led to any: their title, and what is to be said of them.
pub(crate) fn failovers(report: &Report) -> Vec<(String, Vec<attempts::Line>)> {
    let Some(regions) = &report.scenario.plan.regions else { return Vec::new() };
    let by_dns = matches!(regions.manager.routing, Routing::Dns { .. });
    let faults = report.summary.faults.iter().enumerate();
    let told = faults.filter_map(|(index, fault)| {
        let mut found =
            recovery::failover(fault.failover.as_ref()?, (&report.scenario.plan, index), by_dns);
        let lost = recovery::lost_state(&report.scenario.plan, index).into_iter();
        found.extend(lost.map(|item| ("RPO", item)));
        let title = format!("Fail-over ({}, {})", fault.name, intervals(report));
        Some((title, found))
    });
    told.collect()
}

fn disruptions(report: &Report, paint: Paint) -> String {
    let title = format!("Recovery by disruption ({})", intervals(report));
    let replications = report.experiment.outcomes.len();
    paint.section(&title, grid::text(&report.disruptions, &report.scenario.plan, replications))
}

fn stability(report: &Report, paint: Paint) -> String {
    let found = recovery::lines(&report.summary.stability);
    paint.section("Back to what it was, once the trigger is gone?", lines(&found))
}

fn cluster_facts(report: &Report, paint: Paint) -> String {
    let plan = &report.scenario.plan;
    let told = report.experiment.told();
    let (told, more) =
        told.map_or_else(Default::default, |told| cluster::facts(plan, &told.journal));
    if told.is_empty() && plan.autoscaling.is_none() {
        return String::new();
    }
    let mut out = format!("{}\n", paint.title(&format!("Cluster ({})", which(report))));
    if told.is_empty() {
        out.push_str("  the autoscaler found nothing to change\n");
    }
    let width = told.iter().map(|(at, _)| at.to_string().len()).max().unwrap_or(0).max(7);
    for (at, fact) in told {
        out.push_str(&wrapped(&format!("  {:>width$}  ", at.to_string()), &fact));
    }
    if more > 0 {
        out.push_str(&format!("  and {} more, see events.csv\n", whole(more as u64)));
    }
    out
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
