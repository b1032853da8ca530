//! Who hears of a replication: a recorder, or anybody else.

use crate::observe::count::Count;
use crate::observe::ledger::Failure;
use crate::observe::recorder::Recorder;
use crate::observe::{Observation, Observer, Reading, Sent, Served};
use crate::units::Instant;

/// A recorder, or another observer.
///
/// One type, so that the model is compiled once, and a call to the recorder stays a call that can
/// be inlined.
pub enum Audience<'a> {
    /// The recorder of a replication.
    Recorder(&'a mut Recorder),
    /// Another observer, called through its table of methods: some 5 % slower.
    Tap(&'a mut dyn Observer),
}

#[cold]
#[inline(never)]
fn tell_offered(observer: &mut dyn Observer, request: Sent) {
    observer.offered(request);
}

/// By value, so that what a recorder is told need not stand in memory.
#[cold]
#[inline(never)]
fn tell_served(observer: &mut dyn Observer, request: Served) {
    observer.served(&request);
}

/// Every fact that an observer is told but those of each request, for a macro that forwards them.
macro_rules! facts {
    ($forward:ident) => {
        $forward! {
            failed(request: Sent, at: Instant, failure: Failure);
            tried_again(request: Sent);
            attempt_failed(request: Sent, failure: Failure);
            counted(request: Sent, count: Count);
            observe(at: Instant, observation: &Observation);
            sampled(at: Instant, readings: &[Reading], connecting: u64);
            bin_ended(at: Instant, readings: &[Reading]);
            attempts_left(requests: &[Sent]);
            horizon(at: Instant, in_flight: &[Sent], under_way: &[Sent]);
        }
    };
}
pub(super) use facts;

macro_rules! forward {
    ($($name:ident($($argument:ident: $type:ty),*);)*) => {
        impl Observer for Audience<'_> {
            #[inline(always)]
            fn offered(&mut self, request: Sent) {
                match self {
                    Audience::Recorder(recorder) => recorder.offered(request),
                    Audience::Tap(observer) => tell_offered(*observer, request),
                }
            }

            #[inline(always)]
            fn served(&mut self, request: &Served) {
                match self {
                    Audience::Recorder(recorder) => recorder.served(request),
                    Audience::Tap(observer) => tell_served(*observer, *request),
                }
            }

            $(#[inline(always)]
            fn $name(&mut self, $($argument: $type),*) {
                match self {
                    Audience::Recorder(recorder) => recorder.$name($($argument),*),
                    Audience::Tap(observer) => observer.$name($($argument),*),
                }
            })*
        }
    };
}

facts!(forward);
