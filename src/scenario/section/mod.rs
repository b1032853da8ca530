//! The sections about the gateway and its run, a file each: the table of keys, the words that they
//! choose between, and the reading.
//!
//! A reading function takes the [`Reader`](crate::scenario::reader::Reader) and what it
//! needs of sections read before, and gives the part of the plan that the section speaks of; where
//! checks across sections need to know where something was written, a `…Part` with the places.
//! Everything that is wrong is noted on the way, and a stand-in goes on.
//!
//! Files here may use `reader/`, `text/` and one another downwards: topology, startup and the
//! autoscaler know the gateway. `objectives.rs` reads what is demanded and finds the windows.
//! Start with `gateway.rs`.

pub(crate) mod autoscaler;
pub(crate) mod gateway;
pub(crate) mod nodes;
pub(crate) mod objectives;
pub(crate) mod run;
pub(crate) mod startup;
pub(crate) mod topology;
