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
//! Assumptions: a user of a closed loop or a session owns a connection, other requests come on any
//! of them alike; resumption succeeds in a fixed share of the handshakes; an ingress instance does
//! one handshake after the other, as fast as all its cores together. Left out: round trips of a
//! handshake, idle time-outs of connections.

use super::Requests;
use super::attempt::{AttemptId, Step};
use crate::model::context::Context;
use crate::model::ingress::connections::Sender;
use crate::model::ingress::routing::Ingress;
use crate::observe::Observer;
use crate::observe::count::Count;
use crate::plan::{Plan, Tls, TlsEnd};
use crate::random::{Seed, Stream};

/// A connection to an ingress instance, and the requests that it may still carry.
#[derive(Clone, Copy, Debug)]
struct ClientConnection {
    instance: Option<usize>,
    left: u32,
}

/// Connections that clients have to ingress instances, and the handshakes that these have to do.
#[derive(Debug)]
pub(in crate::model) struct Handshakes {
    connections: Vec<ClientConnection>,
    /// When each instance is done with the handshakes it has.
    busy_until: Vec<u64>,
    choice: Stream,
    stream: Stream,
}

impl Handshakes {
    pub fn new(plan: &Plan, seed: Seed) -> Self {
        let count = match plan.dependencies.tls {
            Some(Tls { at: TlsEnd::Ingress { connections, .. }, .. }) => connections,
            _ => 0,
        };
        Handshakes {
            connections: vec![ClientConnection { instance: None, left: 0 }; count],
            busy_until: vec![0; plan.ingress.instances.len()],
            choice: seed.stream("client connections", 0),
            stream: seed.stream("handshakes", 0),
        }
    }
}

impl Handshakes {
    /// An instance is lost, and what it had to do.
    pub fn forget(&mut self, instance: usize) {
        self.busy_until[instance] = 0;
    }
}

impl Requests {
    /// CPU time of the handshake of an attempt's connection in nanoseconds; counts it.
    pub(super) fn handshake(&mut self, cx: &mut Context, tls: Tls, attempt: AttemptId) -> f64 {
        let resumes = self.handshakes.stream.unit() < tls.resumed.0;
        let (count, takes) = match resumes {
            true => (Count::Resumption, tls.resumption),
            false => (Count::Handshake, tls.handshake),
        };
        let sent = cx.in_flight.attempts[attempt].content.sent();
        cx.listener.counted(sent, count);
        takes.0 as f64
    }

    /// The instance that an attempt meets on one of the connections, if connections are told apart
    /// there: at once, or after a handshake.
    #[inline(always)]
    pub(super) fn meet_on_connection(
        &mut self,
        cx: &mut Context,
        ingress: &mut Ingress,
        sender: Sender,
        attempt: AttemptId,
    ) -> Met {
        if self.handshakes.connections.is_empty() {
            return Met::Anyone;
        }
        let tls = cx.plan.dependencies.tls.expect("connections are told apart for TLS alone");
        let TlsEnd::Ingress { cores, requests, .. } = tls.at else {
            unreachable!("connections end at the ingress");
        };
        debug_assert!(cores > 0.0, "an instance with {cores} cores never shakes hands");
        let handshakes = &mut self.handshakes;
        let count = handshakes.connections.len();
        let owned = sender.user.map(|user| user as usize % count);
        let index = owned.unwrap_or_else(|| handshakes.choice.below(count));
        let connection = &mut handshakes.connections[index];
        let has_left = connection.left > 0;
        let usable =
            connection.instance.filter(|instance| has_left && ingress.is_reachable(*instance));
        if let Some(instance) = usable {
            connection.left -= u32::from(requests.is_some());
            return Met::Instance(instance);
        }
        let Some(instance) = ingress.meet(sender.at, Some(index as u32)) else {
            connection.instance = None;
            return Met::Nobody;
        };
        let left = requests.map_or(u32::MAX, |requests| requests.saturating_sub(1));
        *connection = ClientConnection { instance: Some(instance), left };
        cx.in_flight.attempts[attempt].instance = instance as u32;
        let takes = (self.handshake(cx, tls, attempt) / cores).round() as u64;
        let busy_until = &mut self.handshakes.busy_until[instance];
        *busy_until = sender.at.max(*busy_until).saturating_add(takes);
        let done = *busy_until;
        self.schedule(done, Step::Handshaken { attempt });
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
