//! The model against queueing and reliability theory.
//!
//! `cargo test --test statistics theory` runs a sample; everything at full size if all suites are
//! asked for. `BROWNOUT_VECTORS=word` keeps the vectors whose name contains the word. `--nocapture`
//! shows how many passed by family, and each vector if a word is given.
//!
//! Where a vector states a tolerance for a number of requests N₀, a run of N requests must meet it
//! times √(N₀/N), narrower for a longer run. The rest is judged by four standard errors, which a
//! correct model exceeds once in 15 800 verdicts if they are known, and once in 4 600 if they come
//! from 50 replications. A tolerance above a third of the value says nothing and fails, but in a
//! sample. Seeds are fixed, so a verdict is the same every time. The last line counts what is not
//! covered, by reason.

mod breakdown;
mod dependencies;
mod draws;
mod fluid;
mod program;
mod queues;
mod respawn;
mod table;
mod vectors;
mod verdict;
mod written;

use std::collections::BTreeSet;

use crate::{Effort, effort};

use self::vectors::{Params, Reference, Vector};
use self::verdict::{Measured, Verdict, judge};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

/// Vectors that one simulation answers.
pub struct Group {
    subject: Subject,
    vectors: Vec<Vector>,
}

impl Group {
    fn params(&self) -> &Params {
        &self.vectors[0].params
    }

    fn seed(&self) -> u64 {
        self.vectors[0].seed()
    }
}

/// Which part of the model a vector is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Queue,
    Transient,
    Fluid,
    Breakdown,
    Respawn,
    Draws,
    Crowd,
    Dependencies,
    Fifo,
    Spread,
}

impl Subject {
    fn of(vector: &Vector) -> Option<Self> {
        match vector.family.as_str() {
            "mg1_ps" | "mm1_ps" | "mmc_ps" | "mgc_ps" | "rr_ekm1_ps" | "rr_zone_uneven"
            | "random_split_mm1" => Some(Subject::Queue),
            "failover_transient_mm1" if vector.quantity.starts_with("fluid") => {
                Some(Subject::Fluid)
            }
            "mm1_fifo" if vector.quantity.starts_with("asymptotic") => Some(Subject::Spread),
            "mm1_fifo" | "mmc_fifo" | "mg1_fifo" | "md1_fifo" | "rr_ekm1_fifo" | "mmcc_loss"
            | "mm1k" => Some(Subject::Fifo),
            "mm1_transient" | "failover_transient_mm1" => Some(Subject::Transient),
            "fluid_failover" => Some(Subject::Fluid),
            "mm1_breakdowns" => Some(Subject::Breakdown),
            "kofn_ctmc" | "two_replica_deterministic_respawn" => Some(Subject::Respawn),
            "sampler" => Some(Subject::Draws),
            "mginf" => Some(Subject::Crowd),
            "rate_limit_fixed_window" | "rate_limit_token_bucket" | "cache_ttl" | "retry" => {
                Some(Subject::Dependencies)
            }
            _ => None,
        }
    }

    fn measure(self, group: &Group, effort: Effort) -> Vec<Measured> {
        match self {
            Subject::Queue => queues::queue::measure(group, effort),
            Subject::Transient => queues::transient::measure(group, effort),
            Subject::Fluid => fluid::measure(group, effort),
            Subject::Breakdown => breakdown::measure(group, effort),
            Subject::Respawn => respawn::measure(group, effort),
            Subject::Draws => draws::measure(group, effort),
            Subject::Crowd => queues::crowd::measure(group, effort),
            Subject::Dependencies => dependencies::measure(group, effort),
            Subject::Fifo => queues::fifo::measure(group, effort),
            Subject::Spread => queues::fifo::measure_spread(group),
        }
    }
}

/// The vectors of a sample: none that mixes slowly, and of those that take long one per family and
/// quantity, that of the least reliable replicas, which have the most to show.
fn sample(mut vectors: Vec<Vector>) -> Vec<Vector> {
    vectors.sort_by(|a, b| a.mean_life().total_cmp(&b.mean_life()));
    let mut have = BTreeSet::new();
    let takes_long = |vector: &Vector| {
        matches!(Subject::of(vector), Some(Subject::Respawn | Subject::Spread))
            || vector.is_tagged()
    };
    vectors
        .into_iter()
        .filter(|vector| !vector.stress)
        .filter(|vector| {
            have.insert((vector.family.clone(), vector.quantity.clone())) || !takes_long(vector)
        })
        .collect()
}

fn groups(vectors: Vec<Vector>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for vector in vectors {
        let subject = Subject::of(&vector)
            .unwrap_or_else(|| panic!("nothing measures the family {}", vector.family));
        let same =
            |group: &&mut Group| group.subject == subject && *group.params() == vector.params;
        match groups.iter_mut().find(same) {
            Some(group) => group.vectors.push(vector),
            None => groups.push(Group { subject, vectors: vec![vector] }),
        }
    }
    groups
}

/// Shows how many vectors are judged, on a terminal: the whole takes long.
fn progress(vectors: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{pos} of {len} vectors, {elapsed}");
    ProgressBar::new(vectors as u64).with_style(style.expect("a template that can be read"))
}

fn verdicts(group: Group, effort: Effort) -> Vec<Verdict> {
    let measured = group.subject.measure(&group, effort);
    group
        .vectors
        .into_iter()
        .zip(measured)
        .map(|(vector, value)| judge(vector, value, effort))
        .collect()
}

#[test]
fn every_vector_agrees() {
    let Reference { not_covered, vectors } = vectors::read();
    let word = std::env::var("BROWNOUT_VECTORS").unwrap_or_default();
    let effort = effort();
    let vectors: Vec<Vector> =
        vectors.into_iter().filter(|vector| vector.name().contains(&word)).collect();
    let vectors = if effort == Effort::Full { vectors } else { sample(vectors) };
    assert!(!vectors.is_empty(), "no vector of this effort has {word:?} in its name");
    let progress = progress(vectors.len());
    let judged = |group: Group| {
        let verdicts = verdicts(group, effort);
        progress.inc(verdicts.len() as u64);
        verdicts
    };
    let mut verdicts: Vec<Verdict> =
        groups(vectors).into_par_iter().flat_map_iter(judged).collect();
    progress.finish_and_clear();
    verdicts.sort_by(|a, b| a.vector.id.cmp(&b.vector.id));
    let failed = table::print(&verdicts, &not_covered, !word.is_empty());
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
}
