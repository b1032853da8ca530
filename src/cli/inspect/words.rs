//! Every word that can be explained: those of the glossary, settings, sections and kinds of faults.

use crate::diagnostic::synonyms;
use crate::report::format::words::wrapped;
use crate::scenario::fault::typical::TypicalFault;
use crate::scenario::keys::{self, FaultKind, KINDS, KeySpec, SectionSpec};
use crate::scenario::sources::address;

/// The glossary of the documentation, whose tables are read as they are.
const GLOSSARY: &str = include_str!("../../../docs/GLOSSARY.md");

/// The most words that are guessed at.
const GUESSES: usize = 3;

/// A row of the glossary.
struct GlossaryEntry {
    /// The words that it explains.
    words: Vec<&'static str>,
    /// All that stands before their meaning.
    title: String,
    meaning: &'static str,
}

/// The rows of the glossary, in its order.
fn entries() -> impl Iterator<Item = GlossaryEntry> {
    GLOSSARY.lines().filter_map(|line| {
        let (cell, meaning) = line.strip_prefix("| **")?.split_once(" | ")?;
        let meaning = meaning.strip_suffix(" |")?;
        let words = cell.split("**").step_by(2).filter(|word| !word.is_empty()).collect();
        Some(GlossaryEntry { words, title: cell.replace("**", ""), meaning })
    })
}

/// What each meaning of a word is; nothing if it is not known.
pub(super) fn meanings(word: &str) -> Vec<String> {
    let plain = plain(word);
    let mut found: Vec<String> =
        KINDS.iter().filter(|kind| is(kind.word, &plain)).map(of_kind).collect();
    let has = |entry: &GlossaryEntry| entry.words.iter().any(|known| is(known, &plain));
    found.extend(entries().filter(has).map(|entry| of_entry(&entry)));
    if found.is_empty() && is_percentile(&plain) {
        found.extend(meanings("p99"));
    }
    found.extend(settings(word, &plain).map(of_setting));
    let sections = keys::FORMAT.iter().filter(|one| !one.name.is_empty() && is(one.name, &plain));
    found.extend(sections.map(|section| of_section(section)));
    match plain.strip_suffix('s') {
        Some(one) if found.is_empty() && one.len() > 2 => meanings(one),
        _ => found,
    }
}

/// Settings that are called so, or that stand at this path.
fn settings<'w>(word: &'w str, plain: &'w str) -> impl Iterator<Item = &'static KeySpec> {
    let path = path_of(word);
    let plain = plain.to_owned();
    keys::reference().filter(move |key| path_to(key) == path || is(key.name, &plain))
}

/// A path as the tables have it: without the element of a list that it may name.
fn path_of(word: &str) -> String {
    let word = word.trim();
    match word.split_once('[').and_then(|(list, rest)| Some((list, rest.split_once(']')?.1))) {
        Some((list, rest)) if !list.is_empty() => format!("{list}{rest}"),
        _ => word.to_owned(),
    }
}

fn path_to(key: &KeySpec) -> String {
    match key.section {
        "" => key.name.to_owned(),
        section => format!("{section}.{}", key.name),
    }
}

/// A word without what ways of writing differ in.
fn plain(word: &str) -> String {
    let bare = word.trim_matches(|c: char| "[]`'\".,:;!?()".contains(c) || c.is_whitespace());
    let joined = synonyms::written_here(bare).replace('-', " ");
    joined.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is(known: &str, word: &str) -> bool {
    plain(known) == word
}

fn is_percentile(word: &str) -> bool {
    let digits = word.strip_prefix('p').unwrap_or("");
    digits.parse::<f64>().is_ok_and(|rank| 0.0 < rank && rank < 100.0)
}

fn of_entry(entry: &GlossaryEntry) -> String {
    format!("{}\n{}", entry.title, wrapped("  ", entry.meaning))
}

fn of_kind(kind: &FaultKind) -> String {
    let mut page = format!("{} (a kind of [[fault]])\n{}", kind.word, wrapped("  ", kind.about()));
    page += &line("target", &kind.targets());
    page += &line("lasts", kind.lasting());
    if !kind.keys.is_empty() {
        page += &line("keys", &kind.keys.join(", "));
    }
    if let Some(typical) = TypicalFault::of(kind.word) {
        let lasts = match typical.lasts {
            "" => String::new(),
            lasts => format!(" for {lasts}"),
        };
        let (every, mark, source) = (typical.every, typical.mark.label(), typical.source);
        page += &line("typical", &format!("every {every}{lasts}; {mark}: {source}"));
        page += &read(kind.word, source);
    }
    page
}

fn of_setting(key: &KeySpec) -> String {
    let path = path_to(key);
    let mut page = format!("{path} (a setting)\n{}", wrapped("  ", key.about));
    page += &line("value", &(key.kind)());
    let quote = if key.bare { "" } else { "\"" };
    let founded = format!("{}: {}", key.mark.label(), key.source);
    match (key.default, key.source) {
        ("", "") => page += &line("default", "none: it is written, or does not apply"),
        ("", _) => page += &line("default", &founded),
        (default, _) => {
            page += &line("default", &format!("{quote}{default}{quote}; {founded}"));
        }
    }
    page += &read(&path, key.source);
    for only in key.only {
        page += &line("only", &only.reason());
    }
    let list = keys::section(key.section).is_some_and(|section| section.list);
    let example = match list {
        true => format!("--set {}[1].{}=VALUE", key.section, key.name),
        false => format!("--set {path}=VALUE"),
    };
    page + &line("change", &example)
}

fn of_section(section: &SectionSpec) -> String {
    let mut page = format!("{} (a section of scenarios)\n", section.header());
    let widest = section.keys.iter().map(|key| key.name.chars().count()).max().unwrap_or(0);
    for key in section.keys {
        page += &wrapped(&format!("  {:<widest$}  ", key.name), key.about);
    }
    page
}

/// A line about something, such as its default.
fn line(name: &str, text: &str) -> String {
    wrapped(&format!("  {name:<8} "), text)
}

/// Where a source can be read, if it can.
fn read(path: &str, source: &str) -> String {
    address(path, source).map(|address| line("read", address)).unwrap_or_default()
}

/// Every word, by where it comes from.
pub(super) fn listed() -> Vec<(&'static str, Vec<String>)> {
    let words = entries().flat_map(|entry| entry.words);
    let sections = keys::FORMAT.iter().filter(|section| !section.name.is_empty());
    vec![
        ("Words, figures, outcomes and caveats", words.map(str::to_owned).collect()),
        ("Kinds of faults", KINDS.iter().map(|kind| kind.word.to_owned()).collect()),
        ("Sections", sections.map(|section| section.name.to_owned()).collect()),
        ("Settings", keys::reference().map(path_to).collect()),
    ]
}

/// The words that were probably meant by one that is not known: what others call so, else those
/// that are spelt most like it.
pub(super) fn nearest(word: &str) -> Vec<String> {
    const ALIKE: f64 = 0.6;
    let all: Vec<String> = listed().into_iter().flat_map(|(_, words)| words).collect();
    let names: Vec<&str> = all.iter().map(String::as_str).collect();
    let (_, last) = word.rsplit_once('.').unwrap_or(("", word));
    let settings = synonyms::settings(last).iter().map(|path| path.trim_matches(['[', ']']));
    let mut meant: Vec<String> = settings.map(str::to_owned).collect();
    meant.extend(synonyms::meant(word, &names).map(str::to_owned));
    if !meant.is_empty() {
        return meant;
    }
    let written = plain(word);
    let likeness = |name: &str| strsim::normalized_damerau_levenshtein(&written, &plain(name));
    let mut alike: Vec<(f64, String)> = all
        .iter()
        .map(|name| (likeness(name), name.clone()))
        .filter(|(l, _)| *l >= ALIKE)
        .collect();
    alike.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    alike.dedup_by(|(_, a), (_, b)| a == b);
    alike.into_iter().take(GUESSES).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Metric;
    use crate::observe::ledger::Failure;

    #[test]
    fn every_figure_outcome_setting_section_and_kind_is_explained() {
        let figures = Metric::DEMANDED.into_iter().map(|metric| metric.key());
        let outcomes = Failure::ALL.into_iter().map(|failure| failure.label().to_owned());
        let known = listed().into_iter().flat_map(|(_, words)| words);
        for word in figures.chain(outcomes).chain(known) {
            assert!(!meanings(&word).is_empty(), "{word:?} is not explained");
        }
    }

    #[test]
    fn a_word_is_found_in_every_way_of_writing() {
        for word in [
            "Lost in flight",
            "lost-in-flight",
            "refused: dead address",
            "p99.95",
            "replicas",
            "[[fault]]",
            "zone_outage",
            "fault[2].at",
            "Undecided",
        ] {
            assert!(!meanings(word).is_empty(), "{word:?} is not explained");
        }
        assert!(meanings("quux").is_empty() && meanings("p0").is_empty());
    }

    #[test]
    fn what_is_not_known_is_guessed_at() {
        assert_eq!(nearest("undecide"), ["undecided"]);
        assert_eq!(nearest("zone-loss"), ["zone-outage"]);
        assert_eq!(nearest("minReplicas"), ["autoscaler.min"]);
        assert_eq!(nearest("xyzzy"), [""; 0]);
    }
}
