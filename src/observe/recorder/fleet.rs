//! What the recorder knows of the replicas: who serves, what each has done, and their CPU.

use std::collections::{BTreeMap, BTreeSet};

use super::scope::Scope;
use crate::observe::outcome::{CpuUse, ProbesFailed};
use crate::observe::tracking::in_progress::Serving;
use crate::observe::{Reading, ReplicaId, State};
use crate::units::{Instant, SECOND, Span};

/// What is known of a replica.
#[derive(Clone, Debug)]
struct KnownReplica {
    slot: usize,
    zone: usize,
    ready: bool,
    draining: bool,
    /// Whether it boots, and that takes CPU.
    booting: bool,
    in_rotation: bool,
    lacks_contracts: bool,
    /// Whether its process works on, although probes found it too slow.
    overloaded: bool,
    /// Whether its CPU was there for requests at any time since it was read last.
    worked: bool,
    last: Reading,
}

impl KnownReplica {
    /// Whether requests find it able to serve; one that drains takes what still comes.
    fn serves(&self) -> bool {
        (self.ready || self.draining) && self.in_rotation
    }

    /// Whether its CPU is there for requests, or for its boot.
    fn works(&self) -> bool {
        self.serves() || self.draining || self.overloaded || self.booting
    }
}

/// All replicas that existed.
#[derive(Clone, Debug)]
pub(super) struct Fleet {
    replicas: Vec<KnownReplica>,
    /// The latest replica of each slot.
    holders: BTreeMap<usize, ReplicaId>,
    in_rotation: usize,
    serving: Occupancy,
    /// Replicas whose CPU is there for requests: those that serve, drain, or work on although
    /// probes found them overloaded; and those that boot, if that takes CPU.
    /// Of each region, or of the only one.
    working: Vec<Occupancy>,
    warm_up: Instant,
    boots_take_cpu: bool,
    in_flight_peak: u64,
    busy: f64,
    capacity: f64,
    /// The same of each region, or of the only one, in core-nanoseconds.
    by_region: Vec<CpuUse>,
    probes_failed: ProbesFailed,
    out_of_memory: u64,
}

/// What the fleet did after warm-up.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ReplicaWork {
    pub time_with_serving: Vec<Span>,
    pub busy_secs: f64,
    pub capacity_secs: f64,
    /// Of each region, if there are several.
    pub by_region: Vec<CpuUse>,
    pub in_flight_peak: u64,
    pub probes_failed: ProbesFailed,
    pub out_of_memory: u64,
}

impl Fleet {
    pub fn new(scope: &Scope) -> Self {
        Fleet {
            replicas: Vec::new(),
            holders: BTreeMap::new(),
            in_rotation: 0,
            serving: Occupancy::new(0, scope.warm_up),
            working: vec![Occupancy::new(0, scope.warm_up); scope.cores.len()],
            warm_up: scope.warm_up,
            boots_take_cpu: scope.boots_take_cpu,
            in_flight_peak: 0,
            busy: 0.0,
            capacity: 0.0,
            by_region: vec![CpuUse::default(); scope.cores.len()],
            probes_failed: ProbesFailed::default(),
            out_of_memory: 0,
        }
    }

    /// Number of replicas in rotation.
    pub fn in_rotation(&self) -> usize {
        self.in_rotation
    }

    /// What serves now.
    pub fn serving(&self) -> Serving {
        let holders = self.holders.values().copied();
        let whole = holders.filter(|id| self.is_whole(*id)).map(|id| self.replicas[id].zone);
        let zones: Vec<usize> = whole.collect();
        Serving {
            ready: self.serving.value(),
            in_rotation: self.in_rotation,
            whole: zones.len(),
            zones: zones.into_iter().collect::<BTreeSet<_>>().len(),
        }
    }

    pub fn create(&mut self, replica: ReplicaId, slot: usize, zone: usize) {
        let last =
            Reading { replica, in_flight: 0, in_flight_peak: 0, arrived: 0, served: 0, busy: 0.0 };
        self.holders.insert(slot, replica);
        self.replicas.push(KnownReplica {
            slot,
            zone,
            ready: false,
            draining: false,
            booting: false,
            in_rotation: false,
            lacks_contracts: false,
            overloaded: false,
            worked: false,
            last,
        });
    }

    pub fn slot(&self, replica: ReplicaId) -> usize {
        self.replicas[replica].slot
    }

    /// Whether it holds its slot and was not told to end.
    pub fn is_wanted(&self, replica: ReplicaId) -> bool {
        let known = &self.replicas[replica];
        self.holders.get(&known.slot) == Some(&replica) && !known.draining
    }

    /// A replica enters a state.
    pub fn enter(&mut self, now: Instant, replica: ReplicaId, state: State) {
        let known = &mut self.replicas[replica];
        // A process that died forgets what it lacked; its next one says so again.
        known.lacks_contracts &= state != State::Failed;
        let before = known.clone();
        known.ready = state == State::Ready;
        known.draining = state == State::Draining;
        known.booting = self.boots_take_cpu && state == State::Booting;
        known.overloaded &= matches!(state, State::Ready | State::Unready | State::Draining);
        self.update(now, &before, replica);
    }

    /// A replica joins or leaves the rotation.
    pub fn rotate(&mut self, now: Instant, replica: ReplicaId, joined: bool) {
        let known = &mut self.replicas[replica];
        let before = known.clone();
        known.in_rotation = joined;
        known.overloaded &= !joined;
        self.update(now, &before, replica);
    }

    /// Counts anew after a replica changed from what it was `before`.
    fn update(&mut self, now: Instant, before: &KnownReplica, replica: ReplicaId) {
        self.replicas[replica].worked |= before.works() || self.replicas[replica].works();
        let after = &self.replicas[replica];
        let moved = |count: usize, what: fn(&KnownReplica) -> bool| {
            count + usize::from(what(after)) - usize::from(what(before))
        };
        self.in_rotation = moved(self.in_rotation, |known| known.in_rotation);
        let serving = moved(self.serving.value(), KnownReplica::serves);
        self.serving.change(now, serving);
        let region = self.region(after.slot);
        let working = moved(self.working[region].value(), KnownReplica::works);
        self.working[region].change(now, working);
    }

    /// Probes of a replica failed often enough to count. One that was ready works on.
    pub fn fail_probes(&mut self, now: Instant, replica: ReplicaId, restarts: bool) {
        let known = &mut self.replicas[replica];
        let before = known.clone();
        known.overloaded |= known.ready;
        self.update(now, &before, replica);
        let counted = u64::from(now >= self.warm_up);
        match restarts {
            true => self.probes_failed.liveness += counted,
            false => self.probes_failed.readiness += counted,
        }
    }

    /// A replica failed its probes for an upstream that they ask.
    pub fn fail_asking(&mut self, now: Instant, ready: usize) {
        let counted = u64::from(now >= self.warm_up);
        self.probes_failed.asking += counted;
        self.probes_failed.emptied += if ready == 0 { counted } else { 0 };
    }

    /// A replica is killed for its memory.
    pub fn kill_for_memory(&mut self, now: Instant) {
        self.out_of_memory += u64::from(now >= self.warm_up);
    }

    /// Whether it takes requests without its contracts.
    pub fn lacks_contracts(&self, replica: ReplicaId) -> bool {
        self.replicas[replica].in_rotation && self.replicas[replica].lacks_contracts
    }

    pub fn set_contracts(&mut self, replica: ReplicaId, missing: bool) {
        self.replicas[replica].lacks_contracts = missing;
    }

    /// Whether a replica is ready, in rotation, and lacks nothing.
    pub fn is_whole(&self, replica: ReplicaId) -> bool {
        let known = &self.replicas[replica];
        known.ready && known.in_rotation && !known.lacks_contracts
    }

    /// The ready replicas of these slots that are in rotation.
    pub fn ready_in(&self, slots: &BTreeSet<usize>) -> BTreeSet<ReplicaId> {
        let holders = slots.iter().filter_map(|slot| self.holders.get(slot).copied());
        let serves = |id: &ReplicaId| self.replicas[*id].ready && self.replicas[*id].in_rotation;
        holders.filter(serves).collect()
    }

    /// What a replica did since it was read last, and whether that is work of a CPU that was there
    /// for requests: probes work in replicas that do not serve yet as well.
    pub fn take(&mut self, reading: &Reading, now: Instant) -> (Reading, bool) {
        if now > self.warm_up {
            self.in_flight_peak = self.in_flight_peak.max(reading.in_flight_peak);
        }
        let known = &mut self.replicas[reading.replica];
        let works = known.works();
        let worked = std::mem::replace(&mut known.worked, works);
        let last = std::mem::replace(&mut known.last, *reading);
        let done = Reading {
            arrived: reading.arrived - last.arrived,
            served: reading.served - last.served,
            busy: reading.busy - last.busy,
            ..*reading
        };
        (done, worked)
    }

    /// The region of a slot: each has every so manieth of them.
    pub fn region(&self, slot: usize) -> usize {
        slot % self.working.len()
    }

    /// The share that `busy` core-nanoseconds since `start`, in all and of each region, are of the
    /// CPU of the replicas that served, or worked out of rotation; `None` if there were none.
    pub fn utilisation(
        &mut self,
        start: Instant,
        now: Instant,
        (busy, by_region): (f64, &[f64]),
        cores: &[f64],
    ) -> Option<f64> {
        let each = self.working.iter_mut().zip(cores);
        let capacities: Vec<f64> = each.map(|(of, cores)| of.take_integral(now) * cores).collect();
        let capacity = capacities.iter().sum::<f64>();
        if start >= self.warm_up {
            let regions = self.by_region.iter_mut().zip(by_region.iter().zip(&capacities));
            for (region, (busy, capacity)) in regions {
                region.busy += busy;
                region.capacity += capacity;
            }
            self.busy += busy;
            self.capacity += capacity;
        }
        (capacity > 0.0).then(|| busy / capacity)
    }

    pub fn finish(self, ended: Instant) -> ReplicaWork {
        let several = self.by_region.len() > 1;
        let secs = |one: &CpuUse| CpuUse {
            busy: one.busy.min(one.capacity) / SECOND as f64,
            capacity: one.capacity / SECOND as f64,
        };
        ReplicaWork {
            time_with_serving: self.serving.finish(ended),
            // What probes took in the bin in which a replica began to serve is no more than that.
            busy_secs: self.busy.min(self.capacity) / SECOND as f64,
            capacity_secs: self.capacity / SECOND as f64,
            by_region: self.by_region.iter().filter(|_| several).map(secs).collect(),
            in_flight_peak: self.in_flight_peak,
            probes_failed: self.probes_failed,
            out_of_memory: self.out_of_memory,
        }
    }
}

/// Time spent at each value of a step function.
#[derive(Clone, Debug)]
struct Occupancy {
    value: usize,
    since: Instant,
    times: Vec<Span>,
    /// Integral of the value over time since [`Occupancy::take_integral`], in nanoseconds.
    integral: f64,
    integral_since: Instant,
}

impl Occupancy {
    /// Starts at `value`; counts from `from` on.
    fn new(value: usize, from: Instant) -> Self {
        let times = Vec::new();
        Occupancy { value, since: from, times, integral: 0.0, integral_since: Instant::ZERO }
    }

    fn value(&self) -> usize {
        self.value
    }

    fn change(&mut self, now: Instant, value: usize) {
        self.pass(now);
        self.value = value;
    }

    fn pass(&mut self, now: Instant) {
        self.integral += self.value as f64 * now.since(self.integral_since).0 as f64;
        self.integral_since = now;
        if now > self.since {
            let len = self.times.len().max(self.value + 1);
            self.times.resize(len, Span::ZERO);
            self.times[self.value] += now.since(self.since);
            self.since = now;
        }
    }

    /// The integral since the last call.
    fn take_integral(&mut self, now: Instant) -> f64 {
        self.pass(now);
        std::mem::take(&mut self.integral)
    }

    fn finish(mut self, now: Instant) -> Vec<Span> {
        self.pass(now);
        self.times
    }
}
