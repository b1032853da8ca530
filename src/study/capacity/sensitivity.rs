//! What a capacity hangs on: every assumption is changed by itself, one at a time, and the capacity
//! sought again from where it was.
//!
//! Assumptions are the settings that nobody publishes, and the time that is judged. All durations
//! of a setting are multiplied by the same factor, a law's with them; requests also get other
//! shapes of the same mean; a switch is turned over; retries at the ingress and what becomes of
//! dead addresses are the other ones. Under the same random numbers the excess at a load is a
//! smooth function of a setting, so one experiment at the old capacity shows whether it matters; if
//! it does, the new capacity is searched from there. Where no load was carried, the least load
//! shows whether any is. The points are compared, without intervals: what is shown is how much an
//! assumption weighs, not a forecast.

use crate::experiment::Runner;
use crate::scenario::{Mark, Scenario, Setting};
use crate::study::capacity::find;
use crate::study::capacity::finding::{Finding, SearchEffort};
use crate::study::capacity::probe::probe;
use crate::study::capacity::search::{self, Capacity, Excess, Range};
use crate::study::mode::{Mode, limits};
use crate::units::Span;

/// By what assumed durations are multiplied: a quarter more, and as much less.
pub const FACTORS: [f64; 2] = [0.8, 1.25];
/// Shifts of the capacity below this are no effect.
pub const NO_EFFECT: f64 = 0.005;
/// How the time that is judged is called.
pub const JUDGED: &str = "--judged";
/// Replications of a load. All values meet the same random numbers, and only the points count.
const TRIES: usize = 2;
/// Times that may be judged.
const SPANS: [f64; 3] = [60.0, 600.0, 3_600.0];
/// By what factor a capacity is followed at most.
const REACH: f64 = 4.0;
/// How far below and above the capacity the slope is taken.
const ASIDE: f64 = 0.95;
/// Loads that are so close are not told apart, and of what all else is compared with.
const TOLERANCE: f64 = 0.01;
const ROOT: f64 = 0.002;

/// What an assumption does to the capacity.
#[derive(Clone, Debug, PartialEq)]
pub struct Sensitivity {
    /// The path of the setting, or [`JUDGED`].
    pub path: String,
    /// The value that is assumed.
    pub value: String,
    /// The capacity with it; `None` if no load was carried.
    pub capacity: Option<f64>,
    /// What was tried instead.
    pub instead: Vec<Instead>,
}

/// Another value of an assumption.
#[derive(Clone, Debug, PartialEq)]
pub struct Instead {
    /// The value.
    pub value: String,
    /// What comes of it.
    pub gives: Gives,
}

/// What another value of an assumption gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gives {
    /// A capacity.
    Load(f64),
    /// This or more.
    AtLeast(f64),
    /// No load is carried.
    Nothing,
    /// It lies outside of what can be followed.
    NotFollowed,
}

impl Sensitivity {
    /// The capacity with another value over that with the one that is assumed, if there are both.
    pub fn ratio(&self, gives: Gives) -> Option<f64> {
        match (gives, self.capacity) {
            (Gives::Load(load) | Gives::AtLeast(load), Some(was)) => Some(load / was),
            _ => None,
        }
    }

    /// The greatest change of the capacity in either direction: the logarithm of a ratio, without
    /// bound where there is a capacity with one value and none with the other.
    pub fn weight(&self) -> f64 {
        let weight = |one: &Instead| match (one.gives, self.capacity) {
            (Gives::Load(load) | Gives::AtLeast(load), Some(was)) => (load / was).ln().abs(),
            (Gives::Nothing, None) => 0.0,
            _ => f64::INFINITY,
        };
        self.instead.iter().map(weight).fold(0.0, f64::max)
    }

    fn greatest(&self) -> f64 {
        let load = |one: &Instead| match one.gives {
            Gives::Load(load) | Gives::AtLeast(load) => load,
            Gives::Nothing | Gives::NotFollowed => 0.0,
        };
        self.instead.iter().map(load).fold(0.0, f64::max)
    }
}

/// The assumptions of a scenario that can be varied, the weightiest first. `vary` reads the
/// scenario with a change such as `startup.boot=uniform(1.6s, 4.8s)`; `None` = that is none.
///
/// # Panics
/// As [`crate::experiment::replicate`].
pub fn run(
    runner: &Runner<'_>,
    base: &Scenario,
    finding: &Finding,
    effort: SearchEffort,
    vary: &(dyn Fn(&str) -> Option<Scenario> + Sync),
) -> Vec<Sensitivity> {
    let replications = TRIES.min(effort.replications);
    let effort = SearchEffort { replications, tolerance: TOLERANCE, ..effort };
    // The base is one unit of the work, what each assumption may be instead another.
    let was = Base::of(&runner.as_unit(0), base, finding, effort);
    let Some(was) = was else { return Vec::new() };
    let all = assumptions(base, finding.mode, effort, vary);
    runner.progress().enter("what the capacity hangs on");
    let one = |assumption: &Assumed| {
        let follow = |Other { unit, value, scenario, effort }: &Other| {
            let gives = was.follow(&runner.as_unit(*unit), scenario, *effort);
            Instead { value: value.clone(), gives }
        };
        let instead = runner.side_by_side(&assumption.instead, follow);
        let Assumed { path, value, .. } = assumption;
        let (path, value) = (path.clone(), value.clone());
        (!runner.is_cancelled()).then_some(Sensitivity { path, value, capacity: was.load, instead })
    };
    let found = runner.side_by_side(&all, one);
    let mut sensitivities: Vec<Sensitivity> = found.into_iter().flatten().collect();
    sensitivities.sort_by(|a, b| {
        b.weight().total_cmp(&a.weight()).then(b.greatest().total_cmp(&a.greatest()))
    });
    sensitivities
}

/// Something assumed, with what might be instead.
struct Assumed {
    path: String,
    value: String,
    instead: Vec<Other>,
}

/// What an assumption might be instead.
struct Other {
    /// Which of all of them, from one.
    unit: u64,
    value: String,
    scenario: Scenario,
    effort: SearchEffort,
}

fn assumptions(
    base: &Scenario,
    mode: Mode,
    effort: SearchEffort,
    vary: &dyn Fn(&str) -> Option<Scenario>,
) -> Vec<Assumed> {
    // How to run is a choice and no assumption.
    let is_fact = |setting: &&Setting| !setting.path.starts_with("run.");
    let assumed = base.settings.iter().filter(|setting| setting.mark == Mark::Assumed);
    let of = |setting: &Setting| {
        let (path, value) = (setting.path.clone(), setting.value.trim_matches('"').to_owned());
        let read = |value: String| {
            let scenario = vary(&format!("{path}={value}"))?;
            Some(Other { unit: 0, value, scenario, effort })
        };
        let mean = base.plan.gateway.demand.mean_secs();
        let instead = others(&path, &value, mean).into_iter().filter_map(read).collect();
        Assumed { path, value, instead }
    };
    let judged = effort.trial.judged;
    let differs = |secs: &f64| (secs / judged.as_secs() - 1.0).abs() > 0.01;
    let spans = SPANS.into_iter().filter(|secs| differs(secs) && mode != Mode::DailyPeak);
    let with = |secs: f64| {
        let mut effort = effort;
        effort.trial.judged = Span::from_secs(secs);
        let (value, scenario) = (effort.trial.judged.to_string(), base.clone());
        Other { unit: 0, value, scenario, effort }
    };
    let (path, value) = (JUDGED.to_owned(), judged.to_string());
    let judged = Assumed { path, value, instead: spans.map(with).collect() };
    let all = assumed.filter(is_fact).map(of).chain([judged]);
    let all = all.filter(|assumption| !assumption.instead.is_empty());
    let mut all: Vec<Assumed> = all.collect();
    let others = all.iter_mut().flat_map(|assumption| &mut assumption.instead);
    others.zip(1..).for_each(|(other, unit)| other.unit = unit);
    all
}

/// What a setting might be instead; `mean` is that of a request's CPU time in seconds.
fn others(path: &str, value: &str, mean: f64) -> Vec<String> {
    let but_this = |all: &[&str]| -> Vec<String> {
        all.iter().filter(|one| **one != value).map(|one| (*one).to_owned()).collect()
    };
    let durations = || FACTORS.iter().filter_map(|factor| scaled(value, *factor)).collect();
    match (path, value) {
        ("ingress.retries", "0") => vec!["1".to_owned()],
        ("ingress.retries", _) => vec!["0".to_owned()],
        ("ingress.dead-address", _) => but_this(&["drops", "refuses"]),
        ("gateway.cpu-per-request", _) => {
            let mean = format!("{:.7}ms", 1e3 * mean);
            let law = |shape: &str| format!("log-normal({mean}, cv={shape})");
            let shapes = [format!("exponential({mean})"), law("0.2"), law("1")];
            let is_this = |shape: &String| alike(shape, value);
            let mut all: Vec<String> = durations();
            all.extend(shapes.into_iter().filter(|shape| !is_this(shape)));
            all
        }
        (_, "true" | "false") => but_this(&["true", "false"]),
        _ => durations(),
    }
}

/// Whether two laws have the same name and shape.
fn alike(one: &str, other: &str) -> bool {
    let parts = |law: &str| {
        let (name, arguments) = law.split_once('(').unwrap_or((law, ""));
        let shape = arguments.split_once('=').map_or("", |(_, shape)| shape);
        (name.trim().to_owned(), shape.trim_end_matches(')').trim().to_owned())
    };
    parts(one) == parts(other)
}

/// What a changed scenario is compared with.
struct Base {
    mode: Mode,
    /// The load at which theory has it.
    limit: f64,
    /// The capacity; `None` = no load is carried.
    load: Option<f64>,
    /// The excess at that load, and how it grows with the logarithm of the load.
    excess: f64,
    slope: f64,
}

impl Base {
    fn of(
        runner: &Runner<'_>,
        base: &Scenario,
        finding: &Finding,
        effort: SearchEffort,
    ) -> Option<Base> {
        let (mode, limit) = (finding.mode, limits::fluid_limit(base, finding.mode));
        let load = match finding.capacity {
            Capacity::Between { point, .. } => point,
            Capacity::Nothing | Capacity::AtMost(_) => {
                return Some(Base { mode, limit, load: None, excess: 0.0, slope: 1.0 });
            }
            Capacity::AtLeast(_) | Capacity::Stopped => return None,
        };
        // Where its own few points cross the bound, and how steeply.
        let at = |load: f64| Some(probe(runner, base, mode, effort, load)?.excess);
        let range =
            Range { tolerance: ROOT, enough: ROOT, ..find::range(base, mode, effort, load) };
        let load = search::crossing_of_points(range, at)?;
        let excess = at(load)?.point;
        let (above, below) = (at(load / ASIDE)?.point, at(load * ASIDE)?.point);
        let slope = (above - below) / (-2.0 * ASIDE.ln());
        let is_root = slope.is_finite() && slope > 0.0;
        is_root.then_some(Base { mode, limit, load: Some(load), excess, slope })
    }

    /// What a changed scenario carries.
    fn follow(&self, runner: &Runner<'_>, scenario: &Scenario, effort: SearchEffort) -> Gives {
        let followed = match self.load {
            Some(load) => self.from(load, runner, scenario, effort),
            None => from_nothing(runner, scenario, self.mode, effort),
        };
        followed.unwrap_or(Gives::NotFollowed)
    }

    fn from(
        &self,
        was: f64,
        runner: &Runner<'_>,
        scenario: &Scenario,
        effort: SearchEffort,
    ) -> Option<Gives> {
        let at = |load: f64| {
            let excess = probe(runner, scenario, self.mode, effort, load)?.excess;
            Some(Excess::exactly(excess.point - self.excess))
        };
        // What theory says of a demand for CPU is nearer than what a slope says of it.
        let theory = (limits::fluid_limit(scenario, self.mode) / self.limit).ln();
        let shift = match theory.abs() < NO_EFFECT {
            true => -at(was)?.point / self.slope,
            false => theory,
        };
        if shift.abs() < NO_EFFECT {
            return Some(Gives::Load(was * shift.exp()));
        }
        let guess = was * if shift == theory { shift } else { shift.clamp(-0.05, 0.05) }.exp();
        let of = find::range(scenario, self.mode, effort, guess);
        let (least, most) = ((was / REACH).max(of.least), (was * REACH).min(of.most));
        let near = search::crossing_of_points(Range { least, most, enough: 0.0, ..of }, at);
        match near {
            Some(load) => Some(Gives::Load(load)),
            // Beyond reach, or nowhere.
            None => from_nothing(runner, scenario, self.mode, effort),
        }
    }
}

/// Whether a changed scenario carries anything, if no load was carried before, and how much.
fn from_nothing(
    runner: &Runner<'_>,
    scenario: &Scenario,
    mode: Mode,
    effort: SearchEffort,
) -> Option<Gives> {
    let range = find::range(scenario, mode, effort, find::guess(scenario, mode));
    let at = |load: f64| Some(probe(runner, scenario, mode, effort, load)?.excess);
    if at(range.least)?.point > 0.0 {
        return Some(Gives::Nothing);
    }
    match search::crossing_of_points(range, at) {
        Some(load) => Some(Gives::Load(load)),
        None if runner.is_cancelled() => None,
        None => Some(Gives::AtLeast(range.most)),
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
    fn an_assumption_is_varied_in_its_own_way() {
        assert_eq!(others("ingress.retries", "0", 0.001), ["1"]);
        assert_eq!(others("ingress.dead-address", "drops", 0.001), ["refuses"]);
        assert_eq!(others("gateway.throttling", "false", 0.001), ["true"]);
        assert_eq!(others("startup.boot", "2s", 0.001), ["1.6s", "2.5s"]);
        assert!(others("gateway.cores", "2", 0.001).is_empty());
        assert_eq!(
            others("gateway.cpu-per-request", "log-normal(1ms, cv=0.2)", 0.001),
            [
                "log-normal(0.8ms, cv=0.2)",
                "log-normal(1.25ms, cv=0.2)",
                "exponential(1.0000000ms)",
                "log-normal(1.0000000ms, cv=1)",
            ]
        );
    }

    #[test]
    fn what_makes_a_load_possible_weighs_most() {
        let with = |capacity, gives| {
            let instead = vec![Instead { value: String::new(), gives }];
            Sensitivity { path: String::new(), value: String::new(), capacity, instead }.weight()
        };
        assert_eq!(with(None, Gives::Load(666.0)), f64::INFINITY);
        assert_eq!(with(None, Gives::Nothing), 0.0);
        assert_eq!(with(Some(100.0), Gives::Nothing), f64::INFINITY);
        assert!((with(Some(100.0), Gives::Load(80.0)) - 0.2231).abs() < 1e-3);
    }

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
