//! The plan of a piece: the gateway in its steady state, and then these strikes and no others.

use super::quiet::Shortened;
use super::recurring::{RecurringFault, lasts_mut};
use crate::plan::{Extent, Fault, InstanceTarget, Plan, ReplicaTarget, Schedule, Traffic, Window};
use crate::random::Law;
use crate::units::{Instant, Share, Span};

/// The plan in which nothing goes wrong but these strikes, the first at `lead` after its beginning,
/// which is at `from` of the traffic; it ends when all is over.
pub fn struck_plan(
    plan: &Plan,
    kinds: &[RecurringFault],
    cluster: &Shortened,
    (from, lead): (Span, Span),
) -> Plan {
    let Shortened { strikes, parts, length } = cluster;
    let mut struck = plan.clone();
    match &mut struck.traffic {
        Traffic::Process(process) => {
            let last = process.corners.last().map_or(0, |(at, _)| at.0);
            // What changes within the run and does not repeat is taken to: an outage of hours would
            // else meet the last rate alone.
            if last > 0 && process.period.is_none() {
                process.period = Some(Span(plan.run.horizon.0.max(last)));
            }
            *process = process.from(from);
        }
        Traffic::Replay(recording) => *recording = recording.from(from),
    }
    for entry in &mut struck.faults {
        if !matches!(entry.schedule, Schedule::After(_)) {
            entry.schedule = Schedule::Elsewhere;
        }
    }
    let mut used = vec![false; plan.faults.len()];
    for strike in strikes {
        let kind = &kinds[strike.kind];
        let mut fault = plan.faults[kind.fault].fault.clone();
        aim(&mut fault, strike.entity);
        if let (Some(law), Some(lasts)) = (lasts_mut(&mut fault), strike.lasts) {
            *law = Law::Constant(lasts);
        }
        let schedule = Schedule::At(Instant::ZERO + lead + Span::from_secs(strike.at));
        let entry = match std::mem::replace(&mut used[kind.fault], true) {
            false => &mut struck.faults[kind.fault],
            true => {
                struck.faults.push(plan.faults[kind.fault].clone());
                if let Some(regions) = &mut struck.regions {
                    regions.of_fault.push(regions.of_fault[kind.fault]);
                }
                struck.faults.last_mut().expect("it was pushed just now")
            }
        };
        (entry.fault, entry.schedule) = (fault, schedule);
    }
    let at = |secs: f64| Instant::ZERO + lead + Span::from_secs(secs);
    struck.windows.truncate(1);
    struck.windows.extend(parts.iter().map(|part| {
        let extent = Extent::Between(at(part.from), at(part.to));
        Window { label: "quiet".to_owned(), extent, api: None }
    }));
    struck.run.warm_up = Instant::ZERO + lead;
    struck.run.horizon = at(*length);
    struck.run.replications = 1;
    struck.run.bin = Span(crate::units::SECOND);
    settled(struck)
}

/// The plan with the replicas that its load needs at first; of several regions each has what they
/// share as it is now.
fn settled(mut plan: Plan) -> Plan {
    let Some(mut regions) = plan.regions.take() else {
        plan.settle(Share::ONE);
        return plan;
    };
    let shares = regions.shares(&vec![true; regions.all.len()]);
    for (region, share) in regions.all.iter_mut().zip(shares) {
        region.gateway.traffic = plan.traffic.clone();
        if share > 0.0 {
            region.gateway.settle(Share(share));
        }
    }
    Plan::of_regions(plan, *regions)
}

/// Has a fault strike one of what it may: the slot, zone or ingress instance of this number. Clocks
/// that start when something comes up, and such as strike what is down in vain, are the same.
fn aim(fault: &mut Fault, entity: usize) {
    match fault {
        Fault::ZoneOutage(zone, _) | Fault::PartialOutage(zone, ..) => *zone = Some(entity),
        Fault::IngressLoss(instance @ InstanceTarget::Any, _) => {
            *instance = InstanceTarget::One(entity);
        }
        Fault::ReplicaCrash(target)
        | Fault::ReplicaHang(target)
        | Fault::ReplicaSlow(target, ..)
        | Fault::NodeLoss(target, _)
        | Fault::NodeShutdown(target, ..)
        | Fault::DrainNode(target, _) => *target = ReplicaTarget::Slot(entity),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{ArrivalProcess, Scatter};
    use crate::units::Rate;

    #[test]
    fn traffic_that_does_not_repeat_is_taken_to() {
        let secs = Span::from_secs;
        let corners = [(0.0, 5.0), (300.0, 5.0), (300.0, 50.0)];
        let corners = corners.map(|(at, rate)| (Instant::from_secs(at), Rate(rate))).to_vec();
        let (scatter, period) = (Scatter::Poisson, None);
        let traffic = Traffic::Process(ArrivalProcess { scatter, corners, period });
        let plan = Plan { traffic, ..Plan::neutral() };
        let nothing = Shortened { strikes: Vec::new(), parts: Vec::new(), length: 10.0 };
        let struck = struck_plan(&plan, &[], &nothing, (secs(450.0), secs(60.0)));
        let Traffic::Process(process) = &struck.traffic else { panic!("{struck:?}") };
        // The run lasts ten minutes, of which 150 s are left.
        let rates = [100.0, 200.0, 500.0].map(|at| process.rate_at(Instant::from_secs(at)).0);
        assert_eq!(rates, [50.0, 5.0, 50.0]);
    }
}
