//! `brownout sweep`: a scenario over a grid of settings.

use std::ops::ControlFlow;
use std::path::Path;

use super::args::SweepArgs;
use super::exit::Exit;
use super::load::{self, Session, stem};
use super::warnings::Warnings;
use super::work::{Output, Work, memory};
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
    let add = |cell, run| report.add(cell, &run);
    if let ControlFlow::Break(exit) = work.run(|runner| sweep::run(runner, &cells, effort, add))? {
        return Ok(exit);
    }
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
    let (mut cells, mut warnings) = (Vec::new(), Warnings::default());
    for variation in cross(axes) {
        let mut loaded = session.read(path, &variation.changes);
        loaded.source.name = format!("{}, with {}", path.display(), variation.name);
        let scenario = warnings.usable(loaded, session.terminal)?;
        cells.push(Variant { name: variation.name, scenario });
    }
    if !quiet {
        warnings.say("cells", session.terminal);
    }
    Some(cells)
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
}
