//! What a gateway remembers between requests: limits, caches, circuit breakers, outlier detection.
//!
//! ```text
//! request ─► limit ─► cache ─► breaker ─► outlier ─► a host of the upstream
//!             429      hit       503      (which host)
//! ```
//!
//! | module | what it decides | whose state it is |
//! |---|---|---|
//! | [`limit`] | may the request pass? | all replicas', or each one's own |
//! | [`cache`] | is there an answer already? | all replicas', or each one's own |
//! | [`breaker`] | is there room towards the upstream? | each replica's own |
//! | [`outlier`] | which host of the upstream is asked? | each replica's own |
//!
//! All are plain state machines: the caller gives the time, which never goes back, and says when a
//! replica comes or goes. A replica is a `slot` from 0, a key of a client or a resource is a dense
//! number from 0. Nothing here draws random numbers or waits.

pub mod breaker;
pub mod cache;
mod fifo;
mod holders;
mod lease;
pub mod limit;
mod meter;
pub mod outlier;
mod pages;
