//! The top of a file: the question, and the objectives with the windows that they speak of.

use crate::diagnostic::{Flaw, Place, Problem, suggestion};
use crate::objective::budget::{self, BudgetObjective};
use crate::objective::{self, Draft, Metric, Objective, Period};
use crate::plan::{Extent, FaultPlan, Plan, RecoveryPoint, Run, Schedule, StateItem, Window};
use crate::scenario::check::of_faults;
use crate::scenario::fault::typical::TypicalKinds;
use crate::scenario::reader::{Reader, keys};
use crate::scenario::text::value::{Located, inside};

keys! { key "" {
    QUESTION: String = "question", "", Given, "", "The question that the scenario answers.";
    OBJECTIVES: Vec<Located<String>> = "objectives", "", Assumed, "none",
        "What is demanded, such as \"p99 < 250ms during crash\".";
    TYPICAL: TypicalKinds = "typical-faults", "none", Inferred, "faults are those of the file",
        "Kinds of faults that strike at random at their typical rates, besides those of the file: \
         \"all\", or some, such as \"replica-crash, zone-outage\".";
}}

/// What objectives may name.
pub(crate) struct KnownNames<'p> {
    pub(crate) faults: &'p [FaultPlan],
    /// What requests are told apart by: the APIs of the file, which may have none, or its regions.
    pub(crate) kind: &'static str,
    pub(crate) names: Vec<String>,
    /// Whether all faults, and all APIs, could be read.
    pub(crate) faults_sound: bool,
    pub(crate) apis_sound: bool,
}

/// The windows of a plan: the whole run, then those that objectives name, then one for each fault
/// that is injected at a set time. At last those of single APIs, if there are several: the whole
/// run for each, then those that objectives name.
struct Windows<'p> {
    windows: Vec<Window>,
    known: &'p KnownNames<'p>,
}

impl Windows<'_> {
    /// The index of the window of this extent and API, which is added if it is new. All requests
    /// are those for the only API.
    fn index(&mut self, extent: Extent, api: Option<usize>) -> usize {
        let api = api.filter(|_| self.known.names.len() > 1);
        let is_it = |window: &Window| (window.extent, window.api) == (extent, api);
        self.windows.iter().position(is_it).unwrap_or_else(|| {
            let time = match extent {
                Extent::Run => "the run".to_owned(),
                Extent::Between(from, to) => format!("{from} to {to}"),
                Extent::During(fault) => format!("during {}", self.known.faults[fault].name),
            };
            let label = match api {
                Some(api) => format!("{time} for {}", self.known.names[api]),
                None => time,
            };
            self.windows.push(Window { label, extent, api });
            self.windows.len() - 1
        })
    }

    /// Adds a window for every fault that is injected at a set time.
    fn add_faults(&mut self) {
        for (index, fault) in self.known.faults.iter().enumerate() {
            if matches!(fault.root(self.known.faults).schedule, Schedule::At(_)) {
                self.index(Extent::During(index), None);
            }
        }
    }

    /// Adds the whole run for every API.
    fn add_apis(&mut self) {
        for api in 0..self.known.names.len() {
            self.index(Extent::Run, Some(api));
        }
    }
}

impl KnownNames<'_> {
    /// The extent of a part of the run, if there is one.
    fn extent(&self, period: &Period) -> Option<Extent> {
        Some(match period {
            Period::Run => Extent::Run,
            Period::Between(from, to, _) => Extent::Between(*from, *to),
            Period::During(name, _) => {
                Extent::During(self.faults.iter().position(|fault| fault.name == *name)?)
            }
        })
    }

    /// Which API is meant, or none; `None` if there is none of that name.
    fn api(&self, name: Option<&str>) -> Option<Option<usize>> {
        let Some(name) = name else { return Some(None) };
        self.names.iter().position(|one| one == name).map(Some)
    }
}

/// An objective as far as it is known, with what it speaks of.
struct NamedParts<'t> {
    text: &'t Located<String>,
    draft: Draft,
    extent: Extent,
    api: Option<usize>,
}

/// What is demanded, each with its place.
pub(crate) struct ReadObjectives {
    /// Of runs.
    pub(crate) all: Vec<(Objective, Place)>,
    /// Of months and years.
    pub(crate) budgets: Vec<(BudgetObjective, Place)>,
    /// What the former speak of.
    pub(crate) windows: Vec<Window>,
}

/// Reads the objectives, with their places, and finds the windows of the plan; notes those that are
/// not sound.
pub(crate) fn read(
    reader: &Reader<'_>,
    texts: &[Located<String>],
    known: &KnownNames<'_>,
) -> ReadObjectives {
    let (mut found, mut budgets) = (Vec::<NamedParts<'_>>::new(), Vec::new());
    for text in texts {
        match budget::parse(&text.value) {
            Some(Ok(budget)) => budgets.push((budget, Place::Span(text.span.clone()))),
            Some(Err(flaw)) => refuse(reader, text, flaw),
            None => found.extend(find(reader, text, known)),
        }
    }
    let mut windows = Windows { windows: Vec::new(), known };
    windows.index(Extent::Run, None);
    found.iter().for_each(|one| _ = windows.index(one.extent, None));
    windows.add_faults();
    windows.add_apis();
    let objective = |NamedParts { text, draft, extent, api }: NamedParts<'_>| {
        let window = windows.index(extent, api);
        let Draft { metric, relation, bound, .. } = draft;
        let (place, text) = (Place::Span(text.span.clone()), text.value.clone());
        (Objective { text, metric, relation, bound, window }, place)
    };
    let all = found.into_iter().map(objective).collect();
    ReadObjectives { all, budgets, windows: windows.windows }
}

/// Notes what is wrong with the text of an objective.
fn refuse(reader: &Reader<'_>, text: &Located<String>, flaw: Flaw) {
    let within = |range| inside(reader.text, &text.span, &text.value, range);
    let flaw = Flaw { range: flaw.range.clone().map(within), ..flaw };
    reader.flaw(&text.span, flaw, "");
}

/// Reads an objective and finds what it names.
fn find<'t>(
    reader: &Reader<'_>,
    text: &'t Located<String>,
    known: &KnownNames<'_>,
) -> Option<NamedParts<'t>> {
    let within = |range| inside(reader.text, &text.span, &text.value, range);
    let draft = match objective::parse(&text.value) {
        Ok(draft) => draft,
        Err(flaw) => {
            refuse(reader, text, flaw);
            return None;
        }
    };
    let extent = known.extent(&draft.period);
    if let (None, Period::During(name, range)) = (extent, &draft.period) {
        let names = known.faults.iter().map(|fault| fault.name.as_str());
        let names = known.faults_sound.then_some(names);
        unknown(reader, Place::Span(within(range.clone())), name, ("fault", "during"), names);
    }
    let api = known.api(draft.api.as_ref().map(|(name, _)| name.as_str()));
    if let (None, Some((name, range))) = (api, &draft.api) {
        let names = known.names.iter().map(String::as_str);
        let names = known.apis_sound.then_some(names);
        unknown(reader, Place::Span(within(range.clone())), name, (known.kind, "for"), names);
    }
    let (extent, api) = (extent?, api?);
    Some(NamedParts { text, draft, extent, api })
}

/// Notes that there is no fault, or no API, of this name, if it is known which there are.
fn unknown<'n>(
    reader: &Reader<'_>,
    place: Place,
    name: &str,
    (kind, word): (&str, &str),
    names: Option<impl Iterator<Item = &'n str> + Clone>,
) {
    let Some(names) = names else { return };
    let section = kind.to_lowercase();
    let none = || format!("the scenario has no [[{section}]]; add one or drop {word:?}");
    let help = suggestion(name, names).unwrap_or_else(none);
    reader.error(place, format!("no {kind} is called {name:?}"), help);
}

/// Says of recovery points how old what is lost may be in this plan; notes those of what is not
/// there, or not lost.
pub(crate) fn set_points(
    reader: &Reader<'_>,
    plan: &Plan,
    objectives: &mut [(Objective, Place)],
    faults_sound: bool,
) {
    for (objective, place) in objectives {
        let Metric::Rpo(RecoveryPoint { item, .. }) = objective.metric else { continue };
        let lost = plan.regions_left_in(objective.window);
        match (plan.recovery_point(objective.window, item), item, lost.first()) {
            (Some((most, ..)), ..) => objective.metric = Metric::Rpo(RecoveryPoint { item, most }),
            (None, Some(item), Some(fault)) => absent(reader, place, (plan, *fault), item),
            (None, ..) if faults_sound => {
                let title = "no region is lost or left in this time, so nothing of its state is";
                let help = "add a [[fault]] with kind = \"region-outage\", or name one with \
                            \"during\"; it takes [[region]] for each of several";
                let problem = Problem::error(place.clone(), title).help(help);
                reader.note(of_faults(plan, objective, problem));
            }
            (None, ..) => {}
        }
    }
}

/// Notes a recovery point of what the scenario has none of.
fn absent(reader: &Reader<'_>, place: &Place, (plan, fault): (&Plan, usize), item: StateItem) {
    let losses = plan.state_after(fault);
    let loss = losses.into_iter().find(|(one, _)| *one == item);
    if let Some((_, crate::plan::StateLoss::Absent { remedy })) = loss {
        let title = format!("no {} can be lost: the scenario has none", item.word());
        reader.error(place.clone(), title, format!("add {remedy}, or drop the objective"));
    }
}

/// Warns of objectives of months in a scenario in which nothing says how often anything goes wrong.
pub(crate) fn check_budgets(
    reader: &Reader<'_>,
    budgets: &[(BudgetObjective, Place)],
    plan: &Plan,
) {
    let is_random = |fault: &FaultPlan| matches!(fault.schedule, Schedule::Random(_));
    if plan.faults.iter().any(is_random) {
        return;
    }
    for (budget, place) in budgets {
        let [one, _] = budget.span.words();
        let title = format!("nothing strikes at random, so nothing says what a {one} brings");
        let help = "give a [[fault]] every = \"exponential(90d)\", so that `brownout \
                    availability` can judge it, or drop the objective";
        reader.warn(place.clone(), title, help);
    }
}

/// Notes periods that do not lie within the counted part of the run.
pub(crate) fn check_windows(
    reader: &Reader<'_>,
    objectives: &[(Objective, Place)],
    windows: &[Window],
    run: &Run,
) {
    for (objective, place) in objectives {
        let Extent::Between(from, to) = windows[objective.window].extent else { continue };
        if to > run.horizon {
            let title = format!("the period {from} to {to} is not within the run");
            let help = format!("the run ends at {}", run.horizon);
            reader.error(place.clone(), title, help);
        } else if from < run.warm_up {
            let title = format!("the period {from} to {to} begins during warm-up");
            let help = format!("nothing before {} is counted", run.warm_up);
            reader.warn(place.clone(), title, help);
        }
    }
}
