//! `brownout compare`: variants of a scenario side by side.

use super::args::CompareArgs;
use super::charts;
use super::exit::Exit;
use super::terminal::Terminal;
use super::variants;
use super::work::{Printed, Work, stem, text_of};
use crate::report::compare::report::CompareReport;
use crate::report::compare::{charts as compare_charts, files as compare_files, text as words};
use crate::study::compare::{self, Variant};
use crate::study::cost::Prices;

/// Compares what `args` name.
pub(super) fn compare(args: &CompareArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let prices = match &args.prices {
        Some(text) => Prices::read(text).map_err(|flaw| variants::said("--prices", flaw))?,
        None => Prices::default(),
    };
    let Some(mut all) = load(args, terminal)? else { return Ok(Exit::Error) };
    compare::align(&mut all, args.work.seed, args.replications.map(|count| count as usize));
    distinct(&all)?;
    let name = args.name.clone().unwrap_or_else(|| format!("compare-{}", stem(&args.files[0])));
    let mut work = Work::begin(&args.work, ("compare", &name), terminal)?;
    let runs = work.run(|runner| compare::run(runner, &all))?;
    let report = CompareReport::new(&all, &runs, &prices);
    compare_files::write_all(&report, work.staging())?;
    work.draw(|| charts::files(compare_charts::charts(&report)))?;
    let interrupted = report.is_interrupted();
    work.end(interrupted, |printed| match printed {
        Printed::Text { written, colour } => Ok(words::render(&report, Some(written), colour)),
        Printed::Verdict { colour } => Ok(words::verdicts_only(&report, colour)),
        Printed::Json => Ok(text_of(|out| compare_files::write_json(&report, out))?),
    })?;
    Ok(if interrupted { Exit::Interrupted } else { Exit::Met })
}

fn load(args: &CompareArgs, terminal: Terminal) -> anyhow::Result<Option<Vec<Variant>>> {
    let axes = variants::axes(&args.set)?;
    let lists =
        [variants::tiers(&args.tier), variants::named(&args.variant)?, variants::settings(&axes)];
    let variations = variants::products(&lists);
    anyhow::ensure!(
        args.files.len() * variations.len() > 1,
        "there is nothing to compare with\n  = help: name a second scenario, or make variants with \
         --tier, --variant, or --set PATH=VALUE,VALUE"
    );
    Ok(variants::load(&args.files, &variations, args.work.quiet, terminal))
}

/// Refuses variants of the same name, or that are the same.
fn distinct(all: &[Variant]) -> anyhow::Result<()> {
    for (index, one) in all.iter().enumerate() {
        for other in &all[..index] {
            anyhow::ensure!(one.name != other.name, "two variants are called {:?}", one.name);
            anyhow::ensure!(
                one.scenario.plan != other.scenario.plan,
                "the variants {:?} and {:?} are the same: what sets them apart has no effect",
                other.name,
                one.name
            );
        }
    }
    Ok(())
}
