//! Reports in Markdown, for comments on changes: the verdict first, then the figures with their
//! intervals in tables, then what limits them as a list.
//!
//! A file for each command. The tables and sentences are those of the text of that command; here
//! they are put in another order and written by `format/markdown.rs`, which escapes every text and
//! wraps none. What is too long for a comment is left to the report.
//!
//! It owns which parts of a report a comment has, and asks the rooms of the commands for them.
//! Begin with `run.rs`.

pub mod availability;
pub mod compare;
pub mod plan;
pub mod run;
pub mod sweep;

use crate::report::fail_if::FailJudged;
use crate::report::format::markdown;
use crate::report::format::page::{SaidLine, mark};

/// The conditions of `--fail-if` as a list, what says so below each; nothing without any.
fn conditions(all: &[FailJudged]) -> String {
    let items = all.iter().map(|one| {
        let mut lines = one.lines().into_iter();
        (lines.next().unwrap_or_default(), lines.collect())
    });
    markdown::nested(items)
}

/// Lines that a report says, with the verdicts that they tell.
fn said(lines: Vec<SaidLine>) -> String {
    markdown::list(lines.into_iter().map(|line| match line.verdict {
        Some(verdict) => {
            let (glyph, _, word) = mark(&verdict);
            format!("{glyph} {word}: {}", line.text)
        }
        None => line.text,
    }))
}
