//! Studies: experiments that depend on each other's results.
//!
//! [`precision`] goes on with one experiment until its figures are known well enough.

pub mod precision;
