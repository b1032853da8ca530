//! How long it took until what an incident took was restored.

use serde::{Serialize, Serializer};

use crate::metric::{Dimension, Statistic, nine_digits};
use crate::observe::failover::{CLIENTS_BACK, FailoverStep};
use crate::observe::tally::{Restorations, Tally};
use crate::stats::Confidence;
use crate::units::Span;

/// How long it took until something was restored.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Recovery {
    /// The longest of a replication, averaged over those with incidents. An incident in which it
    /// was not restored counts with the time that it had lasted, so this is a lower bound if any
    /// are unrecovered.
    #[serde(rename = "longest_s")]
    pub longest: Option<Statistic>,
    /// The least of any incident.
    #[serde(rename = "least_s", serialize_with = "secs")]
    pub least: Option<Span>,
    /// The greatest.
    #[serde(rename = "greatest_s", serialize_with = "secs")]
    pub greatest: Option<Span>,
    /// Incidents in which it was restored.
    pub recovered: u64,
    /// Incidents in which it was not by the end of the run.
    pub unrecovered: u64,
    /// Incidents before which the gateway did not serve as one that works, so that nobody knows.
    pub abnormal: u64,
}

fn secs<S: Serializer>(span: &Option<Span>, to: S) -> Result<S::Ok, S::Error> {
    span.and_then(|span| nine_digits(span.as_secs())).serialize(to)
}

/// What became of the incidents of each replication, service and redundancy.
pub fn recoveries(tallies: &[&Tally], confidence: Confidence) -> (Recovery, Recovery) {
    let abnormal = tallies.iter().map(|tally| tally.abnormal).sum();
    let service = Recovery { abnormal, ..recovery(tallies, |tally| &tally.service, confidence) };
    (service, recovery(tallies, |tally| &tally.redundancy, confidence))
}

/// How long it took to restore one thing in the incidents of each replication.
fn recovery(
    tallies: &[&Tally],
    of: impl Fn(&Tally) -> &Restorations,
    confidence: Confidence,
) -> Recovery {
    let all = Tally::sum(tallies.iter().copied());
    let each = tallies.iter().map(|tally| of(tally)).filter(|one| one.count() > 0);
    let longest: Vec<f64> = each.map(|one| one.longest().as_secs()).collect();
    Recovery {
        longest: Statistic::mean(Dimension::Time, &longest, confidence),
        least: of(&all).range().map(|range| range.0),
        greatest: of(&all).range().map(|range| range.1),
        recovered: of(&all).seen.count(),
        unrecovered: of(&all).unseen(),
        abnormal: 0,
    }
}

/// What became of the clients of a region that was lost or left.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FailoverSummary {
    /// Until requests were answered again.
    pub rto: Recovery,
    /// The steps of that, in order, each from the end of the one before.
    pub steps: Vec<StepSummary>,
    /// Until shares of the clients were led to another region.
    pub clients_back: Vec<ClientsBack>,
}

/// A step of fail-overs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepSummary {
    /// Which.
    #[serde(serialize_with = "label")]
    pub step: FailoverStep,
    /// How long it took, in those that came to it.
    pub took: Recovery,
}

/// When a share of the clients was led to another region.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClientsBack {
    /// The share, in percent.
    pub percent: u8,
    /// How long it took.
    pub after: Recovery,
}

fn label<S: Serializer>(step: &FailoverStep, to: S) -> Result<S::Ok, S::Error> {
    step.label().serialize(to)
}

/// What is known of the fail-overs of a fault; `None` if there was none.
pub fn failovers(tallies: &[&Tally], confidence: Confidence) -> Option<FailoverSummary> {
    if tallies.iter().all(|tally| tally.failover.is_empty()) {
        return None;
    }
    let abnormal = tallies.iter().map(|tally| tally.abnormal).sum();
    let step = |step: FailoverStep| StepSummary {
        step,
        took: recovery(tallies, |tally| &tally.failover.steps[step as usize], confidence),
    };
    let back = |(index, percent): (usize, u8)| ClientsBack {
        percent,
        after: recovery(tallies, |tally| &tally.failover.led[index], confidence),
    };
    Some(FailoverSummary {
        rto: Recovery { abnormal, ..recovery(tallies, |tally| &tally.answers, confidence) },
        steps: FailoverStep::ALL.map(step).into(),
        clients_back: CLIENTS_BACK.into_iter().enumerate().map(back).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::example;

    #[test]
    fn an_incident_without_end_counts_with_what_it_lasted() {
        let mut outcomes = example::experiment().outcomes;
        example::change_incident(&mut outcomes[2], |incident| incident.service = None);
        let tallies: Vec<&Tally> =
            outcomes.iter().map(|outcome| &outcome.windows[0].incidents).collect();
        let (recovery, redundancy) = recoveries(&tallies, Confidence::USUAL);
        assert_eq!((redundancy.recovered, redundancy.unrecovered), (5, 0));
        assert_eq!((recovery.recovered, recovery.unrecovered), (4, 1));
        // Four of some 15 s, and the one from 3:00 to the end at 10:00.
        let longest = recovery.longest.unwrap();
        assert_eq!(longest.n, 5);
        assert!((longest.point - (4.0 * 15.0 + 420.0) / 5.0).abs() < 1.0, "{longest:?}");
    }
}
