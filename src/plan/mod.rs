//! The plan: a scenario with nothing left to guess. Every number is typed, every default is filled
//! in, every name is an index. A replication is a function of a plan, a seed and an index.
//!
//! A [`Plan`] has a part for each question: what a replica can do and how many there are
//! (`gateway`, `startup`), what is in front of it (`ingress`, `traffic`, `clients`) and behind it
//! (`upstream`), what the cluster does by itself (`cluster`), what goes wrong (`fault`), and how
//! long all this runs (`run`). `neutral` is a plan to start from, in which every field has its
//! neutral value.
//!
//! It owns what these parts are and the few facts that follow from them alone; it may ask `policy`
//! and `autoscaler` for the settings of their machines, `random` for laws and `units` for
//! quantities. It is read by everybody and changed by nobody but the scenario checker, which keeps
//! the rules that the types document. Begin with [`Plan`].

mod clients;
mod cluster;
mod dependencies;
mod fault;
mod gateway;
mod ingress;
mod neutral;
mod regions;
mod run;
mod startup;
mod traffic;
mod upstream;

use crate::autoscaler::average::AverageTarget;
use crate::random::Law;
use crate::units::{Rate, Share, Span};

pub use clients::{Clients, Jitter, Popularity, Population, Retry, RetryBackoff, RetryBudget};
pub use cluster::{
    AfterCrash, AfterTimeout, Autoscaling, Backoff, Budget, Detection, Eviction, GATEWAY,
    LostMetrics, Nodes, Portion, ProbesAsk, RequestRate, Sidecar, Termination, UnhealthyEvictions,
    Upgrade,
};
pub use dependencies::{Dependencies, LimitKey, Policy, PolicyKind, SpikeQueue, Tls, TlsEnd};
pub use fault::{
    DisruptionKind, Down, Fault, FaultPlan, Followed, Gray, Heeded, HostTarget, InstanceTarget,
    Notice, Reach, Release, ReplicaTarget, Schedule, Starts, Target,
};
pub use gateway::{Gateway, Memory, NodeTaints, Spread, Throttling, Topology};
pub use ingress::{
    Answers, Balancing, CheckBy, Closing, DeadAddress, Failover, FailoverBy, HealthCheck,
    InCluster, Ingress, RetryHost, RetryRules,
};
pub use regions::{
    AllUnhealthy, Asks, Failback, RecoveryPoint, RegionCheck, RegionPlan, RegionRole, Regions,
    RoundTrip, Routing, StateItem, StateLoss, StateLosses, Steering, TrafficManager,
};
pub use run::{Extent, REPLICATIONS_MOST, Run, Window};
pub use startup::{
    Configuration, Contracts, ControlPlaneCall, Gate, Probe, SlowBoot, Startup, StarvedStart,
};
pub use traffic::{ArrivalProcess, Bursts, Recorded, RecordedDetail, Recording, Scatter, Traffic};
pub use upstream::{Api, Divided, HostLimit, Upstream};

/// Index into [`Topology::zones`].
pub type ZoneId = usize;

/// A place for one replica, from 0 to the number of replicas. A replacement takes over the slot of
/// the replica it stands in for.
pub type Slot = usize;

/// Everything one replication needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What one replica can do and how many there are.
    pub gateway: Gateway,
    /// Zones and where replicas go.
    pub topology: Topology,
    /// How requests reach the replicas.
    pub ingress: Ingress,
    /// When requests come.
    pub traffic: Traffic,
    /// Who sends requests, and what answers them.
    pub dependencies: Dependencies,
    /// What a new replica passes through before it serves.
    pub startup: Startup,
    /// How failures are noticed.
    pub detection: Detection,
    /// What replicas run on.
    pub nodes: Nodes,
    /// How replicas are exchanged on purpose.
    pub upgrade: Upgrade,
    /// How replicas that are deleted end.
    pub termination: Termination,
    /// The autoscaler, if there is one.
    pub autoscaling: Option<Autoscaling>,
    /// What goes wrong, in the order of the file.
    pub faults: Vec<FaultPlan>,
    /// Periods that objectives speak of; the first is the whole run after warm-up.
    pub windows: Vec<Window>,
    /// Length, seed and number of replications.
    pub run: Run,
    /// The regions, if there are several: then the parts above are those of all of them together.
    pub regions: Option<Box<Regions>>,
}

impl Plan {
    /// What its requests are told apart by: the regions that they are sent to if there are several,
    /// or the APIs that they are for.
    pub fn names_told_apart(&self) -> Vec<&str> {
        match &self.regions {
            Some(regions) => regions.all.iter().map(|region| region.name.as_str()).collect(),
            None => self.dependencies.apis.iter().map(|api| api.name.as_str()).collect(),
        }
    }

    /// What that is, in a word.
    pub fn told_apart_by(&self) -> &'static str {
        if self.regions.is_some() { "region" } else { "API" }
    }

    /// The most replicas that may be wanted.
    pub fn most_replicas(&self) -> usize {
        if let Some(regions) = &self.regions {
            return regions.all.iter().map(|region| region.gateway.most_replicas()).sum();
        }
        let most = self.autoscaling.as_ref().map_or(0, |autoscaling| autoscaling.spec.max.max(0));
        self.gateway.replicas.max(most as usize)
    }

    /// Whether an autoscaler may change how many replicas there are.
    pub fn may_scale(&self) -> bool {
        match &self.regions {
            Some(regions) => regions.all.iter().any(|region| region.gateway.may_scale()),
            None => self.autoscaling.is_some(),
        }
    }

    /// The most replicas that leave on purpose at once and finish what they have: those that a
    /// rollout replaces, one that is drained, or one that is too many.
    pub fn most_leaving(&self) -> usize {
        let replicas = self.gateway.replicas;
        let rolls = self.any_fault(|fault| fault.release().is_some());
        let replaced = if rolls { self.upgrade.most(replicas) - replicas } else { 0 };
        let empties =
            |fault: &Fault| matches!(fault, Fault::DrainNode(..) | Fault::Maintenance(..));
        let drains = self.any_fault(empties);
        let shrinks = self.fewest_replicas() < self.most_replicas();
        replaced.max(usize::from(rolls || drains || shrinks))
    }

    fn any_fault(&self, is: impl Fn(&Fault) -> bool) -> bool {
        self.faults.iter().any(|fault| is(&fault.fault))
    }

    /// Whether a fault takes ingress instances down, by themselves or with their zone.
    pub fn loses_instances(&self) -> bool {
        let in_zones = self.ingress.instances.iter().any(Option::is_some);
        self.any_fault(|fault| match fault {
            Fault::IngressLoss(..) | Fault::RegionOutage(..) => true,
            Fault::ZoneOutage(..) => in_zones,
            _ => false,
        })
    }

    /// Whether a fault takes machines, whose addresses are silent then.
    pub fn loses_machines(&self) -> bool {
        self.any_fault(|fault| {
            matches!(
                fault,
                Fault::ZoneOutage(..)
                    | Fault::PartialOutage(..)
                    | Fault::NodeLoss(..)
                    | Fault::RegionOutage(..)
            )
        })
    }

    /// The fewest replicas that may be wanted.
    pub fn fewest_replicas(&self) -> usize {
        let least = self.autoscaling.as_ref().map(|autoscaling| autoscaling.spec.min.max(1));
        least.map_or(self.gateway.replicas, |least| least as usize)
    }

    /// The replicas that there are in the long run at a constant `rate`: those that are wanted, or
    /// what an autoscaler that finds its least number adds to that, to stay within its tolerance.
    pub fn replicas_at(&self, rate: Rate) -> usize {
        let Some(autoscaling) = &self.autoscaling else { return self.gateway.replicas };
        let spec = &autoscaling.spec;
        let held = spec.cpu().map_or(f64::INFINITY, |target| {
            autoscaling.cores_at(target.held()) / self.gateway.cores.0
        });
        let each = spec.requests().map_or(f64::INFINITY, AverageTarget::held);
        let (least, most) = (spec.min.max(1) as usize, spec.max.max(1) as usize);
        let enough = |replicas: &usize| {
            self.utilisation(rate, *replicas) <= held && rate.0 / *replicas as f64 <= each
        };
        (least..most).find(enough).unwrap_or(most)
    }

    /// Starts with the replicas that the autoscaler holds at this part of the first rate, evenly
    /// spread, if it is to. Where that is not known before anything runs (recorded traffic, users
    /// who wait, and policies that answer early) it finds them itself.
    pub fn settle(&mut self, part: Share) {
        let Traffic::Process(process) = &self.traffic else { return };
        let settled = self.autoscaling.as_ref().is_some_and(|autoscaling| autoscaling.settled);
        let Some((_, first)) = process.corners.first().filter(|_| settled) else { return };
        if self.ends_early() {
            return;
        }
        let rate = Rate(first.0 * part.0 * self.requests_per_arrival());
        let replicas = self.replicas_at(rate);
        let zones = self.topology.zones.len();
        self.gateway.replicas = replicas;
        self.topology.placement = (0..replicas).map(|slot| slot % zones).collect();
    }

    /// The most places for replicas: those that may be wanted, and the surge of a rollout.
    pub fn slots(&self) -> usize {
        let rolls = self.releases().next().is_some();
        let most = self.most_replicas();
        if rolls { self.upgrade.most(most) } else { most }
    }

    /// The versions that are rolled out.
    pub fn releases(&self) -> impl Iterator<Item = &Release> {
        self.faults.iter().filter_map(|fault| fault.fault.release())
    }

    /// How often a fault strikes at random in a second, at most: as if nothing that it may hit were
    /// ever away. `None` for one at a given time, or with a law that has a memory.
    pub fn strikes_per_second(&self, fault: &FaultPlan) -> Option<f64> {
        let fault = fault.root(&self.faults);
        let Schedule::Random(Law::Exponential(mean)) = &fault.schedule else { return None };
        let clocks = match fault.fault.target() {
            Target::Replicas(ReplicaTarget::Slot(_)) => 1,
            Target::Replicas(_) => self.slots(),
            Target::Zone(None) => self.topology.zones.len(),
            Target::Ingress(InstanceTarget::Any) => self.ingress.instances.len(),
            _ => 1,
        };
        Some(clocks as f64 / mean.as_secs())
    }

    /// Whether nothing that becomes of a request can decide when others come or what they meet, and
    /// there is one API: then requests are simulated in blocks, which is faster. In blocks all
    /// replicas treat a request alike.
    pub fn is_open_loop(&self) -> bool {
        if let Some(regions) = &self.regions {
            return regions.all.iter().all(|region| region.gateway.is_open_loop());
        }
        let gray = |fault: &Fault| matches!(fault, Fault::GrayFailure(..));
        let alike = !self.releases().any(Release::meets_requests) && !self.any_fault(gray);
        let takes_all = self.gateway.overload.is_none();
        self.dependencies.are_open_loop() && !self.ingress.feeds_back() && alike && takes_all
    }

    /// Whether the policy of this index is a limit of each client.
    pub fn limits_clients(&self, policy: usize) -> bool {
        let policy = &self.dependencies.policies[policy];
        matches!(policy.kind, PolicyKind::Limit { of: LimitKey::Client, .. })
    }

    /// The longest boot: a container that boots longer is killed by its start-up probe, or else by
    /// its liveness probe.
    pub fn longest_boot(&self) -> Span {
        self.startup.probe.as_ref().unwrap_or(&self.detection.liveness).patience()
    }

    /// The boot, if it may well last longer than that.
    pub fn slow_boot(&self) -> Option<SlowBoot> {
        SlowBoot::of(&self.startup, &self.detection.liveness)
    }

    /// From the deletion of a replica until its process exits.
    pub fn drain(&self) -> Span {
        self.termination.drain.min(self.detection.grace)
    }

    /// Mean CPU time in seconds of a request that goes all the way: its own, by the law of its API
    /// or else of the gateway, and that of its policies. Handshakes come on top; what a policy
    /// answers early takes less.
    pub fn demand_secs(&self) -> f64 {
        let own = self.gateway.demand.mean_secs();
        let Dependencies { apis, policies: all, .. } = &self.dependencies;
        let (mut total, mut weights) = (0.0, 0.0);
        for api in apis {
            let policies = api.policies.iter().map(|index| &all[*index]);
            let policies = policies.map(|policy| policy.cpu_secs(api.payload_kb)).sum::<f64>();
            let demand = api.demand.as_ref().map_or(own, Law::mean_secs);
            total += api.weight * (demand + policies);
            weights += api.weight;
        }
        if weights > 0.0 { total / weights } else { own }
    }

    /// Whether a policy may answer requests before they have gone all the way.
    pub fn ends_early(&self) -> bool {
        self.dependencies.policies.iter().any(Policy::may_end_requests)
    }

    /// First requests that an arrival of the traffic leads to, in the mean: those of a session, or
    /// one.
    pub fn requests_per_arrival(&self) -> f64 {
        match &self.dependencies.clients.population {
            Population::Sessions { requests, .. } => *requests,
            _ => 1.0,
        }
    }

    /// Bytes that a request in flight takes while it is simulated: as measured, with the room in
    /// which lists grow.
    pub fn bytes_held(&self) -> u64 {
        if self.is_open_loop() { 64 } else { 512 }
    }

    /// The most requests of a replication that wait at once because they come faster than all
    /// replicas can serve them, or until nobody waits longer: a fluid without faults and retries.
    /// None where that is not known before anything runs.
    pub fn backlog(&self) -> f64 {
        let Traffic::Process(process) = &self.traffic else { return 0.0 };
        let clients = &self.dependencies.clients;
        if self.ends_early() || matches!(clients.population, Population::Closed { .. }) {
            return 0.0;
        }
        let each = self.requests_per_arrival();
        let capacity = self.saturation().0 * self.most_replicas() as f64;
        let waiting = each * process.backlog(capacity / each, self.run.horizon);
        let patience = clients.patience.unwrap_or(Span::MAX).min(self.ingress.first_timeout());
        let room = self.gateway.memory.map_or(f64::INFINITY, |memory| memory.holds() as f64);
        let waiting = waiting.min(room * self.most_replicas() as f64);
        // Those that gave up are forgotten once they are as many as those that wait.
        waiting.min(2.0 * each * process.peak().0 * patience.as_secs())
    }

    /// Work per second offered at `rate` over the capacity of `replicas`, if every request goes all
    /// the way; above 1 the backlog grows.
    pub fn utilisation(&self, rate: Rate, replicas: usize) -> f64 {
        rate.0 * self.demand_secs() / (self.gateway.cores.0 * replicas as f64)
    }

    /// Whether what a process does once it is ready leaves its requests too little at this rate.
    pub fn starved_start(&self, rate: Rate) -> Option<StarvedStart> {
        let ((lasts, cpu), replicas) = (self.startup.after_ready, self.replicas_at(rate));
        let cores = self.gateway.cores.0;
        let (left, needs) = (cores - cpu, self.utilisation(rate, replicas) * cores);
        let starves = cpu > 0.0 && lasts > Span::ZERO && needs > left && needs <= cores;
        starves.then_some(StarvedStart { left, needs, lasts })
    }

    /// Requests per second that one replica serves when its CPU is full, if every request goes all
    /// the way.
    pub fn saturation(&self) -> Rate {
        Rate(self.gateway.cores.0 / self.demand_secs())
    }
}
