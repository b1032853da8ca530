//! What a gateway costs: entitlements as the vendor counts them, or prices that the user gives.

use std::collections::BTreeMap;

use crate::diagnostic::{Flaw, suggestion};
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

    /// What the gateway of a scenario costs; a what-if that nobody sells has no price.
    pub fn of(&self, scenario: &Scenario) -> Cost {
        match scenario.what_if {
            Some(_) => Cost { amount: None, words: "not for sale".to_owned() },
            None => self.of_tier(tier(scenario).as_deref()),
        }
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
        match tier {
            "small" => cost(None, "1 Small"),
            "large" => cost(Some(1.0), "1 Large"),
            "xlarge" => cost(Some(2.0), "2 Large"),
            _ => cost(None, "–"),
        }
    }
}

/// The tier of a scenario, if it has one.
pub fn tier(scenario: &Scenario) -> Option<String> {
    let tier = scenario.settings.iter().find(|setting| setting.path == "gateway.tier")?;
    let word = tier.value.trim_matches('"');
    TIERS.contains(&word).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

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
