//! What one piece of time came to: a healthy one, or that of a cluster of strikes.

use super::quiet::QuietPart;
use crate::observe::histogram::Histogram;
use crate::observe::ledger::Ledger;
use crate::observe::outcome::{Outcome, WindowOutcome};
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
    /// Requests that were simulated for it, those before it and what stands for more once.
    pub simulated: f64,
    /// Latencies of the parts that stand for more, with by how much more.
    pub more: Vec<(f64, Histogram)>,
}

impl PieceFigures {
    /// The figures of the time after warm-up; `from` = where in the traffic the run began, by which
    /// minutes are told apart, and these parts stand for more than themselves. `lasts` = how long
    /// each incident lasts by itself, by its fault.
    pub fn of(
        outcome: &Outcome,
        from: Span,
        parts: &[QuietPart],
        lasts: impl Fn(usize) -> f64,
    ) -> PieceFigures {
        let window = &outcome.windows[0];
        let begins = (outcome.ended.as_secs() - window.open.as_secs()).round() as usize;
        // A minute is judged whole, though it began before the piece.
        let into = (from.0 / SECOND) as usize + begins;
        let minutes = begins.saturating_sub(into % 60);
        let bins = WeightedBins::new(outcome, parts, begins);
        let more: Vec<(f64, &WindowOutcome)> = parts
            .iter()
            .zip(&outcome.windows[1..])
            .map(|(part, window)| (part.weight - 1.0, window))
            .collect();
        let sum = |of: fn(&Ledger) -> u64| {
            let more = more.iter().map(|(more, window)| more * of(&window.ledger) as f64);
            of(&window.ledger) as f64 + more.sum::<f64>()
        };
        let longer = parts.iter().map(|part| (part.weight - 1.0) * (part.to - part.from));
        let normal = |incident: &crate::observe::incident::Incident| {
            let after = lasts(incident.fault);
            incident.normal.map(|normal| (normal.since(incident.at).as_secs() - after).max(0.0))
        };
        let most = |all: Option<Vec<f64>>| all.map(|all| all.into_iter().fold(0.0, f64::max));
        let answers = outcome.incidents.iter();
        let answers = answers.map(|one| one.answers.map(|at| at.since(one.at).as_secs()));
        PieceFigures {
            length: window.open.as_secs() + longer.sum::<f64>(),
            decided: sum(Ledger::decided),
            failed: sum(Ledger::failed),
            latency: window.latency.clone(),
            down: bins.down_minutes(minutes) * 60.0,
            longest: bins.longest_outage(begins),
            answers: most(answers.collect()),
            normal: most(outcome.incidents.iter().map(normal).collect()),
            ready: outcome
                .time_with_serving
                .iter()
                .rposition(|time| *time > Span::ZERO)
                .unwrap_or(0),
            simulated: outcome.ledger.offered as f64,
            more: more.iter().map(|(more, window)| (*more, window.latency.clone())).collect(),
        }
    }
}

/// The seconds of a run, and how many each stands for.
struct WeightedBins<'o> {
    bins: Vec<(&'o BinTrace, f64)>,
}

impl<'o> WeightedBins<'o> {
    /// Those of a run in which the piece begins at a second.
    fn new(outcome: &'o Outcome, parts: &[QuietPart], begins: usize) -> WeightedBins<'o> {
        let weight = |second: usize| {
            let at = second as f64 - begins as f64;
            let part = parts.iter().find(|part| part.from <= at && at < part.to);
            part.map_or(1.0, |part| part.weight)
        };
        let bins = outcome.trace.iter().enumerate();
        WeightedBins { bins: bins.map(|(second, bin)| (bin, weight(second))).collect() }
    }

    /// Minutes that were down, from a second on at which one begins; of the last one what is there.
    fn down_minutes(&self, from: usize) -> f64 {
        let minutes = self.bins.get(from..).unwrap_or_default().chunks(60);
        let weight =
            |minute: &[(_, f64)]| minute.iter().map(|(_, weight)| weight).sum::<f64>() / 60.0;
        minutes.filter(|minute| is_down(minute)).map(|minute| weight(minute).max(1.0)).sum()
    }

    /// The longest outage from a second on, in seconds.
    fn longest_outage(&self, from: usize) -> f64 {
        let (mut longest, mut began, mut last): (f64, _, _) = (0.0, None, 0);
        let is_down = |second: &usize| is_down(&self.bins[*second..=*second]);
        for second in (from..self.bins.len()).filter(is_down) {
            let start = match began {
                Some(start) if second - last <= GAP => start,
                _ => second,
            };
            (began, last) = (Some(start), second);
            let length = self.bins[start..=second].iter().map(|(_, weight)| weight).sum();
            longest = longest.max(length);
        }
        longest
    }
}

/// Whether too many of the requests that ended in these seconds failed.
fn is_down(bins: &[(&BinTrace, f64)]) -> bool {
    let failed: u64 = bins.iter().map(|(bin, _)| bin.failed).sum();
    let ended: u64 = failed + bins.iter().map(|(bin, _)| bin.served).sum::<u64>();
    ended > 0 && failed as f64 > DOWN * ended as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run of seconds with so many failures among 100 requests each, of which the piece begins
    /// at a second.
    fn run(failed: impl Fn(usize) -> u64, seconds: usize, begins: usize) -> Outcome {
        let bin = |at| {
            let failed = failed(at);
            BinTrace { served: 100 - failed, failed, ..BinTrace::default() }
        };
        let ended = crate::units::Instant::from_secs(seconds as f64);
        let open = Span::from_secs((seconds - begins) as f64);
        let window = WindowOutcome { open, ..WindowOutcome::default() };
        let trace = (0..seconds).map(bin).collect();
        Outcome { ended, trace, windows: vec![window; 2], ..Outcome::default() }
    }

    fn figures(outcome: &Outcome, from: f64, parts: &[QuietPart]) -> PieceFigures {
        PieceFigures::of(outcome, Span::from_secs(from), parts, |_| 0.0)
    }

    #[test]
    fn minutes_are_those_of_the_clock() {
        // Of a piece after 60 s the seconds from 50 to 69 fail; it begins 30 s into a minute.
        let outcome = run(|at| if (110..130).contains(&at) { 40 } else { 0 }, 260, 60);
        assert_eq!(figures(&outcome, 30.0, &[]).down, 60.0);
        // At a full minute the boundary lies in the midst of it: 6.7 % of either minute fail.
        let found = figures(&outcome, 0.0, &[]);
        assert_eq!((found.down, found.longest), (120.0, 20.0));
    }

    #[test]
    fn the_minute_in_which_a_piece_begins_is_judged_whole() {
        // Two seconds fail half of their requests: 1.7 % of the minute that began 50 s before.
        let outcome = run(|at| if (110..112).contains(&at) { 50 } else { 0 }, 300, 110);
        assert_eq!(figures(&outcome, 0.0, &[]).down, 0.0);
        // Seven seconds of it are 5.8 %; an outage counts from the strike on.
        let outcome = run(|at| if (110..117).contains(&at) { 50 } else { 0 }, 300, 110);
        let found = figures(&outcome, 0.0, &[]);
        assert_eq!((found.down, found.longest), (60.0, 7.0));
    }

    #[test]
    fn a_part_that_stands_for_more_counts_for_more() {
        let part = QuietPart { from: 60.0, to: 180.0, weight: 10.0 };
        let outcome = run(|at| if at >= 130 { 20 } else { 0 }, 600, 60);
        let found = figures(&outcome, 0.0, &[part]);
        // The piece begins at second 60, the part lasts from second 120 to 240.
        assert_eq!(found.length, 540.0 + 9.0 * 120.0);
        assert_eq!(found.longest, 10.0 * 110.0 + 360.0);
        assert_eq!(found.down, 60.0 * (2.0 * 10.0 + 6.0));
    }

    #[test]
    fn an_outage_goes_on_over_short_gaps() {
        let fails = |at: usize| (10..20).contains(&at) || (50..55).contains(&at) || at == 190;
        let outcome = run(|at| if fails(at) { 50 } else { 2 }, 300, 0);
        assert_eq!(figures(&outcome, 0.0, &[]).longest, 45.0);
        let outcome = run(|at| if fails(at + 60) { 50 } else { 2 }, 90, 0);
        assert_eq!(figures(&outcome, 0.0, &[]).longest, 0.0);
    }
}
