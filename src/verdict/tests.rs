use super::*;
use crate::experiment::tests::{example, with_clients};
use crate::objective::Bound;
use crate::observe::ledger::Failure;
use crate::observe::outcome::WindowOutcome;
use crate::observe::strikes::Strikes;
use crate::stats::{Estimate, Interval};
use crate::units::{Share, Span};

fn objective(metric: Metric, relation: Relation, seconds: f64) -> Objective {
    let bound = Bound::Span(Span::from_secs(seconds));
    Objective { text: String::new(), metric, relation, bound, window: 0 }
}

fn p99(relation: Relation) -> Objective {
    objective(Metric::SentLatency(0.99), relation, 0.25)
}

fn estimate(low: f64, high: f64) -> Estimate {
    let interval = Some(Interval { low, high });
    Estimate { point: (low + high) / 2.0, interval, n: 10 }
}

#[test]
fn the_whole_interval_must_lie_on_one_side() {
    let judged = |low, high| judge(&p99(Relation::Below), Some(&estimate(low, high)));
    assert_eq!(judged(0.2, 0.24), Verdict::Met);
    assert_eq!(judged(0.26, 0.3), Verdict::Missed);
    assert_eq!(judged(0.2, 0.3), Verdict::Undecided(Doubt::Straddles));
}

#[test]
fn an_interval_that_touches_the_bound_follows_the_relation() {
    let straddles = Verdict::Undecided(Doubt::Straddles);
    let table = [
        (Relation::Below, straddles, Verdict::Missed),
        (Relation::AtMost, Verdict::Met, straddles),
        (Relation::Above, Verdict::Missed, straddles),
        (Relation::AtLeast, straddles, Verdict::Met),
    ];
    for (relation, from_below, from_above) in table {
        let judged = |estimate| judge(&p99(relation), Some(&estimate));
        assert_eq!(judged(estimate(0.2, 0.25)), from_below, "{relation:?} from below");
        assert_eq!(judged(estimate(0.25, 0.3)), from_above, "{relation:?} from above");
    }
}

#[test]
fn a_figure_without_error_on_the_bound_follows_the_relation() {
    let judged = |relation| judge(&p99(relation), Some(&estimate(0.25, 0.25)));
    assert_eq!(judged(Relation::Below), Verdict::Missed);
    assert_eq!(judged(Relation::AtMost), Verdict::Met);
    assert_eq!(judged(Relation::Above), Verdict::Missed);
    assert_eq!(judged(Relation::AtLeast), Verdict::Met);
}

#[test]
fn no_data_never_passes() {
    let mut run = example::experiment();
    for outcome in &mut run.outcomes {
        outcome.windows.iter_mut().for_each(|window| *window = Default::default());
        example::set_incidents(outcome, Vec::new());
    }
    let availability = Objective {
        bound: Bound::Share(Share::ZERO),
        ..objective(Metric::Availability, Relation::AtLeast, 0.0)
    };
    let objectives = [
        p99(Relation::Below),
        objective(Metric::MeanLatency, Relation::AtMost, 1e9),
        objective(Metric::RECOVERY, Relation::AtMost, 1e9),
        availability,
    ];
    let judged = judge_all(&run, &objectives);
    assert!(judged.iter().all(|j| j.verdict == Verdict::Undecided(Doubt::NoData)));
    assert_eq!(overall(&judged), Overall::Undecided);
}

#[test]
fn one_replication_decides_nothing() {
    let mut run = example::experiment();
    run.outcomes.truncate(1);
    let generous = objective(Metric::SentLatency(0.99), Relation::Below, 1e6);
    let judged = judge_all(&run, &[generous]);
    assert_eq!(judged[0].verdict, Verdict::Undecided(Doubt::OneReplication));
}

#[test]
fn a_partial_run_decides_nothing() {
    let mut run = example::experiment();
    run.outcomes.iter_mut().for_each(|outcome| outcome.interrupted = true);
    let generous = objective(Metric::SentLatency(0.99), Relation::Below, 1e6);
    let judged = judge_all(&run, &[generous]);
    assert_eq!(judged[0].verdict, Verdict::Undecided(Doubt::Interrupted));
}

#[test]
fn an_incident_without_end_can_miss_an_objective_and_meets_none() {
    let mut run = example::experiment();
    let judged = |run: &Experiment, seconds| {
        let objective = objective(Metric::RECOVERY, Relation::AtMost, seconds);
        judge_all(run, &[objective])[0].verdict
    };
    // One of five is not over after 420 s: the mean is at least 96 s, known to ±225 s.
    example::change_incident(&mut run.outcomes[3], |incident| incident.service = None);
    let doubt = Verdict::Undecided(Doubt::Unrecovered(1));
    assert_eq!([10.0, 90.0, 400.0].map(|bound| judged(&run, bound)), [doubt; 3]);
    // None is over, after 420 s each.
    for outcome in &mut run.outcomes {
        example::change_incident(outcome, |incident| incident.service = None);
    }
    assert_eq!(judged(&run, 419.0), Verdict::Missed);
    assert_eq!(judged(&run, 421.0), Verdict::Undecided(Doubt::Unrecovered(5)));
    let objective = objective(Metric::RECOVERY, Relation::AtMost, 419.0);
    assert_eq!(judge_all(&run, &[objective])[0].not_over, 5);
    run.interrupted = true;
    assert_eq!(judged(&run, 419.0), Verdict::Undecided(Doubt::Interrupted));
    run.outcomes.truncate(1);
    run.interrupted = false;
    assert_eq!(judged(&run, 419.0), Verdict::Undecided(Doubt::OneReplication));
}

/// The sample with its windows changed.
fn with_windows(change: impl Fn(&mut WindowOutcome)) -> Experiment {
    let mut run = example::experiment();
    run.outcomes.iter_mut().flat_map(|outcome| &mut outcome.windows).for_each(change);
    run
}

#[test]
fn what_nobody_answered_takes_away_what_it_could_change() {
    let share = |text: &str, bound| Objective {
        text: text.to_owned(),
        bound: Bound::Share(Share(bound)),
        ..objective(Metric::Availability, Relation::AtLeast, 0.0)
    };
    let objectives = [
        share("met", 0.99),
        share("missed", 0.999),
        objective(Metric::SentLatency(0.9), Relation::Below, 1e6),
        objective(Metric::SentLatency(0.99), Relation::Below, 1e6),
        objective(Metric::MeanLatency, Relation::Below, 1e6),
    ];
    let judged = |unanswered| {
        let run = with_windows(|window| window.unanswered = unanswered);
        judge_all(&run, &objectives).iter().map(|j| j.verdict).collect::<Vec<_>>()
    };
    let (met, missed) = (Verdict::Met, Verdict::Missed);
    assert_eq!(judged(0), [met, missed, met, met, met]);
    // A twentieth of all.
    let [a, b, c, d, e] = judged(270)[..] else { unreachable!() };
    assert!(matches!(a, Verdict::Undecided(Doubt::Unanswered(share)) if share > 0.049));
    assert_eq!((b, c), (missed, met));
    assert_eq!(d, missed, "p99 lies among those");
    assert!(matches!(e, Verdict::Undecided(Doubt::Unanswered(_))));
    assert!(matches!(judged(20_000)[1], Verdict::Undecided(Doubt::Unanswered(_))));
}

#[test]
fn the_share_of_the_rejected_stands_beside_a_latency_of_all_sent() {
    let limit = Failure::RateLimited as usize;
    let run = with_windows(|window| {
        window.ledger.offered = 1_000;
        window.ledger.failures[limit] = 250;
    });
    let of = |metric| judge_all(&run, &[objective(metric, Relation::Below, 1e6)])[0].rejected;
    assert_eq!(of(Metric::SentLatency(0.99)), Some(0.25));
    assert_eq!((of(Metric::P99), of(Metric::Availability)), (None, None));
}

#[test]
fn a_failed_request_is_slower_than_any_bound_unless_the_served_are_asked_for() {
    let judged = |run: &Experiment, metric| {
        judge_all(run, &[objective(metric, Relation::Below, 1e6)]).remove(0)
    };
    // A tenth of all requests, give or take, failed in every replication.
    let failing = with_windows(|window| window.ledger.failures[0] = 600);
    assert_eq!(judged(&failing, Metric::SentLatency(0.5)).verdict, Verdict::Met);
    let p95 = judged(&failing, Metric::SentLatency(0.95));
    assert_eq!(p95.verdict, Verdict::Missed);
    assert_eq!(p95.figure.unwrap().point, f64::INFINITY);
    assert!((0.09..0.12).contains(&p95.without_latency.unwrap()), "{p95:?}");
    assert_eq!(judged(&failing, Metric::Latency(0.95)).verdict, Verdict::Met);
    // Of five replications only one failed a tenth: whether p99 lies among them is open.
    let mut unsure = example::experiment();
    unsure.outcomes[0].windows[0].ledger.failures[0] = 600;
    let open = judged(&unsure, Metric::SentLatency(0.985));
    assert_eq!(open.verdict, Verdict::Undecided(Doubt::Straddles), "{open:?}");
}

#[test]
fn where_nothing_is_served_a_percentile_of_all_is_missed() {
    let run = with_windows(|window| {
        *window = WindowOutcome::default();
        window.ledger.failures[0] = 100;
    });
    let of = |metric| judge_all(&run, &[objective(metric, Relation::Below, 1.0)])[0].verdict;
    assert_eq!(of(Metric::SentLatency(0.99)), Verdict::Missed);
    assert_eq!(of(Metric::Latency(0.99)), Verdict::Undecided(Doubt::NoData));
}

#[test]
fn a_percentile_of_the_served_stands_only_if_the_unanswered_cannot_change_it() {
    let run = with_windows(|window| window.unanswered = 270);
    let of = |q| {
        judge_all(&run, &[objective(Metric::Latency(q), Relation::Below, 1e6)]).remove(0).verdict
    };
    assert_eq!(of(0.9), Verdict::Met);
    assert!(matches!(of(0.99), Verdict::Undecided(Doubt::Unanswered(_))));
}

#[test]
fn a_percentile_that_rests_on_few_is_undecided() {
    let judged = |run: &Experiment, q| {
        judge_all(run, &[objective(Metric::SentLatency(q), Relation::Below, 1e6)])[0].verdict
    };
    assert_eq!(judged(&example::experiment(), 0.99), Verdict::Met);
    let clean = with_windows(|window| window.ledger.failures = Default::default());
    assert_eq!(judged(&clean, 0.9999), Verdict::Undecided(Doubt::FewBeyond));
}

#[test]
fn recovery_counts_the_incidents_of_its_window() {
    let run = example::experiment();
    let mut objective = objective(Metric::RECOVERY, Relation::Below, 20.0);
    objective.window = 1;
    let judged = judge_all(&run, &[objective]).remove(0);
    assert_eq!(judged.verdict, Verdict::Met);
    assert!((4.0..6.0).contains(&judged.margin.unwrap()));
}

#[test]
fn the_worst_judgement_is_the_overall_one() {
    let with = |verdict| Judgement {
        objective: p99(Relation::Below),
        figure: None,
        verdict,
        margin: None,
        without_latency: None,
        rejected: None,
        not_over: 0,
    };
    let doubt = Verdict::Undecided(Doubt::Straddles);
    assert_eq!(overall(&[]), Overall::NoObjectives);
    assert_eq!(overall(&[with(Verdict::Met)]), Overall::Met);
    assert_eq!(overall(&[with(Verdict::Met), with(doubt)]), Overall::Undecided);
    assert_eq!(overall(&[with(doubt), with(Verdict::Missed)]), Overall::Missed);
}

#[test]
fn a_share_of_replications_is_decided_by_its_interval_whatever_became_of_the_unclear() {
    use crate::observe::recovery::{Stability, Unclear};
    let unclear = Stability::Unclear(Unclear::TooShort);
    let judged = |metric, relation, bound, found: &[(Stability, usize)]| {
        let mut run = with_clients::experiment();
        let all = found.iter().flat_map(|(stability, count)| vec![*stability; *count]);
        let outcome = run.outcomes[1].clone();
        let with = |stability| {
            let mut outcome = outcome.clone();
            outcome.recovery.stability = stability;
            outcome
        };
        run.outcomes = all.map(with).collect();
        let bound = Bound::Share(Share(bound));
        let objective = Objective { bound, ..objective(metric, relation, 0.0) };
        judge_all(&run, &[objective]).remove(0).verdict
    };
    let stuck = |found: &[_]| judged(Metric::Stuck, Relation::Below, 0.05, found);
    let recovered = |found: &[_]| judged(Metric::Recovered, Relation::Above, 0.95, found);
    let back = Stability::Recovered { after: Span::ZERO };
    // None of 59 makes 5 % unlikely enough, none of 58 does not: 1 − 0.05^(1/n).
    assert_eq!((stuck(&[(back, 59)]), recovered(&[(back, 59)])), (Verdict::Met, Verdict::Met));
    let straddles = Verdict::Undecided(Doubt::Straddles);
    assert_eq!((stuck(&[(back, 58)]), recovered(&[(back, 58)])), (straddles, straddles));
    assert_eq!(stuck(&[(Stability::Stuck, 5), (back, 5)]), Verdict::Missed);
    let doubt = |count| Verdict::Undecided(Doubt::Unclear(count, Unclear::TooShort));
    assert_eq!(stuck(&[(back, 59), (unclear, 1)]), doubt(1));
    assert_eq!(stuck(&[(Stability::Stuck, 9), (unclear, 1)]), Verdict::Missed);
    let untroubled = Verdict::Undecided(Doubt::Untroubled);
    assert_eq!(stuck(&[(Stability::Untroubled, 5)]), untroubled);
    assert_eq!((stuck(&[(unclear, 5)]), recovered(&[(unclear, 5)])), (doubt(5), doubt(5)));
    let lasts = Stability::Unclear(Unclear::TriggerLasts);
    let most = Verdict::Undecided(Doubt::Unclear(5, Unclear::TriggerLasts));
    assert_eq!(stuck(&[(unclear, 2), (lasts, 3)]), most);
}

#[test]
fn a_fault_that_struck_too_seldom_leaves_undecided_what_it_could_change() {
    let share = |bound| Objective {
        bound: Bound::Share(Share(bound)),
        ..objective(Metric::Availability, Relation::AtLeast, 0.0)
    };
    let objectives = [
        share(0.9),
        share(0.999),
        objective(Metric::Latency(0.5), Relation::Below, 1.0),
        objective(Metric::Latency(0.99), Relation::Below, 1.0),
        objective(Metric::MeanLatency, Relation::Below, 1.0),
        objective(Metric::RECOVERY, Relation::Below, 60.0),
        Objective {
            bound: Bound::Share(Share(0.4)),
            ..objective(Metric::CpuMonitored, Relation::Below, 0.0)
        },
    ];
    let judged = |struck, rate: f64| {
        let run = with_windows(|window| {
            let (longest, after) = (Span::from_secs(20.0), 1.0 - (-rate * 300.0).exp());
            let rate = Some(rate);
            window.strikes = vec![Strikes { fault: 0, own: false, struck, longest, rate, after }];
        });
        judge_all(&run, &objectives).iter().map(|j| j.verdict).collect::<Vec<_>>()
    };
    let (met, missed) = (Verdict::Met, Verdict::Missed);
    // Ten strikes of five replications say enough.
    assert_eq!(judged(2, 1e-3), [met, missed, met, met, met, met, met]);
    // None, of 0.57 expected in each: a quarter of the run may come after one. It cannot make good
    // what is missed, and half of the requests are fast even so.
    let doubt =
        Verdict::Undecided(Doubt::FewStrikes(FewStrikes { fault: 0, struck: 0, needed: Some(18) }));
    assert_eq!(judged(0, 1e-3), [doubt, missed, met, doubt, doubt, doubt, doubt]);
    // One in three years cannot change anything.
    assert_eq!(judged(0, 1e-8), [met, missed, met, met, met, met, met]);
}
