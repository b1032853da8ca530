//! What each ingress instance uses of the rotation, where that is not all of it.
//!
//! ```text
//! in rotation ─► found healthy ─► not ejected ─┬─ enough of them ─────────────► sound
//!                                              └─ fewer than the panic share ─► all are sound
//! sound ─┬─ zones are preferred, and some are in the instance's ─► these are used
//!        └─ else ────────────────────────────────────────────────► all are used
//! ```
//!
//! The preference is that of `trafficDistribution: PreferSameZone`: all or nothing, whatever the
//! load. Left out: Envoy's zone-aware routing, which sends the excess of a zone elsewhere, weights
//! of zones, and a preference of the same node.
//!
//! Turns go on where they were when the view changes: the next replica is the first behind the one
//! that was chosen last, in order of slots.

use super::seen::Seen;
use crate::observe::ReplicaId;
use crate::plan::{Balancing, Ingress, Slot, ZoneId};
use crate::random::Stream;
use crate::units::{Instant, Share};

/// An address that ingress instances know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Endpoint {
    pub slot: Slot,
    pub replica: ReplicaId,
    pub zone: ZoneId,
}

/// What an instance knows of an address whose checks fail, or failed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CheckedAddress {
    /// When it is checked next, and whether a check is waited for.
    pub next: Instant,
    pub waits: bool,
    pub unhealthy: bool,
    /// Whether it is new and has passed none yet.
    pub fresh: bool,
    /// Failures, and successes, in a row.
    pub failures: u32,
    pub successes: u32,
}

/// What an instance uses.
#[derive(Clone, Debug, Default)]
struct View {
    /// In order of their slots.
    used: Vec<Endpoint>,
    /// Those whose open connections are kept.
    sound: Vec<Endpoint>,
    /// The zone that it prefers.
    home: Option<ZoneId>,
    /// Those that fail its health checks.
    unhealthy: Vec<ReplicaId>,
    /// Who was chosen last in turn, in all, and in each zone; and the zone whose turn is next.
    last: Option<Endpoint>,
    last_of_zone: Vec<Option<Endpoint>>,
    zone: usize,
}

/// The first of some endpoints in order that is behind another one, or the first of all.
fn behind(endpoints: &[Endpoint], last: Option<Endpoint>) -> Option<Endpoint> {
    let place = endpoints.partition_point(|endpoint| Some(*endpoint) <= last);
    endpoints.get(place).or(endpoints.first()).copied()
}

impl View {
    fn turn(&mut self) -> Option<Endpoint> {
        self.last = behind(&self.used, self.last);
        debug_assert_eq!(self.last.is_none(), self.used.is_empty(), "it is somebody's turn");
        self.last
    }

    fn turn_by_zone(&mut self) -> Option<Endpoint> {
        let zones = self.last_of_zone.len();
        let has = |zone: &usize| self.used.iter().any(|endpoint| endpoint.zone == *zone);
        let zone =
            (self.zone..self.zone + zones).map(|zone| zone % zones).find(|zone| has(zone))?;
        self.zone = zone + 1;
        let here = self.used.iter().filter(|endpoint| endpoint.zone == zone);
        let here: Vec<Endpoint> = here.copied().collect();
        assert!(!here.is_empty(), "zone {zone} has nobody and its turn");
        self.last_of_zone[zone] = behind(&here, self.last_of_zone[zone]);
        self.last_of_zone[zone]
    }

    fn at_random(&self, stream: &mut Stream) -> Option<Endpoint> {
        match self.used.len() {
            0 => None,
            count => Some(self.used[stream.below(count)]),
        }
    }
}

/// The views of all instances.
#[derive(Clone, Debug)]
pub(super) struct Views {
    all: Vec<View>,
    panic: Share,
    /// Whether the rotation or what checks say of it has changed, and what was seen when they were
    /// made last.
    stale: bool,
    version: u64,
}

impl Views {
    pub fn new(ingress: &Ingress, zones: usize) -> Self {
        let view = |home: &Option<ZoneId>| View {
            last_of_zone: vec![None; zones],
            home: home.filter(|_| ingress.prefer_zone),
            ..View::default()
        };
        let all: Vec<View> = ingress.instances.iter().map(view).collect();
        assert!(!all.is_empty(), "an ingress has instances");
        Views { all, panic: ingress.panic, stale: true, version: 0 }
    }

    /// The rotation has changed.
    pub fn change(&mut self) {
        self.stale = true;
    }

    /// A replica leaves the rotation: nothing is known of it any more.
    pub fn forget(&mut self, replica: ReplicaId) {
        self.all.iter_mut().for_each(|view| view.unhealthy.retain(|known| *known != replica));
        self.stale = true;
    }

    /// An instance finds a replica unhealthy, or healthy again.
    pub fn judge(&mut self, instance: usize, replica: ReplicaId, healthy: bool) {
        let unhealthy = &mut self.all[instance].unhealthy;
        assert_eq!(unhealthy.contains(&replica), healthy, "{replica} is judged as it was");
        unhealthy.retain(|known| *known != replica);
        unhealthy.extend((!healthy).then_some(replica));
        self.stale = true;
    }

    /// Instance i begins at endpoint i.
    pub fn align(&mut self, endpoints: &[Endpoint]) {
        for (instance, view) in self.all.iter_mut().enumerate() {
            let before = (instance % endpoints.len().max(1)).checked_sub(1);
            view.last = before.map(|before| endpoints[before]);
            view.zone = instance;
        }
    }

    /// Brings what instances use up to date.
    pub fn refresh(&mut self, endpoints: &[Endpoint], seen: &Seen) {
        if !std::mem::take(&mut self.stale) && self.version == seen.version {
            return;
        }
        self.version = seen.version;
        let least = self.panic.0 * endpoints.len() as f64;
        for (instance, view) in self.all.iter_mut().enumerate() {
            let sound = |endpoint: &&Endpoint| {
                !view.unhealthy.contains(&endpoint.replica)
                    && !seen.is_ejected(instance, endpoint.replica)
            };
            let sound: Vec<Endpoint> = endpoints.iter().filter(sound).copied().collect();
            let panics = (sound.len() as f64) < least;
            view.sound = if panics { endpoints.to_vec() } else { sound };
            let near = view.sound.iter().filter(|endpoint| Some(endpoint.zone) == view.home);
            let near: Vec<Endpoint> = near.copied().collect();
            view.used = if near.is_empty() { view.sound.clone() } else { near };
            debug_assert!(view.used.is_sorted(), "endpoints stand in order of their slots");
            assert!(view.used.len() <= endpoints.len(), "{instance} uses more than there are");
            assert_eq!(view.used.is_empty(), view.sound.is_empty(), "{instance} uses nobody");
        }
    }

    /// What an instance uses, which is up to date.
    pub fn of(&self, instance: usize) -> &[Endpoint] {
        debug_assert!(!self.stale, "the view of instance {instance} is out of date");
        &self.all[instance].used
    }

    /// Whether an instance keeps the connections that it has to a replica.
    pub fn keeps(&self, instance: usize, replica: ReplicaId) -> bool {
        debug_assert!(!self.stale, "the view of instance {instance} is out of date");
        self.all[instance].sound.iter().any(|endpoint| endpoint.replica == replica)
    }

    /// How many instances would not use a replica, wherever it is.
    pub fn avoided_by(&self, replica: ReplicaId) -> usize {
        let avoids = |view: &&View| view.sound.iter().all(|endpoint| endpoint.replica != replica);
        self.all.iter().filter(avoids).count()
    }

    /// The replica for the next request at an instance, from which a replica has so many.
    pub fn pick(
        &mut self,
        instance: usize,
        rule: Balancing,
        stream: &mut Stream,
        requests_at: impl Fn(ReplicaId) -> u32,
    ) -> Option<ReplicaId> {
        let view = &mut self.all[instance];
        let endpoint = match rule {
            Balancing::RoundRobin => view.turn(),
            Balancing::ZoneThenReplica => view.turn_by_zone(),
            Balancing::Random
            | Balancing::PerConnection { .. }
            | Balancing::Latency(_)
            | Balancing::Cookie
            | Balancing::Hash => view.at_random(stream),
            Balancing::LeastRequest => {
                let (one, other) = (view.at_random(stream)?, view.at_random(stream)?);
                let fewer = requests_at(other.replica) < requests_at(one.replica);
                Some(if fewer { other } else { one })
            }
        };
        debug_assert!(endpoint.is_none_or(|one| view.used.contains(&one)), "{endpoint:?}");
        endpoint.map(|endpoint| endpoint.replica)
    }
}
