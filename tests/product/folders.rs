//! The folders of results: whose they are, and that nothing in them is lost unasked.

use std::fs;

use crate::desk::{Desk, err, out};

/// Runs a command that is to be refused, and gives what it says.
fn refused(desk: &Desk, args: &[&str]) -> String {
    let output = desk.run(args);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {}", out(&output));
    err(&output)
}

#[test]
fn results_of_other_settings_are_not_replaced_unasked() {
    let desk = Desk::with("");
    fn run<'a>(args: &[&'a str]) -> Vec<&'a str> {
        [&["run", "small.toml", "-n", "1", "--no-charts"], args].concat()
    }
    assert_eq!(desk.code(&run(&[])), 0);
    let before = desk.results("results/small");
    let small = ["--set", "gateway.tier=small", "--set", "traffic.rate=4/s"];
    let said = refused(&desk, &run(&small));
    assert!(said.contains("results/small holds the results of brownout run small.toml"), "{said}");
    assert!(said.contains("--name") && said.contains("--force"), "{said}");
    assert_eq!(desk.results("results/small"), before);
    assert_eq!(desk.code(&run(&[&small[..], &["--name", "small at night"]].concat())), 0);
    assert_eq!(desk.names("results"), ["small", "small at night"]);
    assert_eq!(desk.code(&["rerun", "results/small at night", "-o", "again"]), 0);
    assert_eq!(desk.names("again"), ["small at night"]);
    assert_eq!(desk.code(&run(&[&small[..], &["--force"]].concat())), 0);
    assert_ne!(desk.results("results/small"), before);
}

#[test]
fn a_scenario_may_be_edited_and_another_of_its_name_is_another() {
    let desk = Desk::with("");
    let run = |file| ["run", file, "-n", "1", "--no-charts"];
    assert_eq!(desk.code(&run("small.toml")), 0);
    let edited = fs::read_to_string(desk.path("small.toml")).unwrap().replace("50/s", "40/s");
    fs::create_dir(desk.path("other")).unwrap();
    fs::write(desk.path("other/small.toml"), &edited).unwrap();
    let said = refused(&desk, &run("other/small.toml"));
    assert!(said.contains("the results of brownout run small.toml"), "{said}");
    fs::write(desk.path("small.toml"), &edited).unwrap();
    assert_eq!(desk.code(&run("./small.toml")), 0);
    // The same text is the same scenario, wherever it lies.
    assert_eq!(desk.code(&run("other/small.toml")), 0);
}

#[cfg(unix)]
#[test]
fn of_two_runs_into_one_folder_the_later_is_refused_and_the_other_named() {
    let desk = Desk::with("");
    let text = fs::read_to_string(desk.path("small.toml")).unwrap();
    fs::write(desk.path("long.toml"), text.replace("60s", "3650d")).unwrap();
    let begun = ["run", "long.toml", "--name", "small"];
    let (child, talk) = desk.begun(&begun, |line| !line.is_empty());
    let said = refused(&desk, &["run", "small.toml"]);
    let other = format!("brownout run long.toml, process {}", child.id());
    assert!(said.contains("results/small is being written by another process"), "{said}");
    assert!(said.contains(&other) && said.contains("--output"), "{said}");
    assert_eq!(desk.code(&["run", "small.toml", "-n", "1", "--name", "other"]), 0);
    // Killed, it leaves the folder to others, who clear what it left.
    Desk::signal(&child, "-KILL");
    Desk::ended(child, talk);
    assert!(desk.names("results").len() > 2, "{:?}", desk.names("results"));
    assert_eq!(desk.code(&["run", "small.toml", "-n", "1"]), 0);
    let left = [".small.checkpoint.old.jsonl", "other", "small"];
    assert_eq!(desk.names("results"), left);
}

#[cfg(unix)]
#[test]
fn partial_results_stand_beside_complete_ones() {
    let desk = Desk::with("\"p99 < 100s\"");
    assert_eq!(desk.code(&["run", "small.toml", "-n", "3"]), 0);
    let complete = desk.results("results/small");
    let output =
        desk.stopped(&["run", "small.toml", "-n", "100000"], "-INT", |line| !line.is_empty());
    assert_eq!(output.status.code(), Some(130), "{}", err(&output));
    assert!(out(&output).contains("Files in results/small.partial: "), "{}", out(&output));
    assert_eq!(desk.results("results/small"), complete);
    assert_eq!(desk.code(&["run", "small.toml", "-n", "4", "--resume"]), 0);
    assert_eq!(desk.names("results"), ["small"]);
}

#[test]
fn what_cannot_be_gone_on_with_is_refused_and_left_alone() {
    let desk = Desk::with("");
    fs::create_dir(desk.path("results")).unwrap();
    let checkpoint = desk.path("results/.small.checkpoint.jsonl");
    let resume = ["run", "small.toml", "-n", "2", "--resume"];
    for (left, said) in [
        ("years of work\n", "is no checkpoint of brownout"),
        (
            "{\"schema\":\"brownout/checkpoint/3\",\"engine\":0}\n",
            "was left by another version, with engine 0, this is version ",
        ),
    ] {
        fs::write(&checkpoint, left).unwrap();
        let talk = refused(&desk, &resume);
        assert!(talk.contains(said) && talk.contains("without --resume"), "{talk}");
        assert_eq!(fs::read_to_string(&checkpoint).unwrap(), left);
        assert_eq!(desk.names("results"), [".small.checkpoint.jsonl"]);
    }
    let anew = desk.run(&["run", "small.toml", "-n", "2"]);
    assert!(err(&anew).contains("is now results/.small.checkpoint.old.jsonl"), "{}", err(&anew));
    let nothing = desk.run(&resume);
    assert_eq!(nothing.status.code(), Some(0));
    assert!(err(&nothing).contains("nothing to go on with"), "{}", err(&nothing));
}
