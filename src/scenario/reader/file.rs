//! A file and its sections.

use std::ops::Deref;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Place, Problem, clip, suggestion, synonyms};
use crate::scenario::reader::key::{KeySpec, SectionSpec};
use crate::scenario::reader::notes::Notes;
use crate::scenario::reader::section::SectionReader;

/// A file in a format, which hands out its sections.
pub(crate) struct Reader<'r> {
    /// What has been found in it.
    pub(crate) notes: Notes<'r>,
    format: &'static [&'static SectionSpec],
    top: &'r DeTable<'r>,
}

impl<'r> Deref for Reader<'r> {
    type Target = Notes<'r>;

    fn deref(&self) -> &Notes<'r> {
        &self.notes
    }
}

impl<'r> Reader<'r> {
    /// Before anything is read of a file in this format; notes unknown keys of its top.
    pub(crate) fn new(
        text: &'r str,
        base: &'r Path,
        top: &'r DeTable<'r>,
        format: &'static [&'static SectionSpec],
    ) -> Reader<'r> {
        Reader { notes: Notes::new(text, base), format, top }
    }

    /// Whether the file has any of these sections.
    pub(crate) fn has_any(&self, specs: &[&SectionSpec]) -> bool {
        specs.iter().any(|spec| self.find(spec).is_some())
    }

    fn find(&self, spec: &SectionSpec) -> Option<&'r Spanned<DeValue<'r>>> {
        match spec.home() {
            ("", name) => self.top.get(name),
            (home, name) => self.top.get(home).and_then(|home| home.get_ref().get(name)),
        }
    }

    /// A section; notes unknown keys.
    pub(crate) fn section(&'r self, spec: &'static SectionSpec) -> SectionReader<'r> {
        if spec.name.is_empty() {
            return self.read(spec, 0, Some(self.top), Place::Whole);
        }
        let Some(node) = self.find(spec) else { return self.read(spec, 0, None, Place::Whole) };
        let (name, place) = (spec.name, Place::Span(node.span()));
        match node.get_ref() {
            DeValue::Table(table) => return self.read(spec, 0, Some(table), place),
            DeValue::Array(_) => self.error(
                place.clone(),
                format!("`{name}` appears once, not as a list"),
                format!("write [{name}] with single brackets"),
            ),
            _ => self.error(
                place.clone(),
                format!("`{name}` is a section, not a value"),
                format!("write [{name}] on a line of its own and its keys below"),
            ),
        }
        self.read(spec, 0, None, place)
    }

    /// Where a key of a section stands, for whoever looks across sections: its section's place, or
    /// the file's, if it does not.
    pub(crate) fn place_of(&self, spec: &'static SectionSpec, key: &KeySpec) -> Place {
        let Some(node) = self.find(spec) else { return Place::Whole };
        let table = node.get_ref().as_table();
        let entry = table.and_then(|table| table.get_key_value(key.name));
        Place::Span(entry.map_or_else(|| node.span(), |(key, _)| key.span()))
    }

    /// Whether a key of a section is written.
    pub(crate) fn writes(&self, spec: &'static SectionSpec, key: &KeySpec) -> bool {
        let table = self.find(spec).and_then(|node| node.get_ref().as_table());
        table.is_some_and(|table| table.get(key.name).is_some())
    }

    /// The only element of an array of tables that the file leaves out.
    pub(crate) fn implied(&'r self, spec: &'static SectionSpec) -> SectionReader<'r> {
        self.read(spec, 1, None, Place::Whole)
    }

    /// The elements of an array of tables, `limit` at most; notes unknown keys.
    pub(crate) fn elements(
        &'r self,
        spec: &'static SectionSpec,
        limit: usize,
    ) -> Vec<SectionReader<'r>> {
        let Some(node) = self.find(spec) else { return Vec::new() };
        let (name, place) = (spec.name, Place::Span(node.span()));
        let Some(array) = node.get_ref().as_array() else {
            let help = format!("write [[{name}]] with double brackets, once per {}", spec.home().1);
            self.error(place, format!("`{name}` is a list of tables"), help);
            return Vec::new();
        };
        if array.len() > limit {
            let title = format!("{} times [[{name}]] is more than {limit}", array.len());
            self.error(place, title, "leave some out");
            return Vec::new();
        }
        let element = |(index, node): (usize, &'r Spanned<DeValue<'r>>)| {
            let table = node.get_ref().as_table();
            if table.is_none() {
                let help = format!("write [[{name}]] on a line of its own and its keys below");
                self.error(Place::Span(node.span()), format!("`{name}` is a list of tables"), help);
            }
            Some(self.read(spec, index + 1, Some(table?), Place::Span(node.span())))
        };
        array.iter().enumerate().filter_map(element).collect()
    }

    fn read(
        &'r self,
        spec: &'static SectionSpec,
        element: usize,
        table: Option<&'r DeTable<'r>>,
        place: Place,
    ) -> SectionReader<'r> {
        let keys = table.into_iter().flat_map(|table| table.iter().map(|(key, _)| key));
        for key in keys.filter(|key| !self.known(spec).any(|known| known == key.get_ref())) {
            let word = key.get_ref().as_ref();
            let title = match spec.name {
                "" => format!("unknown key `{}`", clip(word)),
                name => format!("unknown key `{}` in [{name}]", clip(word)),
            };
            let line = spec.instead.iter().find(|(other, _)| *other == word);
            let meant = self.called_here(spec, word);
            let help = line
                .map(|(_, line)| format!("write {line}"))
                .or_else(|| meant.here.clone())
                .or_else(|| self.elsewhere(spec, word))
                .or(meant.elsewhere)
                .or_else(|| suggestion(word, self.known(spec).collect::<Vec<_>>()));
            self.note(Problem::error(Place::Span(key.span()), title).helps(help));
        }
        let order = self.format.iter().position(|one| one.name == spec.name).unwrap_or(0);
        SectionReader::new(&self.notes, (spec, order), element, table, place)
    }

    /// The keys of a section and the sections within it.
    fn known(&self, spec: &'static SectionSpec) -> impl Iterator<Item = &'static str> {
        let homes = self.format.iter().map(|inner| inner.home());
        let inner = homes.filter(|(home, name)| *home == spec.name && !name.is_empty());
        spec.keys.iter().map(|key| key.name).chain(inner.map(|(_, name)| name))
    }

    /// The section in which a key of this name belongs, if it is another; all of two or three.
    fn elsewhere(&self, spec: &SectionSpec, key: &str) -> Option<String> {
        const TOLD: usize = 3;
        let others = self.format.iter().filter(|other| other.name != spec.name);
        let homes: Vec<_> = others.filter(|other| other.key(key).is_some()).collect();
        if homes.first()?.name.is_empty() {
            return Some(format!(
                "`{key}` belongs to the top of the file, above the first section"
            ));
        }
        let told = if homes.len() <= TOLD { &homes[..] } else { &homes[..1] };
        let told: Vec<String> = told.iter().map(|home| home.header()).collect();
        Some(format!("`{key}` belongs in {}", told.join(" or ")))
    }

    /// What a key of others is called here, and where it belongs.
    fn called_here(&self, spec: &SectionSpec, word: &str) -> CalledHere {
        let mut meant = CalledHere { here: None, elsewhere: None };
        let mut others = Vec::new();
        for path in synonyms::settings(word) {
            let (home, key) = path.rsplit_once('.').unwrap_or(("", path));
            let section = self.format.iter().find(|section| section.name == home);
            let header = section.map_or_else(String::new, |section| section.header());
            match home {
                _ if path.starts_with('[') => others.push(format!("{path} and its keys below")),
                _ if home == spec.name => meant.here = Some(format!("write `{key}`")),
                "" => others.push(format!("`{key}` at the top of the file")),
                _ => others.push(format!("`{key}` in {header}")),
            }
        }
        meant.elsewhere = (!others.is_empty()).then(|| format!("write {}", others.join(" or ")));
        meant
    }
}

/// What a word of others is called here.
struct CalledHere {
    /// In the section in which it stands.
    here: Option<String>,
    /// In others.
    elsewhere: Option<String>,
}
