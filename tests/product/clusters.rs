//! `docs/CLUSTERS.md` does what it says, and the container's recipe copies what there is.

use std::fs;
use std::path::Path;

use crate::desk::{Desk, err, out};

/// The commands of a guide in order, each with what it is said to print.
fn console(guide: &str) -> Vec<(String, String)> {
    let blocks = guide.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next());
    let commands = blocks.flat_map(|block| block.split("$ ").skip(1));
    let parts = commands.filter_map(|part| part.split_once('\n'));
    parts.map(|(command, shown)| (command.to_owned(), shown.to_owned())).collect()
}

/// A text without how wide columns are, and without the pace of a shard.
fn plain(text: &str) -> Vec<String> {
    let line = |line: &str| {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        // A row of shards: number, state, replications, pace, starts, last written.
        if words.last() == Some(&"–") && words.len() == 6 {
            words[3] = "pace";
        }
        words.join(" ")
    };
    text.lines().map(line).filter(|line| !line.is_empty()).collect()
}

#[test]
fn the_guide_to_clusters_shows_what_happens() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_to_string(root.join("docs/CLUSTERS.md")).unwrap();
    let desk = Desk::new();
    fs::create_dir(desk.path("scenarios")).unwrap();
    fs::copy(root.join("scenarios/steady.toml"), desk.path("scenarios/steady.toml")).unwrap();
    let commands = console(&guide);
    assert!(commands.len() >= 6, "{commands:?}");
    for (command, shown) in commands {
        let words: Vec<&str> = command.split(' ').collect();
        assert_eq!(words[0], "brownout", "{command}");
        let ended = desk.run(&words[1..]);
        let (out, err) = (out(&ended), err(&ended));
        let printed = if out.is_empty() { &err } else { &out };
        let home = fs::canonicalize(desk.path("")).unwrap();
        let printed = printed.replace(home.to_str().unwrap(), "/home/you");
        assert_eq!(plain(&printed), plain(&shown), "{command}\n{err}");
    }
}

#[test]
fn the_recipe_of_the_container_copies_what_there_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let recipe = fs::read_to_string(root.join("docs/Containerfile")).unwrap();
    let ignored = fs::read_to_string(root.join("docs/Containerfile.dockerignore")).unwrap();
    let copies = recipe.lines().filter_map(|line| line.strip_prefix("COPY "));
    let of_checkout = copies.filter(|copy| !copy.starts_with("--from"));
    let paths: Vec<&str> = of_checkout
        .flat_map(|copy| copy.split(' ').collect::<Vec<_>>().split_last().unwrap().1.to_vec())
        .collect();
    assert!(paths.len() >= 4, "{paths:?}");
    for path in &paths {
        assert!(root.join(path).exists(), "{path} is not there");
        assert!(ignored.lines().any(|line| line == format!("!{path}")), "{path} is ignored");
    }
    assert!(recipe.contains("--locked") && recipe.contains("\nUSER 65532:65532\n"));
}

#[test]
fn the_guide_names_the_variables_that_are_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_to_string(root.join("docs/CLUSTERS.md")).unwrap();
    // What is read is named by the program where nothing is set.
    let desk = Desk::with("");
    let said = err(&desk.run(&["run", "small.toml", "--shard", "auto"]));
    let names = said.split("none of ").nth(1).and_then(|rest| rest.split(" is set").next());
    let names: Vec<&str> = names.unwrap().split(", ").collect();
    assert_eq!(names.len(), 8, "{said}");
    for name in names {
        assert!(guide.contains(&format!("`{name}`")), "{name} is not in the guide");
    }
}
