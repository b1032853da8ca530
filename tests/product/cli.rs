//! The program as a user meets it: exit codes, what is printed where, and what is written.

use std::fs;
use std::process::Stdio;

use crate::desk::{Desk, err, out};

#[test]
fn the_exit_code_is_the_verdict() {
    let code = |objectives| Desk::with(objectives).code(&["run", "small.toml"]);
    assert_eq!(code("\"p99 < 100s\""), 0);
    assert_eq!(code(""), 0);
    assert_eq!(code("\"p99 < 1ms\""), 1);
    assert_eq!(code("\"p99 < 1ms\", \"p99 < 100s\""), 1);
}

#[test]
fn one_replication_leaves_everything_undecided() {
    let desk = Desk::with("\"p99 < 100s\"");
    let output = desk.run(&["run", "small.toml", "--replications", "1"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(out(&output).starts_with("? UNDECIDED"), "{}", out(&output));
}

#[test]
fn whether_replications_suffice_is_said_of_those_that_are_asked_for() {
    let desk = Desk::with("\"stuck < 50%\"");
    let text = fs::read_to_string(desk.path("small.toml")).unwrap();
    let more = "[clients]\ntimeout = \"5s\"\n[[fault]]\nkind = \"replica-crash\"\nat = \"20s\"\n";
    fs::write(desk.path("small.toml"), text + more).unwrap();
    let said = |count: &str| err(&desk.run(&["run", "small.toml", "-n", count, "--force"]));
    // The other probability is below one half with 95 % confidence if five of five agree.
    assert!(said("4").contains("4 replications cannot show this"), "{}", said("4"));
    assert!(!said("5").contains("cannot show this"), "{}", said("5"));
}

#[test]
fn wrong_usage_and_wrong_files_are_errors() {
    let desk = Desk::with("");
    fs::write(desk.path("broken.toml"), "question = [").unwrap();
    for args in [
        &["run"][..],
        &["run", "small.toml", "--replications", "0"],
        &["run", "small.toml", "--nonsense"],
        &["run", "missing.toml"],
        &["run", "broken.toml"],
        &["check", "broken.toml"],
        &["check", "small.toml", "missing.toml"],
        &["rerun", "missing.json"],
        &["rerun", "small.toml"],
    ] {
        let output = desk.run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(!err(&output).is_empty(), "{args:?}");
    }
    assert!(!desk.path("results").exists());
}

#[test]
fn help_shows_examples_and_exit_codes() {
    for args in [&["--help"][..], &["run", "--help"]] {
        let help = out(&Desk::new().run(args));
        assert!(help.contains("EXAMPLES:") && help.contains("EXIT CODES:"), "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    }
}

#[test]
fn check_prints_a_line_for_each_file() {
    let desk = Desk::with("");
    let output = desk.run(&["check", "small.toml", "small.toml"]);
    assert_eq!((output.status.code(), out(&output).lines().count()), (Some(0), 2));
    assert!(out(&output).starts_with("small.toml: ok"));
    let settings = out(&desk.run(&["check", "small.toml", "--settings"]));
    assert!(settings.lines().count() > 1 && settings.contains("gateway.cores"), "{settings}");
}

#[test]
fn the_report_goes_to_standard_output_and_says_where_the_files_are() {
    let desk = Desk::with("\"p99 < 100s\"");
    let output = desk.run(&["run", "small.toml"]);
    let text = out(&output);
    assert!(text.starts_with("✓ MET: 1 objective\n"), "{text}");
    assert!(text.contains("Files in results/small: "), "{text}");
    assert!(!text.contains('\u{1b}') && text.lines().all(|line| line.chars().count() <= 100));
    assert_eq!(err(&output), "");
    let names: Vec<_> = desk.results("results/small").into_iter().map(|(name, _)| name).collect();
    for file in ["events.csv", "manifest.json", "replications.csv", "summary.json", "timeline.csv"]
    {
        assert!(names.iter().any(|name| name == file), "{file} in {names:?}");
    }
    assert!(!names.contains(&"requests.csv".to_owned()));
}

#[test]
fn colour_is_there_on_demand_and_never_in_spite_of_no_color() {
    let desk = Desk::with("\"p99 < 100s\"");
    let always = desk.run(&["run", "small.toml", "--color", "always"]);
    assert!(out(&always).contains('\u{1b}'));
    let mut command = desk.command(&["run", "small.toml"]);
    let output = command.env("NO_COLOR", "1").env("CLICOLOR_FORCE", "0").output().unwrap();
    assert!(!out(&output).contains('\u{1b}'));
}

#[test]
fn json_on_standard_output_is_the_summary_file() {
    let desk = Desk::with("\"p99 < 100s\"");
    let output = desk.run(&["run", "small.toml", "--format", "json"]);
    assert_eq!(output.stdout, fs::read(desk.path("results/small/summary.json")).unwrap());
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&json["schema"], &json["verdict"]), (&"brownout/summary/3".into(), &"met".into()));
}

#[test]
fn quiet_prints_the_verdict_alone() {
    let output = Desk::with("\"p99 < 100s\"").run(&["run", "small.toml", "--quiet"]);
    assert_eq!((out(&output).lines().count(), err(&output).as_str()), (2, ""));
}

#[test]
fn progress_shows_on_standard_error_if_asked_for() {
    let output = Desk::with("").run(&["run", "small.toml", "--progress", "always"]);
    assert!(err(&output).contains("simulated"), "{}", err(&output));
}

#[test]
fn files_do_not_depend_on_threads_or_on_the_time_of_day() {
    let desk = Desk::with("\"p99 < 100s\"");
    let run = |jobs, directory| {
        let output = ["--output", directory, "--requests-every", "10"];
        let args = [&["run", "small.toml", "--jobs", jobs][..], &output].concat();
        assert_eq!(desk.code(&args), 0);
    };
    run("1", "one");
    run("4", "four");
    run("4", "four");
    let first = desk.results("one/small");
    assert!(first.iter().any(|(name, _)| name == "requests.csv"));
    assert_eq!(first, desk.results("four/small"));
}

#[test]
fn a_setting_of_the_command_line_is_as_good_as_one_of_the_file() {
    let desk = Desk::with("\"mean < 1s\"");
    let text = fs::read_to_string(desk.path("small.toml")).unwrap();
    fs::create_dir(desk.path("other")).unwrap();
    let other = text.replace("\"large\"", "\"small\"").replace("50/s", "4/s");
    fs::write(desk.path("other/small.toml"), other).unwrap();
    let set = ["--set", "gateway.tier=small", "--set", "traffic.rate=4/s"];
    let output = desk.run(&[&["run", "small.toml", "-o", "set"], &set[..]].concat());
    assert!(out(&output).contains("\n  with gateway.tier=small, traffic.rate=4/s\n"));
    desk.run(&["run", "other/small.toml", "-o", "written"]);
    let outcomes = |of: &str| fs::read(desk.path(of).join("small/replications.csv")).unwrap();
    assert_eq!(outcomes("set"), outcomes("written"));
    assert_eq!(desk.code(&["rerun", "set/small/manifest.json"]), 0);
    assert_eq!(desk.results("results/small"), desk.results("set/small"));
    let settings = desk.run(&[&["check", "small.toml", "--settings"], &set[..]].concat());
    let line =
        out(&settings).lines().find(|line| line.contains("traffic.rate ")).unwrap().to_owned();
    assert!(
        line.contains("4/s") && line.contains(" given ") && line.ends_with(" command line"),
        "{line}"
    );
}

#[test]
fn a_wrong_setting_of_the_command_line_is_explained_and_changes_nothing() {
    let desk = Desk::with("\"mean < 1s\"");
    desk.run(&["run", "small.toml"]);
    let before = desk.results("results/small");
    for (setting, said) in [
        ("gateway.replcas=3", ["--set", "did you mean \"gateway.replicas\"?"]),
        ("gateway.replicas=0", ["note: as changed by --set", "replicas = 0"]),
        ("gateway.replicas", ["sets nothing", "PATH=VALUE"]),
        ("=3", ["sets nothing", "PATH=VALUE"]),
    ] {
        for command in ["run", "check"] {
            let output = desk.run(&[command, "small.toml", "--set", setting]);
            assert_eq!(output.status.code(), Some(2), "{setting}");
            assert!(said.iter().all(|part| err(&output).contains(part)), "{}", err(&output));
        }
    }
    assert_eq!(desk.results("results/small"), before);
}

#[test]
fn a_refused_run_leaves_earlier_results_untouched() {
    let desk = Desk::with("\"p99 < 100s\"");
    assert_eq!(desk.code(&["run", "small.toml"]), 0);
    let before = desk.results("results/small");
    fs::write(desk.path("small.toml"), "question = [").unwrap();
    assert_eq!(desk.code(&["run", "small.toml"]), 2);
    assert_eq!(desk.results("results/small"), before);
}

#[test]
fn a_directory_of_something_else_is_not_replaced() {
    let desk = Desk::with("");
    fs::create_dir_all(desk.path("results/small")).unwrap();
    fs::write(desk.path("results/small/thesis.md"), "years of work").unwrap();
    let output = desk.run(&["run", "small.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("choose another directory"), "{}", err(&output));
    assert!(desk.path("results/small/thesis.md").exists());
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let desk = Desk::with("\"p99 < 100s\"");
    let mut command = desk.command(&["run", "small.toml"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), err(&output).as_str()), (Some(0), ""));
}

#[cfg(unix)]
#[test]
fn ctrl_c_or_a_signal_to_end_writes_what_there_is() {
    ["-INT", "-TERM"].into_iter().for_each(interrupted_by);
}

#[cfg(unix)]
fn interrupted_by(signal: &str) {
    let desk = Desk::with("\"p99 < 100s\"");
    let text = fs::read_to_string(desk.path("small.toml")).unwrap();
    fs::write(desk.path("small.toml"), text.replace("60s", "3650d")).unwrap();
    let output = desk.stopped(&["run", "small.toml", "-v"], signal, |line| !line.is_empty());
    assert_eq!(output.status.code(), Some(130), "{}", out(&output));
    assert!(out(&output).contains("stopped early"), "{}", out(&output));
    assert!(out(&output).starts_with("? UNDECIDED"), "{}", out(&output));
    assert!(out(&output).contains("of 3650 d, stopped at "), "{}", out(&output));
    assert!(desk.path("results/small.partial/manifest.json").exists());
    assert_eq!(fs::read_dir(desk.path("results")).unwrap().count(), 1);
}

#[test]
fn several_scenarios_are_run_one_after_the_other_and_the_worst_decides() {
    let desk = Desk::with("\"p99 < 100s\"");
    let text = fs::read_to_string(desk.path("small.toml")).unwrap();
    fs::write(desk.path("strict.toml"), text.replace("100s", "1ms")).unwrap();
    let output = desk.run(&["run", "strict.toml", "small.toml", "-n", "2"]);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert!(out(&output).contains("\n\n✓ MET: 1 objective\n"), "{}", out(&output));
    assert_eq!(desk.names("results"), ["small", "strict"]);
    // A file that is wrong does not keep the others from being run.
    let output = desk.run(&["run", "missing.toml", "small.toml", "-n", "2", "-o", "again"]);
    assert_eq!((output.status.code(), desk.names("again")), (Some(2), vec!["small".to_owned()]));
    fs::create_dir(desk.path("other")).unwrap();
    fs::write(desk.path("other/small.toml"), text).unwrap();
    let same = desk.run(&["run", "small.toml", "other/small.toml"]);
    assert_eq!(same.status.code(), Some(2));
    assert!(err(&same).contains("would take the same folder"), "{}", err(&same));
}

#[test]
fn a_scenario_may_come_from_standard_input() {
    let desk = Desk::with("\"p99 < 100s\"");
    let piped = |args: &[&str]| {
        let mut command = desk.command(args);
        let file = fs::File::open(desk.path("small.toml")).unwrap();
        command.stdin(file).output().unwrap()
    };
    let output = piped(&["run", "-", "-n", "2"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert_eq!(desk.code(&["run", "small.toml", "-n", "2"]), 0);
    let outcomes = |of: &str| fs::read(desk.path("results").join(of)).unwrap();
    assert_eq!(outcomes("stdin/replications.csv"), outcomes("small/replications.csv"));
    assert_eq!(desk.code(&["rerun", "results/stdin", "--output", "again"]), 0);
    assert_eq!(desk.results("results/stdin"), desk.results("again/stdin"));
    assert!(out(&piped(&["check", "-"])).starts_with("-: ok"));
}

#[test]
fn the_first_screen_is_as_wide_as_the_terminal_and_the_whole_report_follows_on_demand() {
    let desk = Desk::with("\"p99 < 100s\", \"availability >= 99% during crash\"");
    let text = fs::read_to_string(desk.path("small.toml")).unwrap();
    let fault = "[[fault]]\nkind = \"replica-crash\"\nname = \"crash\"\nat = \"30s\"\n";
    fs::write(desk.path("small.toml"), text + fault).unwrap();
    let shown = |columns: &str, more: &[&str]| {
        let mut command = desk.command(&[&["run", "small.toml", "-n", "3"], more].concat());
        out(&command.env("COLUMNS", columns).output().unwrap())
    };
    for columns in [60, 80, 120] {
        let screen = shown(&columns.to_string(), &[]);
        let widest = screen.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= columns, "{widest} of {columns}: {screen}");
        assert!(screen.lines().count() <= 30, "{screen}");
        for part in ["objectives", "0:30 replica ", " crashed", "  p99 ", "▁", "-v"] {
            assert!(screen.contains(part), "{part}: {screen}");
        }
    }
    let report = fs::read_to_string(desk.path("results/small/report.txt")).unwrap();
    let all = shown("120", &["-v"]);
    assert!(all.starts_with(&report), "{all}");
    assert!(shown("80", &["-v"]).lines().all(|line| line.chars().count() <= 80));
}
