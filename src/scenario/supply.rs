//! How many nodes there are.

use crate::diagnostic::Flaw;
use crate::scenario::value::{Node, Value};

const AS_NEEDED: &str = "as-needed";

/// A number of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Supply {
    /// One with room is always there.
    AsNeeded,
    /// So many.
    Nodes(u64),
}

impl Value for Supply {
    fn kind() -> String {
        format!("a whole number or {AS_NEEDED:?}")
    }
    fn parse(text: &str) -> Result<Self, Flaw> {
        if text == AS_NEEDED {
            return Ok(Supply::AsNeeded);
        }
        let wrong = || Flaw::new(format!("{text:?} is no number of nodes"));
        text.parse().map(Supply::Nodes).map_err(|_| wrong())
    }
    fn show(&self) -> String {
        match self {
            Supply::AsNeeded => format!("{AS_NEEDED:?}"),
            Supply::Nodes(count) => count.to_string(),
        }
    }
    fn read(node: &Node<'_>) -> Result<Self, Vec<Flaw>> {
        match node.value.as_str() {
            Some(text) if text == AS_NEEDED => Ok(Supply::AsNeeded),
            _ => u64::read(node).map(Supply::Nodes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_or_as_needed() {
        assert_eq!(
            Supply::parse("as-needed").map(|supply| supply.show()).unwrap(),
            "\"as-needed\""
        );
        assert_eq!(Supply::parse("3").unwrap(), Supply::Nodes(3));
        assert!(Supply::parse("three").is_err() && Supply::parse("-1").is_err());
    }
}
