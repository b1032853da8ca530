//! Which shard a scheduler means: its environment variables.

use std::fmt::Write;

use anyhow::Context;

use crate::cli::args::ShardArg;
use crate::experiment::partition::Shard;
use crate::report::format::words::plural;

/// The variables of a scheduler.
struct SchedulerVariables {
    name: &'static str,
    /// The number of the task.
    index: &'static str,
    /// How many there are, if it says.
    count: Option<&'static str>,
    /// The number of the first.
    first: First,
}

/// What the first task is numbered.
#[derive(Clone, Copy)]
enum First {
    /// Always so.
    Number(u64),
    /// What this variable says, and in steps of what that one says.
    Variables(&'static str, &'static str),
}

/// The documentation of each names these: Slurm (sbatch, job arrays), AWS Batch (array jobs),
/// Kubernetes (Indexed Jobs), HyperQueue (task arrays, counted from 1 here), GitLab (`parallel`),
/// Buildkite (parallel jobs), Cloud Run (jobs), GNU parallel.
const SCHEDULERS: [SchedulerVariables; 8] = [
    SchedulerVariables {
        name: "Slurm",
        index: "SLURM_ARRAY_TASK_ID",
        count: Some("SLURM_ARRAY_TASK_COUNT"),
        first: First::Variables("SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP"),
    },
    of("AWS Batch", "AWS_BATCH_JOB_ARRAY_INDEX", Some("AWS_BATCH_JOB_ARRAY_SIZE"), 0),
    of("Kubernetes", "JOB_COMPLETION_INDEX", None, 0),
    of("HyperQueue", "HQ_TASK_ID", None, 1),
    of("GitLab", "CI_NODE_INDEX", Some("CI_NODE_TOTAL"), 1),
    of("Buildkite", "BUILDKITE_PARALLEL_JOB", Some("BUILDKITE_PARALLEL_JOB_COUNT"), 0),
    of("Cloud Run", "CLOUD_RUN_TASK_INDEX", Some("CLOUD_RUN_TASK_COUNT"), 0),
    of("GNU parallel", "PARALLEL_SEQ", None, 1),
];

const fn of(
    name: &'static str,
    index: &'static str,
    count: Option<&'static str>,
    first: u64,
) -> SchedulerVariables {
    SchedulerVariables { name, index, count, first: First::Number(first) }
}

/// The shard that is asked for.
///
/// # Errors
/// No scheduler says which, or several do, or what it says makes no sense.
pub(in crate::cli) fn shard(
    asked: ShardArg,
    variable: &dyn Fn(&str) -> Option<String>,
) -> anyhow::Result<Shard> {
    let given = match asked {
        ShardArg::Given(shard) => return Ok(shard),
        ShardArg::Auto(given) => given,
    };
    let present: Vec<&SchedulerVariables> =
        SCHEDULERS.iter().filter(|one| variable(one.index).is_some()).collect();
    let [scheduler] = present[..] else { anyhow::bail!(ambiguous(&present)) };
    let said = scheduler.count.filter(|name| variable(name).is_some());
    let said = said.map(|name| number(name, variable)).transpose()?;
    let count = match (said, given) {
        (Some(said), Some(given)) if said != given => anyhow::bail!(
            "--shard auto/{given}: {} has {}\n  = help: let it have {given}, or say which shard \
             this is with --shard I/{given}",
            scheduler.name,
            plural(said, "task")
        ),
        (Some(count), _) | (None, Some(count)) => count,
        (None, None) => anyhow::bail!(
            "--shard auto: {} does not say how many tasks there are{}\n  = help: say it, such as \
             --shard auto/8",
            scheduler.name,
            scheduler.count.map_or_else(String::new, |name| format!(": {name} is not set"))
        ),
    };
    let id = number(scheduler.index, variable)?;
    let (first, step) = match scheduler.first {
        First::Number(first) => (first, 1),
        First::Variables(first, step) => {
            let step = variable(step).map_or(Ok(1), |_| number(step, variable))?;
            (number(first, variable)?, step.max(1))
        }
    };
    let index = id.checked_sub(first).map(|from| from / step).filter(|index| *index < count);
    index.map(|index| Shard { index, count }).ok_or_else(|| {
        let last = first + count.saturating_sub(1) * step;
        anyhow::anyhow!(
            "--shard auto: {}={id} is none of {} from {first} to {last}\n  = help: number the \
             tasks of {} so, or say which shard this is with --shard I/N",
            scheduler.index,
            plural(count, "task"),
            scheduler.name
        )
    })
}

fn number(name: &str, variable: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<u64> {
    let help = "say which shard this is with --shard I/N";
    let text = variable(name).with_context(|| {
        format!("--shard auto: {name} is not set, by which tasks are numbered\n  = help: {help}")
    })?;
    let number = text.parse();
    number.map_err(|_| {
        anyhow::anyhow!("--shard auto: {name}={text:?} is no number\n  = help: {help}")
    })
}

/// What is wrong if not one scheduler says which shard this is.
fn ambiguous(present: &[&SchedulerVariables]) -> String {
    let mut out = "--shard auto: ".to_owned();
    let name = |one: &&SchedulerVariables| format!("{} ({})", one.name, one.index);
    let help = "say which shard this is with --shard I/N";
    match present {
        [] => {
            let all: Vec<&str> = SCHEDULERS.iter().map(|one| one.index).collect();
            let _ = write!(out, "no scheduler numbers this task: none of {}", all.join(", "));
            let _ = write!(out, " is set\n  = help: {help}");
        }
        several => {
            let names: Vec<String> = several.iter().map(name).collect();
            let _ = write!(out, "{} number this task\n  = help: {help}", names.join(" and "));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(asked: Option<u64>, variables: &[(&str, &str)]) -> Result<(u64, u64), String> {
        let of = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let shard = shard(ShardArg::Auto(asked), &of).map_err(|error| error.to_string())?;
        Ok((shard.index, shard.count))
    }

    fn slurm(id: &'static str) -> [(&'static str, &'static str); 4] {
        [
            ("SLURM_ARRAY_TASK_ID", id),
            ("SLURM_ARRAY_TASK_COUNT", "4"),
            ("SLURM_ARRAY_TASK_MIN", "10"),
            ("SLURM_ARRAY_TASK_STEP", "5"),
        ]
    }

    #[test]
    fn every_scheduler_is_read_as_it_counts() {
        assert_eq!(with(None, &slurm("10")), Ok((0, 4)));
        assert_eq!(with(None, &slurm("25")), Ok((3, 4)));
        let batch = [("AWS_BATCH_JOB_ARRAY_INDEX", "0"), ("AWS_BATCH_JOB_ARRAY_SIZE", "9")];
        assert_eq!(with(None, &batch), Ok((0, 9)));
        assert_eq!(with(Some(8), &[("JOB_COMPLETION_INDEX", "7")]), Ok((7, 8)));
        assert_eq!(with(Some(8), &[("HQ_TASK_ID", "8")]), Ok((7, 8)));
        assert_eq!(with(None, &[("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "3")]), Ok((0, 3)));
        let buildkite = [("BUILDKITE_PARALLEL_JOB", "2"), ("BUILDKITE_PARALLEL_JOB_COUNT", "3")];
        assert_eq!(with(None, &buildkite), Ok((2, 3)));
        let run = [("CLOUD_RUN_TASK_INDEX", "1"), ("CLOUD_RUN_TASK_COUNT", "2")];
        assert_eq!(with(Some(2), &run), Ok((1, 2)));
        assert_eq!(with(Some(2), &[("PARALLEL_SEQ", "1")]), Ok((0, 2)));
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        let refused = |asked, variables: &[(&str, &str)]| with(asked, variables).unwrap_err();
        assert!(refused(None, &[]).contains("no scheduler numbers this task"));
        let both = [("HQ_TASK_ID", "1"), ("PARALLEL_SEQ", "1")];
        assert!(refused(Some(2), &both).contains("HyperQueue (HQ_TASK_ID) and GNU parallel"));
        assert!(refused(None, &[("JOB_COMPLETION_INDEX", "1")]).contains("--shard auto/8"));
        assert!(refused(Some(5), &slurm("10")).contains("Slurm has 4 tasks"));
        assert!(refused(Some(8), &[("HQ_TASK_ID", "0")]).contains("8 tasks from 1 to 8"));
        assert!(refused(Some(8), &[("HQ_TASK_ID", "x")]).contains("is no number"));
        // Where somebody set the number alone.
        let alone = [("SLURM_ARRAY_TASK_ID", "3"), ("SLURM_ARRAY_TASK_MIN", "1")];
        assert!(refused(None, &alone).contains("SLURM_ARRAY_TASK_COUNT is not set"));
        assert_eq!(with(Some(4), &alone), Ok((2, 4)));
        let said = refused(Some(4), &alone[..1]);
        assert!(said.contains("SLURM_ARRAY_TASK_MIN is not set") && said.contains("I/N"), "{said}");
        let one = [("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "1")];
        assert!(refused(Some(5), &one).contains("GitLab has 1 task\n"));
        // A task of an array that is submitted again by itself is none of one.
        let mut alone = slurm("15");
        alone[2].1 = "20";
        assert!(refused(None, &alone).contains("none of 4 tasks from 20 to 35"));
    }
}
