//! Who is told of a replication.

use super::count::Count;
use super::ledger::Failure;
use super::recorder::Recorder;
use super::{Observation, Observer, Reading, Served};
use crate::units::Instant;

/// The one that a model tells its facts to: a recorder, or anybody else.
///
/// One type, so that the model is compiled once, and a call to the recorder stays a call that can
/// be inlined.
pub enum Listener<'a> {
    /// The recorder of a replication.
    Recorder(&'a mut Recorder),
    /// Another observer, called through its table of methods: some 5 % slower.
    Tap(&'a mut dyn Observer),
}

#[cold]
#[inline(never)]
fn tell_offered(observer: &mut dyn Observer, sent: Instant) {
    observer.offered(sent);
}

/// By value, so that what a recorder is told need not stand in memory.
#[cold]
#[inline(never)]
fn tell_served(observer: &mut dyn Observer, request: Served) {
    observer.served(&request);
}

macro_rules! forward {
    ($($name:ident($($argument:ident: $type:ty),*);)*) => {
        impl Observer for Listener<'_> {
            #[inline(always)]
            fn offered(&mut self, sent: Instant) {
                match self {
                    Listener::Recorder(recorder) => recorder.offered(sent),
                    Listener::Tap(observer) => tell_offered(*observer, sent),
                }
            }

            #[inline(always)]
            fn served(&mut self, request: &Served) {
                match self {
                    Listener::Recorder(recorder) => recorder.served(request),
                    Listener::Tap(observer) => tell_served(*observer, *request),
                }
            }

            $(#[inline(always)]
            fn $name(&mut self, $($argument: $type),*) {
                match self {
                    Listener::Recorder(recorder) => recorder.$name($($argument),*),
                    Listener::Tap(observer) => observer.$name($($argument),*),
                }
            })*
        }
    };
}

forward! {
    failed(sent: Instant, at: Instant, failure: Failure);
    tried_again(sent: Instant);
    attempt_failed(sent: Instant, failure: Failure);
    counted(sent: Instant, count: Count);
    observe(at: Instant, observation: &Observation);
    sampled(at: Instant, readings: &[Reading], connecting: u64);
    bin_ended(at: Instant, readings: &[Reading]);
    attempts_left(sent: &[Instant]);
    horizon(at: Instant, in_flight: &[Instant], under_way: &[Instant]);
}
