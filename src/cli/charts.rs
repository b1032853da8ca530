//! Charts as files.

use crate::plot::theme::Theme;
use crate::plot::{Figure, png, svg};
use crate::report::Report;
use crate::report::run::charts;

/// A chart as a file: its name and content.
pub(super) type Chart = (String, Vec<u8>);

/// Every chart of a report.
pub(super) fn of_report(report: &Report) -> anyhow::Result<Vec<Chart>> {
    files(charts::charts(report))
}

/// Every figure in SVG, which follows the reader's light or dark setting, and in PNG.
pub(super) fn files(figures: Vec<(&'static str, Figure)>) -> anyhow::Result<Vec<Chart>> {
    let mut files = Vec::new();
    for (name, figure) in figures {
        files.push((format!("{name}.svg"), svg(&figure)?.into_bytes()));
        files.push((format!("{name}.png"), png(&figure, Theme::Light)?));
    }
    Ok(files)
}
