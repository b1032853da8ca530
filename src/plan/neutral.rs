//! A plan to start from: whoever needs a plan to the letter alters this one, so that a new field
//! has its neutral value here and nowhere else.

use super::*;
use crate::units::{Cores, Instant, SECOND, Share};

fn secs(seconds: f64) -> Span {
    Span::from_secs(seconds)
}

fn ingress() -> Ingress {
    Ingress {
        instances: vec![None],
        balancing: Balancing::RoundRobin,
        slow_start: None,
        delay: Span::ZERO,
        hop: Span::ZERO,
        connect_timeout: secs(5.0),
        read_timeout: secs(300.0),
        request_timeout: Span::MAX,
        retries: 0,
        retry: RetryRules::CONNECT_FAILURE,
        closing: Closing::NEVER,
        answers: Answers::USUAL,
        dead_address: DeadAddress::Drops,
        health: None,
        outliers: None,
        admission: None,
        panic: Share::ZERO,
        prefer_zone: false,
        in_cluster: None,
        failover: Failover { after: Law::Constant(secs(10.0)), by: FailoverBy::Clients },
        propagation: Law::ZERO,
        endpoints_in_order: true,
    }
}

impl Plan {
    /// Two replicas of one core in two zones behind one ingress instance outside of them, without
    /// delays on the way; 100 requests per second as a Poisson process, each with 1 ms of CPU in
    /// the mean, by an exponential law; no start-up time but the probe, Kubernetes' own times of
    /// detection; no faults, nothing that scales, no clients that answer back; one replication of
    /// ten minutes without warm-up.
    pub fn neutral() -> Plan {
        let probe = Probe {
            initial_delay: secs(10.0),
            period: secs(10.0),
            timeout: secs(5.0),
            failures: 2,
        };
        let plan = Plan {
            gateway: Gateway {
                cores: Cores(1.0),
                throttling: None,
                demand: Law::Exponential(secs(0.001)),
                replicas: 0,
                memory: None,
                overload: None,
            },
            topology: Topology {
                zones: Vec::new(),
                placement: Vec::new(),
                spread: Spread::ScheduleAnyway,
                max_skew: 1,
                by_version: true,
                taints: NodeTaints::Ignore,
            },
            ingress: ingress(),
            traffic: Traffic::poisson(Rate(100.0)),
            dependencies: Dependencies::neutral(),
            startup: Startup {
                schedule: Law::ZERO,
                sandbox: Law::ZERO,
                image: Law::ZERO,
                boot: Law::ZERO,
                boot_cpu: 0.0,
                after_ready: (Span::ZERO, 0.0),
                configuration: Configuration::Local,
                contracts: None,
                probe: None,
                readiness: probe,
            },
            detection: Detection {
                crash: Law::uniform_secs(0.0, 1.0),
                liveness: Probe { failures: 5, timeout: secs(1.0), ..probe },
                probe_cpu: None,
                asks: Default::default(),
                grace: secs(30.0),
                after_crash: AfterCrash::Replaced,
                backoff: Backoff::default(),
                lease: secs(10.0),
                node_grace: secs(50.0),
                monitor: secs(5.0),
                toleration: secs(300.0),
            },
            nodes: Nodes::default(),
            upgrade: Upgrade::default(),
            termination: Termination { drain: secs(25.0) },
            autoscaling: None,
            faults: Vec::new(),
            windows: vec![Window::of_all("the run", Extent::Run)],
            run: Run {
                horizon: Instant::from_secs(600.0),
                warm_up: Instant::ZERO,
                seed: 1,
                replications: 1,
                bin: Span(SECOND),
            },
            regions: None,
        };
        plan.with_replicas(2)
    }

    /// The same with so many replicas, in turn over as many zones, eight at most.
    #[must_use]
    pub fn with_replicas(mut self, replicas: usize) -> Plan {
        let zones = &["a", "b", "c", "d", "e", "f", "g", "h"][..replicas.clamp(1, 8)];
        self.gateway.replicas = replicas;
        self.topology.zones = zones.iter().map(|zone| (*zone).to_owned()).collect();
        self.topology.placement = (0..replicas).map(|slot| slot % zones.len()).collect();
        self
    }

    /// The same until this instant; the timeline's bin is a second, or all of a shorter run.
    #[must_use]
    pub fn with_horizon(mut self, horizon: Instant) -> Plan {
        self.run.horizon = horizon;
        self.run.bin = Span(horizon.0.min(SECOND));
        self
    }
}

impl Dependencies {
    /// Clients that come in an open loop and never react, and one API that the gateway answers.
    pub fn neutral() -> Dependencies {
        let clients = Clients {
            population: Population::Open,
            popularity: Popularity::ONE,
            patience: None,
            network: None,
            retry: None,
            cancels: true,
        };
        let api = Api {
            name: "api".to_owned(),
            weight: 1.0,
            demand: None,
            payload_kb: 0.0,
            policies: Vec::new(),
            upstream: None,
            resources: Popularity::ONE,
            cacheable: Share::ZERO,
            contracts: false,
        };
        let (policies, upstreams) = (Vec::new(), Vec::new());
        Dependencies { clients, apis: vec![api], policies, upstreams, tls: None }
    }
}

impl Traffic {
    /// Requests of a Poisson process of constant rate.
    pub fn poisson(rate: Rate) -> Traffic {
        let corners = vec![(Instant::ZERO, rate)];
        Traffic::Process(ArrivalProcess { scatter: Scatter::Poisson, corners, period: None })
    }
}
