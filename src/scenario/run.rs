//! The section `[run]`, and the windows and objectives of a run.

use crate::diagnostic::{Place, Problem, suggestion};
use crate::objective::{self, Draft, Objective, Period};
use crate::plan::{Extent, FaultPlan, Run, Schedule, Window};
use crate::scenario::Mark;
use crate::scenario::book::{Book, Section};
use crate::scenario::keys::run as key;
use crate::scenario::value::{Located, inside};
use crate::units::{Instant, SECOND, Span};

/// The most repetitions.
const REPLICATION_LIMIT: u64 = 100_000;

/// Reads `[run]`; `None` if the horizon or the warm-up is not sound.
pub(crate) fn read<'a>(book: &mut Book<'a>, top: &Section<'a>) -> Option<Run> {
    let section = book.section(top, "run");
    let horizon = book.require(&section, key::HORIZON, "horizon = \"10m\"");
    let seed = book.get(&section, key::SEED).value;
    let replications =
        book.count(&section, key::REPLICATIONS, 1..=REPLICATION_LIMIT).value as usize;
    let tenth = horizon.as_ref().map_or(0, |horizon| horizon.value.0 / 10);
    let default = Span(tenth.min(60 * SECOND));
    let source = key::WARM_UP.source;
    let warm_up = book.get_or(&section, key::WARM_UP, default, Mark::Assumed, source);
    let horizon = horizon?;
    if horizon.value == Span::ZERO {
        let help = "write a duration above zero".to_owned();
        book.error(horizon.place, "a run of no length shows nothing", help);
        return None;
    }
    if warm_up.value >= horizon.value {
        let title = "warm-up takes the whole run, so nothing would be counted";
        let help = format!("write a warm-up shorter than {}", horizon.value);
        book.error(warm_up.place, title, help);
        return None;
    }
    let (horizon, warm_up) = (Instant(horizon.value.0), Instant(warm_up.value.0));
    Some(Run { horizon, warm_up, seed, replications, bin: bin(horizon) })
}

/// The timeline's bin for a horizon: the narrowest of a list that needs at most 20 000 rows, so
/// that the memory of a run does not grow with its length.
pub(crate) fn bin(horizon: Instant) -> Span {
    const SECONDS: [u64; 12] = [1, 2, 5, 10, 30, 60, 300, 900, 3_600, 21_600, 86_400, 604_800];
    let fits = |seconds: &&u64| horizon.0 / (**seconds * SECOND) < 20_000;
    Span(SECONDS.iter().find(fits).unwrap_or(&604_800) * SECOND)
}

/// The windows of a plan: the whole run, then those that objectives name, then one for each fault
/// that strikes at a set time.
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

    /// Adds a window for every fault that strikes at a set time.
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
    book: &mut Book<'_>,
    texts: &[Located<String>],
    windows: &mut Windows<'_>,
    faults_sound: bool,
) -> Vec<(Objective, Place)> {
    let mut objectives = Vec::new();
    for text in texts {
        let draft = match objective::parse(&text.value) {
            Ok(draft) => draft,
            Err(flaw) => {
                let range = flaw.range.clone();
                let range = range.map(|range| inside(book.text, &text.span, &text.value, range));
                let flaw = crate::diagnostic::Flaw { range, ..flaw };
                book.flaw(&text.span, flaw, "");
                continue;
            }
        };
        match windows.find(&draft.period) {
            Some(window) => {
                let Draft { metric, relation, bound, .. } = draft;
                let text_of = text.value.clone();
                let objective = Objective { text: text_of, metric, relation, bound, window };
                objectives.push((objective, Place::Span(text.span.clone())));
            }
            None if faults_sound => unknown_fault(book, text, &draft.period, windows.faults),
            None => {}
        }
    }
    objectives
}

fn unknown_fault(
    book: &mut Book<'_>,
    text: &Located<String>,
    period: &Period,
    faults: &[FaultPlan],
) {
    let Period::During(name, range) = period else { return };
    let place = Place::Span(inside(book.text, &text.span, &text.value, range.clone()));
    let names = faults.iter().map(|fault| fault.name.as_str());
    let help = suggestion(name, names)
        .unwrap_or_else(|| "the scenario has no [[fault]]; add one or drop \"during\"".to_owned());
    book.error(place, format!("no fault is called {name:?}"), help);
}

/// Notes periods that do not lie within the counted part of the run.
pub(crate) fn check_windows(
    book: &mut Book<'_>,
    objectives: &[(Objective, Place)],
    windows: &[Window],
    run: &Run,
) {
    for (objective, place) in objectives {
        let Extent::Between(from, to) = windows[objective.window].extent else { continue };
        if to > run.horizon {
            let title = format!("the period {from} to {to} is not within the run");
            let help = format!("the run ends at {}", run.horizon);
            book.error(place.clone(), title, help);
        } else if from < run.warm_up {
            let title = format!("the period {from} to {to} begins during warm-up");
            let help = format!("nothing before {} is counted", run.warm_up);
            book.problems.push(Problem::warning(place.clone(), title).help(help));
        }
    }
}
