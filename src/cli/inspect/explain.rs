//! `brownout explain`: what words mean.
//!
//! What is to be explained is decided by what it is: so far words alone, looked up in `words.rs`.

use super::words;
use crate::cli::args::ExplainArgs;
use crate::cli::exit::Exit;
use crate::cli::terminal::Terminal;
use crate::report::format::words::wrapped;

/// Explains each word, or lists what can be explained.
pub(in crate::cli) fn explain(args: &ExplainArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    if args.list {
        for (title, words) in words::listed() {
            terminal.print(&format!("{title}\n{}\n", wrapped("  ", &words.join(", "))))?;
        }
        return Ok(Exit::Met);
    }
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
