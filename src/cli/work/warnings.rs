//! The warnings of several readings of a scenario: cells, variants, tiers. Those that differ in
//! numbers alone are one, and are said once, as the first reading has it.

use crate::cli::load;
use crate::cli::terminal::Terminal;
use crate::diagnostic::{Problem, Severity, Source};
use crate::scenario::Scenario;
use crate::scenario::read::Loaded;

/// The warnings of the readings so far.
#[derive(Debug, Default)]
pub(in crate::cli) struct Warnings {
    all: Vec<Warning>,
    readings: usize,
}

/// A warning, as the first reading has it.
#[derive(Debug)]
struct Warning {
    kind: String,
    problem: Problem,
    source: Source,
    readings: usize,
}

impl Warnings {
    /// Notes the warnings of a reading and gives its scenario. `None` if that cannot be used: then
    /// all that is wrong with it has been said.
    pub(in crate::cli) fn usable(
        &mut self,
        loaded: Loaded,
        terminal: Terminal,
    ) -> Option<Scenario> {
        if loaded.scenario.is_none() {
            load::say(&loaded.source, &loaded.problems, terminal);
        }
        self.note(&loaded.source, loaded.problems);
        loaded.scenario
    }

    fn note(&mut self, source: &Source, problems: Vec<Problem>) {
        self.readings += 1;
        for problem in problems.into_iter().filter(|one| one.severity == Severity::Warning) {
            let kind = kind(&problem);
            match self.all.iter_mut().find(|known| known.kind == kind) {
                Some(known) => known.readings += 1,
                None => {
                    self.all.push(Warning { kind, problem, source: source.clone(), readings: 1 });
                }
            }
        }
    }

    /// Forgets what follows from how much traffic there is, which means nothing where loads are
    /// sought.
    pub(in crate::cli) fn of_any_load(mut self) -> Warnings {
        self.all.retain(|warning| !warning.problem.of_load);
        self
    }

    /// Says them all; `what` are the readings, in the plural.
    pub(in crate::cli) fn say(&self, what: &str, terminal: Terminal) {
        for one in &self.all {
            load::say(
                &one.source(self.readings, what),
                std::slice::from_ref(&one.problem),
                terminal,
            );
        }
    }
}

impl Warning {
    /// The source of the first reading, with how many others of so many have the warning.
    fn source(&self, of: usize, what: &str) -> Source {
        let mut source = self.source.clone();
        source.reading += &match self.readings {
            1 => String::new(),
            all if all == of => format!(" (and likewise in all {of} {what})"),
            some => format!(" (and likewise in {} more of {of} {what})", some - 1),
        };
        source.reading = source.reading.trim_start().to_owned();
        source
    }
}

/// A warning without its numbers.
fn kind(problem: &Problem) -> String {
    let text = [problem.title.as_str(), &problem.label].into_iter();
    let text = text.chain(problem.help.iter().map(String::as_str)).collect::<Vec<_>>().join("\n");
    text.split(|c: char| c.is_ascii_digit() || c == '.' || c == ',').collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Place;

    #[test]
    fn warnings_that_differ_in_numbers_are_one() {
        let mut warnings = Warnings::default();
        let reading = "with a.b=1".to_owned();
        let source = Source { reading, ..Source::default() };
        for load in ["1,300/s", "1400/s"] {
            let title = format!("{load} is above the tier's rating");
            let mut problem = Problem::warning(Place::Whole, title);
            problem.of_load = true;
            warnings.note(&source, vec![problem]);
        }
        warnings.note(&source, vec![Problem::warning(Place::Whole, "something else")]);
        assert_eq!((warnings.all.len(), warnings.readings), (2, 3));
        assert!(warnings.all[0].problem.title.starts_with("1,300/s"));
        let name = |index: usize, of| warnings.all[index].source(of, "cells").reading;
        assert_eq!(name(0, 3), "with a.b=1 (and likewise in 1 more of 3 cells)");
        assert!(name(0, 2).ends_with("in all 2 cells)"));
        assert_eq!(name(1, 3), "with a.b=1");
        let rest = warnings.of_any_load();
        assert_eq!((rest.all.len(), &*rest.all[0].problem.title), (1, "something else"));
    }
}
