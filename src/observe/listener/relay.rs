//! How one listener is told of several regions, each of which numbers its replicas, slots and
//! incidents for itself.
//!
//! Regions take turns: the listener is handed from relay to relay, and only the region that has it
//! goes on. To the listener all of it is one gateway: its zones are those of all regions in turn,
//! and its requests are told apart by region.

use super::audience::Audience;
use crate::observe::count::Count;
use crate::observe::ledger::Failure;
use crate::observe::{ApiId, Observation, Observer, Reading, ReplicaId, Sent, Served};
use crate::units::{Instant, Span};
use std::collections::BTreeSet;

/// Where a region stands among all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayPlace {
    /// Its index.
    pub region: usize,
    /// How many there are.
    pub regions: usize,
    /// Its name.
    pub name: String,
    /// Zones of the regions before it.
    pub zones_before: usize,
    /// Network between clients and its replicas, both ways together, that is added to each answer:
    /// of clients that are at home in the region, …
    pub own: Span,
    /// … and of others.
    pub others: Span,
}

/// Who is told, and what the regions that share it have numbered so far.
pub struct Turn<'a> {
    /// Who is told.
    pub audience: Audience<'a>,
    replicas: usize,
}

impl<'a> Turn<'a> {
    /// For regions that have told nothing yet.
    pub fn new(audience: Audience<'a>) -> Self {
        Turn { audience, replicas: 0 }
    }
}

/// Tells the facts of one region while it is its turn.
pub struct Relay<'a> {
    turn: Option<Turn<'a>>,
    place: RelayPlace,
    /// The number of each of its replicas among those of all regions.
    replicas: Vec<ReplicaId>,
    /// When the requests were sent that are on their way and come from clients of other regions,
    /// if these are farther away.
    away: BTreeSet<Instant>,
}

/// The number of an incident among those of all regions; `region` is one more than there are for
/// those that belong to none.
pub fn incident_of_all(incident: usize, region: usize, regions: usize) -> usize {
    debug_assert!(region <= regions, "region {region} of {regions}");
    incident * (regions + 1) + region
}

impl<'a> Relay<'a> {
    /// For a region that waits for its turn.
    pub fn new(place: RelayPlace) -> Self {
        Relay { turn: None, place, replicas: Vec::new(), away: BTreeSet::new() }
    }

    /// It is this region's turn.
    pub fn take(&mut self, turn: Turn<'a>) {
        assert!(self.turn.is_none(), "it is the turn of {} already", self.place.name);
        self.turn = Some(turn);
    }

    /// It was this region's turn.
    pub fn give(&mut self) -> Turn<'a> {
        self.turn.take().expect("who gives the turn has it")
    }

    #[inline(always)]
    fn audience(&mut self) -> &mut Audience<'a> {
        &mut self.turn.as_mut().expect("a region tells in its turn alone").audience
    }

    /// A request comes from clients of another region.
    pub fn note_away(&mut self, sent: Instant) {
        let is_new = self.away.insert(sent);
        assert!(is_new, "two requests are sent at {sent}");
    }

    /// The network on the way back to whoever sent a request, which is over.
    #[inline(always)]
    fn way(&mut self, sent: Instant) -> Span {
        match !self.away.is_empty() && self.away.remove(&sent) {
            true => self.place.others,
            false => self.place.own,
        }
    }

    fn sent(&self, request: Sent) -> Sent {
        Sent { api: self.place.region as ApiId, ..request }
    }

    /// What a replica of the region shows, under its number among all.
    pub fn reading(&self, reading: &Reading) -> Reading {
        Reading { replica: self.replicas[reading.replica], ..*reading }
    }

    /// Requests of the region, told apart from those of others.
    pub fn all_sent(&self, requests: &[Sent]) -> Vec<Sent> {
        requests.iter().map(|request| self.sent(*request)).collect()
    }

    fn replica(&self, replica: ReplicaId) -> ReplicaId {
        self.replicas[replica]
    }

    fn slot(&self, slot: usize) -> usize {
        slot * self.place.regions + self.place.region
    }

    fn incident(&self, incident: usize) -> usize {
        incident_of_all(incident, self.place.region, self.place.regions)
    }

    fn zone(&self, zone: usize) -> usize {
        self.place.zones_before + zone
    }

    fn subject(&self, subject: &str) -> String {
        match subject {
            "the region" => format!("region {}", self.place.name),
            "the control plane" => subject.to_owned(),
            _ => format!("{subject} of {}", self.place.name),
        }
    }

    /// A fact of the region as one of all regions; takes note of new replicas.
    fn translated(&mut self, observation: &Observation) -> Observation {
        use Observation as O;
        if let O::Created { replica, .. } = observation {
            assert_eq!(*replica, self.replicas.len(), "replicas are numbered in order");
            let turn = self.turn.as_mut().expect("a region tells in its turn alone");
            self.replicas.push(turn.replicas);
            turn.replicas += 1;
        }
        let mut told = observation.clone();
        match &mut told {
            O::Created { replica, slot, zone, name } => {
                *replica = self.replica(*replica);
                (*slot, *zone) = (self.slot(*slot), self.zone(*zone));
                *name = format!("{}/{name}", self.place.name);
            }
            O::Entered { replica, .. }
            | O::JoinedRotation { replica }
            | O::LeftRotation { replica }
            | O::Speed { replica, .. }
            | O::FetchFailed { replica, .. }
            | O::ContractsLoaded { replica }
            | O::ContractsMissing { replica }
            | O::ProbesFailed { replica, .. }
            | O::UpstreamFailedProbe { replica, .. }
            | O::OutOfMemory { replica } => *replica = self.replica(*replica),
            O::Avoided(avoided) => avoided.replica = self.replica(avoided.replica),
            O::FaultInjected { incident, slots, subject, .. } => {
                *incident = self.incident(*incident);
                slots.iter_mut().for_each(|slot| *slot = self.slot(*slot));
                *subject = self.subject(subject);
            }
            O::FaultTakes { incident, slot } => {
                (*incident, *slot) = (self.incident(*incident), self.slot(*slot));
            }
            O::FaultEnded { incident, .. }
            | O::Rollout { incident, .. }
            | O::ClientsLeave { incident, .. }
            | O::InstancesAvoided { incident, .. } => *incident = self.incident(*incident),
            O::Unschedulable { slot, .. } | O::SlotGone { slot } => *slot = self.slot(*slot),
            O::Node { zone, name, .. } => {
                *zone = self.zone(*zone);
                *name = format!("{}/{name}", self.place.name);
            }
            O::Evictions { zone, .. } | O::ZoneReturned { zone, .. } => *zone = self.zone(*zone),
            O::Region { .. } | O::ClientsGiven { .. } | O::ClientsMoved { .. } => {
                unreachable!("what regions share is told by none of them")
            }
            O::Decided { region, .. }
            | O::ApiServerBack { region, .. }
            | O::Ingress { region, .. } => {
                *region = self.place.region;
            }
            O::FaultMissed { .. } | O::Boundary => {}
        }
        told
    }
}

impl Observer for Relay<'_> {
    #[inline(always)]
    fn offered(&mut self, request: Sent) {
        let request = self.sent(request);
        self.audience().offered(request);
    }

    #[inline(always)]
    fn served(&mut self, request: &Served) {
        let told = Served {
            api: self.place.region as ApiId,
            replica: self.replicas[request.replica],
            finished: request.finished + self.way(request.sent),
            ..*request
        };
        self.audience().served(&told);
    }

    fn failed(&mut self, request: Sent, at: Instant, failure: Failure) {
        self.way(request.at);
        let request = self.sent(request);
        self.audience().failed(request, at, failure);
    }

    fn tried_again(&mut self, request: Sent) {
        let request = self.sent(request);
        self.audience().tried_again(request);
    }

    fn attempt_failed(&mut self, request: Sent, failure: Failure) {
        let request = self.sent(request);
        self.audience().attempt_failed(request, failure);
    }

    fn counted(&mut self, request: Sent, count: Count) {
        let request = self.sent(request);
        self.audience().counted(request, count);
    }

    fn observe(&mut self, at: Instant, observation: &Observation) {
        let told = self.translated(observation);
        self.audience().observe(at, &told);
    }

    fn sampled(&mut self, _: Instant, _: &[Reading], _: u64) {
        unreachable!("all regions are sampled together");
    }

    fn bin_ended(&mut self, _: Instant, _: &[Reading]) {
        unreachable!("the bins of all regions end together");
    }

    fn attempts_left(&mut self, _: &[Sent]) {
        unreachable!("the runs of all regions end together");
    }

    fn horizon(&mut self, _: Instant, _: &[Sent], _: &[Sent]) {
        unreachable!("the runs of all regions end together");
    }
}
