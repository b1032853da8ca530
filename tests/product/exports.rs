//! Results for other programs: what is written, that it is the same each time, and that it says
//! what the other files say. Whether those programs can read it is up to `tests/exports/run.py`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::desk::{Desk, err, out};

const ALL: &str = "perfetto,openmetrics,hdr,junit,sarif";
const FILES: [&str; 5] =
    ["junit.xml", "latency.hlog", "metrics.openmetrics.txt", "trace.perfetto", "verdict.sarif"];

/// A desk with a scenario in which a replica crashes, which meets one objective and misses one.
fn desk() -> Desk {
    let desk = Desk::with("\"cpu < 90%\", \"availability >= 100%\", 'mean < 1ms'");
    let text = fs::read_to_string(desk.path("small.toml")).unwrap();
    let fault = "[[fault]]\nkind = \"replica-crash\"\nat = \"20s\"\n";
    fs::write(desk.path("small.toml"), format!("{text}{fault}")).unwrap();
    desk
}

fn run(desk: &Desk, more: &[&str]) {
    let options = ["run", "small.toml", "--no-charts", "--requests-every", "20"];
    let output = desk.run(&[&options[..], more].concat());
    assert!(matches!(output.status.code(), Some(1 | 3)), "{}", err(&output));
}

fn text(desk: &Desk, path: &str) -> String {
    fs::read_to_string(desk.path(path)).unwrap()
}

#[test]
fn what_is_asked_for_is_written_to_the_same_bytes_and_nothing_else() {
    let desk = desk();
    run(&desk, &[]);
    let without = desk.names("results/small");
    assert!(FILES.iter().all(|file| !without.contains(&(*file).to_owned())));
    // Another choice of files answers the same question: it replaces what is there.
    run(&desk, &["--export", "junit", "--export", "hdr"]);
    let some = [without.clone(), vec!["junit.xml".to_owned(), "latency.hlog".to_owned()]].concat();
    let some: BTreeSet<String> = some.into_iter().collect();
    assert_eq!(desk.names("results/small").into_iter().collect::<BTreeSet<_>>(), some);
    run(&desk, &["--export", ALL, "--jobs", "1"]);
    let first = desk.results("results/small");
    assert_eq!(first.len(), without.len() + FILES.len());
    let again = desk.run(&["rerun", "results/small", "-o", "again", "--jobs", "3"]);
    assert_eq!(again.status.code(), Some(1), "{}", err(&again));
    assert!(first == desk.results("again/small"), "a rerun gives other files");
}

#[test]
fn a_kind_or_moment_that_is_none_is_refused() {
    let desk = desk();
    let refused = |more: &[&str], said: &str| {
        let output = desk.run(&[&["run", "small.toml"], more].concat());
        assert_eq!(output.status.code(), Some(2));
        assert!(err(&output).contains(said), "{more:?}: {}", err(&output));
    };
    refused(&["--export", "csv"], "possible values: perfetto, openmetrics, hdr, junit, sarif");
    refused(&["--export", "hdr", "--export-epoch", "noon"], "by RFC 3339, such as");
    refused(&["--export-epoch", "2026-01-01T00:00:00Z"], "--export <KIND>");
    assert!(!desk.path("results").exists());
}

#[test]
fn times_start_at_the_moment_that_is_asked_for() {
    let desk = desk();
    let first = |more: &[&str]| {
        run(&desk, &[&["--export", "openmetrics,hdr,junit"], more].concat());
        let metrics = text(&desk, "results/small/metrics.openmetrics.txt");
        let sample = metrics.lines().find(|line| !line.starts_with('#')).unwrap().to_owned();
        let log = text(&desk, "results/small/latency.hlog");
        let begins = log.lines().find(|line| line.starts_with("#[BaseTime")).unwrap().to_owned();
        (sample, begins, text(&desk, "results/small/junit.xml"))
    };
    let (sample, begins, junit) = first(&[]);
    assert!(sample.ends_with("} 0 1735689600"), "{sample}");
    assert_eq!(begins, "#[BaseTime: 1735689600.000 (seconds since epoch)]");
    assert!(junit.contains("timestamp=\"2025-01-01T00:00:00\""), "{junit}");
    let (sample, begins, junit) = first(&["--export-epoch", "2026-01-01T01:00:00.5+01:00"]);
    assert!(sample.ends_with("} 0 1767225600.5"), "{sample}");
    assert_eq!(begins, "#[BaseTime: 1767225600.500 (seconds since epoch)]");
    assert!(junit.contains("timestamp=\"2026-01-01T00:00:00\""), "{junit}");
}

#[test]
fn verdicts_are_those_of_the_summary() {
    let desk = desk();
    run(&desk, &["--export", "junit,sarif"]);
    let summary: Value = serde_json::from_str(&text(&desk, "results/small/summary.json")).unwrap();
    let verdicts: Vec<&str> = summary["objectives"]
        .as_array()
        .unwrap()
        .iter()
        .map(|objective| objective["verdict"].as_str().unwrap())
        .collect();
    let count = |word: &str| verdicts.iter().filter(|verdict| **verdict == word).count();
    assert!(count("met") > 0 && count("missed") > 0, "{verdicts:?}");
    let junit = text(&desk, "results/small/junit.xml");
    assert_eq!(junit.matches("<testcase ").count(), verdicts.len());
    assert_eq!(junit.matches("<failure ").count(), count("missed"));
    assert_eq!(junit.matches("<error ").count(), count("undecided"));
    let sarif: Value = serde_json::from_str(&text(&desk, "results/small/verdict.sarif")).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let of_kind = |kind: &str| results.iter().filter(|result| result["kind"] == kind).count();
    assert_eq!(of_kind("pass"), count("met"));
    assert_eq!(of_kind("fail"), count("missed"));
    assert_eq!(of_kind("open"), count("undecided"));
    assert_eq!(of_kind("informational"), summary["caveats"].as_array().unwrap().len());
    let region = &results[2]["locations"][0]["physicalLocation"]["region"];
    let place = ["startLine", "startColumn"].map(|key| region[key].as_u64().unwrap() as usize);
    let scenario = text(&desk, "small.toml");
    let line = scenario.lines().nth(place[0] - 1).unwrap();
    assert!(line[place[1] - 1..].starts_with("'mean < 1ms'"), "{line}");
}

/// The metrics that a text names.
fn metrics(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("brownout_")).map(str::to_owned).collect()
}

/// What stands before the first brace of each sample.
fn exported(text: &str) -> BTreeSet<String> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples.filter_map(|line| Some(line.split_once('{')?.0.to_owned())).collect()
}

#[test]
fn the_dashboard_and_the_page_of_files_know_every_metric_and_no_other() {
    let desk = desk();
    // A dashboard knows whole minutes.
    let small = text(&desk, "small.toml").replace("\"60s\"", "\"150s\"");
    let clients = "[clients]\nattempts = 2\n[[api]]\nname = \"a\"\n[[api]]\nname = \"b\"\n";
    let kill = small.replace("\"replica-crash\"", "\"replica-crash\"\nname = \"kill\"");
    fs::write(desk.path("small.toml"), format!("{kill}{clients}")).unwrap();
    run(&desk, &["--export", "openmetrics"]);
    let mut found = exported(&text(&desk, "results/small/metrics.openmetrics.txt"));
    let regions = "[global]\npreset = \"route53-fast\"\n[[region]]\nname = \"x\"\n[[region]]\nname \
                   = \"y\"\n";
    let small = small.replace("at = \"20s\"", "at = \"20s\"\nregion = \"x\"");
    fs::write(desk.path("small.toml"), format!("{small}{regions}")).unwrap();
    run(&desk, &["--export", "openmetrics", "--name", "regions"]);
    let of_regions = text(&desk, "results/regions/metrics.openmetrics.txt");
    assert!(of_regions.ends_with("\n# EOF\n"));
    found.extend(exported(&of_regions));
    // Nothing is turned away here.
    found.insert("brownout_requests_rejected_total".to_owned());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let dashboard: Value = serde_json::from_str(&read("docs/grafana/brownout.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let queries = panels.flat_map(|panel| panel["targets"].as_array().unwrap());
    let mut asked: BTreeSet<String> =
        queries.flat_map(|target| metrics(target["expr"].as_str().unwrap())).collect();
    let notes = dashboard["annotations"]["list"].as_array().unwrap().iter();
    asked.extend(notes.flat_map(|note| metrics(note["expr"].as_str().unwrap())));
    assert_eq!(asked, found, "the dashboard");
    let page = read("docs/FILES.md");
    let table = page.split("## Files for other programs").nth(1).unwrap();
    assert_eq!(metrics(table), found, "docs/FILES.md");
}

/// Two variants, of which the second takes twice the CPU for each request.
const SLOWER: &str = "gateway.cpu-per-request=1.4ms,2.8ms";
/// The other way round.
const FASTER: &str = "gateway.cpu-per-request=2.8ms,1.4ms";

fn study<'a>(command: &'a str, set: &'a str, conditions: &[&'a str]) -> Vec<&'a str> {
    let options = [command, "small.toml", "--no-charts", "--force", "--set", set];
    let conditions = conditions.iter().flat_map(|condition| ["--fail-if", condition]);
    options.into_iter().chain(conditions).collect()
}

#[test]
fn a_study_fails_only_if_it_is_asked_to_and_says_by_what() {
    let desk = Desk::with("\"cpu < 5%\"");
    for command in ["compare", "sweep"] {
        let of = |set, conditions: &[&str]| {
            let output = desk.run(&study(command, set, conditions));
            (output.status.code().unwrap(), out(&output) + &err(&output))
        };
        assert_eq!(of(SLOWER, &[]).0, 0, "{command}");
        let (code, said) = of(SLOWER, &["worse"]);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("✗ fails --fail-if 'worse'"), "{said}");
        assert!(said.contains("2.8ms: mean of the run is worse: +"), "{said}");
        assert_eq!(of(FASTER, &["worse"]).0, 0, "{command}");
        assert_eq!(of(FASTER, &["worse", "missed"]).0, 1, "{command}");
        let (code, said) = of(SLOWER, &["p99 > +10%"]);
        assert!(code == 1 && said.contains("2.8ms: p99 of the run is worse: +"), "{said}");
        let (code, said) = of(SLOWER, &["p99 > +900%"]);
        assert!(code == 0 && said.contains("✓ passes --fail-if 'p99 > +900%'"), "{said}");
        // Nothing is lost without a fault: there is no share of failures to be compared.
        assert_eq!(of(SLOWER, &["failed > +1 points"]).0, 3, "{command}");
        let (code, said) = of(SLOWER, &["p99 during crsh > +10%"]);
        assert!(code == 2 && said.contains("no window is called"), "{said}");
        let (code, said) = of(SLOWER, &["slower"]);
        assert!(code == 2 && said.contains("write missed, worse, or"), "{said}");
    }
    fs::write(desk.path("free.toml"), {
        text(&desk, "small.toml").replace("objectives = [\"cpu < 5%\"]", "")
    })
    .unwrap();
    let free = ["compare", "free.toml", "--set", SLOWER, "--fail-if", "missed"];
    let output = desk.run(&free);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("no scenario has an objective"), "{}", err(&output));
}

#[test]
fn a_gate_is_heard_where_programs_read_and_holds_when_it_is_done_again() {
    let desk = Desk::with("");
    let json = ["--format", "json", "--export", "junit"];
    let command = [&study("compare", SLOWER, &["worse"])[..], &json[..]].concat();
    let output = desk.run(&command);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("✗ fails --fail-if 'worse'"), "{}", err(&output));
    let value: Value = serde_json::from_str(&out(&output)).unwrap();
    let found = &value["fail_if"][0];
    assert_eq!((&found["condition"], &found["verdict"]), (&"worse".into(), &"missed".into()));
    assert!(!found["found"].as_array().unwrap().is_empty());
    let junit = text(&desk, "results/compare-small/junit.xml");
    assert!(junit.contains("<testsuite name=\"--fail-if\""), "{junit}");
    assert_eq!(junit.matches("<failure ").count(), 1, "{junit}");
    let again = desk.run(&["rerun", "results/compare-small", "-o", "again", "--quiet"]);
    assert_eq!(again.status.code(), Some(1), "{}", err(&again));
    assert!(out(&again).contains("✗ fails"), "{}", out(&again));
    assert!(desk.results("results/compare-small") == desk.results("again/compare-small"));
    // Whoever asks otherwise asks the same question of the same results.
    assert_eq!(desk.code(&study("compare", SLOWER, &[])), 0);
}

#[test]
fn every_study_tells_its_verdicts() {
    let desk = desk();
    let often = text(&desk, "small.toml").replace("at = \"20s\"", "every = \"exponential(30d)\"");
    fs::write(desk.path("months.toml"), often).unwrap();
    let junit = |name: &str, command: &[&str]| {
        let options = ["--no-charts", "--export", "junit", "--name", name];
        let output = desk.run(&[command, &options[..]].concat());
        assert_ne!(output.status.code(), Some(2), "{}", err(&output));
        text(&desk, &format!("results/{name}/junit.xml"))
    };
    let suites = |xml: &str| xml.matches("<testsuite ").count();
    let cases = |xml: &str| xml.matches("<testcase ").count();
    let sweep = junit("s", &["sweep", "small.toml", "--set", "traffic.rate=20/s,30/s", "-n", "2"]);
    assert_eq!((suites(&sweep), cases(&sweep)), (2, 6));
    let plan =
        junit("p", &["plan", "small.toml", "--tier", "large", "--mode", "healthy", "-n", "2"]);
    assert_eq!((suites(&plan), cases(&plan)), (1, 1));
    assert!(plan.contains("name=\"a gateway carries the demand\""), "{plan}");
    let months = ["availability", "months.toml", "--target", "99%", "--requests", "200K"];
    let months = junit("m", &months);
    assert_eq!((suites(&months), cases(&months)), (1, 1));
    let refused = desk.run(&["compare", "small.toml", "--export", "perfetto"]);
    assert!(err(&refused).contains("possible values: junit"), "{}", err(&refused));
}

/// What a command prints in a format; it does not fail.
fn printed(desk: &Desk, command: &[&str], format: &str) -> String {
    let output = desk.run(&[command, &["--format", format]].concat());
    assert_ne!(output.status.code(), None, "{}", err(&output));
    assert!(!output.stdout.is_empty(), "{command:?}: {}", err(&output));
    out(&output)
}

/// Every line of a table has as many cells, and nothing else is in the text than headings,
/// paragraphs, tables and lists, none of which is wrapped.
fn expect_markdown(text: &str) {
    assert!(text.starts_with("## ") && text.ends_with('\n'), "{text}");
    for block in text.trim_end().split("\n\n") {
        let lines: Vec<&str> = block.lines().collect();
        let begins = |with: &str| lines.iter().all(|line| line.starts_with(with));
        let columns = |line: &&str| line.replace("\\|", "").matches('|').count();
        if begins("|") {
            assert!(lines.len() > 2 && lines[1].starts_with("| ---"), "{block}");
            assert!(lines.iter().all(|line| columns(line) == columns(&lines[0])), "{block}");
        } else {
            let is_item = |line: &&str| line.trim_start().starts_with("- ");
            assert!(lines.len() == 1 || lines.iter().all(is_item), "{block}");
        }
    }
}

#[test]
fn every_command_is_told_in_markdown_with_the_verdict_first() {
    let desk = desk();
    let often = text(&desk, "small.toml").replace("at = \"20s\"", "every = \"exponential(30d)\"");
    fs::write(desk.path("months.toml"), often).unwrap();
    let cpu = "objectives=[\"cpu < 5%\"]";
    let compare = ["compare", "small.toml", "--set", SLOWER, "--set", cpu, "--fail-if", "worse"];
    let commands: [(&[&str], &str); 5] = [
        (&["run", "small.toml"], "## small: ✗ MISSED: "),
        (&compare, "✗ fails --fail-if"),
        (&["sweep", "small.toml", "--set", SLOWER, "--set", cpu], "| cpu &lt; 5% | met in 1, "),
        (&["plan", "small.toml", "--tier", "large", "--mode", "healthy", "-n", "2"], "## ✗ NONE"),
        (&["availability", "months.toml", "--target", "99%", "--requests", "200K"], "in the long "),
    ];
    for (command, verdict) in commands {
        let markdown = printed(&desk, &[command, &["--no-charts"]].concat(), "markdown");
        expect_markdown(&markdown);
        let first: String = markdown.lines().take(12).collect::<Vec<_>>().join("\n");
        assert!(first.contains(verdict), "{verdict} is not in\n{first}");
        assert!(markdown.contains("\n### Caveats\n\n- "), "{command:?}: {markdown}");
    }
}

#[test]
fn what_check_finds_is_told_with_rule_level_and_place() {
    let desk = desk();
    let wrong = "question = \"?\"\n[gateway]\nteir = \"large\"\n";
    fs::write(desk.path("wrong.toml"), wrong).unwrap();
    let command = ["check", "small.toml", "wrong.toml"];
    for format in ["text", "json", "sarif", "junit", "markdown"] {
        assert_eq!(desk.code(&[&command[..], &["--format", format]].concat()), 2, "{format}");
        assert_eq!(desk.code(&["check", "small.toml", "--format", format]), 0, "{format}");
    }
    let json: Value = serde_json::from_str(&printed(&desk, &command, "json")).unwrap();
    let [small, wrong] = [&json["files"][0], &json["files"][1]];
    assert_eq!((&small["sound"], &wrong["sound"]), (&true.into(), &false.into()));
    let problems = wrong["problems"].as_array().unwrap();
    let unknown = problems.iter().find(|one| one["rule"] == "unknown-key-in").unwrap();
    assert_eq!((&unknown["severity"], &unknown["line"]), (&"error".into(), &3.into()));
    assert_eq!((&unknown["column"], &unknown["end_column"]), (&1.into(), &5.into()));
    let sarif: Value = serde_json::from_str(&printed(&desk, &command, "sarif")).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let count = |file: &Value| file["problems"].as_array().unwrap().len();
    assert_eq!(results.len(), count(small) + count(wrong));
    let unknown = results.iter().find(|one| one["ruleId"] == "unknown-key-in").unwrap();
    let place = &unknown["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "wrong.toml");
    assert_eq!(place["region"]["startLine"], 3);
    let junit = printed(&desk, &command, "junit");
    let errors = wrong["errors"].as_u64().unwrap() as usize;
    assert_eq!(junit.matches("<failure ").count(), errors);
    assert_eq!(junit.matches("<testcase ").count(), errors + 1);
    let markdown = printed(&desk, &command, "markdown");
    expect_markdown(&markdown);
    assert!(markdown.starts_with("## ✗ 1 of 2 scenarios cannot be used\n"), "{markdown}");
    assert!(markdown.contains("- wrong.toml:3:1: error: unknown key"), "{markdown}");
}
