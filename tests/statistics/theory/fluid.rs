//! The fluid limit: what a backlog does when rates are so large that chance hardly matters.
//!
//! Every rate is multiplied by a scale K, so a backlog of b requests becomes K·b, give or take √K.
//! The tolerance is worked out beforehand from the diffusion of the number of requests, whose
//! variance grows by the sum of the rates of arrivals and completions: four standard deviations of
//! the mean of 16 runs, that is O(1/√backlog).
//!
//! * Backlog after the outage D: (λ−μ)·D, variance (λ+μ)·D.
//! * Time to drain b at drift δ: b/δ, variance b·(λ'+μ')/δ³ and that of the backlog over δ².
//! * Delay of a request in order of arrival at the end of the outage: b/μ, variance b/μ² and that
//!   of the backlog over μ².
//! * Utilisation u over n arrivals of exponential demand: variance 2u²/n. Before the outage it is
//!   the time that replicas worked, during it the work that reached the survivors.
//!
//! Where the fluid says zero, the same variance over the outage bounds what chance leaves.

use brownout::observe::{Observation, Observer, Reading, Served};
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::{Instant, SECOND, Share, Span};
use rayon::prelude::*;

use crate::Effort;
use crate::common;
use crate::common::dependencies::{upstream, with_upstream};
use crate::theory::Group;
use crate::theory::verdict::{Accept, Measured};

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
    /// Hosts of an upstream, where requests wait in order of arrival.
    WaitsInOrder,
}

/// What is seen of a run: requests at the replicas that were there from the beginning, bin by bin
/// from the end of the outage on; and the work before that.
#[derive(Default)]
struct Drain {
    original: usize,
    away: Option<usize>,
    begins: Instant,
    ends: Instant,
    /// A number that the replicas reach when they are no longer behind.
    calm: u64,
    backlog: Option<u64>,
    calm_at: Option<Instant>,
    /// Core-seconds worked before the outage, and those asked for during it.
    worked: f64,
    asked: f64,
    /// Seconds that the requests of the outage's last bin took, and how many these are.
    last: (f64, f64),
}

impl Observer for Drain {
    fn observe(&mut self, _at: Instant, observation: &Observation) {
        if let Observation::LeftRotation { replica } = observation {
            self.away = Some(*replica);
        }
    }

    fn served(&mut self, request: &Served) {
        if !(self.begins..self.ends).contains(&request.arrived) {
            return;
        }
        self.asked += f64::from(request.demand) / SECOND as f64;
        if self.ends.since(request.arrived) <= Span::from_secs(BIN) {
            self.last.0 += request.finished.since(request.arrived).as_secs();
            self.last.1 += 1.0;
        }
    }

    fn bin_ended(&mut self, at: Instant, readings: &[Reading]) {
        let carries = |r: &&Reading| r.replica < self.original && Some(r.replica) != self.away;
        let number = readings.iter().filter(carries).map(|r| r.in_flight).sum();
        if at == self.begins {
            self.worked = readings.iter().map(|r| r.busy).sum::<f64>() / SECOND as f64;
        }
        if at >= self.ends {
            self.backlog.get_or_insert(number);
            if number <= self.calm {
                self.calm_at.get_or_insert(at);
            }
        }
    }
}

/// What the runs of one kind come to in the mean, unscaled.
#[derive(Clone, Copy, Default)]
struct Means {
    backlog: f64,
    drain: f64,
    used_before: f64,
    asked_during: f64,
    delay: f64,
}

impl Means {
    fn add(mut self, other: Means) -> Means {
        self.backlog += other.backlog / RUNS as f64;
        self.drain += other.drain / RUNS as f64;
        self.used_before += other.used_before / RUNS as f64;
        self.asked_during += other.asked_during / RUNS as f64;
        self.delay += other.delay / RUNS as f64;
        self
    }
}

pub fn measure(group: &Group, _effort: Effort) -> Vec<Measured> {
    use Backlog::{IsShared, StaysOnSurvivors, WaitsInOrder};
    let outage = Outage::of(group);
    let mut runs = [StaysOnSurvivors, IsShared, WaitsInOrder].map(|kind| (kind, None));
    let mut run_once = |wanted: Backlog| -> Means {
        let place = runs.iter_mut().find(|(kind, _)| *kind == wanted);
        let (_, seen) = place.expect("all kinds are listed");
        *seen.get_or_insert_with(|| outage.run(wanted))
    };
    let mut judge = |quantity: &str| match quantity {
        "backlog_at_recovery_requests" | "fluid_peak_number" => {
            outage.judge_backlog(run_once(StaysOnSurvivors).backlog)
        }
        "drain_time_if_backlog_stays_on_survivors_s" | "fluid_drain_time_after_recovery" => {
            outage.judge_drain(run_once(StaysOnSurvivors).drain, outage.drift(StaysOnSurvivors))
        }
        "drain_time_s" => outage.judge_drain(run_once(IsShared).drain, outage.drift(IsShared)),
        "utilization_before" => {
            outage.judge_use(run_once(StaysOnSurvivors).used_before, outage.replicas, BEFORE)
        }
        "utilization_during" => {
            let (got, survivors) = (run_once(StaysOnSurvivors).asked_during, outage.survivors());
            outage.judge_use(got, survivors, outage.lasts)
        }
        "max_virtual_delay_fifo_s" => outage.judge_delay(run_once(WaitsInOrder).delay),
        _ => Measured::unanswered("a quantity that nothing measures yet"),
    };
    group.vectors.iter().map(|vector| judge(&vector.quantity)).collect()
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
            Backlog::IsShared | Backlog::WaitsInOrder => {
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

    fn judge_delay(&self, delay: f64) -> Measured {
        let (during, host) = (self.during(), self.survivors() * self.capacity);
        let backlog = (-during.speed()).max(0.0) * self.lasts;
        let variance = (during.spread() * self.lasts + backlog) / host.powi(2) / self.scale();
        self.within(delay, variance)
    }

    /// Of so many replicas over so many seconds.
    fn judge_use(&self, got: f64, replicas: f64, seconds: f64) -> Measured {
        let load = self.rate / (replicas * self.capacity);
        let arrivals = self.rate * self.scale() * seconds;
        self.within(got, 2.0 * load.powi(2) / arrivals)
    }

    fn within(&self, got: f64, variance: f64) -> Measured {
        let error = (variance / RUNS as f64).sqrt();
        Measured { got, error: Some(error), accept: Accept::Within(4.0 * error) }
    }

    fn run(&self, kind: Backlog) -> Means {
        let plan = self.plan(kind);
        let seen: Vec<Means> =
            (0..RUNS).into_par_iter().map(|run| self.drain(kind, &plan, run)).collect();
        seen.into_iter().fold(Means::default(), Means::add)
    }

    fn drain(&self, kind: Backlog, plan: &Plan, replication: u64) -> Means {
        let after = self.drift(kind);
        let load = after.arrivals / after.completions;
        let begins = Instant::from_secs(BEFORE);
        let ends = begins + Span::from_secs(self.lasts);
        let calm = (self.survivors() * load / (1.0 - load)).ceil() as u64;
        let original = plan.gateway.replicas;
        let mut drain = Drain { original, begins, ends, calm, ..Drain::default() };
        crate::common::witness::observe(plan, replication, &mut drain);
        Means {
            backlog: drain.backlog.map_or(f64::NAN, |number| number as f64 / self.scale()),
            drain: drain.calm_at.map_or(f64::NAN, |at| at.since(ends).as_secs()),
            used_before: drain.worked / BEFORE / self.replicas,
            asked_during: drain.asked / self.lasts / self.survivors(),
            delay: drain.last.0 / drain.last.1,
        }
    }

    fn plan(&self, kind: Backlog) -> Plan {
        let drain = (-self.during().speed()).max(0.0) * self.lasts / self.drift(kind).speed();
        let horizon = BEFORE + self.lasts + 1.5 * drain + 5.0;
        let is_one = kind != Backlog::StaysOnSurvivors;
        let replicas = if is_one { 1 } else { self.replicas as usize };
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
            Backlog::WaitsInOrder => self.put_behind(&mut plan, at, lasts),
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

    /// The replicas become hosts of an upstream, of which one refuses, and the next is tried.
    fn put_behind(&self, plan: &mut Plan, at: Instant, lasts: Span) {
        let latency = std::mem::replace(&mut plan.gateway.demand, Law::ZERO);
        plan.dependencies = with_upstream(Upstream {
            hosts: self.replicas as usize,
            workers: Some(1),
            retries: 1,
            ..upstream(latency)
        });
        let host = HostTarget { upstream: 0, host: Some(0) };
        plan.faults = vec![FaultPlan {
            name: "the outage".to_owned(),
            fault: Fault::UpstreamOutage(host, Down::Refuses, Law::Constant(lasts)),
            schedule: Schedule::At(at),
        }];
    }
}
