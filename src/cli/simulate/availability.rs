//! `brownout availability`: what faults at random cost in months and years.

use std::ops::ControlFlow;

use crate::cli::args::AvailabilityArgs;
use crate::cli::exit::Exit;
use crate::cli::load::{self, Session, stem};
use crate::cli::work::{Output, Work, memory};
use crate::plan::{Plan, Schedule};
use crate::report::availability::judging::LongRunDemands;
use crate::report::availability::{charts, files, report::AvailabilityReport, text};
use crate::report::export::write_availability;
use crate::report::html;
use crate::report::manifest::RunRecord;
use crate::report::markdown;
use crate::report::screen;
use crate::study::availability;
use crate::verdict::Overall;

/// Works out the availability of a scenario.
pub(in crate::cli) fn availability(
    args: &AvailabilityArgs,
    session: &Session,
) -> anyhow::Result<Exit> {
    let mut changes = args.set.clone();
    if args.typical {
        changes.push("typical-faults=all".to_owned());
    }
    let loaded = session.load(&args.file, &changes, args.common.work.quiet);
    let Some(mut scenario) = loaded else { return Ok(Exit::Error) };
    load::change(&mut scenario, args.common.seed, None);
    expect_random_faults(&scenario.plan)?;
    let demands = LongRunDemands::of(&scenario, args.target, args.rto);
    memory::afford(&args.common.work, &[&scenario], 1)?;
    let name = format!("availability-{}", stem(&args.file));
    let work = Work::begin(&args.common, (&name, None), &[&scenario], session)?;
    let done =
        work.run(|runner| availability::run(runner, &scenario.plan, args.requests as f64))?;
    let study = match done {
        ControlFlow::Continue(study) => study,
        ControlFlow::Break(exit) => return Ok(exit),
    };
    if study.interrupted {
        session.terminal.say("stopped before all pieces were there; --resume goes on with them\n");
        return Ok(Exit::Interrupted);
    }
    let report = AvailabilityReport::new(&scenario, &study, demands)?;
    let record = RunRecord::new(&scenario.name, &scenario, vec![report.digest()]);
    let exports = args.export.exports();
    let output = Output {
        tables: files::write_tables,
        exports: Box::new(|report, staging| write_availability(report, &exports, staging)),
        charts: charts::charts,
        html: html::availability,
        text: text::render,
        markdown: markdown::availability::render,
        screen: screen::studies::availability,
        verdict: text::verdicts_only,
        json: ("availability.json", files::write_json),
    };
    let overall = report.overall();
    Ok(match work.end(&report, output, false, &[&scenario], vec![record])? {
        true => Exit::Interrupted,
        false => match overall {
            Overall::NoObjectives | Overall::Met => Exit::Met,
            Overall::Missed => Exit::Missed,
            Overall::Undecided => Exit::Undecided,
        },
    })
}

/// Refuses what strikes by themselves do not make up.
pub(in crate::cli) fn expect_random_faults(plan: &Plan) -> anyhow::Result<()> {
    let is_random = |fault: &crate::plan::FaultPlan| matches!(fault.schedule, Schedule::Random(_));
    anyhow::ensure!(
        plan.faults.iter().any(is_random),
        "no fault strikes at random, so nothing says how often one comes\n  = help: --typical adds \
         those that are known or assumed to come; or write every = \"exponential(90d)\" with your \
         own figures instead of at"
    );
    let often: f64 = availability::recurring::recurring(plan, plan.slots())
        .iter()
        .map(|kind| kind.per_second * kind.mean_window())
        .sum();
    anyhow::ensure!(
        often < 3.0,
        "faults strike so often that {} are in progress at a time in the mean\n  = help: this is \
         for faults that come seldom; a run of a day shows such as these",
        crate::units::three_digits(often)
    );
    Ok(())
}
