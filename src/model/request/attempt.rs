//! Requests without an outcome and attempts without an end, where requests feed back.
//!
//! ```text
//! request ── attempt ─► under way ─► CPU ─► upstream ─► returning ─► answered
//!    ▲         │           │          └ rejected          │
//!    │         └───────────┴─ failed ◄──────┴─────────────┘ given up: the attempt may go on,
//!    └── waits, tries again ◄─┘                              with nobody waiting for it
//! ```
//!
//! A request belongs to its client, from its first sending to its outcome; an attempt is the work
//! that it causes. When a client gives up, the two part.

use slotmap::{Key, KeyData, SlotMap, new_key_type};

use crate::engine::jobs::JobId;
use crate::observe::ledger::Failure;
use crate::observe::{ReplicaId, Sent};
use crate::units::Instant;

new_key_type! {
    /// Names a request that waits for its next attempt.
    pub(in crate::model) struct RequestId;
    /// Names an attempt without an end.
    pub(in crate::model) struct AttemptId;
}

impl From<AttemptId> for JobId {
    #[inline(always)]
    fn from(attempt: AttemptId) -> Self {
        JobId::from_number(attempt.data().as_ffi())
    }
}

impl From<JobId> for AttemptId {
    /// The attempt that is this job, where requests feed back.
    #[inline(always)]
    fn from(id: JobId) -> Self {
        KeyData::from_ffi(id.number()).into()
    }
}

/// What every attempt of a request has in common.
#[derive(Clone, Copy, Debug)]
pub(in crate::model) struct Content {
    /// When the request was sent first; no two have it in common.
    pub born: u64,
    /// CPU demand in nanoseconds of one core if it goes all the way.
    pub demand: f64,
    pub client: u32,
    pub api: u32,
    /// The resource it asks for, among those of all APIs.
    pub resource: u32,
    pub cacheable: bool,
}

impl Content {
    /// What observers call the request.
    #[inline(always)]
    pub fn sent(&self) -> Sent {
        Sent { at: Instant(self.born), api: self.api }
    }
}

/// Whose a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) enum Origin {
    /// Nobody's in particular.
    Anyone,
    /// It was recorded, and is bound to this slot.
    Slot(u32),
    /// This user's, of a closed loop or a session.
    User(u32),
}

impl Origin {
    /// The slot that it is bound to.
    #[inline(always)]
    pub fn slot(self) -> Option<u32> {
        if let Origin::Slot(slot) = self { Some(slot) } else { None }
    }

    /// The user who sends it.
    #[inline(always)]
    pub fn user(self) -> Option<u32> {
        if let Origin::User(user) = self { Some(user) } else { None }
    }
}

/// A request without an outcome, as its client knows it.
#[derive(Clone, Copy, Debug)]
pub(in crate::model) struct RequestState {
    pub origin: Origin,
    /// Attempts made.
    pub tries: u32,
}

/// A request that waits for its next attempt.
#[derive(Clone, Copy, Debug)]
pub(in crate::model) struct BackedOff {
    pub content: Content,
    pub request: RequestState,
}

/// What follows when the CPU has done its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) enum Then {
    /// The answer is there, and may be stored.
    Answer,
    /// The answer came from a cache.
    Hit,
    /// The upstream is asked.
    Upstream,
    /// It is rejected.
    Reject(Failure),
}

/// Where an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) enum Stage {
    /// On its way to a replica.
    UnderWay,
    /// In a replica, waiting to be taken on.
    Queued,
    /// In a replica's server.
    Cpu(Then),
    /// At this host of an upstream, or waiting for it.
    Upstream(u32),
    /// Waits for a connection to its upstream.
    Pending,
    /// Answered, but its replica stands still.
    Stuck,
    /// With nobody: the machine of its replica has vanished, and nothing says so.
    Stranded,
    /// On its way back, or too late.
    Returning,
}

/// The time-outs that an attempt is subject to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) enum Timeout {
    /// Its client gives up.
    Patience,
    /// The ingress gives up on the replica.
    Read,
    /// The replica gives up on the upstream.
    Upstream,
}

impl Timeout {
    pub const ALL: [Timeout; 3] = [Timeout::Patience, Timeout::Read, Timeout::Upstream];
}

/// Something that happens to a request or an attempt.
#[derive(Clone, Copy, Debug)]
pub(in crate::model) enum Step {
    /// A user sends the next request.
    UserSends { user: u32 },
    /// A client tries again.
    Again { request: RequestId },
    /// The ingress tries another replica.
    TriesElsewhere { attempt: AttemptId },
    /// An attempt reaches the ingress through the network.
    Reaches { attempt: AttemptId },
    /// The handshake of the connection on which an attempt comes is done.
    Handshaken { attempt: AttemptId },
    /// An answer reaches its client through the network.
    Returns { attempt: AttemptId },
    /// A replica takes an attempt on that it had put off.
    Enters { attempt: AttemptId },
    /// A host of an upstream is done with an attempt.
    HostDone { attempt: AttemptId, host: u32, tries: u16, outages: u32, failed: bool },
    /// A try at an upstream has taken as long as one may.
    TryOver { attempt: AttemptId, tries: u16 },
    /// Replicas look at how the hosts of an upstream did.
    Sweep { upstream: u32 },
    /// The overload manager of the replica in a slot looks at it.
    Look { slot: u32 },
    /// A time-out that was not entered in order.
    Due { attempt: AttemptId, timeout: Timeout, due: u64 },
}

/// An attempt without an end.
#[derive(Clone, Copy, Debug)]
pub(in crate::model) struct Attempt {
    /// The request that waits for it, if any still does.
    pub request: Option<RequestState>,
    pub content: Content,
    pub stage: Stage,
    /// The ingress instance through which it came, and the replica that has it.
    pub instance: u32,
    pub replica: ReplicaId,
    /// When a replica took it on.
    pub arrived: u64,
    /// When each time-out ends, by `Timeout as usize`; `u64::MAX` = it does not. That of the
    /// upstream is one for all tries, and of no account when none is under way.
    pub due: [u64; Timeout::ALL.len()],
    /// CPU time of the TLS handshake that it brought, in nanoseconds.
    pub handshake: f64,
    /// Policies that it has passed, turns it took in the queue of one, and the policy and slot of
    /// the queue that it is in.
    pub passed: u16,
    pub turns: u16,
    pub queue: Option<(u16, u16)>,
    /// Tries at the upstream beyond the first, whether the current one is one of these, and whether
    /// a host works on it.
    pub upstream_tries: u16,
    pub retrying: bool,
    pub in_service: bool,
    /// Whether it has one of the connections that its host accepts.
    pub connected: bool,
}

impl Attempt {
    /// One of which nothing is known yet.
    pub const BLANK: Attempt = Attempt {
        request: None,
        content: Content { born: 0, demand: 0.0, client: 0, api: 0, resource: 0, cacheable: false },
        stage: Stage::UnderWay,
        instance: u32::MAX,
        replica: usize::MAX,
        arrived: 0,
        due: [u64::MAX; Timeout::ALL.len()],
        handshake: 0.0,
        passed: 0,
        turns: 0,
        queue: None,
        upstream_tries: 0,
        retrying: false,
        in_service: false,
        connected: false,
    };

    /// Whose it is, if somebody still waits for it.
    pub fn origin(&self) -> Origin {
        self.request.map_or(Origin::Anyone, |request| request.origin)
    }

    /// Whether a replica has it.
    pub fn is_held(&self) -> bool {
        !matches!(self.stage, Stage::UnderWay | Stage::Stranded | Stage::Returning)
    }

    /// Whether a replica has it, but not its CPU.
    pub fn waits(&self) -> bool {
        self.is_held() && !matches!(self.stage, Stage::Cpu(_))
    }
}

/// An attempt that a server is done with.
#[derive(Clone, Copy, Debug)]
pub(in crate::model) struct Departure {
    pub attempt: AttemptId,
    pub at: u64,
}

/// The attempts without an end.
#[derive(Debug)]
pub(in crate::model) struct InFlight {
    /// Whether requests feed back at all; without, there are no attempts.
    pub feeds_back: bool,
    pub attempts: SlotMap<AttemptId, Attempt>,
    /// What servers are done with since that was settled last.
    pub departures: Vec<Departure>,
    /// Whether a machine has ever vanished with attempts.
    pub had_stranded: bool,
}

impl InFlight {
    pub fn new(feeds_back: bool) -> Self {
        let (attempts, departures) = (SlotMap::default(), Vec::new());
        InFlight { feeds_back, attempts, departures, had_stranded: false }
    }

    /// How many wait for a machine that has vanished.
    pub fn count_stranded(&self) -> usize {
        if !self.had_stranded {
            return 0; // as almost always
        }
        let waits = |one: &&Attempt| one.stage == Stage::Stranded && one.request.is_some();
        self.attempts.values().filter(waits).count()
    }

    /// An attempt, if it has no end yet.
    #[inline(always)]
    pub fn get(&self, attempt: AttemptId) -> Option<&Attempt> {
        self.attempts.get(attempt)
    }
}

// One is written for every attempt: beyond this size that costs a call.
const _: () = assert!(size_of::<Attempt>() <= 120);
