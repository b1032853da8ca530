//! The charts of a report as files.

use crate::plot::theme::Theme;
use crate::report::{Report, charts};

/// A chart as a file: its name and content.
pub(super) type Chart = (String, Vec<u8>);

/// Every chart in SVG, which follows the reader's light or dark setting, and in PNG.
pub(super) fn charts(report: &Report) -> anyhow::Result<Vec<Chart>> {
    let mut files = Vec::new();
    for (name, figure) in charts::charts(report) {
        files.push((format!("{name}.svg"), figure.to_svg()?.into_bytes()));
        files.push((format!("{name}.png"), figure.to_png(Theme::Light)?));
    }
    Ok(files)
}
