//! The shape of `src`: rooms, pages, names, circles, assertions.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::expect_none;
use crate::imports::Imports;
use crate::source::{Source, is_name, sources};

const FILES_OF_FOLDER: usize = 12;
const LINES_OF_PAGE: usize = 8;
const ASSERTIONS_PER_THOUSAND: usize = 20;

/// The folders of `src` with their files.
fn folders(all: &[Source]) -> BTreeMap<&Path, Vec<&Source>> {
    let mut folders: BTreeMap<&Path, Vec<&Source>> = BTreeMap::new();
    for source in all {
        folders.entry(source.path.parent().unwrap_or(&source.path)).or_default().push(source);
    }
    folders
}

/// A struct in a `mod.rs` with its methods in files of that folder is no circle; see [`Imports`].
#[test]
fn no_files_use_each_other_in_a_circle() {
    let circles = Imports::of(&sources(&["src"])).circles().concat();
    expect_none("imports have no circles", circles);
}

#[test]
fn no_folder_has_more_than_a_dozen_files() {
    let all = sources(&["src"]);
    let full = folders(&all).into_iter().filter(|(_, files)| files.len() > FILES_OF_FOLDER);
    let full = full.map(|(folder, files)| format!("{}: {}", folder.display(), files.len()));
    expect_none("folders have at most a dozen files", full.collect());
}

#[test]
fn every_folder_opens_with_a_page() {
    let all = sources(&["src"]);
    let is_page = |source: &&&Source| {
        let name = source.path.file_name().unwrap_or_default();
        let lines = source.text.lines().take_while(|line| line.starts_with("//!")).count();
        (name == "mod.rs" || name == "lib.rs") && lines >= LINES_OF_PAGE
    };
    let folders = folders(&all).into_iter();
    let without = folders.filter(|(_, files)| files.iter().find(is_page).is_none());
    let without = without.map(|(folder, _)| folder.display().to_string());
    expect_none("mod.rs opens with a page", without.collect());
}

/// What no file declares is not compiled, and a test in it passes by doing nothing.
#[test]
fn every_file_is_a_module_of_another() {
    let all = sources(&["src", "tests", "benches"]);
    let declares = |source: &Source, name: &str| {
        source.code.contains(&format!("mod {name};"))
            || source.text.contains(&format!("#[path = \"{name}.rs\"]"))
    };
    let is_lost = |source: &&Source| {
        let (folder, file) = (source.path.parent().unwrap(), source.path.file_stem().unwrap());
        let name = file.to_string_lossy().into_owned();
        let (place, name) = match name.as_str() {
            // A folder is a target, or a module of the folder above.
            "main" | "lib" => return false,
            "mod" => (folder.parent().unwrap(), folder.file_name().unwrap().to_string_lossy()),
            _ => (folder, name.as_str().into()),
        };
        let is_target = place == Path::new("benches");
        let mut beside = all.iter().filter(|other| other.path.parent() == Some(place));
        let shared = format!("#[path = \"../{name}/mod.rs\"]");
        let is_shared = || all.iter().any(|other| other.text.contains(&shared));
        !beside.any(|other| declares(other, &name)) && !is_target && !is_shared()
    };
    let lost = all.iter().filter(is_lost).map(|source| source.path.display().to_string());
    expect_none("every file is compiled", lost.collect());
}

/// The types that a file declares outside functions, modules and implementations, and public ones
/// in macros.
fn types(source: &Source) -> Vec<String> {
    let name = |line: &str| {
        let bare = line.trim_start();
        let line = if bare.starts_with("pub") { bare } else { line };
        let line = match line.strip_prefix("pub") {
            Some(rest) => rest.trim_start_matches(|c| c != ' ').trim_start(),
            None => line,
        };
        let (word, rest) = line.split_once(' ')?;
        let is_type = ["struct", "enum", "trait", "type"].contains(&word);
        is_type.then(|| rest.chars().take_while(|c| is_name(*c)).collect())
    };
    source.product().lines().filter_map(name).collect()
}

#[test]
fn the_name_of_a_type_stands_once() {
    let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources(&["src"]) {
        for name in types(&source) {
            places.entry(name).or_default().insert(source.path.display().to_string());
        }
    }
    assert!(places.len() > 100, "the types were not found");
    let twice = places.into_iter().filter(|(_, files)| files.len() > 1);
    let join = |files: BTreeSet<String>| files.into_iter().collect::<Vec<_>>().join(", ");
    let twice = twice.map(|(name, files)| format!("{name}: {}", join(files)));
    expect_none("a type has a name of its own", twice.collect());
}

#[test]
fn engine_and_model_say_what_they_rely_on() {
    for module in ["engine", "model"] {
        let (mut lines, mut assertions) = (0, 0);
        for source in sources(&[&format!("src/{module}")]) {
            lines += source.product().lines().count();
            let words = source.product().split(|c: char| !is_name(c) && c != '!');
            let is_assertion = |word: &&str| {
                let word = word.strip_prefix("debug_").unwrap_or(word);
                ["assert!", "assert_eq!", "assert_ne!"].contains(&word)
            };
            assertions += words.filter(is_assertion).count();
        }
        let wanted = lines * ASSERTIONS_PER_THOUSAND / 1_000;
        assert!(lines > 0, "src/{module} was not found");
        assert!(
            assertions >= wanted,
            "src/{module} has {assertions} assertions in {lines} lines, not {wanted}"
        );
    }
}
