//! Replicas that fail at random and are replaced at once, without a request: how long k are up.
//!
//! A mean life is ten seconds of the runs, whatever it is in the vector, and everything else is
//! scaled with it: the chain is the same in another unit of time. Nothing else in these plans has a
//! length of its own, and replicas are sampled once in two mean lives, when those that ended are
//! forgotten. The start-up is one phase with the law of the repair, seen without a probe and known
//! without delay.
//!
//! Shares of time and rates come from long runs, cut into replications; in the first of them the
//! time with k up is also compared, to the nanosecond, with `time_with_serving` of the outcome.
//! First passages come from runs of their own, which end when the last replica is down.
//!
//! How many failures a vector needs follows from its value beforehand: four standard errors are to
//! be a fifth of it, if the failures that a run can afford are enough. If they are too few even for
//! [`BLUNT`], the vector is too rare and not judged.

use std::ops::RangeInclusive;

use brownout::experiment::Progress;
use brownout::observe::recorder::Keep;
use brownout::observe::{Observation, Observer, Sent, State};
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::{Instant, Span};
use rayon::prelude::*;

use crate::Effort;
use crate::common;
use crate::common::witness::{self, recorded};
use crate::theory::Group;
use crate::theory::vectors::Vector;
use crate::theory::verdict::{Measured, mean_and_error};

/// Mean life of a replica in the runs; seconds.
const LIFE: f64 = 10.0;
const YEAR: f64 = 365.0 * 86_400.0;
/// Replications of one year that the vectors state.
const YEARS: f64 = 10_000.0;
/// Failures in one replication of a long run, the fewest replications, and those compared.
const FAILURES_EACH: f64 = 1_000.0;
const FEWEST: f64 = 200.0;
const COMPARED: u64 = 50;
/// Four standard errors in parts of the value: what is aimed at, and what is judged at the most.
/// The errors themselves are estimates, so there is some room to the third that no verdict may
/// exceed.
const SHARP: f64 = 0.2;
const BLUNT: f64 = 0.3;
const TOO_RARE: &str = "too rare: four standard errors of all that a run can afford are above 30 %";

/// The replicas of a vector; seconds.
struct Fleet {
    replicas: usize,
    mtbf: f64,
    repair: Repair,
    seed: u64,
}

#[derive(Clone, Copy)]
enum Repair {
    Exponential(f64),
    Constant(f64),
}

/// What long runs give: one entry per replication.
struct Long {
    watches: Vec<Watch>,
    /// Seconds of each, after warm-up.
    seconds: f64,
}

/// Follows how many replicas are up.
#[derive(Clone)]
struct Watch {
    up: usize,
    since: Instant,
    /// Time with so many up.
    times: Vec<Span>,
    /// How often each number was entered from above.
    entered: Vec<f64>,
    failures: f64,
    all_down_at: Option<Instant>,
}

impl Watch {
    /// Counts time from `from` on.
    fn new(replicas: usize, from: Instant) -> Self {
        Watch {
            up: 0,
            since: from,
            times: vec![Span::ZERO; replicas + 1],
            entered: vec![0.0; replicas + 1],
            failures: 0.0,
            all_down_at: None,
        }
    }

    fn pass(&mut self, now: Instant) {
        self.times[self.up] += now.since(self.since);
        self.since = self.since.max(now);
    }

    fn fail(&mut self, at: Instant) {
        self.pass(at);
        self.failures += 1.0;
        self.up -= 1;
        self.entered[self.up] += 1.0;
        if self.up == 0 {
            self.all_down_at.get_or_insert(at);
        }
    }

    /// The part of the time during which exactly this many replicas were up.
    fn part(&self, up: usize) -> f64 {
        let total: u64 = self.times.iter().map(|span| span.0).sum();
        self.times.get(up).map_or(0.0, |span| span.0 as f64 / total as f64)
    }
}

impl Observer for Watch {
    fn observe(&mut self, at: Instant, observation: &Observation) {
        match observation {
            Observation::JoinedRotation { .. } => {
                self.pass(at);
                self.up += 1;
            }
            Observation::Entered { state: State::Failed, .. } => self.fail(at),
            _ => {}
        }
    }

    fn horizon(&mut self, at: Instant, _in_flight: &[Sent], _under_way: &[Sent]) {
        self.pass(at);
    }
}

/// Ends a run when the last replica is down.
struct UntilAllDown<'a> {
    watch: Watch,
    progress: &'a Progress,
}

impl Observer for UntilAllDown<'_> {
    fn observe(&mut self, at: Instant, observation: &Observation) {
        self.watch.observe(at, observation);
        if self.watch.all_down_at.is_some() {
            self.progress.cancel();
        }
    }
}

/// What a verdict needs: so many of something that has a relative variance each, which takes so
/// many failures each.
#[derive(Clone, Copy)]
struct Need {
    variance: f64,
    failures: f64,
}

impl Need {
    /// How many make four standard errors this part of the value.
    fn count(self, part: f64) -> f64 {
        self.variance * (4.0 / part).powi(2)
    }

    /// How many are made of so many failures; `None` if these are too few.
    fn affordable(self, failures: f64) -> Option<f64> {
        let most = failures / self.failures;
        (most >= self.count(BLUNT)).then(|| self.count(SHARP).min(most).ceil())
    }
}

pub fn measure(group: &Group, effort: Effort) -> Vec<Measured> {
    let fleet = Fleet::of(group);
    let most = if effort == Effort::Full { 3e7 } else { 2e6 };
    let mut long = None;
    let judge = |vector: &Vector| match vector.quantity.as_str() {
        "mean_time_to_all_down_s" => fleet.time_to_all_down(vector, most),
        quantity if quantity.ends_with("_within_1_year") => fleet.within_a_year(vector, most),
        quantity => match fleet.stays(vector) {
            Some(need) if need.affordable(most).is_none() => Measured::unanswered(TOO_RARE),
            _ => {
                let long = long.get_or_insert_with(|| fleet.long_run(group, most));
                fleet.of_long_run(quantity, long)
            }
        },
    };
    group.vectors.iter().map(judge).collect()
}

impl Fleet {
    fn of(group: &Group) -> Self {
        let params = group.params();
        let repair = match params.find("respawn_s") {
            Some(seconds) => Repair::Constant(seconds),
            None => Repair::Exponential(params.number("mttr_s")),
        };
        let (replicas, mtbf) = (params.number("replicas") as usize, params.number("mtbf_s"));
        Fleet { replicas, mtbf, repair, seed: group.seed() }
    }

    /// Seconds of the run in a second of the vector.
    fn pace(&self) -> f64 {
        LIFE / self.mtbf
    }

    fn plan(&self, warm_up: f64, seconds: f64) -> Plan {
        let paced = |seconds: f64| Span::from_secs(seconds * self.pace());
        let mut plan = common::plan(self.replicas, 0.0, 1.0);
        plan.startup.boot = match self.repair {
            Repair::Exponential(mean) => Law::Exponential(paced(mean)),
            Repair::Constant(seconds) => Law::Constant(paced(seconds)),
        };
        plan.startup.readiness.initial_delay = Span::ZERO;
        plan.startup.readiness.period = Span::ZERO;
        plan.detection.crash = Law::ZERO;
        plan.ingress.propagation = Law::ZERO;
        plan.faults = vec![FaultPlan {
            name: "failure".to_owned(),
            fault: Fault::ReplicaCrash(ReplicaTarget::Any),
            schedule: Schedule::Random(Law::Exponential(paced(self.mtbf))),
        }];
        plan.run.warm_up = Instant::ZERO + paced(warm_up);
        plan.run.horizon = plan.run.warm_up + paced(seconds);
        // Not a whole number of seconds, so that replicas are sampled no more often than that.
        plan.run.bin = paced(2.0 * self.mtbf) + Span(1);
        plan.run.seed = self.seed;
        plan
    }

    /// The stays in its state that a vector of a long run needs; `None` if it is none of these or
    /// counts failures, of which there are always enough. The sum of N exponential stays, N being
    /// Poisson, has a relative variance of 2/N; of constant ones less.
    fn stays(&self, vector: &Vector) -> Option<Need> {
        let n = self.replicas;
        if vector.quantity.ends_with("_within_1_year") || vector.quantity.starts_with("mean_time") {
            return None;
        }
        let state = vector.quantity.strip_prefix("prob_").and_then(|q| q.strip_suffix("_up"));
        let up = match (state, vector.quantity.as_str()) {
            (Some(up), _) => up.parse().ok()?,
            (_, "expected_seconds_per_year_below_2_up") => 1,
            (_, quantity) if quantity.contains("all_down") || quantity.contains("both_down") => 0,
            _ => return None,
        };
        let (Repair::Exponential(repair) | Repair::Constant(repair)) = self.repair;
        let down = (n - up).max(1) as f64;
        let share = match vector.quantity.as_str() {
            "expected_all_down_episodes_per_year" => vector.value * repair / down / YEAR,
            quantity if quantity.starts_with("expected") => vector.value / YEAR,
            _ => vector.rarer(),
        };
        let each_failure = share * down / repair * self.mtbf / n as f64;
        Some(Need { variance: 2.0, failures: 1.0 / each_failure })
    }

    /// As long as the vectors of the group need it.
    fn long_run(&self, group: &Group, most: f64) -> Long {
        let needs = group.vectors.iter().filter_map(|vector| self.stays(vector));
        let failures = needs.filter_map(|need| Some(need.affordable(most)? * need.failures));
        let replications = (failures.fold(0.0, f64::max) / FAILURES_EACH).max(FEWEST) as u64;
        let seconds = FAILURES_EACH * self.mtbf / self.replicas as f64;
        let plan = self.plan(self.mtbf, seconds);
        let run = |replication| {
            let mut watch = Watch::new(self.replicas, plan.run.warm_up);
            if replication < COMPARED {
                watch = watch.compared(&plan, replication);
            } else {
                witness::observe(&plan, replication, &mut watch);
            }
            watch
        };
        Long { watches: (0..replications).into_par_iter().map(run).collect(), seconds }
    }

    fn of_long_run(&self, quantity: &str, long: &Long) -> Measured {
        let n = self.replicas;
        if let Some(up) = quantity.strip_prefix("prob_").and_then(|q| q.strip_suffix("_up")) {
            return up.parse().map_or_else(|_| unknown(), |up: usize| long.share(up..=up, 1.0));
        }
        match quantity {
            "long_run_prob_both_down" => long.share(0..=0, 1.0),
            "expected_seconds_per_year_all_down" => long.share(0..=0, YEAR),
            "expected_seconds_per_year_below_2_up" => long.share(0..=1, YEAR),
            "expected_all_down_episodes_per_year" => long.rate(|watch| watch.entered[0], self.mtbf),
            "expected_failures_per_year_total" => long.rate(|watch| watch.failures, self.mtbf),
            "long_run_unavailability_per_replica" => {
                let down = |up: usize| (n - up) as f64 / n as f64;
                long.judge(|watch| (0..=n).map(|up| down(up) * watch.part(up)).sum())
            }
            _ => unknown(),
        }
    }

    /// The share of years in which all replicas were down at once, of as many as it takes.
    fn within_a_year(&self, vector: &Vector, most: f64) -> Measured {
        let rare = vector.rarer();
        let each = YEAR * self.replicas as f64 / self.mtbf;
        let Some(years) = Need { variance: (1.0 - rare) / rare, failures: each }.affordable(most)
        else {
            return Measured::unanswered(TOO_RARE);
        };
        let plan = self.plan(0.0, YEAR);
        let down = |year| f64::from(u8::from(first_all_down(&plan, year).is_some()));
        let seen: Vec<f64> = (0..years as u64).into_par_iter().map(down).collect();
        Measured::stated(mean_and_error(&seen), (YEARS / years).sqrt())
    }

    /// From all up to all down. That time is all but exponential: its relative variance is 1.
    fn time_to_all_down(&self, vector: &Vector, most: f64) -> Measured {
        let failures = vector.value * self.replicas as f64 / self.mtbf;
        let Some(runs) = (Need { variance: 1.0, failures }).affordable(most) else {
            return Measured::unanswered(TOO_RARE);
        };
        // Past 40 means there is nothing left to see.
        let plan = self.plan(0.0, 40.0 * vector.value);
        let time =
            |run| first_all_down(&plan, run).map_or(f64::NAN, |at| at.as_secs() / self.pace());
        let times: Vec<f64> = (0..runs as u64).into_par_iter().map(time).collect();
        Measured::by_error(mean_and_error(&times))
    }
}

fn unknown() -> Measured {
    Measured::unanswered("a quantity that nothing measures yet")
}

fn first_all_down(plan: &Plan, replication: u64) -> Option<Instant> {
    let progress = Progress::default();
    let watch = Watch::new(plan.gateway.replicas, Instant::ZERO);
    let mut until = UntilAllDown { watch, progress: &progress };
    witness::observe_until(plan, replication, &mut until, &progress);
    until.watch.all_down_at
}

impl Watch {
    /// Watches a replication beside a recorder, which must come to the same times.
    fn compared(mut self, plan: &Plan, replication: u64) -> Self {
        let outcome = recorded(plan, replication, Keep::default(), &mut self, &Progress::default());
        let mut recorded = outcome.time_with_serving;
        recorded.resize(self.times.len(), Span::ZERO);
        assert_eq!(recorded, self.times, "time with k replicas serving");
        self
    }
}

impl Long {
    fn judge(&self, of: impl Fn(&Watch) -> f64) -> Measured {
        Measured::by_error(mean_and_error(&self.watches.iter().map(of).collect::<Vec<f64>>()))
    }

    /// The part of the time with so many replicas up, times `factor`.
    fn share(&self, up: RangeInclusive<usize>, factor: f64) -> Measured {
        self.judge(|watch| factor * up.clone().map(|up| watch.part(up)).sum::<f64>())
    }

    /// How often a year; counted from the start of the run, `warm_up` seconds before the rest.
    fn rate(&self, count: fn(&Watch) -> f64, warm_up: f64) -> Measured {
        self.judge(|watch| count(watch) * YEAR / (self.seconds + warm_up))
    }
}
