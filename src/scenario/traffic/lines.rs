//! The lines of a recording while they are read: what they say, and what is wrong with them.

use crate::diagnostic::{Flaw, Place, Problem, clip};
use crate::plan::Recorded;
use crate::units::Span;

/// The most arrivals that a recording may have.
const RECORD_LIMIT: usize = 10_000_000;

const PROBLEM_LIMIT: usize = 5;

/// A recording while it is read.
pub(crate) struct RecordedLines<'a> {
    path: String,
    /// The file.
    pub(crate) text: &'a str,
    /// What has been read so far.
    pub(crate) records: Vec<Recorded>,
    /// What its times are rounded down to; zero = they are exact.
    pub(crate) resolution: Span,
    pub(crate) problems: Vec<Problem>,
}

impl<'a> RecordedLines<'a> {
    /// Before the first line.
    pub(crate) fn new(path: String, text: &'a str) -> RecordedLines<'a> {
        let (records, problems) = (Vec::new(), Vec::new());
        RecordedLines { path, text, records, resolution: Span::ZERO, problems }
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
        self.problems.push(problem.helps(flaw.help));
    }
}

#[cfg(test)]
impl RecordedLines<'_> {
    /// The problems: line and title.
    pub(crate) fn titles(&self) -> Vec<String> {
        let line = |problem: &Problem| match &problem.place {
            Place::Elsewhere { line, .. } => format!("{line}: {}", problem.title),
            _ => problem.title.clone(),
        };
        self.problems.iter().map(line).collect()
    }
}
