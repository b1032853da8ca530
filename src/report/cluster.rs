//! What the cluster did by itself, in words: decisions of the autoscaler with their reasons,
//! replicas that find no node, evictions that stop, nodes that are added or deleted.

use std::collections::BTreeSet;

use crate::observe::Observation;
use crate::observe::outcome::Entry;
use crate::plan::Plan;
use crate::units::Instant;

/// Facts told one by one.
const TOLD: usize = 10;

const AUTOSCALER: &str = "autoscaler: ";

// How reasons begin, and what they say of stabilisation: see `Decision`.
const HELD: &str = "held at";
const EARLIER: &str = "but earlier recommendations";

/// The facts after warm-up that are worth telling, the first of them, and how many more there were.
/// Of the autoscaler's decisions these are the changes, and what was held although something was
/// amiss, each kind of it once between two changes.
pub(super) fn facts(plan: &Plan, journal: &[Entry]) -> (Vec<(Instant, String)>, usize) {
    let late = journal.iter().filter(|entry| entry.at >= plan.run.warm_up);
    let mut kinds = BTreeSet::new();
    let mut all: Vec<(Instant, String)> = Vec::new();
    for Entry { at, observation } in late {
        let Some(words) = words(plan, observation) else { continue };
        match observation {
            Observation::Decided { from, to, .. } if from != to => kinds.clear(),
            Observation::Decided { .. } if !kinds.insert(kind(&words)) => continue,
            _ => {}
        }
        all.push((*at, words));
    }
    let more = all.len().saturating_sub(TOLD);
    all.truncate(TOLD);
    (all, more)
}

/// A reason without its figures.
fn kind(words: &str) -> String {
    words.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// The autoscaler's decisions among the facts that are told, each in a few words: changes, and of
/// what was held the first between two of them.
pub(super) fn decisions(plan: &Plan, journal: &[Entry]) -> Vec<(Instant, String)> {
    let mut decisions: Vec<(Instant, String)> = Vec::new();
    for (at, words) in facts(plan, journal).0 {
        let Some(reason) = words.strip_prefix(AUTOSCALER) else { continue };
        let held = |(_, last): &(Instant, String)| last.starts_with(HELD);
        if !(reason.starts_with(HELD) && decisions.last().is_some_and(held)) {
            decisions.push((at, short(reason)));
        }
    }
    decisions
}

/// What was decided, and the first of its reasons.
fn short(reason: &str) -> String {
    if reason.contains(EARLIER) {
        let what = reason.split(':').next().unwrap_or(reason);
        return format!("{what} by earlier recommendations");
    }
    let clauses: Vec<&str> = reason.splitn(3, ": ").take(2).collect();
    let clauses = clauses.join(": ");
    let end = [" asks for", ";"].iter().filter_map(|end| clauses.find(end)).min();
    clauses[..end.unwrap_or(clauses.len())].to_owned()
}

fn words(plan: &Plan, fact: &Observation) -> Option<String> {
    let zone = |zone: &usize| plan.topology.zones.get(*zone).map_or("", String::as_str);
    match fact {
        Observation::Decided { from, to, held_back, reason, .. } => {
            let matters = !reason.is_empty() && (from != to || *held_back);
            matters.then(|| format!("{AUTOSCALER}{reason}"))
        }
        Observation::Unschedulable { reason, .. } => {
            Some(format!("a replica finds no node: {reason}"))
        }
        Observation::Evictions { zone: at, stopped: true } => Some(format!(
            "zone {}: too many nodes are not ready, so no replica is evicted from them",
            zone(at)
        )),
        Observation::Evictions { zone: at, stopped: false } => {
            Some(format!("zone {}: evictions go on", zone(at)))
        }
        Observation::Node { name, what: what @ ("added" | "deleted"), .. } => {
            Some(format!("{name} {what}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::sample;

    fn entry(seconds: f64, observation: Observation) -> Entry {
        Entry { at: Instant::from_secs(seconds), observation }
    }

    fn decided(seconds: f64, from: usize, to: usize, held_back: bool) -> Entry {
        let reason = format!("from {from} to {to}");
        entry(seconds, Observation::Decided { from, to, seen: None, held_back, reason })
    }

    #[test]
    fn changes_and_refusals_are_told_and_calm_and_warm_up_are_not() {
        let plan = sample::plan();
        let mut journal = vec![decided(59.0, 2, 2, true)];
        journal.extend([decided(75.0, 2, 2, false), decided(90.0, 2, 2, true)]);
        journal.push(decided(95.0, 2, 2, true));
        journal.push(decided(105.0, 2, 3, false));
        let (told, more) = facts(&plan, &journal);
        let told: Vec<&str> = told.iter().map(|one| one.1.as_str()).collect();
        assert_eq!(told, ["autoscaler: from 2 to 2", "autoscaler: from 2 to 3"]);
        assert_eq!(more, 0);
        journal.extend((0..10).map(|n| decided(120.0 + f64::from(n), 3, 2, false)));
        assert_eq!((facts(&plan, &journal).0.len(), facts(&plan, &journal).1), (10, 2));
    }

    #[test]
    fn charts_say_it_in_few_words() {
        let plan = sample::plan();
        let reasons = [
            "held at 2: 1 not ready counts as 0 %: 94 % becomes 47 %; 47 % asks for the opposite",
            "held at 2: 1 without a sample: 94 % becomes 47 %; 47 % asks for the opposite",
            "grown from 2 to 3: 81 % of a target of 70 % asks for 3",
            "held at 3: 61 % of a target of 70 % asks for 2, but earlier recommendations keep it",
        ];
        let decided = |(n, reason): (usize, &&str)| {
            let (from, to) = if n == 2 { (2, 3) } else { (2, 2) };
            let reason = (*reason).to_owned();
            let fact = Observation::Decided { from, to, seen: None, held_back: true, reason };
            entry(100.0 + n as f64, fact)
        };
        let journal: Vec<Entry> = reasons.iter().enumerate().map(decided).collect();
        let told: Vec<String> = decisions(&plan, &journal).into_iter().map(|one| one.1).collect();
        let expected = [
            "held at 2: 1 not ready counts as 0 %",
            "grown from 2 to 3: 81 % of a target of 70 %",
            "held at 3 by earlier recommendations",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_keeps_a_replica_away_is_told() {
        let name = "b-node-4".to_owned();
        let journal = [
            entry(61.0, Observation::Evictions { zone: 1, stopped: true }),
            entry(62.0, Observation::Unschedulable { slot: 0, reason: "no node has room" }),
            entry(63.0, Observation::Node { zone: 1, name, what: "added" }),
            entry(64.0, Observation::SlotGone { slot: 0 }),
        ];
        let (told, _) = facts(&sample::plan(), &journal);
        let told: Vec<&str> = told.iter().map(|one| one.1.as_str()).collect();
        let expected = [
            "zone b: too many nodes are not ready, so no replica is evicted from them",
            "a replica finds no node: no node has room",
            "b-node-4 added",
        ];
        assert_eq!(told, expected);
    }
}
