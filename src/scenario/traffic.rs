//! The section `[traffic]`.

use crate::diagnostic::{Place, Problem};
use crate::plan::{ArrivalProcess, Traffic};
use crate::scenario::book::{Book, Found, Section};
use crate::scenario::keys::{Key, change as of, traffic as key};
use crate::scenario::replay;
use crate::scenario::value::Located;
use crate::scenario::word::ChangeKind;
use crate::units::{Instant, Rate, SECOND, Span};

const HOUR: u64 = 3_600 * SECOND;
const DAY: u64 = 24 * HOUR;
const CHANGE_LIMIT: usize = 10_000;

/// `[traffic]` as read.
pub(crate) struct TrafficPart {
    pub(crate) plan: Traffic,
    /// The highest rate and where it is written; `None` for recorded arrivals.
    pub(crate) peak: Option<Found<Rate>>,
}

/// Reads `[traffic]` for a run of this length and this many replicas.
pub(crate) fn read<'a>(
    book: &mut Book<'a>,
    top: &Section<'a>,
    horizon: Option<Instant>,
    replicas: usize,
) -> TrafficPart {
    let section = book.section(top, "traffic");
    if section.has(&key::REPLAY) {
        return recorded(book, &section, horizon, replicas);
    }
    let rate = book.require(&section, key::RATE, "rate = \"900/s\"");
    let base = rate.as_ref().map_or(Rate::default(), |rate| rate.value);
    let scatter = book.get(&section, key::ARRIVALS).value;
    let changes = changes(book, &section, horizon);
    let daily = book.find(&section, key::DAILY);
    let start = day_start(book, &section, daily.is_some());
    let mut peak = rate;
    for change in &changes {
        if peak.as_ref().is_none_or(|peak| change.rate > peak.value) {
            peak = Some(Found { value: change.rate, place: change.place.clone(), given: true });
        }
    }
    let (mut corners, mut period) = (corners(base, &changes), None);
    if let Some(factors) = daily.and_then(|daily| factors(book, daily, &changes)) {
        corners = daily_corners(base, &factors, start);
        period = Some(Span(DAY));
        let highest = factors.iter().copied().fold(0.0, f64::max);
        peak = peak.map(|peak| Found { value: Rate(peak.value.0 * highest), ..peak });
    }
    if let Some(rate) = peak.as_ref().filter(|peak| peak.value.0 == 0.0) {
        let help = "write a rate above 0, or a [[traffic.change]] to one".to_owned();
        book.error(rate.place.clone(), "no request ever comes", help);
    }
    let plan = Traffic::Process(ArrivalProcess { scatter, corners, period });
    TrafficPart { plan, peak }
}

fn recorded<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    horizon: Option<Instant>,
    replicas: usize,
) -> TrafficPart {
    if section.has(&key::RATE) {
        let title = "`traffic.rate` and `traffic.replay` contradict each other";
        let help = "recorded arrivals have their own rate: drop one of the two".to_owned();
        book.error(section.key_place(&key::RATE), title, help);
    }
    let reason = "arrivals are recorded";
    book.idle(section, key::ARRIVALS, reason);
    book.idle(section, key::DAILY, reason);
    book.idle(section, key::DAY_START, reason);
    let ignored = book.elements(section, "traffic.change", CHANGE_LIMIT);
    let first = ignored.first().map(|change| change.place.clone());
    let title = "changes of the rate have no effect";
    book.problems.extend(first.map(|place| Problem::warning(place, title).label(reason)));
    let path = book.find(section, key::REPLAY);
    let records = path.map(|path| replay::read(book, &path, horizon, replicas));
    TrafficPart { plan: Traffic::Replay(records.unwrap_or_default().into()), peak: None }
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

/// The 24 factors, if they are sound.
fn factors(
    book: &mut Book<'_>,
    daily: Found<Vec<Located<f64>>>,
    changes: &[Change],
) -> Option<Vec<f64>> {
    let factors: Vec<f64> = daily.value.iter().map(|factor| factor.value).collect();
    if factors.len() != 24 {
        let title = format!("a day has 24 hours, not {}", factors.len());
        let help = "write one factor per hour, beginning with midnight".to_owned();
        book.error(daily.place, title, help);
        return None;
    }
    if factors.iter().all(|factor| *factor == 0.0) {
        let help = "write at least one factor above 0".to_owned();
        book.error(daily.place, "no request ever comes", help);
        return None;
    }
    if let Some(change) = changes.first() {
        let title = "`traffic.daily` and [[traffic.change]] cannot be combined";
        book.error(change.place.clone(), title, "drop one of the two".to_owned());
    }
    Some(factors)
}

fn day_start<'a>(book: &mut Book<'a>, section: &Section<'a>, used: bool) -> Span {
    if !used {
        book.idle(section, key::DAY_START, "only with `daily`");
        return Span::ZERO;
    }
    let start = book.get(section, key::DAY_START);
    if start.value.0 >= DAY {
        let title = "`traffic.day-start` is a time of day";
        book.problems.push(Problem::error(start.place, title).label("\"0h\" up to \"23h59m\""));
    }
    Span(start.value.0 % DAY)
}

/// One day of corners, from `start` of the day on.
fn daily_corners(base: Rate, factors: &[f64], start: Span) -> Vec<(Instant, Rate)> {
    let factor = |time: u64| {
        let (hour, part) = (time / HOUR, (time % HOUR) as f64 / HOUR as f64);
        let at = |hour: u64| factors[hour as usize % factors.len()];
        at(hour) + (at(hour + 1) - at(hour)) * part
    };
    let first_hour = (start.0 / HOUR + 1) * HOUR;
    let hours = (0..24).map(|hour| first_hour + hour * HOUR).filter(|time| *time < start.0 + DAY);
    let times = std::iter::once(start.0).chain(hours).chain(std::iter::once(start.0 + DAY));
    times.map(|time| (Instant(time - start.0), Rate(base.0 * factor(time)))).collect()
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

    #[test]
    fn a_day_begins_where_it_is_told_to_and_closes_on_itself() {
        let factors: Vec<f64> = (0..24).map(f64::from).collect();
        let day = plain(&daily_corners(Rate(10.0), &factors, Span(HOUR * 17 / 2)));
        assert_eq!(day[0], (0.0, 85.0));
        assert_eq!(day[1], (1_800.0, 90.0));
        assert_eq!(day.last(), Some(&(86_400.0, 85.0)));
        assert_eq!(day.len(), 26);
        let whole = plain(&daily_corners(Rate(10.0), &factors, Span::ZERO));
        assert_eq!((whole.len(), whole[23]), (25, (23.0 * 3_600.0, 230.0)));
        assert_eq!(whole[24], (86_400.0, 0.0));
    }
}
