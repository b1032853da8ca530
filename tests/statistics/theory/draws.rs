//! The laws: quantiles and spread of ten million draws.
//!
//! The vectors ask for one per cent at a million draws. For the widest law that is 1.6 standard
//! errors of its 99th percentile, which a correct law misses one time in nine; with ten times as
//! many draws the same one per cent is five standard errors.

use brownout::random::{Law, Seed};
use brownout::units::{SECOND, Span};

use crate::Effort;
use crate::theory::Group;
use crate::theory::vectors::{Params, Vector};
use crate::theory::verdict::{Accept, Measured};

pub fn measure(group: &Group, _effort: Effort) -> Vec<Measured> {
    let mut draws = draw_many(&law(group.params()), group.seed());
    draws.sort_unstable_by(f64::total_cmp);
    let judge = |vector: &Vector| match quantity(&vector.quantity, &draws) {
        Some(got) => Measured { got, error: None, accept: Accept::Stated(1.0) },
        None => Measured::unanswered("a quantity that nothing measures yet"),
    };
    group.vectors.iter().map(judge).collect()
}

fn law(params: &Params) -> Law {
    let mean = Span::from_secs(params.number("mean"));
    let cv = params.find("cv2").map_or(1.0, f64::sqrt);
    match params.word("dist") {
        "lognormal" => Law::LogNormal(mean, cv),
        name if name.starts_with("hyperexp") => Law::Hyperexponential(mean, cv),
        name if name.starts_with("exp") => Law::Exponential(mean),
        name => panic!("no such law: {name}"),
    }
}

fn draw_many(law: &Law, seed: u64) -> Vec<f64> {
    let (sampler, mut stream) = (law.sampler(), Seed { seed, replication: 0 }.stream("law", 0));
    (0..10_000_000).map(|_| sampler.draw(&mut stream) / SECOND as f64).collect()
}

fn quantity(name: &str, sorted: &[f64]) -> Option<f64> {
    if let Some(percent) = name.strip_prefix('p').and_then(|p| p.parse::<f64>().ok()) {
        return Some(sorted[(percent / 100.0 * sorted.len() as f64) as usize]);
    }
    let count = sorted.len() as f64;
    let mean = sorted.iter().sum::<f64>() / count;
    match name {
        "mean" => Some(mean),
        "sd" => Some((sorted.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt()),
        _ => None,
    }
}
