//! Rates over time as monitoring systems hand them out: the answer of Prometheus to a range query,
//! and tables with a column of times, such as Grafana's and CloudWatch's CSV.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::diagnostic::Flaw;
use crate::scenario::recording::bad_lines::BadLines;
use crate::scenario::recording::line::{LineContext, Recognised, fields};
use crate::scenario::recording::moment::{self, Moment};
use crate::units::{SECOND, Span};

/// Before the header of a table there may be so many lines.
const PREAMBLE: usize = 20;
/// What a rate is per, in names of series, as whole words: the first that is found counts.
static UNITS: [(&[&str], RateUnit); 5] = [
    (
        &["/min", "/minute", "/m", "per minute", "per_minute", "rpm", "cpm", "perminute"],
        RateUnit::Minute,
    ),
    (&["/h", "/hour", "per hour", "per_hour", "rph"], RateUnit::Hour),
    (
        &[
            "/s",
            "/sec",
            "/second",
            "per second",
            "per_second",
            "persecond",
            "rps",
            "qps",
            "tps",
            "reqps",
            "ops",
            "rate",
            "irate",
        ],
        RateUnit::Second,
    ),
    (&["increase", "requestcount", "request count", "request_count"], RateUnit::Period),
    (&["count", "requests", "hits", "invocations", "sum", "total"], RateUnit::Period),
];

/// What a rate is per.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RateUnit {
    /// Requests per second.
    Second,
    /// Requests per minute.
    Minute,
    /// Requests per hour.
    Hour,
    /// Requests counted in the period that begins at each time.
    Period,
}

/// One series of a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NamedSeries {
    /// Its name, as the file has it.
    pub(crate) name: String,
    /// What it is per, if its name or the file says so.
    pub(crate) unit: Option<RateUnit>,
    /// Its values in the order of the file.
    pub(crate) points: Vec<(Moment, f64)>,
    /// Whether its values go on from one another.
    pub(crate) counting: Counting,
}

/// Whether values are totals of all that came so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counting {
    /// They are: the name is that of a counter as Prometheus has it.
    Total,
    /// They are not: the file or the name says what they are.
    Apart,
    /// Nothing says so; the values themselves may.
    Untold,
}

/// What a file of rates has.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RateFile {
    /// The series.
    pub(crate) series: Vec<NamedSeries>,
    /// How long counts were taken for, if the file says so.
    pub(crate) period: Option<Span>,
    /// What had to be recognised.
    pub(crate) recognised: Recognised,
    /// What it is.
    pub(crate) name: &'static str,
    /// What a person should look at.
    pub(crate) said: Vec<String>,
}

/// Whether a text could be a table of rates, by its first lines.
pub(crate) fn is_table(lines: &[&str]) -> bool {
    header(lines).is_some()
}

/// Whether a text is the answer to a range query.
pub(crate) fn is_prometheus(head: &str) -> bool {
    let opens = head.trim_start().starts_with('{');
    opens && head.contains("\"resultType\"") && head.contains("\"matrix\"")
}

/// The unit that a name tells.
pub(crate) fn unit(name: &str) -> Option<RateUnit> {
    let name = name.to_lowercase();
    let found = UNITS.iter().find(|(words, _)| words.iter().any(|word| has_word(&name, word)));
    found.map(|(_, unit)| *unit)
}

/// Whether values with this name and unit go on from one another.
fn counting(name: &str, unit: Option<RateUnit>) -> Counting {
    match unit {
        Some(RateUnit::Second | RateUnit::Minute | RateUnit::Hour) => Counting::Apart,
        Some(RateUnit::Period) if counts_periods(name) => Counting::Apart,
        Some(RateUnit::Period) | None => Counting::Untold,
    }
}

/// Whether a name says that requests of a period are counted.
pub(crate) fn counts_periods(name: &str) -> bool {
    let name = name.to_lowercase();
    let (words, _) = UNITS[3];
    words.iter().any(|word| has_word(&name, word))
}

/// Whether a word stands in a text on its own, or before a number (`rate5m`).
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let is_part = |letter: char| letter.is_ascii_alphanumeric();
        let before = text[..at].chars().next_back().filter(|_| !word.starts_with('/'));
        let is_number = |letter: &char| letter.is_ascii_digit() && !word.starts_with('/');
        let after = text[at + word.len()..].chars().next().filter(|after| !is_number(after));
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// An answer of Prometheus, or what stands in it under `data`.
#[derive(Deserialize)]
struct PrometheusAnswer {
    data: Option<PrometheusData>,
    result: Option<Vec<PrometheusSeries>>,
}

/// The data of an answer.
#[derive(Deserialize)]
struct PrometheusData {
    result: Vec<PrometheusSeries>,
}

/// A series of an answer.
#[derive(Deserialize)]
struct PrometheusSeries {
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<(f64, Value)>,
}

/// Reads the answer to a range query.
/// <https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries>
pub(crate) fn prometheus(text: &str) -> Result<RateFile, Flaw> {
    let answer: PrometheusAnswer = serde_json::from_str(text).map_err(|error| {
        let help = "it may be cut off; it is what /api/v1/query_range answers";
        Flaw::new(format!("this is no answer of Prometheus: {error}")).help(help)
    })?;
    let result = answer.data.map(|data| data.result).or(answer.result).unwrap_or_default();
    let series = result.into_iter().map(of_prometheus).collect();
    let recognised = Recognised { unit: Some("seconds"), ..Recognised::default() };
    let name = "an answer of Prometheus to a range query";
    Ok(RateFile { series, period: None, recognised, name, said: Vec::new() })
}

fn of_prometheus(series: PrometheusSeries) -> NamedSeries {
    let metric = series.metric.get("__name__").map_or("", String::as_str);
    let counter = ["_total", "_count", "_sum", "_bucket"].iter().any(|end| metric.ends_with(end));
    let labels = series.metric.iter().filter(|(label, _)| *label != "__name__");
    let labels: Vec<String> = labels.map(|(label, value)| format!("{label}={value:?}")).collect();
    let name = match labels.is_empty() {
        true => metric.to_owned(),
        false => format!("{metric}{{{}}}", labels.join(",")),
    };
    let value = |value: &Value| match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_f64(),
    };
    let points = series.values.iter().filter_map(|(at, found)| {
        let found = value(found).filter(|value: &f64| value.is_finite())?;
        Some((moment::fraction(*at)?.at, found))
    });
    let (points, unit) = (points.collect(), unit(metric).filter(|_| !counter));
    let counting = if counter { Counting::Total } else { counting(metric, unit) };
    NamedSeries { name, unit, points, counting }
}

/// The header of a table of rates.
struct RateHeader {
    /// Which of the lines that are not empty it is.
    index: usize,
    separator: char,
    names: Vec<String>,
    /// Which column has the times.
    time: usize,
}

/// Finds the header: the first line with a column of times and another one, before a line with a
/// time and a number.
fn header(lines: &[&str]) -> Option<RateHeader> {
    let found = |(index, pair): (usize, &[&str])| {
        let separator =
            [',', ';', '\t'].into_iter().max_by_key(|one| pair[0].matches(*one).count());
        let separator = separator.filter(|one| pair[0].contains(*one))?;
        let (names, cells) = (fields(pair[0], separator), fields(pair[1], separator));
        let is_time = |name: &String| {
            let name = name.to_lowercase();
            ["time", "date", "@time", "ts", "_time"].iter().any(|start| name.starts_with(start))
        };
        let first = cells.first().filter(|cell| cell.parse::<f64>().is_err());
        let is_dated = first.is_some_and(|cell| moment::written(cell).is_some());
        let time = names.iter().position(is_time).or(is_dated.then_some(0))?;
        if moment::written(&names[time]).is_some() {
            return None;
        }
        let has_number = |column: usize| {
            let cell = cells.get(column).map_or("", String::as_str);
            column != time && (number(cell, separator).is_some() || is_missing(cell))
        };
        // Beside `time_s` a table of arrivals has other columns, perhaps misspelt.
        let is_arrivals = names[time] == "time_s" && !names.iter().any(|name| unit(name).is_some());
        if is_arrivals {
            return None;
        }
        let sound = moment::written(cells.get(time)?).is_some() && (0..names.len()).any(has_number);
        sound.then_some(RateHeader { index, separator, names, time })
    };
    lines.windows(2).take(PREAMBLE).enumerate().find_map(found)
}

/// Reads a table; lines that cannot be read are counted.
pub(crate) fn table(
    text: &str,
    bad: &mut BadLines,
    context: &mut LineContext<'_>,
) -> Option<RateFile> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let numbered = || text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let first: Vec<&str> = numbered().map(|(_, line)| line).take(PREAMBLE + 2).collect();
    let RateHeader { index, separator, names, time } = header(&first)?;
    let before = first[..index].join("\n");
    let in_milliseconds = names[time].to_lowercase().ends_with("_ms");
    let columns: Vec<usize> = (0..names.len()).filter(|column| *column != time).collect();
    let mut series: Vec<NamedSeries> = columns
        .iter()
        .map(|column| {
            let name = names[*column].clone();
            let unit = unit(&name).or_else(|| unit(&before));
            // Before its values CloudWatch writes which statistic of how long a period they are.
            let counting = match period(&before) {
                Some(_) => Counting::Apart,
                None => counting(&name, unit),
            };
            NamedSeries { name, unit, points: Vec::new(), counting }
        })
        .collect();
    for (at, line) in numbered().skip(index + 1) {
        bad.lines += 1;
        let cells = fields(line, separator);
        let moment = match cells.get(time).map(|cell| cell.parse::<f64>()) {
            Some(Ok(milliseconds)) if in_milliseconds => Some((milliseconds * 1e6) as Moment),
            _ => cells
                .get(time)
                .and_then(|cell| moment::written(cell))
                .map(|read| context.note(read)),
        };
        let Some(moment) = moment else {
            bad.note(at + 1, line, Flaw::new("this line has no time"), || None);
            continue;
        };
        for (series, column) in series.iter_mut().zip(&columns) {
            let cell = cells.get(*column).map_or("", String::as_str);
            if let Some((value, written)) = number(cell, separator) {
                series.unit = series.unit.or(written);
                series.points.push((moment, value));
            } else if !is_missing(cell) {
                let title = format!("{:?} is no number", crate::diagnostic::clip(cell));
                let help = "a table with a row for each request has its times in a column time_s";
                bad.note(at + 1, line, Flaw::new(title).help(help), || None);
                break;
            }
        }
    }
    let recognised = context.recognised;
    let (period, name) = (period(&before), "a table of rates");
    Some(RateFile { series, period, recognised, name, said: Vec::new() })
}

/// The period that the lines before the header tell, as CloudWatch writes them.
fn period(before: &str) -> Option<Span> {
    let line = before.lines().find(|line| line.to_lowercase().contains("period"))?;
    let digits = line.split(|letter: char| !letter.is_ascii_digit());
    let seconds: u64 =
        digits.filter(|digits| !digits.is_empty()).find_map(|one| one.parse().ok())?;
    (1..=86_400).contains(&seconds).then_some(Span(seconds * SECOND))
}

fn is_missing(cell: &str) -> bool {
    ["", "-", "null", "nan", "undefined", "na", "n/a"].contains(&&*cell.to_lowercase())
}

/// A number, perhaps with thousands set apart, a K or M, and its unit.
fn number(cell: &str, separator: char) -> Option<(f64, Option<RateUnit>)> {
    let cell = match separator {
        ';' => cell.replace(',', "."),
        _ => cell.replace(',', ""),
    };
    if let Ok(value) = cell.parse::<f64>() {
        return (value.is_finite() && value >= 0.0).then_some((value, None));
    }
    let end = cell.find(|letter: char| !(letter.is_ascii_digit() || letter == '.'))?;
    let (value, rest) = (cell[..end].parse::<f64>().ok()?, cell[end..].trim());
    let (factor, rest) = match rest.chars().next()? {
        'K' | 'k' => (1e3, &rest[1..]),
        'M' if !rest.starts_with("Mi") || rest.starts_with("Mil") => {
            (1e6, rest.strip_prefix("Mil").unwrap_or(&rest[1..]))
        }
        _ => (1.0, rest),
    };
    let rest = rest.trim();
    let known = unit(rest);
    (rest.is_empty() || known.is_some()).then_some((value * factor, known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_words_in_names_and_no_parts_of_others() {
        for (name, right) in [
            ("nginx rps", Some(RateUnit::Second)),
            ("GET req/s", Some(RateUnit::Second)),
            ("Requests/s", Some(RateUnit::Second)),
            ("sum(rate(http_requests_total[5m]))", Some(RateUnit::Second)),
            ("job:http_requests:rate5m", Some(RateUnit::Second)),
            ("req/min", Some(RateUnit::Minute)),
            ("RPM", Some(RateUnit::Minute)),
            ("requests per hour", Some(RateUnit::Hour)),
            ("RequestCount", Some(RateUnit::Period)),
            ("increase(x[1m])", Some(RateUnit::Period)),
            ("Requests", Some(RateUnit::Period)),
            ("https", None),
            ("/menu of /shop/health", None),
            ("value", None),
        ] {
            assert_eq!(unit(name), right, "{name}");
        }
    }

    #[test]
    fn cells_may_have_their_unit_and_thousands() {
        let second = Some(RateUnit::Second);
        for (cell, separator, right) in [
            ("10", ',', Some((10.0, None))),
            ("1,250.5", ',', Some((1_250.5, None))),
            ("1250,5", ';', Some((1_250.5, None))),
            ("1.5 K", ',', Some((1_500.0, None))),
            ("1.5K req/s", ',', Some((1_500.0, second))),
            ("2 Mil", ',', Some((2e6, None))),
            ("12.5 rps", ',', Some((12.5, second))),
            ("12 ms", ',', None),
            ("-1", ',', None),
            ("inf", ',', None),
            ("soon", ',', None),
        ] {
            assert_eq!(number(cell, separator), right, "{cell}");
        }
    }

    #[test]
    fn the_header_is_found_behind_what_stands_before_it() {
        let of = |lines: &[&str]| header(lines).map(|header| (header.index, header.time));
        assert_eq!(of(&["time,rate", "0,1"]), Some((0, 0)));
        assert_eq!(of(&["sep=;", "rps;Date", "7,5;2026-05-04 11:20"]), Some((1, 1)));
        assert_eq!(
            of(&["Label,a", "Period,60", ",RequestCount", "2026/05/04 11:20:00,9"]),
            Some((2, 0))
        );
        assert_eq!(of(&["2026-05-04 11:20:00,9", "2026-05-04 11:21:00,9"]), None);
        assert_eq!(of(&["time_s,demand", "0,1"]), None);
        assert_eq!(of(&["time,name", "0,x"]), None);
        let period = |text| period(text).map(|period| period.as_secs());
        assert_eq!((period("a,b\nPeriod,300"), period("Period")), (Some(300.0), None));
    }
}
