//! Things with names: APIs, policies and upstreams, and how they name one another.

use crate::diagnostic::{Place, clip, suggestion};
use crate::scenario::reader::{Parsed, SectionReader, TypedKey};
use crate::scenario::text::is_name;

/// Something with a name, and its header.
pub(crate) struct Named<T> {
    pub(crate) name: String,
    pub(crate) plan: T,
    pub(crate) place: Place,
}

/// The names of all, in order.
pub(crate) fn names<T>(all: &[Named<T>]) -> Vec<&str> {
    all.iter().map(|one| one.name.as_str()).collect()
}

/// Reads every section of a list, each with the name that it must have.
pub(crate) fn read_all<T>(
    sections: &[SectionReader<'_>],
    (kind, kinds): (&str, &str),
    (key, example): (TypedKey<String>, &str),
    mut read: impl FnMut(&SectionReader<'_>, &str) -> T,
) -> Vec<Named<T>> {
    let mut all = Vec::new();
    for section in sections {
        let name = section.require(key, example);
        let name = sound_name(section, name, (kind, kinds), &names(&all));
        let (plan, place) = (read(section, &name), section.place.clone());
        all.push(Named { name, plan, place });
    }
    all
}

/// A name as it is given, checked against those of the same kind; empty if it is missing.
pub(crate) fn sound_name(
    section: &SectionReader<'_>,
    name: Option<Parsed<String>>,
    (kind, kinds): (&str, &str),
    used: &[&str],
) -> String {
    let Some(Parsed { value, place, .. }) = name else { return String::new() };
    if !is_name(&value) {
        let title = format!("{:?} cannot name this {kind}", clip(&value));
        section.error(place, title, "use letters, digits, -, _ and .");
    } else if used.contains(&value.as_str()) {
        let title = format!("two {kinds} are called {value:?}");
        section.error(place, title, format!("give every {kind} a name of its own"));
    }
    value
}

/// The place of a name among those of a kind; notes an error if it is none of them.
pub(crate) fn find(
    section: &SectionReader<'_>,
    name: &str,
    place: Place,
    kind: &str,
    names: &[&str],
) -> Option<usize> {
    let found = names.iter().position(|other| *other == name);
    if found.is_none() {
        let help = suggestion(name, names.iter().copied());
        let help = help.unwrap_or_else(|| format!("write a [[{kind}]] with this name"));
        section.error(place, format!("no {kind} is called {:?}", clip(name)), help);
    }
    found
}
