//! Reading a scenario: text in, a plan or all that is wrong with it out.

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::diagnostic::{Place, Problem, Source, any_error};
use crate::objective::Objective;
use crate::plan::{Fault, FaultPlan, Ingress, Plan, Run};
use crate::scenario::fault::section as fault;
use crate::scenario::fault::target::Targets;
use crate::scenario::reader::Reader;
use crate::scenario::reader::setting::{Mark, Setting};
use crate::scenario::reader::syntax;
use crate::scenario::request::{api, dependencies};
use crate::scenario::section::gateway::{GatewayPart, Tier};
use crate::scenario::section::objectives::{self, KnownNames, key};
use crate::scenario::section::topology::TopologyPart;
use crate::scenario::section::{autoscaler, gateway, nodes, run, startup, topology};
use crate::scenario::text::Located;
use crate::scenario::text::file;
use crate::scenario::traffic::arrivals::{self, TrafficPart};
use crate::scenario::{check, edit, ingress, keys};
use crate::units::Instant;

/// The largest scenario that is read: 1 MiB.
pub const SCENARIO_LIMIT: u64 = 1 << 20;

/// The most problems that are handed on.
const PROBLEM_LIMIT: usize = 100;

/// A scenario that was read and found sound.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Where it was read from.
    pub path: PathBuf,
    /// Its name: the file's without extension.
    pub name: String,
    /// The question it answers.
    pub question: String,
    /// The text as read.
    pub text: String,
    /// What the command line changes in it, such as `gateway.replicas=3`; the rest follows from
    /// text and changes.
    pub changes: Vec<String>,
    /// What will be simulated.
    pub plan: Plan,
    /// What is demanded, in the order of the file.
    pub objectives: Vec<Objective>,
    /// Every setting as resolved, in the order of the reference, with where its value comes from.
    pub settings: Vec<Setting>,
    /// Of a managed gateway that cannot be had: how its tier is sold, and what this is instead.
    pub what_if: Option<String>,
    /// Of traffic from a file: how it was read, what was left out and assumed.
    pub replay_said: Vec<String>,
}

impl Scenario {
    /// The question as a sentence that another may follow.
    pub fn sentence(&self) -> String {
        let question = self.question.trim_end();
        let ends = question.is_empty() || question.ends_with(['.', '?', '!', '…']);
        format!("{question}{}", if ends { "" } else { "." })
    }
}

/// What became of a scenario file.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The scenario; `None` if there is any error.
    pub scenario: Option<Scenario>,
    /// Errors and warnings, in the order of the file.
    pub problems: Vec<Problem>,
    /// The text, to show the problems in.
    pub source: Source,
}

/// Reads a scenario file. Paths in it start from its folder.
pub fn load(path: &Path) -> Loaded {
    load_changed(path, &[])
}

/// Reads a scenario file with settings changed; see [`edit::apply`].
pub fn load_changed(path: &Path, changes: &[String]) -> Loaded {
    let name = path.display().to_string();
    match file::text(path, SCENARIO_LIMIT) {
        Ok(text) => {
            let base = path.parent().unwrap_or(Path::new(""));
            let mut loaded = parse_changed(&name, &text, base, changes);
            if let Some(scenario) = &mut loaded.scenario {
                scenario.path = path.to_owned();
            }
            loaded
        }
        Err(why) => {
            let title = format!("cannot read the scenario: {why}");
            let source = Source { name, text: String::new() };
            let problems = vec![Problem::error(Place::Whole, title)];
            Loaded { scenario: None, problems, source }
        }
    }
}

/// [`parse`] with settings changed; see [`edit::apply`]. Problems are shown in the text as it is
/// then.
pub fn parse_changed(name: &str, text: &str, base: &Path, changes: &[String]) -> Loaded {
    let changed = edit::apply(text, changes);
    let mut loaded = parse(name, &changed.text, base);
    if !changes.is_empty() {
        loaded.source.name = format!("{name}, as changed by --set");
    }
    if !changed.problems.is_empty() {
        return Loaded { scenario: None, problems: changed.problems, ..loaded };
    }
    if let Some(scenario) = &mut loaded.scenario {
        text.clone_into(&mut scenario.text);
        scenario.changes = changes.to_vec();
        let set = |setting: &&mut Setting| changed.paths.contains(&setting.path);
        scenario.settings.iter_mut().filter(set).for_each(Setting::say_command_line);
    }
    loaded
}

/// Reads the text of a scenario; `name` is what problems call it, `base` is the folder from which
/// paths in it start.
pub fn parse(name: &str, text: &str, base: &Path) -> Loaded {
    let source = Source { name: name.to_owned(), text: text.to_owned() };
    if text.len() as u64 > SCENARIO_LIMIT {
        let title = format!("the scenario is larger than {SCENARIO_LIMIT} bytes");
        let problems = vec![Problem::error(Place::Whole, title)];
        return Loaded { scenario: None, problems, source };
    }
    let (table, flaws) = DeTable::parse_recoverable(text);
    let reader = Reader::new(text, base, table.get_ref(), &keys::FORMAT);
    let parts = scenario(&reader);
    let (mut problems, settings, replay_said) = reader.notes.finish();
    if !flaws.is_empty() {
        problems = syntax::merge(text, &flaws, problems);
    }
    problems.sort_by_key(position);
    let problems = capped(problems);
    let sound = !any_error(&problems);
    let scenario = parts.filter(|_| sound).map(|parts| {
        let path = PathBuf::from(name);
        let stem = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into());
        let ScenarioParts { question, plan, objectives, what_if } = parts;
        let (text, changes) = (text.to_owned(), Vec::new());
        let mut settings = settings;
        say_settled(&mut settings, &plan);
        Scenario {
            path,
            name: stem,
            question,
            text,
            changes,
            plan,
            objectives,
            settings,
            what_if,
            replay_said,
        }
    });
    Loaded { scenario, problems, source }
}

/// Says with how many replicas a run starts, and where, if that follows from the load.
fn say_settled(settings: &mut [Setting], plan: &Plan) {
    let held_in = |zone| plan.topology.placement.iter().filter(|of| **of == zone).count();
    let per_zone: Vec<usize> = (0..plan.topology.zones.len()).map(held_in).collect();
    for (path, value) in [
        ("gateway.replicas", plan.gateway.replicas.to_string()),
        ("topology.replicas-per-zone", format!("{per_zone:?}")),
    ] {
        let differs = |one: &&mut Setting| one.path == path && one.value != value;
        if let Some(setting) = settings.iter_mut().find(differs) {
            setting.source = "what the autoscaler holds at the first rate".to_owned();
            (setting.value, setting.mark) = (value, Mark::Inferred);
        }
    }
}

/// The problems, or as many as a person would read, errors before warnings.
fn capped(mut problems: Vec<Problem>) -> Vec<Problem> {
    if problems.len() > PROBLEM_LIMIT {
        let title = format!("{} further problems are not shown", problems.len() - PROBLEM_LIMIT);
        problems.sort_by_key(|problem| problem.severity);
        problems.truncate(PROBLEM_LIMIT);
        let severity = problems[0].severity;
        problems.push(Problem { severity, ..Problem::error(Place::Whole, title) });
    }
    problems
}

/// Problems of the whole file first, then in the order of the text, then those of other files.
fn position(problem: &Problem) -> (u8, usize) {
    match &problem.place {
        Place::Whole => (0, 0),
        Place::Span(span) => (1, span.start),
        Place::Elsewhere { line, .. } => (2, *line),
    }
}

/// What a scenario is made of.
struct ScenarioParts {
    question: String,
    plan: Plan,
    objectives: Vec<Objective>,
    what_if: Option<String>,
}

/// Which sections are free of errors, so that checks across them make sense.
struct Sound {
    gateway: bool,
    ingress: bool,
    faults: bool,
    dependencies: bool,
}

fn scenario(reader: &Reader<'_>) -> Option<ScenarioParts> {
    let top = reader.section(&key::SPEC);
    let example = "question = \"What does a replica crash do?\"";
    let question = top.require(key::QUESTION, example).map(|question| question.value);
    let texts = top.find(key::OBJECTIVES).map(|texts| texts.value).unwrap_or_default();

    let (gateway, capacity_sound) = reader.is_sound(|| gateway::read(reader));
    let (topology, placed) = reader.is_sound(|| topology::read(reader, &gateway.replicas));
    let gateway_sound = capacity_sound && placed;
    let run = run::read(reader);
    let zones = &topology.plan;
    let (ingress, ingress_sound) = reader.is_sound(|| ingress::read(reader, &gateway, zones));
    let (dependencies, dependencies_sound) =
        reader.is_sound(|| dependencies::read(reader, &gateway, &ingress));
    let probes = startup::read_probes(reader, &gateway, &dependencies.upstreams);
    let apis = reader.has_any(&dependencies::SECTIONS).then_some(&dependencies.apis[..]);
    let startup = startup::read(reader, &gateway, &probes, apis);
    let detection = startup::read_detection(reader, &probes);
    let termination = nodes::read_termination(reader, &detection);
    let (nodes, supply) = nodes::read(reader);
    let (upgrade, budget) = nodes::read_upgrade(reader);
    let (autoscaling, scaling_sound) = reader.is_sound(|| autoscaler::read(reader, &gateway));
    let what_if = match gateway_sound && scaling_sound {
        true => check::product(reader, &gateway, autoscaling.as_ref(), &topology),
        false => None,
    };
    let replicas = gateway.plan.replicas;
    let traffic = arrivals::read(reader, run.map(|run| run.horizon), replicas, &dependencies);

    let mut plan = Plan {
        gateway: gateway.plan.clone(),
        topology: topology.plan.clone(),
        ingress,
        traffic: traffic.plan.clone(),
        dependencies,
        startup,
        detection,
        nodes,
        upgrade,
        termination,
        autoscaling,
        faults: Vec::new(),
        windows: Vec::new(),
        run: run.unwrap_or_else(stand_in),
        regions: None,
    };
    let budget = Some(budget).filter(|_| gateway_sound && scaling_sound);
    settle(reader, &mut plan, &topology, (supply, budget));
    let targets = Targets {
        topology: &plan.topology,
        instances: plan.ingress.instances.len(),
        nodes: &plan.nodes,
        goals: plan.autoscaling.as_ref().map_or(&[][..], |one| &one.spec.goals),
        scales: gateway.tier.is_none_or(Tier::scales),
        dependencies: &plan.dependencies,
        contracts: gateway.contracts,
        sound: gateway_sound && ingress_sound && dependencies_sound,
    };
    let (faults, faults_sound) = faults(reader, &targets, run.as_ref(), &topology, &plan.ingress);
    plan.faults = faults;
    let sound = Sound {
        gateway: gateway_sound,
        ingress: ingress_sound,
        faults: faults_sound,
        dependencies: dependencies_sound,
    };
    let objectives = finish(reader, &mut plan, (&texts, run.is_some()), &sound, &gateway, &traffic);
    run?;
    Some(ScenarioParts { question: question?, plan, objectives, what_if })
}

/// Gives an autoscaled gateway the replicas to start with, if nobody says which.
fn settle(
    reader: &Reader<'_>,
    plan: &mut Plan,
    topology: &TopologyPart,
    (supply, budget): (Place, Option<Place>),
) {
    if !topology.placed {
        plan.settle();
    }
    nodes::check_room(reader, plan, supply);
    if let Some(budget) = budget {
        nodes::check_budget(reader, plan, budget);
    }
}

/// Stands in for a run that could not be read, so that the rest can be checked.
fn stand_in() -> Run {
    let horizon = Instant::NEVER;
    Run { horizon, warm_up: Instant::ZERO, seed: 0, replications: 1, bin: run::bin(horizon) }
}

fn faults(
    reader: &Reader<'_>,
    targets: &Targets<'_>,
    run: Option<&Run>,
    topology: &TopologyPart,
    ingress: &Ingress,
) -> (Vec<FaultPlan>, bool) {
    let (faults, sound) = reader.is_sound(|| fault::read(reader, targets));
    if let Some(run) = run {
        fault::check_times(reader, &faults, run.horizon, run.warm_up, targets);
    }
    let outage = faults.iter().find(|(fault, _)| matches!(fault.fault, Fault::ZoneOutage(..)));
    check::only_zone(reader, topology, outage.map(|(_, place)| place));
    check::only_ingress(reader, topology, ingress, &faults);
    (faults.into_iter().map(|(fault, _)| fault).collect(), sound)
}

/// Adds the windows, reads the objectives and checks across sections.
fn finish(
    reader: &Reader<'_>,
    plan: &mut Plan,
    (texts, run_sound): (&[Located<String>], bool),
    sound: &Sound,
    gateway: &GatewayPart,
    traffic: &TrafficPart,
) -> Vec<Objective> {
    let has_apis = reader.has_any(&[&api::key::SPEC]);
    let (objectives, windows) = objectives::read(
        reader,
        texts,
        &KnownNames {
            faults: &plan.faults,
            apis: if has_apis { &plan.dependencies.apis } else { &[] },
            faults_sound: sound.faults,
            apis_sound: sound.dependencies,
        },
    );
    plan.windows = windows;
    if run_sound {
        objectives::check_windows(reader, &objectives, &plan.windows, &plan.run);
        check::size(reader, plan, traffic.peak.as_ref());
    }
    if sound.gateway {
        check::load(reader, plan, traffic.peak.as_ref(), gateway.rating);
        check::starved_start(reader, plan, traffic.peak.as_ref());
    }
    check::boot(reader, plan);
    check::upstreams(reader, plan);
    check::retries(reader, plan);
    if sound.faults && sound.gateway {
        check::rollout(reader, plan);
    }
    if sound.faults {
        check::objectives(reader, plan, &objectives, sound.ingress && sound.gateway);
    }
    objectives.into_iter().map(|(objective, _)| objective).collect()
}
