//! The section `[traffic]`: a rate with its changes and bursts, or what stands in its place.

use crate::diagnostic::{Place, Problem};
use crate::plan::{ArrivalProcess, Bursts, Dependencies, Population, Recording, Scatter, Traffic};
use crate::scenario::reader::{KeySpec, Parsed, Reader, SectionReader, TypedKey};
use crate::scenario::recording::line::Nameable;
use crate::scenario::traffic::format::{ChangeKind, bursts, change, key};
use crate::scenario::traffic::profile;
use crate::scenario::traffic::replay::{self, Replayed};
use crate::units::{Instant, Rate, SECOND, Span};

const CHANGE_LIMIT: usize = 10_000;
/// Calm and bursts are this long at least in the mean: a run has to get past each.
const BURST_LEAST: Span = Span(SECOND / 1_000);

/// `[traffic]` as read.
pub(crate) struct TrafficPart {
    pub(crate) plan: Traffic,
    /// The highest rate, in a burst if there are bursts, and where it is written; `None` for
    /// recorded arrivals.
    pub(crate) peak: Option<Parsed<Rate>>,
}

/// Reads `[traffic]` for a run of this length, this many replicas, and these dependencies.
pub(crate) fn read(
    reader: &Reader<'_>,
    horizon: Option<Instant>,
    replicas: usize,
    dependencies: &Dependencies,
) -> TrafficPart {
    let section = reader.section(&key::SPEC);
    let population = &dependencies.clients.population;
    if let Population::Closed { .. } = population {
        return from_users(reader, &section);
    }
    let nameable = Nameable { replicas, apis: &dependencies.apis };
    let mut part = match section.has(&key::REPLAY) {
        true => recorded(reader, &section, horizon, nameable),
        false => at_rate(reader, &section, horizon),
    };
    if let Population::Sessions { requests, .. } = population {
        part.peak = part.peak.map(|peak| raised(peak, *requests));
    }
    part
}

/// Arrivals at a rate.
fn at_rate(
    reader: &Reader<'_>,
    section: &SectionReader<'_>,
    horizon: Option<Instant>,
) -> TrafficPart {
    let mut peak = section.require(key::RATE, "rate = \"900/s\"");
    let base = peak.as_ref().map_or(Rate::default(), |rate| rate.value);
    let mut scatter = section.get(key::ARRIVALS);
    let changes = changes(reader, horizon);
    for change in &changes {
        if peak.as_ref().is_none_or(|peak| change.rate > peak.value) {
            peak = Some(Parsed { value: change.rate, place: change.place.clone(), given: true });
        }
    }
    let (mut corners, mut period) = (corners(base, &changes), None);
    if let Some(profile) = profile::read(section, changes.first().map(|one| &one.place)) {
        corners = profile.corners(base);
        period = Some(profile.period());
        peak = peak.map(|peak| raised(peak, profile.highest()));
    }
    if let Some(rate) = peak.as_ref().filter(|peak| peak.value.0 == 0.0) {
        let help = "write a rate above 0, or a [[traffic.change]] to one";
        section.error(rate, "no request ever comes", help);
    }
    if let Some(Parsed { value, place, .. }) = bursts(reader, scatter) {
        peak = peak.map(|peak| Parsed { place, ..raised(peak, value.peak()) });
        scatter = Scatter::Bursty(value);
    }
    let plan = Traffic::Process(ArrivalProcess { scatter, corners, period });
    TrafficPart { plan, peak }
}

/// No traffic beside that of the users of a closed loop.
fn from_users(reader: &Reader<'_>, section: &SectionReader<'_>) -> TrafficPart {
    for key in [&*key::RATE, &*key::REPLAY].into_iter().filter(|key| section.has(key)) {
        let title =
            format!("`traffic.{}` and clients.loop = \"closed\" contradict each other", key.name);
        let problem = Problem::error(section.key_place(key), title)
            .label("users send when they have thought")
            .help("drop one of the two; `users` and `think` make the load");
        section.note(problem);
    }
    idle_shape(reader, section, "users of a closed loop send when they have thought", true);
    TrafficPart { plan: Traffic::poisson(Rate::default()), peak: None }
}

fn recorded(
    reader: &Reader<'_>,
    section: &SectionReader<'_>,
    horizon: Option<Instant>,
    nameable: Nameable<'_>,
) -> TrafficPart {
    if section.has(&key::RATE) {
        let title = "`traffic.rate` and `traffic.replay` contradict each other";
        let help = "recorded arrivals have their own rate: drop one of the two";
        section.error(section.key_place(&key::RATE), title, help);
    }
    let (part, mut peak) = (replay::read(section, horizon, nameable), None);
    let plan = match part {
        Some(Replayed::Rates(series)) => {
            let scatter = section.get(key::ARRIVALS);
            let place = section.key_place(&key::REPLAY);
            peak = Some(Parsed { value: series.process.peak(), place, given: true });
            Traffic::Process(ArrivalProcess { scatter, ..series.process })
        }
        Some(Replayed::Arrivals(recording)) => Traffic::Replay(recording),
        None => Traffic::Replay(Recording::default()),
    };
    let is_process = matches!(plan, Traffic::Process(_));
    let reason = if is_process { "rates are recorded" } else { "arrivals are recorded" };
    if !is_process {
        let only = "only with a file of rates";
        section.idle(&key::REPLAY_SERIES, only);
    }
    idle_shape(reader, section, reason, !is_process);
    TrafficPart { plan, peak }
}

/// Notes what shapes a rate when there is none.
fn idle_shape(reader: &Reader<'_>, section: &SectionReader<'_>, reason: &str, scatter: bool) {
    let shape: [&KeySpec; 4] = [&key::DAILY, &key::DAY_START, &key::WEEKLY, &key::WEEK_START];
    let arrivals: Option<&KeySpec> = scatter.then_some(&*key::ARRIVALS);
    arrivals.into_iter().chain(shape).for_each(|key| section.idle(key, reason));
    let bursts = reader.section(&bursts::SPEC);
    let changes = reader.elements(&change::SPEC, CHANGE_LIMIT);
    let bursts = Some(&bursts).filter(|bursts| bursts.is_there());
    for (ignored, what) in [(bursts, "bursts"), (changes.first(), "changes of the rate")] {
        let title = format!("{what} have no effect");
        let problem = ignored.map(|ignored| Problem::warning(ignored.into(), title).label(reason));
        problem.into_iter().for_each(|problem| section.note(problem));
    }
}

/// The same rate so many times as high.
fn raised(rate: Parsed<Rate>, factor: f64) -> Parsed<Rate> {
    Parsed { value: Rate(rate.value.0 * factor), ..rate }
}

/// Bursts, with the place of their factor.
fn bursts(reader: &Reader<'_>, scatter: Scatter) -> Option<Parsed<Bursts>> {
    let section = reader.section(&bursts::SPEC);
    if !section.is_there() {
        return None;
    }
    let factor = section.require(bursts::FACTOR, "factor = 4");
    let every = section.require(bursts::EVERY, "every = \"5m\"");
    let length = section.require(bursts::FOR, "for = \"20s\"");
    if scatter == Scatter::Deterministic {
        let help = "drop [traffic.bursts] or write arrivals = \"poisson\"";
        section.error(&section, "evenly spaced arrivals have no bursts", help);
    }
    for span in [&every, &length].into_iter().flatten().filter(|span| span.value < BURST_LEAST) {
        let help = "write \"1ms\" or more";
        section.error(span, "calm and bursts last 1ms at least in the mean", help);
    }
    let factor = factor?;
    if factor.value <= 1.0 {
        let help = "write how many times the rate of calm a burst has, such as 4";
        section.error(&factor, "a burst has a higher rate than calm", help);
    }
    let (every, length) = (every?.value.max(BURST_LEAST), length?.value.max(BURST_LEAST));
    let value = Bursts { factor: factor.value.max(1.0), every, length };
    Some(Parsed { value, place: factor.place, given: factor.given })
}

/// A change of the rate, from `start` to `end`.
struct RateChange {
    kind: ChangeKind,
    start: Instant,
    end: Instant,
    rate: Rate,
    place: Place,
}

/// The changes in time order.
fn changes(reader: &Reader<'_>, horizon: Option<Instant>) -> Vec<RateChange> {
    let elements = reader.elements(&change::SPEC, CHANGE_LIMIT);
    let mut changes: Vec<RateChange> = elements.iter().filter_map(change).collect();
    changes.sort_by_key(|change| (change.start, change.end));
    for change in changes.iter().filter(|change| horizon.is_some_and(|end| change.start >= end)) {
        let problem = Problem::warning(change.place.clone(), "this change never happens");
        reader.note(problem.label("at or after the end of the run"));
    }
    for pair in changes.windows(2) {
        let same = pair[0].start == pair[1].start && pair[0].end == pair[1].end;
        if pair[1].start < pair[0].end || same {
            let title = "two changes of the rate overlap";
            let until = format!("the one before lasts until {}", pair[0].end);
            reader.note(Problem::error(pair[1].place.clone(), title).label(until));
        }
    }
    changes
}

fn change(section: &SectionReader<'_>) -> Option<RateChange> {
    use change::*;
    let kind = section.require(KIND, "kind = \"step\"")?.value;
    let rate = section.require(RATE, "rate = \"1200/s\"");
    let instant =
        |key: TypedKey<Span>, example: &str| Some(Instant(section.require(key, example)?.value.0));
    let (start, end) = match kind {
        ChangeKind::Step => {
            forbid(section, &[FROM, TO, FOR], "a step");
            let at = instant(AT, "at = \"2m\"")?;
            (at, at)
        }
        ChangeKind::Ramp => {
            forbid(section, &[AT, FOR], "a ramp");
            let from = instant(FROM, "from = \"3m\"");
            (from?, instant(TO, "to = \"5m\"")?)
        }
        ChangeKind::Spike => {
            forbid(section, &[FROM, TO], "a spike");
            let at = instant(AT, "at = \"6m\"");
            let length = section.require(FOR, "for = \"30s\"")?.value;
            (at?, at? + length)
        }
    };
    if start >= end && kind != ChangeKind::Step {
        section.error(section, "this change takes no time", "let it end after it begins");
    }
    let rate = rate?;
    Some(RateChange { kind, start, end: end.max(start), rate: rate.value, place: rate.place })
}

/// Notes an error for every one of the keys that is there.
fn forbid(section: &SectionReader<'_>, keys: &[TypedKey<Span>], kind: &str) {
    for key in keys.iter().filter(|key| section.has(key)) {
        let title = format!("{kind} has no `{}`", key.name);
        section.note(Problem::error(section.key_place(key), title).label("leave it out"));
    }
}

/// The rate over time: `base`, then one change after the other.
fn corners(base: Rate, changes: &[RateChange]) -> Vec<(Instant, Rate)> {
    let mut corners = vec![(Instant::ZERO, base)];
    let mut rate = base;
    for change in changes {
        corners.push((change.start, rate));
        match change.kind {
            ChangeKind::Step => corners.push((change.start, change.rate)),
            ChangeKind::Ramp => corners.push((change.end, change.rate)),
            ChangeKind::Spike => {
                let held = [(change.start, change.rate), (change.end, change.rate)];
                corners.extend(held);
                corners.push((change.end, rate));
            }
        }
        if change.kind != ChangeKind::Spike {
            rate = change.rate;
        }
    }
    corners
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(kind: ChangeKind, start: f64, end: f64, rate: f64) -> RateChange {
        let (start, end) = (Instant::from_secs(start), Instant::from_secs(end));
        RateChange { kind, start, end, rate: Rate(rate), place: Place::Whole }
    }

    fn plain(corners: &[(Instant, Rate)]) -> Vec<(f64, f64)> {
        corners.iter().map(|(at, rate)| (at.as_secs(), rate.0)).collect()
    }

    #[test]
    fn steps_ramps_and_spikes_are_drawn_as_corners() {
        let changes = [
            change(ChangeKind::Step, 10.0, 10.0, 200.0),
            change(ChangeKind::Spike, 20.0, 25.0, 900.0),
            change(ChangeKind::Ramp, 30.0, 40.0, 50.0),
        ];
        let drawn = [
            (0.0, 100.0),
            (10.0, 100.0),
            (10.0, 200.0),
            (20.0, 200.0),
            (20.0, 900.0),
            (25.0, 900.0),
            (25.0, 200.0),
            (30.0, 200.0),
            (40.0, 50.0),
        ];
        assert_eq!(plain(&corners(Rate(100.0), &changes)), drawn);
    }
}
