//! Who is chosen: requests one after the other, against what real balancers did with them.

use std::collections::BTreeMap;

use brownout::observe::{Observer, Served};
use brownout::plan::*;
use brownout::units::{Instant, Span};
use serde::Deserialize;

use crate::common;

/// What real balancers did with requests one after the other; hosts are numbered from 1.
#[derive(Deserialize)]
struct Choices {
    cases: Vec<Case>,
    not_covered: Vec<NotCovered>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    source: String,
    rule: String,
    zones: Vec<Vec<usize>>,
    /// Hosts out of rotation.
    down: Vec<usize>,
    /// Whether the balancer begins anywhere in its cycle.
    start_offset: bool,
    picks: Option<Vec<usize>>,
    shares: Option<BTreeMap<usize, f64>>,
}

#[derive(Deserialize)]
struct NotCovered {
    id: String,
    reason: String,
}

/// The replica of every request, by sending time.
#[derive(Default)]
struct Picks(Vec<(Instant, usize)>);

impl Observer for Picks {
    fn served(&mut self, request: &Served) {
        self.0.push((request.sent, request.replica));
    }
}

impl Case {
    fn plan(&self) -> Plan {
        let placement = |(zone, hosts): (usize, &Vec<usize>)| vec![zone; hosts.len()];
        let placement: Vec<ZoneId> = self.zones.iter().enumerate().flat_map(placement).collect();
        let mut plan = common::plan(placement.len(), 0.0, 1_000.0);
        plan.topology.zones = (0..self.zones.len()).map(|zone| zone.to_string()).collect();
        plan.topology.placement = placement;
        plan.ingress.balancing = match self.rule.as_str() {
            "replicas in turn" => Balancing::RoundRobin,
            "zones in turn" => Balancing::ZoneThenReplica,
            rule => panic!("{}: no such rule: {rule}", self.id),
        };
        let down: Vec<Slot> = self.down.iter().map(|host| host - 1).collect();
        common::take_away(&mut plan, &down, Instant::ZERO, Span::from_secs(10_000.0));
        plan
    }

    /// The hosts that the model picks for `count` requests, one after the other.
    fn model_picks(&self, count: u64) -> Vec<usize> {
        let record =
            |n| Recorded { at: Instant(n * 100_000_000), demand: Some(1e6), slot: None, api: None };
        let mut plan = self.plan();
        plan.traffic = Traffic::Replay((1..=count).map(record).collect());
        let mut picks = Picks::default();
        crate::common::witness::observe(&plan, 0, &mut picks);
        picks.0.sort_unstable();
        picks.0.into_iter().map(|(_, replica)| replica + 1).collect()
    }

    fn check_picks(&self, picks: &[usize]) {
        let hosts: usize = self.zones.iter().map(Vec::len).sum();
        let model = self.model_picks((picks.len() + hosts) as u64);
        let offset = match self.start_offset {
            true => model.iter().position(|host| *host == picks[0]).unwrap_or(0),
            false => 0,
        };
        let model = &model[offset..offset + picks.len()];
        assert_eq!(model, picks, "{} ({})", self.id, self.source);
    }

    /// Shares over whole cycles, to the three digits that some sources give.
    fn check_shares(&self, shares: &BTreeMap<usize, f64>) {
        let model = self.model_picks(4_800);
        assert_eq!(model.len(), 4_800, "{}: every request is answered", self.id);
        for host in 1..=self.zones.iter().map(Vec::len).sum() {
            let share = model.iter().filter(|pick| **pick == host).count() as f64 / 4_800.0;
            let expected = shares.get(&host).copied().unwrap_or(0.0);
            let (id, source) = (&self.id, &self.source);
            assert!((share - expected).abs() < 5e-4, "{id} ({source}): host {host} got {share}");
        }
    }
}

#[test]
fn the_model_picks_the_replicas_that_real_balancers_pick() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/round_robin.json");
    let text = std::fs::read_to_string(path).expect("the choices are part of the project");
    let choices: Choices = serde_json::from_str(&text).expect("the choices are well formed");
    for case in &choices.cases {
        assert!(case.picks.is_some() || case.shares.is_some(), "{} says something", case.id);
        case.picks.iter().for_each(|picks| case.check_picks(picks));
        case.shares.iter().for_each(|shares| case.check_shares(shares));
        println!("{} agrees: {}, {}", case.id, case.source, case.rule);
    }
    for NotCovered { id, reason } in &choices.not_covered {
        println!("{id} is not covered: {reason}");
    }
}
