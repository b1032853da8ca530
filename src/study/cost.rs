//! What a gateway costs: entitlements as the vendor counts them, or prices that the user gives.

use std::collections::BTreeMap;

use crate::diagnostic::{Flaw, suggestion};
use crate::plan::RegionRole;
use crate::scenario::Scenario;

/// The tiers that have a price.
pub const TIERS: [&str; 3] = ["small", "large", "xlarge"];

/// The highest price that is taken for one.
const PRICE_MOST: f64 = 1e12;

/// What a gateway of each tier costs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prices {
    given: BTreeMap<String, f64>,
}

/// What one gateway costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    /// As a number, to compare by; `None` if it is in another currency, or unknown.
    pub amount: Option<f64>,
    /// In words: `2 Large`, `1200`.
    pub words: String,
}

impl Prices {
    /// Reads `small=300,large=1200,xlarge=2400`.
    ///
    /// # Errors
    /// A tier is unknown, or a price is no number from 0 to 10¹².
    pub fn read(text: &str) -> Result<Prices, Flaw> {
        let mut given = BTreeMap::new();
        for part in text.split(',') {
            let (tier, price) = part.split_once('=').unwrap_or((part, ""));
            let (tier, price) = (tier.trim(), price.trim().parse::<f64>());
            if !TIERS.contains(&tier) {
                let help = suggestion(tier, TIERS);
                return Err(Flaw { help, ..Flaw::new(format!("{tier:?} is no tier")) });
            }
            let Some(price) = price.ok().filter(|price| (0.0..=PRICE_MOST).contains(price)) else {
                let help = Some("write TIER=NUMBER, such as large=1200".to_owned());
                return Err(Flaw { help, ..Flaw::new(format!("the tier {tier:?} has no price")) });
            };
            given.insert(tier.to_owned(), price);
        }
        Ok(Prices { given })
    }

    /// Whether the user gave any.
    pub fn are_given(&self) -> bool {
        !self.given.is_empty()
    }

    /// What amounts are counted in.
    pub fn unit(&self) -> &'static str {
        if self.given.is_empty() { "entitlements (Large)" } else { "price" }
    }

    /// What the gateways of a scenario cost, of every region that runs; a what-if that nobody sells
    /// has no price.
    pub fn of(&self, scenario: &Scenario) -> Cost {
        if scenario.what_if.is_some() {
            return Cost { amount: None, words: "not for sale".to_owned() };
        }
        let Some(regions) = &scenario.plan.regions else {
            return self.of_tier(tier(scenario).as_deref());
        };
        let running = regions.all.iter().filter(|region| region.role != RegionRole::Cold);
        let tiers = running.map(|region| tier_of(scenario, Some(&region.name)));
        self.together(&tiers.collect::<Vec<_>>())
    }

    /// What several gateways cost: those of the same words are counted.
    fn together(&self, tiers: &[Option<String>]) -> Cost {
        let each: Vec<Cost> = tiers.iter().map(|tier| self.of_tier(tier.as_deref())).collect();
        let amount: Option<f64> = each.iter().map(|cost| cost.amount).sum();
        let words = match amount {
            Some(amount) if self.given.is_empty() => format!("{amount} Large"),
            Some(amount) => amount.to_string(),
            None => {
                let mut counted: Vec<(&str, usize)> = Vec::new();
                for Cost { words, .. } in &each {
                    match counted.iter_mut().find(|(known, _)| known == words) {
                        Some((_, count)) => *count += 1,
                        None => counted.push((words, 1)),
                    }
                }
                let times = |(words, count): &(&str, usize)| match count {
                    1 => (*words).to_owned(),
                    _ => format!("{count} × {words}"),
                };
                counted.iter().map(times).collect::<Vec<_>>().join(" + ")
            }
        };
        Cost { amount, words }
    }

    /// What a gateway of this tier costs. Without prices: an Extra Large takes two Large
    /// entitlements, a Small one of its own kind (documented by the vendor).
    fn of_tier(&self, tier: Option<&str>) -> Cost {
        let cost = |amount: Option<f64>, words: &str| Cost { amount, words: words.to_owned() };
        let Some(tier) = tier else { return cost(None, "–") };
        if !self.given.is_empty() {
            let price = self.given.get(tier).copied();
            return cost(price, &price.map_or("–".to_owned(), |price| price.to_string()));
        }
        let amount = match tier {
            "large" => Some(1.0),
            "xlarge" => Some(2.0),
            _ => None,
        };
        cost(amount, entitlement(tier))
    }
}

/// What a gateway of this tier is paid with.
pub fn entitlement(tier: &str) -> &'static str {
    match tier {
        "small" => "1 Small",
        "large" => "1 Large",
        "xlarge" => "2 Large",
        _ => "–",
    }
}

/// The tier of a scenario, if it has one.
pub fn tier(scenario: &Scenario) -> Option<String> {
    tier_of(scenario, None)
}

/// The tier of a region, if it has one of its own, or that of all.
fn tier_of(scenario: &Scenario, region: Option<&str>) -> Option<String> {
    let at = |path: &str| scenario.settings.iter().find(|setting| setting.path == path);
    let own = region.and_then(|region| at(&format!("region.{region}.gateway.tier")));
    let tier = own.or_else(|| at("gateway.tier"))?;
    let word = tier.value.trim_matches('"');
    TIERS.contains(&word).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_that_runs_costs_what_its_tier_does() {
        let words = |tiers: &[&str]| {
            let tiers: Vec<_> = tiers.iter().map(|tier| Some((*tier).to_owned())).collect();
            let cost = Prices::default().together(&tiers);
            (cost.amount, cost.words)
        };
        assert_eq!(words(&["large", "large"]), (Some(2.0), "2 Large".to_owned()));
        assert_eq!(words(&["large", "xlarge"]), (Some(3.0), "3 Large".to_owned()));
        assert_eq!(words(&["small", "small"]), (None, "2 × 1 Small".to_owned()));
        assert_eq!(words(&["large", "small"]), (None, "1 Large + 1 Small".to_owned()));
        let prices = Prices::read("small=300,large=1200").unwrap();
        let both = ["large", "small"].map(|tier| Some(tier.to_owned()));
        assert_eq!(prices.together(&both).words, "1500");
    }

    #[test]
    fn entitlements_are_counted_as_the_vendor_does() {
        let prices = Prices::default();
        assert_eq!(prices.of_tier(Some("xlarge")).amount, Some(2.0));
        assert_eq!(
            prices.of_tier(Some("small")),
            Cost { amount: None, words: "1 Small".to_owned() }
        );
        assert_eq!(prices.of_tier(None).amount, None);
    }

    #[test]
    fn given_prices_take_their_place() {
        let prices = Prices::read("small=300, large=1200.5").unwrap();
        assert_eq!(prices.of_tier(Some("large")).words, "1200.5");
        assert_eq!((prices.of_tier(Some("xlarge")).amount, prices.unit()), (None, "price"));
        assert!(Prices::read("lrge=3").unwrap_err().help.unwrap().contains("large"));
        for wrong in ["large", "large=", "large=-1", "large=NaN", "large=1e300"] {
            assert!(Prices::read(wrong).unwrap_err().title.contains("no price"), "{wrong}");
        }
    }
}
