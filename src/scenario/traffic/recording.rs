//! Recorded arrivals: what the file is, how fast it is played, and whether it begins again.

use crate::diagnostic::{Flaw, Problem};
use crate::plan::{Recorded, Recording};
use crate::scenario::reader::{Parsed, SectionReader};
use crate::scenario::text::file::{self, FILE_LIMIT};
use crate::scenario::traffic::format::{ReplayFormat, key};
use crate::scenario::traffic::lines::RecordedLines;
use crate::scenario::traffic::table::Nameable;
use crate::scenario::traffic::{log, table};
use crate::units::{Instant, Span};

/// Reads the recording that `[traffic]` names, up to the horizon; problems are noted with file and
/// line.
pub(crate) fn read(
    section: &SectionReader<'_>,
    horizon: Option<Instant>,
    nameable: Nameable<'_>,
) -> Option<Recording> {
    let speed = speed(section);
    let again = section.parsed(key::REPLAY_LOOP);
    let path = section.find(key::REPLAY)?;
    let place = section.base.join(&path.value);
    let text = match file::text(&place, FILE_LIMIT) {
        Ok(text) => text,
        Err(why) => {
            let title = file::unreadable(&place, &why);
            let help = "the path starts from the scenario's folder";
            section.error(&path, title, help);
            section.find(key::REPLAY_FORMAT);
            return None;
        }
    };
    let format = section.or(key::REPLAY_FORMAT, recognised(&text)).value;
    let mut reading = RecordedLines::new(place.display().to_string(), &text);
    read_lines(&mut reading, format, nameable);
    let sound = reading.problems.is_empty();
    reading.problems.drain(..).for_each(|problem| section.note(problem));
    let mut records = reading.records;
    records.iter_mut().for_each(|record| record.at = Instant(slower(record.at.0, speed)));
    let resolution = Span(slower(reading.resolution.0, speed));
    let end = horizon.unwrap_or(Instant::NEVER);
    let length = length(&records, resolution);
    let period = length.filter(|_| again.value);
    if again.value && length.is_none() && !records.is_empty() {
        let help = "that takes arrivals at two times at least; drop `replay-loop`";
        section.error(&again, "the recording is too short to begin again", help);
    }
    if sound && horizon.is_some() && !again.value {
        ends_early(section, &path, &records, end);
    }
    cut(section, &path, end, &mut records);
    Some(Recording { records: records.into(), resolution, period })
}

/// How many times as fast the recording is played; 1 if what is written is wrong.
fn speed(section: &SectionReader<'_>) -> f64 {
    let speed = section.parsed(key::REPLAY_SPEED);
    if speed.value > 0.0 {
        return speed.value;
    }
    let help = "write 1 for as fast as recorded, 2 for twice as fast";
    section.error(&speed, "a recording that stands still has no arrivals", help);
    1.0
}

fn slower(nanoseconds: u64, speed: f64) -> u64 {
    if speed == 1.0 { nanoseconds } else { (nanoseconds as f64 / speed).round() as u64 }
}

/// From the first arrival to the last and one mean gap on, of times known to the second at least
/// the last second; `None` if there are not two times.
fn length(records: &[Recorded], resolution: Span) -> Option<Span> {
    let [first, .., last] = records else { return None };
    let length = last.at.since(first.at);
    let gap = length / (records.len() as u64 - 1);
    Some(length + gap.max(resolution)).filter(|length| *length > Span::ZERO)
}

/// Warns of a recording without arrivals in the last tenth of the run.
fn ends_early(
    section: &SectionReader<'_>,
    path: &Parsed<String>,
    records: &[Recorded],
    end: Instant,
) {
    let last = records.last().map(|record| record.at);
    if let Some(last) = last.filter(|last| last.0 < end.0 / 10 * 9) {
        let title = format!("the last recorded arrival is at {last}, the run ends at {end}");
        let problem = Problem::warning(path.place.clone(), title).label("then nothing comes");
        let help = "write replay-loop = true to begin it again, or shorten `run.horizon`";
        section.note(problem.help(help));
    }
}

/// Leaves out what lies after the run.
fn cut(
    section: &SectionReader<'_>,
    path: &Parsed<String>,
    end: Instant,
    records: &mut Vec<Recorded>,
) {
    let kept = records.partition_point(|record| record.at < end);
    if kept < records.len() {
        let title = format!("{} recorded arrivals lie after the run", records.len() - kept);
        section.note(Problem::warning(path.place.clone(), title).label("they are left out"));
        records.truncate(kept);
    }
}

/// Reads the lines of a file.
fn read_lines(lines: &mut RecordedLines<'_>, format: ReplayFormat, nameable: Nameable<'_>) {
    match format {
        ReplayFormat::Csv => table::read(lines, nameable),
        ReplayFormat::AccessLog => log::access_log(lines),
        ReplayFormat::JsonLines => log::json_lines(lines),
    }
    if lines.records.is_empty() && lines.problems.is_empty() {
        lines.note(1, Flaw::new("the recording has no arrivals"));
    }
}

/// What a file is, by its first line.
fn recognised(text: &str) -> ReplayFormat {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    if first.trim_start().starts_with('{') {
        ReplayFormat::JsonLines
    } else if log::is_access_log(first) {
        ReplayFormat::AccessLog
    } else {
        ReplayFormat::Csv
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, format: ReplayFormat) -> (Vec<Recorded>, Vec<String>) {
        let mut reading = RecordedLines::new("t".to_owned(), text);
        read_lines(&mut reading, format, Nameable { replicas: 2, apis: &[] });
        let titles = reading.titles();
        (reading.records, titles)
    }

    #[test]
    fn a_file_is_known_by_its_first_line() {
        let log = "::1 - bob [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0\" 200 -";
        for (text, format) in [
            ("time_s\n1\n", ReplayFormat::Csv),
            ("\n  {\"ts\": 1}\n", ReplayFormat::JsonLines),
            (log, ReplayFormat::AccessLog),
            ("", ReplayFormat::Csv),
        ] {
            assert_eq!(recognised(text), format, "{text}");
        }
    }

    #[test]
    fn a_recording_without_arrivals_is_refused() {
        for text in ["", "time_s\n", "\n\n"] {
            assert!(read(text, recognised(text)).1[0].contains("no arrivals"), "{text:?}");
        }
        assert!(read("", ReplayFormat::JsonLines).1[0].contains("no arrivals"));
    }

    #[test]
    fn a_recording_is_as_long_as_its_arrivals_and_one_gap() {
        let long = |times: &[u64], resolution| {
            let record =
                |at: &u64| Recorded { at: Instant(*at), demand: None, slot: None, api: None };
            length(&times.iter().map(record).collect::<Vec<_>>(), Span(resolution))
        };
        assert_eq!(long(&[10, 20, 40], 0), Some(Span(45)));
        assert_eq!(long(&[10, 20, 40], 100), Some(Span(130)));
        assert_eq!((long(&[7], 1), long(&[], 1), long(&[7, 7], 0)), (None, None, None));
        assert_eq!(long(&[7, 7], 100), Some(Span(100)));
    }
}
