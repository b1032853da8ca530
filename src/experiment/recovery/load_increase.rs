//! When the rate of requests rises above what it was after warm-up, and when it is back for good.

use crate::plan::{ArrivalProcess, Plan, Population, Traffic};
use crate::units::Instant;

/// A rate so much higher is no increase yet.
const MARGIN: f64 = 0.01;

/// From when the rate is more than 1 % above that at the end of warm-up, and from when it is so no
/// more until the horizon (the horizon itself if that is never). `None` if it never rises so, and
/// where it says nothing: of recorded traffic, and if users send one request after the other.
/// Bursts are left out.
pub(crate) fn load_increase(plan: &Plan) -> Option<(Instant, Instant)> {
    if matches!(plan.dependencies.clients.population, Population::Closed { .. }) {
        return None;
    }
    let Traffic::Process(process) = &plan.traffic else { return None };
    let (from, to) = (plan.run.warm_up.0 as f64, plan.run.horizon.0 as f64);
    let pieces = pieces(process, from, to);
    let most = pieces.first()?.rates.0 * (1.0 + MARGIN);
    let above: Vec<(f64, f64)> = pieces.iter().filter_map(|piece| piece.above(most)).collect();
    let instant = |time: f64| Instant(time.round() as u64);
    Some((instant(above.first()?.0), instant(above.last()?.1)))
}

/// A time in which the rate is linear: its ends, in nanoseconds, and the rates at these.
#[derive(Clone, Copy, Debug)]
struct RatePiece {
    ends: (f64, f64),
    rates: (f64, f64),
}

impl RatePiece {
    /// The part between two times; `None` if there is none.
    fn part(self, from: f64, to: f64) -> Option<RatePiece> {
        let ((start, end), (first, last)) = (self.ends, self.rates);
        let ends = (start.max(from), end.min(to));
        let slope = if first == last { 0.0 } else { (last - first) / (end - start) };
        let rate = |time: f64| first + slope * (time - start);
        (ends.0 < ends.1).then(|| RatePiece { ends, rates: (rate(ends.0), rate(ends.1)) })
    }

    /// The part in which the rate is above a level, if there is one.
    fn above(self, level: f64) -> Option<(f64, f64)> {
        let ((start, end), (first, last)) = (self.ends, self.rates);
        let crossing = start + (end - start) * (level - first) / (last - first);
        match (first > level, last > level) {
            (true, true) => Some((start, end)),
            (true, false) => Some((start, crossing)),
            (false, true) => Some((crossing, end)),
            (false, false) => None,
        }
    }
}

/// The pieces of the rate between two times, in order.
fn pieces(process: &ArrivalProcess, from: f64, to: f64) -> Vec<RatePiece> {
    let period = process.period.map_or(f64::INFINITY, |period| period.0 as f64);
    let mut pieces = Vec::new();
    let mut round = if period.is_finite() { (from / period).floor() * period } else { 0.0 };
    while round < to {
        for (index, (start, rate)) in process.corners.iter().enumerate() {
            let next = process.corners.get(index + 1);
            let end = next.map_or(period, |(end, _)| end.0 as f64);
            let rates = (rate.0, next.map_or(rate.0, |(_, rate)| rate.0));
            let piece = RatePiece { ends: (round + start.0 as f64, round + end), rates };
            pieces.extend(piece.part(from, to));
        }
        round += period;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::{example, with_clients};
    use crate::plan::{Recording, Scatter};
    use crate::random::Law;
    use crate::units::{Rate, Span};

    /// The increase of a rate with these corners, in seconds; warm-up ends at 60 s, the run at
    /// 600 s.
    fn found(corners: &[(f64, f64)], period: Option<f64>) -> Option<(f64, f64)> {
        let corner = |(at, rate): &(f64, f64)| (Instant::from_secs(*at), Rate(*rate));
        let corners = corners.iter().map(corner).collect();
        let period = period.map(Span::from_secs);
        let process = ArrivalProcess { scatter: Scatter::Poisson, corners, period };
        let plan = Plan { traffic: Traffic::Process(process), ..example::plan() };
        load_increase(&plan).map(|(from, to)| (from.as_secs(), to.as_secs()))
    }

    #[test]
    fn a_rise_lasts_until_the_rate_is_back_for_good() {
        assert_eq!(found(&[(0.0, 10.0)], None), None);
        assert_eq!(found(&[(0.0, 10.0), (100.0, 10.0), (100.0, 5.0)], None), None);
        let spike = [(0.0, 10.0), (100.0, 10.0), (100.0, 30.0), (130.0, 30.0), (130.0, 8.0)];
        assert_eq!(found(&spike, None), Some((100.0, 130.0)));
        assert_eq!(found(&spike[..4], None), Some((100.0, 600.0)));
        // A step at the end of warm-up is not after it.
        assert_eq!(found(&[(0.0, 10.0), (60.0, 10.0), (60.0, 30.0)], None), None);
    }

    #[test]
    fn a_ramp_crosses_the_level_at_its_time() {
        // From 10/s at 100 s to 20.1/s at 201 s: 10.1/s at 101 s; back to it 100 s after 201 s.
        let ramp = [(0.0, 10.0), (100.0, 10.0), (201.0, 20.1), (302.0, 10.0)];
        assert_eq!(found(&ramp, None), Some((101.0, 301.0)));
    }

    #[test]
    fn a_rate_that_comes_again_is_back_after_its_last_round() {
        let day = [(0.0, 10.0), (50.0, 10.0), (50.0, 12.0), (70.0, 12.0), (70.0, 10.0)];
        // At the end of warm-up the rate is 12/s, and never higher.
        assert_eq!(found(&day, Some(200.0)), None);
        let later = day.map(|(at, rate)| (if at > 0.0 { at + 40.0 } else { at }, rate));
        assert_eq!(found(&later, Some(200.0)), Some((90.0, 510.0)));
    }

    #[test]
    fn recorded_traffic_and_users_in_turn_have_no_rate() {
        let mut plan = with_clients::plan();
        let corners = [(0.0, 1.0), (100.0, 1.0), (100.0, 9.0)];
        let Traffic::Process(process) = &mut plan.traffic else { unreachable!() };
        process.corners = corners.map(|(at, rate)| (Instant::from_secs(at), Rate(rate))).to_vec();
        assert!(load_increase(&plan).is_some());
        let replayed = Plan { traffic: Traffic::Replay(Recording::default()), ..plan.clone() };
        assert_eq!(load_increase(&replayed), None);
        let clients = &mut plan.dependencies.clients;
        clients.population = Population::Closed { users: 9, think: Law::ZERO };
        assert_eq!(load_increase(&plan), None);
    }
}
