//! Estimates over replications, never without what is known of their error.
//!
//! A replication is one independent sample of the model. Everything here takes figures of whole
//! replications and gives a point with an interval, or a point and no interval where the data
//! cannot bear one; [`steady`] alone examines a single run, in long batches.
//!
//! [`mean`] is for one value of each replication, [`jackknife`] for ratios of totals, [`sections`]
//! for percentiles of all requests together, [`proportion`] for shares of replications. Each gives
//! a [`Sample`], which keeps what every replication adds to the error, so that [`paired`] can
//! compare two systems under common random numbers; [`clusters`] is for what comes in few clusters
//! of many. [`law`] and `skewness` are what these rest on.
//!
//! It owns the formulas, each with its source, and knows nothing of what it measures: it asks
//! nobody but `random`. Begin with [`mean`], then `sample.rs`.

pub mod clusters;
pub mod compound;
pub mod jackknife;
pub mod law;
pub mod mover;
pub mod paired;
pub mod proportion;
pub mod sample;
pub mod sections;
mod skewness;
pub mod steady;

pub use sample::Sample;

/// How sure an interval is: the share of experiments in which it contains the truth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Confidence(pub f64);

impl Confidence {
    /// What intervals have unless said otherwise: 95 %.
    pub const USUAL: Confidence = Confidence(0.95);

    /// The share of experiments in which the truth lies outside.
    pub fn error(self) -> f64 {
        1.0 - self.0
    }

    /// What each of `number` intervals must have so that with this confidence all of them contain
    /// their truth, whatever they have to do with each other (Bonferroni's inequality).
    pub fn of_each(self, number: usize) -> Confidence {
        Confidence(1.0 - self.error() / number.max(1) as f64)
    }

    /// The share below the upper end of an interval with equal errors on both sides.
    pub(crate) fn upper(self) -> f64 {
        (1.0 + self.0) / 2.0
    }
}

/// A confidence interval, ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end; infinite where nothing bounds it.
    pub high: f64,
}

impl Interval {
    /// The same in another unit, of which `scale` make one of this.
    pub fn scaled(self, scale: f64) -> Self {
        Interval { low: self.low * scale, high: self.high * scale }
    }
}

/// A figure estimated from replications.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The best single value.
    pub point: f64,
    /// Where the true value lies with the confidence asked for; `None` = the data do not say.
    pub interval: Option<Interval>,
    /// Replications that contributed; or batches, of an estimate from one run.
    pub n: usize,
}

impl Estimate {
    /// A point about whose error nothing is known.
    pub fn alone(point: f64, n: usize) -> Self {
        Estimate { point, interval: None, n }
    }

    /// A point with its standard error, from `n` replications: the interval is
    /// `point ± t(n−1, (1+c)/2) · error` for confidence c. Needs two replications to have one.
    pub fn with_error(point: f64, error: f64, n: usize, confidence: Confidence) -> Self {
        Self::with_skewed_error(point, (error, 0.0), n, confidence)
    }

    /// The same with the standard error and the skewness of what it comes from, which moves the
    /// interval towards the longer tail.
    fn with_skewed_error(
        point: f64,
        (error, skewness): (f64, f64),
        n: usize,
        confidence: Confidence,
    ) -> Self {
        if n < 2 || !error.is_finite() {
            return Self::alone(point, n);
        }
        let t = law::student::quantile(n as f64 - 1.0, confidence.upper());
        let end = |t| point + skewness::bend(t, skewness, n) * error;
        Estimate { point, interval: Some(Interval { low: end(-t), high: end(t) }), n }
    }

    /// The same in another unit, of which `scale` make one of this.
    pub fn scaled(mut self, scale: f64) -> Self {
        self.point *= scale;
        if let Some(interval) = &mut self.interval {
            *interval = interval.scaled(scale);
        }
        self
    }

    /// The same with the interval cut to the values that the figure can take.
    pub fn within(mut self, least: f64, greatest: f64) -> Self {
        if let Some(interval) = &mut self.interval {
            interval.low = interval.low.clamp(least, greatest);
            interval.high = interval.high.clamp(least, greatest);
        }
        self
    }

    /// Half the width of the interval.
    pub fn half_width(&self) -> Option<f64> {
        self.interval.map(|interval| (interval.high - interval.low) / 2.0)
    }
}

/// The mean of one value per replication, `x̄ ± t(n−1, (1+c)/2) · s/√n` (Law, Simulation Modeling
/// and Analysis, 5th ed., section 9.4.1), from ten values on corrected for their skewness; `None`
/// without values.
pub fn mean(values: &[f64], confidence: Confidence) -> Option<Estimate> {
    Sample::of(values).map(|sample| sample.estimate(confidence))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::random::{Seed, Stream};

    pub(crate) fn exponential(stream: &mut Stream) -> f64 {
        -(1.0 - stream.unit()).ln()
    }

    /// Of `trials` intervals, the share that covers `truth`.
    pub(crate) fn coverage(
        trials: u64,
        truth: f64,
        mut estimate: impl FnMut(&mut Stream) -> Estimate,
    ) -> f64 {
        let covers = |trial: &u64| {
            let mut stream = Seed { seed: 1, replication: *trial }.stream("coverage", 0);
            let interval = estimate(&mut stream).interval.expect("an interval");
            (interval.low..=interval.high).contains(&truth)
        };
        (0..trials).filter(covers).count() as f64 / trials as f64
    }

    #[test]
    fn a_mean_has_the_textbook_interval() {
        let estimate = mean(&[1.0, 2.0, 3.0, 4.0, 5.0], Confidence::USUAL).unwrap();
        let half = 2.776_445_105_197_799 * (2.5_f64 / 5.0).sqrt();
        assert_eq!((estimate.point, estimate.n), (3.0, 5));
        assert!((estimate.half_width().unwrap() - half).abs() < 1e-9);
    }

    #[test]
    fn one_value_has_no_interval_and_none_has_no_mean() {
        assert_eq!(mean(&[7.0], Confidence::USUAL), Some(Estimate::alone(7.0, 1)));
        assert_eq!(mean(&[], Confidence::USUAL), None);
    }

    #[test]
    fn intervals_of_means_cover_the_truth_as_often_as_they_claim() {
        let covered = coverage(1_000, 1.0, |stream| {
            let value = |_| (0..20).map(|_| exponential(stream)).sum::<f64>() / 20.0;
            mean(&(0..20).map(value).collect::<Vec<_>>(), Confidence::USUAL).unwrap()
        });
        assert!((0.93..=0.97).contains(&covered), "{covered}");
    }
}
