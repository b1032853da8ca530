//! Command lines that cannot be read: what whoever typed them probably meant.
//!
//! The parser says what is wrong and finds what is spelt alike. Here are the words of others added,
//! settings that were typed as options, and files that stand in the place of a command.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use clap::{Command, CommandFactory};

use super::args::Args;
use crate::diagnostic::{closest, synonyms};
use crate::scenario::keys;

/// What other programs have as an option of its own, and what it is here.
const ADVICE: [(&str, &str); 4] = [
    ("--json", "write --format json"),
    ("--config", "write the scenario as an argument without an option"),
    ("--file", "write the scenario as an argument without an option"),
    ("--scenario", "write the scenario as an argument without an option"),
];

/// The error of the parser, with what was probably meant; `command` is that which was named.
pub(super) fn advised(mut error: Error, command: Option<&str>) -> Error {
    let tip = match error.kind() {
        ErrorKind::InvalidSubcommand => of_command(&error),
        ErrorKind::UnknownArgument => of_option(&error, command),
        ErrorKind::InvalidValue => of_value(&error),
        ErrorKind::ValueValidation => of_number(&error),
        ErrorKind::MissingRequiredArgument => of_file(&error),
        _ => None,
    };
    let Some(tip) = tip else { return error };
    // What is meant stands in the place of what is only spelt alike, and of how that is used.
    let of_words = error.kind() == ErrorKind::UnknownArgument;
    for kind in of_words.then_some(ContextKind::Usage).into_iter().chain([
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedArg,
        ContextKind::SuggestedValue,
        ContextKind::Suggested,
    ]) {
        error.remove(kind);
    }
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
    error
}

fn text(error: &Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text),
        _ => None,
    }
}

/// A command that others call so, or a scenario that stands where a command should.
fn of_command(error: &Error) -> Option<String> {
    let word = text(error, ContextKind::InvalidSubcommand)?;
    if word.ends_with(".toml") {
        return Some(format!("to simulate a scenario: brownout run {word}"));
    }
    let program = Args::command();
    let names: Vec<&str> = program.get_subcommands().map(Command::get_name).collect();
    let meant = closest(word, names)?;
    Some(format!("the command is '{meant}' here"))
}

/// An option that others call so, or a setting.
fn of_option(error: &Error, command: Option<&str>) -> Option<String> {
    let option = text(error, ContextKind::InvalidArg)?.split('=').next()?;
    if let Some((_, advice)) = ADVICE.iter().find(|(other, _)| *other == option) {
        return Some((*advice).to_owned());
    }
    let program = Args::command();
    let name = command?;
    let command = program.find_subcommand(name)?;
    let longs = command.get_arguments().filter_map(|option| option.get_long());
    let longs: Vec<String> = longs.map(|long| format!("--{long}")).collect();
    let names: Vec<&str> = longs.iter().map(String::as_str).collect();
    if let Some(meant) = synonyms::meant(option, &names) {
        return Some(format!("the option is '{meant}' here"));
    }
    if error.get(ContextKind::SuggestedArg).is_some() && !is_setting(option) {
        return None;
    }
    let Some(path) = setting(option.trim_start_matches('-')) else {
        return Some(format!("brownout {name} --help lists the options"));
    };
    match names.contains(&"--set") {
        true => Some(format!("it is a setting of the scenario: --set {path}=VALUE")),
        false => Some(format!("it is a setting of the scenario, {path}")),
    }
}

/// Whether a word of others means a setting, however much it looks like an option.
fn is_setting(option: &str) -> bool {
    setting(option.trim_start_matches('-')).is_some()
}

/// What a number is to be.
fn of_number(error: &Error) -> Option<String> {
    let why = std::error::Error::source(error)?.to_string();
    if why.contains("digit") {
        return Some("write a whole number, such as 10".to_owned());
    }
    let (_, range) = why.split_once(" is not in ")?;
    let (least, most) = range.split_once("..=").unwrap_or((range.trim_end_matches(".."), ""));
    Some(match most {
        "" => format!("write a whole number from {least} on"),
        most => format!("write a whole number from {least} to {most}"),
    })
}

/// The setting that a word means, if any.
fn setting(word: &str) -> Option<String> {
    let word = synonyms::written_here(word);
    let others = synonyms::settings(&word).iter().filter(|path| !path.starts_with('['));
    let others: Vec<String> = others.map(|path| (*path).to_owned()).collect();
    let same = keys::FORMAT.iter().filter(|section| !section.list && !section.name.is_empty());
    let same = same.filter(|section| section.keys.iter().any(|key| key.name == word));
    let same: Vec<String> = same.map(|section| format!("{}.{word}", section.name)).collect();
    [others, same].into_iter().flatten().next()
}

/// A value that others call so.
fn of_value(error: &Error) -> Option<String> {
    let word = text(error, ContextKind::InvalidValue)?;
    let Some(ContextValue::Strings(valid)) = error.get(ContextKind::ValidValue) else {
        return None;
    };
    let names: Vec<&str> = valid.iter().map(String::as_str).collect();
    let meant = synonyms::meant(word, &names)?;
    Some(format!("the value is '{meant}' here"))
}

/// A scenario that is not there.
fn of_file(error: &Error) -> Option<String> {
    let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let is_file = missing.iter().any(|name| name.starts_with("<FILE"));
    is_file.then(|| "brownout init writes a scenario to begin with".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Metric;
    use crate::scenario::fault::KINDS;
    use crate::scenario::text::ValueShape;
    use crate::scenario::text::law;
    use crate::study::mode::Mode;

    /// The words that a value may be.
    fn words(shape: ValueShape) -> Vec<&'static str> {
        match shape {
            ValueShape::Words(words) => words,
            ValueShape::Either(forms) => forms.into_iter().flat_map(words).collect(),
            ValueShape::List(element) => words(*element),
            ValueShape::Text(_) | ValueShape::Whole | ValueShape::Number | ValueShape::Truth => {
                Vec::new()
            }
        }
    }

    #[test]
    fn every_word_of_others_leads_to_a_word_that_there_is() {
        let program = Args::command();
        let options = program.get_subcommands().flat_map(Command::get_arguments);
        let options = options.filter_map(|option| Some(format!("--{}", option.get_long()?)));
        let commands = program.get_subcommands().map(|command| command.get_name().to_owned());
        let figures = Metric::DEMANDED.into_iter().map(|metric| metric.key());
        let values = keys::reference().flat_map(|key| words((key.shape)()));
        let others = KINDS.iter().map(|kind| kind.word).chain(Mode::ALL.map(Mode::key));
        let others = others.chain(values).chain(law::names()).chain(["kubernetes", "hyperqueue"]);
        let mut all: Vec<String> = options.chain(commands).chain(figures).collect();
        all.extend(others.map(str::to_owned));
        let is_lost = |word: &&str| !all.iter().any(|known| known == word);
        let lost: Vec<_> = synonyms::all_words().filter(is_lost).collect();
        assert!(lost.is_empty(), "{lost:?}");
    }
}
