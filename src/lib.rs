//! brownout
pub mod cli;
pub mod diagnostic;
pub mod engine;
pub mod experiment;
pub mod model;
pub mod objective;
pub mod observe;
pub mod plot;
pub mod quantity;
pub mod random;
pub mod report;
pub mod scenario;
pub mod stats;
pub mod units;
pub mod verdict;
