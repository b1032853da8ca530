//! Which file of `src` uses which other, and the circles among them.
//!
//! A path counts where it stands, in a `use` or in the code, and leads to the file that defines the
//! name: `pub use` in a parent is followed to the child, and is no use of it by the parent.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Source, is_name};

/// A module as its path from the root: `model::replica`; the root itself is empty.
type Module = Vec<String>;

/// The files, what each uses, and what its parents hand on.
pub struct Imports {
    modules: BTreeMap<Module, String>,
    /// Names that a module hands on, and where they are from.
    exports: BTreeMap<(Module, String), Module>,
    uses: BTreeMap<Module, BTreeSet<Module>>,
}

/// The module of a file; `None` for `main.rs`, a program of its own.
fn module_of(source: &Source) -> Option<Module> {
    let names = source.path.iter().skip(1).map(|name| name.to_string_lossy().into_owned());
    let mut module: Module = names.collect();
    match module.pop()?.trim_end_matches(".rs") {
        "main" => return None,
        "mod" | "lib" => {}
        file => module.push(file.to_owned()),
    }
    Some(module)
}

/// The `use` declarations of a code (visibility, tree), and what is left without them.
fn declarations(code: &str) -> (Vec<(bool, String)>, String) {
    let (mut found, mut rest, mut inside) = (Vec::new(), String::new(), None);
    for line in code.lines() {
        let text = line.trim_start();
        let is_public = text.starts_with("pub ") || text.starts_with("pub(");
        let tree =
            if is_public { text.split_once(' ').map_or(text, |(_, tree)| tree) } else { text };
        if inside.is_none() && tree.starts_with("use ") {
            inside = Some((is_public, String::new()));
        }
        let Some((_, tree_so_far)) = &mut inside else {
            rest.extend([line, "\n"]);
            continue;
        };
        *tree_so_far += tree.strip_prefix("use ").unwrap_or(tree);
        if tree_so_far.contains(';') {
            found.extend(inside.take());
        }
    }
    (found, rest)
}

/// The paths of a tree of imports: `a::{b, c::d}` has two.
fn flatten(tree: &str) -> Vec<Vec<String>> {
    let tree = tree.trim().trim_end_matches(';').trim();
    let Some(open) = tree.find('{') else {
        let name = tree.split(" as ").next().unwrap_or(tree);
        return vec![name.split("::").map(|part| part.trim().to_owned()).collect()];
    };
    let head: Vec<String> = tree[..open]
        .split("::")
        .map(|part| part.trim().to_owned())
        .filter(|p| !p.is_empty())
        .collect();
    let inside = &tree[open + 1..tree.rfind('}').unwrap_or(tree.len())];
    let (mut depth, mut start, mut parts) = (0_i32, 0, Vec::new());
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => parts.push(&inside[std::mem::replace(&mut start, at + 1)..at]),
            _ => {}
        }
    }
    parts.push(&inside[start..]);
    let parts = parts.into_iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(flatten).map(|path| [&head[..], &path[..]].concat()).collect()
}

/// Paths with `::` in code without declarations.
fn inline_paths(code: &str) -> Vec<Vec<String>> {
    let words = code.split(|c: char| !is_name(c) && c != ':');
    let paths = words.filter(|word| word.contains("::") && !word.starts_with(':'));
    paths.map(|path| path.split("::").map(str::to_owned).collect()).collect()
}

impl Imports {
    pub fn of(sources: &[Source]) -> Self {
        let mut imports =
            Imports { modules: BTreeMap::new(), exports: BTreeMap::new(), uses: BTreeMap::new() };
        let files: Vec<(Module, &Source)> = sources
            .iter()
            .filter(|source| !source.product().is_empty())
            .filter_map(|source| module_of(source).map(|module| (module, source)))
            .collect();
        for (module, source) in &files {
            imports.modules.insert(module.clone(), source.path.display().to_string());
        }
        for (module, source) in &files {
            for (_, tree) in declarations(source.product()).0.iter().filter(|(public, _)| *public) {
                for path in flatten(tree) {
                    imports.export(module, &path);
                }
            }
        }
        for (module, source) in &files {
            let (trees, rest) = declarations(source.product());
            let trees = trees.iter().filter(|(public, _)| !public);
            let paths = trees.flat_map(|(_, tree)| flatten(tree)).chain(inline_paths(&rest));
            let used = paths.filter_map(|path| imports.resolve(module, &path, 0));
            let used: BTreeSet<Module> = used.filter(|used| used != module).collect();
            imports.uses.insert(module.clone(), used);
        }
        imports
    }

    fn export(&mut self, module: &Module, path: &[String]) {
        if let (Some(name), Some(from)) = (path.last(), self.absolute(module, path)) {
            self.exports.insert((module.clone(), name.clone()), from);
        }
    }

    /// A path from the root of the crate; `None` if it leads elsewhere.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Module> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => self.absolute(module, rest).or_else(|| Some([&module[..], rest].concat())),
            "super" => {
                let parent = module[..module.len().checked_sub(1)?].to_vec();
                match rest.first().map(String::as_str) {
                    Some("super") => self.absolute(&parent, rest),
                    _ => Some([&parent[..], rest].concat()),
                }
            }
            child => {
                let below = [&module[..], &[child.to_owned()]].concat();
                self.modules.contains_key(&below).then(|| [&module[..], path].concat())
            }
        }
    }

    /// The module that defines what a path names.
    fn resolve(&self, module: &Module, path: &[String], depth: usize) -> Option<Module> {
        let whole = self.absolute(module, path)?;
        let known = |length: &usize| self.modules.contains_key(&whole[..*length]);
        let length = (0..=whole.len()).rev().find(known)?;
        let owner = whole[..length].to_vec();
        let name = whole.get(length);
        let from = name.and_then(|name| self.exports.get(&(owner.clone(), name.clone())));
        match from {
            Some(from) if depth < 5 => {
                let path = [&["crate".to_owned()][..], &from[..]].concat();
                self.resolve(&owner, &path, depth + 1)
            }
            // A module as a whole, without an item of it, is only named.
            _ if name.is_none() && path.len() < 2 => None,
            _ => Some(owner),
        }
    }

    fn reached(&self, from: &Module) -> BTreeSet<&Module> {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(module) = next.pop() {
            let new = self.uses.get(module).into_iter().flatten().filter(|used| seen.insert(*used));
            next.extend(new.collect::<Vec<_>>());
        }
        seen
    }

    /// Files that use each other, if by way of others: each circle's files, and what of each other
    /// they use.
    pub fn circles(&self) -> Vec<Vec<String>> {
        let reached: BTreeMap<&Module, BTreeSet<&Module>> =
            self.modules.keys().map(|module| (module, self.reached(module))).collect();
        let (mut circles, mut done) = (Vec::new(), BTreeSet::new());
        for module in self.modules.keys() {
            if !reached[module].contains(module) || done.contains(module) {
                continue;
            }
            let back = |other: &&Module| reached[other].contains(module);
            let circle: BTreeSet<&Module> = reached[module].iter().copied().filter(back).collect();
            done.extend(circle.iter().copied());
            let line = |one: &&Module| {
                let within = self.uses[*one].iter().filter(|used| circle.contains(used));
                let names: Vec<&str> = within.map(|used| self.modules[used].as_str()).collect();
                format!("{} uses {}", self.modules[*one], names.join(", "))
            };
            circles.push(circle.iter().map(line).collect());
        }
        circles
    }
}

#[test]
fn circles_are_found_and_re_exports_are_none() {
    let source = |path: &str, code: &str| Source {
        path: path.into(),
        text: code.to_owned(),
        code: code.to_owned(),
    };
    let circles = |children: [&str; 2], parent: &str| {
        let [one, other] = children;
        let sources = [
            source("src/a/mod.rs", parent),
            source("src/a/one.rs", one),
            source("src/a/other.rs", other),
        ];
        Imports::of(&sources).circles().concat().len()
    };
    let declares = "mod one;\nmod other;\npub struct Top;\n";
    assert_eq!(circles(["use super::Top;", "use super::one::One;"], declares), 0);
    assert_eq!(circles(["use super::other::Other;", "fn f() { super::one::f() }"], declares), 2);
    let hands_on = "mod one;\nmod other;\npub use one::{One, f};\npub struct Top;\n";
    assert_eq!(circles(["use super::Top;", "use crate::a::{One, Top};"], hands_on), 0);
    assert_eq!(circles(["use super::other::Other;", "use crate::a::One;"], hands_on), 2);
    let uses = "mod one;\nmod other;\nuse one::One;\npub struct Top;\n";
    assert_eq!(circles(["use crate::a::Top;", ""], uses), 2);
    let inline = "mod one;\nmod other;\npub struct Top;\nfn f() { one::f() }\n";
    assert_eq!(circles(["use super::{\n    Top,\n};", ""], inline), 2);
    assert_eq!(circles(["fn f() { std::mem::take(x) }", "use crate::a::one;"], inline), 0);
}
