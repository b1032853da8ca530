//! One plan of several regions.

use super::{RegionRole, Regions};
use crate::plan::{Fault, Plan, Run, Schedule};
use crate::random::mix;
use crate::units::Span;

/// The seed of a region: that of the plan for the first, and others for others, so that what is
/// random in one says nothing of another.
fn seed_of(seed: u64, region: usize) -> u64 {
    if region == 0 { seed } else { mix(seed ^ mix(region as u64)) }
}

impl Plan {
    /// The plan of several regions. Traffic, faults, windows and run of `shared` hold for all of
    /// them; what a gateway is by itself is each region's own, and the plan has it together: the
    /// zones of all, by the names of their regions.
    ///
    /// # Panics
    /// If `of_fault` does not speak of every fault, or no region is active.
    pub fn of_regions(mut shared: Plan, mut regions: Regions) -> Plan {
        assert_eq!(regions.of_fault.len(), shared.faults.len(), "each fault strikes somewhere");
        assert!(regions.active().next().is_some(), "clients are led to a region");
        let origin = regions.control_plane.as_ref().map_or(0, |(home, _)| *home);
        let struck = regions.of_fault.clone();
        let (mut zones, mut placement) = (Vec::new(), Vec::new());
        for (index, region) in regions.all.iter_mut().enumerate() {
            let gateway = &mut region.gateway;
            gateway.run = Run { seed: seed_of(shared.run.seed, index), ..shared.run };
            gateway.traffic = shared.traffic.clone();
            gateway.windows = shared.windows.clone();
            gateway.faults = shared.faults.clone();
            for (fault, struck) in gateway.faults.iter_mut().zip(&struck) {
                let strikes = match fault.fault {
                    Fault::ManagerFrozen(_) | Fault::PlannedFailover(_) => false,
                    _ => struck.unwrap_or(origin) == index,
                };
                if !strikes {
                    fault.schedule = Schedule::Elsewhere;
                }
            }
            let before = zones.len();
            let name = |zone: &String| format!("{}/{zone}", region.name);
            zones.extend(gateway.topology.zones.iter().map(name));
            if region.role != RegionRole::Cold {
                placement.extend(gateway.topology.placement.iter().map(|zone| before + zone));
            }
        }
        shared.gateway.replicas = placement.len();
        shared.topology.zones = zones;
        shared.topology.placement = placement;
        // The way back is part of what each region tells.
        shared.ingress.hop = Span::ZERO;
        shared.regions = Some(Box::new(regions));
        shared
    }
}
