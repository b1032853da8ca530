//! Files that somebody has damaged, or made to hurt: whatever is read — scenarios, changes of
//! settings, recordings, manifests, checkpoints, work files — is used or refused with a reason and
//! a place, and never ends the program.
//!
//! `cargo test` takes a sample. All of it, with other seeds and in any number:
//!
//! ```sh
//! FUZZ=20000 FUZZ_SEED=7 cargo test --release --test fuzz -- --ignored --nocapture
//! ```
//!
//! What fails is kept in the folder that the failure names.

mod check;
mod desk;
mod mutate;
mod reread;
mod run;

use std::time::Duration;

/// How much is tried in a sample, of each kind.
const SAMPLE: usize = 150;

/// How much is to be tried, and with which seed.
fn effort(usual: usize) -> (usize, u64) {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    (number("FUZZ").map_or(usual, |count: u64| count as usize), number("FUZZ_SEED").unwrap_or(1))
}

#[test]
fn a_sample_of_damaged_scenarios_settings_and_recordings_is_checked() {
    check::all(SAMPLE, 1);
}

#[test]
fn a_sample_of_damaged_manifests_checkpoints_and_work_files_is_read_back() {
    reread::all(SAMPLE / 10, 1);
}

#[test]
fn a_sample_of_damaged_scenarios_is_run() {
    run::all(SAMPLE / 3, 1, Duration::from_millis(400));
}

#[test]
#[ignore = "takes minutes"]
fn damaged_scenarios_settings_and_recordings_are_checked() {
    let (count, seed) = effort(20_000);
    check::all(count, seed);
}

#[test]
#[ignore = "takes minutes"]
fn damaged_manifests_checkpoints_and_work_files_are_read_back() {
    let (count, seed) = effort(2_000);
    reread::all(count / 10, seed);
}

#[test]
#[ignore = "takes minutes"]
fn damaged_scenarios_are_run() {
    let (count, seed) = effort(2_000);
    run::all(count / 10, seed, Duration::from_secs(3));
}
