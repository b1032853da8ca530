//! Rust sources as the rules see them: comments and literals blanked, lines kept.

use std::path::{Path, PathBuf};

/// A source file.
pub struct Source {
    /// Path from the root of the package.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// Its text with comments and the contents of literals replaced by spaces.
    pub code: String,
}

/// A function: where it begins and how many lines it takes.
pub struct Function {
    pub line: usize,
    pub lines: usize,
}

impl Source {
    /// The module directly under `src` that the file belongs to: `model` for `src/model/plan.rs`.
    pub fn module(&self) -> String {
        let first = self.path.iter().nth(1).unwrap_or_default().to_string_lossy();
        first.trim_end_matches(".rs").to_owned()
    }

    /// `path:line` for a byte offset into the code.
    pub fn place(&self, offset: usize) -> String {
        let line = self.code[..offset].matches('\n').count() + 1;
        format!("{}:{line}", self.path.display())
    }

    /// The code before the unit tests; nothing if the whole file is tests.
    pub fn product(&self) -> &str {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with("tests.rs") {
            return "";
        }
        // Only a module of tests ends the product; `mod tests;` and a single function do not.
        let tests = self.code.find("#[cfg(test)]\nmod tests {");
        &self.code[..tests.unwrap_or(self.code.len())]
    }

    /// Every function with a body.
    pub fn functions(&self) -> Vec<Function> {
        let starts = self.code.match_indices("fn ").map(|(at, _)| at);
        let is_word = |at: &usize| {
            let before = self.code[..*at].chars().next_back();
            let after = self.code[at + 3..].chars().next();
            !before.is_some_and(is_name) && after.is_some_and(is_name)
        };
        starts.filter(is_word).filter_map(|at| self.function(at)).collect()
    }

    fn function(&self, at: usize) -> Option<Function> {
        let (mut depth, mut nested) = (0, 0);
        for (offset, c) in self.code[at..].char_indices() {
            match c {
                '(' | '[' => nested += 1,
                ')' | ']' => nested -= 1,
                ';' if depth == 0 && nested == 0 => return None,
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => continue,
            }
            if c == '}' && depth == 0 {
                let line = self.code[..at].matches('\n').count() + 1;
                let lines = self.code[at..at + offset].matches('\n').count() + 1;
                return Some(Function { line, lines });
            }
        }
        None
    }
}

/// Whether a character may stand in a name.
pub fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Every source file under these folders of the package, in order of path.
pub fn sources(folders: &[&str]) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    folders.iter().for_each(|folder| collect(&root.join(folder), &mut paths));
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a source file is text");
        let code = blank(&text);
        let path = path.strip_prefix(root).expect("a path below the root").to_owned();
        Source { path, text, code }
    };
    paths.into_iter().map(read).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            // A package by itself is no part of this one.
            if !path.join("Cargo.toml").exists() {
                collect(&path, paths);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

/// The text with comments and literals blanked.
pub fn blank(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(first) = rest.chars().next() {
        let (hidden, length) = match literal(rest, out.chars().next_back()) {
            0 => (false, first.len_utf8()),
            length => (true, length),
        };
        let (taken, left) = rest.split_at(length);
        let shown = |c: char| if hidden && c != '\n' { ' ' } else { c };
        out.extend(taken.chars().map(shown));
        rest = left;
    }
    out
}

/// Length of the comment or literal that `text` begins with; 0 if it begins with neither.
fn literal(text: &str, before: Option<char>) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with('"') {
        return closed_by_quote(text, '"');
    }
    if text.starts_with('r') && !before.is_some_and(is_name) {
        return raw_string(text);
    }
    if text.starts_with('\'') { character(text) } else { 0 }
}

fn closed_by_quote(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn raw_string(text: &str) -> usize {
    let hashes = text[1..].chars().take_while(|c| *c == '#').count();
    if !text[1 + hashes..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let from = 2 + hashes;
    text[from..].find(&end).map_or(text.len(), |at| from + at + end.len())
}

/// A character literal; 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.chars().skip(1);
    match (chars.next(), chars.next()) {
        (Some('\\'), _) | (Some(_), Some('\'')) => closed_by_quote(text, '\''),
        _ => 0,
    }
}
