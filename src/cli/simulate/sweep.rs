//! `brownout sweep`: a scenario over a grid of settings.

use std::ops::ControlFlow;

use crate::cli::args::SweepArgs;
use crate::cli::exit::Exit;
use crate::cli::gate;
use crate::cli::load::{self, Session, stem};
use crate::cli::work::warnings::Warnings;
use crate::cli::work::{Output, Work, memory};
use crate::report::export::write_sweep;
use crate::report::html;
use crate::report::manifest::RunRecord;
use crate::report::markdown;
use crate::report::screen;
use crate::report::sweep::report::{Row, SweepReport};
use crate::report::sweep::{charts, files, text};
use crate::scenario::Scenario;
use crate::study::grid::{GridCell, SweepGrid};
use crate::study::sweep::{self, CELLS_MOST, Effort};
use crate::study::variation::{Axis, cross};

/// Settings that are the same in all cells, so that these can be compared.
const COMMON: [&str; 2] = ["run.seed", "run.replications"];

/// Sweeps what `args` say.
pub(in crate::cli) fn sweep(args: &SweepArgs, session: &Session) -> anyhow::Result<Exit> {
    let axes = axes(&args.set)?;
    let Some(grid) = grid(args, &axes, session)? else { return Ok(Exit::Error) };
    gate::expect(&args.fail.fail_if, &[&grid.first])?;
    let effort = match args.count.precision() {
        Some(precision) => Effort::Precision(precision),
        None => Effort::Replications(grid.first.plan.run.replications),
    };
    let name = format!("sweep-{}", stem(&args.file));
    let work = Work::begin(&args.common, (&name, Some(grid.plans())), &[&grid.first], session)?;
    let read = |cell: &GridCell| session.read(&args.file, &cell.changes).scenario;
    let report = SweepReport::new(&axes, &grid, effort);
    let mut report = report.with_conditions(&args.fail.fail_if);
    let add = |cell, scenario: &Scenario, run| report.add(cell, scenario, &run);
    match work.run(|runner| sweep::run(runner, &grid, &read, effort, add))? {
        ControlFlow::Continue(done) => done?,
        ControlFlow::Break(exit) => return Ok(exit),
    }
    let interrupted = report.is_interrupted();
    if interrupted {
        report.fails.cut();
    }
    let record = |row: &Row| {
        let GridCell { name, changes, .. } = &grid.cells[row.cell];
        RunRecord::new(name, &grid.first, row.digests.clone()).with_changes(changes)
    };
    let records = report.rows.iter().map(record).collect();
    let exports = args.export.exports();
    let output = Output {
        tables: files::write_tables,
        exports: Box::new(|report, staging| write_sweep(report, &exports, staging)),
        charts: charts::charts,
        html: html::sweep,
        text: text::render,
        markdown: markdown::sweep::render,
        screen: screen::studies::sweep,
        verdict: text::verdicts_only,
        json: ("sweep.json", files::write_json),
    };
    let interrupted = work.end(&report, output, interrupted, &[&grid.first], records)?;
    Ok(gate::end(report.fails.judged(), interrupted, &args.common.work, session.terminal))
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

/// Reads the scenario of every cell. `None` if it is wrong in any: then all that is wrong in the
/// first of these has been said. Warnings that cells share are said once.
///
/// # Errors
/// There is no memory for the requests in flight of a cell.
fn grid(args: &SweepArgs, axes: &[Axis], session: &Session) -> anyhow::Result<Option<SweepGrid>> {
    let (mut grid, mut warnings) = (None::<SweepGrid>, Warnings::default());
    let path = &args.file;
    for variation in cross(axes) {
        let mut loaded = session.read(path, &variation.changes);
        loaded.source.reading = format!("with {}", variation.name);
        let Some(mut scenario) = warnings.usable(loaded, session.terminal) else { return Ok(None) };
        let run = &mut scenario.plan.run;
        run.seed = args.common.seed.unwrap_or(run.seed);
        run.replications = args.count.replications.map_or(run.replications, |n| n as usize);
        let together = args.count.precision().map_or(run.replications, |one| one.most);
        memory::afford(&args.common.work, &[&scenario], together)?;
        match &mut grid {
            Some(grid) => grid.add(variation.name, scenario),
            None => grid = Some(SweepGrid::new(variation.name, scenario)),
        }
    }
    if !args.common.work.quiet {
        warnings.say("cells", session.terminal);
    }
    Ok(grid)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let many = refused(&["a.b=1..200:200", "a.c=1..510:510"]);
        assert!(many.contains("at most 100000 cells, this one would have 102000"), "{many}");
        let endless = ["a.b=1..1000:1000", "a.c=1..1000:1000", "a.d=1..1000:1000"];
        assert!(refused(&endless).contains("1000000000"));
    }

    #[test]
    fn settings_with_one_value_are_for_all_cells() {
        let set = ["run.seed=7", "a.b=1,2"].map(str::to_owned);
        assert_eq!(axes(&set).unwrap().len(), 2);
    }
}
