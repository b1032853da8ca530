//! The rates of a Locust run: its `_stats_history.csv`.

use crate::diagnostic::{Flaw, clip};
use crate::scenario::recording::bad_lines::BadLines;
use crate::scenario::recording::line::{LineContext, fields, no_time};
use crate::scenario::recording::moment;
use crate::scenario::traffic::rate_file::{Counting, NamedSeries, RateFile, RateUnit};

/// The columns that are used; the type may be missing.
const COLUMNS: [&str; 4] = ["Timestamp", "Name", "Requests/s", "Type"];
/// The row of all requests together.
const ALL: &str = "Aggregated";

/// Where each of the columns stands, if a line is the header.
fn places(line: &str) -> Option<[Option<usize>; 4]> {
    let names = fields(line.trim_start_matches('\u{feff}'), ',');
    let places = COLUMNS.map(|wanted| names.iter().position(|name| name == wanted));
    let is_header = names.iter().any(|name| name == "User Count");
    (is_header && places[..3].iter().all(Option::is_some)).then_some(places)
}

/// Whether a file is such a history, by its first lines.
pub(crate) fn is_locust(lines: &[&str]) -> bool {
    lines.first().is_some_and(|line| places(line).is_some())
}

/// Reads a history: the rows of all requests together, or with `--csv-full-history` those of each
/// name if some are asked for. Lines that cannot be read are counted.
/// <https://docs.locust.io/en/stable/retrieving-stats.html>
pub(crate) fn locust(
    text: &str,
    is_chosen: bool,
    bad: &mut BadLines,
    context: &mut LineContext<'_>,
) -> Option<RateFile> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let [time, name, rate, kind] = places(lines.next()?.1)?;
    let mut series: Vec<NamedSeries> = Vec::new();
    for (at, line) in lines {
        bad.lines += 1;
        let cells = fields(line, ',');
        let cell = |place: Option<usize>| place.and_then(|place| cells.get(place));
        let (Some(when), Some(name), Some(value)) = (cell(time), cell(name), cell(rate)) else {
            bad.note(at + 1, line, Flaw::new("this line is cut off"), || None);
            continue;
        };
        if (name == ALL) == is_chosen {
            continue;
        }
        let Some(read) = moment::written(when) else {
            bad.note(at + 1, line, no_time(when, "Locust writes seconds since 1970"), || None);
            continue;
        };
        let moment = context.note(read);
        let Some(value) = value.parse::<f64>().ok().filter(|value| *value >= 0.0) else {
            let title = format!("{:?} is no number", clip(value));
            bad.note(at + 1, line, Flaw::new(title), || None);
            continue;
        };
        let kind = cell(kind).map_or("", String::as_str);
        let name = format!("{kind} {name}").trim().to_owned();
        match series.iter_mut().find(|one| one.name == name) {
            Some(one) => one.points.push((moment, value)),
            None => {
                let (unit, points) = (Some(RateUnit::Second), vec![(moment, value)]);
                series.push(NamedSeries { name, unit, points, counting: Counting::Apart });
            }
        }
    }
    let (recognised, name) = (context.recognised, "a history of Locust");
    Some(RateFile { series, period: None, recognised, name, said: Vec::new() })
}
