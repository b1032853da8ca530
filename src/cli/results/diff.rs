//! `brownout diff`: by how much two results differ, and in which settings.

use super::open;
use crate::cli::args::DiffArgs;
use crate::cli::exit::Exit;
use crate::cli::terminal::Terminal;
use crate::report::diff::{RunResult, text};

/// Sets two results of `run` side by side.
pub(in crate::cli) fn diff(args: &DiffArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let open = |path: &std::path::PathBuf| -> anyhow::Result<RunResult> {
        let found = open::open(path, &args.base, terminal)?;
        let name = path.display().to_string();
        Ok(RunResult { name, summary: found.summary, settings: found.scenario.settings })
    };
    let (one, other) = (open(&args.before)?, open(&args.after)?);
    terminal.print(&text(&one, &other, terminal.prints_colour()))?;
    Ok(Exit::Met)
}
