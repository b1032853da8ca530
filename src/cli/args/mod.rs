//! What was typed.
//!
//! Each command has a struct of its options, whose comments are what `--help` says; `values.rs`
//! reads what is written after an option and says what is wrong with it; `export.rs` has the
//! options on files for other programs and on when a study fails. Those of commands that simulate
//! nothing are in `inspect.rs`.
//!
//! What results depend on is recorded in the manifest by itself; the options of [`WorkArgs`] are
//! those that they do not depend on.
//!
//! Begin with [`Args`].

#[cfg(test)]
mod documented;
mod export;
mod inspect;
mod results;
mod values;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::report::shards::SHARDS_MOST;
use crate::study::precision::Precision;
use crate::units::{Bytes, Rate, Share, Span};
pub(in crate::cli) use export::{
    CheckFormat, ExportArgs, FailArgs, StatusFormat, VerdictExportArgs,
};
pub(in crate::cli) use inspect::{
    CompletionsArgs, ExplainArgs, InitArgs, ListFormat, ManArgs, SchemaArgs, SchemaOf, TiersArgs,
};
pub(in crate::cli) use results::DiffArgs;
use results::{RERUN_EXAMPLES, RERUN_EXIT_CODES};
pub(in crate::cli) use values::ShardArg;

const EXIT_CODES: &str = "\
EXIT CODES:
    0    all objectives are met, or there are none
    1    an objective is missed
    2    error: usage, scenario, files, or no room for the requests in flight
    3    undecided: no objective is missed, but at least one interval contains its bound, or
         there are no data
    130  stopped by Ctrl-C or a signal to end; partial results are in NAME.partial";

const CHECK_EXIT_CODES: &str = "\
EXIT CODES:
    0    no scenario has an error; warnings do not count
    2    some scenario has an error";

const STUDY_EXIT_CODES: &str = "\
EXIT CODES:
    0    done, whatever was found; with --fail-if: no condition holds
    1    a condition of --fail-if holds: its whole interval says so
    2    error: usage, scenario, files, or no room for the requests in flight
    3    undecided: an interval contains the bound of a condition, or there are no data
    130  stopped by Ctrl-C or a signal to end; partial results are in NAME.partial";

const PLAN_EXIT_CODES: &str = "\
EXIT CODES:
    0    a gateway carries the demand in every mode
    1    none does
    2    error: usage, scenario, files, or no room for the requests in flight
    3    undecided: the demand lies within an interval
    130  stopped by Ctrl-C or a signal to end; partial results are in NAME.partial";

const PLAN_EXAMPLES: &str = "\
EXAMPLES:
    brownout plan scenarios/capacity.toml
    brownout plan scenarios/capacity.toml --tier large --mode healthy --mode zone-loss
    brownout plan scenarios/capacity.toml --demand 1800/s --prices large=1200,xlarge=2400";

const COMPARE_EXAMPLES: &str = "\
EXAMPLES:
    brownout compare scenarios/replica-crash.toml --tier large --tier xlarge
    brownout compare scenarios/replica-crash.toml --set gateway.replicas=2,3 -n 20
    brownout compare scenarios/managed-start.toml scenarios/self-managed-start.toml
    brownout compare main.toml change.toml --fail-if worse --format json > comparison.json
    brownout compare scenarios/availability.toml --tier large,xlarge --months \\
        --set run.horizon=10m
    brownout compare scenarios/replica-crash.toml \\
        --variant 'as it is' --variant 'faster; startup.boot=1s; startup.schedule=0s'";

/// Requests for the months of one of several gateways.
const MONTHS: &str = "200M";

const SWEEP_EXAMPLES: &str = "\
EXAMPLES:
    brownout sweep scenarios/steady.toml --set traffic.rate=100/s..2000/s:20
    brownout sweep scenarios/steady.toml --set traffic.rate=200/s..2000/s:10 \\
        --set gateway.replicas=2,3 --precision 2%
    brownout sweep scenarios/replica-crash.toml --set startup.boot=2s..30s:8 -n 20
    brownout sweep scenarios/replica-crash.toml --set gateway.tier=small,large,xlarge
    brownout sweep scenarios/steady.toml --set traffic.rate=900/s,1000/s --fail-if missed";

const AVAILABILITY_EXAMPLES: &str = "\
EXAMPLES:
    brownout availability scenarios/availability.toml
    brownout availability scenarios/availability.toml --target 99.95% --requests 1G";

const EXAMPLES: &str = "\
EXAMPLES:
    brownout init our-gateway.toml
    brownout check scenarios/*.toml
    brownout run scenarios/replica-crash.toml
    brownout run scenarios/replica-crash.toml --replications 40 --seed 7
    brownout run scenarios/replica-crash.toml --format json --quiet > summary.json
    brownout compare scenarios/replica-crash.toml --tier small --tier large --tier xlarge
    brownout sweep scenarios/steady.toml --set traffic.rate=100/s..2000/s:20
    brownout plan scenarios/capacity.toml
    brownout rerun results/replica-crash --output again";

const MERGE_EXAMPLES: &str = "\
EXAMPLES:
    brownout sweep scenarios/steady.toml --set traffic.rate=100/s..2000/s:20 --shard 1/4
    brownout merge results/sweep-steady.shards
    brownout merge results/sweep-steady.shards --fill --output merged";

const MERGE_EXIT_CODES: &str = "\
EXIT CODES:
    2    error: usage, files of different studies or versions, or files that contradict each other
    3    replications are missing, of which shards is said; or undecided
    else those of the command of which these are parts";

const SUBMIT_EXAMPLES: &str = "\
EXAMPLES:
    brownout submit --engine slurm --shards 64 --run -- \\
        sweep scenarios/steady.toml --set traffic.rate=100/s..2000/s:20
    brownout submit --engine kubernetes --image registry.example/brownout:0.2.0 -- \\
        plan scenarios/capacity.toml
    brownout submit --engine hyperqueue -- run scenarios/replica-crash.toml -n 10000

EXIT CODES:
    0    the files are written, and submitted if that was asked for
    2    error: usage, the study, files, or the scheduler
    with --run, kubernetes and hyperqueue: those of the command, for whose results they wait";

const STATUS_EXIT_CODES: &str = "\
EXIT CODES:
    0    every shard has ended
    2    error: usage, files of different studies or versions
    3    some shard has not begun or not ended";

const RUN_EXAMPLES: &str = "\
EXAMPLES:
    brownout run scenarios/replica-crash.toml
    brownout run scenarios/replica-crash.toml -n 40 -s 7 --requests-every 100
    brownout run scenarios/replica-crash.toml --precision 2%
    brownout run scenarios/replica-crash.toml --requests-every 100 --export perfetto,openmetrics
    brownout run scenarios/replica-crash.toml --set gateway.tier=xlarge --name crash-xlarge";

/// Simulates the high availability of replicated API gateways: what clients see when a replica, a
/// zone or the control plane fails.
#[derive(Debug, Parser)]
#[command(name = "brownout", version, max_term_width = 100)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    pub(in crate::cli) command: Command,
    /// When to use colour; NO_COLOR is respected
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(in crate::cli) color: When,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Simulate a scenario and judge its objectives
    Run(RunArgs),
    /// Set variants of a scenario side by side, under common random numbers
    Compare(CompareArgs),
    /// Find the largest load that each tier carries, and which tier to choose
    Plan(PlanArgs),
    /// Run a scenario over a grid of settings, under common random numbers
    Sweep(SweepArgs),
    /// Say what faults at random cost in months and years, and what uses the error budget
    Availability(AvailabilityArgs),
    /// Do again what a manifest.json says, to the same bytes
    Rerun(RerunArgs),
    /// Put together what the shards of a study left
    Merge(MergeArgs),
    /// Say how far the shards of a study are
    Status(StatusArgs),
    /// Write the job files of a scheduler for a study in shards
    Submit(SubmitArgs),
    /// Say by how much two results of run differ, and in which settings
    Diff(DiffArgs),
    /// Look for mistakes in scenarios without running them
    Check(CheckArgs),
    /// Write a commented scenario to begin with
    Init(InitArgs),
    /// List the tiers in which the product is sold, and where that comes from
    Tiers(TiersArgs),
    /// Say what a word means, what a scenario is before it runs, or why latency rose in a run
    Explain(ExplainArgs),
    /// Print the JSON Schema of scenarios, for editors, or of a JSON file among results
    Schema(SchemaArgs),
    /// Print completions for a shell
    Completions(CompletionsArgs),
    /// Print the manual page, or write those of all commands
    Man(ManArgs),
}

impl Command {
    /// How the work is to be done; `None` = it leaves no results, or takes that from elsewhere.
    pub(in crate::cli) fn work(&self) -> Option<&WorkArgs> {
        match self {
            Command::Run(args) => Some(&args.common.work),
            Command::Compare(args) => Some(&args.common.work),
            Command::Plan(args) => Some(&args.common.work),
            Command::Sweep(args) => Some(&args.common.work),
            Command::Availability(args) => Some(&args.common.work),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub(in crate::cli) fn work_mut(&mut self) -> Option<&mut WorkArgs> {
        match self {
            Command::Run(args) => Some(&mut args.common.work),
            Command::Compare(args) => Some(&mut args.common.work),
            Command::Plan(args) => Some(&mut args.common.work),
            Command::Sweep(args) => Some(&mut args.common.work),
            Command::Availability(args) => Some(&mut args.common.work),
            _ => None,
        }
    }

    /// The replications that every scenario is to have, instead of its own.
    pub(in crate::cli) fn replications(&self) -> Option<u64> {
        match self {
            Command::Run(args) => args.count.replications,
            Command::Compare(args) => args.replications,
            Command::Sweep(args) => args.count.replications,
            _ => None,
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = format!("{RUN_EXAMPLES}\n\n{EXIT_CODES}"))]
pub(in crate::cli) struct RunArgs {
    /// The scenarios, each run by itself; - reads one from standard input
    #[arg(required = true)]
    pub(in crate::cli) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) count: CountArgs,
    /// Change a setting as if the scenario said so; as often as needed
    #[arg(long, value_name = "PATH=VALUE")]
    pub(in crate::cli) set: Vec<String>,
    /// Write every N-th request of the replication that is told to requests.csv
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(in crate::cli) requests_every: Option<u64>,
    #[command(flatten)]
    pub(in crate::cli) export: ExportArgs,
    #[command(flatten)]
    pub(in crate::cli) common: CommonArgs,
}

/// How many replications there are.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct CountArgs {
    /// Number of replications, instead of the scenario's
    #[arg(short = 'n', long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(in crate::cli) replications: Option<u64>,
    /// Go on until every objective is decided, or the figures it speaks of are known to this share
    #[arg(long, value_name = "SHARE", value_parser = values::precision)]
    #[arg(conflicts_with = "replications")]
    precision: Option<f64>,
    /// The most replications with --precision [default: 1000]
    #[arg(long, value_name = "N", requires = "precision")]
    #[arg(value_parser = clap::value_parser!(u64).range(2..=100_000))]
    at_most: Option<u64>,
}

impl CountArgs {
    /// How precise figures are to be, if that is what decides.
    pub(in crate::cli) fn precision(&self) -> Option<Precision> {
        let most = self.at_most.unwrap_or(1_000) as usize;
        self.precision.map(|relative| Precision { relative, most })
    }
}

/// What every command that simulates can be told of its results.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct CommonArgs {
    /// Name of the results' folder [default: the scenario's; of a study, COMMAND-SCENARIO]
    #[arg(long, value_name = "NAME", value_parser = values::folder)]
    pub(in crate::cli) name: Option<String>,
    /// Seed of all randomness, instead of the scenario's
    #[arg(short, long, value_name = "S")]
    pub(in crate::cli) seed: Option<u64>,
    /// Do not draw charts
    #[arg(long)]
    pub(in crate::cli) no_charts: bool,
    #[command(flatten)]
    pub(in crate::cli) work: WorkArgs,
}

/// How work is done, and what becomes of its results: nothing that these depend on. All other
/// options of a command go into its manifest.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct WorkArgs {
    /// Directory for results; each scenario or study has its own folder in it
    #[arg(short, long, value_name = "DIR", default_value = "results")]
    pub(in crate::cli) output: PathBuf,
    /// Go on with the replications that the same command left when it was stopped
    #[arg(long)]
    pub(in crate::cli) resume: bool,
    /// Simulate one part of N, for results that `brownout merge` puts together; auto: as the
    /// scheduler numbers its tasks, auto/N where it does not say how many there are
    #[arg(long, value_name = "I/N", value_parser = values::shard)]
    #[arg(conflicts_with_all = ["resume", "force"])]
    pub(in crate::cli) shard: Option<ShardArg>,
    /// Replace results of other settings, of another command or of another version
    #[arg(long)]
    pub(in crate::cli) force: bool,
    /// Threads; results do not depend on it [default: one for each core]
    #[arg(short, long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1_024))]
    pub(in crate::cli) jobs: Option<u16>,
    /// The most memory that requests in flight may take, of all replications at a time
    #[arg(long, value_name = "SIZE", default_value = "4GiB", value_parser = values::memory)]
    pub(in crate::cli) memory: Bytes,
    /// Print the whole report, all tables, instead of the first screen
    #[arg(short, long, conflicts_with = "quiet")]
    pub(in crate::cli) verbose: bool,
    /// What to print on standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(in crate::cli) format: Format,
    /// When to show progress on standard error; auto: if it is a terminal
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(in crate::cli) progress: When,
    /// Print the verdict alone; no progress, no warnings
    #[arg(short, long)]
    pub(in crate::cli) quiet: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = format!("{COMPARE_EXAMPLES}\n\n{STUDY_EXIT_CODES}"))]
pub(in crate::cli) struct CompareArgs {
    /// The scenarios; the first is what the others are compared with
    #[arg(required = true)]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// Work out months and years of each variant, as `availability` does, also where no objective
    /// is on them
    #[arg(long)]
    pub(in crate::cli) months: bool,
    /// About so many requests are simulated for the months of each variant
    #[arg(long, value_name = "N", default_value = MONTHS, value_parser = values::requests)]
    pub(in crate::cli) requests: u64,
    /// Compare tiers: a variant with this gateway.tier
    #[arg(long, value_name = "TIER", value_delimiter = ',')]
    #[arg(value_parser = crate::study::cost::TIERS)]
    pub(in crate::cli) tier: Vec<String>,
    /// Change a setting in all variants; several values, between commas, make variants
    #[arg(long, value_name = "PATH=VALUES")]
    pub(in crate::cli) set: Vec<String>,
    /// A further variant of the scenario, with settings of its own
    #[arg(long, value_name = "NAME;PATH=VALUE;...")]
    pub(in crate::cli) variant: Vec<String>,
    /// Prices to set beside, such as small=300,large=1200,xlarge=2400; else entitlements
    #[arg(long, value_name = "TIER=PRICE,...")]
    pub(in crate::cli) prices: Option<String>,
    /// Number of replications of each variant, instead of the first scenario's
    #[arg(short = 'n', long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(in crate::cli) replications: Option<u64>,
    #[command(flatten)]
    pub(in crate::cli) fail: FailArgs,
    #[command(flatten)]
    pub(in crate::cli) export: VerdictExportArgs,
    #[command(flatten)]
    pub(in crate::cli) common: CommonArgs,
}

#[derive(Debug, clap::Args)]
#[command(after_help = format!("{AVAILABILITY_EXAMPLES}\n\n{EXIT_CODES}"))]
pub(in crate::cli) struct AvailabilityArgs {
    /// The scenario, with faults at random: `every = "exponential(90d)"`
    pub(in crate::cli) file: PathBuf,
    /// Change a setting as if the scenario said so; as often as needed
    #[arg(long, value_name = "PATH=VALUE")]
    pub(in crate::cli) set: Vec<String>,
    /// Add the faults that the scenario does not have, at the rates that are known or assumed
    /// (typical-faults = "all")
    #[arg(long)]
    pub(in crate::cli) typical: bool,
    /// The least share of the requests that is to be answered in the long run, instead of the
    /// scenario's objective
    #[arg(long, value_name = "SHARE", value_parser = values::target)]
    pub(in crate::cli) target: Option<Share>,
    /// Say how often an outage lasts longer than this, instead of the scenario's objective on rto
    /// or recovery
    #[arg(long, value_name = "SPAN", value_parser = values::outage)]
    pub(in crate::cli) rto: Option<Span>,
    /// About so many requests are simulated, and at least what six pieces of each kind of cluster
    /// take; more make intervals narrower
    #[arg(long, value_name = "N", default_value = "500M", value_parser = values::requests)]
    pub(in crate::cli) requests: u64,
    #[command(flatten)]
    pub(in crate::cli) export: VerdictExportArgs,
    #[command(flatten)]
    pub(in crate::cli) common: CommonArgs,
}

#[derive(Debug, clap::Args)]
#[command(after_help = format!("{PLAN_EXAMPLES}\n\n{PLAN_EXIT_CODES}"))]
pub(in crate::cli) struct PlanArgs {
    /// The scenario: its objectives, its gateway, its traffic as today's demand
    pub(in crate::cli) file: PathBuf,
    /// Work out months and years of each gateway that carries the demand, as `availability` does,
    /// also where no objective is on them
    #[arg(long)]
    pub(in crate::cli) months: bool,
    /// About so many requests are simulated for the months of each gateway
    #[arg(long, value_name = "N", default_value = MONTHS, value_parser = values::requests)]
    pub(in crate::cli) requests: u64,
    /// A tier to look at; as often as needed [default: all]
    #[arg(long, value_name = "TIER", value_delimiter = ',')]
    #[arg(value_parser = crate::study::cost::TIERS)]
    pub(in crate::cli) tier: Vec<String>,
    /// A failure mode to look at; as often as needed [default: all that mean something]
    #[arg(long, value_name = "MODE")]
    #[arg(value_parser = crate::study::mode::Mode::ALL.map(|mode| mode.key()))]
    pub(in crate::cli) mode: Vec<String>,
    /// The load that is to be carried, instead of the scenario's highest
    #[arg(long, value_name = "RATE", value_parser = values::rate)]
    pub(in crate::cli) demand: Option<Rate>,
    /// For how long from a loss on objectives are judged
    #[arg(long, value_name = "SPAN", default_value = "10m", value_parser = values::judged)]
    pub(in crate::cli) judged: Span,
    /// The rate at the peak of a day over that at its trough
    #[arg(long, value_name = "RATIO", default_value = "2", value_parser = values::ratio)]
    pub(in crate::cli) peak_ratio: f64,
    /// Replications at a load that fewer do not decide
    #[arg(short = 'n', long, value_name = "N", default_value = "10")]
    #[arg(value_parser = clap::value_parser!(u64).range(2..=10_000))]
    pub(in crate::cli) replications: u64,
    /// Loads that are this close are not told apart
    #[arg(long, value_name = "SHARE", default_value = "1%", value_parser = values::precision)]
    pub(in crate::cli) tolerance: f64,
    /// Change a setting as if the scenario said so; as often as needed
    #[arg(long, value_name = "PATH=VALUE")]
    pub(in crate::cli) set: Vec<String>,
    /// Prices of the tiers, such as small=300,large=1200,xlarge=2400; else entitlements
    #[arg(long, value_name = "TIER=PRICE,...")]
    pub(in crate::cli) prices: Option<String>,
    /// Do not look for what the result hangs on
    #[arg(long)]
    pub(in crate::cli) no_sensitivity: bool,
    #[command(flatten)]
    pub(in crate::cli) export: VerdictExportArgs,
    #[command(flatten)]
    pub(in crate::cli) common: CommonArgs,
}

#[derive(Debug, clap::Args)]
#[command(after_help = format!("{SWEEP_EXAMPLES}\n\n{STUDY_EXIT_CODES}"))]
pub(in crate::cli) struct SweepArgs {
    /// The scenario
    pub(in crate::cli) file: PathBuf,
    /// A setting with the values that it takes, between commas or as FROM..TO:NUMBER; as often as
    /// needed, for every combination
    #[arg(long, value_name = "PATH=VALUES", required = true)]
    pub(in crate::cli) set: Vec<String>,
    #[command(flatten, next_help_heading = "Options for each cell")]
    pub(in crate::cli) count: CountArgs,
    #[command(flatten)]
    pub(in crate::cli) fail: FailArgs,
    #[command(flatten)]
    pub(in crate::cli) export: VerdictExportArgs,
    #[command(flatten)]
    pub(in crate::cli) common: CommonArgs,
}

#[derive(Debug, clap::Args)]
#[command(after_help = format!("{RERUN_EXAMPLES}\n\n{RERUN_EXIT_CODES}"))]
pub(in crate::cli) struct RerunArgs {
    /// The manifest.json, or the folder of results that has it
    pub(in crate::cli) manifest: PathBuf,
    /// Folder from which paths in the manifest's scenarios start
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(in crate::cli) base: PathBuf,
    #[command(flatten)]
    pub(in crate::cli) work: WorkArgs,
}

#[derive(Debug, clap::Args)]
#[command(after_help = format!("{MERGE_EXAMPLES}\n\n{MERGE_EXIT_CODES}"))]
pub(in crate::cli) struct MergeArgs {
    /// The folder that the shards left, NAME.shards, or files of it
    #[arg(required = true, value_name = "DIR|FILE")]
    pub(in crate::cli) parts: Vec<PathBuf>,
    /// Simulate what is missing
    #[arg(long)]
    pub(in crate::cli) fill: bool,
    /// Folder from which paths in the study's scenarios start
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(in crate::cli) base: PathBuf,
    #[command(flatten)]
    pub(in crate::cli) work: WorkArgs,
}

#[derive(Clone, Debug, clap::Args)]
#[command(after_help = SUBMIT_EXAMPLES)]
pub(in crate::cli) struct SubmitArgs {
    /// The scheduler
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) engine: Engine,
    /// How many shards
    #[arg(long, value_name = "N", default_value = "8")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=SHARDS_MOST))]
    pub(in crate::cli) shards: u64,
    /// Submit them by the scheduler's own commands; kubernetes and hyperqueue wait for the results
    #[arg(long)]
    pub(in crate::cli) run: bool,
    /// Replace job files that differ
    #[arg(long)]
    pub(in crate::cli) force: bool,
    /// Kubernetes: the image
    #[arg(long, value_name = "IMAGE", default_value = "brownout:latest")]
    pub(in crate::cli) image: String,
    /// Kubernetes: the claim of a volume that all pods can write to (ReadWriteMany)
    #[arg(long, value_name = "CLAIM", default_value = "brownout-work")]
    pub(in crate::cli) claim: String,
    /// The command, after --: run, compare, sweep or plan with all that belongs to it
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(in crate::cli) study: Vec<String>,
}

/// A scheduler for which job files can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Engine {
    /// An array job, and a merge that depends on it
    Slurm,
    /// An Indexed Job, and a Job for the merge
    Kubernetes,
    /// A task array, and the merge after it
    Hyperqueue,
}

#[derive(Debug, clap::Args)]
#[command(after_help = STATUS_EXIT_CODES)]
pub(in crate::cli) struct StatusArgs {
    /// The folder that the shards write into, NAME.shards
    pub(in crate::cli) folder: PathBuf,
    /// What to print on standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(in crate::cli) format: StatusFormat,
}

#[derive(Debug, clap::Args)]
#[command(after_help = CHECK_EXIT_CODES)]
pub(in crate::cli) struct CheckArgs {
    /// The scenarios
    #[arg(required = true)]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// Change a setting as if every scenario said so; as often as needed
    #[arg(long, value_name = "PATH=VALUE")]
    pub(in crate::cli) set: Vec<String>,
    /// Print every setting as resolved, with how well founded it is and where it comes from
    #[arg(long)]
    pub(in crate::cli) settings: bool,
    /// What to print on standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(in crate::cli) format: CheckFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum When {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
    /// A report for people
    Text,
    /// The content of the JSON file among the results
    Json,
    /// A report for a comment on a change: tables as GitHub and GitLab show them
    Markdown,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Args::command().debug_assert();
    }
}
