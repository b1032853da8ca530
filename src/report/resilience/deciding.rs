//! Why an objective is undecided, and what would decide one on recovery.

use crate::plan::{Extent, Plan, REPLICATIONS_MOST};
use crate::report::format::words::{plural, whole};
use crate::report::run::recovery;
use crate::stats::Estimate;
use crate::units::Share;
use crate::verdict::{Doubt, FewStrikes, Judgement, Verdict, bound};

/// Why there is no decision.
pub(crate) fn doubtful(doubt: Doubt, plan: &Plan, window: usize) -> String {
    match doubt {
        Doubt::NoData => "no data".to_owned(),
        Doubt::Interrupted => "the run was stopped".to_owned(),
        Doubt::OneReplication => "one replication has no interval".to_owned(),
        Doubt::Straddles => "the bound lies in the interval".to_owned(),
        Doubt::Unanswered(share) => format!("{} were never answered", Share(share)),
        Doubt::FewBeyond => "fewer than 10 requests beyond".to_owned(),
        Doubt::Unclear(n, why) => recovery::unclear(why, n),
        Doubt::Untroubled => "no fault or rise after warm-up".to_owned(),
        Doubt::FewStrikes(few) => few_strikes(&few, plan, window),
        Doubt::Unrecovered(n) => format!("{} not over", plural(n, "incident")),
        Doubt::AbnormalBefore(n) => format!("not normal before {}", plural(n, "incident")),
        Doubt::FewIncidents(n, needed) => {
            format!("{}, takes {}", plural(n, "incident"), whole(needed))
        }
    }
}

/// Which fault was seen too seldom in a window.
fn few_strikes(few: &FewStrikes, plan: &Plan, window: usize) -> String {
    let name = &plan.faults[few.fault].name;
    let place = match plan.windows[window].extent {
        Extent::Run => String::new(),
        Extent::During(fault) if fault == few.fault => String::new(),
        Extent::During(other) => format!(" during {}", plan.faults[other].name),
        Extent::Between(..) => " in this time".to_owned(),
    };
    match few.struck {
        0 => format!("{name} never struck{place}: its effect is unknown"),
        1 => format!("{name} struck once{place}: its effect is hardly known"),
        struck => format!("{name} struck {struck} times{place}: its effect is hardly known"),
    }
}

/// What would decide a recovery time or point that is undecided after so many replications; of
/// anything else, or of what is decided, nothing.
pub(crate) fn remedy(judgement: &Judgement, plan: &Plan, replications: usize) -> Option<String> {
    let Verdict::Undecided(doubt) = judgement.verdict else { return None };
    let metric = judgement.objective.metric;
    if metric.restored().is_none() && !metric.is_given() {
        return None;
    }
    Some(match doubt {
        Doubt::NoData => strikes(plan, judgement.objective.window),
        Doubt::Interrupted => "let the run finish".to_owned(),
        Doubt::OneReplication => "--replications 10".to_owned(),
        Doubt::Straddles => {
            let figure = judgement.figure?;
            needed(&figure, bound(&judgement.objective), replications)
        }
        Doubt::FewIncidents(seen, needed) => {
            let many = replications as f64 * needed as f64 / seen.max(1) as f64;
            more(many.ceil())
        }
        Doubt::Unrecovered(_) => "raise run.horizon until they are over".to_owned(),
        Doubt::AbnormalBefore(_) => {
            "less load, or more time before the fault: a minute in which it serves".to_owned()
        }
        Doubt::FewStrikes(few) => struck(&few, plan),
        Doubt::Unanswered(_) | Doubt::FewBeyond | Doubt::Unclear(..) | Doubt::Untroubled => {
            return None;
        }
    })
}

/// Nothing was seen: who or what must strike.
fn strikes(plan: &Plan, window: usize) -> String {
    match plan.windows[window].extent {
        Extent::During(fault) => never_struck(&plan.faults[fault].name),
        _ => "write a [[fault]] that strikes after warm-up".to_owned(),
    }
}

/// A fault that was not seen.
fn never_struck(name: &str) -> String {
    format!("let {name} strike after warm-up: see its time and target")
}

fn struck(few: &FewStrikes, plan: &Plan) -> String {
    let on_purpose = format!("give {} a time (at = …)", plan.faults[few.fault].name);
    let more = few.needed.map(|needed| format!("{}, or ", more(needed as f64)));
    more.unwrap_or_default() + &on_purpose
}

/// The replications of which the interval ends before the bound, if the figure stays what it is:
/// its reach falls with the root of their number.
fn needed(figure: &Estimate, bound: f64, replications: usize) -> String {
    let Some(interval) = figure.interval else { return more(10.0) };
    let (reach, distance) = match bound > figure.point {
        true => (interval.high - figure.point, bound - figure.point),
        false => (figure.point - interval.low, figure.point - bound),
    };
    let many = (replications as f64 * (reach / distance).powi(2)).ceil();
    let least = replications as f64 + 1.0;
    match many <= REPLICATIONS_MOST as f64 {
        true => format!("{} or more (if the figure stays)", more(many.max(least))),
        false => "the figure is as good as the bound: choose another one".to_owned(),
    }
}

fn more(replications: f64) -> String {
    match replications <= REPLICATIONS_MOST as f64 {
        true => format!("--replications {replications}"),
        false => "raise run.horizon: no number of replications would do".to_owned(),
    }
}

/// The same of one fault alone, which may not have been injected at all.
pub(crate) fn of_fault(
    judgement: &Judgement,
    (plan, fault): (&Plan, usize),
    replications: usize,
) -> Option<String> {
    match judgement.verdict {
        Verdict::Undecided(Doubt::NoData) => Some(never_struck(&plan.faults[fault].name)),
        _ => remedy(judgement, plan, replications),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;
    use crate::experiment::tests::example;
    use crate::objective::{Bound, Metric, Objective, Relation};
    use crate::units::Span;
    use crate::verdict::judge_all;

    fn judged(run: &Experiment, metric: Metric, secs: f64, window: usize) -> Judgement {
        let bound = Bound::Span(Span::from_secs(secs));
        let (text, relation) = (String::new(), Relation::Below);
        let objective = Objective { text, metric, relation, bound, window };
        judge_all(run, &[objective]).remove(0)
    }

    fn told(run: &Experiment, metric: Metric, secs: f64) -> Option<String> {
        remedy(&judged(run, metric, secs, 1), &example::plan(), run.outcomes.len())
    }

    /// Recoveries that took so many seconds, one of each replication, so many times over.
    fn run(took: &[f64], times: usize) -> Experiment {
        let mut run = example::experiment();
        let sample = run.outcomes[0].clone();
        let of = |(index, took): (usize, &f64)| {
            let mut outcome = sample.clone();
            outcome.replication = index as u64;
            example::change_incident(&mut outcome, |incident| {
                incident.service = Some(incident.at + Span::from_secs(*took));
            });
            outcome
        };
        let all = (0..times).flat_map(|_| took.iter());
        run.outcomes = all.enumerate().map(of).collect();
        run.asked = run.outcomes.len();
        run
    }

    #[test]
    fn as_many_replications_as_are_named_decide_it_and_fewer_do_not() {
        let took = [10.0, 11.0, 12.0, 13.0, 14.0];
        let recommended = told(&run(&took, 1), Metric::RECOVERY, 12.5).unwrap();
        let number = recommended.strip_prefix("--replications ").unwrap();
        let number: usize =
            number.strip_suffix(" or more (if the figure stays)").unwrap().parse().unwrap();
        // The reach of five is 2.78 · 1.58/√5 s = 1.96 s, the distance 0.5 s: (1.96/0.5)² · 5 = 77.
        assert_eq!(number, 78);
        let verdict = |times| judged(&run(&took, times), Metric::RECOVERY, 12.5, 1).verdict;
        assert_eq!(verdict(number.div_ceil(took.len())), Verdict::Met);
        assert_eq!(verdict(5), Verdict::Undecided(Doubt::Straddles));
        // On the bound itself none would, and one that is decided needs none.
        let on_it = told(&run(&took, 1), Metric::RECOVERY, 12.0).unwrap();
        assert!(on_it.contains("choose another one"), "{on_it}");
        assert_eq!(told(&run(&took, 1), Metric::RECOVERY, 20.0), None);
        // What is of requests has caveats of its own.
        assert_eq!(told(&run(&took, 1), Metric::P99, 0.0001), None);
    }

    #[test]
    fn each_doubt_has_its_own_remedy() {
        let mut open = run(&[10.0, 11.0, 12.0], 1);
        let alone =
            Experiment { outcomes: vec![open.outcomes[0].clone()], asked: 1, ..open.clone() };
        assert_eq!(told(&alone, Metric::RECOVERY, 60.0).unwrap(), "--replications 10");
        example::change_incident(&mut open.outcomes[0], |incident| incident.service = None);
        assert!(told(&open, Metric::RECOVERY, 600.0).unwrap().starts_with("raise run.horizon"));
        example::change_incident(&mut open.outcomes[0], |one| one.normal_before = false);
        assert!(told(&open, Metric::RECOVERY, 600.0).unwrap().contains("before the fault"));
        let mut none = open.clone();
        none.outcomes.iter_mut().for_each(|one| example::set_incidents(one, Vec::new()));
        let (nothing, plan) = (judged(&none, Metric::RTO, 60.0, 1), example::plan());
        let never = "let crash strike after warm-up: see its time and target";
        assert_eq!(remedy(&nothing, &plan, 3).unwrap(), never);
        assert_eq!(of_fault(&judged(&none, Metric::RTO, 60.0, 0), (&plan, 0), 3).unwrap(), never);
        assert!(
            told(&Experiment { interrupted: true, ..run(&[1.0, 2.0], 1) }, Metric::RECOVERY, 60.0)
                .unwrap()
                .starts_with("let the run")
        );
    }

    #[test]
    fn a_percentile_of_few_incidents_names_the_replications_that_bring_enough() {
        use crate::objective::Restored;
        let few = run(&[10.0, 11.0, 12.0, 13.0, 14.0], 1);
        let metric = Metric::RecoveryWithin(Restored::Service, 0.95);
        // One of 59 lies beyond the 95th percentile with 95 %; at both ends 72.
        let judgement = judged(&few, metric, 30.0, 1);
        let Verdict::Undecided(Doubt::FewIncidents(5, needed)) = judgement.verdict else {
            panic!("{:?}", judgement.verdict)
        };
        let told = told(&few, metric, 30.0).unwrap();
        assert_eq!(told, format!("--replications {needed}"));
        let enough = run(&[10.0, 11.0, 12.0, 13.0, 14.0], (needed as usize).div_ceil(5));
        assert_eq!(judged(&enough, metric, 30.0, 1).verdict, Verdict::Met);
    }

    #[test]
    fn what_struck_too_seldom_is_told_with_where_it_was_not_seen() {
        let mut plan = example::plan();
        let fault = 0;
        let told = |plan: &Plan, extent, struck| {
            let mut plan = plan.clone();
            plan.windows[0].extent = extent;
            few_strikes(&FewStrikes { fault, struck, needed: None }, &plan, 0)
        };
        plan.faults.push(plan.faults[0].clone());
        plan.faults[0].name = "a".to_owned();
        plan.faults[1].name = "b".to_owned();
        assert_eq!(told(&plan, Extent::Run, 0), "a never struck: its effect is unknown");
        assert_eq!(told(&plan, Extent::During(0), 1), "a struck once: its effect is hardly known");
        let during = "a never struck during b: its effect is unknown";
        assert_eq!(told(&plan, Extent::During(1), 0), during);
    }
}
