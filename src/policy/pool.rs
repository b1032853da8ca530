//! The connections of all replicas to the hosts of one upstream, each of which accepts so many.
//!
//! ```text
//! request ─► an idle connection of this replica to this host ─► in use
//!        └─► none: the host has room ─► opened ─► in use     else refused
//! in use ─ answered ─► idle ─ unused for the keep-alive ─► closed
//!       └─ given up, lost ─► closed
//! ```
//!
//! Sources: Envoy's connection pools (a connection that was answered is kept, and the one used last
//! is used next; `idle_timeout`, one hour by default) and the limits of servers and databases
//! (`maxclients`, `max_connections`), which count connections whether they are in use or not.
//!
//! Assumed: HTTP/1.1, one request at a time on a connection; nothing is opened before it is needed.
//! Left out: how long a connection takes to be made, connections that wait in a server's backlog.

use std::collections::VecDeque;

use crate::units::{Instant, Span};

/// The connections to the hosts of one upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pools {
    /// Connections that a host accepts, and how long one is kept that nobody uses.
    accepts: u32,
    keep_alive: Span,
    /// Connections that each host has, in use or idle.
    open: Vec<u32>,
    /// Since when idle ones are, oldest first: for each slot and host.
    idle: Vec<Vec<VecDeque<Instant>>>,
}

impl Pools {
    /// Nothing is open yet.
    pub fn new(accepts: u32, keep_alive: Span, slots: usize, hosts: usize) -> Self {
        let idle = vec![vec![VecDeque::new(); hosts]; slots];
        Pools { accepts, keep_alive, open: vec![0; hosts], idle }
    }

    /// A request of the replica in a slot needs a connection to a host; whether it has one.
    pub fn connect(&mut self, now: Instant, slot: usize, host: usize) -> bool {
        self.expire(now, slot, host);
        if self.idle[slot][host].pop_back().is_some() {
            return true;
        }
        if self.open[host] >= self.accepts {
            (0..self.idle.len()).for_each(|slot| self.expire(now, slot, host));
        }
        let may = self.open[host] < self.accepts;
        self.open[host] += u32::from(may);
        may
    }

    /// Closes what nobody has used for too long.
    fn expire(&mut self, now: Instant, slot: usize, host: usize) {
        let idle = &mut self.idle[slot][host];
        while idle.front().is_some_and(|since| *since + self.keep_alive <= now) {
            idle.pop_front();
            self.open[host] -= 1;
        }
    }

    /// The request on a connection is answered.
    pub fn keep(&mut self, now: Instant, slot: usize, host: usize) {
        self.idle[slot][host].push_back(now);
        debug_assert!(self.idle_to(host) <= self.open[host], "{self:?}");
    }

    /// A connection in use is closed.
    pub fn close(&mut self, host: usize) {
        assert!(self.open[host] > 0, "host {host} has no connection");
        self.open[host] -= 1;
    }

    /// The replica in a slot, with `active` connections in use, may have `most` in all: those that
    /// are idle beyond that are closed.
    pub fn trim(&mut self, slot: usize, active: u32, most: u32) {
        let all = |idle: &[VecDeque<Instant>]| idle.iter().map(VecDeque::len).sum::<usize>() as u32;
        while active + all(&self.idle[slot]) > most {
            let oldest = |(host, idle): (usize, &VecDeque<Instant>)| Some((*idle.front()?, host));
            let Some((_, host)) = self.idle[slot].iter().enumerate().filter_map(oldest).min()
            else {
                return;
            };
            self.idle[slot][host].pop_front();
            self.open[host] -= 1;
        }
    }

    /// The process in a slot ends: what is idle is closed.
    pub fn forget(&mut self, slot: usize) {
        for (idle, open) in self.idle[slot].iter_mut().zip(&mut self.open) {
            *open -= std::mem::take(idle).len() as u32;
        }
    }

    /// A host goes down: every connection to it breaks.
    pub fn lose(&mut self, host: usize) {
        self.idle.iter_mut().for_each(|slot| slot[host].clear());
        self.open[host] = 0;
    }

    /// Connections that a host has.
    pub fn open(&self, host: usize) -> u32 {
        self.open[host]
    }

    fn idle_to(&self, host: usize) -> u32 {
        self.idle.iter().map(|slot| slot[host].len() as u32).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP: Span = Span(100);

    fn at(time: u64) -> Instant {
        Instant(time)
    }

    #[test]
    fn what_one_replica_keeps_another_cannot_have() {
        let mut pools = Pools::new(3, KEEP, 2, 1);
        assert!((0..3).all(|_| pools.connect(at(0), 0, 0)));
        assert!(!pools.connect(at(1), 1, 0), "all are in use");
        (0..3).for_each(|_| pools.keep(at(10), 0, 0));
        assert!(!pools.connect(at(109), 1, 0), "all are idle, in the other replica");
        assert!(pools.connect(at(109), 0, 0), "which uses one of its own again");
        // A hundred later nobody has used the other two.
        assert!(pools.connect(at(110), 1, 0) && pools.connect(at(110), 1, 0));
        assert!(!pools.connect(at(110), 1, 0) && pools.open(0) == 3);
    }

    #[test]
    fn the_connection_used_last_is_used_next_and_the_others_grow_old() {
        let mut pools = Pools::new(9, KEEP, 1, 1);
        assert!(pools.connect(at(0), 0, 0) && pools.connect(at(0), 0, 0));
        pools.keep(at(10), 0, 0);
        pools.keep(at(60), 0, 0);
        for time in [70, 120] {
            assert!(pools.connect(at(time), 0, 0));
            pools.keep(at(time), 0, 0);
        }
        assert_eq!(pools.open(0), 1);
    }

    #[test]
    fn ends_of_replicas_hosts_and_requests_close_what_they_should() {
        let mut pools = Pools::new(9, KEEP, 2, 2);
        for (slot, host) in [(0, 0), (0, 1), (1, 0), (1, 0)] {
            assert!(pools.connect(at(0), slot, host));
        }
        pools.keep(at(1), 0, 0);
        pools.keep(at(2), 0, 1);
        pools.keep(at(3), 1, 0);
        pools.trim(0, 0, 1);
        assert_eq!((pools.open(0), pools.open(1)), (2, 1), "the older one is closed");
        pools.forget(0);
        assert_eq!((pools.open(0), pools.open(1)), (2, 0));
        pools.close(0);
        assert_eq!(pools.open(0), 1);
        pools.lose(0);
        assert_eq!(pools.open(0), 0);
        assert!(pools.connect(at(4), 1, 0) && pools.open(0) == 1);
    }
}
