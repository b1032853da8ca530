//! Options of the commands that look at results again.

use std::path::PathBuf;

use crate::units::Span;

const DIFF_EXAMPLES: &str = "\
EXAMPLES:
    brownout diff results/before results/after
    brownout run scenarios/replica-crash.toml --set gateway.tier=xlarge --name xlarge
    brownout diff results/replica-crash results/xlarge";

pub(super) const RERUN_EXAMPLES: &str = "\
EXAMPLES:
    brownout rerun results/replica-crash --output again
    brownout rerun results/plan-capacity/manifest.json --output again --jobs 1
    brownout rerun results/recorded-day --base scenarios --output again";

pub(super) const RERUN_EXIT_CODES: &str = "\
EXIT CODES:
    2    error: usage, scenario, files, or the results differ from those in the manifest
    else those of the command that is run again";

#[derive(Debug, clap::Args)]
#[command(after_help = DIFF_EXAMPLES)]
pub(in crate::cli) struct DiffArgs {
    /// A folder of results of run
    #[arg(value_name = "RESULT")]
    pub(in crate::cli) before: PathBuf,
    /// The folder that it is set beside
    #[arg(value_name = "RESULT")]
    pub(in crate::cli) after: PathBuf,
    /// Folder from which paths in the scenarios start
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(in crate::cli) base: PathBuf,
}

/// A moment of a run, as reports write it (`3:12`, `1:02:03.5`) or as a duration (`192s`).
pub(super) fn moment(text: &str) -> Result<Span, String> {
    if !text.contains(':') {
        return crate::quantity::span(text).map_err(|flaw| flaw.to_string());
    }
    let parts: Vec<&str> = text.split(':').collect();
    let number = |part: &&str| part.parse::<f64>().ok().filter(|it| (0.0..1e9).contains(it));
    let numbers: Option<Vec<f64>> = parts.iter().map(number).collect();
    let sound = numbers.filter(|numbers| numbers.len() <= 3);
    let sound = sound.filter(|numbers| numbers[1..].iter().all(|part| *part < 60.0));
    let seconds = sound.map(|numbers| numbers.iter().fold(0.0, |sum, part| 60.0 * sum + part));
    seconds.map(Span::from_secs).ok_or_else(|| "write a moment such as 3:12, or 192s".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_reports_do_or_as_a_duration() {
        let of = |text: &str| moment(text).map(Span::as_secs);
        assert_eq!([of("3:12"), of("1:02:03.5"), of("192s")], [Ok(192.0), Ok(3723.5), Ok(192.0)]);
        for wrong in ["3:72", "a:1", "1:2:3:4", ":", "12", ""] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }
}
