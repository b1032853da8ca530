//! Several regions: how clients are led from one to another, and what that costs.

mod failover;
mod laws;
mod stranded;
mod whole_ingress;

use crate::common::{plan, secs};
use brownout::plan::{
    AllUnhealthy, Asks, Contracts, ControlPlaneCall, Failback, Gate, Plan, RegionCheck, RegionPlan,
    RegionRole, Regions, RoundTrip, Routing, Steering, TrafficManager,
};
use brownout::random::Law;
use brownout::units::{Share, Span};

/// Every 10 s from one location, three failures, after 4 s of silence.
pub fn check() -> RegionCheck {
    RegionCheck {
        asks: Asks::Replica,
        interval: secs(10.0),
        timeout: secs(4.0),
        failures: 3,
        successes: 3,
        locations: 1,
        quorum: Share::ZERO,
    }
}

pub fn dns(ttl: f64) -> Routing {
    Routing::Dns {
        ttl: secs(ttl),
        stragglers: Share::ZERO,
        overtime: Law::ZERO,
        connections: Law::ZERO,
    }
}

pub fn region(name: &str, role: RegionRole, gateway: &Plan) -> RegionPlan {
    RegionPlan {
        name: name.to_owned(),
        role,
        weight: 1.0,
        round_trip: RoundTrip::default(),
        gateway: gateway.clone(),
    }
}

/// Regions of these roles with a gateway like that of the plan each, and its faults, each of which
/// strikes the region that is named beside it.
pub fn regions(plan: Plan, roles: &[RegionRole], of_fault: &[Option<usize>]) -> Plan {
    let names = ["east", "west", "north", "south"];
    let all = roles.iter().zip(names).map(|(role, name)| region(name, *role, &plan)).collect();
    let manager = TrafficManager {
        routing: dns(60.0),
        check: Some(check()),
        decision: Law::ZERO,
        failback: Failback::After(Law::ZERO),
        unhealthy: AllUnhealthy::All,
        groups: 1_000,
    };
    let regions = Regions {
        all,
        steering: Steering::Weighted,
        manager,
        control_plane: None,
        data_loss: Span::ZERO,
        of_fault: of_fault.to_vec(),
    };
    Plan::of_regions(plan, regions)
}

/// What leads clients, to be changed.
pub fn manager(plan: &mut Plan) -> &mut TrafficManager {
    &mut plan.regions.as_mut().expect("a plan of regions").manager
}

/// Two replicas of a core each, and as much load as `busy` says of them, for so many seconds; a
/// request takes 20 ms of a core.
pub fn gateway(busy: f64, horizon: f64) -> Plan {
    let mut plan = plan(2, busy * 2.0 / 0.02, horizon);
    plan.gateway.demand = Law::Exponential(secs(0.02));
    plan
}

pub fn hours(count: f64) -> Span {
    secs(3_600.0 * count)
}

/// Contracts that every request needs, from a control plane that answers in a second.
pub fn contracts() -> Contracts {
    Contracts {
        fetch: ControlPlaneCall {
            duration: Law::Constant(secs(1.0)),
            timeout: secs(10.0),
            backoff: secs(5.0),
        },
        poll: secs(15.0),
        gate: Gate::Replica,
    }
}
