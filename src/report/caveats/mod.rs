//! What limits the figures: caveats, found and worded.
//!
//! `find.rs` examines an experiment for everything that limits what it says, `steady_window.rs` the
//! time before the first incident for an initial transient, `regions.rs` what regions can carry,
//! `turned_away.rs` what was refused to protect somebody. A
//! [`caveat::Caveat`] is a value; its message and its remedy are words for people, its key is one
//! for programs. `merged.rs` says those of several variants or cells once, with whom they concern.
//!
//! It owns which caveats there are and their words. It may ask the experiment, the plan and
//! `stats`; it does not know which command tells it. A new caveat is a variant, a finding and a
//! message. Begin with `caveat.rs`.

pub mod caveat;
pub(crate) mod find;
pub(crate) mod merged;
mod regions;
pub(crate) mod steady_window;
pub mod turned_away;
