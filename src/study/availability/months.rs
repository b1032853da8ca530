//! How months and years scatter around the long run: clusters that come at random, each with the
//! figures of one that was simulated.

use super::AvailabilityStudy;
use super::estimate::{LongRun, MONTH, WeightedPiece, YEAR};
use super::sample::PieceFigures;
use crate::random::{Seed, Stream, Weighted};
use crate::stats::Interval;

/// Years that are drawn.
const YEARS: usize = 4_000;
/// Years that are drawn from each resampling of the pieces, and resamplings.
const YEARS_AGAIN: usize = 250;
const AGAIN: usize = 200;

/// How a share of failed requests, or of minutes that are down, scatters.
#[derive(Clone, Debug, PartialEq)]
pub struct MonthScatter {
    /// Shares that failed in each month that was drawn, sorted.
    pub months: Vec<f64>,
    /// The same of years.
    pub years: Vec<f64>,
}

impl MonthScatter {
    /// The share of the months above a limit.
    pub fn above(values: &[f64], limit: f64) -> f64 {
        let within = values.partition_point(|value| *value <= limit);
        1.0 - within as f64 / values.len().max(1) as f64
    }

    /// What so many of the values do not exceed.
    pub fn quantile(values: &[f64], share: f64) -> f64 {
        let index = (share * values.len() as f64).ceil() as usize;
        values.get(index.clamp(1, values.len().max(1)) - 1).copied().unwrap_or(0.0)
    }
}

/// A chance, with what is known of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chance {
    /// The best single value.
    pub point: f64,
    /// What resamplings of the pieces give.
    pub interval: Interval,
}

/// What clusters come in a second, and which.
struct Clusters<'s> {
    rate: f64,
    choice: Option<Weighted>,
    pieces: Vec<&'s WeightedPiece<'s>>,
    /// Failed requests in a second without them, and all requests.
    healthy: f64,
    requests: f64,
}

impl<'s> Clusters<'s> {
    fn new(pieces: Vec<&'s WeightedPiece<'s>>, run: &LongRun) -> Clusters<'s> {
        let weights: Vec<f64> = pieces.iter().map(|one| one.rate).collect();
        let rate = weights.iter().sum();
        let choice = (rate > 0.0).then(|| Weighted::new(weights));
        let (healthy, requests) = (run.healthy * run.healthy_failed, run.requests);
        Clusters { rate, choice, pieces, healthy, requests }
    }

    /// Draws years month by month.
    fn draw(&self, years: usize, stream: &mut Stream) -> MonthScatter {
        let mut months = Vec::with_capacity(12 * years);
        for _ in 0..12 * years {
            let (mut failed, mut left) = (self.healthy * MONTH, self.rate * MONTH);
            if let Some(choice) = &self.choice {
                // As many as exponential gaps fit in.
                loop {
                    left -= stream.exponential();
                    if left < 0.0 {
                        break;
                    }
                    failed += self.pieces[choice.draw(stream)].piece.figures.failed;
                }
            }
            months.push((failed / (self.requests * MONTH)).min(1.0));
        }
        let mut years: Vec<f64> =
            months.chunks(12).map(|year| year.iter().sum::<f64>() / 12.0).collect();
        months.sort_by(f64::total_cmp);
        years.sort_by(f64::total_cmp);
        MonthScatter { months, years }
    }
}

impl AvailabilityStudy {
    /// How the share of failed requests scatters over months and years.
    pub fn scatter(&self, run: &LongRun, seed: u64) -> MonthScatter {
        let weighted = self.weighted();
        let clusters = Clusters::new(weighted.iter().collect(), run);
        clusters.draw(YEARS, &mut Seed { seed, replication: 0 }.stream("months", 0))
    }

    /// The chances that more than a share fails in a month, and in a year, by resampling the
    /// pieces of each stratum (bootstrap percentiles).
    pub fn chances(
        &self,
        run: &LongRun,
        scatter: &MonthScatter,
        limit: f64,
        seed: u64,
    ) -> [Chance; 2] {
        let weighted = self.weighted();
        let mut stream = Seed { seed, replication: 1 }.stream("months", 0);
        let mut found: [Vec<f64>; 2] = Default::default();
        for _ in 0..AGAIN {
            let mut pieces = Vec::with_capacity(weighted.len());
            for stratum in &self.strata {
                let own: Vec<_> =
                    weighted.iter().filter(|one| one.stratum == stratum.number).collect();
                pieces.extend((0..own.len()).map(|_| own[stream.below(own.len())]));
            }
            let again = Clusters::new(pieces, run).draw(YEARS_AGAIN, &mut stream);
            found[0].push(MonthScatter::above(&again.months, limit));
            found[1].push(MonthScatter::above(&again.years, limit));
        }
        let points = [&scatter.months, &scatter.years].map(|all| MonthScatter::above(all, limit));
        let unseen = [MONTH, YEAR].map(|time| self.unseen(run, limit, time));
        let all = points.into_iter().zip(found).zip(unseen);
        let mut chances = all.map(|((point, mut found), unseen)| {
            found.sort_by(f64::total_cmp);
            let [low, high] = [0.025, 0.975].map(|share| MonthScatter::quantile(&found, share));
            let high = high.max(point).max(unseen.min(1.0));
            Chance { point, interval: Interval { low: low.min(point), high } }
        });
        std::array::from_fn(|_| chances.next().expect("there are two"))
    }

    /// How often in so many seconds clusters may come that use a whole budget by themselves, though
    /// no piece of their stratum did: of n pieces without one so many are likely to have one that
    /// 1 in 40 samples shows none. Those are left out in which fewer requests come than the budget
    /// has.
    fn unseen(&self, run: &LongRun, limit: f64, seconds: f64) -> f64 {
        let budget = limit * run.requests * seconds;
        let often = self.strata.iter().map(|stratum| {
            let pieces = &stratum.pieces;
            let most = |of: fn(&PieceFigures) -> f64| {
                pieces.iter().map(|piece| of(&piece.figures)).fold(0.0, f64::max)
            };
            if most(|piece| piece.decided) < budget || most(|piece| piece.failed) > budget {
                return 0.0;
            }
            let rate: f64 = pieces.iter().map(|piece| stratum.rate(piece)).sum();
            rate * seconds * (1.0 - 0.025_f64.powf(1.0 / pieces.len() as f64))
        });
        often.sum()
    }

    /// How often a year something comes that is longer than a time, in seconds: outages, or the
    /// time until requests are answered again.
    pub fn longer_per_year(&self, longer: impl Fn(&WeightedPiece<'_>) -> bool) -> f64 {
        self.weighted().iter().filter(|one| longer(one)).map(|one| one.rate).sum::<f64>() * YEAR
    }

    /// The length in seconds of the outage that comes back once in so many years, and how many
    /// pieces had one that long; `None` if none comes so seldom that it was not seen.
    pub fn outage_that_returns(&self, years: f64) -> Option<(f64, usize)> {
        let weighted = self.weighted();
        let mut lengths: Vec<(f64, f64)> = weighted
            .iter()
            .filter(|one| one.piece.figures.longest > 0.0 && one.rate > 0.0)
            .map(|one| (one.piece.figures.longest, one.rate * YEAR))
            .collect();
        lengths.sort_by(|one, other| other.0.total_cmp(&one.0));
        let mut often = 0.0;
        let found = lengths.iter().position(|(_, rate)| {
            often += rate;
            often >= 1.0 / years
        })?;
        Some((lengths[found].0, found + 1))
    }
}
