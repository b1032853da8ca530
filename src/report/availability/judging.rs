//! What months and years are judged by, and the judgement.

use crate::metric::{Metric, Restored};
use crate::objective::budget::BudgetObjective;
use crate::objective::{Bound, Relation};
use crate::plan::Extent;
use crate::report::format::words::share_of;
use crate::scenario::Scenario;
use crate::stats::Confidence;
use crate::study::availability::AvailabilityStudy;
use crate::study::availability::chances::{Chance, OutageOdds, UNSETTLED_SECS};
use crate::study::availability::estimate::LongRun;
use crate::units::{Share, Span};
use crate::verdict::{Doubt, Overall, Verdict, judge_budget, overall_of};

/// The most requests that `--requests` takes.
const REQUESTS_MOST: f64 = 1e12;
/// So many times the requests that are needed by rule are advised.
const SPARE: f64 = 1.25;

/// What is demanded of months, of the long run, and how long an outage may last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LongRunDemands {
    /// The share of the requests that is to be answered in the long run.
    pub target: Option<Share>,
    /// How long an outage may last, and what says so.
    pub rto: Option<(Span, String)>,
}

impl LongRunDemands {
    /// Those of a scenario, but for what is given.
    pub fn of(scenario: &Scenario, target: Option<Share>, rto: Option<Span>) -> LongRunDemands {
        let rto = rto.map(|span| (span, "--rto".to_owned())).or_else(|| self::rto(scenario));
        LongRunDemands { target: target.or_else(|| self::target(scenario)), rto }
    }
}

/// The share that a scenario demands of the whole run.
fn target(scenario: &Scenario) -> Option<Share> {
    let whole = |window: usize| {
        let window = &scenario.plan.windows[window];
        window.extent == Extent::Run && window.api.is_none()
    };
    let demanded = scenario.objectives.iter().filter(|one| {
        let least = matches!(one.relation, Relation::AtLeast | Relation::Above);
        one.metric == Metric::Availability && least && whole(one.window)
    });
    let shares = demanded.filter_map(|one| match one.bound {
        Bound::Share(share) => Some(share),
        Bound::Span(_) => None,
    });
    shares.max_by(|one, other| one.0.total_cmp(&other.0))
}

/// The shortest time in which a scenario demands that requests are answered again.
fn rto(scenario: &Scenario) -> Option<(Span, String)> {
    let demanded = scenario.objectives.iter().filter_map(|one| {
        let restored = match one.metric {
            Metric::Recovery(restored) | Metric::RecoveryWithin(restored, _) => restored,
            _ => return None,
        };
        let answers = matches!(restored, Restored::Service | Restored::Answers);
        let most = matches!(one.relation, Relation::Below | Relation::AtMost);
        match one.bound {
            Bound::Span(span) if answers && most => Some((span, one.text.clone())),
            _ => None,
        }
    });
    demanded.min_by_key(|(span, _)| *span)
}

/// An objective of months with what was found.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedBudget {
    /// What was demanded.
    pub objective: BudgetObjective,
    /// The chance that more than the budget is used.
    pub chance: Chance,
    /// Whether so few do.
    pub verdict: Verdict,
    /// What would decide it, if it is undecided.
    pub remedy: Option<String>,
}

/// Judges every objective of months and years of a scenario.
pub fn judge_budgets(
    scenario: &Scenario,
    study: &AvailabilityStudy,
    run: &LongRun,
    requests: f64,
) -> Vec<JudgedBudget> {
    let one = |objective: &BudgetObjective| {
        let chances = study.chances(run, objective.budget(), scenario.plan.run.seed);
        let chance = chances[objective.span as usize];
        let verdict = judge_budget(objective, chance.interval);
        let undecided = verdict == Verdict::Undecided(Doubt::Straddles);
        let by_unsettled = || {
            let seed = scenario.plan.run.seed;
            let settled = study.as_if_settled().chances(run, objective.budget(), seed);
            verdict != judge_budget(objective, settled[objective.span as usize].interval)
        };
        let remedy = || match run.unsettled.0 > 0 && by_unsettled() {
            true => not_settled(run),
            false => needed(objective, &chance, requests),
        };
        let remedy = undecided.then(remedy);
        JudgedBudget { objective: objective.clone(), chance, verdict, remedy }
    };
    scenario.budgets.iter().map(one).collect()
}

/// Whether the months and the long run of a gateway are as demanded.
pub fn kept(scenario: &Scenario, study: &AvailabilityStudy) -> Overall {
    let Some(run) = study.long_run(Confidence::USUAL) else { return Overall::Undecided };
    let target = LongRunDemands::of(scenario, None, None).target;
    let long_run = target.map(|target| judge_long_run(&run, target));
    let budgets = judge_budgets(scenario, study, &run, 0.0);
    overall_of(long_run.into_iter().chain(budgets.iter().map(|one| one.verdict)))
}

/// That pieces whose end nobody has seen are what leaves a verdict open.
pub fn not_settled(run: &LongRun) -> String {
    let (open, all) = run.unsettled;
    format!("{open} of {all} pieces were not back to normal when they ended: see below")
}

/// Whether those leave the verdict on the long run open.
pub fn open_by_unsettled(run: &LongRun, target: Share) -> bool {
    let settled = LongRun { unsettled_rate: 0.0, ..run.clone() };
    judge_long_run(run, target) != judge_long_run(&settled, target)
}

/// What would decide an error budget: an interval shrinks with the root of the requests, and where
/// nothing was seen with their number.
fn needed(objective: &BudgetObjective, chance: &Chance, requests: f64) -> String {
    let (point, spared) = (chance.point, objective.spared.0);
    let end = if point <= spared { chance.interval.high } else { chance.interval.low };
    let wide = (end - point) / (spared - point);
    let more = if point > 0.0 { wide.powi(2) } else { wide } * SPARE * requests;
    match more {
        more if more <= REQUESTS_MOST => {
            format!("about {} requests would decide it (--requests)", short(more))
        }
        _ => format!(
            "it is too near to {} of the {} for more requests to decide it: the assumed rates of \
             faults are known less well",
            share_of(spared),
            objective.span.words()[1]
        ),
    }
}

/// A number of requests as `--requests` takes it, rounded up.
fn short(requests: f64) -> String {
    let (unit, name) = if requests >= 2e9 { (1e9, "G") } else { (1e6, "M") };
    let digits = (requests / unit).max(1.0);
    let step = 10.0_f64.powf(digits.log10().floor()) / 2.0;
    format!("{:.0}{name}", ((digits / step).ceil() * step).ceil())
}

/// Counts the outages that last longer than demanded.
pub fn outages(study: &AvailabilityStudy, demands: &LongRunDemands) -> Option<OutageOdds> {
    let (longest, _) = demands.rto.as_ref()?;
    Some(study.outages(longest.as_secs(), Confidence::USUAL))
}

/// The verdict on the long run.
pub fn judge_long_run(run: &LongRun, target: Share) -> Verdict {
    let budget = 1.0 - target.0;
    let interval = run.failing_interval;
    // What has not settled may go on until somebody ends it.
    let high = interval.high + run.unsettled_rate * UNSETTLED_SECS;
    match (high <= budget, interval.low > budget) {
        (true, _) => Verdict::Met,
        (_, true) => Verdict::Missed,
        _ => Verdict::Undecided(Doubt::Straddles),
    }
}

/// That objectives of months are not judged where no months are looked at.
pub(crate) fn not_judged(scenario: &Scenario) -> Option<String> {
    let texts: Vec<&str> = scenario.budgets.iter().map(|one| one.text.as_str()).collect();
    (!texts.is_empty())
        .then(|| format!("not judged here: {} → brownout availability judges it", texts.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::budget;
    use crate::stats::Interval;

    fn judged(low: f64, point: f64, high: f64) -> (Verdict, String) {
        let objective = budget::parse("availability >= 99.9% per month").unwrap().unwrap();
        let chance = Chance { point, interval: Interval { low, high } };
        (judge_budget(&objective, chance.interval), needed(&objective, &chance, 1e8))
    }

    #[test]
    fn the_whole_interval_of_a_chance_decides() {
        assert_eq!(judged(0.0, 0.01, 0.05).0, Verdict::Met);
        assert_eq!(judged(0.051, 0.06, 0.07).0, Verdict::Missed);
        let open = Verdict::Undecided(Doubt::Straddles);
        assert_eq!(judged(0.05, 0.06, 0.07).0, open);
        assert_eq!(judged(0.0, 0.0, 0.051).0, open);
    }

    #[test]
    fn what_would_decide_it_grows_with_the_square_of_what_lacks() {
        // Twice as wide as it may be: four times as many, and a quarter more.
        assert!(judged(0.02, 0.03, 0.07).1.starts_with("about 500M requests"));
        assert!(judged(0.03, 0.07, 0.11).1.starts_with("about 500M requests"));
        assert!(judged(0.0, 0.049, 0.07).1.starts_with("about 60G requests"));
        assert!(judged(0.0, 0.05, 0.09).1.contains("too near to 5 % of the months"));
        assert!(judged(0.0, 0.0, 0.2).1.starts_with("about 500M requests"));
    }

    #[test]
    fn requests_are_rounded_up_to_what_the_option_takes() {
        assert_eq!([1.5e6, 123e6, 1.1e9, 2.2e9].map(short), ["2M", "150M", "1500M", "3G"]);
    }
}
