//! The model against real load balancers: who is chosen, and how long requests take.
//!
//! Recorded runs of HAProxy and Envoy in front of three backends that share their processor among
//! their requests; one backend is killed and started again in most. The model is given the same
//! requests at the same times with the same demands, and what the way and the backends' timers add
//! to each request, neither of which depends on the load.
//!
//! * Recorded choice: each answered request goes to the backend that took it, at the time it got
//!   there. What remains is the replica itself: its mean must agree within 0.5 %.
//! * Own choice: the model chooses in turn over the backends that it believes alive. It finds out
//!   about the kill and the start as the real balancer did, by checks every 500 ms of which two in
//!   a row agree, and goes to the next backend when one refuses. Each parameter is from the record
//!   of the experiment; when the checks fell is not in it, so a recording is repeated with them at
//!   other moments, and all repetitions are taken together. Mean and 99th percentile agree within
//!   3 % before the outage and long after it, within 5 % during it and the recovery, and within
//!   10 % there if the survivors are overloaded. Then a backlog decides, and it depends on which of
//!   two survivors got the long requests: HAProxy puts a backend that returns at another place of
//!   its cycle than the model.
//! * Errors of the kill: `kills.rs`.
//!
//! Left out: the runs with backends that queue (the product does not), and the run with backends
//! that burn a processor shared with everything else on its machine.

mod choices;
mod kills;
mod recording;

use brownout::observe::{Observer, Served, latency};
use brownout::plan::Plan;
use brownout::units::Span;

use self::recording::{Phase, Row, at_backend, recordings};

/// How often the model repeats a recording: its balancer's checks fall at other moments each time.
const REPETITIONS: u64 = 40;

/// Sending time and latency of every answered request, in seconds and milliseconds.
struct Answers {
    hop: Span,
    taken: Vec<(f64, f64)>,
}

impl Observer for Answers {
    fn served(&mut self, request: &Served) {
        let latency = latency(request, self.hop).as_millis();
        self.taken.push((request.sent.as_secs(), latency));
    }
}

impl Answers {
    fn real(taken: impl Iterator<Item = (f64, f64)>) -> Self {
        Answers { hop: Span::ZERO, taken: taken.collect() }
    }

    /// Those of so many repetitions together.
    fn model(plan: &Plan, repetitions: u64) -> Self {
        let mut answers = Answers { hop: plan.ingress.hop, taken: Vec::new() };
        for replication in 0..repetitions {
            crate::common::witness::observe(plan, replication, &mut answers);
        }
        answers
    }

    fn within(&self, phase: &Phase) -> Vec<f64> {
        let sent_then = self.taken.iter().filter(|(sent, _)| phase.has(*sent));
        let mut taken: Vec<f64> = sent_then.map(|(_, taken)| *taken).collect();
        taken.sort_unstable_by(f64::total_cmp);
        taken
    }
}

fn mean(sorted: &[f64]) -> f64 {
    sorted.iter().sum::<f64>() / sorted.len() as f64
}

fn p99(sorted: &[f64]) -> f64 {
    sorted[(0.99 * sorted.len() as f64) as usize]
}

/// Compares a figure of a phase, prints it, and gives a complaint if the gate is not met.
fn compare(what: &str, real: f64, model: f64, gate: f64) -> Option<String> {
    let error = model / real - 1.0;
    let line = format!(
        "{what:<48} real {real:>10.3} ms  model {model:>10.3} ms  error {:>+7.2} %  gate {:.1} %",
        100.0 * error,
        100.0 * gate
    );
    println!("{line}");
    // A value that is no number is a complaint, too.
    if error.abs() <= gate { None } else { Some(line) }
}

#[test]
fn with_the_recorded_choice_each_replica_takes_as_long_as_the_real_one() {
    let mut complaints = Vec::new();
    for recording in recordings() {
        let real = Answers::real(recording.rows.iter().filter_map(at_backend));
        let model = Answers::model(&recording.pinned_plan(), 1);
        assert_eq!(model.taken.len(), real.taken.len(), "{}: answered", recording.name);
        for phase in recording.phases() {
            let what = format!("{}, {}, mean", recording.name, phase.label);
            let (real, model) = (real.within(&phase), model.within(&phase));
            complaints.extend(compare(&what, mean(&real), mean(&model), 0.005));
        }
    }
    assert!(complaints.is_empty(), "outside the gate:\n{}", complaints.join("\n"));
}

#[test]
fn with_its_own_choice_the_model_follows_the_real_balancer_through_the_outage() {
    let mut complaints = Vec::new();
    for recording in recordings() {
        let answered = |row: &&Row| row.backend.is_some();
        let as_client = |row: &Row| (row.sent_secs(), row.latency_us / 1_000.0);
        let real = Answers::real(recording.rows.iter().filter(answered).map(as_client));
        let model = Answers::model(&recording.free_plan(), REPETITIONS);
        for phase in recording.phases() {
            let what = |figure| format!("{}, {}, {figure}", recording.name, phase.label);
            let (real, model) = (real.within(&phase), model.within(&phase));
            let gate = recording.gate(&phase);
            complaints.extend(compare(&what("mean"), mean(&real), mean(&model), gate));
            complaints.extend(compare(&what("p99"), p99(&real), p99(&model), gate));
        }
    }
    assert!(complaints.is_empty(), "outside the gate:\n{}", complaints.join("\n"));
}
