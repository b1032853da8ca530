//! Studies: experiments that depend on each other, or are read together.
//!
//! [`precision`] goes on with one experiment until its figures are known well enough; [`compare`]
//! sets variants side by side under the same luck; [`sweep`] goes through a grid of settings. What
//! varies is a [`variation`]; what is compared is a [`measure`]; [`cost`] says what a gateway
//! takes.
//!
//! [`capacity`] has a [`search`] for the largest load in each [`mode`], says with [`binding`] what
//! is in the way, with [`sensitivity`] what it hangs on, with [`settling`] whether runs begin too
//! early, and with [`advice`] what to choose.

pub mod advice;
pub mod binding;
pub mod capacity;
pub mod compare;
pub mod cost;
mod excess;
pub mod measure;
pub mod mode;
pub mod precision;
pub mod search;
pub mod sensitivity;
pub mod settling;
pub mod sweep;
pub mod variation;
