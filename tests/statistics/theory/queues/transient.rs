//! From an empty start: one replica under load, and the survivor of two while the other is away.
//!
//! Ten thousand replications, each read at the times that the vectors ask for. The replica that is
//! away crashes at time 0, unloaded, is noticed and taken out at once, and is back after exactly
//! the outage.

use brownout::observe::{Observer, Reading};
use brownout::plan::*;
use brownout::units::{Instant, Span};
use rayon::prelude::*;

use crate::Effort;
use crate::common;
use crate::theory::Group;
use crate::theory::queues::queue::System;
use crate::theory::queues::sojourns::UNIT;
use crate::theory::vectors::Vector;
use crate::theory::verdict::{Measured, mean_and_error};

/// Replications that the vectors state.
const REPLICATIONS: u64 = 10_000;

/// The number of requests at the first replica at every whole unit of time.
#[derive(Default)]
struct Numbers(Vec<u64>);

impl Observer for Numbers {
    fn bin_ended(&mut self, _at: Instant, readings: &[Reading]) {
        self.0.extend(readings.iter().filter(|r| r.replica == 0).map(|r| r.in_flight));
    }
}

pub fn measure(group: &Group, _effort: Effort) -> Vec<Measured> {
    let times: Vec<Option<usize>> = group.vectors.iter().map(time_of).collect();
    let last = times.iter().flatten().max().copied().unwrap_or(0);
    let plan = plan(group, last + 1);
    let run = |replication| {
        let mut numbers = Numbers::default();
        crate::common::witness::observe(&plan, replication, &mut numbers);
        times.iter().map(|time| time.map_or(0, |t| numbers.0[t - 1]) as f64).collect()
    };
    let seen: Vec<Vec<f64>> = (0..REPLICATIONS).into_par_iter().map(run).collect();
    let judge = |place: usize| {
        let numbers: Vec<f64> = seen.iter().map(|run| run[place]).collect();
        Measured::stated(mean_and_error(&numbers), 1.0)
    };
    (0..times.len()).map(judge).collect()
}

/// The whole unit of time that a vector asks for.
fn time_of(vector: &Vector) -> Option<usize> {
    vector.quantity.strip_prefix("mean_number_at_t_")?.parse().ok()
}

fn plan(group: &Group, horizon: usize) -> Plan {
    let mut plan = System::of(group).bare_plan(0.0, horizon as f64);
    plan.run.bin = Span(UNIT as u64);
    if let Some(outage) = group.params().find("outage_duration") {
        plan.gateway.replicas = 2;
        plan.topology = common::plan(2, 1.0, 1.0).topology;
        plan.ingress.balancing = Balancing::Random;
        common::take_away(&mut plan, &[1], Instant::ZERO, Span((outage * UNIT) as u64));
    }
    plan
}
