//! Estimates as the files of studies hold them.

use serde_json::{Value, json};

use crate::report::cells::{nine_digits, optional};
use crate::stats::Estimate;

/// A number in nine digits; empty if it is infinite or undefined.
pub(super) fn number(value: f64) -> String {
    optional(nine_digits(value), |value| value.to_string())
}

/// Point, low and high; empty where there is none.
pub(super) fn numbers(estimate: Option<&Estimate>) -> [String; 3] {
    let interval = estimate.and_then(|estimate| estimate.interval);
    let point = optional(estimate, |estimate| number(estimate.point));
    [point, optional(interval, |i| number(i.low)), optional(interval, |i| number(i.high))]
}

/// The same for JSON, with the number of replications.
pub(super) fn value(estimate: &Estimate) -> Value {
    json!({
        "point": nine_digits(estimate.point),
        "low": estimate.interval.and_then(|interval| nine_digits(interval.low)),
        "high": estimate.interval.and_then(|interval| nine_digits(interval.high)),
        "n": estimate.n,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_empty_or_null() {
        let alone = Estimate::alone(1.5, 1);
        assert_eq!(numbers(Some(&alone)), ["1.5", "", ""].map(str::to_owned));
        assert_eq!(numbers(None), [const { String::new() }; 3]);
        assert_eq!(number(f64::INFINITY), "");
        assert_eq!(value(&alone), json!({ "point": 1.5, "low": null, "high": null, "n": 1 }));
    }
}
