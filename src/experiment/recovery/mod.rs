//! How a system came back.
//!
//! Two questions. How long did each incident last, until all was normal again? `incidents.rs` sums
//! that up. And once everything that troubled it is gone, does the system come back by itself, or
//! does a loop of its own hold it down? `after_trigger.rs` judges that of one replication; an
//! increase of the load (`load_increase.rs`) troubles as much as a fault. `stability.rs` pools the
//! findings, with the loops that are at work in those that did not recover.
//!
//! The room reads outcomes and plans, and changes neither.

pub(crate) mod after_trigger;
pub mod incidents;
mod load_increase;
pub mod stability;
