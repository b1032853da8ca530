//! Outlier detection of one replica over the hosts of one upstream: those that fail are left out
//! for a while.
//!
//! ```text
//!        n failures in a row, or a success rate far below the others', and not too many are out
//! in use ───────────────────────────────────────────────────────────────────────────► ejected
//!    ▲                     a sweep, once base · times (at most max) is over              │
//!    └───────────────────────────────────────────────────────────────────────────────────┘
//! times: + 1 with each ejection, − 1 with each sweep that finds the host in use
//! fewer in use than the panic threshold ─► all hosts are used
//! ```
//!
//! Sources: Envoy's documentation of outlier detection and of the panic threshold,
//! `outlier_detection.proto` (the values), `cluster.proto` (the panic threshold).
//!
//! Assumed: each kind of detection is enforced always or never; a sweep looks at hosts in their
//! order; requests go round robin over the hosts that may be used, from where the last one went.
//!
//! Left out: failure percentage, failures of local origin counted apart, the jitter of ejections,
//! active health checks, and several workers with a rotation each.

use crate::units::{Instant, Share, Span};

/// When a success rate stands out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SuccessRate {
    /// The fewest hosts with enough requests to compare.
    pub hosts: usize,
    /// The fewest requests of a host in an interval.
    pub requests: u64,
    /// Standard deviations below the mean.
    pub factor: f64,
}

/// How outliers are found, and what becomes of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutlierSpec {
    /// Time between two sweeps; the caller keeps it.
    pub interval: Span,
    /// How long the first ejection lasts; the n-th lasts n times as long …
    pub base_ejection: Span,
    /// … but no longer than this, unless `base_ejection` is longer.
    pub max_ejection: Span,
    /// The most hosts that may be out at once.
    pub max_ejected: Share,
    /// Whether one may be out even if that is more than `max_ejected`. Before 1.28 Envoy always
    /// allowed it, from then on it does not; from 1.31 on it has a setting for it
    /// (`always_eject_one_host`, off by default).
    pub always_eject_one: bool,
    /// Errors in a row that eject, gateway failures among them; `None` = none do.
    pub consecutive_5xx: Option<u32>,
    /// Gateway failures (502, 503, 504) in a row that eject; `None` = none do.
    pub consecutive_gateway: Option<u32>,
    /// The success rates that eject; `None` = none do.
    pub success_rate: Option<SuccessRate>,
    /// With a smaller share of hosts in use, all are used; zero = never.
    pub panic: Share,
}

impl OutlierSpec {
    /// Whether so many of the hosts, at least one, may be out at once.
    pub fn allows(&self, out: usize, hosts: usize) -> bool {
        let share = out as f64 / hosts as f64;
        share <= self.max_ejected.0 || (self.always_eject_one && out == 1)
    }
}

impl Default for OutlierSpec {
    /// Envoy's own values since its 1.28; before, one host might always be out.
    fn default() -> Self {
        OutlierSpec {
            interval: Span::from_secs(10.0),
            base_ejection: Span::from_secs(30.0),
            max_ejection: Span::from_secs(300.0),
            max_ejected: Share(0.1),
            always_eject_one: false,
            consecutive_5xx: Some(5),
            consecutive_gateway: None,
            success_rate: Some(SuccessRate { hosts: 5, requests: 100, factor: 1.9 }),
            panic: Share(0.5),
        }
    }
}

/// How a host answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// Below 500.
    Fine,
    /// 5xx, but not one of the following.
    Error,
    /// 502, 503 or 504, or no answer at all.
    GatewayFailure,
}

/// What is known of a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct HostRecord {
    /// Whether it is no host at the moment.
    away: bool,
    /// Since when it is out.
    ejected: Option<Instant>,
    /// The multiplier of its ejection time.
    times: u64,
    /// Errors in a row.
    errors: u32,
    /// Gateway failures in a row.
    gateway_failures: u32,
    /// Requests since the last sweep.
    requests: u64,
    /// Those of them that were fine.
    fine: u64,
}

/// The hosts of an upstream, as one replica sees them.
#[derive(Clone, Debug, PartialEq)]
pub struct Outliers {
    spec: OutlierSpec,
    hosts: Vec<HostRecord>,
    /// Hosts that are there, and hosts that are out.
    there: usize,
    ejected: usize,
    /// The host whose turn it is.
    next: usize,
}

impl Outliers {
    /// This many hosts, all in use.
    pub fn new(spec: OutlierSpec, hosts: usize) -> Self {
        let shares = [spec.max_ejected.0, spec.panic.0];
        assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)), "{shares:?}");
        let max_ejection = spec.max_ejection.max(spec.base_ejection);
        let spec = OutlierSpec { max_ejection, ..spec };
        let records = vec![HostRecord::default(); hosts];
        Outliers { spec, hosts: records, there: hosts, ejected: 0, next: 0 }
    }

    /// A host of which nothing is known comes to a place where there is none, perhaps a new one.
    pub fn join(&mut self, place: usize) {
        let places = self.hosts.len().max(place + 1);
        self.hosts.resize(places, HostRecord { away: true, ..HostRecord::default() });
        assert!(self.hosts[place].away, "place {place} has a host");
        self.hosts[place] = HostRecord::default();
        self.there += 1;
    }

    /// The host at a place goes, and what was known of it.
    pub fn leave(&mut self, place: usize) {
        assert!(!self.hosts[place].away, "place {place} has no host");
        self.ejected -= usize::from(self.hosts[place].ejected.is_some());
        self.hosts[place] = HostRecord { away: true, ..HostRecord::default() };
        self.there -= 1;
    }

    /// Notes how `host` answered at `now`. Returns whether it is ejected because of that.
    pub fn note(&mut self, now: Instant, host: usize, response: Response) -> bool {
        let known = &mut self.hosts[host];
        if known.away {
            return false;
        }
        known.requests += 1;
        if response == Response::Fine {
            known.fine += 1;
            debug_assert!(known.fine <= known.requests, "what was fine was asked");
            (known.errors, known.gateway_failures) = (0, 0);
            return false;
        }
        known.errors += 1;
        known.gateway_failures = match response {
            Response::GatewayFailure => known.gateway_failures + 1,
            _ => 0,
        };
        if known.ejected.is_some() {
            return false;
        }
        let (mut gateway, mut any) = (false, false);
        if self.spec.consecutive_gateway.is_some_and(|limit| known.gateway_failures >= limit) {
            (known.gateway_failures, gateway) = (0, true);
        }
        if self.spec.consecutive_5xx.is_some_and(|limit| known.errors >= limit) {
            (known.errors, any) = (0, true);
        }
        (gateway || any) && self.eject(now, host)
    }

    /// Looks at all hosts, as is due every interval: those whose time is over come back, and those
    /// whose success rate stands out go.
    pub fn sweep(&mut self, now: Instant) {
        for host in &mut self.hosts {
            let Some(since) = host.ejected else {
                host.times = host.times.saturating_sub(1);
                continue;
            };
            debug_assert!(now >= since, "time does not go back");
            if now.since(since)
                >= (self.spec.base_ejection * host.times).min(self.spec.max_ejection)
            {
                (host.ejected, host.errors, host.gateway_failures) = (None, 0, 0);
                self.ejected -= 1;
            }
        }
        for host in self.worst() {
            self.eject(now, host);
        }
        for host in &mut self.hosts {
            (host.requests, host.fine) = (0, 0);
        }
        debug_assert_eq!(self.ejected, self.out(), "the count is that of the hosts");
    }

    /// Hosts that are out, counted.
    fn out(&self) -> usize {
        self.hosts.iter().filter(|host| host.ejected.is_some()).count()
    }

    /// The hosts in use whose success rate since the last sweep stands out.
    fn worst(&self) -> Vec<usize> {
        let Some(rule) = self.spec.success_rate else { return Vec::new() };
        let counts =
            |host: &HostRecord| host.ejected.is_none() && host.requests >= rule.requests.max(1);
        let hosts = self.hosts.iter().enumerate().filter(|(_, host)| counts(host));
        let rates: Vec<(usize, f64)> =
            hosts.map(|(at, host)| (at, host.fine as f64 / host.requests as f64)).collect();
        if rates.is_empty() || rates.len() < rule.hosts {
            return Vec::new();
        }
        let number = rates.len() as f64;
        let mean = rates.iter().map(|(_, rate)| rate).sum::<f64>() / number;
        let variance = rates.iter().map(|(_, rate)| (rate - mean).powi(2)).sum::<f64>() / number;
        let least = mean - rule.factor * variance.sqrt();
        rates.into_iter().filter(|(_, rate)| *rate < least).map(|(at, _)| at).collect()
    }

    /// Takes a host out, if not too many are.
    fn eject(&mut self, now: Instant, host: usize) -> bool {
        let may = self.spec.allows(self.ejected + 1, self.there);
        if may {
            let OutlierSpec { base_ejection, max_ejection, .. } = self.spec;
            let host = &mut self.hosts[host];
            debug_assert!(host.ejected.is_none(), "a host that is out is not thrown out");
            host.ejected = Some(now);
            // The multiplier stops just above what the longest ejection needs.
            host.times += u64::from(base_ejection * host.times < max_ejection + base_ejection);
            debug_assert!(host.times >= 1, "an ejection lasts");
            self.ejected += 1;
        }
        debug_assert!(self.ejected <= self.there, "no more than there are");
        may
    }

    /// The host for the next request: the next one that may be used. `None` if there is none.
    pub fn pick(&mut self) -> Option<usize> {
        let number = self.hosts.len();
        let all = self.is_panicking();
        debug_assert!(number == 0 || self.next < number, "it is somebody's turn");
        let turns = (0..number).map(|step| (self.next + step) % number);
        let host = turns.into_iter().find(|host| all || self.hosts[*host].ejected.is_none())?;
        self.next = (host + 1) % number;
        Some(host)
    }

    /// Whether so few hosts are in use that all are used.
    pub fn is_panicking(&self) -> bool {
        let in_use = self.there - self.ejected;
        (in_use as f64) < self.spec.panic.0 * self.there as f64
    }

    /// Whether a host is out.
    pub fn is_ejected(&self, host: usize) -> bool {
        self.hosts[host].ejected.is_some()
    }

    /// Hosts that are out.
    pub fn ejected(&self) -> usize {
        self.ejected
    }
}

#[cfg(test)]
#[path = "outlier_tests.rs"]
mod tests;
