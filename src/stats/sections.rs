//! Percentiles of all requests together, with the error that the replications' own percentiles
//! show.
//!
//! Percentiles are pooled, never averaged: the point comes from the merged data. Each replication
//! is a section, and the spread of the sections' percentiles around the pooled one gives the error
//! (Asmussen and Glynn, Stochastic Simulation, 2007, section III.5; Nakayama, ACM TOMACS 24, 2014).
//!
//! That needs sections that are long in themselves. Slow requests come in crowds, and most short
//! sections have no crowd at all: of 10 replications of 200 requests of a queue that is half busy,
//! the interval of p99 holds the truth in 82 of 100 cases instead of 95 (in 94 if the requests were
//! independent). So sections are asked only where the data end before a better interval does: see
//! `metric::percentile`.

use super::Sample;

/// What one replication says of a percentile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Section {
    /// Its own percentile.
    pub value: f64,
    /// How many requests it rests on; above zero.
    pub weight: f64,
}

/// A percentile from its pooled value θ and the sections' own values θᵢ.
///
/// With wᵢ the share of the requests that section i has, the error is √(n/(n−1) · Σwᵢ²(θᵢ−θ)²),
/// which for equal sections is √(Σ(θᵢ−θ)² / (n(n−1))).
pub fn sample(pooled: f64, sections: &[Section]) -> Sample {
    let n = sections.len() as f64;
    let total: f64 = sections.iter().map(|section| section.weight).sum();
    let deviation = |s: &Section| n * s.weight / total * (s.value - pooled);
    Sample { point: pooled, deviations: sections.iter().map(deviation).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::tests::{coverage, exponential};
    use crate::stats::{Confidence, Estimate};

    fn estimate(pooled: f64, sections: &[Section]) -> Estimate {
        sample(pooled, sections).estimate(Confidence::USUAL)
    }

    fn percentile(values: &mut [f64], q: f64) -> f64 {
        values.sort_unstable_by(f64::total_cmp);
        values[(q * values.len() as f64).ceil() as usize - 1]
    }

    /// The coverage of p99 of an exponential law, truly ln 100.
    fn coverage_of_p99(sizes: &[usize]) -> f64 {
        coverage(500, 100.0_f64.ln(), |stream| {
            let mut all = Vec::new();
            let mut section = |size: &usize| {
                let mut values: Vec<f64> = (0..*size).map(|_| exponential(stream)).collect();
                all.extend_from_slice(&values);
                Section { value: percentile(&mut values, 0.99), weight: *size as f64 }
            };
            let sections: Vec<_> = sizes.iter().map(&mut section).collect();
            estimate(percentile(&mut all, 0.99), &sections)
        })
    }

    #[test]
    fn intervals_of_percentiles_cover_the_truth_as_often_as_they_claim() {
        let covered = coverage_of_p99(&[1_000; 20]);
        assert!((0.93..=0.97).contains(&covered), "{covered}");
    }

    #[test]
    fn a_small_section_weighs_little() {
        let sizes: Vec<usize> = (0..20).map(|i| if i % 4 == 0 { 200 } else { 1_200 }).collect();
        let covered = coverage_of_p99(&sizes);
        assert!((0.92..=0.97).contains(&covered), "{covered}");
    }

    #[test]
    fn three_equal_sections_have_the_error_of_three_values() {
        let sections = [1.0, 2.0, 3.0].map(|value| Section { value, weight: 7.0 });
        let interval = estimate(2.0, &sections).interval.unwrap();
        // t(2, 0.975) = 4.302653; √((1 + 0 + 1) / (3 · 2)) = 0.577350
        assert!((interval.high - 2.0 - 4.302_653 * 0.577_350).abs() < 1e-5, "{interval:?}");
    }

    #[test]
    fn one_section_has_no_interval() {
        let section = Section { value: 2.0, weight: 9.0 };
        assert_eq!(estimate(2.0, &[section]), Estimate::alone(2.0, 1));
    }
}
