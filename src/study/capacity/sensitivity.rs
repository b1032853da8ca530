//! What a capacity hangs on: every assumed setting is changed by itself, one at a time, and the
//! capacity sought again from where it was.
//!
//! All durations of a setting are multiplied by the same factor, a law's with them. Under the same
//! random numbers the excess at a load is a smooth function of the setting, so one experiment at
//! the old capacity shows whether a setting matters; if it does, the new capacity is searched from
//! there. The points are compared, without intervals: what is shown is how much an assumption
//! weighs, not a forecast.

use crate::experiment::Runner;
use crate::scenario::{Mark, Scenario, Setting};
use crate::study::capacity::finding::{Finding, SearchEffort};
use crate::study::capacity::mode::Mode;
use crate::study::capacity::probe::probe;
use crate::study::capacity::search::{self, Capacity, Excess, Range};

/// By what assumed settings are multiplied: a quarter more, and as much less.
pub const FACTORS: [f64; 2] = [0.8, 1.25];
/// Shifts of the capacity below this are no effect.
pub const NO_EFFECT: f64 = 0.005;
/// By what factor a capacity is followed at most.
const REACH: f64 = 4.0;
/// How far below the capacity the slope is taken.
const ASIDE: f64 = 0.95;

/// What a setting does to the capacity.
#[derive(Clone, Debug, PartialEq)]
pub struct Sensitivity {
    /// Its path.
    pub path: String,
    /// The value that is assumed.
    pub value: String,
    /// The values that were tried, by [`FACTORS`].
    pub values: [String; 2],
    /// The capacity with each, over that with the value that is assumed; `None` if it lies outside
    /// of what can be followed.
    pub capacity: [Option<f64>; 2],
}

impl Sensitivity {
    /// The greatest change of the capacity in either direction.
    pub fn weight(&self) -> f64 {
        let changes = self.capacity.iter().flatten().map(|capacity| (capacity - 1.0).abs());
        let lost = if self.capacity.contains(&None) { 1.0 } else { 0.0 };
        changes.fold(lost, f64::max)
    }
}

/// The assumed settings of a scenario that can be varied, the weightiest first. `vary` reads the
/// scenario with a change such as `startup.boot=uniform(1.6s, 4.8s)`; `None` = that is none.
///
/// # Panics
/// As [`crate::experiment::replicate`].
pub fn run(
    runner: &Runner<'_>,
    base: &Scenario,
    finding: &Finding,
    effort: SearchEffort,
    vary: &dyn Fn(&str) -> Option<Scenario>,
) -> Vec<Sensitivity> {
    let Capacity::Between { point, .. } = finding.capacity else { return Vec::new() };
    let Some(was) = Base::of(runner, base, (finding.mode, point), effort) else {
        return Vec::new();
    };
    // How to run is a choice and no assumption.
    let is_fact = |setting: &&Setting| !setting.path.starts_with("run.");
    let assumed = base.settings.iter().filter(|setting| setting.mark == Mark::Assumed);
    let mut sensitivities = Vec::new();
    for setting in assumed.filter(is_fact) {
        let value = setting.value.trim_matches('"');
        let values = FACTORS.map(|factor| scaled(value, factor));
        let [Some(less), Some(more)] = values else { continue };
        let of = |value: &String| vary(&format!("{}={value}", setting.path));
        let (Some(with_less), Some(with_more)) = (of(&less), of(&more)) else { continue };
        if runner.is_cancelled() {
            break;
        }
        runner.progress().enter(format!("what {} weighs", setting.path));
        let capacity = [with_less, with_more].map(|scenario| was.follow(runner, &scenario));
        if runner.is_cancelled() {
            break;
        }
        let (path, value) = (setting.path.clone(), value.to_owned());
        sensitivities.push(Sensitivity { path, value, values: [less, more], capacity });
    }
    sensitivities.sort_by(|a, b| b.weight().total_cmp(&a.weight()));
    sensitivities
}

/// What a changed scenario is compared with.
struct Base {
    mode: Mode,
    effort: SearchEffort,
    load: f64,
    /// The excess at that load, and how it grows with the logarithm of the load.
    excess: f64,
    slope: f64,
}

impl Base {
    fn of(
        runner: &Runner<'_>,
        base: &Scenario,
        (mode, load): (Mode, f64),
        effort: SearchEffort,
    ) -> Option<Base> {
        let excess = probe(runner, base, mode, effort, load)?.excess.point;
        let aside = probe(runner, base, mode, effort, ASIDE * load)?.excess.point;
        let slope = (excess - aside) / -ASIDE.ln();
        (slope.is_finite() && slope > 0.0).then_some(Base { mode, effort, load, excess, slope })
    }

    /// The capacity of a changed scenario over the old one.
    fn follow(&self, runner: &Runner<'_>, scenario: &Scenario) -> Option<f64> {
        let at = |load: f64| {
            let excess = probe(runner, scenario, self.mode, self.effort, load)?.excess;
            Some(Excess::exactly(excess.point - self.excess))
        };
        let shift = -at(self.load)?.point / self.slope;
        if shift.abs() < NO_EFFECT {
            return Some(shift.exp());
        }
        let (least, most) = (self.load / REACH, self.load * REACH);
        let guess = self.load * shift.clamp(-0.05, 0.05).exp();
        let range = Range { least, guess, most, tolerance: 2.0 * NO_EFFECT };
        Some(search::crossing_of_points(range, at)? / self.load)
    }
}

const UNITS: [&str; 8] = ["ns", "us", "µs", "ms", "s", "m", "h", "d"];

/// A value with every duration in it multiplied; `None` if it has none. What follows `=` is a shape
/// and stays.
fn scaled(value: &str, factor: f64) -> Option<String> {
    let (mut out, mut rest, mut found) = (String::new(), value, false);
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(start);
        let end = number.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.len());
        let (digits, after) = number.split_at(end);
        let in_word = before.ends_with(|c: char| c.is_alphabetic() || c == '-' || c == '_');
        // The unit of the number before is no word: 2m30s.
        let is_word = in_word && !UNITS.contains(&before);
        let is_duration = UNITS.iter().any(|unit| {
            after.strip_prefix(unit).is_some_and(|next| !next.starts_with(char::is_alphabetic))
        });
        out.push_str(before);
        match digits.parse::<f64>() {
            Ok(number) if is_duration && !before.ends_with('=') && !is_word => {
                let number: f64 = format!("{:.5e}", number * factor).parse().ok()?;
                out.push_str(&number.to_string());
                found = true;
            }
            _ => out.push_str(digits),
        }
        rest = after;
    }
    out.push_str(rest);
    found.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_scaled_and_shapes_are_not() {
        let double = |value| scaled(value, 2.0);
        assert_eq!(double("500us").as_deref(), Some("1000us"));
        assert_eq!(double("uniform(2s, 6.5s)").as_deref(), Some("uniform(4s, 13s)"));
        let law = double("log-normal(1.4ms, cv=1.5)");
        assert_eq!(law.as_deref(), Some("log-normal(2.8ms, cv=1.5)"));
        assert_eq!(double("erlang(3, 1.4ms)").as_deref(), Some("erlang(3, 2.8ms)"));
        assert_eq!(double("2m30s").as_deref(), Some("4m60s"));
        for kept in ["3", "true", "as-needed", "large", "99.9%", "900/s"] {
            assert_eq!(double(kept), None, "{kept}");
        }
    }
}
