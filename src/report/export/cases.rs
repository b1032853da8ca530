//! Verdicts of every command alike, as cases of suites: what JUnit files tell.
//!
//! A suite is a run, a variant, a cell, a plan; a case is an objective, or a condition of
//! `--fail-if`. An objective of months that a command does not look at is skipped.

use crate::objective::budget::BudgetObjective;
use crate::report::run::report::Report;
use crate::report::run::text;
use crate::verdict::{Judgement, Verdict};

/// Verdicts that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Suite {
    /// Of what.
    pub name: String,
    /// The verdicts.
    pub cases: Vec<Case>,
    /// What else is to be said; may be empty.
    pub said: String,
}

/// A verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What was demanded.
    pub name: String,
    /// Whether it is so.
    pub result: CaseResult,
    /// What was found, in a line.
    pub found: String,
}

/// Whether something is as demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseResult {
    /// It is.
    Met,
    /// It is not.
    Missed,
    /// The data do not say.
    Undecided,
    /// It was not looked at.
    Skipped,
}

impl From<Verdict> for CaseResult {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Met => CaseResult::Met,
            Verdict::Missed => CaseResult::Missed,
            Verdict::Undecided(_) => CaseResult::Undecided,
        }
    }
}

/// The objectives of a run.
pub(crate) fn of_run(report: &Report) -> Vec<Suite> {
    vec![of_report(&report.scenario.name, report)]
}

/// The objectives of one of several runs.
pub(crate) fn of_report(name: &str, report: &Report) -> Suite {
    let of = |judgement: &Judgement| {
        let remark = text::remark(judgement, &report.scenario.plan);
        case(judgement, &remark)
    };
    let mut cases: Vec<Case> = report.judgements.iter().map(of).collect();
    cases.extend(report.scenario.budgets.iter().map(not_judged));
    let caveats = report.caveats.iter().map(|caveat| format!("{}\n", caveat.text()));
    Suite { name: name.to_owned(), cases, said: caveats.collect() }
}

/// A judgement with what is to be remarked of it.
pub(crate) fn case(judgement: &Judgement, remark: &str) -> Case {
    let found = [&*text::figure(judgement), remark].join("; ");
    let found = found.trim_end_matches("; ").to_owned();
    let (name, result) = (judgement.objective.text.clone(), judgement.verdict.into());
    Case { name, result, found }
}

/// An objective of months, of which no months are looked at.
pub(crate) fn not_judged(objective: &BudgetObjective) -> Case {
    Case {
        name: objective.text.clone(),
        result: CaseResult::Skipped,
        found: "not judged here: brownout availability judges it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::example;
    use crate::objective::budget;
    use crate::report::sample::scenario;

    #[test]
    fn a_case_says_what_was_found_and_what_is_not_looked_at_is_skipped() {
        let (mut scenario, run) = (scenario(), example::experiment());
        let months = "availability >= 99.95% per month";
        scenario.budgets = vec![budget::parse(months).unwrap().unwrap()];
        let report = Report::new(&scenario, &run, None);
        let [suite] = &of_run(&report)[..] else { panic!("one suite") };
        let results: Vec<_> =
            suite.cases.iter().map(|case| (case.name.as_str(), case.result)).collect();
        assert_eq!(
            results,
            [
                ("p99 < 250ms", CaseResult::Met),
                ("availability >= 99.9%", CaseResult::Missed),
                ("recovery < 15s", CaseResult::Undecided),
                (months, CaseResult::Skipped),
            ]
        );
        assert!(suite.cases[0].found.contains(" ms ("), "{}", suite.cases[0].found);
        assert!(suite.cases[1].found.contains("; by "), "{}", suite.cases[1].found);
        assert_eq!(suite.name, "one-crash");
    }
}
