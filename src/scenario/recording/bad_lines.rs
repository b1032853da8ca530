//! The lines of a recording that could not be read: counted, the first of them kept to be shown.

use crate::diagnostic::{Flaw, Place, Problem, clip};

/// So many are shown.
const SHOWN: usize = 5;
/// Of so many it is looked what they are instead.
const NAMED: u64 = 1_000;
/// A short file may have so many, such as the greetings of a server that starts, and a line that
/// was cut at each end; but not more than a third of its lines.
const FEW: u64 = 20;
/// One of so many lines of a long file may be bad: what is left out changes the load by no more
/// than a per cent, which is less than any day differs from the next.
const ONE_OF: u64 = 100;

/// What was wrong with the lines of a file.
pub(crate) struct BadLines {
    path: String,
    /// The lines that are not empty.
    pub(crate) lines: u64,
    /// The bad ones among them.
    pub(crate) count: u64,
    shown: Vec<Problem>,
    /// What they are instead, and how often.
    instead: Vec<(&'static str, u64)>,
}

impl BadLines {
    /// None yet.
    pub(crate) fn new(path: String) -> BadLines {
        BadLines { path, lines: 0, count: 0, shown: Vec::new(), instead: Vec::new() }
    }

    /// Takes note of a bad line; `named` says what it is instead.
    pub(crate) fn note(
        &mut self,
        number: usize,
        text: &str,
        flaw: Flaw,
        named: impl FnOnce() -> Option<&'static str>,
    ) {
        if self.shown.len() < SHOWN {
            self.shown.push(self.problem(number, text, flaw));
        }
        if let Some(name) = (self.count < NAMED).then(named).flatten() {
            match self.instead.iter_mut().find(|(known, _)| *known == name) {
                Some((_, count)) => *count += 1,
                None => self.instead.push((name, 1)),
            }
        }
        self.count += 1;
    }

    /// An error in a line.
    pub(crate) fn problem(&self, line: usize, text: &str, flaw: Flaw) -> Problem {
        let text = clip(text);
        let place = Place::Elsewhere { path: self.path.clone(), line, span: 0..text.len(), text };
        Problem::error(place, flaw.title).helps(flaw.help)
    }

    /// How many may be bad.
    fn allowed(&self) -> u64 {
        (self.lines / ONE_OF).max(FEW.min(self.lines / 3))
    }

    /// Whether too many are bad for the rest to stand for the whole.
    pub(crate) fn too_many(&self) -> bool {
        self.count > self.allowed()
    }

    /// Whether there is no use in reading on.
    pub(crate) fn hopeless(&self) -> bool {
        self.count > NAMED && self.count * 2 > self.lines
    }

    /// What to say of a file of this format that has too many: of the whole, and of the first.
    pub(crate) fn refusal(self, place: Place, format: &str) -> Vec<Problem> {
        let (count, lines) = (self.count, self.lines);
        let title = format!("{count} of {lines} lines of {} cannot be read as {format}", self.path);
        let help = format!(
            "one of {ONE_OF} lines may be left out, of a short file up to {FEW} and a third"
        );
        let others = self.instead.iter().filter(|(name, _)| *name != format);
        let most = others.max_by_key(|(_, count)| *count).map(|(name, _)| {
            format!("others read as {name}: put each format into a file of its own")
        });
        let whole = Problem::error(place, title).helps(most).help(help);
        std::iter::once(whole).chain(self.shown).collect()
    }

    /// What to say of bad lines that are few: the first one's number and what is wrong with it.
    pub(crate) fn said(&self) -> Option<String> {
        let first = self.shown.first()?;
        let Place::Elsewhere { line, .. } = &first.place else { return None };
        let (are, the_first) = if self.count == 1 { ("is", "") } else { ("are", "the first is ") };
        let (count, lines, title) = (self.count, self.lines, &first.title);
        Some(format!("{count} of {lines} lines {are} left out: {the_first}line {line}, {title}"))
    }
}
