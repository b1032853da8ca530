//! `docs/SCENARIOS.md` lists every key, kind of fault and law as the program knows them.
//!
//! After a change of keys: `UPDATE_GOLDEN=1 cargo test --test product reference`.

use std::fs;
use std::path::Path;

use brownout::diagnostic::render;
use brownout::scenario::Mark;
use brownout::scenario::fault::typical::{TYPICAL, TypicalFault};
use brownout::scenario::keys::{self, FaultKind, KINDS, KeySpec, SectionSpec};
use brownout::scenario::read::parse;
use brownout::scenario::sources::address;

/// What writes a table.
type Writes = fn() -> String;

/// The tables of the page, by the word in the comments around each.
const TABLES: [(&str, Writes); 4] =
    [("laws", laws), ("typical faults", typical), ("faults", kinds), ("sections", sections)];

fn heading(section: &SectionSpec) -> String {
    match section.name {
        "" => "## At the top".to_owned(),
        _ => format!("## `{}`", section.header()),
    }
}

/// How well founded something is, with where that can be read.
fn founded(path: &str, mark: Mark, source: &str) -> String {
    match (source, address(path, source)) {
        ("", _) => "–".to_owned(),
        (source, Some(address)) => format!("{}: [{source}]({address})", mark.label()),
        (source, None) => format!("{}: {source}", mark.label()),
    }
}

fn row(entry: &KeySpec) -> String {
    let default = match (entry.default, entry.bare) {
        ("", _) => "–".to_owned(),
        (value, true) => format!("`{value}`"),
        (value, false) => format!("`\"{value}\"`"),
    };
    let path = format!("{}.{}", entry.section, entry.name);
    let founded = founded(&path, entry.mark, entry.source);
    format!("| `{}` | {} | {} | {default} | {founded} |\n", entry.name, entry.about, (entry.kind)())
}

/// The keys, section by section.
fn sections() -> String {
    let mut out = String::new();
    for section in keys::FORMAT {
        out += &format!("\n{}\n\n", heading(section));
        out += "| key | meaning | value | default | where the default comes from |\n";
        out += "|---|---|---|---|---|\n";
        out.extend(section.keys.iter().map(row));
    }
    out
}

fn laws() -> String {
    let rows = keys::laws().map(|(example, about)| format!("| `\"{example}\"` | {about} |\n"));
    format!("| law | meaning |\n|---|---|\n{}", rows.collect::<String>())
}

fn kinds() -> String {
    let row = |kind: &FaultKind| {
        let own: Vec<String> = kind.keys.iter().map(|key| format!("`{key}`")).collect();
        let own = if own.is_empty() { "–".to_owned() } else { own.join(", ") };
        let (word, about) = (kind.word, kind.about());
        format!("| `{word}` | {about} | {} | {} | {own} |\n", kind.targets(), kind.lasting())
    };
    let header = "| kind | what goes wrong | target | lasts | keys of its own |\n\
                  |---|---|---|---|---|\n";
    format!("{header}{}", KINDS.iter().map(row).collect::<String>())
}

fn typical() -> String {
    let row = |one: &TypicalFault| {
        let lasts =
            if one.lasts.is_empty() { "–".to_owned() } else { format!("`{}`", one.lasts) };
        let founded = founded(one.kind, one.mark, one.source);
        format!("| `{}` | `{}` | {lasts} | {founded} |\n", one.kind, one.every)
    };
    let header = "| kind | typically, of each that it may strike | lasts | because |\n\
                  |---|---|---|---|\n";
    format!("{header}{}", TYPICAL.iter().map(row).collect::<String>())
}

#[test]
fn the_reference_lists_what_the_program_knows() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/SCENARIOS.md");
    let page = fs::read_to_string(&path).unwrap();
    let mut now = page.clone();
    for (name, table) in TABLES {
        let (begin, end) = (format!("<!-- begin: {name} -->\n"), format!("<!-- end: {name} -->\n"));
        let (before, rest) = now.split_once(&begin).unwrap_or_else(|| panic!("no {begin}"));
        let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no {end}"));
        now = format!("{before}{begin}{}{end}{after}", table());
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        return fs::write(&path, now).unwrap();
    }
    let differs = page.lines().zip(now.lines()).find(|(page, now)| page != now);
    assert!(page == now, "docs/SCENARIOS.md lists other things than the program has: {differs:?}");
}

#[test]
fn every_whole_scenario_of_a_guide_can_be_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (guide, least) in [("docs/SCENARIOS.md", 2), ("docs/DISASTER-RECOVERY.md", 1)] {
        let text = fs::read_to_string(root.join(guide)).unwrap();
        let blocks = text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
        let whole: Vec<&str> = blocks.filter(|block| block.contains("question = ")).collect();
        assert!(whole.len() >= least, "the examples of {guide} were not found");
        for block in whole {
            let loaded = parse("example.toml", block, root);
            let shown = render(&loaded.source, &loaded.problems, false);
            assert!(loaded.scenario.is_some() && shown.is_empty(), "{shown}\n{block}");
        }
    }
}

/// The commands of a guide, each with its lines put together.
fn commands(guide: &str) -> Vec<String> {
    let text = guide.replace("\\\n", " ");
    let lines = text.lines().filter_map(|line| line.strip_prefix("$ "));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn the_commands_of_the_guide_to_recovery_name_what_there_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_to_string(root.join("docs/DISASTER-RECOVERY.md")).unwrap();
    let commands = commands(&guide);
    assert!(commands.len() >= 3, "{commands:?}");
    for command in commands {
        let words: Vec<&str> = command.split(' ').collect();
        let files: Vec<&&str> = words.iter().filter(|word| word.ends_with(".toml")).collect();
        assert!(words[0] == "brownout" && !files.is_empty(), "{command}");
        for file in files {
            // `check` reads a file as each of the commands does.
            let output = std::process::Command::new(env!("CARGO_BIN_EXE_brownout"))
                .args(["check", file])
                .current_dir(root)
                .output()
                .unwrap();
            assert!(output.status.success(), "{command}: {file} is not sound");
        }
        let help = std::process::Command::new(env!("CARGO_BIN_EXE_brownout"))
            .args([words[1], "--help"])
            .output()
            .unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        for option in words.iter().filter(|word| word.starts_with('-')) {
            assert!(help.contains(option), "{command}: {option} is no option of {}", words[1]);
        }
    }
}
