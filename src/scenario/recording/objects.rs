//! Objects of JSON, one per line: those of proxies and gateways, of any program that tells its
//! times, and the output of k6.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::diagnostic::{Flaw, clip};
use crate::scenario::recording::line::{LineContext, LineFault, Logged, Said, no_time};
use crate::scenario::recording::moment::{self, Moment};

/// Where objects may have their time, the first that is there: what is known to be the start comes
/// first.
const NAMES: [&str; 10] = [
    "StartUTC",
    "EdgeStartTimestamp",
    "started_at",
    "start_time",
    "msec",
    "time",
    "timestamp",
    "@timestamp",
    "ts",
    "time_iso8601",
];
/// So many of these are of the start: Traefik, Cloudflare, Kong, Envoy and APISIX.
const STARTS: usize = 4;

const HELP: &str = "write RFC 3339, such as \"2000-10-10T13:55:36.5Z\", or seconds or milliseconds \
                    since 1970";

/// What is used of an object.
#[derive(Deserialize)]
struct LoggedObject {
    #[serde(rename = "StartUTC")]
    start_utc: Option<Value>,
    #[serde(rename = "EdgeStartTimestamp")]
    edge_start: Option<Value>,
    started_at: Option<Value>,
    start_time: Option<Value>,
    msec: Option<Value>,
    time: Option<Value>,
    timestamp: Option<Value>,
    #[serde(rename = "@timestamp")]
    at_timestamp: Option<Value>,
    ts: Option<Value>,
    time_iso8601: Option<Value>,
    /// nginx: seconds, from the first byte of the request to the end.
    request_time: Option<Value>,
    /// Caddy: seconds, in objects that hold the request.
    duration: Option<Value>,
    request: Option<IgnoredAny>,
}

impl LoggedObject {
    /// What may be its time, in the order of [`NAMES`].
    fn times(&mut self) -> [Option<Value>; NAMES.len()] {
        [
            self.start_utc.take(),
            self.edge_start.take(),
            self.started_at.take(),
            self.start_time.take(),
            self.msec.take(),
            self.time.take(),
            self.timestamp.take(),
            self.at_timestamp.take(),
            self.ts.take(),
            self.time_iso8601.take(),
        ]
    }
}

/// Where most of these objects have their time first.
pub(crate) fn usual_key<'l>(lines: impl Iterator<Item = Cow<'l, str>>) -> Option<usize> {
    let mut counts = [0; NAMES.len()];
    for line in lines {
        let object = line.trim_end().trim_end_matches(',');
        let object = serde_json::from_str::<LoggedObject>(object).ok();
        let times = object.map(|mut object| object.times());
        if let Some(first) = times.and_then(|times| times.iter().position(Option::is_some)) {
            counts[first] += 1;
        }
    }
    let most = counts.iter().max().copied().filter(|most| *most > 0)?;
    counts.iter().position(|count| *count == most)
}

/// The time of an object, under the name under which most of the first objects have it.
/// An array with an object on each line is as good.
pub(crate) fn object(context: &mut LineContext<'_>, line: &str) -> Result<Said, LineFault> {
    let line = line.trim_end().trim_end_matches(',');
    if matches!(line.trim(), "[" | "]") {
        return Ok(Said::Nothing);
    }
    if !line.trim_start().starts_with('{') {
        let flaw = Flaw::new("this line is no JSON object");
        return Err(flaw.help("write one object per line, such as {\"time\": \"…\"}").into());
    }
    let mut of: LoggedObject = serde_json::from_str(line).map_err(|error| json_flaw(&error))?;
    let times = of.times();
    let index = context.key.or_else(|| times.iter().position(Option::is_some));
    let Some((index, value)) = index.and_then(|index| Some((index, times[index].as_ref()?))) else {
        let flaw = match context.key {
            Some(first) => Flaw::new(format!("this object has no {:?}", NAMES[first]))
                .help("most objects have their time there"),
            None => Flaw::new("this object has no time")
                .help(format!("write it as one of {}", NAMES.join(", "))),
        };
        return Err(flaw.into());
    };
    let read = moment::of_value(value)
        .ok_or_else(|| Flaw::new(format!("{} is no time", clip(&value.to_string()))).help(HELP))?;
    context.key = Some(index);
    let at = context.note(read);
    let caddy = of.duration.filter(|_| NAMES[index] == "ts" && of.request.is_some());
    let taken = of.request_time.or(caddy).filter(|_| index >= STARTS);
    let logged = Logged::answered(at, taken.as_ref().and_then(number));
    Ok(Said::Request(logged.to_the_second(read.coarse && logged.tells_end())))
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// What the parser says, without the line, which is always the first here.
fn json_flaw(error: &serde_json::Error) -> Flaw {
    let said = error.to_string();
    let said = said.rsplit_once(" at line ").map_or(&*said, |(said, _)| said);
    let title = format!("this line is no JSON object: {said} at column {}", error.column());
    Flaw::new(title).help("each line is one whole object; drop a line that was cut off")
}

/// A line of `k6 run --out json`.
#[derive(Deserialize)]
struct K6Line {
    metric: String,
    r#type: String,
    data: K6Sample,
}

/// The data of a line of k6: of a sample, not of a metric.
#[derive(Deserialize)]
struct K6Sample {
    time: Option<String>,
    value: Option<f64>,
}

/// The output of k6: of its samples those of the duration of a request, which have the time of its
/// end and milliseconds.
/// <https://grafana.com/docs/k6/latest/results-output/real-time/json/>
pub(crate) fn k6(context: &mut LineContext<'_>, line: &str) -> Result<Said, LineFault> {
    let wrong = || Flaw::new("this is no line of the output of k6");
    let of: K6Line = serde_json::from_str(line).map_err(|_| wrong())?;
    match &*of.r#type {
        "Metric" => return Ok(Said::Nothing),
        "Point" if of.metric != "http_req_duration" => return Ok(Said::Nothing),
        "Point" => {}
        _ => return Err(wrong().into()),
    }
    let time = of.data.time.as_deref().ok_or_else(wrong)?;
    let at = context.note(moment::written(time).ok_or_else(|| no_time(time, HELP))?);
    Ok(Said::Request(Logged::answered(at, of.data.value.map(|value| value / 1e3))))
}

/// A line that Docker has put into an object.
#[derive(Deserialize)]
struct DockerLine {
    log: String,
    time: String,
}

/// What Docker's `json-file` has put into an object, and when it did.
pub(crate) fn of_docker(line: &str) -> Option<(String, Option<Moment>)> {
    if !line.starts_with("{\"log\":") {
        return None;
    }
    let DockerLine { log, time } = serde_json::from_str(line).ok()?;
    Some((log.trim_end_matches(['\r', '\n']).to_owned(), moment::with_offset(&time)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::recording::line::Nameable;

    fn starts(text: &str) -> Vec<Result<Moment, String>> {
        let mut context = LineContext::new(Nameable { replicas: 1, apis: &[] });
        context.key = usual_key(text.lines().map(Cow::Borrowed));
        let mut start = |line| match object(&mut context, line) {
            Ok(Said::Request(logged)) => Ok(logged.start(None).0),
            Ok(Said::Nothing) => panic!("an object is a request"),
            Err(LineFault::Unreadable(flaw) | LineFault::Unfit(flaw) | LineFault::Header(flaw)) => {
                Err(flaw.title)
            }
        };
        text.lines().map(&mut start).collect()
    }

    #[test]
    fn objects_have_their_time_in_many_ways() {
        for (text, seconds) in [
            ("{\"ts\": 10}\n{\"ts\": 10.25, \"x\": {\"ts\": 1}}", 0.25),
            ("{\"time\": 1700000000123}\n{\"time\": 1700000001123}", 1.0),
            ("{\"timestamp\": 1700000000000001}\n{\"timestamp\": 1700000000500001}", 0.5),
            ("{\"ts\": \"1700000000.5\"}\n{\"ts\": \"1700000002\"}", 1.5),
            (
                "{\"@timestamp\": \"2024-02-29T23:59:59.75Z\"}\n\
                 {\"@timestamp\": \"2024-03-01T01:00:00+01:00\"}",
                0.25,
            ),
            (
                "{\"start_time\": \"2024-01-01 00:00:00.5\"}\n\
                 {\"start_time\": \"2024-01-01T00:00:02\"}",
                1.5,
            ),
            ("{\"time\": null, \"ts\": 1}\n{\"ts\": 2.5}", 1.5),
            // The start is taken before the time of the line.
            ("{\"started_at\": 1700000000000, \"time\": 1}\n{\"started_at\": 1700000001000}", 1.0),
            // Ends, less what was taken; a duration of another program is none of a request.
            (
                "{\"ts\": 10, \"duration\": 5}\n{\"ts\": 12.5, \"duration\": 1, \"request\": {}}",
                1.5,
            ),
            ("{\"msec\": \"10.5\", \"request_time\": \"0.500\"}\n{\"msec\": \"11.000\"}", 1.0),
        ] {
            let found: Vec<Moment> = starts(text).into_iter().map(|one| one.expect(text)).collect();
            let error = (found[1] - found[0]) as f64 / 1e9 - seconds;
            assert!(error.abs() < 1e-6, "{text}: {found:?}");
        }
    }

    #[test]
    fn every_bad_object_is_named() {
        let text =
            "[\"time\", 1]\n{\"x\": 1}\n{\"ts\": 1}\n{\"ts\": true}\n{\"ts\": 2\n{\"ts\": 3}";
        let found: Vec<_> = starts(text).into_iter().filter_map(Result::err).collect();
        assert_eq!(
            found,
            [
                "this line is no JSON object",
                "this object has no \"ts\"",
                "true is no time",
                "this line is no JSON object: EOF while parsing an object at column 8",
            ]
        );
        assert_eq!(starts("{}"), [Err("this object has no time".to_owned())]);
        for time in ["-1", "1e300", "\"yesterday\"", "[1]", "\"inf\"", "\"nan\"", "1e20"] {
            let found = starts(&format!("{{\"ts\": {time}}}"));
            assert!(found[0].as_ref().is_err_and(|title| title.ends_with("is no time")), "{time}");
        }
    }

    #[test]
    fn of_k6_the_duration_of_a_request_tells_its_start() {
        let mut context = LineContext::new(Nameable { replicas: 1, apis: &[] });
        let line = |metric: &str, kind: &str| {
            format!(
                "{{\"metric\":\"{metric}\",\"type\":\"{kind}\",\"data\":{{\"time\":\
                 \"1970-01-01T01:00:02+01:00\",\"value\":500}}}}"
            )
        };
        let read = k6(&mut context, &line("http_req_duration", "Point"));
        let Ok(Said::Request(logged)) = read else { panic!("{read:?}") };
        assert_eq!(logged.start(None).0, 1_500_000_000);
        assert_eq!(k6(&mut context, &line("http_reqs", "Point")), Ok(Said::Nothing));
        assert_eq!(k6(&mut context, &line("http_req_duration", "Metric")), Ok(Said::Nothing));
        assert!(k6(&mut context, "{\"ts\": 1}").is_err());
    }
}
