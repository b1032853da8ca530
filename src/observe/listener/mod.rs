//! Who is told of a replication.
//!
//! A model tells a [`Listener`]: an [`audience`], which is a recorder or any other observer. Where
//! several regions are simulated each has a [`relay`] to one that they share.
//!
//! It owns the way from the model to an observer, and nothing of what is told; it may ask for
//! recorders, and for the facts that observers are told. Begin with
//! [`Listener`].

pub mod audience;
pub mod relay;

use super::count::Count;
use super::ledger::Failure;
use super::{Observation, Observer, Reading, ReplicaId, Sent, Served};
use crate::units::Instant;
use audience::{Audience, facts};
use relay::Relay;

/// The one that a model tells its facts to.
pub enum Listener<'a> {
    /// At first hand.
    Audience(Audience<'a>),
    /// One of several regions, which share an audience.
    Relay(Box<Relay<'a>>),
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
                    Listener::Audience(audience) => audience.offered(request),
                    Listener::Relay(relay) => relay_offered(relay, request),
                }
            }

            #[inline(always)]
            fn served(&mut self, request: &Served) {
                match self {
                    Listener::Audience(audience) => audience.served(request),
                    Listener::Relay(relay) => {
                        let Served { sent, arrived, finished, demand, replica, .. } = *request;
                        relay_served(relay, sent, arrived, finished, demand, replica);
                    }
                }
            }

            $(#[inline(always)]
            fn $name(&mut self, $($argument: $type),*) {
                match self {
                    Listener::Audience(audience) => audience.$name($($argument),*),
                    Listener::Relay(relay) => relay.$name($($argument),*),
                }
            })*
        }
    };
}

facts!(forward);
