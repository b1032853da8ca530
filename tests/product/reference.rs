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
fn every_whole_scenario_of_the_guide_can_be_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/SCENARIOS.md")).unwrap();
    let blocks = text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let whole: Vec<&str> = blocks.filter(|block| block.contains("question = ")).collect();
    assert!(whole.len() >= 2, "the examples were not found");
    for block in whole {
        let loaded = parse("example.toml", block, root);
        let shown = render(&loaded.source, &loaded.problems, false);
        assert!(loaded.scenario.is_some() && shown.is_empty(), "{shown}\n{block}");
    }
}
