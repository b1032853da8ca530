//! `brownout explain`: what words mean, what a scenario is, why latency was what it was.
//!
//! What is to be explained is decided by what it is: a folder of results is a moment of a run, a
//! file is a scenario, everything else is a word.

use std::path::Path;

use super::{preview, words};
use crate::cli::args::ExplainArgs;
use crate::cli::exit::Exit;
use crate::cli::results::moment;
use crate::cli::terminal::Terminal;
use crate::report::files::staging::MARK;
use crate::report::format::words::wrapped;

/// Explains each word, or lists what can be explained.
pub(in crate::cli) fn explain(args: &ExplainArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    if args.list {
        for (title, words) in words::listed() {
            terminal.print(&format!("{title}\n{}\n", wrapped("  ", &words.join(", "))))?;
        }
        return Ok(Exit::Met);
    }
    if let [one] = &args.words[..]
        && let Some(exit) = thing(one, args, terminal)?
    {
        return Ok(exit);
    }
    let of_things = args.at.is_some() || args.settings || !args.set.is_empty();
    anyhow::ensure!(
        !of_things,
        "--at is for a folder of results, --set and --settings are for a scenario: name one"
    );
    let (mut exit, mut pages) = (Exit::Met, Vec::new());
    for word in terms(&args.words) {
        let found = words::meanings(&word);
        if found.is_empty() {
            terminal.say(&unknown(&word));
            exit = Exit::Error;
        }
        pages.extend(found);
    }
    terminal.print(&pages.join("\n"))?;
    Ok(exit)
}

/// Explains what is there under this name: results or a scenario; `None` if nothing is.
fn thing(name: &str, args: &ExplainArgs, terminal: Terminal) -> anyhow::Result<Option<Exit>> {
    let path = Path::new(name);
    let is_result = path.is_dir() || path.ends_with(MARK);
    let is_scenario = path.is_file() || name == "-" || name.ends_with(".toml");
    Ok(match (is_result, is_scenario) {
        (true, _) => {
            let unused = args.settings || !args.set.is_empty();
            anyhow::ensure!(!unused, "--set and --settings are for a scenario, {name} has results");
            Some(moment::explain(path, &args.base, args.at, terminal)?)
        }
        (false, true) => {
            anyhow::ensure!(args.at.is_none(), "--at is for a folder of results, {name} is none");
            Some(preview::explain(path, &args.set, args.settings, terminal)?)
        }
        (false, false) => None,
    })
}

/// What is to be explained: all words as one if they mean something together, else each.
fn terms(words: &[String]) -> Vec<String> {
    let together = words.join(" ");
    if words.len() > 1 && words::meanings(&together).is_empty() {
        return words.to_vec();
    }
    vec![together]
}

fn unknown(word: &str) -> String {
    let meant: Vec<String> = words::nearest(word).iter().map(|one| format!("{one:?}")).collect();
    let help = match meant.as_slice() {
        [] => "`brownout explain --list` lists every word that is".to_owned(),
        [meant] => format!("did you mean {meant}?"),
        [most @ .., last] => format!("did you mean {} or {last}?", most.join(", ")),
    };
    format!("error: {:?} is not explained\n  = help: {help}\n", crate::diagnostic::clip(word))
}
