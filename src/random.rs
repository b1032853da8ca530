//! Randomness: one independent stream per purpose and entity, and the laws drawn from them.
//!
//! A stream is keyed by (seed, replication, purpose, entity). No two purposes share a stream, so a
//! change in one part of a scenario leaves the random numbers of every other part as it was: two
//! tiers under one seed see the same arrivals, the same demands and the same faults (common random
//! numbers).

use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_distr::weighted::WeightedAliasIndex;
use rand_distr::{Distribution, Exp1, Gamma, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::units::{SECOND, Span};

/// What every stream of one replication has in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed {
    /// The scenario's seed.
    pub seed: u64,
    /// The replication's index, from 0.
    pub replication: u64,
}

impl Seed {
    /// The stream for `purpose` (a fixed word) and `entity` (an index within the purpose).
    pub fn stream(self, purpose: &str, entity: u64) -> Stream {
        let mut state = mix(self.seed ^ 0x6272_6f77_6e6f_7574);
        state = mix(state ^ self.replication.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for byte in purpose.bytes() {
            state = mix(state ^ u64::from(byte));
        }
        state = mix(state ^ entity.wrapping_mul(0xd1b5_4a32_d192_ed03));
        let mut bytes = [0_u8; 32];
        for chunk in bytes.chunks_exact_mut(8) {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            chunk.copy_from_slice(&mix(state).to_le_bytes());
        }
        Stream(Xoshiro256PlusPlus::from_seed(bytes))
    }
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): every input bit moves every
/// output bit.
pub fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A reproducible source of random numbers (xoshiro256++).
#[derive(Clone, Debug)]
pub struct Stream(Xoshiro256PlusPlus);

impl Stream {
    /// Uniform on [0, 1), with 53 random bits.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// Uniform on 0..`count` (Lemire's multiplication; the bias is below `count` / 2^64).
    /// `count` > 0.
    pub fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.0.next_u64()) * count as u128) >> 64) as usize
    }

    /// Exponential with mean 1.
    #[inline(always)]
    pub fn exponential(&mut self) -> f64 {
        Exp1.sample(&mut self.0)
    }

    /// Normal with mean 0 and variance 1.
    #[inline(always)]
    pub fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    /// Fills `out` with draws in order.
    pub fn fill(&mut self, out: &mut [f64], draw: impl Fn(&mut Stream) -> f64) {
        // A copy that nothing else refers to stays in registers.
        let mut stream = self.clone();
        out.iter_mut().for_each(|x| *x = draw(&mut stream));
        *self = stream;
    }
}

/// The distribution of a span. Every law is given by its mean, so that laws can be exchanged
/// without changing the load.
#[derive(Clone, Debug, PartialEq)]
pub enum Law {
    /// Always the same.
    Constant(Span),
    /// Uniform between two ends.
    Uniform(Span, Span),
    /// Exponential with this mean.
    Exponential(Span),
    /// Log-normal: mean and coefficient of variation (standard deviation / mean) above 0.
    LogNormal(Span, f64),
    /// Gamma: mean and coefficient of variation above 0; Erlang-k has cv = 1/√k.
    Gamma(Span, f64),
    /// Hyperexponential of two branches with balanced means: mean and coefficient of variation, at
    /// least 1.
    Hyperexponential(Span, f64),
    /// Weibull: mean and shape above 0; a shape under 1 has early failures, over 1 wears out.
    Weibull(Span, f64),
    /// One of these values (nanoseconds), each equally likely; not empty.
    Empirical(Arc<[f64]>),
}

impl Law {
    /// A law that is always zero.
    pub const ZERO: Law = Law::Constant(Span::ZERO);

    /// Uniform between `low` and `high` seconds.
    pub fn uniform_secs(low: f64, high: f64) -> Law {
        Law::Uniform(Span::from_secs(low), Span::from_secs(high))
    }

    /// The mean in seconds.
    pub fn mean_secs(&self) -> f64 {
        let mean_ns = match self {
            Law::Constant(mean)
            | Law::Exponential(mean)
            | Law::LogNormal(mean, _)
            | Law::Gamma(mean, _)
            | Law::Hyperexponential(mean, _)
            | Law::Weibull(mean, _) => mean.0 as f64,
            Law::Uniform(low, high) => (low.0 as f64 + high.0 as f64) / 2.0,
            Law::Empirical(values) => values.iter().sum::<f64>() / values.len() as f64,
        };
        mean_ns / SECOND as f64
    }

    /// The least value that the law can give, in seconds.
    pub fn least_secs(&self) -> f64 {
        match self {
            Law::Constant(value) | Law::Uniform(value, _) => value.as_secs(),
            Law::Empirical(values) => {
                values.iter().copied().fold(f64::INFINITY, f64::min) / SECOND as f64
            }
            _ => 0.0,
        }
    }

    /// What this share of the draws does not exceed, in seconds; of a gamma law by 10,000 draws,
    /// always the same. `share` lies between 0 and 1.
    pub fn quantile_secs(&self, share: f64) -> f64 {
        let sampler = self.sampler();
        let exponential = -(-share).ln_1p();
        let value = match &sampler {
            Sampler::Constant(value) => *value,
            Sampler::Uniform { low, width } => low + share * width,
            Sampler::Exponential { mean } => mean * exponential,
            Sampler::Weibull { scale, power } => scale * exponential.powf(*power),
            Sampler::LogNormal { median, sigma } => median * (sigma * normal_quantile(share)).exp(),
            Sampler::Hyperexponential { often, short, long } => {
                let beyond =
                    |x: f64| often * (-x / short).exp() + (1.0 - often) * (-x / long).exp();
                bisect(0.0, long.max(*short) * exponential, |x| beyond(x) > 1.0 - share)
            }
            Sampler::Empirical(values) => of_sorted(values.to_vec(), share),
            Sampler::Gamma(_) => {
                let mut draws = vec![0.0; 10_000];
                let mut stream = Seed { seed: 0, replication: 0 }.stream("quantile", 0);
                sampler.fill(&mut stream, &mut draws);
                of_sorted(draws, share)
            }
        };
        value / SECOND as f64
    }

    /// The law of the same shape with its mean multiplied by `factor`.
    pub fn scaled(&self, factor: f64) -> Law {
        let by = |span: &Span| Span((span.0 as f64 * factor).round() as u64);
        match self {
            Law::Constant(value) => Law::Constant(by(value)),
            Law::Uniform(low, high) => Law::Uniform(by(low), by(high)),
            Law::Exponential(mean) => Law::Exponential(by(mean)),
            Law::LogNormal(mean, cv) => Law::LogNormal(by(mean), *cv),
            Law::Gamma(mean, cv) => Law::Gamma(by(mean), *cv),
            Law::Hyperexponential(mean, cv) => Law::Hyperexponential(by(mean), *cv),
            Law::Weibull(mean, shape) => Law::Weibull(by(mean), *shape),
            Law::Empirical(values) => {
                Law::Empirical(values.iter().map(|value| value * factor).collect())
            }
        }
    }

    /// The law with its constants worked out, ready to draw from.
    pub fn sampler(&self) -> Sampler {
        match self {
            Law::Constant(value) => Sampler::Constant(value.0 as f64),
            Law::Uniform(low, high) => {
                Sampler::Uniform { low: low.0 as f64, width: high.0 as f64 - low.0 as f64 }
            }
            Law::Exponential(mean) => Sampler::Exponential { mean: mean.0 as f64 },
            Law::LogNormal(mean, cv) => {
                let variance = (cv * cv).ln_1p();
                Sampler::LogNormal {
                    median: mean.0 as f64 * (-variance / 2.0).exp(),
                    sigma: variance.sqrt(),
                }
            }
            Law::Gamma(mean, cv) => gamma_sampler(mean.0 as f64, *cv),
            Law::Hyperexponential(mean, cv) => {
                let square = cv * cv;
                let often = 0.5 * (1.0 + ((square - 1.0) / (square + 1.0)).max(0.0).sqrt());
                let mean = mean.0 as f64;
                Sampler::Hyperexponential {
                    often,
                    short: mean / (2.0 * often),
                    long: mean / (2.0 * (1.0 - often)),
                }
            }
            Law::Weibull(mean, shape) => Sampler::Weibull {
                scale: mean.0 as f64 / libm::tgamma(1.0 + 1.0 / shape),
                power: 1.0 / shape,
            },
            Law::Empirical(values) => Sampler::Empirical(Arc::clone(values)),
        }
    }

    /// One draw, rounded to the nanosecond. For draws in bulk keep the [`Law::sampler`].
    pub fn draw(&self, stream: &mut Stream) -> Span {
        Span(self.sampler().draw(stream).round() as u64)
    }
}

/// The value in a list that this share of it does not exceed.
fn of_sorted(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share) as usize]
}

/// The quantile of the standard normal law.
fn normal_quantile(share: f64) -> f64 {
    bisect(-40.0, 40.0, |x| 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2) < share)
}

/// Where between two ends a condition ceases to hold.
fn bisect(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        *if holds(middle) { &mut low } else { &mut high } = middle;
    }
    0.5 * (low + high)
}

fn gamma_sampler(mean: f64, cv: f64) -> Sampler {
    let shape = 1.0 / (cv * cv);
    match Gamma::new(shape, mean / shape) {
        Ok(law) => Sampler::Gamma(law),
        Err(_) => Sampler::Constant(mean),
    }
}

/// A [`Law`] with its constants worked out; draws are nanoseconds.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // each variant says what its fields are
pub enum Sampler {
    /// Always this value.
    Constant(f64),
    /// From `low` on, over `width`.
    Uniform { low: f64, width: f64 },
    /// By its `mean`.
    Exponential { mean: f64 },
    /// By its `median` and the standard deviation `sigma` of the logarithm.
    LogNormal { median: f64, sigma: f64 },
    /// By shape and scale, as its library has it.
    Gamma(Gamma<f64>),
    /// With probability `often` exponential of mean `short`, else of mean `long`.
    Hyperexponential { often: f64, short: f64, long: f64 },
    /// `scale` times a unit exponential to this `power`, one over the shape.
    Weibull { scale: f64, power: f64 },
    /// One of these values, each alike.
    Empirical(Arc<[f64]>),
}

impl Sampler {
    /// One draw in nanoseconds; finite and not negative.
    pub fn draw(&self, stream: &mut Stream) -> f64 {
        match self {
            Sampler::Constant(value) => *value,
            Sampler::Uniform { low, width } => low + width * stream.unit(),
            Sampler::Exponential { mean } => mean * stream.exponential(),
            Sampler::LogNormal { median, sigma } => median * (sigma * stream.normal()).exp(),
            Sampler::Gamma(law) => law.sample(&mut stream.0),
            Sampler::Hyperexponential { often, short, long } => {
                let mean = if stream.unit() < *often { *short } else { *long };
                mean * stream.exponential()
            }
            Sampler::Weibull { scale, power } => scale * stream.exponential().powf(*power),
            Sampler::Empirical(values) => values[stream.below(values.len())],
        }
    }

    /// Fills `out` with draws, the same ones that [`Sampler::draw`] would give one by one.
    pub fn fill(&self, stream: &mut Stream, out: &mut [f64]) {
        match self {
            Sampler::Constant(value) => out.fill(*value),
            Sampler::Exponential { mean } => {
                stream.fill(out, |stream| mean * stream.exponential());
            }
            Sampler::LogNormal { median, sigma } => {
                // By themselves, because between two normals a call would cost more than itself.
                stream.fill(out, Stream::normal);
                out.iter_mut().for_each(|x| *x = median * (sigma * *x).exp());
            }
            other => out.iter_mut().for_each(|x| *x = other.draw(stream)),
        }
    }
}

/// A choice among things of different weight, in constant time.
#[derive(Clone, Debug)]
pub struct Weighted(WeightedAliasIndex<f64>);

impl Weighted {
    /// A choice among as many things as there are weights: at least one, none negative, not all
    /// zero.
    ///
    /// # Panics
    /// If the weights are not so.
    pub fn new(weights: Vec<f64>) -> Self {
        Weighted(WeightedAliasIndex::new(weights).expect("sound weights"))
    }

    /// The index of the thing chosen.
    pub fn draw(&self, stream: &mut Stream) -> usize {
        self.0.sample(&mut stream.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: Seed = Seed { seed: 7, replication: 0 };

    /// Sample mean and coefficient of variation of 400 000 draws, with the law's mean as unit.
    fn moments(law: &Law) -> (f64, f64) {
        let mut stream = SEED.stream("moments", 0);
        let sampler = law.sampler();
        let unit = law.mean_secs() * SECOND as f64;
        let draws: Vec<f64> = (0..400_000).map(|_| sampler.draw(&mut stream) / unit).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / draws.len() as f64;
        (mean, variance.sqrt() / mean)
    }

    #[test]
    fn every_law_has_the_moments_it_was_given() {
        let mean = Span::from_secs(0.01);
        let third = 1.0 / 3.0_f64.sqrt();
        for (law, cv) in [
            (Law::Constant(mean), 0.0),
            (Law::Uniform(Span::ZERO, mean * 2), third),
            (Law::Exponential(mean), 1.0),
            (Law::LogNormal(mean, 1.0), 1.0),
            (Law::Gamma(mean, 0.5), 0.5),
            (Law::Hyperexponential(mean, 2.0), 2.0),
            (Law::Weibull(mean, 1.0), 1.0),
            (Law::Empirical([1e6, 3e6].into()), 0.5),
        ] {
            let (sample_mean, sample_cv) = moments(&law);
            // Five standard errors of the mean; the cv of the heavier laws needs a wider band.
            assert!(
                (sample_mean - 1.0).abs() < 5.0 * cv / 632.0 + 1e-9,
                "{law:?}: mean {sample_mean}"
            );
            assert!(
                (sample_cv - cv).abs() < 0.02 * cv.max(0.5),
                "{law:?}: cv {sample_cv}, expected {cv}"
            );
        }
    }

    #[test]
    fn quantiles_are_those_of_the_draws() {
        let mean = Span::from_secs(2.0);
        let laws = [
            Law::Constant(mean),
            Law::uniform_secs(2.0, 6.0),
            Law::Exponential(mean),
            Law::LogNormal(mean, 0.8),
            Law::Gamma(mean, 0.5),
            Law::Hyperexponential(mean, 2.0),
            Law::Weibull(mean, 0.7),
            Law::Empirical((1..=500).map(|n| f64::from(n) * 1e9).collect()),
        ];
        for law in laws {
            let mut draws = vec![0.0; 400_000];
            let mut stream = Seed { seed: 3, replication: 0 }.stream("draws", 0);
            law.sampler().fill(&mut stream, &mut draws);
            for share in [0.05, 0.5, 0.99] {
                let (exact, drawn) =
                    (law.quantile_secs(share), of_sorted(draws.clone(), share) / 1e9);
                // The share of draws below lies within five standard errors; of 10,000 draws more.
                let below = draws.iter().filter(|draw| **draw / 1e9 <= exact).count() as f64 / 4e5;
                let drawn_too = if matches!(law, Law::Gamma(..)) { 1e4 } else { 4e5 };
                let error = (share * (1.0 - share) / drawn_too).sqrt();
                let is_atom = matches!(law, Law::Constant(_) | Law::Empirical(_));
                let agrees = (below - share).abs() < 5.0 * error;
                assert!(agrees || is_atom && (exact / drawn - 1.0).abs() < 0.05, "{law:?} {share}");
            }
        }
        // 1.6448536 is the normal quantile at 95 % (tables).
        assert!((normal_quantile(0.95) - 1.644_853_627).abs() < 1e-8);
    }

    #[test]
    fn streams_differ_by_every_part_of_their_key() {
        let first = |seed: Seed, purpose: &str, entity| seed.stream(purpose, entity).unit();
        let base = first(SEED, "arrivals", 0);
        assert_eq!(base, first(SEED, "arrivals", 0));
        assert_ne!(base, first(SEED, "arrivals", 1));
        assert_ne!(base, first(SEED, "demand", 0));
        assert_ne!(base, first(Seed { seed: 8, ..SEED }, "arrivals", 0));
        assert_ne!(base, first(Seed { replication: 1, ..SEED }, "arrivals", 0));
    }

    #[test]
    fn filling_gives_the_same_draws_as_drawing() {
        for law in [
            Law::Exponential(Span(1_000)),
            Law::Gamma(Span(1_000), 0.7),
            Law::LogNormal(Span(1_000), 2.0),
        ] {
            let mut filled = [0.0; 64];
            law.sampler().fill(&mut SEED.stream("a", 0), &mut filled);
            let mut stream = SEED.stream("a", 0);
            assert!(filled.iter().all(|x| *x == law.sampler().draw(&mut stream)), "{law:?}");
        }
    }

    #[test]
    fn the_first_draws_are_pinned() {
        // A change here means that every result of every scenario changes: say so in the changelog.
        let mut stream = Seed { seed: 1, replication: 0 }.stream("arrivals", 0);
        let drawn = [stream.unit(), stream.exponential(), stream.normal()];
        assert_eq!(
            drawn.map(f64::to_bits),
            [4603295242016715181, 4609819266348075746, 13831986642274610326]
        );
    }
}
