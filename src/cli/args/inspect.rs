//! Options of the commands that simulate nothing and say what there is.

use std::path::PathBuf;

use clap::ValueEnum;
use clap_complete::Shell;

use super::values;
use crate::scenario::catalogue::{LATEST, RELEASES};
use crate::units::Span;

const INIT_EXAMPLES: &str = "\
EXAMPLES:
    brownout init
    brownout init our-gateway.toml --template zone-loss
    brownout init --list
    brownout init - --template capacity | less";

const EXPLAIN_EXAMPLES: &str = "\
EXAMPLES:
    brownout explain undecided
    brownout explain lost in flight
    brownout explain gateway.tier ingress.retries
    brownout explain zone-outage fault
    brownout explain scenarios/replica-crash.toml
    brownout explain results/replica-crash --at 3:12";

const EXPLAIN_EXIT_CODES: &str = "\
EXIT CODES:
    0    everything is explained
    2    error: usage, or a word that is not known; the nearest are said";

const COMPLETIONS_EXAMPLES: &str = "\
EXAMPLES:
    brownout completions bash > ~/.local/share/bash-completion/completions/brownout
    brownout completions zsh > ~/.zfunc/_brownout
    brownout completions fish > ~/.config/fish/completions/brownout.fish";

const MAN_EXAMPLES: &str = "\
EXAMPLES:
    brownout man | man -l -
    brownout man --output ~/.local/share/man/man1";

#[derive(Debug, clap::Args)]
#[command(after_help = INIT_EXAMPLES)]
pub(in crate::cli) struct InitArgs {
    /// The file to write, or -, for standard output [default: the template's name, .toml]
    pub(in crate::cli) file: Option<PathBuf>,
    /// What the scenario is about; --list says which there are
    #[arg(long, value_name = "NAME", default_value = values::TEMPLATE)]
    #[arg(value_parser = values::template())]
    pub(in crate::cli) template: String,
    /// List the templates
    #[arg(long)]
    pub(in crate::cli) list: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct TiersArgs {
    /// The release whose ratings are listed
    #[arg(long, value_name = "RELEASE", default_value = LATEST, value_parser = RELEASES)]
    pub(in crate::cli) catalogue: String,
    /// What to print on standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(in crate::cli) format: ListFormat,
}

/// How a list is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ListFormat {
    /// A table for people
    Text,
    /// For programs
    Json,
}

#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXPLAIN_EXAMPLES}\n\n{EXPLAIN_EXIT_CODES}"))]
pub(in crate::cli) struct ExplainArgs {
    /// A word of a report, a figure, an outcome, a caveat, a setting, a section or a kind of
    /// fault; or the file of a scenario; or a folder of results of run
    #[arg(required_unless_present = "list", value_name = "WORD|FILE|RESULT")]
    pub(in crate::cli) words: Vec<String>,
    /// Of results: the moment to be explained, such as 3:12 [default: when p99 was greatest]
    #[arg(long, value_name = "TIME", value_parser = super::results::moment)]
    pub(in crate::cli) at: Option<Span>,
    /// Of a scenario: change a setting as if it said so; as often as needed
    #[arg(long, value_name = "PATH=VALUE")]
    pub(in crate::cli) set: Vec<String>,
    /// Of a scenario: list every setting with its value and source
    #[arg(long)]
    pub(in crate::cli) settings: bool,
    /// Of results: folder from which paths in their scenario start
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(in crate::cli) base: PathBuf,
    /// List every word that can be explained
    #[arg(long, conflicts_with = "words")]
    pub(in crate::cli) list: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct SchemaArgs {
    /// Of which file: a scenario, or a JSON file among the results
    #[arg(value_name = "FILE", default_value = "scenario")]
    pub(in crate::cli) of: SchemaOf,
}

/// A file that has a JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SchemaOf {
    /// A scenario, for editors of TOML
    Scenario,
    /// summary.json
    Summary,
    /// comparison.json
    Comparison,
    /// sweep.json
    Sweep,
    /// plan.json
    Plan,
    /// availability.json
    Availability,
    /// manifest.json
    Manifest,
    /// What `check --format json` prints
    Check,
}

#[derive(Debug, clap::Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub(in crate::cli) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(in crate::cli) shell: Shell,
}

#[derive(Debug, clap::Args)]
#[command(after_help = MAN_EXAMPLES)]
pub(in crate::cli) struct ManArgs {
    /// Write the page of the program and one of each command into this folder, instead of printing
    /// the first
    #[arg(short, long, value_name = "DIR")]
    pub(in crate::cli) output: Option<PathBuf>,
}
