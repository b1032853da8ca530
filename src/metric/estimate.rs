//! Estimates of what the catalogue has.

use super::catalogue::{Basis, Metric};
use super::estimator::{self, Estimator, Proportion, Unanswered};
use super::estimator::{availability, replications, windows};
use super::evidence::Evidence;
use super::incidents;
use super::percentile::{self, Among};
use super::statistic::Statistic;
use crate::observe::histogram::Histogram;
use crate::observe::outcome::{Outcome, WindowOutcome};
use crate::stats::{Confidence, Estimate, Interval, Sample, jackknife};

impl Metric {
    /// Its estimate from a window of every replication.
    pub fn estimate(
        self,
        outcomes: &[Outcome],
        window: usize,
        confidence: Confidence,
    ) -> Option<Statistic> {
        let estimate = match self.basis() {
            Basis::Run(estimator) => self.of_the_run(&estimator, outcomes, confidence),
            Basis::Replications(_) => {
                return self.of_replications(outcomes, None, confidence).estimate;
            }
            Basis::Given(value) => certain(value, outcomes.len()),
            _ => return self.of_windows(&windows(outcomes, window), confidence),
        };
        estimate.map(|estimate| Statistic::new(self.dimension(), estimate))
    }

    /// An estimate of a figure of the run, with what faults at random leave open.
    fn of_the_run(
        self,
        estimator: &Estimator<Outcome>,
        outcomes: &[Outcome],
        confidence: Confidence,
    ) -> Option<Estimate> {
        let speaking: Vec<&Outcome> = outcomes.iter().filter(|o| estimator.speaks(o)).collect();
        let mut estimate = estimator.estimate(&speaking, confidence)?;
        // The first window is the run.
        let windows: Vec<&WindowOutcome> = speaking.iter().map(|o| &o.windows[0]).collect();
        if let Some(interval) = &mut estimate.interval
            && let Some(evidence) = Evidence::of(&windows, confidence)
        {
            let sample = estimator.sample(&speaking)?;
            *interval = match self {
                Metric::Cpu => evidence.share(&sample, *interval),
                Metric::CpuMonitored => evidence.greatest_share(&sample, *interval),
                Metric::InFlightMean => evidence.held(&sample, *interval, sent(&windows)),
                Metric::InFlightPeak => evidence.held_at_once(&sample, *interval, sent(&windows)),
                _ => evidence.number(&sample, *interval),
            };
        }
        Some(estimate)
    }

    /// An estimate whose interval covers what histograms cannot tell apart.
    fn coarse(self, mut estimate: Estimate) -> Estimate {
        if let (Metric::WorstLatency(_), Some(interval)) = (self, &mut estimate.interval) {
            let widest = 1.0 + Histogram::WIDTH;
            *interval = Interval { low: interval.low / widest, high: interval.high * widest };
        }
        estimate
    }

    /// The same with what faults at random leave open, if it is of the worst minute of each
    /// replication: a strike that was not seen may leave nothing answered in a minute.
    fn of_worst_minutes(
        self,
        mut estimate: Estimate,
        windows: &[&WindowOutcome],
        confidence: Confidence,
    ) -> Estimate {
        let strikes = || Evidence::of(windows, confidence).map_or(0.0, |e| e.unseen());
        match (self, &mut estimate.interval) {
            (Metric::WorstAvailability, Some(interval)) => {
                interval.low *= 1.0 - strikes().min(1.0);
            }
            (Metric::WorstLatency(_), Some(interval)) if strikes() > 0.0 => {
                interval.high = f64::INFINITY;
            }
            _ => {}
        }
        estimate
    }

    /// Its estimate from these windows, one of each replication; `None` if it is not of windows.
    pub fn of_windows(
        self,
        windows: &[&WindowOutcome],
        confidence: Confidence,
    ) -> Option<Statistic> {
        let estimate = match self.basis() {
            Basis::Window(estimator) => self.of_estimator(&estimator, windows, confidence),
            Basis::Availability => availability(windows, Unanswered::LeftOut, confidence),
            Basis::Share(counts) => estimator::share(windows, counts, confidence),
            Basis::Greatest(among) => percentile::greatest(windows, among, confidence),
            Basis::Percentile(share, among) => {
                percentile::estimate(windows, share, among, confidence)
            }
            Basis::Incidents(restored, share) => {
                incidents::estimate(windows, restored, share, confidence)
            }
            Basis::WorstMinute(estimator) => {
                let all = estimator.estimate(windows, confidence);
                all.map(|all| self.coarse(self.of_worst_minutes(all, windows, confidence)))
            }
            Basis::Given(value) => certain(value, windows.len()),
            Basis::Run(_) | Basis::Replications(_) => None,
        };
        estimate.map(|estimate| Statistic::new(self.dimension(), estimate))
    }

    /// Its estimate by an estimator, with what faults at random leave open.
    fn of_estimator(
        self,
        estimator: &Estimator<WindowOutcome>,
        windows: &[&WindowOutcome],
        confidence: Confidence,
    ) -> Option<Estimate> {
        let speaking: Vec<&WindowOutcome> =
            windows.iter().copied().filter(|window| estimator.speaks(window)).collect();
        let of_seen = estimator.estimate(&speaking, confidence)?;
        let mut estimate = of_seen;
        let Some(interval) = &mut estimate.interval else { return Some(estimate) };
        match self {
            Metric::MeanLatency => {
                if let Some(evidence) = Evidence::of(&speaking, confidence) {
                    *interval = evidence.latency(&estimator.sample(&speaking)?, *interval);
                }
            }
            Metric::Recovery(restored) => {
                if let Some(evidence) = Evidence::of(windows, confidence) {
                    let took = speaking.iter().map(|window| (*window, restored.of(window)));
                    *interval = evidence.recovery(&took.collect::<Vec<_>>(), &of_seen)?;
                }
            }
            _ => {}
        }
        Some(estimate)
    }

    /// The replications that came to this, and of how many that say; those that do not say count as
    /// `unclear` says, if it does. Nothing if it is not of replications.
    pub fn of_replications(
        self,
        outcomes: &[Outcome],
        unclear: Option<bool>,
        confidence: Confidence,
    ) -> Proportion {
        match self.basis() {
            Basis::Replications(wanted) => replications(outcomes, wanted, unclear, confidence),
            _ => Proportion::default(),
        }
    }

    /// The same with what each replication deviates; `None` for what is not compared.
    pub fn sample(self, outcomes: &[&Outcome], window: usize) -> Option<Sample> {
        let windows = || outcomes.iter().map(|o| &o.windows[window]).collect::<Vec<_>>();
        match self.basis() {
            Basis::Window(estimator) | Basis::WorstMinute(estimator) => {
                estimator.sample(&windows())
            }
            Basis::Percentile(share, Among::Served) => percentile::sample(&windows(), share),
            Basis::Share(counts) => {
                let pair = |window: &WindowOutcome| counts(window);
                let pairs = windows().into_iter().map(pair).map(|(a, b)| (a as f64, b as f64));
                jackknife::ratio_sample(&pairs.collect::<Vec<_>>())
            }
            Basis::Run(estimator) => estimator.sample(outcomes),
            Basis::Percentile(..)
            | Basis::Greatest(_)
            | Basis::Availability
            | Basis::Incidents(..)
            | Basis::Given(_)
            | Basis::Replications(_) => None,
        }
    }

    /// Whether a replication has it at all.
    pub fn speaks(self, outcome: &Outcome, window: usize) -> bool {
        let window = &outcome.windows[window];
        match self.basis() {
            Basis::Window(estimator) | Basis::WorstMinute(estimator) => estimator.speaks(window),
            Basis::Percentile(_, among) | Basis::Greatest(among) => among.count(window) > 0,
            Basis::Share(counts) => counts(window).1 > 0,
            Basis::Availability => window.ledger.availability().is_some(),
            Basis::Incidents(restored, _) => restored.of(window).count() > 0,
            Basis::Run(estimator) => estimator.speaks(outcome),
            Basis::Replications(_) | Basis::Given(_) => true,
        }
    }
}

/// The CPU in use in one of several regions, as [`Metric::Cpu`] is that of all; `None` if it never
/// had any.
pub fn cpu_of_region(
    outcomes: &[Outcome],
    region: usize,
    confidence: Confidence,
) -> Option<Statistic> {
    let pair = move |outcome: &Outcome| {
        let cpu = outcome.cpu_by_region.get(region).copied().unwrap_or_default();
        (cpu.busy, cpu.capacity)
    };
    let estimator = Estimator::Ratio(Box::new(pair));
    let estimate = Metric::Cpu.of_the_run(&estimator, outcomes, confidence)?;
    Some(Statistic::new(Metric::Cpu.dimension(), estimate))
}

/// What no replication can change; nothing without any.
fn certain(value: f64, n: usize) -> Option<Estimate> {
    let interval = Some(Interval { low: value, high: value });
    (n > 0).then_some(Estimate { point: value, interval, n })
}

/// Requests that clients sent in a replication, each as often as they tried.
fn sent(windows: &[&WindowOutcome]) -> f64 {
    let sent = |window: &&WindowOutcome| window.ledger.offered.max(window.attempts.offered);
    windows.iter().map(sent).sum::<u64>() as f64 / windows.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::example;
    use crate::observe::count::Count;
    use crate::observe::ledger::Failure;
    use crate::observe::strikes::Strikes;
    use crate::units::Span;

    fn point(estimate: Option<Statistic>) -> f64 {
        estimate.map_or(f64::NAN, |estimate| estimate.point)
    }

    fn window(requests: u64, attempts: u64, wasted: u64, hits: u64, misses: u64) -> WindowOutcome {
        let mut window = WindowOutcome::default();
        (window.ledger.offered, window.ledger.served) = (requests, requests);
        (window.attempts.offered, window.attempts.served) = (attempts, requests);
        window.attempts.failures[Failure::GivenUp as usize] = attempts - requests;
        window.counts[Count::Wasted as usize] = wasted;
        window.counts[Count::Hit as usize] = hits;
        window.counts[Count::Miss as usize] = misses;
        window
    }

    #[test]
    fn ratios_are_of_the_totals_and_counts_are_means() {
        let (one, two) = (window(100, 150, 50, 30, 10), window(300, 330, 0, 0, 0));
        let of = |metric: Metric| point(metric.of_windows(&[&one, &two], Confidence::USUAL));
        assert_eq!(of(Metric::AttemptsPerRequest), 480.0 / 400.0);
        assert_eq!(of(Metric::Retries), 40.0);
        assert_eq!(of(Metric::WastedWork), 50.0 / 450.0);
        assert_eq!(of(Metric::CacheHits), 0.75);
        assert_eq!(of(Metric::AttemptsFailedBy(Failure::GivenUp)), 40.0);
        assert_eq!(of(Metric::Counted(Count::Miss)), 5.0);
    }

    #[test]
    fn what_faults_can_change_of_the_run_leaves_room_for_those_unseen() {
        let figures = [
            Metric::Cpu,
            Metric::CpuMonitored,
            Metric::InFlightMean,
            Metric::InFlightPeak,
            Metric::LivenessRestarts,
            Metric::OutOfMemory,
            Metric::ReadinessLosses,
        ];
        let of = |metric: Metric, struck: Option<u64>| {
            let mut run = example::experiment();
            for outcome in &mut run.outcomes {
                let window = &mut outcome.windows[0];
                let strike = |struck| Strikes {
                    fault: 0,
                    own: false,
                    struck,
                    longest: Span::from_secs(20.0),
                    rate: Some(1e-3),
                    after: 0.25,
                };
                window.strikes = struck.map(strike).into_iter().collect();
            }
            metric.estimate(&run.outcomes, 0, Confidence::USUAL).unwrap().interval.unwrap()
        };
        for metric in figures {
            let (usual, unseen) = (of(metric, None), of(metric, Some(0)));
            assert_eq!(unseen.low, usual.low, "{metric:?}");
            assert!(unseen.high > usual.high, "{metric:?}: {unseen:?}, without faults {usual:?}");
        }
        assert_eq!(of(Metric::LivenessRestarts, Some(0)).high, f64::INFINITY);
    }

    #[test]
    fn what_the_scenario_says_is_certain_in_any_number_of_replications() {
        let point = crate::plan::RecoveryPoint { item: None, most: Span::from_secs(600.0) };
        let of = |count: usize| {
            let outcomes = &example::experiment().outcomes[..count];
            Metric::Rpo(point).estimate(outcomes, 0, Confidence::USUAL)
        };
        let one = of(1).unwrap();
        assert_eq!((one.point, one.interval), (600.0, Some(Interval { low: 600.0, high: 600.0 })));
        assert_eq!((of(5).unwrap().n, of(0)), (5, None));
        assert!(!Metric::RPO.is_of_requests() && Metric::RPO.is_given());
    }

    #[test]
    fn nothing_asked_has_no_ratio_and_nothing_seen_is_not_nothing_possible() {
        let plain = window(100, 100, 0, 0, 0);
        let of = |metric: Metric| metric.of_windows(&[&plain, &plain], Confidence::USUAL);
        assert_eq!(of(Metric::CacheHits), None);
        let panics = of(Metric::Counted(Count::Panic)).unwrap();
        assert!(panics.point == 0.0 && panics.interval.unwrap().high > 1.0);
    }

    #[test]
    fn nothing_decided_means_no_availability_and_no_latency() {
        let empty = WindowOutcome::default();
        let of = |metric: Metric| metric.of_windows(&[&empty, &empty], Confidence::USUAL);
        let none = [Metric::Availability, Metric::P99, Metric::MeanLatency, Metric::Throughput];
        assert_eq!(none.map(of), [None; 4]);
    }

    #[test]
    fn every_figure_of_windows_has_a_key_of_its_own() {
        for all in [Metric::of_requests(), Metric::of_attempts()] {
            let keys: Vec<_> = all.iter().map(|metric| metric.entry().key).collect();
            assert!((1..keys.len()).all(|index| !keys[..index].contains(&keys[index])), "{keys:?}");
        }
    }

    #[test]
    fn what_objectives_can_bound_has_an_example_that_names_it() {
        for metric in Metric::DEMANDED {
            let example = metric.demand().unwrap().example;
            let key = metric.quantile().map_or_else(|| metric.key(), |_| Metric::P99.key());
            assert!(example.starts_with(&key), "{example}");
        }
        let plain = Estimate::alone(1.1, 1);
        assert_eq!(Statistic::new(Metric::Cpu.dimension(), plain).point, 1.0);
    }
}
