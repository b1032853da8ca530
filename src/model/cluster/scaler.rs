//! The horizontal pod autoscaler at work: what it is shown of the replicas, when, and what follows.
//!
//! ```text
//! replica ─ counter ─► kubelet (10 s) ─► metrics-server (15 s) ─► autoscaler (15 s)
//!                                                                              │ Decision
//!   more wanted ─► new replicas in free slots ◄────────────────────────────────┤
//!   fewer wanted ─► drain: out of the endpoints, 25 s to finish, then gone ◄───┘
//! ```
//!
//! The autoscaler sees samples and the state that the API server knows, never the truth: a crash
//! that nobody noticed is a ready pod, a lost machine gives no samples. Which replica is removed:
//! one without a node, then one that is not ready, then one whose node holds the most, and of these
//! the one that became ready last (the order of the ReplicaSet controller, to which zones mean
//! nothing).
//!
//! Requests per second come by another way: Prometheus scrapes each replica's counter, and an
//! adapter asks it for the rate whenever the autoscaler does. Memory comes with the CPU.
//!
//! Assumptions: the clocks have independent phases, drawn at the start, as has each replica's in
//! Prometheus; reading and scraping take no time; a sidecar uses the same CPU at all times, and
//! what a replica has in memory is what its requests hold. A step of the autoscaler takes a
//! millisecond, so that a recommendation exactly as old as a window has left it. A metrics-server
//! that was away comes back without samples.

use std::collections::BTreeMap;

use super::Cluster;
use crate::autoscaler::calculator::Snapshot;
use crate::autoscaler::controller::{AutoscalerState, step};
use crate::autoscaler::decision::Decision;
use crate::autoscaler::goals::MetricGoal;
use crate::autoscaler::metrics::{CounterReading, Samples};
use crate::autoscaler::pods::{Container, Phase, Pod, Readiness};
use crate::autoscaler::rates::CounterSamples;
use crate::model::context::Context;
use crate::model::event::Event;
use crate::model::replica::process::Replica;
use crate::observe::{Observation, ReplicaId, State};
use crate::plan::{Autoscaling, GATEWAY, LostMetrics, Plan, RequestRate, Slot};
use crate::random::{Seed, Stream};
use crate::units::{Instant, SECOND, Span};

/// How long before the run the autoscaler's clock begins: replicas that are there from the start
/// are that old.
const BEFORE: Span = Span(10 * 365 * 86_400 * SECOND);

/// What a step of the autoscaler takes.
const STEP: Span = Span(1_000_000);

/// What the API server and the metrics pipeline know of a replica, beyond its readiness.
#[derive(Clone, Debug, Default)]
struct KnownPod {
    /// When its pod was started; `None` = not yet.
    started: Option<Instant>,
    /// Whether a container of it ever ran.
    ran: bool,
    container: Option<CounterReading>,
    read: Option<CounterReading>,
    samples: Samples,
    /// Memory in thousandths of a byte: as its kubelet read it, and as the metrics-server has it.
    memory_read: i64,
    memory: i64,
    requests: CounterSamples,
    /// Requests before the run, for one that runs from the beginning.
    requests_before: f64,
}

/// A moment by the autoscaler's clock.
fn clock(at: Instant) -> Instant {
    at + BEFORE
}

/// The autoscaler and what it sees.
#[derive(Clone, Debug)]
pub(super) struct Scaler {
    memory: AutoscalerState,
    known: BTreeMap<ReplicaId, KnownPod>,
    /// Decides the phases of the clocks.
    phases: Stream,
    /// Decides those of Prometheus.
    scrapes: Stream,
    /// What was told last.
    told: Option<Decision>,
    /// Outages in progress, by what they take.
    outages: Vec<LostMetrics>,
}

impl Scaler {
    pub fn new(seed: Seed) -> Self {
        let phases = seed.stream("autoscaler", 0);
        Scaler {
            memory: AutoscalerState::default(),
            known: BTreeMap::new(),
            phases,
            scrapes: seed.stream("scrapes of requests", 0),
            told: None,
            outages: Vec::new(),
        }
    }

    fn phase(&mut self, period: Span) -> Span {
        Span((self.phases.unit() * period.0 as f64) as u64)
    }

    /// Whether the autoscaler is not given a metric.
    fn is_lost(&self, goal: &MetricGoal) -> bool {
        self.outages.iter().any(|lost| lost.takes(goal))
    }

    /// A replica enters a state; `used` is its CPU counter.
    fn note(&mut self, id: ReplicaId, state: State, now: Instant, used: f64) {
        let known = self.known.entry(id).or_default();
        match state {
            // A machine that is back finds the pod as old as it was.
            State::Sandbox => known.started = known.started.or(Some(clock(now))),
            State::Booting => {
                known.ran = true;
                known.container = Some(CounterReading { at: now, used });
            }
            // No container runs.
            State::BackOff => (known.container, known.read) = (None, None),
            _ => {}
        }
        if state == State::Terminated {
            self.known.remove(&id);
        }
    }
}

impl Cluster {
    /// Starts the clocks of the autoscaler, if there is one.
    pub fn begin_scaling(&mut self, cx: &mut Context) {
        let Some(autoscaling) = &cx.plan.autoscaling else { return };
        let (scrape, sync) = (autoscaling.scrape, autoscaling.sync);
        let mut scaler = Scaler::new(cx.seed);
        let (first_scrape, first_sync) = (scaler.phase(scrape), scaler.phase(sync));
        self.scaler = Some(scaler);
        cx.schedule(cx.now + first_scrape, Event::Scraped);
        cx.schedule(cx.now + first_sync, Event::Synced);
    }

    /// The API server learns what a replica does; its kubelet begins to read it.
    pub fn note_state(&mut self, cx: &mut Context, id: ReplicaId, state: State) {
        let (Some(scaler), Some(autoscaling)) = (&mut self.scaler, &cx.plan.autoscaling) else {
            return; // nobody looks
        };
        let used = self.fleet[id].used(cx.now);
        assert!(used >= 0.0, "{} used {used} of its CPU", self.fleet[id].name);
        let new = !scaler.known.contains_key(&id);
        scaler.note(id, state, cx.now, used);
        if cx.now == Instant::ZERO && state == State::Ready {
            scaler.assume_long_running(id);
        }
        if new {
            let first = scaler.phase(autoscaling.kubelet);
            cx.schedule(cx.now + first, Event::KubeletReads { replica: id });
        }
        if new && autoscaling.spec.requests().is_some() {
            let phase = scaler.scrapes.unit() * autoscaling.request_rate.scrape.0 as f64;
            let first = cx.now + Span(phase as u64);
            cx.schedule(first, Event::RequestsScraped { replica: id });
        }
    }

    /// Prometheus scrapes the requests that a replica had, if its process answers.
    pub fn scrape_requests(&mut self, cx: &mut Context, id: ReplicaId) {
        let (scaler, rules) = (expect_scaler(&mut self.scaler), expect_rules(cx.plan));
        let RequestRate { scrape, window } = rules.request_rate;
        assert!(scrape > Span::ZERO, "Prometheus scrapes without a pause");
        // Its pod may have ended since the last scrape.
        let Some(known) = scaler.known.get_mut(&id) else { return };
        let replica = &mut self.fleet[id];
        if !replica.silent && replica.works() {
            replica.advance(cx);
            let count = known.requests_before + replica.arrived as f64;
            known.requests.scrape(cx.now, count, window);
        }
        cx.schedule(cx.now + scrape, Event::RequestsScraped { replica: id });
    }

    /// The autoscaler is not given some metrics.
    pub fn lose_metrics(&mut self, lost: LostMetrics) {
        if let Some(scaler) = &mut self.scaler {
            scaler.outages.push(lost);
        }
    }

    /// It is given them again, unless another outage takes them.
    pub fn restore_metrics(&mut self, lost: LostMetrics) {
        if let Some(scaler) = &mut self.scaler {
            let place = scaler.outages.iter().position(|other| *other == lost);
            scaler.outages.remove(place.expect("an outage ends that began"));
        }
    }

    /// A kubelet reads the CPU counter of a replica, unless its machine is gone.
    pub fn read_counter(&mut self, cx: &mut Context, id: ReplicaId) {
        let (scaler, autoscaling) = (expect_scaler(&mut self.scaler), expect_rules(cx.plan));
        // Its pod may have ended since the last reading.
        let Some(known) = scaler.known.get_mut(&id) else { return };
        let replica = &mut self.fleet[id];
        if !replica.silent && known.container.is_some() {
            replica.advance(cx);
            let used = replica.used(cx.now);
            known.read = Some(CounterReading { at: cx.now, used });
            let in_flight = replica.in_flight() as u64;
            let used = cx.plan.gateway.memory.map_or(0, |memory| memory.used(in_flight).0);
            known.memory_read = (used * 1_000) as i64;
        }
        let next = cx.now + autoscaling.kubelet;
        cx.schedule(next, Event::KubeletReads { replica: id });
    }

    /// The metrics-server scrapes what the kubelets read; a lost machine gives nothing.
    pub fn scrape(&mut self, cx: &mut Context) {
        let (scaler, autoscaling) = (expect_scaler(&mut self.scaler), expect_rules(cx.plan));
        let is_away = scaler.outages.iter().any(|lost| *lost != LostMetrics::Custom);
        for (id, known) in &mut scaler.known {
            match (known.read, known.container) {
                (Some(read), Some(start)) if !self.fleet[*id].silent && !is_away => {
                    known.samples.scrape(read, start, autoscaling.scrape);
                    known.memory = known.memory_read;
                }
                _ => known.samples = Samples::default(),
            }
        }
        let next = cx.now + autoscaling.scrape;
        cx.schedule(next, Event::Scraped);
    }

    /// A step of the autoscaler.
    pub fn sync(&mut self, cx: &mut Context) {
        let autoscaling = expect_rules(cx.plan);
        let goals = autoscaling.spec.goals.iter();
        let shown: Vec<Snapshot> =
            goals.map(|goal| self.shown(cx.now, autoscaling, goal)).collect();
        let (current, spec) = (self.fleet.desired() as i32, &autoscaling.spec);
        let scaler = expect_scaler(&mut self.scaler);
        let decision = step(spec, &mut scaler.memory, &shown, current, clock(cx.now));
        cx.schedule(cx.now + autoscaling.sync + STEP, Event::Synced);
        scaler.tell(cx, &decision, (spec.min, spec.max));
        let wanted = decision.desired;
        assert!(wanted > 0 && wanted <= spec.max, "the autoscaler wants {wanted} replicas");
        self.scale_to(cx, wanted as usize);
    }

    /// What the autoscaler is shown of a metric.
    fn shown(&self, now: Instant, autoscaling: &Autoscaling, goal: &MetricGoal) -> Snapshot {
        let scaler = self.scaler.as_ref().expect("an autoscaler looks");
        let pods = self.fleet.holders().map(|id| {
            let known = scaler.known.get(&id).expect("who holds a slot is known");
            let lost = scaler.is_lost(goal);
            let used = if lost { None } else { known.used(now, autoscaling, goal) };
            pod(&self.fleet[id], known, containers(used, autoscaling, goal))
        });
        let waiting =
            (0..self.scheduler.waiting()).map(|_| unscheduled(containers(None, autoscaling, goal)));
        Snapshot { pods: pods.chain(waiting).collect(), stray_samples: 0 }
    }

    /// Makes the number of replicas that are wanted `wanted`.
    fn scale_to(&mut self, cx: &mut Context, wanted: usize) {
        if self.fleet.desired() != wanted {
            self.note_progress_of_rollout(cx);
        }
        let more = wanted.saturating_sub(self.fleet.desired());
        for version in self.versions_of_growth(cx, more) {
            // A rollout under way may have taken them all: the next step tries again.
            let Some(slot) = self.free_slot() else { break };
            self.fleet.want(self.fleet.desired() + 1);
            self.place(cx, slot, (None, version), "the autoscaler wants more");
        }
        while self.fleet.desired() > wanted {
            self.fleet.want(self.fleet.desired() - 1);
            self.remove_one(cx, "the autoscaler wants fewer");
        }
    }

    /// The first slot that nobody holds or waits to fill.
    pub fn free_slot(&self) -> Option<Slot> {
        self.fleet.free_slots().find(|slot| !self.scheduler.has_waiting(*slot))
    }

    /// Removes the replica that is missed least.
    pub fn remove_one(&mut self, cx: &mut Context, cause: &'static str) {
        if let Some(slot) = self.scheduler.drop_waiting() {
            return cx.tell(Observation::SlotGone { slot });
        }
        let rank = |id: &ReplicaId| {
            let replica = &self.fleet[*id];
            let held = self.nodes.get(replica.node).held;
            (!replica.known_ready, held, replica.known_since, *id)
        };
        let id = self.fleet.holders().max_by_key(rank).expect("somebody holds a slot");
        let (slot, _) = self.fleet.vacate(id);
        self.drain(cx, id, cause);
        cx.tell(Observation::SlotGone { slot });
    }
}

impl Scaler {
    /// A replica that runs from the beginning was started and ready long ago.
    fn assume_long_running(&mut self, id: ReplicaId) {
        let known = self.known.entry(id).or_default();
        assert!(!known.ran, "replica {id} ran before the run");
        (known.started, known.ran) = (Some(Instant::ZERO), true);
        known.requests_before = BEFORE.as_secs();
        known.container = Some(CounterReading { at: Instant::ZERO, used: 0.0 });
    }

    /// Tells a decision, and whether it differs from the last one.
    fn tell(&mut self, cx: &mut Context, decision: &Decision, (min, max): (i32, i32)) {
        let news = !self.told.is_some_and(|told| told.is_like(decision));
        let held_back = decision.is_held_back(min, max);
        cx.tell(Observation::Decided { region: 0, decision: *decision, held_back, news });
        self.told = Some(*decision);
    }
}

/// The autoscaler, whose clocks tick.
fn expect_scaler(scaler: &mut Option<Scaler>) -> &mut Scaler {
    scaler.as_mut().expect("only an autoscaler that is there has clocks")
}

/// What it goes by.
fn expect_rules(plan: &Plan) -> &Autoscaling {
    plan.autoscaling.as_ref().expect("only a plan with an autoscaler has its clocks")
}

impl KnownPod {
    /// What the gateway's container uses, in thousandths, if that is known.
    fn used(&self, now: Instant, autoscaling: &Autoscaling, goal: &MetricGoal) -> Option<i64> {
        match goal {
            MetricGoal::Resource(target) if target.of_memory => {
                self.samples.usage().map(|_| self.memory)
            }
            MetricGoal::Resource(_) => self.samples.usage().map(|usage| usage.milli),
            MetricGoal::Requests(_) => {
                let rate = self.requests.rate(now, autoscaling.request_rate.window)?;
                assert!(rate >= 0.0, "requests are taken back at {rate}/s");
                Some((rate * 1e3) as i64)
            }
        }
    }
}

/// The containers of a replica, of which the gateway's uses so much of a metric.
fn containers(used: Option<i64>, autoscaling: &Autoscaling, goal: &MetricGoal) -> Vec<Container> {
    let request_milli = match goal {
        MetricGoal::Resource(target) if target.of_memory => {
            Some(autoscaling.memory_request.0 as i64 * 1_000)
        }
        MetricGoal::Resource(_) => Some(autoscaling.request_milli),
        MetricGoal::Requests(_) => None,
    };
    let gateway = Container { name: GATEWAY.to_owned(), request_milli, usage_milli: used };
    let of_cpu = matches!(goal, MetricGoal::Resource(target) if !target.of_memory);
    let sidecar = autoscaling.sidecar.filter(|_| of_cpu).map(|sidecar| Container {
        name: "sidecar".to_owned(),
        request_milli: sidecar.request_milli,
        usage_milli: used.map(|_| sidecar.usage_milli),
    });
    [Some(gateway), sidecar].into_iter().flatten().collect()
}

fn pod(replica: &Replica, known: &KnownPod, containers: Vec<Container>) -> Pod {
    let usage = known.samples.usage();
    let (ready, since) = (replica.known_ready, clock(replica.known_since));
    let sampled = usage.map(|usage| (clock(usage.end), usage.window));
    Pod {
        phase: if known.ran { Phase::Running } else { Phase::Pending },
        deleted: false,
        started: known.started,
        readiness: Some(Readiness { ready, since }),
        containers,
        sampled: sampled.unwrap_or_default(),
    }
}

/// A pod that no node takes.
fn unscheduled(containers: Vec<Container>) -> Pod {
    Pod {
        phase: Phase::Pending,
        deleted: false,
        started: None,
        readiness: None,
        containers,
        sampled: (Instant::ZERO, Span::ZERO),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_as_old_as_when_it_first_started_and_has_a_container_while_one_runs() {
        let mut scaler = Scaler::new(Seed { seed: 1, replication: 0 });
        let at = Instant::from_secs;
        scaler.note(7, State::Scheduling, at(1.0), 0.0);
        assert!(scaler.known[&7].started.is_none() && !scaler.known[&7].ran);
        scaler.note(7, State::Sandbox, at(2.0), 0.0);
        assert_eq!(scaler.known[&7].started, Some(clock(at(2.0))));
        scaler.note(7, State::Booting, at(5.0), 1.5);
        let pod = &scaler.known[&7];
        assert!(pod.ran && pod.container.is_some());
        assert_eq!(
            pod.container.as_ref().map(|start| (start.at, start.used)),
            Some((at(5.0), 1.5))
        );
        scaler.known.get_mut(&7).unwrap().read = Some(CounterReading { at: at(6.0), used: 2.0 });
        scaler.note(7, State::BackOff, at(7.0), 2.0);
        let pod = &scaler.known[&7];
        assert!(pod.container.is_none() && pod.read.is_none() && pod.ran);
        // Its machine is back: the pod is as old as it was.
        scaler.note(7, State::Sandbox, at(60.0), 0.0);
        assert_eq!(scaler.known[&7].started, Some(clock(at(2.0))));
        scaler.note(7, State::Terminated, at(61.0), 0.0);
        assert!(scaler.known.is_empty());
    }
}
