//! `brownout` simulates the high availability and failover of a replicated API gateway: what its
//! users see when a replica, a zone or the control plane fails.
//!
//! # From a question to an answer
//!
//! A scenario asks a question and demands something. It is read and checked into a
//! [`plan`], in which nothing is left to guess; the plan is simulated a number of times
//! with independent random numbers; the outcomes are pooled into estimates with intervals; and the
//! demands are judged by these.
//!
//! ```
//! use brownout::experiment::{self, Options, Progress};
//! use brownout::report::Report;
//! use brownout::scenario::read;
//! use brownout::verdict::Overall;
//!
//! let text = r#"
//!     question = "Do two Large replicas carry 600 requests/s when one of them crashes?"
//!     objectives = ["p95 < 100ms", "recovery < 1m"]
//!
//!     [traffic]
//!     rate = "600/s"
//!
//!     [[fault]]
//!     kind = "replica-crash"
//!     at = "30s"
//!
//!     [run]
//!     horizon = "2m"
//!     replications = 4
//! "#;
//! let loaded = read::parse("one-crash", text, ".".as_ref());
//! let scenario = loaded.scenario.expect("no problems");
//! let outcomes = experiment::run(&scenario.plan, Options::default(), &Progress::default())?;
//! let report = Report::new(&scenario, &outcomes, None);
//! assert_eq!(report.overall(), Overall::Met);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The parts, in the order in which data flows
//!
//! | module | value it gives |
//! |---|---|
//! | [`scenario`] | a [`plan::Plan`], or all problems at once ([`diagnostic`]) |
//! | [`engine`], [`model`], [`autoscaler`], [`policy`] | events, told as observations |
//! | [`observe`] | an [`observe::outcome::Outcome`] per replication |
//! | [`metric`] | what can be known of outcomes: the catalogue of figures |
//! | [`experiment`], [`stats`] | estimates with intervals |
//! | [`objective`], [`verdict`] | met, missed or undecided |
//! | [`report`], [`plot`] | text, files, charts |
//! | [`cli`] | an exit code |
//!
//! Beneath them lie [`units`], [`quantity`] and [`random`]. `docs/ARCHITECTURE.md` has the rules,
//! `docs/MODEL.md` the equations and assumptions.

pub mod autoscaler;
pub mod cli;
pub mod diagnostic;
pub mod engine;
pub mod experiment;
pub mod metric;
pub mod model;
pub mod objective;
pub mod observe;
pub mod plan;
pub mod plot;
pub mod policy;
pub mod quantity;
pub mod random;
pub mod report;
pub mod scenario;
pub mod stats;
pub mod study;
pub mod units;
pub mod verdict;
