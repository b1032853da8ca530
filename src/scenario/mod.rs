//! From a scenario file to a plan.
//!
//! Two stages stand on two things. What a file may say is a table a section, beside the code that
//! reads the section: `section/` (the gateway, where it stands and how it lives), `ingress/` (with
//! its presets), `request/` (clients, APIs, policies, upstreams, TLS), `traffic/` (rates, and what
//! comes from files) and `fault/` (a table of kinds); `recording/` knows the formats of logs. They
//! read with `reader/`, which takes values by their keys and notes problems and settings, and
//! `text/`, which knows what a value is. [`keys`] puts the tables together: reading, guesses at
//! misspelt keys, `check --settings`, `--set`, the reference and the JSON Schema (`schema.rs`) all
//! follow from them, so a new setting is a line in its table, its reading, and the plan that has
//! it. Where their sources can be read stands in `sources.rs`.
//!
//! [`read`] is the way through: text in, a [`Scenario`] or all that is wrong with it out.
//! `assemble` puts one gateway together, `region/` several of them. `check` looks across sections;
//! [`edit`] changes a setting in a text.
//!
//! The room owns the format. It sees the plan and what the plan is made of and none of the
//! machinery that runs it; it reads files and prints nothing. Start with `read.rs`.

mod assemble;
pub mod catalogue;
mod check;
pub mod edit;
pub mod fault;
mod ingress;
pub mod keys;
pub mod read;
pub(crate) mod reader;
mod recording;
mod region;
mod request;
pub mod schema;
mod section;
pub mod sources;
pub mod templates;
#[cfg(test)]
mod tests;
pub(crate) mod text;
mod traffic;

pub use read::Scenario;
pub use reader::setting::{Mark, Setting};
