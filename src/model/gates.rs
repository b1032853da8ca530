//! Who lets through what: admission control of ingress instances, and of replicas towards
//! upstreams.
//!
//! ```text
//! request ─► gate ─┬─ turned away: refused, 503
//!                  └─ admitted ─► … ─► its last answer, good or not ─► the window of the gate
//! ```
//!
//! An instance, or a replica towards an upstream, decides once for each request, before it tries
//! anything, and counts what came of it after all its tries, as a filter before Envoy's router
//! does. What its client gave up is not counted: nobody was answered.
//!
//! The windows themselves are in `policy/admission`.

use crate::observe::ledger::Failure;
use crate::policy::admission::{AdmissionSpec, AdmissionWindow};
use crate::random::{Seed, Stream};
use crate::units::Instant;

/// The gates of one kind, by place: instances, or slots.
#[derive(Debug)]
pub(in crate::model) struct Gates {
    spec: AdmissionSpec,
    windows: Vec<AdmissionWindow>,
    stream: Stream,
}

impl Gates {
    /// So many gates, if there is admission control at all; `number` names their stream.
    pub fn new(
        spec: Option<AdmissionSpec>,
        places: usize,
        seed: Seed,
        number: u64,
    ) -> Option<Gates> {
        let spec = spec?;
        let windows = vec![AdmissionWindow::new(spec); places];
        Some(Gates { spec, windows, stream: seed.stream("admission control", number) })
    }

    /// Whether a request passes.
    pub fn admits(&mut self, at: u64, place: usize) -> bool {
        let Some(window) = self.windows.get_mut(place) else { return true };
        let rejection = window.rejection(Instant(at));
        debug_assert!((0.0..1.0).contains(&rejection), "{rejection} of what comes is refused");
        !(rejection > 0.0 && self.stream.unit() < rejection)
    }

    /// A request that was admitted is answered, well or with a failure.
    pub fn note(&mut self, at: u64, place: usize, failure: Option<Failure>) {
        let is_good = match failure {
            Some(Failure::NotAdmitted | Failure::GivenUp | Failure::IngressDown) => return,
            Some(failure) => failure.status().is_some_and(|status| status < 500),
            None => true,
        };
        if let Some(window) = self.windows.get_mut(place) {
            window.note(Instant(at), is_good);
        }
    }

    /// A new process is at a place, which knows nothing.
    pub fn forget(&mut self, place: usize) {
        assert!(place < self.windows.len(), "there is no gate {place}");
        self.windows[place] = AdmissionWindow::new(self.spec);
    }
}
