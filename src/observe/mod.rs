//! What can be seen of a run: the facts that the model tells, and who listens.
//!
//! An [`Observer`] receives facts and returns nothing, so no observer can change a run. Requests
//! come through methods of their own because there are millions of them; everything rarer is an
//! [`Observation`].
//!
//! The [`recorder`] is the observer that matters: it turns the facts of one replication into its
//! [`outcome::Outcome`], which is all that the rooms above know of that replication. Outcomes are
//! made of a [`ledger`] in which every request ends once, [`histogram`]s of latencies, a
//! [`timeline`], [`incident`]s (`tracking` follows them) with the [`failover`] that followed, and
//! what they did together ([`tally`]), how often each window was
//! struck ([`strikes`]), a [`time_series`] of the run
//! and what it says of [`recovery`] after a fault. They are written to checkpoints as they are, so
//! their fields are a format.
//!
//! It owns these types and how facts are added up; it may ask for times, for what the autoscaler
//! decided, and for nothing else. Begin with [`Observer`], then `outcome.rs`.

pub mod count;
pub mod failover;
pub mod histogram;
pub mod incident;
pub mod ledger;
pub mod listener;
pub mod outcome;
pub mod recorder;
pub mod recovery;
pub mod strikes;
pub mod tally;
pub mod time_series;
pub mod timeline;
mod tracking;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::autoscaler::decision::Decision;
use crate::units::{Instant, Share, Span};
use count::Count;
use ledger::Failure;

/// Number of a replica within a replication, in order of creation.
pub type ReplicaId = usize;

/// Number of an API, in the order of the plan; 0 where requests are simulated in blocks, which is
/// done only if there is one.
pub type ApiId = u32;

/// Names a request: no two are sent at the same instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sent {
    /// When its client sent it (the intended start).
    pub at: Instant,
    /// For which API.
    pub api: ApiId,
}

/// A request that was answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Served {
    /// When its client sent it (the intended start).
    pub sent: Instant,
    /// When a replica took it on.
    pub arrived: Instant,
    /// When the replica finished it.
    pub finished: Instant,
    /// Its CPU demand in nanoseconds, to six digits.
    pub demand: f32,
    /// For which API.
    pub api: ApiId,
    /// Which replica.
    pub replica: ReplicaId,
}

/// The state of a replica, in life-cycle order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum State {
    /// Waits for a node in a zone that is up.
    Scheduling,
    /// Its sandbox is being made.
    Sandbox,
    /// Its image is being pulled.
    Image,
    /// The process boots.
    Booting,
    /// Configuration is being downloaded.
    Configuring,
    /// Contracts are being downloaded.
    Contracts,
    /// Able to serve; waits for the readiness probe.
    Probing,
    /// Ready, and serving as soon as the endpoints are known.
    Ready,
    /// Deleted, and finishing what it has.
    Draining,
    /// Ready by the last probe, but does no work.
    Hung,
    /// Failed, not yet noticed.
    Failed,
    /// Known to be out of order; still exists.
    Unready,
    /// Gone for good.
    Terminated,
    /// Its container waits to be started again.
    BackOff,
}

impl State {
    /// The word that reports use.
    pub fn label(self) -> &'static str {
        match self {
            State::Scheduling => "scheduling",
            State::Sandbox => "sandbox",
            State::Image => "image",
            State::Booting => "booting",
            State::Configuring => "configuring",
            State::Contracts => "contracts",
            State::Probing => "probing",
            State::Ready => "ready",
            State::Draining => "draining",
            State::Hung => "hung",
            State::Failed => "failed",
            State::Unready => "unready",
            State::Terminated => "terminated",
            State::BackOff => "back-off",
        }
    }
}

/// A probe of the kubelet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeKind {
    /// Whether the process is up.
    Startup,
    /// Whether it is to go on.
    Liveness,
    /// Whether it can take requests.
    Readiness,
}

impl ProbeKind {
    /// The words that reports use.
    pub fn label(self) -> &'static str {
        match self {
            ProbeKind::Startup => "start-up probe",
            ProbeKind::Liveness => "liveness probe",
            ProbeKind::Readiness => "readiness probe",
        }
    }

    /// Whether its failures restart the container.
    pub fn restarts(self) -> bool {
        self != ProbeKind::Readiness
    }
}

/// A fact about something rarer than a request.
#[allow(missing_docs)] // each variant says what its fields are
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// A replica comes into being, in this slot and zone.
    Created { replica: ReplicaId, slot: usize, zone: usize, name: String },
    /// A replica enters a state, and why.
    Entered { replica: ReplicaId, state: State, cause: &'static str },
    /// The ingress instances learn that a replica can take requests.
    JoinedRotation { replica: ReplicaId },
    /// The ingress instances learn that a replica can take none.
    LeftRotation { replica: ReplicaId },
    /// Other ingress instances than before do not use a replica that is in rotation.
    Avoided(Avoided),
    /// A replica works at this share of its CPU from now on.
    Speed { replica: ReplicaId, share: Share },
    /// A fault (index into the plan) is injected. `slots` are the slots it takes capacity from
    /// until each has a replica in rotation again; `lasting` says that it also goes on until
    /// [`Observation::FaultEnded`] or [`Observation::InstancesAvoided`] with the same `incident`.
    /// Incidents count from 0.
    FaultInjected {
        fault: usize,
        incident: usize,
        slots: Vec<usize>,
        lasting: bool,
        /// Whom it hits, in words.
        subject: String,
    },
    /// A fault that goes on takes the replica of another slot.
    FaultTakes { incident: usize, slot: usize },
    /// A fault is over: what it took away by itself is back, or will not come back.
    FaultEnded { fault: usize, incident: usize },
    /// Clients begin to leave an ingress instance (counted from 0) that is lost, unless it is back
    /// before.
    ClientsLeave { fault: usize, incident: usize, instance: usize, leaving: Leaving },
    /// All clients avoid all ingress instances that a zone took with it, or these are back.
    InstancesAvoided { fault: usize, incident: usize },
    /// No node may take a replica for a slot, and why.
    Unschedulable { slot: usize, reason: &'static str },
    /// The API server of Kubernetes of a region is back: so many changes of the endpoints and so
    /// many slots without a replica had to wait for it. Where there are not several, of region 0.
    ApiServerBack { region: usize, endpoints: usize, slots: usize },
    /// Something happens to a node.
    Node { zone: usize, name: String, what: &'static str },
    /// The replicas on a zone's lost nodes are not given up any more, or are again.
    Evictions { zone: usize, stopped: bool },
    /// The autoscaler of a region took a step; where there are not several, of region 0.
    /// `held_back` says that pods without a usable sample, earlier recommendations or a limit kept
    /// it from another number; `news` that it says something else than at its last step.
    Decided { region: usize, decision: Decision, held_back: bool, news: bool },
    /// A slot is not wanted any more.
    SlotGone { slot: usize },
    /// The machines of a zone are back.
    ZoneReturned { fault: usize, zone: usize },
    /// A fault found nothing to hit.
    FaultMissed { fault: usize, reason: &'static str },
    /// An attempt to fetch from the control plane failed.
    FetchFailed { replica: ReplicaId, what: &'static str },
    /// A replica of the gate-per-API kind has its contracts.
    ContractsLoaded { replica: ReplicaId },
    /// A replica takes traffic without contracts: requests that need them are refused.
    ContractsMissing { replica: ReplicaId },
    /// Requests meet this many ingress instances of a region (of which `down` have vanished); where
    /// there are not several, of region 0.
    Ingress { region: usize, reachable: usize, down: usize },
    /// A window of the plan with fixed ends begins or ends, or warm-up ends.
    Boundary,
    /// Probes of a replica that works or boots failed often enough: it is restarted (start-up,
    /// liveness) or taken out of rotation (readiness).
    ProbesFailed { replica: ReplicaId, probe: ProbeKind },
    /// It was for the upstream that they ask; so many replicas are ready now.
    UpstreamFailedProbe { replica: ReplicaId, probe: ProbeKind, upstream: usize, ready: usize },
    /// How far a rollout is: replicas of the version that it brings, of other versions, of the
    /// first those that are available, and how many are wanted in all. Told where that version is
    /// not as the one before, and of every rollout that makes no progress or is rolled back.
    Rollout {
        incident: usize,
        stage: RolloutStage,
        new: usize,
        old: usize,
        available: usize,
        wanted: usize,
        /// Of the new ones, those that differ from the version before.
        affected: usize,
    },
    /// A replica has more requests than its memory holds, and is killed.
    OutOfMemory { replica: ReplicaId },
    /// Something is found out, or done, about a region.
    Region { region: usize, news: RegionNews },
    /// So many groups of clients, of all that there are, send to a region at the beginning.
    ClientsGiven { region: usize, groups: usize, of: usize },
    /// One of so many groups of clients sends to another region from now on.
    ClientsMoved { from: usize, to: usize, groups: usize },
}

/// What a rollout comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RolloutStage {
    /// It goes on.
    GoesOn,
    /// Its progress deadline is exceeded.
    Overdue,
    /// Somebody rolls it back: the version before is wanted again.
    RolledBack,
}

impl RolloutStage {
    /// What files call it.
    pub fn key(self) -> &'static str {
        match self {
            RolloutStage::GoesOn => "rollout_goes_on",
            RolloutStage::Overdue => "rollout_overdue",
            RolloutStage::RolledBack => "rolled_back",
        }
    }
}

/// What is found out, or done, about a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionNews {
    /// Its health checks fail.
    Unhealthy,
    /// They succeed again.
    Healthy,
    /// Clients that ask are no longer led to it.
    Withdrawn,
    /// Clients that ask are led to it.
    Given,
    /// It is deployed.
    Deployed,
}

impl RegionNews {
    /// The word that files use.
    pub fn label(self) -> &'static str {
        match self {
            RegionNews::Unhealthy => "unhealthy",
            RegionNews::Healthy => "healthy",
            RegionNews::Withdrawn => "withdrawn",
            RegionNews::Given => "given",
            RegionNews::Deployed => "deployed",
        }
    }
}

/// What a replica shows at a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Which replica.
    pub replica: ReplicaId,
    /// Requests it has at this instant.
    pub in_flight: u64,
    /// Most requests that it had at once, since the end of warm-up if that is past.
    pub in_flight_peak: u64,
    /// Requests that reached it since it was created.
    pub arrived: u64,
    /// Requests it served since it was created.
    pub served: u64,
    /// Core-nanoseconds it worked since it was created.
    pub busy: f64,
}

/// How many ingress instances do not use a replica, and what tells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avoided {
    /// Which replica.
    pub replica: ReplicaId,
    /// How many instances.
    pub by: usize,
    /// Of how many.
    pub of: usize,
    /// By what.
    pub how: &'static str,
}

impl Avoided {
    /// Whether no instance uses it.
    pub fn is_by_all(&self) -> bool {
        self.by == self.of
    }
}

impl fmt::Display for Avoided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: by {} of {} instances", self.how, self.by, self.of)
    }
}

/// How clients leave what is lost: from the loss until of a thousand clients the first, half and
/// the last have left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// Until the first leaves.
    pub first: Span,
    /// Until half have left.
    pub half: Span,
    /// Until the last has left.
    pub last: Span,
}

impl Leaving {
    /// All leave at once.
    pub fn all_after(span: Span) -> Self {
        Leaving { first: span, half: span, last: span }
    }
}

impl fmt::Display for Leaving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Leaving { first, half, last } = self;
        match first == last {
            true => write!(f, "all after {first}"),
            false => write!(f, "the first after {first}, half after {half}, the last after {last}"),
        }
    }
}

/// Listens to a replication. Every method has an empty default.
pub trait Observer {
    /// A request was sent. Told when it reaches the ingress, so facts of moments in between may
    /// have been told before.
    fn offered(&mut self, _request: Sent) {}
    /// A request was answered; its latency is `finished − sent` plus the return hop.
    fn served(&mut self, _request: &Served) {}
    /// A request failed at `at`.
    fn failed(&mut self, _request: Sent, _at: Instant, _failure: Failure) {}
    /// A client makes another attempt for a request; told, like the request, when it reaches the
    /// ingress or its network. The first is made with the request, and the last is answered if the
    /// request is. Told only where requests feed back; otherwise each request is one attempt.
    fn tried_again(&mut self, _request: Sent) {}
    /// An attempt for a request failed, whatever becomes of that.
    fn attempt_failed(&mut self, _request: Sent, _failure: Failure) {}
    /// Something is counted for a request.
    fn counted(&mut self, _request: Sent, _count: Count) {}
    /// A rarer fact.
    fn observe(&mut self, _at: Instant, _observation: &Observation) {}
    /// A sample: every replica that exists is read, at least at every end of a bin.
    /// `connecting` requests wait for the time-out of a connection to a dead address.
    fn sampled(&mut self, _at: Instant, _readings: &[Reading], _connecting: u64) {}
    /// A timeline bin ends, just after the sample of this moment.
    fn bin_ended(&mut self, _at: Instant, _readings: &[Reading]) {}
    /// The horizon is near: these requests have an attempt without an end, be it on its way to the
    /// ingress. What becomes of it is told no more. Told in parts.
    fn attempts_left(&mut self, _requests: &[Sent]) {}
    /// The horizon is reached. `in_flight` are the requests that reached the ingress and have no
    /// outcome, `under_way` those that did not reach it yet. What replicas still serve is told
    /// afterwards (the drain) as [`Observer::served`], and what policies reject as
    /// [`Observer::failed`]; nothing else counts any more.
    fn horizon(&mut self, _at: Instant, _in_flight: &[Sent], _under_way: &[Sent]) {}
}

impl From<Instant> for Sent {
    /// What was sent then, where there is only one API.
    #[inline(always)]
    fn from(at: Instant) -> Self {
        Sent { at, api: 0 }
    }
}

impl Served {
    /// Which request it is.
    #[inline(always)]
    pub fn request(&self) -> Sent {
        Sent { at: self.sent, api: self.api }
    }
}

/// A latency objective's view: from the client's sending to its receiving.
pub fn latency(request: &Served, hop: Span) -> Span {
    request.finished.since(request.sent) + hop
}
