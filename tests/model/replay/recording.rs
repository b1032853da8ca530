//! The recorded runs: what was sent when, who answered, and the plans that repeat it.

use brownout::plan::*;
use brownout::policy::breaker::BreakerSpec;
use brownout::random::Law;
use brownout::units::{Instant, Span};
use serde::Deserialize;

use crate::common;
use crate::common::dependencies::{upstream, with_upstream};

/// A row of a recorded run. Times are microseconds, the later ones counted from `sent_us`.
#[derive(Clone, Debug, Deserialize)]
pub struct Row {
    pub sent_us: u64,
    demand_us: f64,
    /// What the client got; 0 if the connection broke.
    pub status: u16,
    pub latency_us: f64,
    /// Missing if no backend answered.
    pub backend: Option<usize>,
    arrived_us: Option<u64>,
    sojourn_us: Option<f64>,
}

impl Row {
    /// When it was sent.
    pub fn sent_secs(&self) -> f64 {
        self.sent_us as f64 / 1e6
    }

    /// When a backend got it.
    pub fn reached_secs(&self) -> Option<f64> {
        Some((self.sent_us + self.arrived_us?) as f64 / 1e6)
    }
}

/// A recorded run and what happened to its second backend.
pub struct Recording {
    pub name: &'static str,
    pub rows: Vec<Row>,
    /// Backends of each zone.
    zones: &'static [&'static [usize]],
    pub outage: Option<Outage>,
    /// Whether the survivors get more than they can serve.
    overloaded: bool,
}

/// When the second backend was killed and when it was started again; seconds.
#[derive(Clone, Copy)]
pub struct Outage {
    pub killed: f64,
    started: f64,
}

/// Seconds between two health checks of a backend, and how many in a row must agree before it is
/// taken out or in. As configured: "500 ms checks, rise 2" for HAProxy; Envoy left the dead backend
/// between 0.51 and 0.54 s after the kill, at "the second failed check", and took it back 0.55 s
/// after the start. How many failed checks HAProxy wanted is not recorded, and does not matter: a
/// refused connection went elsewhere at once.
const CHECKS: (f64, f64) = (0.5, 2.0);

/// What becomes known by checks that agree, at whatever moment between two of them it came about.
pub fn noticed() -> Law {
    let (every, agree) = CHECKS;
    Law::uniform_secs((agree - 1.0) * every, agree * every)
}

const ONE_ZONE: &[&[usize]] = &[&[1, 2, 3]];

fn read(name: &str) -> Vec<Row> {
    let path = format!("{}/tests/data/real_{name}.csv", env!("CARGO_MANIFEST_DIR"));
    let mut reader = csv::Reader::from_path(path).expect("the recording is part of the project");
    reader.deserialize().collect::<Result<_, _>>().expect("the recording is well formed")
}

pub fn recordings() -> Vec<Recording> {
    let moderate = |name, killed, started| Recording {
        name,
        rows: read(name),
        zones: ONE_ZONE,
        outage: Some(Outage { killed, started }),
        overloaded: false,
    };
    let uneven = "env_zone21_ps_exp_steady";
    vec![
        moderate("env_ps_exp_moderate_retry", 15.000_557_342, 25.000_537_301),
        moderate("hap_ps_exp_moderate", 15.000_445_622, 25.001_593_152),
        Recording {
            overloaded: true,
            ..moderate("hap_ps_exp_overload", 15.000_216_796, 25.002_768_174)
        },
        Recording {
            name: uneven,
            rows: read(uneven),
            zones: &[&[1, 2], &[3]],
            outage: None,
            overloaded: false,
        },
    ]
}

/// A part of a run by the time at which requests were sent; seconds.
#[derive(Clone, Copy)]
pub struct Phase {
    pub label: &'static str,
    from: f64,
    to: f64,
    calm: bool,
}

impl Phase {
    pub fn has(&self, at: f64) -> bool {
        self.from <= at && at < self.to
    }
}

impl Recording {
    pub fn phases(&self) -> Vec<Phase> {
        let phase = |label, from, to, calm| Phase { label, from, to, calm };
        match self.outage {
            None => vec![phase("all", 2.0, f64::INFINITY, true)],
            Some(Outage { killed, started, .. }) => vec![
                phase("before", 2.0, killed, true),
                phase("outage", killed, started, false),
                phase("recovery", started, 35.0, false),
                phase("after", 40.0, f64::INFINITY, true),
            ],
        }
    }

    /// Backends in the order of their first request, which is that of the model's slots: real
    /// balancers begin anywhere in their cycle.
    fn slots(&self) -> Vec<usize> {
        let mut slots = Vec::new();
        for backend in self.rows.iter().filter_map(|row| row.backend) {
            if !slots.contains(&backend) {
                slots.push(backend);
            }
        }
        slots
    }

    /// Three replicas of one core; zones in the order of their first request, too.
    fn plan(&self, records: Vec<Recorded>) -> Plan {
        let mut plan = common::plan(3, 0.0, 120.0);
        let mut zones: Vec<usize> = Vec::new();
        plan.topology.placement.clear();
        for backend in self.slots() {
            let zone = self.zones.iter().position(|zone| zone.contains(&backend));
            let zone = zone.expect("every backend has a zone");
            let known = zones.iter().position(|other| *other == zone).unwrap_or(zones.len());
            if known == zones.len() {
                zones.push(zone);
            }
            plan.topology.placement.push(known);
        }
        plan.topology.zones.truncate(zones.len());
        plan.ingress.read_timeout = Span::MAX;
        plan.traffic = Traffic::Replay(records.into());
        plan
    }
}

fn microseconds(count: u64) -> Instant {
    Instant(count * 1_000)
}

/// The lateness of each request of one backend that met no other there, in microseconds.
fn lateness_at<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<f64> {
    let stay = |row: &Row| {
        let begin = (row.sent_us + row.arrived_us?) as f64;
        Some((begin, begin + row.sojourn_us?, row.sojourn_us? - row.demand_us))
    };
    let mut stays: Vec<(f64, f64, f64)> = rows.filter_map(stay).collect();
    stays.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut busy_until, mut late) = (0.0, Vec::new());
    for (place, (begin, end, lateness)) in stays.iter().enumerate() {
        let next = stays.get(place + 1).map_or(f64::INFINITY, |next| next.0);
        if *begin >= busy_until && next >= *end {
            late.push(*lateness);
        }
        busy_until = end.max(busy_until);
    }
    late
}

/// Arrival at the backend and time spent there.
pub fn at_backend(row: &Row) -> Option<(f64, f64)> {
    let arrived = microseconds(row.sent_us + row.arrived_us?);
    Some((arrived.as_secs(), row.sojourn_us? / 1_000.0))
}

impl Recording {
    /// The answered requests, each bound to the slot of its backend. Backends answer a little late.
    pub fn pinned_plan(&self) -> Plan {
        let mut plan = self.plan(self.pinned());
        plan.ingress.hop = self.lateness();
        plan
    }

    fn pinned(&self) -> Vec<Recorded> {
        let slots = self.slots();
        let record = |row: &Row| {
            let at = microseconds(row.sent_us + row.arrived_us?);
            let slot = slots.iter().position(|backend| Some(*backend) == row.backend);
            Some(Recorded { at, demand: Some(row.demand_us * 1_000.0), slot, api: None })
        };
        let mut records: Vec<Recorded> = self.rows.iter().filter_map(record).collect();
        records.sort_by_key(|record| record.at);
        records
    }

    /// All requests, as clients sent them.
    fn free(&self) -> Vec<Recorded> {
        let record = |row: &Row| Recorded {
            at: microseconds(row.sent_us),
            demand: Some(row.demand_us * 1_000.0),
            slot: None,
            api: None,
        };
        self.rows.iter().map(record).collect()
    }

    /// The model's own choice. The backend dies and starts when it did; the balancer finds that out
    /// by its checks, and goes to the next backend when one refuses.
    pub fn free_plan(&self) -> Plan {
        let mut plan = self.plan(self.free());
        plan.ingress.hop = self.way() + self.lateness();
        if self.zones.len() > 1 {
            plan.ingress.balancing = Balancing::ZoneThenReplica;
        }
        if let Some(Outage { killed, started }) = self.outage {
            let second = self.slots().iter().position(|backend| *backend == 2);
            let second = second.expect("the second backend was used");
            common::take_away(
                &mut plan,
                &[second],
                common::at(killed),
                common::secs(started - killed),
            );
            plan.ingress.propagation = noticed();
            plan.ingress.dead_address = DeadAddress::Refuses;
            plan.ingress.retries = 1;
        }
        plan
    }

    /// A gateway like Envoy before its hosts: it tries a host once more where one refuses, and has
    /// no more than three such tries under way, its default. Hosts take as long as the survivors
    /// did in the second after the kill, and one refuses until checks have found that out.
    pub fn limited_retries_plan(&self, killed: f64) -> Plan {
        let second_after = |row: &&Row| (killed..killed + 1.0).contains(&row.sent_secs());
        let sojourns = self.rows.iter().filter(second_after).filter_map(|row| row.sojourn_us);
        let sojourns: Vec<f64> = sojourns.map(|us| us * 1_000.0).collect();
        let until = common::at(killed + 2.0);
        let mut plan = self.plan(self.free()).with_replicas(1).with_horizon(until);
        plan.dependencies = with_upstream(Upstream {
            hosts: self.slots().len(),
            retries: 1,
            breaker: BreakerSpec::default(),
            ..upstream(Law::Empirical(sojourns.into()))
        });
        let host = HostTarget { upstream: 0, host: Some(1) };
        plan.faults = vec![FaultPlan {
            name: "a killed host".to_owned(),
            fault: Fault::UpstreamOutage(host, Down::Refuses, noticed()),
            schedule: Schedule::At(common::at(killed)),
        }];
        plan
    }

    /// What balancer and client add to a request: the median.
    fn way(&self) -> Span {
        let added = |row: &Row| Some(row.latency_us - row.sojourn_us?);
        let mut added: Vec<f64> = self.rows.iter().filter_map(added).collect();
        added.sort_unstable_by(f64::total_cmp);
        common::secs(added[added.len() / 2] / 1e6)
    }

    /// How much later than its demand a backend answers a request that it had to itself: the mean.
    /// Nobody else's demand is in it, so it says nothing of sharing.
    fn lateness(&self) -> Span {
        let of_backend =
            |backend| lateness_at(self.rows.iter().filter(move |row| row.backend == Some(backend)));
        let late: Vec<f64> = self.slots().into_iter().flat_map(of_backend).collect();
        common::secs(late.iter().sum::<f64>() / late.len() as f64 / 1e6)
    }

    pub fn gate(&self, phase: &Phase) -> f64 {
        match (phase.calm, self.overloaded) {
            (true, _) => 0.03,
            (false, false) => 0.05,
            (false, true) => 0.10,
        }
    }
}
