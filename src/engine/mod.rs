//! The engine: a calendar for rare events, processor-sharing servers for the many, with a quota of
//! work or without, and a digest. It knows time, jobs and servers, and not one word of gateways.
//!
//! A server is advanced from one moment to the next and tells of each job that it completes;
//! nothing stands on the calendar for a job. [`server`] shares its cores among the jobs that it
//! has, which `jobs` keeps in the order in which they will be done, at the pace that `service_rate`
//! gives; `course` is how far it has come; [`quota`] adds a limit of work in each period,
//! [`deadline`] the jobs whose time is up. [`calendar`] is the future event list, [`digest`] says
//! whether two runs did the same at the same times, and [`progress`] is what a run shares with
//! whoever waits for it or wants it to end.
//!
//! It owns the state of servers and nothing else, and may ask for times (`units`) and, in tests,
//! for random numbers. Begin with `server.rs`.

pub mod calendar;
mod course;
pub mod deadline;
pub mod digest;
pub mod jobs;
pub mod progress;
pub mod quota;
pub mod server;
mod service_rate;

/// Names what simulations give: raised with every change after which the same scenario, seed and
/// index lead to another outcome. Results, manifests and checkpoints carry it.
pub const ENGINE: u32 = 8;
