//! Finds what limits the figures of an experiment.

use std::collections::BTreeMap;

use crate::experiment::Experiment;
use crate::experiment::summary::{Summary, WindowSummary};
use crate::metric::evidence::Evidence;
use crate::metric::percentile::{ENOUGH_BEYOND, too_few_beyond};
use crate::metric::{Metric, estimator};
use crate::observe::count::Count;
use crate::observe::ledger::Failure;
use crate::observe::outcome::{MissedFault, Outcome, ProbesFailed};
use crate::plan::{Fault, Plan, Scatter, Traffic};
use crate::report::caveats::caveat::{Assumption, BUFFER, Caveat, NODE};
use crate::report::caveats::regions;
use crate::report::caveats::steady_window::SteadyWindow;
use crate::report::caveats::turned_away::turned_away;
use crate::scenario::{Mark, Scenario, Setting};
use crate::units::{Bytes, Instant, Rate, SECOND, Share, Span};

/// A p99 interval that reaches further than this share of the point is wide.
const WIDE: f64 = 0.25;
/// Recorded traffic is judged by the time of this length in which it asks for most.
const BUSIEST: Span = Span(10 * SECOND);

/// Everything that limits the figures of an experiment, the gravest first.
pub fn caveats_of(scenario: &Scenario, run: &Experiment, summary: &Summary) -> Vec<Caveat> {
    let plan = &scenario.plan;
    let mut all = Vec::new();
    all.extend(interrupted(run));
    let steady = SteadyWindow::of(plan, run);
    let warm_up_short = steady.as_ref().and_then(SteadyWindow::warm_up_short);
    all.extend(one_replication(run, steady.filter(|_| warm_up_short.is_none())));
    all.extend(capacity(plan));
    all.extend(slow_overload(plan));
    all.extend(regions::unnoticed(plan, summary));
    all.extend(uneven_zones(plan));
    all.extend(memory(plan, summary));
    all.extend(upstream_full(plan, summary));
    all.extend(turned_away(plan, run, summary).into_iter().map(Caveat::TurnedAway));
    all.extend(probes_ask(plan, run));
    all.extend(tried_again(scenario, run));
    all.extend(plan.slow_boot().map(|slow| Caveat::SlowBoot { slow }));
    all.extend(starved_start(plan));
    all.extend(unfinished(summary));
    all.extend(unanswered(summary));
    all.extend(few_strikes(plan, run));
    all.extend(missed_faults(plan, run));
    all.extend(events_cut(run));
    all.extend(warm_up_short);
    all.extend(replayed(plan));
    let said = &scenario.replay_said;
    all.extend((!said.is_empty()).then(|| Caveat::ReadFrom { said: said.clone() }));
    // What was seen too seldom makes intervals wide in another way, and is told.
    let is_unseen = all.iter().any(|caveat| matches!(caveat, Caveat::FewStrikes { .. }));
    let replications = run.outcomes.len();
    let wide = |window| wide(window, replications).filter(|_| !is_unseen);
    for window in summary.windows_of_all() {
        all.extend(few_samples(window, replications));
        all.extend(wide(window));
    }
    // There may be many APIs: the one that needs most replications speaks for them.
    let of_apis = || summary.windows.iter().filter(|window| window.api.is_some());
    all.extend(of_apis().filter_map(|window| few_samples(window, replications)).max_by_key(needed));
    all.extend(of_apis().filter_map(wide).max_by_key(needed));
    let what_if = scenario.what_if.clone();
    all.extend(what_if.map(|what_if| Caveat::NotForSale { what_if }));
    all.extend(assumed(scenario));
    all
}

/// Replicas that are added or replaced at the greatest load.
fn starved_start(plan: &Plan) -> Option<Caveat> {
    let rate = Rate(greatest_load(plan).0 / plan.demand_secs());
    plan.starved_start(rate).map(|starved| Caveat::StarvedStart { starved })
}

fn interrupted(run: &Experiment) -> Option<Caveat> {
    let (kept, asked, partial) = (run.outcomes.len(), run.asked, run.is_partial());
    run.interrupted.then_some(Caveat::Interrupted { kept, asked, partial })
}

/// Whether there is one replication only. While a transient is still in them, batches of it tell no
/// mean.
fn one_replication(run: &Experiment, steady: Option<SteadyWindow>) -> Option<Caveat> {
    let mean = steady.as_ref().and_then(|steady| steady.mean_latency(run.confidence));
    let until = steady.and_then(|steady| steady.until());
    (run.outcomes.len() == 1).then_some(Caveat::OneReplication { mean, until })
}

/// Of the regions that are left when another one is lost, the utilisation of the busiest at the
/// greatest load, with all replicas that it may have; `None` if nobody is left or none is lost.
pub(crate) fn survivors(plan: &Plan) -> Option<f64> {
    regions::busiest_survivor(plan, greatest_load(plan).0)
}

/// The load against the capacity of all replicas that there may be, else of those that run at it
/// but for one if anything can fail.
fn capacity(plan: &Plan) -> Option<Caveat> {
    let (work, load) = greatest_load(plan);
    if let Some(regions) = &plan.regions {
        return regions::capacity(regions, (work, &load));
    }
    let utilisation = |replicas| work / (plan.gateway.cores.0 * replicas as f64);
    let most = utilisation(plan.most_replicas());
    if most > 1.0 {
        return Some(Caveat::Overload { load, utilisation: most });
    }
    let running = plan.replicas_at(Rate(work / plan.demand_secs()));
    let left = running.checked_sub(1).filter(|left| *left > 0)?;
    let utilisation = utilisation(left);
    (utilisation > 1.0 && !plan.faults.is_empty()).then_some(Caveat::NoSpare { utilisation, left })
}

/// The most work that is offered, in cores, and its name.
pub(crate) fn greatest_load(plan: &Plan) -> (f64, String) {
    let mean = plan.demand_secs();
    match &plan.traffic {
        Traffic::Process(process) => {
            let greatest = process.peak().0 * plan.requests_per_arrival();
            let bursts = matches!(process.scatter, Scatter::Bursty(_));
            let when = if bursts { " in a burst" } else { "" };
            (greatest * mean, format!("{}{when}", Rate(greatest)))
        }
        Traffic::Replay(recording) => {
            // What comes again sooner is as busy for so long.
            let busiest = recording.period.map_or(BUSIEST, |period| period.min(BUSIEST));
            let mut work: BTreeMap<u64, f64> = BTreeMap::new();
            for record in recording.iter() {
                let demand = record.demand.map_or(mean, |nanoseconds| nanoseconds / 1e9);
                *work.entry(record.at.0 / busiest.0).or_default() += demand;
            }
            let greatest = work.into_values().fold(0.0, f64::max);
            (greatest / busiest.as_secs(), format!("the busiest {busiest} of the recording"))
        }
    }
}

/// Slow-downs that leave a replica less than its part of the load, though it could carry that at
/// full speed.
fn slow_overload(plan: &Plan) -> impl Iterator<Item = Caveat> {
    let work = greatest_load(plan).0;
    let running = plan.replicas_at(Rate(work / plan.demand_secs()));
    let utilisation = work / (plan.gateway.cores.0 * running as f64);
    plan.faults.iter().filter_map(move |fault| {
        let Fault::ReplicaSlow(_, share, _) = fault.fault else { return None };
        let slow = utilisation / share.0;
        let fault = fault.name.clone();
        (utilisation <= 1.0 && slow > 1.0)
            .then_some(Caveat::SlowOverload { fault, utilisation: slow })
    })
}

/// Zones that get more than their replicas can carry, though all together can: where they are at
/// the start, or in turn where the autoscaler has another number.
fn uneven_zones(plan: &Plan) -> Option<Caveat> {
    let work = greatest_load(plan).0;
    let replicas = plan.replicas_at(Rate(work / plan.demand_secs()));
    let cores = plan.gateway.cores.0;
    let topology = &plan.topology;
    let in_turn: Vec<_> = (0..replicas).map(|slot| slot % topology.zones.len().max(1)).collect();
    let is_start = topology.placement.len() == replicas;
    let zones = if is_start { &topology.placement } else { &in_turn };
    let share =
        plan.ingress.shares(zones, plan.topology.zones.len()).into_iter().fold(0.0, f64::max);
    let utilisation = work * share / cores;
    let is_enough = work <= cores * replicas as f64;
    let share = Share(share);
    let overloads = plan.ingress.prefer_zone && is_enough && utilisation > 1.0;
    overloads.then_some(Caveat::UnevenZones { share, replicas, utilisation })
}

/// Replicas that were killed for their memory, or would have been if any were given: if the most
/// that one had could fill a small node.
fn memory(plan: &Plan, summary: &Summary) -> Option<Caveat> {
    let (gateway, holds) = (&summary.gateway, NODE.0 / BUFFER.0);
    let Some(memory) = plan.gateway.memory else {
        let peak = gateway.in_flight_greatest;
        let each = Bytes(NODE.0 / peak.max(1));
        return (peak > holds).then_some(Caveat::MemoryUnknown { peak, each, holds });
    };
    let killed = gateway.out_of_memory.as_ref()?.point;
    let (limit, holds) = (memory.limit, memory.holds());
    (killed > 0.0).then_some(Caveat::OutOfMemory { killed, limit, holds })
}

/// Requests for which an upstream had no connection left.
fn upstream_full(plan: &Plan, summary: &Summary) -> Option<Caveat> {
    let run = summary.windows.first()?;
    let requests = run.get(Metric::FailedBy(Failure::UpstreamFull))?.point;
    let share = requests / run.get(Metric::Offered)?.point;
    let upstreams = || plan.dependencies.upstreams.iter();
    let accepts = upstreams().filter_map(|one| {
        let limit = one.accepts?;
        Some(format!("a host of {} accepts {}", one.name, limit.connections))
    });
    let accepts = accepts.collect::<Vec<_>>().join(", ");
    let (replicas, most) = (plan.gateway.replicas, plan.most_replicas());
    let leaving = plan.most_leaving();
    let excess = upstreams().find_map(|one| one.excess(replicas, most, leaving));
    let remedy = upstreams().find(|one| one.accepts.is_some())?.remedy();
    (requests > 0.0).then_some(Caveat::UpstreamFull { requests, share, accepts, excess, remedy })
}

/// Requests that the ingress sent again though that may not be done, or only if they are such as is
/// assumed by default.
fn tried_again(scenario: &Scenario, run: &Experiment) -> Option<Caveat> {
    let rules = &scenario.plan.ingress.retry;
    let path = "ingress.idempotent";
    let is_assumed = |one: &Setting| one.path == path && one.mark == Mark::Assumed;
    let is_open = rules.non_idempotent || scenario.settings.iter().any(is_assumed);
    let of = |outcome: &Outcome| outcome.windows[0].counts[Count::IngressRetry as usize];
    let made = run.outcomes.iter().map(of).sum::<u64>() as f64;
    let requests = made / run.outcomes.len().max(1) as f64;
    let tells = requests > 0.0 && rules.of_sent() && is_open && rules.idempotent >= Share::ONE;
    tells.then_some(Caveat::TriedAgain { requests, asks: !rules.non_idempotent })
}

/// Replicas that failed their probes for an upstream that these ask.
fn probes_ask(plan: &Plan, run: &Experiment) -> Option<Caveat> {
    let replications = run.outcomes.len().max(1) as f64;
    let mean = |count: fn(&ProbesFailed) -> u64| {
        run.outcomes.iter().map(|one| count(&one.probes_failed)).sum::<u64>() as f64 / replications
    };
    let (failed, emptied) = (mean(|of| of.asking), mean(|of| of.emptied));
    let asks = plan.detection.asks;
    let of = |kind, upstream: Option<usize>| {
        upstream.map(|one| format!("{kind} asks {}", plan.dependencies.upstreams[one].name))
    };
    let asks = [of("readiness", asks.readiness), of("liveness", asks.liveness)];
    let asks = asks.into_iter().flatten().collect::<Vec<_>>().join(", ");
    (failed > 0.0).then_some(Caveat::ProbesAsk { asks, failed, emptied })
}

fn unfinished(summary: &Summary) -> Option<Caveat> {
    let incidents = summary.gateway.recovery.unrecovered;
    (incidents > 0).then_some(Caveat::Unrecovered { incidents })
}

fn unanswered(summary: &Summary) -> Option<Caveat> {
    let run = summary.windows.first()?;
    let (requests, offered) = (run.get(Metric::Unanswered)?.point, run.get(Metric::Offered)?.point);
    (requests > 0.0).then(|| Caveat::Unanswered { requests, share: requests / offered })
}

/// The faults at random that were not seen often enough for their effect to be known.
fn few_strikes(plan: &Plan, run: &Experiment) -> Vec<Caveat> {
    let evidence = Evidence::of(&estimator::windows(&run.outcomes, 0), run.confidence);
    let seldom = evidence.iter().flat_map(|evidence| evidence.seldom());
    seldom
        .map(|seldom| Caveat::FewStrikes {
            fault: plan.faults[seldom.fault].name.clone(),
            struck: seldom.struck,
            needed: seldom.needed,
        })
        .collect()
}

/// The first miss of each fault, in the replication that is told, in the order of faults.
fn missed_faults(plan: &Plan, run: &Experiment) -> Vec<Caveat> {
    let missed = run.told().map_or(&[][..], |outcome| &outcome.missed);
    let mut missed: Vec<&MissedFault> = missed.iter().collect();
    missed.sort_by_key(|one| one.fault);
    let caveat = |one: &MissedFault| Caveat::FaultMissed {
        fault: plan.faults[one.fault].name.clone(),
        at: one.at,
        reason: one.reason.clone().into_owned(),
    };
    missed.into_iter().map(caveat).collect()
}

fn replayed(plan: &Plan) -> Option<Caveat> {
    let Traffic::Replay(recording) = &plan.traffic else { return None };
    let demands = recording.details.iter().any(|detail| detail.demand.is_some());
    let again = recording.period.filter(|period| Instant::ZERO + *period < plan.run.horizon);
    Some(Caveat::Replayed { demands, spread: recording.resolution, again })
}

fn events_cut(run: &Experiment) -> Option<Caveat> {
    let first = run.told().filter(|first| first.journal_cut > 0)?;
    Some(Caveat::EventsCut { kept: first.journal.len(), beyond: first.journal_cut })
}

/// The least extreme percentile that too few requests exceed; those above it are no better.
fn few_samples(window: &WindowSummary, replications: usize) -> Option<Caveat> {
    let few = |metric: Metric| {
        let Metric::Latency(share) = metric else { return None };
        let beyond = too_few_beyond(window.samples, share).filter(|_| window.samples > 0)?;
        Some((metric.name().into_owned(), beyond))
    };
    let (percentile, beyond) = Metric::PERCENTILES.into_iter().find_map(few)?;
    let needed = (replications as f64 * ENOUGH_BEYOND / beyond).ceil() as u64;
    Some(Caveat::FewSamples { window: window.label.clone(), percentile, beyond, needed })
}

/// The replications that would do.
fn needed(caveat: &Caveat) -> u64 {
    match caveat {
        Caveat::FewSamples { needed, .. } | Caveat::WideInterval { needed, .. } => *needed,
        _ => 0,
    }
}

fn wide(window: &WindowSummary, replications: usize) -> Option<Caveat> {
    let p99 = window.get(Metric::P99).filter(|p99| p99.point > 0.0)?;
    let reach = p99.half_width()? / p99.point;
    let needed = (replications as f64 * (reach / WIDE).powi(2)).ceil() as u64;
    (reach > WIDE).then(|| Caveat::WideInterval { window: window.label.clone(), reach, needed })
}

fn assumed(scenario: &Scenario) -> Option<Caveat> {
    // How long and how often to run is a choice, not something to find out.
    let is_fact = |path: &str| path.contains('.') && !path.starts_with("run.");
    let wanted = |s: &&Setting| s.mark == Mark::Assumed && is_fact(&s.path);
    let assumed = scenario.settings.iter().filter(wanted);
    let settings: Vec<_> = assumed
        .map(|setting| Assumption {
            path: setting.path.clone(),
            value: setting.value.clone(),
            source: setting.source.clone(),
        })
        .collect();
    (!settings.is_empty()).then_some(Caveat::Assumed { settings })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::summary::summarize;
    use crate::experiment::tests::example;
    use crate::observe::timeline::Latency;
    use crate::plan::{Bursts, Recorded, Recording, ReplicaTarget};
    use crate::random::Law;
    use crate::report;
    use crate::units::Cores;

    fn keys(scenario: &Scenario, run: &Experiment) -> Vec<&'static str> {
        let summary = summarize(&scenario.plan, &run.outcomes, run.confidence);
        caveats_of(scenario, run, &summary).iter().map(Caveat::key).collect()
    }

    #[test]
    fn a_sound_experiment_has_only_its_assumptions_and_its_rare_events() {
        let found = keys(&report::sample::scenario(), &example::experiment());
        assert_eq!(found, ["fault_missed", "few_samples", "wide_interval", "assumed"]);
    }

    #[test]
    fn zones_are_uneven_where_one_replica_gets_more_than_it_can_carry() {
        let mut plan = Plan::neutral();
        // Four can carry it at 84 %; a third of it is 1.12 times what one can.
        plan.traffic = Traffic::poisson(Rate(3.36 / plan.demand_secs()));
        plan.gateway.cores = Cores(1.0);
        plan.gateway.replicas = 4;
        plan.autoscaling = None;
        plan.topology.zones = ["a", "b", "c"].map(str::to_owned).into();
        plan.topology.placement = vec![0, 1, 2, 0];
        plan.ingress.instances = vec![Some(0), Some(1), Some(2)];
        assert_eq!(uneven_zones(&plan), None);
        plan.ingress.prefer_zone = true;
        let found = uneven_zones(&plan).expect("112 %");
        let told = "the busiest of 4 replicas gets 33.3 % of the requests, 112 % of what it can";
        assert!(found.message().contains(told), "{}", found.message());
        // A pair in three zones is even: the third instance gives to both.
        (plan.gateway.replicas, plan.topology.placement) = (2, vec![0, 1]);
        assert_eq!(plan.ingress.shares(&plan.topology.placement, 3), [0.5, 0.5]);
    }

    #[test]
    fn an_interrupted_single_replication_says_so() {
        let mut run = example::experiment();
        run.outcomes.truncate(1);
        run.interrupted = true;
        let found = keys(&report::sample::scenario(), &run);
        assert_eq!(found[..2], ["interrupted", "one_replication"]);
    }

    #[test]
    fn one_replication_has_at_least_the_mean_of_its_steady_window() {
        let (scenario, mut run) = (report::sample::scenario(), example::experiment());
        run.outcomes.truncate(1);
        let message = |run: &Experiment| {
            one_replication(run, SteadyWindow::of(&scenario.plan, run)).unwrap().message()
        };
        let all = "one replication shows no spread between replications: no figure has an interval";
        assert_eq!(message(&run), all, "12 bins before the crash are too few");
        run.outcomes[0].incidents[0].at = Instant::from_secs(500.0);
        for (row, milliseconds) in
            run.outcomes[0].timeline.as_mut().unwrap().total.iter_mut().zip([39, 41].iter().cycle())
        {
            let mean = Span::from_secs(f64::from(*milliseconds) / 1e3);
            row.latency = row.latency.map(|latency| Latency { mean, ..latency });
        }
        let found = message(&run);
        let told = "; within it, batch means give mean latency 39.98 ms (39.86–40.11) ";
        assert_eq!(found, format!("{all}{told}before 8:20 from 10 batches"));
    }

    #[test]
    fn load_above_capacity_is_told_from_load_above_what_survives() {
        let key = |rate| {
            let mut scenario = report::sample::scenario();
            let Traffic::Process(process) = &mut scenario.plan.traffic else { unreachable!() };
            process.corners[0].1 = Rate(rate);
            capacity(&scenario.plan).map(|caveat| caveat.key())
        };
        assert_eq!((key(90.0), key(110.0), key(210.0)), (None, Some("no_spare"), Some("overload")));
        // With bursts that of a burst counts: three times 210/s of the mean, here 70/s.
        let mut scenario = report::sample::scenario();
        let Traffic::Process(process) = &mut scenario.plan.traffic else { unreachable!() };
        process.corners[0].1 = Rate(70.0);
        let (every, length) = (Span::from_secs(999.0), Span::from_secs(1.0));
        process.scatter = Scatter::Bursty(Bursts { factor: 999.0 / 332.0, every, length });
        let message = capacity(&scenario.plan).unwrap().message();
        assert!(message.starts_with("210/s in a burst is 105 %"), "{message}");
    }

    #[test]
    fn a_slow_down_that_one_replica_cannot_bear_is_told() {
        let mut plan = example::plan();
        let found =
            |plan: &Plan| slow_overload(plan).map(|caveat| caveat.key()).collect::<Vec<_>>();
        let slow = |share| {
            Fault::ReplicaSlow(ReplicaTarget::Slot(0), Share(share), Law::Constant(BUSIEST))
        };
        // Ten requests a second of 10 ms over two replicas: each is busy 5 % of the time.
        plan.faults[0].fault = slow(0.051);
        assert!(found(&plan).is_empty());
        plan.faults[0].fault = slow(0.049);
        assert_eq!(found(&plan), ["slow_overload"]);
    }

    #[test]
    fn recorded_traffic_is_judged_by_its_busiest_time() {
        let mut scenario = report::sample::scenario();
        let record = |at: f64, demand| Recorded {
            at: Instant::from_secs(at),
            demand,
            slot: None,
            api: None,
        };
        let busy = (0..100).map(|n| record(20.0 + n as f64 / 10.0, Some(3e8)));
        let trace: Vec<Recorded> = [record(1.0, None)].into_iter().chain(busy).collect();
        scenario.plan.traffic = Traffic::Replay(trace.into());
        let found = keys(&scenario, &example::experiment());
        assert!(found.contains(&"overload") && found.contains(&"replayed"), "{found:?}");
        let message = capacity(&scenario.plan).unwrap().message();
        assert!(message.starts_with("the busiest 10 s of the recording is 150 %"), "{message}");
        // A second of it again and again is as busy.
        let short = (0..10).map(|n| record(n as f64 / 10.0, Some(3e8)));
        let period = Some(Span(SECOND));
        let again = Recording { period, resolution: Span(SECOND), ..short.collect() };
        scenario.plan.traffic = Traffic::Replay(again);
        let message = capacity(&scenario.plan).unwrap().message();
        assert!(message.starts_with("the busiest 1 s of the recording is 150 %"), "{message}");
        assert_eq!(
            replayed(&scenario.plan).unwrap().message(),
            "every replication replays the same arrivals: the intervals show the chance in \
             everything else, not how traffic varies; requests of the same second are spread over \
             it at random; the recording begins again every 1 s; the recorded demands replace \
             gateway.cpu-per-request"
        );
    }

    #[test]
    fn a_journal_that_was_cut_says_so() {
        let mut run = example::experiment();
        run.outcomes[0].journal_cut = 1_234_567;
        let message = events_cut(&run).unwrap().message();
        assert_eq!(message, "events.csv has the first 10 of 1,234,577 events");
    }

    #[test]
    fn kills_for_memory_and_incidents_without_end_are_told() {
        let (scenario, mut run) = (report::sample::scenario(), example::experiment());
        run.outcomes.iter_mut().for_each(|outcome| outcome.out_of_memory = 2);
        example::change_incident(&mut run.outcomes[0], |incident| incident.service = None);
        let found = keys(&scenario, &run);
        assert_eq!(found[..2], ["out_of_memory", "unrecovered"]);
    }

    #[test]
    fn tries_that_may_do_things_twice_or_not_be_made_are_told_of() {
        let (mut scenario, mut run) = (report::sample::scenario(), example::experiment());
        let message = |scenario: &Scenario, run: &Experiment| {
            tried_again(scenario, run).map(|caveat| caveat.message())
        };
        scenario.plan.ingress.retry.on_reset = true;
        assert_eq!(message(&scenario, &run), None, "nothing was tried again");
        for outcome in &mut run.outcomes {
            outcome.windows[0].counts[Count::IngressRetry as usize] = 120;
        }
        let twice = message(&scenario, &run).expect("whatever it is");
        assert!(twice.contains("120 further tries per replication, also of requests"), "{twice}");
        // Where it asks, the share is assumed by default, or written.
        scenario.plan.ingress.retry.non_idempotent = false;
        assert_eq!(message(&scenario, &run), None);
        scenario.settings.push(Setting {
            path: "ingress.idempotent".to_owned(),
            value: "\"100%\"".to_owned(),
            mark: Mark::Assumed,
            source: "an API that is read from".to_owned(),
        });
        let assumed = message(&scenario, &run).expect("it is assumed");
        assert!(assumed.contains("all requests are taken to be idempotent"), "{assumed}");
        scenario.plan.ingress.retry.on_reset = false;
        assert_eq!(message(&scenario, &run), None, "nothing was sent twice");
    }

    #[test]
    fn without_memory_it_is_said_from_when_on_it_would_matter() {
        let (mut scenario, mut run) = (report::sample::scenario(), example::experiment());
        scenario.plan.gateway.memory = None;
        run.outcomes[0].in_flight_peak = 2_048;
        assert!(!keys(&scenario, &run).contains(&"memory_unknown"));
        run.outcomes[0].in_flight_peak = 4_096;
        let summary = summarize(&scenario.plan, &run.outcomes, run.confidence);
        let found = caveats_of(&scenario, &run, &summary);
        let caveat = found.iter().find(|caveat| caveat.key() == "memory_unknown").unwrap();
        let message = caveat.message();
        assert!(message.contains("up to 4,096 requests"), "{message}");
        assert!(
            message.contains("2 GiB are enough for 512 KiB each") && message.contains("2,048 with"),
            "{message}"
        );
    }
}
