//! Loads as they can be drawn, and the demand that capacities are compared with.

use crate::plot::layout::MOST_LOAD;
use crate::units::Rate;

/// A load, or a cost, that has a place on an axis.
pub(crate) fn sound(load: f64) -> Option<f64> {
    (0.0..=MOST_LOAD).contains(&load).then_some(load)
}

/// A capacity between the ends of its interval, if it has a place on an axis.
pub(crate) fn interval(low: f64, point: f64, high: f64) -> Option<(f64, f64, f64)> {
    let point = sound(point)?;
    let end = |end: f64| sound(end).unwrap_or(point);
    Some((end(low).min(point), point, end(high).max(point)))
}

/// The demand, if it has a place on an axis, and its name.
pub(crate) fn known(demand: &Option<(f64, String)>) -> Option<(f64, &str)> {
    demand.as_ref().and_then(|(load, name)| Some((sound(*load)?, name.as_str())))
}

/// A capacity with its interval in words.
pub(crate) fn words((low, point, high): (f64, f64, f64)) -> String {
    format!("{} ({} to {})", Rate(point), Rate(low), Rate(high))
}
