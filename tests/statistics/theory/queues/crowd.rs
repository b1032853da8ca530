//! A replica with more cores than requests ever come together: nobody slows anybody down.
//!
//! The number of requests is read every five mean demands, when all but e⁻⁵ of what was there is
//! gone, in 64 replications; means and variances are judged by four standard errors of these. A
//! quantile of a discrete law is judged by the order statistics: the true one must lie between the
//! sample's quantiles at the shares four binomial standard errors below and above.

use brownout::observe::{Observer, Reading};
use brownout::plan::*;
use brownout::random::Law;
use brownout::units::{Cores, Instant, Span};
use rayon::prelude::*;

use crate::Effort;
use crate::common;
use crate::theory::Group;
use crate::theory::vectors::Vector;
use crate::theory::verdict::{Accept, Measured, mean_and_error};

const REPLICATIONS: u64 = 64;
/// Mean demands between readings, and before the first that counts.
const APART: f64 = 5.0;
const WARM_UP: usize = 4;

#[derive(Default)]
struct Numbers(Vec<u64>);

impl Observer for Numbers {
    fn bin_ended(&mut self, _at: Instant, readings: &[Reading]) {
        self.0.push(readings[0].in_flight);
    }
}

pub fn measure(group: &Group, effort: Effort) -> Vec<Measured> {
    let readings = if effort == Effort::Full { 4_000 } else { 1_000 };
    let plan = plan(group, readings);
    let run = |replication| {
        let mut numbers = Numbers::default();
        crate::common::witness::observe(&plan, replication, &mut numbers);
        numbers.0.split_off(WARM_UP)
    };
    let seen: Vec<Vec<u64>> = (0..REPLICATIONS).into_par_iter().map(run).collect();
    group.vectors.iter().map(|vector| judge(vector, &seen)).collect()
}

fn plan(group: &Group, readings: usize) -> Plan {
    let params = group.params();
    let demand = params.number("mean_service");
    let bin = Span::from_secs(APART * demand);
    let horizon = (readings + WARM_UP) as f64 * APART * demand;
    let mut plan = common::plan(1, params.number("arrival_rate"), horizon);
    plan.gateway.cores = Cores(4_096.0);
    plan.gateway.demand = Law::Hyperexponential(Span::from_secs(demand), 1.5);
    plan.run.bin = bin;
    plan.run.seed = group.seed();
    plan
}

fn judge(vector: &Vector, seen: &[Vec<u64>]) -> Measured {
    let each = |of: fn(&[u64]) -> f64| {
        mean_and_error(&seen.iter().map(|numbers| of(numbers)).collect::<Vec<f64>>())
    };
    if let Some(share) = quantile_of(&vector.quantity) {
        return quantile(share, vector.value, seen);
    }
    match vector.quantity.as_str() {
        "mean_number_in_system" => Measured::by_error(each(mean)),
        "variance_number_in_system" => Measured::by_error(each(variance)),
        _ => Measured::unanswered("a quantity that nothing measures yet"),
    }
}

fn quantile_of(quantity: &str) -> Option<f64> {
    let percent = quantity.strip_prefix('p')?.strip_suffix("_number_in_system")?;
    percent.parse::<f64>().ok().map(|percent| percent / 100.0)
}

fn mean(numbers: &[u64]) -> f64 {
    numbers.iter().sum::<u64>() as f64 / numbers.len() as f64
}

fn variance(numbers: &[u64]) -> f64 {
    let mean = mean(numbers);
    let squares: f64 = numbers.iter().map(|number| (*number as f64 - mean).powi(2)).sum();
    squares / (numbers.len() - 1) as f64
}

fn quantile(share: f64, truth: f64, seen: &[Vec<u64>]) -> Measured {
    let mut all = seen.concat();
    all.sort_unstable();
    let at = |share: f64| all[((share * all.len() as f64) as usize).min(all.len() - 1)] as f64;
    let error = (share * (1.0 - share) / all.len() as f64).sqrt();
    let (low, high) = (at(share - 4.0 * error), at(share + 4.0 * error));
    let got = at(share);
    let reach = if truth < got { got - low } else { high - got };
    Measured { got, error: None, accept: Accept::Within(reach) }
}
