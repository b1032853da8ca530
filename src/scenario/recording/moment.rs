//! Moments as logs write them: calendar times with and without offset, and numbers since 1970.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde_json::Value;

use crate::units::SECOND;

/// Nanoseconds since 1970, or since the zero of a table.
pub(crate) type Moment = i64;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment, and what had to be recognised to know it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ReadMoment {
    /// The moment.
    pub(crate) at: Moment,
    /// The unit of a number since 1970.
    pub(crate) unit: Option<&'static str>,
    /// Whether it has no offset and was taken for UTC.
    pub(crate) zoneless: bool,
    /// Whether it is written to the second only.
    pub(crate) coarse: bool,
}

/// The start of the second of a moment.
pub(crate) fn whole_second(at: Moment) -> Moment {
    at.div_euclid(SECOND as Moment) * SECOND as Moment
}

/// A time in words, or a number in quotes. One without offset is taken for UTC.
pub(crate) fn written(text: &str) -> Option<ReadMoment> {
    let text = text.trim();
    let numeric = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if numeric {
        return match text.parse::<i64>() {
            Ok(whole) => since_1970(whole as f64).and_then(|unit| unit.of_whole(whole)),
            Err(_) => fraction(text.parse().ok()?),
        };
    }
    let (unit, coarse) = (None, !text.contains('.'));
    if let Some(at) = with_offset(text) {
        return Some(ReadMoment { at, unit, zoneless: false, coarse });
    }
    let iso = text.replace('/', "-");
    let at = nanoseconds(Offset::UTC.to_timestamp(iso.parse::<DateTime>().ok()?).ok()?)?;
    Some(ReadMoment { at, unit, zoneless: true, coarse })
}

/// A moment as RFC 3339.
pub(crate) fn shown(at: Moment) -> String {
    Timestamp::from_nanosecond(at.into()).map_or_else(|_| at.to_string(), |at| at.to_string())
}

/// RFC 3339 with its offset.
pub(crate) fn with_offset(text: &str) -> Option<Moment> {
    nanoseconds(text.parse::<Timestamp>().ok()?)
}

/// The same of a value of JSON.
pub(crate) fn of_value(value: &Value) -> Option<ReadMoment> {
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(whole) => since_1970(whole as f64)?.of_whole(whole),
            None => fraction(number.as_f64()?),
        },
        Value::String(text) => written(text),
        _ => None,
    }
}

/// A number since 1970.
pub(crate) fn fraction(number: f64) -> Option<ReadMoment> {
    let unit = since_1970(number)?;
    Some(unit.moment((number * unit.nanoseconds as f64).round() as Moment))
}

/// The unit of a number since 1970.
struct EpochUnit {
    name: &'static str,
    nanoseconds: Moment,
}

impl EpochUnit {
    fn of_whole(&self, whole: i64) -> Option<ReadMoment> {
        Some(self.moment(whole.checked_mul(self.nanoseconds)?))
    }

    /// A number before March 1973 counts from another zero than 1970, which need not be told.
    fn moment(&self, at: Moment) -> ReadMoment {
        let unit = (at >= 100_000_000 * SECOND as Moment).then_some(self.name);
        ReadMoment { at, unit, zoneless: false, coarse: false }
    }
}

/// The unit of a number of this size: seconds up to the year 5138, else milliseconds, microseconds
/// or nanoseconds.
fn since_1970(number: f64) -> Option<EpochUnit> {
    let (name, nanoseconds) = match number {
        0.0..1e11 => ("seconds", 1_000_000_000),
        1e11..1e14 => ("milliseconds", 1_000_000),
        1e14..1e17 => ("microseconds", 1_000),
        1e17..9.2e18 => ("nanoseconds", 1),
        _ => return None,
    };
    Some(EpochUnit { name, nanoseconds })
}

/// A time of an access log: `10/Oct/2000:13:55:36 -0700`.
pub(crate) fn of_access_log(text: &str) -> Option<Moment> {
    let (time, zone) = text.split_once(' ')?;
    let zone = zone.as_bytes();
    let sign = match zone.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = (number(zone.get(1..3)?)?, number(zone.get(3..)?)?);
    let sound = zone.len() == 5 && hours < 24 && minutes < 60;
    let offset = sign * (hours * 60 + minutes) * 60 * SECOND as Moment;
    sound.then_some(calendar(time)?.checked_sub(offset)?)
}

/// A calendar time of a log without offset, taken for UTC: `10/Oct/2000:13:55:36`, also with a
/// fraction, as HAProxy writes it.
pub(crate) fn calendar(text: &str) -> Option<Moment> {
    let bytes = text.as_bytes();
    let separated = [(2, b'/'), (6, b'/'), (11, b':'), (14, b':'), (17, b':')];
    if !separated.iter().all(|(at, mark)| bytes.get(*at) == Some(mark)) {
        return None;
    }
    let month = MONTHS.iter().position(|month| bytes[3..6] == *month.as_bytes())? as i8 + 1;
    let part = |from, to| number(bytes.get(from..to)?);
    let fraction = match bytes.get(20) {
        None => 0,
        Some(b'.') => {
            part(21, bytes.len())? * 10_i64.pow(9_u32.checked_sub(bytes.len() as u32 - 21)?)
        }
        Some(_) => return None,
    };
    let (year, day) = (part(7, 11)? as i16, part(0, 2)? as i8);
    let (hour, minute, second) = (part(12, 14)? as i8, part(15, 17)? as i8, part(18, 20)? as i8);
    let time = DateTime::new(year, month, day, hour, minute, second, fraction as i32).ok()?;
    nanoseconds(Offset::UTC.to_timestamp(time).ok()?)
}

fn nanoseconds(timestamp: Timestamp) -> Option<Moment> {
    Moment::try_from(timestamp.as_nanosecond()).ok()
}

/// Up to nine digits.
fn number(digits: &[u8]) -> Option<i64> {
    let sound = (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    sound.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_since_1970_are_told_apart_by_their_size() {
        for (text, at, unit) in [
            ("1772443800", 1_772_443_800_000_000_000, "seconds"),
            ("1772443800.25", 1_772_443_800_250_000_000, "seconds"),
            ("1772443800123", 1_772_443_800_123_000_000, "milliseconds"),
            ("1772443800123456", 1_772_443_800_123_456_000, "microseconds"),
            ("1772443800123456789", 1_772_443_800_123_456_789, "nanoseconds"),
        ] {
            let read = written(text).expect(text);
            assert!((read.at - at).abs() < 200, "{text}: {}", read.at);
            assert_eq!(read.unit, Some(unit), "{text}");
        }
        for text in ["-1", "1e300", "yesterday", "inf", "nan", "", "99999999999999999999"] {
            assert_eq!(written(text), None, "{text}");
        }
    }

    #[test]
    fn offsets_are_taken_off_and_times_without_are_utc() {
        let second = 1_772_443_800_000_000_000;
        assert_eq!(of_access_log("02/Mar/2026:09:30:00 +0000"), Some(second));
        assert_eq!(of_access_log("02/Mar/2026:11:00:00 +0130"), Some(second));
        assert_eq!(of_access_log("01/Mar/2026:23:30:00 -1000"), Some(second));
        assert_eq!(calendar("02/Mar/2026:09:30:00.250"), Some(second + 250_000_000));
        let zoneless = written("2026-03-02 09:30:00").unwrap();
        assert_eq!((zoneless.at, zoneless.zoneless, zoneless.coarse), (second, true, true));
        assert_eq!(written("2026/03/02 09:30:00").unwrap().at, second);
        assert_eq!(written("2026-03-02T10:30:00.000+01:00").unwrap().at, second);
        for text in ["31/Nov/2000:13:55:36 -0700", "10/Oct/2000:13:55:37", "", "é/Oct/2000:1"] {
            assert_eq!(of_access_log(text), None, "{text}");
        }
        assert_eq!(calendar("02/Mar/2026:09:30:00.0123456789"), None);
    }

    #[test]
    fn a_moment_lies_in_its_second() {
        assert_eq!(whole_second(1_999_999_999), 1_000_000_000);
        assert_eq!(whole_second(-1), -1_000_000_000);
    }
}
