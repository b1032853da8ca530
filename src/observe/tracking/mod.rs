//! What faults do, from their injection until all is as before.
//!
//! `tracker` follows the incidents of a run, each of which is an `in_progress`: what of its own is
//! missing, and what its replacements go through. `normal` knows what clients meet in calm times
//! and when they are hit; `answering` whether most of them are answered. `by_region` has the
//! clients of each of several regions, and begins the fail-over of one that is struck.
//!
//! It owns what is known of incidents while they go on, and may ask for nothing of the recorder but
//! its scope. Begin with `tracker.rs`.

mod answering;
pub(super) mod by_region;
pub(super) mod in_progress;
pub(super) mod normal;
pub(super) mod tracker;
