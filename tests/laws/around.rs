//! What must hold whatever surrounds the replicas: both ways of simulating agree, and every request
//! and every attempt has one end.

use brownout::experiment::replicate;
use brownout::model::Gauge;
use brownout::observe::ledger::Ledger;
use brownout::observe::outcome::Outcome;
use brownout::observe::recorder::Keep;
use brownout::plan::*;
use brownout::units::Share;
use proptest::prelude::*;

use crate::config;
use crate::plans::any_plan;

/// Clients in an open loop that wait for ever, and an API that the gateway answers itself.
fn bystanders() -> Surroundings {
    let clients = Clients {
        population: Population::Open,
        popularity: Popularity::ONE,
        patience: None,
        network: None,
        retry: None,
        cancels: true,
    };
    let api = Api {
        name: "api".to_owned(),
        weight: 1.0,
        demand: None,
        payload_kb: 0.0,
        policies: Vec::new(),
        upstream: None,
        resources: Popularity::ONE,
        cacheable: Share::ZERO,
        contracts: false,
    };
    Surroundings {
        clients,
        apis: vec![api],
        policies: Vec::new(),
        upstreams: Vec::new(),
        tls: None,
    }
}

fn run(plan: &Plan) -> Outcome {
    let keep = Keep { timeline: true, ..Keep::default() };
    replicate(plan, 0, keep, &Gauge::default())
}

/// An outcome without what only one way of simulating tells.
fn comparable(outcome: Outcome) -> Outcome {
    let mut outcome = outcome;
    (outcome.digest, outcome.attempts) = (0, Default::default());
    outcome.windows.iter_mut().for_each(|window| window.attempts = Default::default());
    // Sums of many parts: to twelve digits.
    let round = |sum: &mut f64| *sum = (*sum * 1e9).round() / 1e9;
    round(&mut outcome.busy_secs);
    for row in outcome.timeline.iter_mut().flat_map(|timeline| &mut timeline.total) {
        row.attempts = 0;
        row.cpu.iter_mut().for_each(round);
    }
    for row in outcome.timeline.iter_mut().flat_map(|timeline| &mut timeline.by_replica) {
        round(&mut row.cpu);
    }
    outcome
}

/// Where the second of two outcomes begins to differ from the first.
fn difference(apart: &Outcome, within: &Outcome) -> Option<(String, String)> {
    let texts = (format!("{apart:?}"), format!("{within:?}"));
    let place = texts.0.bytes().zip(texts.1.bytes()).position(|(a, b)| a != b);
    let around = |text: &str, place: usize| {
        text.chars().skip(place.saturating_sub(200)).take(300).collect::<String>()
    };
    place.map(|place| (around(&texts.0, place), around(&texts.1, place)))
}

/// Whether the gateway lets an API wait for its contracts: then chance decides without surroundings
/// which requests need them, and the API does within.
fn draws_contracts(plan: &Plan) -> bool {
    plan.startup.contracts.as_ref().is_some_and(|contracts| matches!(contracts.gate, Gate::Api(_)))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn requests_one_by_one_end_as_requests_in_blocks_do(plan in any_plan()) {
        prop_assume!(!draws_contracts(&plan));
        let apart = comparable(run(&plan));
        let surrounded = Plan { surroundings: Some(bystanders()), ..plan };
        let within = run(&surrounded);
        // A request that has not reached the ingress at the end has no attempt yet.
        let under_way = within.ledger.in_flight - within.attempts.in_flight;
        let attempts = Ledger {
            offered: within.attempts.offered + under_way,
            in_flight: within.ledger.in_flight,
            ..within.attempts
        };
        prop_assert_eq!(attempts, within.ledger);
        let within = comparable(within);
        prop_assert_eq!(&apart.ledger, &within.ledger);
        let difference = difference(&apart, &within);
        prop_assert!(difference.is_none(), "they differ: {difference:?}");
    }
}
