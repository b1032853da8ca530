//! A setting as resolved: its value, and where that comes from.

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
