use super::*;
use crate::random::{Seed, Stream};

fn at(seconds: f64) -> Instant {
    Instant::from_secs(seconds)
}

/// A made-up run: a hundred requests a second, of which each second answers a share in so long; the
/// trigger lasts from 100 s to 110 s, warm-up to 20 s.
struct Run {
    noise: Option<Stream>,
    rate: u64,
}

impl Run {
    fn exact() -> Self {
        Run { noise: None, rate: 100 }
    }

    fn noisy(replication: u64, rate: u64) -> Self {
        Run { noise: Some(Seed { seed: 3, replication }.stream("noise", 0)), rate }
    }

    /// Requests answered of so many, each with the same chance.
    fn answered(&mut self, sent: u64, share: f64) -> u64 {
        match &mut self.noise {
            Some(noise) => (0..sent).map(|_| u64::from(noise.unit() < share)).sum(),
            None => (sent as f64 * share).round() as u64,
        }
    }

    fn series(&mut self, seconds: u64, of: impl Fn(f64) -> (f64, f64)) -> TimeSeries {
        let mut series = TimeSeries::new(Span(SECOND));
        for second in 0..seconds {
            let (share, latency) = of(second as f64);
            let (sent, latency) = (self.rate, Span::from_secs(latency));
            let interval = series.at(at(second as f64));
            interval.sent = sent;
            interval.decide(latency);
            (0..self.answered(sent, share)).for_each(|_| interval.answer(latency));
        }
        series
    }

    fn judge(&mut self, seconds: u64, of: impl Fn(f64) -> (f64, f64)) -> RunRecovery {
        let series = self.series(seconds, of);
        let trigger = Some((at(100.0), Some(at(110.0))));
        judge(Some(&series), at(20.0), trigger, at(seconds as f64))
    }
}

fn recovered(stability: Stability) -> f64 {
    let Stability::Recovered { after } = stability else { panic!("{stability:?}") };
    after.as_secs()
}

#[test]
fn what_comes_back_is_recovered_from_the_first_good_window_on() {
    // Bad for 30 s after the trigger: a window with one bad second is not good yet.
    let calm = (0.999, 0.02);
    let of = |t: f64| if (100.0..140.0).contains(&t) { (0.2, 0.9) } else { calm };
    let recovery = Run::exact().judge(400, of);
    assert_eq!(recovered(recovery.stability), 30.0);
    assert_eq!(recovery.before.length, Span::from_secs(70.0));
    assert_eq!(recovery.last.length, Span::from_secs(58.0));
    // One that was never troubled beyond the trigger is back at once.
    let of = |t: f64| if (100.0..110.0).contains(&t) { (0.0, 0.9) } else { calm };
    assert_eq!(recovered(Run::exact().judge(400, of).stability), 0.0);
}

#[test]
fn less_than_half_at_the_end_is_stuck_and_what_lies_between_is_degraded() {
    let after = |share, latency| {
        let of = move |t: f64| if t < 100.0 { (1.0, 0.02) } else { (share, latency) };
        Run::exact().judge(300, of).stability
    };
    assert_eq!(after(0.49, 0.02), Stability::Stuck);
    assert_eq!(after(0.0, 0.02), Stability::Stuck);
    assert_eq!(after(0.51, 0.02), Stability::Degraded);
    assert_eq!(after(0.96, 0.02), Stability::Degraded);
    assert_eq!(recovered(after(0.99, 0.039)), 0.0);
    // All is answered, but late.
    assert_eq!(after(1.0, 0.041), Stability::Degraded);
}

#[test]
fn a_relapse_that_lasts_to_the_end_or_is_long_is_no_recovery() {
    let bad = |from: f64, to: f64| {
        let of = move |t: f64| if t >= from && t < to { (0.3, 0.02) } else { (1.0, 0.02) };
        Run::exact().judge(510, of).stability
    };
    // Of 390 windows one in twenty may be bad: 14 meet five bad seconds, and 69 meet sixty.
    assert_eq!(recovered(bad(100.0, 110.0)), 0.0);
    assert_eq!(recovered(bad(200.0, 205.0)), 0.0);
    assert_eq!(recovered(bad(200.0, 260.0)), 150.0);
    assert_eq!(bad(440.0, 510.0), Stability::Stuck);
    assert_eq!(bad(490.0, 510.0), Stability::Degraded);
}

#[test]
fn noise_neither_hides_a_recovery_nor_makes_one() {
    // 2 % fail for good. What is normal is known from 70 s: at 3/s from 210 requests, of which one
    // run in seventy sees none fail, and then takes 2 % for trouble.
    for (rate, least) in [(3, 97), (10, 99), (300, 100)] {
        let calm = |_: f64| (0.98, 0.02);
        let poor = |t: f64| if t < 100.0 { (0.98, 0.02) } else { (0.8, 0.02) };
        let judged = |replication: u64, of: &dyn Fn(f64) -> (f64, f64)| {
            Run::noisy(replication, rate).judge(600, of).stability
        };
        let soon = |replication: &u64| {
            let found = judged(*replication, &calm);
            matches!(found, Stability::Recovered { after } if after < Span::from_secs(15.0))
        };
        let recovered = (0..100).filter(soon).count();
        assert!(recovered >= least, "{rate}/s: {recovered}");
        let poor = (0..100).map(|replication| judged(replication, &poor));
        assert!(poor.into_iter().all(|found| found == Stability::Degraded), "{rate}/s");
    }
}

#[test]
fn a_run_that_shows_too_little_is_unclear() {
    let series = Run::exact().series(300, |_| (1.0, 0.5));
    let judged = |warm_up, from, to: Option<f64>, ended| {
        judge(Some(&series), at(warm_up), Some((at(from), to.map(at))), at(ended)).stability
    };
    let unclear = Stability::Unclear;
    assert_eq!(judged(20.0, 40.0, Some(50.0), 70.5), Stability::Recovered { after: Span::ZERO });
    assert_eq!(judged(20.0, 39.0, Some(50.0), 70.5), unclear(Unclear::NothingBefore));
    // Half a second at the end is left out: so long may a request take to its outcome.
    assert_eq!(judged(20.0, 40.0, Some(50.0), 70.0), unclear(Unclear::TooShort));
    assert_eq!(judged(20.0, 40.0, None, 300.0), unclear(Unclear::TriggerLasts));
    assert_eq!(judge(Some(&series), at(20.0), None, at(300.0)).stability, Stability::Untroubled);
}

#[test]
fn a_gateway_that_did_not_work_before_has_nothing_to_come_back_to() {
    let judged = |before: f64| Run::exact().judge(300, |_| (before, 0.02)).stability;
    assert_eq!(judged(0.89), Stability::Unclear(Unclear::AbnormalBefore));
    assert_eq!(judged(0.9), Stability::Recovered { after: Span::ZERO });
    // What a policy turned away was answered.
    let mut series = Run::exact().series(300, |_| (0.5, 0.02));
    (0..300).for_each(|second| series.at(at(f64::from(second))).rejected = 45);
    let trigger = Some((at(100.0), Some(at(110.0))));
    let found = judge(Some(&series), at(20.0), trigger, at(300.0)).stability;
    assert_eq!(found, Stability::Recovered { after: Span::ZERO });
}

#[test]
fn what_has_no_outcome_counts_as_not_answered_unless_it_is_too_young() {
    let mut series = Run::exact().series(300, |_| (1.0, 2.0));
    (298..300).for_each(|second| series.at(at(f64::from(second))).answered = 0);
    let judged = |series: &TimeSeries| {
        judge(Some(series), at(0.0), Some((at(100.0), Some(at(110.0)))), at(300.0)).stability
    };
    assert_eq!(judged(&series), Stability::Recovered { after: Span::ZERO });
    (220..298).for_each(|second| series.at(at(f64::from(second))).answered = 0);
    assert_eq!(judged(&series), Stability::Stuck);
}

#[test]
fn the_trigger_is_the_hull_of_faults_and_rise() {
    let incident = |from: f64, to: Option<f64>| Incident {
        fault: 0,
        subject: String::new(),
        at: at(from),
        serving_before: 2,
        serving_least: 2,
        taken: 0,
        missing: 0,
        missing_for: Span::ZERO,
        out_of_rotation: None,
        left_by: None,
        fewer: Span::ZERO,
        restored: to.map(at),
        normal: None,
        normal_before: true,
        service: None,
        answers: None,
        redundancy: None,
        p99_before: None,
        p99_during: None,
        ledger: Default::default(),
        rollout: None,
        failover: None,
        phases: Vec::new(),
    };
    let found = |increase: Option<(f64, f64)>, incidents: &[Incident]| {
        let increase = increase.map(|(from, to)| (at(from), at(to)));
        trigger(at(60.0), increase, (incidents, true), at(600.0))
    };
    assert_eq!(found(None, &[]), None);
    let two = [incident(100.0, Some(130.0)), incident(110.0, Some(120.0))];
    assert_eq!(found(None, &two), Some((at(100.0), Some(at(130.0)))));
    assert_eq!(found(Some((90.0, 125.0)), &two), Some((at(90.0), Some(at(130.0)))));
    assert_eq!(found(Some((90.0, 600.0)), &two), Some((at(90.0), None)));
    assert_eq!(found(None, &[incident(100.0, None)]), Some((at(100.0), None)));
    assert_eq!(trigger(at(60.0), None, (&two, false), at(600.0)), Some((at(100.0), None)));
    // In warm-up, and over by its end or not.
    assert_eq!(found(None, &[incident(10.0, Some(60.0))]), None);
    assert_eq!(found(None, &[incident(10.0, Some(61.0))]), Some((at(60.0), Some(at(61.0)))));
    assert_eq!(found(Some((600.0, 700.0)), &[]), None);
}
