//! How often each of a number of things is asked for.

use crate::diagnostic::{Flaw, clip};
use crate::quantity;
use crate::scenario::text::{Value, ValueShape};

const UNIFORM: &str = "uniform";
/// The largest exponent: with it nearly everything falls on the first.
const EXPONENT_LIMIT: f64 = 10.0;

/// The exponent of Zipf's law; 0 = all alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Skew(pub(crate) f64);

impl Value for Skew {
    fn kind() -> String {
        "\"uniform\" or Zipf's law with its exponent, such as \"zipf(1.1)\"".to_owned()
    }
    fn shape() -> ValueShape {
        ValueShape::text("uniform|zipf\\(\\s*[0-9._]+\\s*\\)")
    }
    fn parse(text: &str) -> Result<Self, Flaw> {
        let plain = text.trim();
        if plain == UNIFORM {
            return Ok(Skew(0.0));
        }
        let exponent = plain.strip_prefix("zipf(").and_then(|rest| rest.strip_suffix(')'));
        let exponent = exponent.and_then(|exponent| quantity::plain_number(exponent.trim()));
        let exponent = exponent.filter(|exponent| (0.0..=EXPONENT_LIMIT).contains(exponent));
        exponent.map(Skew).ok_or_else(|| {
            Flaw::new(format!("{:?} is no popularity", clip(text)))
                .help("write \"uniform\", or \"zipf(1.1)\" with an exponent of 10 at most")
        })
    }
    fn show(&self) -> String {
        match self.0 {
            0.0 => format!("{UNIFORM:?}"),
            exponent => format!("\"zipf({exponent})\""),
        }
    }
    fn quoted(number: &str) -> Option<String> {
        Some(format!("write \"zipf({number})\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_alike_or_by_zipfs_law() {
        assert_eq!(Skew::parse("uniform").unwrap(), Skew(0.0));
        assert_eq!(Skew::parse("zipf( 1.1 )").unwrap().show(), "\"zipf(1.1)\"");
        for wrong in ["", "zipf", "zipf(-1)", "zipf(11)", "zipf(x)", "zipf(nan)", "1.1"] {
            assert!(Skew::parse(wrong).is_err(), "{wrong}");
        }
    }
}
