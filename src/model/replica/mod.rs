//! The life of replicas: how one starts, is probed, works, fails, and is started again.
//!
//! This room owns the [`Fleet`](fleet::Fleet): every replica with its process, its server and its
//! place in the life cycle, who holds which slot, and how many are wanted. It decides what one
//! replica does next; where replicas go and which are given up is the cluster's to say.
//!
//! It may ask the [`Context`](super::context::Context) for the moment, the plan, the calendar and
//! the control plane. It touches no request but those in its servers: when a process dies, what it
//! had in hand is left as a loss for whoever keeps the attempts.
//!
//! - `lifecycle` says which state may follow which; every change of state is held to it.
//! - `process` is one replica; `fleet` all of them, and how they fail.
//! - `startup` and `fetch` lead from nothing to ready, `probing` and `probes` observe a process
//!   that is overloaded, `crash_loop` says how long a container waits before it is started again.
//! - `start_cpu` is what a start takes beside requests, `version` what a rollout brings;
//!   `outlet` is where requests leave a server.
//!
//! Start reading at `process` and its diagram.

pub(super) mod crash_loop;
mod fetch;
pub(super) mod fleet;
mod lifecycle;
mod outlet;
pub(super) mod probes;
pub(super) mod probing;
pub(super) mod process;
pub(super) mod start_cpu;
mod startup;
pub(super) mod version;
