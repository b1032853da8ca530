//! What each ingress instance has seen of replicas' answers.
//!
//! Whoever ends a request notes here how its replica did; the balancer asks before it chooses. So
//! the two need not know of each other.
//!
//! Outlier detection is that of [`Outliers`], each instance for itself, over what is in rotation: a
//! replica that comes into rotation is a new one of which nothing is known.

use crate::observe::ReplicaId;
use crate::observe::ledger::Failure;
use crate::plan::{Balancing, Plan};
use crate::policy::latency::Latencies;
use crate::policy::outlier::{Outliers, Response};
use crate::units::{Instant, Span};

/// What the instances have seen.
#[derive(Debug)]
pub(in crate::model) struct Seen {
    /// One for each instance; none without outlier detection.
    outliers: Vec<Outliers>,
    /// How fast replicas answered each instance; none where that does not matter.
    latencies: Vec<Latencies>,
    /// The replicas that outlier detection knows, by their places.
    places: Vec<Option<ReplicaId>>,
    /// Counts the changes that matter to the choice of a replica.
    pub version: u64,
    /// Whether it matters what becomes of requests in replicas.
    pub tracks: bool,
}

/// How a replica did, as an instance sees it; `None` if the failure says nothing of it.
pub(in crate::model) fn response(failure: Failure) -> Option<Response> {
    match failure {
        Failure::NoReadyReplica | Failure::GivenUp => None,
        Failure::IngressDown | Failure::LostWithIngress => None,
        Failure::LostInFlight | Failure::DeadAddress | Failure::TimedOut => {
            Some(Response::GatewayFailure)
        }
        answered => Some(match answered.status() {
            Some(502..=504) => Response::GatewayFailure,
            Some(500..) => Response::Error,
            _ => Response::Fine,
        }),
    }
}

impl Seen {
    pub fn new(plan: &Plan) -> Self {
        let of_each = |spec| Outliers::new(spec, 0);
        let instances = 0..plan.ingress.instances.len();
        let outliers = plan.ingress.outliers.map(|spec| instances.map(|_| of_each(spec)).collect());
        Seen {
            outliers: outliers.unwrap_or_default(),
            latencies: match plan.ingress.balancing {
                Balancing::Latency(decay) => {
                    vec![Latencies::new(decay); plan.ingress.instances.len()]
                }
                _ => Vec::new(),
            },
            places: Vec::new(),
            version: 0,
            tracks: plan.ingress.tracks(),
        }
    }

    /// Whether instances judge replicas by their answers.
    pub fn judges(&self) -> bool {
        !self.outliers.is_empty()
    }

    fn place(&self, replica: ReplicaId) -> Option<usize> {
        self.places.iter().position(|known| *known == Some(replica))
    }

    /// Notes how a replica did for an instance. If it is ejected by that: by how many instances it
    /// is now.
    pub fn note(
        &mut self,
        now: Instant,
        instance: usize,
        replica: ReplicaId,
        response: Response,
    ) -> Option<usize> {
        let place = self.place(replica)?;
        let ejected = self.outliers.get_mut(instance)?.note(now, place, response);
        self.version += u64::from(ejected);
        ejected.then(|| self.ejected_by(replica))
    }

    /// By how many instances a replica is ejected.
    pub fn ejected_by(&self, replica: ReplicaId) -> usize {
        (0..self.outliers.len()).filter(|instance| self.is_ejected(*instance, replica)).count()
    }

    /// Whether an instance has ejected a replica.
    pub fn is_ejected(&self, instance: usize, replica: ReplicaId) -> bool {
        let outliers = self.outliers.get(instance);
        outliers.zip(self.place(replica)).is_some_and(|(outliers, at)| outliers.is_ejected(at))
    }

    /// Every instance looks at how replicas did since it last looked; gives those that are ejected
    /// by more or fewer instances than before, and by how many.
    pub fn sweep(&mut self, now: Instant) -> Vec<(ReplicaId, usize)> {
        let count = |seen: &Seen| -> Vec<(ReplicaId, usize)> {
            let known = seen.places.iter().flatten();
            known.map(|replica| (*replica, seen.ejected_by(*replica))).collect()
        };
        let before = count(self);
        self.outliers.iter_mut().for_each(|outliers| outliers.sweep(now));
        self.version += 1;
        count(self).into_iter().filter(|now| !before.contains(now)).collect()
    }

    /// A replica kept a request of an instance for so long.
    pub fn note_latency(&mut self, now: Instant, instance: usize, replica: ReplicaId, took: Span) {
        if let Some(latencies) = self.latencies.get_mut(instance) {
            latencies.note(now, replica, took);
        }
    }

    /// How slow an instance takes a replica for that has so many requests from it.
    pub fn score(&self, now: Instant, instance: usize, replica: ReplicaId, requests: u32) -> f64 {
        let latencies = self.latencies.get(instance);
        debug_assert!(latencies.is_some(), "nobody remembers how fast replicas answer");
        latencies.map_or(0.0, |latencies| latencies.score(now, replica, requests))
    }

    /// A replica comes into rotation.
    pub fn join(&mut self, now: Instant, replica: ReplicaId) {
        self.latencies.iter_mut().for_each(|one| one.join(now, replica));
        if self.outliers.is_empty() {
            return;
        }
        let free = self.places.iter().position(Option::is_none);
        let place = free.unwrap_or(self.places.len());
        assert!(self.place(replica).is_none(), "replica {replica} is known already");
        self.places.resize(self.places.len().max(place + 1), None);
        self.places[place] = Some(replica);
        self.outliers.iter_mut().for_each(|outliers| outliers.join(place));
    }

    /// A replica leaves it.
    pub fn leave(&mut self, replica: ReplicaId) {
        self.latencies.iter_mut().for_each(|one| one.leave(replica));
        let Some(place) = self.place(replica) else { return };
        self.places[place] = None;
        self.outliers.iter_mut().for_each(|outliers| outliers.leave(place));
    }
}
