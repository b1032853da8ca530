//! A CPU limit that is enforced in slices, against what theory says of it.

use crate::common::witness::{Witness, witnessed};
use crate::common::{at, plan, secs};
use brownout::observe::Served;
use brownout::observe::outcome::Outcome;
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::{Cores, Instant, Rate};

/// One replica with half a core, exponential demand of mean 10 ms: 50 requests a second fill it.
fn half_a_core(rate: f64, horizon: f64) -> Plan {
    let mut plan = plan(1, rate, horizon);
    plan.gateway.cores = Cores(0.5);
    plan.gateway.demand = Law::Exponential(secs(0.01));
    plan
}

/// The same in slices of 50 ms in every 100, on so many threads.
fn in_slices(threads: u32, plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    plan.gateway.throttling = Some(Throttling { period: secs(0.1), threads });
    plan
}

/// What every request took, in seconds, the least first.
fn took(witness: &Witness) -> Vec<f64> {
    let span = |request: &Served| request.finished.since(request.sent).as_secs();
    let mut all: Vec<f64> = witness.served.iter().map(span).collect();
    all.sort_by(f64::total_cmp);
    all
}

fn quantile(all: &[f64], q: f64) -> f64 {
    all[((all.len() - 1) as f64 * q) as usize]
}

/// What the served requests needed, in seconds.
fn demand(witness: &Witness) -> f64 {
    witness.served.iter().map(|request| f64::from(request.demand) / 1e9).sum()
}

#[test]
fn a_lone_request_takes_what_theory_says_at_any_phase() {
    // 80 ms of CPU at x ms into a period with a quota of 50. Up to 50, the quota is used up and the
    // rest follows the period: 130 − x. Up to 70, what is left of the period and a whole quota are
    // enough: 80. Beyond, both periods are too short: 130. One every 1.0137 s meets each of 1 000
    // phases alike.
    let mut plan = in_slices(1, &half_a_core(1.0, 1_013.8));
    plan.gateway.demand = Law::Constant(secs(0.08));
    plan.traffic = Traffic::Process(ArrivalProcess {
        scatter: Scatter::Deterministic,
        corners: vec![(Instant::ZERO, Rate(1.0 / 1.0137))],
        period: None,
    });
    let took = took(&witnessed(&plan, 0).0);
    assert_eq!(took.len(), 1_000);
    let share = |millis: f64| {
        let near = |took: &&f64| (**took * 1e3 - millis).abs() < 0.001;
        took.iter().filter(near).count() as f64 / 1e3
    };
    assert!((share(80.0) - 0.2).abs() <= 0.002 && (share(130.0) - 0.3).abs() <= 0.002);
    assert!((took.iter().sum::<f64>() - 107.5).abs() < 0.1);
    assert!((quantile(&took, 0.45) - 0.105).abs() < 0.000_2);
}

#[test]
fn at_low_load_slices_keep_the_median_of_a_whole_core_and_spoil_its_tail() {
    // 15 % of a core, 30 % of the limit.
    let limited = half_a_core(15.0, 4_000.0);
    let mut whole = limited.clone();
    whole.gateway.cores = Cores(1.0);
    let [slices, core, average] =
        [in_slices(1, &limited), whole, limited].map(|plan| took(&witnessed(&plan, 0).0));
    assert!((quantile(&slices, 0.5) / quantile(&core, 0.5) - 1.0).abs() < 0.05);
    assert!(quantile(&slices, 0.99) > 1.3 * quantile(&core, 0.99));
    // The average is none of this: it makes every request take twice as long at least.
    assert!(quantile(&average, 0.5) > 1.9 * quantile(&slices, 0.5));
}

#[test]
fn small_requests_pay_for_a_crowd_that_used_the_quota_up() {
    // One in ten needs 60 ms, the others 1 ms: 28 % of the limit. An average lets the small ones
    // through beside a large one, at half their speed; slices freeze both until the period ends.
    let mut limited = half_a_core(20.0, 2_000.0);
    let millis = [1e6, 1e6, 1e6, 1e6, 1e6, 1e6, 1e6, 1e6, 1e6, 6e7];
    limited.gateway.demand = Law::Empirical(millis.into());
    let small = |plan: Plan| {
        let mut witness = witnessed(&plan, 0).0;
        witness.served.retain(|request| request.demand < 2e6);
        took(&witness)
    };
    let [slices, average] = [in_slices(1, &limited), limited].map(small);
    assert!(quantile(&slices, 0.5) < 0.51 * quantile(&average, 0.5));
    assert!(quantile(&slices, 0.97) > 3.0 * quantile(&average, 0.97));
}

/// Work done until the horizon as the replica's counter has it, in seconds.
fn work(witness: &Witness) -> f64 {
    witness.readings.last().map_or(0.0, |(_, readings)| readings[0].busy / 1e9)
}

#[test]
fn utilisation_is_the_offered_work_over_the_limit_and_the_ledger_balances() {
    for threads in [1, 4] {
        let plan = in_slices(threads, &half_a_core(35.0, 2_000.0));
        let (witness, outcome): (_, Outcome) = witnessed(&plan, 0);
        assert!(outcome.ledger.balances());
        // Every request is served, and what was in flight at the end is some work of a second.
        assert_eq!(witness.served.len(), witness.offered.len());
        assert!((work(&witness) - demand(&witness)).abs() < 1.0);
        // 70 000 exponential demands: the mean of their sum is known to 1.2 % with 99.9 %.
        let utilisation = outcome.busy_secs / outcome.capacity_secs;
        assert!((utilisation / 0.7 - 1.0).abs() < 0.02, "{utilisation}");
    }
}

#[test]
fn under_overload_the_work_done_is_the_limit() {
    for threads in [1, 4] {
        let plan = in_slices(threads, &half_a_core(100.0, 100.0));
        let (witness, _) = witnessed(&plan, 0);
        // Whatever falls into it, a span differs by less than a quota from its average.
        assert!((work(&witness) - 50.0).abs() < 0.06, "{}", work(&witness));
        let last = witness.served.iter().map(|request| request.finished).max();
        let expected = demand(&witness) / 0.5;
        let last = last.unwrap_or(at(0.0)).as_secs();
        assert!((last - expected).abs() < 0.2, "{last} {expected}");
    }
}
