//! The table of formats: a new one is a line here and the function that reads its lines.

use std::borrow::Cow;

use crate::scenario::recording::line::{LineContext, LineFault, Nameable, Said};
use crate::scenario::recording::moment::{self, Moment};
use crate::scenario::recording::objects::{k6, object, of_docker, usual_key};
use crate::scenario::recording::rows::{hey, is_header, jmeter, k6_csv, times};
use crate::scenario::recording::text_log::{access_log, alb, envoy, haproxy};
use crate::scenario::recording::w3c::w3c;
use crate::scenario::traffic::format::ReplayFormat;

/// What reads a line of a format.
type LineReader = fn(&mut LineContext<'_>, &str) -> Result<Said, LineFault>;

/// A format of recordings.
pub(crate) struct RecordingFormat {
    /// What a scenario calls it.
    pub(crate) word: ReplayFormat,
    /// What it is.
    pub(crate) name: &'static str,
    read: LineReader,
    /// Whether its times are those of the run.
    pub(crate) own_zero: bool,
    /// Whether a line is read as it is, with what a container's runtime has put around it.
    whole: bool,
}

const fn format(word: ReplayFormat, name: &'static str, read: LineReader) -> RecordingFormat {
    RecordingFormat { word, name, read, own_zero: false, whole: false }
}

/// All formats. Where lines fit two, the first counts; what is read whole counts if nothing else
/// fits.
pub(crate) static FORMATS: [RecordingFormat; 12] = [
    RecordingFormat { own_zero: true, ..format(ReplayFormat::Csv, "a table of times", times) },
    format(ReplayFormat::Envoy, "Envoy's default text log", envoy),
    format(ReplayFormat::Alb, "a log of an AWS application load balancer", alb),
    format(ReplayFormat::Haproxy, "HAProxy's HTTP log", haproxy),
    format(ReplayFormat::W3c, "a W3C extended log, as IIS and CloudFront write it", w3c),
    format(ReplayFormat::AccessLog, "an access log", access_log),
    format(ReplayFormat::K6, "the output of k6", k6),
    format(ReplayFormat::K6, "the CSV of k6", k6_csv),
    format(ReplayFormat::JMeter, "a JMeter result", jmeter),
    format(ReplayFormat::Hey, "a hey result", hey),
    format(ReplayFormat::JsonLines, "JSON lines", object),
    RecordingFormat {
        whole: true,
        ..format(ReplayFormat::JsonLines, "Docker's JSON lines", object)
    },
];

impl RecordingFormat {
    /// Reads a line, without what a container's runtime has put around it; says when the runtime
    /// took it.
    pub(crate) fn read(
        &self,
        context: &mut LineContext<'_>,
        line: &str,
    ) -> Result<(Said, Option<Moment>), LineFault> {
        if self.whole {
            return Ok(((self.read)(context, line)?, None));
        }
        let (text, stamp) = unwrapped(line);
        Ok(((self.read)(context, &text)?, stamp))
    }

    /// What is known of a file before it is read, by its first lines.
    pub(crate) fn context<'n>(&self, lines: &[&str], nameable: Nameable<'n>) -> LineContext<'n> {
        let mut context = LineContext::new(nameable);
        if self.word == ReplayFormat::JsonLines {
            let texts = lines.iter().map(|line| match self.whole {
                true => Cow::Borrowed(*line),
                false => unwrapped(line).0,
            });
            context.key = usual_key(texts);
        }
        context
    }

    /// How many of these lines are requests of this format.
    fn score(&self, lines: &[&str], nameable: Nameable<'_>) -> usize {
        let mut context = self.context(lines, nameable);
        let mut is_request =
            |line: &&&str| matches!(self.read(&mut context, line), Ok((Said::Request(_), _)));
        lines.iter().filter(&mut is_request).count()
    }
}

/// The format of most of these lines, the first of a file, of all or of those with a word.
pub(crate) fn recognised(
    lines: &[&str],
    word: Option<ReplayFormat>,
    nameable: Nameable<'_>,
) -> Option<&'static RecordingFormat> {
    let fits = |format: &&RecordingFormat| word.is_none_or(|word| format.word == word);
    let rated = FORMATS.iter().filter(fits).map(|one| (one.score(lines, nameable), one));
    // Of equals `max_by_key` takes the last.
    let best = rated.rev().max_by_key(|(score, one)| (*score > 0 && !one.whole, *score));
    let least = lines.len() / 20;
    best.filter(|(score, _)| *score > least || word.is_some()).map(|(_, format)| format)
}

/// The format that lines are meant for of which none is sound, as far as the first lines show it.
pub(crate) fn meant(lines: &[&str]) -> Option<&'static RecordingFormat> {
    let is_object = |line: &&str| {
        serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(line).is_ok()
    };
    let word = if lines.iter().any(|line| is_header(line)) {
        ReplayFormat::Csv
    } else if lines.len() > 1 && lines.first().is_some_and(is_object) {
        ReplayFormat::JsonLines
    } else {
        return None;
    };
    FORMATS.iter().find(|format| format.word == word)
}

/// What a line of another format is.
pub(crate) fn named(line: &str, nameable: Nameable<'_>) -> Option<&'static str> {
    recognised(&[line], None, nameable).map(|format| format.name)
}

/// A line without what a container's runtime or a tool has put before or around it: Docker's
/// object; the names of `kubectl logs --prefix` and Compose; the stamp of `kubectl logs
/// --timestamps`; the stream of the container runtime interface.
fn unwrapped(line: &str) -> (Cow<'_, str>, Option<Moment>) {
    if let Some((inner, stamp)) = of_docker(line) {
        return (Cow::Owned(inner), stamp);
    }
    let mut rest = line;
    if let Some((_, after)) = rest.strip_prefix("[pod/").and_then(|rest| rest.split_once("] ")) {
        rest = after;
    } else if let Some((name, after)) = rest.split_once(" | ") {
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        rest = if name.trim_end().chars().all(is_name) { after } else { rest };
    }
    let stamped = rest.split_once(' ').filter(|_| rest.as_bytes().get(10) == Some(&b'T'));
    let stamp = stamped.and_then(|(stamp, after)| Some((moment::with_offset(stamp)?, after)));
    let Some((stamp, after)) = stamp else { return (Cow::Borrowed(rest), None) };
    let streams = ["stdout F ", "stderr F "];
    let inner = streams.iter().find_map(|stream| after.strip_prefix(stream)).unwrap_or(after);
    (Cow::Borrowed(inner), Some(stamp))
}
