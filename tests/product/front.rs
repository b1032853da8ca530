//! What somebody meets who is new to the program: templates, the catalogue, words, completions and
//! manual pages.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::desk::{Desk, err, out};

/// The names of the templates.
fn templates(desk: &Desk) -> Vec<String> {
    let list = out(&desk.run(&["init", "--list"]));
    list.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn every_template_is_checked_without_a_warning_and_runs() {
    let desk = Desk::new();
    let names = templates(&desk);
    assert_eq!(names.len(), 8);
    for name in names {
        let made = desk.run(&["init", "--template", &name]);
        assert!(made.status.success(), "{}", err(&made));
        let file = format!("{name}.toml");
        assert!(out(&made).contains(&format!("brownout check {file} --settings")));
        let checked = desk.run(&["check", &file]);
        assert_eq!((out(&checked), err(&checked)), (format!("{file}: ok\n"), String::new()));
        let short =
            ["--set", "run.horizon=2m", "--set", "run.warm-up=10s", "--set", "objectives=[]"];
        let early = match name.as_str() {
            "steady" | "capacity" | "availability" => vec![],
            "autoscaled" => vec!["--set", "fault[1].at=30s", "--set", "traffic.change[1].at=20s"],
            _ => vec!["--set", "fault[1].at=30s"],
        };
        let run = [&["run", &file, "-n", "2", "--no-charts"][..], &short, &early].concat();
        let ran = desk.run(&run);
        assert_eq!(ran.status.code(), Some(0), "{name}: {}", err(&ran));
    }
    assert!(desk.path("brownout.schema.json").exists());
}

#[test]
fn a_template_names_a_schema_that_lies_beside_it() {
    let desk = Desk::new();
    fs::create_dir(desk.path("folder")).unwrap();
    let made = out(&desk.run(&["init", "folder/ours.toml"]));
    assert!(
        made.contains("Wrote folder/ours.toml, and brownout.schema.json for editors."),
        "{made}"
    );
    let schema = fs::read_to_string(desk.path("folder/brownout.schema.json")).unwrap();
    assert_eq!(schema, out(&desk.run(&["schema"])));
    let text = fs::read_to_string(desk.path("folder/ours.toml")).unwrap();
    assert!(text.starts_with("#:schema ./brownout.schema.json\n"));
    assert_eq!(text, out(&desk.run(&["init", "-"])));
    // One of another version stays as it is, and is told.
    fs::write(desk.path("folder/brownout.schema.json"), "{}").unwrap();
    let again = out(&desk.run(&["init", "folder"]));
    assert!(again.contains("is of another version and was left"), "{again}");
    assert_eq!(fs::read(desk.path("folder/brownout.schema.json")).unwrap(), b"{}");
    let refused = desk.run(&["init", "folder/ours.toml"]);
    assert!(refused.status.code() == Some(2) && err(&refused).contains("overwrites nothing"));
    assert_eq!(fs::read_to_string(desk.path("folder/ours.toml")).unwrap(), text);
}

#[test]
fn the_catalogue_says_where_each_column_comes_from() {
    let desk = Desk::new();
    let text = out(&desk.run(&["tiers"]));
    for part in [
        "small",
        "large",
        "xlarge",
        "1500/s",
        "2 to 3",
        "2 Large",
        "not published",
        "documented: gateway prerequisites page",
        "https://",
        "assumed: nothing is published",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    assert!(text.lines().all(|line| line.contains("https://") || line.chars().count() <= 100));
    let old = out(&desk.run(&["tiers", "--catalogue", "1.11"]));
    assert!(old.contains("500/s") && !old.contains("xlarge"), "{old}");
    let json: serde_json::Value =
        serde_json::from_slice(&desk.run(&["tiers", "--format", "json"]).stdout).unwrap();
    assert_eq!(json["tiers"][1]["rating_per_s"], 1_500.0);
    assert_eq!(json["columns"][0]["mark"], "documented");
}

#[test]
fn settings_are_listed_with_where_their_sources_can_be_read() {
    let desk = Desk::with("");
    let text = out(&desk.run(&["check", "small.toml", "--settings"]));
    let (_, read) = text.split_once("Where sources can be read\n").expect("the addresses");
    assert!(read.contains("  Helm chart\n    https://github.com/mulesoft/docs-gateway"), "{read}");
}

/// The words that begin the lines of a report's tables, and those of its verdict.
fn words_of(report: &str) -> BTreeSet<String> {
    let rows = report.lines().filter_map(|line| line.strip_prefix("  "));
    let rows = rows.filter(|line| line.contains("  ") && line.starts_with(char::is_alphabetic));
    let firsts = rows.filter_map(|line| line.split("  ").next());
    let words = firsts.map(|word| word.trim().to_owned());
    words.filter(|word| !word.is_empty() && !word.ends_with([':', '.', '?'])).collect()
}

#[test]
fn every_word_that_begins_a_line_of_a_report_is_explained() {
    let desk = Desk::with("\"p99 < 100s\", \"availability >= 99%\", \"recovery < 1m\"");
    let text = fs::read_to_string(desk.path("small.toml")).unwrap();
    let fault = "[[fault]]\nname = \"crash\"\nkind = \"replica-crash\"\nat = \"20s\"\n";
    fs::write(desk.path("small.toml"), text + fault).unwrap();
    let report = out(&desk.run(&["run", "small.toml", "--no-charts", "-v"]));
    let words = words_of(&report);
    assert!(words.len() > 25, "{words:?}");
    // What is named by the scenario or only heads a column.
    let own = ["outcome", "crash"];
    let first = ["met", "missed", "undecided", "margin", "of all sent", "warm-up", "replications"];
    for word in ["met", "undecided", "margin", "warm-up", "replications"] {
        assert!(report.contains(word), "{word:?} is no word of a report any more\n{report}");
    }
    let words = words.iter().map(String::as_str).filter(|word| !own.contains(word)).chain(first);
    for word in words {
        let said = desk.run(&["explain", word]);
        assert!(said.status.success(), "{word:?} of a report is not explained\n{report}");
    }
}

#[test]
fn a_setting_is_explained_with_value_default_source_and_how_to_change_it() {
    let desk = Desk::new();
    let text = out(&desk.run(&["explain", "probes.liveness-period"]));
    for part in [
        "Between liveness probes",
        "a duration",
        "\"10s\"; documented: Helm chart",
        "https://",
        "--set probes.liveness-period=VALUE",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    let both = out(&desk.run(&["explain", "undecided", "zone-outage"]));
    assert!(both.contains("the interval contains the bound") && both.contains("typical"), "{both}");
    let half = desk.run(&["explain", "undecided", "quux"]);
    assert!(half.status.code() == Some(2) && out(&half).contains("the interval contains"));
    let list = out(&desk.run(&["explain", "--list"]));
    assert!(list.contains("gateway.tier") && list.contains("zone-outage"));
}

/// The commands of the program and the long options of each, from its own help.
fn commands(desk: &Desk) -> Vec<(String, Vec<String>)> {
    let help = out(&desk.run(&["--help"]));
    let (_, rest) = help.split_once("Commands:\n").unwrap();
    let names = rest.lines().take_while(|line| !line.is_empty());
    let names = names.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next()).filter(|n| *n != "help");
    let options = |name: &str| {
        let help = out(&desk.run(&[name, "--help"]));
        let starts = |line: &&str| line.trim_start().starts_with('-');
        let longs = help.lines().filter(starts).filter_map(|line| {
            let at = line.find("--")?;
            let long = &line[at..];
            let end = long.find(|c: char| c != '-' && !c.is_alphanumeric()).unwrap_or(long.len());
            (end > 2).then(|| long[..end].to_owned())
        });
        longs.collect()
    };
    names.map(|name| (name.to_owned(), options(name))).collect()
}

#[test]
fn completions_load_and_name_every_command_and_option() {
    let desk = Desk::new();
    let commands = commands(&desk);
    assert!(commands.len() >= 16, "{commands:?}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = out(&desk.run(&["completions", shell]));
        for (command, options) in &commands {
            assert!(script.contains(command.as_str()), "{shell}: {command}");
            for option in options {
                let bare = option.trim_start_matches('-');
                let named =
                    script.contains(option.as_str()) || script.contains(&format!("-l {bare}"));
                assert!(named, "{shell}: {command} {option}");
            }
        }
    }
    for (shell, check) in [("bash", "-n"), ("zsh", "-n"), ("fish", "-n")] {
        let script = desk.run(&["completions", shell]).stdout;
        let begun = Command::new(shell).arg(check).stdin(Stdio::piped()).spawn();
        // Only bash is everywhere.
        let Ok(mut child) = begun else {
            assert!(shell != "bash", "there is no bash");
            continue;
        };
        child.stdin.take().unwrap().write_all(&script).unwrap();
        assert!(child.wait().unwrap().success(), "{shell} does not read its completions");
    }
}

#[test]
fn there_is_a_manual_page_of_every_command_with_all_its_options() {
    let desk = Desk::new();
    let written = out(&desk.run(&["man", "--output", "pages"]));
    let commands = commands(&desk);
    assert_eq!(written.lines().count(), commands.len() + 1, "{written}");
    for (command, options) in commands {
        let page = fs::read_to_string(desk.path(&format!("pages/brownout-{command}.1"))).unwrap();
        let plain = page.replace("\\-", "-");
        for option in options {
            assert!(plain.contains(&option), "{command} {option}");
        }
    }
    let program = fs::read_to_string(desk.path("pages/brownout.1")).unwrap();
    assert_eq!(program, out(&desk.run(&["man"])));
    assert!(program.contains("\n.SH EXAMPLES\n") && program.contains("\n.SH EXIT STATUS\n"));
    let pages: Vec<_> =
        desk.names("pages").into_iter().map(|name| format!("pages/{name}")).collect();
    let lint =
        [&["-Tlint", "-Wwarning"], &pages.iter().map(String::as_str).collect::<Vec<_>>()[..]];
    let linted = Command::new("mandoc").args(lint.concat()).current_dir(desk.path("")).output();
    if let Ok(linted) = linted {
        assert!(linted.status.success(), "{}", String::from_utf8_lossy(&linted.stdout));
    }
}
