//! What happens to requests and attempts at a time of its own.

use super::attempt::{AttemptId, RequestId, Timeout};

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
    /// Replicas look at how the hosts of an upstream did.
    Sweep { upstream: u32 },
    /// A time-out that was not entered in order.
    Due { attempt: AttemptId, timeout: Timeout, due: u64 },
}
