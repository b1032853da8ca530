//! A replica that is restarted in place begins anew, whatever it lacked before.

mod common;

use brownout::model::plan::*;
use brownout::random::Law;
use brownout::units::Share;
use common::{at, plan, secs};

#[test]
fn a_replica_restarted_without_contracts_configures_and_serves_again() {
    let call = || ControlPlaneCall {
        duration: Law::Constant(secs(1.0)),
        timeout: secs(10.0),
        backoff: secs(15.0),
    };
    let fetch = ControlPlaneCall { duration: Law::Constant(secs(500.0)), ..call() };
    let mut plan = plan(2, 100.0, 600.0);
    plan.startup.configuration = Configuration::Download(call());
    plan.startup.contracts =
        Some(Contracts { fetch, poll: secs(15.0), gate: Gate::Api(Share(0.5)) });
    let fault = |name: &str, fault, seconds| FaultPlan {
        name: name.to_owned(),
        fault,
        schedule: Schedule::At(at(seconds)),
    };
    plan.faults = vec![
        fault("crash", Fault::ReplicaCrash(ReplicaTarget::Slot(0)), 10.0),
        fault("hang", Fault::ReplicaHang(ReplicaTarget::Slot(0)), 60.0),
    ];
    let outcome = common::replicate(&plan, 0);
    // Crash: some 12 s. Hang: at most 25 s unnoticed, 51 s to the kill and 30 s of grace, 20 s to
    // be ready again. So one replica serves for less than 150 s of 600.
    let alone = outcome.time_with_serving[1];
    assert!(alone > secs(30.0) && alone < secs(150.0), "{alone}");
}
