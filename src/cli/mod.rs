//! The command line: arguments in, report out, exit code.
//!
//! What a program may want to read goes to standard output, what is said to a person meanwhile to
//! standard error. Only this module prints, and only here are clock, environment and terminal
//! looked at.

mod args;
mod charts;
mod check;
mod compare;
mod exit;
mod grid;
mod interrupt;
mod keep;
mod load;
mod plan;
mod progress;
mod run;
mod sweep;
mod terminal;
mod variants;
mod work;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};
use exit::Exit;
use terminal::Terminal;

/// Runs the program and says how it ended.
pub fn main() -> ExitCode {
    let args = Args::parse();
    let terminal = Terminal::new(args.color);
    let ended = match &args.command {
        Command::Run(args) => run::run(args, terminal),
        Command::Compare(args) => compare::compare(args, terminal),
        Command::Plan(args) => plan::plan(args, terminal),
        Command::Sweep(args) => sweep::sweep(args, terminal),
        Command::Check(args) => check::check(args, terminal),
    };
    let exit = ended.unwrap_or_else(|error| {
        terminal.say(&format!("error: {error:#}\n"));
        Exit::Error
    });
    exit.into()
}
