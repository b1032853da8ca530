//! The charts of a capacity plan: capacity by gateway and mode, cost against capacity, headroom
//! against growth.

use crate::plot::Figure;
use crate::plot::capacity::{
    CapacityBand, CapacityFound, CapacityGroup, CapacityInput, CapacityRow, capacity as draw,
};
use crate::plot::frontier::{FrontierInput, FrontierPoint, frontier};
use crate::plot::headroom::{HeadroomInput, HeadroomTier, headroom};
use crate::report::availability::beside;
use crate::report::plan::report::CapacityReport;
use crate::report::plan::text::{headline, lasts};
use crate::report::plan::words;
use crate::study::capacity::finding::Finding;
use crate::study::capacity::regimes::Cause;
use crate::study::capacity::search::{Band, Capacity};

/// The charts, each with the name of its files.
pub fn charts(report: &CapacityReport) -> Vec<(&'static str, Figure)> {
    let mut charts = vec![("capacity", capacity(report))];
    let weakest = weakest(report);
    charts.extend(costs(report, &weakest).map(|figure| ("frontier", figure)));
    if !weakest.is_empty() {
        charts.push(("headroom", growth(report, &weakest)));
    }
    let sample = format!("at {}, seed {}", demand(report).1, report.base().plan.run.seed);
    let budgets = beside::chart(report.prices.unit(), &sample, &report.beside());
    charts.extend(budgets.map(|figure| ("budgets", figure)));
    charts
}

fn demand(report: &CapacityReport) -> (f64, String) {
    (report.demand, format!("demand: {}", words::demand(report.demand)))
}

fn capacity(report: &CapacityReport) -> Figure {
    let row = |finding: &Finding| CapacityRow {
        mode: finding.mode.label().to_owned(),
        found: found(finding.capacity),
        bands: finding.bands.iter().map(band).collect(),
        theory: Some(finding.theory),
        words: finding.binding.as_ref().map_or_else(String::new, words::short),
    };
    let group = |(index, candidate): (usize, &crate::study::capacity::finding::Candidate)| {
        CapacityGroup { name: candidate.name.clone(), rows: report.of(index).map(row).collect() }
    };
    draw(&CapacityInput {
        title: &headline(report).for_charts(),
        subtitle: &format!(
            "{}; diamonds: the load at which the CPU of all replicas left is full.",
            report.sample()
        ),
        arrivals: report.arrivals(),
        demand: Some(demand(report)),
        groups: report.candidates.iter().enumerate().map(group).collect(),
    })
}

fn band((band, _): &(Band, Option<Cause>)) -> CapacityBand {
    CapacityBand { missed: (band.from, band.to), passed: (band.again, band.until) }
}

fn found(capacity: Capacity) -> CapacityFound {
    match capacity {
        Capacity::Between { low, point, high } if high.is_finite() => {
            CapacityFound::Between { low, point, high }
        }
        Capacity::Between { low, .. } | Capacity::AtLeast(low) => CapacityFound::AtLeast(low),
        Capacity::AtMost(high) if high.is_finite() => {
            CapacityFound::Nothing(format!("less than {}/s", words::load(high)))
        }
        Capacity::AtMost(_) => CapacityFound::Nothing("undecided".to_owned()),
        Capacity::Nothing => CapacityFound::Nothing("no load meets the objectives".to_owned()),
        Capacity::Stopped => CapacityFound::Nothing("stopped before it was found".to_owned()),
    }
}

/// A candidate's capacity in its weakest mode, as an interval.
struct Least {
    candidate: usize,
    low: f64,
    point: f64,
    high: f64,
}

fn weakest(report: &CapacityReport) -> Vec<Least> {
    let one = |candidate: usize| {
        let complete = report.of(candidate).count() == report.candidates[candidate].modes.len();
        let weakest = report.weakest(candidate).filter(|_| complete)?;
        match weakest.capacity {
            Capacity::Between { low, point, high } if high.is_finite() => {
                Some(Least { candidate, low, point, high })
            }
            Capacity::AtLeast(low) => Some(Least { candidate, low, point: low, high: low }),
            _ => None,
        }
    };
    (0..report.candidates.len()).filter_map(one).filter(|least| least.point > 0.0).collect()
}

fn costs(report: &CapacityReport, weakest: &[Least]) -> Option<Figure> {
    let point = |least: &Least| {
        let cost = report.cost(least.candidate).amount?;
        let label = report.candidates[least.candidate].name.clone();
        Some(FrontierPoint { label, cost, low: least.low, point: least.point, high: least.high })
    };
    let points: Vec<FrontierPoint> = weakest.iter().filter_map(point).collect();
    if points.len() < 2 {
        return None;
    }
    let unpriced: Vec<&str> = (weakest.iter())
        .filter(|least| report.cost(least.candidate).amount.is_none())
        .map(|least| report.candidates[least.candidate].name.as_str())
        .collect();
    let without = match unpriced.is_empty() {
        true => String::new(),
        false => format!(" Without a price: {}.", unpriced.join(", ")),
    };
    Some(frontier(&FrontierInput {
        title: "What each gateway carries in its weakest mode, and what it costs",
        subtitle: &format!("{}.{without}", report.sample()),
        cost_label: report.prices.unit(),
        points,
        arrivals: report.arrivals(),
        demand: Some(demand(report)),
    }))
}

fn growth(report: &CapacityReport, weakest: &[Least]) -> Figure {
    let tier = |least: &Least| HeadroomTier {
        name: report.candidates[least.candidate].name.clone(),
        low: least.low,
        point: least.point,
        high: least.high,
    };
    headroom(&HeadroomInput {
        title: &growth_title(report),
        subtitle: &format!("In the weakest mode of each; {}.", report.sample()),
        demand: report.demand,
        tiers: weakest.iter().map(tier).collect(),
    })
}

fn growth_title(report: &CapacityReport) -> String {
    let Some(chosen) = report.chosen() else {
        return format!(
            "No gateway is sure to carry {} in every mode",
            words::demand(report.demand)
        );
    };
    let name = &report.candidates[chosen].name;
    match report.weakest(chosen).and_then(|weakest| lasts(report, weakest.capacity)) {
        Some(growth) => format!("{name} lasts until {growth} traffic"),
        None => format!("{name} carries {} in every mode", words::demand(report.demand)),
    }
}
