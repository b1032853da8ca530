//! `brownout plan`: the largest load that each gateway carries, and which one to choose.

use std::path::Path;

use super::args::PlanArgs;
use super::charts;
use super::exit::Exit;
use super::load;
use super::terminal::Terminal;
use super::variants;
use super::work::{Printed, Work, stem, text_of};
use crate::plan::{Population, Traffic};
use crate::report::plan::report::CapacityReport;
use crate::report::plan::{charts as capacity_charts, files as capacity_files, text as words};
use crate::scenario::{Scenario, read};
use crate::study::capacity::advice::{self, Carries};
use crate::study::capacity::find;
use crate::study::capacity::finding::{Candidate, Effort, Finding};
use crate::study::capacity::mode::{self, Mode, Trial};
use crate::study::capacity::sensitivity::{self, Sensitivity};
use crate::study::capacity::settling;
use crate::study::cost::{Prices, TIERS, tier};

/// Plans what `args` ask for.
pub(super) fn plan(args: &PlanArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let prices = match &args.prices {
        Some(text) => Prices::read(text).map_err(|flaw| variants::said("--prices", flaw))?,
        None => Prices::default(),
    };
    let Some(candidates) = candidates(args, terminal)? else { return Ok(Exit::Error) };
    let demand = demand(args, &candidates[0].scenario)?;
    let modes = modes(args);
    let trial = Trial { judged: args.judged, peak_ratio: args.peak_ratio };
    let replications = args.replications as usize;
    let effort = Effort { trial, replications, tolerance: args.tolerance, demand: Some(demand) };
    let name = args.name.clone().unwrap_or_else(|| format!("plan-{}", stem(&args.file)));
    let mut work = Work::begin(&args.work, ("plan", &name), terminal)?;
    let (findings, settling, swings, interrupted) = work.run(|runner| {
        let findings = find::run(runner, &candidates, &modes, effort);
        let settling = settling::run(runner, &candidates, &findings, effort, demand);
        let of = (modes.len(), demand);
        let recommended = advice::recommended(&candidates, &findings, of, &prices);
        let critical_case = advice::critical_case(&candidates, &findings, recommended, demand);
        let swings = match critical_case.filter(|_| !args.no_sensitivity) {
            Some(critical_case) => {
                swings(args, runner, &candidates[critical_case.candidate], critical_case, effort)
            }
            None => Vec::new(),
        };
        (findings, settling, swings, runner.is_stopped())
    })?;
    let report = CapacityReport {
        candidates: &candidates,
        modes: &modes,
        effort,
        findings: &findings,
        settling: &settling,
        demand,
        demand_is_own: args.demand.is_none(),
        prices: &prices,
        sensitivities: &swings,
        interrupted,
    };
    capacity_files::write_all(&report, work.staging())?;
    work.draw(|| charts::files(capacity_charts::charts(&report)))?;
    work.end(interrupted, |printed| match printed {
        Printed::Text { written, colour } => Ok(words::render(&report, Some(written), colour)),
        Printed::Verdict { colour } => Ok(words::recommendation_only(&report, colour)),
        Printed::Json => Ok(text_of(|out| capacity_files::write_json(&report, out))?),
    })?;
    Ok(exit(&report))
}

/// What a plan means to a script: whether any gateway carries the demand.
fn exit(report: &CapacityReport) -> Exit {
    if report.interrupted {
        return Exit::Interrupted;
    }
    match report.chosen() {
        Some(_) => Exit::Met,
        None if report.carries().contains(&Carries::Undecided) => Exit::Undecided,
        None => Exit::Missed,
    }
}

/// The modes asked for, in the order of reports.
fn modes(args: &PlanArgs) -> Vec<Mode> {
    let wanted = |mode: &Mode| args.mode.is_empty() || args.mode.iter().any(|m| m == mode.key());
    Mode::ALL.into_iter().filter(wanted).collect()
}

/// The tiers asked for, or all of them; the scenario as it is, if it has none.
fn candidates(args: &PlanArgs, terminal: Terminal) -> anyhow::Result<Option<Vec<Candidate>>> {
    let quiet = args.work.quiet;
    let Some(written) = read_one(args, &[], quiet, terminal) else { return Ok(None) };
    can_be_planned(&written)?;
    if args.tier.is_empty() && tier(&written).is_none() {
        let name = "as written".to_owned();
        let with = read_one(args, &contracts(), true, terminal);
        return Ok(
            with.map(|with_contracts| vec![Candidate { name, scenario: written, with_contracts }])
        );
    }
    let own = TIERS.map(str::to_owned);
    let tiers = if args.tier.is_empty() { &own[..] } else { &args.tier[..] };
    let mut all: Vec<Candidate> = Vec::new();
    for tier in tiers {
        let name = called(tier);
        let is_new = !all.iter().any(|one| one.name == name);
        anyhow::ensure!(is_new, "the tier {tier:?} is named twice");
        let change = format!("gateway.tier={tier}");
        let one = read_one(args, std::slice::from_ref(&change), true, terminal);
        // What is wrong is said once.
        let Some(scenario) = one else { return Ok(None) };
        let changes = [vec![change], contracts()].concat();
        let with = read_one(args, &changes, true, terminal);
        let Some(with_contracts) = with else { return Ok(None) };
        all.push(Candidate { name, scenario, with_contracts });
    }
    Ok(Some(all))
}

/// How the vendor calls a tier.
fn called(tier: &str) -> String {
    match tier {
        "small" => "Small".to_owned(),
        "large" => "Large".to_owned(),
        "xlarge" => "Extra Large".to_owned(),
        other => other.to_owned(),
    }
}

fn contracts() -> Vec<String> {
    vec!["gateway.contracts=true".to_owned()]
}

fn read_one(
    args: &PlanArgs,
    changes: &[String],
    quiet: bool,
    terminal: Terminal,
) -> Option<Scenario> {
    let loaded = read::load_changed(&args.file, &[&args.set[..], changes].concat());
    let mut scenario = load::scenario(loaded, quiet, terminal)?;
    scenario.plan.run.seed = args.work.seed.unwrap_or(scenario.plan.run.seed);
    Some(scenario)
}

/// Refuses what has no load to be changed, or nothing to be met.
fn can_be_planned(scenario: &Scenario) -> anyhow::Result<()> {
    let around = scenario.plan.surroundings.as_ref();
    let closed =
        around.is_some_and(|around| matches!(around.clients.population, Population::Closed { .. }));
    anyhow::ensure!(
        !closed && matches!(scenario.plan.traffic, Traffic::Process(_)),
        "the load of this scenario cannot be changed\n  = help: give it a rate: [traffic] rate = \
         \"900/s\", instead of a recording or users in a closed loop"
    );
    anyhow::ensure!(
        !mode::objectives(scenario, Mode::Healthy).is_empty(),
        "the scenario has no objective that a capacity can be judged by\n  = help: write one over \
         the whole run, such as \"p99 < 250ms\""
    );
    Ok(())
}

/// The rate that is to be carried: asked for, or the scenario's highest.
fn demand(args: &PlanArgs, scenario: &Scenario) -> anyhow::Result<f64> {
    if let Some(rate) = args.demand {
        return Ok(rate.0);
    }
    match &scenario.plan.traffic {
        Traffic::Process(process) => {
            Ok(process.corners.iter().map(|(_, rate)| rate.0).fold(0.0, f64::max))
        }
        Traffic::Replay(_) => anyhow::bail!("say what is to be carried with --demand 900/s"),
    }
}

/// What the assumed settings weigh for one candidate in one mode.
fn swings(
    args: &PlanArgs,
    runner: &crate::experiment::Runner<'_>,
    candidate: &Candidate,
    critical_case: &Finding,
    effort: Effort,
) -> Vec<Sensitivity> {
    let base = candidate.scenario(critical_case.mode);
    let path: &Path = &args.file;
    let vary = |change: &str| {
        let changes = [&base.changes[..], &[change.to_owned()]].concat();
        let mut scenario = read::load_changed(path, &changes).scenario?;
        scenario.plan.run.seed = base.plan.run.seed;
        Some(scenario)
    };
    sensitivity::run(runner, base, critical_case, effort, &vary)
}
