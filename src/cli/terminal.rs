//! Standard output and standard error.

use std::io::{self, ErrorKind, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};

use super::args::When;
use crate::report::format::table::WIDTH;

/// What standard output and standard error can show.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Terminal {
    stdout: ColorChoice,
    stderr: ColorChoice,
}

impl Terminal {
    /// Looks at both streams and the environment.
    pub(in crate::cli) fn new(color: When) -> Self {
        let choice = |auto| match color {
            When::Auto => auto,
            When::Always => ColorChoice::Always,
            When::Never => ColorChoice::Never,
        };
        Terminal {
            stdout: choice(AutoStream::choice(&io::stdout())),
            stderr: choice(AutoStream::choice(&io::stderr())),
        }
    }

    /// Whether standard output takes colour.
    pub(in crate::cli) fn prints_colour(self) -> bool {
        self.stdout != ColorChoice::Never
    }

    /// Whether standard error takes colour.
    pub(in crate::cli) fn says_colour(self) -> bool {
        self.stderr != ColorChoice::Never
    }

    /// Whether a person sees standard error as it comes.
    pub(in crate::cli) fn is_watched(self) -> bool {
        io::stderr().is_terminal()
    }

    /// Columns of a line of standard output: as COLUMNS says, else as the terminal has, else 100.
    pub(in crate::cli) fn columns(self) -> usize {
        let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let seen =
            || terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0.into());
        told.filter(|columns| *columns > 0).or_else(seen).unwrap_or(WIDTH)
    }

    /// Writes data to standard output. A reader that has gone away is no error.
    pub(in crate::cli) fn print(self, text: &str) -> io::Result<()> {
        let mut out = AutoStream::new(io::stdout().lock(), self.stdout);
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    /// Writes talk to standard error; if nobody listens, so be it.
    pub(in crate::cli) fn say(self, text: &str) {
        let mut out = AutoStream::new(io::stderr().lock(), self.stderr);
        let _ = out.write_all(text.as_bytes());
    }
}
