//! The availability of months and years in text.

use super::report::{AvailabilityReport, PERCENTILES, RETURNS};
use super::verdict;
use super::words::{answered, between};
use crate::plan::{Fault, Plan, Schedule, Target};
use crate::report::format::page::{Paint, Written};
use crate::report::format::table::Table;
use crate::report::format::words::{plural, share_of, whole, wrapped};
use crate::scenario::fault::typical::{TYPICAL, TypicalFault};
use crate::study::availability::estimate::YEAR;
use crate::study::availability::months::MonthScatter;
use crate::study::availability::recurring::RecurringFault;
use crate::study::availability::sample::DOWN;
use crate::units::{SECOND, Share, Span, three_digits};

/// The report in text.
pub fn render(report: &AvailabilityReport, written: Option<Written>, colour: bool) -> String {
    let paint = Paint { colour };
    let sections = vec![
        head(report),
        verdict::section(report, paint),
        long_run(report, paint),
        paint.section("Months and years", months(report).text()),
        paint.section("What fails requests", burn(report).text()),
        paint.section(&outages_title(), outages(report).text()),
        faults(report, paint),
        paint.caveats(caveats(report)),
    ];
    paint.page(sections, written)
}

/// The verdict alone.
pub fn verdicts_only(report: &AvailabilityReport, colour: bool) -> String {
    verdict::section(report, Paint { colour })
}

fn head(report: &AvailabilityReport) -> String {
    let scenario = report.scenario;
    let mut out = wrapped("", &format!("{}: availability of months and years", scenario.name));
    out += &wrapped("  ", &scenario.question);
    let simulated = format!(
        "{} simulated, {} requests, seed {}",
        plural(report.pieces() as u64, "piece"),
        whole(report.requests() as u64),
        scenario.plan.run.seed
    );
    out + &wrapped("  ", &simulated)
}

fn long_run(report: &AvailabilityReport, paint: Paint) -> String {
    let (table, latency) = in_the_long_run(report);
    paint.section("In the long run", table.text() + &wrapped("  ", &latency))
}

/// What is answered in the long run, and how fast.
pub(crate) fn in_the_long_run(report: &AvailabilityReport) -> (Table, String) {
    let run = &report.run;
    let mut table = Table::default();
    table.row([
        "requests answered".to_owned(),
        answered(run.failing),
        format!("({})", between(run.failing_interval)),
    ]);
    table.row([
        "minutes up".to_owned(),
        answered(run.down),
        format!("({})", between(run.down_interval)),
    ]);
    table.row(["time without a fault".to_owned(), answered(1.0 - run.idle), String::new()]);
    let latency = PERCENTILES
        .iter()
        .zip(&report.percentiles)
        .map(|(share, secs)| format!("p{} {}", share * 100.0, Span::from_secs(*secs)));
    let mean = run.mean.map(|mean| format!("mean {}", Span::from_secs(mean)));
    let latency: Vec<String> = mean.into_iter().chain(latency).collect();
    (table, format!("latency of the served: {}", latency.join(", ")))
}

/// How months and years scatter.
pub(crate) fn months(report: &AvailabilityReport) -> Table {
    let mut table = Table::of_numbers();
    table.row([
        "answered",
        "in the middle",
        "worst of ten",
        "worst of twenty",
        "worst of a hundred",
    ]);
    for (name, values) in [("months", &report.scatter.months), ("years", &report.scatter.years)] {
        let at = |share: f64| answered(MonthScatter::quantile(values, share));
        table.row([name.to_owned(), at(0.5), at(0.9), at(0.95), at(0.99)]);
    }
    table
}

/// What fails requests, the worst first.
pub(crate) fn burn(report: &AvailabilityReport) -> Table {
    let run = &report.run;
    let all: f64 = run.causes.iter().map(|cause| cause.failed).sum();
    let mut causes: Vec<_> =
        run.causes.iter().filter(|cause| cause.per_year != Some(0.0)).collect();
    causes.sort_by(|one, other| other.failed.total_cmp(&one.failed));
    let mut table = Table::of_numbers();
    let budget = report.budget().map(|target| (1.0 - target.0) * run.requests);
    table.row([
        "cause",
        "a year",
        "failed each time",
        "of all failures",
        "of the budget",
        "pieces",
    ]);
    for cause in causes {
        table.row([
            cause.name.clone(),
            cause.per_year.map_or("–".to_owned(), three_digits),
            cause.per_year.map_or("–".to_owned(), |_| three_digits(cause.failed_each)),
            share_of(if all > 0.0 { cause.failed / all } else { 0.0 }),
            budget.map_or("–".to_owned(), |budget| share_of(cause.failed / budget)),
            cause.pieces.to_string(),
        ]);
    }
    table
}

/// What the table of outages is called.
pub(crate) fn outages_title() -> String {
    format!("Outages (more than {} of the requests fail)", Share(DOWN))
}

/// How long outages are that come back so often.
pub(crate) fn outages(report: &AvailabilityReport) -> Table {
    let mut table = Table::default();
    for (years, words) in RETURNS {
        let found = report.study.outage_that_returns(years);
        let found = found.map_or("none".to_owned(), |(length, seen)| {
            let sure = if seen < 5 {
                {
                    let show = if seen == 1 { "shows" } else { "show" };
                    format!(", as {} {show} it", plural(seen as u64, "piece"))
                }
            } else {
                String::new()
            };
            format!("{} or longer{sure}", Span((length as u64) * SECOND))
        });
        table.row([words.to_owned(), found]);
    }
    table
}

fn faults(report: &AvailabilityReport, paint: Paint) -> String {
    let rates = typical(report).iter().map(|line| wrapped("  ", line)).collect::<String>();
    paint.section("Faults", fault_table(report).text() + &rates)
}

/// Each kind of fault with how often it strikes and how long it lasts.
pub(crate) fn fault_table(report: &AvailabilityReport) -> Table {
    let mut table = Table::default();
    for kind in &report.study.kinds {
        let count = kind.entities.len();
        let whose = match count {
            1 => String::new(),
            _ => format!("each of {} ", plural(count as u64, struck(&report.scenario.plan, kind))),
        };
        let every = years(count as f64 / kind.per_second);
        let lasts = kind.lasts.as_ref().map_or("no length of its own".to_owned(), |law| {
            format!("for {} in the mean", Span::from_secs(law.mean_secs()))
        });
        let window = format!("forgotten {} later", kind.settles);
        table.row([kind.name.clone(), format!("{whose}every {every}"), lasts, window]);
    }
    table
}

/// What a kind of fault strikes one of.
fn struck(plan: &Plan, kind: &RecurringFault) -> &'static str {
    match &plan.faults[kind.fault].fault {
        Fault::NodeLoss(..) | Fault::NodeShutdown(..) | Fault::DrainNode(..) => "node",
        fault => match fault.target() {
            Target::Zone(_) => "zone",
            Target::Ingress(_) => "ingress instance",
            _ => "replica",
        },
    }
}

/// A time of this many seconds; in years if it has several.
fn years(secs: f64) -> String {
    let years = secs / YEAR;
    match years >= 2.0 {
        true => format!("{} years", three_digits((100.0 * years).round() / 100.0)),
        false => Span::from_secs(secs).to_string(),
    }
}

/// Where rates come from that the scenario does not have by itself.
pub(crate) fn typical(report: &AvailabilityReport) -> Vec<String> {
    let faults = &report.scenario.plan.faults;
    let mut lines = Vec::new();
    for one in &TYPICAL {
        let is_it = |kind: &&RecurringFault| {
            let found = TypicalFault::behind(&faults[kind.fault]);
            found.is_some_and(|found| found.kind == one.kind) && !has_own_rate(report, kind.fault)
        };
        let names: Vec<&str> =
            report.study.kinds.iter().filter(is_it).map(|kind| kind.name.as_str()).collect();
        if !names.is_empty() {
            let mark = one.mark.label();
            lines.push(format!("{} ({mark}): {}", names.join(", "), one.source));
        }
    }
    lines
}

/// Whether the file says how often a fault strikes; those of the file come first, in its order.
fn has_own_rate(report: &AvailabilityReport, fault: usize) -> bool {
    let path = format!("fault[{}].every", fault + 1);
    let mut settings = report.scenario.settings.iter();
    settings.any(|setting| setting.path == path && setting.value != "\"typical\"")
}

/// What limits it all.
pub(crate) fn caveats(report: &AvailabilityReport) -> Vec<String> {
    let mut all = Vec::new();
    let (unsettled, struck) = report.run.unsettled;
    if unsettled > 0 {
        all.push(format!(
            "{unsettled} of {struck} pieces were not back to normal when their window ended, {} a \
             year: what they cost after that is not counted, and the verdict allows for two hours \
             of each → look at one with run, and at its caveats",
            three_digits(report.run.unsettled_rate * YEAR)
        ));
    }
    let once = report.scenario.plan.faults.iter();
    let once = once.filter(|fault| matches!(fault.schedule, Schedule::At(_)));
    let once: Vec<&str> = once.map(|fault| fault.name.as_str()).collect();
    if !once.is_empty() {
        all.push(format!(
            "{}: at a given time, which says nothing of months, and left out here → write every = \
             \"typical\" or your own rate instead of at",
            once.join(", ")
        ));
    }
    let whole: Vec<&str> = report
        .study
        .kinds
        .iter()
        .filter(|kind| !kind.is_quiet && kind.lasts.is_some())
        .map(|kind| kind.name.as_str())
        .collect();
    if !whole.is_empty() {
        all.push(format!(
            "{}: requests fail or wait for as long as it lasts, or it is short: all of it is \
             simulated",
            whole.join(", ")
        ));
    }
    let assumed: Vec<&str> = report
        .study
        .kinds
        .iter()
        .filter(|kind| kind.is_assumed)
        .map(|kind| kind.name.as_str())
        .collect();
    if !assumed.is_empty() {
        all.push(format!(
            "{}: taken to strike at the same rate without memory (Poisson)",
            assumed.join(", ")
        ));
    }
    all.push(
        "faults are taken to strike independently of load, of the time of day and of each other, \
         unless one follows another, and to find replicas where they were placed at first; what \
         comes by itself and more seldom than the pieces show it is not seen"
            .to_owned(),
    );
    all
}
