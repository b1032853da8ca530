//! Objectives of months and years: an error budget that all of them but a few keep.

use std::ops::Range;

use super::{Bound, Metric, Relation, TextPiece, bound, metric, relation};
use crate::diagnostic::{Flaw, suggestion};
use crate::quantity;
use crate::units::Share;

/// The share of the months that may use more than their budget, where none is written.
const SPARED: Share = Share(0.05);
/// An objective of months.
const EXAMPLE: &str = "availability >= 99.95% per month";
/// What stands at the end of one.
const PHRASES: [&str; 2] = ["per month", "per year"];
const SHAPE: &str = "write \"per month\", \"per year\" or \"in 99% of months\"";
/// Words that begin with these are of calendars.
const STEMS: [&str; 8] = ["month", "year", "annual", "week", "dai", "quarter", "day", "hour"];

/// What an error budget is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalendarSpan {
    /// A twelfth of a year.
    Month,
    /// A year of 365.25 days.
    Year,
}

impl CalendarSpan {
    /// One, and several of them.
    pub fn words(self) -> [&'static str; 2] {
        match self {
            CalendarSpan::Month => ["month", "months"],
            CalendarSpan::Year => ["year", "years"],
        }
    }
}

/// An objective such as `availability >= 99.95% per month`: of each month no more of the requests
/// may fail than its error budget, but for a share of the months.
#[derive(Clone, Debug, PartialEq)]
pub struct BudgetObjective {
    /// As written in the scenario.
    pub text: String,
    /// The share of the requests that is to be answered.
    pub target: Share,
    /// Of what.
    pub span: CalendarSpan,
    /// The share of the months that may use more than their budget.
    pub spared: Share,
}

impl BudgetObjective {
    /// The share of the requests that may fail.
    pub fn budget(&self) -> f64 {
        1.0 - self.target.0
    }
}

/// Reads an objective of months or years; `None` if it is none, but one of a run.
pub fn parse(text: &str) -> Option<Result<BudgetObjective, Flaw>> {
    let symbols = |c: char| matches!(c, '<' | '>' | '=' | '≤' | '≥');
    let start = text.find(symbols)?;
    let end = start + text[start..].find(|c| !symbols(c)).unwrap_or(text.len() - start);
    if words(text, 0..start).iter().any(|word| is_of_calendar(word.text)) {
        let flaw = TextPiece::of(text, 0..start).flaw("months stand at the end of an objective");
        return Some(Err(flaw.help(format!("such as {EXAMPLE:?}"))));
    }
    let phrase = phrase(text, end)?;
    Some(read(text, [0..start, start..end, end..phrase.start, phrase]))
}

/// Where what is said of months stands, if anything is.
fn phrase(text: &str, from: usize) -> Option<Range<usize>> {
    let words = words(text, from..text.len());
    let first = words.iter().position(|word| word.text.starts_with(char::is_alphabetic))?;
    let second = words.get(first + 1).map_or("", |word| word.text);
    let is_named = |word: &&TextPiece<'_>| is_of_calendar(word.text);
    let is_it = match words[first].text {
        "per" | "each" | "every" | "a" => true,
        "in" => second.ends_with('%') || words[first..].iter().any(|word| is_month(word.text)),
        // What follows may be any name.
        "during" | "from" | "for" => {
            let ends = words[first..].windows(2).map(|two| (two[0].text, two[1].text));
            ends.into_iter().any(|(one, next)| matches!(one, "per" | "of") && is_month(next))
        }
        _ => words[first..].iter().take(1).any(|word| is_named(&word)),
    };
    let last = words.last().filter(|_| is_it)?;
    Some(words[first].range.start..last.range.end)
}

/// The words of a part of a text.
fn words(text: &str, range: Range<usize>) -> Vec<TextPiece<'_>> {
    let part = &text[range.clone()];
    let place = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    part.split_whitespace()
        .map(|word| TextPiece { text: word, range: place(word)..place(word) + word.len() })
        .collect()
}

fn is_of_calendar(word: &str) -> bool {
    STEMS.iter().any(|stem| word.starts_with(stem))
}

fn is_month(word: &str) -> bool {
    matches!(word, "month" | "months" | "year" | "years")
}

/// Reads the parts of an objective of months: metric, relation, bound, and of what.
fn read(text: &str, parts: [Range<usize>; 4]) -> Result<BudgetObjective, Flaw> {
    let [what, how, limit, phrase] = parts.map(|range| TextPiece::of(text, range));
    let (span, spared) = calendar(text, &phrase)?;
    let word = span.words()[0];
    if metric(what.clone())? != Metric::Availability {
        let title = format!("{:?} has no error budget per {word}", what.text);
        let help = format!(
            "only availability has one, such as {EXAMPLE:?}; of outages that last longer than a \
             recovery time `brownout availability` says how often they come"
        );
        return Err(what.flaw(title).help(help));
    }
    if relation(how.clone())? != Relation::AtLeast {
        let title = format!("an error budget per {word} is no more than is used");
        return Err(how.flaw(title).help(format!("use >=, such as {EXAMPLE:?}")));
    }
    let target = match bound(limit.clone(), Metric::Availability)? {
        Bound::Share(share) if share.0 > 0.0 && share.0 < 1.0 => share,
        _ => {
            let title = format!("{:?} leaves no error budget, or no request", limit.text);
            return Err(limit.flaw(title).help(format!("write a share such as {EXAMPLE:?}")));
        }
    };
    Ok(BudgetObjective { text: text.trim().to_owned(), target, span, spared })
}

/// Of what, and how many of them may use more than their budget.
fn calendar(text: &str, phrase: &TextPiece<'_>) -> Result<(CalendarSpan, Share), Flaw> {
    let words = words(text, phrase.range.clone());
    let texts: Vec<&str> = words.iter().map(|word| word.text).collect();
    let (found, rest) = match texts[..] {
        ["per", word, ..] => {
            let range = words[0].range.start..words[1].range.end;
            (span(text, range, word, 0).map(|span| (span, SPARED)), &words[2..])
        }
        ["in", share, "of", word, ..] => {
            let range = words[0].range.start..words[3].range.end;
            let spared = spared(&words[1], share)?;
            (span(text, range, word, 1).map(|span| (span, spared)), &words[4..])
        }
        ["during" | "from" | "for", ..] => {
            let help = format!("leave out what stands before, such as {EXAMPLE:?}");
            return Err(phrase.flaw(WHOLE).help(help));
        }
        _ => {
            let of_years = texts.iter().any(|word| word.contains("year") || word.contains("ann"));
            let of_months = texts.iter().any(|word| word.contains("month"));
            let help = match (of_months, of_years) {
                (true, false) => format!("did you mean {:?}?", PHRASES[0]),
                (false, true) => format!("did you mean {:?}?", PHRASES[1]),
                _ => SHAPE.to_owned(),
            };
            let title = format!("{:?} does not say of what the error budget is", phrase.text);
            return Err(phrase.flaw(title).help(help));
        }
    };
    let found = found?;
    match (rest.first(), rest.last()) {
        (Some(first), Some(last)) => {
            let rest = TextPiece::of(text, first.range.start..last.range.end);
            let help = match first.text {
                "in" => "write either \"per month\" or \"in 99% of months\"".to_owned(),
                _ => format!("leave {:?} out", rest.text),
            };
            Err(rest.flaw(WHOLE).help(help))
        }
        _ => Ok(found),
    }
}

/// Of what an error budget is.
const WHOLE: &str = "an error budget of months is of all requests, whatever strikes";

/// What a word stands for: of one or, if `form` is 1, of several.
fn span(text: &str, range: Range<usize>, word: &str, form: usize) -> Result<CalendarSpan, Flaw> {
    let all = [CalendarSpan::Month, CalendarSpan::Year];
    if let Some(found) = all.into_iter().find(|span| span.words()[form] == word) {
        return Ok(found);
    }
    let piece = TextPiece::of(text, range);
    let known = all.map(|span| span.words()[form]);
    let closest = suggestion(word, known).unwrap_or_default();
    Err(piece.flaw(format!("there is no error budget {:?}", piece.text)).help(closest))
}

/// The share of the months that may use more than their budget, of that which keeps to it.
fn spared(piece: &TextPiece<'_>, share: &str) -> Result<Share, Flaw> {
    let kept = quantity::share(share).ok().filter(|kept| kept.0 > 0.0 && kept.0 < 1.0);
    kept.map(|kept| Share(1.0 - kept.0)).ok_or_else(|| {
        let title =
            format!("{share:?} is no share of months that can be shown to keep their budget");
        piece.flaw(title).help("write a percentage below 100%, such as \"in 99% of months\"")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> BudgetObjective {
        parse(text).expect(text).expect(text)
    }

    #[test]
    fn objectives_of_months_read_as_written() {
        let month = read("availability >= 99.95% per month");
        assert_eq!((month.target, month.span), (Share(0.9995), CalendarSpan::Month));
        assert_eq!((month.spared, month.text.as_str()), (SPARED, EXAMPLE));
        assert!((month.budget() - 0.0005).abs() < 1e-15);
        let year = read("availability ≥ 99.9 % per year");
        assert_eq!(
            (year.target, year.span, year.spared),
            (Share(0.999), CalendarSpan::Year, SPARED)
        );
        let most = read("availability>=99.5% in 99% of months");
        assert_eq!((most.span, most.target), (CalendarSpan::Month, Share(0.995)));
        assert!((most.spared.0 - 0.01).abs() < 1e-12);
        assert_eq!(read("availability >= 99.5% in 90% of years").span, CalendarSpan::Year);
    }

    #[test]
    fn objectives_of_a_run_are_left_alone() {
        for text in [
            "availability >= 99.95%",
            "availability >= 99.9 % during month",
            "availability >= 99% during crash for yearly",
            "availability >= 99% for per",
            "availability >= 99% in the worst minute",
            "availability >= 99% in the worst hour",
            "p99 < 250 ms",
            "recovery < 2m 30s",
            "p99 < 80ms from 1m to 2m",
            "availability",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_flaw_names_the_part_and_the_remedy() {
        let flaw = |text: &str| {
            let flaw = parse(text).expect(text).expect_err(text);
            let place = text[flaw.range.clone().unwrap_or(0..text.len())].to_owned();
            (place, format!("{} {}", flaw.title, flaw.help.unwrap_or_default()))
        };
        for (phrase, meant) in [
            ("monthly", "per month"),
            ("each month", "per month"),
            ("every month", "per month"),
            ("a month", "per month"),
            ("months", "per month"),
            ("yearly", "per year"),
            ("annually", "per year"),
            ("in each year", "per year"),
        ] {
            let (place, said) = flaw(&format!("availability >= 99.9% {phrase}"));
            assert_eq!(place, phrase);
            assert!(said.contains(&format!("did you mean \"{meant}\"?")), "{phrase}: {said}");
        }
        for phrase in ["per week", "per quarter", "per", "in 99% of weeks", "per months", "weekly"]
        {
            let (place, said) = flaw(&format!("availability >= 99.9% {phrase}"));
            assert_eq!(place, phrase);
            assert!(said.contains("month"), "{phrase}: {said}");
        }
        assert!(flaw("availability >= 99% per mnth").1.contains("did you mean \"month\"?"));
        assert_eq!(flaw("availability >= 99% in 100% of months").0, "100%");
        assert_eq!(flaw("availability >= 99% in 0% of months").0, "0%");
        for text in ["for orders", "during crash"] {
            assert_eq!(flaw(&format!("availability >= 99% per month {text}")).0, text);
            let before = format!("{text} per month");
            assert_eq!(flaw(&format!("availability >= 99% {before}")).0, before);
        }
        let (place, said) = flaw("availability >= 99% per month in 99% of months");
        assert!(place == "in 99% of months" && said.contains("either"), "{said}");
        let (place, said) = flaw("rto <= 5m per month");
        assert!(place == "rto" && said.contains("brownout availability"), "{said}");
        assert_eq!(flaw("p99 < 250ms per month").0, "p99");
        assert!(flaw("availabilty >= 99% per month").1.contains("did you mean"));
        assert_eq!(flaw("availability > 99% per month").0, ">");
        assert_eq!(flaw("availability < 99% per month").0, "<");
        for limit in ["100%", "0%"] {
            let (place, said) = flaw(&format!("availability >= {limit} per month"));
            assert!(place == limit && said.contains("99.95%"), "{said}");
        }
        assert_eq!(flaw("availability >= 99,9% per month").0, "99,9%");
        assert!(flaw("availability >= per month").1.contains("no bound"));
        let (place, said) = flaw("monthly availability >= 99.9%");
        assert!(place == "monthly availability" && said.contains(EXAMPLE), "{said}");
    }
}
