//! Charts of the availability of months and years.
//!
//! [`burn`] shows what fails requests, over the error budget; [`months`] how months and years
//! scatter beside it; [`outages`] how often outages come back that last so long.
//!
//! The charts are told every share and rate, and work out none. They ask `canvas` and `layout` for
//! everything drawn.
//!
//! Begin with `burn.rs`.

pub mod burn;
pub mod months;
pub mod outages;
