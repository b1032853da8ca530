//! Pictures of runs that do not come back.

use brownout::observe::count::Count;
use brownout::plot::Figure;
use brownout::plot::timeline::RuleKind;

use super::{Noise, draw, end, life, rule, run};

/// Clients try again and again, and a cache is cold after a restart.
pub fn storm() -> Figure {
    let mut timeline = run(vec![life("a-1", 0, 0.0), life("b-1", 1, 0.0)], |_| 700.0, 1.0, 600.0);
    let mut noise = Noise(5);
    for row in &mut timeline.total {
        let time = row.start.as_secs();
        let again = if time < 180.0 { 0.01 } else { 1.8 + 0.1 * noise.next() };
        row.attempts = row.offered + (row.offered as f64 * again) as u64;
        row.served = if time < 180.0 { row.offered } else { row.offered / 8 };
        row.failures[6] = row.offered - row.served;
        let misses =
            5.0 + 60.0 * (-(time - 180.0).max(0.0) / 90.0).exp() * f64::from(time >= 180.0);
        row.counts[Count::Hit as usize] = 1_000 - 10 * misses as u64;
        row.counts[Count::Miss as usize] = 10 * misses as u64;
    }
    let rules = vec![rule(180.0, "upstream took 50 times as long", RuleKind::Fault)];
    draw(&timeline, "A retry storm goes on when what began it is over", 600.0, rules)
}

/// Everything fails for hours, and every rule wants a label.
pub fn failing() -> Figure {
    let broken = end(life("a-1", 0, 0.0), 0.5, 9_999.0);
    let timeline = run(vec![broken], |_| 900.0, 1.0, 20_000.0);
    let rules = (0..300).map(|i| rule(f64::from(i) * 70.0, "again and again", RuleKind::Fault));
    draw(&timeline, &"Everything fails ".repeat(30), 20_000.0, rules.collect())
}
