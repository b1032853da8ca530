//! Traffic: when requests are sent, and how much CPU each needs.
//!
//! This room owns the [`Arrivals`](arrivals::Arrivals) of a replication. They follow from the plan
//! and the random streams alone: nothing that happens to a request changes when others come. (Who
//! waits for answers is a client: see the room of requests.)
//!
//! - `arrivals` gives requests in order of time, a block at a time. Start reading there.
//! - `rate` is the rate function, `playback` recorded traffic in its place.

pub(super) mod arrivals;
mod playback;
mod rate;
