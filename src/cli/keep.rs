//! What becomes of the checkpoint when work ends.

use super::terminal::Terminal;
use crate::report::checkpoint::Checkpoint;

/// Removes the checkpoint if the work is complete, else says how to go on.
pub(super) fn end(
    checkpoint: Checkpoint,
    interrupted: bool,
    quiet: bool,
    terminal: Terminal,
) -> anyhow::Result<()> {
    if let Some(trouble) = checkpoint.trouble() {
        terminal.say(&format!("warning: {trouble}; --resume will not find everything\n"));
    }
    if !interrupted || checkpoint.is_empty() {
        return Ok(checkpoint.remove()?);
    }
    if !quiet {
        terminal.say("stopped: the same command with --resume goes on from here\n");
    }
    Ok(())
}
