//! TLS handshakes: what new connections cost, and whom.
//!
//! ```text
//! connection closed, or its replica or ingress instance lost ─► the next request on it opens one
//!    at a replica: the handshake's CPU time is added to that request's
//!    at an ingress instance: handshakes queue for its cores, and the request waits for its own
//! ```
//!
//! So the loss of a replica or an instance is followed by a storm of handshakes on those that are
//! left: every connection that it had opens anew, when it is used next.
//!
//! Assumptions: each request comes on any of the connections alike; resumption succeeds in a fixed
//! share of the handshakes; an ingress instance does one handshake after the other, as fast as all
//! its cores together. Left out: round trips of a handshake, idle time-outs of connections.

use super::World;
use super::flow::Step;
use super::open::AttemptId;
use crate::observe::Observer;
use crate::observe::count::Count;
use crate::plan::{Plan, Tls, TlsEnd};
use crate::random::{Seed, Stream};
use crate::units::Instant;

/// A connection to an ingress instance, and the requests that it may still carry.
#[derive(Clone, Copy, Debug)]
struct Connection {
    instance: Option<usize>,
    left: u32,
}

/// Connections that clients have to ingress instances, and the luck of handshakes.
#[derive(Debug)]
pub(super) struct Handshakes {
    connections: Vec<Connection>,
    /// When each instance is done with the handshakes it has.
    busy_until: Vec<u64>,
    choice: Stream,
    luck: Stream,
}

impl Handshakes {
    pub fn new(plan: &Plan, seed: Seed) -> Self {
        let count = match plan.surroundings.as_ref().and_then(|around| around.tls) {
            Some(Tls { at: TlsEnd::Ingress { connections, .. }, .. }) => connections,
            _ => 0,
        };
        Handshakes {
            connections: vec![Connection { instance: None, left: 0 }; count],
            busy_until: vec![0; plan.ingress.instances.len()],
            choice: seed.stream("client connections", 0),
            luck: seed.stream("handshakes", 0),
        }
    }
}

impl Handshakes {
    /// An instance is lost, and what it had to do.
    pub fn forget(&mut self, instance: usize) {
        self.busy_until[instance] = 0;
    }
}

impl<O: Observer> World<'_, O> {
    fn tls(&self) -> Option<Tls> {
        self.plan.surroundings.as_ref()?.tls
    }

    /// CPU time of one handshake in nanoseconds; counts it.
    fn shake(&mut self, tls: Tls, born: u64) -> f64 {
        let resumes = self.handshakes.luck.unit() < tls.resumed.0;
        let (count, takes) = match resumes {
            true => (Count::Resumption, tls.resumption),
            false => (Count::Handshake, tls.handshake),
        };
        self.observer.counted(Instant(born), count);
        takes.0 as f64
    }

    /// An attempt came to its replica on a connection that was opened for it.
    pub(super) fn shake_at_replica(&mut self, attempt: AttemptId) {
        let Some(tls) = self.tls().filter(|tls| tls.at == TlsEnd::Replica) else { return };
        let Some(born) = self.exit.attempts.get(attempt).map(|open| open.content.born) else {
            return;
        };
        let takes = self.shake(tls, born);
        if let Some(open) = self.exit.attempts.get_mut(attempt) {
            open.handshake = takes;
        }
    }

    /// The instance that an attempt meets on one of the connections, if connections are told apart
    /// there: at once, or after a handshake. `None` if that has still to come, or if the instance
    /// has vanished.
    #[inline(always)]
    pub(super) fn meet_on_connection(&mut self, at: u64, attempt: AttemptId) -> Met {
        if self.handshakes.connections.is_empty() {
            return Met::Anyone;
        }
        let Some(tls) = self.tls() else { return Met::Anyone };
        let TlsEnd::Ingress { cores, requests, .. } = tls.at else { return Met::Anyone };
        let Self { handshakes, entrance, .. } = self;
        let index = handshakes.choice.below(handshakes.connections.len());
        let connection = &mut handshakes.connections[index];
        let usable = connection.instance.filter(|instance| {
            connection.left > 0
                && entrance.known.contains(instance)
                && entrance.down[*instance] == 0
        });
        if let Some(instance) = usable {
            connection.left -= u32::from(requests.is_some());
            return Met::Instance(instance);
        }
        let Some(instance) = entrance.meet() else {
            connection.instance = None;
            return Met::Nobody;
        };
        let left = requests.map_or(u32::MAX, |requests| requests.saturating_sub(1));
        *connection = Connection { instance: Some(instance), left };
        let Some(open) = self.exit.attempts.get_mut(attempt) else { return Met::Nobody };
        open.instance = instance as u32;
        let born = open.content.born;
        let takes = (self.shake(tls, born) / cores).round() as u64;
        let busy_until = &mut self.handshakes.busy_until[instance];
        *busy_until = at.max(*busy_until).saturating_add(takes);
        self.flow.schedule(*busy_until, Step::Shaken { attempt });
        Met::Later
    }
}

/// Whom an attempt meets at the ingress.
pub(super) enum Met {
    /// Any instance, as if there were no connections.
    Anyone,
    /// This instance.
    Instance(usize),
    /// An instance, after a handshake.
    Later,
    /// One that has vanished.
    Nobody,
}
