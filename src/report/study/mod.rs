//! What the files of all studies have in common: their manifest.

pub mod manifest;
