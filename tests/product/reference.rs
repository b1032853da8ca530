//! `docs/SCENARIOS.md` lists every key as the program knows it.
//!
//! After a change of keys: `UPDATE_GOLDEN=1 cargo test --test product reference`.

use std::fs;
use std::path::Path;

use brownout::diagnostic::render;
use brownout::scenario::keys::{self, KeySpec, SectionSpec};
use brownout::scenario::read::parse;

const BEGIN: &str = "<!-- the tables below are compared with the program by a test -->\n";

fn heading(section: &SectionSpec) -> String {
    match section.name {
        "" => "## At the top".to_owned(),
        _ => format!("## `{}`", section.header()),
    }
}

fn row(entry: &KeySpec) -> String {
    let default = match (entry.default, entry.bare) {
        ("", _) => "–".to_owned(),
        (value, true) => format!("`{value}`"),
        (value, false) => format!("`\"{value}\"`"),
    };
    let founded = format!("{}: {}", entry.mark.label(), entry.source);
    format!("| `{}` | {} | {} | {default} | {founded} |\n", entry.name, entry.about, (entry.kind)())
}

/// The tables, section by section.
fn tables() -> String {
    let mut out = String::new();
    for section in keys::FORMAT {
        out += &format!("\n{}\n\n", heading(section));
        out += "| key | meaning | value | default | where the default comes from |\n";
        out += "|---|---|---|---|---|\n";
        out.extend(section.keys.iter().map(row));
    }
    out
}

#[test]
fn the_reference_lists_every_key_as_the_program_knows_it() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/SCENARIOS.md");
    let text = fs::read_to_string(&path).unwrap();
    let (intro, listed) = text.split_once(BEGIN).expect("the line before the tables");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        return fs::write(&path, format!("{intro}{BEGIN}{}", tables())).unwrap();
    }
    assert_eq!(listed, tables(), "docs/SCENARIOS.md lists other keys than the program has");
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
