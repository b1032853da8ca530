use super::*;
use crate::units::{SECOND, Span};
use proptest::prelude::*;

const FRACTION: Share = Share(0.1);

fn leased(limits: &[u64], slots: usize) -> Leased {
    let quota = |limit: &u64| Quota { limit: *limit, window: Span::from_secs(60.0) };
    let quotas: Vec<Quota> = limits.iter().map(quota).collect();
    Leased::new(&quotas, WindowOrigin::FirstRequest, FRACTION, 200, slots)
}

fn decide(leased: &mut Leased, at: u64, slot: usize) -> (LimitDecision, bool) {
    let Answer { decision, asked } = leased.decide(Instant(at * SECOND), slot, 0, true);
    (decision, asked)
}

/// Requests of key 0 that are admitted one after the other at this second.
fn drain(leased: &mut Leased, at: u64, slot: usize) -> u64 {
    (0..).take_while(|_| decide(leased, at, slot).0 == LimitDecision::Admitted).count() as u64
}

#[test]
fn one_caller_drains_a_quota_in_a_known_number_of_leases() {
    for (quota, number) in [(10, 10), (100, 36), (1_000, 59), (10_000, 81)] {
        let mut leased = leased(&[quota], 1);
        let answers = (0..quota).map(|_| decide(&mut leased, 0, 0));
        let taken = answers.filter(|(decision, asked)| {
            assert_eq!(*decision, LimitDecision::Admitted);
            *asked
        });
        assert_eq!(taken.count(), number, "{quota}");
        assert_eq!(decide(&mut leased, 0, 0), (LimitDecision::Limited, true));
    }
}

#[test]
fn all_replicas_reset_together_when_the_window_ends() {
    let mut leased = leased(&[100], 2);
    assert_eq!(decide(&mut leased, 5, 0), (LimitDecision::Admitted, true));
    assert_eq!(decide(&mut leased, 40, 1), (LimitDecision::Admitted, true));
    assert_eq!(drain(&mut leased, 64, 0) + drain(&mut leased, 64, 1), 98);
    // The window of both ends at 65, and the quota is whole again.
    let late = [decide(&mut leased, 64, 1), decide(&mut leased, 65, 1)];
    assert_eq!(
        late.map(|(decision, _)| decision),
        [LimitDecision::Limited, LimitDecision::Admitted]
    );
    assert_eq!(drain(&mut leased, 124, 1) + drain(&mut leased, 124, 0), 99);
    assert_eq!(drain(&mut leased, 125, 0), 100);
}

#[test]
fn a_lost_replica_takes_its_unspent_lease_along_until_the_window_ends() {
    let mut leased = leased(&[100], 2);
    assert_eq!(decide(&mut leased, 0, 0), (LimitDecision::Admitted, true));
    leased.lost(0);
    assert_eq!(drain(&mut leased, 1, 1) + drain(&mut leased, 1, 0), 90);
    assert_eq!(drain(&mut leased, 60, 0), 100);
    leased.all_lost();
    assert_eq!(drain(&mut leased, 60, 1), 100, "nobody remembers");
}

#[test]
fn a_lease_lasts_without_storage_and_then_nobody_knows() {
    let mut leased = leased(&[100], 1);
    assert_eq!(decide(&mut leased, 0, 0), (LimitDecision::Admitted, true));
    let away = |leased: &mut Leased, at| leased.decide(Instant(at * SECOND), 0, 0, false);
    let admitted = (0..9).all(|_| {
        away(&mut leased, 59) == Answer { decision: LimitDecision::Admitted, asked: false }
    });
    assert!(admitted);
    let unknown = Answer { decision: LimitDecision::Unknown, asked: true };
    assert_eq!(away(&mut leased, 59), unknown);
    // Back in reach there is a new lease, which does not outlast its window.
    assert_eq!(decide(&mut leased, 59, 0), (LimitDecision::Admitted, true));
    assert_eq!(away(&mut leased, 60), unknown);
}

#[test]
fn all_quotas_must_have_room_and_a_refusal_spends_nothing() {
    let mut leased = leased(&[50, 20], 2);
    assert_eq!(drain(&mut leased, 0, 0), 20);
    let unspent = leased.leases[0].row(0).to_vec();
    assert_eq!(decide(&mut leased, 1, 0), (LimitDecision::Limited, true));
    assert_eq!(leased.leases[0].row(0), unspent);
    assert_eq!(unspent[1].unspent(Instant(SECOND)), 0);
}

#[test]
fn other_fractions_take_other_parts() {
    let quota = Quota { limit: 10, window: Span::from_secs(60.0) };
    for (fraction, number) in [(0.3, 7), (1.0, 1), (0.0, 10)] {
        let mut leased = Leased::new(&[quota], WindowOrigin::Clock, Share(fraction), 1, 1);
        let asked = (0..10).filter(|_| decide(&mut leased, 0, 0).1).count();
        assert_eq!(asked, number, "{fraction}");
    }
}

/// What happens next: at how much later, in which slot, for which key, and what.
type Step = (u64, usize, u32, u8);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((0..1_500_u64, 0..3_usize, 0..2_u32, 0..12_u8), 0..400)
}

/// Admitted requests in each window of each key, and the unspent leases that losses took from it.
#[derive(Default)]
struct Kept {
    ends: Instant,
    admitted: u64,
    lost: u64,
}

proptest! {
    #[test]
    fn no_window_has_more_than_its_quota_and_lacks_only_what_was_lost(
        limit in 1..60_u64,
        steps in steps(),
    ) {
        let mut leased = leased(&[limit], 3);
        let mut kept = [Kept::default(), Kept::default()];
        let mut now = Instant::ZERO;
        for (later, slot, key, what) in steps {
            now += Span(later * SECOND / 1_000);
            if what == 0 {
                for key in 0..2 {
                    let lost = leased.leases[slot].row(key)[0].unspent(now);
                    kept[key as usize].lost += lost;
                }
                leased.lost(slot);
                continue;
            }
            let Answer { decision, .. } = leased.decide(now, slot, key, what > 1);
            let window = *leased.buckets.row(key).first().unwrap();
            let kept = &mut kept[key as usize];
            if window.ends > kept.ends {
                *kept = Kept { ends: window.ends, ..Kept::default() };
            }
            kept.admitted += u64::from(decision == LimitDecision::Admitted);
            prop_assert!(kept.admitted <= limit, "over-admitted");
            prop_assert!(window.used <= limit, "gave out too much");
            let others = (0..3).map(|slot| leased.leases[slot].row(key)[0].unspent(now));
            let unspent: u64 = others.sum();
            if now < window.ends {
                prop_assert_eq!(kept.admitted + kept.lost + unspent, window.used, "leaked");
            }
            if decision == LimitDecision::Limited {
                prop_assert_eq!(window.used, limit, "refused with requests left");
            }
        }
    }
}
