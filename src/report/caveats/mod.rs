//! What limits the figures: caveats, found and worded.
//!
//! `find.rs` looks at an experiment for everything that limits what it says, `steady_window.rs` at
//! the time before the first incident for an initial transient. A [`caveat::Caveat`] is a value;
//! its message and its remedy are words for people, its key is one for programs. `merged.rs` says
//! those of several variants or cells once, with whom they concern.

pub mod caveat;
pub(crate) mod find;
pub(crate) mod merged;
pub(crate) mod steady_window;
