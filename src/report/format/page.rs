//! What the texts of all commands are made of: sections with titles, and where the files are.
//! Colour repeats what words say.

use std::path::Path;

use anstyle::{AnsiColor, Style};

use super::words::wrapped;
use crate::verdict::{Overall, Verdict};

/// Where the files of a report are.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    /// Their directory.
    pub directory: &'a Path,
    /// Their names.
    pub names: &'a [String],
}

/// Something that a report says in a line of its own, which may be longer than the page is wide.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SaidLine {
    /// What it begins with where it is text.
    lead: &'static str,
    /// The verdict that it tells, if it tells one.
    pub(crate) verdict: Option<Verdict>,
    /// What is said.
    pub(crate) text: String,
}

impl SaidLine {
    /// A verdict, and what it is of.
    pub(crate) fn judged(verdict: Verdict, text: String) -> SaidLine {
        SaidLine { lead: "  ", verdict: Some(verdict), text }
    }

    /// A remark.
    pub(crate) fn plain(text: impl Into<String>) -> SaidLine {
        SaidLine { lead: "  ", verdict: None, text: text.into() }
    }

    /// More on the line before.
    pub(crate) fn more(text: impl Into<String>) -> SaidLine {
        SaidLine { lead: "    ", verdict: None, text: text.into() }
    }

    /// What to do about the line before.
    pub(crate) fn remedy(text: impl Into<String>) -> SaidLine {
        SaidLine { lead: "    → ", verdict: None, text: text.into() }
    }

    /// A warning.
    pub(crate) fn warning(text: impl Into<String>) -> SaidLine {
        SaidLine { lead: "  ! ", verdict: None, text: text.into() }
    }

    /// The sign that it begins with, if there is one.
    pub(crate) fn sign(&self) -> &'static str {
        self.lead.trim_start()
    }

    /// It in text.
    pub(crate) fn for_text(&self, paint: Paint) -> String {
        let Some(verdict) = &self.verdict else { return wrapped(self.lead, &self.text) };
        let (glyph, colour, word) = mark(verdict);
        let first = format!("{glyph} {word}");
        let text = wrapped(self.lead, &format!("{first} {}", self.text));
        text.replacen(&first, &paint.ink(colour, &first), 1)
    }
}

/// Whether there is colour.
#[derive(Clone, Copy)]
pub(crate) struct Paint {
    pub(crate) colour: bool,
}

impl Paint {
    fn apply(self, style: Style, text: &str) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    pub(crate) fn title(self, text: &str) -> String {
        self.apply(Style::new().bold(), text)
    }

    pub(crate) fn ink(self, colour: AnsiColor, text: &str) -> String {
        self.apply(colour.on_default().bold(), text)
    }

    /// A titled section; nothing without a body.
    pub(crate) fn section(self, title: &str, body: String) -> String {
        match body.is_empty() {
            true => body,
            false => format!("{}\n{body}", self.title(title)),
        }
    }

    /// A section of caveats.
    pub(crate) fn caveats(self, texts: impl IntoIterator<Item = String>) -> String {
        let lines = texts.into_iter().map(|text| wrapped("  ! ", &text));
        self.section("Caveats", lines.collect())
    }

    /// The sections of a text that have something to say, and last where its files are.
    pub(crate) fn page(self, mut sections: Vec<String>, written: Option<Written>) -> String {
        sections.extend(written.map(|written| {
            let title = format!("Files in {}", written.directory.display());
            self.section(&title, wrapped("  ", &written.names.join(", ")))
        }));
        sections.retain(|section| !section.is_empty());
        sections.join("\n")
    }
}

/// The glyph, colour and word of a judgement.
pub(crate) fn mark(verdict: &Verdict) -> (&'static str, AnsiColor, &'static str) {
    match verdict {
        Verdict::Met => ("✓", AnsiColor::Green, "met"),
        Verdict::Missed => ("✗", AnsiColor::Red, "missed"),
        Verdict::Undecided(_) => ("?", AnsiColor::Yellow, "undecided"),
    }
}

/// The word that files use for the judgement on all objectives.
pub(crate) fn overall(overall: Overall) -> &'static str {
    match overall {
        Overall::NoObjectives => "no_objectives",
        Overall::Met => "met",
        Overall::Missed => "missed",
        Overall::Undecided => "undecided",
    }
}
