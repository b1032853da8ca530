//! What theory says of a scenario before anything runs.
//!
//! Utilisation is offered work over capacity. The mean time in a replica is that of processor
//! sharing, which depends on the demand's mean alone: S / (1 − ρ) with one core, and with c whole
//! cores that of M/M/c (Erlang C), as the mean of M/G/c with processor sharing differs little.
//! Arrivals are taken as Poisson at each replica, so that a load balancer which spreads them evenly
//! does better. After a loss those that are left are overloaded until the replacement serves, and
//! the number of requests in a server that shares its CPU grows at the rate α with
//! α = λ (1 − E[exp(−α S)]) (Jean-Marie and Robert, Queueing Systems 17, 1994): faster than what
//! comes above capacity, as many are half done. Who comes last, after T, takes
//! T (exp(α S) − 1). The work above capacity is gone once the spare capacity of those that have it
//! has taken it away; a balancer that goes by turns gives them as much as the replacement.
//!
//! What is left out: retries, queues at upstreams and connections, admission control, an autoscaler
//! that acts meanwhile, and all chance. A run has them; this says what to expect of it.

use crate::plan::{Fault, FaultPlan, Plan, Traffic};
use crate::random::Law;
use crate::units::{Rate, Span};

/// What theory says.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// At the rate at the start, where a further replica is about to be wanted, and at the peak: a
    /// gateway that scales can lose least just before it does.
    pub loads: Vec<LoadForecast>,
    /// Requests per second that one replica serves with full CPU.
    pub each: Rate,
    /// The same of all replicas that there may be.
    pub most: Rate,
    /// What a new replica takes from its creation until it serves.
    pub start: Vec<(&'static str, Span)>,
    /// Of each fault that takes replicas.
    pub losses: Vec<LossForecast>,
    /// Requests of all replications together, in the mean.
    pub requests: f64,
}

/// What a load means.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadForecast {
    /// Which it is.
    pub name: String,
    /// Requests per second.
    pub rate: Rate,
    /// The replicas that run at it in the long run.
    pub replicas: usize,
    /// Utilisation of their CPU.
    pub healthy: f64,
    /// The same with one replica less; `None` if none is left.
    pub less_one: Option<f64>,
    /// The same with the fullest zone lost; `None` if none is left.
    pub less_zone: Option<f64>,
    /// The mean latency of a request, ingress included; `None` if the backlog grows.
    pub latency: Option<Span>,
}

/// What a fault that takes replicas means at the greatest load.
#[derive(Clone, Debug, PartialEq)]
pub struct LossForecast {
    /// Its name.
    pub name: String,
    /// The replicas that it takes.
    pub lost: usize,
    /// From the fault until a replacement is created.
    pub noticed: Span,
    /// From then until it serves.
    pub started: Span,
    /// Utilisation of what is left meanwhile; `None` if nothing is.
    pub utilisation: Option<f64>,
    /// Requests that are there at most, and how long the last of them takes.
    pub backlog: Option<(f64, Span)>,
    /// From the fault until that is worked off; `None` if it never is.
    pub over: Option<Span>,
}

/// What theory says of a plan; `None` of several regions, and where traffic is not a rate.
pub fn forecast(plan: &Plan) -> Option<Prediction> {
    let Traffic::Process(process) = &plan.traffic else { return None };
    if plan.regions.is_some() {
        return None;
    }
    let each = plan.requests_per_arrival();
    let first = process.corners.first().map_or(0.0, |(_, rate)| rate.0) * each;
    let peak = process.peak().0 * each;
    let lowest = process.corners.iter().map(|(_, rate)| rate.0 * each).fold(first, f64::min);
    let mut loads = vec![load(plan, "at the start".to_owned(), Rate(first))];
    let between = before_scaling(plan, (lowest, peak)).into_iter();
    loads
        .extend(between.map(|(replicas, rate)| {
            load(plan, format!("before there are {}", replicas + 1), rate)
        }));
    if peak > first {
        loads.push(load(plan, "at the peak".to_owned(), Rate(peak)));
    }
    let losses = plan.faults.iter().filter_map(|fault| loss(plan, fault, Rate(peak))).collect();
    Some(Prediction {
        loads,
        each: plan.saturation(),
        most: Rate(plan.saturation().0 * plan.most_replicas() as f64),
        start: start(plan),
        losses,
        requests: offered(plan) * plan.run.replications as f64,
    })
}

/// Requests of one replication.
fn offered(plan: &Plan) -> f64 {
    let Traffic::Process(process) = &plan.traffic else { return 0.0 };
    const PARTS: u64 = 1_000;
    let horizon = plan.run.horizon.0;
    let at = |part: u64| crate::units::Instant(horizon / PARTS * part + horizon / PARTS / 2);
    let mean = (0..PARTS).map(|part| process.rate_at(at(part)).0).sum::<f64>() / PARTS as f64;
    mean * plan.requests_per_arrival() * Span(horizon).as_secs()
}

/// Each number of replicas that is added to between two loads, with the greatest load at which it
/// is enough.
fn before_scaling(plan: &Plan, (low, high): (f64, f64)) -> Vec<(usize, Rate)> {
    let numbers = plan.replicas_at(Rate(low))..plan.replicas_at(Rate(high));
    let greatest = |replicas: usize| {
        let (mut enough, mut more) = (low, high);
        for _ in 0..60 {
            let middle = (enough + more) / 2.0;
            match plan.replicas_at(Rate(middle)) <= replicas {
                true => enough = middle,
                false => more = middle,
            }
        }
        (replicas, Rate((10.0 * enough).floor() / 10.0))
    };
    numbers.map(greatest).filter(|(_, rate)| rate.0 > low).collect()
}

fn load(plan: &Plan, name: String, rate: Rate) -> LoadForecast {
    let replicas = plan.replicas_at(rate);
    let left = |lost: usize| {
        let left = replicas.checked_sub(lost).filter(|left| *left > 0)?;
        Some(plan.utilisation(rate, left))
    };
    LoadForecast {
        name,
        rate,
        replicas,
        healthy: plan.utilisation(rate, replicas),
        less_one: left(1),
        less_zone: left(in_fullest_zone(plan, replicas)),
        latency: latency(plan, rate, replicas),
    }
}

/// Replicas in the fullest zone, evenly spread or as they are placed.
fn in_fullest_zone(plan: &Plan, replicas: usize) -> usize {
    let zones = plan.topology.zones.len().max(1);
    let placed = &plan.topology.placement;
    let count = |zone: usize| placed.iter().filter(|one| **one == zone).count();
    match replicas == placed.len() {
        true => (0..zones).map(count).max().unwrap_or(0),
        false => replicas.div_ceil(zones),
    }
}

/// The mean latency with the ingress and back.
fn latency(plan: &Plan, rate: Rate, replicas: usize) -> Option<Span> {
    let busy = plan.utilisation(rate, replicas);
    let inside = sojourn(plan.demand_secs(), plan.gateway.cores.0, busy)?;
    Some(Span::from_secs(inside) + plan.ingress.round_trip())
}

/// The mean time in a server that shares so many cores among its jobs, each on one at most, of
/// which so much CPU time is demanded in the mean; `None` from full utilisation on.
fn sojourn(demand: f64, cores: f64, busy: f64) -> Option<f64> {
    if busy >= 1.0 {
        return None;
    }
    if cores <= 1.0 {
        return Some(demand / cores / (1.0 - busy));
    }
    // Erlang C by the recursion of Erlang B, with the whole cores.
    let servers = cores.floor();
    let load = busy * servers;
    let blocked = (1..=servers as u64)
        .fold(1.0, |blocked, server| load * blocked / (server as f64 + load * blocked));
    let waits = blocked / (1.0 - busy * (1.0 - blocked));
    Some(demand * (1.0 + waits / (servers * (1.0 - busy))))
}

/// The phases of a start, by their means.
fn start(plan: &Plan) -> Vec<(&'static str, Span)> {
    let startup = &plan.startup;
    let mean = |law: &Law| Span::from_secs(law.mean_secs());
    let mut phases = vec![
        ("scheduling", mean(&startup.schedule)),
        ("sandbox", mean(&startup.sandbox)),
        ("image", mean(&startup.image)),
        ("booting", mean(&startup.boot)),
    ];
    if let crate::plan::Configuration::Download(call) = &startup.configuration {
        phases.push(("configuration", mean(&call.duration)));
    }
    phases.extend(startup.contracts.iter().map(|it| ("contracts", mean(&it.fetch.duration))));
    // A probe comes half a period after what it asks is so, in the mean.
    phases.push(("probing", startup.readiness.period / 2));
    phases.push(("becoming known", mean(&plan.ingress.propagation)));
    phases.retain(|(_, span)| *span > Span::ZERO);
    phases
}

/// How fast requests pile up in one replica that gets so many a second, more than it can serve.
fn growth(plan: &Plan, rate: f64) -> f64 {
    const PARTS: usize = 1_000;
    let own = plan.gateway.demand.mean_secs();
    let demand = plan.gateway.demand.scaled(plan.demand_secs() / own / plan.gateway.cores.0);
    let share = |part: usize| (part as f64 + 0.5) / PARTS as f64;
    let demands: Vec<f64> = (0..PARTS).map(|part| demand.quantile_secs(share(part))).collect();
    let left = |growth: f64| {
        let sum: f64 = demands.iter().map(|demand| (-growth * demand).exp()).sum();
        rate * (1.0 - sum / PARTS as f64)
    };
    // From above it falls to the root that is not zero.
    (0..200).fold(rate, |growth, _| left(growth))
}

/// What a fault that takes replicas means, and how many.
fn loss(plan: &Plan, fault: &FaultPlan, rate: Rate) -> Option<LossForecast> {
    let replicas = plan.replicas_at(rate);
    let detection = &plan.detection;
    let liveness = detection.liveness.patience() + detection.liveness.period / 2;
    let node = detection.node_grace + detection.toleration;
    let (lost, noticed) = match &fault.fault {
        Fault::ReplicaCrash(_) => (1, Span::from_secs(detection.crash.mean_secs())),
        Fault::ReplicaHang(_) => (1, liveness + detection.liveness.timeout + detection.grace),
        Fault::NodeLoss(..) => (1, node),
        Fault::ZoneOutage(..) => (in_fullest_zone(plan, replicas), node),
        _ => return None,
    };
    let started = start(plan).into_iter().fold(Span::ZERO, |sum, (_, span)| sum + span);
    let lasts = fault.fault.away().map(|law| Span::from_secs(law.mean_secs()));
    let missing = lasts.map_or(noticed + started, |lasts| (noticed + started).min(lasts + started));
    let each = plan.saturation().0;
    let capacity = |replicas: usize| each * replicas as f64;
    let left = replicas.saturating_sub(lost);
    let excess = (rate.0 - capacity(left)).max(0.0) * missing.as_secs();
    let backlog = (excess > 0.0 && left > 0).then(|| {
        let growth = growth(plan, rate.0 / left as f64);
        let stretched = (growth / each).exp() - 1.0;
        let there = growth * left as f64 * missing.as_secs();
        (there, Span::from_secs(missing.as_secs() * stretched))
    });
    // Who goes by what replicas have sends more to those that are new.
    let spare = match plan.ingress.tracks() {
        true => capacity(replicas) - rate.0,
        false => left as f64 * (each - rate.0 / replicas as f64),
    };
    let worked_off = match backlog {
        _ if spare > 0.0 => Some(Span::from_secs(excess / spare)),
        Some(_) => None,
        None => Some(Span::ZERO),
    };
    Some(LossForecast {
        name: fault.name.clone(),
        lost: lost.min(replicas),
        noticed,
        started,
        utilisation: (left > 0).then(|| plan.utilisation(rate, left)),
        backlog,
        over: worked_off.map(|after| missing + after),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_sharing_is_as_its_closed_forms() {
        // M/M/1: S / (1 − ρ); M/M/2 at 0.7: 19.61 ms of 10 ms.
        assert!((sojourn(0.01, 1.0, 0.5).unwrap() - 0.02).abs() < 1e-12);
        assert!((sojourn(0.01, 2.0, 0.7).unwrap() - 0.019_607_8).abs() < 1e-6);
        // A tenth of a core is a server that is ten times slower.
        assert!((sojourn(0.01, 0.1, 0.5).unwrap() - 0.2).abs() < 1e-12);
        assert_eq!(sojourn(0.01, 2.0, 1.0), None);
    }

    #[test]
    fn a_loss_leaves_a_backlog_that_is_worked_off() {
        // Two replicas of 100/s at 150/s, a request always 10 ms: α = 150 (1 − exp(−α / 100)) is
        // 87.42/s; 50 T requests of work are above capacity, and 25/s is spare in the one left.
        let mut plan = Plan::neutral().with_replicas(2);
        plan.gateway.demand = Law::Constant(Span::from_secs(0.01 * plan.gateway.cores.0));
        plan.traffic = Traffic::poisson(Rate(150.0));
        let fault = FaultPlan {
            name: "crash".to_owned(),
            fault: Fault::ReplicaCrash(crate::plan::ReplicaTarget::Any),
            schedule: crate::plan::Schedule::At(crate::units::Instant::ZERO),
        };
        plan.faults = vec![fault];
        let found = &forecast(&plan).unwrap().losses[0];
        let missing = (found.noticed + found.started).as_secs();
        let (waiting, spike) = found.backlog.unwrap();
        assert!((waiting / missing - 87.42).abs() < 0.01, "{found:?}");
        let stretched = 0.8742_f64.exp() - 1.0;
        assert!((spike.as_secs() / missing - stretched).abs() < 1e-3, "{found:?}");
        assert!((found.over.unwrap().as_secs() - 3.0 * missing).abs() < 1e-6, "{found:?}");
        assert_eq!(found.utilisation, Some(1.5));
    }

    #[test]
    fn a_gateway_that_scales_can_lose_least_before_it_does() {
        let text = "question = \"?\"\n[gateway]\ntier = \"large\"\n[traffic]\nrate = \"850/s\"\n\
                    [[traffic.change]]\nkind = \"step\"\nat = \"4m\"\nrate = \"1150/s\"\n\
                    [run]\nhorizon = \"10m\"\n";
        let loaded = crate::scenario::read::parse("it.toml", text, std::path::Path::new(""));
        let plan = loaded.scenario.expect("it is sound").plan;
        let loads = forecast(&plan).unwrap().loads;
        let names: Vec<&str> = loads.iter().map(|load| load.name.as_str()).collect();
        assert_eq!(names, ["at the start", "before there are 3", "at the peak"]);
        assert_eq!([2, 2, 3], [0, 1, 2].map(|index: usize| loads[index].replicas));
        // Two replicas of 715/s each are left alone up to the target of 70 % and a tenth of it.
        let before = &loads[1];
        assert!((before.rate.0 - 2.0 * 715.0 * 0.77).abs() < 1.5, "{before:?}");
        assert!((before.less_one.unwrap() - 1.54).abs() < 0.01, "{before:?}");
        assert!(loads[2].less_one.unwrap() < 0.81, "{loads:?}");
    }
}
