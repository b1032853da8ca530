//! What was typed.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

const EXIT_CODES: &str = "\
EXIT CODES:
    0    all objectives are met, or there are none
    1    an objective is missed
    2    error: usage, scenario, or files
    3    undecided: no objective is missed, but at least one interval contains its bound, or
         there are no data
    130  stopped by Ctrl-C or a signal to end; partial results are written";

const CHECK_EXIT_CODES: &str = "\
EXIT CODES:
    0    no scenario has an error; warnings do not count
    2    some scenario has an error";

const EXAMPLES: &str = "\
EXAMPLES:
    brownout check scenarios/*.toml
    brownout run scenarios/replica-crash.toml
    brownout run scenarios/replica-crash.toml --replications 40 --seed 7
    brownout run scenarios/replica-crash.toml --format json --quiet > summary.json
    brownout run --from-manifest results/replica-crash/manifest.json --output again";

const RUN_EXAMPLES: &str = "\
EXAMPLES:
    brownout run scenarios/replica-crash.toml
    brownout run scenarios/replica-crash.toml -n 40 -s 7 --requests-every 100
    brownout run scenarios/replica-crash.toml --precision 2%
    brownout run scenarios/replica-crash.toml --set gateway.tier=xlarge --set fault.crash.at=4m
    brownout run --from-manifest results/replica-crash/manifest.json --output again";

/// Simulates the high availability of replicated API gateways: what clients see when a replica, a
/// zone or the control plane fails.
#[derive(Debug, Parser)]
#[command(name = "brownout", version, max_term_width = 100)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
    /// When to use colour; NO_COLOR is respected
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: When,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Simulate a scenario and judge its objectives
    Run(RunArgs),
    /// Look for mistakes in scenarios without running them
    Check(CheckArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = format!("{RUN_EXAMPLES}\n\n{EXIT_CODES}"))]
pub(super) struct RunArgs {
    /// The scenario
    #[arg(required_unless_present = "from_manifest")]
    pub(super) file: Option<PathBuf>,
    /// Directory for results; each scenario has its own folder in it
    #[arg(short, long, value_name = "DIR", default_value = "results")]
    pub(super) output: PathBuf,
    /// Number of replications, instead of the scenario's
    #[arg(short = 'n', long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(super) replications: Option<u64>,
    /// Go on until every objective is decided, or the figures it speaks of are known to this share
    #[arg(long, value_name = "SHARE", value_parser = precision, conflicts_with = "replications")]
    pub(super) precision: Option<f64>,
    /// The most replications with --precision
    #[arg(long, value_name = "N", default_value = "1000", requires = "precision")]
    #[arg(value_parser = clap::value_parser!(u64).range(2..=100_000))]
    pub(super) at_most: u64,
    /// Seed of all randomness, instead of the scenario's
    #[arg(short, long, value_name = "S")]
    pub(super) seed: Option<u64>,
    /// Change a setting as if the scenario said so; as often as needed
    #[arg(long, value_name = "PATH=VALUE")]
    pub(super) set: Vec<String>,
    /// Go on with the replications that a stopped run of the same scenario left
    #[arg(long)]
    pub(super) resume: bool,
    /// Threads; results do not depend on it [default: one for each core]
    #[arg(short, long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1_024))]
    pub(super) jobs: Option<u16>,
    /// Write every N-th request of the first replication to requests.csv
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) requests_every: Option<u64>,
    /// What to print on standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: Format,
    /// When to show progress on standard error; auto: if it is a terminal
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(super) progress: When,
    /// Print the verdict alone; no progress, no warnings
    #[arg(short, long)]
    pub(super) quiet: bool,
    /// Do not draw charts
    #[arg(long)]
    pub(super) no_charts: bool,
    /// Run again what this manifest.json says, to the same bytes
    #[arg(long, value_name = "FILE")]
    #[arg(conflicts_with_all = ["file", "replications", "seed", "set", "requests_every"])]
    #[arg(conflicts_with = "precision")]
    pub(super) from_manifest: Option<PathBuf>,
    /// Folder from which paths in the manifest's scenario start
    #[arg(long, value_name = "DIR", default_value = ".", requires = "from_manifest")]
    pub(super) base: PathBuf,
}

#[derive(Debug, clap::Args)]
#[command(after_help = CHECK_EXIT_CODES)]
pub(super) struct CheckArgs {
    /// The scenarios
    #[arg(required = true)]
    pub(super) files: Vec<PathBuf>,
    /// Change a setting as if every scenario said so; as often as needed
    #[arg(long, value_name = "PATH=VALUE")]
    pub(super) set: Vec<String>,
    /// Print every setting as resolved, with how well founded it is and where it comes from
    #[arg(long)]
    pub(super) settings: bool,
}

/// Reads a share above zero, such as `2%`.
fn precision(text: &str) -> Result<f64, String> {
    match crate::quantity::share(text) {
        Ok(share) if share.0 > 0.0 && share.0 < 1.0 => Ok(share.0),
        _ => Err("write a percentage between 0% and 100%, such as 2%".to_owned()),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum When {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A report for people
    Text,
    /// The content of summary.json
    Json,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Args::command().debug_assert();
    }
}
