//! Work files: what shards of a study leave, so that it can be put together.
//!
//! A study that outgrows a machine is cut into shards ([`crate::experiment::partition`]). Each
//! writes what it simulates into a file of its own in a folder that all share; whoever has the
//! files can put the results together, for each begins with the study itself.
//!
//! `member.rs` is one entry of a file, `file.rs` looks through a file and writes a new one,
//! `head.rs` says what a file is a part of and which files do not go together. [`WorkFiles`] are
//! all files of a study as a store of replications; [`ShardPart`] is such a store to which one
//! shard adds its own. A replication is a function of plan and index: what two files say of the
//! same must be the same, byte for byte, and it does not matter which is used.
//!
//! Start at `store.rs`.

mod file;
mod head;
mod member;
mod part;
mod store;
#[cfg(test)]
mod tests;

pub use file::{ENDING, folder_of};
pub use head::{SCHEMA, SHARDS_MOST, WorkFilesError, WorkHead};
pub use part::{PartWatch, ShardPart};
pub use store::{WorkFile, WorkFiles};
