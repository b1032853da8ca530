//! Markdown as GitHub and GitLab show it: headings, tables, lists, with every text escaped.
//!
//! Nothing is wrapped, so that it can be a comment on a change as it is.

use super::table::Table;

/// Characters that mean something in a line of Markdown.
const SPECIAL: [char; 12] = ['\\', '`', '*', '_', '[', ']', '<', '>', '|', '~', '#', '@'];

/// A text that means what it says, in one line.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in text.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        match c {
            // A mention would call somebody, and a reference lead somewhere else.
            '@' | '#' => out.extend([c, '\u{2060}']),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if SPECIAL.contains(&c) => out.extend(['\\', c]),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A heading of this level.
pub(crate) fn heading(level: usize, text: &str) -> String {
    format!("{} {}\n\n", "#".repeat(level), plain(text))
}

/// A paragraph; nothing without a text.
pub(crate) fn paragraph(text: &str) -> String {
    if text.trim().is_empty() { String::new() } else { format!("{}\n\n", plain(text)) }
}

/// A list; nothing without items.
pub(crate) fn list(items: impl IntoIterator<Item = String>) -> String {
    nested(items.into_iter().map(|item| (item, Vec::new())))
}

/// A list of items with lists of their own; nothing without items.
pub(crate) fn nested(items: impl IntoIterator<Item = (String, Vec<String>)>) -> String {
    let mut lines = String::new();
    for (item, below) in items {
        lines += &format!("- {}\n", plain(&item));
        lines.extend(below.iter().map(|item| format!("  - {}\n", plain(item))));
    }
    if lines.is_empty() { lines } else { lines + "\n" }
}

/// A table below a heading; its first row is that of the names of its columns, unless these are
/// given. Nothing without rows.
pub(crate) fn table(title: &str, header: Option<&[&str]>, table: &Table) -> String {
    let rows = table.rows();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let line = |cells: Vec<String>| {
        let missing = columns.saturating_sub(cells.len());
        let cells = cells.into_iter().chain((0..missing).map(|_| String::new()));
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let cells = |row: &Vec<String>| line(row.iter().map(|cell| plain(cell)).collect());
    let (first, rest) = match header {
        Some(names) => (line(names.iter().map(|name| plain(name)).collect()), rows),
        None => match rows {
            [first, rest @ ..] => (cells(first), rest),
            [] => return String::new(),
        },
    };
    if rest.is_empty() {
        return String::new();
    }
    let align = |column: usize| if column > 0 && table.is_of_numbers() { "---:" } else { "---" };
    let rule = line((0..columns).map(|column| align(column).to_owned()).collect());
    let title = if title.is_empty() { String::new() } else { heading(3, title) };
    format!("{title}{first}{rule}{}\n", rest.iter().map(cells).collect::<String>())
}

/// A list of caveats below a heading; nothing without any.
pub(crate) fn caveats(texts: impl IntoIterator<Item = String>) -> String {
    let list = list(texts);
    if list.is_empty() { list } else { heading(3, "Caveats") + &list }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_means_what_it_says() {
        assert_eq!(plain("p99 < 250ms | *x*\n_y_"), "p99 &lt; 250ms \\| \\*x\\* \\_y\\_");
        assert_eq!(plain("@all #1 `a`"), "@\u{2060}all #\u{2060}1 \\`a\\`");
        assert_eq!(plain("a\u{7}b"), "a\u{fffd}b");
    }

    #[test]
    fn a_table_has_a_header_and_as_many_cells_in_each_row() {
        let plain = Table::default().with(["a", "b"]).with(["x|y"]);
        let expected = "### T\n\n| a | b |\n| --- | --- |\n| x\\|y |  |\n\n";
        assert_eq!(table("T", None, &plain), expected);
        let numbers = Table::of_numbers().with(["p99", "1 s"]);
        let expected = "|  | all |\n| --- | ---: |\n| p99 | 1 s |\n\n";
        assert_eq!(table("", Some(&["", "all"]), &numbers), expected);
        assert_eq!(table("T", None, &Table::default().with(["only", "names"])), "");
        assert_eq!(table("T", None, &Table::default()), "");
    }

    #[test]
    fn nothing_has_no_heading() {
        assert_eq!(caveats([]), "");
        assert_eq!(caveats(["a".to_owned()]), "### Caveats\n\n- a\n\n");
        assert_eq!(paragraph(" "), "");
        let below = vec!["b".to_owned(), "c".to_owned()];
        assert_eq!(nested([("a".to_owned(), below)]), "- a\n  - b\n  - c\n\n");
    }
}
