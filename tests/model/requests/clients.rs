//! Clients that react and services behind the gateway: the closed loop, errors, revoked contracts.

use brownout::observe::ledger::Failure;
use brownout::observe::{Observer, ReplicaId, Sent, Served};
use brownout::plan::*;
use brownout::policy::breaker::BreakerSpec;
use brownout::policy::limit::Sharing;
use brownout::random::Law;
use brownout::units::{Cores, Instant, Share, Span};

use crate::common::dependencies::{
    bystanders, limit, upstream, windows, with_policies, with_upstream,
};
use crate::common::witness::{observe, witnessed};
use crate::common::{at, plan, replicate, secs};
use crate::derived::{Sample, call, crash, fault};
use crate::requests::overload::expect_only;

/// So many users who never think before two replicas for 60 s.
fn closed(users: usize, mut dependencies: Dependencies) -> Plan {
    let mut plan = plan(2, 0.0, 60.0);
    plan.run.warm_up = at(5.0);
    plan.run.bin = secs(60.0);
    dependencies.clients.population = Population::Closed { users, think: Law::ZERO };
    plan.dependencies = dependencies;
    plan
}

/// Throughput per second and mean latency in seconds of the users' requests.
fn throughput_and_latency(plan: &Plan) -> (f64, f64) {
    let outcome = replicate(plan, 0);
    let window = &outcome.windows[0];
    assert_eq!(window.ledger.failed(), 0);
    let latency = window.latency.mean().expect("answers").as_secs();
    (window.ledger.served as f64 / window.open.as_secs(), latency)
}

#[test]
fn property_18_in_a_closed_loop_without_thinking_latency_is_users_over_throughput() {
    let busy = || Upstream { workers: Some(4), ..upstream(Law::Exponential(secs(0.004))) };
    let mut far = bystanders();
    far.clients.network = Some(Law::Exponential(secs(0.02)));
    for dependencies in [bystanders(), with_upstream(busy()), far] {
        let mut last = (0.0, 0.0);
        for users in [1, 2, 5, 20, 100] {
            let (rate, latency) = throughput_and_latency(&closed(users, dependencies.clone()));
            let little = users as f64 / rate;
            assert!((latency / little - 1.0).abs() < 0.01, "{users}: {latency}, not {little}");
            // More users are more load: nothing gets faster, and no less is done.
            assert!(latency > 0.99 * last.1 && rate > 0.99 * last.0, "{users} users");
            last = (rate, latency);
        }
        // Replicas do 2 000 a second, the upstream 1 000; a hundred users keep what is least busy.
        let most = if dependencies.upstreams.is_empty() { 2_000.0 } else { 1_000.0 };
        assert!(last.0 <= 1.02 * most && last.0 > 0.9 * most, "{}", last.0);
    }
}

/// The one published measurement of an Envoy-based gateway in overload: 1,000 users who never think
/// before two cores that serve 5,217 echo requests a second (WSO2 API Platform Gateway 1.1.0). p90,
/// p99 and p99.9 in ms say how alike requests are in the CPU time that they take.
#[test]
fn the_default_demand_has_about_the_tail_that_was_measured_and_an_exponential_one_has_not() {
    const MEASURED: [(f64, f64); 3] = [(0.9, 229.0), (0.99, 269.0), (0.999, 295.0)];
    let off = |law: fn(Span) -> Law| {
        let mut plan = closed(1_000, bystanders());
        plan.gateway.replicas = 1;
        plan.topology.placement = vec![0];
        plan.gateway.cores = Cores(2.0);
        plan.gateway.demand = law(Span::from_secs(2.0 / 5_217.0));
        let outcome = replicate(&plan, 0);
        let latency = &outcome.windows[0].latency;
        let ratio = |(share, ms): (f64, f64)| {
            latency.quantile(share).expect("answers").as_secs() * 1e3 / ms
        };
        MEASURED.map(ratio)
    };
    // Under processor sharing a request takes its share of the mean: so do the tails.
    let fit = off(|mean| Law::LogNormal(mean, 0.15));
    assert!(fit.iter().all(|ratio| (ratio - 1.0).abs() < 0.03), "{fit:?}");
    let default = off(|mean| Law::LogNormal(mean, 0.2));
    assert!(default.iter().all(|ratio| (1.0..1.2).contains(ratio)), "{default:?}");
    let exponential = off(Law::Exponential);
    assert!(exponential.iter().all(|ratio| *ratio > 1.85), "{exponential:?}");
}

/// Requests that take no time in the gateway, at a rate, with these dependencies for 60 s.
fn idle(rate: f64, dependencies: Dependencies) -> Plan {
    let mut idle = plan(2, rate, 60.0);
    idle.gateway.demand = Law::ZERO;
    idle.dependencies = dependencies;
    idle
}

/// A host that works on one request a second.
fn slow() -> Upstream {
    Upstream { workers: Some(1), timeout: secs(15.0), ..upstream(Law::Constant(secs(1.0))) }
}

#[test]
fn property_20_around_the_replicas_too_errors_come_only_through_a_named_mechanism() {
    let quick = || Upstream { timeout: secs(15.0), ..upstream(Law::Exponential(secs(0.1))) };
    expect_only(&idle(20.0, with_upstream(quick())), &[]);
    let failing = Upstream { errors: Share(0.1), ..quick() };
    expect_only(&idle(20.0, with_upstream(failing)), &[Failure::UpstreamFailed]);
    expect_only(&idle(2.0, with_upstream(slow())), &[Failure::UpstreamTimedOut]);
    let breaker = BreakerSpec { connections: Some(2), pending: Some(2), ..BreakerSpec::NONE };
    let guarded = Upstream { breaker, ..slow() };
    expect_only(&idle(2.0, with_upstream(guarded)), &[Failure::BreakerOpen]);
    let mut impatient = with_upstream(slow());
    impatient.clients.patience = Some(secs(3.0));
    expect_only(&idle(2.0, impatient), &[Failure::GivenUp]);
    let quota = with_policies([limit(windows(100, secs(10.0)), Sharing::Counter)]);
    let mut limited = idle(20.0, quota);
    expect_only(&limited, &[Failure::RateLimited]);
    limited.faults.push(fault(Fault::StorageOutage(Law::Constant(secs(5.0))), 20.0));
    expect_only(&limited, &[Failure::RateLimited, Failure::QuotaUnknown]);
    let target = HostTarget { upstream: 0, host: None };
    let outage = |down| {
        let mut plan = idle(20.0, with_upstream(quick()));
        plan.faults = vec![fault(Fault::UpstreamOutage(target, down, law(20.0)), 20.0)];
        plan
    };
    expect_only(&outage(Down::Refuses), &[Failure::UpstreamFailed]);
    expect_only(&outage(Down::Silent), &[Failure::UpstreamTimedOut]);
    expect_only(&revoked(60.0), &[Failure::ContractRevoked]);
}

fn law(seconds: f64) -> Law {
    Law::Constant(secs(seconds))
}

/// How long each request waited that failed in this way.
fn waits(plan: &Plan, wanted: Failure) -> Vec<Span> {
    let (witness, _) = witnessed(plan, 0);
    let mine = witness.failed.iter().filter(|(.., failure)| *failure == wanted);
    mine.map(|(sent, at, _)| at.since(sent.at)).collect()
}

#[test]
fn property_20_an_upstream_is_waited_for_15_s_a_breaker_refuses_at_once() {
    let plan = idle(2.0, with_upstream(slow()));
    let timed_out = waits(&plan, Failure::UpstreamTimedOut);
    assert!(timed_out.len() > 20 && timed_out.iter().all(|wait| *wait == secs(15.0)));
    let (witness, _) = witnessed(&plan, 0);
    assert!(witness.served_in_time().all(|r| r.finished.since(r.sent) <= secs(15.0)));
    let breaker = BreakerSpec { connections: Some(2), pending: Some(2), ..BreakerSpec::NONE };
    let guarded = idle(2.0, with_upstream(Upstream { breaker, ..slow() }));
    let refused = waits(&guarded, Failure::BreakerOpen);
    assert!(refused.len() > 20 && refused.iter().all(|wait| *wait == Span::ZERO));
    let mut impatient = with_upstream(slow());
    impatient.clients.patience = Some(secs(3.0));
    let given_up = waits(&idle(2.0, impatient), Failure::GivenUp);
    assert!(given_up.len() > 20 && given_up.iter().all(|wait| *wait == secs(3.0)));
    let wanted = [Failure::UpstreamTimedOut, Failure::BreakerOpen, Failure::GivenUp];
    assert_eq!(wanted.map(Failure::status), [Some(504), Some(503), None]);
}

const REVOKED: f64 = 5.0;

/// Three replicas whose only client loses its contract after 5 s. Requests take no time.
fn revoked(horizon: f64) -> Plan {
    let mut plan = plan(3, 100.0, horizon);
    plan.gateway.demand = Law::ZERO;
    plan.startup.contracts =
        Some(Contracts { fetch: call(), poll: secs(15.0), gate: Gate::Replica });
    let mut dependencies = bystanders();
    dependencies.apis[0].contracts = true;
    plan.dependencies = dependencies;
    plan.faults = vec![fault(Fault::ContractRevoked(0), REVOKED)];
    plan
}

/// When each replica served, and when requests were refused for their contract.
#[derive(Default)]
struct Contract {
    served: Vec<(ReplicaId, Instant)>,
    refused: Vec<Instant>,
    others: usize,
}

impl Observer for Contract {
    fn served(&mut self, request: &Served) {
        self.served.push((request.replica, request.sent));
    }
    fn failed(&mut self, Sent { at: sent, .. }: Sent, _at: Instant, failure: Failure) {
        match failure {
            Failure::ContractRevoked => self.refused.push(sent),
            _ => self.others += 1,
        }
    }
}

impl Contract {
    fn of(plan: &Plan, replication: u64) -> Self {
        let mut contract = Contract::default();
        observe(plan, replication, &mut contract);
        contract
    }

    /// When a replica last served.
    fn last(&self, replica: ReplicaId) -> Option<f64> {
        let mine = self.served.iter().filter(|(by, _)| *by == replica);
        mine.map(|(_, sent)| sent.as_secs()).next_back()
    }
}

#[test]
fn a_contract_revoked_for_good_is_answered_and_keeps_no_incident_open() {
    let outcome = replicate(&revoked(60.0), 0);
    let ledger = outcome.ledger;
    assert!(ledger.rejected() > 3_000 && ledger.balances(), "{ledger:?}");
    assert_eq!((ledger.failed(), ledger.availability()), (0, Some(1.0)));
    let recovery = outcome.incidents[0].recovery().expect("nothing failed");
    assert!(recovery <= secs(1.0), "{recovery}");
}

#[test]
fn property_29_a_revoked_contract_is_refused_everywhere_after_a_poll_and_a_fetch() {
    let plan = revoked(25.0);
    let mut delays = Vec::new();
    for replication in 0..100 {
        let contract = Contract::of(&plan, replication);
        let lasts = [0, 1, 2].map(|replica| contract.last(replica).expect("it served"));
        assert!(lasts.iter().all(|last| *last <= REVOKED + 15.0 + 1.0), "{lasts:?}");
        // Whoever has not heard of it serves; the first refusal comes from one that has.
        let earliest = lasts.iter().copied().fold(f64::MAX, f64::min);
        assert!(contract.refused.iter().all(|sent| *sent > at(earliest.max(REVOKED))));
        let latest = lasts.iter().copied().fold(0.0, f64::max);
        assert!(contract.refused.iter().any(|sent| *sent > at(latest)) && contract.others == 0);
        delays.extend(lasts.map(|last| last - REVOKED));
    }
    // Somewhere in a poll of 15 s, then a fetch of 0.2 to 1 s; each replica is asked every 30 ms,
    // so the last answer lies 15 ms before on average.
    let delays = Sample(delays);
    delays.expect_mean(7.5 + 0.6 - 0.015, 0.3);
    assert!(
        (delays.variance().sqrt() - (15.0 * 15.0 + 0.64_f64).sqrt() / 12_f64.sqrt()).abs() < 0.4
    );
}

#[test]
fn property_29_a_replica_that_starts_later_never_serves_a_revoked_contract() {
    let mut plan = revoked(60.0);
    plan.faults.push(crash(6.0));
    for replication in 0..20 {
        let contract = Contract::of(&plan, replication);
        assert_eq!(contract.last(3), None);
        assert!(contract.refused.iter().any(|sent| *sent > at(59.0)));
    }
}

#[test]
fn property_29_who_cannot_ask_serves_with_the_contracts_it_has() {
    let mut plan = revoked(60.0);
    plan.faults.push(fault(Fault::ControlPlaneOutage(law(30.0)), 4.0));
    for replication in 0..20 {
        let contract = Contract::of(&plan, replication);
        assert!(contract.refused.iter().all(|sent| *sent > at(34.0)));
        let lasts = [0, 1, 2].map(|replica| contract.last(replica).expect("it served"));
        assert!(lasts.iter().all(|last| *last > 34.0 && *last <= 34.0 + 15.0 + 1.0), "{lasts:?}");
    }
}
