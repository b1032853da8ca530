//! The sections `[[fault]]`: what goes wrong, when, for how long, and to whom.
//!
//! A kind of fault is one entry of the table in `kind.rs`: its word, how long it lasts, what its
//! target names, the keys that it alone has, and the function that makes the plan's fault of them.
//! What other kinds have is refused from the same table. `target.rs` finds what a target names
//! among the replicas, zones, ingress instances, hosts and clients of the file; `section.rs` reads
//! the sections one by one, and `after.rs` ties those that follow others to these. `typical.rs` has
//! how often faults strike where the file does not say, `words.rs` what each kind is.
//!
//! The room sees what the other sections came to (`Targets`) and none of their keys. Start with
//! `kind.rs`.

mod after;
mod kind;
pub(crate) mod section;
pub(crate) mod target;
#[cfg(test)]
mod tests;
pub mod typical;
mod words;

pub(crate) use kind::key;
pub use kind::{FaultKind, KINDS};
