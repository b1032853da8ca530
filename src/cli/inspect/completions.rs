//! `brownout completions`: what a shell completes.

use clap::CommandFactory;

use crate::cli::args::{Args, CompletionsArgs};
use crate::cli::exit::Exit;
use crate::cli::terminal::Terminal;

/// Prints the completions of a shell.
pub(in crate::cli) fn completions(
    args: &CompletionsArgs,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let mut written = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "brownout", &mut written);
    terminal.print(&String::from_utf8(written)?)?;
    Ok(Exit::Met)
}
