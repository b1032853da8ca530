//! Writing what is asked for into the results directory.

use super::cases::{self, Suite};
use super::kind::{ExportKind, Exports};
use super::{hdr, junit, openmetrics, perfetto, sarif, studies};
use crate::report::availability::report::AvailabilityReport;
use crate::report::compare::report::CompareReport;
use crate::report::files::staging::{FilesError, Staging};
use crate::report::plan::report::CapacityReport;
use crate::report::run::report::Report;
use crate::report::sweep::report::SweepReport;

/// Writes what is asked for of a run. What a replication with its timeline is needed for is left
/// out if none was kept, because the run was stopped.
///
/// # Errors
/// Those of the file system.
pub fn write_run(
    report: &Report,
    exports: &Exports,
    staging: &mut Staging,
) -> Result<(), FilesError> {
    let (plan, outcomes) = (&report.scenario.plan, &report.experiment.outcomes);
    let told = report.experiment.told();
    let told = told.and_then(|outcome| Some((outcome, outcome.timeline.as_ref()?)));
    for kind in ExportKind::ALL.into_iter().filter(|kind| exports.kinds.contains(kind)) {
        let (epoch, file) = (exports.epoch, kind.file());
        match (kind, told) {
            (ExportKind::Perfetto, Some(told)) => {
                staging.add(file, |out| perfetto::write(plan, told, out))?;
            }
            (ExportKind::Openmetrics, Some(told)) => {
                staging.add(file, |out| openmetrics::write(report, told, epoch, out))?;
            }
            (ExportKind::Perfetto | ExportKind::Openmetrics, None) => {}
            (ExportKind::Hdr, _) => {
                staging.add(file, |out| hdr::write(plan, outcomes, epoch, out))?;
            }
            (ExportKind::Junit, _) => {
                staging.add(file, |out| junit::write(&cases::of_run(report), epoch, out))?;
            }
            (ExportKind::Sarif, _) => {
                staging.add(file, |out| sarif::write_run(report, out))?;
            }
        }
    }
    Ok(())
}

/// Makes suites of a report.
type Suites<R> = fn(&R) -> Vec<Suite>;

/// Writes the verdicts of a study, if they are asked for.
fn verdicts<R>(
    report: &R,
    suites: Suites<R>,
    exports: &Exports,
    staging: &mut Staging,
) -> Result<(), FilesError> {
    if !exports.kinds.contains(&ExportKind::Junit) {
        return Ok(());
    }
    let suites = suites(report);
    staging.add(ExportKind::Junit.file(), |out| junit::write(&suites, exports.epoch, out))
}

/// Writes what is asked for of a comparison.
///
/// # Errors
/// Those of the file system.
pub fn write_comparison(
    report: &CompareReport,
    exports: &Exports,
    staging: &mut Staging,
) -> Result<(), FilesError> {
    verdicts(report, studies::of_comparison, exports, staging)
}

/// Writes what is asked for of a sweep.
///
/// # Errors
/// Those of the file system.
pub fn write_sweep(
    report: &SweepReport,
    exports: &Exports,
    staging: &mut Staging,
) -> Result<(), FilesError> {
    verdicts(report, studies::of_sweep, exports, staging)
}

/// Writes what is asked for of a plan.
///
/// # Errors
/// Those of the file system.
pub fn write_plan(
    report: &CapacityReport,
    exports: &Exports,
    staging: &mut Staging,
) -> Result<(), FilesError> {
    verdicts(report, studies::of_plan, exports, staging)
}

/// Writes what is asked for of months and years.
///
/// # Errors
/// Those of the file system.
pub fn write_availability(
    report: &AvailabilityReport,
    exports: &Exports,
    staging: &mut Staging,
) -> Result<(), FilesError> {
    verdicts(report, studies::of_availability, exports, staging)
}
