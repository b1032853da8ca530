//! The recorder: an observer that turns the facts of one replication into its [`Outcome`].
//!
//! ```text
//! served ─► live histogram ─┬─ at each cut ─► class of the windows in which it was sent
//!                           ├───────────────► bin of the timeline in which it was answered
//!                           └───────────────► incident in progress, or the calm
//! ```
//!
//! A cut is the end of a bin, a look during an incident, or a moment at which a window opens or
//! closes. Between cuts an answer costs one histogram entry; a request that was sent before the
//! open windows changed last takes the long way.

use std::collections::BTreeSet;

pub use super::scope::{Keep, Scope, WindowExtent};

use super::fleet::Fleet;
use super::histogram::Histogram;
use super::ledger::{Failure, Ledger};
use super::outcome::{Entry, JOURNAL_LIMIT, Outcome};
use super::timeline::{Latency, ReplicaLife, ReplicaRow, Timeline, TotalRow};
use super::tracker::{Strike, Tracker};
use super::windows::Windows;
use super::{Observation, Observer, Reading, ReplicaId, Served, State};
use crate::units::{Instant, Span};

/// Records one replication.
#[derive(Clone, Debug)]
pub struct Recorder {
    scope: Scope,
    keep: Keep,
    windows: Windows,
    tracker: Tracker,
    /// Answers since the last cut to requests sent since the open windows changed last, how many of
    /// these were sent since that cut, and when the windows changed.
    live: Histogram,
    live_offered: u64,
    live_since: Instant,
    /// Answers since the last cut to requests sent before that change.
    late: Histogram,
    /// Failures since the last cut.
    failed: Ledger,
    /// Failures since the last look.
    failed_lately: u64,
    /// Totals of the current bin.
    bin: Histogram,
    bin_row: TotalRow,
    fleet: Fleet,
    timeline: Timeline,
    journal: Vec<Entry>,
    journal_cut: u64,
    requests: super::sample::Sample,
    drained: u64,
    over: bool,
}

impl Recorder {
    /// A recorder that has seen nothing.
    pub fn new(scope: Scope, keep: Keep) -> Self {
        Recorder {
            windows: Windows::new(),
            tracker: Tracker::new(&scope),
            live: Histogram::default(),
            live_offered: 0,
            live_since: Instant::ZERO,
            late: Histogram::default(),
            failed: Ledger::default(),
            failed_lately: 0,
            bin: Histogram::default(),
            bin_row: TotalRow::default(),
            fleet: Fleet::new(&scope),
            timeline: Timeline { bin: scope.bin, ..Timeline::default() },
            journal: Vec::new(),
            journal_cut: 0,
            requests: super::sample::Sample::new(keep.requests_every),
            drained: 0,
            over: false,
            scope,
            keep,
        }
    }

    /// The outcome of a replication that ended at `ended`.
    pub fn finish(self, ended: Instant, interrupted: bool, digest: u64) -> Outcome {
        let ledger = self.windows.ledger();
        let incidents = self.tracker.finish(ended);
        let mut windows = self.windows.finish(ended, self.scope.windows.len());
        for (window, tally) in windows.iter_mut().zip(incidents.by_window) {
            window.incidents = tally;
        }
        let work = self.fleet.finish(ended);
        Outcome {
            replication: self.scope.replication,
            ended,
            interrupted,
            ledger,
            windows,
            time_with_serving: work.time_with_serving,
            faults: incidents.by_fault,
            incidents: incidents.listed,
            incidents_unlisted: incidents.unlisted,
            busy_secs: work.busy_secs,
            capacity_secs: work.capacity_secs,
            drained: self.drained,
            in_flight_peak: work.in_flight_peak,
            probes_failed: work.probes_failed,
            digest,
            timeline: self.keep.timeline.then_some(self.timeline),
            journal: self.journal,
            journal_cut: self.journal_cut,
            requests: self.requests.finish(),
        }
    }

    /// Distributes what gathered since the last cut.
    fn cut(&mut self) {
        self.windows.add(&self.live, self.live_offered);
        self.failed.served = self.live.count() + self.late.count();
        for answered in [&self.live, &self.late] {
            self.bin.merge(answered);
            self.tracker.add(answered, &Ledger::default());
        }
        self.tracker.add(&Histogram::default(), &self.failed);
        self.bin_row.offered += self.live_offered;
        self.live.clear();
        self.late.clear();
        self.live_offered = 0;
        self.failed = Ledger::default();
    }

    /// Opens and closes windows for this moment.
    fn turn_windows(&mut self, now: Instant) {
        self.cut();
        let is_open = |extent: &WindowExtent| match *extent {
            WindowExtent::Between(from, to) => from <= now && now < to,
            WindowExtent::During(fault) => self.tracker.is_open(fault),
        };
        let extents = self.scope.windows.iter().enumerate().filter(|_| now >= self.scope.warm_up);
        let open = extents.filter(|(_, extent)| is_open(extent)).map(|(window, _)| window);
        let open = open.collect();
        self.windows.change(now, open);
        self.live_since = self.windows.segment_start();
    }

    fn strike(&mut self, now: Instant, number: usize, fault: usize, of: (&[usize], bool, &str)) {
        let (slots, lasting, subject) = of;
        let slots: BTreeSet<usize> = slots.iter().copied().collect();
        let victims = self.fleet.ready_in(&slots);
        let (subject, serving) = (subject.to_owned(), self.fleet.serving());
        self.cut();
        self.tracker.strike(Strike {
            number,
            at: now,
            fault,
            slots,
            victims,
            lasting,
            subject,
            serving,
        });
        self.turn_windows(now);
    }

    fn enter(&mut self, now: Instant, replica: ReplicaId, state: State) {
        self.tracker.enter(self.fleet.slot(replica), now, state);
        self.fleet.enter(now, replica, state);
        self.tracker.serving(now, self.fleet.serving(), self.fleet.in_rotation());
        if self.keep.timeline {
            self.timeline.replicas[replica].states.push((now, state));
        }
    }

    fn rotate(&mut self, now: Instant, replica: ReplicaId, joined: bool) {
        self.fleet.rotate(now, replica, joined);
        self.tracker.serving(now, self.fleet.serving(), self.fleet.in_rotation());
        if joined {
            self.restore(now, replica);
        } else {
            self.tracker.leave(replica, now);
        }
        if self.keep.timeline {
            self.timeline.replicas[replica].rotation.push((now, joined));
        }
    }

    /// A slot is whole again once its replica is.
    fn restore(&mut self, now: Instant, replica: ReplicaId) {
        if self.fleet.is_whole(replica) {
            self.tracker.join(self.fleet.slot(replica), now);
        }
    }

    fn create(&mut self, replica: ReplicaId, slot: usize, zone: usize, name: &str) {
        self.fleet.create(replica, slot);
        if self.keep.timeline {
            let name = name.to_owned();
            let (states, rotation, speed) = (Vec::new(), Vec::new(), Vec::new());
            let life = ReplicaLife { name, zone, slot, states, rotation, speed };
            self.timeline.replicas.push(life);
        }
    }

    /// Work done in the bin by each replica; adds their rows.
    fn read(&mut self, now: Instant, width: Span, readings: &[Reading]) -> f64 {
        let (mut busy, bin) = (0.0, self.timeline.total.len());
        for reading in readings {
            let done = self.fleet.take(reading, now);
            busy += done.busy;
            if self.keep.timeline {
                let life = &self.timeline.replicas[reading.replica];
                self.timeline.by_replica.push(ReplicaRow {
                    bin,
                    replica: reading.replica,
                    arrived: done.arrived,
                    served: done.served,
                    in_flight: done.in_flight,
                    cpu: done.busy / (width.0.max(1) as f64 * self.scope.cores),
                    state: life.states.last().map_or(State::Scheduling, |(_, state)| *state),
                });
            }
        }
        busy
    }

    fn close_row(&mut self, now: Instant, in_flight: u64, cpu: Option<f64>) {
        let row = TotalRow {
            served: self.bin.count(),
            latency: Latency::of(&self.bin),
            in_flight,
            in_rotation: self.fleet.in_rotation(),
            cpu,
            ..self.bin_row
        };
        if self.keep.timeline {
            self.timeline.total.push(row);
        }
        let TotalRow { wanted, cpu_seen, .. } = self.bin_row;
        self.bin_row = TotalRow { start: now, wanted, cpu_seen, ..TotalRow::default() };
        self.bin.clear();
    }

    fn note(&mut self, at: Instant, observation: &Observation) {
        if self.journal.len() < JOURNAL_LIMIT {
            self.journal.push(Entry { at, observation: observation.clone() });
        } else {
            self.journal_cut += 1;
        }
    }

    #[cold]
    fn serve_late(&mut self, request: &Served, latency: Span) {
        let class = self.windows.at(request.sent);
        class.latency.record(latency);
        if self.over {
            self.drained += 1;
            class.unanswered -= 1;
        } else {
            class.ledger.served += 1;
            self.late.record(latency);
        }
    }
}

impl Observer for Recorder {
    #[inline(always)]
    fn offered(&mut self, sent: Instant) {
        if sent >= self.live_since {
            self.live_offered += 1;
        } else {
            self.windows.at(sent).ledger.offered += 1;
            self.bin_row.offered += 1;
        }
        if self.keep.requests_every.is_some() {
            self.requests.offered(sent);
        }
    }

    #[inline(always)]
    fn served(&mut self, request: &Served) {
        let latency = super::latency(request, self.scope.hop);
        if request.sent >= self.live_since {
            self.live.record(latency);
        } else {
            self.serve_late(request, latency);
        }
        if self.keep.requests_every.is_some() {
            self.requests.served(request, self.over);
        }
    }

    fn failed(&mut self, sent: Instant, at: Instant, failure: Failure) {
        if self.over {
            return;
        }
        self.windows.fail(sent, failure);
        self.failed.failures[failure as usize] += 1;
        self.failed_lately += 1;
        self.bin_row.failures[failure as usize] += 1;
        self.requests.failed(sent, at, failure);
    }

    fn observe(&mut self, at: Instant, observation: &Observation) {
        match observation {
            Observation::Created { replica, slot, zone, name } => {
                self.create(*replica, *slot, *zone, name);
            }
            Observation::Entered { replica, state, .. } => self.enter(at, *replica, *state),
            Observation::JoinedRotation { replica } => self.rotate(at, *replica, true),
            Observation::LeftRotation { replica } => self.rotate(at, *replica, false),
            Observation::FaultStruck { fault, incident, slots, lasting, subject } => {
                self.strike(at, *incident, *fault, (slots, *lasting, subject));
            }
            Observation::FaultTakes { incident, slot } => {
                let victims = self.fleet.ready_in(&[*slot].into());
                self.tracker.widen(*incident, *slot, victims);
            }
            Observation::FaultEnded { incident, .. } => self.tracker.end_lasting(*incident, at),
            Observation::ContractsMissing { replica } => {
                self.fleet.set_contracts(*replica, true);
            }
            Observation::ContractsLoaded { replica } => {
                self.fleet.set_contracts(*replica, false);
                self.restore(at, *replica);
            }
            Observation::Boundary => self.turn_windows(at),
            Observation::ProbesFailed { replica, liveness } => {
                self.fleet.fail_probes(at, *replica, *liveness);
            }
            Observation::SlotGone { slot } => self.tracker.give_up(*slot, at),
            Observation::Decided { to, seen, .. } => {
                self.bin_row.wanted = Some(*to);
                self.bin_row.cpu_seen = seen.map(|percent| f64::from(percent) / 100.0);
            }
            // A slot without a replica waits for a node like one whose replica has none yet.
            Observation::Unschedulable { slot, .. } => {
                self.tracker.enter(*slot, at, State::Scheduling);
            }
            Observation::Speed { replica, share } if self.keep.timeline => {
                self.timeline.replicas[*replica].speed.push((at, *share));
            }
            _ => {}
        }
        let is_news = match observation {
            Observation::Boundary => false,
            Observation::Decided { reason, .. } => !reason.is_empty(),
            _ => true,
        };
        if self.keep.journal && is_news {
            self.note(at, observation);
        }
    }

    fn looked(&mut self, at: Instant, readings: &[Reading], connecting: u64) {
        let held: u64 = readings.iter().map(|reading| reading.in_flight).sum();
        let in_flight = held + connecting;
        let quiet = std::mem::take(&mut self.failed_lately) == 0;
        if self.tracker.is_calm() {
            self.tracker.note_calm(in_flight);
        } else {
            self.cut();
            if self.tracker.end_over(at, in_flight, quiet) {
                self.turn_windows(at);
            }
        }
    }

    fn bin_ended(&mut self, at: Instant, readings: &[Reading]) {
        let start = self.bin_row.start;
        let width = at.since(start);
        if width == Span::ZERO {
            return;
        }
        self.cut();
        let busy = self.read(at, width, readings);
        let cpu = self.fleet.utilisation(start, at, busy, self.scope.cores);
        let in_flight = readings.iter().map(|reading| reading.in_flight).sum();
        self.close_row(at, in_flight, cpu);
    }

    fn horizon(&mut self, _at: Instant, in_flight: &[Instant], under_way: &[Instant]) {
        self.cut();
        // An interrupted run closes its last bin before it counts the requests on their way.
        if let Some(last) = self.timeline.total.last_mut() {
            last.offered += self.bin_row.offered;
        }
        for sent in in_flight {
            let window = self.windows.at(*sent);
            window.ledger.in_flight += 1;
            window.unanswered += 1;
        }
        for sent in under_way {
            self.windows.at(*sent).ledger.in_flight += 1;
        }
        self.over = true;
        self.live_since = Instant::NEVER;
    }
}
