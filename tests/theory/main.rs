//! The model against queueing and reliability theory.
//!
//! `cargo test --test theory` runs a sample; `cargo test --release --test theory -- --all` runs
//! everything at full size. A word on the command line keeps the vectors whose name contains it;
//! `--list` names them; `--verbose` shows every vector, not only those that fail. The exit status
//! says whether all agree.
//!
//! Where a vector states a tolerance for a number of requests N₀, a run of N requests must meet it
//! times √(N₀/N), narrower for a longer run. The rest is judged by four standard errors. Seeds are
//! fixed, so a verdict is the same every time.

mod around;
mod breakdown;
#[path = "../common/mod.rs"]
mod common;
mod crowd;
mod draws;
mod fifo;
mod fluid;
mod options;
mod queue;
mod queued;
mod respawn;
mod sojourns;
mod table;
mod transient;
mod vectors;
mod verdict;

use std::collections::BTreeSet;
use std::process::ExitCode;

use options::Options;
use rayon::prelude::*;
use vectors::{Params, Reference, Vector};
use verdict::{Measured, Verdict, judge};

/// How much to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Some of everything, in about a minute.
    Sample,
    /// Everything.
    Full,
}

/// Vectors that one simulation answers.
pub struct Group {
    subject: Subject,
    vectors: Vec<Vector>,
}

impl Group {
    fn params(&self) -> &Params {
        &self.vectors[0].params
    }

    /// A seed of its own, so that the verdicts on different systems do not share their luck: the
    /// digits of the first vector's name.
    fn seed(&self) -> u64 {
        let digits: String = self.vectors[0].id.chars().filter(char::is_ascii_digit).collect();
        digits.parse().unwrap_or_default()
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
    Around,
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
                Some(Subject::Around)
            }
            _ => None,
        }
    }

    fn measure(self, group: &Group, effort: Effort) -> Vec<Measured> {
        match self {
            Subject::Queue => queue::measure(group, effort),
            Subject::Transient => transient::measure(group, effort),
            Subject::Fluid => fluid::measure(group, effort),
            Subject::Breakdown => breakdown::measure(group, effort),
            Subject::Respawn => respawn::measure(group, effort),
            Subject::Draws => draws::measure(group, effort),
            Subject::Crowd => crowd::measure(group, effort),
            Subject::Around => around::measure(group, effort),
            Subject::Fifo => fifo::measure(group, effort),
            Subject::Spread => fifo::measure_spread(group),
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

fn verdicts(group: Group, effort: Effort) -> Vec<Verdict> {
    let measured = group.subject.measure(&group, effort);
    group.vectors.into_iter().zip(measured).map(|(vector, value)| judge(vector, value)).collect()
}

fn main() -> ExitCode {
    let options = Options::from_args(std::env::args().skip(1));
    let Reference { not_covered, vectors } = vectors::read();
    let vectors: Vec<Vector> = vectors.into_iter().filter(|v| options.wants(&v.name())).collect();
    let vectors = if options.effort == Effort::Full { vectors } else { sample(vectors) };
    if options.list {
        vectors.iter().for_each(|vector| println!("{}: test", vector.name()));
        return ExitCode::SUCCESS;
    }
    let mut verdicts: Vec<Verdict> = groups(vectors)
        .into_par_iter()
        .flat_map_iter(|group| verdicts(group, options.effort))
        .collect();
    verdicts.sort_by(|a, b| a.vector.id.cmp(&b.vector.id));
    let all_agree = table::print(&verdicts, &not_covered, options.verbose);
    if all_agree { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
