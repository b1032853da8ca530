//! Replicas under steady load: one or several, with one or several cores, by round robin, by zone
//! or at random; and requests of one size thrown in sparsely.
//!
//! Tagged requests take one per cent of the load and replace as much of the rest, so that the load
//! is the vector's own and means, which depend on nothing else, are not shifted.

use brownout::plan::*;
use brownout::random::{Law, Seed};
use brownout::units::{Cores, Instant, Span};
use rayon::prelude::*;

use crate::Effort;
use crate::common;
use crate::theory::Group;
use crate::theory::queues::sojourns::{Scope, Sojourns, UNIT};
use crate::theory::vectors::Vector;
use crate::theory::verdict::{Measured, mean_and_error};

/// Share of the load that tagged requests take.
const TAGGED_LOAD: f64 = 0.01;

/// The system of a vector, in units of the mean demand.
pub struct System {
    pub rate: f64,
    pub cores: f64,
    /// Replicas in each zone.
    pub zones: Vec<usize>,
    balancing: Balancing,
    law: Law,
    tagged: Option<f64>,
    seed: u64,
}

/// How long a replication is.
#[derive(Clone, Copy)]
struct Size {
    requests: f64,
    warm_up: f64,
    replications: u64,
}

pub fn measure(group: &Group, effort: Effort) -> Vec<Measured> {
    let system = System::of(group);
    let size = size_of(&system, group, effort);
    let wants_all = group.vectors.iter().any(|vector| quantile_of(vector).is_some());
    let seen: Vec<Sojourns> =
        (0..size.replications).into_par_iter().map(|n| run(&system, size, n, wants_all)).collect();
    judge_all(&system, size, group, seen)
}

/// The stated size is a million requests; a vector that mixes slowly, or whose rule says so, needs
/// ten times as many; tagged ones must be 100 000 at least.
fn size_of(system: &System, group: &Group, effort: Effort) -> Size {
    let asks_for_more = group.vectors.iter().any(|vector| vector.tolerance.abs.is_none());
    let large = effort == Effort::Full || asks_for_more;
    let total = if large { 1e7 } else { 1e6 };
    let warm_up = if group.vectors.iter().any(|v| v.stress) { 50_000.0 } else { 20_000.0 };
    let enough_tagged = 1e5 / system.tagged_share();
    match system.tagged {
        Some(_) => {
            let replications = (enough_tagged.max(2e7) / 1e6).ceil();
            Size { requests: 1e6, warm_up, replications: replications as u64 }
        }
        None if large => Size { requests: total / 20.0, warm_up, replications: 20 },
        None => Size { requests: total / 10.0, warm_up, replications: 10 },
    }
}

fn run(system: &System, size: Size, replication: u64, all: bool) -> Sojourns {
    let plan = system.plan(size, replication);
    let mut seen = Sojourns::new(Scope {
        from: plan.run.warm_up,
        until: plan.run.horizon,
        tagged: system.tagged.map(|units| (units * UNIT) as f32),
        all,
        replicas: plan.gateway.replicas,
    });
    crate::common::witness::observe(&plan, replication, &mut seen);
    seen
}

/// The value from all requests together, its error from the replications.
fn judge_all(system: &System, size: Size, group: &Group, seen: Vec<Sojourns>) -> Vec<Measured> {
    let mut parts = seen;
    let mut whole = parts[0].clone();
    parts[1..].iter().for_each(|part| whole.merge(part));
    let factor = (1e6 / (size.requests * size.replications as f64)).sqrt();
    let judge = |vector: &Vector| {
        let Some(got) = quantity(system, &vector.quantity, &mut whole) else {
            return Measured::unanswered("a quantity that nothing measures yet");
        };
        let each: Vec<f64> =
            parts.iter_mut().filter_map(|part| quantity(system, &vector.quantity, part)).collect();
        let factor = if vector.tolerance.requests.is_some() { factor } else { 1.0 };
        Measured::stated((got, mean_and_error(&each).1), factor)
    };
    group.vectors.iter().map(judge).collect()
}

fn quantile_of(vector: &Vector) -> Option<f64> {
    percentile(&vector.quantity)
}

fn percentile(quantity: &str) -> Option<f64> {
    quantity.strip_prefix("sojourn_p")?.parse::<f64>().ok().map(|percent| percent / 100.0)
}

fn quantity(system: &System, name: &str, seen: &mut Sojourns) -> Option<f64> {
    if let Some(share) = percentile(name) {
        return Some(seen.quantile(share));
    }
    if let Some(zone) = name.strip_prefix("mean_sojourn_replica_in_") {
        return Some(seen.mean_at(&system.replicas_in_zone_of(zone)));
    }
    if let Some(zone) = name.strip_prefix("utilization_replica_in_") {
        return Some(seen.utilisation(&system.replicas_in_zone_of(zone)));
    }
    match name {
        "mean_sojourn" | "mean_sojourn_all_requests" => Some(seen.sojourn().mean()),
        "sojourn_sd" => Some(seen.sojourn().variance().sqrt()),
        "sojourn_variance_closed_form" => Some(seen.sojourn().variance()),
        "mean_number_in_system" => Some(seen.mean_number()),
        "mean_slowdown_E[T/S]" => Some(seen.mean_slowdown()),
        "mean_sojourn_given_size" => Some(seen.tagged().mean()),
        "var_sojourn_given_size" => Some(seen.tagged().variance()),
        _ => None,
    }
}

impl System {
    pub fn of(group: &Group) -> Self {
        let params = group.params();
        let one_zone = || vec![params.find("replicas").unwrap_or(1.0) as usize];
        let zones = params.zones();
        let balancing = match params.word("dispatch") {
            "uniform random" => Balancing::Random,
            _ if zones.is_some() => Balancing::ZoneThenReplica,
            _ => Balancing::RoundRobin,
        };
        System {
            rate: params
                .find("total_arrival_rate")
                .unwrap_or_else(|| params.number("arrival_rate")),
            cores: params.find("servers").unwrap_or(1.0),
            zones: zones.unwrap_or_else(one_zone),
            balancing,
            law: law(params.word("service")),
            tagged: params.find("tagged_size"),
            seed: group.seed(),
        }
    }

    /// How many of all requests are tagged.
    fn tagged_share(&self) -> f64 {
        let Some(size) = self.tagged else { return 0.0 };
        let tagged = TAGGED_LOAD * self.rate / size;
        tagged / (tagged + self.rate * (1.0 - TAGGED_LOAD))
    }

    /// The replicas in the zone of the size that `name` begins with.
    fn replicas_in_zone_of(&self, name: &str) -> Vec<usize> {
        let size: Option<usize> = name.split('_').next().and_then(|size| size.parse().ok());
        let placement = self.placement().into_iter().enumerate();
        placement
            .filter(|(_, zone)| Some(self.zones[*zone]) == size)
            .map(|(replica, _)| replica)
            .collect()
    }

    fn placement(&self) -> Vec<ZoneId> {
        let zones = self.zones.iter().enumerate();
        zones.flat_map(|(zone, size)| std::iter::repeat_n(zone, *size)).collect()
    }

    /// The plan of nothing but replicas and requests, with the demand's mean as the unit of time.
    pub fn bare_plan(&self, warm_up: f64, horizon: f64) -> Plan {
        let per_second = 1e9 / UNIT;
        let placement = self.placement();
        let mut plan = common::plan(placement.len(), self.rate * per_second, 1.0);
        plan.gateway.cores = Cores(self.cores);
        plan.gateway.demand = self.law.clone();
        plan.topology.zones = (0..self.zones.len()).map(|zone| format!("zone {zone}")).collect();
        plan.topology.placement = placement;
        plan.ingress.balancing = self.balancing;
        plan.ingress.read_timeout = Span::MAX;
        plan.run.seed = self.seed;
        plan.run.horizon = Instant((horizon * UNIT) as u64);
        plan.run.warm_up = Instant((warm_up * UNIT) as u64);
        plan.run.bin = Span(plan.run.warm_up.0.max(1));
        plan
    }

    fn plan(&self, size: Size, replication: u64) -> Plan {
        let end = (size.warm_up + size.requests) / self.rate;
        let mut plan = self.bare_plan(size.warm_up / self.rate, end);
        if let Some(tagged) = self.tagged {
            plan.traffic = Traffic::Replay(self.with_tagged(tagged, end, replication));
        }
        plan
    }

    /// Poisson arrivals until `end`, each tagged or ordinary by chance.
    fn with_tagged(&self, tagged: f64, end: f64, replication: u64) -> Recording {
        let seed = Seed { seed: self.seed, replication };
        let mut gaps = seed.stream("gaps of all requests", 0);
        let mut kinds = seed.stream("kinds of requests", 0);
        let share = self.tagged_share();
        let mean_gap = share / (TAGGED_LOAD * self.rate / tagged);
        let mut now = 0.0;
        let mut records = Vec::with_capacity((end / mean_gap * 1.01) as usize);
        loop {
            now += mean_gap * gaps.exponential();
            if now >= end {
                return records.into();
            }
            let is_tagged = kinds.unit() < share;
            let at = Instant((now * UNIT) as u64);
            records.push(Recorded {
                at,
                demand: is_tagged.then_some(tagged * UNIT),
                slot: None,
                api: None,
            });
        }
    }
}

/// The law of a demand with mean 1; `Exponential` if none is named.
pub fn law(name: &str) -> Law {
    let mean = Span(UNIT as u64);
    let squared_cv = || name.rsplit("cv2_").next().and_then(|cv2| cv2.parse::<f64>().ok());
    match (name, squared_cv()) {
        ("exponential" | "", _) => Law::Exponential(mean),
        ("deterministic", _) => Law::Constant(mean),
        ("uniform_0_2", _) => Law::Uniform(Span::ZERO, mean * 2),
        ("erlang2", _) => Law::Gamma(mean, 0.5_f64.sqrt()),
        ("erlang4", _) => Law::Gamma(mean, 0.5),
        (name, Some(cv2)) if name.starts_with("hyperexp") => {
            Law::Hyperexponential(mean, cv2.sqrt())
        }
        (name, Some(cv2)) if name.starts_with("lognormal") => Law::LogNormal(mean, cv2.sqrt()),
        _ => panic!("no such law of demand: {name}"),
    }
}
