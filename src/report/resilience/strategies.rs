//! Strategies of several regions side by side: the table that a review wants.

use std::io::{Result, Write};

use serde_json::{Value, json};

use crate::metric::nine_digits;
use crate::report::caveats::find::{greatest_load, survivors};
use crate::report::compare::report::CompareReport;
use crate::report::format::page::overall;
use crate::report::format::table::{Cell, Column, Table, write_columns};
use crate::report::format::words::{NOTHING, distinct, shown, wrapped};
use crate::report::resilience::grid::oldest;
use crate::report::run::report::Report;
use crate::study::strategies::{RestoredTime, Strategy};
use crate::units::{Share, Span};
use crate::verdict::Overall;

/// A variant as a strategy.
struct StrategyRow {
    label: String,
    name: String,
    strategy: Strategy,
    cost: String,
    headroom: Option<f64>,
    /// The greatest load.
    load: String,
    verdict: Overall,
    /// From the end of warm-up to the end.
    length: Span,
}

/// The variants of several regions; nothing if there are none.
fn rows(report: &CompareReport) -> Vec<StrategyRow> {
    let row = |(index, one): (usize, &Report)| {
        let plan = &one.scenario.plan;
        plan.regions.as_ref()?;
        Some(StrategyRow {
            label: report.label(index),
            name: report.name(index).to_owned(),
            strategy: Strategy::of(one.experiment, plan),
            cost: report.prices.of(one.scenario).words,
            load: greatest_load(plan).1,
            headroom: survivors(plan).map(|utilisation| 1.0 - utilisation),
            verdict: one.overall(),
            length: Span(plan.run.horizon.0),
        })
    };
    report.reports.iter().enumerate().filter_map(row).collect()
}

/// The table in two parts, what recovers and what that takes; nothing without regions.
pub(crate) fn text(report: &CompareReport) -> String {
    let Some((times, rest, notes)) = told(report) else { return String::new() };
    let notes = notes.iter().map(|line| wrapped("  ", line)).collect::<String>();
    format!("{}\n{}{notes}", times.text(), rest.text())
}

/// The same as two tables and lines.
pub(crate) fn told(report: &CompareReport) -> Option<(Table, Table, Vec<String>)> {
    let rows = rows(report);
    if rows.is_empty() {
        return None;
    }
    let mut times = Table::default().with(["strategy", "RTO", "95 % of clients back", "RPO"]);
    let mut rest =
        Table::default().with(["strategy", "requests lost", "cost", "headroom", "verdict"]);
    for row in &rows {
        let Strategy { rto, clients_back, rpo, lost } = &row.strategy;
        let rpo = rpo.as_ref().map_or(NOTHING.to_owned(), |(most, ..)| most.to_string());
        let [rto, back] = [rto, clients_back].map(|took| time(took, row.length));
        times.row([row.label.clone(), rto, back, rpo]);
        let headroom = row.headroom.map_or(NOTHING.to_owned(), |left| match left < 0.0 {
            true => format!("lacks {}", Share(-left)),
            false => Share(left).to_string(),
        });
        let lost = shown(lost.as_ref());
        let verdict = marked(row.verdict).to_owned();
        rest.row([row.label.clone(), lost, row.cost.clone(), headroom, verdict]);
    }
    let oldest = rows.iter().filter_map(|row| {
        let (most, item, loss) = row.strategy.rpo.as_ref()?;
        Some((oldest(*most, *item, loss)?, &row.label))
    });
    let oldest: Vec<_> = oldest.collect();
    let why = distinct(oldest.iter().map(|(why, _)| why.clone())).into_iter().map(|why| {
        let whose = oldest.iter().filter(|(other, _)| *other == why).map(|(_, label)| &label[..]);
        let whose = whose.collect::<Vec<_>>().join(", ");
        format!("RPO of {whose}: {why}")
    });
    let said = "requests lost: those that failed in a replication; headroom: of the CPU of the \
                busiest region that is left, with all the replicas that it may have, at the \
                greatest load";
    let loads = distinct(rows.iter().map(|row| row.load.clone()));
    let differ = (loads.len() > 1).then(|| {
        format!("their greatest loads differ: {}; what is lost does so, too", loads.join(", "))
    });
    let notes = why.chain([said.to_owned()]).chain(differ).collect();
    Some((times, rest, notes))
}

fn time(took: &RestoredTime, length: Span) -> String {
    if took.is_never() {
        return format!("not in a run of {length}");
    }
    let bound = if took.not_over > 0 { "at least " } else { "" };
    format!("{bound}{}", shown(took.longest.as_ref()))
}

fn marked(verdict: Overall) -> &'static str {
    match verdict {
        Overall::NoObjectives => "no objectives",
        Overall::Met => "✓ met",
        Overall::Missed => "✗ missed",
        Overall::Undecided => "? undecided",
    }
}

/// What `comparison.json` has of each variant of several regions, by its name.
pub(crate) fn values(report: &CompareReport) -> Vec<Value> {
    let value = |row: StrategyRow| {
        let took = |took: &RestoredTime| {
            json!({
                "longest_s": took.longest,
                "seen": took.seen,
                "not_over": took.not_over,
            })
        };
        let Strategy { rto, clients_back, rpo, lost } = &row.strategy;
        json!({
            "variant": row.name,
            "rto": took(rto),
            "clients_back_95": took(clients_back),
            "rpo_s": rpo.as_ref().and_then(|(most, ..)| nine_digits(most.as_secs())),
            "rpo_item": rpo.as_ref().map(|(_, item, _)| item.word()),
            "requests_lost": lost,
            "cost_words": row.cost,
            "headroom_share": row.headroom.and_then(nine_digits),
            "verdict": overall(row.verdict),
        })
    };
    rows(report).into_iter().map(value).collect()
}

/// Whether any variant has several regions.
pub(crate) fn has_any(report: &CompareReport) -> bool {
    report.reports.iter().any(|one| one.scenario.plan.regions.is_some())
}

/// Writes `strategies.csv`: a row for each variant of several regions.
///
/// # Errors
/// Those of the writer.
pub(crate) fn write(report: &CompareReport, out: &mut dyn Write) -> Result<()> {
    let columns: [Column<StrategyRow>; 11] = [
        (&["variant"], |row| (&row.name).into()),
        (&["rto_s", "rto_low_s", "rto_high_s"], |row| Cell::Figure(row.strategy.rto.longest)),
        (&["rto_not_over"], |row| row.strategy.rto.not_over.into()),
        (&["clients_back_95_s", "clients_back_95_low_s", "clients_back_95_high_s"], |row| {
            Cell::Figure(row.strategy.clients_back.longest)
        }),
        (&["clients_back_95_not_over"], |row| row.strategy.clients_back.not_over.into()),
        (&["rpo_s"], |row| row.strategy.rpo.as_ref().map(|(most, ..)| *most).into()),
        (&["rpo_item"], |row| row.strategy.rpo.as_ref().map(|(_, item, _)| item.word()).into()),
        (&["requests_lost", "requests_lost_low", "requests_lost_high"], |row| {
            Cell::Figure(row.strategy.lost)
        }),
        (&["cost"], |row| (&row.cost).into()),
        (&["headroom_share"], |row| row.headroom.into()),
        (&["verdict"], |row| overall(row.verdict).into()),
    ];
    write_columns(out, &columns, rows(report))
}
