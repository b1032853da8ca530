//! Faults of what surrounds the replicas: upstreams, the storage of limits, contracts.
//!
//! ```text
//! host up ─ outage ─► down: refuses or is silent ─ over ─► up
//! host as fast as ever ─ slow-down ─► slower by a factor ─ over ─► as fast as ever
//! contract revoked ─ each replica's next refresh, and a fetch ─► refused there from then on
//! ```
//!
//! Assumptions: work that a host had begun when it went down is lost with it, and its replicas see
//! an error, or nothing if it is silent. A replica refreshes its contracts at a phase of its own;
//! while the control plane is down it learns nothing, and asks again one interval after it is back.

use super::World;
use super::event::Event;
use crate::observe::{Observer, ReplicaId, State};
use crate::plan::{Down, HostTarget};
use crate::random::Law;
use crate::units::Instant;

/// What is over when a fault of the surroundings is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Relief {
    HostsUp(HostTarget, Down),
    HostsFast(HostTarget),
    StorageBack,
}

impl<O: Observer> World<'_, O> {
    fn name_hosts(&self, target: HostTarget) -> String {
        let around = self.plan.surroundings.as_ref();
        let name = around.map_or("", |around| &around.upstreams[target.upstream].name);
        match target.host {
            Some(host) => format!("host {} of upstream {name}", host + 1),
            None => format!("upstream {name}"),
        }
    }

    /// A fault of the surroundings strikes and will be over.
    fn begin_trouble(
        &mut self,
        fault: usize,
        subject: String,
        lasts: &Law,
        relief: Relief,
    ) -> usize {
        let incident = self.begin_incident(fault, &[], true, subject);
        let over = self.now + self.lasting(fault, 0, lasts);
        self.schedule(over, Event::Relieved { fault, incident, relief });
        self.await_again(fault, 0, over);
        incident
    }

    /// Hosts go down.
    pub(super) fn lose_hosts(&mut self, fault: usize, target: HostTarget, down: Down, lasts: &Law) {
        let subject = self.name_hosts(target);
        self.begin_trouble(fault, subject, lasts, Relief::HostsUp(target, down));
        for host in self.upstreams.hosts_of(target) {
            self.take_host_down(host, down);
        }
    }

    /// Hosts become slow.
    pub(super) fn slow_hosts(
        &mut self,
        fault: usize,
        target: HostTarget,
        factor: f64,
        lasts: &Law,
    ) {
        let subject = self.name_hosts(target);
        let incident = self.begin_trouble(fault, subject, lasts, Relief::HostsFast(target));
        for host in self.upstreams.hosts_of(target) {
            self.upstreams.slow_down(host, incident, factor);
        }
    }

    /// The storage of limits cannot be reached.
    pub(super) fn lose_storage(&mut self, fault: usize, lasts: &Law) {
        let subject = "the storage of limits".to_owned();
        self.begin_trouble(fault, subject, lasts, Relief::StorageBack);
        self.policies.storage_down += 1;
    }

    /// The trouble is over.
    pub(super) fn relieve(&mut self, fault: usize, incident: usize, relief: Relief) {
        match relief {
            Relief::HostsUp(target, down) => {
                self.upstreams
                    .hosts_of(target)
                    .for_each(|host| self.upstreams.bring_up(host, down));
            }
            Relief::HostsFast(target) => {
                let hosts = self.upstreams.hosts_of(target);
                hosts.for_each(|host| self.upstreams.speed_up(host, incident));
            }
            Relief::StorageBack => self.policies.storage_down -= 1,
        }
        self.end_fault(fault, incident);
    }

    /// A client's contract is revoked: every replica learns of it at its next refresh.
    pub(super) fn revoke_contract(&mut self, fault: usize, client: usize) {
        let subject = format!("the contract of client {}", client + 1);
        // It stays revoked.
        self.begin_incident(fault, &[], true, subject);
        self.revoked.push(client as u32);
        for id in self.slots.iter().flatten().copied().collect::<Vec<_>>() {
            if self.replicas[id].state == State::Ready {
                self.await_revocation(id, client as u32);
            }
        }
    }

    fn await_revocation(&mut self, replica: ReplicaId, client: u32) {
        let Some(contracts) = &self.plan.startup.contracts else { return };
        let luck = &mut self.replicas[replica].luck;
        let poll = luck.unit() * contracts.poll.0 as f64;
        let fetch = contracts.fetch.duration.draw(luck);
        let epoch = self.replicas[replica].epoch;
        let at = Instant(self.now.0 + poll as u64) + fetch;
        self.schedule(at, Event::LearnsRevocation { replica, epoch, client });
    }

    /// A replica's refresh is done.
    pub(super) fn learn_revocation(&mut self, replica: ReplicaId, client: u32) {
        if self.control_plane.is_up() {
            self.replicas[replica].revoked.push(client);
        } else {
            self.await_revocation(replica, client);
        }
    }

    /// A replica that has fetched its contracts knows every revocation.
    pub(super) fn know_revocations(&mut self, id: ReplicaId) {
        self.replicas[id].revoked = self.revoked.clone();
    }
}
