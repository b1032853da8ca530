//! A server that shares its cores among its jobs (egalitarian processor sharing).
//!
//! With n jobs on c cores each job progresses at rate `speed · min(1, c/n)`. The server keeps an
//! attained-service clock V that runs at that rate; a job that arrives when the clock shows V and
//! needs d of service is done when the clock shows V + d. So an arrival or a departure touches one
//! number and one queue, however many jobs there are (Parekh and Gallager's virtual time).
//!
//! The server is advanced lazily: nothing happens in it between two calls that could not be worked
//! out later. Looking at it never changes what it will do.
//!
//! ```text
//! push ──► jobs by tag ──► done        V advances at speed · min(1, c/n)
//!             │
//!             ├──► expired             a job that is older than the patience
//!             └──► removed             the server is killed, or the job's connection breaks
//! ```

use super::deadline::{Deadlines, Waiting};
use super::jobs::{Job, Jobs};
use super::pace::{Pace, nanoseconds, rounded};

/// Receives the jobs that leave a server.
pub trait Sink {
    /// A job is done at `at` (nanoseconds).
    fn done(&mut self, job: &Job, at: u64);
    /// A job ran out of patience at `at`.
    fn expired(&mut self, sent: u64, at: u64);
}

/// A processor-sharing server. Times are nanoseconds.
#[derive(Clone, Debug)]
pub struct Server {
    jobs: Jobs,
    /// Jobs that share the cores; `jobs` may also hold some that have expired.
    sharing: usize,
    /// Most jobs that ever shared.
    peak: usize,
    /// Attained-service clock V at `anchor`, in nanoseconds of one core.
    clock: f64,
    /// Time of the last arrival, departure or change of speed.
    anchor: u64,
    /// Core-nanoseconds worked until `anchor`.
    busy: f64,
    /// No job can expire before this.
    guard: u64,
    deadlines: Deadlines,
    pace: Pace,
}

impl Server {
    /// An idle server with `cores` cores at full speed, whose jobs expire `patience` nanoseconds
    /// after their arrival (`u64::MAX` = never).
    pub fn new(cores: f64, patience: u64) -> Self {
        Server {
            jobs: Jobs::default(),
            sharing: 0,
            peak: 0,
            clock: 0.0,
            anchor: 0,
            busy: 0.0,
            guard: u64::MAX,
            deadlines: Deadlines::new(patience),
            pace: Pace::new(cores, 1.0),
        }
    }

    /// Jobs in the server as of the last call.
    pub fn in_service(&self) -> usize {
        self.sharing
    }

    /// Most jobs that were ever in the server at once.
    pub fn peak(&self) -> usize {
        self.peak
    }

    /// Core-nanoseconds worked until `now`, which is not before the last call.
    pub fn busy_until(&self, now: u64) -> f64 {
        self.busy + nanoseconds(now - self.anchor) * self.pace.of(self.sharing).work
    }

    /// The jobs in the server, in no particular order.
    pub fn in_service_jobs(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().filter(|job| !self.deadlines.has_passed(job, self.anchor))
    }

    /// Lets everything happen that happens until `now`, `now` included.
    #[inline(always)]
    pub fn advance(&mut self, now: u64, sink: &mut impl Sink) {
        if now >= self.guard {
            return self.advance_watching(now, sink);
        }
        while let Some(due) = self.next_due(now) {
            self.complete_first(due, sink);
        }
    }

    /// Adds a job at `now`, to which the server has been advanced.
    #[inline(always)]
    pub fn push(&mut self, now: u64, sent: u64, demand: f64, mark: u32) {
        self.settle(now);
        if self.sharing == 0 {
            self.clock = 0.0;
            self.start_watch(now);
        }
        let job = Job { tag: self.clock + demand, sent, arrived: now, demand: demand as f32, mark };
        self.jobs.push(job);
        self.sharing += 1;
        self.peak = self.peak.max(self.sharing);
        self.deadlines.add(now, sent);
    }

    /// Changes the speed at `now`, to which the server has been advanced; 0 = frozen.
    pub fn set_speed(&mut self, now: u64, speed: f64) {
        self.settle(now);
        self.pace = self.pace.at_speed(speed);
    }

    /// Removes every job at `now`, to which the server has been advanced, and gives their sending
    /// times in order.
    pub fn kill(&mut self, now: u64) -> Vec<u64> {
        self.remove(now, |_| true)
    }

    /// Removes at `now` the jobs that `leaves` names; gives their sending times in order.
    pub fn remove(&mut self, now: u64, leaves: impl Fn(&Job) -> bool) -> Vec<u64> {
        self.settle(now);
        let deadlines = &self.deadlines;
        let mut removed = Vec::new();
        self.jobs.retain(|job| {
            let live = !deadlines.has_passed(job, now);
            if live && leaves(job) {
                removed.push(job.sent);
            }
            live && !leaves(job)
        });
        self.sharing = self.jobs.len();
        self.deadlines.forget();
        self.guard = self.deadlines.earliest(&self.jobs);
        removed.sort_unstable();
        removed
    }

    /// When the first job will be done, if that is not after `now`.
    #[inline(always)]
    fn next_due(&self, now: u64) -> Option<u64> {
        let first = self.jobs.first()?;
        let wait = (first.tag - self.clock) * self.pace.of(self.sharing).time_per_work;
        // A frozen server has infinite (or NaN) wait: written so that both mean "not yet".
        if wait <= nanoseconds(now - self.anchor) {
            Some(self.anchor + rounded(wait))
        } else {
            None
        }
    }

    #[inline(always)]
    fn complete_first(&mut self, at: u64, sink: &mut impl Sink) {
        if let Some(job) = self.jobs.pop() {
            self.busy += nanoseconds(at - self.anchor) * self.pace.of(self.sharing).work;
            self.clock = job.tag;
            self.anchor = at;
            self.sharing -= 1;
            sink.done(&job, at);
        }
    }

    /// Moves clock and work to `now`.
    #[inline(always)]
    fn settle(&mut self, now: u64) {
        let passed = nanoseconds(now - self.anchor);
        let pace = self.pace.of(self.sharing);
        self.clock += passed * pace.each;
        self.busy += passed * pace.work;
        self.anchor = now;
    }

    fn start_watch(&mut self, now: u64) {
        if !self.jobs.is_empty() {
            self.jobs.clear();
        }
        self.deadlines.forget();
        self.guard = now.saturating_add(self.deadlines.patience());
    }

    /// [`Server::advance`] when a job may have run out of patience.
    #[cold]
    #[inline(never)]
    fn advance_watching(&mut self, now: u64, sink: &mut impl Sink) {
        if !self.deadlines.are_watched() && !self.watch(now) {
            return self.advance(now, sink);
        }
        loop {
            self.drop_expired_heads();
            let due = self.next_due(now);
            let deadline = self.deadlines.first().filter(|deadline| *deadline <= now);
            match (due, deadline) {
                (Some(due), deadline) if deadline.is_none_or(|deadline| due <= deadline) => {
                    if let Some(job) = self.jobs.first() {
                        self.deadlines.close(job.arrived, job.sent);
                    }
                    self.complete_first(due, sink);
                }
                (_, Some(deadline)) => self.expire(deadline, sink),
                _ => break,
            }
        }
        if self.sharing == 0 {
            self.guard = u64::MAX;
        }
    }

    /// Starts to watch every deadline if one lies at or before `now`; otherwise moves the guard.
    fn watch(&mut self, now: u64) -> bool {
        let earliest = self.deadlines.earliest(&self.jobs);
        if earliest > now {
            self.guard = earliest;
            return false;
        }
        self.deadlines.watch(&self.jobs);
        true
    }

    fn expire(&mut self, at: u64, sink: &mut impl Sink) {
        if let Some(Waiting { sent, .. }) = self.deadlines.pop() {
            self.settle(at);
            self.sharing -= 1;
            sink.expired(sent, at);
        }
    }

    fn drop_expired_heads(&mut self) {
        while self.jobs.first().is_some_and(|job| self.deadlines.has_passed(job, self.anchor)) {
            self.jobs.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Law, Seed};
    use crate::units::Span;

    /// Notes who left, how and when.
    #[derive(Default, Debug, PartialEq)]
    struct Log(Vec<(u64, &'static str, u64)>);

    impl Sink for Log {
        fn done(&mut self, job: &Job, at: u64) {
            self.0.push((job.sent, "done", at));
        }
        fn expired(&mut self, sent: u64, at: u64) {
            self.0.push((sent, "expired", at));
        }
    }

    const END: u64 = u64::MAX / 2;

    /// Pushes (arrival, demand) pairs and runs the server empty.
    fn run(mut server: Server, jobs: &[(u64, f64)]) -> Log {
        let mut log = Log::default();
        for (at, demand) in jobs {
            server.advance(*at, &mut log);
            server.push(*at, *at, *demand, 0);
        }
        server.advance(END, &mut log);
        log
    }

    #[test]
    fn two_jobs_on_one_core_share_it() {
        // Alone until 10 (10 of 30 done), then half speed each: 20 left against 10.
        let log = run(Server::new(1.0, u64::MAX), &[(0, 30.0), (10, 10.0)]);
        assert_eq!(log.0, [(10, "done", 30), (0, "done", 40)]);
    }

    #[test]
    fn jobs_on_enough_cores_do_not_slow_each_other_and_a_fraction_stretches_each() {
        let log = run(Server::new(2.0, u64::MAX), &[(0, 30.0), (10, 10.0)]);
        assert_eq!(log.0, [(10, "done", 20), (0, "done", 30)]);
        assert_eq!(run(Server::new(0.1, u64::MAX), &[(0, 10.0)]).0, [(0, "done", 100)]);
    }

    #[test]
    fn a_frozen_server_works_on_where_it_stopped() {
        let (mut server, mut log) = (Server::new(1.0, u64::MAX), Log::default());
        server.push(0, 0, 30.0, 0);
        server.advance(10, &mut log);
        server.set_speed(10, 0.0);
        server.advance(1_000, &mut log);
        assert!(log.0.is_empty());
        server.set_speed(1_000, 0.5);
        server.advance(END, &mut log);
        assert_eq!(log.0, [(0, "done", 1_040)]);
        assert_eq!(server.busy_until(2_000), 30.0);
    }

    #[test]
    fn an_expired_job_leaves_its_share_to_the_others() {
        // Until 100 both have half: 50 each. Then the first is gone: 30 left alone.
        let log = run(Server::new(1.0, 100), &[(0, 500.0), (0, 80.0)]);
        assert_eq!(log.0[0].1, "expired");
        assert_eq!(log.0.len(), 2);
        let log = run(Server::new(1.0, 100), &[(0, 500.0), (60, 40.0)]);
        // 60 alone, 40 shared (20 done), then 20 alone until 120.
        assert_eq!(log.0, [(0, "expired", 100), (60, "done", 120)]);
    }

    #[test]
    fn killing_gives_back_every_job_once() {
        let mut server = Server::new(1.0, u64::MAX);
        for at in 0..100 {
            server.push(at, at, 1e6, (at % 2) as u32);
        }
        let odd = server.remove(100, |job| job.mark == 1);
        assert_eq!(odd, (0..100).filter(|at| at % 2 == 1).collect::<Vec<_>>());
        assert_eq!(server.kill(100), (0..100).filter(|at| at % 2 == 0).collect::<Vec<_>>());
        assert_eq!(server.in_service(), 0);
    }

    /// The definition, one job at a time: remaining work of all, next event of all.
    fn defined(cores: f64, patience: f64, jobs: &[(u64, f64)]) -> Vec<(u64, &'static str, f64)> {
        let (mut now, mut present, mut log) = (0.0, Vec::<(u64, f64)>::new(), Vec::new());
        let mut coming = jobs.iter().copied().peekable();
        loop {
            let rate = (cores / present.len().max(1) as f64).min(1.0);
            let done =
                present.iter().map(|(_, left)| now + left / rate).fold(f64::INFINITY, f64::min);
            let expiry =
                present.iter().map(|(at, _)| *at as f64 + patience).fold(f64::INFINITY, f64::min);
            let arrival = coming.peek().map_or(f64::INFINITY, |(at, _)| *at as f64);
            let next = done.min(expiry).min(arrival);
            if next.is_infinite() {
                return log;
            }
            present.iter_mut().for_each(|(_, left)| *left -= (next - now) * rate);
            now = next;
            if done <= next {
                let least =
                    (0..present.len()).min_by(|a, b| present[*a].1.total_cmp(&present[*b].1));
                log.push((present.remove(least.unwrap()).0, "done", now));
            } else if expiry <= next {
                log.push((present.remove(0).0, "expired", now));
            } else {
                present.push(coming.next().unwrap());
            }
        }
    }

    #[test]
    fn the_clock_agrees_with_the_definition_in_light_and_heavy_traffic() {
        for (cores, patience, gap, seed) in [
            (1.0, u64::MAX, 1_300, 1),
            (2.0, u64::MAX, 600, 2),
            (1.0, 20_000, 900, 3),
            (2.5, 9_000, 300, 4),
        ] {
            let mut stream = Seed { seed, replication: 0 }.stream("server test", 0);
            let (gaps, demands) = (Law::Exponential(Span(gap)), Law::LogNormal(Span(1_000), 1.0));
            let mut at = 0;
            let jobs: Vec<(u64, f64)> = (0..2_000)
                .map(|_| {
                    at += gaps.draw(&mut stream).0.max(1);
                    (at, demands.sampler().draw(&mut stream))
                })
                .collect();
            let log = run(Server::new(cores, patience), &jobs);
            let limit = if patience == u64::MAX { f64::INFINITY } else { patience as f64 };
            let mut expected = defined(cores, limit, &jobs);
            let mut found = log.0.clone();
            expected.sort_by_key(|(sent, ..)| *sent);
            found.sort_unstable();
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!((found.0, found.1), (expected.0, expected.1));
                // Each of the 2 000 departures is rounded to the nanosecond.
                assert!((found.2 as f64 - expected.2).abs() < 100.0, "{found:?} {expected:?}");
            }
        }
    }

    #[test]
    fn looking_at_a_server_changes_nothing() {
        let jobs: Vec<(u64, f64)> = (0..500).map(|i| (i * 700, 1_000.0 + (i % 7) as f64)).collect();
        let plain = run(Server::new(1.5, u64::MAX), &jobs);
        let (mut server, mut log) = (Server::new(1.5, u64::MAX), Log::default());
        for (at, demand) in &jobs {
            for earlier in [500, 300, 1] {
                let look = at.saturating_sub(earlier).max(server.anchor);
                server.advance(look, &mut log);
                let _ = server.busy_until(look.max(server.anchor));
            }
            server.advance(*at, &mut log);
            server.push(*at, *at, *demand, 0);
        }
        server.advance(END, &mut log);
        assert_eq!(plain, log);
    }
}
