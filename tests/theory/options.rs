//! The command line, as far as the usual test harness has it.

use crate::Effort;

/// What to do.
pub struct Options {
    pub effort: Effort,
    pub list: bool,
    pub verbose: bool,
    words: Vec<String>,
    skipped: Vec<String>,
    exact: bool,
}

impl Options {
    /// Reads the arguments; unknown flags, which the usual harness may know, change nothing.
    pub fn from_args(args: impl Iterator<Item = String>) -> Self {
        let mut options = Options {
            effort: Effort::Sample,
            list: false,
            verbose: false,
            words: Vec::new(),
            skipped: Vec::new(),
            exact: false,
        };
        let mut args = args;
        while let Some(arg) = args.next() {
            options.take(&arg, &mut args);
        }
        options
    }

    fn take(&mut self, arg: &str, rest: &mut impl Iterator<Item = String>) {
        match arg {
            "--all" | "--include-ignored" => self.effort = Effort::Full,
            "--list" => self.list = true,
            "--verbose" => self.verbose = true,
            "--exact" => self.exact = true,
            "--skip" => self.skipped.extend(rest.next()),
            "--test-threads" | "--format" | "--color" | "--logfile" | "-Z" => {
                rest.next();
            }
            flag if flag.starts_with('-') => {}
            word => self.words.push(word.to_owned()),
        }
    }

    /// Whether a vector of this name is wanted.
    pub fn wants(&self, name: &str) -> bool {
        let matches = |word: &String| {
            if self.exact { name == word.as_str() } else { name.contains(word.as_str()) }
        };
        let named = self.words.is_empty() || self.words.iter().any(matches);
        named && !self.skipped.iter().any(matches)
    }
}
