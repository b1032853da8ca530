use super::*;
use crate::random::{Law, Seed};
use crate::units::Span;

/// Notes who left, how and when.
#[derive(Default, Debug, PartialEq)]
struct Log(Vec<(u64, &'static str, u64)>, Vec<u64>);

impl Sink for Log {
    fn done(&mut self, job: &Job, at: u64) {
        self.0.push((job.id.number(), "done", at));
    }
    fn background_done(&mut self, mark: u32, at: u64) {
        self.0.push((u64::from(mark), "background", at));
    }
    fn expired(&mut self, id: JobId, at: u64) {
        self.0.push((id.number(), "expired", at));
    }
    fn is_cancelled(&self, id: JobId) -> bool {
        self.1.contains(&id.number())
    }
}

const END: u64 = u64::MAX / 2;

/// Pushes (arrival, demand) pairs and runs the server empty.
fn run(mut server: Server, jobs: &[(u64, f64)]) -> Log {
    let mut log = Log::default();
    for (at, demand) in jobs {
        server.advance(*at, &mut log);
        server.push(*at, JobId::from_number(*at), *demand, 0);
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
    server.push(0, JobId::from_number(0), 30.0, 0);
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
        server.push(at, JobId::from_number(at), 1e6, (at % 2) as u32);
    }
    let odd = server.remove(100, |job| job.mark == 1);
    assert_eq!(odd, (0..100).filter(|at| at % 2 == 1).map(JobId::from_number).collect::<Vec<_>>());
    assert_eq!(
        server.kill(100),
        (0..100).filter(|at| at % 2 == 0).map(JobId::from_number).collect::<Vec<_>>()
    );
    assert_eq!(server.in_service(), 0);
}

#[test]
fn jobs_that_come_together_fare_as_one_by_one() {
    // Few at a time and many, with patience and without, beside work in the background, and stopped
    // for a while: whatever way the server takes, it does the same.
    for (patience, gap, background) in [
        (u64::MAX, 700.0, false),
        (u64::MAX, 450.0, false),
        (u64::MAX, 700.0, true),
        (40_000, 450.0, false),
        (2_000, 700.0, false),
    ] {
        let mut stream = Seed { seed: 5, replication: 0 }.stream("together", patience);
        let (mut together, mut singly) = (Server::new(2.0, patience), Server::new(2.0, patience));
        let (mut log, mut expected) = (Log::default(), Log::default());
        let mut now = 0;
        for round in 0..200 {
            let coming: Vec<Coming> = (0..stream.below(40))
                .map(|_| {
                    now += (gap * stream.exponential()) as u64 + 1;
                    let demand = 1_000.0 * stream.exponential();
                    Coming { at: now, id: JobId::from_number(now), demand, mark: 0 }
                })
                .collect();
            together.take_all(&coming, &mut log);
            for job in &coming {
                singly.advance(job.at, &mut expected);
                singly.push(job.at, job.id, job.demand, job.mark);
            }
            for (server, log) in [(&mut together, &mut log), (&mut singly, &mut expected)] {
                if round % 50 == 20 {
                    server.set_speed(now, 0.0);
                } else if round % 50 == 21 {
                    server.set_speed(now, 1.0);
                } else if background && round % 7 == 0 {
                    server.advance(now, log);
                    server.push_background(now, 3_000.0, 1);
                }
            }
            assert_eq!(log, expected, "round {round} with a patience of {patience}");
            assert_eq!(together.busy_until(now), singly.busy_until(now));
            assert_eq!(together.next_done(), singly.next_done());
            assert_eq!((together.kept(), together.peak()), (singly.kept(), singly.peak()));
        }
        assert!(
            together.peak() > 4 && log.0.len() > 3_000,
            "{} and {}",
            together.peak(),
            log.0.len()
        );
    }
}

/// The definition, one job at a time: remaining work of all, next event of all.
fn defined(cores: f64, patience: f64, jobs: &[(u64, f64)]) -> Vec<(u64, &'static str, f64)> {
    let (mut now, mut present, mut log) = (0.0, Vec::<(u64, f64)>::new(), Vec::new());
    let mut coming = jobs.iter().copied().peekable();
    loop {
        let rate = (cores / present.len().max(1) as f64).min(1.0);
        let done = present.iter().map(|(_, left)| now + left / rate).fold(f64::INFINITY, f64::min);
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
            let least = (0..present.len()).min_by(|a, b| present[*a].1.total_cmp(&present[*b].1));
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
            let look = at.saturating_sub(earlier).max(server.course.anchor);
            server.advance(look, &mut log);
            let _ = server.busy_until(look.max(server.course.anchor));
        }
        server.advance(*at, &mut log);
        server.push(*at, JobId::from_number(*at), *demand, 0);
    }
    server.advance(END, &mut log);
    assert_eq!(plain, log);
}

#[test]
fn a_background_among_n_jobs_on_c_cores_takes_its_demand_times_n_plus_one_over_c() {
    for (cores, jobs) in [(1.0, 0), (1.0, 9), (2.0, 9), (4.0, 199), (0.5, 3)] {
        let (mut server, mut log) = (Server::new(cores, u64::MAX), Log::default());
        (0..jobs).for_each(|sent| server.push(0, JobId::from_number(sent), 1e12, 0));
        server.advance(1_000, &mut log);
        server.push_background(1_000, 5_000.0, 7);
        server.advance(10_000_000, &mut log);
        let takes = 5_000.0 * ((jobs + 1) as f64 / cores).max(1.0);
        assert_eq!(log.0, [(7, "background", 1_000 + takes as u64)]);
    }
}

#[test]
fn a_background_is_counted_nowhere_and_goes_when_it_is_removed_or_killed() {
    let (mut server, mut log) = (Server::new(1.0, u64::MAX), Log::default());
    server.push_background(0, 50.0, 7);
    server.push(0, JobId::from_number(1), 50.0, 0);
    assert_eq!((server.in_service(), server.peak()), (1, 1));
    assert_eq!(server.in_service_jobs().count(), 1);
    server.advance(20, &mut log);
    assert!(server.remove(20, |job| job.mark == 7).is_empty());
    server.advance(60, &mut log);
    assert_eq!(log.0, [(1, "done", 60)]);
    server.push_background(60, 50.0, 7);
    server.push(60, JobId::from_number(2), 50.0, 0);
    assert_eq!(server.kill(70), [JobId::from_number(2)]);
    server.advance(END, &mut log);
    assert_eq!((server.in_service(), log.0.len()), (0, 1));
}

#[test]
fn a_background_never_expires_and_keeps_no_job_from_it() {
    let (mut server, mut log) = (Server::new(1.0, 100), Log::default());
    server.push_background(0, 1e6, 7);
    server.advance(200, &mut log);
    for at in [250, 260] {
        server.advance(at, &mut log);
        server.push(at, JobId::from_number(at), 1e6, 0);
    }
    server.advance(300, &mut log);
    server.push_background(300, 20.0, 8);
    server.advance(END, &mut log);
    let expected = [
        (250, "expired", 350),
        (260, "expired", 360),
        (8, "background", 368),
        (7, "background", 0),
    ];
    let last = log.0.len() - 1;
    log.0[last].2 = 0;
    assert_eq!(log.0, expected);
}

#[test]
fn a_cancelled_job_gives_its_share_to_the_others_wherever_it_stands_in_the_queue() {
    // Three share until 30, 10 done of each; then two until the shorter is done.
    for (cancelled, rest) in [
        (1, [(2, "done", 50), (3, "done", 60)]),
        (2, [(1, "done", 40), (3, "done", 55)]),
        (3, [(1, "done", 40), (2, "done", 45)]),
    ] {
        let (mut server, mut log) = (Server::new(1.0, u64::MAX), Log::default());
        for (name, demand) in [(1, 15.0), (2, 20.0), (3, 30.0)] {
            server.push(0, JobId::from_number(name), demand, 0);
        }
        server.advance(30, &mut log);
        log.1.push(cancelled);
        server.cancel(30, &log);
        assert_eq!(server.in_service(), 2);
        server.advance(END, &mut log);
        assert_eq!(log.0, rest, "without {cancelled}");
    }
}

#[test]
fn a_server_of_which_all_jobs_were_cancelled_begins_anew() {
    let (mut server, mut log) = (Server::new(1.0, u64::MAX), Log::default());
    (1..=40).for_each(|name| server.push(0, JobId::from_number(name), 1_000.0, 0));
    for name in (1..=40).rev() {
        log.1.push(name);
        server.cancel(10, &log);
    }
    assert_eq!((server.in_service(), server.next_done()), (0, u64::MAX));
    server.push(20, JobId::from_number(70), 5.0, 0);
    server.advance(END, &mut log);
    assert_eq!(log.0, [(70, "done", 25)]);
}

#[test]
fn the_next_done_is_when_advancing_first_does_something() {
    let mut stream = Seed { seed: 5, replication: 0 }.stream("jobs", 0);
    let (mut server, mut log) = (Server::new(1.7, u64::MAX), Log::default());
    let mut now = 0;
    for name in 0..2_000 {
        while server.next_done() <= now {
            let (due, before) = (server.next_done(), log.0.len());
            server.advance(due - 1, &mut log);
            assert_eq!(log.0.len(), before, "done before it was due");
            server.advance(due, &mut log);
            assert!(log.0.len() > before, "not done when due");
        }
        server.advance(now, &mut log);
        server.push(now, JobId::from_number(name), 100.0 * stream.exponential(), 0);
        now += (70.0 * stream.exponential()) as u64;
    }
    assert!(log.0.len() > 1_900);
}

#[test]
fn what_expired_or_was_cancelled_is_forgotten_in_overload() {
    // In so much overload next to none is ever done; at most 1,000 wait at a time.
    let (mut server, mut log) = (Server::new(1.0, 1_000), Log::default());
    for at in 0..20_000 {
        server.advance(at, &mut log);
        server.push(at, JobId::from_number(at), 1e6, 0);
        assert!(server.kept() <= 2 * server.in_service() + 513, "{} are kept", server.kept());
    }
    server.advance(END, &mut log);
    let expired: Vec<_> = (0..20_000).map(|at| (at, "expired", at + 1_000)).collect();
    assert_eq!(log.0, expired);
    let (mut server, mut log) = (Server::new(1.0, u64::MAX), Log::default());
    for at in 0..3_000 {
        server.push(at, JobId::from_number(at), 1e6 + at as f64, 0);
        if at >= 100 {
            log.1.push(at - 100);
            server.cancel(at, &log);
        }
        assert!(server.in_service() <= 101 && server.kept() <= 700, "{} are kept", server.kept());
    }
    server.advance(END, &mut log);
    let done: Vec<u64> = log.0.iter().map(|(name, ..)| *name).collect();
    assert_eq!(done, (2_900..3_000).collect::<Vec<_>>());
}
