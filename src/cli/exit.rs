//! How the program ends.

use std::process::ExitCode;

use crate::report::Report;
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
    /// What the report of a run that is complete means.
    pub(super) fn of(report: &Report) -> Self {
        match report.overall() {
            Overall::NoObjectives | Overall::Met => Exit::Met,
            Overall::Missed => Exit::Missed,
            Overall::Undecided => Exit::Undecided,
        }
    }

    /// What the exit code of a program means that passes on one of ours; `None` = it was killed.
    pub(super) fn of_code(code: Option<i32>) -> Self {
        let ours = [Exit::Met, Exit::Missed, Exit::Undecided, Exit::Interrupted];
        ours.into_iter().find(|exit| Some(*exit as i32) == code).unwrap_or(Exit::Error)
    }

    /// What a study that judges nothing means.
    pub(super) fn of_study(interrupted: bool) -> Self {
        if interrupted { Exit::Interrupted } else { Exit::Met }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}
