//! Rules that are one number or one word of the documents, each from both of its sides.

use brownout::experiment::recovery::stability::StabilitySummary;
use brownout::experiment::summary::summarize;
use brownout::experiment::{Options, Progress, run};
use brownout::observe::ledger::Failure;
use brownout::observe::recovery::Unclear;
use brownout::observe::{Observation, State};
use brownout::plan::*;
use brownout::random::Law;
use brownout::report::Report;
use brownout::report::caveats::caveat::Caveat;
use brownout::scenario::read;
use brownout::study::mode::{Mode, gateway};
use brownout::units::Share;

use crate::cluster::scaling::{changes, published};
use crate::common::dependencies::{bystanders, retries, upstream, with_upstream};
use crate::common::witness::{Witness, witnessed};
use crate::common::{at, plan, secs};
use crate::derived::{crash, entered, evenly, fault, random, rates, rotated, step, warm_start};

/// TLS that ends at one ingress instance of so many cores; every request opens a connection, whose
/// handshake needs 30 ms. Ten requests a second, evenly.
fn shaken(cores: f64) -> Witness {
    let mut plan = plan(1, 10.0, 10.0);
    evenly(&mut plan);
    plan.gateway.demand = Law::ZERO;
    let mut dependencies = bystanders();
    let at = TlsEnd::Ingress { cores, connections: 1_000, requests: Some(1) };
    let (handshake, resumption) = (secs(0.03), secs(0.03));
    dependencies.tls = Some(Tls { at, handshake, resumption, resumed: Share::ZERO });
    plan.dependencies = dependencies;
    witnessed(&plan, 0).0
}

#[test]
fn handshakes_at_an_ingress_instance_are_done_one_after_the_other() {
    // A tenth of a core takes 300 ms for each, and one comes every 100 ms.
    let queued = shaken(0.1);
    let first = queued.served[0].sent;
    for (n, request) in queued.served.iter().enumerate() {
        assert_eq!(request.arrived, first + secs(0.3) * (n as u64 + 1), "request {n}");
    }
    assert!(queued.served_in_time().count() >= 32);
    // A half of one is done with each before the next.
    let alone = shaken(0.5);
    assert!(alone.served.iter().all(|request| request.arrived == request.sent + secs(0.06)));
}

#[test]
fn a_process_that_is_told_to_stop_says_no_to_readiness() {
    // Probes of 5 ms take 2.5 s of a replica this slow: longer than liveness waits (1 s), not as
    // long as readiness does (5 s). So liveness stops it, and readiness never failed before.
    let mut plan = plan(2, 0.0, 120.0);
    plan.detection.probe_cpu = Some(secs(0.005));
    let slow = Fault::ReplicaSlow(ReplicaTarget::Slot(0), Share(0.002), Law::Constant(secs(1e6)));
    plan.faults = vec![fault(slow, 5.0)];
    for replication in 0..8 {
        let (witness, outcome) = witnessed(&plan, replication);
        let stopped = entered(&witness, 0, State::Draining).expect("liveness fails");
        let killed = entered(&witness, 0, State::Failed).expect("its time is over");
        assert_eq!(killed.since(stopped), secs(25.0));
        assert_eq!(outcome.probes_failed.readiness, 0);
        // Two misses 10 s apart are seen in the 20 s after it.
        let left = rotated(&witness, 0, false).expect("it leaves");
        assert!(left > stopped + secs(10.0) && left <= stopped + secs(20.0), "{stopped} {left}");
    }
}

#[test]
fn a_zone_is_partly_disrupted_from_three_lost_nodes_and_55_per_cent_on() {
    for (nodes, lost, stops) in
        [(3, 2, false), (4, 3, true), (5, 3, true), (9, 5, true), (11, 6, false), (11, 7, true)]
    {
        let mut plan = plan(3, 1.0, 800.0);
        plan.run.bin = secs(100.0);
        plan.nodes.per_zone = Some(nodes);
        let share = Share(f64::from(lost) / nodes as f64);
        let part = Fault::PartialOutage(Some(0), share, Law::Constant(secs(1e6)));
        plan.faults = vec![fault(part, 50.0)];
        let (witness, _) = witnessed(&plan, 0);
        let stopped = Observation::Evictions { zone: 0, stopped: true };
        let told = !witness.times(|fact| *fact == stopped).is_empty();
        assert_eq!(told, stops, "{lost} of {nodes}");
        assert_eq!(witness.replicas(), if stops { 3 } else { 4 }, "{lost} of {nodes}");
    }
}

#[test]
fn a_rollout_lacks_and_has_as_many_as_it_may_and_no_more() {
    for (surge, unavailable) in [(1, 0), (0, 1), (1, 1), (2, 0), (0, 2)] {
        let mut plan = plan(4, 4.0, 900.0);
        warm_start(&mut plan, (2.0, 6.0));
        plan.run.bin = secs(100.0);
        plan.upgrade =
            Upgrade { surge: surge.into(), unavailable: unavailable.into(), ..Upgrade::default() };
        // There is room for more than the rollout may have.
        let mut autoscaling = published();
        (autoscaling.spec.min, autoscaling.spec.max) = (4, 8);
        plan.autoscaling = Some(autoscaling);
        plan.faults = vec![fault(Fault::Rollout(Release::SOUND), 100.0)];
        let (witness, _) = witnessed(&plan, 0);
        let (mut ready, mut there) = (vec![false; 8], vec![false; 8]);
        let (mut least, mut most) = (4, 4);
        for (n, (time, fact)) in witness.facts.iter().enumerate() {
            let Observation::Entered { replica, state, .. } = fact else { continue };
            ready[*replica] = *state == State::Ready;
            there[*replica] = !matches!(state, State::Draining | State::Terminated);
            let over = witness.facts.get(n + 1).is_none_or(|next| next.0 > *time);
            if over && *time > at(0.0) {
                let count = |of: &[bool]| of.iter().filter(|one| **one).count();
                (least, most) = (least.min(count(&ready)), most.max(count(&there)));
            }
        }
        assert_eq!((4 - least, most - 4), (unavailable, surge), "surge {surge}");
        assert!((0..4).all(|old| entered(&witness, old, State::Terminated).is_some()));
    }
}

#[test]
fn a_clock_of_a_random_fault_goes_with_the_replica_it_began_with() {
    // Each in rotation for 100 s crashes; a rollout replaces all after 90 s. Were the clocks of the
    // old ones not thrown away, the new ones would be hit at 100 s.
    let mut plan = plan(2, 2.0, 180.0);
    plan.startup.readiness.period = secs(1.0);
    plan.startup.readiness.initial_delay = secs(1.0);
    plan.upgrade = Upgrade { surge: Portion::Count(2), ..Upgrade::default() };
    let crash = Fault::ReplicaCrash(ReplicaTarget::Any);
    let after = Law::Constant(secs(100.0));
    plan.faults = vec![fault(Fault::Rollout(Release::SOUND), 90.0), random("crash", crash, after)];
    let (witness, _) = witnessed(&plan, 0);
    let injected = witness.times(|fact| {
        matches!(
            fact,
            Observation::FaultInjected { fault: 1, .. } | Observation::FaultMissed { .. }
        )
    });
    assert_eq!(injected, []);
    assert_eq!(witness.replicas(), 4);
}

#[test]
fn of_replicas_that_are_ready_one_of_the_fullest_node_is_removed_first() {
    // Zone a's node holds two, zone b's one, which became ready last.
    let mut plan = plan(3, 200.0, 900.0);
    warm_start(&mut plan, (2.0, 6.0));
    evenly(&mut plan);
    plan.gateway.demand = Law::Constant(secs(0.012));
    plan.topology.zones.truncate(2);
    plan.topology.placement = vec![0, 0, 1];
    (plan.nodes.per_zone, plan.nodes.room) = (Some(1), 3);
    let mut autoscaling = published();
    autoscaling.spec.behavior.as_mut().unwrap().down.window = Some(secs(60.0));
    plan.autoscaling = Some(autoscaling);
    let lost = Fault::ReplicaCrash(ReplicaTarget::Slot(2));
    plan.faults = vec![FaultPlan { fault: lost, ..crash(120.0) }];
    step(&mut plan, 400.0, 50.0);
    let (witness, _) = witnessed(&plan, 0);
    let into_b = Observation::Created { replica: 3, slot: 2, zone: 1, name: "b-2".to_owned() };
    assert_eq!(witness.times(|fact| *fact == into_b).len(), 1);
    assert_eq!(changes(&witness).last().map(|(_, size)| *size), Some(2));
    let removed = |replica| entered(&witness, replica, State::Draining).is_some();
    assert_eq!([0, 1, 2, 3].map(removed), [false, true, false, false]);
}

#[test]
fn a_wait_before_a_retry_is_all_of_it_half_of_it_or_nothing_at_least() {
    for (jitter, least) in [(Jitter::None, 1.0), (Jitter::Half, 0.5), (Jitter::Full, 0.0)] {
        let broken = Upstream { errors: Share::ONE, ..upstream(Law::ZERO) };
        let mut dependencies = with_upstream(broken);
        let limit = secs(60.0);
        let backoff = RetryBackoff { first: secs(1.0), factor: 2.0, limit, jitter };
        dependencies.clients.retry = Some(Retry { backoff, ..retries(2) });
        let mut plan = plan(1, 100.0, 60.0);
        plan.gateway.demand = Law::ZERO;
        plan.dependencies = dependencies;
        let (witness, _) = witnessed(&plan, 0);
        assert!(witness.failed.iter().all(|(.., how)| *how == Failure::UpstreamFailed));
        let waits = witness.failed.iter().map(|(sent, at, _)| at.since(sent.at).as_secs());
        let (low, high) =
            waits.fold((2.0_f64, 0.0_f64), |(low, high), wait| (low.min(wait), high.max(wait)));
        // The extremes of 6 000 uniform values lie within a thousandth of the ends but in one
        // case of 400.
        assert!((least..=least + 1e-3).contains(&low), "{jitter:?}: {low}");
        assert!((1.0 - 1e-3..=1.0).contains(&high), "{jitter:?}: {high}");
    }
}

#[test]
fn nobody_tries_again_while_more_than_the_share_of_a_client_s_attempts_has_failed() {
    // Each attempt fails by itself, one in two or one in twenty; up to ten are made at once.
    let attempts = |errors: f64, most: f64| {
        let flaky = Upstream { errors: Share(errors), ..upstream(Law::ZERO) };
        let mut dependencies = with_upstream(flaky);
        dependencies.clients.retry = Some(Retry { breaker: Some(Share(most)), ..retries(10) });
        let mut plan = plan(1, 500.0, 60.0);
        plan.gateway.demand = Law::ZERO;
        plan.dependencies = dependencies;
        let (_, outcome) = witnessed(&plan, 0);
        outcome.attempts.offered as f64 / outcome.ledger.offered as f64
    };
    // With every retry 1 / (1 - errors) attempts are made; 30 000 requests know that to one in
    // a hundred.
    assert!((attempts(0.5, 0.6) - 2.0).abs() < 0.04, "{}", attempts(0.5, 0.6));
    assert!((attempts(0.05, 0.1) - 1.0526).abs() < 0.02, "{}", attempts(0.05, 0.1));
    assert!(attempts(0.5, 0.1) < 1.001, "{}", attempts(0.5, 0.1));
}

#[test]
fn a_full_token_buys_one_further_attempt() {
    let broken = Upstream { errors: Share::ONE, ..upstream(Law::ZERO) };
    let mut dependencies = with_upstream(broken);
    let budget = Some(RetryBudget { per_request: 0.0, size: 1.0 });
    dependencies.clients.retry = Some(Retry { budget, ..retries(10) });
    let mut plan = plan(1, 10.0, 60.0);
    plan.gateway.demand = Law::ZERO;
    plan.dependencies = dependencies;
    let (_, outcome) = witnessed(&plan, 0);
    assert_eq!(outcome.attempts.offered, outcome.ledger.offered + 1);
}

#[test]
fn an_incident_is_over_when_no_more_is_in_flight_than_in_the_calm_before() {
    // A replica that does 1 000 a second has a backlog of 500, and 1 000 come. It stops from 80 s
    // to 81 s: 1 500. Then 900 come, so that 500 are left at 91 s.
    let mut plan = plan(1, 0.0, 100.0);
    plan.gateway.demand = Law::Constant(secs(0.001));
    let corners = [(0.0, 1_050.0), (10.0, 1_050.0), (10.0, 1_000.0), (80.0, 1_000.0)];
    plan.traffic = rates(Scatter::Deterministic, &corners);
    step(&mut plan, 81.0, 900.0);
    let pause = Fault::ReplicaSlow(ReplicaTarget::Slot(0), Share::ZERO, Law::Constant(secs(1.0)));
    plan.faults = vec![fault(pause, 80.0)];
    let (_, outcome) = witnessed(&plan, 0);
    let incident = &outcome.incidents[0];
    assert_eq!((incident.at, incident.restored), (at(80.0), Some(at(81.0))));
    let normal = incident.normal.expect("the backlog is gone").as_secs();
    assert!((91.0..=92.0).contains(&normal), "{normal}");
}

/// What is said of a run with so many requests a second in which an upstream is slow from 100 s to
/// 110 s, and that ends so many seconds later.
fn found(rate: f64, after: f64) -> StabilitySummary {
    let mut plan = plan(2, rate, 110.0 + after);
    evenly(&mut plan);
    plan.dependencies = with_upstream(upstream(Law::Constant(secs(0.01))));
    let all = HostTarget { upstream: 0, host: None };
    let slow = Fault::UpstreamSlow(all, 2.0, Law::Constant(secs(10.0)));
    plan.faults = vec![fault(slow, 100.0)];
    let run = run(&plan, Options::default(), &Progress::default()).unwrap();
    summarize(&plan, &run.outcomes, run.confidence).stability
}

#[test]
fn a_window_of_recovery_has_ten_seconds_and_a_hundred_requests() {
    // Two windows must fit in, and one slot of a second at the end is cut by the last request.
    for (rate, window) in [(100.0, 10.0), (10.5, 10.0), (5.1, 20.0), (2.02, 50.0)] {
        let short = found(rate, 2.0 * window);
        assert_eq!(short.unclear, [(Unclear::TooShort, 1)], "{rate}/s");
        let enough = found(rate, 2.0 * window + 1.0);
        assert_eq!((enough.recovered.count, enough.recovered.of), (1, 1), "{rate}/s");
    }
}

#[test]
fn a_load_that_all_carry_but_one_less_would_not_is_told_where_one_can_fail() {
    let caveat = |replicas: usize, rate: f64, fails: bool| {
        let mut text = format!(
            "question = \"?\"\n[gateway]\nreplicas = {replicas}\ncores = 1\n\
             cpu-per-request = \"exponential(10ms)\"\n[traffic]\nrate = \"{rate}/s\"\n\
             [run]\nhorizon = \"20s\"\nwarm-up = \"0s\"\nreplications = 2\n"
        );
        if fails {
            text += "[[fault]]\nname = \"crash\"\nkind = \"replica-crash\"\nat = \"10s\"\n";
        }
        let loaded = read::parse("s.toml", &text, std::path::Path::new(""));
        let scenario = loaded.scenario.unwrap_or_else(|| panic!("{:?}", loaded.problems));
        let run = run(&scenario.plan, Options::default(), &Progress::default()).unwrap();
        let caveats = Report::new(&scenario, &run, None).caveats;
        caveats
            .into_iter()
            .find(|caveat| matches!(caveat, Caveat::NoSpare { .. } | Caveat::Overload { .. }))
    };
    // Each replica carries 100/s.
    let Some(Caveat::NoSpare { utilisation, left }) = caveat(3, 202.0, true) else { panic!() };
    assert!((utilisation - 1.01).abs() < 1e-9 && left == 2, "{utilisation} of {left}");
    assert_eq!(caveat(3, 198.0, true), None, "two carry it");
    assert_eq!(caveat(3, 202.0, false), None, "nothing fails");
    assert_eq!(caveat(2, 90.0, true), None);
    assert!(matches!(caveat(2, 210.0, true), Some(Caveat::Overload { .. })));
}

#[test]
fn a_zone_takes_its_part_of_the_replicas_that_are_added_later_with_it() {
    let left = |placement: &[usize], zones: usize, most: i32| {
        let mut plan = plan(placement.len(), 1.0, 10.0);
        plan.topology.zones = ["a", "b", "c"][..zones].iter().map(|z| (*z).to_owned()).collect();
        plan.topology.placement = placement.to_vec();
        let mut autoscaling = published();
        autoscaling.spec.max = most;
        plan.autoscaling = Some(autoscaling);
        gateway::survivors(&plan, Mode::ZoneLoss)
    };
    assert_eq!(left(&[0, 1, 2], 3, 3), 2);
    assert_eq!(left(&[0, 1, 2], 3, 6), 4, "two in each");
    assert_eq!(left(&[0, 1, 2], 3, 7), 4, "three in one");
    assert_eq!(left(&[0, 1], 2, 5), 2);
    assert_eq!(left(&[0, 0, 0, 1], 2, 4), 1, "more than its part from the start");
}
