//! How the program ends.

use std::process::ExitCode;

use crate::report::run::report::Report;
use crate::verdict::Overall;

/// The exit codes; `--help` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// All objectives are met, there are none, or all files are sound.
    Met = 0,
    /// An objective is missed.
    Missed = 1,
    /// Wrong usage, a wrong scenario, or the operating system refused something.
    Error = 2,
    /// No objective is missed, and at least one is undecided.
    Undecided = 3,
    /// Stopped by Ctrl-C; what there was is written.
    Interrupted = 130,
}

impl Exit {
    /// What a report means.
    pub(super) fn of(report: &Report) -> Self {
        if report.experiment.interrupted {
            return Exit::Interrupted;
        }
        match report.overall() {
            Overall::NoObjectives | Overall::Met => Exit::Met,
            Overall::Missed => Exit::Missed,
            Overall::Undecided => Exit::Undecided,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}
