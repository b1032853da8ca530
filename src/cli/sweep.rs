//! `brownout sweep`: a scenario over a grid of settings.

use std::path::Path;

use super::args::SweepArgs;
use super::exit::Exit;
use super::load::{self, Session, stem};
use super::work::{Output, Work, memory};
use crate::diagnostic::{Problem, Severity, Source};
use crate::report::manifest::RunRecord;
use crate::report::sweep::report::{Row, SweepReport};
use crate::report::sweep::{charts, files, text};
use crate::study::compare::{self, Variant};
use crate::study::sweep::{self, CELLS_MOST, Effort};
use crate::study::variation::{Axis, cross};

/// Settings that are the same in all cells, so that these can be compared.
const COMMON: [&str; 2] = ["run.seed", "run.replications"];

/// Sweeps what `args` say.
pub(super) fn sweep(args: &SweepArgs, session: &Session) -> anyhow::Result<Exit> {
    let axes = axes(&args.set)?;
    let loaded = cells(&args.file, &axes, args.common.work.quiet, session);
    let Some(mut cells) = loaded else { return Ok(Exit::Error) };
    let replications = args.count.replications.map(|count| count as usize);
    compare::align(&mut cells, args.common.seed, replications);
    let effort = match args.count.precision() {
        Some(precision) => Effort::Precision(precision),
        None => Effort::Replications(cells[0].scenario.plan.run.replications),
    };
    let name = format!("sweep-{}", stem(&args.file));
    let scenarios: Vec<_> = cells.iter().map(|cell| &cell.scenario).collect();
    memory::afford(&args.common.work, &scenarios, effort.most())?;
    let work = Work::begin(&args.common, &name, &scenarios, session)?;
    let mut report = SweepReport::new(&axes, &cells, effort);
    work.run(|runner| sweep::run(runner, &cells, effort, |cell, run| report.add(cell, &run)))?;
    let record = |row: &Row| {
        let Variant { name, scenario } = &cells[row.cell];
        RunRecord::new(name, scenario, row.digests.clone())
    };
    let records = report.rows.iter().map(record).collect();
    let output = Output {
        tables: files::write_tables,
        charts: charts::charts,
        text: text::render,
        verdict: text::verdicts_only,
        json: ("sweep.json", files::write_json),
    };
    let interrupted = report.is_interrupted();
    Ok(Exit::of_study(work.end(&report, output, interrupted, &scenarios[..1], records)?))
}

/// Reads the settings, of which at least one must vary, and not too much.
fn axes(set: &[String]) -> anyhow::Result<Vec<Axis>> {
    let axes = load::axes(set)?;
    for (index, axis) in axes.iter().enumerate() {
        let known = axes[..index].iter().any(|other| other.path == axis.path);
        anyhow::ensure!(!known, "--set: {} is set twice", axis.path);
        let repeated =
            axis.values.iter().enumerate().find(|(at, value)| axis.values[..*at].contains(value));
        if let Some((_, value)) = repeated {
            anyhow::bail!("--set: {} has the value {value} twice", axis.path);
        }
        anyhow::ensure!(
            !(axis.varies() && COMMON.contains(&axis.path.as_str())),
            "--set: {} is the same in all cells of a sweep",
            axis.path
        );
    }
    anyhow::ensure!(
        axes.iter().any(Axis::varies),
        "nothing varies\n  = help: give a setting several values, such as --set \
         traffic.rate=100/s..2000/s:20 or --set gateway.replicas=2,3"
    );
    let cells = axes.iter().map(|axis| axis.values.len()).fold(1, usize::saturating_mul);
    anyhow::ensure!(
        cells <= CELLS_MOST,
        "a sweep has at most {CELLS_MOST} cells, this one would have {cells}\n  = help: give the \
         settings fewer values"
    );
    Ok(axes)
}

/// Reads the scenario for every cell. `None` if it is wrong in any: then all that is wrong in the
/// first of these has been said. Warnings that cells share are said once.
fn cells(path: &Path, axes: &[Axis], quiet: bool, session: &Session) -> Option<Vec<Variant>> {
    let (mut cells, mut warnings) = (Vec::new(), Vec::new());
    for variation in cross(axes) {
        let mut loaded = session.read(path, &variation.changes);
        loaded.source.name = format!("{}, with {}", path.display(), variation.name);
        let Some(scenario) = loaded.scenario else {
            load::say(&loaded.source, &loaded.problems, session.terminal);
            return None;
        };
        note(&mut warnings, &loaded.source, loaded.problems);
        cells.push(Variant { name: variation.name, scenario });
    }
    for one in warnings.iter().filter(|_| !quiet) {
        load::say(&one.source(cells.len()), std::slice::from_ref(&one.problem), session.terminal);
    }
    Some(cells)
}

/// A warning, as the first cell has it.
#[derive(Debug)]
struct Warning {
    kind: String,
    problem: Problem,
    source: Source,
    cells: usize,
}

/// Notes the warnings of a cell; those that differ in numbers alone are one.
fn note(all: &mut Vec<Warning>, source: &Source, problems: Vec<Problem>) {
    for problem in problems.into_iter().filter(|one| one.severity == Severity::Warning) {
        let kind = kind(&problem);
        match all.iter_mut().find(|known| known.kind == kind) {
            Some(known) => known.cells += 1,
            None => all.push(Warning { kind, problem, source: source.clone(), cells: 1 }),
        }
    }
}

impl Warning {
    /// The source of the first cell, with how many others of so many cells have the warning.
    fn source(&self, of: usize) -> Source {
        let mut source = self.source.clone();
        source.name += &match self.cells {
            1 => String::new(),
            all if all == of => format!(" (and likewise in all {of} cells)"),
            some => format!(" (and likewise in {} more of {of} cells)", some - 1),
        };
        source
    }
}

/// A warning without its numbers.
fn kind(problem: &Problem) -> String {
    let text = [problem.title.as_str(), &problem.label].into_iter();
    let text = text.chain(problem.help.iter().map(String::as_str)).collect::<Vec<_>>().join("\n");
    text.split(|c: char| c.is_ascii_digit() || c == '.' || c == ',').collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Place;

    fn refused(set: &[&str]) -> String {
        let set: Vec<String> = set.iter().map(|&text| text.to_owned()).collect();
        axes(&set).expect_err("refused").to_string()
    }

    #[test]
    fn what_is_no_sweep_is_explained() {
        assert!(refused(&["a.b=1"]).contains("nothing varies"));
        assert!(refused(&["a.b=1,2", "a.b=3"]).contains("a.b is set twice"));
        assert!(refused(&["a.b=1,2,1"]).contains("has the value 1 twice"));
        assert!(refused(&["run.seed=1,2"]).contains("the same in all cells"));
        let many = refused(&["a.b=1..200:200", "a.c=1..51:51"]);
        assert!(many.contains("at most 10000 cells, this one would have 10200"), "{many}");
        let endless = ["a.b=1..1000:1000", "a.c=1..1000:1000", "a.d=1..1000:1000"];
        assert!(refused(&endless).contains("1000000000"));
    }

    #[test]
    fn settings_with_one_value_are_for_all_cells() {
        let set = ["run.seed=7", "a.b=1,2"].map(str::to_owned);
        assert_eq!(axes(&set).unwrap().len(), 2);
    }

    #[test]
    fn warnings_that_differ_in_numbers_are_one() {
        let mut warnings = Vec::new();
        let source = Source { name: "a.toml, with a.b=1".to_owned(), text: String::new() };
        for load in ["1,300/s", "1400/s"] {
            let title = format!("{load} is above the tier's rating");
            note(&mut warnings, &source, vec![Problem::warning(Place::Whole, title)]);
        }
        note(&mut warnings, &source, vec![Problem::warning(Place::Whole, "something else")]);
        assert_eq!(warnings.len(), 2);
        assert!(warnings[0].problem.title.starts_with("1,300/s"));
        let name = |of| warnings[0].source(of).name;
        assert_eq!(name(9), "a.toml, with a.b=1 (and likewise in 1 more of 9 cells)");
        assert!(name(2).ends_with("in all 2 cells)"));
        assert_eq!(warnings[1].source(9).name, "a.toml, with a.b=1");
    }
}
