//! Made-up experiments, for tests of what follows from outcomes.
//!
//! A test of a report, a verdict or a chart needs an experiment whose every figure is known, and
//! does not need a simulation. [`example`] is a small one: a plan, a crash in the middle of it, and
//! outcomes written out by hand. [`with_clients`] is the same with clients that retry, caches and
//! upstreams about the replicas.
//!
//! Both are functions of nothing, so that all tests see the same figures; a test that wants another
//! figure changes it in its own copy. Compiled for tests only. Begin with `example.rs`.

pub(crate) mod example;
pub(crate) mod with_clients;
