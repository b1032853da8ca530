//! Studies that several processes share.
//!
//! `scheduler.rs` reads from the environment which shard a scheduler means, `status.rs` says how
//! far the shards are that write into a folder, and `submit.rs` writes the files of a scheduler's
//! jobs from the templates beside it. That a command simulates a part alone, or puts the
//! parts together, is seen to by [`crate::cli::work`], so that no command knows of it.
//!
//! It owns no files: [`crate::report::shards`] reads and writes them. Nothing here starts or
//! watches processes: clusters have schedulers.

pub(super) mod scheduler;
pub(super) mod status;
pub(super) mod submit;
