//! Problems of the file format itself.

use std::collections::HashSet;
use std::ops::Range;

use crate::diagnostic::{Place, Problem, Severity};

/// The most syntax errors that are shown.
const LIMIT: usize = 20;

/// The syntax errors, and of the other problems those that are not merely their consequence: what
/// stands on another line and does not say that something is missing.
pub(crate) fn merge(text: &str, flaws: &[toml::de::Error], others: Vec<Problem>) -> Vec<Problem> {
    let mut lines = HashSet::new();
    let mut problems = Vec::new();
    for flaw in flaws {
        let span = flaw.span().unwrap_or(0..0);
        if lines.insert(line_start(text, span.start)) && problems.len() < LIMIT {
            problems.push(problem(text, flaw, span));
        }
    }
    let kept = others.into_iter().filter(|other| match &other.place {
        Place::Span(span) if other.severity == Severity::Error => {
            !lines.contains(&line_start(text, span.start)) && !other.missing
        }
        _ => false,
    });
    problems.extend(kept);
    problems
}

fn problem(text: &str, flaw: &toml::de::Error, span: Range<usize>) -> Problem {
    let first = flaw.message().lines().next().unwrap_or_default();
    let help = match first {
        "duplicate key" => Some("a key stands once in its section: drop one of the two".to_owned()),
        _ => remedy(text, &span),
    };
    Problem::error(Place::Span(span), format!("no valid TOML: {first}")).helps(help)
}

/// What a line that holds a bare quantity should say.
fn remedy(text: &str, span: &Range<usize>) -> Option<String> {
    let start = line_start(text, span.start);
    let line = text.get(start..)?.lines().next()?;
    let (key, value) = line.split_once('=')?;
    let value = value.split('#').next()?.trim();
    let bare = !value.is_empty() && !value.starts_with(['"', '\'', '[', '{']);
    let help =
        || format!("quantities, laws and words stand in quotes: {} = \"{value}\"", key.trim());
    (bare && !value.contains('"')).then(help)
}

/// Where the line of this offset begins.
fn line_start(text: &str, offset: usize) -> usize {
    let before = &text.as_bytes()[..offset.min(text.len())];
    before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1)
}
