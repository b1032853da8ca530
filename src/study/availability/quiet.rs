//! Long stretches in which nothing new happens, of which a part is simulated.
//!
//! An outage of hours is over for its clients after minutes: what is left carries the load, and
//! goes on so. Of a stretch between two strikes or ends of strikes that is longer than
//! [`SIMULATED`] so much is simulated, and its last part, after [`TRANSIENT`], stands for the rest
//! of the stretch with a weight. Over all clusters that is without bias if the stretch is
//! stationary but for the traffic: clusters begin at any time of the period, so that the load in
//! the part and in the rest is the same in the mean.
//!
//! That it is stationary is found out kind by kind on pieces that count for nothing else: where
//! requests fail in such a part, or take much longer than in healthy time, strikes of the kind are
//! simulated whole ([`super::recurring::RecurringFault::is_quiet`]), and so is each later piece in
//! which that shows. So are stretches in which more than one strike is not forgotten, and all of a
//! plan with faults that follow others.

use super::recurring::{RecurringFault, Strike};
use crate::units::Span;

/// How much of a stretch is simulated, in seconds.
pub const SIMULATED: f64 = 1_500.0;
/// How much at its beginning stands for itself only, in seconds.
pub const TRANSIENT: f64 = 900.0;

/// A part of a piece that stands for a longer one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuietPart {
    /// Where it begins, in seconds after the first strike.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// How many times its length it stands for; above 1.
    pub weight: f64,
}

/// The strikes of a cluster with what is left of their quiet stretches.
#[derive(Clone, Debug, PartialEq)]
pub struct Shortened {
    /// The strikes, nearer to each other.
    pub strikes: Vec<Strike>,
    /// The parts that stand for more than themselves.
    pub parts: Vec<QuietPart>,
    /// From the first strike until all are forgotten, in seconds of simulated time.
    pub length: f64,
}

/// Leaves out what need not be simulated.
pub fn shortened(strikes: &[Strike], kinds: &[RecurringFault]) -> Shortened {
    let end = |strike: &Strike| strike.at + strike.lasts.map_or(0.0, |lasts| lasts.as_secs());
    let mut events: Vec<f64> = strikes.iter().flat_map(|strike| [strike.at, end(strike)]).collect();
    events.sort_by(f64::total_cmp);
    // From where on so much is left out, in seconds of the cluster as it was drawn.
    let mut cuts: Vec<(f64, f64)> = Vec::new();
    let mut parts = Vec::new();
    for pair in events.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let mut open = strikes.iter().filter(|strike| strike.at <= from && strike.over > from);
        let lasts = |one: &Strike| kinds[one.kind].is_quiet && end(one) >= to;
        let is_quiet = open.next().is_some_and(lasts) && open.next().is_none();
        if is_quiet && to - from > SIMULATED {
            let begins = from - cuts.iter().map(|(_, cut)| cut).sum::<f64>();
            let weight = (to - from - TRANSIENT) / (SIMULATED - TRANSIENT);
            parts.push(QuietPart { from: begins + TRANSIENT, to: begins + SIMULATED, weight });
            cuts.push((to, to - from - SIMULATED));
        }
    }
    let moved = |at: f64| {
        let before = cuts.iter().take_while(|(from, _)| *from <= at);
        at - before.map(|(_, cut)| cut).sum::<f64>()
    };
    let shorter = |strike: &Strike| Strike {
        at: moved(strike.at),
        lasts: strike.lasts.map(|_| Span::from_secs(moved(end(strike)) - moved(strike.at))),
        over: moved(strike.over),
        ..strike.clone()
    };
    let strikes: Vec<Strike> = strikes.iter().map(shorter).collect();
    let length = strikes.iter().map(|strike| strike.over).fold(0.0, f64::max);
    Shortened { strikes, parts, length }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Law;

    fn kinds(quiet: bool) -> Vec<RecurringFault> {
        vec![RecurringFault {
            fault: 0,
            name: "zone".to_owned(),
            per_second: 1e-6,
            entities: vec![0, 1],
            is_exclusive: true,
            lasts: Some(Law::ZERO),
            settles: Span::from_secs(300.0),
            is_assumed: false,
            is_quiet: quiet,
        }]
    }

    fn strike(at: f64, lasts: f64) -> Strike {
        let over = at + lasts + 300.0;
        Strike { kind: 0, entity: 0, at, lasts: Some(Span::from_secs(lasts)), over }
    }

    #[test]
    fn of_a_long_outage_its_beginning_a_part_and_its_end_are_simulated() {
        let found = shortened(&[strike(0.0, 10_000.0)], &kinds(true));
        // 9,100 s after the transient, for which 600 s stand.
        let part = QuietPart { from: 900.0, to: 1_500.0, weight: 9_100.0 / 600.0 };
        assert_eq!(found.parts, [part]);
        assert_eq!(found.strikes[0].lasts, Some(Span::from_secs(1_500.0)));
        assert_eq!((found.length, found.strikes[0].over), (1_800.0, 1_800.0));
        let whole = shortened(&[strike(0.0, 10_000.0)], &kinds(false));
        assert_eq!((whole.parts.len(), whole.length), (0, 10_300.0));
    }

    #[test]
    fn where_two_are_not_forgotten_nothing_is_left_out() {
        let all = [strike(0.0, 10_000.0), strike(4_000.0, 3_000.0), strike(10_100.0, 20.0)];
        let found = shortened(&all, &kinds(true));
        // Before the second strike, and after it is over: from 7,000 s on its window is open until
        // 7,300 s, so that stretch is simulated whole.
        assert_eq!(found.parts.len(), 1);
        let part = found.parts[0];
        assert_eq!((part.from, part.to, part.weight), (900.0, 1_500.0, 3_100.0 / 600.0));
        let at: Vec<f64> = found.strikes.iter().map(|one| one.at).collect();
        assert_eq!(at, [0.0, 1_500.0, 7_600.0]);
        assert_eq!(found.strikes[0].lasts, Some(Span::from_secs(7_500.0)));
        assert_eq!(found.strikes[1].lasts, Some(Span::from_secs(3_000.0)));
        assert_eq!(found.length, 7_920.0);
    }
}
