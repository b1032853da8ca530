//! The fluid limit: what a backlog does when rates are so large that chance hardly matters.
//!
//! Every rate is multiplied by a scale K, so a backlog of b requests becomes K·b, give or take √K.
//! The tolerance is worked out beforehand from the diffusion of the number of requests, whose
//! variance grows by the sum of the rates of arrivals and completions: four standard deviations of
//! the mean of 16 runs, that is O(1/√backlog).
//!
//! * Backlog after the outage D: (λ−μ)·D, variance (λ+μ)·D.
//! * Time to drain b at drift δ: b/δ, variance b·(λ'+μ')/δ³ and that of the backlog over δ².
//!
//! Where the fluid says zero, the same variance over the outage bounds what chance leaves.

use brownout::observe::{Observation, Observer, Reading};
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::{Instant, Rate, Share, Span};
use rayon::prelude::*;

use crate::Effort;
use crate::common;
use crate::theory::Group;
use crate::theory::verdict::{Accept, Measured, mean_and_error};

const RUNS: u64 = 16;
/// Requests per second that one replica serves after scaling.
const SCALED_CAPACITY: f64 = 2_400.0;
/// How often the number of requests is read, and the time that passes before the outage; seconds.
const BIN: f64 = 0.01;
const BEFORE: f64 = 10.0;

/// The system of a vector, unscaled; seconds.
struct Outage {
    rate: f64,
    capacity: f64,
    replicas: f64,
    lasts: f64,
    seed: u64,
}

/// What carries the backlog.
#[derive(Clone, Copy, PartialEq)]
enum Backlog {
    /// The replicas that were there when it grew.
    StaysOnSurvivors,
    /// All replicas: one server with the capacity of all that are there.
    IsShared,
}

/// Requests at the replicas that were there from the beginning, bin by bin, from the end of the
/// outage on.
#[derive(Default)]
struct Drain {
    original: usize,
    away: Option<usize>,
    ends: Instant,
    /// A number that the replicas reach when they are no longer behind.
    calm: u64,
    backlog: Option<u64>,
    calm_at: Option<Instant>,
}

impl Observer for Drain {
    fn observe(&mut self, _at: Instant, observation: &Observation) {
        if let Observation::LeftRotation { replica } = observation {
            self.away = Some(*replica);
        }
    }

    fn bin_ended(&mut self, at: Instant, readings: &[Reading]) {
        let carries = |r: &&Reading| r.replica < self.original && Some(r.replica) != self.away;
        let number = readings.iter().filter(carries).map(|r| r.in_flight).sum();
        if at >= self.ends {
            self.backlog.get_or_insert(number);
            if number <= self.calm {
                self.calm_at.get_or_insert(at);
            }
        }
    }
}

pub fn measure(group: &Group, _effort: Effort) -> Vec<Measured> {
    let outage = Outage::of(group);
    let mut runs = [Backlog::StaysOnSurvivors, Backlog::IsShared].map(|kind| (kind, None));
    let mut run_once = |wanted: Backlog| -> (f64, f64) {
        let place = runs.iter_mut().find(|(kind, _)| *kind == wanted);
        let (_, seen) = place.expect("both kinds are listed");
        *seen.get_or_insert_with(|| outage.run(wanted))
    };
    let mut judge = |quantity: &str| match quantity {
        "backlog_at_recovery_requests" | "fluid_peak_number" => {
            outage.judge_backlog(run_once(Backlog::StaysOnSurvivors).0)
        }
        "drain_time_if_backlog_stays_on_survivors_s" | "fluid_drain_time_after_recovery" => {
            let drift = outage.drift(Backlog::StaysOnSurvivors);
            outage.judge_drain(run_once(Backlog::StaysOnSurvivors).1, drift)
        }
        "drain_time_s" => {
            outage.judge_drain(run_once(Backlog::IsShared).1, outage.drift(Backlog::IsShared))
        }
        "utilization_before" => exactly(outage.utilisation(outage.replicas)),
        "utilization_during" => exactly(outage.utilisation(outage.replicas - 1.0)),
        "max_virtual_delay_fifo_s" => {
            Measured::unanswered("the delay of a request that queues; a replica shares instead")
        }
        _ => Measured::unanswered("a quantity that nothing measures yet"),
    };
    group.vectors.iter().map(|vector| judge(&vector.quantity)).collect()
}

/// A value without chance.
fn exactly(got: f64) -> Measured {
    Measured { got, error: None, accept: Accept::Stated(1.0) }
}

/// Rates of arrivals and completions on the replicas that carry the backlog.
#[derive(Clone, Copy)]
struct Drift {
    arrivals: f64,
    completions: f64,
}

impl Drift {
    fn speed(self) -> f64 {
        self.completions - self.arrivals
    }

    fn spread(self) -> f64 {
        self.completions + self.arrivals
    }
}

impl Outage {
    fn of(group: &Group) -> Self {
        let (params, seed) = (group.params(), group.seed());
        match params.find("total_rate_rps") {
            Some(rate) => Outage {
                rate,
                capacity: params.number("capacity_per_replica_rps"),
                replicas: params.number("replicas"),
                lasts: params.number("one_replica_down_s"),
                seed,
            },
            None => Outage {
                rate: params.number("total_arrival_rate"),
                capacity: params.number("service_rate"),
                replicas: 2.0,
                lasts: params.number("outage_duration"),
                seed,
            },
        }
    }

    fn scale(&self) -> f64 {
        SCALED_CAPACITY / self.capacity
    }

    fn survivors(&self) -> f64 {
        self.replicas - 1.0
    }

    fn during(&self) -> Drift {
        Drift { arrivals: self.rate, completions: self.survivors() * self.capacity }
    }

    /// After the outage.
    fn drift(&self, kind: Backlog) -> Drift {
        match kind {
            Backlog::StaysOnSurvivors => Drift {
                arrivals: self.rate * self.survivors() / self.replicas,
                completions: self.survivors() * self.capacity,
            },
            Backlog::IsShared => {
                Drift { arrivals: self.rate, completions: self.replicas * self.capacity }
            }
        }
    }

    fn judge_backlog(&self, backlog: f64) -> Measured {
        let variance = self.during().spread() * self.lasts / self.scale();
        self.within(backlog, variance)
    }

    fn judge_drain(&self, time: f64, drift: Drift) -> Measured {
        let during = self.during();
        let backlog = (-during.speed()).max(0.0) * self.lasts;
        let of_backlog = during.spread() * self.lasts / drift.speed().powi(2);
        let of_drain = backlog * drift.spread() / drift.speed().powi(3);
        self.within(time, (of_backlog + of_drain) / self.scale())
    }

    fn within(&self, got: f64, variance: f64) -> Measured {
        let error = (variance / RUNS as f64).sqrt();
        Measured { got, error: Some(error), accept: Accept::Within(4.0 * error) }
    }

    /// What the plan itself says of its load.
    fn utilisation(&self, replicas: f64) -> f64 {
        let mut plan = common::plan(replicas as usize, self.rate, 1.0);
        // A whole number of seconds of demand leaves nothing to round.
        plan.gateway.demand = Law::Constant(Span::from_secs(1.0));
        plan.utilisation(Rate(self.rate), replicas as usize) / self.capacity
    }

    /// Mean backlog at the end of the outage and mean time to drain it, unscaled.
    fn run(&self, kind: Backlog) -> (f64, f64) {
        let plan = self.plan(kind);
        let seen: Vec<(f64, f64)> =
            (0..RUNS).into_par_iter().map(|run| self.drain(kind, &plan, run)).collect();
        let (backlogs, times): (Vec<f64>, Vec<f64>) = seen.into_iter().unzip();
        (mean_and_error(&backlogs).0, mean_and_error(&times).0)
    }

    fn drain(&self, kind: Backlog, plan: &Plan, replication: u64) -> (f64, f64) {
        let after = self.drift(kind);
        let load = after.arrivals / after.completions;
        let ends = Instant::from_secs(BEFORE + self.lasts);
        let calm = (self.survivors() * load / (1.0 - load)).ceil() as u64;
        let original = plan.gateway.replicas;
        let mut drain = Drain { original, ends, calm, ..Drain::default() };
        crate::common::witness::observe(plan, replication, &mut drain);
        let backlog = drain.backlog.map_or(f64::NAN, |number| number as f64 / self.scale());
        let time = drain.calm_at.map_or(f64::NAN, |at| at.since(ends).as_secs());
        (backlog, time)
    }

    fn plan(&self, kind: Backlog) -> Plan {
        let drain = (-self.during().speed()).max(0.0) * self.lasts / self.drift(kind).speed();
        let horizon = BEFORE + self.lasts + 1.5 * drain + 5.0;
        let replicas = if kind == Backlog::IsShared { 1 } else { self.replicas as usize };
        let mut plan = common::plan(replicas, self.rate * self.scale(), horizon);
        plan.gateway.demand = Law::Exponential(Span::from_secs(1.0 / self.service_rate(kind)));
        plan.ingress.balancing = Balancing::Random;
        plan.ingress.read_timeout = Span::MAX;
        plan.run.seed = self.seed;
        plan.run.bin = Span::from_secs(BIN);
        let (at, lasts) = (Instant::from_secs(BEFORE), Span::from_secs(self.lasts));
        match kind {
            Backlog::StaysOnSurvivors => common::take_away(&mut plan, &[replicas - 1], at, lasts),
            Backlog::IsShared => self.slow_down(&mut plan, at, lasts),
        }
        plan
    }

    /// Completions per second of one server, scaled.
    fn service_rate(&self, kind: Backlog) -> f64 {
        let replicas = if kind == Backlog::IsShared { self.replicas } else { 1.0 };
        self.capacity * self.scale() * replicas
    }

    /// One server for all replicas loses the part of one.
    fn slow_down(&self, plan: &mut Plan, at: Instant, lasts: Span) {
        let share = Share(self.survivors() / self.replicas);
        plan.faults = vec![FaultPlan {
            name: "the outage".to_owned(),
            fault: Fault::ReplicaSlow(ReplicaTarget::All, share, Law::Constant(lasts)),
            schedule: Schedule::At(at),
        }];
    }
}
