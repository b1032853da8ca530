//! Capacity: for each gateway and each failure mode the largest load that meets the objectives, and
//! which gateway to choose.
//!
//! A [`mode`](super::mode) turns a scenario into a loss to be got through, [`probe`] tries it at a
//! load, `excess` says by how much each objective is met or missed there, [`regimes`] where more
//! load may be better, and [`search`] looks for the lowest load at which that is nothing. [`find`]
//! puts these together into a [`finding::Finding`], for every gateway and mode; [`binding`] says
//! what is in the way of more.
//!
//! Then [`advice`] tells which gateway carries the demand and which finding is the critical case,
//! [`sensitivity`] what that one hangs on, and [`months`] what faults at random cost at the demand.
//!
//! Start at `find.rs`.

pub mod advice;
pub mod binding;
mod excess;
pub mod find;
pub mod finding;
pub mod months;
pub mod probe;
pub mod regimes;
pub mod search;
pub mod sensitivity;
