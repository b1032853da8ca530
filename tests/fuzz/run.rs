//! Damaged scenarios that are still sound are run.

use std::time::Duration;

use crate::desk::{Desk, texts};
use crate::mutate::{Chance, damage};

/// Runs so many damaged scenarios, each for so long at most; most are refused.
pub fn all(count: usize, seed: u64, patience: Duration) {
    let desk = Desk::new(&format!("run-{seed}-{count}"));
    let scenarios = texts("scenarios", "toml");
    let mut ran = 0;
    for number in 0..count {
        let mut chance = Chance::new(seed, number);
        let (_, text) = chance.of(&scenarios);
        desk.write("damaged.toml", damage(text, &mut chance));
        let args = ["run", "damaged.toml", "-n", "1", "--no-charts", "--force", "--quiet"];
        let output = desk.run(&args, patience);
        desk.assert_in_order(&output, &[0, 1, 2, 3, 130], &format!("scenario {number}"));
        ran += usize::from(output.status.code() != Some(2));
    }
    assert!(ran > count / 20, "only {ran} of {count} were sound enough to be run");
}
