//! Laws that hold in every run whatever the plan: conservation, Little's law, the utilisation law.

mod clusters;
mod dependencies;
mod plans;
mod regions;

use self::plans::{any_plan, calm_plan, quiet_plan};
use crate::common::witness::{ALL, Witness, recorded, witnessed};
use brownout::experiment::Progress;
use brownout::experiment::replicate;
use brownout::observe::ledger::{Failure, Ledger};
use brownout::observe::outcome::Outcome;
use brownout::observe::{Observation, Observer, Reading, ReplicaId, Sent, Served, State};
use brownout::plan::{
    Balancing, Extent, Fault, Gateway, Plan, Recorded, Release, ReplicaTarget, Traffic,
};
use brownout::random::Law;
use brownout::units::{Instant, Span};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// What the witness saw of some requests.
fn ledger_of(witness: &Witness, inside: impl Fn(&Sent) -> bool) -> Ledger {
    let count = |requests: &[Sent]| requests.iter().filter(|sent| inside(sent)).count() as u64;
    let served = witness.served_in_time().filter(|request| inside(&request.request()));
    let mut ledger = Ledger {
        offered: count(&witness.offered),
        served: served.count() as u64,
        in_flight: count(&witness.in_flight),
        ..Ledger::default()
    };
    for (_, _, failure) in witness.failed.iter().filter(|(sent, ..)| inside(sent)) {
        ledger.failures[*failure as usize] += 1;
    }
    ledger
}

/// The rows of the timeline, summed.
fn sum_of_timeline(outcome: &Outcome) -> (u64, u64, [u64; Failure::ALL.len()]) {
    let timeline = outcome.timeline.as_ref().expect("the timeline is kept");
    let mut sum = (0, 0, [0; Failure::ALL.len()]);
    for row in &timeline.total {
        sum.0 += row.offered;
        sum.1 += row.served;
        sum.2.iter_mut().zip(row.failures).for_each(|(sum, failures)| *sum += failures);
    }
    sum
}

fn total(spans: &[Span]) -> Span {
    spans.iter().fold(Span::ZERO, |sum, span| sum + *span)
}

/// Stops the run at the end of a bin.
struct Stopper<'a>(&'a Progress, usize);

impl Observer for Stopper<'_> {
    fn bin_ended(&mut self, _at: Instant, _readings: &[Reading]) {
        self.1 = self.1.saturating_sub(1);
        if self.1 == 0 {
            self.0.cancel();
        }
    }
}

/// Time with k replicas ready and in rotation, at index k, worked out from the facts.
fn serving_times(witness: &Witness, warm_up: Instant) -> Vec<Span> {
    let (mut ready, mut known) = (Vec::new(), Vec::new());
    let (mut since, mut times) = (warm_up, vec![Span::ZERO; 1]);
    let end = (witness.end, Observation::Boundary);
    for (at, fact) in witness.facts.iter().chain([&end]) {
        let both = |(ready, known): &(&bool, &bool)| **ready && **known;
        let serving = ready.iter().zip(&known).filter(both).count();
        times.resize(times.len().max(serving + 1), Span::ZERO);
        times[serving] += at.since(since);
        since = since.max(*at);
        match fact {
            Observation::Created { .. } => {
                ready.push(false);
                known.push(false);
            }
            Observation::Entered { replica, state, .. } => {
                ready[*replica] = matches!(state, State::Ready | State::Draining);
            }
            Observation::JoinedRotation { replica } => known[*replica] = true,
            Observation::LeftRotation { replica } => known[*replica] = false,
            _ => {}
        }
    }
    let used = times.iter().rposition(|time| *time > Span::ZERO).map_or(0, |last| last + 1);
    times.truncate(used);
    times
}

/// The most cores that a replica uses at once.
fn width(plan: &Plan) -> f64 {
    let Gateway { cores, throttling, .. } = &plan.gateway;
    throttling.map_or(cores.0, |slices| f64::from(slices.threads))
}

/// Requests of a replica that were served, by replica and in order of their ends.
fn served_by(witness: &Witness, replica: ReplicaId) -> Vec<Served> {
    let mut served: Vec<Served> =
        witness.served.iter().filter(|request| request.replica == replica).copied().collect();
    served.sort_by_key(|request| request.finished);
    served
}

/// Two hundred plans for each law, the same on every machine and at every call.
fn config() -> ProptestConfig {
    let rng_seed = RngSeed::Fixed(7);
    ProptestConfig { cases: 200, failure_persistence: None, rng_seed, ..Default::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_request_has_exactly_one_outcome_in_every_window(plan in any_plan()) {
        let (witness, outcome) = witnessed(&plan, 0);
        prop_assert!(outcome.ledger.balances(), "{:?}", outcome.ledger);
        prop_assert_eq!(outcome.ledger, ledger_of(&witness, |_| true));
        for (window, figures) in plan.windows.iter().zip(&outcome.windows) {
            prop_assert!(figures.ledger.balances(), "{}: {:?}", window.label, figures.ledger);
            let (from, to) = match window.extent {
                Extent::Run => (plan.run.warm_up, Instant::NEVER),
                Extent::Between(from, to) => (from.max(plan.run.warm_up), to),
                Extent::During(_) => continue,
            };
            let within = |sent: &Sent| from <= sent.at && sent.at < to;
            prop_assert_eq!(figures.ledger, ledger_of(&witness, within), "{}", window.label);
            prop_assert_eq!(figures.open, outcome.ended.min(to).since(from));
            let answered = witness.served.iter().filter(|served| within(&served.request()));
            prop_assert_eq!(figures.latency.count(), answered.count() as u64);
        }
    }

    #[test]
    fn a_window_of_a_fault_is_open_while_one_of_its_incidents_lasts(plan in any_plan()) {
        let (_, outcome) = witnessed(&plan, 0);
        prop_assert_eq!(outcome.incidents_unlisted, 0);
        for (window, figures) in plan.windows.iter().zip(&outcome.windows) {
            let Extent::During(fault) = window.extent else { continue };
            let (mut open, mut seen) = (Span::ZERO, plan.run.warm_up);
            for incident in outcome.incidents.iter().filter(|incident| incident.fault == fault) {
                let end = incident.normal.unwrap_or(outcome.ended);
                open += end.since(incident.at.max(seen));
                seen = seen.max(end);
            }
            prop_assert_eq!(figures.open, open);
        }
    }

    #[test]
    fn the_timeline_adds_up_to_the_ledger(plan in any_plan()) {
        let (_, outcome) = witnessed(&plan, 0);
        let (offered, served, failures) = sum_of_timeline(&outcome);
        let ledger = outcome.ledger;
        prop_assert_eq!((offered, served), (ledger.offered, ledger.served));
        prop_assert_eq!(failures, ledger.failures);
        let timeline = outcome.timeline.expect("the timeline is kept");
        let by_replica: u64 = timeline.by_replica.iter().map(|row| row.served).sum();
        prop_assert_eq!(by_replica, ledger.served);
    }

    #[test]
    fn the_sampled_requests_tell_the_same_story_as_the_ledger(plan in any_plan()) {
        let (_, outcome) = witnessed(&plan, 0);
        let mut ledger = Ledger { offered: outcome.requests.len() as u64, ..Ledger::default() };
        for request in &outcome.requests {
            match (request.failure, request.ended) {
                (Some(failure), Some(_)) => ledger.failures[failure as usize] += 1,
                (None, Some(_)) => ledger.served += 1,
                _ => ledger.in_flight += 1,
            }
        }
        prop_assert_eq!(ledger, outcome.ledger);
    }

    #[test]
    fn the_time_after_warm_up_is_divided_among_the_numbers_serving(plan in any_plan()) {
        let (witness, outcome) = witnessed(&plan, 0);
        let counted = outcome.ended.since(plan.run.warm_up);
        prop_assert_eq!(total(&outcome.time_with_serving), counted);
        prop_assert_eq!(&outcome.time_with_serving, &serving_times(&witness, plan.run.warm_up));
    }

    #[test]
    fn no_request_is_served_by_a_replica_that_is_dead(plan in any_plan()) {
        let (witness, _) = witnessed(&plan, 0);
        for served in &witness.served {
            let states = witness.states(served.replica);
            let taken = states.iter().rev().find(|(at, _)| *at <= served.arrived);
            // One that probes found overloaded works on.
            let competes = plan.detection.probe_cpu.is_some();
            let alive = |state: State| match state {
                State::Probing | State::Ready | State::Draining => true,
                State::Unready => competes,
                _ => false,
            };
            prop_assert!(taken.is_some_and(|(_, state)| alive(*state)), "{served:?} {states:?}");
            let meanwhile = |at: &Instant| served.arrived < *at && *at < served.finished;
            let mut passed = states.iter().filter(|(at, _)| meanwhile(at));
            prop_assert!(passed.all(|(_, state)| alive(*state)), "{served:?} {states:?}");
        }
    }

    #[test]
    fn no_replica_works_faster_than_its_cores(plan in any_plan()) {
        let (witness, _) = witnessed(&plan, 0);
        let most = width(&plan).min(1.0);
        for replica in 0..witness.replicas() {
            let served = served_by(&witness, replica);
            for request in &served {
                let least = f64::from(request.demand) * (1.0 - f64::from(f32::EPSILON)) / most;
                let ends = |time| served.partition_point(|other| other.finished < time);
                // Every departure is rounded to the nanosecond, and its error is shared by those
                // that stay.
                let rounding = (ends(request.finished) - ends(request.arrived) + 1) as f64;
                let took = request.finished.since(request.arrived).0 as f64;
                prop_assert!(took + rounding >= least, "{request:?} took {took} of {least}");
            }
        }
    }

    #[test]
    fn littles_law_holds_bin_by_bin(plan in any_plan()) {
        // No request waits outside a replica, so that all times in the system are known: neither
        // for a dead address nor for a machine that is gone.
        let mut plan = plan;
        for entry in &mut plan.faults {
            let vanishes = matches!(
                entry.fault,
                Fault::ZoneOutage(..) | Fault::PartialOutage(..) | Fault::NodeLoss(..)
                    | Fault::NodeShutdown(..)
            );
            if vanishes {
                entry.fault = Fault::ReplicaCrash(ReplicaTarget::Any);
            }
        }
        (plan.ingress.retries, plan.ingress.connect_timeout) = (0, Span::ZERO);
        plan.ingress.in_cluster = None;
        if let Balancing::PerConnection { requests, .. } = &mut plan.ingress.balancing {
            *requests = Some(1);
        }
        let (witness, _) = witnessed(&plan, 0);
        let inside = |how: &Failure| {
            let lost = [Failure::LostInFlight, Failure::LostWithIngress];
            lost.contains(how) || matches!(how, Failure::TimedOut | Failure::ReplicaError)
        };
        let served = witness.served_in_time().map(|request| (request.sent, request.finished));
        let failed = witness.failed.iter().filter(|(_, _, failure)| inside(failure));
        let waiting = witness.in_flight.iter().map(|sent| (sent.at, Instant::NEVER));
        let all = served.chain(failed.map(|(sent, at, _)| (sent.at, *at))).chain(waiting);
        let times: Vec<_> =
            all.map(|(sent, left)| (sent + plan.ingress.delay, left)).collect();
        let (mut by_number, mut by_time) = (0, 0);
        for (at, readings) in &witness.readings {
            let number: u64 = readings.iter().map(|reading| reading.in_flight).sum();
            let there = times.iter().filter(|(arrived, left)| arrived < at && at < left).count();
            prop_assert_eq!(number, there as u64, "at {}", at);
            (by_number, by_time) = (by_number + number, by_time + there as u64);
        }
        prop_assert_eq!(by_number, by_time);
    }

    #[test]
    fn the_work_done_is_the_demand_of_what_was_served(plan in any_plan()) {
        let (witness, outcome) = witnessed(&plan, 0);
        let mut last = vec![0.0; witness.replicas()];
        for reading in witness.readings.iter().flat_map(|(_, readings)| readings) {
            last[reading.replica] = reading.busy;
        }
        let only_requests = plan.detection.probe_cpu.is_none();
        let tried_once = plan.ingress.retries == 0 || !plan.ingress.retry.of_sent();
        // A version may take another CPU time, and fail what it worked on.
        let as_before = !plan.releases().any(Release::meets_requests);
        let as_before = as_before && !plan.startup.takes_cpu();
        let only_requests = only_requests && tried_once && as_before;
        let lost = [Failure::LostInFlight, Failure::LostWithIngress];
        let nothing_lost = only_requests
            && lost.iter().all(|way| outcome.ledger.failed_by(*way) == 0)
            && outcome.ledger.failed_by(Failure::TimedOut) == 0
            && outcome.drained == outcome.ledger.in_flight;
        for (replica, busy) in last.into_iter().enumerate() {
            let served = served_by(&witness, replica);
            let demand = |request: &Served| f64::from(request.demand);
            let all: f64 = served.iter().map(demand).sum();
            let in_time = served.iter().filter(|request| request.finished <= witness.end);
            let done: f64 = in_time.map(demand).sum();
            let rounding = 1.0
                + served.len() as f64 * width(&plan).max(1.0)
                + all * f64::from(f32::EPSILON);
            prop_assert!(busy + rounding >= done, "replica {replica}: {busy} for {done}");
            prop_assert!(!nothing_lost || busy <= all + rounding, "{replica}: {busy} of {all}");
        }
    }

    #[test]
    fn no_replica_uses_more_cpu_than_it_has(plan in any_plan()) {
        // A replica that is back before the ingress heard that it left works without serving.
        let mut plan = plan;
        plan.ingress.propagation = Law::ZERO;
        // One that starts works for its probes.
        plan.detection.probe_cpu = None;
        let (_, outcome) = witnessed(&plan, 0);
        let timeline = outcome.timeline.expect("the timeline is kept");
        // A limit in slices holds from period to period; a bin may begin within one.
        let most = width(&plan) / plan.gateway.cores.0 * (1.0 + 1e-9);
        for row in &timeline.by_replica {
            prop_assert!((0.0..=most).contains(&row.cpu), "{row:?}");
        }
        if matches!(plan.traffic, Traffic::Process(_)) {
            prop_assert!(outcome.busy_secs <= outcome.capacity_secs * most + 1e-6);
        }
    }

    #[test]
    fn round_robin_is_even_to_one_request_per_ingress_instance(plan in calm_plan()) {
        let mut plan = plan;
        plan.ingress.balancing = Balancing::RoundRobin;
        // Who is ejected, or tried already, is passed over.
        plan.ingress.outliers = None;
        plan.ingress.prefer_zone = false;
        plan.ingress.in_cluster = None;
        plan.ingress.retries = 0;
        // What is refused has arrived nowhere.
        plan.gateway.overload = None;
        if let Traffic::Replay(recording) = &plan.traffic {
            let free = recording.iter().map(|r| Recorded { slot: None, ..r });
            plan.traffic = Traffic::Replay(free.collect());
        }
        let (witness, _) = witnessed(&plan, 0);
        let replicas = plan.gateway.replicas;
        for (one, other) in (0..replicas).flat_map(|one| (0..one).map(move |other| (one, other))) {
            let lead = |(_, readings): &(Instant, Vec<Reading>)| {
                readings[one].arrived as i64 - readings[other].arrived as i64
            };
            let leads = [0].into_iter().chain(witness.readings.iter().map(lead));
            let leads: Vec<i64> = leads.collect();
            let width = leads.iter().max().unwrap_or(&0) - leads.iter().min().unwrap_or(&0);
            let most = plan.ingress.instances.len() as i64;
            prop_assert!(width <= most, "{one} and {other}: {leads:?}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_outcome(plan in any_plan()) {
        let run = || replicate(&plan, 3, ALL, &Progress::default());
        prop_assert_eq!(run(), run());
    }

    #[test]
    fn nothing_starts_or_serves_in_a_zone_that_is_down(plan in any_plan()) {
        let (witness, _) = witnessed(&plan, 0);
        let mut down = vec![0_i32; plan.topology.zones.len()];
        let mut zone_of = Vec::new();
        for (at, fact) in &witness.facts {
            match fact {
                Observation::Created { zone, .. } => zone_of.push(*zone),
                Observation::FaultInjected { subject, .. } => {
                    let is_hit = |name: &String| *subject == format!("zone {name}");
                    let hit = plan.topology.zones.iter().position(is_hit);
                    hit.into_iter().for_each(|zone| down[zone] += 1);
                }
                Observation::ZoneReturned { zone, .. } => down[*zone] = 0,
                Observation::Entered { replica, state, cause } => {
                    // The scheduler may not know of it yet, if it knows the nodes only.
                    let bound = *state > State::Scheduling || plan.nodes.per_zone.is_none();
                    let lives = bound && *state <= State::Ready;
                    let dead = down[zone_of[*replica]] > 0;
                    prop_assert!(!(lives && dead), "{replica} enters {state:?} ({cause}) at {at}");
                }
                _ => {}
            }
        }
    }

    #[test]
    fn in_the_end_as_many_serve_as_are_wanted(plan in quiet_plan()) {
        let (witness, _) = witnessed(&plan, 0);
        let (mut wanted, mut kept_away) = (plan.gateway.replicas, false);
        let mut known = std::collections::BTreeSet::new();
        for (_, fact) in &witness.facts {
            match fact {
                Observation::Decided { decision, .. } => wanted = decision.desired as usize,
                Observation::JoinedRotation { replica } => drop(known.insert(*replica)),
                Observation::LeftRotation { replica } => drop(known.remove(replica)),
                // Nobody has to come back then: no node, or a node that stays away for good.
                Observation::Unschedulable { .. } => kept_away = true,
                Observation::Evictions { stopped, .. } => kept_away |= *stopped,
                _ => {}
            }
        }
        let known = known.len();
        prop_assert!(known <= wanted, "{} beyond {}", known, wanted);
        prop_assert!(known == wanted || kept_away, "{} of {}", known, wanted);
    }

    #[test]
    fn an_interrupted_run_still_balances(plan in any_plan(), bins in 1..6_usize) {
        let progress = Progress::default();
        let outcome = recorded(&plan, 0, ALL, &mut Stopper(&progress, bins), &progress);
        let stop = Instant::ZERO + plan.run.bin * bins as u64;
        // A run that is stopped as it ends is cut if requests were still to drain.
        let (interrupted, horizon) = (outcome.interrupted, plan.run.horizon);
        prop_assert_eq!(outcome.ended, if interrupted { stop.min(horizon) } else { horizon });
        prop_assert!(interrupted || stop >= horizon);
        prop_assert!(outcome.ledger.balances(), "{:?}", outcome.ledger);
        let (offered, served, failures) = sum_of_timeline(&outcome);
        let ledger = outcome.ledger;
        prop_assert_eq!((offered, served), (ledger.offered, ledger.served));
        prop_assert_eq!(failures, ledger.failures);
        prop_assert_eq!(progress.requests(), ledger.offered);
        prop_assert_eq!(progress.simulated(), outcome.ended.0);
        let counted = outcome.ended.since(plan.run.warm_up);
        prop_assert_eq!(total(&outcome.time_with_serving), counted);
    }
}
