//! What the cluster did by itself, in words: decisions of the autoscaler with their reasons,
//! replicas that find no node, evictions that stop, nodes that are added or deleted.

use crate::autoscaler::decision::Decision;
use crate::observe::outcome::JournalEntry;
use crate::observe::{Observation, RegionNews, RolloutStage};
use crate::plan::Plan;
use crate::report::format::words::plural;
use crate::units::Instant;

/// Facts told one by one.
const TOLD: usize = 10;

/// What is told of nodes: what became of them, and what a disruption budget had to do with it.
const OF_NODES: [&str; 5] = [
    "added",
    "deleted",
    "keeps what the disruption budget protects",
    "emptied by force",
    "given up and uncordoned",
];

/// The facts after warm-up that are worth telling, the first of them, and how many more there were.
/// Of the autoscaler's decisions these are the changes, and what was held although something was
/// amiss, each kind of it once between two changes.
fn told<'p>(
    plan: &'p Plan,
    journal: &'p [JournalEntry],
) -> (impl Iterator<Item = (&'p JournalEntry, String)>, usize) {
    let mut held: Vec<(usize, &Decision)> = Vec::new();
    let mut all = Vec::new();
    for entry in journal.iter().filter(|entry| entry.at >= plan.run.warm_up) {
        let Some(words) = words(plan, &entry.observation) else { continue };
        match &entry.observation {
            Observation::Decided { region, decision, .. } if decision.is_change() => {
                held.retain(|(of, _)| of != region);
            }
            Observation::Decided { region, decision, .. } => {
                let is_it =
                    |(of, known): &(usize, &Decision)| of == region && known.is_of_kind(decision);
                if held.iter().any(is_it) {
                    continue;
                }
                held.push((*region, decision));
            }
            _ => {}
        }
        all.push((entry, words));
    }
    let more = all.len().saturating_sub(TOLD);
    (all.into_iter().take(TOLD), more)
}

/// What is worth telling, in words, and how much more there was.
pub(crate) fn facts(plan: &Plan, journal: &[JournalEntry]) -> (Vec<(Instant, String)>, usize) {
    let (told, more) = told(plan, journal);
    (told.map(|(entry, words)| (entry.at, words)).collect(), more)
}

/// The autoscaler's decisions among the facts that are told, each in a few words: changes, and of
/// what was held the first between two of them.
pub(crate) fn decisions(plan: &Plan, journal: &[JournalEntry]) -> Vec<(Instant, String)> {
    let mut last_held = false;
    let mut decisions = Vec::new();
    for (entry, _) in told(plan, journal).0 {
        let Observation::Decided { decision, .. } = &entry.observation else { continue };
        let held = !decision.is_change();
        if !(held && last_held) {
            decisions.push((entry.at, decision.brief()));
        }
        last_held = held;
    }
    decisions
}

/// How many replicas a rollout has exchanged: "1 new, none available, 2 old; 2 wanted".
pub(crate) fn rollout_counts(fact: &Observation) -> String {
    let Observation::Rollout { new, old, available, wanted, .. } = fact else {
        return String::new();
    };
    let available = if *available == 0 { "none".to_owned() } else { available.to_string() };
    format!("{new} new, {available} available, {old} old; {wanted} wanted")
}

/// The name of a region, of several.
fn region_name(plan: &Plan, region: usize) -> Option<&str> {
    Some(&plan.regions.as_ref()?.all.get(region)?.name)
}

fn region_words(news: RegionNews) -> &'static str {
    match news {
        RegionNews::Unhealthy => "its health checks fail",
        RegionNews::Healthy => "its health checks succeed",
        RegionNews::Withdrawn => "clients are no longer led to it",
        RegionNews::Given => "clients are led to it",
        RegionNews::Deployed => "it is deployed",
    }
}

fn words(plan: &Plan, fact: &Observation) -> Option<String> {
    let zone = |zone: &usize| plan.topology.zones.get(*zone).map_or("", String::as_str);
    let of_region = |region: usize| {
        region_name(plan, region).map_or(String::new(), |name| format!(" of {name}"))
    };
    match fact {
        Observation::Decided { region, decision, held_back, news } => {
            let matters = *news && (decision.is_change() || *held_back);
            matters.then(|| format!("autoscaler{}: {decision}", of_region(*region)))
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
        Observation::ApiServerBack { region, endpoints, slots } => Some(format!(
            "the API server{} is back; {} of endpoints and {} to place had waited for it",
            of_region(*region),
            plural(*endpoints as u64, "change"),
            plural(*slots as u64, "replica"),
        )),
        Observation::Region { region, news } => {
            let name = region_name(plan, *region)?;
            Some(format!("region {name}: {}", region_words(*news)))
        }
        Observation::Node { name, what, .. } if OF_NODES.contains(what) => {
            Some(format!("{name} {what}"))
        }
        Observation::Rollout { stage: RolloutStage::Overdue, .. } => {
            let counts = rollout_counts(fact);
            Some(format!("rollout: ProgressDeadlineExceeded with {counts}; nothing rolls it back"))
        }
        Observation::Rollout { stage: RolloutStage::RolledBack, .. } => {
            Some(format!("rollout: rolled back with {}", rollout_counts(fact)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autoscaler::calculator::{Ground, Recommendation};
    use crate::autoscaler::decision::{Reason, Restraint};
    use crate::autoscaler::goals::Measure;
    use crate::experiment::tests::example;

    fn entry(seconds: f64, observation: Observation) -> JournalEntry {
        JournalEntry { at: Instant::from_secs(seconds), observation }
    }

    /// A decision from so many to so many replicas, at 94 % of a target of 70 %: `unready` pods
    /// count as idle and make that 47 %.
    fn decided(
        seconds: f64,
        (from, to): (i32, i32),
        unready: usize,
        held_back: bool,
    ) -> JournalEntry {
        let ground = match (unready, from == to) {
            (0, true) => Ground::Tolerated { filled_pct: 94 },
            (0, false) => Ground::Asked { filled_pct: 94 },
            _ => Ground::TurnedRound { filled_pct: 47 },
        };
        let recommended = Recommendation {
            replicas: to,
            utilisation_pct: 94,
            average_milli: 940,
            ready: 2,
            unready,
            missing: 0,
            ground,
        };
        let limit = Restraint::DesiredWithinRange;
        let (measure, cpu_pct) = (Measure::Cpu(70), Some(94));
        let stable = to;
        let reason = Reason::Utilisation { recommended, stable, limit, measure, cpu_pct };
        let decision = Decision { current: from, desired: to, reason };
        entry(seconds, Observation::Decided { region: 0, decision, held_back, news: true })
    }

    #[test]
    fn changes_and_refusals_are_told_and_calm_and_warm_up_are_not() {
        let plan = example::plan();
        let mut journal = vec![decided(59.0, (2, 2), 1, true)];
        journal.extend([decided(75.0, (2, 2), 0, false), decided(90.0, (2, 2), 1, true)]);
        journal.push(decided(95.0, (2, 2), 1, true));
        journal.push(decided(105.0, (2, 3), 0, false));
        let (told, more) = facts(&plan, &journal);
        let told: Vec<&str> = told.iter().map(|one| one.1.as_str()).collect();
        let expected = [
            "autoscaler: held at 2: 1 not ready counts as 0 %: 94 % becomes 47 %; 47 % asks for \
             the opposite",
            "autoscaler: grown from 2 to 3: 94 % of a target of 70 % asks for 3",
        ];
        assert_eq!((&told[..], more), (&expected[..], 0));
        journal.extend((0..10).map(|n| decided(120.0 + f64::from(n), (3, 2), 0, false)));
        assert_eq!((facts(&plan, &journal).0.len(), facts(&plan, &journal).1), (10, 2));
    }

    #[test]
    fn charts_say_the_first_of_what_was_held_and_every_change_in_few_words() {
        let plan = example::plan();
        let by_earlier = |mut entry: JournalEntry| {
            if let Observation::Decided { decision, .. } = &mut entry.observation
                && let Reason::Utilisation { recommended, .. } = &mut decision.reason
            {
                recommended.replicas = 2;
            }
            entry
        };
        let journal = [
            decided(100.0, (2, 2), 1, true),
            decided(101.0, (2, 2), 0, true),
            decided(102.0, (2, 3), 0, true),
            by_earlier(decided(103.0, (3, 3), 0, true)),
        ];
        let told: Vec<String> = decisions(&plan, &journal).into_iter().map(|one| one.1).collect();
        let expected = [
            "held at 2: 1 not ready counts as 0 %",
            "grown from 2 to 3: 94 % of a target of 70 %",
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
        let (told, _) = facts(&example::plan(), &journal);
        let told: Vec<&str> = told.iter().map(|one| one.1.as_str()).collect();
        let expected = [
            "zone b: too many nodes are not ready, so no replica is evicted from them",
            "a replica finds no node: no node has room",
            "b-node-4 added",
        ];
        assert_eq!(told, expected);
    }
}
