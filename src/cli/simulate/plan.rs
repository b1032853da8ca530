//! `brownout plan`: the largest load that each gateway carries, and which one to choose.

use std::ops::ControlFlow;

use super::availability::expect_random_faults;
use crate::cli::args::PlanArgs;
use crate::cli::exit::Exit;
use crate::cli::load::{self, Session, stem};
use crate::cli::work::warnings::Warnings;
use crate::cli::work::{Output, Work};
use crate::experiment::Runner;
use crate::plan::{Population, Traffic};
use crate::report::availability::judging::kept;
use crate::report::availability::report::AvailabilityReport;
use crate::report::export::write_plan;
use crate::report::html;
use crate::report::manifest::{RunRecord, digest};
use crate::report::markdown;
use crate::report::plan::report::CapacityReport;
use crate::report::plan::{charts, files, text, words};
use crate::report::screen;
use crate::scenario::Scenario;
use crate::scenario::read::Loaded;
use crate::study::availability::AvailabilityStudy;
use crate::study::capacity::advice::{self, Carries};
use crate::study::capacity::find;
use crate::study::capacity::finding::{Candidate, Finding, SearchEffort};
use crate::study::capacity::months;
use crate::study::capacity::sensitivity::{self, Sensitivity};
use crate::study::cost::{Prices, TIERS, tier};
use crate::study::mode::{Mode, Trial, objectives};
use crate::study::settling::{self, Settling};
use crate::verdict::Overall;

/// Plans what `args` ask for.
pub(in crate::cli) fn plan(args: &PlanArgs, session: &Session) -> anyhow::Result<Exit> {
    let prices = load::prices(args.prices.as_deref())?;
    let Some(candidates) = candidates(args, session)? else { return Ok(Exit::Error) };
    let demand = demand(args, &candidates[0].scenario)?;
    let modes = looked_at(args, &candidates)?;
    let trial = Trial { judged: args.judged, peak_ratio: args.peak_ratio };
    let replications = args.replications as usize;
    let effort =
        SearchEffort { trial, replications, tolerance: args.tolerance, demand: Some(demand) };
    let name = format!("plan-{}", stem(&args.file));
    let scenarios: Vec<_> = candidates.iter().map(|candidate| &candidate.scenario).collect();
    let work = Work::begin(&args.common, (&name, None), &scenarios, session)?;
    let have_months = have_months(args, &candidates, session)?;
    let vary = |base: &Scenario, change: &str| vary(session, args, base, change);
    let done = work.run(|runner| {
        let mut found = PlanFindings {
            findings: find::run(runner, &candidates, effort),
            kept: vec![Overall::NoObjectives; candidates.len()],
            ..PlanFindings::default()
        };
        // What follows hangs on all that was found: another round of shards sees to it.
        if runner.absent().count() > 0 {
            return found;
        }
        found.settling = settling::run(runner, &candidates, &found.findings, effort, demand);
        let (size, before) = ((demand, args.requests as f64), runner.absent().count());
        found.work_out_months(runner, &candidates, &have_months, size);
        // Which case is critical hangs on the months.
        if runner.absent().count() == before && !args.no_sensitivity {
            found.find_sensitivities(runner, &candidates, effort, (demand, &prices), &vary);
        }
        found.interrupted = runner.is_cancelled();
        found
    })?;
    let found = match done {
        ControlFlow::Continue(found) => found,
        ControlFlow::Break(exit) => return Ok(exit),
    };
    let PlanFindings { findings, settling, sensitivities, studies, kept, interrupted } = &found;
    let (months, interrupted) = (reports(&candidates, studies)?, *interrupted);
    let report = CapacityReport {
        candidates: &candidates,
        modes: &modes,
        effort,
        findings,
        settling,
        demand,
        demand_is_own: args.demand.is_none(),
        prices: &prices,
        sensitivities,
        months,
        kept,
        interrupted,
    };
    let output = Output {
        tables: files::write_tables,
        exports: Box::new(|report, out| write_plan(report, &args.export.exports(), out)),
        charts: charts::charts,
        html: html::plan,
        text: text::render,
        markdown: markdown::plan::render,
        screen: screen::studies::plan,
        verdict: text::recommendation_only,
        json: ("plan.json", files::write_json),
    };
    Ok(match work.end(&report, output, interrupted, &scenarios, records(&report))? {
        true => Exit::Interrupted,
        false => exit(&report),
    })
}

/// What a plan finds.
#[derive(Default)]
struct PlanFindings {
    findings: Vec<Finding>,
    settling: Vec<Settling>,
    sensitivities: Vec<Sensitivity>,
    /// The months of each candidate that has any.
    studies: Vec<Option<AvailabilityStudy>>,
    /// Whether they are as demanded.
    kept: Vec<Overall>,
    interrupted: bool,
}

impl PlanFindings {
    /// Works out months, of such as are wanted, of those that carry the demand, which is the first
    /// of `size`, with about so many requests.
    fn work_out_months(
        &mut self,
        runner: &Runner<'_>,
        candidates: &[Candidate],
        wanted: &[bool],
        size: (f64, f64),
    ) {
        let modes = |index: usize| candidates[index].modes.len();
        let carries = |index| advice::carries(&self.findings, index, modes(index), size.0);
        let all = 0..candidates.len();
        let wanted: Vec<bool> =
            all.map(|index| wanted[index] && carries(index) == Carries::Yes).collect();
        self.studies = months::run(runner, candidates, &wanted, size);
        let kept = |index: usize| match (&self.studies[index], wanted[index]) {
            (Some(study), _) => kept(&candidates[index].scenario, study),
            (None, true) => Overall::Undecided,
            (None, false) => Overall::NoObjectives,
        };
        self.kept = (0..candidates.len()).map(kept).collect();
    }

    /// Finds what the capacity of the critical case hangs on.
    fn find_sensitivities(
        &mut self,
        runner: &Runner<'_>,
        candidates: &[Candidate],
        effort: SearchEffort,
        (demand, prices): (f64, &Prices),
        vary: &(dyn Fn(&Scenario, &str) -> Option<Scenario> + Sync),
    ) {
        let found = &self.findings;
        let recommended = advice::recommended(candidates, found, &self.kept, demand, prices);
        let critical = advice::critical_case(candidates, found, recommended, demand);
        if let Some(critical) = critical {
            let base = &candidates[critical.candidate].scenario;
            let vary = |change: &str| vary(base, change);
            self.sensitivities = sensitivity::run(runner, base, critical, effort, &vary);
        }
    }
}

/// Of which candidates months can be worked out, if they are wanted.
fn have_months(
    args: &PlanArgs,
    candidates: &[Candidate],
    session: &Session,
) -> anyhow::Result<Vec<bool>> {
    let asked = candidates.iter().any(|one| !one.scenario.budgets.is_empty());
    if !args.months && !asked {
        return Ok(vec![false; candidates.len()]);
    }
    let can_be = |candidate: &Candidate| expect_random_faults(&candidate.scenario.plan);
    let found: Vec<anyhow::Result<()>> = candidates.iter().map(can_be).collect();
    let have: Vec<bool> = found.iter().map(Result::is_ok).collect();
    let why = found.into_iter().find_map(Result::err);
    match why {
        Some(why) if args.months && !have.contains(&true) => Err(why),
        Some(why) if !args.common.work.quiet => {
            let why = why.to_string();
            let why = why.lines().next().unwrap_or_default();
            session.terminal.say(&format!("note: no months are worked out: {why}\n"));
            Ok(have)
        }
        _ => Ok(have),
    }
}

/// The months and years of the candidates that have any, with all that is said of them.
fn reports<'a>(
    candidates: &'a [Candidate],
    studies: &'a [Option<AvailabilityStudy>],
) -> anyhow::Result<Vec<Option<AvailabilityReport<'a>>>> {
    let report = |(candidate, study): (&'a Candidate, &'a Option<AvailabilityStudy>)| {
        let report = |study| AvailabilityReport::demanded(&candidate.scenario, study);
        study.as_ref().map(report).transpose()
    };
    candidates.iter().zip(studies).map(report).collect()
}

/// What ran: findings, then months.
fn records(report: &CapacityReport) -> Vec<RunRecord> {
    let candidates = report.candidates;
    let found =
        report.findings.iter().map(|finding| record(&candidates[finding.candidate], finding));
    let months = report.months.iter().zip(candidates).filter_map(|(months, candidate)| {
        let name = format!("{}, months", candidate.name);
        Some(RunRecord::new(&name, &candidate.scenario, vec![months.as_ref()?.digest()]))
    });
    found.chain(months).collect()
}

/// A finding with the digests of all its replications, in order of load.
fn record(candidate: &Candidate, finding: &Finding) -> RunRecord {
    let name = format!("{}, {}", candidate.name, finding.mode.key());
    let digests = finding.probes.iter().flat_map(|probe| &probe.digests);
    let outcomes = digests.map(|value| digest(*value)).collect();
    RunRecord::new(&name, &candidate.scenario, outcomes)
}

/// What a plan means to a script: whether any gateway carries the demand.
fn exit(report: &CapacityReport) -> Exit {
    match report.chosen() {
        Some(_) => Exit::Met,
        None if report.fits().contains(&Carries::Undecided) => Exit::Undecided,
        None => Exit::Missed,
    }
}

/// The modes asked for, in the order of reports: else all, and the loss of a region where there are
/// several.
fn modes(args: &PlanArgs, scenario: &Scenario) -> Vec<Mode> {
    let is_usual = |mode: &Mode| *mode != Mode::RegionLoss || scenario.plan.regions.is_some();
    let wanted = |mode: &Mode| match args.mode.is_empty() {
        true => is_usual(mode),
        false => args.mode.iter().any(|m| m == mode.key()),
    };
    Mode::ALL.into_iter().filter(wanted).collect()
}

/// Those of the modes that mean something for some candidate; refuses one that was asked for and
/// means something for none.
fn looked_at(args: &PlanArgs, candidates: &[Candidate]) -> anyhow::Result<Vec<Mode>> {
    let is_used = |mode: &Mode| candidates.iter().any(|candidate| candidate.modes.contains(mode));
    for mode in Mode::ALL.into_iter().filter(|mode| !is_used(mode)) {
        let mut moot = candidates.iter().flat_map(|candidate| &candidate.left_out);
        let why = moot.find(|(one, _)| *one == mode).map(|(_, why)| *why);
        if let Some(why) = why.filter(|_| args.mode.iter().any(|asked| asked == mode.key())) {
            anyhow::bail!(
                "--mode {} means nothing here\n  = note: {}\n  = help: {}",
                mode.key(),
                words::moot(why),
                words::remedy(why)
            );
        }
    }
    Ok(Mode::ALL.into_iter().filter(is_used).collect())
}

/// The tiers asked for, or all of them; the scenario as it is, if it has none. `None` if any of
/// them cannot be used, which has then been said.
fn candidates(args: &PlanArgs, session: &Session) -> anyhow::Result<Option<Vec<Candidate>>> {
    let (mut all, mut warnings) = (Vec::<Candidate>::new(), Warnings::default());
    for tier in tiers(args, session)? {
        let name = tier.as_deref().map_or_else(|| "as written".to_owned(), called);
        let is_new = !all.iter().any(|one| one.name == name);
        anyhow::ensure!(is_new, "the tier {name} is named twice");
        let loaded = read_one(args, tier.as_deref(), session);
        let Some(scenario) = warnings.usable(loaded, session.terminal) else { return Ok(None) };
        let modes = modes(args, &scenario);
        can_be_planned(&scenario, &modes)?;
        all.push(Candidate::new(name, scenario, &modes));
    }
    if !args.common.work.quiet {
        warnings.of_any_load().say("tiers", session.terminal);
    }
    Ok(Some(all))
}

/// The tiers to look at; none, if the scenario is looked at as it is.
fn tiers(args: &PlanArgs, session: &Session) -> anyhow::Result<Vec<Option<String>>> {
    let written = read_one(args, None, session).scenario;
    let differ = written.as_ref().is_some_and(have_own_tiers);
    anyhow::ensure!(
        !differ || args.tier.is_empty(),
        "regions have tiers of their own, which --tier does not change\n  = help: plan them as \
         they are written, without --tier, or write one tier in [gateway]"
    );
    let has_tier = !differ && written.is_some_and(|of| tier(&of).is_some());
    Ok(match args.tier.is_empty() {
        false => args.tier.iter().cloned().map(Some).collect(),
        true if has_tier => TIERS.map(|tier| Some(tier.to_owned())).to_vec(),
        true => vec![None],
    })
}

/// Whether regions differ in their tiers.
fn have_own_tiers(scenario: &Scenario) -> bool {
    let is_own = |path: &str| path.starts_with("region.") && path.ends_with(".gateway.tier");
    scenario.settings.iter().any(|setting| is_own(&setting.path))
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

/// Reads the scenario, with another tier if one is given.
fn read_one(args: &PlanArgs, tier: Option<&str>, session: &Session) -> Loaded {
    let change = tier.map(|tier| format!("gateway.tier={tier}"));
    let changes: Vec<String> = args.set.iter().cloned().chain(change).collect();
    let mut loaded = session.read(&args.file, &changes).with_other_faults();
    if let Some(tier) = tier {
        loaded.source.reading = format!("with {}", called(tier));
    }
    if let Some(scenario) = &mut loaded.scenario {
        scenario.plan.run.seed = args.common.seed.unwrap_or(scenario.plan.run.seed);
    }
    loaded
}

/// Refuses what has no load to be changed, or nothing to be met.
fn can_be_planned(scenario: &Scenario, modes: &[Mode]) -> anyhow::Result<()> {
    let population = &scenario.plan.dependencies.clients.population;
    let closed = matches!(population, Population::Closed { .. });
    anyhow::ensure!(
        !closed && matches!(scenario.plan.traffic, Traffic::Process(_)),
        "the load of this scenario cannot be changed\n  = help: give it a rate: [traffic] rate = \
         \"900/s\", instead of a recording or users in a closed loop"
    );
    anyhow::ensure!(
        modes.iter().any(|mode| !objectives::of(scenario, *mode).is_empty()),
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

/// A scenario with one more change, if it can be used then.
fn vary(session: &Session, args: &PlanArgs, base: &Scenario, change: &str) -> Option<Scenario> {
    let changes = [&base.changes[..], &[change.to_owned()]].concat();
    let mut scenario = session.read(&args.file, &changes).with_other_faults().scenario?;
    scenario.plan.run.seed = base.plan.run.seed;
    Some(scenario)
}
