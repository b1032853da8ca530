//! The top of a file: the question, and the objectives with the windows that they speak of.

use crate::diagnostic::{Flaw, Place, suggestion};
use crate::objective::{self, Draft, Objective, Period};
use crate::plan::{Extent, FaultPlan, Run, Schedule, Window};
use crate::scenario::reader::{Reader, keys};
use crate::scenario::text::value::{Located, inside};

keys! { key "" {
    QUESTION: String = "question", "", Given, "", "The question that the scenario answers.";
    OBJECTIVES: Vec<Located<String>> = "objectives", "", Assumed, "none",
        "What is demanded, such as \"p99 < 250ms during crash\".";
}}

/// The windows of a plan: the whole run, then those that objectives name, then one for each fault
/// that is injected at a set time.
pub(crate) struct Windows<'f> {
    pub(crate) windows: Vec<Window>,
    faults: &'f [FaultPlan],
}

impl<'f> Windows<'f> {
    /// The whole run alone.
    pub(crate) fn new(faults: &'f [FaultPlan]) -> Windows<'f> {
        let run = Window { label: "the run".to_owned(), extent: Extent::Run };
        Windows { windows: vec![run], faults }
    }

    /// The index of the window of this extent, which is added if it is new.
    fn index(&mut self, extent: Extent) -> usize {
        let known = self.windows.iter().position(|window| window.extent == extent);
        known.unwrap_or_else(|| {
            let label = match extent {
                Extent::Run => "the run".to_owned(),
                Extent::Between(from, to) => format!("{from} to {to}"),
                Extent::During(fault) => format!("during {}", self.faults[fault].name),
            };
            self.windows.push(Window { label, extent });
            self.windows.len() - 1
        })
    }

    /// Adds a window for every fault that is injected at a set time.
    pub(crate) fn add_faults(&mut self) {
        for (index, fault) in self.faults.iter().enumerate() {
            if matches!(fault.schedule, Schedule::At(_)) {
                self.index(Extent::During(index));
            }
        }
    }

    /// Finds the window of an objective.
    fn find(&mut self, period: &Period) -> Option<usize> {
        let extent = match period {
            Period::Run => Extent::Run,
            Period::Between(from, to, _) => Extent::Between(*from, *to),
            Period::During(name, _) => {
                Extent::During(self.faults.iter().position(|fault| fault.name == *name)?)
            }
        };
        Some(self.index(extent))
    }
}

/// Reads the objectives and finds their windows; notes those that are not sound.
pub(crate) fn objectives(
    reader: &Reader<'_>,
    texts: &[Located<String>],
    windows: &mut Windows<'_>,
    faults_sound: bool,
) -> Vec<(Objective, Place)> {
    let mut objectives = Vec::new();
    for text in texts {
        let draft = match objective::parse(&text.value) {
            Ok(draft) => draft,
            Err(flaw) => {
                let within = |range| inside(reader.text, &text.span, &text.value, range);
                let flaw = Flaw { range: flaw.range.clone().map(within), ..flaw };
                reader.flaw(&text.span, flaw, "");
                continue;
            }
        };
        match windows.find(&draft.period) {
            Some(window) => {
                let Draft { metric, relation, bound, .. } = draft;
                let (place, text) = (Place::Span(text.span.clone()), text.value.clone());
                let objective = Objective { text, metric, relation, bound, window };
                objectives.push((objective, place));
            }
            None if faults_sound => unknown_fault(reader, text, &draft.period, windows.faults),
            None => {}
        }
    }
    objectives
}

fn unknown_fault(
    reader: &Reader<'_>,
    text: &Located<String>,
    period: &Period,
    faults: &[FaultPlan],
) {
    let Period::During(name, range) = period else { return };
    let place = Place::Span(inside(reader.text, &text.span, &text.value, range.clone()));
    let names = faults.iter().map(|fault| fault.name.as_str());
    let help = suggestion(name, names)
        .unwrap_or_else(|| "the scenario has no [[fault]]; add one or drop \"during\"".to_owned());
    reader.error(place, format!("no fault is called {name:?}"), help);
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
