//! What a gateway remembers between requests: limits, caches, circuit breakers, outlier detection.
//!
//! ```text
//! request ─► limit ─► cache ─► breaker ─► outlier ─► a host of the upstream
//!             429      hit       503      (which host)
//! ```
//!
//! | module | what it decides | whose state it is |
//! |---|---|---|
//! | [`admission`] | did too much fail that passed? | each one's own |
//! | [`limit`] | may the request pass? | all replicas', or each one's own |
//! | [`cache`] | is there an answer already? | all replicas', or each one's own |
//! | [`breaker`] | is there room towards the upstream? | each replica's own |
//! | [`latency`] | who answered fast lately? | each ingress instance's own |
//! | [`slow_start`] | how much may one that is new get? | none |
//! | [`retries`] | may one more retry be under way? | none: its users count |
//! | [`pool`] | does the host accept another connection? | all replicas' |
//! | [`overload`] | does a replica take on more? | each replica's own |
//! | [`outlier`] | which host of the upstream is asked? | each replica's own |
//!
//! All are plain state machines: the caller gives the time, which never goes back, and says when a
//! replica comes or goes. A replica is a `slot` from 0, a key of a client or a resource is a dense
//! number from 0. Nothing here draws random numbers or waits, and nothing knows of requests but
//! that they come and go. `pages` is the table that limits and caches keep their keys in.
//!
//! Each file opens with the state machine, its sources, and what is assumed and left out. Begin
//! with `breaker.rs`, the smallest.

pub mod admission;
pub mod breaker;
pub mod cache;
pub mod latency;
pub mod limit;
pub mod outlier;
pub mod overload;
mod pages;
pub mod pool;
pub mod retries;
pub mod slow_start;
