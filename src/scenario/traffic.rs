//! The section `[traffic]`.

use crate::diagnostic::{Place, Problem};
use crate::plan::{ArrivalProcess, Bursts, Population, Scatter, Surroundings, Traffic};
use crate::scenario::book::{Book, Found, Section};
use crate::scenario::keys::{Key, bursts as burst, change as of, traffic as key};
use crate::scenario::trace::Nameable;
use crate::scenario::word::ChangeKind;
use crate::scenario::{profile, replay};
use crate::units::{Instant, Rate, SECOND, Span};

const CHANGE_LIMIT: usize = 10_000;
/// Calm and bursts are this long at least in the mean: a run has to get past each.
const BURST_LEAST: Span = Span(SECOND / 1_000);

/// `[traffic]` as read.
pub(crate) struct TrafficPart {
    pub(crate) plan: Traffic,
    /// The highest rate, in a burst if there are bursts, and where it is written; `None` for
    /// recorded arrivals.
    pub(crate) peak: Option<Found<Rate>>,
}

/// Reads `[traffic]` for a run of this length, this many replicas, and what surrounds them.
pub(crate) fn read<'a>(
    book: &mut Book<'a>,
    top: &Section<'a>,
    horizon: Option<Instant>,
    replicas: usize,
    around: Option<&Surroundings>,
) -> TrafficPart {
    let section = book.section(top, "traffic");
    let clients = around.map(|around| &around.clients.population);
    if let Some(Population::Closed { .. }) = clients {
        return from_users(book, &section);
    }
    if section.has(&key::REPLAY) {
        let apis = around.map_or(&[][..], |around| &around.apis);
        return recorded(book, &section, horizon, Nameable { replicas, apis });
    }
    let rate = book.require(&section, key::RATE, "rate = \"900/s\"");
    let base = rate.as_ref().map_or(Rate::default(), |rate| rate.value);
    idle_replay(book, &section);
    let scatter = book.get(&section, key::ARRIVALS);
    let changes = changes(book, &section, horizon);
    let mut peak = rate;
    for change in &changes {
        if peak.as_ref().is_none_or(|peak| change.rate > peak.value) {
            peak = Some(Found { value: change.rate, place: change.place.clone(), given: true });
        }
    }
    let (mut corners, mut period) = (corners(base, &changes), None);
    if let Some(profile) = profile::read(book, &section, changes.first().map(|one| &one.place)) {
        corners = profile.corners(base);
        period = Some(profile.period());
        peak = peak.map(|peak| raised(peak, profile.highest()));
    }
    if let Some(rate) = peak.as_ref().filter(|peak| peak.value.0 == 0.0) {
        let help = "write a rate above 0, or a [[traffic.change]] to one".to_owned();
        book.error(rate.place.clone(), "no request ever comes", help);
    }
    let mut scatter = scatter.value;
    if let Some(bursts) = bursts(book, &section, scatter) {
        let place = bursts.place.clone();
        peak = peak.map(|peak| Found { place, ..raised(peak, bursts.value.peak()) });
        scatter = Scatter::Bursty(bursts.value);
    }
    if let Some(Population::Sessions { requests, .. }) = clients {
        peak = peak.map(|peak| raised(peak, *requests));
    }
    let plan = Traffic::Process(ArrivalProcess { scatter, corners, period });
    TrafficPart { plan, peak }
}

/// No traffic beside that of the users of a closed loop.
fn from_users<'a>(book: &mut Book<'a>, section: &Section<'a>) -> TrafficPart {
    let places = [
        section.has(&key::RATE).then(|| ("rate", section.key_place(&key::RATE))),
        section.has(&key::REPLAY).then(|| ("replay", section.key_place(&key::REPLAY))),
    ];
    for (name, place) in places.into_iter().flatten() {
        let title = format!("`traffic.{name}` and clients.loop = \"closed\" contradict each other");
        let problem = Problem::error(place, title).label("users send when they have thought");
        book.problems.push(problem.help("drop one of the two; `users` and `think` make the load"));
    }
    idle_shape(book, section, "users of a closed loop send when they have thought");
    if !section.has(&key::REPLAY) {
        idle_replay(book, section);
    }
    let corners = vec![(Instant::ZERO, Rate::default())];
    let process = ArrivalProcess { scatter: Scatter::Poisson, corners, period: None };
    TrafficPart { plan: Traffic::Process(process), peak: None }
}

fn recorded<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    horizon: Option<Instant>,
    nameable: Nameable<'_>,
) -> TrafficPart {
    if section.has(&key::RATE) {
        let title = "`traffic.rate` and `traffic.replay` contradict each other";
        let help = "recorded arrivals have their own rate: drop one of the two".to_owned();
        book.error(section.key_place(&key::RATE), title, help);
    }
    idle_shape(book, section, "arrivals are recorded");
    let recording = replay::read(book, section, horizon, nameable);
    TrafficPart { plan: Traffic::Replay(recording.unwrap_or_default()), peak: None }
}

/// Notes what shapes a rate when there is none.
fn idle_shape<'a>(book: &mut Book<'a>, section: &Section<'a>, reason: &str) {
    book.idle(section, key::ARRIVALS, reason);
    book.idle(section, key::DAILY, reason);
    book.idle(section, key::DAY_START, reason);
    book.idle(section, key::WEEKLY, reason);
    book.idle(section, key::WEEK_START, reason);
    let bursts = book.section(section, "traffic.bursts");
    if bursts.is_there() {
        let title = "bursts have no effect";
        book.problems.push(Problem::warning(bursts.place, title).label(reason));
    }
    let ignored = book.elements(section, "traffic.change", CHANGE_LIMIT);
    let first = ignored.first().map(|change| change.place.clone());
    let title = "changes of the rate have no effect";
    book.problems.extend(first.map(|place| Problem::warning(place, title).label(reason)));
}

/// Notes what says how a recording is played when there is none.
fn idle_replay<'a>(book: &mut Book<'a>, section: &Section<'a>) {
    let reason = "only with `replay`";
    book.idle(section, key::REPLAY_FORMAT, reason);
    book.idle(section, key::REPLAY_SPEED, reason);
    book.idle(section, key::REPLAY_LOOP, reason);
}

/// The same rate so many times as high.
fn raised(rate: Found<Rate>, factor: f64) -> Found<Rate> {
    Found { value: Rate(rate.value.0 * factor), ..rate }
}

/// Bursts, with the place of their factor.
fn bursts<'a>(
    book: &mut Book<'a>,
    traffic: &Section<'a>,
    scatter: Scatter,
) -> Option<Found<Bursts>> {
    let section = book.section(traffic, "traffic.bursts");
    if !section.is_there() {
        return None;
    }
    let factor = book.require(&section, burst::FACTOR, "factor = 4");
    let every = book.require(&section, burst::EVERY, "every = \"5m\"");
    let length = book.require(&section, burst::FOR, "for = \"20s\"");
    if scatter == Scatter::Deterministic {
        let title = "evenly spaced arrivals have no bursts";
        let help = "drop [traffic.bursts] or write arrivals = \"poisson\"".to_owned();
        book.error(section.place.clone(), title, help);
    }
    for span in [&every, &length].into_iter().flatten().filter(|span| span.value < BURST_LEAST) {
        let help = "write \"1ms\" or more".to_owned();
        book.error(span.place.clone(), "calm and bursts last 1ms at least in the mean", help);
    }
    let Found { value: factor, place, given } = factor?;
    if factor <= 1.0 {
        let help = "write how many times the rate of calm a burst has, such as 4".to_owned();
        book.error(place.clone(), "a burst has a higher rate than calm", help);
    }
    let (every, length) = (every?.value.max(BURST_LEAST), length?.value.max(BURST_LEAST));
    let value = Bursts { factor: factor.max(1.0), every, length };
    Some(Found { value, place, given })
}

/// A change of the rate, from `start` to `end`.
struct Change {
    kind: ChangeKind,
    start: Instant,
    end: Instant,
    rate: Rate,
    place: Place,
}

/// The changes in time order.
fn changes<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    horizon: Option<Instant>,
) -> Vec<Change> {
    let elements = book.elements(section, "traffic.change", CHANGE_LIMIT);
    let mut changes: Vec<Change> =
        elements.iter().filter_map(|element| change(book, element)).collect();
    changes.sort_by_key(|change| (change.start, change.end));
    for change in changes.iter().filter(|change| horizon.is_some_and(|end| change.start >= end)) {
        let problem = Problem::warning(change.place.clone(), "this change never happens");
        book.problems.push(problem.label("at or after the end of the run"));
    }
    for pair in changes.windows(2) {
        let same = pair[0].start == pair[1].start && pair[0].end == pair[1].end;
        if pair[1].start < pair[0].end || same {
            let title = "two changes of the rate overlap";
            let until = format!("the one before lasts until {}", pair[0].end);
            book.problems.push(Problem::error(pair[1].place.clone(), title).label(until));
        }
    }
    changes
}

fn change<'a>(book: &mut Book<'a>, section: &Section<'a>) -> Option<Change> {
    let kind = book.require(section, of::KIND, "kind = \"step\"")?.value;
    let rate = book.require(section, of::RATE, "rate = \"1200/s\"");
    let instant = |found: Found<Span>| Instant(found.value.0);
    let (start, end) = match kind {
        ChangeKind::Step => {
            forbid(book, section, &[&of::FROM, &of::TO, &of::FOR], "a step");
            let at = book.require(section, of::AT, "at = \"2m\"").map(instant)?;
            (at, at)
        }
        ChangeKind::Ramp => {
            forbid(book, section, &[&of::AT, &of::FOR], "a ramp");
            let from = book.require(section, of::FROM, "from = \"3m\"").map(instant);
            (from?, book.require(section, of::TO, "to = \"5m\"").map(instant)?)
        }
        ChangeKind::Spike => {
            forbid(book, section, &[&of::FROM, &of::TO], "a spike");
            let at = book.require(section, of::AT, "at = \"6m\"").map(instant);
            let length = book.require(section, of::FOR, "for = \"30s\"")?.value;
            (at?, at? + length)
        }
    };
    if start >= end && kind != ChangeKind::Step {
        let help = "let it end after it begins".to_owned();
        book.error(section.place.clone(), "this change takes no time", help);
    }
    let rate = rate?;
    Some(Change { kind, start, end: end.max(start), rate: rate.value, place: rate.place })
}

/// Notes an error for every one of the keys that is there.
fn forbid<'a>(book: &mut Book<'a>, section: &Section<'a>, keys: &[&Key<Span>], kind: &str) {
    for key in keys.iter().filter(|key| section.has(key)) {
        let title = format!("{kind} has no `{}`", key.name);
        book.problems.push(Problem::error(section.key_place(key), title).label("leave it out"));
    }
}

/// The rate over time: `base`, then one change after the other.
fn corners(base: Rate, changes: &[Change]) -> Vec<(Instant, Rate)> {
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

    fn change(kind: ChangeKind, start: f64, end: f64, rate: f64) -> Change {
        let (start, end) = (Instant::from_secs(start), Instant::from_secs(end));
        Change { kind, start, end, rate: Rate(rate), place: Place::Whole }
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
