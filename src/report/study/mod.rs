//! What people and programs read of studies: text, tables, charts and files.

pub mod compare;
pub mod compare_files;
pub mod contrast;
pub mod manifest;
