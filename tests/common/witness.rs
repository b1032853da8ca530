//! How tests observe the model: observers of their own, and one that remembers everything.

use brownout::experiment::Progress;
use brownout::model::{End, simulate};
use brownout::observe::count::Count;
use brownout::observe::ledger::Failure;
use brownout::observe::outcome::Outcome;
use brownout::observe::recorder::{Keep, Recorder};
use brownout::observe::{Observation, Observer, Reading, ReplicaId, Sent, Served, State};
use brownout::plan::Plan;
use brownout::units::Instant;

/// Everything that was told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Witness {
    pub offered: Vec<Sent>,
    /// In order of telling, the drain included.
    pub served: Vec<Served>,
    /// When sent, when failed, how; up to the horizon.
    pub failed: Vec<(Sent, Instant, Failure)>,
    pub facts: Vec<(Instant, Observation)>,
    pub readings: Vec<(Instant, Vec<Reading>)>,
    pub in_flight: Vec<Sent>,
    pub end: Instant,
    /// How many had been served at the horizon.
    in_time: usize,
    over: bool,
}

impl Observer for Witness {
    fn offered(&mut self, request: Sent) {
        self.offered.push(request);
    }
    fn served(&mut self, request: &Served) {
        self.served.push(*request);
    }
    fn failed(&mut self, sent: Sent, at: Instant, failure: Failure) {
        if !self.over {
            self.failed.push((sent, at, failure));
        }
    }
    fn observe(&mut self, at: Instant, observation: &Observation) {
        self.facts.push((at, observation.clone()));
    }
    fn bin_ended(&mut self, at: Instant, readings: &[Reading]) {
        self.readings.push((at, readings.to_vec()));
    }
    fn horizon(&mut self, at: Instant, in_flight: &[Sent], under_way: &[Sent]) {
        (self.end, self.over) = (at, true);
        self.in_time = self.served.len();
        self.in_flight = [in_flight, under_way].concat();
        self.in_flight.sort_unstable();
    }
}

impl Witness {
    /// Those that were served before the end.
    pub fn served_in_time(&self) -> impl Iterator<Item = &Served> {
        self.served[..self.in_time].iter()
    }

    /// When such facts were told.
    pub fn times(&self, wanted: impl Fn(&Observation) -> bool) -> Vec<Instant> {
        self.facts.iter().filter(|(_, fact)| wanted(fact)).map(|(at, _)| *at).collect()
    }

    /// How many replicas there were.
    pub fn replicas(&self) -> usize {
        self.times(|fact| matches!(fact, Observation::Created { .. })).len()
    }

    /// The states that a replica entered, in order of time.
    pub fn states(&self, wanted: ReplicaId) -> Vec<(Instant, State)> {
        let entered = |(at, fact): &(Instant, Observation)| match fact {
            Observation::Entered { replica, state, .. } if *replica == wanted => {
                Some((*at, *state))
            }
            _ => None,
        };
        self.facts.iter().filter_map(entered).collect()
    }
}

/// Tells each of them, in their order.
struct All<'a, 'b>(&'a mut [&'b mut dyn Observer]);

impl Observer for All<'_, '_> {
    fn offered(&mut self, sent: Sent) {
        self.0.iter_mut().for_each(|one| one.offered(sent));
    }
    fn served(&mut self, request: &Served) {
        self.0.iter_mut().for_each(|one| one.served(request));
    }
    fn failed(&mut self, sent: Sent, at: Instant, failure: Failure) {
        self.0.iter_mut().for_each(|one| one.failed(sent, at, failure));
    }
    fn tried_again(&mut self, sent: Sent) {
        self.0.iter_mut().for_each(|one| one.tried_again(sent));
    }
    fn attempt_failed(&mut self, sent: Sent, failure: Failure) {
        self.0.iter_mut().for_each(|one| one.attempt_failed(sent, failure));
    }
    fn counted(&mut self, sent: Sent, count: Count) {
        self.0.iter_mut().for_each(|one| one.counted(sent, count));
    }
    fn attempts_left(&mut self, sent: &[Sent]) {
        self.0.iter_mut().for_each(|one| one.attempts_left(sent));
    }
    fn observe(&mut self, at: Instant, observation: &Observation) {
        self.0.iter_mut().for_each(|one| one.observe(at, observation));
    }
    fn sampled(&mut self, at: Instant, readings: &[Reading], connecting: u64) {
        self.0.iter_mut().for_each(|one| one.sampled(at, readings, connecting));
    }
    fn bin_ended(&mut self, at: Instant, readings: &[Reading]) {
        self.0.iter_mut().for_each(|one| one.bin_ended(at, readings));
    }
    fn horizon(&mut self, at: Instant, in_flight: &[Sent], under_way: &[Sent]) {
        self.0.iter_mut().for_each(|one| one.horizon(at, in_flight, under_way));
    }
}

/// Simulates before these observers: the one place where a test meets the model.
fn simulated(
    plan: &Plan,
    replication: u64,
    all: &mut [&mut dyn Observer],
    progress: &Progress,
) -> End {
    simulate(plan, replication, &mut All(all), progress)
}

/// Simulates a replication before an observer.
pub fn observe(plan: &Plan, replication: u64, observer: &mut dyn Observer) {
    observe_until(plan, replication, observer, &Progress::default());
}

/// The same, as long as the progress does not stop it.
pub fn observe_until(
    plan: &Plan,
    replication: u64,
    observer: &mut dyn Observer,
    progress: &Progress,
) {
    simulated(plan, replication, &mut [observer], progress);
}

/// The same, and before a recorder as well.
pub fn recorded(
    plan: &Plan,
    replication: u64,
    keep: Keep,
    observer: &mut dyn Observer,
    progress: &Progress,
) -> Outcome {
    let mut recorder = Recorder::new(brownout::experiment::scope(plan, replication), keep);
    let end = simulated(plan, replication, &mut [observer, &mut recorder], progress);
    recorder.finish(end.at, end.interrupted, end.digest)
}

/// Everything kept.
pub const ALL: Keep = Keep { trace: true, timeline: true, journal: true, requests_every: Some(1) };

/// Runs one replication before a witness and a recorder that keeps everything.
pub fn witnessed(plan: &Plan, replication: u64) -> (Witness, Outcome) {
    let mut witness = Witness::default();
    let outcome = recorded(plan, replication, ALL, &mut witness, &Progress::default());
    (witness, outcome)
}
