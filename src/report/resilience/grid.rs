//! Recovery times and points, disruption by disruption.

use std::io::{Result, Write};

use crate::objective::Relation;
use crate::plan::{DisruptionKind, Plan, StateItem, StateLoss};
use crate::report::format::table::{Cell, Column, Table, write_columns};
use crate::report::format::words::{NOTHING, distinct, shown, wrapped};
use crate::report::resilience::deciding;
use crate::units::Span;
use crate::verdict::{DisruptionRow, Judgement, Overall, TestedDisruption, Verdict, bound};

/// Rows that the text tells; all are in the file.
const ROWS_TOLD: usize = 20;

/// The word that files have for the verdict of a row.
pub(crate) fn verdict(row: &DisruptionRow) -> &'static str {
    match row.tested.as_ref().map(TestedDisruption::overall) {
        None => "not_tested",
        Some(Overall::NoObjectives) => "no_objectives",
        Some(Overall::Met) => "met",
        Some(Overall::Missed) => "missed",
        Some(Overall::Undecided) => "undecided",
    }
}

fn marked(row: &DisruptionRow) -> &'static str {
    match verdict(row) {
        "met" => "✓ met",
        "missed" => "✗ missed",
        "undecided" => "? undecided",
        "no_objectives" => "no target",
        _ => "untested",
    }
}

/// What would test a disruption that no fault of the scenario is, or decide one that is undecided
/// after so many replications.
pub(crate) fn remedy(plan: &Plan, row: &DisruptionRow, replications: usize) -> Option<String> {
    if let Some(tested) = &row.tested {
        let open = undecided(tested, plan, replications).map(|(_, remedy)| remedy);
        let open = distinct(open.filter(|remedy| !remedy.is_empty()));
        return (!open.is_empty()).then(|| open.join("; "));
    }
    let kind = row.disruption.example();
    let one = plan.regions.is_none() && row.disruption == DisruptionKind::Region;
    let regions = if one { "[[region]] for each of several, and " } else { "" };
    Some(format!("write {regions}[[fault]] with kind = {kind:?}"))
}

/// Of a row each objective that is undecided with the reason, and what would decide it.
fn undecided(
    tested: &TestedDisruption,
    plan: &Plan,
    replications: usize,
) -> impl Iterator<Item = (String, String)> {
    tested.judgements.iter().filter_map(move |one| {
        let Verdict::Undecided(doubt) = one.verdict else { return None };
        let why = deciding::doubtful(doubt, plan, one.objective.window);
        let remedy = deciding::of_fault(one, (plan, tested.fault), replications);
        Some((format!("{}: {why}", one.objective.text), remedy.unwrap_or_default()))
    })
}

/// What each undecided row waits for.
fn open(rows: &[DisruptionRow], plan: &Plan, replications: usize) -> Vec<String> {
    let told = rows.iter().take(ROWS_TOLD).flat_map(|row| {
        let each = row.tested.iter().flat_map(|it| undecided(it, plan, replications));
        each.map(|(why, remedy)| (name(rows, row, plan), why, remedy))
    });
    told.map(|(name, why, remedy)| format!("? {name}: {why} → {remedy}")).collect()
}

/// The grid, and below it what its cells leave out; nothing without rows.
pub(crate) fn text(rows: &[DisruptionRow], plan: &Plan, replications: usize) -> String {
    let (table, notes) = told(rows, plan, replications);
    let notes = notes.iter().map(|line| wrapped("  ", line)).collect::<String>();
    table.map_or(String::new(), |table| table.text() + &notes)
}

/// The same as a table and lines.
pub(crate) fn told(
    rows: &[DisruptionRow],
    plan: &Plan,
    replications: usize,
) -> (Option<Table>, Vec<String>) {
    if rows.is_empty() {
        return (None, Vec::new());
    }
    let head = ["disruption", "RTO", "p95", "target", "RPO", "target", "verdict"];
    let mut table = Table::default().with(head);
    for row in rows.iter().take(ROWS_TOLD) {
        table.row(cells(row, name(rows, row, plan)));
    }
    let more = rows.len().saturating_sub(ROWS_TOLD);
    let more = (more > 0).then(|| format!("and {more} more, see disruptions.csv"));
    let items = rows.iter().take(ROWS_TOLD).filter_map(|row| {
        let (most, item, loss) = row.tested.as_ref()?.rpo()?;
        Some(format!("RPO of {}: {}", name(rows, row, plan), oldest(most, item, loss)?))
    });
    let notes = more.into_iter().chain(open(rows, plan, replications));
    let notes = notes.chain(shared(rows, plan)).chain(few(rows, plan));
    (Some(table), notes.chain(items).chain(untested(rows, plan)).collect())
}

/// Which rows count what failed by other faults at the same time.
fn shared(rows: &[DisruptionRow], plan: &Plan) -> Option<String> {
    let of = rows.iter().take(ROWS_TOLD).filter_map(|row| {
        let others = row.tested.as_ref()?.shared_with.iter();
        let others: Vec<&str> = others.map(|fault| plan.faults[*fault].name.as_str()).collect();
        (!others.is_empty())
            .then(|| format!("{} with {}", name(rows, row, plan), others.join(", ")))
    });
    let of: Vec<String> = of.collect();
    let what = "what failed while incidents of several faults lasted counts for each";
    (!of.is_empty()).then(|| format!("{what}: {}", of.join("; ")))
}

/// Of which rows the 95th percentile is but the longest that was seen: of fewer incidents than it
/// takes for one to lie beyond it.
fn few(rows: &[DisruptionRow], plan: &Plan) -> Option<String> {
    const ENOUGH: u64 = 20;
    let of = rows.iter().take(ROWS_TOLD).filter_map(|row| {
        let tested = row.tested.as_ref().filter(|it| it.rto_p95.is_some())?;
        (tested.injected < ENOUGH)
            .then(|| format!("{} ({})", name(rows, row, plan), tested.injected))
    });
    let of: Vec<String> = of.collect();
    let what = "p95 of fewer than 20 incidents is the longest that was seen";
    (!of.is_empty()).then(|| format!("{what}: {}", of.join(", ")))
}

/// What is lost that is oldest, and why; of what is not lost only that this is assumed, if it is.
pub(crate) fn oldest(most: Span, item: StateItem, loss: &StateLoss) -> Option<String> {
    let why = loss.why()?;
    match most {
        Span::ZERO => {
            why.contains("as assumed").then(|| format!("nothing is lost of {}, {why}", item.word()))
        }
        most => Some(format!("{} up to {most} old, {why}", item.word())),
    }
}

/// What would test the disruptions that no fault of the scenario is.
fn untested(rows: &[DisruptionRow], plan: &Plan) -> Option<String> {
    let kinds = rows.iter().filter(|row| row.tested.is_none()).map(|row| {
        let one = plan.regions.is_none() && row.disruption == DisruptionKind::Region;
        let regions = if one { ", with [[region]] for each of several" } else { "" };
        format!("{:?} ({}{regions})", row.disruption.example(), row.disruption.words())
    });
    let kinds = kinds.collect::<Vec<_>>().join(", ");
    (!kinds.is_empty()).then(|| format!("to test the others, write [[fault]] with kind = {kinds}"))
}

/// A disruption, with the name of the fault if several are one, or if it is planned.
fn name(rows: &[DisruptionRow], row: &DisruptionRow, plan: &Plan) -> String {
    let alike = rows.iter().filter(|other| other.disruption == row.disruption).count();
    let fault = row.tested.as_ref().map(|tested| &plan.faults[tested.fault].name);
    match fault.filter(|_| alike > 1) {
        Some(fault) => format!("{}: {fault}", row.disruption.words()),
        None => row.disruption.words().to_owned(),
    }
}

fn cells(row: &DisruptionRow, name: String) -> [String; 7] {
    let nothing = || NOTHING.to_owned();
    let Some(tested) = &row.tested else {
        let none = [nothing(), nothing(), nothing(), nothing(), nothing()];
        let [rto, p95, target, rpo, other] = none;
        return [name, rto, p95, target, rpo, other, marked(row).to_owned()];
    };
    let at_least = if tested.not_over > 0 { "at least " } else { "" };
    let rto = format!("{at_least}{}", shown(tested.rto.as_ref()));
    let p95 = tested.rto_p95.map_or_else(nothing, |p95| shown(Some(&p95.bare())));
    let rpo = tested.rpo().map_or_else(nothing, |(most, ..)| most.to_string());
    let [time, point] = [false, true].map(|given| targets(&tested.judgements, given));
    [name, rto, p95, time, rpo, point, marked(row).to_owned()]
}

/// The bounds of what is demanded of recovery times, or of recovery points.
fn targets(judgements: &[Judgement], given: bool) -> String {
    let of_it = judgements.iter().filter(|one| one.objective.metric.is_given() == given);
    let bounds = distinct(of_it.map(|one| {
        let objective = &one.objective;
        let relation = match objective.relation {
            Relation::Below => "<",
            Relation::AtMost => "≤",
            Relation::Above => ">",
            Relation::AtLeast => "≥",
        };
        let key = objective.metric.key();
        let rank = key.strip_suffix(" rto").map_or(String::new(), |rank| format!("{rank} "));
        format!("{rank}{relation} {}", Span::from_secs(bound(objective)))
    }));
    if bounds.is_empty() { NOTHING.to_owned() } else { bounds.join(", ") }
}

/// Writes `disruptions.csv`: a row for each row of the grid.
///
/// # Errors
/// Those of the writer.
pub(crate) fn write(
    plan: &Plan,
    rows: &[DisruptionRow],
    replications: usize,
    out: &mut dyn Write,
) -> Result<()> {
    type Row<'a> = (&'a Plan, &'a DisruptionRow, Option<&'a TestedDisruption>, usize);
    let columns: [Column<Row<'_>>; 12] = [
        (&["disruption"], |(_, row, ..)| row.disruption.key().into()),
        (&["fault"], |(plan, _, it, _)| it.map(|it| plan.faults[it.fault].name.clone()).into()),
        (&["injected"], |(.., it, _)| it.map(|it| it.injected).into()),
        (&["rto_s", "rto_low_s", "rto_high_s"], |(.., it, _)| {
            Cell::Figure(it.and_then(|it| it.rto))
        }),
        (&["rto_p95_s", "rto_p95_low_s", "rto_p95_high_s"], |(.., it, _)| {
            Cell::Figure(it.and_then(|it| it.rto_p95))
        }),
        (&["incidents_not_over"], |(.., it, _)| it.map(|it| it.not_over).into()),
        (&["shared_with"], |(plan, _, it, _)| {
            let names = it.iter().flat_map(|it| &it.shared_with);
            let names = names.map(|fault| plan.faults[*fault].name.as_str());
            names.collect::<Vec<_>>().join("; ").into()
        }),
        (&["rpo_s"], |(.., it, _)| it.and_then(|it| Some(it.rpo()?.0)).into()),
        (&["rpo_item"], |(.., it, _)| it.and_then(|it| Some(it.rpo()?.1.word())).into()),
        (&["objectives"], |(.., it, _)| {
            let texts = it.map_or(&[][..], |it| &it.judgements).iter();
            texts.map(|one| one.objective.text.as_str()).collect::<Vec<_>>().join("; ").into()
        }),
        (&["verdict"], |(_, row, ..)| verdict(row).into()),
        (&["remedy"], |(plan, row, _, of)| remedy(plan, row, *of).into()),
    ];
    write_columns(
        out,
        &columns,
        rows.iter().map(|row| (plan, row, row.tested.as_ref(), replications)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::example;
    use crate::objective::{Bound, Metric, Objective};
    use crate::verdict::disruptions;

    fn rows(bound: f64, plan: &Plan) -> Vec<DisruptionRow> {
        let objective = Objective {
            text: format!("rto < {bound}s"),
            metric: Metric::RTO,
            relation: Relation::Below,
            bound: Bound::Span(Span::from_secs(bound)),
            window: 0,
        };
        disruptions(&example::experiment(), plan, &[objective])
    }

    #[test]
    fn a_grid_says_what_was_met_and_what_would_test_the_rest_in_eighty_columns() {
        let plan = example::plan();
        let told = text(&rows(3_600.0, &plan), &plan, 5);
        let line = |start: &str| told.lines().find(|line| line.trim_start().starts_with(start));
        let software = line("software").unwrap();
        assert!(software.contains("< 60 min") && software.ends_with("✓ met"), "{told}");
        assert!(line("zone").unwrap().ends_with("untested"), "{told}");
        let help = told.lines().skip(6).map(str::trim).collect::<Vec<_>>().join(" ");
        assert_eq!(
            help,
            "p95 of fewer than 20 incidents is the longest that was seen: software (5) to test the \
             others, write [[fault]] with kind = \"node-loss\" (hardware), \
             \"zone-outage\" (zone), \"region-outage\" (region, with [[region]] for each of \
             several), \"control-plane-outage\" (control plane)"
        );
        let table = told.lines().take(6);
        assert!(table.clone().all(|line| line.chars().count() <= 80), "{told}");
        assert!(text(&rows(0.001, &plan), &plan, 5).contains("✗ missed"));
        assert_eq!(text(&[], &plan, 5), "");
    }

    #[test]
    fn a_row_that_is_undecided_says_why_and_what_would_decide_it() {
        let plan = example::plan();
        let run = example::experiment();
        let mean = disruptions(&run, &plan, &[]);
        assert_eq!(mean, [], "nobody asks for it");
        let found = rows(1.0, &plan).remove(0).tested.unwrap().rto.unwrap();
        // A bound that is nearer than the interval reaches.
        let bound = found.point + (found.interval.unwrap().high - found.point) / 2.0;
        let told = text(&rows(bound, &plan), &plan, 5);
        let flat = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains("? undecided"), "{told}");
        let why =
            "s: the bound lies in the interval → --replications 20 or more (if the figure stays)";
        assert!(flat.contains("? software: rto < ") && flat.contains(why), "{told}");
        let row = rows(bound, &plan).remove(0);
        assert_eq!(
            remedy(&plan, &row, 5).unwrap(),
            "--replications 20 or more (if the figure stays)"
        );
        assert_eq!(remedy(&plan, &rows(3_600.0, &plan)[0], 5), None);
    }

    #[test]
    fn what_another_region_lacks_is_lost_whatever_led_clients_there() {
        use crate::observe::failover::FailoverCourse;
        use crate::observe::tally::Tally;
        let text = "question = \"?\"\ntraffic.rate = \"100/s\"\nrun.horizon = \"10m\"\n\
                    [gateway]\ntier = \"small\"\n[[policy]]\nname = \"cache\"\nkind = \"cache\"\n\
                    ttl = \"7m\"\nshared = true\n[[upstream]]\nname = \"u\"\nlatency = \"5ms\"\n\
                    [[region]]\nname = \"x\"\n[[region]]\nname = \"y\"\n\
                    [[fault]]\nkind = \"rollout\"\nregion = \"x\"\nat = \"3m\"\nwork = 2\n";
        let loaded = crate::scenario::read::parse("a.toml", text, std::path::Path::new(""));
        let plan = loaded.scenario.unwrap_or_else(|| panic!("{:?}", loaded.problems)).plan;
        let oldest = |is_left: bool| {
            let mut run = example::experiment();
            for outcome in &mut run.outcomes {
                let mut incident = outcome.incidents[0].clone();
                incident.failover = Some(FailoverCourse::new(0, is_left, 0.5));
                let mut tally = Tally::default();
                tally.add(&incident, outcome.ended);
                outcome.faults = vec![tally];
            }
            let row = disruptions(&run, &plan, &[]).remove(0).tested.unwrap();
            let (most, item, _) = row.rpo().unwrap();
            (most.as_secs(), item)
        };
        assert_eq!(oldest(false), (0.0, StateItem::Configuration), "other replicas have copies");
        assert_eq!(oldest(true), (420.0, StateItem::Cache));
    }

    #[test]
    fn faults_that_are_the_same_disruption_have_their_names() {
        let mut plan = example::plan();
        let again = crate::plan::FaultPlan { name: "again".to_owned(), ..plan.faults[0].clone() };
        let mut run = example::experiment();
        run.outcomes.iter_mut().for_each(|outcome| outcome.faults.push(outcome.faults[0].clone()));
        plan.faults.push(again);
        let objective = crate::report::sample::scenario().objectives.remove(2);
        let objective = Objective { metric: Metric::RTO, window: 0, ..objective };
        let objectives = [objective];
        let rows = disruptions(&run, &plan, &objectives);
        let told = text(&rows, &plan, 5);
        assert!(told.contains("software: crash") && told.contains("software: again"), "{told}");
        assert!(!told.contains("overlap"), "{told}");
        let mut both = run.clone();
        let first = both.outcomes[0].incidents[0].clone();
        both.outcomes[0].incidents.push(crate::observe::incident::Incident { fault: 1, ..first });
        let both = disruptions(&both, &plan, &objectives);
        let flat = text(&both, &plan, 5).split_whitespace().collect::<Vec<_>>().join(" ");
        let shared = "counts for each: software: crash with again; software: again with crash p95";
        assert!(flat.contains(shared), "{flat}");
        let mut out = Vec::new();
        write(&plan, &rows, 5, &mut out).unwrap();
        let written = String::from_utf8(out).unwrap();
        assert_eq!(written.lines().count(), 1 + 6, "two that were tested and four that were not");
        let cells = |line: usize| written.lines().nth(line).unwrap().split(',').collect::<Vec<_>>();
        assert_eq!(cells(0).len(), cells(2).len());
        assert_eq!(cells(2)[..3], ["software", "again", "5"]);
    }
}
