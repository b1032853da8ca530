//! Reading a scenario: text in, a plan or all that is wrong with it out.

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::diagnostic::{Place, Problem, Source, any_error};
use crate::objective::Objective;
use crate::plan::{Fault, FaultPlan, Ingress, Plan, Run};
use crate::scenario::book::{Book, Section};
use crate::scenario::fault::{self, Targets};
use crate::scenario::gateway::{GatewayPart, TopologyPart};
use crate::scenario::keys::top as key;
use crate::scenario::run::Windows;
use crate::scenario::traffic::TrafficPart;
use crate::scenario::value::Located;
use crate::scenario::{
    Scenario, Setting, around, autoscaler, check, cluster, edit, gateway, ingress, run, sample,
    startup, syntax, traffic,
};
use crate::units::Instant;

/// The largest scenario that is read: 1 MiB.
pub const SCENARIO_LIMIT: u64 = 1 << 20;

/// The most problems that are handed on.
const PROBLEM_LIMIT: usize = 100;

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
    match sample::text(path, SCENARIO_LIMIT) {
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
    let mut book = Book::new(text, base);
    let parts = scenario(&mut book, table.get_ref());
    if !flaws.is_empty() {
        book.problems = syntax::merge(text, &flaws, book.problems);
    }
    book.problems.sort_by_key(position);
    let problems = capped(&book.problems);
    let sound = !any_error(&problems);
    let scenario = parts.filter(|_| sound).map(|parts| {
        let path = PathBuf::from(name);
        let stem = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into());
        let Parts { question, plan, objectives } = parts;
        let settings = book.into_settings();
        let (text, changes) = (text.to_owned(), Vec::new());
        Scenario { path, name: stem, question, text, changes, plan, objectives, settings }
    });
    Loaded { scenario, problems, source }
}

/// The problems, or as many as a person would read, errors before warnings.
fn capped(problems: &[Problem]) -> Vec<Problem> {
    if problems.len() <= PROBLEM_LIMIT {
        return problems.to_vec();
    }
    let mut kept = problems.to_vec();
    kept.sort_by_key(|problem| problem.severity);
    kept.truncate(PROBLEM_LIMIT);
    let title = format!("{} further problems are not shown", problems.len() - PROBLEM_LIMIT);
    kept.push(Problem { severity: kept[0].severity, ..Problem::error(Place::Whole, title) });
    kept
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
struct Parts {
    question: String,
    plan: Plan,
    objectives: Vec<Objective>,
}

/// Which sections are free of errors, so that checks across them make sense.
struct Sound {
    gateway: bool,
    ingress: bool,
    faults: bool,
}

fn scenario<'a>(book: &mut Book<'a>, table: &'a DeTable<'a>) -> Option<Parts> {
    let top = book.top(table);
    let example = "question = \"What does a replica crash do?\"";
    let question = book.require(&top, key::QUESTION, example).map(|question| question.value);
    let texts = book.find(&top, key::OBJECTIVES).map(|texts| texts.value).unwrap_or_default();

    let before = book.errors();
    let gateway = gateway::read(book, &top);
    let topology = gateway::read_topology(book, &top, &gateway.replicas);
    let gateway_sound = book.errors() == before;
    if gateway_sound {
        check::product(book, &gateway, &topology);
    }
    let run = run::read(book, &top);
    let before = book.errors();
    let ingress = ingress::read(book, &top, &gateway, topology.plan.zones.len());
    let ingress_sound = book.errors() == before;
    let probes = startup::read_probes(book, &top, &gateway);
    let startup = startup::read(book, &top, &gateway, &probes);
    let detection = startup::read_detection(book, &top, &probes);
    let termination = cluster::read_termination(book, &top, &detection);
    let nodes = cluster::read(book, &top, &topology.plan);
    let upgrade = cluster::read_upgrade(book, &top);
    let autoscaling = autoscaler::read(book, &top, &gateway);
    let horizon = run.map(|run| run.horizon);
    let before = book.errors();
    let surroundings = around::read(book, &top, &gateway, &ingress);
    let around_sound = book.errors() == before;
    let traffic = traffic::read(book, &top, horizon, gateway.plan.replicas, surroundings.as_ref());

    let targets = Targets {
        topology: &topology.plan,
        instances: ingress.instances.len(),
        known_nodes: nodes.per_zone.is_some(),
        provisioner: nodes.provisioning.is_some(),
        around: surroundings.as_ref(),
        contracts: gateway.contracts,
        sound: gateway_sound && ingress_sound && around_sound,
    };
    let (faults, faults_sound) = faults(book, &top, &targets, run.as_ref(), &topology, &ingress);
    let sound = Sound { gateway: gateway_sound, ingress: ingress_sound, faults: faults_sound };
    let plan = |run: Run| Plan {
        gateway: gateway.plan.clone(),
        topology: topology.plan.clone(),
        ingress,
        traffic: traffic.plan.clone(),
        surroundings,
        startup,
        detection,
        nodes,
        upgrade,
        termination,
        autoscaling,
        faults,
        windows: Vec::new(),
        run,
    };
    let plan = plan(run.unwrap_or_else(stand_in));
    let (plan, objectives) = finish(book, plan, &texts, &sound, run.is_some(), &gateway, &traffic);
    run?;
    Some(Parts { question: question?, plan, objectives })
}

/// Stands in for a run that could not be read, so that the rest can be checked.
fn stand_in() -> Run {
    let horizon = Instant::NEVER;
    Run { horizon, warm_up: Instant::ZERO, seed: 0, replications: 1, bin: run::bin(horizon) }
}

fn faults<'a>(
    book: &mut Book<'a>,
    top: &Section<'a>,
    targets: &Targets<'_>,
    run: Option<&Run>,
    topology: &TopologyPart,
    ingress: &Ingress,
) -> (Vec<FaultPlan>, bool) {
    let before = book.errors();
    let faults = fault::read(book, top, targets);
    let sound = book.errors() == before;
    if let Some(run) = run {
        fault::check_times(book, &faults, run.horizon, run.warm_up, targets);
    }
    let outage = faults.iter().find(|(fault, _)| matches!(fault.fault, Fault::ZoneOutage(..)));
    check::only_zone(book, topology, outage.map(|(_, place)| place));
    check::only_ingress(book, topology, ingress, &faults);
    (faults.into_iter().map(|(fault, _)| fault).collect(), sound)
}

/// Adds the windows, reads the objectives and checks across sections.
fn finish(
    book: &mut Book<'_>,
    mut plan: Plan,
    texts: &[Located<String>],
    sound: &Sound,
    run_sound: bool,
    gateway: &GatewayPart,
    traffic: &TrafficPart,
) -> (Plan, Vec<Objective>) {
    let mut windows = Windows::new(&plan.faults);
    let objectives = run::objectives(book, texts, &mut windows, sound.faults);
    windows.add_faults();
    plan.windows = windows.windows;
    if run_sound {
        run::check_windows(book, &objectives, &plan.windows, &plan.run);
        check::size(book, &plan, traffic.peak.as_ref());
    }
    if sound.gateway {
        check::load(book, &plan, traffic.peak.as_ref(), gateway.rating);
    }
    if sound.faults && sound.gateway {
        check::rollout(book, &plan);
    }
    if sound.faults {
        check::objectives(book, &plan, &objectives, sound.ingress && sound.gateway);
    }
    (plan, objectives.into_iter().map(|(objective, _)| objective).collect())
}
