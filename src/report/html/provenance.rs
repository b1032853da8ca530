//! What every result rests on, and how to do it again.

use maud::{Markup, html};

use super::pieces::{behind, body_row, facts, head_row, linked, scrolling, table};
use crate::report::format::table::Table;
use crate::report::format::words::{distinct, plural, whole};
use crate::report::manifest::{Manifest, RunRecord, ScenarioText};
use crate::scenario::{Mark, Scenario, Setting, sources};

/// The longest text of a scenario that a page repeats, in bytes; the manifest has all of it.
const TEXT_MOST: usize = 24_000;
/// Settings that differ between variants and are told.
const DIFFERENCES_TOLD: usize = 60;
/// Runs that are told one by one.
const RUNS_TOLD: usize = 12;

/// Every setting of a scenario with its value and where that comes from: what nobody publishes, and
/// what was worked out, before what is known.
pub(super) fn assumptions(scenario: &Scenario) -> Markup {
    let of = |marks: &[Mark]| -> Vec<&Setting> {
        let marked = |mark: &Mark| {
            let mark = *mark;
            scenario.settings.iter().filter(move |one| one.mark == mark)
        };
        marks.iter().flat_map(marked).collect()
    };
    let open = of(&[Mark::Assumed, Mark::Inferred]);
    let known = of(&[Mark::Given, Mark::Documented, Mark::Measured]);
    html! {
        p { "Nobody publishes what is marked as assumed: write down what you measured. \
             Inferred is what was worked out from documented values." }
        (settings("Settings that are assumed or inferred", &open))
        @if !known.is_empty() {
            @let count = plural(known.len() as u64, "setting");
            (behind(
                &format!("{count} that the scenario gives, or that are documented or measured"),
                settings("Settings that are given, documented or measured", &known),
            ))
        }
    }
}

fn settings(caption: &str, all: &[&Setting]) -> Markup {
    let head = ["setting", "value", "how well founded", "where from"].map(str::to_owned);
    html! {
        @if !all.is_empty() {
            (scrolling(caption, html! {
                table.settings {
                    caption { (caption) }
                    thead { (head_row(&head)) }
                    tbody {
                        @for one in all {
                            tr {
                                th scope="row" { code { (one.path) } }
                                td { code { (one.value) } }
                                td { span.{ "mark-" (one.mark.label()) } { (one.mark.label()) } }
                                td { (source(one)) }
                            }
                        }
                    }
                }
            }))
        }
    }
}

/// Where a setting comes from, as a link where that can be read.
fn source(one: &Setting) -> Markup {
    match sources::address(&one.path, &one.source) {
        Some(address) => html! { a href=(address) rel="noreferrer" { (one.source) } },
        None => linked(&one.source),
    }
}

/// The settings in which scenarios differ, a column for each.
pub(super) fn differences(all: &[(String, &Scenario)]) -> Markup {
    let paths = all.iter().flat_map(|(_, one)| &one.settings).map(|setting| &setting.path);
    let value = |scenario: &Scenario, path: &str| {
        let found = scenario.settings.iter().find(|setting| setting.path == path);
        found.map_or(String::new(), |setting| setting.value.clone())
    };
    let row = |path: &String| {
        let values: Vec<String> = all.iter().map(|(_, one)| value(one, path)).collect();
        let differ = values.windows(2).any(|pair| pair[0] != pair[1]);
        differ.then(|| [vec![path.clone()], values].concat())
    };
    let rows: Vec<Vec<String>> = distinct(paths).into_iter().filter_map(row).collect();
    let head: Vec<String> = all.iter().map(|(name, _)| name.clone()).collect();
    let head = [vec!["setting".to_owned()], head].concat();
    let more = rows.len().saturating_sub(DIFFERENCES_TOLD);
    html! {
        @if !rows.is_empty() {
            (scrolling("Settings in which they differ", html! {
                table {
                    caption { "Settings in which they differ" }
                    thead { (head_row(&head)) }
                    tbody { @for row in rows.iter().take(DIFFERENCES_TOLD) { (body_row(row)) } }
                }
            }))
            @if more > 0 { p { "and " (more) " more, see manifest.json" } }
        }
    }
}

/// How to do it again: the command, what it needs, and what it gave.
pub(super) fn reproduce(manifest: &Manifest) -> Markup {
    let replications = whole(manifest.replications() as u64);
    let mut lines = vec![
        ("program", format!("brownout {}, engine {}", manifest.version, manifest.engine)),
        ("seed", manifest.seed.to_string()),
    ];
    let file = |one: &ScenarioText| format!("{} (digest {})", one.file, one.digest);
    lines.extend(manifest.scenarios.iter().map(|one| ("scenario", file(one))));
    lines.push(("replications", format!("{replications} in all; each has a digest, see below")));
    html! {
        p { "The command that made this, from the folder in which it began:" }
        (scrolling("The command", html! { pre { code { (command(manifest)) } } }))
        p { "The file " code { "manifest.json" } " beside this page has all that it needs. In this \
             folder" @if manifest.interrupted { " (the work was stopped, so all of it may differ)" }
            ", this does it again and compares every digest:" }
        (scrolling("The command that does it again", html! {
            pre { code { "brownout rerun manifest.json" } }
        }))
        (facts(&lines))
        (runs(&manifest.runs))
        @for one in &manifest.scenarios { (text(one)) }
    }
}

/// What ran, each with the digest of its first replication.
fn runs(all: &[RunRecord]) -> Markup {
    let head = ["run", "changes", "replications", "digest of the first"];
    let mut rows = Table::default().with(head);
    for run in all.iter().take(RUNS_TOLD) {
        let changes = if run.set.is_empty() { "none".to_owned() } else { run.set.join(", ") };
        let first = run.outcomes.first().cloned().unwrap_or_default();
        rows.row([run.name.clone(), changes, run.outcomes.len().to_string(), first]);
    }
    let more = all.len().saturating_sub(RUNS_TOLD);
    html! {
        (table("What ran", &rows))
        @if more > 0 { p { "and " (whole(more as u64)) " more, see manifest.json" } }
    }
}

/// The text of a scenario as it was read.
fn text(one: &ScenarioText) -> Markup {
    let name = format!("The scenario as it was read: {}", one.file);
    behind(
        &name,
        html! {
            @if one.text.len() > TEXT_MOST {
                p { "It is long: manifest.json has it." }
            } @else {
                (scrolling(&one.file, html! { pre { code { (one.text) } } }))
            }
        },
    )
}

/// What one would type.
fn command(manifest: &Manifest) -> String {
    let request = &manifest.request;
    let files = manifest.scenarios.iter().map(|one| one.file.as_str());
    let words = ["brownout", &request.command].into_iter().chain(files);
    let words = words.chain(request.options.iter().map(String::as_str));
    let quoted = |word: &str| {
        shlex::try_quote(word).map_or_else(|_| word.to_owned(), |word| word.into_owned())
    };
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::manifest::Request;
    use crate::report::sample::scenario;

    #[test]
    fn the_command_is_what_one_would_type() {
        let options = vec!["--set=a.b=1 2".to_owned(), "--no-charts".to_owned()];
        let request = Request { command: "run".to_owned(), options };
        let manifest = Manifest::new(request, false, &[&scenario()], Vec::new());
        assert_eq!(
            command(&manifest),
            "brownout run scenarios/one-crash.toml '--set=a.b=1 2' --no-charts"
        );
    }

    #[test]
    fn every_setting_is_told_with_where_it_comes_from() {
        let scenario = scenario();
        let text = assumptions(&scenario).into_string();
        for setting in &scenario.settings {
            for part in [&setting.path, &setting.value, &setting.source] {
                assert!(text.contains(part.as_str()), "{part}");
            }
        }
        assert!(text.find("gateway.cores") < text.find("gateway.replicas"), "{text}");
    }

    #[test]
    fn only_what_differs_is_set_side_by_side() {
        let one = scenario();
        let mut other = one.clone();
        other.settings[0].value = "3".to_owned();
        let text = differences(&[("one".to_owned(), &one), ("other".to_owned(), &other)]);
        let text = text.into_string();
        assert!(text.contains("gateway.replicas") && !text.contains("gateway.cores"), "{text}");
        assert_eq!(differences(&[("one".to_owned(), &one)]).into_string(), "");
    }
}
