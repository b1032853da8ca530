//! The format: every key with its type, its default, how well founded the default is, and what it
//! means. Reading, guessing at misspelt keys, listing and documenting all use this one table, which
//! stands in three files in its reading order.

pub use crate::scenario::key::Entry;
pub(crate) use crate::scenario::key::Key;
pub(crate) use crate::scenario::keys_around::{api, clients, policy, tls, upstream};
pub(crate) use crate::scenario::keys_cluster::{
    autoscaler, detection, fault, nodes, probes, run, startup, termination, upgrade,
};
pub(crate) use crate::scenario::keys_entry::{
    bursts, change, gateway, ingress, top, topology, traffic,
};
use crate::scenario::{keys_around, keys_cluster, keys_entry};

/// The sections, in the order of the reference; the empty name is the top of the file.
pub const SECTIONS: [&str; 21] = [
    "",
    "gateway",
    "topology",
    "ingress",
    "traffic",
    "traffic.change",
    "traffic.bursts",
    "clients",
    "api",
    "policy",
    "upstream",
    "tls",
    "startup",
    "probes",
    "detection",
    "termination",
    "nodes",
    "upgrade",
    "autoscaler",
    "fault",
    "run",
];

/// The sections that may appear more than once, in double brackets.
pub const LISTS: [&str; 5] = ["traffic.change", "api", "policy", "upstream", "fault"];

/// Every key of the format, section by section.
pub fn reference() -> Vec<Entry> {
    let parts = [keys_entry::entries(), keys_around::entries(), keys_cluster::entries()];
    parts.concat()
}

/// The names of the keys of a section.
pub(crate) fn names(section: &str) -> &'static [&'static str] {
    let parts = [keys_entry::names, keys_around::names, keys_cluster::names];
    parts.iter().find_map(|names| names(section)).unwrap_or(&[])
}

/// The name of a section in the brackets that its header has.
pub fn header(section: &str) -> String {
    if LISTS.contains(&section) { format!("[[{section}]]") } else { format!("[{section}]") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_described_and_belongs_to_a_known_section() {
        for entry in reference() {
            assert!(SECTIONS.contains(&entry.section), "{}", entry.section);
            assert!(names(entry.section).contains(&entry.name), "{}", entry.name);
            assert!(
                entry.about.ends_with('.'),
                "{}.{} is not described",
                entry.section,
                entry.name
            );
            let founded = entry.default.is_empty() || !entry.source.is_empty();
            assert!(founded, "{}.{} has a default without a source", entry.section, entry.name);
        }
    }
}
