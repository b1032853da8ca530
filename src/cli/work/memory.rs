//! Room for the requests in flight: an estimate before anything runs, and what is said when there
//! was none.
//!
//! Where requests come faster than they are served and wait without end, there are soon more of
//! them than a machine can hold. The model counts what it holds
//! ([`Holding`](crate::engine::progress::Holding)) and ends everything before that.

use crate::cli::args::WorkArgs;
use crate::engine::progress::Overflow;
use crate::report::format::words::{plural, whole};
use crate::scenario::Scenario;
use crate::units::Bytes;

/// What can be done about it.
const HELP: &str = "lower the load, shorten the run, let requests time out \
    (ingress.read-timeout), make fewer replications at a time (--jobs 1), or allow more with \
    --memory";

/// Refuses scenarios whose requests in flight there will be no room for.
///
/// # Errors
/// Names the scenario, how much it would need, and what can be done.
pub(in crate::cli) fn afford(
    args: &WorkArgs,
    scenarios: &[&Scenario],
    replications: usize,
) -> anyhow::Result<()> {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let together = args.jobs.map_or_else(cores, usize::from).min(replications) as u64;
    for scenario in scenarios {
        let plan = &scenario.plan;
        let waiting = plan.backlog() as u64;
        let needed = Bytes(waiting.saturating_mul(plan.bytes_held()).saturating_mul(together));
        let own = std::slice::from_ref(&scenario.name);
        let name = [own, &scenario.changes[..]].concat().join(", ");
        anyhow::ensure!(
            needed <= args.memory,
            "{name}: up to {} requests wait at once, for they come faster than they are served; \
             with {} at a time that takes about {needed} of memory, and {} is allowed\n  = help: \
             {HELP}",
            whole(waiting),
            plural(together, "replication"),
            args.memory
        );
    }
    Ok(())
}

/// Says where there was no room.
pub(super) fn exceeded(overflow: &Overflow, stage: &str, allowed: Bytes) -> String {
    let Overflow { replication, at, held, bytes } = overflow;
    let stage = if stage.is_empty() { String::new() } else { format!("{stage}, ") };
    let held = whole(*held as u64);
    format!(
        "no room for the requests in flight: {stage}replication {replication} held {held} of them \
         at {at}, all replications in progress about {}, and {allowed} is allowed; what was \
         complete is written\n  = help: {HELP}",
        Bytes(*bytes)
    )
}
