//! The ingress instances: which of them clients meet.
//!
//! ```text
//! up ─ own fault, or outage of its zone ─► vanished ─ fail-over ─► avoided ─┐
//! ▲                                           └────────── back ─────────────┤
//! └─────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Assumptions: an instance takes with it every request that went through it; clients meet a
//! vanished one until their fail-over is over and find it again as soon as it is back. An instance
//! lives in a zone, or outside the zones, and comes back with its zone; it is not replaced
//! elsewhere. Left out: health checks of single clients, load that an instance cannot carry.

use crate::random::{Seed, Stream};

/// The ingress instances as clients see them.
#[derive(Clone, Debug)]
pub(in crate::model) struct Instances {
    /// Instances that clients reach or try to, in order.
    known: Vec<usize>,
    /// How many faults keep each instance down, and the incident that took it down.
    down: Vec<u32>,
    lost_in: Vec<usize>,
    stream: Stream,
}

impl Instances {
    pub fn new(instances: usize, seed: Seed) -> Self {
        Instances {
            known: (0..instances).collect(),
            down: vec![0; instances],
            lost_in: vec![0; instances],
            stream: seed.stream("ingress", 0),
        }
    }

    /// The instance that the next request meets; `None` if it is a vanished one.
    #[inline(always)]
    pub fn meet(&mut self) -> Option<usize> {
        let place = match self.known.len() {
            0 => return None,
            1 => 0,
            count => self.stream.below(count),
        };
        let instance = self.known[place];
        debug_assert!(instance < self.down.len(), "instance {instance} does not exist");
        (self.down[instance] == 0).then_some(instance)
    }

    /// Whether clients reach an instance.
    #[inline(always)]
    pub fn is_reachable(&self, instance: usize) -> bool {
        self.down[instance] == 0 && self.known.contains(&instance)
    }

    /// A fault takes an instance down.
    pub fn take_down(&mut self, instance: usize, incident: usize) {
        if self.down[instance] == 0 {
            self.lost_in[instance] = incident;
        }
        self.down[instance] += 1;
    }

    /// Clients stop trying an instance that vanished in this incident and was not back since; says
    /// whether that is so.
    pub fn avoid(&mut self, instance: usize, incident: usize) -> bool {
        let still_lost = self.down[instance] > 0 && self.lost_in[instance] == incident;
        if still_lost {
            self.known.retain(|known| *known != instance);
        }
        still_lost
    }

    /// One of the faults that keep an instance down is over; without any, clients find it again.
    pub fn bring_back(&mut self, instance: usize) {
        assert!(self.down[instance] > 0, "ingress instance {instance} is up");
        self.down[instance] -= 1;
        if self.down[instance] == 0 {
            let place = self.known.partition_point(|known| *known < instance);
            if self.known.get(place) != Some(&instance) {
                self.known.insert(place, instance);
            }
            assert!(self.known.is_sorted(), "instances {:?} are out of order", self.known);
            assert!(self.known.len() <= self.down.len(), "more instances than there are");
        }
    }

    /// How many instances clients reach or try to, and how many have vanished.
    pub fn counts(&self) -> (usize, usize) {
        (self.known.len(), self.down.iter().filter(|faults| **faults > 0).count())
    }
}
