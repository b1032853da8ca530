//! What a capacity plan starts from.

use brownout::experiment::store::NoStore;
use brownout::experiment::{Progress, Runner};
use brownout::study::capacity::find::find;
use brownout::study::capacity::finding::SearchEffort;
use brownout::study::capacity::probe::probe;
use brownout::study::capacity::search::Capacity;
use brownout::study::mode::{Mode, Trial};
use brownout::units::Span;
use brownout::verdict::Overall;

use super::Ran;

fn effort(judged: f64, replications: usize) -> SearchEffort {
    let trial = Trial { judged: Span::from_secs(judged), peak_ratio: 2.0 };
    SearchEffort { trial, replications, tolerance: 0.01, demand: None }
}

#[test]
fn capacity_is_three_times_the_demand_while_nothing_fails_and_a_loss_costs_what_the_comment_says() {
    let ran = Ran::of("capacity");
    assert_eq!(ran.report().overall(), Overall::Met);
    let progress = Progress::default();
    let runner = Runner::new(None, &progress, &NoStore).unwrap();
    let found = find(&runner, &ran.scenario, Mode::Healthy, effort(60.0, 4), 1_200.0);
    let Capacity::Between { low, high, .. } = found.capacity else { panic!("{found:?}") };
    // The autoscaler may have three, which are full at 2 145/s, and p99 is 250 ms close to it.
    assert!(low > 1_900.0 && high < 2_200.0, "{low} to {high}");
    let failed = |mode| {
        let probe = probe(&runner, &ran.scenario, mode, effort(600.0, 4), 600.0).unwrap();
        assert!(probe.excess.most < 0.0, "{mode:?}: {probe:?}");
        600.0 * probe.unserved[0].failed
    };
    // A half of 0.5 to 3 s, and a third to a half of 40 to 57 s, until the loss is noticed.
    let (crash, zone) = (failed(Mode::ReplicaLoss), failed(Mode::ZoneLoss));
    assert!((0.25..=1.5).contains(&crash), "{crash} s of requests");
    assert!((13.0..=28.5).contains(&zone), "{zone} s of requests");
}
