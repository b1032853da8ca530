//! What is behind the gateway: the hosts of upstreams, and the tries that replicas make there.
//!
//! ```text
//! replica ─► asking ─► a try at a host ─┬─► answer, error ──► goes on, or is tried again
//!               ▲                       └─► takes long ─┬───► given up, and tried again
//!               └── another try, beside it if hedged ◄──┘
//! ```
//!
//! - `hosts` owns the hosts of all upstreams and how the replica in each slot sees them.
//! - `asking` is the way of an attempt through them: breaker, host, answer, failure.
//! - `tries` are those that take long or fail, `beside` what is known of several at once.
//!
//! Attempts are the requests' (`request/attempt`); nothing here starts or stops a replica.

mod asking;
mod beside;
pub(super) mod hosts;
mod tries;
