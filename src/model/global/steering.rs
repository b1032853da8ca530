//! From what checks find to where clients go.

use super::crowd::target;
use super::globe::{Globe, Shared};
use super::health::CheckResult;
use crate::model::world::World;
use crate::observe::listener::relay::incident_of_all;
use crate::observe::{Observation, RegionNews};
use crate::plan::{Asks, DeadAddress, Fault, RegionCheck, RegionRole, Routing};
use crate::random::{Law, Stream};
use crate::units::{SECOND, Span};

impl Globe<'_> {
    /// A location asks a region, and will again.
    pub(super) fn ask(&mut self, region: usize, location: usize) {
        let (Some(check), Some(health)) = (&self.regions.manager.check, &mut self.health) else {
            unreachable!("only where there are checks are regions asked");
        };
        let answer = match self.deployed[region] {
            true => answer_of(&self.worlds[region], check, &mut health.draws),
            false => CheckResult::silence(check),
        };
        let next = self.now + check.interval;
        let known = Shared::Known { region, location, good: answer.good };
        self.schedule(self.now + answer.after, known);
        self.schedule(next, Shared::Asked { region, location });
    }

    /// A location knows what came of its check.
    pub(super) fn learn(&mut self, region: usize, location: usize, good: bool) {
        let (Some(check), Some(health)) = (&self.regions.manager.check, &mut self.health) else {
            unreachable!("only where there are checks is anything learnt");
        };
        let healthy = health.note(check, (region, location), good);
        let Some((after, change)) = self.manager.find(self.regions, region, healthy) else {
            return;
        };
        let news = if healthy { RegionNews::Healthy } else { RegionNews::Unhealthy };
        self.tell(&Observation::Region { region, news });
        if let Some(after) = after {
            self.schedule(self.now + after, Shared::Decided { region, change });
        }
    }

    /// Does what follows from what is decided.
    pub(super) fn act(&mut self) {
        self.deploy_if_needed();
        let before = self.manager.answered.clone();
        let Some(answered) = self.manager.change(self.regions) else { return };
        let changes: Vec<(usize, bool)> = answered
            .iter()
            .copied()
            .enumerate()
            .filter(|(region, now)| before[*region] != *now)
            .collect();
        for (region, serves) in changes {
            let news = if serves { RegionNews::Given } else { RegionNews::Withdrawn };
            self.tell(&Observation::Region { region, news });
        }
        match &self.regions.manager.routing {
            Routing::AtOnce(takes) => {
                let known = self.now + takes.draw(&mut self.draws);
                self.schedule(known, Shared::AllLook);
            }
            Routing::Dns { ttl, .. } => {
                let now = self.now;
                for group in self.crowd.misplaced(self.regions, &self.manager.answered) {
                    let expires = self.crowd.expire(group, now, *ttl);
                    self.schedule(expires, Shared::Looks { group });
                }
            }
        }
    }

    /// The answer that a group has expires: its connection goes on, if there is one to what works.
    pub(super) fn expire(&mut self, group: usize) {
        let Routing::Dns { connections, .. } = &self.regions.manager.routing else {
            return self.look(group);
        };
        let region = self.crowd.region(group);
        let works = answers(&self.worlds[region]);
        let is_kept = works && *connections != Law::ZERO && self.target_of(group) != Some(region);
        match is_kept {
            true => {
                let ends = self.now + self.crowd.keep_connection(connections);
                self.schedule(ends, Shared::Moves { group });
            }
            false => self.look(group),
        }
    }

    fn target_of(&self, group: usize) -> Option<usize> {
        target(self.regions, (group, self.crowd.len()), &self.manager.answered)
    }

    /// A group sends to where it is told now.
    pub(super) fn look(&mut self, group: usize) {
        let region = self.target_of(group).unwrap_or(self.crowd.region(group));
        if let Some(from) = self.crowd.send_to(group, region) {
            let groups = self.crowd.len();
            self.tell(&Observation::ClientsMoved { from, to: region, groups });
        }
    }

    /// A cold region is deployed if no other is left, unless the control plane is lost.
    fn deploy_if_needed(&mut self) {
        let Some(region) = self.manager.cold_one(self.regions) else { return };
        if self.deployed[region] || !self.control_plane {
            return;
        }
        assert_eq!(self.regions.all[region].role, RegionRole::Cold, "all others run already");
        self.deployed[region] = true;
        self.tell(&Observation::Region { region, news: RegionNews::Deployed });
        self.with(region, |world| world.deploy());
    }

    /// The control plane is up or down for all regions alike: as it is where its faults strike, and
    /// down while its home is lost, and until it has recovered from that.
    pub(super) fn follow_control_plane(&mut self) {
        if let Some((home, recovery)) = &self.regions.control_plane {
            let lost = self.worlds[*home].region.cluster.is_lost();
            if lost != self.home_is_lost && (lost || !self.home_recovers) {
                if lost {
                    (self.home_is_lost, self.home_recovers) = (true, false);
                } else {
                    self.home_recovers = true;
                    let at = self.now + recovery.draw(&mut self.draws);
                    self.schedule(at, Shared::ControlPlaneRecovers);
                }
            }
        }
        let origin = self.regions.control_plane.as_ref().map_or(0, |(home, _)| *home);
        self.cut_off(origin, self.home_is_lost);
        let down = !self.worlds[origin].cx.control_plane.is_up();
        for region in 0..self.worlds.len() {
            if region != origin {
                self.cut_off(region, down);
            }
        }
        let came_back = !self.control_plane && !down;
        self.control_plane = !down;
        if came_back {
            self.deploy_if_needed();
        }
    }

    /// A region reaches the control plane no more, or does again, whatever its own faults.
    fn cut_off(&mut self, region: usize, down: bool) {
        if std::mem::replace(&mut self.cut_off[region], down) == down {
            return;
        }
        let now = self.now;
        self.with(region, |world| {
            assert!(world.cx.now <= now, "region {region} is ahead, at {}", world.cx.now);
            world.cx.now = now;
            match down {
                true => world.region.cluster.fleet.lose_control_plane(&mut world.cx),
                false => world.cx.control_plane.come_back(),
            }
        });
    }

    /// A fault of what is shared begins.
    pub(super) fn strike(&mut self, fault: usize) {
        let (lasts, subject) = match &self.plan.faults[fault].fault {
            Fault::ManagerFrozen(lasts) => {
                self.manager.freeze(true);
                (lasts, "the traffic manager".to_owned())
            }
            Fault::PlannedFailover(lasts) => {
                let region = self.left_by(fault);
                self.manager.leave(region, true);
                (lasts, format!("region {}", self.regions.all[region].name))
            }
            other => unreachable!("{other:?} is of one region"),
        };
        let count = self.worlds.len();
        let incident = incident_of_all(self.incidents, count, count);
        self.incidents += 1;
        let slots = Vec::new();
        self.tell(&Observation::FaultInjected { fault, incident, slots, lasting: true, subject });
        let over = self.now + lasts.draw(&mut self.faults[fault]);
        self.schedule(over, Shared::Over { fault, incident });
        self.act();
    }

    /// A fault of what is shared is over.
    pub(super) fn end(&mut self, fault: usize, incident: usize) {
        match &self.plan.faults[fault].fault {
            Fault::ManagerFrozen(_) => self.manager.freeze(false),
            _ => self.manager.leave(self.left_by(fault), false),
        }
        self.tell(&Observation::FaultEnded { fault, incident });
        self.await_fault(fault, self.now);
        self.act();
    }

    fn left_by(&self, fault: usize) -> usize {
        self.regions.of_fault[fault].expect("a region is left on purpose, and known")
    }
}

/// Whether a region answers anybody.
fn answers(world: &World) -> bool {
    (0..world.cx.plan.ingress.instances.len()).any(|it| world.region.ingress.is_reachable(it))
}

/// What a check gets from a region: of its ingress a failure only if no instance answers, of a
/// replica if the one chosen is gone, hangs, or has so much to do that it takes too long.
fn answer_of(world: &World, check: &RegionCheck, draws: &mut Stream) -> CheckResult {
    if !answers(world) {
        return CheckResult::silence(check);
    }
    if check.asks == Asks::Ingress {
        return CheckResult::GOOD;
    }
    let (fleet, plan) = (&world.region.cluster.fleet, world.cx.plan);
    let rotation = fleet.present().iter().filter(|id| fleet[**id].in_rotation);
    let rotation: Vec<_> = rotation.copied().collect();
    // The ingress tries others where a connection fails.
    for _ in 0..=plan.ingress.retries {
        if rotation.is_empty() {
            return CheckResult::BAD;
        }
        let replica = &fleet[rotation[draws.below(rotation.len())]];
        if !replica.listens || replica.silent {
            continue;
        }
        let jobs = (replica.in_flight() + 1) as f64;
        let cores = plan.gateway.cores.0 * replica.share().0;
        let secs = plan.gateway.demand.mean_secs() * (jobs / cores).max(1.0 / replica.share().0);
        if replica.hung || Span((secs * SECOND as f64) as u64) > check.timeout {
            return CheckResult::silence(check);
        }
        let fails = check.asks == Asks::Api && (replica.fails || replica.lacks_contracts);
        return CheckResult { good: !fails, after: Span::from_secs(secs) };
    }
    match plan.ingress.dead_address {
        DeadAddress::Refuses => CheckResult::BAD,
        DeadAddress::Drops => CheckResult::silence(check),
    }
}
