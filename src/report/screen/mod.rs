//! The first screen of a command: the verdict, what it means in two or three sentences, one picture
//! made of letters, and where more is to be found.
//!
//! ```text
//! ✗ MISSED: 2 of 4 objectives           the verdict, as the report has it
//!   At 3:00 replica b-1 crashed: …      what happened, to whom, for how long, whether it holds
//!   p99  ▁▁▁▁▁█▇▅▂▁▁▁  2 ms to 7 s      the course of the worst incident
//!   All tables: -v, or report.txt …     where to look
//! ```
//!
//! A screen is as wide as the terminal, from 60 columns to 120, and may be read by somebody who
//! has not read the documentation: its words are those of the glossary. Everything in it is also
//! in the report; nothing is estimated here. Begin with `run.rs`.

pub mod run;
pub mod sparkline;
pub mod studies;

use crate::report::format::page::{Paint, Written};
use crate::report::format::words::wrapped_to;

/// The narrowest and the widest lines.
const NARROW: usize = 60;
const WIDE: usize = 120;

/// How wide the paragraphs of reports are.
const WRAPPED: usize = 98;
/// The least room of a last column, in which what is too long goes on.
const LAST: usize = 20;

/// What a screen is to look like.
#[derive(Clone, Copy, Debug)]
pub struct Screen<'a> {
    /// Whether there is colour.
    pub colour: bool,
    /// Columns of the terminal.
    pub columns: usize,
    /// Where the files are, if any were left.
    pub written: Option<Written<'a>>,
}

impl Screen<'_> {
    pub(crate) fn paint(&self) -> Paint {
        Paint { colour: self.colour }
    }

    /// Columns of a line.
    pub(crate) fn width(&self) -> usize {
        self.columns.clamp(NARROW, WIDE)
    }

    /// A paragraph.
    pub(crate) fn paragraph(&self, text: &str) -> String {
        wrapped_to(self.width(), "  ", text)
    }

    /// Where the files are, and how to see more.
    pub(crate) fn more(&self) -> String {
        let mut out = String::new();
        if let Some(written) = &self.written {
            let has = |name: &&&str| written.names.iter().any(|one| one == **name);
            let first = ["report.html", "timeline.svg", "report.txt"];
            let named: Vec<&str> = first.iter().filter(has).copied().collect();
            let place = written.directory.display();
            let rest = written.names.len() - named.len();
            out +=
                &self.paragraph(&format!("Files in {place}: {} and {rest} more", named.join(", ")));
        }
        out + &self.paragraph("All tables: -v. What a word means: brownout explain WORD")
    }
}

/// A text of which no line is wider: what is too long goes on below the last column that leaves
/// it some room, or a little further in than it began.
pub fn folded(text: &str, width: usize) -> String {
    if text.lines().all(|line| line.chars().count() <= width) {
        return text.to_owned();
    }
    let paragraphs = paragraphs(text).into_iter();
    paragraphs.map(|(line, indent)| folded_line(&line, indent, width) + "\n").collect()
}

/// The lines of a text, those that were wrapped as one, with the column at which it goes on. A line
/// was wrapped if the first word of the next would not have found room in it.
fn paragraphs(text: &str) -> Vec<(String, Option<usize>)> {
    let mut all: Vec<(String, Option<usize>)> = Vec::new();
    let mut last = 0;
    for line in text.lines() {
        let indent = line.chars().take_while(|letter| *letter == ' ').count();
        let word = line.trim_start().split(' ').next().unwrap_or_default().chars().count();
        let goes_on = all.last_mut().filter(|(whole, hangs)| {
            let letters: Vec<char> = whole.chars().collect();
            let hangs_here = hangs.is_none_or(|hangs| hangs == indent);
            let begins = letters.get(indent).is_some_and(|letter| *letter != ' ')
                && letters[..indent].last() == Some(&' ');
            let prose =
                letters[indent.min(letters.len())..].windows(2).all(|two| two != [' ', ' ']);
            indent > 0 && word > 0 && hangs_here && begins && prose && last + 1 + word > WRAPPED
        });
        last = line.chars().count();
        match goes_on {
            Some((whole, hangs)) => {
                *whole += &format!(" {}", line.trim_start());
                *hangs = Some(indent);
            }
            None => all.push((line.to_owned(), None)),
        }
    }
    all
}

fn folded_line(line: &str, hangs: Option<usize>, width: usize) -> String {
    // What colours takes no room.
    if anstream::adapter::strip_str(line).to_string().chars().count() <= width {
        return line.to_owned();
    }
    let letters: Vec<char> = line.chars().collect();
    let begins = letters.iter().take_while(|letter| **letter == ' ').count();
    let gap = |at: &usize| letters[at - 1] == ' ' && letters[at - 2] == ' ' && letters[*at] != ' ';
    let mut columns = (begins.max(2) + 1..letters.len()).filter(gap);
    let column = hangs.or_else(|| columns.rfind(|at| at + LAST <= width));
    let indent = column.unwrap_or(begins + 2);
    let head: String = letters[..column.unwrap_or(begins)].iter().collect();
    let rest: String = letters[column.unwrap_or(begins)..].iter().collect();
    let (mut out, mut at) = (head, column.unwrap_or(begins));
    for word in rest.split(' ').filter(|word| !word.is_empty()) {
        let long = word.chars().count();
        let begins_line = out.ends_with(' ') || out.is_empty();
        if !begins_line && at + 1 + long > width {
            out = format!("{out}\n{}", " ".repeat(indent));
            at = indent;
        } else if !begins_line {
            out.push(' ');
            at += 1;
        }
        out += word;
        at += long;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_goes_on_below_its_last_column() {
        let text = "  missed  p99 < 250ms  by 4.81 s of all sent\nshort\n";
        let right = "  missed  p99 < 250ms  by 4.81 s of all\n                       sent\nshort\n";
        assert_eq!(folded(text, 43), right);
    }

    #[test]
    fn a_paragraph_goes_on_a_little_further_in() {
        assert_eq!(folded("  one two three four", 12), "  one two\n    three\n    four\n");
    }

    #[test]
    fn what_was_wrapped_wider_is_wrapped_anew() {
        let words = "word ".repeat(40);
        let text = wrapped_to(98, "  lead: ", words.trim_end());
        assert!(text.lines().count() == 3, "{text}");
        let again = folded(&text, 60);
        assert_eq!(again, wrapped_to(60, "  lead: ", words.trim_end()));
        // Rows of a table are no paragraph.
        let row = format!("  {}  {}\n", "a".repeat(50), "b".repeat(45));
        assert_eq!(folded(&row.repeat(2), 99), row.repeat(2));
    }

    #[test]
    fn colours_take_no_room() {
        let text = "\u{1b}[31mabcdef\u{1b}[0m ghi";
        assert_eq!(folded(text, 10), format!("{text}\n"));
    }
}
