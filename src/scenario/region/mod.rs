//! Several regions in one file.
//!
//! What a file says outside `[[region]]` all regions have in common; within it, a region says in
//! what it differs: `[region.gateway]` is its own `[gateway]`, key by key. `split` makes a table
//! for each region of that, which is read as that of one gateway is. `section` reads `[[region]]`,
//! `[global]` and `[control-plane]`, with what `preset` knows of traffic managers, and `whole` puts
//! the plan of all regions together. `check` warns of what cannot fail over as it seems to be
//! meant.
//!
//! The room owns what is written of several regions, and knows nothing of what one gateway is made
//! of but that `assemble` reads it. Start with `whole.rs`.

pub(crate) mod check;
pub(crate) mod preset;
pub(crate) mod section;
pub(crate) mod split;
pub(crate) mod whole;
