//! Who is told of a replication.
//!
//! A model tells a [`Listener`]: a recorder, which is fast, or any other observer. Where several
//! regions are simulated each has a [`relay`] to one that they share.
//!
//! It owns the way from the model to an observer, and nothing of what is told; it may ask for
//! recorders, and for the facts that observers are told. Begin with
//! [`Listener`].

pub mod relay;

use super::count::Count;
use super::ledger::Failure;
use super::recorder::Recorder;
use super::{Observation, Observer, Reading, ReplicaId, Sent, Served};
use crate::units::Instant;
use relay::Relay;

/// The one that a model tells its facts to: a recorder, or anybody else.
///
/// One type, so that the model is compiled once, and a call to the recorder stays a call that can
/// be inlined.
pub enum Listener<'a> {
    /// The recorder of a replication.
    Recorder(&'a mut Recorder),
    /// Another observer, called through its table of methods: some 5 % slower.
    Tap(&'a mut dyn Observer),
    /// One of several regions, which share one of the others.
    Relay(Box<Relay<'a>>),
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

/// In parts, which are handed over in registers: the API is the region, which the relay knows.
#[inline(never)]
fn relay_served(
    relay: &mut Relay,
    sent: Instant,
    arrived: Instant,
    finished: Instant,
    demand: f32,
    replica: ReplicaId,
) {
    relay.served(&Served { sent, arrived, finished, demand, api: 0, replica });
}

#[inline(never)]
fn relay_offered(relay: &mut Relay, request: Sent) {
    relay.offered(request);
}

macro_rules! forward {
    ($($name:ident($($argument:ident: $type:ty),*);)*) => {
        impl Observer for Listener<'_> {
            #[inline(always)]
            fn offered(&mut self, request: Sent) {
                match self {
                    Listener::Recorder(recorder) => recorder.offered(request),
                    Listener::Tap(observer) => tell_offered(*observer, request),
                    Listener::Relay(relay) => relay_offered(relay, request),
                }
            }

            #[inline(always)]
            fn served(&mut self, request: &Served) {
                match self {
                    Listener::Recorder(recorder) => recorder.served(request),
                    Listener::Tap(observer) => tell_served(*observer, *request),
                    Listener::Relay(relay) => {
                        let Served { sent, arrived, finished, demand, replica, .. } = *request;
                        relay_served(relay, sent, arrived, finished, demand, replica);
                    }
                }
            }

            $(#[inline(always)]
            fn $name(&mut self, $($argument: $type),*) {
                match self {
                    Listener::Recorder(recorder) => recorder.$name($($argument),*),
                    Listener::Tap(observer) => observer.$name($($argument),*),
                    Listener::Relay(relay) => relay.$name($($argument),*),
                }
            })*
        }
    };
}

forward! {
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
