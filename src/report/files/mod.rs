//! The results directory, and the files that hold single replications.
//!
//! `staging.rs` builds a directory beside its place and moves it there when it is complete, while
//! `lock.rs` keeps others away. The others write a file each, row by row as the outcomes come:
//! `replications.csv` for all of them; `timeline.csv`, `events.csv` and `requests.csv` for the
//! first in detail. `by_api.rs` has the columns that two of them have of each API. Which files
//! there are is said by the room of the command that writes them, such as [`crate::report::run`].
//!
//! It owns the columns of these files and the promise that earlier results stay whole until new
//! ones are. It may ask an outcome for its facts and `format` for cells; it computes nothing.
//! Columns are a format that others read: a change to one goes into the change log. Begin with
//! `staging.rs`.

mod by_api;
pub(crate) mod events;
pub mod lock;
pub(crate) mod replications;
pub(crate) mod requests;
pub mod staging;
pub mod timeline;

pub use staging::{FilesError, Staging};
