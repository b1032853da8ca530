//! The command line: arguments in, report out, exit code.
//!
//! What a program may want to read goes to standard output, what is said to a person meanwhile to
//! standard error. Only this room prints, and only here are clock, environment and terminal
//! asked. It owns what can be typed (`args`), how a command is carried out and recorded so that
//! it can be again (`perform`), how scenarios are read with what was typed (`load`), what was meant
//! where that cannot be read (`mistyped`), when a study is to fail (`gate`), and what work of any
//! kind has about it: the folder of results, the checkpoint, Ctrl-C (`work`) and progress. What is
//! particular to studies that several processes share is in `shards`.
//!
//! Each command has a file: those that simulate in `simulate`, which read top-down (load, work,
//! write, draw, print), those that only say something in `inspect`. A command asks `study` and
//! `experiment` for values and `report` for words; nobody asks it for anything.
//!
//! Begin with `args/mod.rs`, then `simulate/run.rs`.

mod args;
mod exit;
mod gate;
mod inspect;
mod load;
mod mistyped;
mod perform;
mod results;
mod shards;
mod simulate;
mod terminal;
mod work;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use args::{Args, Command};
use exit::Exit;
use terminal::Terminal;

/// Runs the program and says how it ended.
pub fn main() -> ExitCode {
    let named = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let refused = |error| mistyped::advised(error, named.as_deref()).exit();
    let matches = Args::command().try_get_matches().unwrap_or_else(refused);
    let args = Args::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let terminal = Terminal::new(args.color);
    let ended = match &args.command {
        Command::Check(args) => inspect::check::check(args, terminal),
        Command::Init(args) => inspect::init::init(args, terminal),
        Command::Tiers(args) => inspect::tiers::tiers(args, terminal),
        Command::Explain(args) => inspect::explain::explain(args, terminal),
        Command::Schema(args) => inspect::schema::schema(args, terminal),
        Command::Completions(args) => inspect::completions::completions(args, terminal),
        Command::Man(args) => inspect::man::man(args, terminal),
        Command::Diff(args) => results::diff::diff(args, terminal),
        Command::Rerun(args) => perform::rerun(args, terminal),
        Command::Merge(args) => perform::merge(args, terminal),
        Command::Submit(args) => perform::submit(args, terminal),
        Command::Status(args) => shards::status::status(args, terminal),
        command => perform::perform(command, &matches, terminal),
    };
    let exit = ended.unwrap_or_else(|error| {
        terminal.say(&format!("error: {error:#}\n"));
        Exit::Error
    });
    exit.into()
}
