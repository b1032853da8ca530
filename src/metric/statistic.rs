//! An estimate together with what kind of figure it is.

use std::ops::Deref;

use serde::{Serialize, Serializer};

use crate::stats::{self, Confidence, Estimate, jackknife};

/// What kind of figure something is: in what it is counted, and how far it can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// A part of a whole, from 0 to 1.
    Share,
    /// Seconds.
    Time,
    /// Seconds that a request took.
    Latency,
    /// So many a second.
    Rate,
    /// A number of things.
    Count,
    /// A number of things for each of others.
    Factor,
}

impl Dimension {
    /// The unit that files have it in: its name, and how many of it make one of these.
    pub fn unit(self) -> (&'static str, f64) {
        match self {
            Dimension::Share => ("share", 1.0),
            Dimension::Time => ("s", 1.0),
            Dimension::Latency => ("ms", 1e3),
            Dimension::Rate => ("per_s", 1.0),
            Dimension::Count => ("count", 1.0),
            Dimension::Factor => ("ratio", 1.0),
        }
    }

    /// Whether it is a length of time.
    pub fn is_time(self) -> bool {
        matches!(self, Dimension::Time | Dimension::Latency)
    }

    /// The greatest value there is; the least is zero.
    pub fn greatest(self) -> f64 {
        if self == Dimension::Share { 1.0 } else { f64::INFINITY }
    }
}

/// A figure estimated from replications that keeps to what it can be: point and interval lie within
/// the bounds of its dimension.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statistic {
    dimension: Dimension,
    estimate: Estimate,
}

impl Statistic {
    /// An estimate of something of this dimension, cut to the values that it can take.
    pub fn new(dimension: Dimension, mut estimate: Estimate) -> Self {
        let greatest = dimension.greatest();
        estimate.point = estimate.point.clamp(0.0, greatest);
        Statistic { dimension, estimate: estimate.within(0.0, greatest) }
    }

    /// The mean of one value for each replication that has one.
    pub fn mean(dimension: Dimension, values: &[f64], confidence: Confidence) -> Option<Self> {
        stats::mean(values, confidence).map(|mean| Statistic::new(dimension, mean))
    }

    /// The ratio of two totals over replications, from both values for each.
    pub fn ratio<T>(
        dimension: Dimension,
        items: &[T],
        pair: impl Fn(&T) -> (f64, f64),
        confidence: Confidence,
    ) -> Option<Self> {
        let pairs: Vec<(f64, f64)> = items.iter().map(pair).collect();
        jackknife::ratio(&pairs, confidence).map(|ratio| Statistic::new(dimension, ratio))
    }

    /// The same of a part and its whole.
    pub fn share<T>(
        items: &[T],
        pair: impl Fn(&T) -> (f64, f64),
        confidence: Confidence,
    ) -> Option<Self> {
        Self::ratio(Dimension::Share, items, pair, confidence)
    }

    /// What kind of figure it is.
    pub fn dimension(&self) -> Dimension {
        self.dimension
    }

    /// The same without its interval.
    pub fn bare(mut self) -> Self {
        self.estimate.interval = None;
        self
    }

    /// The same in the unit of files.
    pub fn in_files(self) -> Estimate {
        self.estimate.scaled(self.dimension.unit().1)
    }
}

impl Deref for Statistic {
    type Target = Estimate;

    fn deref(&self) -> &Estimate {
        &self.estimate
    }
}

/// In the unit of files.
impl Serialize for Statistic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.in_files().serialize(serializer)
    }
}

/// A number with nine significant digits, as files hold it; infinite and undefined ones become
/// nothing.
pub fn nine_digits(value: f64) -> Option<f64> {
    value.is_finite().then(|| format!("{value:.8e}").parse().expect("a number just written"))
}

/// Point, ends of the interval and number of replications; what is unknown is nothing.
impl Serialize for Estimate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Parts {
            point: Option<f64>,
            low: Option<f64>,
            high: Option<f64>,
            n: usize,
        }
        let parts = Parts {
            point: nine_digits(self.point),
            low: self.interval.and_then(|interval| nine_digits(interval.low)),
            high: self.interval.and_then(|interval| nine_digits(interval.high)),
            n: self.n,
        };
        parts.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Interval;

    #[test]
    fn a_share_stays_between_nothing_and_all() {
        let interval = Some(Interval { low: -0.2, high: 1.0002 });
        let share = Statistic::new(Dimension::Share, Estimate { point: 1.0001, interval, n: 5 });
        assert_eq!((share.point, share.interval), (1.0, Some(Interval { low: 0.0, high: 1.0 })));
        let interval = Some(Interval { low: -0.2, high: 1.5 });
        let time = Statistic::new(Dimension::Time, Estimate { point: 1.2, interval, n: 5 });
        assert_eq!((time.point, time.interval), (1.2, Some(Interval { low: 0.0, high: 1.5 })));
    }

    #[test]
    fn floats_have_nine_digits() {
        assert_eq!(nine_digits(0.1 + 0.2), Some(0.3));
        assert_eq!(nine_digits(f64::INFINITY), None);
    }
}
