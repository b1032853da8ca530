//! The overload manager of a replica: what it does not take on any more, so that it goes on with
//! what it has.
//!
//! ```text
//! request ─► as many in flight as it takes? ─ yes ───────────► refused
//!        └─► state s of the manager ─ with probability s ────► refused
//!                     ▲
//! every refresh: s = max over memory and CPU of  0 below `from`, 1 from `full` on, linear between
//! ```
//!
//! Memory is what requests hold now. CPU is what was used since the refresh before, over the limit,
//! smoothed: p ← 0.05 · used + 0.95 · p.
//!
//! Sources: Envoy's documentation of the overload manager (action `stop_accepting_requests`: 503;
//! threshold and scaled triggers; monitors of cgroup memory and of CPU in mode `CONTAINER`),
//! `overload_manager_impl.cc` (refreshed every second by default), `cpu_utilization_monitor.cc`
//! (the smoothing). The limit of requests in flight is none of Envoy's monitors, which count
//! connections.
//!
//! Left out: actions on connections (`stop_accepting_connections`, `disable_http_keepalive`), on
//! time-outs and on streams that hold much, `shrink_heap`, and the heap that is no request's.

use crate::units::{Instant, SECOND, Share, Span};

/// How much the last reading of the CPU counts.
const DAMPENING: f64 = 0.05;

/// When an action is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoadTrigger {
    /// Up to this pressure, nothing is refused.
    pub from: Share,
    /// From this pressure on all is; not below `from`.
    pub full: Share,
}

impl LoadTrigger {
    /// Which share is refused at a pressure.
    pub fn state(self, pressure: f64) -> f64 {
        let LoadTrigger { from, full } = self;
        debug_assert!(from <= full, "{self:?}");
        match pressure {
            all if all >= full.0 => 1.0,
            none if none <= from.0 => 0.0,
            some => (some - from.0) / (full.0 - from.0),
        }
    }
}

/// What a replica does not take on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverloadSpec {
    /// Requests in flight beyond which it takes none; at least 1.
    pub requests: Option<u32>,
    /// By the share of its memory that is in use.
    pub memory: Option<LoadTrigger>,
    /// By the share of its CPU that is in use.
    pub cpu: Option<LoadTrigger>,
    /// From one look at these to the next.
    pub refresh: Span,
}

impl OverloadSpec {
    /// Nothing is refused; a look every second, as in Envoy.
    pub const NONE: OverloadSpec =
        OverloadSpec { requests: None, memory: None, cpu: None, refresh: Span(SECOND) };

    /// Whether memory or CPU are looked at.
    pub fn looks(&self) -> bool {
        self.memory.is_some() || self.cpu.is_some()
    }
}

/// What the manager of one replica knows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pressure {
    /// CPU as it has seen it, smoothed.
    cpu: f64,
    /// When it looked last, and the core-nanoseconds used until then.
    seen: Option<(Instant, f64)>,
    /// Which share it refuses.
    state: f64,
}

impl Pressure {
    /// Which share of the requests is refused.
    pub fn state(&self) -> f64 {
        self.state
    }

    /// A look at `now`: the share of the memory in use, and the core-nanoseconds used until now, of
    /// so many cores.
    pub fn refresh(&mut self, spec: &OverloadSpec, now: Instant, memory: f64, cpu: (f64, f64)) {
        let (used, cores) = cpu;
        assert!(cores > 0.0 && memory >= 0.0, "{memory} of the memory and {cores} cores");
        if let Some((before, then)) = self.seen {
            let passed = now.since(before).0 as f64 * cores;
            let share = if passed > 0.0 { ((used - then) / passed).clamp(0.0, 1.0) } else { 0.0 };
            self.cpu = share * DAMPENING + self.cpu * (1.0 - DAMPENING);
        }
        self.seen = Some((now, used));
        let state = |trigger: Option<LoadTrigger>, pressure| {
            trigger.map_or(0.0, |trigger| trigger.state(pressure))
        };
        self.state = state(spec.memory, memory).max(state(spec.cpu, self.cpu));
        debug_assert!((0.0..=1.0).contains(&self.state), "{self:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Instant {
        Instant::from_secs(seconds)
    }

    #[test]
    fn triggers_are_those_of_the_documentation() {
        // The documentation's example: scaled from 85 % to 95 %, at 92 %.
        let scaled = LoadTrigger { from: Share(0.85), full: Share(0.95) };
        assert!((scaled.state(0.92) - 0.7).abs() < 1e-12);
        assert_eq!([0.5, 0.85, 0.95, 1.2].map(|p| scaled.state(p)), [0.0, 0.0, 1.0, 1.0]);
        let threshold = LoadTrigger { from: Share(0.9), full: Share(0.9) };
        assert_eq!([0.89, 0.9].map(|p| threshold.state(p)), [0.0, 1.0]);
    }

    #[test]
    fn cpu_is_smoothed_and_memory_is_not() {
        let full = |share| Some(LoadTrigger { from: Share(share), full: Share(share) });
        let spec = OverloadSpec { memory: full(0.9), cpu: full(0.5), ..OverloadSpec::NONE };
        let mut pressure = Pressure::default();
        // Two cores are busy all the time: 1 − 0.95^k reaches a half after 14 looks.
        let states: Vec<f64> = (0..=14)
            .map(|look| {
                let used = 2e9 * f64::from(look);
                pressure.refresh(&spec, at(f64::from(look)), 0.0, (used, 2.0));
                pressure.state()
            })
            .collect();
        assert_eq!(states.iter().position(|state| *state == 1.0), Some(14));
        let mut pressure = Pressure::default();
        pressure.refresh(&spec, at(0.0), 0.95, (0.0, 2.0));
        assert_eq!(pressure.state(), 1.0);
        pressure.refresh(&spec, at(1.0), 0.5, (0.0, 2.0));
        assert_eq!(pressure.state(), 0.0);
    }
}
