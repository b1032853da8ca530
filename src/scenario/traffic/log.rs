//! Recordings as logs: the access log of Apache and nginx, and objects in lines.
//!
//! The first request is sent at time zero. Logs are written when requests end, so their lines may
//! be out of order; they are sorted.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;

use crate::diagnostic::{Flaw, clip};
use crate::plan::Recorded;
use crate::scenario::traffic::lines::RecordedLines;
use crate::units::{Instant, SECOND, Span};

/// Where objects may have their time, the first that is there.
const NAMES: [&str; 5] = ["time", "timestamp", "@timestamp", "ts", "start_time"];

/// Nanoseconds since 1970.
type Moment = i128;

/// Reads the common log format, and what begins like it, such as the combined one. Its times are
/// known to the second.
pub(crate) fn access_log(reading: &mut RecordedLines<'_>) {
    read(reading, access_time);
    reading.resolution = Span(SECOND);
}

/// Whether this could be a line of an access log, sound or not.
pub(crate) fn is_access_log(line: &str) -> bool {
    !line.starts_with('[') && line.contains(" [") && line.contains("] \"")
}

/// Reads one object per line. Its times are taken for known to the second if all are whole
/// seconds.
pub(crate) fn json_lines(reading: &mut RecordedLines<'_>) {
    let mut name = None;
    read(reading, |line| object_time(line, &mut name));
}

/// Reads a log line by line, each with its time.
fn read(reading: &mut RecordedLines<'_>, mut time: impl FnMut(&str) -> Result<Moment, Flaw>) {
    let mut moments = Vec::new();
    for (index, line) in reading.text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        match time(line) {
            Ok(moment) => moments.push(moment),
            Err(flaw) => reading.note(index + 1, flaw),
        }
        if !reading.goes_on() {
            return;
        }
    }
    moments.sort_unstable();
    let second = Moment::from(SECOND);
    if moments.iter().all(|moment| moment % second == 0) {
        reading.resolution = Span(SECOND);
    }
    let first = moments.first().copied().unwrap_or_default();
    for (index, moment) in moments.into_iter().enumerate() {
        let at = Instant(u64::try_from(moment - first).unwrap_or(u64::MAX));
        if let Err(flaw) = reading.push(Recorded { at, demand: None, slot: None, api: None }) {
            return reading.note(index + 1, flaw);
        }
    }
}

/// The time of a line such as
/// `127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 2326`.
fn access_time(line: &str) -> Result<Moment, Flaw> {
    let Some(time) = bracketed(line) else {
        let flaw = Flaw::new("this is no line of an access log");
        let example = "host - user [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0\" 200 2326";
        return Err(flaw.help(format!("the common log format is {example}")));
    };
    let parsed = strtime::parse("%d/%b/%Y:%H:%M:%S %z", time);
    let moment = parsed.and_then(|parsed| parsed.to_timestamp());
    moment.map(Timestamp::as_nanosecond).map_err(|_| {
        let flaw = Flaw::new(format!("{:?} is no time of an access log", clip(time)));
        flaw.help("write day/month/year:time and the offset, as in 10/Oct/2000:13:55:36 -0700")
    })
}

/// What stands in the brackets of a sound line: three fields, the time, the request, status, size.
fn bracketed(line: &str) -> Option<&str> {
    let (caller, rest) = line.split_once(" [")?;
    let (time, rest) = rest.split_once("] \"")?;
    let mut fields = after_quote(rest)?.split_ascii_whitespace();
    let digits = |field: &str| field.bytes().all(|byte| byte.is_ascii_digit());
    let status = fields.next().is_some_and(|status| status.len() == 3 && digits(status));
    let size = fields.next().is_some_and(|size| size == "-" || digits(size));
    let sound = caller.split_ascii_whitespace().count() >= 3 && status && size;
    sound.then_some(time)
}

/// What follows the quote that ends a text; a backslash takes the next character along.
fn after_quote(text: &str) -> Option<&str> {
    let mut escaped = false;
    let end = text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map(|end| &text[end + 1..])
}

/// The times that an object may have.
#[derive(Deserialize)]
struct Times {
    time: Option<Value>,
    timestamp: Option<Value>,
    #[serde(rename = "@timestamp")]
    at_timestamp: Option<Value>,
    ts: Option<Value>,
    start_time: Option<Value>,
}

/// The time of an object; `name` is the one under which the first object had it.
fn object_time(line: &str, name: &mut Option<usize>) -> Result<Moment, Flaw> {
    let times = if line.trim_start().starts_with('{') {
        serde_json::from_str::<Times>(line).map_err(|error| json_flaw(&error))?
    } else {
        let flaw = Flaw::new("this line is no JSON object");
        return Err(flaw.help("write one object per line, such as {\"time\": \"…\"}"));
    };
    let Times { time, timestamp, at_timestamp, ts, start_time } = times;
    let times = [time, timestamp, at_timestamp, ts, start_time];
    let index = name.or_else(|| times.iter().position(Option::is_some));
    let Some(value) = index.and_then(|index| times[index].as_ref()) else {
        return Err(match name {
            Some(first) => Flaw::new(format!("this object has no {:?}", NAMES[*first]))
                .help("the objects before it have their time there"),
            None => Flaw::new("this object has no time")
                .help(format!("write it as one of {}", NAMES.join(", "))),
        });
    };
    *name = index;
    moment(value).ok_or_else(|| {
        Flaw::new(format!("{} is no time", clip(&value.to_string()))).help(
            "write RFC 3339, such as \"2000-10-10T13:55:36.5Z\", or seconds or milliseconds since \
             1970",
        )
    })
}

/// What the parser says, without the line, which is always the first here.
fn json_flaw(error: &serde_json::Error) -> Flaw {
    let said = error.to_string();
    let said = said.rsplit_once(" at line ").map_or(&*said, |(said, _)| said);
    let title = format!("this line is no JSON object: {said} at column {}", error.column());
    Flaw::new(title).help("each line is one whole object; drop a line that was cut off")
}

fn moment(value: &Value) -> Option<Moment> {
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(whole) => since_1970(whole as f64).map(|unit| Moment::from(whole) * unit),
            None => fraction(number.as_f64()?),
        },
        Value::String(text) => written(text.trim()),
        _ => None,
    }
}

/// A time in words, or a number in quotes. One without offset is taken for UTC.
fn written(text: &str) -> Option<Moment> {
    let with_offset = text.parse::<Timestamp>().ok();
    let plain = || TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok();
    let moment = with_offset.or_else(plain).map(Timestamp::as_nanosecond);
    moment.or_else(|| fraction(text.parse().ok()?))
}

fn fraction(number: f64) -> Option<Moment> {
    since_1970(number).map(|unit| (number * unit as f64).round() as Moment)
}

/// The unit of a number of this size, in nanoseconds: seconds up to the year 5138, else
/// milliseconds, microseconds or nanoseconds.
fn since_1970(number: f64) -> Option<Moment> {
    match number {
        0.0..1e11 => Some(1_000_000_000),
        1e11..1e14 => Some(1_000_000),
        1e14..1e17 => Some(1_000),
        1e17..1e20 => Some(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Parser = fn(&mut RecordedLines<'_>);

    /// Times in seconds, resolution and problems.
    fn read(parser: Parser, text: &str) -> (Vec<f64>, Span, Vec<String>) {
        let mut reading = RecordedLines::new("t.log".to_owned(), text);
        parser(&mut reading);
        let times = reading.records.iter().map(|record| record.at.as_secs()).collect();
        (times, reading.resolution, reading.titles())
    }

    #[test]
    fn access_logs_are_sorted_and_begin_at_zero() {
        let text = "127.0.0.1 - - [28/Feb/2024:23:59:59 +0000] \"GET /a HTTP/1.0\" 200 2326\n\
                    ::1 - bob [01/Mar/2024:00:59:58 +0200] \"-\" 408 - \"-\" \"curl \\\" [x] 8\"\n\
                    \n\
                    h - - [28/Feb/2024:23:59:58 +0000] \"GET \\\"] \\\\\" 499 0 \"-\" \"b\"\n";
        let (times, resolution, problems) = read(access_log, text);
        assert!(problems.is_empty(), "{problems:?}");
        // 2024 has a 29th of February; 00:59:58 +0200 is 22:59:58 the day before.
        assert_eq!(times, [0.0, 1.0, 86_400.0 - 3_600.0]);
        assert_eq!(resolution, Span(SECOND));
    }

    #[test]
    fn every_bad_line_of_an_access_log_is_named() {
        let good = "h - - [28/Feb/2023:23:59:59 +0000] \"GET / HTTP/1.0\" 200 2326";
        let bad = [
            good.replace("28/Feb", "29/Feb"),
            good.replace(" 200", " 2x0"),
            good.replace("h - -", "h"),
            good.replace("1.0\"", "1.0"),
            good.replace(" +0000", ""),
        ];
        let (_, _, problems) = read(access_log, &format!("{good}\n{}\n", bad.join("\n")));
        let lines: Vec<&str> = problems.iter().map(|problem| &problem[..2]).collect();
        assert_eq!(lines, ["2:", "3:", "4:", "5:", "6:"]);
        assert!(problems[0].contains("\"29/Feb/2023:23:59:59 +0000\" is no time"));
    }

    #[test]
    fn objects_have_their_time_in_many_ways() {
        for (text, times) in [
            ("{\"ts\": 10.25}\n{\"ts\": 10, \"x\": {\"ts\": 1}}\n", [0.0, 0.25]),
            ("{\"time\": 1700000000123}\n{\"time\": 1700000001123}", [0.0, 1.0]),
            ("{\"timestamp\": 1700000000000001}\n{\"timestamp\": 1700000000500001}", [0.0, 0.5]),
            ("{\"ts\": \"1700000000.5\"}\n{\"ts\": \"1700000002\"}", [0.0, 1.5]),
            (
                "{\"@timestamp\": \"2024-02-29T23:59:59.75Z\"}\n\
                 {\"@timestamp\": \"2024-03-01T01:00:00+01:00\"}",
                [0.0, 0.25],
            ),
            (
                "{\"start_time\": \"2024-01-01 00:00:00.5\"}\n\
                 {\"start_time\": \"2024-01-01T00:00:02\"}",
                [0.0, 1.5],
            ),
            ("{\"time\": null, \"ts\": 1}\n{\"time\": \"?\", \"ts\": 2.5}", [0.0, 1.5]),
        ] {
            let (read, resolution, problems) = read(json_lines, text);
            assert!(problems.is_empty(), "{text}: {problems:?}");
            assert!(read.iter().zip(times).all(|(one, other)| (one - other).abs() < 1e-6));
            let whole = times[1] == 1.0 && !text.contains("123");
            assert_eq!(resolution, Span(if whole { SECOND } else { 0 }), "{text}");
        }
    }

    #[test]
    fn objects_of_whole_seconds_are_known_to_the_second() {
        let (_, resolution, _) = read(json_lines, "{\"ts\": 1700000000}\n{\"ts\": 1700000001}");
        assert_eq!(resolution, Span(SECOND));
    }

    #[test]
    fn every_bad_object_is_named() {
        let text = "[\"time\", 1]\n{\"x\": 1}\n{\"ts\": 1}\n{\"time\": 2}\n{\"ts\": true}\n\
                    {\"ts\": 2\n";
        let (_, _, problems) = read(json_lines, text);
        assert_eq!(
            problems,
            [
                "1: this line is no JSON object",
                "2: this object has no time",
                "4: this object has no \"ts\"",
                "5: true is no time",
                "6: this line is no JSON object: EOF while parsing an object at column 8",
            ]
        );
        for time in ["-1", "1e300", "\"yesterday\"", "[1]", "\"inf\"", "\"nan\"", "1e20"] {
            let (_, _, problems) = read(json_lines, &format!("{{\"ts\": {time}}}"));
            assert!(problems[0].ends_with("is no time"), "{time}: {problems:?}");
        }
    }
}
