//! What people and programs read of studies: text, tables, charts and files.

pub mod capacity;
mod capacity_caveats;
pub mod capacity_charts;
pub mod capacity_files;
pub mod capacity_words;
pub mod compare;
pub mod compare_charts;
pub mod compare_files;
pub mod contrast;
mod ladder;
mod limits;
pub mod manifest;
pub mod sweep;
pub mod sweep_charts;
pub mod sweep_files;
pub mod sweep_text;
mod sweep_titles;
mod usable;
