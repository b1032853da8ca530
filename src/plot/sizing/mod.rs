//! Charts of a capacity plan: how much a gateway carries, for what cost, and for how long.
//!
//! [`capacity`] shows capacity by tier and failure mode beside the demand; [`frontier`] shows
//! cost against capacity and which sizings nothing as cheap outdoes; [`budget`] shows cost against
//! what is used of an error budget; [`headroom`] shows what is left while demand grows. `load` says
//! which loads can be drawn.
//!
//! The charts are told capacities with their intervals and search for none. They ask `canvas` and
//! `layout` for everything drawn.

pub mod budget;
pub mod capacity;
pub mod frontier;
pub mod headroom;
mod load;
