//! The files of a run.

use crate::report::files::staging::{FilesError, Staging};
use crate::report::files::{events, replications, requests, timeline};
use crate::report::resilience::grid;
use crate::report::run::report::Report;

/// Writes every table.
///
/// # Errors
/// Those of the file system.
pub fn write_tables(report: &Report, staging: &mut Staging) -> Result<(), FilesError> {
    let plan = &report.scenario.plan;
    let outcomes = &report.experiment.outcomes;
    staging.add("replications.csv", |out| replications::write(plan, outcomes, out))?;
    if !report.disruptions.is_empty() {
        let (rows, count) = (&report.disruptions, outcomes.len());
        staging.add("disruptions.csv", |out| grid::write(plan, rows, count, out))?;
    }
    if let Some(told) = report.experiment.told() {
        if let Some(bins) = &told.timeline {
            staging
                .add("timeline.csv", |out| timeline::write(plan, (told.replication, bins), out))?;
            staging.add("events.csv", |out| events::write(plan, told, out))?;
        }
        if report.requests_every.is_some() {
            staging.add("requests.csv", |out| requests::write(plan, told, out))?;
        }
    }
    Ok(())
}
