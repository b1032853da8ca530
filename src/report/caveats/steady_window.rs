//! What the steady window of the replication that is told says: from its start to its first
//! incident, at one rate.
//!
//! Only that replication keeps its timeline, or the trace of it. A transient that one replication
//! is too short to show is not found.

use crate::experiment::Experiment;
use crate::metric::{Dimension, Statistic};
use crate::observe::outcome::Outcome;
use crate::observe::timeline::{BinTrace, TotalRow};
use crate::plan::{Plan, Scatter, Traffic};
use crate::report::caveats::caveat::Caveat;
use crate::stats::Confidence;
use crate::stats::steady::{self, Start};
use crate::units::{Instant, Span};

/// The fewest bins of a series that is judged: ten batches of five.
const FEWEST: usize = 50;
/// How sure it has to be that a transient is left.
const SURE: Confidence = Confidence(0.99);
/// Batches of a time that is too short for independent ones.
const FEW_BATCHES: usize = 10;

/// The steady window, bin by bin.
pub(crate) struct SteadyWindow {
    /// Latencies in seconds and how many there are, of the requests answered in each bin.
    bins: Vec<(f64, f64)>,
    /// Width of a bin.
    width: Span,
    /// The first bin that begins after warm-up, and the end of warm-up.
    first: usize,
    warm_up: Instant,
    /// The first incident.
    until: Option<Instant>,
}

impl SteadyWindow {
    /// The steady window of an experiment; `None` if the rate changes, or nothing of it was kept.
    pub(crate) fn of(plan: &Plan, run: &Experiment) -> Option<SteadyWindow> {
        let outcome = run.told().filter(|_| has_one_rate(plan))?;
        let until = outcome.incidents.first().map(|incident| incident.at);
        let end = until.unwrap_or(outcome.ended);
        let width = plan.run.bin;
        let start = |index: usize| Instant::ZERO + width * index as u64;
        let all = bins(outcome)?;
        let inside = (0..all.len()).take_while(|index| start(*index) + width <= end).count();
        let bins = all.into_iter().take(inside).map(|(served, mean)| {
            let served = served as f64;
            mean.map_or((0.0, 0.0), |mean| (mean.as_secs() * served, served))
        });
        let first = (0..inside).take_while(|index| start(*index) < plan.run.warm_up).count();
        let warm_up = plan.run.warm_up;
        Some(SteadyWindow { bins: bins.collect(), width, first, warm_up, until })
    }

    /// Whether more of the initial transient is left after warm-up than chance explains.
    ///
    /// MSER-5 over the mean latencies of the bins says where the transient ends. Alone it is jumpy:
    /// in steady systems, too, it is later than warm-up in 14 of 100 runs (2 replicas half busy at
    /// 10 requests/s, 10 min of which 1 is warm-up) and in 41 of short ones (100/s at 80 %, 2 min).
    /// So the mean after warm-up must also lie outside the interval of [`SURE`], by batch means, of
    /// the mean without the transient; where batches are still correlated, outside that of ten of
    /// them. Where MSER-5 sees no steady state, the second half stands for one.
    ///
    /// With that, of 1,000 steady runs with a tenth as warm-up, 0 to 8 are called short if they
    /// last at least a hundred relaxation times (S/(1 − √ρ)² for a mean demand of S), 5 to 20 if
    /// they last 40 to 90, and 16 to 28 if 9 to 20, where warm-up is hardly longer than one.
    pub(crate) fn warm_up_short(&self) -> Option<Caveat> {
        let (means, each) = self.means()?;
        let (cut, is_over) = match steady::mser5(&means)? {
            Start::Over(values) => (values * each, true),
            Start::NotOver => (self.bins.len() / 2, false),
        };
        let rest = self.bins.get(cut..).filter(|_| cut > self.first)?;
        let steady = steady::batch_ratio(rest, SURE)
            .or_else(|| steady::in_batches(rest, FEW_BATCHES, SURE))?;
        let kept = ratio(&self.bins[self.first..])?;
        let interval = steady.interval?;
        let differs = !(interval.low..=interval.high).contains(&kept);
        let at = |bins: usize| Instant::ZERO + self.width * bins as u64;
        differs.then(|| Caveat::WarmUpShort {
            until: is_over.then(|| at(cut)),
            warm_up: self.warm_up,
            seen: at(self.bins.len()),
            means: (Span::from_secs(kept), Span::from_secs(steady.point)),
        })
    }

    /// The mean latency after warm-up, by batch means, in seconds.
    pub(crate) fn mean_latency(&self, confidence: Confidence) -> Option<Statistic> {
        let mean = steady::batch_ratio(self.bins.get(self.first..)?, confidence)?;
        Some(Statistic::new(Dimension::Time, mean))
    }

    /// The incident with which it ends, if it does not end with the run.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Mean latencies of batches of so many bins, the fewest with which each has one.
    fn means(&self) -> Option<(Vec<f64>, usize)> {
        let batches =
            |each| -> Option<Vec<f64>> { self.bins.chunks_exact(each).map(ratio).collect() };
        let doubled = std::iter::successors(Some(1_usize), |each| Some(2 * each));
        let mut possible = doubled.take_while(|each| self.bins.len() / each >= FEWEST);
        possible.find_map(|each| Some((batches(each)?, each)))
    }
}

/// Requests answered in each bin, and the mean of their latencies: of the timeline, else of the
/// trace; `None` if neither was kept.
fn bins(outcome: &Outcome) -> Option<Vec<(u64, Option<Span>)>> {
    let row = |row: &TotalRow| (row.served, row.latency.map(|latency| latency.mean));
    let bin = |bin: &BinTrace| (bin.served, bin.mean);
    match &outcome.timeline {
        Some(timeline) => Some(timeline.total.iter().map(row).collect()),
        None if outcome.trace.is_empty() => None,
        None => Some(outcome.trace.iter().map(bin).collect()),
    }
}

/// Latencies over requests; `None` without requests.
fn ratio(bins: &[(f64, f64)]) -> Option<f64> {
    let (sum, count) = bins.iter().fold((0.0, 0.0), |sum, bin| (sum.0 + bin.0, sum.1 + bin.1));
    (count > 0.0).then_some(sum / count)
}

fn has_one_rate(plan: &Plan) -> bool {
    let Traffic::Process(process) = &plan.traffic else { return false };
    let bursts = matches!(process.scatter, Scatter::Bursty(_));
    !bursts && process.corners.windows(2).all(|pair| pair[0].1 == pair[1].1)
}

#[cfg(test)]
#[path = "steady_window_tests.rs"]
mod tests;
