//! The autoscaler's decisions in words.

use crate::observe::Observation;
use crate::observe::outcome::Entry;
use crate::units::Instant;

/// Decisions told one by one.
const TOLD: usize = 8;

/// The decisions worth telling: every change, and what was held although something was amiss. Gives
/// the first of them, and how many more there were.
pub(super) fn decisions(journal: &[Entry]) -> (Vec<(Instant, &str)>, usize) {
    let told = |entry: &Entry| match &entry.observation {
        Observation::Decided { from, to, held_back, reason, .. } => {
            !reason.is_empty() && (from != to || *held_back)
        }
        _ => false,
    };
    let mut all: Vec<(Instant, &str)> = Vec::new();
    for entry in journal.iter().filter(|entry| told(entry)) {
        if let Observation::Decided { reason, .. } = &entry.observation {
            all.push((entry.at, reason));
        }
    }
    let more = all.len().saturating_sub(TOLD);
    all.truncate(TOLD);
    (all, more)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(seconds: f64, from: usize, to: usize, held_back: bool) -> Entry {
        let reason = format!("from {from} to {to}");
        let observation = Observation::Decided { from, to, seen: None, held_back, reason };
        Entry { at: Instant::from_secs(seconds), observation }
    }

    #[test]
    fn changes_and_refusals_are_told_and_calm_is_not() {
        let mut journal = vec![decided(15.0, 2, 2, false), decided(30.0, 2, 2, true)];
        journal.push(decided(45.0, 2, 3, false));
        let (told, more) = decisions(&journal);
        assert_eq!(
            told.iter().map(|one| one.1).collect::<Vec<_>>(),
            ["from 2 to 2", "from 2 to 3"]
        );
        assert_eq!(more, 0);
        journal.extend((0..10).map(|n| decided(60.0 + f64::from(n), 3, 2, false)));
        assert_eq!((decisions(&journal).0.len(), decisions(&journal).1), (8, 4));
    }
}
