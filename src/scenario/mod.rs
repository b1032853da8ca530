//! From a scenario file to a plan.

mod api;
mod around;
#[cfg(test)]
mod around_tests;
mod autoscaler;
mod book;
mod check;
mod clients;
mod cluster;
pub mod edit;
mod fault;
mod fault_around;
mod gateway;
mod ingress;
mod key;
pub mod keys;
mod keys_around;
mod keys_cluster;
mod keys_entry;
pub mod law;
mod limit;
mod log;
mod policy;
mod profile;
pub mod read;
pub mod replay;
mod run;
pub mod sample;
mod skew;
mod startup;
mod supply;
mod syntax;
#[cfg(test)]
mod tests;
mod trace;
mod traffic;
mod upstream;
mod value;
mod word;

use std::path::PathBuf;

use crate::objective::Objective;
use crate::plan::Plan;

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
}

/// One resolved setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its path in the file, such as `startup.boot`.
    pub path: String,
    /// Its value as it would be written in a file.
    pub value: String,
    /// How well founded the value is.
    pub mark: Mark,
    /// Where it comes from, in a few words: `Helm chart`, `this file`.
    pub source: String,
}

impl Setting {
    /// Its value comes from the command line.
    pub fn say_command_line(&mut self) {
        (self.mark, self.source) = (Mark::Given, "command line".to_owned());
    }
}

/// How well founded a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Written in the scenario.
    Given,
    /// Documented by the vendor or project, or read in its source code.
    Documented,
    /// Measured and published by a third party.
    Measured,
    /// Worked out from documented values.
    Inferred,
    /// Nobody publishes it; this program's choice.
    Assumed,
}

impl Mark {
    /// The word for it in tables.
    pub fn label(self) -> &'static str {
        match self {
            Mark::Given => "given",
            Mark::Documented => "documented",
            Mark::Measured => "measured",
            Mark::Inferred => "inferred",
            Mark::Assumed => "assumed",
        }
    }
}
