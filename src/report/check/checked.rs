//! A scenario file with what is wrong with it.

use crate::diagnostic::{Problem, Severity, Source};
use crate::scenario::Scenario;

/// A scenario file with what is wrong with it.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckedFile {
    /// Its text, under the name by which it was asked for.
    pub source: Source,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// What it says, if it can be used.
    pub scenario: Option<Scenario>,
}

impl CheckedFile {
    /// Whether it can be used.
    pub fn is_sound(&self) -> bool {
        self.scenario.is_some()
    }

    /// How many problems are as grave as this.
    pub fn number(&self, severity: Severity) -> u64 {
        self.problems.iter().filter(|problem| problem.severity == severity).count() as u64
    }
}
