//! What must hold whatever clients and upstreams do: both ways of simulating agree, and every
//! request and every attempt has one end.
use brownout::experiment::Progress;
use brownout::experiment::replicate;
use brownout::observe::ledger::{Ledger, failed_and_rejected};
use brownout::observe::outcome::Outcome;
use brownout::observe::recorder::Keep;
use brownout::observe::timeline::ApiRow;
use brownout::observe::{Sent, Served};
use brownout::plan::*;
use brownout::policy::admission::AdmissionSpec;
use brownout::policy::breaker::BreakerSpec;
use brownout::policy::cache::CacheSpec;
use brownout::policy::limit::{Algorithm, LimitSpec, OnUnknown, Quota, Sharing, WindowOrigin};
use brownout::policy::outlier::OutlierSpec;
use brownout::policy::retries::RetryLimit;
use brownout::random::Law;
use brownout::units::{Instant, Rate, Share};
use proptest::prelude::*;

use super::plans::any_plan;
use super::{config, ledger_of};
use crate::common::dependencies::bystanders;
use crate::common::witness::witnessed;
use crate::common::{at, poisson, secs};

fn run(plan: &Plan) -> Outcome {
    let keep = Keep { timeline: true, ..Keep::default() };
    replicate(plan, 0, keep, &Progress::default())
}

/// An outcome without what only one way of simulating tells.
fn comparable(outcome: Outcome) -> Outcome {
    let mut outcome = outcome;
    (outcome.digest, outcome.attempts) = (0, Default::default());
    outcome.windows.iter_mut().for_each(|window| window.attempts = Default::default());
    // Sums of many parts: to twelve digits.
    let round = |sum: &mut f64| *sum = (*sum * 1e9).round() / 1e9;
    round(&mut outcome.busy_secs);
    for row in outcome.timeline.iter_mut().flat_map(|timeline| &mut timeline.total) {
        row.attempts = 0;
        row.cpu.iter_mut().for_each(round);
    }
    for row in outcome.timeline.iter_mut().flat_map(|timeline| &mut timeline.by_replica) {
        round(&mut row.cpu);
    }
    outcome
}

/// Where the second of two outcomes begins to differ from the first.
fn difference(apart: &Outcome, within: &Outcome) -> Option<(String, String)> {
    let texts = (format!("{apart:?}"), format!("{within:?}"));
    let place = texts.0.bytes().zip(texts.1.bytes()).position(|(a, b)| a != b);
    let near = |text: &str, place: usize| {
        text.chars().skip(place.saturating_sub(200)).take(300).collect::<String>()
    };
    place.map(|place| (near(&texts.0, place), near(&texts.1, place)))
}

/// Whether the gateway lets an API wait for its contracts: then chance decides in an open loop
/// which requests need them, and the API does where requests feed back.
fn draws_contracts(plan: &Plan) -> bool {
    plan.startup.contracts.as_ref().is_some_and(|contracts| matches!(contracts.gate, Gate::Api(_)))
}

fn law(most: f64) -> impl Strategy<Value = Law> {
    prop_oneof![
        (0.0..most).prop_map(|mean| Law::Constant(secs(mean))),
        (0.0..most).prop_map(|mean| Law::Exponential(secs(mean))),
    ]
}

fn popularity(most: usize) -> impl Strategy<Value = Popularity> {
    (1..=most, prop_oneof![Just(0.0), 0.5..1.5]).prop_map(|(keys, zipf)| Popularity { keys, zipf })
}

fn retry() -> impl Strategy<Value = Retry> {
    let jitter = prop::sample::select(vec![Jitter::None, Jitter::Half, Jitter::Full]);
    let budget =
        (0.0..0.5, 1.0..10.0).prop_map(|(per_request, size)| RetryBudget { per_request, size });
    let breaker = (0.0..0.9).prop_map(Share);
    let backoff = (0.0..0.5, 1.0..3.0, jitter).prop_map(|(first, factor, jitter)| RetryBackoff {
        first: secs(first),
        factor,
        limit: secs(1.0),
        jitter,
    });
    (1_u32..5, backoff, prop::option::of(budget), prop::option::of(breaker), any::<bool>())
        .prop_map(|(attempts, backoff, budget, breaker, limited)| Retry {
            attempts,
            backoff,
            budget,
            breaker,
            limited,
        })
}

fn clients() -> impl Strategy<Value = Clients> {
    let population = prop_oneof![
        2 => Just(Population::Open),
        1 => (1_usize..40, law(0.5))
            .prop_map(|(users, think)| Population::Closed { users, think }),
        1 => (1.0..4.0, law(0.5))
            .prop_map(|(requests, think)| Population::Sessions { requests, think }),
    ];
    let patience = prop::option::of((0.02..2.0).prop_map(secs));
    let network = prop::option::weighted(0.3, law(0.05));
    (population, popularity(20), patience, network, prop::option::of(retry()), any::<bool>())
        .prop_map(|(population, popularity, patience, network, retry, cancels)| Clients {
            population,
            popularity,
            patience,
            network,
            retry,
            cancels,
        })
}

fn upstream() -> impl Strategy<Value = Upstream> {
    let few = || prop::option::of(1_u32..20);
    let budget =
        (0.0..1.0, 0..4_u32).prop_map(|(of, least)| RetryLimit::Budget { share: Share(of), least });
    let retries =
        prop_oneof![Just(RetryLimit::None), (1_u32..20).prop_map(RetryLimit::Count), budget];
    let breaker =
        (few(), few(), few(), retries).prop_map(|(connections, pending, requests, retries)| {
            BreakerSpec { connections, pending, requests, retries }
        });
    let outliers = prop_oneof![
        Just(None),
        Just(Some(OutlierSpec::default())),
        (1_u32..4, 0.0..1.0).prop_map(|(errors, panic)| Some(OutlierSpec {
            consecutive_5xx: Some(errors),
            interval: secs(0.3),
            base_ejection: secs(1.0),
            panic: Share(panic),
            max_ejected: Share(1.0),
            ..OutlierSpec::default()
        })),
    ];
    let keep = (1_u32..20, prop::sample::select(vec![0.0, 0.3, 100.0]));
    let accepts = prop::option::of(keep).prop_map(|of| {
        of.map(|(connections, keep)| HostLimit { connections, keep_alive: secs(keep) })
    });
    let divided = prop::sample::select(vec![Divided::No, Divided::AtStart, Divided::ByReady]);
    let work = (law(0.05), 0.0..0.01, prop::option::of(1_usize..5), 0.0..0.5);
    let breaker = (breaker, accepts, divided);
    let tries = prop::option::of((0.005..0.3).prop_map(secs));
    let rest = (0.05..2.0, any::<bool>(), 0_u32..3, tries, any::<bool>());
    (work, 1_usize..4, rest, breaker, outliers).prop_map(
        |((latency, per_request, workers, errors), hosts, rest, limits, outliers)| Upstream {
            name: "upstream".to_owned(),
            hosts,
            latency,
            per_request: secs(per_request),
            workers,
            errors: Share(errors),
            timeout: secs(rest.0),
            cancels: rest.1,
            retries: rest.2,
            try_timeout: rest.3,
            hedges: rest.3.is_some() && rest.4 && rest.2 > 0,
            breaker: limits.0,
            accepts: limits.1,
            divided: limits.2,
            admission: admission(hosts + rest.2 as usize),
            outliers,
        },
    )
}

/// Now and then admission control, by a number.
pub fn admission(kind: usize) -> Option<AdmissionSpec> {
    let (least, aggression) = (Rate([0.0, 20.0][kind % 2]), [1.0, 2.0, 1.5][kind % 3]);
    let spec = AdmissionSpec { window: secs(2.0), least, aggression, ..AdmissionSpec::default() };
    [1, 4].contains(&kind).then_some(spec)
}

fn limit() -> impl Strategy<Value = PolicyKind> {
    let quota =
        (1_u64..200, 0.1..12.0).prop_map(|(limit, window)| Quota { limit, window: secs(window) });
    let start = prop::sample::select(vec![WindowOrigin::FirstRequest, WindowOrigin::Clock]);
    let algorithm = prop_oneof![
        (prop::collection::vec(quota, 1..3), start)
            .prop_map(|(quotas, start)| Algorithm::FixedWindow { quotas, start }),
        (1.0..200.0, 1_u64..50)
            .prop_map(|(rate, size)| Algorithm::TokenBucket { per_sec: Rate(rate), size }),
        (1_u64..50, 0.1..2.0)
            .prop_map(|(limit, window)| Algorithm::SlidingWindow { limit, window: secs(window) }),
    ];
    let sharing = vec![Sharing::LEASES, Sharing::Counter, Sharing::PerReplica];
    let of = prop::sample::select(vec![LimitKey::All, LimitKey::Client]);
    let unknown = prop::sample::select(vec![OnUnknown::Block, OnUnknown::Pass]);
    let queue =
        prop::option::of((0.05..1.0, 1_u32..4, 0_u32..20).prop_map(|(delay, attempts, limit)| {
            SpikeQueue { delay: secs(delay), attempts, limit }
        }));
    let storage = prop_oneof![Just(0.0), 0.0..0.02];
    (algorithm, prop::sample::select(sharing), unknown, of, queue, storage).prop_map(
        |(algorithm, sharing, on_unknown, of, queue, storage)| PolicyKind::Limit {
            spec: LimitSpec { algorithm, sharing, on_unknown },
            of,
            queue,
            storage: secs(storage),
        },
    )
}

fn policy() -> impl Strategy<Value = Policy> {
    let cache = (1_usize..60, 0.2..5.0, any::<bool>(), 0_usize..3, any::<bool>()).prop_map(
        |(entries, ttl, shared, replication, persist)| {
            let keys = 120;
            PolicyKind::Cache(CacheSpec {
                entries,
                ttl: secs(ttl),
                shared,
                replication,
                persist,
                keys,
            })
        },
    );
    let authentication = (0.0..1.0)
        .prop_map(|share| PolicyKind::Authentication { rejects: Share(share), regional: None });
    let kind = prop_oneof![Just(PolicyKind::Work), authentication, cache, limit()];
    (kind, 0.0..0.002, 0.0..1.0).prop_map(|(kind, cpu, spent)| Policy {
        name: "policy".to_owned(),
        cpu: secs(cpu),
        cpu_per_kb: secs(cpu / 10.0),
        spent: Share(spent),
        kind,
    })
}

fn tls() -> impl Strategy<Value = Tls> {
    let ingress = (0.5..4.0, 1_usize..30, prop::option::of(1_u32..50)).prop_map(
        |(cores, connections, requests)| TlsEnd::Ingress { cores, connections, requests },
    );
    let end = prop_oneof![Just(TlsEnd::Replica), ingress];
    (end, 0.0..0.02, 0.0..1.0).prop_map(|(at, handshake, resumed)| Tls {
        at,
        handshake: secs(handshake),
        resumption: secs(handshake / 5.0),
        resumed: Share(resumed),
    })
}

/// Dependencies of any kind. Each API has every policy and one of the upstreams, if there are any.
fn dependencies() -> impl Strategy<Value = Dependencies> {
    let api = (0.1..3.0, prop::option::of(law(0.02)), popularity(40), 0.0..1.2, any::<bool>());
    let upstreams = prop::collection::vec(upstream(), 0..3);
    let policies = prop::collection::vec(policy(), 0..4);
    (clients(), prop::collection::vec(api, 1..4), policies, upstreams, prop::option::of(tls()))
        .prop_map(|(clients, apis, policies, upstreams, tls)| {
            let api = |(index, (weight, demand, resources, cacheable, contracts))| Api {
                name: format!("api {index}"),
                weight,
                demand,
                payload_kb: 3.0,
                policies: (0..policies.len()).collect(),
                upstream: (!upstreams.is_empty()).then(|| index % upstreams.len()),
                resources,
                cacheable: Share(f64::min(cacheable, 1.0)),
                contracts,
            };
            let apis = apis.into_iter().enumerate().map(api).collect();
            Dependencies { clients, apis, policies, upstreams, tls }
        })
}

/// A fault of dependencies and when, as a share of the run.
fn trouble() -> impl Strategy<Value = (f64, usize, f64, bool)> {
    (0.1..0.9, 0_usize..4, 0.1..3.0, any::<bool>())
}

/// A plan of any kind with dependencies of any kind whose requests feed back.
fn any_feedback() -> impl Strategy<Value = Plan> {
    (any_plan(), dependencies(), prop::collection::vec(trouble(), 0..3)).prop_map(
        |(mut plan, dependencies, troubles)| {
            let horizon = plan.run.horizon.as_secs();
            if let Population::Closed { .. } = dependencies.clients.population {
                plan.traffic = poisson(0.0);
            }
            for (index, (when, kind, lasts, silent)) in troubles.into_iter().enumerate() {
                let (lasts, all) = (Law::Constant(secs(lasts)), None);
                let target = HostTarget { upstream: 0, host: all.filter(|_| silent) };
                let down = if silent { Down::Silent } else { Down::Refuses };
                let fault = match kind {
                    0 if !dependencies.upstreams.is_empty() => {
                        Fault::UpstreamOutage(target, down, lasts)
                    }
                    1 if !dependencies.upstreams.is_empty() => {
                        Fault::UpstreamSlow(target, 3.0, lasts)
                    }
                    2 => Fault::StorageOutage(lasts),
                    _ => Fault::ContractRevoked(0),
                };
                let schedule = Schedule::At(at(when * horizon));
                plan.faults.push(FaultPlan { name: format!("trouble {index}"), fault, schedule });
            }
            let asked = (!dependencies.upstreams.is_empty()).then_some(0);
            let has_periods = plan.startup.readiness.period.0 > 0;
            let asked = asked.filter(|_| has_periods && plan.gateway.replicas % 2 == 0);
            let liveness = asked.filter(|_| plan.gateway.replicas == 4);
            plan.detection.asks = ProbesAsk { readiness: asked, liveness };
            plan.dependencies = dependencies;
            if plan.is_open_loop() {
                plan.dependencies = bystanders();
                plan.detection.asks = ProbesAsk::default();
            }
            plan
        },
    )
}

/// The same with two APIs at least, and with all windows of each of them.
fn of_each_api(mut plan: Plan) -> Plan {
    let apis = &mut plan.dependencies.apis;
    if let [only] = &apis[..] {
        apis.push(only.clone());
    }
    let of = |api| plan.windows.iter().map(move |all| Window { api: Some(api), ..all.clone() });
    let single: Vec<Window> = (0..apis.len()).flat_map(of).collect();
    plan.windows.extend(single);
    plan
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn requests_one_by_one_end_as_requests_in_blocks_do(plan in any_plan()) {
        prop_assume!(!draws_contracts(&plan));
        let apart = comparable(run(&plan));
        let one_by_one = Plan { dependencies: bystanders(), ..plan };
        let within = run(&one_by_one);
        // A request that has not reached the ingress at the end has no attempt yet.
        let under_way = within.ledger.in_flight - within.attempts.in_flight;
        let attempts = Ledger {
            offered: within.attempts.offered + under_way,
            in_flight: within.ledger.in_flight,
            ..within.attempts
        };
        prop_assert_eq!(attempts, within.ledger);
        let within = comparable(within);
        prop_assert_eq!(&apart.ledger, &within.ledger);
        let difference = difference(&apart, &within);
        prop_assert!(difference.is_none(), "they differ: {difference:?}");
    }

    /// Balance is asserted by every replication; here a witness counts by itself.
    #[test]
    fn every_request_and_every_attempt_has_one_end_with_any_dependencies(plan in any_feedback()) {
        let (witness, outcome) = witnessed(&plan, 0);
        let mut ends: Vec<_> = witness.served_in_time().map(|request| request.request()).collect();
        ends.extend(witness.failed.iter().map(|(sent, ..)| *sent));
        ends.extend(&witness.in_flight);
        ends.sort_unstable();
        let mut offered = witness.offered.clone();
        offered.sort_unstable();
        prop_assert_eq!(ends, offered);
        prop_assert!(outcome.ledger.balances() && outcome.attempts.balances());
        prop_assert!(outcome.attempts.served == outcome.ledger.served);
        prop_assert!(outcome.attempts.failed() >= outcome.ledger.failed());
    }

    #[test]
    fn the_requests_for_each_api_are_those_that_a_witness_saw(plan in any_feedback()) {
        let plan = of_each_api(plan);
        let (witness, outcome) = witnessed(&plan, 0);
        for (window, figures) in plan.windows.iter().zip(&outcome.windows) {
            let (from, to) = match window.extent {
                Extent::Run => (plan.run.warm_up, Instant::NEVER),
                Extent::Between(from, to) => (from.max(plan.run.warm_up), to),
                Extent::During(_) => continue,
            };
            let within = |sent: &Sent| {
                let is_asked = window.api.is_none_or(|api| api == sent.api as usize);
                is_asked && from <= sent.at && sent.at < to
            };
            prop_assert_eq!(figures.ledger, ledger_of(&witness, within), "{}", window.label);
            let answered = witness.served.iter().filter(|served| within(&served.request()));
            prop_assert_eq!(figures.latency.count(), answered.clone().count() as u64);
            let latency = |it: &Served| it.finished.since(it.sent) + plan.ingress.hop;
            prop_assert_eq!(figures.latency.greatest(), answered.map(latency).max());
        }
        let timeline = outcome.timeline.expect("the timeline is kept");
        let bins = timeline.by_api.chunks(plan.dependencies.apis.len());
        prop_assert_eq!(bins.len(), timeline.total.len());
        for (by_api, all) in bins.zip(&timeline.total) {
            let sum = |of: fn(&ApiRow) -> u64| by_api.iter().map(of).sum::<u64>();
            let ended = (sum(|row| row.failed), sum(|row| row.rejected));
            prop_assert_eq!(sum(|row| row.offered), all.offered);
            prop_assert_eq!(sum(|row| row.served), all.served);
            prop_assert_eq!(ended, failed_and_rejected(&all.failures));
        }
    }

    #[test]
    fn nothing_changes_because_apis_are_told_apart(plan in any_feedback()) {
        let plan = of_each_api(plan);
        let mut apart = run(&plan);
        let mut together = plan;
        together.windows.retain(|window| window.api.is_none());
        apart.windows.truncate(together.windows.len());
        apart.timeline.iter_mut().for_each(|timeline| timeline.by_api.clear());
        let difference = difference(&run(&together), &apart);
        prop_assert!(difference.is_none(), "they differ: {difference:?}");
    }

    #[test]
    fn feedback_is_the_same_at_every_run(plan in any_feedback()) {
        prop_assert!(run(&plan) == run(&plan));
    }
}
