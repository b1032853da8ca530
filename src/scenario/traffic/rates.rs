//! A process of arrivals from rates over time: series are brought to requests per second, summed,
//! and cut to what is wanted; gaps are filled or refused.
//!
//! A rate is that at its time, and linear in between. A count is of the period that begins at its
//! time, and the rate is level in it. The last value holds for one more step.

use crate::diagnostic::Flaw;
use crate::plan::ArrivalProcess;
use crate::plan::Scatter;
use crate::scenario::recording::kept::RecordingWindow;
use crate::scenario::recording::moment::Moment;
use crate::scenario::text::value::quote;
use crate::scenario::traffic::rate_file::{
    Counting, NamedSeries, RateFile, RateUnit, counts_periods, has_word,
};
use crate::units::{Instant, Rate, SECOND, Span};

/// A gap of up to so many steps is filled; a longer one hides what a day looks like.
const FILLED_STEPS: i64 = 10;
/// A series of fewer values need not be regular, and tells no counter.
const REGULAR: usize = 8;
/// A counter that has gone this far is none of a small rate.
const COUNTED: f64 = 1_000.0;
/// The highest rate that a scenario may have.
const RATE_LIMIT: f64 = 1e9;
/// What stands anywhere in the names of series that are no rates of requests, …
const OTHERS: [&str; 10] = [
    "latency",
    "duration",
    "responsetime",
    "response_time",
    "response time",
    "utili",
    "memory",
    "bytes",
    "error",
    "cpu",
];
/// … or as a word of its own, …
const OTHER_WORDS: [&str; 9] =
    ["p50", "p90", "p95", "p99", "percent", "%", "ms", "seconds", "errors"];
/// … unless the name also says what the rate is per.
const PERHAPS_OTHERS: [&str; 8] =
    ["status", "code", "users", "vus", "connections", "sessions", "size", "replicas"];

/// Rates as a process, and what to say of how they were read.
#[derive(Debug)]
pub(crate) struct RateSeries {
    /// The process.
    pub(crate) process: ArrivalProcess,
    /// When the last value ends to hold, if the run sees it.
    pub(crate) end: Instant,
    /// What a person should look at: assumptions, gaps, sums.
    pub(crate) said: Vec<String>,
    /// What the rates are per.
    pub(crate) unit: &'static str,
}

/// How rates are played.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RatePlay<'p> {
    /// What of them is wanted.
    pub(crate) window: RecordingWindow,
    /// How many times as fast.
    pub(crate) speed: f64,
    /// Whether they begin again.
    pub(crate) again: bool,
    /// What the names of series contain.
    pub(crate) chosen: Option<&'p str>,
}

/// One piece of the rate: from a time on, with the rate there and at its end.
type Corner = (Moment, f64);

/// Makes a process of a file.
pub(crate) fn process(file: &RateFile, play: &RatePlay<'_>) -> Result<RateSeries, Flaw> {
    let series = chosen(file, play.chosen)?;
    let mut said = Vec::new();
    if series.len() > 1 {
        let names: Vec<&str> = series.iter().take(5).map(|one| one.name.as_str()).collect();
        let more = if series.len() > 5 { ", ..." } else { "" };
        said.push(format!("{} series are summed: {}{more}", series.len(), names.join(", ")));
    }
    let series: Vec<NamedSeries> = series.into_iter().map(in_order).collect();
    series.iter().try_for_each(|one| not_a_counter(one, play.chosen.is_some()))?;
    let step = step(&series).unwrap_or(SECOND as Moment);
    for one in &series {
        said.extend(gaps(one, step)?);
    }
    said.extend(assumed(&series[0]).filter(|_| play.chosen.is_none()));
    let period = file.period.map_or(step, |period| period.0 as Moment);
    let steps = series.iter().all(|one| one.unit == Some(RateUnit::Period));
    let corners = summed(&series, step, period, steps);
    let (corners, end) = cut(corners, play);
    let rate = |rate: f64| Rate(rate * play.speed * play.window.share);
    let at = |at: Moment| Instant((at as f64 / play.speed).round() as u64);
    let corners: Vec<(Instant, Rate)> =
        corners.into_iter().map(|(time, value)| (at(time), rate(value))).collect();
    let end = at(end);
    let period = play.again.then(|| end.since(Instant::ZERO));
    let process = ArrivalProcess { scatter: Scatter::Poisson, corners, period };
    let peak = process.peak().0;
    if peak == 0.0 {
        return Err(Flaw::new("no request ever comes: every rate is 0"));
    }
    if peak > RATE_LIMIT {
        let title = format!("a rate of {peak:.0e} requests per second is above the limit of 1e9");
        return Err(Flaw::new(title).help("is it a counter? Ask for rate(…[1m])"));
    }
    Ok(RateSeries { process, end, said, unit: shown(series[0].unit) })
}

/// What a unit is called.
fn shown(unit: Option<RateUnit>) -> &'static str {
    let Some(unit) = unit else { return "taken for requests per second" };
    match unit {
        RateUnit::Second => "requests per second",
        RateUnit::Minute => "requests per minute",
        RateUnit::Hour => "requests per hour",
        RateUnit::Period => "requests counted per period",
    }
}

/// The series that are wanted: those whose names contain a text, or all that may be rates.
fn chosen(file: &RateFile, text: Option<&str>) -> Result<Vec<NamedSeries>, Flaw> {
    let fits = |one: &&NamedSeries| text.is_none_or(|text| one.name.contains(text));
    let found: Vec<NamedSeries> =
        file.series.iter().filter(|one| !one.points.is_empty()).filter(fits).cloned().collect();
    let names: Vec<String> =
        file.series.iter().take(8).map(|one| format!("{:?}", one.name)).collect();
    let there = format!("there are {}", names.join(", "));
    if found.is_empty() {
        let title = match text {
            Some(text) => format!("no series has {text:?} in its name"),
            None => "no series has a value".to_owned(),
        };
        let help = match file.series.is_empty() {
            true => "the query found nothing: ask for other times, or another metric".to_owned(),
            false => there,
        };
        return Err(Flaw::new(title).help(help));
    }
    match found.iter().find(|one| text.is_none() && is_other(one)) {
        Some(other) => {
            let title = format!("the series {:?} is no rate of requests", other.name);
            let help = match &found[..] {
                [one] => format!(
                    "if it is, say so: replay-series = {}; a table with a row for each request \
                     has its times in a column called time_s",
                    quote(&one.name)
                ),
                _ => format!("name those to be summed with `replay-series`; {there}"),
            };
            Err(Flaw::new(title).help(help))
        }
        None => Ok(found),
    }
}

/// Whether a series is one of something else than requests, by its name; labels do not count.
fn is_other(series: &NamedSeries) -> bool {
    let name = series.name.split('{').next().unwrap_or_default().to_lowercase();
    // A histogram of latencies counts requests.
    let counts = name.contains("_count") && series.unit == Some(RateUnit::Second);
    let words = |words: &[&str]| words.iter().any(|word| has_word(&name, word));
    let is_other = OTHERS.iter().any(|part| name.contains(part)) || words(&OTHER_WORDS);
    !counts && (is_other || series.unit.is_none() && words(&PERHAPS_OTHERS))
}

/// In order of time; of two values of one time the later in the file.
fn in_order(mut series: NamedSeries) -> NamedSeries {
    series.points.sort_by_key(|(at, _)| *at);
    series.points.dedup_by(|later, first| {
        let same = later.0 == first.0;
        if same {
            first.1 = later.1;
        }
        same
    });
    series
}

/// Refuses a counter by its name, and, unless it was asked for by name, what only grows but for
/// restarts, and goes far.
fn not_a_counter(series: &NamedSeries, is_chosen: bool) -> Result<(), Flaw> {
    let is_counter = match series.counting {
        Counting::Total => true,
        Counting::Apart => false,
        Counting::Untold => !is_chosen && only_grows(&series.points),
    };
    if !is_counter {
        return Ok(());
    }
    let name = if series.name.is_empty() { "this series" } else { &series.name };
    let metric = series.name.split('{').next().filter(|name| !name.is_empty()).unwrap_or("…");
    let title = match series.counting {
        Counting::Total => format!("{name} is a counter: it holds all requests so far"),
        _ => format!("{name} only grows, as a counter does that holds all requests so far"),
    };
    let rate = format!("ask for its rate, in Prometheus sum(rate({metric}[1m]))");
    let help = match series.counting {
        Counting::Untold if !series.name.is_empty() => {
            let name = quote(&series.name);
            format!(
                "{rate}; if these are rates or counts per period, say so: replay-series = {name}"
            )
        }
        _ => rate,
    };
    Err(Flaw::new(title).help(help))
}

/// Whether these are whole numbers that only grow, but for restarts, and go far.
fn only_grows(points: &[(Moment, f64)]) -> bool {
    let values = || points.iter().map(|(_, value)| *value);
    let (mut grew, mut fell, mut before) = (0, 0, f64::NAN);
    for value in values() {
        grew += usize::from(value > before);
        fell += usize::from(value < before && value * 2.0 > before);
        before = value;
    }
    let whole = values().all(|value| value.fract() == 0.0);
    let far = values().fold(0.0, f64::max) >= COUNTED;
    points.len() >= REGULAR && whole && far && fell == 0 && grew * 4 >= points.len() * 3
}

/// The usual time from a value to the next.
fn step(series: &[NamedSeries]) -> Option<Moment> {
    let pairs = series.iter().flat_map(|one| one.points.windows(2));
    let mut steps: Vec<Moment> = pairs.map(|pair| pair[1].0 - pair[0].0).collect();
    steps.sort_unstable();
    steps.get(steps.len() / 2).copied()
}

/// What to say of missing values.
fn gaps(series: &NamedSeries, step: Moment) -> Result<Option<String>, Flaw> {
    let steps = || series.points.windows(2).map(|pair| pair[1].0 - pair[0].0);
    let regular = steps().filter(|one| (one - step).abs() * 10 <= step).count();
    if series.points.len() < REGULAR || regular * 5 < series.points.len() * 4 {
        return Ok(None);
    }
    let missing = steps().filter(|one| one * 2 > step * 3);
    let (count, longest) =
        missing.fold((0_u64, 0), |(count, most), one| (count + 1, most.max(one)));
    let length = Span(longest.unsigned_abs());
    if longest > step * (FILLED_STEPS + 1) {
        let title = format!("values are missing for {length}, more than {FILLED_STEPS} steps");
        let help = "take a part without the gap with `replay-from` and `replay-to`, or fill it";
        return Err(Flaw::new(title).help(help));
    }
    let gaps = if count == 1 { "a gap".to_owned() } else { format!("{count} gaps") };
    let how = if series.unit == Some(RateUnit::Period) { "the rate before" } else { "a line" };
    Ok((count > 0).then(|| format!("{gaps} of up to {length} filled with {how}")))
}

/// What to say of what was assumed of a series with a name that tells less.
fn assumed(series: &NamedSeries) -> Option<String> {
    let name = series.name.split('{').next().filter(|name| !name.is_empty())?;
    match series.unit {
        Some(RateUnit::Period)
            if !counts_periods(name) && !has_word(&name.to_lowercase(), "count") =>
        {
            Some(format!("{name} is taken for a count per period, not for a rate per second"))
        }
        None => Some(format!("{name} is taken for requests per second: its name does not say")),
        Some(_) => None,
    }
}

/// The sum of the series in requests per second, as corners in order of time, with one step held
/// at the end. Beyond its own values a series is zero.
fn summed(series: &[NamedSeries], step: Moment, period: Moment, steps: bool) -> Vec<Corner> {
    let per_second = |one: &NamedSeries| match one.unit.unwrap_or(RateUnit::Second) {
        RateUnit::Second => 1.0,
        RateUnit::Minute => 60.0,
        RateUnit::Hour => 3_600.0,
        RateUnit::Period => period as f64 / SECOND as f64,
    };
    let mut times: Vec<Moment> =
        series.iter().flat_map(|one| one.points.iter().map(|(at, _)| *at)).collect();
    times.sort_unstable();
    times.dedup();
    let mut totals = vec![0.0; times.len()];
    for one in series {
        let (scale, mut next) = (per_second(one), 0);
        for (total, time) in totals.iter_mut().zip(&times) {
            while one.points.get(next + 1).is_some_and(|(at, _)| at <= time) {
                next += 1;
            }
            *total += value(&one.points[next..], *time, steps) / scale;
        }
    }
    let mut corners: Vec<Corner> = Vec::with_capacity(times.len() * 2);
    for (time, total) in times.into_iter().zip(totals) {
        let before = corners.last().map(|(_, before)| *before);
        corners.extend(before.filter(|_| steps).map(|before| (time, before)));
        corners.push((time, total));
    }
    if let Some((at, last)) = corners.last().copied() {
        corners.push((at.saturating_add(step), last));
    }
    corners
}

/// The value at a time, given the points from the last one before it on.
fn value(points: &[(Moment, f64)], time: Moment, steps: bool) -> f64 {
    let (at, here) = points[0];
    match points.get(1) {
        _ if time < at => 0.0,
        Some(_) if steps => here,
        Some((next, there)) => here + (there - here) * ((time - at) as f64 / (next - at) as f64),
        None if time == at => here,
        None => 0.0,
    }
}

/// What is wanted of the corners, from zero on, and where it ends; after that no request comes,
/// unless it begins again.
fn cut(corners: Vec<Corner>, play: &RatePlay<'_>) -> (Vec<Corner>, Moment) {
    let (zero, last) = (corners[0].0, corners[corners.len() - 1].0);
    let (from, to) = play.window.bounds(zero);
    let (from, to) = (from.clamp(zero, last), to.clamp(zero, last));
    let at = |time: Moment| {
        let after = corners.partition_point(|(corner, _)| *corner <= time);
        value(&corners[after.max(1) - 1..], time, false)
    };
    let before = |time: Moment| {
        let after = corners.partition_point(|(corner, _)| *corner < time);
        if after == 0 { at(time) } else { value(&corners[after - 1..], time, false) }
    };
    let inside = corners.iter().filter(|(time, _)| *time > from && *time < to).copied();
    let all = std::iter::once((from, at(from))).chain(inside).chain([(to, before(to))]);
    let mut all: Vec<Corner> = all.map(|(time, rate)| (time - from, rate)).collect();
    if !play.again {
        all.push((to - from, 0.0));
        // What no run plays need not be kept, but the rate at its end.
        let kept = all.partition_point(|(time, _)| *time <= play.window.length) + 1;
        all.truncate(kept);
    }
    (all, to - from)
}
