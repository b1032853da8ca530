//! Every command line that the documentation shows is one that the program takes.

use std::path::Path;

use clap::CommandFactory;

use super::Args;

/// The lines of the shell blocks of a document that call the program, continued ones as one.
fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for block in text.split("\n```").skip(1).step_by(2) {
        let Some((language, lines)) = block.split_once('\n') else { continue };
        if !["sh", "console", "bash"].contains(&language.trim()) {
            continue;
        }
        let whole = lines.replace("\\\n", " ");
        // Where output is shown too, what is typed stands behind a prompt.
        let prompt = if language.trim() == "console" { "$ " } else { "" };
        let typed = whole.lines().filter_map(|line| line.strip_prefix(prompt));
        let calls = typed.map(str::trim);
        let calls = calls.map(|line| line.replacen("cargo run --release -- ", "brownout ", 1));
        found.extend(calls.filter(|line| line.starts_with("brownout ")));
    }
    found
}

#[test]
fn what_the_documentation_shows_can_be_typed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("README.md"), root.join("results/README.md")];
    let docs = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    files.extend(docs.filter(|path| path.extension().is_some_and(|end| end == "md")));
    let mut count = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for command in commands(&text) {
            let words = shlex::split(&command).unwrap_or_else(|| panic!("{command}"));
            // What a shell makes of the rest is no argument.
            let end = words.iter().position(|word| ["|", ">", "&&", "#"].contains(&word.as_str()));
            let words = &words[..end.unwrap_or(words.len())];
            let parsed = Args::command().try_get_matches_from(words);
            if let Err(error) = parsed.as_ref().map_err(|error| error.to_string()) {
                panic!("{}: {command}\n{error}", file.display());
            }
            count += 1;
        }
    }
    assert!(count >= 30, "only {count} commands are shown");
}
