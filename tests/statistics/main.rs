//! The model and the intervals against what is known: theory, coverage, capacities, and experiments
//! that others have published.
//!
//! `BROWNOUT_SUITE=all cargo test --release --test statistics` runs everything. Otherwise a sample
//! runs, and where its size is chosen stands what it detects. `-- --nocapture` shows what was
//! counted.

mod availability;
mod capacity;
#[path = "../common/mod.rs"]
mod common;
mod coverage;
mod experiments;
mod rare;
mod theory;

/// How much to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Some of everything.
    Sample,
    /// Everything, if `BROWNOUT_SUITE=all`.
    Full,
}

/// What may be asked for.
const ASKED: [&str; 2] = ["BROWNOUT_SUITE", "BROWNOUT_VECTORS"];

/// How much is asked for. What nobody knows is refused: it would run something else than was meant.
pub fn effort() -> Effort {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        let known = !name.starts_with("BROWNOUT_") || ASKED.contains(&&*name);
        assert!(known, "{name} is not known; there are {}", ASKED.join(" and "));
    }
    match std::env::var("BROWNOUT_SUITE").as_deref() {
        Ok("all") => Effort::Full,
        Ok(other) => panic!("BROWNOUT_SUITE is \"all\" or not set, not {other:?}"),
        Err(_) => Effort::Sample,
    }
}
