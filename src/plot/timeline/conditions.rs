//! The lives of replicas as intervals of time in one condition.

use crate::observe::State;
use crate::observe::timeline::ReplicaLife;
use crate::plot::canvas::Role;
use crate::units::{Instant, Share};

/// What a replica is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Condition {
    /// Ready and in rotation.
    Ready,
    /// The same, at less than its full speed.
    Slow,
    /// Ready, but the ingress does not send requests yet.
    Joining,
    /// On its way to being ready.
    Starting,
    /// Failed or hung, and nobody has noticed.
    Broken,
    /// Known to be out of order.
    Unready,
    /// Waits to be restarted.
    BackOff,
}

impl Condition {
    /// In the order of the legend, with its words and their colours.
    pub(crate) const ALL: [(Condition, &'static str, Role); 7] = [
        (Condition::Ready, "ready", Role::Ready),
        (Condition::Slow, "ready, but slow", Role::Slow),
        (Condition::Joining, "not in rotation", Role::Joining),
        (Condition::Starting, "starting", Role::Starting),
        (Condition::Broken, "failed or hung", Role::Broken),
        (Condition::Unready, "unready", Role::Unready),
        (Condition::BackOff, "back-off", Role::Sky),
    ];

    /// The colour.
    pub(crate) fn role(self) -> Role {
        Condition::ALL[self as usize].2
    }

    fn of(state: State, in_rotation: bool, speed: Share) -> Option<Self> {
        match state {
            State::Terminated => None,
            State::Unready => Some(Condition::Unready),
            State::BackOff => Some(Condition::BackOff),
            State::Hung | State::Failed => Some(Condition::Broken),
            // One that drains takes what still comes.
            State::Ready | State::Draining if !in_rotation => Some(Condition::Joining),
            State::Ready | State::Draining if speed < Share::ONE => Some(Condition::Slow),
            State::Ready | State::Draining => Some(Condition::Ready),
            _ => Some(Condition::Starting),
        }
    }
}

/// An interval of a replica's life, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ConditionSpan {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) condition: Condition,
    /// Share of a whole replica that it serves requests with.
    pub(crate) works: f64,
}

/// A change in the life of a replica.
#[derive(Clone, Copy)]
enum LifeChange {
    State(State),
    Rotation(bool),
    Speed(Share),
}

/// Every change in order of time.
fn changes(life: &ReplicaLife) -> Vec<(Instant, LifeChange)> {
    let states = life.states.iter().map(|change| (change.0, LifeChange::State(change.1)));
    let rotation = life.rotation.iter().map(|change| (change.0, LifeChange::Rotation(change.1)));
    let speed = life.speed.iter().map(|change| (change.0, LifeChange::Speed(change.1)));
    let mut all: Vec<_> = states.chain(rotation).chain(speed).collect();
    all.sort_by_key(|change| change.0);
    all
}

/// The life of a replica up to `horizon` seconds.
pub(crate) fn intervals(life: &ReplicaLife, horizon: f64) -> Vec<ConditionSpan> {
    let changes = changes(life);
    let (mut state, mut rotation, mut speed) = (State::Terminated, false, Share::ONE);
    let mut found: Vec<ConditionSpan> = Vec::new();
    for (index, (time, change)) in changes.iter().enumerate() {
        match change {
            LifeChange::State(next) => state = *next,
            LifeChange::Rotation(next) => rotation = *next,
            LifeChange::Speed(next) => speed = *next,
        }
        let from = time.as_secs();
        let to = changes.get(index + 1).map_or(horizon, |next| next.0.as_secs().min(horizon));
        let works = if state == State::Ready && rotation { speed.0 } else { 0.0 };
        let condition = Condition::of(state, rotation, speed).filter(|_| from < to);
        let interval = condition.map(|condition| ConditionSpan { from, to, condition, works });
        interval.into_iter().for_each(|interval| append(&mut found, interval));
    }
    found
}

/// Adds an interval, or lengthens the last if it is of the same kind.
fn append(found: &mut Vec<ConditionSpan>, next: ConditionSpan) {
    match found.last_mut() {
        Some(last)
            if (last.to, last.condition, last.works) == (next.from, next.condition, next.works) =>
        {
            last.to = next.to;
        }
        _ => found.push(next),
    }
}

/// How much of something there is from each time on, given when how much of it comes and goes.
pub(crate) fn totals(changes: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut changes: Vec<(f64, f64)> = changes.collect();
    changes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut total = 0.0;
    let mut levels: Vec<(f64, f64)> = Vec::new();
    for group in changes.chunk_by(|a, b| a.0 == b.0) {
        total += group.iter().map(|change| change.1).sum::<f64>();
        levels.push((group[0].0, if total.abs() < 1e-9 { 0.0 } else { total }));
    }
    levels.dedup_by(|next, kept| next.1 == kept.1);
    levels
}

/// Capacity in rotation from each time on, where a whole replica has as much as `of` says.
pub(crate) fn capacity<'a>(
    lives: impl Iterator<Item = &'a ReplicaLife>,
    horizon: f64,
    of: impl Fn(&ReplicaLife) -> f64,
) -> Vec<(f64, f64)> {
    let all = lives.flat_map(|life| {
        let whole = of(life);
        intervals(life, horizon).into_iter().map(move |one| (one.from, one.to, one.works * whole))
    });
    let changes = all.flat_map(|(from, to, works)| [(from, works), (to, -works)]);
    // Nobody stops working because the run ends.
    totals(changes.filter(|change| change.0 < horizon))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Instant;

    fn life() -> ReplicaLife {
        let at = Instant::from_secs;
        let states = vec![
            (at(0.0), State::Ready),
            (at(100.0), State::Failed),
            (at(102.0), State::Unready),
            (at(103.0), State::Terminated),
        ];
        let rotation = vec![(at(5.0), true), (at(103.0), false)];
        let speed = vec![(at(50.0), Share(0.5)), (at(60.0), Share::ONE)];
        ReplicaLife { name: "a-1".to_owned(), zone: 0, slot: 0, states, rotation, speed }
    }

    #[test]
    fn a_life_splits_into_conditions_without_gaps() {
        let seen = intervals(&life(), 200.0);
        let conditions: Vec<_> = seen.iter().map(|interval| interval.condition).collect();
        use Condition::{Broken, Joining, Ready, Slow, Unready};
        assert_eq!(conditions, [Joining, Ready, Slow, Ready, Broken, Unready]);
        assert!(seen.windows(2).all(|pair| pair[0].to == pair[1].from));
        assert_eq!(seen.last().unwrap().to, 103.0);
    }

    #[test]
    fn nothing_lies_beyond_the_horizon() {
        let seen = intervals(&life(), 55.0);
        assert_eq!(seen.last().unwrap().to, 55.0);
        assert_eq!(seen.len(), 3);
    }

    #[test]
    fn capacity_counts_what_works() {
        let levels = capacity([life(), life()].iter(), 200.0, |_| 1.0);
        let expected = [(0.0, 0.0), (5.0, 2.0), (50.0, 1.0), (60.0, 2.0), (100.0, 0.0)];
        assert_eq!(levels, expected);
    }
}
