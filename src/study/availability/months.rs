//! How months and years scatter around the long run: clusters that come at random, each with the
//! figures of one that was simulated.

use super::AvailabilityStudy;
use super::estimate::{LongRun, MONTH, WeightedPiece, YEAR};
use crate::random::{Seed, Stream, Weighted};

/// Years that are drawn.
const YEARS: usize = 4_000;
/// How a share of failed requests, or of minutes that are down, scatters.
#[derive(Clone, Debug, PartialEq)]
pub struct MonthScatter {
    /// Shares that failed in each month that was drawn, sorted.
    pub months: Vec<f64>,
    /// The same of years.
    pub years: Vec<f64>,
}

impl MonthScatter {
    /// What so many of the values do not exceed.
    pub fn quantile(values: &[f64], share: f64) -> f64 {
        let index = (share * values.len() as f64).ceil() as usize;
        values.get(index.clamp(1, values.len().max(1)) - 1).copied().unwrap_or(0.0)
    }
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
