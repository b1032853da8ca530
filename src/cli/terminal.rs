//! Standard output and standard error.

use std::io::{self, ErrorKind, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};

use super::args::When;

/// What standard output and standard error can show.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terminal {
    stdout: ColorChoice,
    stderr: ColorChoice,
}

impl Terminal {
    /// Looks at both streams and the environment.
    pub(super) fn new(color: When) -> Self {
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
    pub(super) fn prints_colour(self) -> bool {
        self.stdout != ColorChoice::Never
    }

    /// Whether standard error takes colour.
    pub(super) fn says_colour(self) -> bool {
        self.stderr != ColorChoice::Never
    }

    /// Whether a person sees standard error as it comes.
    pub(super) fn is_watched(self) -> bool {
        io::stderr().is_terminal()
    }

    /// Writes data to standard output. A reader that has gone away is no error.
    pub(super) fn print(self, text: &str) -> io::Result<()> {
        let mut out = AutoStream::new(io::stdout().lock(), self.stdout);
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    /// Writes talk to standard error; if nobody listens, so be it.
    pub(super) fn say(self, text: &str) {
        let mut out = AutoStream::new(io::stderr().lock(), self.stderr);
        let _ = out.write_all(text.as_bytes());
    }
}
