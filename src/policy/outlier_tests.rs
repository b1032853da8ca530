use super::*;
use Response::{Error, Fine, GatewayFailure};

const NOBODY: [usize; 0] = [];
use proptest::prelude::*;

fn secs(seconds: u64) -> Instant {
    Instant::from_secs(seconds as f64)
}

/// Envoy's values, without the success rate.
fn rows() -> OutlierSpec {
    OutlierSpec { success_rate: None, always_eject_one: true, ..OutlierSpec::default() }
}

/// Notes the same response so many times; whether it ejected.
fn notes(outliers: &mut Outliers, at: u64, host: usize, number: usize, response: Response) -> bool {
    (0..number).filter(|_| outliers.note(secs(at), host, response)).count() > 0
}

/// Who is out.
fn out(outliers: &Outliers) -> Vec<usize> {
    (0..outliers.hosts.len()).filter(|host| outliers.is_ejected(*host)).collect()
}

/// Sweeps every 10 s after the first second up to the second one.
fn sweeps(outliers: &mut Outliers, from: u64, to: u64) {
    (from / 10 + 1..=to / 10).for_each(|tick| outliers.sweep(secs(tick * 10)));
}

#[test]
fn five_errors_in_a_row_eject_and_one_good_answer_breaks_the_row() {
    let mut outliers = Outliers::new(rows(), 4);
    assert!(!notes(&mut outliers, 1, 2, 4, Error));
    assert!(!notes(&mut outliers, 1, 2, 1, Fine));
    assert!(
        !notes(&mut outliers, 1, 2, 2, Error) && !notes(&mut outliers, 1, 2, 2, GatewayFailure)
    );
    assert!(!notes(&mut outliers, 1, 1, 4, Error), "each host has its own row");
    assert!(outliers.note(secs(1), 2, Error));
    assert_eq!((out(&outliers), outliers.ejected()), (vec![2], 1));
}

#[test]
fn an_ejection_lasts_base_times_the_number_and_the_number_falls_while_all_is_well() {
    let mut outliers = Outliers::new(rows(), 4);
    assert!(notes(&mut outliers, 5, 0, 5, Error));
    sweeps(&mut outliers, 5, 30);
    assert!(outliers.is_ejected(0), "25 s are not 30 s");
    sweeps(&mut outliers, 30, 40);
    assert_eq!((out(&outliers), outliers.hosts[0].times), (NOBODY.to_vec(), 1));
    // Again at once: 60 s, seen at the sweep of 110.
    assert!(notes(&mut outliers, 41, 0, 5, Error));
    sweeps(&mut outliers, 41, 100);
    assert!(outliers.is_ejected(0));
    sweeps(&mut outliers, 100, 110);
    assert!(!outliers.is_ejected(0));
    // One sweep without: the number is 1 again, so the third time lasts 60 s too.
    sweeps(&mut outliers, 110, 120);
    assert!(notes(&mut outliers, 121, 0, 5, Error));
    sweeps(&mut outliers, 121, 180);
    assert!(outliers.is_ejected(0));
    sweeps(&mut outliers, 180, 190);
    assert!(!outliers.is_ejected(0));
    // After two sweeps all is forgotten, and more sweeps do no harm.
    sweeps(&mut outliers, 190, 230);
    assert_eq!(outliers.hosts[0].times, 0);
}

#[test]
fn no_ejection_is_longer_than_the_longest() {
    let mut outliers = Outliers::new(rows(), 2);
    let mut now = 0;
    let lengths = [(); 14].map(|()| {
        assert!(notes(&mut outliers, now, 0, 5, Error));
        let since = now;
        while outliers.is_ejected(0) {
            now += 10;
            outliers.sweep(secs(now));
        }
        now - since
    });
    let expected: Vec<u64> = (1..=14).map(|number| (30 * number).min(300)).collect();
    assert_eq!(lengths.to_vec(), expected);
    // The multiplier stays at what is needed: 11 · 30 s are just above 300 s.
    assert_eq!(outliers.hosts[0].times, 11);
    let long = OutlierSpec { base_ejection: Span::from_secs(400.0), ..rows() };
    let mut outliers = Outliers::new(long, 2);
    assert!(notes(&mut outliers, 0, 0, 5, Error));
    sweeps(&mut outliers, 0, 390);
    assert!(outliers.is_ejected(0));
    sweeps(&mut outliers, 390, 400);
    assert!(!outliers.is_ejected(0));
}

#[test]
fn a_tenth_of_the_hosts_may_be_out_but_one_in_any_case() {
    let fail_all = |spec: OutlierSpec, hosts: usize| {
        let mut outliers = Outliers::new(spec, hosts);
        for host in 0..hosts {
            notes(&mut outliers, 0, host, 5, Error);
        }
        outliers.ejected()
    };
    assert_eq!([1, 3, 10, 19, 20, 30].map(|hosts| fail_all(rows(), hosts)), [1, 1, 1, 1, 2, 3]);
    let strict = OutlierSpec { always_eject_one: false, ..rows() };
    assert_eq!([1, 3, 9, 10, 20].map(|hosts| fail_all(strict, hosts)), [0, 0, 0, 1, 2]);
    let any = OutlierSpec { max_ejected: Share::ONE, ..rows() };
    assert_eq!(fail_all(any, 3), 3);
    // Who is kept for want of room needs another five.
    let mut outliers = Outliers::new(rows(), 4);
    assert!(notes(&mut outliers, 0, 0, 5, Error) && !notes(&mut outliers, 0, 1, 5, Error));
    sweeps(&mut outliers, 0, 30);
    assert!(!notes(&mut outliers, 31, 1, 4, Error) && notes(&mut outliers, 31, 1, 1, Error));
}

#[test]
fn late_answers_of_an_ejected_host_change_nothing_when_it_is_back() {
    let mut outliers = Outliers::new(rows(), 4);
    assert!(notes(&mut outliers, 0, 0, 5, Error));
    assert!(!notes(&mut outliers, 1, 0, 9, Error));
    sweeps(&mut outliers, 0, 30);
    assert_eq!((outliers.is_ejected(0), outliers.ejected()), (false, 0));
    assert!(!notes(&mut outliers, 31, 0, 4, Error) && notes(&mut outliers, 31, 0, 1, Error));
}

#[test]
fn gateway_failures_have_a_row_of_their_own() {
    let spec = OutlierSpec { consecutive_gateway: Some(3), ..rows() };
    let mut outliers = Outliers::new(spec, 4);
    assert!(
        !notes(&mut outliers, 0, 0, 2, GatewayFailure) && !notes(&mut outliers, 0, 0, 1, Error)
    );
    assert!(!notes(&mut outliers, 0, 1, 2, GatewayFailure));
    assert!(notes(&mut outliers, 0, 1, 1, GatewayFailure));
    let neither = OutlierSpec { consecutive_5xx: None, ..rows() };
    assert!(!notes(&mut Outliers::new(neither, 4), 0, 0, 99, GatewayFailure));
}

/// Hosts with this many good ones of 100 answers each, never two bad ones in a row of five.
fn rated(spec: OutlierSpec, fine: &[u64], requests: u64) -> Outliers {
    let spec = OutlierSpec { consecutive_5xx: None, max_ejected: Share::ONE, ..spec };
    let mut outliers = Outliers::new(spec, fine.len());
    for (host, fine) in fine.iter().enumerate() {
        let response = |number| if number < *fine { Fine } else { Error };
        for number in 0..requests {
            outliers.note(secs(1), host, response(number));
        }
    }
    outliers.sweep(secs(10));
    outliers
}

#[test]
fn a_success_rate_far_below_the_others_ejects() {
    let default = OutlierSpec { always_eject_one: true, ..OutlierSpec::default() };
    // Mean 90, standard deviation 20, hence 52 is the least: 50 is below.
    assert_eq!(out(&rated(default, &[100, 50, 100, 100, 100], 100)), [1]);
    // Two of them: mean 80, deviation 24.5, least 33.5.
    assert_eq!(out(&rated(default, &[100, 50, 100, 50, 100], 100)), NOBODY);
    // A factor of 2 takes the least to 50, which is not below.
    let twice = SuccessRate { hosts: 5, requests: 100, factor: 2.0 };
    let spec = OutlierSpec { success_rate: Some(twice), ..default };
    assert_eq!(out(&rated(spec, &[100, 50, 100, 100, 100], 100)), NOBODY);
    // It is a share: half of five hundred is as bad as half of a hundred.
    let mut outliers = rated(OutlierSpec { success_rate: None, ..default }, &[100; 5], 100);
    outliers.spec.success_rate = default.success_rate;
    (0..4).for_each(|host| _ = notes(&mut outliers, 11, host, 100, Fine));
    (0..250).for_each(|_| {
        notes(&mut outliers, 11, 4, 1, Fine);
        notes(&mut outliers, 11, 4, 1, Error);
    });
    outliers.sweep(secs(20));
    assert_eq!(out(&outliers), [4]);
    assert_eq!(out(&rated(default, &[99; 5], 100)), NOBODY, "all alike");
    assert_eq!(out(&rated(default, &[0; 5], 100)), NOBODY, "all alike");
}

#[test]
fn success_rates_need_enough_hosts_and_requests_of_one_interval() {
    let default = OutlierSpec { always_eject_one: true, ..OutlierSpec::default() };
    // Mean 75, deviation 43.3: with a factor of one 0 stands out of four, if four are enough.
    let among = |hosts| {
        let rule = SuccessRate { hosts, requests: 100, factor: 1.0 };
        let spec = OutlierSpec { success_rate: Some(rule), ..default };
        out(&rated(spec, &[100, 0, 100, 100], 100))
    };
    assert_eq!((among(4), among(5)), (vec![1], NOBODY.to_vec()));
    assert_eq!(out(&rated(default, &[99, 0, 99, 99, 99], 99)), NOBODY, "99 requests");
    // The next interval counts anew.
    let mut outliers = rated(default, &[100; 5], 100);
    assert!(!notes(&mut outliers, 11, 0, 99, Error));
    outliers.sweep(secs(20));
    assert_eq!(out(&outliers), NOBODY);
    // An ejected host is not compared, so that the others are too few.
    let mut outliers = rated(default, &[100, 0, 100, 100, 100], 100);
    assert_eq!(out(&outliers), [1]);
    (0..5).for_each(|host| {
        let (number, response) = if host == 2 { (100, Error) } else { (100, Fine) };
        notes(&mut outliers, 11, host, number, response);
    });
    outliers.sweep(secs(20));
    assert_eq!(out(&outliers), [1]);
}

#[test]
fn requests_go_round_over_those_in_use_and_over_all_in_a_panic() {
    let spec = OutlierSpec { max_ejected: Share::ONE, ..rows() };
    let mut outliers = Outliers::new(spec, 4);
    let round = |outliers: &mut Outliers| [(); 5].map(|()| outliers.pick().unwrap());
    assert_eq!(round(&mut outliers), [0, 1, 2, 3, 0]);
    notes(&mut outliers, 0, 1, 5, Error);
    assert_eq!(round(&mut outliers), [2, 3, 0, 2, 3]);
    notes(&mut outliers, 0, 2, 5, Error);
    assert!(!outliers.is_panicking(), "half of them are not fewer than half");
    assert_eq!(round(&mut outliers), [0, 3, 0, 3, 0]);
    notes(&mut outliers, 0, 3, 5, Error);
    assert!(outliers.is_panicking());
    assert_eq!(round(&mut outliers), [1, 2, 3, 0, 1]);
}

#[test]
fn without_a_panic_threshold_nobody_may_be_left() {
    let spec = OutlierSpec { max_ejected: Share::ONE, panic: Share::ZERO, ..rows() };
    let mut outliers = Outliers::new(spec, 2);
    notes(&mut outliers, 0, 0, 5, Error);
    assert_eq!([outliers.pick(), outliers.pick()], [Some(1), Some(1)]);
    notes(&mut outliers, 0, 1, 5, Error);
    assert_eq!((outliers.is_panicking(), outliers.pick()), (false, None));
    assert_eq!(Outliers::new(rows(), 0).pick(), None);
}

proptest! {
    #[test]
    fn the_number_out_is_bounded_and_everybody_comes_back(
        hosts in 1..25_usize,
        steps in prop::collection::vec((0..25_usize, 0..4_u8), 0..600),
    ) {
        let mut outliers = Outliers::new(OutlierSpec::default(), hosts);
        let mut now = 0;
        for (host, what) in steps {
            now += 1;
            let response = if what == 0 { Fine } else { GatewayFailure };
            outliers.note(secs(now), host % hosts, response);
            if now % 10 == 0 {
                outliers.sweep(secs(now));
            }
            prop_assert_eq!(out(&outliers).len(), outliers.ejected());
            prop_assert!(outliers.ejected() <= (hosts / 10).max(1));
            let picked = outliers.pick().unwrap();
            prop_assert!(outliers.is_panicking() || !outliers.is_ejected(picked));
        }
        sweeps(&mut outliers, now, now + 310);
        prop_assert_eq!(outliers.ejected(), 0);
    }
}

#[test]
fn hosts_that_come_and_go_count_only_while_they_are_there() {
    let spec = OutlierSpec {
        max_ejected: Share(0.5),
        consecutive_5xx: Some(1),
        success_rate: None,
        ..OutlierSpec::default()
    };
    let now = Instant::from_secs(1.0);
    let mut outliers = Outliers::new(spec, 0);
    assert!(!outliers.is_panicking());
    (0..2).for_each(|place| outliers.join(place));
    assert!(outliers.note(now, 0, Response::Error), "one of two is half");
    assert!(!outliers.note(now, 1, Response::Error), "two of two is more");
    outliers.leave(0);
    assert_eq!(outliers.ejected(), 0);
    assert!(!outliers.note(now, 0, Response::Error), "nobody is there");
    outliers.join(2);
    assert!(outliers.note(now, 2, Response::Error), "one of two again");
    outliers.join(0);
    assert!(!outliers.is_ejected(0) && outliers.is_ejected(2), "a new one is in use");
}
