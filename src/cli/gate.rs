//! Conditions of `--fail-if`: what they need, what they say, and how the program ends by them.

use super::args::{Format, WorkArgs};
use super::exit::Exit;
use super::terminal::Terminal;
use crate::report::fail_if::{self, FailCondition, FailJudged};
use crate::scenario::Scenario;
use crate::verdict::Overall;

/// Refuses conditions that these scenarios have nothing for: no objective, or no such window.
pub(in crate::cli) fn expect(
    conditions: &[FailCondition],
    scenarios: &[&Scenario],
) -> anyhow::Result<()> {
    let demands = |one: &&Scenario| !one.objectives.is_empty() || !one.budgets.is_empty();
    let labels = scenarios.first().map_or_else(Vec::new, |first| {
        let windows = first.plan.windows.iter().map(|window| &window.label);
        let has = |one: &&Scenario, label: &String| {
            one.plan.windows.iter().any(|window| window.label == *label)
        };
        windows.filter(|label| scenarios.iter().all(|one| has(one, label))).cloned().collect()
    });
    for condition in conditions {
        anyhow::ensure!(
            *condition != FailCondition::Missed || scenarios.iter().any(demands),
            "--fail-if missed: no scenario has an objective that could be missed\n  = help: write \
             objectives into the scenario, or hold variants against the first: --fail-if worse"
        );
        condition.expect_window(&labels).map_err(|flaw| anyhow::anyhow!("--fail-if {flaw}"))?;
    }
    Ok(())
}

/// How a study ends by what was found, which is said on standard error where what is printed is for
/// programs.
pub(in crate::cli) fn end(
    judged: &[FailJudged],
    interrupted: bool,
    args: &WorkArgs,
    terminal: Terminal,
) -> Exit {
    let overall = fail_if::overall(judged);
    if args.format != Format::Text && matches!(overall, Overall::Missed | Overall::Undecided) {
        terminal.say(&fail_if::text(judged));
    }
    match overall {
        _ if interrupted => Exit::Interrupted,
        Overall::NoObjectives | Overall::Met => Exit::Met,
        Overall::Missed => Exit::Missed,
        Overall::Undecided => Exit::Undecided,
    }
}
