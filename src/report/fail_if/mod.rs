//! When a study is to fail, so that it can gate a build: `--fail-if`.
//!
//! A comparison or a sweep judges nothing by itself. [`condition`] reads what would be a failure:
//! `missed` (an objective of any variant), `worse` (any figure than that of the first), or a change
//! that is too much, such as `p99 > +10%`. [`judged`] holds the paired differences against it, by
//! the one rule that objectives are judged by: only a whole interval on the wrong side is a
//! failure, and what lies within one is undecided. It says which figure it was, and by how much.
//!
//! It owns these words and asks [`crate::study::compare`] for differences. Begin with
//! [`FailCondition`].

pub mod condition;
pub mod judged;

pub use condition::FailCondition;
pub use judged::{FailJudged, FailWatch, overall, text};
