//! The largest load that meets all objectives, from experiments that are noisy.
//!
//! ```text
//!  excess │                               ╱ most    An experiment at a load tells by how much
//!         │                         ╱   ╱           each objective is exceeded: the point, and
//!       0 ┼──────────────────●────●───●─── load     what the interval leaves possible, least
//!         │ ╱         ╱    low point high           and most. Below zero it is met.
//! ```
//!
//! Below `low` every objective is met with confidence, above `high` some objective is missed with
//! confidence, between the two the experiments do not decide. That is the confidence interval of
//! the capacity: at the true capacity the interval of the figure contains the bound as often as it
//! claims, and then the search puts that load between `low` and `high` (a test turned into an
//! interval: Neyman, Phil. Trans. R. Soc. A 236, 1937). How the search got there does not matter,
//! as the number of replications at a load is fixed before.
//!
//! Every load has the same random numbers, so that excesses are smooth functions of the load, and
//! roots are found by the regula falsi, kept from stalling by alternating sides. Ends are rounded
//! outwards to the loads that were tried.
//!
//! A capacity is the largest load below which every load passes. More load may be better all the
//! same: it brings another replica, or fills a cache. Where that may be is known before; the search
//! passes over none of these loads on its way up, and ends at the lowest load that misses. Where
//! more load may be better beyond it is tried last: loads that miss below loads that meet are a
//! [`Band`]. Assumed: between the loads that are watched more load is worse.

use std::ops::RangeInclusive;

pub use crate::study::capacity::excess::Excess;

/// What a search found, in the unit of the load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Capacity {
    /// With confidence between `low` and `high`; `low` is zero if no load was shown to be carried,
    /// `high` infinite if none was shown not to be.
    Between {
        /// The largest load tried that meets the objectives with confidence.
        low: f64,
        /// Where the points cross the bound.
        point: f64,
        /// The smallest load tried that misses an objective with confidence.
        high: f64,
    },
    /// More than the greatest load that was to be tried.
    AtLeast(f64),
    /// Less than this: there a load misses an objective with confidence, and the least load that
    /// was to be tried is not shown to meet them.
    AtMost(f64),
    /// Even the least load that was to be tried misses an objective with confidence.
    Nothing,
    /// It was stopped.
    Stopped,
}

/// Loads that miss an objective with confidence, below greater ones that meet all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// The least load tried that misses.
    pub from: f64,
    /// The greatest load tried that misses.
    pub to: f64,
    /// The least load tried above it that meets all.
    pub again: f64,
    /// The greatest load tried that meets all before one misses again.
    pub until: f64,
}

/// Where to search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The least load that counts.
    pub least: f64,
    /// The load to begin with.
    pub guess: f64,
    /// The greatest load that counts.
    pub most: f64,
    /// Beyond this everything misses, whatever is tried: all replicas are full.
    pub full: f64,
    /// How far apart two loads may be that are not told apart, such as 0.005.
    pub tolerance: f64,
    /// A capacity that is known to this share is known well enough; twice that far from the demand.
    pub enough: f64,
    /// A load that is to be known to lie below or above the capacity, if that can be.
    pub demand: Option<f64>,
}

/// A load beside which more load may be better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Watched {
    /// The load.
    pub load: f64,
    /// How many replications it is worth.
    pub look: Look,
    /// Whether it lies beyond where a change begins: more load may be better from here on.
    pub is_beyond: bool,
}

/// How many replications a load is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// A few, which decide a load that is clear.
    Few,
    /// All, if a few do not decide.
    All,
}

/// The first step away from the guess, as a factor; it grows.
const STRIDE: f64 = 1.045;
/// A capacity that is this factor from the demand need be known half as well.
const FAR: f64 = 1.25;
/// A load that is not decided serves in place of another if its distance from the middle is this
/// part of that one's.
const ALIKE: RangeInclusive<f64> = 0.8..=1.5;
/// Loads nearer to a capacity than this part of its interval are not worth more replications.
const NEAREST: f64 = 0.25;
/// Experiments at one root at most; more would mean that excesses jump about.
const STEPS_MOST: usize = 24;

/// Searches in `range`, where more load may be better at the loads that are `watched`; `evaluate`
/// gives the excess at a load, or `None` if it was stopped. What it gave for a few replications and
/// is decided it gives for all.
///
/// At first every load gets a few replications, unless it is watched more closely. If then the
/// capacity is not known well enough, or not on which side of it the demand lies, loads that are
/// not decided get all of them, those near the capacity first.
pub fn search(
    range: Range,
    watched: &[Watched],
    evaluate: impl FnMut(f64, Look) -> Option<Excess>,
) -> Capacity {
    let mut search = Search::new(range, watched, evaluate);
    search.run().unwrap_or(Capacity::Stopped)
}

/// The bands among the loads that were `tried`, in order of load: in each some load misses plainly.
pub fn bands(tried: &[(f64, Excess)]) -> Vec<Band> {
    let mut bands: Vec<Band> = Vec::new();
    let mut missed: Vec<(f64, Excess)> = Vec::new();
    // Whether all loads since the last band was over met the objectives.
    let mut is_met = false;
    for (load, excess) in tried {
        if excess.least > 0.0 {
            missed.push((*load, *excess));
            is_met = false;
        } else if excess.most < 0.0 {
            let is_plain = missed.iter().any(|(_, excess)| excess.misses_plainly());
            let ends = missed.first().zip(missed.last()).filter(|_| is_plain);
            match (ends, bands.last_mut()) {
                (Some(((from, _), (to, _))), _) => {
                    bands.push(Band { from: *from, to: *to, again: *load, until: *load });
                    is_met = true;
                }
                (None, Some(last)) if is_met => last.until = *load,
                (None, _) => {}
            }
            missed.clear();
        } else {
            is_met = false;
        }
    }
    bands
}

/// Where the points alone cross zero; `None` if they do not within the range, or it was stopped.
pub fn crossing_of_points(
    range: Range,
    mut evaluate: impl FnMut(f64) -> Option<Excess>,
) -> Option<f64> {
    let evaluate = |load, _| evaluate(load);
    let mut search = Search::new(range, &[], evaluate);
    search.at(range.guess)?;
    let (below, above) = search.root(Part::Point, Pair::Lowest, STRIDE)?;
    Some(crossing(below?, above?))
}

struct Search<F> {
    range: Range,
    /// Within the range, in order of load.
    watched: Vec<Watched>,
    look: Look,
    /// Where the points cross the bound, once that is known.
    middle: f64,
    evaluate: F,
    /// In order of load.
    tried: Vec<(f64, Excess)>,
}

/// Which of the three excesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Least,
    Point,
    Most,
}

impl Part {
    fn of(self, excess: &Excess) -> f64 {
        match self {
            Part::Least => excess.least,
            Part::Point => excess.point,
            Part::Most => excess.most,
        }
    }

    /// Whether it counts as missed. What reaches the bound and no farther is neither missed with
    /// confidence nor met with confidence.
    fn exceeds(self, excess: &Excess) -> bool {
        match self {
            Part::Least | Part::Point => self.of(excess) > 0.0,
            Part::Most => self.of(excess) >= 0.0,
        }
    }
}

/// A load and its excess, of the one kind.
type Tried = (f64, f64);

/// Two loads next to each other, of which the lower does not exceed and the upper does, as far as
/// there are such.
type Bracket = (Option<Tried>, Option<Tried>);

/// Which pair of loads counts if excesses jump about: that which claims less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pair {
    /// All loads below do not exceed.
    Lowest,
    /// All loads above exceed, as far as the first that leaves no doubt.
    Highest,
}

impl<F: FnMut(f64, Look) -> Option<Excess>> Search<F> {
    fn new(range: Range, watched: &[Watched], evaluate: F) -> Search<F> {
        let place = |one: &Watched| Watched { load: rounded(one.load), ..*one };
        let within = |one: &Watched| (range.least..=range.most).contains(&one.load);
        let mut watched: Vec<Watched> = watched.iter().map(place).filter(within).collect();
        watched.sort_by(|a, b| a.load.total_cmp(&b.load));
        Search { range, watched, look: Look::Few, middle: 0.0, evaluate, tried: Vec::new() }
    }

    fn run(&mut self) -> Option<Capacity> {
        self.approach()?;
        self.find()?;
        self.beyond()?;
        let found = self.find()?;
        if self.is_known() || found == Capacity::Nothing {
            return Some(found);
        }
        self.look_closer(found)?;
        self.find()
    }

    /// Tries what is watched below the guess, as far as none of it misses, and the guess.
    fn approach(&mut self) -> Option<()> {
        let loads = self.watched.iter().map(|watched| watched.load);
        let below: Vec<f64> = loads.filter(|load| *load < self.range.guess).collect();
        for load in below {
            if Part::Point.exceeds(&self.at(load)?) {
                return Some(());
            }
        }
        self.at(self.range.guess).map(|_| ())
    }

    /// Tries where more load may be better, above the loads that were tried; and where it is worst
    /// before it may be better again, unless it misses already.
    fn beyond(&mut self) -> Option<()> {
        let (watched, greatest) = (self.watched.clone(), self.greatest());
        let mut misses = true;
        for one in watched.iter().filter(|one| one.load > greatest) {
            if one.is_beyond || !misses {
                misses = Part::Point.exceeds(&self.at(one.load)?);
            }
        }
        Some(())
    }

    /// Gives all replications to the loads that are not decided, those near the capacity first.
    fn look_closer(&mut self, found: Capacity) -> Option<()> {
        self.look = Look::All;
        let point = match found {
            Capacity::Between { point, .. } => point,
            _ => self.range.guess,
        };
        let distance = |index: &usize| (self.tried[*index].0 / point).ln().abs();
        let is_open = |index: &usize| !self.tried[*index].1.is_decided();
        let mut open: Vec<usize> = (0..self.doubt()).filter(is_open).collect();
        // More replications leave what is nearest undecided.
        let farthest = open.iter().map(distance).fold(0.0, f64::max);
        open.retain(|index| distance(index) >= NEAREST * farthest);
        open.sort_by(|a, b| distance(a).total_cmp(&distance(b)));
        for index in open {
            if self.is_known() {
                break;
            }
            self.again(index)?;
        }
        Some(())
    }

    fn find(&mut self) -> Option<Capacity> {
        match self.root(Part::Point, Pair::Lowest, STRIDE)? {
            (Some(below), Some(above)) => {
                let point = crossing(below, above);
                self.middle = point;
                self.enough_apart()?;
                let low = self.root(Part::Most, Pair::Lowest, 1.02)?.0;
                let high = self.root(Part::Least, Pair::Highest, 1.02)?.1;
                let low = low.map_or(0.0, |(load, _)| load);
                let high = high.map_or(f64::INFINITY, |(load, _)| load);
                Some(Capacity::Between { low, point: point.clamp(low, high), high })
            }
            (_, None) => {
                let low = self.root(Part::Most, Pair::Lowest, 1.02)?.0;
                Some(Capacity::AtLeast(low.map_or(0.0, |(load, _)| load)))
            }
            (None, _) if self.tried.first().is_some_and(|(_, least)| least.least > 0.0) => {
                Some(Capacity::Nothing)
            }
            (None, _) => {
                let high = self.root(Part::Least, Pair::Highest, 1.02)?;
                Some(match high {
                    (None, Some(_)) => Capacity::Nothing,
                    (_, Some((load, _))) => Capacity::AtMost(load),
                    (_, None) => Capacity::AtMost(f64::INFINITY),
                })
            }
        }
    }

    /// Tries two loads thoroughly between which the capacity is known well enough: that is less
    /// work than to find out where few replications stop to decide.
    fn enough_apart(&mut self) -> Option<()> {
        if self.is_known() || self.range.enough == 0.0 {
            return Some(());
        }
        // A little less, as loads are rounded.
        let whole = 1.0 + 0.96 * self.enough();
        let least = self.middle / whole.sqrt();
        if self.ends().0.is_none_or(|low| low < least) {
            self.thoroughly(least)?;
        }
        let (low, high) = self.ends();
        let most = self.middle * whole.sqrt();
        let most = low.map_or(most, |low| most.min(low * whole)).max(self.middle);
        if high.is_none_or(|high| most < high) {
            self.thoroughly(self.above(self.middle, most / self.middle))?;
        }
        if self.is_doubtful() {
            self.thoroughly(self.above(self.greatest(), STRIDE))?;
        }
        Some(())
    }

    /// Gives all replications to a load, or to one nearly as far from the middle, or farther by
    /// little, that was not decided.
    fn thoroughly(&mut self, load: f64) -> Option<()> {
        self.look = Look::All;
        let (middle, far) = (self.middle, (load / self.middle).ln());
        let is_beyond = |(other, excess): &(f64, Excess)| {
            !excess.is_decided() && ALIKE.contains(&((other / middle).ln() / far))
        };
        match self.tried.iter().position(is_beyond) {
            Some(index) => self.again(index)?,
            None => self.at(load).map(|_| ())?,
        }
        self.look = Look::Few;
        Some(())
    }

    /// The ends of the interval, as far as it has some.
    fn ends(&self) -> (Option<f64>, Option<f64>) {
        let (low, _) = self.bracket(Part::Most, Pair::Lowest);
        let (_, high) = self.bracket(Part::Least, Pair::Highest);
        (low.map(|(load, _)| load), high.map(|(load, _)| load))
    }

    /// Whether the demand lies within the interval, widened by a factor.
    fn is_near(&self, reach: f64) -> Option<bool> {
        let (low, high) = self.ends();
        let (low, high) = (low.unwrap_or(0.0), high.unwrap_or(f64::INFINITY));
        self.range.demand.map(|demand| low / reach < demand && demand < high * reach)
    }

    /// Whether it is open on which side of the capacity the demand lies.
    fn is_open(&self) -> bool {
        self.is_near(1.0) == Some(true)
    }

    /// To what share the capacity is to be known.
    fn enough(&self) -> f64 {
        self.range.enough * if self.is_near(FAR) == Some(false) { 2.0 } else { 1.0 }
    }

    /// Whether the capacity is known well enough, and on which side of it the demand lies.
    fn is_known(&self) -> bool {
        match self.ends() {
            (Some(low), Some(high)) => {
                let is_narrow = high / low <= 1.0 + self.enough();
                is_narrow && !self.is_open() && !self.is_doubtful()
            }
            (Some(low), None) => {
                let (_, above) = self.bracket(Part::Most, Pair::Lowest);
                above.is_none() && low >= self.range.most
            }
            (None, _) => false,
        }
    }

    /// Encloses the root of one kind of excess, first in steps of the factor `stride`, then as
    /// closely as the tolerance asks for. An end is missing if the range has no root. The ends of
    /// an interval are looked for from its middle outwards.
    fn root(&mut self, of: Part, pair: Pair, stride: f64) -> Option<Bracket> {
        self.enclose(of, pair, stride)?;
        let mut stride = stride;
        for step in 0..STEPS_MOST {
            let (Some(below), Some(above)) = self.bracket(of, pair) else { break };
            let next = aim(below, above, self.range.tolerance, step);
            let next = rounded(match of {
                Part::Least => next.min(below.0 * stride),
                Part::Most => next.max(above.0 / stride),
                Part::Point => next,
            });
            stride = stride.powf(1.8);
            let is_new = below.0 < next && next < above.0;
            // Where the points cross lies within the interval, so it need be no closer than that.
            let close = match of {
                Part::Point => self.range.tolerance.max(self.enough() / 2.0),
                _ => self.range.tolerance,
            };
            let is_close = above.0 / below.0 <= 1.0 + close;
            // Half of what is allowed on either side of the middle is enough.
            let half = (1.0 + self.enough()).sqrt();
            let is_half_known = match of {
                Part::Least => above.0 <= self.middle * half,
                Part::Most => below.0 >= self.middle / half,
                Part::Point => false,
            };
            let is_enough = self.is_known() || (is_half_known && !self.is_open());
            if is_close || !is_new || is_enough {
                break;
            }
            self.at(next)?;
        }
        Some(self.bracket(of, pair))
    }

    fn enclose(&mut self, of: Part, pair: Pair, mut stride: f64) -> Option<()> {
        loop {
            let next = match self.bracket(of, pair) {
                (Some((load, _)), None) if load < self.range.most => self.above(load, stride),
                (None, Some((load, _))) if load > self.range.least => load / stride,
                (_, Some(_)) if pair == Pair::Highest && self.is_doubtful() => {
                    self.above(self.greatest(), stride)
                }
                _ => return Some(()),
            };
            self.at(next)?;
            stride = stride.powf(1.8);
        }
    }

    /// A step up: hardly beyond what all replicas serve, and to that first if a closer end is worth
    /// it; over nothing that is watched.
    fn above(&self, load: f64, stride: f64) -> f64 {
        let full = rounded_down(self.range.full);
        let beyond = rounded((1.0 + self.range.tolerance) * self.range.full);
        let is_near = beyond <= load * (1.0 + self.enough());
        let next = match load * stride {
            next if load < full && next > full && is_near => beyond,
            next if load < full => next.min(full),
            next if load < beyond => next.min(beyond),
            next => next,
        };
        let watched = self.watched.iter().map(|watched| watched.load);
        watched.filter(|other| *other > load).fold(next, f64::min)
    }

    fn bracket(&self, of: Part, pair: Pair) -> Bracket {
        let exceeds = |(_, excess): &(f64, Excess)| of.exceeds(excess);
        let first = match pair {
            Pair::Lowest => self.tried.iter().position(exceeds).unwrap_or(self.tried.len()),
            Pair::Highest => {
                let last = self.tried[..self.doubt()].iter().rposition(|tried| !exceeds(tried));
                last.map_or(0, |last| last + 1)
            }
        };
        let tried = |index: usize| self.tried.get(index).map(|(load, all)| (*load, of.of(all)));
        (first.checked_sub(1).and_then(tried), tried(first))
    }

    /// How many of the loads may miss by chance what a greater one meets: those up to the first
    /// that misses plainly.
    fn doubt(&self) -> usize {
        self.plain().map_or(self.tried.len(), |plain| plain + 1)
    }

    /// Whether all that miss may do so by chance, and greater loads can tell.
    fn is_doubtful(&self) -> bool {
        self.plain().is_none() && self.greatest() < self.range.most
    }

    /// The first load that misses plainly.
    fn plain(&self) -> Option<usize> {
        self.tried.iter().position(|(_, excess)| excess.misses_plainly())
    }

    /// The greatest load that was tried.
    fn greatest(&self) -> f64 {
        self.tried.last().map_or(self.range.guess, |(load, _)| *load)
    }

    /// Looks at a load once more.
    fn again(&mut self, index: usize) -> Option<()> {
        self.tried[index].1 = (self.evaluate)(self.tried[index].0, self.look)?;
        Some(())
    }

    /// The excess at a load, from an experiment unless there was one.
    fn at(&mut self, load: f64) -> Option<Excess> {
        let load = rounded(load).clamp(self.range.least, self.range.most);
        if let Some((_, known)) = self.tried.iter().find(|(other, _)| *other == load) {
            return Some(*known);
        }
        let watched = self.watched.iter().find(|watched| watched.load == load);
        let excess = (self.evaluate)(load, watched.map_or(self.look, |watched| watched.look))?;
        let place = self.tried.partition_point(|(other, _)| *other < load);
        self.tried.insert(place, (load, excess));
        Some(excess)
    }
}

/// A load as people say it: in four digits.
pub(super) fn rounded(load: f64) -> f64 {
    format!("{load:.3e}").parse().unwrap_or(load)
}

/// The same, and not more than it is.
fn rounded_down(load: f64) -> f64 {
    let near = rounded(load);
    if near <= load { near } else { rounded(load * (1.0 - 1e-3)) }
}

/// Where the straight line between two loads crosses zero; between them if it is no line.
fn crossing(below: Tried, above: Tried) -> f64 {
    let slope = (above.1 - below.1) / (above.0 - below.0);
    let at = below.0 - below.1 / slope;
    let inside = at.is_finite() && (below.0..=above.0).contains(&at);
    if inside { at } else { (below.0 * above.0).sqrt() }
}

/// The next load to try: beside the crossing, in turn on either side of it, so that both ends come
/// close; never so near an end that little is gained.
fn aim(below: Tried, above: Tried, tolerance: f64, step: usize) -> f64 {
    let aside = 1.0 + 0.45 * tolerance;
    let at = crossing(below, above) * if step.is_multiple_of(2) { aside } else { 1.0 / aside };
    let gap = (above.0 / below.0).powf(0.1);
    at.clamp(below.0 * gap, above.0 / gap)
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
