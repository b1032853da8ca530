//! What one piece of time came to: a healthy one, or that of a cluster of strikes.

use crate::observe::histogram::Histogram;
use crate::observe::outcome::Outcome;
use crate::observe::timeline::BinTrace;
use crate::units::{SECOND, Span};

/// A minute or second counts as down if more of the requests that ended in it failed. An
/// assumption: agreements on service levels differ in where they draw the line.
pub const DOWN: f64 = 0.05;
/// Two stretches of failures that are so near to each other are one outage, in seconds.
const GAP: usize = 60;

/// What a piece of time came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PieceFigures {
    /// Its length in seconds.
    pub length: f64,
    /// Requests sent in it whose outcome is known.
    pub decided: f64,
    /// Those that failed.
    pub failed: f64,
    /// Latencies of those that were served.
    pub latency: Histogram,
    /// Its minutes that were down, as seconds.
    pub down: f64,
    /// The longest time in which requests failed in every second but for short gaps, in seconds.
    pub longest: f64,
    /// From each strike until requests were answered again, the longest; `None` if a strike was
    /// not over at the end.
    pub answers: Option<f64>,
    /// From the end of each strike's own lasting, or from the strike, until all was normal, the
    /// longest in seconds; `None` if that was not seen.
    pub normal: Option<f64>,
    /// Most replicas in rotation.
    pub ready: usize,
}

impl PieceFigures {
    /// The figures of the time after warm-up; `from` = where in the traffic the run began, by which
    /// minutes are told apart. `lasts` = how long each incident lasts by itself, by its fault.
    pub fn of(outcome: &Outcome, from: Span, lasts: impl Fn(usize) -> f64) -> PieceFigures {
        let window = &outcome.windows[0];
        let begins = outcome.ended.as_secs() - window.open.as_secs();
        let bins = outcome.trace.iter().skip(begins.round() as usize);
        let bins: Vec<&BinTrace> = bins.collect();
        let normal = |incident: &crate::observe::incident::Incident| {
            let after = lasts(incident.fault);
            incident.normal.map(|normal| (normal.since(incident.at).as_secs() - after).max(0.0))
        };
        let most = |all: Option<Vec<f64>>| all.map(|all| all.into_iter().fold(0.0, f64::max));
        let answers = outcome.incidents.iter();
        let answers = answers.map(|one| one.answers.map(|at| at.since(one.at).as_secs()));
        PieceFigures {
            length: window.open.as_secs(),
            decided: window.ledger.decided() as f64,
            failed: window.ledger.failed() as f64,
            latency: window.latency.clone(),
            down: down_minutes(&bins, from + Span::from_secs(begins)) * 60.0,
            longest: longest_outage(&bins),
            answers: most(answers.collect()),
            normal: most(outcome.incidents.iter().map(normal).collect()),
            ready: outcome
                .time_with_serving
                .iter()
                .rposition(|time| *time > Span::ZERO)
                .unwrap_or(0),
        }
    }
}

/// Whether too many of the requests that ended in these seconds failed.
fn is_down(bins: &[&BinTrace]) -> bool {
    let failed: u64 = bins.iter().map(|bin| bin.failed).sum();
    let ended: u64 = failed + bins.iter().map(|bin| bin.served).sum::<u64>();
    ended > 0 && failed as f64 > DOWN * ended as f64
}

/// Minutes by the clock that were down; of a minute that is cut what is there.
fn down_minutes(bins: &[&BinTrace], begins: Span) -> f64 {
    let first = 60 - (begins.0 / SECOND % 60) as usize;
    let (head, rest) = bins.split_at(first.min(bins.len()));
    let minutes = std::iter::once(head).chain(rest.chunks(60));
    minutes.filter(|minute| is_down(minute)).count() as f64
}

/// The longest outage in seconds.
fn longest_outage(bins: &[&BinTrace]) -> f64 {
    let (mut longest, mut began, mut last) = (0, None, 0);
    let is_down = |second: &usize| is_down(&bins[*second..=*second]);
    for second in (0..bins.len()).filter(is_down) {
        let start = match began {
            Some(start) if second - last <= GAP => start,
            _ => second,
        };
        (began, last) = (Some(start), second);
        longest = longest.max(second + 1 - start);
    }
    longest as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second with so many requests of which so many failed.
    fn second(failed: u64) -> BinTrace {
        BinTrace { served: 100 - failed, failed, ..BinTrace::default() }
    }

    #[test]
    fn minutes_are_those_of_the_clock() {
        // 200 s of which the seconds from 50 to 69 fail, which begin 30 s into a minute.
        let bins: Vec<BinTrace> =
            (0..200).map(|at| second(if (50..70).contains(&at) { 40 } else { 0 })).collect();
        let bins: Vec<&BinTrace> = bins.iter().collect();
        assert_eq!(down_minutes(&bins, Span::from_secs(30.0)), 1.0);
        // At 10 s into a minute the boundary lies in the midst of it: 13.3 % of either minute fail.
        assert_eq!(down_minutes(&bins, Span::from_secs(0.0)), 2.0);
        assert_eq!(longest_outage(&bins), 20.0);
    }

    #[test]
    fn an_outage_goes_on_over_short_gaps() {
        let fails = |at: usize| (10..20).contains(&at) || (50..55).contains(&at) || at == 190;
        let bins: Vec<BinTrace> =
            (0..300).map(|at| second(if fails(at) { 50 } else { 2 })).collect();
        let bins: Vec<&BinTrace> = bins.iter().collect();
        assert_eq!(longest_outage(&bins), 45.0);
        assert_eq!(longest_outage(&bins[60..150]), 0.0);
    }
}
