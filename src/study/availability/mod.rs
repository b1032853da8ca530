//! The availability of months and years: what faults that strike at random cost in the long run.
//!
//! ```text
//! healthy time        strike ─── its window ───┐      strike ── window ─┐
//! ────────────────────┤  simulated by itself   ├──────┤   strike ── window ──┤────────
//!                     └────────────────────────┘      └─ one cluster, simulated ─┘
//! ```
//!
//! Simulating a year request by request takes an hour; nearly all of it is healthy. Where faults
//! strike independently of what happens (a Poisson process each) time falls into healthy stretches
//! and clusters of strikes: a strike opens a window, which is as long as it lasts and as the
//! gateway takes to forget it; a strike within the window of another one belongs to the same
//! cluster. How often each kind of cluster comes follows from the rates alone, so clusters are
//! drawn by kind (strata), each is simulated exactly by itself with a healthy gateway before it,
//! and its figures are weighted by how often such clusters come. Healthy time is simulated in
//! pieces over the period of the traffic.
//!
//! With strikes at rates λₖ and windows with means wₖ no window is open for the share
//! exp(−Σ λₖ wₖ) of the time (the empty state of M/G/∞), so clusters begin at the rate Λ of all
//! strikes times that share, with kind k with probability λₖ/Λ, and stay alone with probability
//! exp(−Λ w).
//!
//! Assumptions: strikes are independent of load, of each other unless they follow one, and of the
//! time of day; every cluster meets a gateway as it is at the start, so replicas that were placed
//! anew after an earlier one are back where they were; a fault whose law has a memory strikes as a
//! Poisson process of the same rate. What happens by itself (probes that kill, collapse by retries)
//! is found within the pieces, and cannot be seen where it comes so seldom that no piece has it.
//! Whether windows are long enough is measured: pieces that were not back to normal at their end
//! are told.
//!
//! Start at `run` in this file; `recurring.rs` has faults and strikes, `strata.rs` the clusters,
//! `quiet.rs` what of long outages need not be simulated, `piece.rs` the plan of a cluster,
//! `sample.rs` what a piece came to, `estimate.rs` the long run, `months.rs` its scatter,
//! `chances.rs` the chances of a month.

pub mod chances;
pub mod estimate;
pub mod months;
pub mod piece;
pub mod quiet;
pub mod recurring;
pub mod sample;
pub mod strata;

use crate::experiment::{Retention, Runner};
use crate::observe::outcome::Outcome;
use crate::plan::{Plan, Traffic};
use crate::random::{Seed, Stream, mix};
use crate::units::Span;
use piece::struck_plan;
use quiet::{QuietPart, Shortened, shortened};
use recurring::{RecurringFault, Strike, recurring};
use sample::PieceFigures;
use strata::{DrawnCluster, Stratum, StratumKind, strata};

/// Length of a healthy piece, in seconds: some of what it takes to become healthy.
const HEALTHY: f64 = 300.0;
/// The least time before a piece, in seconds: the minute in which it begins.
const LEAST_LEAD: f64 = 60.0;
/// The same where an autoscaler has to forget: the window over which Kubernetes holds back what
/// would remove replicas, and a minute.
const SCALED_LEAD: f64 = 360.0;
/// Of strikes of a kind by themselves, the share of failed requests in a part that stands for more
/// from which on, and how many times the healthy mean latency from which on, nothing is left out.
const QUIET_FAILING: f64 = 0.001;
const QUIET_LATENCY: f64 = 3.0;
/// Pieces of a stratum that are made first: of strikes that stay alone, and of those with others,
/// which come so seldom that half of all work would be theirs.
const PILOT: usize = 6;
const PILOT_TOGETHER: usize = 3;
/// The longest time to settle that is tried.
const LONGEST_SETTLING: Span = Span(7_200 * crate::units::SECOND);
/// With more strikes in its window than these, a cluster would hardly ever end.
const STRIKES_MOST: f64 = 3.0;
/// The least, in seconds: how long a fault takes to be forgotten may hang on how long it lasts, of
/// which few values are tried.
const LEAST_SETTLING: f64 = 180.0;
/// Share of the work that healthy time gets.
const HEALTHY_SHARE: f64 = 0.2;

/// The pieces that were simulated.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AvailabilityStudy {
    /// The faults that strike.
    pub kinds: Vec<RecurringFault>,
    /// The clusters by kind, with their pieces.
    pub strata: Vec<Stratum>,
    /// Healthy pieces.
    pub healthy: Vec<PieceFigures>,
    /// Whether it was stopped.
    pub interrupted: bool,
}

/// Simulates pieces of the long run of a plan, with about so many requests.
///
/// # Panics
/// As [`crate::experiment::replicate`].
pub fn run(runner: &Runner<'_>, plan: &Plan, requests: f64) -> AvailabilityStudy {
    let lab = Lab { runner, plan };
    let healthy = lab.healthy(0..PILOT);
    let mut study = AvailabilityStudy { healthy, ..AvailabilityStudy::default() };
    let ready = study.healthy.iter().map(|piece| piece.ready).max().unwrap_or(1).max(1);
    let per_piece = mean(study.healthy.iter().map(|piece| piece.simulated)).max(1.0);
    let pieces = (HEALTHY_SHARE * requests / per_piece).clamp(PILOT as f64, 2_000.0) as usize;
    study.kinds = recurring(plan, ready);
    let mut spent = 0.0;
    if !lab.is_over() {
        study.healthy.extend(lab.healthy(PILOT..pieces));
        spent = lab.settle(&mut study.kinds, latency(&study.healthy));
    }
    study.strata = strata(&study.kinds);
    if !lab.is_over() {
        lab.fill(&mut study, (1.0 - HEALTHY_SHARE) * requests - spent);
    }
    study.interrupted = runner.is_cancelled();
    study
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_u64), |(sum, count), value| (sum + value, count + 1));
    if count > 0 { sum / count as f64 } else { 0.0 }
}

/// The mean latency of what was served, in seconds.
fn latency(pieces: &[PieceFigures]) -> f64 {
    let sum: f64 = pieces.iter().map(|piece| piece.latency.sum() as f64 * 1e-9).sum();
    sum / pieces.iter().map(|piece| piece.latency.count()).sum::<u64>().max(1) as f64
}

/// Where pieces are simulated.
struct Lab<'r> {
    runner: &'r Runner<'r>,
    plan: &'r Plan,
}

/// A piece to be simulated.
struct PlannedPiece {
    plan: Plan,
    /// Where in the traffic it begins.
    from: Span,
    /// Its strikes as they were drawn.
    strikes: Vec<Strike>,
    /// What stands for more in it.
    parts: Vec<QuietPart>,
    /// How often its kind of cluster comes in a second, given how long its first strike lasts.
    odds: f64,
    /// The number of its stratum, and its own there.
    place: (u64, usize),
}

impl Lab<'_> {
    /// Time before a piece in which the gateway comes to its steady state.
    fn lead(&self) -> Span {
        let least = if self.plan.may_scale() { SCALED_LEAD } else { LEAST_LEAD };
        Span::from_secs(self.plan.run.warm_up.as_secs().max(least).ceil())
    }

    /// How long the traffic is until it repeats, or ends.
    fn period(&self) -> f64 {
        match &self.plan.traffic {
            Traffic::Process(process) => process.period.map(Span::as_secs),
            Traffic::Replay(recording) => Some(recording.round().as_secs()),
        }
        .unwrap_or(self.plan.run.horizon.as_secs())
    }

    /// Where in the traffic the piece of an index begins: the minutes of the period and the
    /// seconds of the minute are each spread evenly, whatever the number of pieces (with one
    /// sequence for both, neighbours would lie near to each other within the minute).
    fn from(&self, stratum: u64, index: usize) -> Span {
        const GOLDEN: f64 = 0.618_033_988_749_894_8;
        let mut stream = Seed { seed: self.plan.run.seed, replication: 0 }.stream("phase", stratum);
        let phase = (stream.unit() + GOLDEN * index as f64).fract();
        let second = (stream.unit() + std::f64::consts::SQRT_2 * index as f64).fract();
        let minute = (phase * self.period() / 60.0).floor();
        Span::from_secs(60.0 * minute + (60.0 * second).floor())
    }

    fn stream(&self, stratum: u64, index: usize) -> Stream {
        let seed = Seed { seed: self.plan.run.seed, replication: index as u64 };
        seed.stream("strikes", stratum)
    }

    /// The piece of a cluster.
    fn struck(
        &self,
        kinds: &[RecurringFault],
        place: (u64, usize),
        drawn: DrawnCluster,
    ) -> PlannedPiece {
        let cluster = shortened(&drawn.strikes, kinds);
        let (from, plan) = self.plan_of(kinds, place, &cluster);
        let DrawnCluster { strikes, odds } = drawn;
        PlannedPiece { plan, from, strikes, parts: cluster.parts, odds, place }
    }

    /// The same piece, of which nothing is left out.
    fn whole(&self, kinds: &[RecurringFault], piece: &PlannedPiece) -> PlannedPiece {
        let mut kinds = kinds.to_vec();
        kinds.iter_mut().for_each(|kind| kind.is_quiet = false);
        let drawn = DrawnCluster { strikes: piece.strikes.clone(), odds: piece.odds };
        self.struck(&kinds, piece.place, drawn)
    }

    /// The plan of a piece, and where in the traffic it begins.
    fn plan_of(
        &self,
        kinds: &[RecurringFault],
        (stratum, index): (u64, usize),
        cluster: &Shortened,
    ) -> (Span, Plan) {
        let from = self.from(stratum, index);
        let mut plan = struck_plan(self.plan, kinds, cluster, (from, self.lead()));
        plan.run.seed = mix(self.plan.run.seed ^ mix(stratum << 32 | index as u64));
        (from, plan)
    }

    /// The outcomes of pieces; `None` for those that were not made before a stop, or that others
    /// simulate.
    fn simulate<'p>(
        &self,
        pieces: impl Iterator<Item = &'p PlannedPiece> + Clone,
    ) -> Vec<Option<Outcome>> {
        let progress = self.runner.progress();
        let length: u64 = pieces.clone().map(|piece| piece.plan.run.horizon.0).sum();
        let count = progress.replications() + pieces.clone().count();
        progress.expect(count, progress.expected() + length);
        let all: Vec<&PlannedPiece> = pieces.collect();
        self.runner.side_by_side(&all, |piece| {
            let run = self.runner.run(&piece.plan, 1, Retention::FirstTrace);
            run.outcomes.into_iter().next().filter(|outcome| !outcome.interrupted)
        })
    }

    fn healthy(&self, range: std::ops::Range<usize>) -> Vec<PieceFigures> {
        let nothing = Shortened { strikes: Vec::new(), parts: Vec::new(), length: HEALTHY };
        let piece = |index| {
            let (from, plan) = self.plan_of(&[], (0, index), &nothing);
            let (strikes, parts, place) = (Vec::new(), Vec::new(), (0, index));
            PlannedPiece { plan, from, strikes, parts, odds: 0.0, place }
        };
        let pieces: Vec<PlannedPiece> = range.map(piece).collect();
        let made = self.simulate(pieces.iter());
        let made =
            pieces.iter().zip(&made).filter_map(|(piece, made)| Some((piece, made.as_ref()?)));
        made.map(|(piece, outcome)| PieceFigures::of(outcome, piece.from, &[], |_| 0.0)).collect()
    }

    /// Finds how long each kind of fault takes to be forgotten, and whether it is quiet after a
    /// while, all of them side by side; gives the requests that this took.
    fn settle(&self, kinds: &mut [RecurringFault], latency: f64) -> f64 {
        let rate: f64 = kinds.iter().map(|kind| kind.per_second).sum();
        let longest = LONGEST_SETTLING.min(Span::from_secs(STRIKES_MOST / rate.max(1e-9)));
        let mut spent = 0.0;
        let mut open: Vec<usize> = (0..kinds.len()).collect();
        while !open.is_empty() && !self.is_over() {
            let pieces: Vec<(usize, PlannedPiece)> = open
                .iter()
                .flat_map(|kind| (0..PILOT).map(move |index| (*kind, index)))
                .map(|(kind, index)| (kind, self.alone(kinds, kind, index)))
                .collect();
            let made = self.simulate(pieces.iter().map(|(_, piece)| piece));
            spent += made.iter().flatten().map(|one| one.ledger.offered as f64).sum::<f64>();
            open.retain(|kind| {
                let own = pieces.iter().zip(&made).filter(|((of, _), _)| of == kind);
                let figures = own.map(|((_, piece), outcome)| {
                    let outcome = outcome.as_ref()?;
                    Some((cluster_piece(piece, outcome).figures.normal, is_quiet(outcome, latency)))
                });
                let figures: Vec<(Option<f64>, Option<bool>)> = figures.flatten().collect();
                // Of a kind of which no such part was seen nothing is known.
                let mut seen = figures.iter().filter_map(|(_, is_quiet)| *is_quiet).peekable();
                kinds[*kind].is_quiet &= seen.peek().is_some() && seen.all(|is_quiet| is_quiet);
                let settles = kinds[*kind].settles;
                let found: Option<Vec<f64>> = figures.iter().map(|(normal, _)| *normal).collect();
                let found = found.filter(|found| !found.is_empty());
                kinds[*kind].settles = match found {
                    Some(all) => {
                        let slowest = all.into_iter().fold(0.0, f64::max);
                        let rounded = (1.5_f64 * slowest / 30.0).ceil() * 30.0;
                        Span::from_secs(rounded.max(LEAST_SETTLING)).min(longest)
                    }
                    None if settles < longest => (settles * 3).min(longest),
                    None => settles,
                };
                kinds[*kind].settles > settles
            });
        }
        spent
    }

    /// A strike of one kind by itself, by which its settling is measured.
    fn alone(&self, kinds: &[RecurringFault], kind: usize, index: usize) -> PlannedPiece {
        let number = (2 * kinds.len() + kind) as u64 + 1;
        let drawn = StratumKind::Alone(kind).draw(kinds, &mut self.stream(number, index));
        self.struck(kinds, (number, index), drawn)
    }

    /// Whether nothing more can be done here: it was stopped, or waits for what others simulate.
    fn is_over(&self) -> bool {
        self.runner.is_cancelled() || self.runner.absent().count() > 0
    }

    /// Simulates pieces of every stratum: a few of each, then more where they say most for what
    /// they cost (Neyman's allocation), with about so many requests in all.
    fn fill(&self, study: &mut AvailabilityStudy, requests: f64) {
        let latency = latency(&study.healthy);
        let AvailabilityStudy { kinds, strata, .. } = study;
        let pilot: Vec<usize> = strata.iter().map(|one| pilot(one.kind)).collect();
        self.add(kinds, strata, &pilot, latency);
        if self.is_over() {
            return;
        }
        let cost = |stratum: &Stratum| stratum.mean_simulated() + 1.0;
        let spent: f64 = strata.iter().map(|one| cost(one) * one.pieces.len() as f64).sum();
        let left = (requests - spent).max(0.0);
        let scale: Vec<f64> = strata.iter().map(|one| one.spread() / cost(one).sqrt()).collect();
        let whole: f64 = scale.iter().zip(&*strata).map(|(scale, one)| scale * cost(one)).sum();
        let more = scale.iter().map(|scale| if whole > 0.0 { left * scale / whole } else { 0.0 });
        let more: Vec<usize> = more.map(|more| more.min(5_000.0) as usize).collect();
        self.add(kinds, strata, &more, latency);
    }

    /// Adds so many pieces to each stratum. A part that fails, or takes much longer than this
    /// healthy mean, though those of its kind had been quiet, stands for nothing: its piece is
    /// simulated whole.
    fn add(&self, kinds: &[RecurringFault], strata: &mut [Stratum], more: &[usize], latency: f64) {
        let mut all: Vec<(usize, PlannedPiece)> = strata
            .iter()
            .enumerate()
            .flat_map(|(which, stratum)| {
                let (known, number) = (stratum.pieces.len(), stratum.number as u64 + 1);
                let kind = stratum.kind;
                (known..known + more[which]).map(move |index| (which, kind, number, index))
            })
            .map(|(which, kind, number, index)| {
                let drawn = kind.draw(kinds, &mut self.stream(number, index));
                (which, self.struck(kinds, (number, index), drawn))
            })
            .collect();
        let mut made = self.simulate(all.iter().map(|(_, piece)| piece));
        let is_loud = |outcome: &Option<Outcome>| {
            outcome.as_ref().and_then(|outcome| is_quiet(outcome, latency)) == Some(false)
        };
        let loud: Vec<usize> = (0..made.len()).filter(|index| is_loud(&made[*index])).collect();
        for index in &loud {
            all[*index].1 = self.whole(kinds, &all[*index].1);
        }
        let again = self.simulate(loud.iter().map(|index| &all[*index].1));
        for (index, outcome) in loud.into_iter().zip(again) {
            made[index] = outcome;
        }
        for ((which, piece), outcome) in all.iter().zip(&made) {
            let made = outcome.as_ref().map(|outcome| cluster_piece(piece, outcome));
            strata[*which].pieces.extend(made);
        }
    }
}

/// Pieces of such a stratum that are made first.
fn pilot(kind: StratumKind) -> usize {
    match kind {
        StratumKind::Alone(_) => PILOT,
        StratumKind::Overlapping(_) => PILOT_TOGETHER,
    }
}

/// Whether hardly a request of the parts that stand for more fails, or takes much longer than such
/// a healthy mean, in seconds; `None` if there are no such parts.
fn is_quiet(outcome: &Outcome, latency: f64) -> Option<bool> {
    let mut parts = outcome.windows[1..].iter().peekable();
    parts.peek()?;
    Some(parts.all(|window| {
        let (failed, decided) = (window.ledger.failed() as f64, window.ledger.decided() as f64);
        let mean = window.latency.mean().map_or(0.0, Span::as_secs);
        failed <= QUIET_FAILING * decided && mean <= QUIET_LATENCY * latency
    }))
}

/// What a piece came to.
fn cluster_piece(piece: &PlannedPiece, outcome: &Outcome) -> strata::ClusterPiece {
    let lasts = |fault: usize| {
        let fault = &piece.plan.faults[fault].fault;
        recurring::lasts(fault).map_or(0.0, |law| law.mean_secs())
    };
    let figures = PieceFigures::of(outcome, piece.from, &piece.parts, lasts);
    strata::ClusterPiece {
        kinds: piece.strikes.iter().map(|strike| strike.kind).collect(),
        odds: piece.odds,
        figures,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Progress, store::NoStore};

    /// A gateway of which a replica is slow for an hour now and then.
    fn plan(cpu: &str) -> Plan {
        let text = format!(
            "question = \"?\"\n[gateway]\ntier = \"small\"\n[traffic]\nrate = \"20/s\"\n[run]\n\
             horizon = \"10m\"\n[[fault]]\nkind = \"replica-slow\"\ncpu = \"{cpu}\"\n\
             for = \"1h\"\nevery = \"exponential(90d)\"\n"
        );
        let loaded = crate::scenario::read::parse("it.toml", &text, std::path::Path::new(""));
        loaded.scenario.expect("it is sound").plan
    }

    /// Two pieces of a strike alone, of a kind that was found quiet or not.
    fn pieces(plan: &Plan, is_quiet: bool) -> Vec<strata::ClusterPiece> {
        let progress = Progress::default();
        let runner = Runner::new(Some(2), &progress, &NoStore).unwrap();
        let lab = Lab { runner: &runner, plan };
        let latency = latency(&lab.healthy(0..2));
        let mut kinds = recurring(plan, 2);
        kinds.iter_mut().for_each(|kind| kind.is_quiet = is_quiet);
        let mut all = strata(&kinds);
        lab.add(&kinds, &mut all, &[2, 0], latency);
        all.swap_remove(0).pieces
    }

    #[test]
    fn a_part_that_is_loud_after_all_stands_for_nothing() {
        // A tenth of its CPU is less than its half of the requests takes: a queue for an hour.
        let slow = plan("10%");
        let whole = pieces(&slow, false);
        assert_eq!(pieces(&slow, true), whole);
        assert!(whole.iter().all(|piece| piece.figures.simulated > 60_000.0), "{whole:?}");
        // With most of it all goes on as it does, and a part is enough.
        let mild = plan("90%");
        let (part, whole) = (pieces(&mild, true), pieces(&mild, false));
        for (part, whole) in part.iter().zip(&whole) {
            assert!(part.figures.simulated < 0.7 * whole.figures.simulated, "{part:?}");
            assert_eq!(part.figures.length, whole.figures.length);
        }
    }
}
