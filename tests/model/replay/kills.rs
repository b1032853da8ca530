//! What a kill cost: the requests that failed, in the recorded runs and in the model.
//!
//! * In flight: what the model loses is, request by request, what was in flight in reality. HAProxy
//!   answered none of them (three where the backends were overloaded, none otherwise); Envoy tried
//!   its only one again, elsewhere.
//! * After it: HAProxy failed nothing, as it took the next backend when one refused, and nor does
//!   the model. Envoy failed ten of some seventy that the dead backend refused before it knew. It,
//!   too, tried another backend, but had no more than three such tries under way. The record bears
//!   that out: of the refusals that were tried again, all but one met fewer than three tries under
//!   way; of those that were not, six met three and four met two (which of two simultaneous
//!   requests it was that was tried again is not recorded). The ingress of the model has no such
//!   limit; its gateway has, towards upstreams. So there Envoy is the gateway and the backends are
//!   hosts.
//!
//! A count of ten is a matter of chance: in the model it scatters by 44 % from one kill to the
//! next. So ten must be among the middle 95 % of the model's counts, and the model's mean within
//! the 95 % interval that a count of ten leaves to the mean of a Poisson law, 4.8 to 18.4
//! (Garwood).

use brownout::observe::ledger::Failure;
use brownout::observe::{Observer, Sent};
use brownout::plan::Plan;
use brownout::units::Instant;

use super::REPETITIONS;
use super::recording::{Outage, Recording, Row, recordings};
use crate::common::witness;

/// Kills that the model repeats, each with the checks at other moments.
const KILLS: u64 = 400;

/// The means of Poisson laws that ten is not unlikely of: 97.5 % of the counts are at least ten at
/// the one, at most ten at the other.
const POISSON_OF_TEN: (f64, f64) = (4.795, 18.390);

/// When requests were sent that failed, by whether somebody had them.
#[derive(Clone, Debug, Default, PartialEq)]
struct Errors {
    lost: Vec<Instant>,
    refused: Vec<Instant>,
}

impl Observer for Errors {
    fn failed(&mut self, Sent { at: sent, .. }: Sent, _at: Instant, failure: Failure) {
        match failure {
            Failure::LostInFlight => self.lost.push(sent),
            _ => self.refused.push(sent),
        }
    }
}

impl Errors {
    /// The balancer had a request in flight if its connection broke, or if it got to a backend only
    /// after the kill, though it was sent before.
    fn real(recording: &Recording) -> Self {
        let killed = recording.outage.map_or(f64::INFINITY, |outage| outage.killed);
        let tried_again = |row: &Row| row.sent_secs() < killed && row.reached_secs() > Some(killed);
        let sent = |wanted: &dyn Fn(&Row) -> bool| {
            let rows = recording.rows.iter().filter(|row| wanted(row));
            rows.map(|row| Instant(row.sent_us * 1_000)).collect()
        };
        Errors {
            lost: sent(&|row| row.status == 0 || tried_again(row)),
            refused: sent(&|row| row.status == 503),
        }
    }

    fn model(plan: &Plan, repetition: u64) -> Self {
        let mut errors = Errors::default();
        witness::observe(plan, repetition, &mut errors);
        errors.lost.sort_unstable();
        errors
    }
}

fn recording(name: &str) -> Recording {
    let found = recordings().into_iter().find(|recording| recording.name == name);
    found.unwrap_or_else(|| panic!("no recording of {name}"))
}

#[test]
fn what_is_in_flight_at_a_kill_is_lost_and_a_refusal_costs_nothing() {
    let mut lost = 0;
    for recording in recordings() {
        let (real, plan) = (Errors::real(&recording), recording.free_plan());
        for repetition in 0..REPETITIONS {
            let model = Errors::model(&plan, repetition);
            assert_eq!(model.lost, real.lost, "{}: in flight", recording.name);
            assert_eq!(model.refused, [], "{}: refused", recording.name);
        }
        println!(
            "{:<28} {} in flight at the kill, as in the model",
            recording.name,
            real.lost.len()
        );
        lost += real.lost.len();
    }
    assert_eq!(lost, 4, "the recordings have something to lose");
}

#[test]
fn a_limit_of_retries_costs_what_it_cost_envoy() {
    let recording = recording("env_ps_exp_moderate_retry");
    let Outage { killed, .. } = recording.outage.expect("its backend is killed");
    let real = Errors::real(&recording).refused.len() as f64;
    assert_eq!(real, 10.0, "the errors that the record tells of");
    let plan = recording.limited_retries_plan(killed);
    let count = |repetition| {
        let errors = Errors::model(&plan, repetition);
        assert_eq!(errors.lost, [], "what the host had is tried again");
        errors.refused.len() as f64
    };
    let mut counts: Vec<f64> = (0..KILLS).map(count).collect();
    counts.sort_unstable_by(f64::total_cmp);
    let mean = counts.iter().sum::<f64>() / counts.len() as f64;
    let at = |share: f64| counts[(share * counts.len() as f64) as usize];
    let (low, high) = (at(0.025), at(0.975));
    println!("errors of a kill: real {real}, model {mean:.2}, 95 % of its kills {low} to {high}");
    assert!((low..=high).contains(&real), "{real} is not within {low} to {high}");
    let (least, most) = POISSON_OF_TEN;
    assert!((least..=most).contains(&mean), "{mean} is not within {least} to {most}");
}
