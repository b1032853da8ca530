//! What theory makes of a load: when the CPU of whoever carries it is full.
//!
//! Like all loads of a plan these are arrivals per second, of requests or of sessions, and of all
//! regions together: a region with the part p of the load is full at 1/p times what it carries.

use crate::plan::Plan;
use crate::scenario::Scenario;
use crate::study::mode::gateway::{arrivals, replicas_at, survivors, survivors_of};
use crate::study::mode::kind::Mode;
use crate::study::mode::regions::{self, Carrier, least_of};

/// The least load at which the CPU of the survivors is full, of the replicas that there are at that
/// load until a loss: saturation if nothing fails, N−1 headroom if a replica is lost. What a fluid
/// model gives as the capacity if the loss lasts.
pub fn fluid_limit(base: &Scenario, mode: Mode) -> f64 {
    least_of(regions::carriers_ever(base, mode), |one| one.fluid_limit())
}

/// The same if all replicas that there may be are there.
pub fn full_scale_limit(base: &Scenario, mode: Mode) -> f64 {
    let all = regions::carriers_ever(base, mode);
    least(all, |gateway, mode| arrivals(gateway, survivors(gateway, mode)))
}

/// The load that all replicas that there may be serve when the CPU of a region is full.
pub fn most(plan: &Plan) -> f64 {
    least(regions::carriers_healthy(plan), |gateway, mode| {
        arrivals(gateway, survivors(gateway, mode))
    })
}

/// The load of which one replica serves its part when its CPU is full: of several regions that of
/// the weakest.
pub fn of_one_replica(plan: &Plan) -> f64 {
    least(regions::carriers_healthy(plan), |gateway, _| arrivals(gateway, 1))
}

/// Work over the CPU of the survivors of those replicas that there are at a load until a loss,
/// where a request takes so many seconds of it: of several regions in the busiest, with which that
/// is; without end if nobody is left.
pub fn utilisation(base: &Scenario, mode: Mode, load: f64, work: f64) -> (f64, Option<usize>) {
    let of = |Carrier { gateway, part, before, mode, region }: Carrier| {
        let there = replicas_at(gateway, load * before);
        let (load, survivors) = (load * part, survivors_of(gateway, mode, there) as f64);
        let asked = load * gateway.requests_per_arrival() * work;
        (asked / (gateway.gateway.cores.0 * survivors), region)
    };
    let busy = regions::carriers(base, mode).into_iter().map(of);
    // Of equal ones the first.
    let busiest = busy.reduce(|one, other| if other.0 > one.0 { other } else { one });
    busiest.unwrap_or((f64::INFINITY, None))
}

/// Cores of a replica: of several regions the mean, by how many replicas each may have.
pub fn cores(plan: &Plan) -> f64 {
    let count = |gateway: &&Plan| gateway.most_replicas() as f64;
    let all = regions::gateways(plan);
    let cores = all.iter().map(|gateway| gateway.gateway.cores.0 * count(gateway)).sum::<f64>();
    cores / all.iter().map(count).sum::<f64>()
}

/// The least load at which one of those that carry it comes to its own limit, before a loss or
/// after it.
fn least(all: Vec<Carrier<'_>>, of: impl Fn(&Plan, Mode) -> f64) -> f64 {
    least_of(all, |one| of(one.gateway, one.mode) / one.part)
}
