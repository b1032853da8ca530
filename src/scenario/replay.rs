//! Recorded arrivals: what the file is, how fast it is played, and whether it begins again.

use crate::diagnostic::{Flaw, Place, Problem, clip};
use crate::plan::{Recorded, Recording};
use crate::scenario::book::{Book, Found, Section};
use crate::scenario::keys::traffic as key;
use crate::scenario::sample::{self, FILE_LIMIT};
use crate::scenario::trace::Nameable;
use crate::scenario::word::ReplayFormat;
use crate::scenario::{log, trace};
use crate::units::{Instant, Span};

/// The most arrivals that a recording may have.
pub const RECORD_LIMIT: usize = 10_000_000;

const PROBLEM_LIMIT: usize = 5;

/// Reads the recording that `[traffic]` names, up to the horizon; problems are noted with file and
/// line.
pub(crate) fn read<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    horizon: Option<Instant>,
    nameable: Nameable<'_>,
) -> Option<Recording> {
    let speed = speed(book, section);
    let again = book.get(section, key::REPLAY_LOOP);
    let path = book.find(section, key::REPLAY)?;
    let file = book.base.join(&path.value);
    let text = match sample::text(&file, FILE_LIMIT) {
        Ok(text) => text,
        Err(why) => {
            let title = sample::unreadable(&file, &why);
            let help = "the path starts from the scenario's folder".to_owned();
            book.error(path.place, title, help);
            book.find(section, key::REPLAY_FORMAT);
            return None;
        }
    };
    let format = key::REPLAY_FORMAT;
    let format = book.get_or(section, format, recognised(&text), format.mark, format.source);
    let mut reading = Reading::new(file.display().to_string(), &text);
    reading.read(format.value, nameable);
    let sound = reading.problems.is_empty();
    book.problems.append(&mut reading.problems);
    let mut records = reading.records;
    records.iter_mut().for_each(|record| record.at = Instant(slower(record.at.0, speed)));
    let resolution = Span(slower(reading.resolution.0, speed));
    let end = horizon.unwrap_or(Instant::NEVER);
    let length = length(&records, resolution);
    let period = length.filter(|_| again.value);
    if again.value && length.is_none() && !records.is_empty() {
        let help = "that takes arrivals at two times at least; drop `replay-loop`".to_owned();
        book.error(again.place, "the recording is too short to begin again", help);
    }
    if sound && horizon.is_some() && !again.value {
        ends_early(book, &path, &records, end);
    }
    cut(book, &path, end, &mut records);
    Some(Recording { records: records.into(), resolution, period })
}

/// How many times as fast the recording is played; 1 if what is written is wrong.
fn speed<'a>(book: &mut Book<'a>, section: &Section<'a>) -> f64 {
    let speed = book.get(section, key::REPLAY_SPEED);
    if speed.value > 0.0 {
        return speed.value;
    }
    let help = "write 1 for as fast as recorded, 2 for twice as fast".to_owned();
    book.error(speed.place, "a recording that stands still has no arrivals", help);
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
fn ends_early(book: &mut Book<'_>, path: &Found<String>, records: &[Recorded], end: Instant) {
    let last = records.last().map(|record| record.at);
    if let Some(last) = last.filter(|last| last.0 < end.0 / 10 * 9) {
        let title = format!("the last recorded arrival is at {last}, the run ends at {end}");
        let problem = Problem::warning(path.place.clone(), title).label("then nothing comes");
        let help = "write replay-loop = true to begin it again, or shorten `run.horizon`";
        book.problems.push(problem.help(help));
    }
}

/// Leaves out what lies after the run.
fn cut(book: &mut Book<'_>, path: &Found<String>, end: Instant, records: &mut Vec<Recorded>) {
    let kept = records.partition_point(|record| record.at < end);
    if kept < records.len() {
        let title = format!("{} recorded arrivals lie after the run", records.len() - kept);
        book.problems.push(Problem::warning(path.place.clone(), title).label("they are left out"));
        records.truncate(kept);
    }
}

/// A recording while it is read.
pub(crate) struct Reading<'a> {
    path: String,
    /// The file.
    pub(crate) text: &'a str,
    /// What has been read so far.
    pub(crate) records: Vec<Recorded>,
    /// What its times are rounded down to; zero = they are exact.
    pub(crate) resolution: Span,
    problems: Vec<Problem>,
}

impl<'a> Reading<'a> {
    /// Before the first line.
    pub(crate) fn new(path: String, text: &'a str) -> Reading<'a> {
        let (records, problems) = (Vec::new(), Vec::new());
        Reading { path, text, records, resolution: Span::ZERO, problems }
    }

    fn read(&mut self, format: ReplayFormat, nameable: Nameable<'_>) {
        match format {
            ReplayFormat::Csv => trace::read(self, nameable),
            ReplayFormat::AccessLog => log::access_log(self),
            ReplayFormat::JsonLines => log::json_lines(self),
        }
        if self.records.is_empty() && self.problems.is_empty() {
            self.note(1, Flaw::new("the recording has no arrivals"));
        }
    }

    /// Whether there is any use in reading on.
    pub(crate) fn goes_on(&self) -> bool {
        self.problems.len() < PROBLEM_LIMIT
    }

    /// Adds an arrival.
    pub(crate) fn push(&mut self, record: Recorded) -> Result<(), Flaw> {
        if self.records.len() == RECORD_LIMIT {
            let title = format!("the recording has more than {RECORD_LIMIT} arrivals");
            return Err(Flaw::new(title).help("cut it, or leave some of it out"));
        }
        self.records.push(record);
        Ok(())
    }

    /// Notes what is wrong with a line, counted from 1.
    pub(crate) fn note(&mut self, line: usize, flaw: Flaw) {
        let text = clip(self.text.lines().nth(line.saturating_sub(1)).unwrap_or(""));
        let place = Place::Elsewhere { path: self.path.clone(), line, span: 0..text.len(), text };
        let problem = Problem::error(place, flaw.title);
        self.problems.push(flaw.help.into_iter().fold(problem, Problem::help));
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
impl Reading<'_> {
    /// The problems: line and title.
    pub(crate) fn titles(&self) -> Vec<String> {
        let line = |problem: &Problem| match &problem.place {
            Place::Elsewhere { line, .. } => format!("{line}: {}", problem.title),
            _ => problem.title.clone(),
        };
        self.problems.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, format: ReplayFormat) -> (Vec<Recorded>, Vec<String>) {
        let mut reading = Reading::new("t".to_owned(), text);
        reading.read(format, Nameable { replicas: 2, apis: &[] });
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
