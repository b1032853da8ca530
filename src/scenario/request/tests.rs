//! What scenarios say of clients, APIs, policies and upstreams.

use std::path::Path;

use crate::diagnostic::render;
use crate::plan::{
    Api, Clients, Dependencies, Divided, Gate, Jitter, LimitKey, Plan, Policy, PolicyKind,
    Popularity, Population, Retry, RetryBackoff, RetryBudget, SpikeQueue, Tls, TlsEnd, Traffic,
    Upstream,
};
use crate::policy::admission::AdmissionSpec;
use crate::policy::breaker::BreakerSpec;
use crate::policy::cache::CacheSpec;
use crate::policy::limit::{Algorithm, LimitSpec, OnUnknown, Quota, Sharing, WindowOrigin};
use crate::policy::outlier::{OutlierSpec, Outliers, Response};
use crate::policy::retries::RetryLimit;
use crate::random::Law;
use crate::scenario::Setting;
use crate::scenario::read::parse;
use crate::units::{Instant, Rate, Share, Span};

pub(crate) const LEAST: &str = "question = \"?\"\ntraffic.rate = \"9/s\"\nrun.horizon = \"10m\"\n";

/// Uses nearly every key.
const MOST: &str = r#"
[ingress]
balancing = "per-connection"

[clients]
loop = "sessions"
requests-per-session = 8
think = "exponential(3s)"
count = 500
popularity = "zipf(1.2)"
timeout = "4s"
cancels = false
network = "uniform(10ms, 30ms)"
attempts = 3
backoff = "exponential"
backoff-first = "200ms"
backoff-limit = "1s"
jitter = "half"
retry-budget = "10%"
retry-budget-size = 5
retry-breaker = "50%"
retry-limited = true

[[api]]
name = "orders"
share = "75%"
cpu-per-request = "exponential(1ms)"
payload = "4KiB"
policies = ["check", "cache", "limit", "spikes"]
upstream = "orders"
resources = 1000
popularity = "zipf(0.9)"
cacheable = "80%"
contracts = false

[[api]]
name = "status"
policies = ["token", "cache", "tokens"]
resources = 10

[[policy]]
name = "check"
kind = "work"
cpu = "50us"
cpu-per-kb = "5us"

[[policy]]
name = "cache"
kind = "cache"
cpu = "20us"
spent = "30%"
entries = 100
ttl = "1m"
shared = false
persist = true

[[policy]]
name = "limit"
kind = "rate-limit"
quotas = ["100/10s", "2000/h"]
window-start = "clock"
sharing = "leases"
lease-fraction = "5%"
per = "client"
when-unknown = "pass"
storage-latency = "2ms"

[[policy]]
name = "spikes"
kind = "spike-control"
limit = 50
window = "1s"
queue = 20
delay = "500ms"
attempts = 2

[[policy]]
name = "tokens"
kind = "rate-limit"
algorithm = "token-bucket"
rate = "100/s"
size = 300
sharing = "per-replica"

[[policy]]
name = "token"
kind = "authentication"
cpu = "80us"
spent = "10%"
rejects = "2%"

[[upstream]]
name = "orders"
hosts = 6
latency = "log-normal(50ms, cv=1)"
latency-per-request = "2ms"
workers = 40
errors = "0.1%"
timeout = "5s"
try-timeout = "1.5s"
hedge = true
cancels = true
retries = 1
breaker = true
connections = 100
pending = 50
requests = 120
max-retries = 2
outlier-detection = true
admission-control = true
admission-window = "1m"
admission-success = "90%"
admission-aggression = 2
admission-least = "5/s"
admission-most = "50%"
interval = "5s"
base-ejection = "20s"
max-ejection = "100s"
max-ejected = "40%"
always-eject-one = false
consecutive-errors = 3
panic = "0%"

[tls]
at = "replica"
handshake = "2.4ms"
resumption = "0.2ms"
resumed = "60%"
"#;

pub(crate) fn read(text: &str) -> (Plan, Vec<Setting>, String) {
    let loaded = parse("test.toml", text, Path::new(""));
    let shown = render(&loaded.source, &loaded.problems, false);
    let scenario = loaded.scenario.unwrap_or_else(|| panic!("{shown}"));
    (scenario.plan, scenario.settings, shown)
}

fn dependencies(text: &str) -> Dependencies {
    read(&format!("{LEAST}{text}")).0.dependencies
}

fn secs(secs: f64) -> Span {
    Span::from_secs(secs)
}

fn clients() -> Clients {
    let backoff =
        RetryBackoff { first: secs(0.2), factor: 2.0, limit: secs(1.0), jitter: Jitter::Half };
    let budget = Some(RetryBudget { per_request: 0.1, size: 5.0 });
    let breaker = Some(Share(0.5));
    Clients {
        population: Population::Sessions { requests: 8.0, think: Law::Exponential(secs(3.0)) },
        popularity: Popularity { keys: 500, zipf: 1.2 },
        patience: Some(secs(4.0)),
        network: Some(Law::uniform_secs(0.01, 0.03)),
        retry: Some(Retry { attempts: 3, backoff, budget, breaker, limited: true }),
        cancels: false,
    }
}

fn apis() -> Vec<Api> {
    let orders = Api {
        name: "orders".to_owned(),
        weight: 0.75,
        demand: Some(Law::Exponential(secs(1e-3))),
        payload_kb: 4.0,
        policies: vec![0, 1, 2, 3],
        upstream: Some(0),
        resources: Popularity { keys: 1_000, zipf: 0.9 },
        cacheable: Share(0.8),
        contracts: false,
    };
    let status = Api {
        name: "status".to_owned(),
        weight: 0.25,
        demand: None,
        payload_kb: 1.0,
        policies: vec![5, 1, 4],
        upstream: None,
        resources: Popularity { keys: 10, zipf: 0.0 },
        cacheable: Share::ONE,
        contracts: false,
    };
    vec![orders, status]
}

fn limit(algorithm: Algorithm, sharing: Sharing) -> LimitSpec {
    LimitSpec { algorithm, sharing, on_unknown: OnUnknown::Block }
}

fn policies() -> Vec<Policy> {
    let policy = |name: &str, kind| {
        let (cpu, cpu_per_kb, spent) = (Span::ZERO, Span::ZERO, Share(0.2));
        Policy { name: name.to_owned(), cpu, cpu_per_kb, spent, kind }
    };
    let cache = CacheSpec {
        entries: 100,
        ttl: secs(60.0),
        shared: false,
        replication: 1,
        persist: true,
        keys: 1_010,
    };
    let quota = |limit, window| Quota { limit, window: secs(window) };
    let quotas = vec![quota(100, 10.0), quota(2_000, 3_600.0)];
    let fixed = Algorithm::FixedWindow { quotas, start: WindowOrigin::Clock };
    let leases = limit(fixed, Sharing::Leases { fraction: Share(0.05) });
    let sliding = Algorithm::SlidingWindow { limit: 50, window: secs(1.0) };
    let tokens = Algorithm::TokenBucket { per_sec: Rate(100.0), size: 300 };
    let limited = |spec, of, queue, storage| PolicyKind::Limit { spec, of, queue, storage };
    let queue = SpikeQueue { delay: secs(0.5), attempts: 2, limit: 20 };
    let own = Sharing::PerReplica;
    let leases = LimitSpec { on_unknown: OnUnknown::Pass, ..leases };
    let leases = limited(leases, LimitKey::Client, None, secs(2e-3));
    let sliding = limited(limit(sliding, own), LimitKey::All, Some(queue), Span::ZERO);
    let tokens = limited(limit(tokens, own), LimitKey::All, None, Span::ZERO);
    let work = policy("check", PolicyKind::Work);
    let cache = policy("cache", PolicyKind::Cache(cache));
    let token =
        policy("token", PolicyKind::Authentication { rejects: Share(0.02), regional: None });
    vec![
        Policy { cpu: secs(50e-6), cpu_per_kb: secs(5e-6), spent: Share::ONE, ..work },
        Policy { cpu: secs(20e-6), spent: Share(0.3), ..cache },
        policy("limit", leases),
        policy("spikes", sliding),
        policy("tokens", tokens),
        Policy { cpu: secs(80e-6), spent: Share(0.1), ..token },
    ]
}

fn upstream() -> Upstream {
    let outliers = OutlierSpec {
        interval: secs(5.0),
        base_ejection: secs(20.0),
        max_ejection: secs(100.0),
        max_ejected: Share(0.4),
        always_eject_one: false,
        consecutive_5xx: Some(3),
        panic: Share::ZERO,
        ..OutlierSpec::default()
    };
    let admission = AdmissionSpec {
        window: secs(60.0),
        success: Share(0.9),
        aggression: 2.0,
        least: Rate(5.0),
        most: Share(0.5),
    };
    Upstream {
        name: "orders".to_owned(),
        hosts: 6,
        latency: Law::LogNormal(secs(0.05), 1.0),
        per_request: secs(2e-3),
        workers: Some(40),
        errors: Share(0.001),
        timeout: secs(5.0),
        try_timeout: Some(secs(1.5)),
        hedges: true,
        cancels: true,
        retries: 1,
        accepts: None,
        divided: Divided::No,
        breaker: BreakerSpec {
            connections: Some(100),
            pending: Some(50),
            requests: Some(120),
            retries: RetryLimit::Count(2),
        },
        outliers: Some(outliers),
        admission: Some(admission),
    }
}

#[test]
fn everything_that_is_written_of_dependencies_reaches_the_plan() {
    let (plan, _, shown) = read(&format!("{LEAST}{MOST}"));
    assert_eq!(shown, "");
    let dependencies = plan.dependencies;
    assert_eq!(dependencies.clients, clients());
    assert_eq!(dependencies.apis, apis());
    assert_eq!(dependencies.policies, policies());
    assert_eq!(dependencies.upstreams, [upstream()]);
    let (handshake, resumption) = (secs(2.4e-3), secs(0.2e-3));
    let tls = Tls { at: TlsEnd::Replica, handshake, resumption, resumed: Share(0.6) };
    assert_eq!(dependencies.tls, Some(tls));
}

#[test]
fn a_scenario_that_says_nothing_of_its_dependencies_has_neutral_ones() {
    let (plan, settings, _) = read(LEAST);
    assert_eq!(plan.dependencies, Dependencies::neutral());
    let sections = ["clients.", "api[", "policy[", "upstream[", "tls."];
    let of_them = |setting: &&Setting| sections.iter().any(|name| setting.path.starts_with(name));
    assert_eq!(settings.iter().find(of_them), None);
}

#[test]
fn the_loop_is_open_while_nothing_feeds_back() {
    let api = "gateway.contracts = true\nstartup.contract-gate = \"api\"\n[[api]]\nname = \"a\"\n";
    for open in ["", "[clients]\n", &format!("{api}contracts = false\n")] {
        let (plan, ..) = read(&format!("{LEAST}{open}"));
        assert!(plan.is_open_loop(), "{open}");
        // No request waits for the contracts of APIs that have none.
        let gate = plan.startup.contracts.map(|contracts| contracts.gate);
        assert!(gate.is_none_or(|gate| gate == Gate::Api(Share::ZERO)), "{gate:?}");
    }
    for closed in
        [api, "clients.timeout = \"5s\"\n", "[[api]]\nname = \"a\"\ncpu-per-request = \"2ms\"\n"]
    {
        assert!(!read(&format!("{LEAST}{closed}")).0.is_open_loop(), "{closed}");
    }
}

#[test]
fn without_an_api_there_is_one_with_all_policies_and_the_only_upstream() {
    let policy = |name: &str| format!("[[policy]]\nname = \"{name}\"\nkind = \"cache\"\n");
    let upstream = "[[upstream]]\nname = \"u\"\nlatency = \"5ms\"\n";
    let dependencies = dependencies(&format!("{}{upstream}{}", policy("b"), policy("a")));
    let [api] = dependencies.apis.as_slice() else { panic!("{:?}", dependencies.apis) };
    assert_eq!((api.name.as_str(), api.weight, api.upstream), ("api", 1.0, Some(0)));
    assert_eq!((api.policies.as_slice(), api.cacheable), (&[0, 1][..], Share::ONE));
    let PolicyKind::Cache(cache) = dependencies.policies[0].kind else { panic!("no cache") };
    assert_eq!(cache, CacheSpec { shared: true, ..CacheSpec::for_keys(1) });
    assert_eq!(dependencies.upstreams[0].breaker, BreakerSpec::NONE);
    assert_eq!(dependencies.upstreams[0].outliers, None);
}

#[test]
fn defaults_are_those_of_envoy_and_of_the_policies() {
    let dependencies = dependencies(
        "upstream = [{ name = \"u\", latency = \"1ms\", hosts = 3, breaker = true, \
         outlier-detection = true }]\n\
         policy = [{ name = \"r\", kind = \"rate-limit\", limit = 9, window = \"1m\" }]\n\
         clients = { timeout = \"5s\", attempts = 2 }\n",
    );
    assert_eq!(dependencies.upstreams[0].breaker, BreakerSpec::default());
    assert_eq!(dependencies.upstreams[0].outliers, Some(OutlierSpec::default()));
    assert_eq!(dependencies.upstreams[0].timeout, secs(15.0));
    let quotas = vec![Quota { limit: 9, window: secs(60.0) }];
    let fixed = Algorithm::FixedWindow { quotas, start: WindowOrigin::FirstRequest };
    let spec = limit(fixed, Sharing::LEASES);
    let (of, storage) = (LimitKey::All, secs(1e-3));
    let limit = PolicyKind::Limit { spec, of, queue: None, storage };
    assert_eq!(dependencies.policies[0].kind, limit);
    let retry = dependencies.clients.retry.expect("retries");
    assert_eq!((retry.attempts, retry.backoff.jitter), (2, Jitter::Full));
    assert!(dependencies.clients.cancels && retry.budget.is_none() && retry.breaker.is_none());
}

#[test]
fn users_of_a_closed_loop_need_no_rate() {
    let text =
        "question = \"?\"\nrun.horizon = \"10m\"\n[clients]\nloop = \"closed\"\nusers = 40\n";
    let (plan, _, shown) = read(text);
    assert_eq!(shown, "");
    let Traffic::Process(process) = &plan.traffic else { panic!("a recording") };
    assert_eq!(process.peak(), Rate(0.0));
    let clients = plan.dependencies.clients;
    let think = Law::Exponential(secs(1.0));
    assert_eq!(clients.population, Population::Closed { users: 40, think });
    assert_eq!((clients.retry, clients.patience), (None, None));
}

#[test]
fn shares_that_are_left_open_are_what_the_others_leave() {
    let api = |more: &str| format!("[[api]]\nname = \"a{}\"\n{more}", more.len());
    let text = api("share = \"40%\"\n") + &api("") + &api("payload = \"1KiB\"\n");
    let weights: Vec<f64> = dependencies(&text).apis.iter().map(|api| api.weight).collect();
    assert_eq!(weights, [0.4, 0.3, 0.3]);
}

#[test]
fn a_file_that_writes_its_dependencies_out_means_the_same() {
    let closed =
        "question = \"?\"\nrun.horizon = \"10m\"\nclients = { loop = \"closed\", users = 4 }\n";
    let upstream = "[[upstream]]\nname = \"u\"\nlatency = \"5ms\"\n";
    let third = "[[api]]\nname = \"a\"\n[[api]]\nname = \"b\"\n[[api]]\nname = \"c\"\n";
    let texts = [MOST, upstream, third].map(|text| format!("{LEAST}{text}"));
    for text in texts.iter().map(String::as_str).chain([closed]) {
        let (plan, settings, _) = read(text);
        let (again, _, shown) = read(&crate::scenario::tests::written(&settings));
        let plan = crate::scenario::tests::with_written_replicas(plan);
        assert_eq!(again, plan, "{shown}");
    }
}

#[test]
fn of_three_hosts_a_tenth_is_none_unless_one_always_may_be_out() {
    let out = |line: &str| {
        let upstream = "[[upstream]]\nname = \"orders\"\nhosts = 3\nlatency = \"1ms\"\n";
        let (plan, ..) = read(&format!("{LEAST}{upstream}outlier-detection = true\n{line}"));
        let spec = plan.dependencies.upstreams[0].outliers.expect("hosts are avoided");
        let mut outliers = Outliers::new(spec, 3);
        for host in [0, 1, 2].into_iter().flat_map(|host| [host; 5]) {
            outliers.note(Instant::ZERO, host, Response::Error);
        }
        outliers.ejected()
    };
    let lines = ["", "always-eject-one = true\n", "always-eject-one = false\n"];
    assert_eq!(lines.map(out), [0, 1, 0]);
    assert_eq!(out("max-ejected = \"40%\"\n"), 1);
}

#[test]
fn replicas_that_may_want_more_connections_than_there_are_are_warned_of() {
    let warned = |lines: &str| {
        let upstream = "[[upstream]]\nname = \"db\"\nlatency = \"1ms\"\nbreaker = true\n";
        let (plan, _, shown) = read(&format!("{LEAST}{upstream}host-connections = 100\n{lines}"));
        assert_eq!(plan.most_replicas(), 3, "Large scales to three");
        shown.contains("want more than the 100 that upstream db accepts")
    };
    assert!(warned("") && warned("connections = 34\n") && !warned("connections = 33\n"));
    assert!(!warned("connections = 100\nconnections-divided = \"by-ready\"\n"));
    // Divided by two at the start, three have half more.
    assert!(warned("connections = 100\nconnections-divided = \"at-start\"\n"));
    assert!(!warned("connections = 67\nconnections-divided = \"at-start\"\n"));
}

#[test]
fn advice_for_upstreams_fits_what_is_written() {
    let read = |lines: &str| {
        let upstream = "[[upstream]]\nname = \"db\"\nlatency = \"1ms\"\nhost-connections = 100\n";
        let (plan, _, shown) = read(&format!("{LEAST}{upstream}{lines}"));
        (plan.dependencies.upstreams[0].remedy(), shown)
    };
    let by_ready = |connections: u32| {
        read(&format!(
            "breaker = true\nconnections-divided = \"by-ready\"\nconnections = {connections}\n"
        ))
    };
    // One of two that leaves keeps half: 68 + 34 are more than 100.
    let leaves = "connections are divided by the ready replicas, and 1 that leaves";
    assert!(by_ready(68).1.contains(leaves) && !by_ready(66).1.contains(leaves));
    assert!(by_ready(101).1.contains("replicas share 101 connections, more than the 100"));
    assert_eq!(by_ready(68).0, "lower its connections, or let it accept more");
    assert!(read("").0.starts_with("write breaker = true with connections"));
    assert!(read("breaker = true\n").0.contains("or write connections-divided"));
    let works = |workers: u32| read(&format!("workers = {workers}\n")).1;
    let idle = "has 101 workers and accepts 100 connections: the others never work";
    assert!(works(101).contains(idle) && !works(100).contains("never work"));
}

#[test]
fn clients_that_do_not_close_idle_connections_before_replicas_do_are_warned_of() {
    let warned = |lines: &str| {
        let text = format!("{LEAST}[ingress]\nbalancing = \"per-connection\"\n{lines}");
        read(&text).2.contains("replicas close idle connections that their clients still use")
    };
    let idle = "server-idle = \"60s\"\nhop = \"500us\"\n";
    assert!(warned(idle) && warned(&format!("{idle}client-idle = \"59.9999s\"\n")));
    assert!(!warned("") && !warned(&format!("{idle}client-idle = \"59s\"\n")));
}
