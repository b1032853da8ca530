//! The house rules, as tests. Each shows every offender at once.

mod imports;
mod shape;
mod source;

use source::{Source, blank, is_name, sources};

const LINES_OF_FILE: usize = 600;
const LINES_OF_FUNCTION: usize = 70;
const MEDIAN_OF_FUNCTION: usize = 10;
const COLUMNS: usize = 100;

/// Modules of `src` from the ground up: each may use those of its own layer and of those before.
const LAYERS: [&[&str]; 14] = [
    &["units", "quantity", "random", "diagnostic"],
    &["stats"],
    &["engine", "autoscaler", "policy"],
    &["plan"],
    &["observe"],
    &["metric"],
    &["model"],
    &["experiment"],
    &["objective", "verdict"],
    &["scenario"],
    &["study"],
    &["plot"],
    &["report"],
    &["cli"],
];

fn all() -> Vec<Source> {
    let all = sources(&["src", "tests", "benches"]);
    assert!(all.len() > 30, "the sources were not found");
    all
}

/// Sources of these modules of `src`, or of all others if `inside` is false.
fn modules(names: &[&str], inside: bool) -> Vec<Source> {
    let wanted = |source: &Source| names.contains(&source.module().as_str()) == inside;
    sources(&["src"]).into_iter().filter(wanted).collect()
}

fn expect_none(rule: &str, offenders: Vec<String>) {
    assert!(offenders.is_empty(), "{rule}:\n{}", offenders.join("\n"));
}

/// Places in the product code of `sources` where one of `words` stands alone.
fn uses(sources: &[Source], words: &[&str]) -> Vec<String> {
    let mut offenders = Vec::new();
    for source in sources {
        let code = source.product();
        for word in words {
            let alone = |at: &usize| !code[..*at].chars().next_back().is_some_and(is_name);
            let places = code.match_indices(word).map(|(at, _)| at).filter(alone);
            offenders.extend(places.map(|at| format!("{}: {word}", source.place(at))));
        }
    }
    offenders
}

/// What a file uses of the crate: place, module and the name after it.
fn references(source: &Source) -> Vec<(String, String, String)> {
    let code = source.product();
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        for path in paths(&code[at + "crate::".len()..]) {
            let (module, rest) = path.split_once("::").unwrap_or((&path, ""));
            found.push((source.place(at), module.to_owned(), rest.to_owned()));
        }
    }
    found
}

/// The paths that a text begins with: one, or those in braces.
fn paths(text: &str) -> Vec<String> {
    let plain = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| is_name(*c) || *c == ':').collect()
    };
    let Some(inside) = text.strip_prefix('{') else { return vec![plain(text)] };
    let (mut depth, mut starts) = (1, vec![0]);
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' if depth == 1 => starts.push(at + 1),
            _ => {}
        }
    }
    let found = starts.into_iter().map(|start| plain(&inside[start..]));
    found.filter(|path| !path.is_empty()).collect()
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

#[test]
fn every_module_uses_only_its_own_layer_and_those_below() {
    let mut offenders = Vec::new();
    for source in modules(&["lib", "main", "scenario"], false) {
        let Some(own) = layer(&source.module()) else {
            offenders.push(format!("{}: has no layer", source.path.display()));
            continue;
        };
        for (place, module, _) in references(&source) {
            if layer(&module).is_none_or(|other| other > own) {
                offenders.push(format!("{place}: {} uses {module}", source.module()));
            }
        }
    }
    expect_none("dependencies point one way", offenders);
}

#[test]
fn scenario_sees_the_plan_and_none_of_the_machinery() {
    let allowed = [
        "units",
        "quantity",
        "random",
        "objective",
        "diagnostic",
        "autoscaler",
        "policy",
        "plan",
        "scenario",
    ];
    let mut offenders = Vec::new();
    for source in modules(&["scenario"], true) {
        for (place, module, rest) in references(&source) {
            if !allowed.contains(&module.as_str()) {
                offenders.push(format!("{place}: {module}::{rest}"));
            }
        }
    }
    expect_none("scenario uses the plan and what the plan is made of", offenders);
}

#[test]
fn engine_policies_observers_and_model_know_no_statistics() {
    let used = |source: &Source| references(source);
    let sources = modules(&["engine", "policy", "observe", "model"], true);
    let to_stats = sources.iter().flat_map(used).filter(|(_, module, _)| module == "stats");
    expect_none("no statistics", to_stats.map(|(place, ..)| place).collect());
}

#[test]
fn the_engine_knows_no_word_of_gateways() {
    let mut offenders = Vec::new();
    for source in modules(&["engine"], true) {
        for (line, code) in source.code.lines().enumerate() {
            let code = code.to_lowercase().replace("replicat", "");
            let mut words = code.split(|c: char| !c.is_alphanumeric());
            let known = ["replica", "gateway", "zone", "ingress"];
            if known.iter().any(|word| code.contains(word)) || words.any(|word| word == "pod") {
                offenders.push(format!("{}:{}: {code}", source.path.display(), line + 1));
            }
        }
    }
    expect_none("the engine serves any model", offenders);
}

#[test]
fn nobody_but_the_command_line_prints_or_asks_for_time_or_environment() {
    let words =
        ["print!", "println!", "eprint!", "eprintln!", "dbg!", "std::time", "std::env", "stdin"];
    expect_none("only cli talks to the world", uses(&modules(&["cli", "main"], false), &words));
}

#[test]
fn nobody_but_scenario_report_and_command_line_touches_files() {
    let outer = ["scenario", "report", "cli", "main"];
    let words = ["std::fs", "fs::", "File::"];
    expect_none("files stay at the rim", uses(&modules(&outer, false), &words));
}

#[test]
fn no_map_with_an_order_of_its_own_where_results_are_made() {
    let inner = ["engine", "policy", "model", "observe", "stats", "experiment"];
    expect_none(
        "order is part of the result",
        uses(&modules(&inner, true), &["HashMap", "HashSet"]),
    );
}

#[test]
fn no_function_is_long_and_half_of_them_are_short() {
    let (mut offenders, mut lengths) = (Vec::new(), Vec::new());
    for source in sources(&["src"]) {
        for function in source.functions() {
            lengths.push(function.lines);
            if function.lines > LINES_OF_FUNCTION {
                let path = source.path.display();
                offenders.push(format!("{path}:{}: {} lines", function.line, function.lines));
            }
        }
    }
    expect_none("functions have at most 70 lines", offenders);
    lengths.sort_unstable();
    assert!(lengths.len() > 100, "the functions were not found");
    let median = lengths[lengths.len() / 2];
    assert!(median < MEDIAN_OF_FUNCTION, "half of the functions have {median} lines or more");
}

#[test]
fn no_file_is_over_600_lines() {
    let long = |source: &Source| {
        let lines = source.text.lines().count();
        (lines > LINES_OF_FILE).then(|| format!("{}:{lines}", source.path.display()))
    };
    expect_none("files have at most 600 lines", all().iter().filter_map(long).collect());
}

#[test]
fn no_line_is_over_100_columns() {
    let mut offenders = Vec::new();
    for source in all() {
        let columns = source.text.lines().map(|line| line.chars().count()).enumerate();
        let wide = columns.filter(|(_, columns)| *columns > COLUMNS);
        let path = source.path.display();
        offenders.extend(wide.map(|(line, columns)| format!("{path}:{}: {columns}", line + 1)));
    }
    expect_none("lines have at most 100 columns", offenders);
}

#[test]
fn folders_are_at_most_two_deep() {
    let deep = |source: &Source| source.path.iter().count() > 4;
    let paths = sources(&["src"]).into_iter().filter(deep);
    let offenders = paths.map(|source| format!("{}:1", source.path.display())).collect();
    expect_none("src has at most two levels of folders", offenders);
}

#[test]
fn the_readme_mentions_every_scenario() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let Ok(readme) = std::fs::read_to_string(root.join("README.md")) else {
        return; // not written yet: nothing it could miss
    };
    let entries = std::fs::read_dir(root.join("scenarios")).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let missed = names.filter(|name| name.ends_with(".toml") && !readme.contains(name.as_str()));
    let offenders = missed.map(|name| format!("README.md:1: does not mention scenarios/{name}"));
    expect_none("the README mentions every scenario", offenders.collect());
}

#[test]
fn what_is_said_of_other_simulators_can_be_repeated() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/performance.md")).expect("the page");
    let script = "benches/peers/run.py";
    assert!(page.contains(&format!("python3 {script}\n")), "docs/performance.md:1: no command");
    assert!(root.join(script).exists(), "docs/performance.md:1: there is no {script}");
}

#[test]
fn the_rules_read_code_and_not_comments_or_literals() {
    let text = "fn a<'b>(c: &'b str) { // fn d() {\n  '{'; '\\''; \"}\\\"}\"; r#\"}\"}\"#;\n}\n";
    let code = blank(text);
    assert_eq!(code.lines().count(), text.lines().count());
    assert_eq!((code.matches('{').count(), code.matches('}').count()), (1, 1));
    let source = Source { path: "src/a.rs".into(), text: text.to_owned(), code };
    let functions = source.functions();
    assert_eq!(functions.len(), 1);
    assert_eq!((functions[0].line, functions[0].lines), (1, 3));
    assert_eq!(paths("{units::{A, B}, random}; x"), ["units::", "random"]);
    assert_eq!(paths("plan::Plan;"), ["plan::Plan"]);
}
