use super::*;
use crate::random::{Law, Seed};
use crate::units::Span;
use proptest::prelude::*;

const MS: u64 = 1_000_000;
const END: u64 = u64::MAX / 2;

/// Notes who left, how and when.
#[derive(Default, Debug, PartialEq)]
struct Log(Vec<(u64, &'static str, u64)>);

impl Sink for Log {
    fn done(&mut self, job: &Job, at: u64) {
        self.0.push((job.id.number(), "done", at));
    }
    fn expired(&mut self, id: JobId, at: u64) {
        self.0.push((id.number(), "expired", at));
    }
}

/// `threads` cores with a quota of this many milliseconds in every 100.
fn metered(threads: f64, quota: f64, patience: u64) -> Metered {
    let bandwidth = Bandwidth { quota: quota * MS as f64, period: 100 * MS };
    Metered::new(Server::new(threads, patience), Some(bandwidth))
}

/// A job comes at a time, which is or is not its number too.
fn take(server: &mut Metered, (at, number): (u64, u64), demand: f64, log: &mut Log) {
    let coming = Coming { at, id: JobId::from_number(number), demand, mark: 0 };
    server.take_all(&[coming], log);
}

/// Takes (arrival, demand) pairs and runs the server empty.
fn run(mut server: Metered, jobs: &[(u64, f64)]) -> Log {
    let mut log = Log::default();
    for (at, demand) in jobs {
        take(&mut server, (*at, *at), *demand, &mut log);
    }
    server.advance(END, &mut log);
    log
}

/// The same in milliseconds; only when each leaves.
fn ends(server: Metered, jobs: &[(u64, f64)]) -> Vec<f64> {
    let jobs: Vec<_> = jobs.iter().map(|(at, demand)| (at * MS, demand * MS as f64)).collect();
    run(server, &jobs).0.iter().map(|(.., at)| *at as f64 / MS as f64).collect()
}

#[test]
fn a_job_over_the_quota_waits_for_the_next_period() {
    assert_eq!(ends(metered(1.0, 50.0, u64::MAX), &[(0, 80.0)]), [130.0]);
    assert_eq!(ends(metered(1.0, 50.0, u64::MAX), &[(0, 50.0)]), [50.0]);
    assert_eq!(ends(metered(1.0, 10.0, u64::MAX), &[(0, 35.0)]), [305.0]);
}

#[test]
fn more_threads_use_the_quota_up_earlier() {
    // Used up after 12.5 ms, in which each had 12.5 of its 20 ms.
    assert_eq!(ends(metered(4.0, 50.0, u64::MAX), &[(0, 20.0); 4]), [107.5; 4]);
    // Two until 10, three until 20: all is used up when the first is done.
    let jobs = [(0, 20.0), (0, 30.0), (10, 30.0)];
    assert_eq!(ends(metered(4.0, 50.0, u64::MAX), &jobs), [20.0, 110.0, 120.0]);
}

#[test]
fn idle_periods_restore_the_quota_and_save_none() {
    let jobs = [(0, 50.0), (60, 10.0), (100_000_010, 60.0), (100_000_310, 60.0)];
    let expected = [50.0, 110.0, 100_000_110.0, 100_000_410.0];
    assert_eq!(ends(metered(1.0, 50.0, u64::MAX), &jobs), expected);
}

/// What a lone job of `demand` takes that arrives `x` into a period with a whole quota.
fn lone(demand: f64, quota: f64, period: f64, x: f64) -> f64 {
    let first = quota.min(period - x);
    let rest = demand - first;
    if rest <= 0.0 {
        return demand;
    }
    let whole = (rest / quota).ceil() - 1.0;
    (period - x) + whole * period + (rest - whole * quota)
}

#[test]
fn a_lone_job_at_any_phase_takes_what_theory_says() {
    for (demand, quota) in [(80.0, 50.0), (30.0, 50.0), (99.0, 20.0), (7.0, 2.5)] {
        for percent in 0..100 {
            let server = metered(1.0, quota, u64::MAX).at_phase(f64::from(percent) / 100.0);
            let found = ends(server, &[(0, demand)])[0];
            let expected = lone(demand, quota, 100.0, f64::from(percent));
            assert!((found - expected).abs() < 1e-5, "{demand} at {percent}: {found} {expected}");
        }
    }
}

#[test]
fn a_slower_server_uses_less_of_its_quota() {
    let (mut server, mut log) = (metered(1.0, 50.0, u64::MAX), Log::default());
    server.set_speed(0, 0.5);
    take(&mut server, (0, 0), 80.0 * MS as f64, &mut log);
    server.advance(120 * MS, &mut log);
    assert_eq!(server.busy_until(120 * MS), 60.0 * MS as f64);
    // The period from 100 has 40 left, of which the last 20 of the job are taken at full speed.
    server.set_speed(120 * MS, 1.0);
    take(&mut server, (140 * MS, 1), 30.0 * MS as f64, &mut log);
    server.advance(END, &mut log);
    assert_eq!(log.0, [(0, "done", 140 * MS), (1, "done", 210 * MS)]);
}

#[test]
fn a_server_that_stands_still_uses_nothing_and_can_be_frozen_meanwhile() {
    let (mut server, mut log) = (metered(1.0, 50.0, u64::MAX), Log::default());
    take(&mut server, (0, 0), 80.0 * MS as f64, &mut log);
    server.advance(70 * MS, &mut log);
    server.set_speed(70 * MS, 0.0);
    server.advance(1_000_000_030 * MS, &mut log);
    assert_eq!(server.busy_until(1_000_000_030 * MS), 50.0 * MS as f64);
    server.set_speed(1_000_000_030 * MS, 1.0);
    server.advance(1_000_000_070 * MS, &mut log);
    assert_eq!(log.0, [(0, "done", 1_000_000_060 * MS)]);
    // One that never goes on does not hold up the end.
    take(&mut server, (1_000_000_070 * MS, 1), 1.0, &mut log);
    server.set_speed(1_000_000_070 * MS, 0.0);
    server.advance(END, &mut log);
    assert_eq!(server.in_service(), 1);
}

#[test]
fn a_restart_has_a_whole_quota_and_the_same_periods() {
    let (mut server, mut log) = (metered(1.0, 50.0, u64::MAX), Log::default());
    take(&mut server, (0, 0), 80.0 * MS as f64, &mut log);
    server.advance(60 * MS, &mut log);
    assert_eq!(server.kill(60 * MS), [JobId::from_number(0)]);
    server.set_speed(60 * MS, 1.0);
    take(&mut server, (60 * MS, 1), 60.0 * MS as f64, &mut log);
    server.advance(130 * MS, &mut log);
    assert_eq!(log.0, [(1, "done", 120 * MS)]);
    // Long idle and not advanced when it is killed.
    server.kill(990 * MS);
    take(&mut server, (990 * MS, 2), 70.0 * MS as f64, &mut log);
    server.advance(END, &mut log);
    assert_eq!(log.0[1], (2, "done", 1_110 * MS));
}

#[test]
fn patience_ends_while_the_server_is_frozen() {
    let log = run(metered(1.0, 50.0, 70 * MS), &[(0, 80.0 * MS as f64), (40 * MS, 1e6)]);
    // Both shared the last ten milliseconds, which was enough for the second.
    assert_eq!(log.0, [(40 * MS, "done", 42 * MS), (0, "expired", 70 * MS)]);
}

/// Jobs of mean 1 ms that arrive at this share of a core.
fn jobs(load: f64, seed: u64) -> Vec<(u64, f64)> {
    let mut stream = Seed { seed, replication: 0 }.stream("quota test", 0);
    let gaps = Law::Exponential(Span((MS as f64 / load) as u64));
    let demands = Law::LogNormal(Span(MS), 2.0).sampler();
    let mut at = 0;
    let one = |_| {
        at += gaps.draw(&mut stream).0.max(1);
        (at, demands.draw(&mut stream))
    };
    (0..2_000).map(one).collect()
}

/// The definition, one job at a time: remaining work of all, next event of all.
fn defined(threads: f64, quota: f64, patience: f64, jobs: &[(u64, f64)]) -> Log {
    const NEVER: f64 = f64::INFINITY;
    let (mut now, mut period, mut left) = (0.0, 0.0, quota);
    let (mut present, mut log) = (Vec::<(u64, f64)>::new(), Log::default());
    let mut coming = jobs.iter().copied().peekable();
    while coming.peek().is_some() || !present.is_empty() {
        let n = present.len() as f64;
        let rate = if left > 0.0 { (threads / n.max(1.0)).min(1.0) } else { 0.0 };
        let until = |work: f64, rate: f64| if rate > 0.0 { now + work / rate } else { NEVER };
        let done = present.iter().map(|(_, work)| until(*work, rate)).fold(NEVER, f64::min);
        let expiry = present.first().map_or(NEVER, |(at, _)| *at as f64 + patience);
        let arrival = coming.peek().map_or(NEVER, |(at, _)| *at as f64);
        let (used_up, whole) = (until(left, rate * n), (period + 1.0) * 100.0 * MS as f64);
        let next = done.min(expiry).min(arrival).min(used_up).min(whole);
        present.iter_mut().for_each(|(_, work)| *work -= (next - now) * rate);
        left = if next == used_up { 0.0 } else { left - (next - now) * rate * n };
        now = next;
        if done <= next {
            let least = (0..present.len()).min_by(|a, b| present[*a].1.total_cmp(&present[*b].1));
            log.0.push((present.remove(least.unwrap()).0, "done", now.round() as u64));
        } else if expiry <= next {
            log.0.push((present.remove(0).0, "expired", now.round() as u64));
        } else if whole <= next {
            (period, left) = (period + 1.0, quota);
        } else if arrival <= next {
            present.extend(coming.next());
        }
    }
    log
}

#[test]
fn the_server_agrees_with_the_definition_in_light_and_heavy_traffic() {
    for (threads, quota, patience, load, seed) in [
        (1.0, 50.0, u64::MAX, 0.3, 1),
        (2.0, 50.0, u64::MAX, 0.6, 2),
        (4.0, 110.0, u64::MAX, 0.9, 3),
        (8.0, 100.0, 150 * MS, 1.1, 4),
        (2.0, 25.0, 300 * MS, 0.5, 5),
    ] {
        let (jobs, limit) =
            (jobs(load, seed), if patience > END { f64::MAX } else { patience as f64 });
        let mut found = run(metered(threads, quota, patience), &jobs).0;
        let mut expected = defined(threads, quota * MS as f64, limit, &jobs).0;
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!((found.0, found.1), (expected.0, expected.1));
            // Each departure and each freeze is rounded to the nanosecond.
            assert!(found.2.abs_diff(expected.2) < 1_000, "{found:?} {expected:?}");
        }
    }
}

/// Runs jobs with these looks between them, and gives the work done at each.
fn looked_at(mut server: Metered, jobs: &[(u64, f64)], looks: &[u64]) -> (Log, Vec<f64>) {
    let (mut log, mut work) = (Log::default(), Vec::new());
    let mut looks = looks.iter().copied().peekable();
    for (at, demand) in jobs {
        while let Some(look) = looks.next_if(|look| look <= at) {
            server.advance(look, &mut log);
            work.push(server.busy_until(look));
        }
        take(&mut server, (*at, *at), *demand, &mut log);
    }
    for look in looks {
        server.advance(look, &mut log);
        work.push(server.busy_until(look));
    }
    server.advance(END, &mut log);
    work.push(server.busy_until(END));
    (log, work)
}

/// Threads, quota in milliseconds, phase and jobs: a crowd of them or few, short or long.
fn any_case() -> impl Strategy<Value = (f64, f64, f64, Vec<(u64, f64)>)> {
    let jobs = (1..120_u64, 1..90_u64).prop_flat_map(|(gap, size)| {
        let job = (0..gap * MS, 0.001..1.0_f64);
        prop::collection::vec(job, 1..120).prop_map(move |jobs| {
            let mut at = 0;
            let arrived = |(gap, share): (u64, f64)| {
                at += gap;
                (at, share * (size * MS) as f64)
            };
            jobs.into_iter().map(arrived).collect()
        })
    });
    (1..=8_u32, 0.01..1.0_f64, 0.0..1.0_f64, jobs).prop_map(|(threads, part, phase, jobs)| {
        (f64::from(threads), part * 100.0 * f64::from(threads), phase, jobs)
    })
}

proptest! {
    #[test]
    fn no_period_has_more_than_its_quota_and_all_work_is_done(
        (threads, quota, phase, jobs) in any_case(),
    ) {
        let server = metered(threads, quota, u64::MAX).at_phase(phase);
        let first = server.meter.as_ref().map_or(0, |meter| meter.ends);
        let boundaries: Vec<u64> = (0..2_000).map(|period| first + period * 100 * MS).collect();
        let (log, work) = looked_at(server, &jobs, &boundaries);
        prop_assert_eq!(log.0.len(), jobs.len());
        let rounding = 1e-3;
        prop_assert!(work[0] <= quota * MS as f64 + rounding);
        for pair in work[..boundaries.len()].windows(2) {
            prop_assert!(pair[1] - pair[0] <= quota * MS as f64 + rounding, "{pair:?}");
        }
        let demand: f64 = jobs.iter().map(|(_, demand)| demand).sum();
        let rounded = jobs.len() as f64 * threads;
        prop_assert!((work[boundaries.len()] - demand).abs() <= rounded, "{demand} of {work:?}");
    }

    #[test]
    fn looks_change_nothing(
        (threads, quota, phase, jobs) in any_case(),
        looks in prop::collection::vec(0..20_000 * MS, 0..200),
    ) {
        let server = metered(threads, quota, 700 * MS).at_phase(phase);
        let mut looks = looks;
        looks.sort_unstable();
        let (seen, work) = looked_at(server.clone(), &jobs, &looks);
        prop_assert!(work.is_sorted());
        prop_assert_eq!(run(server, &jobs), seen);
    }

    #[test]
    fn a_quota_of_all_cores_is_none((threads, _, phase, jobs) in any_case()) {
        let server = metered(threads, 100.0 * threads, u64::MAX).at_phase(phase);
        let plain = Metered::new(Server::new(threads, u64::MAX), None);
        prop_assert_eq!(run(server, &jobs), run(plain, &jobs));
    }

    #[test]
    fn slices_of_up_to_one_core_never_have_more_work_left_than_the_average(
        (threads, quota, phase, jobs) in any_case(),
    ) {
        // Until the quota is used up the server works as fast as any core; then it has done what
        // the average does in the whole period.
        let (share, quota) = (quota / 100.0 / threads, quota / threads);
        let slices = metered(threads, quota, u64::MAX).at_phase(phase);
        let average = Metered::new(Server::new(share, u64::MAX), None);
        let looks: Vec<u64> = (0..4_000).map(|look| look * 7 * MS).collect();
        let work = |server| looked_at(server, &jobs, &looks).1;
        let (sliced, averaged) = (work(slices), work(average));
        let rounded = jobs.len() as f64 * threads;
        for (sliced, averaged) in sliced.iter().zip(&averaged) {
            prop_assert!(sliced + rounded >= *averaged, "{sliced} {averaged}");
        }
    }
}
