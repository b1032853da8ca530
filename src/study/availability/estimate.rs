//! What pieces come to in the long run.

use std::collections::BTreeMap;

use super::AvailabilityStudy;
use super::sample::PieceFigures;
use super::strata::{ClusterPiece, Stratum, StratumKind, idle};
use crate::stats::clusters::weighted_interval;
use crate::stats::{Confidence, Interval};
use crate::units::Span;

/// Seconds of a year and of a month of it.
pub const YEAR: f64 = 365.25 * 86_400.0;
/// A twelfth of a year.
pub const MONTH: f64 = YEAR / 12.0;

/// A piece and how often such a one comes in a second.
pub struct WeightedPiece<'s> {
    /// The stratum that it belongs to.
    pub stratum: usize,
    /// How often it comes in a second.
    pub rate: f64,
    /// What it is.
    pub piece: &'s ClusterPiece,
}

/// The long run.
#[derive(Clone, Debug, PartialEq)]
pub struct LongRun {
    /// Share of the requests that fail.
    pub failing: f64,
    /// What is known of that.
    pub failing_interval: Interval,
    /// Requests in a second.
    pub requests: f64,
    /// Share of the minutes that are down.
    pub down: f64,
    /// What is known of that.
    pub down_interval: Interval,
    /// Share of time that is healthy, by the pieces that were drawn.
    pub healthy: f64,
    /// The same by the rates and windows of the faults alone.
    pub idle: f64,
    /// Failed requests in a second of healthy time.
    pub healthy_failed: f64,
    /// Mean latency of served requests in seconds; `None` if none was served.
    pub mean: Option<f64>,
    /// What faults of each kind cost alone, then together with others, and healthy time.
    pub causes: Vec<CauseBurn>,
    /// Pieces that were not back to normal at their end, over all that were struck.
    pub unsettled: (usize, usize),
    /// How often such pieces come in a second.
    pub unsettled_rate: f64,
}

/// What a cause costs in the long run.
#[derive(Clone, Debug, PartialEq)]
pub struct CauseBurn {
    /// In words: `crash`, `zone with others`, `healthy time`.
    pub name: String,
    /// How often it comes in a year; `None` of healthy time.
    pub per_year: Option<f64>,
    /// Requests that fail each time.
    pub failed_each: f64,
    /// Failed requests in a second.
    pub failed: f64,
    /// Seconds of minutes that are down in a second.
    pub down: f64,
    /// Pieces that were simulated.
    pub pieces: usize,
}

impl AvailabilityStudy {
    /// Every piece with how often it comes.
    pub fn weighted(&self) -> Vec<WeightedPiece<'_>> {
        let each = self.strata.iter().flat_map(|stratum| {
            stratum.pieces.iter().map(move |piece| WeightedPiece {
                stratum: stratum.number,
                rate: stratum.rate(piece),
                piece,
            })
        });
        each.collect()
    }

    /// The same, as if every piece had been back to normal at its end.
    pub fn as_if_settled(&self) -> AvailabilityStudy {
        let mut study = self.clone();
        for piece in study.strata.iter_mut().flat_map(|stratum| &mut stratum.pieces) {
            piece.figures.normal.get_or_insert(piece.figures.length);
        }
        study
    }

    /// The long run; `None` if nothing healthy was simulated.
    pub fn long_run(&self, confidence: Confidence) -> Option<LongRun> {
        let weighted = self.weighted();
        let busy: f64 = weighted.iter().map(|one| one.rate * one.piece.figures.length).sum();
        let healthy = (1.0 - busy).max(0.0);
        let decided = self.total(&weighted, healthy, |piece| piece.decided, confidence)?;
        let failed = self.total(&weighted, healthy, |piece| piece.failed, confidence)?;
        let down = self.total(&weighted, healthy, |piece| piece.down, confidence)?;
        let (mean, _) = latency(&self.healthy, &weighted, healthy, &[])?;
        let seconds: f64 = self.healthy.iter().map(|piece| piece.length).sum();
        let healthy_failed = self.healthy.iter().map(|piece| piece.failed).sum::<f64>() / seconds;
        let struck = weighted.iter().filter(|one| one.rate > 0.0);
        let unsettled = struck.clone().filter(|one| one.piece.figures.normal.is_none());
        let unsettled_rate = unsettled.clone().map(|one| one.rate).sum();
        Some(LongRun {
            failing: failed.point / decided.point,
            failing_interval: failed.interval.scaled(1.0 / decided.point),
            requests: decided.point,
            down: down.point,
            down_interval: down.interval,
            healthy,
            idle: idle(&self.kinds),
            healthy_failed,
            mean,
            causes: self.causes(&weighted, healthy, healthy_failed),
            unsettled: (unsettled.count(), struck.count()),
            unsettled_rate,
        })
    }

    /// Latencies in the long run that so many of the served requests do not exceed, in seconds.
    pub fn percentiles(&self, shares: &[f64]) -> Option<Vec<f64>> {
        let weighted = self.weighted();
        let busy: f64 = weighted.iter().map(|one| one.rate * one.piece.figures.length).sum();
        latency(&self.healthy, &weighted, (1.0 - busy).max(0.0), shares).map(|(_, all)| all)
    }

    /// What comes in a second in the long run.
    fn total(
        &self,
        weighted: &[WeightedPiece<'_>],
        healthy: f64,
        of: fn(&PieceFigures) -> f64,
        confidence: Confidence,
    ) -> Option<LongRunTotal> {
        let rates: Vec<f64> = self.healthy.iter().map(|piece| of(piece) / piece.length).collect();
        if rates.is_empty() {
            return None;
        }
        let (mean, variance) = moments(rates.iter().copied());
        let mut point = healthy * mean;
        let mut all = healthy.powi(2) * variance / rates.len() as f64;
        let mut greatest: f64 = 0.0;
        for stratum in &self.strata {
            let own = weighted.iter().filter(|one| one.stratum == stratum.number);
            let values: Vec<f64> = own.map(|one| one.rate * of(&one.piece.figures)).collect();
            let (_, variance) = moments(values.iter().copied());
            point += values.iter().sum::<f64>();
            all += variance * values.len() as f64;
            greatest = values.iter().copied().fold(greatest, f64::max);
        }
        Some(LongRunTotal { point, interval: weighted_interval(point, all, greatest, confidence) })
    }

    fn causes(
        &self,
        weighted: &[WeightedPiece<'_>],
        healthy: f64,
        healthy_failed: f64,
    ) -> Vec<CauseBurn> {
        let of = |stratum: &Stratum| {
            let own: Vec<_> = weighted.iter().filter(|one| one.stratum == stratum.number).collect();
            let sum = |of: fn(&PieceFigures) -> f64| {
                own.iter().map(|one| one.rate * of(&one.piece.figures)).sum::<f64>()
            };
            let rate: f64 = own.iter().map(|one| one.rate).sum();
            let (failed, down) = (sum(|piece| piece.failed), sum(|piece| piece.down));
            let name = &self.kinds[stratum.kind.first()].name;
            let name = match stratum.kind {
                StratumKind::Alone(_) => name.clone(),
                StratumKind::Overlapping(_) => format!("{name}, then others"),
            };
            let failed_each = if rate > 0.0 { failed / rate } else { 0.0 };
            let (per_year, pieces) = (Some(rate * YEAR), own.len());
            CauseBurn { name, per_year, failed_each, failed, down, pieces }
        };
        let seconds: f64 = self.healthy.iter().map(|piece| piece.length).sum();
        let down = self.healthy.iter().map(|piece| piece.down).sum::<f64>() / seconds;
        let rest = CauseBurn {
            name: "healthy time".to_owned(),
            per_year: None,
            failed_each: 0.0,
            failed: healthy * healthy_failed,
            down: healthy * down,
            pieces: self.healthy.len(),
        };
        self.strata.iter().map(of).chain([rest]).collect()
    }
}

/// A sum in the long run.
struct LongRunTotal {
    point: f64,
    interval: Interval,
}

/// Mean and variance of a sample.
fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count.max(1.0);
    let squares: f64 = values.map(|value| (value - mean).powi(2)).sum();
    (mean, if count > 1.0 { squares / (count - 1.0) } else { 0.0 })
}

/// Mean and percentiles of the latencies of healthy time and clusters, by their weights; `None` if
/// no request was served.
fn latency(
    pieces: &[PieceFigures],
    weighted: &[WeightedPiece<'_>],
    healthy: f64,
    shares: &[f64],
) -> Option<(Option<f64>, Vec<f64>)> {
    let seconds: f64 = pieces.iter().map(|piece| piece.length).sum();
    let each = pieces.iter().map(|piece| (healthy / seconds, &piece.latency));
    let struck = weighted.iter().flat_map(|one| {
        let figures = &one.piece.figures;
        let more = figures.more.iter().map(|(more, latency)| (one.rate * more, latency));
        more.chain([(one.rate, &figures.latency)])
    });
    let mut buckets: BTreeMap<Span, f64> = BTreeMap::new();
    let (mut sum, mut count) = (0.0, 0.0);
    for (weight, histogram) in each.chain(struck) {
        sum += weight * histogram.sum() as f64 * 1e-9;
        count += weight * histogram.count() as f64;
        for (value, number) in histogram.buckets() {
            *buckets.entry(value).or_default() += weight * number as f64;
        }
    }
    if seconds <= 0.0 {
        return None;
    }
    let at = |share: f64| {
        let mut left = share * count;
        let found = buckets.iter().find(|(_, number)| {
            left -= **number;
            left <= 0.0
        });
        found.or(buckets.iter().next_back()).map_or(0.0, |(value, _)| value.as_secs())
    };
    let all = shares.iter().map(|share| at(*share)).collect();
    Some(((count > 0.0).then(|| sum / count), all))
}
