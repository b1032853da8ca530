//! Faults of what replicas depend on: upstreams, the storage of limits, contracts.
//!
//! ```text
//! host up ─ outage ─► down: refuses or is silent ─ over ─► up
//! host as fast as ever ─ slow-down ─► slower by a factor ─ over ─► as fast as ever
//! caches purged ─► every answer is a miss until it is stored again
//! contract revoked ─ each replica's next refresh, and a fetch ─► refused there from then on
//! ```
//!
//! Assumptions: work that a host had begun when it went down is lost with it, and its replicas see
//! an error, or nothing if it is silent.

use crate::model::cluster::Cluster;
use crate::model::context::Context;
use crate::model::event::Event;
use crate::model::ingress::routing::Ingress;
use crate::model::replica::fleet::Fleet;
use crate::model::request::Requests;
use crate::plan::{Down, Fault, HostTarget, Plan};
use crate::random::Law;

fn name_hosts(plan: &Plan, target: HostTarget) -> String {
    let name = &plan.dependencies.upstreams[target.upstream].name;
    match target.host {
        Some(host) => format!("host {} of upstream {name}", host + 1),
        None => format!("upstream {name}"),
    }
}

/// A dependency is in trouble and will be itself again.
pub(super) fn begin(cx: &mut Context, fault: usize, subject: String, lasts: &Law) -> usize {
    let incident = cx.begin_incident(fault, Vec::new(), true, subject);
    let at = cx.now + cx.lasting(fault, 0, lasts);
    cx.schedule(at, Event::Cleared { fault, incident });
    cx.await_again(fault, 0, at);
    incident
}

/// Hosts go down.
pub(super) fn lose_hosts(
    cx: &mut Context,
    requests: &mut Requests,
    fleet: &mut Fleet,
    (fault, target, down): (usize, HostTarget, Down),
    lasts: &Law,
) {
    begin(cx, fault, name_hosts(cx.plan, target), lasts);
    for host in requests.upstreams.hosts_of(target) {
        requests.take_host_down(cx, fleet, host, down);
    }
}

/// Hosts become slow.
pub(super) fn slow_hosts(
    cx: &mut Context,
    requests: &mut Requests,
    (fault, target, factor): (usize, HostTarget, f64),
    lasts: &Law,
) {
    let subject = name_hosts(cx.plan, target);
    let incident = begin(cx, fault, subject, lasts);
    for host in requests.upstreams.hosts_of(target) {
        requests.upstreams.slow_down(host, incident, factor);
    }
}

/// The storage of limits cannot be reached.
pub(super) fn lose_storage(cx: &mut Context, requests: &mut Requests, fault: usize, lasts: &Law) {
    begin(cx, fault, "the storage of limits".to_owned(), lasts);
    requests.policies.lose_storage();
}

/// Every cache is emptied; they fill again by themselves.
pub(super) fn purge_caches(cx: &mut Context, requests: &mut Requests, fault: usize) {
    cx.begin_incident(fault, Vec::new(), false, "every cache".to_owned());
    requests.policies.purge_caches();
    cx.await_again(fault, 0, cx.now);
}

/// A dependency is itself again, the autoscaler is given its metrics, replicas are well, or the
/// whole ingress is back.
pub(in crate::model) fn clear(
    cx: &mut Context,
    (requests, cluster, ingress): (&mut Requests, &mut Cluster, &mut Ingress),
    (fault, incident): (usize, usize),
) {
    let upstreams = &mut requests.upstreams;
    match cx.plan.faults[fault].fault {
        Fault::UpstreamOutage(target, down, _) => {
            upstreams.hosts_of(target).for_each(|host| upstreams.bring_up(host, down));
        }
        Fault::UpstreamSlow(target, ..) => {
            upstreams.hosts_of(target).for_each(|host| upstreams.speed_up(host, incident));
        }
        Fault::StorageOutage(_) => requests.policies.restore_storage(),
        Fault::MetricsOutage(lost, _) => cluster.restore_metrics(lost),
        Fault::GrayFailure(..) => cluster.fleet.end_gray(cx, incident),
        Fault::IngressLoss(..) => ingress.return_all(cx),
        ref other => unreachable!("{other:?} is cleared by an event of its own"),
    }
    cx.end_fault(fault, incident);
}

/// A client's contract is revoked, for good: on purpose, so there is nothing to be restored.
pub(super) fn revoke_contract(cx: &mut Context, fleet: &mut Fleet, fault: usize, client: usize) {
    let clients = cx.plan.dependencies.clients.popularity.keys;
    assert!(client < clients, "client {client} of {clients} loses its contract");
    let subject = format!("the contract of client {}", client + 1);
    cx.begin_incident(fault, Vec::new(), false, subject);
    fleet.revoke_contract(cx, client as u32);
}
