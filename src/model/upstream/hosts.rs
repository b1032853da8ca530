//! The hosts of upstreams, and how the replica in each slot sees them.
//!
//! ```text
//! up ─ outage ─► down, silent or not ─ all outages over ─► up
//! ```

use std::collections::VecDeque;

use super::beside::Beside;
use crate::model::context::Context;
use crate::model::event::CompetingProbe;
use crate::model::gates::Gates;
use crate::model::replica::probes::Asked;
use crate::model::request::attempt::AttemptId;
use crate::plan::{Down, HostLimit, HostTarget, Plan, Upstream as Spec};
use crate::policy::breaker::{Breaker, BreakerSpec};
use crate::policy::outlier::Outliers;
use crate::policy::pool::Pools;
use crate::random::{Sampler, Seed, Stream};
use crate::units::{Instant, Span};

/// A host of an upstream.
#[derive(Clone, Debug, Default)]
pub(in crate::model) struct Host {
    pub upstream: usize,
    /// Requests it works on, wanted or not, and the tries that wait, with their numbers.
    pub busy: usize,
    pub waiting: VecDeque<(AttemptId, u16)>,
    /// Faults that keep it down, and how many of these leave it silent.
    pub down: u32,
    pub silent: u32,
    /// Counts its outages: what it had begun before one is lost.
    pub outages: u32,
    /// Slow-downs in progress, by incident; the worst holds.
    pub slow: Vec<(usize, f64)>,
}

/// An upstream as the replica in one slot sees it.
#[derive(Clone, Debug)]
pub(in crate::model) struct View {
    pub breaker: Breaker,
    /// The tries that wait for a connection, with their numbers.
    pub pending: VecDeque<(AttemptId, u16)>,
    pub outliers: Option<Outliers>,
    pub turn: usize,
    /// Requests that are still to get a connection that became free.
    pub owed: usize,
}

/// The hosts of all upstreams and their random streams.
#[derive(Debug)]
pub(in crate::model) struct Upstreams {
    pub hosts: Vec<Host>,
    /// The first host of each upstream, and how many it has.
    pub ranges: Vec<(usize, usize)>,
    pub latency: Vec<(Sampler, Stream)>,
    pub errors: Stream,
    /// What probes that ask are told.
    probes: Stream,
    /// For each upstream and slot.
    pub views: Vec<Vec<View>>,
    /// Connections to each upstream, if its hosts accept so many only.
    pub pools: Vec<Option<Pools>>,
    /// Admission control towards each upstream, of the replica in each slot.
    pub gates: Vec<Option<Gates>>,
    /// Tries that go on beside others.
    pub beside: Beside,
}

impl Upstreams {
    pub fn new(plan: &Plan, seed: Seed) -> Self {
        let specs = &plan.dependencies.upstreams;
        let (mut hosts, mut ranges) = (Vec::new(), Vec::new());
        for (upstream, spec) in specs.iter().enumerate() {
            ranges.push((hosts.len(), spec.hosts));
            hosts.extend((0..spec.hosts).map(|_| Host { upstream, ..Host::default() }));
        }
        let latency = |(index, spec): (usize, &Spec)| {
            (spec.latency.sampler(), seed.stream("upstream", index as u64))
        };
        let slots = plan.slots();
        let views = |spec: &Spec| {
            let breaker = breaker(spec, plan.gateway.replicas);
            (0..slots).map(|slot| View::new(spec, slot, breaker)).collect()
        };
        let pools = |spec: &Spec| {
            let HostLimit { connections, keep_alive } = spec.accepts?;
            Some(Pools::new(connections, keep_alive, slots, spec.hosts))
        };
        let gates = |(index, spec): (usize, &Spec)| {
            Gates::new(spec.admission, slots, seed, index as u64 + 1)
        };
        Upstreams {
            hosts,
            ranges,
            latency: specs.iter().enumerate().map(latency).collect(),
            errors: seed.stream("upstream errors", 0),
            probes: seed.stream("upstream probes", 0),
            views: specs.iter().map(views).collect(),
            pools: specs.iter().map(pools).collect(),
            gates: specs.iter().enumerate().map(gates).collect(),
            beside: Beside::default(),
        }
    }

    /// The hosts that a fault hits.
    pub fn hosts_of(&self, target: HostTarget) -> impl Iterator<Item = usize> + use<> {
        let (first, hosts) = self.ranges[target.upstream];
        let only = target.host;
        assert!(only.is_none_or(|host| host < hosts), "{target:?} is none of {hosts} hosts");
        (0..hosts).filter(move |host| only.is_none_or(|only| only == *host)).map(move |h| first + h)
    }

    /// A new process in a slot knows nothing of how hosts did, and has no connections.
    pub fn forget(&mut self, plan: &Plan, slot: usize) {
        for (views, spec) in self.views.iter_mut().zip(&plan.dependencies.upstreams) {
            views[slot].outliers = spec.outliers.map(|rule| Outliers::new(rule, spec.hosts));
        }
        self.pools.iter_mut().flatten().for_each(|pools| pools.forget(slot));
        self.gates.iter_mut().flatten().for_each(|gates| gates.forget(slot));
    }

    /// A connection of the replica in a slot to a host, if these are counted: whether there is one.
    pub fn connect(&mut self, now: Instant, slot: usize, host: usize) -> Option<bool> {
        let upstream = self.hosts[host].upstream;
        let connected =
            self.pools[upstream].as_mut()?.connect(now, slot, host - self.ranges[upstream].0);
        self.trim(upstream, slot);
        Some(connected)
    }

    /// The request on a connection is answered.
    pub fn keep(&mut self, now: Instant, slot: usize, host: usize) {
        let upstream = self.hosts[host].upstream;
        assert!(self.hosts[host].down == 0, "host {host} is down and has answered");
        let pools = self.pools[upstream].as_mut().expect("connections are counted");
        pools.keep(now, slot, host - self.ranges[upstream].0);
    }

    /// A connection in use is closed.
    pub fn close(&mut self, host: usize) {
        let upstream = self.hosts[host].upstream;
        let pools = self.pools[upstream].as_mut().expect("connections are counted");
        pools.close(host - self.ranges[upstream].0);
    }

    /// Every connection to a host breaks.
    pub fn break_connections(&mut self, host: usize) {
        let upstream = self.hosts[host].upstream;
        if let Some(pools) = &mut self.pools[upstream] {
            pools.lose(host - self.ranges[upstream].0);
        }
    }

    /// Closes what the replica in a slot keeps idle beyond its circuit breaker's connections.
    pub fn trim(&mut self, upstream: usize, slot: usize) {
        let breaker = &self.views[upstream][slot].breaker;
        if let (Some(pools), Some(most)) = (&mut self.pools[upstream], breaker.connections()) {
            pools.trim(slot, breaker.active(), most);
        }
    }

    /// What a probe of this kind, sent now, hears from the upstream that it asks, if it asks one:
    /// that of any host. A probe takes no worker, and waits as long as requests there do in the
    /// mean; it needs none of the connections that are counted.
    pub fn asked(&mut self, cx: &Context, kind: CompetingProbe) -> Option<Asked> {
        let upstream = kind.asks(cx.plan.detection.asks)?;
        let spec = &cx.plan.dependencies.upstreams[upstream];
        let (first, hosts) = self.ranges[upstream];
        assert!(hosts > 0, "upstream {upstream} has no host to ask");
        let host = &self.hosts[first + self.probes.below(hosts)];
        let given_up = Asked { at: cx.now + spec.timeout, is_well: false };
        if host.down > 0 {
            let refused = Asked { at: cx.now, is_well: false };
            assert!(host.busy == 0 && host.waiting.is_empty(), "a host that is down works");
            return Some(if host.silent > 0 { given_up } else { refused });
        }
        let law = self.latency[upstream].0.draw(&mut self.probes);
        let takes = host.waits(spec) + host.takes(spec, law);
        let is_well = !(spec.errors.0 > 0.0 && self.probes.unit() < spec.errors.0);
        assert!(takes >= 0.0, "a host answers a probe {takes} ns after it is sent");
        let asked = Asked { at: cx.now + Span(takes.round() as u64), is_well };
        Some(if asked.at < given_up.at { asked } else { given_up })
    }

    pub fn slow_down(&mut self, host: usize, incident: usize, factor: f64) {
        assert!(factor > 0.0, "a host that is slow by {factor} never answers");
        self.hosts[host].slow.push((incident, factor));
    }

    pub fn speed_up(&mut self, host: usize, incident: usize) {
        let slow = &mut self.hosts[host].slow;
        let before = slow.len();
        slow.retain(|(cause, _)| *cause != incident);
        assert_eq!(slow.len() + 1, before, "incident {incident} does not slow host {host} down");
    }

    pub fn bring_up(&mut self, host: usize, down: Down) {
        assert!(self.hosts[host].down > 0, "host {host} is up");
        self.hosts[host].down -= 1;
        self.hosts[host].silent -= u32::from(down == Down::Silent);
        let Host { down, silent, .. } = self.hosts[host];
        assert!(silent <= down, "host {host} is silent and up");
    }

    /// The host for the next request of the replica in a slot; `None` if it takes none for sound.
    pub fn pick(&mut self, upstream: usize, slot: usize) -> Option<usize> {
        let (first, hosts) = self.ranges[upstream];
        let view = &mut self.views[upstream][slot];
        let host = match &mut view.outliers {
            Some(outliers) => outliers.pick()?,
            None => {
                view.turn = (view.turn + 1) % hosts;
                view.turn
            }
        };
        assert!(host < hosts, "host {host} of {hosts}");
        Some(first + host)
    }
}

impl Host {
    /// How long it works on a request of this length.
    pub fn takes(&self, spec: &Spec, length: f64) -> f64 {
        let factor = self.slow.iter().map(|(_, factor)| *factor).fold(1.0, f64::max);
        (length + spec.per_request.0 as f64 * self.busy as f64) * factor
    }

    /// How long the next in line waits for a worker in the mean.
    fn waits(&self, spec: &Spec) -> f64 {
        let workers = spec.workers.filter(|workers| self.busy >= *workers);
        let mean = self.takes(spec, spec.latency.mean_secs() * 1e9);
        workers.map_or(0.0, |workers| mean * (self.waiting.len() + 1) as f64 / workers as f64)
    }
}

/// The thresholds of a replica where there are so many.
fn breaker(spec: &Spec, replicas: usize) -> BreakerSpec {
    let part = |connections| spec.divided.part(connections, replicas);
    BreakerSpec { connections: spec.breaker.connections.map(part), ..spec.breaker }
}

impl View {
    /// Replicas begin their turns at different hosts.
    fn new(spec: &Spec, slot: usize, breaker: BreakerSpec) -> Self {
        View {
            breaker: Breaker::new(breaker),
            pending: VecDeque::new(),
            outliers: spec.outliers.map(|outliers| Outliers::new(outliers, spec.hosts)),
            turn: slot % spec.hosts,
            owed: 0,
        }
    }
}
