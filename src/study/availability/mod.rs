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
//! `sample.rs` what a piece came to, `estimate.rs` the long run, `months.rs` its scatter,
//! `chances.rs` the chances of a month.

pub mod chances;
pub mod estimate;
pub mod months;
pub mod recurring;
pub mod sample;
pub mod strata;

use crate::experiment::{Retention, Runner};
use crate::observe::outcome::Outcome;
use crate::plan::{Plan, Traffic};
use crate::random::{Seed, Stream, mix};
use crate::units::{Instant, Span};
use recurring::{RecurringFault, Strike, recurring, struck_plan};
use sample::PieceFigures;
use strata::{Stratum, StratumKind, strata};

/// Length of a healthy piece.
const HEALTHY: Span = Span(120 * crate::units::SECOND);
/// Pieces of a stratum that are made first.
const PILOT: usize = 6;
/// The longest time to settle that is tried.
const LONGEST_SETTLING: Span = Span(7_200 * crate::units::SECOND);
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
    let per_piece = mean(study.healthy.iter().map(|piece| piece.decided)).max(1.0);
    let pieces = (HEALTHY_SHARE * requests / per_piece).clamp(PILOT as f64, 2_000.0) as usize;
    study.kinds = recurring(plan, ready);
    if !lab.is_over() {
        study.healthy.extend(lab.healthy(PILOT..pieces));
        lab.settle(&mut study.kinds);
    }
    study.strata = strata(&study.kinds);
    if !lab.is_over() {
        lab.fill(&mut study, per_piece / HEALTHY.as_secs(), requests);
    }
    study.interrupted = runner.is_cancelled();
    study
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_u64), |(sum, count), value| (sum + value, count + 1));
    if count > 0 { sum / count as f64 } else { 0.0 }
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
    strikes: Vec<Strike>,
    /// How often its kind of cluster comes in a second, given how long its first strike lasts.
    odds: f64,
}

impl Lab<'_> {
    /// Time before a piece in which the gateway comes to its steady state.
    fn lead(&self) -> Span {
        let least = if self.plan.may_scale() { 600.0 } else { 30.0 };
        self.plan.run.warm_up.since(Instant::ZERO).max(Span::from_secs(least))
    }

    /// How long the traffic is until it repeats, or ends.
    fn period(&self) -> f64 {
        match &self.plan.traffic {
            Traffic::Process(process) => process.period.map(Span::as_secs),
            Traffic::Replay(recording) => recording.period.map(Span::as_secs),
        }
        .unwrap_or(self.plan.run.horizon.as_secs())
    }

    /// Where in the traffic the piece of an index begins: spread evenly, whatever their number.
    fn from(&self, stratum: u64, index: usize) -> Span {
        const GOLDEN: f64 = 0.618_033_988_749_894_8;
        let mut stream = Seed { seed: self.plan.run.seed, replication: 0 }.stream("phase", stratum);
        let phase = (stream.unit() + GOLDEN * index as f64).fract();
        Span::from_secs((phase * self.period()).floor())
    }

    fn stream(&self, stratum: u64, index: usize) -> Stream {
        let seed = Seed { seed: self.plan.run.seed, replication: index as u64 };
        seed.stream("strikes", stratum)
    }

    /// The plan of a piece that begins there.
    fn piece(
        &self,
        kinds: &[RecurringFault],
        (stratum, index): (u64, usize),
        (strikes, odds): (Vec<Strike>, f64),
        length: f64,
    ) -> PlannedPiece {
        let from = self.from(stratum, index);
        let mut plan = struck_plan(self.plan, kinds, &strikes, (from, self.lead()), length);
        plan.run.seed = mix(self.plan.run.seed ^ mix(stratum << 32 | index as u64));
        PlannedPiece { plan, from, strikes, odds }
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
        let length = HEALTHY.as_secs();
        let piece = |index| self.piece(&[], (0, index), (Vec::new(), 0.0), length);
        let pieces: Vec<PlannedPiece> = range.map(piece).collect();
        let made = self.simulate(pieces.iter());
        let made =
            pieces.iter().zip(&made).filter_map(|(piece, made)| Some((piece, made.as_ref()?)));
        made.map(|(piece, outcome)| PieceFigures::of(outcome, piece.from, |_| 0.0)).collect()
    }

    /// Finds how long each kind of fault takes to be forgotten, all of them side by side.
    fn settle(&self, kinds: &mut [RecurringFault]) {
        let mut open: Vec<usize> = (0..kinds.len()).collect();
        while !open.is_empty() && !self.is_over() {
            let pieces: Vec<(usize, PlannedPiece)> = open
                .iter()
                .flat_map(|kind| (0..PILOT).map(move |index| (*kind, index)))
                .map(|(kind, index)| (kind, self.alone(kinds, kind, index)))
                .collect();
            let made = self.simulate(pieces.iter().map(|(_, piece)| piece));
            open.retain(|kind| {
                let own = pieces.iter().zip(&made).filter(|((of, _), _)| of == kind);
                let normal = own.map(|((_, piece), outcome)| {
                    let figures = |outcome| cluster_piece(piece, outcome).figures;
                    outcome.as_ref().map(figures)?.normal
                });
                let settles = kinds[*kind].settles;
                let found: Option<Vec<f64>> = normal.collect();
                kinds[*kind].settles = match found {
                    Some(all) => {
                        let longest = all.into_iter().fold(0.0, f64::max);
                        let rounded = (1.5_f64 * longest / 30.0).ceil() * 30.0;
                        Span::from_secs(rounded.max(LEAST_SETTLING)).min(settles)
                    }
                    None if settles < LONGEST_SETTLING => settles * 3,
                    None => settles,
                };
                kinds[*kind].settles > settles
            });
        }
    }

    /// A strike of one kind by itself, by which its settling is measured.
    fn alone(&self, kinds: &[RecurringFault], kind: usize, index: usize) -> PlannedPiece {
        let number = (2 * kinds.len() + kind) as u64 + 1;
        let drawn = StratumKind::Alone(kind).draw(kinds, &mut self.stream(number, index));
        let length = drawn.length();
        self.piece(kinds, (number, index), (drawn.strikes, drawn.odds), length)
    }

    /// Whether nothing more can be done here: it was stopped, or waits for what others simulate.
    fn is_over(&self) -> bool {
        self.runner.is_cancelled() || self.runner.absent().count() > 0
    }

    /// Simulates pieces of every stratum: a few of each, then more where they say most for what
    /// they cost (Neyman's allocation), with about so many requests in all, of which so many come
    /// in a second.
    fn fill(&self, study: &mut AvailabilityStudy, per_second: f64, requests: f64) {
        let AvailabilityStudy { kinds, strata, .. } = study;
        let pilot = vec![PILOT; strata.len()];
        self.add(kinds, strata, &pilot);
        if self.is_over() {
            return;
        }
        let cost = |stratum: &Stratum| per_second * stratum.mean_length() + 1.0;
        let spent: f64 = strata.iter().map(|one| cost(one) * PILOT as f64).sum();
        let left = ((1.0 - HEALTHY_SHARE) * requests - spent).max(0.0);
        let scale: Vec<f64> = strata.iter().map(|one| one.spread() / cost(one).sqrt()).collect();
        let whole: f64 = scale.iter().zip(&*strata).map(|(scale, one)| scale * cost(one)).sum();
        let more = scale.iter().map(|scale| if whole > 0.0 { left * scale / whole } else { 0.0 });
        let more: Vec<usize> = more.map(|more| more.min(5_000.0) as usize).collect();
        self.add(kinds, strata, &more);
    }

    /// Adds so many pieces to each stratum.
    fn add(&self, kinds: &[RecurringFault], strata: &mut [Stratum], more: &[usize]) {
        let all: Vec<(usize, PlannedPiece)> = strata
            .iter()
            .enumerate()
            .flat_map(|(which, stratum)| {
                let (known, number) = (stratum.pieces.len(), stratum.number as u64 + 1);
                let kind = stratum.kind;
                (known..known + more[which]).map(move |index| (which, kind, number, index))
            })
            .map(|(which, kind, number, index)| {
                let drawn = kind.draw(kinds, &mut self.stream(number, index));
                let length = drawn.length();
                (which, self.piece(kinds, (number, index), (drawn.strikes, drawn.odds), length))
            })
            .collect();
        let made = self.simulate(all.iter().map(|(_, piece)| piece));
        for ((which, piece), outcome) in all.iter().zip(&made) {
            let made = outcome.as_ref().map(|outcome| cluster_piece(piece, outcome));
            strata[*which].pieces.extend(made);
        }
    }
}

/// What a piece came to.
fn cluster_piece(piece: &PlannedPiece, outcome: &Outcome) -> strata::ClusterPiece {
    let lasts = |fault: usize| {
        let fault = &piece.plan.faults[fault].fault;
        recurring::lasts(fault).map_or(0.0, |law| law.mean_secs())
    };
    let figures = PieceFigures::of(outcome, piece.from, lasts);
    strata::ClusterPiece {
        kinds: piece.strikes.iter().map(|strike| strike.kind).collect(),
        odds: piece.odds,
        figures,
    }
}
