//! Which file of `src` uses which other, and the circles among them.
//!
//! A path counts where it stands, in a `use` or in the code, and leads to the file that defines the
//! name: `pub use` in a parent is followed to the child, and is no use of it by the parent. The
//! scope of a visibility, `pub(in path)`, is no use.
//!
//! One thing is no circle: a struct in a folder's `mod.rs` and its methods in the files of that
//! folder, by subject. A use of a `mod.rs` by a file below it does not count if all that the file
//! uses of it are structs to which it adds an `impl`, and if all that the `mod.rs` uses of the file
//! are the types of fields of its structs.

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

/// What a file uses of each other, by name; a name is empty where the whole module is meant.
type Used = BTreeMap<Module, BTreeSet<String>>;

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
    let code = code.replace("pub(in crate::", "pub(in ");
    let words = code.split(|c: char| !is_name(c) && c != ':');
    let paths = words.filter(|word| word.contains("::") && !word.starts_with(':'));
    paths.map(|path| path.split("::").map(str::to_owned).collect()).collect()
}

/// The words in the bodies of structs that a code declares.
fn words_of_fields(code: &str) -> BTreeSet<&str> {
    let (mut words, mut inside) = (BTreeSet::new(), false);
    for line in code.lines() {
        if inside && !line.starts_with('}') {
            words.extend(line.split(|c: char| !is_name(c)));
        }
        let declares = line.starts_with("struct ") || line.contains(") struct ");
        inside = (inside && !line.starts_with('}'))
            || ((declares || line.starts_with("pub struct ")) && line.ends_with('{'));
    }
    words
}

/// Whether a code adds an `impl` to this type.
fn implements(code: &str, name: &str) -> bool {
    let heads = code.lines().filter(|line| line.starts_with("impl"));
    heads.into_iter().any(|head| head.split(|c: char| !is_name(c)).any(|word| word == name))
}

/// Whether a file only adds methods to structs of its folder's `mod.rs`, and that only holds its
/// types.
fn adds_methods(part: (&str, &Used, &Module), whole: (&str, &Used, &Module)) -> bool {
    let ((part, used, file), (code, held, folder)) = (part, whole);
    let structs = words_after(code, "struct ");
    let fields = words_of_fields(code);
    let is_below = file.len() > folder.len() && file.starts_with(folder);
    let adds = |name: &String| structs.contains(name.as_str()) && implements(part, name);
    let holds = |name: &String| fields.contains(name.as_str());
    is_below && used[folder].iter().all(adds) && held.get(file).is_none_or(|n| n.iter().all(holds))
}

fn words_after<'c>(code: &'c str, before: &str) -> BTreeSet<&'c str> {
    let rests = code.split(before).skip(1);
    rests.filter_map(|rest| rest.split(|c: char| !is_name(c)).next()).collect()
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
        let used: BTreeMap<&Module, Used> =
            files.iter().map(|(module, source)| (module, imports.used(module, source))).collect();
        let codes: BTreeMap<&Module, &str> =
            files.iter().map(|(module, source)| (module, source.product())).collect();
        for (module, own) in &used {
            let counts = |other: &&Module| {
                let whole = (codes[*other], &used[*other], *other);
                !adds_methods((codes[*module], own, module), whole)
            };
            imports.uses.insert((*module).clone(), own.keys().filter(counts).cloned().collect());
        }
        imports
    }

    fn used(&self, module: &Module, source: &Source) -> Used {
        let (trees, rest) = declarations(source.product());
        let trees = trees.iter().filter(|(public, _)| !public);
        let paths = trees.flat_map(|(_, tree)| flatten(tree)).chain(inline_paths(&rest));
        let mut used = Used::new();
        for (owner, name) in paths.filter_map(|path| self.resolve(module, &path, 0)) {
            if owner != *module {
                used.entry(owner).or_default().insert(name);
            }
        }
        used
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

    /// The module that defines what a path names, and the name.
    fn resolve(&self, module: &Module, path: &[String], depth: usize) -> Option<(Module, String)> {
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
            _ => Some((owner, name.cloned().unwrap_or_default())),
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
    let uses = "mod one;\nmod other;\nuse one::One;\npub struct Top;\nfn f() { One::g() }\n";
    assert_eq!(circles(["use crate::a::Top;", ""], uses), 2);
    let inline = "mod one;\nmod other;\npub struct Top;\nfn f() { one::f() }\n";
    assert_eq!(circles(["use super::{\n    Top,\n};", ""], inline), 2);
    assert_eq!(circles(["fn f() { std::mem::take(x) }", "use crate::a::one;"], inline), 0);
    assert_eq!(circles(["pub(in crate::a) struct One;", ""], inline), 0);
    let holds = "mod one;\nmod other;\nuse one::One;\npub struct Top {\n    one: One,\n}\n";
    assert_eq!(circles(["use super::Top;\nimpl Top {}", ""], holds), 0);
    assert_eq!(circles(["use super::Top;\nfn f(top: &Top) {}", ""], holds), 2);
    let asks = format!("{holds}fn f() {{ one::f() }}\n");
    assert_eq!(circles(["use super::Top;\nimpl Top {}", ""], &asks), 2);
    assert_eq!(circles(["use super::Top;\nimpl Top {}", "use super::Top;\nimpl Top {}"], holds), 0);
    assert_eq!(
        circles(
            ["use super::Top;\nimpl Top {}\nuse super::other::B;", "use super::one::A;"],
            holds
        ),
        2
    );
}
