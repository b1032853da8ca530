//! What a line of a recording says, and what has been learnt from the lines before it.

use crate::diagnostic::{Flaw, clip};
use crate::plan::{Api, RecordedDetail};
use crate::scenario::recording::moment::{Moment, ReadMoment, whole_second};
use crate::units::SECOND;

const SECONDS: f64 = SECOND as f64;
/// A container's runtime stamps a line at most so much later than the second that the line names.
const STAMPED_WITHIN: Moment = 2 * SECOND as Moment;

/// What the lines of a recording may name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nameable<'n> {
    /// How many replicas there are.
    pub(crate) replicas: usize,
    /// The APIs that the file lists.
    pub(crate) apis: &'n [Api],
}

/// What is learnt while lines are read.
pub(crate) struct LineContext<'n> {
    /// What lines may name.
    pub(crate) nameable: Nameable<'n>,
    /// The names of the columns; empty before the header.
    pub(crate) columns: Vec<String>,
    /// Where each field that is used stands.
    pub(crate) places: Vec<Option<usize>>,
    /// The field in which objects have their time.
    pub(crate) key: Option<usize>,
    /// What had to be recognised.
    pub(crate) recognised: Recognised,
}

/// What had to be recognised in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Recognised {
    /// The unit of numbers since 1970.
    pub(crate) unit: Option<&'static str>,
    /// Times had no offset and were taken for UTC.
    pub(crate) zoneless: bool,
    /// Times were of the end, and starts are so much earlier as the line says.
    pub(crate) ends: bool,
}

impl<'n> LineContext<'n> {
    /// Before the first line.
    pub(crate) fn new(nameable: Nameable<'n>) -> LineContext<'n> {
        let (columns, places) = (Vec::new(), Vec::new());
        LineContext { nameable, columns, places, key: None, recognised: Recognised::default() }
    }

    /// Takes note of how a moment was read.
    pub(crate) fn note(&mut self, read: ReadMoment) -> Moment {
        self.recognised.unit = self.recognised.unit.or(read.unit);
        self.recognised.zoneless |= read.zoneless;
        read.at
    }
}

/// What a sound line says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Said {
    /// A request came.
    Request(Logged),
    /// Something that is no request and has its place in such a file.
    Nothing,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LineFault {
    /// It is no line of such a file, or was cut off.
    Unreadable(Flaw),
    /// It does not fit the scenario, and so the file does not.
    Unfit(Flaw),
    /// Nothing after it can be read.
    Header(Flaw),
}

impl From<Flaw> for LineFault {
    fn from(flaw: Flaw) -> Self {
        LineFault::Unreadable(flaw)
    }
}

/// A request as a line has it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Logged {
    time: Moment,
    /// Whether the time is known to the second only.
    coarse: bool,
    /// How long the request took until that time; zero if the time is that of its start.
    taken: Moment,
    /// What else is known.
    pub(crate) detail: RecordedDetail,
}

impl Logged {
    /// A request that was sent at this moment.
    pub(crate) fn sent(time: Moment) -> Logged {
        Logged { time, ..Logged::default() }
    }

    /// A request that was answered at this moment, so many seconds after it was sent, as far as
    /// that is known.
    pub(crate) fn answered(time: Moment, seconds: Option<f64>) -> Logged {
        let taken = seconds.filter(|taken| (0.0..=1e6).contains(taken)).unwrap_or(0.0);
        Logged { taken: (taken * SECONDS).round() as Moment, ..Logged::sent(time) }
    }

    /// The same with a time that is written to the second.
    pub(crate) fn to_the_second(self, coarse: bool) -> Logged {
        Logged { coarse, ..self }
    }

    /// The same with what else is known of the request.
    pub(crate) fn with(self, detail: RecordedDetail) -> Logged {
        Logged { detail, ..self }
    }

    /// When the request was sent, and whether that is known to the second only. `stamped` is when a
    /// container's runtime took the line, which is when the request had ended: it tells the parts
    /// of a second that the line leaves out. Of an end that is known to the second the start is
    /// taken to lie in the second that holds most of where it may.
    pub(crate) fn start(&self, stamped: Option<Moment>) -> (Moment, bool) {
        let within = |stamp: &Moment| (0..STAMPED_WITHIN).contains(&(*stamp - self.time));
        match stamped.filter(within) {
            Some(stamp) if self.coarse => (stamp.saturating_sub(self.taken), false),
            _ if self.coarse && self.taken > 0 => {
                let middle = self.time.saturating_add(SECOND as Moment / 2);
                (whole_second(middle.saturating_sub(self.taken)), true)
            }
            _ => (self.time.saturating_sub(self.taken), self.coarse),
        }
    }

    /// Whether the line tells an end from which the start follows.
    pub(crate) fn tells_end(&self) -> bool {
        self.taken > 0
    }
}

/// The fields of a line between separators, without the quotes around them; a quote in quotes is
/// doubled or follows a backslash.
pub(crate) fn fields(line: &str, separator: char) -> Vec<String> {
    let (mut all, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut rest = line.chars().peekable();
    while let Some(letter) = rest.next() {
        match letter {
            '"' if quoted && rest.peek() == Some(&'"') => field.extend(rest.next()),
            '\\' if quoted => {
                field.push(letter);
                field.extend(rest.next());
            }
            '"' => quoted = !quoted,
            _ if letter == separator && !quoted => all.push(std::mem::take(&mut field)),
            _ => field.push(letter),
        }
    }
    all.push(field);
    all.iter_mut().for_each(|field| *field = field.trim().to_owned());
    all
}

/// That a text is no time.
pub(crate) fn no_time(text: &str, help: &str) -> Flaw {
    Flaw::new(format!("{:?} is no time", clip(text))).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Moment = SECOND as Moment;

    #[test]
    fn the_start_of_an_end_is_as_much_earlier_as_the_request_took() {
        assert_eq!(Logged::sent(5 * S).start(None), (5 * S, false));
        assert_eq!(Logged::answered(5 * S, Some(0.25)).start(None), (5 * S - S / 4, false));
        assert_eq!(Logged::answered(5 * S, None).start(None), (5 * S, false));
        let coarse = |taken| Logged::answered(5 * S, Some(taken)).to_the_second(true);
        // Ended from 5 to 6, after 0.2: sent from 4.8 to 5.8, most of it in the same second.
        assert_eq!(coarse(0.2).start(None), (5 * S, true));
        assert_eq!(coarse(0.7).start(None), (4 * S, true));
        assert_eq!(coarse(2.9).start(None), (2 * S, true));
    }

    #[test]
    fn the_stamp_of_a_container_tells_parts_of_a_second() {
        let coarse = Logged::answered(5 * S, Some(0.25)).to_the_second(true);
        assert_eq!(coarse.start(Some(5 * S + S / 2)), (5 * S + S / 4, false));
        // A stamp of another time is that of a copy.
        assert_eq!(coarse.start(Some(99 * S)), (5 * S, true));
        assert_eq!(Logged::sent(5 * S + 7).start(Some(5 * S + S / 2)), (5 * S + 7, false));
    }

    #[test]
    fn separators_in_quotes_belong_to_a_field() {
        assert_eq!(fields("a,\"b,\"\"c\", d ,", ','), ["a", "b,\"c", "d", ""]);
        assert_eq!(fields("h \"GET /\\\" x\" 1", ' '), ["h", "GET /\\\" x", "1"]);
    }
}
