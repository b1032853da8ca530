//! What a reader is told about a scenario that is not sound, and that no text does any harm.
//!
//! Every `tests/problems/NAME.toml` is a bad file and `NAME.txt` is what it gives. After a change
//! of wording, `UPDATE_GOLDEN=1 cargo test --test product problems` writes the texts anew.

use std::path::{Path, PathBuf};

use brownout::diagnostic::{Severity, any_error, render};
use brownout::scenario::edit::set;
use brownout::scenario::keys::{reference, section};
use brownout::scenario::read::{load, parse};
use proptest::prelude::*;

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> =
        paths.filter(|path| path.extension() == Some("toml".as_ref())).collect();
    files.sort();
    files
}

fn shown(path: &Path) -> String {
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).expect("readable");
    let loaded = parse(&name, &text, path.parent().expect("a folder"));
    let folder = format!("{}/", path.parent().expect("a folder").display());
    render(&loaded.source, &loaded.problems, false).replace(&folder, "")
}

#[test]
fn every_bad_file_is_explained_as_it_was_before() {
    let files = files("tests/problems");
    assert!(files.len() >= 25, "only {} bad files", files.len());
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut changed = Vec::new();
    for path in files {
        let (golden, now) = (path.with_extension("txt"), shown(&path));
        assert!(!now.is_empty(), "{} has no problem", path.display());
        if update {
            std::fs::write(&golden, &now).expect("written");
        } else if std::fs::read_to_string(&golden).unwrap_or_default() != now {
            changed.push(format!("--- {}\n{now}", path.display()));
        }
    }
    assert!(changed.is_empty(), "UPDATE_GOLDEN=1 accepts these:\n{}", changed.join("\n"));
}

#[test]
fn every_shipped_scenario_loads_without_an_error() {
    let files = files("scenarios");
    assert!(files.len() >= 12, "only {} scenarios", files.len());
    for path in files {
        let loaded = load(&path);
        let text = render(&loaded.source, &loaded.problems, false);
        assert!(loaded.scenario.is_some(), "{text}");
    }
}

#[test]
fn property_37_runtime_fabric_needs_an_ingress_that_terminates_tls() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sound = folder.join("scenarios/runtime-fabric.toml");
    assert!(load(&sound).scenario.is_some());
    let text = std::fs::read_to_string(sound).expect("readable");
    let terminates = "tls = \"terminates\"";
    assert_eq!(text.matches(terminates).count(), 1);
    for instead in ["", "tls = \"passes-through\""] {
        let loaded = parse("any.toml", &text.replace(terminates, instead), folder);
        let errors = loaded.problems.iter().filter(|one| one.severity == Severity::Error);
        let titles: Vec<&str> = errors.map(|one| one.title.as_str()).collect();
        assert!(loaded.scenario.is_none());
        assert_eq!(titles, ["on Runtime Fabric the ingress must terminate TLS"]);
    }
}

#[test]
fn warnings_alone_do_not_forbid_a_run() {
    let loaded =
        load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/overload-and-recovery.toml"));
    assert!(loaded.problems.iter().all(|problem| problem.severity == Severity::Warning));
    assert!(!loaded.problems.is_empty() && loaded.scenario.is_some());
}

#[test]
fn what_cannot_be_read_gives_one_clean_problem() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.path().join(name), bytes).expect("written");
        folder.path().join(name)
    };
    for (path, part) in [
        (folder.path().to_owned(), "a directory"),
        (folder.path().join("none.toml"), "no such file"),
        (write("binary.toml", &[0, 159, 146, 150]), "not UTF-8"),
        (write("huge.toml", &vec![b'#'; 2 << 20]), "larger than"),
    ] {
        let loaded = load(&path);
        assert!(loaded.scenario.is_none());
        let text = render(&loaded.source, &loaded.problems, false);
        assert!(loaded.problems.len() == 1 && text.contains(part), "{text}");
    }
}

/// Reads and renders, which must neither panic nor contradict itself.
fn survives(text: &str) {
    let loaded = parse("any.toml", text, Path::new("/nonexistent"));
    assert_eq!(loaded.scenario.is_none(), any_error(&loaded.problems));
    render(&loaded.source, &loaded.problems, true);
}

#[test]
fn texts_made_to_hurt_do_no_harm() {
    let deep = 100_000;
    for text in [
        "[".repeat(deep),
        "{".repeat(deep),
        format!("a = {}", "[".repeat(deep)),
        format!("a = {}{}", "[".repeat(deep), "]".repeat(deep)),
        format!("a = {}", "{a=".repeat(deep)),
        format!("a{} = 1", ".a".repeat(deep)),
        format!("[a{}]", ".a".repeat(deep)),
        "[[fault]]\n".repeat(deep),
        "[[traffic.change]]\nkind=\"step\"\n".repeat(20_000),
        format!("question = \"{}\"", "x".repeat(1 << 19)),
        format!("{} = 1", "x".repeat(1 << 19)),
        format!("[topology]\nzones = [{}]", "\"z\",".repeat(deep)),
        format!("[startup]\nboot = \"empirical({})\"", "1ms,".repeat(deep)),
        format!("[startup]\nboot = \"{}\"", "uniform(".repeat(deep)),
        format!("objectives = [{}]", "\"p99 < 1s\",".repeat(50_000)),
        "a = 1\n".repeat(deep),
        "\u{feff}question = \"?\"".to_owned(),
        (0..60_000).map(|key| format!("key{key} = 1\n")).collect(),
        format!("[topology]\nzones = [{}]", "1,".repeat(deep)),
        "a = \u{0}".to_owned(),
        "\r\r\r\n = = =".to_owned(),
    ] {
        survives(&text);
    }
}

#[test]
fn other_line_ends_and_a_byte_order_mark_change_nothing() {
    let good = sample();
    let plan = |text: &str| {
        let loaded = parse("any.toml", text, Path::new(""));
        let shown = render(&loaded.source, &loaded.problems, false);
        loaded.scenario.unwrap_or_else(|| panic!("{shown}")).plan
    };
    assert_eq!(plan(&good.replace('\n', "\r\n")), plan(&good));
    assert_eq!(plan(&format!("\u{feff}{good}")), plan(&good));
}

/// The text of a shipped scenario.
fn sample() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/random-failures-day.toml");
    std::fs::read_to_string(path).expect("shipped")
}

proptest! {
    #[test]
    fn no_setting_of_a_value_makes_the_editor_panic(
        path in "[a-z.\\[\\]0-9]{0,9}|fault.crash.at|run.seed|objectives|fault\\[2\\].cpu",
        value in "\\PC{0,12}",
        at in 0..900_usize,
    ) {
        let good: String = sample().chars().take(at).collect();
        if let Ok(text) = set(&good, &path, &value) {
            survives(&text);
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,400}") {
        survives(&text);
    }

    #[test]
    fn no_change_of_a_good_file_makes_the_reader_panic(
        at in 0..900_usize,
        cut in 0..40_usize,
        patch in prop_oneof!["\\PC{0,12}", "[\\[\\]{}\"'=,.#\n0-9a-z-]{0,12}"],
    ) {
        let good: Vec<char> = sample().chars().collect();
        let (at, end) = (at.min(good.len()), (at + cut).min(good.len()));
        let mut text: String = good[..at].iter().collect();
        text.push_str(&patch);
        text.extend(&good[end..]);
        survives(&text);
    }

    #[test]
    fn no_value_makes_the_reader_panic(
        key in prop::sample::select(reference().collect::<Vec<_>>()),
        value in prop_oneof![
            "\"\\PC{0,20}\"",
            Just("nan".to_owned()), Just("-inf".to_owned()), Just("-1".to_owned()),
            Just("99999999999999999999".to_owned()), Just("1e999".to_owned()),
            Just("\"99999999999999999999d\"".to_owned()), Just("\"100y\"".to_owned()),
            Just("\"uniform(0s, 36500d)\"".to_owned()), Just("\"36500d\"".to_owned()),
            Just("[]".to_owned()), Just("[[[]]]".to_owned()), Just("{}".to_owned()),
            Just("18446744073709551615".to_owned()), Just("[18446744073709551615]".to_owned()),
            Just("1979-05-27".to_owned()), Just("\"1000000000/s\"".to_owned()),
            Just("0".to_owned()), Just("\"0s\"".to_owned()), Just("true".to_owned()),
        ],
    ) {
        let header = match key.section {
            "" => String::new(),
            name => format!("{}\n", section(name).expect("its section").header()),
        };
        let line = format!("{header}{} = {value}\n", key.name);
        survives(&line);
        let least = "question = \"?\"\ntraffic.rate = \"1/s\"\nrun.horizon = \"1d\"\n";
        survives(&format!("{least}{line}"));
    }
}
