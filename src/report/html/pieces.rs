//! What pages consist of: tables with captions, charts with their words, lists of facts, caveats.

use maud::{Markup, PreEscaped, html};

use crate::plot::{Figure, PlotError, inline_svg};
use crate::report::format::page::{SaidLine, mark};
use crate::report::format::table::Table;
use crate::verdict::Verdict;

/// A table; its first row has the names of the columns.
pub(super) fn table(caption: &str, table: &Table) -> Markup {
    let Some((head, rows)) = table.rows().split_first() else { return html! {} };
    grid(caption, head, rows, table.is_of_numbers())
}

/// A table whose rows are under these names; nothing without rows.
pub(super) fn table_under(caption: &str, head: &[&str], table: &Table) -> Markup {
    let head: Vec<String> = head.iter().map(|&name| name.to_owned()).collect();
    grid(caption, &head, table.rows(), table.is_of_numbers())
}

fn grid(caption: &str, head: &[String], rows: &[Vec<String>], numbers: bool) -> Markup {
    if rows.is_empty() {
        return html! {};
    }
    html! {
        (scrolling(caption, html! {
            table class=[numbers.then_some("numbers")] {
                caption { (caption) }
                thead { (head_row(head)) }
                tbody {
                    @for row in rows { (body_row(row)) }
                }
            }
        }))
    }
}

/// The names of columns; one without a name is no heading.
pub(super) fn head_row(head: &[String]) -> Markup {
    html! {
        tr {
            @for name in head {
                @if name.is_empty() { td {} } @else { th scope="col" { (name) } }
            }
        }
    }
}

/// A row, whose first cell says what it is of.
pub(super) fn body_row(row: &[String]) -> Markup {
    let (name, cells) = row.split_first().map_or(("", row), |(name, rest)| (name, rest));
    let within = name.starts_with(' ');
    html! {
        tr {
            th class=[within.then_some("within")] scope="row" { (cell(name.trim_start())) }
            @for text in cells { td { (cell(text)) } }
        }
    }
}

/// Something that may be wider than the page, and is scrolled by itself.
pub(super) fn scrolling(name: &str, body: Markup) -> Markup {
    html! { div.scroll tabindex="0" role="group" aria-label=(name) { (body) } }
}

/// What stands in a cell: verdicts are coloured, intervals stand back.
pub(super) fn cell(text: &str) -> Markup {
    if let Some(tone) = tone(text) {
        return html! { span.(tone) { (text) } };
    }
    let is_figure = text.starts_with(|c: char| c.is_ascii_digit() || "+-×~".contains(c));
    let parts = text.strip_suffix(')').and_then(|text| text.split_once(" ("));
    match parts.filter(|_| is_figure) {
        Some((point, interval)) => html! { (point) " " span.interval { "(" (interval) ")" } },
        None => html! { (text) },
    }
}

/// The class of a text that is the word of a verdict, or begins with its sign.
fn tone(text: &str) -> Option<&'static str> {
    match (text.chars().next()?, text) {
        ('✓', _) | (_, "met" | "better") => Some("met"),
        ('✗', _) | (_, "missed" | "worse") => Some("missed"),
        ('?', _) | (_, "undecided") => Some("undecided"),
        _ => None,
    }
}

/// A verdict as a sign and a word.
pub(super) fn verdict(verdict: &Verdict) -> Markup {
    let (glyph, _, word) = mark(verdict);
    html! { span.(word) { span aria-hidden="true" { (glyph) } " " (word) } }
}

/// Names with what is to be said of each; nothing without any.
pub(super) fn facts<N: AsRef<str>>(lines: &[(N, String)]) -> Markup {
    html! {
        @if !lines.is_empty() {
            dl.facts {
                @for (name, text) in lines {
                    div { dt { (name.as_ref().trim()) } dd { (linked(text)) } }
                }
            }
        }
    }
}

/// A paragraph for each text.
pub(super) fn paragraphs<T: AsRef<str>>(texts: &[T]) -> Markup {
    html! { @for text in texts { p { (linked(text.as_ref())) } } }
}

/// Lines that a report says, each with its verdict if it has one.
pub(super) fn said(lines: &[SaidLine]) -> Markup {
    html! {
        @if !lines.is_empty() {
            ul.said {
                @for line in lines {
                    li class=[line.verdict.is_none().then_some("further")] {
                        @if let Some(one) = &line.verdict { (verdict(one)) " " }
                        (line.sign()) (linked(&line.text))
                    }
                }
            }
        }
    }
}

/// Caveats, each with what to do about it set off; nothing without any.
pub(super) fn caveats<T: AsRef<str>>(texts: &[T]) -> Markup {
    html! {
        @if !texts.is_empty() {
            ul.caveats {
                @for text in texts {
                    @let (what, remedy) = remedy(text.as_ref());
                    li {
                        (linked(what))
                        @if let Some(remedy) = remedy {
                            span.remedy { "→ " (linked(remedy)) }
                        }
                    }
                }
            }
        }
    }
}

/// What is the matter, and what to do about it.
fn remedy(text: &str) -> (&str, Option<&str>) {
    text.rsplit_once(" → ").map_or((text, None), |(what, remedy)| (what, Some(remedy)))
}

/// A chart with its words behind it, and `figures`, which are not printed.
///
/// # Errors
/// The chart cannot be drawn.
pub(super) fn chart(figure: &Figure, figures: &Markup) -> Result<Markup, PlotError> {
    let drawn = PreEscaped(inline_svg(figure)?);
    Ok(html! {
        figure {
            (scrolling(&format!("Chart: {}", figure.title), html! { (drawn) }))
            (behind("In words", html! { p { (figure.alt) } }))
            @if !figures.0.is_empty() {
                details.bulk { summary { "In figures" } (figures) }
            }
        }
    })
}

/// Something that is there for who asks for it.
pub(super) fn behind(name: &str, body: Markup) -> Markup {
    html! { details { summary { (name) } (body) } }
}

/// A text with its addresses as links.
pub(super) fn linked(text: &str) -> Markup {
    let words: Vec<(&str, &str, &str)> = text.split_inclusive(' ').map(address).collect();
    html! {
        @for (before, address, after) in words {
            (before)
            @if !address.is_empty() { a href=(address) rel="noreferrer" { (address) } }
            (after)
        }
    }
}

/// What stands before, in and after an address in a word.
fn address(word: &str) -> (&str, &str, &str) {
    let Some(start) = word.find("https://").or_else(|| word.find("http://")) else {
        return (word, "", "");
    };
    let (before, rest) = word.split_at(start);
    let end = rest.trim_end_matches([' ', ',', '.', ';', ':', ')', '"']).len();
    let (address, after) = rest.split_at(end);
    (before, address, after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_links_and_nothing_else_does() {
        let text = linked("see <b> (https://a.example/b?c=1&d), or http://x.").into_string();
        assert_eq!(
            text,
            "see &lt;b&gt; (<a href=\"https://a.example/b?c=1&amp;d\" rel=\"noreferrer\">\
             https://a.example/b?c=1&amp;d</a>), or <a href=\"http://x\" rel=\"noreferrer\">\
             http://x</a>."
        );
        assert_eq!(linked("javascript:alert(1)").into_string(), "javascript:alert(1)");
    }

    #[test]
    fn a_table_has_a_caption_headings_and_rows() {
        let rows = Table::of_numbers().with(["", "the run"]).with(["p99", "5.06 s (4.73–5.30)"]);
        let text = table("Latency", &rows).into_string();
        assert!(text.contains("<caption>Latency</caption>"), "{text}");
        assert!(text.contains("<tr><td></td><th scope=\"col\">the run</th></tr>"), "{text}");
        let row =
            "<th scope=\"row\">p99</th><td>5.06 s <span class=\"interval\">(4.73–5.30)</span>";
        assert!(text.contains(row), "{text}");
        assert_eq!(table("Nothing", &Table::default()).into_string(), "");
    }

    #[test]
    fn verdicts_are_coloured_and_nothing_else() {
        let tones = ["✗ missed: p99", "undecided", "better", "met in 1, missed in 2", "?", ""];
        let expected =
            [Some("missed"), Some("undecided"), Some("met"), None, Some("undecided"), None];
        assert_eq!(tones.map(tone), expected);
    }

    #[test]
    fn what_to_do_about_a_caveat_is_set_off() {
        let text = caveats(&["too few → more"]).into_string();
        assert!(text.contains("<li>too few<span class=\"remedy\">→ more</span></li>"), "{text}");
    }
}
