//! Rules of thumb and examples: metastable overload, zones to spare, a vendor's sizes.

use brownout::observe::outcome::Outcome;
use brownout::observe::recorder::Keep;
use brownout::observe::timeline::TotalRow;
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::Cores;
use serde_json::Value;

use super::{number, published};
use crate::common::dependencies::{retries, upstream, with_upstream};
use crate::common::troubles::{named, rates};
use crate::common::{at, plan, poisson, secs};

fn run(plan: &Plan) -> Outcome {
    let keep = Keep { timeline: true, ..Keep::default() };
    brownout::experiment::replicate(plan, 0, keep, &Default::default())
}

fn rows(outcome: &Outcome) -> &[TotalRow] {
    &outcome.timeline.as_ref().expect("the timeline is kept").total
}

/// The mean of a figure over some rows.
fn mean(rows: &[TotalRow], figure: impl Fn(&TotalRow) -> f64) -> f64 {
    rows.iter().map(figure).sum::<f64>() / rows.len() as f64
}

/// A database that answers 300 requests a second in order of arrival and stands still from 0:20 to
/// 0:30. Clients try again once, after a second without an answer; they send 280 a second, and this
/// many from 1:00 on.
///
/// The example does not say how long clients wait, nor what becomes of what they gave up. Any
/// patience below the wait that 10 s leave behind does it, and the database works on.
fn database(later: f64) -> Plan {
    let mut plan = plan(1, 280.0, 900.0);
    plan.gateway.demand = Law::ZERO;
    let corners = [(0.0, 280.0), (60.0, 280.0), (60.0, later)];
    plan.traffic = rates(Scatter::Poisson, &corners);
    let mean = Law::Exponential(secs(1.0 / 300.0));
    let mut dependencies = with_upstream(Upstream { workers: Some(1), ..upstream(mean) });
    dependencies.clients.patience = Some(secs(1.0));
    dependencies.clients.cancels = false;
    dependencies.clients.retry = Some(retries(2));
    plan.dependencies = dependencies;
    let target = HostTarget { upstream: 0, host: None };
    let slow = Fault::UpstreamSlow(target, 3_000.0, Law::Constant(secs(10.0)));
    plan.faults = vec![named("outage", slow, 20.0)];
    plan
}

#[test]
fn after_an_outage_retries_keep_a_database_overloaded_until_load_halves() {
    assert_eq!(number(&published("overload")["params"]["db_capacity_qps"]), 300.0);
    for (later, recovers) in [(280.0, false), (170.0, false), (130.0, true)] {
        let outcome = run(&database(later));
        let rows = rows(&outcome);
        let (before, stuck, end) = (&rows[5..20], &rows[45..60], &rows[880..900]);
        assert!((mean(before, |row| row.served as f64) - 280.0).abs() < 4.0 * 280_f64.sqrt());
        assert_eq!(mean(before, |row| row.attempts as f64), mean(before, |row| row.offered as f64));
        // Every request is made twice and hardly any is answered.
        let attempts = mean(stuck, |row| row.attempts as f64);
        assert!((attempts - 560.0).abs() < 4.0 * (2.0 * 560.0 / 15_f64).sqrt(), "{attempts}");
        assert!(mean(stuck, |row| row.served as f64) < 5.0);
        let answered = mean(end, |row| row.served as f64) / later;
        assert!(if recovers { answered > 0.9 } else { answered < 0.05 }, "{later}: {answered}");
    }
}

/// A replica in each zone, all of them busy for this share of their time; the first zone is lost
/// after a minute.
fn zones(zones: usize, load: f64) -> Plan {
    let mut plan = plan(zones, 100.0 * load * zones as f64, 420.0);
    plan.gateway.demand = Law::Exponential(secs(0.01));
    plan.startup.boot = Law::Constant(secs(1e4));
    let outage = Fault::ZoneOutage(Some(0), Law::Constant(secs(1e3)));
    plan.faults = vec![named("zone", outage, 60.0)];
    plan
}

#[test]
fn of_n_zones_n_minus_one_carry_all_up_to_the_stated_utilisation() {
    let facts = published("zones");
    for (count, row) in facts["table"].as_object().expect("a table") {
        let count: usize = count.parse().expect("a number");
        let most = number(&row["steady_util_max"]);
        let factor = number(&row["after_loss_factor"]);
        for (share, full) in [(0.8, false), (1.1, true)] {
            let outcome = run(&zones(count, share * most));
            let cpu = |from: usize, to: usize| {
                mean(&rows(&outcome)[from..to], |row| row.cpu.expect("replicas"))
            };
            let (steady, after) = (cpu(10, 60), cpu(150, 420));
            // Work of n requests of mean 1 and variance 1 is off by √2n.
            let error = |replicas: f64, secs: f64, load: f64| {
                (2.0 * load / (100.0 * replicas * secs)).sqrt()
            };
            let (before, survivors) = (count as f64, count as f64 - 1.0);
            assert!((steady - share * most).abs() < 4.0 * error(before, 50.0, share * most));
            let expected = (share * most * factor).min(1.0);
            let allowed = 4.0 * error(survivors, 270.0, expected);
            let agrees = if full { after > 0.999 } else { (after - expected).abs() < allowed };
            assert!(agrees, "{count} zones at {share}: {after}, not {expected}");
            // Beyond it the backlog grows, below it there is none to speak of.
            let backlog = rows(&outcome)[419].in_flight;
            assert_eq!(backlog > 200, full, "{count} zones at {share}: {backlog} in flight");
        }
    }
}

/// Nodes of so many cores, at a rate each, with this much of their CPU in use.
fn sized(row: &Value, nodes: usize, load: f64) -> Outcome {
    let (cores, rate) = (number(&row["cores"]), number(&row["below_rps"]));
    let mut plan = plan(nodes, 0.0, 60.0);
    plan.traffic = poisson(rate * nodes as f64);
    plan.gateway.cores = Cores(cores);
    plan.gateway.demand = Law::Exponential(secs(load * cores / rate));
    plan.ingress.balancing = Balancing::Random;
    plan.run.warm_up = at(10.0);
    run(&plan)
}

#[test]
fn nodes_of_the_stated_sizes_answer_in_time_with_the_implied_cpu_per_request() {
    let facts = published("sizing");
    for row in facts["rows"].as_array().expect("a list") {
        let limit = number(&row["below_ms"]);
        let latency =
            |outcome: &Outcome| outcome.windows[0].latency.mean().expect("answers").as_millis();
        let cpu = |outcome: &Outcome| mean(&rows(outcome)[10..], |row| row.cpu.expect("cores"));
        // CPU in use rises first, then latency.
        let [one, two, over] = [(1, 0.9), (2, 0.9), (1, 1.05)].map(|(n, load)| sized(row, n, load));
        assert!(latency(&one) < limit && latency(&two) < limit, "{row}");
        assert!((cpu(&one) - 0.9).abs() < 0.03 && cpu(&over) > 0.999, "{row}");
        assert!(latency(&over) > limit, "{row}: {}", latency(&over));
        // Two nodes carry twice as much.
        let served = |outcome: &Outcome| outcome.windows[0].ledger.served as f64;
        assert!((served(&two) / served(&one) - 2.0).abs() < 0.05, "{row}");
    }
}
