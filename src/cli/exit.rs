//! How the program ends.

use std::process::ExitCode;

use crate::report::Report;
use crate::verdict::Overall;

/// The exit codes; `--help` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Exit {
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
    /// The worse of two, for what has several parts: stopped, in error, missed, undecided, met.
    pub(in crate::cli) fn worse(self, other: Exit) -> Exit {
        let order = [Exit::Met, Exit::Undecided, Exit::Missed, Exit::Error, Exit::Interrupted];
        let rank = |exit: Exit| order.iter().position(|one| *one == exit);
        if rank(other) > rank(self) { other } else { self }
    }

    /// What the report of a run that is complete means.
    pub(in crate::cli) fn of(report: &Report) -> Self {
        match report.overall() {
            Overall::NoObjectives | Overall::Met => Exit::Met,
            Overall::Missed => Exit::Missed,
            Overall::Undecided => Exit::Undecided,
        }
    }

    /// What the exit code of a program means that passes on one of ours; `None` = it was killed.
    pub(in crate::cli) fn of_code(code: Option<i32>) -> Self {
        let ours = [Exit::Met, Exit::Missed, Exit::Undecided, Exit::Interrupted];
        ours.into_iter().find(|exit| Some(*exit as i32) == code).unwrap_or(Exit::Error)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}
