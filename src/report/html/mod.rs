//! The report of every command as one HTML page, which needs nothing else: no network, no library,
//! and, but for the timeline that can be explored, no script.
//!
//! A file for each command says what stands on its page, verdict and picture first: `run`,
//! `compare`, `sweep`, `plan`, `availability`. `page.rs` is the document around it, `pieces.rs` has
//! what pages consist of (tables with captions, charts with their words, lists), `provenance.rs`
//! what every result rests on and how to do it again, and `data.rs` the replication that is told,
//! which `script.js` makes a timeline of that can be zoomed and walked through. `style.css` has the
//! looks: light, dark, small and on paper.
//!
//! A page is a function of the report, its charts and the manifest: the same bytes each time. All
//! text that comes from elsewhere goes through `maud`, which escapes it; what does not is marked
//! as such, and comes from [`crate::plot`] or from `data.rs`.
//!
//! Figures, words and tables are those of the other rooms; nothing is found out here. Begin with
//! `page.rs`, then `run.rs`.

mod availability;
mod compare;
mod data;
mod page;
mod pieces;
mod plan;
mod provenance;
mod run;
mod sweep;

use std::io;

use crate::plot::{Figure, PlotError};
use crate::report::manifest::Manifest;

pub use availability::availability;
pub use compare::compare;
pub use plan::plan;
pub use run::run;
pub use sweep::sweep;

/// What a page has beside the report.
#[derive(Clone, Copy, Debug)]
pub struct PageParts<'a> {
    /// The charts that were drawn, each with the name of its files.
    pub charts: &'a [(&'static str, Figure)],
    /// What was asked for, and what came of it.
    pub manifest: &'a Manifest,
}

impl PageParts<'_> {
    /// The chart of this name, if it was drawn.
    fn chart(&self, name: &str) -> Option<&Figure> {
        self.charts.iter().find(|(known, _)| *known == name).map(|(_, figure)| figure)
    }
}

/// Why a page could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// A chart could not be drawn.
    #[error(transparent)]
    Chart(#[from] PlotError),
    /// The replication that is told could not be written down.
    #[error(transparent)]
    Data(#[from] serde_json::Error),
}

impl From<PageError> for io::Error {
    fn from(error: PageError) -> Self {
        io::Error::other(error)
    }
}
