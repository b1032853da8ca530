//! A section: every value is taken from the file or from its default, every problem is noted, and
//! reading goes on.

use std::cell::RefCell;
use std::ops::{Deref, Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Flaw, Place, Problem};
use crate::scenario::reader::key::{KeySpec, Only, SectionSpec, TypedKey};
use crate::scenario::reader::notes::Notes;
use crate::scenario::reader::setting::{Mark, Setting};
use crate::scenario::text::value::{Located, Node, Value};
use crate::units::Span;

/// What is shorter than this and repeats only takes time to simulate.
const PERIOD_LEAST: Span = Span(1_000_000);

/// A section of the file, or one that the file leaves out.
pub(crate) struct SectionReader<'r> {
    notes: &'r Notes<'r>,
    spec: &'static SectionSpec,
    /// Its place in the order of the reference.
    order: usize,
    /// Position among the elements of an array of tables, from 1; 0 for a plain section.
    element: usize,
    table: Option<&'r DeTable<'r>>,
    /// Its header.
    pub(crate) place: Place,
    /// The keys that were said to have no effect.
    idle: RefCell<Vec<&'static str>>,
}

/// A value and where it comes from.
#[derive(Clone, Debug)]
pub(crate) struct Parsed<T> {
    /// The value; a default if what is written is wrong.
    pub(crate) value: T,
    /// Where it is written, or the section that lacks it.
    pub(crate) place: Place,
    /// Whether it is written in the file.
    pub(crate) given: bool,
}

impl<T> From<&Parsed<T>> for Place {
    fn from(parsed: &Parsed<T>) -> Place {
        parsed.place.clone()
    }
}

impl From<&SectionReader<'_>> for Place {
    fn from(section: &SectionReader<'_>) -> Place {
        section.place.clone()
    }
}

/// What a section finds is noted of its file.
impl<'r> Deref for SectionReader<'r> {
    type Target = Notes<'r>;

    fn deref(&self) -> &Notes<'r> {
        self.notes
    }
}

impl<'r> SectionReader<'r> {
    /// A section of a table of the file, if it has one.
    pub(crate) fn new(
        notes: &'r Notes<'r>,
        (spec, order): (&'static SectionSpec, usize),
        element: usize,
        table: Option<&'r DeTable<'r>>,
        place: Place,
    ) -> SectionReader<'r> {
        SectionReader { notes, spec, order, element, table, place, idle: RefCell::default() }
    }
}

impl SectionReader<'_> {
    /// `ingress.hop`, `fault[2].at`.
    pub(crate) fn path(&self, key: &str) -> String {
        match (self.spec.name, self.element) {
            ("", _) => key.to_owned(),
            (name, 0) => format!("{name}.{key}"),
            (name, element) => format!("{name}[{element}].{key}"),
        }
    }

    /// Whether the file has this section.
    pub(crate) fn is_there(&self) -> bool {
        self.table.is_some()
    }

    /// Whether the file has this key.
    pub(crate) fn has(&self, key: &KeySpec) -> bool {
        self.written(key.name).is_some()
    }

    fn written(&self, key: &str) -> Option<&Spanned<DeValue<'_>>> {
        self.table.and_then(|table| table.get(key))
    }

    /// Where the key stands in the file; the section's place if it does not.
    pub(crate) fn key_place(&self, key: &KeySpec) -> Place {
        let entry = self.table.and_then(|table| table.get_key_value(key.name));
        entry.map_or_else(|| self.place.clone(), |(key, _)| Place::Span(key.span()))
    }

    /// What is written for a key as read by `read`, with its place; notes its flaws.
    fn value<T>(
        &self,
        key: &KeySpec,
        read: impl FnOnce(&Node<'_>) -> Result<T, Vec<Flaw>>,
    ) -> Option<(T, Range<usize>)> {
        let spanned = self.written(key.name)?;
        let (text, base, span) = (self.text, self.base, spanned.span());
        let node = Node { value: spanned.get_ref(), span: span.clone(), text, base };
        let flaws = match read(&node) {
            Ok(value) => return Some((value, span)),
            Err(flaws) => flaws,
        };
        for flaw in flaws {
            self.flaw(&span, flaw, &format!("expected {}", (key.kind)()));
        }
        None
    }

    /// A value that is written in the file, if it is there and sound.
    pub(crate) fn find<T: Value>(&self, key: TypedKey<T>) -> Option<Parsed<T>> {
        let (value, span) = self.value(&key, T::read)?;
        let shown = match value.is_long() {
            true => self.text.get(span.clone()).unwrap_or("").to_owned(),
            false => value.show(),
        };
        self.settle(&key, shown, Mark::Given, "this file");
        Some(Parsed { value, place: Place::Span(span), given: true })
    }

    /// A value that is written in the file, or the default that the table names.
    pub(crate) fn get<T: Value>(&self, key: TypedKey<T>) -> T {
        self.parsed(key).value
    }

    /// As [`SectionReader::get`], with its place.
    pub(crate) fn parsed<T: Value>(&self, key: TypedKey<T>) -> Parsed<T> {
        let default = T::parse(key.default).expect("a test reads every default of the table");
        self.get_or(key, default, key.mark, key.source)
    }

    /// A value that is written in the file, or this default, of which the table says where it comes
    /// from.
    pub(crate) fn or<T: Value>(&self, key: TypedKey<T>, default: T) -> Parsed<T> {
        self.get_or(key, default, key.mark, key.source)
    }

    /// A value that is written in the file, or this default.
    pub(crate) fn get_or<T: Value>(
        &self,
        key: TypedKey<T>,
        default: T,
        mark: Mark,
        source: &str,
    ) -> Parsed<T> {
        let found = self.find(key);
        found.unwrap_or_else(|| {
            match self.has(&key) {
                true => self.resolve(self.path(key.name), default.show()),
                false => self.settle(&key, default.show(), mark, source),
            }
            Parsed { value: default, place: self.place.clone(), given: self.has(&key) }
        })
    }

    /// A value that the file must have; `example` is a line that would do.
    pub(crate) fn require<T: Value>(&self, key: TypedKey<T>, example: &str) -> Option<Parsed<T>> {
        let misshaped = self.table.is_none() && self.place != Place::Whole;
        if !self.has(&key) && !misshaped {
            let title = format!("`{}` is missing", self.path(key.name));
            let home = match (self.table, self.spec.name) {
                (Some(_), _) => String::new(),
                (None, name) => format!(" in [{name}]"),
            };
            let help = format!("{} Write {example}{home}", key.about);
            self.note(
                Problem::missing(self.place.clone(), title).label("it belongs here").help(help),
            );
        }
        self.find(key)
    }

    /// A count within a range.
    pub(crate) fn count(&self, key: TypedKey<u64>, range: RangeInclusive<u64>) -> Parsed<u64> {
        self.within(key, range, self.parsed(key))
    }

    /// A value brought within its range, with an error if it was outside.
    pub(crate) fn within(
        &self,
        key: TypedKey<u64>,
        range: RangeInclusive<u64>,
        found: Parsed<u64>,
    ) -> Parsed<u64> {
        if !range.contains(&found.value) {
            let title = format!("`{}` is out of range", self.path(key.name));
            let label = format!("{} to {}", range.start(), range.end());
            self.note(Problem::error(found.place.clone(), title).label(label));
        }
        Parsed { value: found.value.clamp(*range.start(), *range.end()), ..found }
    }

    /// The same for a value that may be missing.
    pub(crate) fn bounded(
        &self,
        key: TypedKey<u64>,
        range: RangeInclusive<u64>,
        found: Option<Parsed<u64>>,
    ) -> Option<u64> {
        found.map(|found| self.within(key, range, found).value)
    }

    /// What the texts of a list read as; notes the flaws of those that read as nothing.
    pub(crate) fn each<T>(
        &self,
        texts: &[Located<String>],
        read: fn(&str) -> Option<T>,
        flaw: fn(&str) -> Flaw,
    ) -> Vec<T> {
        let read = |text: &Located<String>| {
            let read = read(&text.value);
            if read.is_none() {
                self.flaw(&text.span, flaw(&text.value), "");
            }
            read
        };
        texts.iter().filter_map(read).collect()
    }

    /// A time after which something repeats.
    pub(crate) fn period(&self, key: TypedKey<Span>) -> Parsed<Span> {
        let period = self.parsed(key);
        self.not_tiny(&key, &period);
        period
    }

    /// Notes an error if something would repeat too often.
    pub(crate) fn not_tiny(&self, key: &KeySpec, period: &Parsed<Span>) {
        if period.value < PERIOD_LEAST {
            let title = format!("`{}.{}` is too short", key.section, key.name);
            self.error(period, title, "write \"1ms\" or more");
        }
    }

    /// Notes that a key has no effect, and why; the first reason is the one that is given.
    pub(crate) fn idle(&self, key: &KeySpec, reason: &str) {
        let said = self.idle.borrow().contains(&key.name);
        // Who writes that something is off which is off by default wants no effect.
        let is_off = |node: &Node<'_>| Ok(node.value.as_bool() == Some(false));
        let is_off = self.value(key, is_off).is_some_and(|(is_off, _)| is_off);
        let is_off = is_off && key.default == "false";
        if !said && !is_off && self.value(key, key.check).is_some() {
            let title = format!("`{}` has no effect", self.path(key.name));
            self.note(Problem::warning(self.key_place(key), title).label(reason));
        }
        self.idle.borrow_mut().push(key.name);
    }

    /// Whether something is so on which a key depends, as far as it is known.
    fn holds(&self, only: &Only) -> bool {
        let value = |key: &str| {
            let path = if key.contains('.') { key.to_owned() } else { self.path(key) };
            self.value_at(&path)
        };
        match only {
            Only::With(keys) => keys.iter().any(|key| self.written(key).is_some()),
            Only::If(key, values) => value(key).is_none_or(|value| values.contains(&&*value)),
            Only::Unless(key, values, _) => {
                value(key).is_none_or(|value| !values.contains(&&*value))
            }
        }
    }

    fn settle(&self, key: &KeySpec, value: String, mark: Mark, source: &str) {
        let key_at = self.spec.keys.iter().position(|one| one.name == key.name).unwrap_or(0);
        let setting = Setting { path: self.path(key.name), value, mark, source: source.to_owned() };
        self.notes.settle((self.order, self.element, key_at), setting);
    }
}

impl Drop for SectionReader<'_> {
    /// Notes the keys that are written but depend on what is not so.
    fn drop(&mut self) {
        for key in self.spec.keys.iter().filter(|key| self.has(key)) {
            if let Some(only) = key.only.iter().find(|only| !self.holds(only)) {
                self.idle(key, &only.reason());
            }
        }
    }
}
