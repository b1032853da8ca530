//! The ingress instances: which of them clients meet.
//!
//! ```text
//! up ─ own fault, or outage of its zone ─► vanished ─ clients leave ─► avoided ─┐
//! ▲                                           └──────────── back ───────────────┤
//! └─────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Clients with resolvers and connections of their own leave a vanished instance one by one, each
//! after a fail-over time of its own; where clients are not told apart, each request draws one. So
//! at a time t after the loss the share of clients that still try it is P(fail-over > t). Behind a
//! load balancer with health checks all leave at once.
//!
//! Assumptions: an instance takes with it every request that went through it; clients find it again
//! as soon as it is back. Of a thousand clients the last one to leave ends the fail-over for all.
//! An instance lives in a zone, or outside the zones, and comes back with its zone; it is not
//! replaced elsewhere. Left out: load that an instance cannot carry.

use crate::observe::Leaving;
use crate::plan::Ingress;
use crate::random::{Law, Seed, Stream};
use crate::units::{Instant, Span};

/// Clients whose fail-over times tell when a vanished instance is avoided.
const SAMPLE: u64 = 1_000;

/// A vanished instance that clients leave one by one.
#[derive(Clone, Copy, Debug)]
struct Left {
    instance: usize,
    since: u64,
    /// What the random streams of its clients have in common.
    key: u64,
}

/// The ingress instances as clients see them.
#[derive(Clone, Debug)]
pub(in crate::model) struct Instances {
    /// Instances that clients reach or try to, in order.
    known: Vec<usize>,
    /// How many these are; 0 while clients are about to leave some of them.
    alike: usize,
    /// How many faults keep each instance down, and the incident that took it down.
    down: Vec<u32>,
    lost_in: Vec<usize>,
    /// Known instances that clients are about to leave one by one.
    leaving: Vec<Left>,
    failover: Law,
    seed: Seed,
    stream: Stream,
    /// Fail-over times of requests whose client is not known.
    unknown: Stream,
}

/// Instances all of which are up and known.
pub(super) struct Alike<'a> {
    known: &'a [usize],
    stream: &'a mut Stream,
}

impl Alike<'_> {
    /// The one that the next request meets.
    #[inline(always)]
    pub fn meet(&mut self) -> usize {
        self.known[one_of(self.known.len(), self.stream)]
    }
}

/// One of so many, each alike; of one nothing is drawn.
#[inline(always)]
fn one_of(count: usize, stream: &mut Stream) -> usize {
    if count == 1 { 0 } else { stream.below(count) }
}

impl Instances {
    pub fn new(plan: &Ingress, seed: Seed) -> Self {
        let instances = plan.instances.len();
        Instances {
            known: (0..instances).collect(),
            alike: instances,
            down: vec![0; instances],
            lost_in: vec![0; instances],
            leaving: Vec::new(),
            failover: plan.failover.after.clone(),
            seed,
            stream: seed.stream("ingress", 0),
            unknown: seed.stream("fail-over", u64::MAX),
        }
    }

    /// The instance that a request meets at `at`; `None` if it is a vanished one.
    #[inline(always)]
    pub fn meet(&mut self, at: u64, client: Option<u32>) -> Option<usize> {
        if self.alike == 0 {
            return self.meet_while_leaving(at, client);
        }
        let place = one_of(self.alike, &mut self.stream);
        let instance = self.known[place];
        debug_assert!(instance < self.down.len(), "instance {instance} does not exist");
        (self.down[instance] == 0).then_some(instance)
    }

    /// The instances that requests meet, if clients know none that has vanished.
    pub fn alike(&mut self) -> Option<Alike<'_>> {
        let are_up = self.known.iter().all(|known| self.down[*known] == 0);
        let Instances { known, stream, .. } = self;
        (are_up && self.alike > 0).then_some(Alike { known, stream })
    }

    /// The same where some clients have left a vanished instance and others have not, or all have
    /// left all.
    #[cold]
    fn meet_while_leaving(&mut self, at: u64, client: Option<u32>) -> Option<usize> {
        let mut left = Vec::with_capacity(self.leaving.len());
        for leaving in self.leaving.clone() {
            let after = match client {
                Some(client) => self.leaves_after(leaving.key, u64::from(client)),
                None => self.failover.draw(&mut self.unknown),
            };
            if leaving.since.saturating_add(after.0) <= at {
                left.push(leaving.instance);
            }
        }
        let tried = || self.known.iter().filter(|known| !left.contains(*known));
        let place = match tried().count() {
            0 => return None,
            1 => 0,
            count => self.stream.below(count),
        };
        let instance = *tried().nth(place)?;
        debug_assert!(!left.contains(&instance), "a client meets {instance}, which it has left");
        (self.down[instance] == 0).then_some(instance)
    }

    /// How long after a loss a client leaves.
    fn leaves_after(&self, key: u64, client: u64) -> Span {
        match self.failover {
            Law::Constant(after) => after,
            _ => self.failover.draw(&mut self.seed.stream("fail-over", key ^ client)),
        }
    }

    /// Whether no fault keeps an instance down.
    pub fn is_up(&self, instance: usize) -> bool {
        self.down[instance] == 0
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

    /// Clients begin to leave an instance that an incident takes down now, one by one.
    pub fn begin_leaving(&mut self, instance: usize, incident: usize, now: Instant) -> Leaving {
        let key = ((incident as u64 + 1) << 44) ^ ((instance as u64) << 32);
        // Another fault may have taken it down before.
        if self.lost_in[instance] == incident {
            debug_assert!(self.known.contains(&instance), "{instance} is lost and was not known");
            self.leaving.push(Left { instance, since: now.0, key });
            self.count();
        }
        let mut times: Vec<Span> = (0..SAMPLE).map(|one| self.leaves_after(key, one)).collect();
        times.sort_unstable();
        let [first, .., last] = times[..] else { unreachable!("a thousand clients leave") };
        Leaving { first, half: times[times.len() / 2], last }
    }

    /// Clients stop trying an instance that vanished in this incident and was not back since; says
    /// whether that is so.
    pub fn avoid(&mut self, instance: usize, incident: usize) -> bool {
        let still_lost = self.down[instance] > 0 && self.lost_in[instance] == incident;
        if still_lost {
            self.known.retain(|known| *known != instance);
            self.leaving.retain(|left| left.instance != instance);
            self.count();
        }
        still_lost
    }

    /// What clients know has changed.
    fn count(&mut self) {
        self.alike = if self.leaving.is_empty() { self.known.len() } else { 0 };
    }

    /// One of the faults that keep an instance down is over; without any, clients find it again.
    pub fn bring_back(&mut self, instance: usize) {
        assert!(self.down[instance] > 0, "ingress instance {instance} is up");
        self.down[instance] -= 1;
        if self.down[instance] == 0 {
            self.leaving.retain(|left| left.instance != instance);
            let place = self.known.partition_point(|known| *known < instance);
            if self.known.get(place) != Some(&instance) {
                self.known.insert(place, instance);
            }
            self.count();
            assert!(self.known.is_sorted(), "instances {:?} are out of order", self.known);
            assert!(self.known.len() <= self.down.len(), "more instances than there are");
        }
    }

    /// How many instances clients reach or try to, and how many have vanished.
    pub fn counts(&self) -> (usize, usize) {
        (self.known.len(), self.down.iter().filter(|faults| **faults > 0).count())
    }
}
