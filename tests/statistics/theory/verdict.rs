//! Whether a measured value agrees with the true one.

use crate::Effort;
use crate::theory::vectors::Vector;

/// A tolerance above this part of the value says nothing of it.
const BLUNT: f64 = 1.0 / 3.0;

/// Standard errors in half of a 95 % interval over 30 replications: Student's t of 29 degrees.
pub const T_95_OF_30: f64 = 2.045;

/// What a run says of a quantity.
#[derive(Clone, Debug)]
pub struct Measured {
    pub got: f64,
    /// Its standard error, estimated from independent replications; `None` = none to speak of.
    pub error: Option<f64>,
    pub accept: Accept,
}

/// How far the measured value may be off.
#[derive(Clone, Debug)]
pub enum Accept {
    /// By the vector's tolerance times this factor, which accounts for the size of the run.
    Stated(f64),
    /// By four of the run's own standard errors: the vector states no tolerance. With the 50
    /// replications or more that every such run has, a correct model is refused once in 4 600.
    FourErrors,
    /// By this much, derived where it is used.
    Within(f64),
    /// The run or the model cannot tell.
    Unanswered(&'static str),
}

impl Measured {
    /// A value judged by the vector's tolerance for a run of the stated size.
    pub fn stated((got, error): (f64, f64), factor: f64) -> Self {
        Measured { got, error: Some(error), accept: Accept::Stated(factor) }
    }

    /// A value judged by its own standard error.
    pub fn by_error((got, error): (f64, f64)) -> Self {
        Measured { got, error: Some(error), accept: Accept::FourErrors }
    }

    /// No value.
    pub fn unanswered(reason: &'static str) -> Self {
        Measured { got: f64::NAN, error: None, accept: Accept::Unanswered(reason) }
    }
}

/// A judged vector.
pub struct Verdict {
    pub vector: Vector,
    pub measured: Measured,
    pub outcome: Outcome,
}

/// The judgement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// Within the tolerance.
    Passed { tolerance: f64 },
    /// Not within it.
    Failed { tolerance: f64 },
    /// Not judged.
    NotCovered(&'static str),
}

/// Judges a vector. A tolerance that is wide against the value fails it, or in a sample, which is
/// small on purpose, leaves it open.
pub fn judge(vector: Vector, measured: Measured, effort: Effort) -> Verdict {
    let tolerance = match measured.accept {
        Accept::Stated(factor) => vector.tolerance.around(vector.value).map(|most| most * factor),
        Accept::FourErrors => measured.error.map(|error| 4.0 * error),
        Accept::Within(most) => Some(most),
        Accept::Unanswered(reason) => {
            return Verdict { vector, measured, outcome: Outcome::NotCovered(reason) };
        }
    };
    // A missing tolerance and a value that is no number both fail.
    let tolerance = tolerance.unwrap_or(f64::NAN);
    let agrees = (measured.got - vector.value).abs() <= tolerance;
    let is_blunt = vector.value != 0.0 && tolerance > BLUNT * vector.rarer().abs();
    let outcome = match (agrees, is_blunt, effort) {
        (true, true, Effort::Sample) => Outcome::NotCovered(
            "the sample is too small: the tolerance is above a third of the value",
        ),
        (true, false, _) => Outcome::Passed { tolerance },
        _ => Outcome::Failed { tolerance },
    };
    Verdict { vector, measured, outcome }
}

/// Mean and its standard error.
pub fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0) / count).sqrt())
}
