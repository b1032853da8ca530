//! What cases took before, in a file beside the benchmark: ratios to the reference loop, which
//! carry from machine to machine as nanoseconds do not.

use std::fmt::Write;

use super::{Measured, Median};

/// The file.
const PLACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/baseline.csv");
const HEADER: &str = "case,ratio,ratio_low,ratio_high";

/// How cases did when the baseline was written; none if there is no such file.
pub struct Baseline(Vec<(String, Median)>);

impl Baseline {
    pub fn read() -> Self {
        let text = std::fs::read_to_string(PLACE).unwrap_or_default();
        let case = |line: &str| {
            let [name, value, low, high] = line.split(',').collect::<Vec<_>>()[..] else {
                panic!("{PLACE}: no case in {line:?}");
            };
            let number = |text: &str| text.parse().expect("a ratio in the baseline is a number");
            let ratio = Median { value: number(value), low: number(low), high: number(high) };
            (name.to_owned(), ratio)
        };
        let lines = text.lines().filter(|line| !line.starts_with('#') && *line != HEADER);
        Baseline(lines.map(case).collect())
    }

    /// By how much a case has changed, in words: beside the change the interval in which it lies,
    /// and whether that leaves out none at all.
    pub fn change(&self, now: &Measured) -> String {
        let Some((_, before)) = self.0.iter().find(|(name, _)| name == now.name) else {
            return "not in the baseline".to_owned();
        };
        let percent = |now: f64, before: f64| 100.0 * (now / before - 1.0);
        let change = percent(now.ratio.value, before.value);
        let low = percent(now.ratio.low, before.high);
        let high = percent(now.ratio.high, before.low);
        let word = match (low > 0.0, high < 0.0) {
            (true, _) => "slower",
            (_, true) => "faster",
            _ => "within noise",
        };
        format!("{change:+.1} % ({low:+.1} to {high:+.1}): {word}")
    }
}

/// Writes what was measured as the baseline to compare with from now on.
pub fn save(measured: &[Measured]) {
    let mut text = format!("# cargo bench --bench requests -- --save\n{HEADER}\n");
    for Measured { name, ratio, .. } in &measured[1..] {
        let Median { value, low, high } = ratio;
        writeln!(text, "{name},{value:.3},{low:.3},{high:.3}").expect("texts take anything");
    }
    std::fs::write(PLACE, text).expect("the baseline can be written");
    println!("written to {PLACE}");
}
