//! Clusters of strikes by kind: how often they come, and drawing one.

use super::recurring::{RecurringFault, Strike};
use super::sample::PieceFigures;
use crate::random::Stream;

/// What clusters have in common that are drawn together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StratumKind {
    /// One strike of this kind, and no other before it is forgotten.
    Alone(usize),
    /// A strike of this kind first, and others before it is forgotten.
    Overlapping(usize),
}

/// Clusters of one kind, as far as they were simulated.
#[derive(Clone, Debug, PartialEq)]
pub struct Stratum {
    /// Its number among all.
    pub number: usize,
    /// What they have in common.
    pub kind: StratumKind,
    /// The clusters that were simulated.
    pub pieces: Vec<ClusterPiece>,
}

/// A cluster that was simulated.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterPiece {
    /// The kinds of its strikes, in order of time.
    pub kinds: Vec<usize>,
    /// How often the kind of cluster comes in a second, given how long its first strike lasts.
    pub odds: f64,
    /// What the time came to.
    pub figures: PieceFigures,
}

/// A cluster that was drawn.
pub struct DrawnCluster {
    /// Its strikes, in order of time.
    pub strikes: Vec<Strike>,
    /// See [`ClusterPiece::odds`].
    pub odds: f64,
}

impl DrawnCluster {
    /// From its first strike until all are forgotten, in seconds.
    pub fn length(&self) -> f64 {
        self.strikes.iter().map(|strike| strike.over).fold(0.0, f64::max)
    }
}

/// All strata of these faults: each alone, and each with others.
pub fn strata(kinds: &[RecurringFault]) -> Vec<Stratum> {
    let alone = (0..kinds.len()).map(StratumKind::Alone);
    let all = alone.chain((0..kinds.len()).map(StratumKind::Overlapping));
    all.enumerate().map(|(number, kind)| Stratum::new(number, kind)).collect()
}

impl Stratum {
    /// One of which nothing was simulated yet.
    pub fn new(number: usize, kind: StratumKind) -> Stratum {
        Stratum { number, kind, pieces: Vec::new() }
    }

    /// How often each of its pieces stands for one that comes, in a second.
    pub fn rate(&self, piece: &ClusterPiece) -> f64 {
        piece.odds / self.pieces.len().max(1) as f64
    }

    /// Requests that a piece of it takes to simulate, in the mean.
    pub fn mean_simulated(&self) -> f64 {
        let sum: f64 = self.pieces.iter().map(|piece| piece.figures.simulated).sum();
        sum / self.pieces.len().max(1) as f64
    }

    /// The standard deviation of what one piece adds to the failed requests of a second; where no
    /// piece shows one, that of a piece in fifty with a failure of one request in fifty.
    pub fn spread(&self) -> f64 {
        let values = || self.pieces.iter().map(|piece| piece.odds * piece.figures.failed);
        let count = self.pieces.len().max(1) as f64;
        let mean = values().sum::<f64>() / count;
        let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        let sent = self.pieces.iter().map(|piece| piece.odds * piece.figures.decided).sum::<f64>();
        variance.sqrt().max(sent / count / 50.0 / 50.0_f64.sqrt())
    }
}

/// The rate of all strikes.
fn all(kinds: &[RecurringFault]) -> f64 {
    kinds.iter().map(|kind| kind.per_second).sum()
}

/// The share of time in which no window is open.
pub fn idle(kinds: &[RecurringFault]) -> f64 {
    (-kinds.iter().map(|kind| kind.per_second * kind.mean_window()).sum::<f64>()).exp()
}

impl StratumKind {
    /// The kind of the first strike.
    pub fn first(self) -> usize {
        match self {
            StratumKind::Alone(kind) | StratumKind::Overlapping(kind) => kind,
        }
    }

    /// Draws a cluster of this kind.
    pub fn draw(self, kinds: &[RecurringFault], stream: &mut Stream) -> DrawnCluster {
        let (rate, first) = (all(kinds), self.first());
        let strike = kinds[first].strike(first, 0.0, stream);
        // A cluster begins where no window is open, with this kind.
        let begins = idle(kinds) * kinds[first].per_second;
        let alone = (-rate * strike.over).exp();
        if let StratumKind::Alone(_) = self {
            return DrawnCluster { strikes: vec![strike], odds: begins * alone };
        }
        // The gap to the second, which comes before the first is forgotten.
        let gap = -(1.0 - stream.unit() * (1.0 - alone)).ln() / rate;
        let (mut at, mut over, mut strikes) = (gap, strike.over, vec![strike]);
        while at < over {
            let kind = choose(kinds, rate, stream);
            let next = kinds[kind].strike(kind, at, stream);
            if !(kinds[kind].is_exclusive && is_down(&strikes, &next)) {
                over = over.max(next.over);
                strikes.push(next);
            }
            at += stream.exponential() / rate;
        }
        DrawnCluster { strikes, odds: begins * (1.0 - alone) }
    }
}

/// Whether a strike finds down what it would hit: of what lasts by itself it has no effect then.
fn is_down(before: &[Strike], next: &Strike) -> bool {
    before.iter().any(|one| {
        let lasts = one.lasts.map_or(0.0, |lasts| lasts.as_secs());
        let is_same = one.kind == next.kind && one.entity == next.entity;
        is_same && one.at + lasts > next.at
    })
}

/// A kind of strike, by its rate.
fn choose(kinds: &[RecurringFault], rate: f64, stream: &mut Stream) -> usize {
    let mut left = stream.unit() * rate;
    for (index, kind) in kinds.iter().enumerate() {
        left -= kind.per_second;
        if left < 0.0 {
            return index;
        }
    }
    kinds.len() - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Law, Seed};
    use crate::units::Span;

    fn kinds() -> Vec<RecurringFault> {
        let kind = |fault: usize, per_second: f64, lasts: Option<Law>, settles: f64| {
            let (name, entities) = (format!("f{fault}"), vec![0, 1]);
            let (settles, is_assumed, is_exclusive) = (Span::from_secs(settles), false, false);
            let is_quiet = true;
            RecurringFault {
                fault,
                name,
                per_second,
                entities,
                is_exclusive,
                lasts,
                settles,
                is_assumed,
                is_quiet,
            }
        };
        vec![
            kind(0, 1.0 / 3_000.0, None, 300.0),
            kind(1, 1.0 / 9_000.0, Some(Law::Exponential(Span::from_secs(600.0))), 200.0),
        ]
    }

    /// A long time, stroke by stroke: the share without a window, and how often clusters of each
    /// stratum begin, with the mean length of all clusters.
    fn walked(kinds: &[RecurringFault], seconds: f64) -> (f64, Vec<f64>, f64) {
        let mut stream = Seed { seed: 5, replication: 0 }.stream("walk", 0);
        let rate = all(kinds);
        let (mut at, mut counts, mut busy, mut clusters) = (0.0, vec![0.0; 4], 0.0, 0.0);
        let mut next = stream.exponential() / rate;
        while at < seconds {
            let (begin, first) = (next, choose(kinds, rate, &mut stream));
            let mut over = kinds[first].strike(first, begin, &mut stream).over;
            let mut is_alone = true;
            next += stream.exponential() / rate;
            while next < over {
                is_alone = false;
                let kind = choose(kinds, rate, &mut stream);
                over = over.max(kinds[kind].strike(kind, next, &mut stream).over);
                next += stream.exponential() / rate;
            }
            counts[first + if is_alone { 0 } else { 2 }] += 1.0;
            (busy, clusters, at) = (busy + over - begin, clusters + 1.0, over);
        }
        (1.0 - busy / at, counts.iter().map(|count| count / at).collect(), busy / clusters)
    }

    #[test]
    fn clusters_come_as_often_as_strikes_that_are_walked_through() {
        let kinds = kinds();
        let (idle_walked, rates, length) = walked(&kinds, 4e8);
        assert!((idle(&kinds) - idle_walked).abs() < 0.002, "{} {idle_walked}", idle(&kinds));
        let mut stream = Seed { seed: 6, replication: 0 }.stream("draw", 0);
        let (mut all_rate, mut all_length) = (0.0, 0.0);
        for (stratum, right) in strata(&kinds).iter().zip(&rates) {
            let drawn: Vec<DrawnCluster> =
                (0..20_000).map(|_| stratum.kind.draw(&kinds, &mut stream)).collect();
            let rate = drawn.iter().map(|one| one.odds).sum::<f64>() / drawn.len() as f64;
            assert!((rate / right - 1.0).abs() < 0.02, "{:?}: {rate}, not {right}", stratum.kind);
            let length = |one: &DrawnCluster| {
                one.strikes.iter().map(|strike| strike.over).fold(0.0, f64::max)
            };
            all_length += drawn.iter().map(|one| one.odds * length(one)).sum::<f64>() / 20_000.0;
            all_rate += rate;
        }
        assert!((all_length / all_rate / length - 1.0).abs() < 0.02, "{}", all_length / all_rate);
        // Healthy time and that of all clusters are all the time.
        assert!((idle(&kinds) + all_length - 1.0).abs() < 0.01, "{all_length}");
    }
}
