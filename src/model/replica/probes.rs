//! What is known of a replica's probes, where they compete for CPU.

use crate::model::event::CompetingProbe;
use crate::observe;
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

    /// What facts call it.
    pub fn cause(self) -> &'static str {
        self.told().label()
    }
}

/// What is known of the probes of one kind.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::model) struct ProbeRecord {
    /// When the last one was sent.
    pub sent: Instant,
    pub answered: bool,
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
