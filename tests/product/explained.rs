//! What is said of scenarios before they run, and of results afterwards.

use std::fs;

use crate::desk::{Desk, err, out};

/// A Large gateway as it is sold, of which a replica crashes.
const LARGE: &str = "question = \"Does it hold?\"\nobjectives = [\"availability >= 50%\"]\n\
                     [gateway]\ntier = \"large\"\n[traffic]\nrate = \"900/s\"\n[run]\n\
                     horizon = \"2m\"\nwarm-up = \"10s\"\nreplications = 2\n[[fault]]\n\
                     name = \"crash\"\nkind = \"replica-crash\"\nat = \"1m\"\n";

fn desk() -> Desk {
    let desk = Desk::new();
    fs::write(desk.path("large.toml"), LARGE).unwrap();
    desk
}

fn said(desk: &Desk, args: &[&str]) -> String {
    let done = desk.run(args);
    assert_eq!(done.status.code(), Some(0), "{args:?}: {}", err(&done));
    out(&done)
}

fn refused(desk: &Desk, args: &[&str], parts: &[&str]) {
    let done = desk.run(args);
    assert_eq!((done.status.code(), out(&done)), (Some(2), String::new()), "{args:?}");
    for part in parts {
        assert!(err(&done).contains(part), "{args:?}: {part}: {}", err(&done));
    }
}

#[test]
fn a_scenario_is_explained_before_it_runs() {
    let desk = desk();
    let text = said(&desk, &["explain", "large.toml"]);
    // Two of 715/s each at 900/s, and one.
    for part in [
        "at the start  900/s         2     63 %  126 %   126 %",
        "it does not hold N−1: at 900/s a backlog grows with one replica less",
        "saturation                 715/s each, 2145/s in all",
        "crash: takes 1 replica; noticed after 500 ms",
        "assumed     gateway.cores = 1",
        "about 216,000 requests",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(desk.names(""), ["large.toml"], "it leaves nothing");
    let all = said(&desk, &["explain", "large.toml", "--settings", "--set", "traffic.rate=700/s"]);
    assert!(all.contains("Where sources can be read") && all.contains("command line"), "{all}");
    // At 700/s one is nearly enough; just before a third is added it is by far not.
    assert!(all.contains("it holds N−1 and the loss of a zone"), "{all}");
    fs::write(desk.path("wrong.toml"), LARGE.replace("large", "larg")).unwrap();
    refused(&desk, &["explain", "wrong.toml"], &["wrong.toml:4", "did you mean"]);
    refused(&desk, &["explain", "large.toml", "--at", "1:00"], &["is for a folder of results"]);
}

#[test]
fn what_grows_is_looked_at_where_the_fewest_carry_the_most() {
    let desk = desk();
    let step = "[[traffic.change]]\nkind = \"step\"\nat = \"30s\"\nrate = \"1150/s\"\n";
    let text = LARGE.replace("[run]\n", &format!("{step}[run]\n")).replace("900/s", "650/s");
    fs::write(desk.path("large.toml"), text).unwrap();
    let text = said(&desk, &["explain", "large.toml"]);
    // The target of 70 % and a tenth of it, of 1,430/s.
    assert!(text.contains("before there are 3  1101") && text.contains("154 %"), "{text}");
    assert!(text.contains("it does not hold N−1: at 1101"), "{text}");
}

#[test]
fn a_moment_of_a_run_is_explained_by_runs_without_this_and_that() {
    let desk = desk();
    said(&desk, &["run", "large.toml", "-q", "--no-charts"]);
    // What theory said of the most in flight is what came, but for those that the first seconds
    // sent to an address where nobody was.
    let theory = said(&desk, &["explain", "large.toml"]);
    let theory = theory.split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, there) = theory.split_once("up to ").expect("a backlog");
    let there: String = there.split(' ').next().unwrap().replace(',', "");
    let summary = fs::read_to_string(desk.path("results/large/summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    let most = summary["gateway"]["in_flight_peak"]["point"].as_f64().unwrap();
    let ratio = most / there.parse::<f64>().unwrap();
    assert!((0.8..1.1).contains(&ratio), "{most} came, {there} were foretold");
    let text = said(&desk, &["explain", "results/large", "--at", "1:12"]);
    assert!(text.contains("at 1:12 (1:12 to 1:13)"), "{text}");
    assert!(text.contains("in rotation  1 replica") && text.contains("a backlog of"), "{text}");
    let row = |name: &str| {
        let line = text.lines().find(|line| line.trim_start().starts_with(name));
        line.unwrap_or_else(|| panic!("{name}: {text}")).to_owned()
    };
    // Without the crash a request takes milliseconds, with it seconds.
    let without = row("without the fault crash");
    assert!(
        without.contains(" ms ") && without.contains("−") && without.contains(" s "),
        "{without}"
    );
    assert!(row("with all 3 replicas").contains("−"), "{text}");
    row("without the time to schedule, pull and boot");
    // Nothing had struck yet: what scales is all that there is.
    let before = said(&desk, &["explain", "results/large/manifest.json", "--at", "30s"]);
    assert!(!before.contains("without the fault"), "{before}");
    refused(&desk, &["explain", "results/large", "--at", "9:00"], &["outside the run", "2:00"]);
    refused(&desk, &["explain", "results"], &["results holds no results of run"]);
    refused(&desk, &["explain", "results/large", "--settings"], &["are for a scenario"]);
    refused(&desk, &["explain", "crash", "--at", "1:00"], &["is for a folder of results"]);
}

#[test]
fn two_results_are_set_side_by_side() {
    let desk = desk();
    said(&desk, &["run", "large.toml", "-q", "--no-charts"]);
    let set = ["--set", "gateway.tier=xlarge", "--name", "xlarge", "-q", "--no-charts"];
    said(&desk, &[&["run", "large.toml"], &set[..]].concat());
    let text = said(&desk, &["diff", "results/large", "results/xlarge"]);
    assert!(text.contains("gateway.tier: \"large\" → \"xlarge\""), "{text}");
    let p50 = text.lines().find(|line| line.trim_start().starts_with("p50 ")).unwrap();
    assert!(p50.ends_with("less") && p50.contains(" ms (-"), "{p50}");
    let same = said(&desk, &["diff", "results/large", "results/large"]);
    assert!(same.contains("Settings that differ\n  none\n"), "{same}");
    assert!(!same.contains("  more\n") && !same.contains("  less\n"), "{same}");
    said(&desk, &["compare", "large.toml", "--tier", "xlarge", "-n", "1", "-q", "--no-charts"]);
    let studies = "holds results of compare, and only those of run";
    refused(&desk, &["diff", "results/large", "results/compare-large"], &[studies]);
    refused(&desk, &["diff", "results/large", "nothing"], &["nothing holds no results of run"]);
}
