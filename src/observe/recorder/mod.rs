//! The recorder: an observer that turns the facts of one replication into its [`Outcome`].
//!
//! ```text
//! served ─► live histogram ─┬─ at each cut ─► class of the windows in which it was sent
//!                           ├───────────────► bin of the timeline in which it was answered
//!                           └───────────────► incident in progress, or the calm
//! ```
//!
//! A cut is the end of a bin, a sample during an incident, or a moment at which a window opens or
//! closes. Between cuts an answer costs one comparison and one histogram entry; a request that was
//! sent before the open windows or the interval of time changed last takes the long way
//! (`live.rs`).

mod by_api;
mod fleet;
mod listening;
mod live;
mod monitor;
mod sample;
pub(super) mod scope;
mod windows;

use std::collections::BTreeSet;

pub use scope::{Keep, Scope, ScopeWindow, StruckRegion, WindowExtent};

use crate::observe::histogram::Histogram;
use crate::observe::ledger::{Failure, Ledger};
use crate::observe::outcome::{JOURNAL_LIMIT, JournalEntry, MissedFault, Outcome};
use crate::observe::recovery::RunRecovery;
use crate::observe::time_series::TimeSeries;
use crate::observe::timeline::{
    ApiRow, BinTrace, Latency, ReplicaLife, ReplicaRow, Timeline, TotalRow,
};
use crate::observe::tracking::by_region::RegionClients;
use crate::observe::tracking::in_progress::Injection;
use crate::observe::tracking::normal::Encounter;
use crate::observe::tracking::tracker::Tracker;
use crate::observe::{ApiId, Observation, Reading, ReplicaId, Sent, Served, State};
use crate::units::{Instant, Span};
use by_api::ApiFlow;
use fleet::Fleet;
use live::{Intervals, Live, LiveSums, Near};
use monitor::Monitor;
use windows::OpenWindows;

/// Records one replication.
#[derive(Clone, Debug)]
pub struct Recorder {
    scope: Scope,
    keep: Keep,
    windows: OpenWindows,
    tracker: Tracker,
    /// Since the last cut, of requests sent since the open windows changed last; and when they did.
    /// Where APIs are told apart each has its own, and this has them all at the cut alone.
    live: Live,
    segment: Instant,
    /// Requests sent in this time need no more than `live`; and those sent in this time no more
    /// than `live` of their API. One of the two is no time at all.
    near: Near,
    near_by_api: Near,
    /// Answers since the last cut to requests sent before that change.
    late: Histogram,
    /// The same of each API, if they are told apart.
    by_api: Vec<ApiFlow>,
    /// Failures since the last cut.
    failed: Ledger,
    /// What clients met since the last sample, and how much of the answers since the last cut was
    /// there at it.
    met: Encounter,
    sampled: (u64, u128),
    /// Totals of the current bin.
    bin: Histogram,
    bin_row: TotalRow,
    fleet: Fleet,
    clients: RegionClients,
    trace: Vec<BinTrace>,
    timeline: Timeline,
    missed: Vec<MissedFault>,
    journal: Vec<JournalEntry>,
    journal_cut: u64,
    requests: sample::RequestSample,
    intervals: Intervals,
    monitor: Monitor,
    drained: u64,
    over: bool,
}

impl Recorder {
    /// A recorder that has seen nothing.
    pub fn new(scope: Scope, keep: Keep) -> Self {
        let mut recorder = Recorder {
            windows: OpenWindows::new(scope.apis),
            tracker: Tracker::new(&scope),
            live: Live::default(),
            segment: Instant::ZERO,
            near: Near::NONE,
            near_by_api: Near::NONE,
            late: Histogram::default(),
            by_api: vec![ApiFlow::default(); scope.apis],
            failed: Ledger::default(),
            met: Encounter::default(),
            sampled: (0, 0),
            bin: Histogram::default(),
            bin_row: TotalRow::default(),
            fleet: Fleet::new(&scope),
            clients: RegionClients::new(&scope),
            trace: Vec::new(),
            timeline: Timeline { bin: scope.bin, ..Timeline::default() },
            missed: Vec::new(),
            journal: Vec::new(),
            journal_cut: 0,
            requests: sample::RequestSample::new(keep.requests_every),
            intervals: Intervals::new(scope.interval),
            monitor: Monitor::new(scope.warm_up, scope.bin, scope.apis),
            drained: 0,
            over: false,
            scope,
            keep,
        };
        recorder.aim();
        recorder
    }

    /// How the run went on, if that was followed.
    pub fn take_time_series(&mut self) -> Option<TimeSeries> {
        self.intervals.take_series()
    }

    /// Requests of the current bin, each of which is a first attempt where attempts are counted.
    pub(super) fn first_attempts(&self) -> u64 {
        if self.scope.feeds_back { self.bin_row.offered } else { 0 }
    }

    /// The outcome of a replication that ended at `ended`; what became of it after its trigger is
    /// for others to judge.
    pub fn finish(mut self, ended: Instant, interrupted: bool, digest: u64) -> Outcome {
        if self.scope.feeds_back {
            self.windows.count_attempts();
        }
        let (ledger, attempts) = (self.windows.ledger(), self.windows.attempts());
        let incidents = self.tracker.finish(ended);
        let mut windows = self.windows.finish(ended, &self.scope.windows);
        for (window, tally) in windows.iter_mut().zip(incidents.by_window) {
            window.incidents = tally;
        }
        for (window, ScopeWindow { extent, api }) in windows.iter_mut().zip(&self.scope.windows) {
            let is_run = *extent == WindowExtent::Between(self.scope.warm_up, Instant::NEVER);
            window.worst_minute = self.monitor.worst_minute(*api).filter(|_| is_run);
        }
        let work = self.fleet.finish(ended);
        Outcome {
            replication: self.scope.replication,
            ended,
            interrupted,
            ledger,
            attempts,
            windows,
            time_with_serving: work.time_with_serving,
            faults: incidents.by_fault,
            incidents: incidents.listed,
            incidents_unlisted: incidents.unlisted,
            busy_secs: work.busy_secs,
            capacity_secs: work.capacity_secs,
            cpu_by_region: work.by_region,
            drained: self.drained,
            in_flight_peak: work.in_flight_peak,
            probes_failed: work.probes_failed,
            out_of_memory: work.out_of_memory,
            monitored: self.monitor.finish(),
            recovery: RunRecovery::default(),
            digest,
            missed: self.missed,
            trace: self.trace,
            timeline: self.keep.timeline.then_some(self.timeline),
            journal: self.journal,
            journal_cut: self.journal_cut,
            requests: self.requests.finish(),
        }
    }

    /// Finds out which requests need no more than `live`: none if all are followed, or the end is
    /// over.
    fn aim(&mut self) {
        let apart = self.over || self.keep.requests_every.is_some();
        let near = if apart { Near::NONE } else { self.intervals.near(self.segment) };
        (self.near, self.near_by_api) = match self.by_api.is_empty() {
            true => (near, Near::NONE),
            false => (Near::NONE, near),
        };
    }

    /// What gathers of the requests for an API, if they are told apart.
    #[inline(always)]
    fn flow(&mut self, api: ApiId) -> Option<&mut ApiFlow> {
        self.by_api.get_mut(api as usize)
    }

    /// Where the live requests for an API gather.
    fn live_of(&mut self, api: ApiId) -> &mut Live {
        match self.by_api.is_empty() {
            true => &mut self.live,
            false => &mut self.by_api[api as usize].live,
        }
    }

    /// The sums over what is live, of all APIs.
    fn live_sums(&self) -> LiveSums {
        let flows = self.by_api.iter().map(|flow| &flow.live);
        flows.fold(LiveSums::default().and(&self.live), LiveSums::and)
    }

    /// A request was sent before the windows or the slot changed, or ahead of the interval, or is
    /// followed.
    #[cold]
    pub(super) fn offer_apart(&mut self, request: Sent) {
        if self.keep.requests_every.is_some() {
            self.requests.offered(request);
        }
        let live = request.at >= self.segment;
        self.intervals.offer(request.at, live);
        if live {
            self.live_of(request.api).offered += 1;
        } else {
            self.windows.note(request, |window| window.ledger.offered += 1);
            self.bin_row.offered += 1;
            self.flow(request.api).into_iter().for_each(|flow| flow.row.offered += 1);
        }
    }

    /// The answer to such a request.
    #[cold]
    #[inline(never)]
    pub(super) fn serve_apart(&mut self, request: Served, latency: Span) {
        if self.keep.requests_every.is_some() {
            self.requests.served(&request, self.over);
        }
        let live = request.sent >= self.segment && !self.over;
        if !self.over {
            self.intervals.answer(request.sent, latency, live);
        }
        if live {
            self.live_of(request.api).answered.record(latency);
        } else {
            self.serve_late(&request, latency);
        }
    }

    /// Distributes what gathered since the last cut.
    pub(super) fn cut(&mut self) {
        self.intervals.settle(self.live_sums());
        self.meet_answers();
        self.sampled = (0, 0);
        for (sum, flow) in (1..).zip(&mut self.by_api) {
            self.windows.add(sum, &flow.live.answered, flow.live.offered);
            for answered in [&flow.live.answered, &flow.late] {
                self.monitor.add(sum, answered);
            }
            flow.cut(&mut self.live);
        }
        let Live { answered, offered } = &self.live;
        self.windows.add(0, answered, *offered);
        self.failed.served = answered.count() + self.late.count();
        for answered in [answered, &self.late] {
            self.bin.merge(answered);
            self.monitor.add(0, answered);
            self.tracker.add(answered, &Ledger::default());
        }
        self.tracker.add(&Histogram::default(), &self.failed);
        self.bin_row.offered += offered;
        self.live.answered.clear();
        self.live.offered = 0;
        self.late.clear();
        self.intervals.forget_live();
        self.failed = Ledger::default();
    }

    /// Adds the answers since this was asked last to what clients met since the last sample.
    fn meet_answers(&mut self) {
        let (live, late) = (self.live_sums(), &self.late);
        let now = (live.answered + late.count(), live.latency + late.sum());
        let before = std::mem::replace(&mut self.sampled, now);
        self.met.answered += now.0 - before.0;
        self.met.latency += now.1 - before.1;
    }

    /// What clients met since the last sample, of which there is one now.
    fn take_met(&mut self, in_flight: u64) -> Encounter {
        self.meet_answers();
        Encounter { in_flight, ..std::mem::take(&mut self.met) }
    }

    /// The windows of the faults that were injected since a request was sent and last: it was in
    /// flight then, and if it fails now, it counts as theirs.
    fn struck_by(&self, sent: Instant, failure: Failure) -> Vec<usize> {
        if sent >= self.segment || failure.is_rejection() {
            return Vec::new();
        }
        let is_struck = |extent: &WindowExtent| match *extent {
            WindowExtent::Between(..) => false,
            WindowExtent::During(fault) => self.tracker.has_struck(fault, sent),
        };
        let windows = self.scope.windows.iter().enumerate();
        windows.filter(|(_, window)| is_struck(&window.extent)).map(|(index, _)| index).collect()
    }

    /// Opens and closes windows for this moment.
    pub(super) fn turn_windows(&mut self, now: Instant) {
        self.cut();
        let is_open = |extent: &WindowExtent| match *extent {
            WindowExtent::Between(from, to) => from <= now && now < to,
            WindowExtent::During(fault) => self.tracker.is_open(fault),
        };
        let windows = self.scope.windows.iter().enumerate().filter(|_| now >= self.scope.warm_up);
        let open = windows.filter(|(_, window)| is_open(&window.extent)).map(|(index, _)| index);
        let open = open.collect();
        self.windows.change(now, open);
        self.segment = self.windows.segment_start();
        self.aim();
    }

    fn begin_incident(
        &mut self,
        now: Instant,
        number: usize,
        fault: usize,
        of: (&[usize], bool, &str),
    ) {
        let (slots, lasting, subject) = of;
        let slots: BTreeSet<usize> = slots.iter().copied().collect();
        let victims = self.fleet.ready_in(&slots);
        let (subject, serving) = (subject.to_owned(), self.fleet.serving());
        self.cut();
        self.tracker.begin_incident(Injection {
            number,
            at: now,
            fault,
            slots,
            victims,
            lasting,
            by_count: self.scope.exchanges[fault],
            subject,
            serving,
            failover: self.clients.failover(fault),
        });
        self.clients.strike(fault, number);
        self.turn_windows(now);
    }

    pub(super) fn enter(&mut self, now: Instant, replica: ReplicaId, state: State) {
        self.tracker.enter(self.fleet.slot(replica), now, state);
        self.fleet.enter(now, replica, state);
        self.note_serving(now);
        if self.keep.timeline {
            self.timeline.replicas[replica].states.push((now, state));
        }
    }

    pub(super) fn rotate(&mut self, now: Instant, replica: ReplicaId, joined: bool) {
        self.fleet.rotate(now, replica, joined);
        if joined {
            let region = self.clients.region_of(self.fleet.slot(replica));
            self.tracker.grow(region, now);
            self.note_contracts(now, replica);
            self.restore(now, replica);
        } else {
            self.tracker.leave(replica, now);
        }
        // Whose it is that is missing, or is back, is known now.
        self.note_serving(now);
        if self.keep.timeline {
            self.timeline.replicas[replica].rotation.push((now, joined));
        }
    }

    fn note_serving(&mut self, now: Instant) {
        if self.tracker.follows_any() {
            self.tracker.note(now, self.fleet.serving());
        }
    }

    /// A kubelet or the kernel kills a replica, which is an effect of what goes on.
    pub(super) fn note_kill(&mut self, now: Instant, replica: ReplicaId) {
        if let Some(series) = self.intervals.series() {
            series.at(now).restarts += 1;
        }
        if self.fleet.is_wanted(replica) {
            let slot = self.fleet.slot(replica);
            let victims = self.fleet.ready_in(&[slot].into());
            self.tracker.kill(slot, &victims, now);
        }
    }

    /// A slot is whole again once its replica is.
    pub(super) fn restore(&mut self, now: Instant, replica: ReplicaId) {
        if self.fleet.is_whole(replica) {
            self.tracker.join(self.fleet.slot(replica), now, self.fleet.serving());
            self.note_serving(now);
        }
    }

    /// A replica that takes requests and lacks its contracts still waits for them.
    pub(super) fn note_contracts(&mut self, now: Instant, replica: ReplicaId) {
        if self.fleet.lacks_contracts(replica) {
            self.tracker.enter(self.fleet.slot(replica), now, State::Contracts);
        }
    }

    pub(super) fn create(&mut self, replica: ReplicaId, slot: usize, zone: usize, name: &str) {
        self.fleet.create(replica, slot, zone);
        if self.keep.timeline {
            let name = name.to_owned();
            let (states, rotation, speed) = (Vec::new(), Vec::new(), Vec::new());
            let life = ReplicaLife { name, zone, slot, states, rotation, speed };
            self.timeline.replicas.push(life);
        }
    }

    /// Work done in the bin by the replicas, in all and of each region; adds their rows.
    pub(super) fn read(
        &mut self,
        now: Instant,
        width: Span,
        readings: &[Reading],
    ) -> (f64, Vec<f64>) {
        let (mut busy, bin) = (0.0, self.timeline.total.len());
        let mut by_region = vec![0.0; self.scope.cores.len()];
        for reading in readings {
            let (done, worked) = self.fleet.take(reading, now);
            let counted = if worked { done.busy } else { 0.0 };
            busy += counted;
            by_region[self.fleet.region(self.fleet.slot(reading.replica))] += counted;
            if self.keep.timeline {
                let slot = self.fleet.slot(reading.replica);
                let life = &self.timeline.replicas[reading.replica];
                self.timeline.by_replica.push(ReplicaRow {
                    bin,
                    replica: reading.replica,
                    arrived: done.arrived,
                    served: done.served,
                    in_flight: done.in_flight,
                    cpu: done.busy / (width.0.max(1) as f64 * self.scope.cores_of(slot)),
                    state: life.states.last().map_or(State::Scheduling, |(_, state)| *state),
                });
            }
        }
        (busy, by_region)
    }

    pub(super) fn close_row(&mut self, now: Instant, in_flight: u64, cpu: Option<f64>) {
        let first = self.first_attempts();
        let row = TotalRow {
            attempts: first + self.bin_row.attempts,
            served: self.bin.count(),
            latency: Latency::of(&self.bin),
            in_flight,
            in_rotation: self.fleet.in_rotation(),
            cpu,
            ..self.bin_row
        };
        if self.keep.trace {
            let (served, failed) = (row.served, row.failed());
            let (p99, mean) = row.latency.map(|latency| (latency.p99, latency.mean)).unzip();
            self.trace.push(BinTrace { served, failed, p99, mean });
        }
        let flows = self.by_api.iter_mut().enumerate();
        let clients = &self.clients;
        let by_api =
            flows.map(|(api, flow)| ApiRow { clients: clients.share_of(api), ..flow.end_bin() });
        if self.keep.timeline {
            self.timeline.total.push(row);
            self.timeline.by_api.extend(by_api);
        }
        let TotalRow { wanted, cpu_seen, .. } = self.bin_row;
        self.bin_row = TotalRow { start: now, wanted, cpu_seen, ..TotalRow::default() };
        self.bin.clear();
    }

    /// A fault found nothing to hit: the first time of each is kept.
    pub(super) fn miss(&mut self, at: Instant, fault: usize, reason: &'static str) {
        if self.missed.iter().all(|known| known.fault != fault) {
            self.missed.push(MissedFault { fault, at, reason: reason.into() });
        }
    }

    pub(super) fn note(&mut self, at: Instant, observation: &Observation) {
        if self.journal.len() < JOURNAL_LIMIT {
            self.journal.push(JournalEntry { at, observation: observation.clone() });
        } else {
            self.journal_cut += 1;
        }
    }

    /// A request was rejected in the drain: that is its answer.
    fn reject_late(&mut self, request: Sent) {
        self.windows.note(request, |window| window.unanswered -= 1);
    }

    fn serve_late(&mut self, request: &Served, latency: Span) {
        let over = self.over;
        self.windows.note(request.request(), |window| {
            window.latency.record(latency);
            match over {
                true => window.unanswered -= 1,
                false => window.ledger.served += 1,
            }
        });
        match over {
            true => self.drained += 1,
            false => {
                self.late.record(latency);
                self.flow(request.api).into_iter().for_each(|flow| flow.late.record(latency));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Observer;

    #[test]
    fn what_the_drain_ends_is_answered_served_or_not() {
        let run = WindowExtent::Between(Instant::ZERO, Instant::NEVER);
        let scope = Scope {
            replication: 0,
            windows: vec![ScopeWindow { extent: run, api: None }],
            apis: 0,
            faults: 0,
            exchanges: Vec::new(),
            struck: Vec::new(),
            regions: 0,
            warm_up: Instant::ZERO,
            bin: Span::from_secs(1.0),
            hop: Span::ZERO,
            boots_take_cpu: false,
            cores: vec![1.0],
            feeds_back: false,
            interval: None,
        };
        let mut recorder = Recorder::new(scope, Keep::default());
        recorder.observe(Instant::ZERO, &Observation::Boundary);
        let [one, two, three, four] = [6.0, 7.0, 8.0, 9.0].map(Instant::from_secs);
        let sent = [one, two, three, four].map(Sent::from);
        sent.iter().for_each(|request| recorder.offered(*request));
        let (end, later) = (Instant::from_secs(10.0), Instant::from_secs(11.0));
        recorder.horizon(end, &sent, &[]);
        let (arrived, finished) = (end, later);
        let served = Served { sent: one, arrived, finished, demand: 1.0, api: 0, replica: 0 };
        recorder.served(&served);
        recorder.failed(sent[1], later, Failure::RateLimited);
        recorder.failed(sent[2], later, Failure::LostInFlight);
        let window = recorder.finish(end, false, 0).windows.remove(0);
        // The last is still without an end, and the third never has a latency.
        assert_eq!(window.unanswered, 2);
        assert_eq!((window.ledger.offered, window.ledger.in_flight), (4, 4));
        assert_eq!((window.ledger.failed(), window.ledger.rejected()), (0, 0));
        assert_eq!(window.latency.count(), 1);
    }
}
