//! A table for each region: what all have in common, with what the region says of itself.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::diagnostic::{Place, Problem};
use crate::scenario::keys;
use crate::scenario::region::section::region;

/// The sections that a region may have of its own.
pub(crate) const OWN: [&str; 14] = [
    "gateway",
    "topology",
    "ingress",
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
];

/// The tables of a file that has regions.
pub(crate) struct Split<'t> {
    /// The file, in which regions have nothing but the keys of `[[region]]`.
    pub(crate) common: DeTable<'t>,
    /// What each region is, as if the file had nothing else.
    pub(crate) regions: Vec<DeTable<'t>>,
    /// Sections of regions that no region can have of its own.
    pub(crate) problems: Vec<Problem>,
}

/// Splits a file by its regions, if it has any.
pub(crate) fn split<'t>(top: &DeTable<'t>) -> Option<Split<'t>> {
    let list = top.get(region::SPEC.name)?.get_ref().as_array()?;
    if list.is_empty() || list.iter().any(|one| one.get_ref().as_table().is_none()) {
        return None;
    }
    let mut base = top.clone();
    for name in [region::SPEC.name, "fault"] {
        base.remove(name);
    }
    let mut split = Split { common: top.clone(), regions: Vec::new(), problems: Vec::new() };
    let mut keys_alone = DeArray::new();
    for element in list {
        let Some(table) = element.get_ref().as_table() else { continue };
        let (mut own, mut keys) = (DeTable::new(), DeTable::new());
        for (key, value) in table {
            let name: &str = key.get_ref();
            let of_region = OWN.contains(&name);
            if !of_region && keys::section(name).is_some() {
                split.problems.push(shared_section(name, key.span()));
                continue;
            }
            let part = if of_region { &mut own } else { &mut keys };
            part.insert(key.clone(), value.clone());
        }
        split.regions.push(merged(&base, &own));
        keys_alone.push(Spanned::new(element.span(), DeValue::Table(keys)));
    }
    let name = top.get_key_value(region::SPEC.name).map(|(name, _)| name.clone());
    let span = top.get(region::SPEC.name).map(Spanned::span).unwrap_or_default();
    let name = name.unwrap_or_else(|| Spanned::new(span.clone(), Cow::Borrowed("region")));
    split.common.insert(name, Spanned::new(span, DeValue::Array(keys_alone)));
    Some(split)
}

fn shared_section(name: &str, span: std::ops::Range<usize>) -> Problem {
    let title = format!("a region has no [{name}] of its own");
    let help = format!("regions share it: write [{name}] outside [[region]]");
    Problem::error(Place::Span(span), title).help(help)
}

/// A table with what another says instead, key by key.
fn merged<'t>(base: &DeTable<'t>, over: &DeTable<'t>) -> DeTable<'t> {
    let mut all = base.clone();
    for (key, value) in over {
        let name: &str = key.get_ref();
        let merged = match (base.get(name), value.get_ref()) {
            (Some(old), DeValue::Table(over)) => match old.get_ref() {
                DeValue::Table(base) => DeValue::Table(self::merged(base, over)),
                _ => value.get_ref().clone(),
            },
            (Some(old), DeValue::Array(over)) => match old.get_ref() {
                DeValue::Array(base) => DeValue::Array(merged_lists(base, over)),
                _ => value.get_ref().clone(),
            },
            _ => value.get_ref().clone(),
        };
        // An entry that is there keeps its key, which has a place.
        all.remove(name);
        all.insert(key.clone(), Spanned::new(value.span(), merged));
    }
    all
}

/// A list instead of another; of lists of tables, those of the same name together and new ones
/// behind.
fn merged_lists<'t>(base: &DeArray<'t>, over: &DeArray<'t>) -> DeArray<'t> {
    let tables = |list: &DeArray<'t>| list.iter().all(|one| one.get_ref().as_table().is_some());
    if !tables(base) || !tables(over) {
        return over.clone();
    }
    let mut all = base.clone();
    for element in over {
        let name = name(element);
        let same = all.iter().position(|other| name.is_some() && self::name(other) == name);
        let Some(same) = same else {
            all.push(element.clone());
            continue;
        };
        if let (Some(old), Some(over)) =
            (all[same].get_ref().as_table(), element.get_ref().as_table())
        {
            all.as_mut()[same] = Spanned::new(element.span(), DeValue::Table(merged(old, over)));
        }
    }
    all
}

fn name<'v>(element: &'v Spanned<DeValue<'_>>) -> Option<&'v str> {
    element.get_ref().get("name").and_then(|name| name.get_ref().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(text: &str) -> Split<'_> {
        let (table, flaws) = DeTable::parse_recoverable(text);
        assert!(flaws.is_empty(), "{flaws:?}");
        let table = table.into_inner();
        split(&table).expect("it has regions")
    }

    fn number<'t>(table: &DeTable<'t>, path: &[&str]) -> Option<String> {
        let (last, homes) = path.split_last()?;
        let mut at = table;
        for home in homes {
            at = at.get(*home)?.get_ref().as_table()?;
        }
        at.get(*last)?.get_ref().as_integer().map(|number| number.as_str().to_owned())
    }

    #[test]
    fn a_region_says_what_differs_key_by_key() {
        let split = tables(
            "[gateway]\nreplicas = 2\ncores = 1\n[[upstream]]\nname = \"a\"\nhosts = 1\n\
             connections = 5\n[[region]]\nname = \"x\"\n[region.gateway]\nreplicas = 3\n\
             [[region.upstream]]\nname = \"a\"\nhosts = 2\n[[region.upstream]]\nname = \"b\"\n\
             [[region]]\nname = \"y\"\n",
        );
        let [x, y] = &split.regions[..] else { panic!("two regions") };
        let replicas = |region| number(region, &["gateway", "replicas"]);
        assert_eq!((replicas(x).unwrap(), replicas(y).unwrap()), ("3".into(), "2".into()));
        assert_eq!(number(x, &["gateway", "cores"]).unwrap(), "1");
        let upstreams = x.get("upstream").unwrap().get_ref().as_array().unwrap();
        let [a, b] = &upstreams.iter().collect::<Vec<_>>()[..] else { panic!("two upstreams") };
        let of =
            |table: &Spanned<DeValue<'_>>, key| number(table.get_ref().as_table().unwrap(), &[key]);
        assert_eq!(
            (of(a, "hosts").unwrap(), of(a, "connections").unwrap()),
            ("2".into(), "5".into())
        );
        assert_eq!(name(b), Some("b"));
        assert!(x.get("region").is_none() && split.problems.is_empty());
        let left = split.common.get("region").unwrap().get_ref().as_array().unwrap();
        assert!(left.iter().all(|one| one.get_ref().as_table().unwrap().len() == 1));
    }

    #[test]
    fn what_regions_share_is_in_none_of_them() {
        let split = tables("[[region]]\nname = \"x\"\n[region.traffic]\nrate = \"5/s\"\n");
        assert_eq!(split.problems.len(), 1);
        assert!(split.problems[0].help[0].contains("outside [[region]]"));
        assert!(split.regions[0].get("traffic").is_none());
    }
}
