//! The format: the tables of all sections, in the order of the reference. Reading, guessing at
//! misspelt keys, listing and documenting all follow from them.

use crate::scenario::request::{api, clients, policy, tls, upstream};
use crate::scenario::section::{autoscaler, gateway, nodes, objectives, run, startup, topology};
use crate::scenario::text::law;
use crate::scenario::{fault, ingress, region, traffic::format as traffic};

pub use crate::scenario::fault::{FaultKind, KINDS};
pub use crate::scenario::reader::key::{KeySpec, Only, SectionSpec};

/// Every section; the one with the empty name is the top of the file.
pub static FORMAT: [&SectionSpec; 24] = [
    &objectives::key::SPEC,
    &gateway::key::SPEC,
    &topology::key::SPEC,
    &ingress::key::SPEC,
    &traffic::key::SPEC,
    &traffic::change::SPEC,
    &traffic::bursts::SPEC,
    &clients::key::SPEC,
    &api::key::SPEC,
    &policy::key::SPEC,
    &upstream::key::SPEC,
    &tls::key::SPEC,
    &startup::key::SPEC,
    &startup::probes::SPEC,
    &startup::detection::SPEC,
    &nodes::termination::SPEC,
    &nodes::key::SPEC,
    &nodes::upgrade::SPEC,
    &autoscaler::key::SPEC,
    &region::section::region::SPEC,
    &region::section::global::SPEC,
    &region::section::control_plane::SPEC,
    &fault::key::SPEC,
    &run::key::SPEC,
];

/// The section of this name.
pub fn section(name: &str) -> Option<&'static SectionSpec> {
    FORMAT.iter().copied().find(|section| section.name == name)
}

/// How each law of a random duration is written, and what it means.
pub fn laws() -> impl Iterator<Item = (&'static str, &'static str)> {
    law::listed()
}

/// Every key of the format, section by section.
pub fn reference() -> impl Iterator<Item = &'static KeySpec> {
    FORMAT.iter().flat_map(|section| section.keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::synonyms;

    #[test]
    fn every_word_of_others_leads_to_something_that_there_is() {
        let headers: Vec<String> = FORMAT.iter().map(|section| section.header()).collect();
        for path in synonyms::all_settings() {
            let (home, name) = path.rsplit_once('.').unwrap_or(("", path));
            let is_key = section(home).is_some_and(|home| home.key(name).is_some());
            assert!(is_key || headers.iter().any(|header| header == path), "{path}");
        }
    }

    #[test]
    fn every_key_is_described_and_founded_and_depends_on_keys_that_there_are() {
        for key in reference() {
            let path = format!("{}.{}", key.section, key.name);
            assert!(key.about.ends_with('.'), "{path} is not described");
            let founded = key.default.is_empty() || !key.source.is_empty();
            assert!(founded, "{path} has a default without a source");
            for only in key.only {
                let others = match only {
                    Only::If(other, _) | Only::Unless(other, ..) => vec![*other],
                    Only::With(others) => others.to_vec(),
                };
                for other in others {
                    let (home, name) = other.split_once('.').unwrap_or((key.section, other));
                    let known = section(home).is_some_and(|home| home.key(name).is_some());
                    assert!(known, "{path} depends on {other}, which there is not");
                }
            }
        }
    }
}
