//! `brownout sweep`: a scenario over a grid of settings.

use super::args::SweepArgs;
use super::charts;
use super::exit::Exit;
use super::grid;
use super::terminal::Terminal;
use super::work::{Printed, Work, stem, text_of};
use crate::report::sweep::report::SweepReport;
use crate::report::sweep::{charts as sweep_charts, files as sweep_files, text as sweep_text};
use crate::study::compare;
use crate::study::sweep::{self, Effort};

/// Sweeps what `args` say.
pub(super) fn sweep(args: &SweepArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let axes = grid::axes(&args.set)?;
    let Some(mut cells) = grid::load(&args.file, &axes, args.work.quiet, terminal) else {
        return Ok(Exit::Error);
    };
    let replications = args.count.replications.map(|count| count as usize);
    compare::align(&mut cells, args.work.seed, replications);
    let effort = match args.count.precision() {
        Some(precision) => Effort::Precision(precision),
        None => Effort::Replications(cells[0].scenario.plan.run.replications),
    };
    let name = args.name.clone().unwrap_or_else(|| format!("sweep-{}", stem(&args.file)));
    let mut work = Work::begin(&args.work, ("sweep", &name), terminal)?;
    let mut report = SweepReport::new(&axes, &cells, effort);
    work.run(|runner| sweep::run(runner, &cells, effort, |cell, run| report.add(cell, &run)))?;
    sweep_files::write_all(&report, work.staging())?;
    work.draw(|| charts::files(sweep_charts::charts(&report)))?;
    let interrupted = report.is_interrupted();
    work.end(interrupted, |printed| match printed {
        Printed::Text { written, colour } => Ok(sweep_text::render(&report, Some(written), colour)),
        Printed::Verdict { colour } => Ok(sweep_text::verdicts_only(&report, colour)),
        Printed::Json => Ok(text_of(|out| sweep_files::write_json(&report, out))?),
    })?;
    Ok(if interrupted { Exit::Interrupted } else { Exit::Met })
}
