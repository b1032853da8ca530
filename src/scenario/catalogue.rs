//! The tiers in which the product is sold, as a table with where each column comes from.

use crate::scenario::reader::Mark;
use crate::scenario::section::gateway::{Catalogue, Tier, size};
use crate::scenario::sources::address;
use crate::scenario::text::Word;

/// The releases whose ratings are known.
pub const RELEASES: [&str; 4] = ["1.11", "1.12", "1.13", "1.14"];
/// The one that holds where a scenario names none.
pub const LATEST: &str = "1.14";

/// What is known or assumed of a tier.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TierFacts {
    /// Its word in scenarios.
    pub tier: &'static str,
    /// CPU of one replica.
    pub cores: f64,
    /// Requests per second that the vendor rates the whole gateway for.
    pub rating: f64,
    /// Requests per second of one replica at full CPU.
    pub saturation: f64,
    /// The replicas that it is sold with.
    pub least: usize,
    /// The replicas that it scales to.
    pub most: usize,
}

/// A column of the table, and where it comes from.
pub struct TierColumn {
    /// Its name.
    pub name: &'static str,
    /// How well founded it is.
    pub mark: Mark,
    /// Where it comes from.
    pub source: &'static str,
    /// What it means.
    pub about: &'static str,
}

impl TierColumn {
    /// Where its source can be read, if it can.
    pub fn address(&self) -> Option<&'static str> {
        address("gateway.tier", self.source)
    }
}

const PREREQUISITES: &str = "gateway prerequisites page";
const PRODUCT: &str = "product page";

/// The columns after the tier.
pub static COLUMNS: [TierColumn; 6] = [
    TierColumn {
        name: "rating",
        mark: Mark::Documented,
        source: PREREQUISITES,
        about: "requests per second of the gateway as a whole, with as many replicas as it has \
                at most",
    },
    TierColumn {
        name: "cores",
        mark: Mark::Assumed,
        source: "nothing is published",
        about: "CPU of one replica (gateway.cores)",
    },
    TierColumn {
        name: "at full CPU",
        mark: Mark::Inferred,
        source: "the rating over the most replicas at 70 % of their CPU; Small from 1.12 on has \
                 room to spare",
        about: "requests per second of one replica (gateway.cpu-per-request)",
    },
    TierColumn {
        name: "memory",
        mark: Mark::Assumed,
        source: "nothing is published, so there is no limit unless gateway.memory is written",
        about: "memory limit of one replica",
    },
    TierColumn {
        name: "replicas",
        mark: Mark::Documented,
        source: PRODUCT,
        about: "two at least, in different zones; Large and Extra Large scale to three by CPU",
    },
    TierColumn {
        name: "entitlement",
        mark: Mark::Documented,
        source: PREREQUISITES,
        about: "what it is paid with; an Extra Large takes two Large",
    },
];

/// The tiers of a release, from the smallest on.
pub fn tiers(release: &str) -> Vec<TierFacts> {
    let words = Catalogue::WORDS.iter().find(|(word, _)| *word == release);
    let release = words.map_or(Catalogue::V1_14, |(_, release)| *release);
    let facts = |(word, tier): &(&'static str, Tier)| {
        let size = size(*tier, release)?;
        let (least, most) = (2, if tier.scales() { 3 } else { 2 });
        let (cores, rating, saturation) = (size.cores, size.rating, size.saturation);
        Some(TierFacts { tier: word, cores, rating, saturation, least, most })
    };
    Tier::WORDS.iter().filter_map(facts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_what_scenarios_get() {
        let words: Vec<&str> = Catalogue::WORDS.iter().map(|(word, _)| *word).collect();
        assert_eq!(words, RELEASES);
        assert_eq!(RELEASES.last(), Some(&LATEST));
        let tiers = |release| super::tiers(release).iter().map(|one| one.tier).collect::<Vec<_>>();
        assert_eq!(tiers("1.14"), ["small", "large", "xlarge"]);
        assert_eq!(tiers("1.11"), ["small", "large"]);
        let large = super::tiers(LATEST)[1];
        assert_eq!((large.cores, large.rating, large.most), (1.0, 1_500.0, 3));
        let is_read = |column: &&TierColumn| column.address().is_some();
        let read: Vec<&str> = COLUMNS.iter().filter(is_read).map(|column| column.name).collect();
        assert_eq!(read, ["rating", "replicas", "entitlement"]);
    }
}
