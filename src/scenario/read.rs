//! Reading a scenario: text in, a plan or all that is wrong with it out.

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::diagnostic::{Place, Problem, Severity, Source, any_error};
use crate::objective::Objective;
use crate::objective::budget::BudgetObjective;
use crate::plan::{Fault, Plan, Run};
use crate::scenario::assemble::{self, Assembled};
use crate::scenario::fault::section::{self as fault, Strikable};
use crate::scenario::fault::target::PlacedFault;
use crate::scenario::fault::typical::TypicalKinds;
use crate::scenario::reader::setting::{Mark, Setting};
use crate::scenario::reader::syntax;
use crate::scenario::reader::{Parsed, Reader};
use crate::scenario::region::check as region;
use crate::scenario::region::split::split;
use crate::scenario::region::whole::{self, RegionParts};
use crate::scenario::request::api;
use crate::scenario::section::objectives::{self, KnownNames, ReadObjectives, key};
use crate::scenario::section::run;
use crate::scenario::text::Located;
use crate::scenario::text::file;
use crate::scenario::{check, edit, keys};
use crate::units::Share;

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
    /// What is demanded of runs, in the order of the file.
    pub objectives: Vec<Objective>,
    /// What is demanded of months and years, which no run judges.
    pub budgets: Vec<BudgetObjective>,
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
    /// The scenario, if all errors are that its own faults lack what is demanded of them.
    but_for_faults: Option<Box<Scenario>>,
}

impl Loaded {
    /// What is to be said where other faults take the place of the scenario's own: not what these
    /// lack.
    pub fn with_other_faults(mut self) -> Loaded {
        if let Some(scenario) = self.but_for_faults.take() {
            self.problems.retain(|problem| !problem.of_faults);
            self.scenario = Some(*scenario);
        }
        self
    }

    /// The scenario, whatever its own faults lack.
    pub(crate) fn scenario_mut(&mut self) -> Option<&mut Scenario> {
        self.scenario.as_mut().or(self.but_for_faults.as_deref_mut())
    }
}

/// Reads a scenario file. Paths in it start from its folder.
pub fn load(path: &Path) -> Loaded {
    load_changed(path, &[])
}

/// Reads a scenario file with settings changed; see [`edit::apply`].
pub fn load_changed(path: &Path, changes: &[String]) -> Loaded {
    load_text(path, file::text(path, SCENARIO_LIMIT), changes)
}

/// The same of a scenario whose text was read elsewhere, or could not be, for the reason given.
pub fn load_text(path: &Path, text: Result<String, String>, changes: &[String]) -> Loaded {
    let name = path.display().to_string();
    match text {
        Ok(text) => {
            let base = path.parent().unwrap_or(Path::new(""));
            let mut loaded = parse_changed(&name, &text, base, changes);
            if let Some(scenario) = loaded.scenario_mut() {
                scenario.path = path.to_owned();
            }
            loaded
        }
        Err(why) => {
            let title = format!("cannot read the scenario: {why}");
            let source = Source { name, ..Source::default() };
            let problem = Problem::error(Place::Whole, title);
            let problems = vec![problem.help(file::instead(path))];
            Loaded { scenario: None, problems, source, but_for_faults: None }
        }
    }
}

/// The name of a scenario: that of its file, without folder and extension.
pub fn stem(path: &Path) -> String {
    match path == Path::new(file::STANDARD_INPUT) {
        true => "stdin".to_owned(),
        false => path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into()),
    }
}

/// [`parse`] with settings changed; see [`edit::apply`]. Problems are shown in the text as it is
/// then.
pub fn parse_changed(name: &str, text: &str, base: &Path, changes: &[String]) -> Loaded {
    let changed = edit::apply(text, changes);
    let mut loaded = parse(name, &changed.text, base);
    if !changes.is_empty() {
        loaded.source.reading = "as changed by --set".to_owned();
    }
    if !changed.problems.is_empty() {
        let (scenario, but_for_faults) = (None, None);
        return Loaded { scenario, problems: changed.problems, but_for_faults, ..loaded };
    }
    if let Some(scenario) = loaded.scenario_mut() {
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
    let source = Source { name: name.to_owned(), text: text.to_owned(), reading: String::new() };
    if text.len() as u64 > SCENARIO_LIMIT {
        let title = format!("the scenario is larger than {SCENARIO_LIMIT} bytes");
        let problems = vec![Problem::error(Place::Whole, title)];
        return Loaded { scenario: None, problems, source, but_for_faults: None };
    }
    let (table, flaws) = DeTable::parse_recoverable(text);
    let split = split(table.get_ref());
    let top = split.as_ref().map_or(table.get_ref(), |split| &split.common);
    let reader = Reader::new(text, base, top, &keys::FORMAT);
    let regions = split.as_ref().map_or(&[][..], |split| &split.regions);
    let new = |region| Reader::new(text, base, region, &keys::FORMAT);
    let files: Vec<Reader<'_>> = regions.iter().map(new).collect();
    let parts = scenario(&reader, &files);
    let (mut problems, mut settings, mut replay_said) = reader.notes.finish();
    problems.extend(split.iter().flat_map(|split| &split.problems).cloned());
    match &parts {
        Some(parts) if !files.is_empty() => {
            let noted = noted_of_regions(files, &parts.plan, &mut replay_said);
            whole::absorb((&mut problems, &mut settings), noted);
        }
        Some(parts) => say_settled(&mut settings, &parts.plan),
        None => {
            let noted = files.into_iter().flat_map(|file| file.notes.finish().0);
            let new: Vec<Problem> = noted.filter(|one| !problems.contains(one)).collect();
            problems.extend(new);
            problems.dedup();
        }
    }
    if !flaws.is_empty() {
        problems = syntax::merge(text, &flaws, problems);
    }
    problems.sort_by_key(position);
    let problems = capped(problems);
    let sound = !any_error(&problems);
    let is_error = |one: &&Problem| one.severity == Severity::Error;
    let usable = problems.iter().filter(is_error).all(|error| error.of_faults);
    let scenario = parts.filter(|_| usable).map(|parts| {
        let path = PathBuf::from(name);
        let stem = stem(&path);
        let ScenarioParts { question, plan, objectives, budgets, what_if } = parts;
        let (text, changes) = (text.to_owned(), Vec::new());
        Scenario {
            path,
            name: stem,
            question,
            text,
            changes,
            plan,
            objectives,
            budgets,
            settings,
            what_if,
            replay_said,
        }
    });
    let (scenario, but_for_faults) = match sound {
        true => (scenario, None),
        false => (None, scenario.map(Box::new)),
    };
    Loaded { scenario, problems, source, but_for_faults }
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
    budgets: Vec<BudgetObjective>,
    what_if: Option<String>,
}

/// What is noted of each region's file, with the replicas that its run starts with; how traffic was
/// read is said once.
fn noted_of_regions(
    files: Vec<Reader<'_>>,
    plan: &Plan,
    replay_said: &mut Vec<String>,
) -> Vec<(String, Vec<Problem>, Vec<Setting>)> {
    let regions = plan.regions.iter().flat_map(|regions| &regions.all);
    let noted = files.into_iter().zip(regions).map(|(file, region)| {
        let (problems, mut settings, said) = file.notes.finish();
        if replay_said.is_empty() {
            *replay_said = said;
        }
        say_settled(&mut settings, &region.gateway);
        (region.name.clone(), problems, settings)
    });
    noted.collect()
}

/// One gateway, or several regions.
enum GatewayParts {
    One(Box<Assembled>),
    Regions(RegionParts),
}

impl GatewayParts {
    /// The gateways, in the order of their regions.
    fn all(&self) -> &[Assembled] {
        match self {
            GatewayParts::One(one) => std::slice::from_ref(one),
            GatewayParts::Regions(regions) => &regions.gateways,
        }
    }

    fn what_if(&self) -> Option<String> {
        match self {
            GatewayParts::One(one) => one.what_if.clone(),
            GatewayParts::Regions(regions) => regions.what_if(),
        }
    }

    fn strikable(&self) -> Strikable<'_> {
        let regions = match self {
            GatewayParts::One(_) => &[][..],
            GatewayParts::Regions(regions) => &regions.keys,
        };
        Strikable { regions, targets: self.all().iter().map(Assembled::targets).collect() }
    }
}

/// Reads a scenario: what regions are is read in `files` of their own.
fn scenario(reader: &Reader<'_>, files: &[Reader<'_>]) -> Option<ScenarioParts> {
    let top = reader.section(&key::SPEC);
    let example = "question = \"What does a replica crash do?\"";
    let question = top.require(key::QUESTION, example).map(|question| question.value);
    let texts = top.find(key::OBJECTIVES).map(|texts| texts.value).unwrap_or_default();
    let run = run::read(reader);
    let parts = match files {
        [] => {
            whole::check_alone(reader);
            GatewayParts::One(Box::new(assemble::read(reader, run, Share::ONE)))
        }
        files => GatewayParts::Regions(whole::read(reader, files, run)?),
    };
    let mut plan = parts.all()[0].plan.clone();
    let typical = top.parsed(key::TYPICAL);
    let (faults, faults_sound) = faults(reader, &parts, run.as_ref(), &typical);
    let of_fault = faults.iter().map(|fault| fault.region).collect();
    let places: Vec<Place> = faults.iter().map(|fault| fault.place.clone()).collect();
    plan.faults = faults.into_iter().map(|fault| fault.plan).collect();
    let ReadObjectives { all: mut objectives, budgets, windows } =
        objectives(reader, &parts, &plan, (&texts, faults_sound));
    plan.windows = windows;
    if let GatewayParts::Regions(regions) = &parts {
        plan = regions.join(reader, plan, of_fault);
    }
    let sound = faults_sound && plan.regions.is_some() != files.is_empty();
    objectives::set_points(reader, &plan, &mut objectives, sound);
    let read = (&objectives[..], faults_sound);
    finish(reader, files, (&parts, &plan, &places), read, run.is_some());
    if faults_sound {
        objectives::check_budgets(reader, &budgets, &plan);
    }
    run?;
    let objectives = objectives.into_iter().map(|(objective, _)| objective).collect();
    let budgets = budgets.into_iter().map(|(budget, _)| budget).collect();
    let (question, what_if) = (question?, parts.what_if());
    Some(ScenarioParts { question, plan, objectives, budgets, what_if })
}

fn faults(
    reader: &Reader<'_>,
    parts: &GatewayParts,
    run: Option<&Run>,
    typical: &Parsed<TypicalKinds>,
) -> (Vec<PlacedFault>, bool) {
    let strikable = parts.strikable();
    let (faults, sound) = reader.is_sound(|| fault::read(reader, &strikable, typical));
    if let Some(run) = run {
        fault::check_times(reader, &faults, run.horizon, run.warm_up, &strikable);
    }
    for (index, gateway) in parts.all().iter().enumerate() {
        let of_it = faults.iter().filter(|fault| fault.region.unwrap_or(index) == index);
        let of_it: Vec<_> = of_it.map(|fault| (&fault.plan, &fault.place)).collect();
        let mut outages =
            of_it.iter().filter(|(one, _)| matches!(one.fault, Fault::ZoneOutage(..)));
        check::only_zone(reader, &gateway.topology, outages.next().map(|(_, place)| *place));
        check::only_ingress(reader, &gateway.topology, &gateway.plan.ingress, &of_it);
    }
    (faults, sound)
}

/// Reads the objectives, with their places, and finds the windows.
fn objectives(
    reader: &Reader<'_>,
    parts: &GatewayParts,
    plan: &Plan,
    (texts, faults_sound): (&[Located<String>], bool),
) -> ReadObjectives {
    let (kind, names) = match parts {
        GatewayParts::One(one) if reader.has_any(&[&api::key::SPEC]) => {
            let apis = one.plan.dependencies.apis.iter();
            ("API", apis.map(|api| api.name.clone()).collect())
        }
        GatewayParts::One(_) => ("API", Vec::new()),
        GatewayParts::Regions(regions) => {
            ("region", regions.keys.iter().map(|region| region.name.clone()).collect())
        }
    };
    let apis_sound = parts.all().iter().all(|one| one.sound.dependencies);
    let known = KnownNames { faults: &plan.faults, kind, names, faults_sound, apis_sound };
    objectives::read(reader, texts, &known)
}

/// Checks across sections.
fn finish(
    reader: &Reader<'_>,
    files: &[Reader<'_>],
    (parts, plan, places): (&GatewayParts, &Plan, &[Place]),
    (objectives, faults_sound): (&[(Objective, Place)], bool),
    run_sound: bool,
) {
    let first = &parts.all()[0];
    if run_sound {
        objectives::check_windows(reader, objectives, &plan.windows, &plan.run);
        check::size(reader, plan, first.traffic.peak.as_ref());
    }
    match parts {
        GatewayParts::One(one) => one.check(reader, plan, Share::ONE, faults_sound),
        GatewayParts::Regions(regions) => regions.check(files, plan, faults_sound),
    }
    if faults_sound {
        region::failover(reader, plan, places);
        region::groups(reader, plan, objectives);
    }
    if faults_sound {
        let ingress_sound = parts.all().iter().all(|one| one.sound.ingress && one.sound.gateway);
        check::objectives(reader, plan, objectives, ingress_sound);
    }
}
