//! How long it took to be back to normal.

use serde::{Serialize, Serializer};

use crate::metric::{Dimension, Statistic, nine_digits};
use crate::observe::tally::Tally;
use crate::stats::Confidence;
use crate::units::Span;

/// How long it took to be back to normal.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Recovery {
    /// The longest recovery of a replication, averaged over those with incidents. An incident that
    /// was not over counts with the time that it had lasted, so this is a lower bound if any are
    /// unrecovered.
    #[serde(rename = "longest_s")]
    pub longest: Option<Statistic>,
    /// The least recovery of any incident.
    #[serde(rename = "least_s", serialize_with = "secs")]
    pub least: Option<Span>,
    /// The greatest.
    #[serde(rename = "greatest_s", serialize_with = "secs")]
    pub greatest: Option<Span>,
    /// Incidents of which the end was seen.
    pub recovered: u64,
    /// Incidents that were not over at the end of the run.
    pub unrecovered: u64,
}

fn secs<S: Serializer>(span: &Option<Span>, to: S) -> Result<S::Ok, S::Error> {
    span.and_then(|span| nine_digits(span.as_secs())).serialize(to)
}

/// The recovery from the incidents of each replication.
pub fn recovery(tallies: &[Tally], confidence: Confidence) -> Recovery {
    let injected = tallies.iter().filter(|tally| tally.injected > 0);
    let longest: Vec<f64> = injected.map(|tally| tally.longest().as_secs()).collect();
    let all = Tally::sum(tallies);
    Recovery {
        longest: Statistic::mean(Dimension::Time, &longest, confidence),
        least: all.recovery.map(|range| range.0),
        greatest: all.recovery.map(|range| range.1),
        recovered: all.injected - all.unrecovered,
        unrecovered: all.unrecovered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::example;

    #[test]
    fn an_incident_without_end_counts_with_what_it_lasted() {
        let mut outcomes = example::experiment().outcomes;
        example::change_incident(&mut outcomes[2], |incident| incident.normal = None);
        let tallies: Vec<Tally> =
            outcomes.iter().map(|outcome| outcome.windows[0].incidents.clone()).collect();
        let recovery = recovery(&tallies, Confidence::USUAL);
        assert_eq!((recovery.recovered, recovery.unrecovered), (4, 1));
        // Four of some 15 s, and the one from 3:00 to the end at 10:00.
        let longest = recovery.longest.unwrap();
        assert_eq!(longest.n, 5);
        assert!((longest.point - (4.0 * 15.0 + 420.0) / 5.0).abs() < 1.0, "{longest:?}");
    }
}
