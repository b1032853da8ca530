//! What is written after an option.

use clap::builder::{PossibleValue, PossibleValuesParser};

use crate::experiment::partition::Shard;
use crate::report::shards::SHARDS_MOST;
use crate::scenario::templates::TEMPLATES;
use crate::units::{Bytes, Rate, SECOND, Share, Span};

/// Which part of a study is to be simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum ShardArg {
    /// This one.
    Given(Shard),
    /// The one that a scheduler says, of so many if it does not say that.
    Auto(Option<u64>),
}

/// The template that is taken where none is named.
pub(super) const TEMPLATE: &str = TEMPLATES[0].name;

/// Takes the name of a template.
pub(super) fn template() -> PossibleValuesParser {
    let value =
        |one: &crate::scenario::templates::Template| PossibleValue::new(one.name).help(one.about);
    PossibleValuesParser::new(TEMPLATES.iter().map(value))
}

/// A share that is to be kept: below one, and more than nothing.
pub(super) fn target(text: &str) -> Result<Share, String> {
    let share = crate::quantity::share(text).ok().filter(|share| share.0 > 0.0 && share.0 < 1.0);
    share.ok_or_else(|| "write a share such as 99.95%".to_owned())
}

/// A number of requests, with K, M or G.
pub(super) fn requests(text: &str) -> Result<u64, String> {
    let (digits, factor) = match text.chars().last() {
        Some('K' | 'k') => (&text[..text.len() - 1], 1e3),
        Some('M') => (&text[..text.len() - 1], 1e6),
        Some('G') => (&text[..text.len() - 1], 1e9),
        _ => (text, 1.0),
    };
    let number = digits.parse::<f64>().ok().map(|number| number * factor);
    let number = number.filter(|number| (1e5..=1e12).contains(number));
    number.map(|number| number as u64).ok_or_else(|| "write 100K to 1000G, such as 200M".to_owned())
}

/// Reads how long an outage may last.
pub(super) fn outage(text: &str) -> Result<Span, String> {
    match crate::quantity::span(text).map_err(|flaw| flaw.to_string())? {
        long if long.0 >= SECOND => Ok(long),
        _ => Err("outages are counted in seconds: write 1s or more, such as 5m".to_owned()),
    }
}

/// Reads `3/8`, `auto` or `auto/8`.
pub(super) fn shard(text: &str) -> Result<ShardArg, String> {
    let help = "write I/N with I from 1 to N, such as 3/8, or auto or auto/8";
    let number = |text: &str| text.parse::<u64>().ok().filter(|n| (1..=SHARDS_MOST).contains(n));
    let read = match text.split_once('/') {
        None => (text == "auto").then_some(ShardArg::Auto(None)),
        Some(("auto", count)) => number(count).map(|count| ShardArg::Auto(Some(count))),
        Some((index, count)) => number(index)
            .zip(number(count))
            .filter(|(index, count)| index <= count)
            .map(|(index, count)| ShardArg::Given(Shard { index: index - 1, count })),
    };
    read.ok_or_else(|| format!("{help}; N is at most {SHARDS_MOST}"))
}

/// Reads the name of a folder.
pub(super) fn folder(text: &str) -> Result<String, String> {
    let plain = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' '));
    match plain && !text.starts_with('.') && !text.trim().is_empty() {
        true => Ok(text.to_owned()),
        false => Err("write a plain name of letters, digits, -, _ and .".to_owned()),
    }
}

/// Reads a rate above zero.
pub(super) fn rate(text: &str) -> Result<Rate, String> {
    let rate = crate::quantity::rate(text).map_err(|flaw| flaw.to_string())?;
    if rate.0 > 0.0 { Ok(rate) } else { Err("a demand is above zero".to_owned()) }
}

/// Reads how much memory there is.
pub(super) fn memory(text: &str) -> Result<Bytes, String> {
    match crate::quantity::bytes(text).map_err(|flaw| flaw.to_string())? {
        some if some.0 >= 1 << 20 => Ok(some),
        _ => Err("allow for 1MiB at least".to_owned()),
    }
}

/// Reads how long is judged.
pub(super) fn judged(text: &str) -> Result<Span, String> {
    match crate::quantity::span(text).map_err(|flaw| flaw.to_string())? {
        long if (10..=86_400).contains(&(long.0 / SECOND)) => Ok(long),
        _ => Err("judge for 10 seconds to a day".to_owned()),
    }
}

/// Reads a ratio of at least one.
pub(super) fn ratio(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(ratio) if (1.0..=1_000.0).contains(&ratio) => Ok(ratio),
        _ => Err("write a number from 1, such as 2.5".to_owned()),
    }
}

/// Reads a share above zero, such as `2%`.
pub(super) fn precision(text: &str) -> Result<f64, String> {
    match crate::quantity::share(text) {
        Ok(share) if share.0 > 0.0 && share.0 < 1.0 => Ok(share.0),
        _ => Err("write a percentage between 0% and 100%, such as 2%".to_owned()),
    }
}
