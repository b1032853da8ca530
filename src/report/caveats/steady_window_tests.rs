use rayon::prelude::*;

use super::*;
use crate::experiment::replicate;
use crate::experiment::tests::example;
use crate::observe::recorder::Keep;
use crate::plan::Bursts;
use crate::random::{Law, Seed};
use crate::units::Rate;

/// An experiment without an incident; a request is answered in 40 ms.
fn calm() -> (Plan, Experiment) {
    let plan = Plan { faults: vec![], ..example::plan() };
    let mut run = example::experiment();
    run.outcomes[0].incidents.clear();
    let rows = &mut run.outcomes[0].timeline.as_mut().unwrap().total;
    let usual = rows[0].latency;
    rows.iter_mut().for_each(|row| row.latency = usual);
    (plan, run)
}

/// The same with 10 ms in the first so many bins of 10 s.
fn filling_up(bins: usize) -> (Plan, Experiment) {
    let (plan, mut run) = calm();
    let rows = &mut run.outcomes[0].timeline.as_mut().unwrap().total;
    let early = rows[..bins].iter_mut().filter_map(|row| row.latency.as_mut());
    early.for_each(|latency| latency.mean = Span::from_secs(0.01));
    (plan, run)
}

fn warm_up_short((plan, run): &(Plan, Experiment)) -> Option<Caveat> {
    SteadyWindow::of(plan, run)?.warm_up_short()
}

/// One replication of two replicas that forget quickly, at so many requests a second, busy for a
/// share of the time, with the usual warm-up.
fn steady_run(rate: f64, busy: f64, horizon: f64, seed: u64) -> (Plan, Experiment) {
    let mut plan = Plan { faults: vec![], ..example::plan() };
    plan.windows.truncate(1);
    let Traffic::Process(process) = &mut plan.traffic else { unreachable!() };
    process.corners[0].1 = Rate(rate);
    plan.gateway.demand = Law::Exponential(Span::from_secs(2.0 * busy / rate));
    plan.ingress.instances.truncate(1);
    plan.ingress.read_timeout = Span::MAX;
    plan.run.horizon = Instant::from_secs(horizon);
    plan.run.warm_up = Instant::from_secs((horizon / 10.0).min(60.0));
    (plan.run.seed, plan.run.bin) = (seed, Span::from_secs(1.0));
    let keep = Keep { timeline: true, ..Keep::default() };
    let outcomes = vec![replicate(&plan, 0, keep, &Default::default())];
    (plan, Experiment { outcomes, ..example::experiment() })
}

#[test]
fn a_transient_that_outlasts_warm_up_is_found_with_its_end() {
    assert_eq!(warm_up_short(&calm()), None);
    assert_eq!(warm_up_short(&filling_up(6)), None, "warm-up ends at 1:00");
    let caveat = warm_up_short(&filling_up(15)).unwrap();
    assert_eq!(
        caveat.message(),
        "MSER-5 finds that the initial transient lasts until 2:30, warm-up ends at 1:00: mean \
         latency 35 ms after warm-up, 40 ms after the transient"
    );
    assert_eq!(caveat.remedy().unwrap(), "raise run.warm-up to 150s");
}

#[test]
fn a_run_that_never_settles_says_so() {
    let (plan, mut run) = calm();
    let rows = &mut run.outcomes[0].timeline.as_mut().unwrap().total;
    for (row, milliseconds) in rows.iter_mut().zip(10..) {
        let latency = row.latency.as_mut().unwrap();
        latency.mean = Span::from_secs(f64::from(milliseconds) / 1e3);
    }
    let caveat = warm_up_short(&(plan, run)).unwrap();
    assert_eq!(
        caveat.message(),
        "MSER-5 sees no steady state before 10:00: mean latency 42.5 ms after warm-up, 54.5 ms in \
         the second half"
    );
    assert_eq!(caveat.remedy().unwrap(), "raise run.horizon and run.warm-up");
}

#[test]
fn only_the_time_before_the_first_incident_counts() {
    let (plan, run) = filling_up(15);
    let injected = example::experiment().outcomes[0].incidents.clone();
    let at = |seconds| {
        let mut run = run.clone();
        example::set_incidents(&mut run.outcomes[0], injected.clone());
        run.outcomes[0].incidents[0].at = Instant::from_secs(seconds);
        warm_up_short(&(plan.clone(), run)).map(|caveat| caveat.key())
    };
    assert_eq!(at(510.0), Some("warm_up_short"));
    // 18 bins are too few to judge.
    assert_eq!(at(180.0), None);
}

#[test]
fn nothing_is_said_where_the_rate_changes_or_nothing_was_kept() {
    let (plan, run) = filling_up(15);
    let changed = |change: fn(&mut crate::plan::ArrivalProcess)| {
        let mut plan = plan.clone();
        let Traffic::Process(process) = &mut plan.traffic else { unreachable!() };
        change(process);
        SteadyWindow::of(&plan, &run).is_none()
    };
    assert!(changed(|process| process.corners.push((Instant::from_secs(300.0), Rate(11.0)))));
    assert!(changed(|process| {
        let (every, length) = (Span::from_secs(9.0), Span::from_secs(1.0));
        process.scatter = Scatter::Bursty(Bursts { factor: 2.0, every, length });
    }));
    let mut without = run.clone();
    without.outcomes[0].timeline = None;
    assert!(SteadyWindow::of(&plan, &without).is_none());
    without.outcomes.clear();
    assert!(SteadyWindow::of(&plan, &without).is_none());
}

#[test]
fn steady_runs_are_hardly_ever_called_short() {
    // Half busy at 10/s it forgets within 1.2 s, 80 % busy at 100/s within 1.4 s, at 10/s in 14 s.
    for (rate, busy, horizon, most) in
        [(10.0, 0.5, 600.0, 5), (100.0, 0.8, 120.0, 5), (10.0, 0.8, 600.0, 12)]
    {
        let is_short =
            |seed: &u64| warm_up_short(&steady_run(rate, busy, horizon, *seed)).is_some();
        let alarms = (0..300_u64).into_par_iter().filter(is_short).count();
        assert!(alarms <= most, "{alarms} of 300 at {rate}/s, {busy} busy");
    }
}

#[test]
fn a_slow_transient_in_noise_is_found() {
    // Half of the latency is missing at first, and comes with a time constant of a minute.
    let found = |seed| {
        let mut noise = Seed { seed, replication: 0 }.stream("noise", 0);
        let bin = |second| {
            let mean = 1.0 - 0.5 * (-f64::from(second) / 60.0).exp() + 0.03 * noise.normal();
            (100.0 * mean, 100.0)
        };
        let bins = (0..600).map(bin).collect();
        let warm_up = Instant::from_secs(60.0);
        let steady =
            SteadyWindow { bins, width: Span::from_secs(1.0), first: 60, warm_up, until: None };
        match steady.warm_up_short() {
            Some(Caveat::WarmUpShort { until, .. }) => until,
            other => panic!("{other:?}"),
        }
    };
    // Two to five time constants; a few runs seem to settle too late to be sure.
    let ends: Vec<f64> = (0..100).filter_map(found).map(Instant::as_secs).collect();
    assert!(ends.len() >= 95, "{} of 100", ends.len());
    assert!(ends.iter().all(|end| (120.0..=300.0).contains(end)), "{ends:?}");
}

#[test]
fn batches_of_one_replication_cover_the_true_mean_as_often_as_they_claim() {
    // By turns over two replicas, each half busy: the golden ratio times the mean demand of 100 ms;
    // and 2 ms on the way.
    let truth = (1.0 + 5.0_f64.sqrt()) / 2.0 * 0.1 + 0.002;
    let covers = |seed: u64| {
        let (plan, run) = steady_run(10.0, 0.5, 600.0, seed);
        let interval = SteadyWindow::of(&plan, &run)?.mean_latency(Confidence::USUAL)?.interval?;
        Some((interval.low..=interval.high).contains(&truth))
    };
    let given: Vec<bool> = (0..1_000).into_par_iter().filter_map(covers).collect();
    let share = given.iter().filter(|covers| **covers).count() as f64 / given.len() as f64;
    assert!(given.len() >= 980 && (0.93..=0.97).contains(&share), "{share} of {}", given.len());
}
