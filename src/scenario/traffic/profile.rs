//! The profile of a day and of a week.

use crate::diagnostic::{Place, Problem};
use crate::scenario::reader::{Parsed, SectionReader, TypedKey};
use crate::scenario::text::Located;
use crate::scenario::traffic::format::key;
use crate::units::{Instant, Rate, SECOND, Span};

const HOUR: u64 = 3_600 * SECOND;
const DAY: u64 = 24 * HOUR;

/// Factors of the rate that come again every day or every week.
pub(crate) struct Profile {
    /// One per hour, 24 or 168, the first at midnight (of Monday); linear in between.
    factors: Vec<f64>,
    /// Where in it the run starts.
    start: Span,
}

/// Reads `daily`, `weekly` and where the run starts in them. `change` is where the rate is changed
/// otherwise, if it is.
pub(crate) fn read(section: &SectionReader<'_>, change: Option<&Place>) -> Option<Profile> {
    let (daily, weekly) = (section.has(&key::DAILY), section.has(&key::WEEKLY));
    let mut start = Span::ZERO;
    if daily || weekly {
        start = day_start(section);
    }
    if weekly {
        // From midnight of Monday to midnight of the weekday on which the run starts.
        start += Span(DAY) * section.get(key::WEEK_START) as u64;
    }
    let hours = factors(section, key::DAILY, 24, change);
    let days = factors(section, key::WEEKLY, 7, change);
    if daily != hours.is_some() || weekly != days.is_some() || !(daily || weekly) {
        return None;
    }
    let hours = hours.unwrap_or_else(|| vec![1.0; 24]);
    let days = days.unwrap_or_else(|| vec![1.0]);
    let factors = days.iter().flat_map(|day| hours.iter().map(move |hour| day * hour)).collect();
    Some(Profile { factors, start })
}

impl Profile {
    /// After what it comes again.
    pub(crate) fn period(&self) -> Span {
        Span(HOUR) * self.factors.len() as u64
    }

    /// The highest factor.
    pub(crate) fn highest(&self) -> f64 {
        self.factors.iter().copied().fold(0.0, f64::max)
    }

    /// One period of corners, from where the run starts on.
    pub(crate) fn corners(&self, base: Rate) -> Vec<(Instant, Rate)> {
        let (start, end) = (self.start.0, self.start.0 + self.period().0);
        let first = (start / HOUR + 1) * HOUR;
        let hours = (first..end).step_by(HOUR as usize);
        let times = std::iter::once(start).chain(hours).chain(std::iter::once(end));
        times.map(|time| (Instant(time - start), Rate(base.0 * self.factor(time)))).collect()
    }

    fn factor(&self, time: u64) -> f64 {
        let (hour, part) = (time / HOUR, (time % HOUR) as f64 / HOUR as f64);
        let at = |hour: u64| self.factors[hour as usize % self.factors.len()];
        at(hour) + (at(hour + 1) - at(hour)) * part
    }
}

/// The factors of a key, if it is there and sound: 24 for a day, 7 for a week.
fn factors(
    section: &SectionReader<'_>,
    key: TypedKey<Vec<Located<f64>>>,
    count: usize,
    change: Option<&Place>,
) -> Option<Vec<f64>> {
    let Parsed { value, place, .. } = section.find(key)?;
    let factors: Vec<f64> = value.iter().map(|factor| factor.value).collect();
    let (whole, parts, first) =
        if count == 7 { ("week", "day", "Monday") } else { ("day", "hour", "midnight") };
    if factors.len() != count {
        let title = format!("a {whole} has {count} {parts}s, not {}", factors.len());
        let help = format!("write one factor per {parts}, beginning with {first}");
        section.error(place, title, help);
        return None;
    }
    if factors.iter().all(|factor| *factor == 0.0) {
        let help = "write at least one factor above 0";
        section.error(place, "no request ever comes", help);
        return None;
    }
    if let Some(change) = change {
        let title = format!("`traffic.{}` and [[traffic.change]] cannot be combined", key.name);
        section.error(change.clone(), title, "drop one of the two");
    }
    Some(factors)
}

/// The time of day at which the run starts.
fn day_start(section: &SectionReader<'_>) -> Span {
    let start = section.parsed(key::DAY_START);
    if start.value.0 >= DAY {
        let title = "`traffic.day-start` is a time of day";
        section.note(Problem::error(start.place, title).label("\"0h\" up to \"23h59m\""));
    }
    Span(start.value.0 % DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(profile: &Profile) -> Vec<(f64, f64)> {
        let corners = profile.corners(Rate(10.0));
        corners.iter().map(|(at, rate)| (at.as_secs() / 3_600.0, rate.0)).collect()
    }

    #[test]
    fn a_day_begins_where_it_is_told_to_and_closes_on_itself() {
        let factors: Vec<f64> = (0..24).map(f64::from).collect();
        let day = plain(&Profile { factors: factors.clone(), start: Span(HOUR * 17 / 2) });
        assert_eq!(day[0], (0.0, 85.0));
        assert_eq!(day[1], (0.5, 90.0));
        assert_eq!(day.last(), Some(&(24.0, 85.0)));
        assert_eq!(day.len(), 26);
        let whole = plain(&Profile { factors, start: Span::ZERO });
        assert_eq!((whole.len(), whole[23]), (25, (23.0, 230.0)));
        assert_eq!(whole[24], (24.0, 0.0));
    }

    #[test]
    fn a_week_has_its_own_days_and_closes_on_itself() {
        let factors: Vec<f64> = (0..168).map(|hour| f64::from(hour / 24 + 1)).collect();
        // From Sunday, 22:30: level, down to Monday's factor in the last hour, up again at 24:00.
        let start = Span(6 * DAY + HOUR * 45 / 2);
        let week = plain(&Profile { factors, start });
        assert_eq!(week.len(), 170);
        assert_eq!(week[..3], [(0.0, 70.0), (0.5, 70.0), (1.5, 10.0)]);
        assert_eq!(week[24..27], [(23.5, 10.0), (24.5, 10.0), (25.5, 20.0)]);
        assert_eq!(week[168..], [(167.5, 70.0), (168.0, 70.0)]);
    }
}
