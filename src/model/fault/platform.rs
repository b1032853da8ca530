//! Faults of what replicas rest on: the control plane, ingress instances, the supply of nodes, the
//! API server.

use crate::model::cluster::Cluster;
use crate::model::context::Context;
use crate::model::event::Event;
use crate::model::ingress::routing::Ingress;
use crate::model::replica::fleet::Fleet;
use crate::plan::{Fault, InstanceTarget, LostMetrics, ZoneId};
use crate::random::Law;

/// The control plane cannot be reached for a while.
pub(super) fn cut_control_plane(cx: &mut Context, fleet: &mut Fleet, fault: usize, lasts: &Law) {
    let incident = cx.begin_incident(fault, Vec::new(), true, "the control plane".to_owned());
    fleet.lose_control_plane(cx);
    let returns = cx.now + cx.lasting(fault, 0, lasts);
    cx.schedule(returns, Event::ControlPlaneReturns { fault, incident });
    cx.await_again(fault, 0, returns);
}

/// An ingress instance vanishes.
pub(super) fn lose_ingress(
    cx: &mut Context,
    ingress: &mut Ingress,
    fleet: &mut Fleet,
    (fault, target): (usize, InstanceTarget),
    lasts: &Law,
) {
    let instances = cx.plan.ingress.instances.len();
    let instance = match target {
        InstanceTarget::One(instance) => instance,
        _ => cx.faults.choose(fault, instances),
    };
    let subject = format!("ingress instance {}", instance + 1);
    let incident = cx.begin_incident(fault, Vec::new(), true, subject);
    ingress.take_down(cx, fleet, instance, (fault, instance, incident));
    let returns = cx.now + cx.lasting(fault, instance, lasts);
    cx.schedule(returns, Event::IngressReturns { instance, fault, incident });
    cx.await_again(fault, instance, returns);
    ingress.tell_instances(cx);
}

/// All ingress instances vanish at once: nobody comes in, and what goes on behind them nobody sees.
pub(super) fn lose_whole_ingress(
    cx: &mut Context,
    ingress: &mut Ingress,
    fleet: &mut Fleet,
    fault: usize,
    lasts: &Law,
) {
    let subject = "the whole ingress".to_owned();
    let incident = cx.begin_incident(fault, Vec::new(), true, subject);
    for instance in 0..cx.plan.ingress.instances.len() {
        ingress.take_down(cx, fleet, instance, (fault, 0, incident));
    }
    let returns = cx.now + cx.lasting(fault, 0, lasts);
    cx.schedule(returns, Event::Cleared { fault, incident });
    cx.await_again(fault, 0, returns);
    ingress.tell_instances(cx);
}

/// No new node can be had in a zone, or anywhere, for a while; those on their way still come.
pub(super) fn stop_provisioning(
    cx: &mut Context,
    cluster: &mut Cluster,
    (fault, zone): (usize, Option<ZoneId>),
    lasts: &Law,
) {
    let subject = match zone {
        Some(zone) => format!("the supply of new nodes in zone {}", cx.plan.topology.zones[zone]),
        None => "the supply of new nodes".to_owned(),
    };
    let incident = cx.begin_incident(fault, Vec::new(), true, subject);
    cluster.stop_provisioning(incident, zone);
    let returns = cx.now + cx.lasting(fault, 0, lasts);
    cx.schedule(returns, Event::ProvisioningReturns { fault, incident });
    cx.await_again(fault, 0, returns);
}

/// The autoscaler is given no metrics for a while.
pub(super) fn lose_metrics(
    cx: &mut Context,
    cluster: &mut Cluster,
    (fault, lost): (usize, LostMetrics),
    lasts: &Law,
) {
    let subject = match lost {
        LostMetrics::All => "the metrics of the autoscaler",
        LostMetrics::Resource => "the metrics-server",
        LostMetrics::Custom => "the adapter of custom metrics",
    };
    let incident = cx.begin_incident(fault, Vec::new(), true, subject.to_owned());
    cluster.lose_metrics(lost);
    let returns = cx.now + cx.lasting(fault, 0, lasts);
    cx.schedule(returns, Event::Cleared { fault, incident });
    cx.await_again(fault, 0, returns);
}

/// What a fault took from the cluster is back: the supply of nodes, or the API server.
pub(in crate::model) fn bring_back(
    cx: &mut Context,
    cluster: &mut Cluster,
    (fault, incident): (usize, usize),
) {
    match cx.plan.faults[fault].fault {
        Fault::ProvisioningOutage(..) => cluster.resume_provisioning(cx, (fault, incident)),
        Fault::ApiServerOutage(_) => cluster.return_api_server(cx, fault, incident),
        _ => unreachable!("fault {fault} takes nothing from the cluster"),
    }
}

/// The API server of Kubernetes cannot be reached for a while.
pub(super) fn lose_api_server(cx: &mut Context, cluster: &mut Cluster, fault: usize, lasts: &Law) {
    let subject = "the Kubernetes API server".to_owned();
    let incident = cx.begin_incident(fault, Vec::new(), true, subject);
    cluster.lose_api_server();
    let returns = cx.now + cx.lasting(fault, 0, lasts);
    cx.schedule(returns, Event::ApiServerReturns { fault, incident });
    cx.await_again(fault, 0, returns);
}
