//! Studies: experiments that depend on each other, or are read together.
//!
//! A study is a function from scenarios and a [`Runner`](crate::experiment::Runner) to values; who
//! waits for it can stop it, and what was complete by then is given. [`precision`] goes on with one
//! experiment until its figures are known well enough; [`compare`] sets variants side by side under
//! the same random numbers; [`sweep`] goes through a [`grid`] of settings; [`capacity`] looks for
//! the largest load that each gateway carries, and [`settling`] whether runs begin too early. What
//! varies is a [`variation`]; what is compared is a [`measure`]; [`cost`] says what a gateway
//! takes, [`availability`] what faults at random cost in months and years, and [`strategies`] what
//! those of several regions come to.
//!
//! Studies judge by [`crate::verdict`] and estimate by [`crate::metric`]. They word nothing: that
//! is for [`crate::report`]. Start at `compare.rs`.

pub mod availability;
pub mod capacity;
pub mod compare;
pub mod cost;
pub mod counterfactual;
pub mod forecast;
pub mod grid;
pub mod measure;
pub mod mode;
pub mod precision;
pub mod settling;
pub mod strategies;
pub mod sweep;
pub mod variation;
