//! `report.html`, the page of every command. `tests/html` opens it in a real browser.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::desk::{Desk, err, out};

/// The most that the page of a run of ten minutes may take.
const MOST: usize = 300_000;

fn page(desk: &Desk, folder: &str) -> String {
    fs::read_to_string(desk.path("results").join(folder).join("report.html")).unwrap()
}

/// A text as a page has it.
fn escaped(text: &str) -> String {
    let plain = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    plain.replace('"', "&quot;")
}

/// Asserts that a page is one document that asks nothing of others: no address stands where a
/// browser would fetch it.
fn assert_alone(page: &str) {
    assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">") && page.ends_with("</html>\n"));
    for tag in page.split('<').filter_map(|piece| piece.split('>').next()) {
        let name = tag.split([' ', '/']).next().unwrap_or("");
        assert!(
            !["iframe", "object", "embed", "base", "img", "image", "use"].contains(&name),
            "{tag}"
        );
        assert!(!tag.contains(" src=") && !tag.contains(" srcset="), "{tag}");
        let fetched = tag.contains("href=\"http") || tag.contains("href=\"//");
        assert!(name == "a" || !fetched, "{tag}");
        assert!(!tag.contains("javascript:"), "{tag}");
    }
    for word in ["@import", "url(http", "fetch(", "XMLHttpRequest", "import("] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(page.contains("content=\"default-src 'none';"), "a policy forbids the network");
}

/// The identities of a document.
fn identities(page: &str) -> Vec<&str> {
    page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn the_page_of_a_run_of_ten_minutes_is_small_complete_and_alone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fresh = tempfile::tempdir().unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_brownout"))
        .current_dir(root)
        .args(["run", "scenarios/replica-crash.toml", "--quiet", "--output"])
        .arg(fresh.path())
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(1), "{}", err(&done));
    let file = |name: &str| fs::read_to_string(fresh.path().join("replica-crash").join(name));
    let (page, summary) = (file("report.html").unwrap(), file("summary.json").unwrap());
    assert!(page.len() <= MOST, "{} bytes", page.len());
    assert_alone(&page);
    let summary: Value = serde_json::from_str(&summary).unwrap();
    let texts = |list: &str, field: &str| -> Vec<String> {
        let all = summary[list].as_array().unwrap().iter();
        all.map(|one| one[field].as_str().unwrap_or_default().to_owned()).collect()
    };
    let told = [texts("objectives", "text"), texts("objectives", "verdict")].concat();
    let told = [told, texts("caveats", "message"), texts("caveats", "remedy")].concat();
    assert!(told.len() > 12, "{told:?}");
    for text in told {
        assert!(page.contains(&escaped(&text)), "{text}");
    }
    let settings = Command::new(env!("CARGO_BIN_EXE_brownout"))
        .current_dir(root)
        .args(["check", "scenarios/replica-crash.toml", "--settings"])
        .output()
        .unwrap();
    let settings = out(&settings);
    assert!(settings.lines().count() > 50);
    // Below the table stands where sources can be read.
    for line in settings.lines().skip(1).take_while(|line| line.starts_with("  ")) {
        let fields: Vec<&str> =
            line.split("  ").map(str::trim).filter(|one| !one.is_empty()).collect();
        assert_eq!(fields.len(), 4, "{line}");
        for field in fields {
            assert!(page.contains(&escaped(field)), "{field}");
        }
    }
    for part in ["brownout run scenarios/replica-crash.toml", "brownout rerun manifest.json"] {
        assert!(page.contains(part), "{part}");
    }
    let all = identities(&page);
    let once: std::collections::BTreeSet<&&str> = all.iter().collect();
    assert!(all.len() > 10 && once.len() == all.len(), "{all:?}");
}

/// The data that the page explores agree with the files beside it.
#[test]
fn what_can_be_explored_is_what_the_files_have() {
    let desk = Desk::with("\"p99 < 100s\"");
    assert_eq!(desk.code(&["run", "small.toml", "--no-charts"]), 0);
    let page = page(&desk, "small");
    let (_, data) = page.split_once("<script id=\"told-data\" type=\"application/json\">").unwrap();
    let data: Value = serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap();
    let rows = fs::read_to_string(desk.path("results/small/timeline.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(rows.as_bytes());
    let header = reader.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|cell| cell == name).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.unwrap()).collect();
    let of = |replica: &str, name: &str| -> Vec<f64> {
        let own = rows.iter().filter(|row| &row[column("replica")] == replica);
        own.map(|row| row[column(name)].parse().unwrap_or(f64::NAN)).collect()
    };
    let told = |values: &Value| -> Vec<f64> {
        let all = values.as_array().unwrap().iter();
        all.map(|value| value.as_f64().unwrap_or(f64::NAN)).collect()
    };
    let near = |told: Vec<f64>, kept: Vec<f64>, of: &str| {
        assert!(told.len() == kept.len() && told.len() >= 60, "{of}: {}", told.len());
        for (told, kept) in told.iter().zip(&kept) {
            let alike = (told - kept).abs() <= 0.001 * kept.abs() + 0.5;
            assert!(alike || told.is_nan() && kept.is_nan(), "{of}: {told} and {kept}");
        }
    };
    let step = data["step"].as_f64().unwrap();
    for (name, key) in [("offered", "sent"), ("served", "served")] {
        let rates = of("all", name).iter().map(|count| count / step).collect();
        near(told(&data[key]), rates, name);
    }
    near(told(&data["p99"]), of("all", "p99_ms"), "p99");
    let cpu = |who: &str| of(who, "cpu").iter().map(|share| 100.0 * share).collect();
    near(told(&data["cpu"]), cpu("all"), "CPU");
    let lanes = data["lanes"].as_array().unwrap();
    assert!(lanes.len() >= 2);
    for lane in lanes {
        near(told(&lane["cpu"]), cpu(lane["name"].as_str().unwrap()), "CPU of a replica");
    }
}

#[test]
fn hostile_words_stay_words() {
    let desk = Desk::with("\"p99 < 100s\"");
    let text = fs::read_to_string(desk.path("small.toml")).unwrap();
    let hostile =
        "</script><script>alert(1)</script><img src=x onerror=alert(2)> 'a' & \\\"b\\\" <!--";
    let text = text.replace("Does it hold?", hostile);
    assert!(text.contains("alert(2)"), "{text}");
    fs::write(desk.path("<i>small.toml"), text + "# <b>bold</b>\n").unwrap();
    let done = desk.run(&["run", "<i>small.toml", "--name", "small"]);
    assert_eq!(done.status.code(), Some(0), "{}", err(&done));
    let page = page(&desk, "small");
    assert_alone(&page);
    assert_eq!(page.matches("</script>").count(), 2, "the data and the script");
    for tag in ["<img", "<b>bold", "<i>", "<!--"] {
        assert!(!page.contains(tag), "{tag}");
    }
    for text in ["&lt;img src=x onerror=alert(2)&gt;", "&lt;b&gt;bold", "&lt;i&gt;small"] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn every_command_has_a_page_with_or_without_charts() {
    let desk = Desk::with("\"p99 < 100s\", \"availability >= 99%\"");
    let crash = "\n[[fault]]\nname = \"crash\"\nkind = \"replica-crash\"\n";
    let text = fs::read_to_string(desk.path("small.toml")).unwrap() + crash;
    fs::write(desk.path("small.toml"), text.clone() + "at = \"20s\"\n").unwrap();
    fs::write(desk.path("often.toml"), text + "every = \"exponential(30d)\"\n").unwrap();
    let plan = "plan small.toml --judged 30s -n 3 --tolerance 10% --no-sensitivity --tier large \
                --mode replica-loss";
    let commands = [
        ("small", "run small.toml", "Where every request ended"),
        ("compare-small", "compare small.toml --tier large --tier small", "large"),
        ("sweep-small", "sweep small.toml --set traffic.rate=50/s,100/s", "Cell by cell"),
        ("plan-small", plan, "a replica is lost"),
        ("availability-often", "availability often.toml --requests 2M", "In the long run"),
    ];
    for (folder, command, part) in commands {
        for (charts, least) in [(&["--no-charts"][..], 0), (&[], 1)] {
            let words: Vec<&str> = command.split_whitespace().collect();
            let done = desk.run(&[&words[..], charts, &["--quiet"]].concat());
            assert!(matches!(done.status.code(), Some(0 | 1 | 3)), "{command}: {}", err(&done));
            let page = page(&desk, folder);
            assert_alone(&page);
            let drawn = page.matches("<svg ").count();
            assert!(if least == 0 { drawn == 0 } else { drawn >= least }, "{command}: {drawn}");
            let shared = ["id=\"verdict\"", "Caveats", "Assumptions", "How to reproduce"];
            for part in shared.into_iter().chain([part]) {
                assert!(page.contains(part), "{command}: {part}");
            }
            let manifest = desk.path("results").join(folder).join("manifest.json");
            let manifest = fs::read_to_string(manifest).unwrap();
            let manifest: Value = serde_json::from_str(&manifest).unwrap();
            let digest = manifest["runs"][0]["outcomes"][0].as_str().unwrap();
            assert!(page.contains(digest), "{command}: {digest}");
        }
    }
}
