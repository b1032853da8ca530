//! Two results of `run` side by side, in text: which settings differ, and by how much each figure
//! does. The runs are taken as independent; `compare` runs variants under common random numbers,
//! which leaves narrower intervals.

use serde_json::Value;

use crate::report::format::page::Paint;
use crate::report::format::table::Table;
use crate::report::format::words::{NOTHING, grouped, wrapped};
use crate::scenario::Setting;
use crate::stats::{Interval, mover};

/// A result of `run`.
pub struct RunResult {
    /// How it is called: its folder.
    pub name: String,
    /// Its summary.json.
    pub summary: Value,
    /// Its settings as resolved.
    pub settings: Vec<Setting>,
}

/// The figures that are set beside each other: the path below `windows[0]` or the summary, what it
/// is called, and by what it is multiplied to have the unit.
const FIGURES: [(&str, &str, f64, &str); 11] = [
    ("/windows/0/availability", "availability", 100.0, "%"),
    ("/windows/0/latency_ms/mean", "mean", 1.0, "ms"),
    ("/windows/0/latency_ms/p50", "p50", 1.0, "ms"),
    ("/windows/0/latency_ms/p95", "p95", 1.0, "ms"),
    ("/windows/0/latency_ms/p99", "p99", 1.0, "ms"),
    ("/windows/0/latency_ms/p99.9", "p99.9", 1.0, "ms"),
    ("/windows/0/throughput_per_s", "served", 1.0, "/s"),
    ("/gateway/cpu", "CPU in use", 100.0, "%"),
    ("/gateway/worst_minute_availability", "worst minute", 100.0, "%"),
    ("/gateway/recovery/longest_s", "longest recovery", 1.0, "s"),
    ("/gateway/redundancy/longest_s", "redundancy", 1.0, "s"),
];

/// A figure with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Ends {
    point: f64,
    low: f64,
    high: f64,
}

/// What differs between two results.
pub fn text(one: &RunResult, other: &RunResult, colour: bool) -> String {
    let paint = Paint { colour };
    let verdict = |result: &RunResult| {
        let word = result.summary["verdict"].as_str().unwrap_or("unknown").replace('_', " ");
        format!("{} ({word})", result.name)
    };
    let head = format!("{} → {}", verdict(one), verdict(other));
    let note = "latencies are of the served requests; differences as of independent runs: compare \
                runs both under the same luck, which says more";
    paint.page(
        vec![
            wrapped("", &head),
            paint.section("Settings that differ", settings(one, other)),
            paint.section("Figures (95 % interval)", figures(one, other) + &wrapped("  ", note)),
        ],
        None,
    )
}

fn settings(one: &RunResult, other: &RunResult) -> String {
    let of = |result: &RunResult, path: &str| {
        let found = result.settings.iter().find(|setting| setting.path == path);
        found.map_or(NOTHING.to_owned(), |setting| setting.value.clone())
    };
    let mut paths: Vec<&str> = one.settings.iter().map(|setting| setting.path.as_str()).collect();
    let more = other.settings.iter().map(|setting| setting.path.as_str());
    let more: Vec<&str> = more.filter(|path| !paths.contains(path)).collect();
    paths.extend(more);
    let lines: String = paths
        .into_iter()
        .map(|path| (path, of(one, path), of(other, path)))
        .filter(|(_, before, after)| before != after)
        .map(|(path, before, after)| {
            wrapped(&format!("  {path}: "), &format!("{before} → {after}"))
        })
        .collect();
    if lines.is_empty() { "  none\n".to_owned() } else { lines }
}

fn ends(summary: &Value, path: &str, scale: f64) -> Option<Ends> {
    let found = summary.pointer(path)?;
    let of = |key: &str| found.get(key).and_then(Value::as_f64).map(|value| value * scale);
    let point = of("point")?;
    Some(Ends { point, low: of("low").unwrap_or(point), high: of("high").unwrap_or(point) })
}

fn figures(one: &RunResult, other: &RunResult) -> String {
    let mut table = Table::default().with(["", &one.name, &other.name, "difference", ""]);
    for (path, name, scale, unit) in FIGURES {
        let [before, after] = [one, other].map(|result| ends(&result.summary, path, scale));
        let shown = |ends: Option<Ends>| ends.map_or(NOTHING.to_owned(), |it| number(it, unit));
        let (difference, call) = match (before, after) {
            (Some(before), Some(after)) => {
                let found = difference(before, after);
                (signed(found, unit), call(found))
            }
            (None, None) => continue,
            _ => (NOTHING.to_owned(), "no data"),
        };
        let cells = [name.to_owned(), shown(before), shown(after), difference, call.to_owned()];
        table.row(cells);
    }
    table.text()
}

/// The difference of two results, whose estimates are independent of each other.
fn difference(before: Ends, after: Ends) -> Ends {
    let both = |ends: Ends| (ends.point, Interval { low: ends.low, high: ends.high });
    let Interval { low, high } = mover::difference(both(before), both(after));
    Ends { point: after.point - before.point, low, high }
}

fn call(found: Ends) -> &'static str {
    match (found.low, found.high) {
        (low, high) if low == 0.0 && high == 0.0 => "the same",
        (low, _) if low > 0.0 => "more",
        (_, high) if high < 0.0 => "less",
        _ => "too close to call",
    }
}

/// As many decimals as two digits of the half width have, and at most three.
fn decimals(ends: Ends) -> usize {
    let half = (ends.high - ends.low) / 2.0;
    let size = if half > 0.0 { half } else { ends.point.abs() / 100.0 };
    if size > 0.0 { (1 - size.log10().floor() as i32).clamp(0, 3) as usize } else { 0 }
}

fn number(ends: Ends, unit: &str) -> String {
    let digits = decimals(ends);
    format!("{}{}{unit}", grouped(ends.point, digits), gap(unit))
}

fn signed(found: Ends, unit: &str) -> String {
    let digits = decimals(found);
    let of = |value: f64| {
        let text = grouped(value, digits);
        if value > 0.0 { format!("+{text}") } else { text }
    };
    let unit = if unit == "%" { "points" } else { unit };
    let (point, low, high) = (of(found.point), of(found.low), of(found.high));
    format!("{point}{}{unit} ({low} to {high})", gap(unit))
}

/// A unit stands apart from its number, but for those that begin with a stroke.
fn gap(unit: &str) -> &'static str {
    if unit.starts_with('/') { "" } else { " " }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_the_interval_of_independent_estimates() {
        let of = |point: f64, half: f64| Ends { point, low: point - half, high: point + half };
        let found = difference(of(10.0, 3.0), of(20.0, 4.0));
        assert_eq!(found, of(10.0, 5.0));
        assert_eq!(call(found), "more");
        assert_eq!(call(difference(of(10.0, 3.0), of(6.0, 4.0))), "too close to call");
        assert_eq!(call(difference(of(10.0, 0.0), of(10.0, 0.0))), "the same");
        assert_eq!(signed(found, "ms"), "+10.0 ms (+5.0 to +15.0)");
        assert_eq!(
            signed(difference(of(99.0, 0.1), of(98.0, 0.1)), "%"),
            "-1.00 points (-1.14 to -0.86)"
        );
    }
}
