//! The availability of months and years from clusters of strikes, against closed forms and against
//! exact runs.

use brownout::engine::progress::Progress;
use brownout::experiment::{Runner, store};
use brownout::plan::*;
use brownout::random::Law;
use brownout::stats::{Confidence, Interval};
use brownout::study::availability::{self, AvailabilityStudy};
use brownout::units::{Share, Span};

use crate::common::{plan, replicate, secs};
use crate::{Effort, effort};

/// Replicas that crash after an exponential time with this mean, and are back after exactly so
/// long; what is dead is known at once.
fn crashing(replicas: usize, every: f64, back: f64) -> Plan {
    let mut plan = plan(replicas, 20.0, 40_000.0);
    plan.gateway.demand = Law::Constant(secs(0.001));
    plan.detection.crash = Law::ZERO;
    plan.ingress.propagation = Law::ZERO;
    plan.startup.boot = Law::Constant(secs(back));
    plan.startup.readiness.initial_delay = Span::ZERO;
    plan.startup.readiness.period = Span::ZERO;
    plan.faults = vec![recurring(Fault::ReplicaCrash(ReplicaTarget::Any), every)];
    plan
}

fn recurring(fault: Fault, every: f64) -> FaultPlan {
    let schedule = Schedule::Random(Law::Exponential(secs(every)));
    FaultPlan { name: "fault".to_owned(), fault, schedule }
}

fn study(plan: &Plan, requests: f64) -> AvailabilityStudy {
    let progress = Progress::default();
    let runner = Runner::new(None, &progress, &store::NoStore).unwrap();
    availability::run(&runner, plan, requests)
}

/// Fails unless the share that fails is within its interval, which is narrow enough to say
/// something.
fn expect_failing(plan: &Plan, requests: f64, right: f64) {
    let run = study(plan, requests).long_run(Confidence(0.999)).unwrap();
    let interval = run.failing_interval;
    let shown = format!("{} in {interval:?}, and {right} is right", run.failing);
    println!("{shown}");
    assert!(interval.low <= right && right <= interval.high, "{shown}");
    assert!((interval.high - interval.low) / right < 0.6, "{shown}");
}

#[test]
fn one_replica_is_away_for_the_share_of_its_repairs() {
    // A renewal: up for 1 h in the mean, down for 30 s.
    expect_failing(&crashing(1, 3_600.0, 30.0), 1.5e6, 30.0 / 3_630.0);
    // The same where strikes are seldom.
    let month = 30.0 * 86_400.0;
    expect_failing(&crashing(1, month, 30.0), 1.5e6, 30.0 / (month + 30.0));
}

#[test]
fn two_of_two_are_away_as_often_as_both_repairs_overlap() {
    // Independent replicas: u = R/(M + R) each, and both with u².
    let (every, back) = (1_200.0, 40.0);
    let away: f64 = back / (every + back);
    expect_failing(&crashing(2, every, back), 3e7, away.powi(2));
}

#[test]
fn a_part_of_the_time_at_a_fixed_length_is_what_outages_of_the_ingress_cost() {
    // Nobody comes in for 100 s each 5,000 s after the last came back.
    let mut plan = crashing(2, 1.0, 1.0);
    let lasts = Law::Constant(secs(100.0));
    plan.ingress.failover.after = Law::Constant(secs(1e6));
    plan.faults = vec![recurring(Fault::IngressLoss(InstanceTarget::All, lasts), 5_000.0)];
    expect_failing(&plan, 1.5e6, 100.0 / 5_100.0);
}

#[test]
fn months_over_budget_are_those_with_more_outages_than_it_has_room_for() {
    use brownout::study::availability::estimate::MONTH;
    // The ingress is away for 100 s each 20 days: a Poisson number a month.
    let mut plan = crashing(2, 1.0, 1.0);
    let lasts = Law::Constant(secs(100.0));
    plan.ingress.failover.after = Law::Constant(secs(1e6));
    let every = 20.0 * 86_400.0;
    plan.faults = vec![recurring(Fault::IngressLoss(InstanceTarget::All, lasts), every)];
    let study = study(&plan, 3e6);
    let run = study.long_run(Confidence::USUAL).unwrap();
    let expected = MONTH / every;
    let no_more_than = |count: u32| {
        let terms = (0..=count).scan((1.0, 0.0), |(term, number), _| {
            let this = *term;
            *number += 1.0;
            *term *= expected / *number;
            Some(this)
        });
        (-expected).exp() * terms.sum::<f64>()
    };
    // A budget of 250 s has room for two, one of 50 s for none.
    for (budget, count) in [(250.0, 2), (50.0, 0)] {
        let [month, _] = study.chances(&run, budget / MONTH, 1);
        let right = 1.0 - no_more_than(count);
        let shown = format!("{month:?}, and {right} is right");
        println!("{shown}");
        assert!((month.point / right - 1.0).abs() < 0.01, "{shown}");
        // Clusters come as a Poisson process but for the time that they take, 280 s in 20 days.
        let Interval { low, high } = month.interval;
        assert!(low * 0.9998 <= right && right <= high * 1.0002, "{shown}");
    }
    let odds = study.outages(60.0, Confidence::USUAL);
    let right = 1.0 - no_more_than(0);
    assert!((odds.month.point / right - 1.0).abs() < 0.01, "{odds:?}, and {right} is right");
    assert!((odds.per_year.point / (12.0 * expected) - 1.0).abs() < 0.01, "{odds:?}");
    let longer = study.outages(150.0, Confidence::USUAL);
    assert!(longer.month.interval.high < 0.1 * right, "{longer:?}");
}

#[test]
fn of_a_long_time_a_part_is_as_good_as_the_whole() {
    // Every 100,000 s after the last time, 0.05 % of the requests fail for three hours.
    let mut plan = crashing(2, 1.0, 1.0);
    let gray = Gray { work: 1.0, failing: Share(0.000_5) };
    let lasts = Law::Constant(secs(10_800.0));
    plan.faults = vec![recurring(Fault::GrayFailure(gray, lasts), 100_000.0)];
    expect_failing(&plan, 3e6, 0.000_5 * 10_800.0 / 110_800.0);
    let study = study(&plan, 3e5);
    let figures = &study.strata[0].pieces[0].figures;
    assert!(figures.length > 10_800.0 && figures.simulated < 20.0 * 2_400.0, "{figures:?}");
    // Where more fail, nothing is left out.
    let gray = Gray { work: 1.0, failing: Share(0.05) };
    let lasts = Law::Constant(secs(3_600.0));
    plan.faults = vec![recurring(Fault::GrayFailure(gray, lasts), 100_000.0)];
    let study = self::study(&plan, 3e5);
    assert!(study.strata[0].pieces[0].figures.simulated > 20.0 * 3_600.0);
}

#[test]
fn strikes_in_clusters_come_to_what_an_exact_run_shows() {
    // Three replicas at 47 % of which each crashes every 2 h; the node of each is lost for ten
    // minutes every 5 h, so that overload by two losses is common.
    let mut plan = plan(3, 140.0, 86_400.0);
    plan.gateway.demand = Law::Exponential(secs(0.01));
    plan.startup.boot = Law::Constant(secs(40.0));
    let loss = Fault::NodeLoss(ReplicaTarget::Any, Some(Law::Exponential(secs(600.0))));
    plan.faults = vec![
        recurring(Fault::ReplicaCrash(ReplicaTarget::Any), 7_200.0),
        FaultPlan { name: "node".to_owned(), ..recurring(loss, 18_000.0) },
    ];
    plan.run.warm_up = brownout::units::Instant::from_secs(60.0);
    let (days, requests) = match effort() {
        Effort::Sample => (2, 2e6),
        Effort::Full => (60, 8e7),
    };
    let exact: Vec<f64> = (0..days)
        .map(|day| {
            let ledger = &replicate(&plan, day).windows[0].ledger;
            1.0 - ledger.availability().unwrap()
        })
        .collect();
    let mean = exact.iter().sum::<f64>() / days as f64;
    let squares: f64 = exact.iter().map(|one| (one - mean).powi(2)).sum();
    let error = (squares / (days - 1) as f64 / days as f64).sqrt();
    let run = study(&plan, requests).long_run(Confidence(0.999)).unwrap();
    let ours = (run.failing_interval.high - run.failing_interval.low) / 6.6;
    let distance = (run.failing - mean).abs() / error.hypot(ours);
    println!("exact {mean} ± {error}, from clusters {} ± {ours}", run.failing);
    assert!(distance < 3.3, "{} and exactly {mean} ± {error}", run.failing);
    assert!(run.failing > 0.0 && run.unsettled.0 == 0);
}
