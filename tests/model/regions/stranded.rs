//! What is in flight in a region that is lost: with its ingress nobody is left to answer, and on
//! its machines nobody is left to say so.

use brownout::observe::Sent;
use brownout::observe::ledger::Failure;
use brownout::plan::{Fault, InCluster, Plan, RegionRole};
use brownout::random::Law;
use brownout::units::{Cores, Instant, Share, Span};

use super::{hours, regions};
use crate::common::troubles::fault;
use crate::common::witness::{Witness, witnessed};
use crate::common::{at, plan, secs};

/// When the region is lost, whose requests of the last ten seconds are in flight.
const LOST: f64 = 100.0;

/// Two regions at 6/s together, whose requests take ten seconds of a core's many; the first is lost
/// for so long.
fn long(lasts: Span, change: impl Fn(&mut Plan)) -> Plan {
    let mut plan = plan(2, 6.0, 260.0);
    plan.gateway.cores = Cores(64.0);
    plan.gateway.demand = Law::Constant(secs(10.0));
    plan.ingress.read_timeout = secs(60.0);
    plan.faults = vec![fault(Fault::RegionOutage(Law::Constant(lasts)), LOST)];
    change(&mut plan);
    regions(plan, &[RegionRole::Active, RegionRole::Active], &[Some(0)])
}

/// How what was sent before the loss failed, after how long, and when.
fn before(witness: &Witness) -> Vec<(Failure, Span, Instant)> {
    let sent = |(sent, ..): &&(Sent, Instant, Failure)| sent.at < at(LOST);
    let failed = witness.failed.iter().filter(sent);
    failed.map(|(sent, end, how)| (*how, end.since(sent.at), *end)).collect()
}

/// Half of 60 requests, within five standard deviations.
#[track_caller]
fn expect_half(count: usize) {
    assert!((count as f64 - 30.0).abs() < 5.0 * 30.0_f64.sqrt(), "{count}");
}

#[test]
fn all_that_a_lost_region_has_is_lost_at_once_without_a_status() {
    for patience in [None, Some(secs(1e5))] {
        let plan = long(hours(1.0), |plan| plan.dependencies.clients.patience = patience);
        let (witness, outcome) = witnessed(&plan, 0);
        let ends = before(&witness);
        expect_half(ends.len());
        let lost = |(how, _, end): &(Failure, Span, Instant)| {
            (*how, *end) == (Failure::LostWithIngress, at(LOST)) && how.status().is_none()
        };
        assert!(ends.iter().all(lost), "{ends:?}");
        // What comes later and has not heard of it meets nobody, and nothing claims a status.
        let after = witness.failed.iter().filter(|(sent, ..)| sent.at >= at(LOST));
        let mut after = after.map(|(.., how)| *how).peekable();
        assert!(after.peek().is_some() && after.all(|how| how == Failure::IngressDown));
        assert!(outcome.ledger.balances());
    }
}

#[test]
fn what_came_past_the_ingress_hangs_until_its_client_gives_up_though_the_region_is_back() {
    let inside = |plan: &mut Plan| {
        plan.ingress.in_cluster = Some(InCluster { share: Share::ONE, connections: 50 });
        plan.dependencies.clients.patience = Some(secs(40.0));
    };
    let (witness, outcome) = witnessed(&long(secs(20.0), inside), 0);
    let ends = before(&witness);
    expect_half(ends.len());
    let hangs = |(how, took, _): &(Failure, Span, Instant)| {
        (*how, *took) == (Failure::GivenUp, secs(40.0)) && how.status().is_none()
    };
    assert!(ends.iter().all(hangs), "{ends:?}");
    // Their replicas are gone, and these requests are in none that came for them.
    let last = witness.served.iter().filter(|served| served.sent > at(LOST + 100.0));
    assert!(last.clone().count() > 100 && outcome.ledger.balances());
    assert!(last.clone().all(|served| served.finished.since(served.sent) < secs(10.1)));
}
