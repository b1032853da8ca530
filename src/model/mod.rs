//! The model.
pub mod plan;
