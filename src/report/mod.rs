//! What people and programs read of experiments and studies: text, tables, charts and files.
//!
//! Every file is a function of the scenario, the seed and the replications, and of nothing else: no
//! clock, no duration, no machine. Two runs give the same bytes.
//!
//! A room for each command: [`run`] tells of one experiment, [`compare`] of variants side by side,
//! [`sweep`] of a grid, [`plan`] of capacities, [`availability`] of months and years. Each has a
//! report, which is the work with all that is said of it, and makes of it a text, charts and files.
//! What they share: [`caveats`] finds what limits the figures and words it, [`mod@format`] says how
//! numbers, tables and sections look, [`resilience`] has the tables that reviewers of resilience
//! know, [`files`] builds the results directory and holds the files of single replications,
//! [`html`] makes the page of every command, [`export`] writes what other programs read, [`screen`]
//! what is printed first, [`mod@markdown`] what is put into comments on changes; [`fail_if`] says
//! when a study is to fail, [`mod@check`] tells problems to programs, [`forecast`] tells of a
//! scenario before it runs, [`shards`] has the files that parts of a study leave.
//!
//! What is shown comes from [`crate::metric`] and the summaries of [`crate::experiment`]; nothing
//! is estimated here. Charts are handed to [`crate::plot`] as data. Start at `run/text.rs`.

pub mod availability;
pub mod caveats;
pub mod check;
pub mod checkpoint;
pub mod compare;
pub mod diff;
pub mod export;
pub mod fail_if;
pub mod files;
pub mod forecast;
pub mod format;
pub mod html;
pub mod manifest;
pub mod markdown;
pub mod moment;
pub mod plan;
pub mod resilience;
pub mod run;
pub mod screen;
pub mod settings;
pub mod shards;
pub mod sweep;

pub use run::report::Report;
#[cfg(test)]
pub(crate) use run::report::sample;
