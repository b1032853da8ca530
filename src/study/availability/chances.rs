//! The chances of a month or a year: that more than its error budget fails, and that an outage
//! lasts too long.

use super::AvailabilityStudy;
use super::estimate::{LongRun, MONTH, WeightedPiece, YEAR};
use super::sample::PieceFigures;
use super::strata::{ClusterPiece, Stratum};
use crate::random::Seed;
use crate::stats::clusters::weighted_interval;
use crate::stats::{Confidence, Interval, compound, mover};

/// Resamplings of the pieces.
const AGAIN: usize = 200;
/// The chance that an interval lies wholly on one side of what is right.
const BESIDE: f64 = 0.025;
/// What is not back to normal by itself is taken to fail everything for so long at most, until
/// somebody ends it.
pub const UNSETTLED_SECS: f64 = 7_200.0;

/// A chance, or how often something is expected, with what is known of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chance {
    /// The best single value.
    pub point: f64,
    /// What else it may be.
    pub interval: Interval,
}

impl Chance {
    fn map(self, of: impl Fn(f64) -> f64) -> Chance {
        let Interval { low, high } = self.interval;
        Chance { point: of(self.point), interval: Interval { low: of(low), high: of(high) } }
    }
}

/// How often outages come that last longer than a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutageOdds {
    /// How many are expected in a year.
    pub per_year: Chance,
    /// The chance that a month has one.
    pub month: Chance,
    /// The chance that a year has one.
    pub year: Chance,
}

impl AvailabilityStudy {
    /// The chances that more than a share fails in a month, and in a year: those of a Poisson
    /// number of clusters, each with the figures of a piece, and their intervals by resampling the
    /// pieces of each stratum (bootstrap percentiles). The upper end allows for what has not
    /// settled, and for clusters that no piece showed.
    pub fn chances(&self, run: &LongRun, limit: f64, seed: u64) -> [Chance; 2] {
        let weighted = self.weighted();
        let strata: Vec<Vec<&WeightedPiece<'_>>> = self
            .strata
            .iter()
            .map(|one| weighted.iter().filter(|piece| piece.stratum == one.number).collect())
            .collect();
        let mut stream = Seed { seed, replication: 1 }.stream("months", 0);
        let mut again = || -> Vec<&WeightedPiece<'_>> {
            let drawn = strata.iter().flat_map(|own| own.iter().map(move |_| own));
            drawn.map(|own| own[stream.below(own.len())]).collect()
        };
        let resampled: Vec<_> = (0..AGAIN).map(|_| again()).collect();
        let all: Vec<&WeightedPiece<'_>> = weighted.iter().collect();
        [MONTH, YEAR].map(|time| {
            let of = |pieces: &[&WeightedPiece<'_>], more| over(pieces, run, (limit, time), more);
            let end = |share: f64, more: f64| {
                let mut found: Vec<f64> = resampled.iter().map(|pieces| of(pieces, more)).collect();
                found.sort_by(f64::total_cmp);
                found[((share * AGAIN as f64).ceil() as usize).clamp(1, AGAIN) - 1]
            };
            let point = of(&all, 0.0);
            let low = end(BESIDE, 0.0).min(point);
            let high = end(1.0 - BESIDE, UNSETTLED_SECS * run.requests);
            let unseen = self.unseen(run, limit, time);
            let high = mover::upper(point, [high, point + unseen]).min(1.0);
            Chance { point, interval: Interval { low, high } }
        })
    }

    /// The chance that in so many seconds clusters come that use a whole budget by themselves,
    /// though no piece of their stratum did. Those are left out in which fewer requests come than
    /// the budget has.
    fn unseen(&self, run: &LongRun, limit: f64, seconds: f64) -> f64 {
        let budget = limit * run.requests * seconds;
        let chances = self.strata.iter().map(|stratum| {
            let is_lacking = most(stratum, |piece| piece.failed) <= budget;
            let has_room = most(stratum, |piece| piece.decided) >= budget;
            match is_lacking && has_room {
                true => 1.0 - (-unseen_rate(stratum) * seconds).exp(),
                false => 0.0,
            }
        });
        chances.map(|chance| chance.powi(2)).sum::<f64>().sqrt()
    }

    /// How often outages come that last longer than so many seconds.
    pub fn outages(&self, longer: f64, confidence: Confidence) -> OutageOdds {
        let lasts = |piece: &ClusterPiece| piece.figures.longest > longer;
        let (mut point, mut variance, mut greatest) = (0.0, 0.0, 0.0_f64);
        let mut unseen = Vec::new();
        for stratum in &self.strata {
            let rates: Vec<f64> = stratum.pieces.iter().map(|one| stratum.rate(one)).collect();
            let own = stratum.pieces.iter().zip(&rates);
            let found: Vec<f64> =
                own.clone().filter(|(one, _)| lasts(one)).map(|it| *it.1).collect();
            let open = own.filter(|(one, _)| !lasts(one) && one.figures.normal.is_none());
            unseen.push(open.map(|(_, rate)| rate).sum::<f64>());
            if found.is_empty() && most(stratum, |piece| piece.length) > longer {
                unseen.push(unseen_rate(stratum));
            }
            let count = rates.len().max(1) as f64;
            let mean = found.iter().sum::<f64>() / count;
            let squares = found.iter().map(|rate| rate * rate).sum::<f64>();
            let spread = squares / count - mean.powi(2);
            point += mean * count;
            variance += spread.max(0.0) * count * count / (count - 1.0).max(1.0);
            greatest = found.iter().copied().fold(greatest, f64::max);
        }
        let Interval { low, high } = weighted_interval(point, variance, greatest, confidence);
        let ends = [high].into_iter().chain(unseen.into_iter().map(|rate| point + rate));
        let high = mover::upper(point, ends);
        let rate = Chance { point, interval: Interval { low, high } };
        let within = |time: f64| rate.map(|rate| 1.0 - (-rate * time).exp());
        OutageOdds {
            per_year: rate.map(|rate| rate * YEAR),
            month: within(MONTH),
            year: within(YEAR),
        }
    }
}

/// The chance that more than a share of the requests fails in so many seconds, of which clusters
/// like these pieces come; `more` = what those fail besides that were not back to normal.
fn over(
    pieces: &[&WeightedPiece<'_>],
    run: &LongRun,
    (limit, seconds): (f64, f64),
    more: f64,
) -> f64 {
    let room = (limit * run.requests - run.healthy * run.healthy_failed) * seconds;
    if room <= 0.0 {
        return 1.0;
    }
    let losses = pieces.iter().map(|one| {
        let figures = &one.piece.figures;
        let open = if figures.normal.is_none() { more } else { 0.0 };
        (figures.failed + open, one.rate * seconds)
    });
    compound::exceeds(losses, room)
}

/// The greatest figure of the pieces of a stratum.
fn most(stratum: &Stratum, of: impl Fn(&PieceFigures) -> f64) -> f64 {
    stratum.pieces.iter().map(|piece| of(&piece.figures)).fold(0.0, f64::max)
}

/// How often in a second clusters may come of a kind that no piece of their stratum is: of n pieces
/// without one so many are likely to have one that 1 in 40 samples shows none.
fn unseen_rate(stratum: &Stratum) -> f64 {
    let rate: f64 = stratum.pieces.iter().map(|piece| stratum.rate(piece)).sum();
    rate * (1.0 - BESIDE.powf(1.0 / stratum.pieces.len().max(1) as f64))
}
