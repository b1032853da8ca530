//! How far replications differ, bin by bin: a light area behind the one that is drawn.

use crate::observe::timeline::BinTrace;
use crate::plot::canvas::{Figure, Role};
use crate::plot::layout::{Frame, lines as marks};
use crate::units::Span;

/// The part of the replications that lies below a band, and above it.
const BEYOND: f64 = 0.1;
/// Opacity of a band.
const LIGHT: f64 = 0.22;

/// Where a value lies in most replications: the middle of a bin in seconds, least and greatest.
pub(crate) type BandPoint = (f64, f64, f64);

/// How far replications differ.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimelineBands {
    /// How many there are.
    pub replications: usize,
    /// Whether the bands reach from the least to the greatest of all; else they leave out a tenth
    /// of the replications at either end.
    pub is_all: bool,
    pub(crate) served: Vec<BandPoint>,
    pub(crate) failed: Vec<BandPoint>,
    pub(crate) p99: Vec<BandPoint>,
}

impl TimelineBands {
    /// The bands of several replications with bins of this width; `None` of fewer than two.
    pub fn of(traces: &[&[BinTrace]], bin: Span) -> Option<TimelineBands> {
        let bins = traces.iter().map(|trace| trace.len()).min().filter(|_| traces.len() > 1)?;
        let width = bin.as_secs();
        let band = |of: &dyn Fn(&BinTrace) -> Option<f64>| {
            let point = |index: usize| {
                let mut values: Vec<f64> =
                    traces.iter().filter_map(|trace| of(&trace[index])).collect();
                values.sort_by(f64::total_cmp);
                let (low, high) = ends(values.len())?;
                Some(((index as f64 + 0.5) * width, values[low], values[high]))
            };
            (0..bins).filter_map(point).collect()
        };
        Some(TimelineBands {
            replications: traces.len(),
            is_all: ends(traces.len()) == Some((0, traces.len() - 1)),
            served: band(&|bin| Some(bin.served as f64 / width)),
            failed: band(&|bin| Some(bin.failed as f64 / width)),
            p99: band(&|bin| bin.p99.map(|p99| p99.as_secs())),
        })
    }
}

/// The ranks, from 0, at which a band of so many values ends.
fn ends(count: usize) -> Option<(usize, usize)> {
    let beyond = (BEYOND * count as f64).ceil() as usize;
    (count > 0).then(|| (beyond.max(1) - 1, count - beyond.max(1)))
}

/// The greatest value of a band.
pub(crate) fn peak(band: &[BandPoint]) -> f64 {
    band.iter().fold(0.0, |most, point| most.max(point.2))
}

/// Draws a band behind what follows.
pub(crate) fn draw(figure: &mut Figure, frame: &Frame, band: &[BandPoint], role: Role) {
    if band.len() > 1 {
        figure.fills(marks::band(frame, band), role, LIGHT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_leaves_out_a_tenth_at_either_end() {
        let of = |count: u64| {
            let trace =
                |failed| vec![BinTrace { served: 4, failed: 2 * failed, ..BinTrace::default() }; 3];
            let traces: Vec<Vec<BinTrace>> = (0..count).rev().map(trace).collect();
            let traces: Vec<&[BinTrace]> = traces.iter().map(|trace| &trace[..]).collect();
            TimelineBands::of(&traces, Span::from_secs(2.0))
        };
        assert_eq!(of(1), None);
        let few = of(5).unwrap();
        assert_eq!((few.failed[2], few.is_all), ((5.0, 0.0, 4.0), true));
        let many = of(20).unwrap();
        assert_eq!((many.failed[0], many.is_all), ((1.0, 1.0, 18.0), false));
        assert_eq!(
            (many.served[1], many.p99.len(), peak(&many.failed)),
            ((3.0, 2.0, 2.0), 0, 18.0)
        );
    }
}
