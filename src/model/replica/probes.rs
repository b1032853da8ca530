//! What is known of a replica's probes, where they compete for CPU or ask an upstream.

use crate::model::event::CompetingProbe;
use crate::observe;
use crate::plan::ProbesAsk;
use crate::units::Instant;

impl CompetingProbe {
    pub const ALL: [CompetingProbe; 2] = [CompetingProbe::Readiness, CompetingProbe::Liveness];

    /// The mark of its work in a server; no ingress instance has such a number.
    pub fn mark(self) -> u32 {
        u32::MAX - self as u32
    }

    /// What observers know it as.
    pub fn told(self) -> observe::ProbeKind {
        match self {
            CompetingProbe::Readiness => observe::ProbeKind::Readiness,
            CompetingProbe::Liveness => observe::ProbeKind::Liveness,
        }
    }

    /// The upstream that it asks.
    pub fn asks(self, asks: ProbesAsk) -> Option<usize> {
        match self {
            CompetingProbe::Readiness => asks.readiness,
            CompetingProbe::Liveness => asks.liveness,
        }
    }

    /// What facts call it.
    pub fn cause(self) -> &'static str {
        self.told().label()
    }
}

/// What an upstream says to a probe, and when.
#[derive(Clone, Copy, Debug)]
pub(in crate::model) struct Asked {
    pub at: Instant,
    pub is_well: bool,
}

/// What is known of the probes of one kind.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::model) struct ProbeRecord {
    /// When the last one was sent.
    pub sent: Instant,
    pub answered: bool,
    /// What the upstream says that it asks, if it asks one.
    pub asked: Option<Asked>,
    /// Misses in a row.
    pub misses: u32,
}

/// The probes of a replica.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::model) struct Probes {
    /// Counts processes; events of an older one are void.
    pub process: u32,
    /// Whether the process was told to stop because of its liveness.
    pub stopping: bool,
    pub(super) records: [ProbeRecord; 2],
}

impl ProbeRecord {
    /// Whether its upstream, if it asks one, has answered well at `now`.
    pub fn has_upstream(&self, now: Instant) -> bool {
        self.asked.is_none_or(|asked| asked.is_well && asked.at <= now)
    }

    /// When its upstream refuses, if it does.
    pub fn refused_at(&self) -> Option<Instant> {
        self.asked.filter(|asked| !asked.is_well).map(|asked| asked.at)
    }
}

impl Probes {
    /// The process ended.
    pub fn end(&mut self) {
        *self = Probes { process: self.process + 1, ..Probes::default() };
    }

    /// The work of a probe is done.
    pub fn answer(&mut self, mark: u32) {
        let kind = CompetingProbe::ALL.into_iter().find(|kind| kind.mark() == mark);
        let probe =
            &mut self.records[kind.expect("probes are all the work beside requests") as usize];
        assert!(!probe.answered, "the probe of {} was answered already", probe.sent);
        probe.answered = true;
    }
}
