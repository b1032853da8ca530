//! What is noted of a file while it is read: problems, settings, and the values of keys.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use crate::diagnostic::{Flaw, Place, Problem, Severity};
use crate::scenario::reader::setting::Setting;

/// Section, element and key in the order of the reference.
pub(crate) type SettingOrder = (usize, usize, usize);

/// A file while it is read, with the problems and settings that have been found.
pub(crate) struct Notes<'r> {
    /// The file.
    pub(crate) text: &'r str,
    /// The folder that paths in the file start from.
    pub(crate) base: &'r Path,
    problems: RefCell<Vec<Problem>>,
    settings: RefCell<Vec<(SettingOrder, Setting)>>,
    /// The values of all keys that were asked for, by path.
    values: RefCell<BTreeMap<String, String>>,
    /// How a file was read from which traffic comes.
    replay_said: RefCell<Vec<String>>,
}

impl<'r> Notes<'r> {
    /// Nothing of a file yet.
    pub(crate) fn new(text: &'r str, base: &'r Path) -> Notes<'r> {
        let (problems, settings, values, replay_said) = Default::default();
        Notes { text, base, problems, settings, values, replay_said }
    }

    /// Notes a problem.
    pub(crate) fn note(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    /// Notes an error with its remedy.
    pub(crate) fn error(
        &self,
        place: impl Into<Place>,
        title: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.note(Problem::error(place.into(), title).help(help));
    }

    /// Notes a warning with its remedy.
    pub(crate) fn warn(
        &self,
        place: impl Into<Place>,
        title: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.note(Problem::warning(place.into(), title).help(help));
    }

    /// Notes a flaw of the value at `span`; `expected` stands under the caret unless it says more.
    pub(crate) fn flaw(&self, span: &Range<usize>, flaw: Flaw, expected: &str) {
        let place = Place::Span(flaw.range.unwrap_or(span.clone()));
        let label = if flaw.label.is_empty() { expected } else { &flaw.label };
        self.note(Problem::error(place, flaw.title).label(label).helps(flaw.help));
    }

    /// Whether reading this notes no error.
    pub(crate) fn is_sound<T>(&self, read: impl FnOnce() -> T) -> (T, bool) {
        let errors = || {
            let problems = self.problems.borrow();
            problems.iter().filter(|problem| problem.severity == Severity::Error).count()
        };
        let before = errors();
        let read = read();
        (read, errors() == before)
    }

    /// Notes what a key comes to, though it is no setting.
    pub(crate) fn resolve(&self, path: String, value: String) {
        self.values.borrow_mut().insert(path, value);
    }

    /// Notes a setting.
    pub(crate) fn settle(&self, order: SettingOrder, setting: Setting) {
        self.resolve(setting.path.clone(), setting.value.clone());
        self.settings.borrow_mut().push((order, setting));
    }

    /// What the key at a path comes to, if it was asked for.
    pub(crate) fn value_at(&self, path: &str) -> Option<String> {
        self.values.borrow().get(path).cloned()
    }

    /// Notes how the file was read from which traffic comes.
    pub(crate) fn say_replay(&self, said: Vec<String>) {
        self.replay_said.borrow_mut().extend(said);
    }

    /// All problems, in the order in which they were found, the settings in the order of the
    /// reference, and how a file of traffic was read.
    pub(crate) fn finish(self) -> (Vec<Problem>, Vec<Setting>, Vec<String>) {
        let mut settings = self.settings.into_inner();
        settings.sort_by_key(|(order, _)| *order);
        let settings = settings.into_iter().map(|(_, setting)| setting).collect();
        (self.problems.into_inner(), settings, self.replay_said.into_inner())
    }
}
