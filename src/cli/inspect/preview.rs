//! `brownout explain FILE`: what a scenario is, and what theory says of it, before anything runs.

use std::path::Path;

use crate::cli::exit::Exit;
use crate::cli::load;
use crate::cli::terminal::Terminal;
use crate::report::forecast;
use crate::report::screen::folded;

/// Explains a scenario; `settings` = each setting is listed.
pub(super) fn explain(
    file: &Path,
    set: &[String],
    settings: bool,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let loaded = load::read_changed(file, set);
    let Some(scenario) = load::scenario(loaded, false, terminal) else { return Ok(Exit::Error) };
    let text = forecast::text(&scenario, settings, terminal.prints_colour());
    terminal.print(&folded(&text, terminal.columns()))?;
    Ok(Exit::Met)
}
