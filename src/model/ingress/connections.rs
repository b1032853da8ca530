//! Client connections that keep their replica, and how they break.
//!
//! ```text
//! closed ─ next request: a replica at random ─┬─ listens ─────► open to it
//!    ▲                                        └─ dead address ─► that request fails, or tries on
//!    ├── requests used up, too old, replica out of rotation ──┤
//!    ├── idle for too long ─ the request just meets it: fails ┤
//!    ├── reset, met by a request: it fails ◄── process ended ─┤
//!    └── first request on it gives up ◄─ hangs ◄ machine gone ┘
//! ```
//!
//! A process that ends resets its connections. Whoever had a request in flight knows it at once.
//! Others find out when they use the connection next: after a pause they look at it first and open
//! another one, in the midst of traffic they trust it and their request fails. A machine that
//! vanishes resets nothing: what is sent on a connection to it is sent again by TCP and never
//! answered, and what it had is never answered either.
//!
//! A client closes a connection that it has not used for some time, and so does a replica. What a
//! client sends less than a round trip before it would hear of that arrives after the replica has
//! closed: it is lost. So a client's idle time-out must be the shorter one, by a round trip. A
//! connection that is too old is closed between two requests (Envoy drains it) and costs none.
//!
//! Assumptions: nobody uses a connection from the sending of its last request on; a connection
//! carries several requests at once, and a client closes one on which it
//! has waited in vain; the next request opens it anew, each with a fresh draw. A client that meets
//! a reset does not send the same request again by itself. Left out: the jitter of an age, and that
//! clients close a connection to a replica that is merely slow when they give up.

use crate::observe::ReplicaId;
use crate::plan::Closing;
use crate::random::Stream;
use crate::units::Span;

/// How long TCP sends again what is not acknowledged before it gives a connection up: Linux with
/// `tcp_retries2` = 15.
pub(in crate::model) const RETRANSMISSION: Span = Span(924_600_000_000);

/// A client connection.
#[derive(Clone, Copy, Debug, Default)]
struct Connection {
    /// The replica that it leads to; `None` = closed.
    replica: Option<ReplicaId>,
    /// The process there that accepted it.
    process: u32,
    /// Requests that it may still carry.
    left: u32,
    /// When it was used last.
    used: u64,
    /// When the first request that hangs on it gives up; 0 = none hangs.
    closes: u64,
    /// When it is too old, and from when on it may be closed for that or for nobody using it.
    expires: u64,
    stale: u64,
}

/// What is at the address of a replica.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    /// The process that listens, or listened last plus one.
    pub process: u32,
    /// Whether its machine is gone.
    pub silent: bool,
}

/// Who sends a request, and when.
#[derive(Clone, Copy, Debug)]
pub(in crate::model) struct Sender {
    pub at: u64,
    /// The user who owns the connection; `None` = any connection carries the request.
    pub user: Option<u32>,
    /// The user, or the one of several clients, who sends it, if that is known.
    pub client: Option<u32>,
}

/// A connection that cannot carry a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// The request meets its reset.
    Reset,
    /// The request comes when it is just being closed because nobody used it.
    Idle,
    /// The request hangs on it.
    Hangs,
}

/// What a request finds on its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnConnection {
    /// This replica.
    Open(ReplicaId),
    /// Nothing: it is closed, and to be opened.
    Closed,
    /// It leads to this replica and cannot carry the request.
    Broken(Broken, ReplicaId),
}

/// All client connections.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    all: Vec<Connection>,
    /// Requests that one carries; `None` = any number.
    requests: Option<u32>,
    /// A pause after which a client looks at a connection before it uses it.
    idle_check: u64,
    /// The age at which one is closed, and the pauses after which its client and its replica do.
    age: u64,
    client_idle: u64,
    server_idle: u64,
    /// The pause from which on one may be closed.
    idle: u64,
    /// How long a client waits for what is never answered.
    patience: u64,
    /// The connection that was asked for last.
    current: usize,
}

impl Connections {
    /// So many connections, all closed.
    pub fn new(count: usize, requests: Option<u32>, idle_check: Span, patience: Span) -> Self {
        let all = vec![Connection::default(); count];
        let (idle_check, patience, never) = (idle_check.0, patience.0, u64::MAX);
        let (age, client_idle, server_idle, idle) = (never, never, never, never);
        Connections {
            all,
            requests,
            idle_check,
            age,
            client_idle,
            server_idle,
            idle,
            patience,
            current: 0,
        }
    }

    /// The same, closed by these rules; a client hears of it half a round trip later.
    #[must_use]
    pub fn closing(self, rules: Closing, round_trip: Span) -> Self {
        let (client_idle, server_idle) = (rules.client_idle.0, rules.server_idle.0);
        let idle = client_idle.min(server_idle.saturating_sub(round_trip.0));
        let age = rules.age.map_or(u64::MAX, |age| age.0);
        Connections { age, client_idle, server_idle, idle, ..self }
    }

    /// What a request finds on its user's connection, or on any.
    #[inline(always)]
    pub fn find(
        &mut self,
        sender: Sender,
        stream: &mut Stream,
        peer: impl Fn(ReplicaId) -> Peer,
    ) -> OnConnection {
        self.current = match sender.user {
            Some(user) => user as usize % self.all.len(),
            None => stream.below(self.all.len()),
        };
        debug_assert!(self.current < self.all.len(), "{sender:?} has no connection");
        let connection = &mut self.all[self.current];
        let Some(id) = connection.replica.filter(|_| connection.left > 0) else {
            return OnConnection::Closed;
        };
        let Peer { process, silent } = peer(id);
        if sender.at >= connection.stale {
            let ended = process != connection.process;
            return self.find_stale(sender.at, id, (ended, silent));
        }
        if process != connection.process {
            return self.find_broken(sender.at, id, silent);
        }
        connection.used = sender.at;
        connection.stale = connection.expires.min(sender.at.saturating_add(self.idle));
        connection.left -= u32::from(self.requests.is_some());
        OnConnection::Open(id)
    }

    /// What a request finds on a connection that is too old, or was not used for long.
    #[cold]
    fn find_stale(
        &mut self,
        at: u64,
        id: ReplicaId,
        (ended, silent): (bool, bool),
    ) -> OnConnection {
        let connection = self.all[self.current];
        debug_assert!(connection.used <= at, "{connection:?} is used in the future, at {at}");
        let pause = at - connection.used;
        if ended && pause < self.client_idle {
            return self.find_broken(at, id, silent); // nobody is left to close it
        }
        self.close_current();
        let is_known = at >= connection.expires || pause >= self.client_idle.min(self.server_idle);
        if ended || is_known {
            OnConnection::Closed
        } else {
            OnConnection::Broken(Broken::Idle, id)
        }
    }

    #[cold]
    fn find_broken(&mut self, at: u64, id: ReplicaId, silent: bool) -> OnConnection {
        let connection = &mut self.all[self.current];
        debug_assert!(connection.used <= at, "{connection:?} is used in the future, at {at}");
        if silent && connection.closes == 0 {
            connection.closes = at.saturating_add(self.patience).max(1);
        }
        if silent && at < connection.closes {
            return OnConnection::Broken(Broken::Hangs, id);
        }
        let pause = at - connection.used;
        let hung = std::mem::take(connection).closes > 0;
        if hung || pause > self.idle_check {
            OnConnection::Closed
        } else {
            OnConnection::Broken(Broken::Reset, id)
        }
    }

    /// The connection that was asked for last.
    pub fn current(&self) -> usize {
        self.current
    }

    /// A connection is open to a process of a replica, and carries a request there.
    #[inline(always)]
    pub fn open(&mut self, index: usize, replica: ReplicaId, process: u32, at: u64) {
        debug_assert!(index < self.all.len(), "there is no connection {index}");
        let left = self.requests.map_or(u32::MAX, |requests| requests.saturating_sub(1));
        let replica = Some(replica);
        let expires = at.saturating_add(self.age);
        let stale = expires.min(at.saturating_add(self.idle));
        self.all[index] =
            Connection { replica, process, left, used: at, closes: 0, expires, stale };
    }

    /// Whether a connection leads anywhere.
    pub fn is_open(&self, index: usize) -> bool {
        self.all[index].replica.is_some()
    }

    /// Nobody listens where the connection that was asked for last leads.
    pub fn close_current(&mut self) {
        self.all[self.current] = Connection::default();
    }

    /// A process of a replica has ended with requests in flight: who sent them knows that their
    /// connections are closed. Those whose user is not known came on any of its connections.
    pub fn close_in_flight(
        &mut self,
        replica: ReplicaId,
        process: u32,
        users: impl Iterator<Item = Option<u32>>,
        stream: &mut Stream,
    ) {
        let led_there = |c: &Connection| c.replica == Some(replica) && c.process == process;
        let indices = 0..self.all.len();
        let there: Vec<usize> = indices.filter(|index| led_there(&self.all[*index])).collect();
        for user in users {
            let index = match user {
                Some(user) => user as usize % self.all.len(),
                None if there.is_empty() => return,
                None => there[stream.below(there.len())],
            };
            if led_there(&self.all[index]) {
                self.all[index] = Connection::default();
            }
        }
    }

    /// A replica is out of rotation: no connection leads there any more.
    pub fn leave(&mut self, replica: ReplicaId) {
        let led_there = self.all.iter_mut().filter(|c| c.replica == Some(replica));
        led_there.for_each(|connection| *connection = Connection::default());
    }
}
