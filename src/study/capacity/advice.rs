//! Which gateway carries the demand, and for how long as the demand grows.

use crate::study::capacity::finding::{Candidate, Finding};
use crate::study::capacity::search::Capacity;
use crate::study::cost::Prices;
use crate::verdict::Overall;

/// Whether a candidate carries the demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    /// With confidence.
    Yes,
    /// With confidence not.
    No,
    /// The demand lies within an interval, or a search was stopped.
    Undecided,
}

/// The least load that a capacity is sure to reach.
pub fn sure(capacity: Capacity) -> f64 {
    match capacity {
        Capacity::Between { low, .. } | Capacity::AtLeast(low) => low,
        Capacity::AtMost(_) | Capacity::Nothing | Capacity::Stopped => 0.0,
    }
}

/// The load that a capacity is sure not to exceed.
fn limit(capacity: Capacity) -> f64 {
    match capacity {
        Capacity::Between { high, .. } | Capacity::AtMost(high) => high,
        Capacity::Nothing => 0.0,
        Capacity::AtLeast(_) | Capacity::Stopped => f64::INFINITY,
    }
}

/// The finding of the mode in which a candidate carries least: of those that rule the demand out,
/// else of those that leave it open, else of all, that which is sure of least, or else may come to
/// least. `None` without findings.
pub fn weakest(findings: &[Finding], candidate: usize, demand: f64) -> Option<&Finding> {
    let own = findings.iter().filter(|finding| finding.candidate == candidate);
    let rank = |finding: &Finding| {
        let order = match carried(finding, demand) {
            Carries::No => 0,
            Carries::Undecided => 1,
            Carries::Yes => 2,
        };
        (order, sure(finding.capacity), limit(finding.capacity))
    };
    own.min_by(|a, b| {
        let (a, b) = (rank(a), rank(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2))
    })
}

/// Whether a candidate carries `demand` in all `modes`.
pub fn carries(findings: &[Finding], candidate: usize, modes: usize, demand: f64) -> Carries {
    let own = findings.iter().filter(|finding| finding.candidate == candidate);
    let each: Vec<Carries> = own.map(|finding| carried(finding, demand)).collect();
    if each.contains(&Carries::No) {
        return Carries::No;
    }
    match each.len() == modes && modes > 0 && each.iter().all(|one| *one == Carries::Yes) {
        true => Carries::Yes,
        false => Carries::Undecided,
    }
}

/// Whether `demand` is carried in one mode: by the capacity, unless the demand itself was tried and
/// misses, or is not sure to meet the objectives. What lies above a band that misses is not: the
/// load that grows to it, or falls from it, passes through.
pub fn carried(finding: &Finding, demand: f64) -> Carries {
    let by_itself = finding.at(demand).map(|probe| probe.excess);
    match (finding.capacity, by_itself) {
        (capacity, _) if limit(capacity) < demand => Carries::No,
        (_, Some(excess)) if excess.least > 0.0 => Carries::No,
        (_, Some(excess)) if excess.most >= 0.0 => Carries::Undecided,
        (capacity, _) if sure(capacity) >= demand => Carries::Yes,
        _ => Carries::Undecided,
    }
}

/// Whether a gateway is fit for the demand, if it carries it and its months are like this: what is
/// not demanded of them is no hindrance.
pub fn fit(carries: Carries, months: Overall) -> Carries {
    match (carries, months) {
        (Carries::Yes, Overall::Missed) => Carries::No,
        (Carries::Yes, Overall::Undecided) => Carries::Undecided,
        _ => carries,
    }
}

/// The cheapest of the candidates that carry the demand; of several the first. One without a price
/// comes last if prices were `given`. Else prices are entitlements, and what takes none of the
/// usual kind, a Small, comes first.
pub fn choose(carries: &[Carries], prices: &[Option<f64>], given: bool) -> Option<usize> {
    let unpriced = if given { f64::INFINITY } else { f64::NEG_INFINITY };
    let able = (0..carries.len()).filter(|index| carries[*index] == Carries::Yes);
    able.min_by(|a, b| {
        let price = |index: &usize| prices[*index].unwrap_or(unpriced);
        price(a).total_cmp(&price(b)).then(a.cmp(b))
    })
}

/// Which candidate is recommended: of those that carry the demand, have such months and are for
/// sale.
pub fn recommended(
    candidates: &[Candidate],
    findings: &[Finding],
    months: &[Overall],
    demand: f64,
    prices: &Prices,
) -> Option<usize> {
    let each = 0..candidates.len();
    let carries = |index: usize| match candidates[index].scenario.what_if {
        Some(_) => Carries::No,
        None => {
            let carries = carries(findings, index, candidates[index].modes.len(), demand);
            fit(carries, months[index])
        }
    };
    let carries: Vec<Carries> = each.clone().map(carries).collect();
    let price = |index: usize| prices.of(&candidates[index].scenario).amount;
    choose(&carries, &each.map(price).collect::<Vec<_>>(), prices.are_given())
}

/// The finding that the choice hangs on: of the candidate that is recommended, or else of the last,
/// in the mode in which it carries least.
pub fn critical_case<'a>(
    candidates: &[Candidate],
    findings: &'a [Finding],
    recommended: Option<usize>,
    demand: f64,
) -> Option<&'a Finding> {
    let candidate = recommended.unwrap_or(candidates.len().saturating_sub(1));
    weakest(findings, candidate, demand)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::capacity::finding::made_up;
    use crate::study::mode::Mode;

    fn finding(candidate: usize, mode: Mode, capacity: Capacity) -> Finding {
        Finding { candidate, capacity, ..Finding::none(mode) }
    }

    fn between(low: f64, high: f64) -> Capacity {
        Capacity::Between { low, point: (low + high) / 2.0, high }
    }

    #[test]
    fn every_mode_has_to_carry_the_demand() {
        let found = |healthy, lost| {
            let all = [finding(0, Mode::Healthy, healthy), finding(0, Mode::ZoneLoss, lost)];
            carries(&all, 0, 2, 100.0)
        };
        assert_eq!(found(between(150.0, 160.0), between(100.0, 110.0)), Carries::Yes);
        assert_eq!(found(between(150.0, 160.0), between(99.0, 101.0)), Carries::Undecided);
        assert_eq!(found(between(150.0, 160.0), between(80.0, 99.0)), Carries::No);
        assert_eq!(found(Capacity::AtLeast(300.0), Capacity::Nothing), Carries::No);
        assert_eq!(found(Capacity::Stopped, between(150.0, 160.0)), Carries::Undecided);
        let one = [finding(0, Mode::Healthy, between(150.0, 160.0))];
        assert_eq!(carries(&one, 0, 2, 100.0), Carries::Undecided);
    }

    #[test]
    fn the_demand_itself_has_a_say() {
        let with = |capacity, least, most| {
            let probe = made_up(100.0, least, (least + most) / 2.0, most);
            carried(&Finding { probes: vec![probe], ..finding(0, Mode::Healthy, capacity) }, 100.0)
        };
        assert_eq!(with(between(150.0, 160.0), -0.2, -0.1), Carries::Yes);
        assert_eq!(with(between(150.0, 160.0), -0.2, 0.1), Carries::Undecided);
        assert_eq!(with(Capacity::AtMost(150.0), 0.1, 0.2), Carries::No);
        // Above a band it is met, and not carried.
        assert_eq!(with(between(50.0, 60.0), -0.2, -0.1), Carries::No);
    }

    #[test]
    fn the_cheapest_that_carries_it_is_chosen() {
        use Carries::{No, Undecided, Yes};
        assert_eq!(choose(&[No, Yes, Yes], &[None, Some(2.0), Some(1.0)], false), Some(2));
        assert_eq!(choose(&[Yes, Yes, Yes], &[None, Some(1.0), Some(2.0)], false), Some(0));
        assert_eq!(choose(&[Yes, Yes, Yes], &[None, Some(1.0), Some(2.0)], true), Some(1));
        assert_eq!(choose(&[No, Undecided], &[None, Some(1.0)], false), None);
    }

    #[test]
    fn months_that_are_missed_or_undecided_stand_in_the_way() {
        use Carries::{No, Undecided, Yes};
        let fits = |carries| {
            [Overall::NoObjectives, Overall::Met, Overall::Undecided, Overall::Missed]
                .map(|months| fit(carries, months))
        };
        assert_eq!(fits(Yes), [Yes, Yes, Undecided, No]);
        assert_eq!((fits(Undecided), fits(No)), ([Undecided; 4], [No; 4]));
    }

    #[test]
    fn the_weakest_mode_is_that_with_the_least_sure_load() {
        let all = [
            finding(1, Mode::Healthy, between(150.0, 160.0)),
            finding(1, Mode::ZoneLoss, between(90.0, 110.0)),
            finding(0, Mode::Healthy, between(1.0, 2.0)),
        ];
        assert_eq!(weakest(&all, 1, 100.0).unwrap().mode, Mode::ZoneLoss);
        assert_eq!(weakest(&all, 7, 100.0), None);
    }

    #[test]
    fn what_rules_the_demand_out_comes_before_what_is_sure_of_nothing() {
        let all = [
            finding(0, Mode::Healthy, Capacity::AtMost(600.0)),
            finding(0, Mode::ReplicaLoss, Capacity::Stopped),
            finding(0, Mode::ZoneLoss, between(300.0, 400.0)),
        ];
        let mode = |demand| weakest(&all, 0, demand).unwrap().mode;
        assert_eq!(mode(500.0), Mode::ZoneLoss);
        assert_eq!(mode(700.0), Mode::Healthy);
        assert_eq!(mode(200.0), Mode::Healthy);
    }
}
