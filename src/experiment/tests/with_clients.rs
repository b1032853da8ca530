//! The made-up experiment with clients that retry, a cache and an upstream, for tests of these.

use crate::experiment::Experiment;
use crate::experiment::tests::example;
use crate::observe::count::Count;
use crate::observe::ledger::{Failure, Ledger};
use crate::observe::outcome::{Outcome, WindowOutcome};
use crate::observe::recovery::{RunRecovery, Stability};
use crate::observe::time_series::IntervalStats;
use crate::plan::*;
use crate::policy::breaker::BreakerSpec;
use crate::policy::cache::CacheSpec;
use crate::random::Law;
use crate::units::{Instant, Share, Span};

fn secs(seconds: f64) -> Span {
    Span::from_secs(seconds)
}

/// The sample's plan with clients that try twice, a cache and an upstream.
pub fn plan() -> Plan {
    let cache = PolicyKind::Cache(CacheSpec::for_keys(100));
    let cpu = Span::ZERO;
    let (name, spent) = ("caching".to_owned(), Share(0.5));
    let dependencies = Dependencies {
        clients: clients(),
        apis: vec![api()],
        policies: vec![Policy { name, cpu, cpu_per_kb: cpu, spent, kind: cache }],
        upstreams: vec![upstream()],
        tls: None,
    };
    Plan { dependencies, ..example::plan() }
}

fn clients() -> Clients {
    let backoff =
        RetryBackoff { first: secs(0.1), factor: 2.0, limit: secs(1.0), jitter: Jitter::Full };
    let budget = Some(RetryBudget { per_request: 0.1, size: 10.0 });
    Clients {
        population: Population::Open,
        popularity: Popularity::ONE,
        patience: Some(secs(1.0)),
        network: None,
        retry: Some(Retry { attempts: 2, backoff, budget, breaker: None, limited: false }),
        cancels: false,
    }
}

fn api() -> Api {
    Api {
        name: "orders".to_owned(),
        weight: 1.0,
        demand: None,
        payload_kb: 0.0,
        policies: vec![0],
        upstream: Some(0),
        resources: Popularity { keys: 100, zipf: 1.0 },
        cacheable: Share::ONE,
        contracts: false,
    }
}

fn upstream() -> Upstream {
    Upstream {
        name: "backend".to_owned(),
        hosts: 1,
        latency: Law::Constant(secs(0.02)),
        per_request: Span::ZERO,
        workers: Some(4),
        errors: Share::ZERO,
        timeout: secs(5.0),
        try_timeout: None,
        hedges: false,
        cancels: false,
        retries: 1,
        accepts: None,
        divided: Divided::No,
        breaker: BreakerSpec::NONE,
        outliers: None,
        admission: None,
    }
}

/// All replications of [`plan`].
pub fn experiment() -> Experiment {
    let mut run = example::experiment();
    run.outcomes.iter_mut().for_each(feed_back);
    run
}

fn feed_back(outcome: &mut Outcome) {
    let number = outcome.replication;
    outcome.recovery = recovery(number);
    outcome.windows.iter_mut().for_each(|window| add_attempts(window, number));
    outcome.attempts = outcome.windows[0].attempts;
    for row in outcome.timeline.iter_mut().flat_map(|timeline| &mut timeline.total) {
        let again = if (18..30).contains(&(row.start.as_secs() as u64 / 10)) { 60 } else { 0 };
        row.attempts = row.offered + again;
        row.counts[Count::Hit as usize] = 80 - again;
        row.counts[Count::Miss as usize] = 20 + again;
        row.counts[Count::Wasted as usize] = again / 2;
    }
}

/// Two of five replications are stuck: two attempts for most requests, and most answers too late.
fn recovery(replication: u64) -> RunRecovery {
    let stuck = replication % 2 == 1;
    let after = secs(5.0 + replication as f64);
    let interval =
        |length, sent| IntervalStats { length: secs(length), sent, ..IntervalStats::default() };
    let calm = |interval: IntervalStats| {
        let (sent, latency) = (interval.sent, secs(0.04 * interval.sent as f64));
        IntervalStats { answered: sent, latency, hits: sent, ..interval }
    };
    let (before, last) = (interval(110.0, 1_100), interval(81.0, 800));
    let late = IntervalStats { answered: 200, again: 720, wasted: 600, hits: 800, ..last };
    RunRecovery {
        stability: if stuck { Stability::Stuck } else { Stability::Recovered { after } },
        trigger: Some((Instant::from_secs(180.0), Some(Instant::from_secs(193.0)))),
        before: calm(before),
        last: if stuck { late } else { calm(last) },
    }
}

/// Every request that failed was tried twice, and so were some of the others.
fn add_attempts(window: &mut WindowOutcome, number: u64) {
    let Ledger { offered, served, failures, in_flight } = window.ledger;
    let late = served / 20 + number;
    let lost = failures[Failure::LostInFlight as usize];
    let attempts = &mut window.attempts;
    *attempts = Ledger { offered: offered + lost + late, served, in_flight, ..Ledger::default() };
    attempts.failures[Failure::LostInFlight as usize] = 2 * lost;
    attempts.failures[Failure::GivenUp as usize] = late;
    let counts = [(Count::Wasted, late / 2), (Count::Hit, offered / 2), (Count::Miss, late)];
    for (count, number) in counts {
        window.counts[count as usize] = number;
    }
}
