//! One replica whose processor stops and goes on, at random: its work is kept, requests wait.

use brownout::observe::{Observation, Observer, Reading, Sent, Served};
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::{Instant, Share, Span};
use rayon::prelude::*;

use crate::Effort;
use crate::theory::Group;
use crate::theory::queues::queue::System;
use crate::theory::queues::sojourns::{Scope, Sojourns, UNIT};
use crate::theory::vectors::Vector;
use crate::theory::verdict::{Measured, mean_and_error};

/// Simulated time that the vectors state, in units of the mean demand, and the parts it is cut to.
const STATED: f64 = 1.6e7;
const REPLICATIONS: u64 = 64;
const WARM_UP: f64 = 10_000.0;

/// Sojourns, and the time without a processor.
struct Stops {
    sojourns: Sojourns,
    from: Instant,
    stopped: Option<Instant>,
    lost: Span,
}

impl Stops {
    fn new(plan: &Plan) -> Self {
        let (from, until) = (plan.run.warm_up, plan.run.horizon);
        let scope = Scope { from, until, tagged: None, all: false, replicas: 1 };
        Stops { sojourns: Sojourns::new(scope), from, stopped: None, lost: Span::ZERO }
    }

    fn go_on(&mut self, at: Instant) {
        if let Some(stopped) = self.stopped.take() {
            self.lost += at.since(stopped.max(self.from));
        }
    }
}

impl Observer for Stops {
    fn served(&mut self, request: &Served) {
        self.sojourns.served(request);
    }

    fn observe(&mut self, at: Instant, observation: &Observation) {
        match observation {
            Observation::Speed { share: Share::ZERO, .. } => self.stopped = Some(at),
            Observation::Speed { .. } => self.go_on(at),
            _ => {}
        }
    }

    fn sampled(&mut self, at: Instant, readings: &[Reading], connecting: u64) {
        self.sojourns.sampled(at, readings, connecting);
    }

    fn bin_ended(&mut self, at: Instant, readings: &[Reading]) {
        self.sojourns.bin_ended(at, readings);
    }

    fn horizon(&mut self, at: Instant, in_flight: &[Sent], under_way: &[Sent]) {
        self.sojourns.horizon(at, in_flight, under_way);
        self.go_on(at);
    }
}

pub fn measure(group: &Group, effort: Effort) -> Vec<Measured> {
    let time = if effort == Effort::Full { STATED } else { STATED / 4.0 };
    let part = time / REPLICATIONS as f64;
    let plan = plan(group, part);
    let run = |replication| {
        let mut stops = Stops::new(&plan);
        crate::common::witness::observe(&plan, replication, &mut stops);
        stops
    };
    let seen: Vec<Stops> = (0..REPLICATIONS).into_par_iter().map(run).collect();
    let judge = |vector: &Vector| judge(vector, &seen, part, (STATED / time).sqrt());
    group.vectors.iter().map(judge).collect()
}

fn judge(vector: &Vector, seen: &[Stops], part: f64, factor: f64) -> Measured {
    let each = |of: fn(&Stops, f64) -> f64| {
        mean_and_error(&seen.iter().map(|stops| of(stops, part)).collect::<Vec<f64>>())
    };
    let estimate = match vector.quantity.as_str() {
        "mean_number_in_system" => each(|stops, _| stops.sojourns.mean_number()),
        "mean_sojourn" => each(|stops, _| stops.sojourns.sojourn().mean()),
        "availability" => each(|stops, part| 1.0 - stops.lost.0 as f64 / UNIT / part),
        _ => return Measured::unanswered("a quantity that nothing measures yet"),
    };
    match vector.tolerance.sim_time {
        Some(_) => Measured::stated(estimate, factor),
        None => Measured::by_error(estimate),
    }
}

fn plan(group: &Group, time: f64) -> Plan {
    let mut plan = System::of(group).bare_plan(WARM_UP, WARM_UP + time);
    let mean = |rate: &str| Law::Exponential(Span((UNIT / group.params().number(rate)) as u64));
    plan.faults = vec![FaultPlan {
        name: "breakdown".to_owned(),
        fault: Fault::ReplicaSlow(ReplicaTarget::Any, Share::ZERO, mean("repair_rate")),
        schedule: Schedule::Random(mean("failure_rate")),
    }];
    plan
}
