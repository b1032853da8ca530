//! Problems found in a file, and how they are shown: the line, a caret under the place, a remedy.
//!
//! A [`Problem`] has a place, what is wrong, and what to do about it; a [`Flaw`] is the same of a
//! piece of text before its place is known. [`render`] shows them. Remedies often guess what was
//! meant: [`suggestion`] asks the words of others first (`synonyms.rs`), then looks for what is
//! spelt alike, and else lists the choices.
//!
//! The room knows texts and places, and nothing of scenarios. Begin with [`Problem`].

pub mod synonyms;

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

/// A text and the name under which its problems are reported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The path as the user gave it.
    pub name: String,
    /// How it was read, if not as it is: with another setting.
    pub reading: String,
    /// The text, empty if it could not be read.
    pub text: String,
}

/// Whether a problem forbids the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but may not mean what its author thinks.
    Warning,
}

/// Where a problem is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the file as a whole.
    Whole,
    /// In these bytes of the [`Source`].
    Span(Range<usize>),
    /// In a line of another file.
    Elsewhere {
        /// The other file.
        path: String,
        /// The line's number, from 1.
        line: usize,
        /// The line.
        text: String,
        /// Bytes of the line.
        span: Range<usize>,
    },
}

/// Something wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether it forbids the run.
    pub severity: Severity,
    /// Where it is.
    pub place: Place,
    /// What is wrong, in one line.
    pub title: String,
    /// What stands under the caret; may be empty.
    pub label: String,
    /// Remedies and reasons, each in one line.
    pub help: Vec<String>,
    /// Whether it says that something is not there, which may follow from another problem.
    pub missing: bool,
    /// Whether it follows from how much traffic there is.
    pub of_load: bool,
    /// Whether it says that the scenario's own faults lack what is demanded of them, which means
    /// nothing where others take their place.
    pub of_faults: bool,
}

/// Something wrong with a piece of text, before it is known where the text stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// What is wrong, in one line.
    pub title: String,
    /// The bytes of the text that are wrong; `None` = all of it.
    pub range: Option<Range<usize>>,
    /// What stands under the caret; empty = what the place expects.
    pub label: String,
    /// The remedy.
    pub help: Option<String>,
}

impl Problem {
    /// An error at a place.
    pub fn error(place: Place, title: impl Into<String>) -> Problem {
        let (title, label, help) = (clip(&title.into()), String::new(), Vec::new());
        let (missing, of_load, of_faults) = (false, false, false);
        Problem {
            severity: Severity::Error,
            place,
            title,
            label,
            help,
            missing,
            of_load,
            of_faults,
        }
    }

    /// An error: something is not there.
    pub fn missing(place: Place, title: impl Into<String>) -> Problem {
        Problem { missing: true, ..Problem::error(place, title) }
    }

    /// A warning at a place.
    pub fn warning(place: Place, title: impl Into<String>) -> Problem {
        Problem { severity: Severity::Warning, ..Problem::error(place, title) }
    }

    /// The same with a label under the caret.
    pub fn label(self, label: impl Into<String>) -> Problem {
        Problem { label: clip(&label.into()), ..self }
    }

    /// The same with a further remedy or reason.
    pub fn help(mut self, help: impl Into<String>) -> Problem {
        self.help.push(clip(&help.into()));
        self
    }

    /// The same with these further remedies.
    pub fn helps(self, help: impl IntoIterator<Item = String>) -> Problem {
        help.into_iter().fold(self, Problem::help)
    }

    /// Line and column, both from 1 (columns count characters); `None` for a whole file.
    pub fn position(&self, source: &Source) -> Option<(usize, usize)> {
        self.extent(source).map(|extent| (extent.line, extent.from))
    }

    /// The part of a line that it is in; `None` for a whole file.
    pub fn extent(&self, source: &Source) -> Option<LineExtent> {
        let of = |line: usize, text: &str, span: &Range<usize>| {
            let column = |offset: usize| text.get(..offset).unwrap_or("").chars().count() + 1;
            LineExtent { line, from: column(span.start), to: column(span.end.max(span.start)) }
        };
        match &self.place {
            Place::Whole => None,
            Place::Span(span) => {
                let excerpt = excerpt(&source.text, span);
                Some(of(excerpt.line, excerpt.text, &excerpt.span))
            }
            Place::Elsewhere { line, text, span, .. } => Some(of(*line, text, span)),
        }
    }

    /// The file that it is in: that of its source, or another one that this names.
    pub fn file<'a>(&'a self, source: &'a Source) -> &'a str {
        match &self.place {
            Place::Elsewhere { path, .. } => path,
            Place::Whole | Place::Span(_) => &source.name,
        }
    }
}

/// A part of a line: its number and the columns, all from 1; the part ends before the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineExtent {
    /// The line.
    pub line: usize,
    /// The first column.
    pub from: usize,
    /// The column after the last.
    pub to: usize,
}

impl Flaw {
    /// A flaw of the whole text.
    pub fn new(title: impl Into<String>) -> Flaw {
        Flaw { title: title.into(), range: None, label: String::new(), help: None }
    }

    /// The same, confined to these bytes.
    pub fn within(self, range: Range<usize>) -> Flaw {
        Flaw { range: Some(range), ..self }
    }

    /// The same with a label under the caret.
    pub fn label(self, label: impl Into<String>) -> Flaw {
        Flaw { label: label.into(), ..self }
    }

    /// The same with a remedy.
    pub fn help(self, help: impl Into<String>) -> Flaw {
        Flaw { help: Some(help.into()), ..self }
    }
}

impl fmt::Display for Flaw {
    /// What is wrong and its remedy, in one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)?;
        self.help.iter().try_for_each(|help| write!(f, "; {help}"))
    }
}

/// Whether any of the problems is an error.
pub fn any_error(problems: &[Problem]) -> bool {
    problems.iter().any(|problem| problem.severity == Severity::Error)
}

/// The problems as text for a person, in the order given, each followed by an empty line.
pub fn render(source: &Source, problems: &[Problem], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for problem in problems {
        text.push_str(renderer.render(&[group(source, problem)]).trim_end());
        text.push_str("\n\n");
    }
    text
}

fn group<'a>(source: &'a Source, problem: &'a Problem) -> Group<'a> {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(printable(&problem.title));
    let group = match &problem.place {
        Place::Whole => title.element(Origin::path(printable(&source.name))),
        Place::Span(span) => {
            let excerpt = excerpt(&source.text, span);
            title.element(snippet(&source.name, excerpt, &problem.label))
        }
        Place::Elsewhere { path, line, text, span } => {
            let excerpt = Excerpt { line: *line, ..excerpt(text, span) };
            title.element(snippet(path, excerpt, &problem.label))
        }
    };
    let reading = Some(&source.reading).filter(|reading| !reading.is_empty());
    let reading = reading.map(|reading| Level::NOTE.message(printable(reading)));
    let helps = problem.help.iter().map(|help| Level::HELP.message(printable(help)));
    group.elements(reading).elements(helps)
}

fn snippet<'a>(
    name: &str,
    excerpt: Excerpt<'a>,
    label: &str,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let mark = AnnotationKind::Primary.span(excerpt.span);
    let mark = if label.is_empty() { mark } else { mark.label(printable(label)) };
    Snippet::source(excerpt.text).path(printable(name)).line_start(excerpt.line).annotation(mark)
}

/// One line of a text and a place in it.
struct Excerpt<'a> {
    line: usize,
    text: &'a str,
    span: Range<usize>,
}

/// The line on which `span` begins; the span ends with the line at the latest.
fn excerpt<'a>(text: &'a str, span: &Range<usize>) -> Excerpt<'a> {
    let start = boundary(text, span.start);
    let first = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let last = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
    let line = text[first..last].trim_end_matches('\r');
    let inside = |offset: usize| boundary(text, offset).clamp(first, first + line.len()) - first;
    Excerpt {
        line: text[..first].bytes().filter(|byte| *byte == b'\n').count() + 1,
        text: line,
        span: inside(start)..inside(span.end.max(start)),
    }
}

fn boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// Without characters that would move the cursor.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// The text, or its beginning if it is too long for a message.
pub fn clip(text: &str) -> String {
    const LIMIT: usize = 240;
    match text.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// The candidate that `word` was probably meant to be: one that others call so, one that is alike,
/// or the only one that has it as a part (`nginx` of `ingress-nginx`).
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const ALIKE: f64 = 0.6;
    if word.chars().count() > 60 {
        return None;
    }
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(meant) = synonyms::meant(word, &candidates) {
        return Some(meant);
    }
    let word = word.to_lowercase();
    let likeness = |candidate: &str| strsim::normalized_damerau_levenshtein(&word, candidate);
    let likest = candidates.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let mut having = candidates.iter().filter(|one| one.split('-').any(|part| part == word));
    let only = having.next().filter(|_| having.next().is_none());
    likest.filter(|likest| likeness(likest) >= ALIKE).or(only.copied())
}

/// `did you mean "x"?` if a candidate is close, else all candidates.
pub fn suggestion<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<String> {
    if let Some(meant) = closest(word, candidates.clone()) {
        return Some(format!("did you mean {meant:?}?"));
    }
    let quoted: Vec<String> = candidates.into_iter().map(|word| format!("{word:?}")).collect();
    match quoted.as_slice() {
        [] => None,
        [only] => Some(format!("the only choice is {only}")),
        [most @ .., last] => Some(format!("choose {} or {last}", most.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source { name: "a.toml".to_owned(), text: text.to_owned(), ..Source::default() }
    }

    #[test]
    fn a_problem_shows_its_line_its_column_and_its_remedy() {
        let source = source("question = \"?\"\nrate = 5\n");
        let problem =
            Problem::error(Place::Span(22..23), "no unit").label("a rate").help("write \"5/s\"");
        let text = render(&source, std::slice::from_ref(&problem), false);
        assert!(text.contains("a.toml:2:8"), "{text}");
        assert!(text.contains("^ a rate"), "{text}");
        assert!(text.contains("help: write \"5/s\""), "{text}");
        assert_eq!(problem.position(&source), Some((2, 8)));
    }

    #[test]
    fn how_a_file_was_read_stands_in_a_line_of_its_own() {
        let read = Source { reading: "with Small".to_owned(), ..source("a\nrate = 5\n") };
        let problem = Problem::error(Place::Span(9..10), "no unit").help("write \"5/s\"");
        let text = render(&read, &[problem], false);
        assert!(text.contains("--> a.toml:2:8\n"), "{text}");
        assert!(text.contains("= note: with Small\n  = help: write \"5/s\""), "{text}");
    }

    #[test]
    fn spans_off_the_text_or_inside_a_character_do_no_harm() {
        for (text, span) in [("", 0..9), ("é", 1..2), ("a\r\nb", 1..4), ("x", 7..9)] {
            let problem = Problem::warning(Place::Span(span), "odd").label("here");
            assert!(render(&source(text), &[problem], true).contains("odd"));
        }
    }

    #[test]
    fn colour_changes_the_look_but_not_the_words() {
        let problem = [Problem::error(Place::Whole, "empty")];
        assert!(!render(&source(""), &problem, false).contains('\u{1b}'));
        assert!(render(&source(""), &problem, true).contains('\u{1b}'));
    }

    #[test]
    fn a_near_miss_gets_a_guess_and_a_far_one_the_list() {
        assert_eq!(
            suggestion("lage", ["small", "large"]).as_deref(),
            Some("did you mean \"large\"?")
        );
        assert_eq!(closest("nginx", ["ingress-nginx", "aws-alb"]), Some("ingress-nginx"));
        assert_eq!(closest("timeout", ["read-timeout", "connect-timeout"]), None);
        let list = suggestion("gigantic", ["small", "large"]);
        assert_eq!(list.as_deref(), Some("choose \"small\" or \"large\""));
        assert_eq!(suggestion("x", []), None);
    }
}
