//! The table of verdicts.

use std::collections::BTreeMap;

use crate::theory::vectors::NotCovered;
use crate::theory::verdict::{Outcome, Verdict};

/// Passed, failed, not covered.
type Counts = [usize; 3];

/// Prints what passed by family, and every vector if `verbose`; gives those that failed.
pub fn print(verdicts: &[Verdict], not_covered: &[NotCovered], verbose: bool) -> Vec<String> {
    print_families(verdicts);
    println!("\nnot covered:");
    not_covered.iter().for_each(|f| println!("  {} ({}): {}", f.family, f.vectors, f.reason));
    let shown = |verdict: &&Verdict| verbose || column(verdict) == 2;
    verdicts.iter().filter(shown).for_each(|verdict| println!("  {}", words(verdict)));
    let failed: Vec<String> = verdicts.iter().filter(|v| column(v) == 1).map(words).collect();
    let passed = verdicts.iter().filter(|verdict| column(verdict) == 0).count();
    println!("\n{passed} passed, {} failed, {}", failed.len(), open(verdicts, not_covered));
    failed
}

/// How many are not covered, and for which reasons.
fn open(verdicts: &[Verdict], not_covered: &[NotCovered]) -> String {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for family in not_covered {
        *reasons.entry(&family.reason).or_default() += family.vectors;
    }
    for verdict in verdicts {
        if let Outcome::NotCovered(reason) = verdict.outcome {
            *reasons.entry(reason).or_default() += 1;
        }
    }
    let listed: Vec<String> =
        reasons.iter().map(|(reason, count)| format!("{count}: {reason}")).collect();
    format!("{} not covered ({})", reasons.values().sum::<usize>(), listed.join("; "))
}

fn column(verdict: &Verdict) -> usize {
    match verdict.outcome {
        Outcome::Passed { .. } => 0,
        Outcome::Failed { .. } => 1,
        Outcome::NotCovered(_) => 2,
    }
}

fn print_families(verdicts: &[Verdict]) {
    let mut families: BTreeMap<&str, Counts> = BTreeMap::new();
    for verdict in verdicts {
        families.entry(&verdict.vector.family).or_default()[column(verdict)] += 1;
    }
    println!("\n{:<36}{:>8}{:>8}{:>13}", "family", "passed", "failed", "not covered");
    for (family, [passed, failed, not_covered]) in families {
        println!("{family:<36}{passed:>8}{failed:>8}{not_covered:>13}");
    }
}

/// What is said of one vector.
fn words(verdict: &Verdict) -> String {
    let Verdict { vector, measured, outcome } = verdict;
    let (word, tolerance) = match outcome {
        Outcome::Passed { tolerance } => ("passed", tolerance),
        Outcome::Failed { tolerance } => ("FAILED", tolerance),
        Outcome::NotCovered(reason) => {
            return format!("{} is not covered: {reason}", vector.name());
        }
    };
    let z = match measured.error {
        Some(error) if error > 0.0 => format!("{:+.2}", (measured.got - vector.value) / error),
        _ => "none".to_owned(),
    };
    format!(
        "{word} {}: expected {:.6e}, got {:.6e}, tolerance {tolerance:.1e}, z {z}",
        vector.name(),
        vector.value,
        measured.got,
    )
}
