//! Reading quantities as people write them: `"250ms"`, `"2m30s"`, `"900/s"`, `"99.9%"`, `"2GiB"`.
//!
//! Every function takes the text and gives the value, or what is wrong and how it is written;
//! none accepts NaN, infinity, a negative amount or an overflow.

use crate::diagnostic::Flaw;
use crate::units::{Bytes, Cores, Rate, SECOND, Share, Span};

const SPAN_UNITS: [(&str, f64); 8] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3_600e9),
    ("d", 86_400e9),
];

/// The longest span a scenario may name: 100 years.
pub const SPAN_LIMIT: Span = Span(100 * 365 * 86_400 * SECOND);

/// A span such as `250ms`, `1.5s`, `2m30s`, `1h`, `30d`.
///
/// # Errors
/// Says what is missing (a unit, a number) or that the span is over [`SPAN_LIMIT`].
pub fn span(text: &str) -> Result<Span, Flaw> {
    let expected = || {
        let help = "write a number with a unit, such as \"250ms\", \"30s\" or \"2m30s\"";
        Flaw::new(format!("{text:?} is no duration")).help(help)
    };
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(expected());
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let amount: f64 = rest[..digits].parse().map_err(|_| expected())?;
        rest = rest[digits..].trim_start();
        let letters =
            rest.find(|c: char| c.is_ascii_digit() || c == '.' || c == ' ').unwrap_or(rest.len());
        let unit = match (&rest[..letters], amount == 0.0) {
            ("min", _) => "m",
            ("", true) => "s",
            (unit, _) => unit,
        };
        let scale = SPAN_UNITS.iter().find(|(name, _)| *name == unit);
        total += amount * scale.ok_or_else(|| missing_unit(text, unit))?.1;
        rest = rest[letters..].trim_start();
    }
    if total > SPAN_LIMIT.0 as f64 {
        return Err(Flaw::new(format!("{text:?} is longer than the limit of 100 years")));
    }
    Ok(Span(total.round() as u64))
}

fn missing_unit(text: &str, unit: &str) -> Flaw {
    let plain = text.trim();
    match unit {
        "" => Flaw::new(format!("{text:?} lacks a unit"))
            .help(format!("write \"{plain}s\" for seconds or \"{plain}ms\" for milliseconds")),
        _ => Flaw::new(format!("{text:?} has the unknown unit {unit:?}"))
            .help("use ns, us, ms, s, m, h or d"),
    }
}

/// A rate such as `900/s`, `54000/min`, `2k/s`.
///
/// # Errors
/// Says that a rate needs an amount and a unit of time.
pub fn rate(text: &str) -> Result<Rate, Flaw> {
    let expected = || {
        let help = "write requests per unit of time, such as \"900/s\" or \"54000/min\"";
        Flaw::new(format!("{text:?} is no rate")).help(help)
    };
    let (amount, unit) = text.trim().split_once('/').ok_or_else(expected)?;
    let per = match unit.trim() {
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return Err(expected()),
    };
    let (digits, thousand) = match amount.trim().strip_suffix('k') {
        Some(digits) => (digits, 1e3),
        None => (amount.trim(), 1.0),
    };
    let value = plain_number(digits).ok_or_else(expected)? * thousand / per;
    if value > 1e9 {
        return Err(Flaw::new(format!("{text:?} is above the limit of 1e9 requests per second")));
    }
    Ok(Rate(value))
}

/// A share such as `99.9%` or `0.999`.
///
/// # Errors
/// Says that a share lies between 0 % and 100 %.
pub fn share(text: &str) -> Result<Share, Flaw> {
    let expected = || {
        let help = "write a percentage from \"0%\" to \"100%\"";
        Flaw::new(format!("{text:?} is no share")).help(help)
    };
    let value = match text.trim().strip_suffix('%') {
        Some(percent) => hundredth(percent.trim_end()).ok_or_else(expected)?,
        None => plain_number(text.trim()).ok_or_else(expected)?,
    };
    if value > 1.0 { Err(expected()) } else { Ok(Share(value)) }
}

/// A hundredth of a plain number, rounded once: 99.9 gives the double nearest to 0.999.
pub fn hundredth(text: &str) -> Option<f64> {
    plain_number(text)?;
    format!("{}e-2", text.replace('_', "")).parse().ok()
}

/// Cores such as `2`, `0.5`, `2 vCPU`, `500m`.
///
/// # Errors
/// Says that cores are a number above zero, at most 4096.
pub fn cores(text: &str) -> Result<Cores, Flaw> {
    let expected = || {
        let help = "write \"2 vCPU\", \"0.5\" or \"500m\", above zero and at most 4096";
        Flaw::new(format!("{text:?} is no number of cores")).help(help)
    };
    let bare = text
        .trim()
        .trim_end_matches("vCPU")
        .trim_end_matches("cores")
        .trim_end_matches("core")
        .trim_end();
    let value = match bare.strip_suffix('m') {
        Some(milli) => plain_number(milli).ok_or_else(expected)? / 1e3,
        None => plain_number(bare).ok_or_else(expected)?,
    };
    if value > 0.0 && value <= 4096.0 { Ok(Cores(value)) } else { Err(expected()) }
}

/// Memory such as `512MiB`, `2GiB`, `64KiB`.
///
/// # Errors
/// Says which units are known.
pub fn bytes(text: &str) -> Result<Bytes, Flaw> {
    let expected = || {
        let help = "write \"512MiB\", \"2GiB\" or \"64KiB\"";
        Flaw::new(format!("{text:?} is no amount of memory")).help(help)
    };
    let units = [
        ("KiB", 1024.0),
        ("MiB", 1048576.0),
        ("GiB", 1073741824.0),
        ("TiB", 1099511627776.0),
        ("B", 1.0),
    ];
    let trimmed = text.trim();
    let (unit, scale) =
        units.iter().find(|(unit, _)| trimmed.ends_with(unit)).ok_or_else(expected)?;
    let value =
        plain_number(trimmed.trim_end_matches(unit).trim_end()).ok_or_else(expected)? * scale;
    if value > 1e18 { Err(expected()) } else { Ok(Bytes(value.round() as u64)) }
}

/// A finite number, not negative, in plain digits: no sign, no `inf`, no `nan`.
pub fn plain_number(text: &str) -> Option<f64> {
    let plain =
        !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '_'));
    let value: f64 = text.replace('_', "").parse().ok().filter(|_| plain)?;
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_take_units_alone_or_combined() {
        assert_eq!(span("250ms"), Ok(Span(250_000_000)));
        assert_eq!(span("2m30s"), Ok(Span(150 * SECOND)));
        assert_eq!(span("1.5 s"), Ok(Span(1_500_000_000)));
        assert_eq!(span("30d"), Ok(Span(30 * 86_400 * SECOND)));
        assert_eq!(span("0"), Ok(Span::ZERO));
    }

    #[test]
    fn rates_shares_cores_and_bytes_read_as_written() {
        assert_eq!(rate("900/s"), Ok(Rate(900.0)));
        assert_eq!(rate("54k/min"), Ok(Rate(900.0)));
        assert_eq!(share("50%"), Ok(Share(0.5)));
        assert_eq!(share("99.9%"), Ok(Share(0.999)));
        assert_eq!(cores("500m"), Ok(Cores(0.5)));
        assert_eq!(cores("2 vCPU"), Ok(Cores(2.0)));
        assert_eq!(bytes("64KiB"), Ok(Bytes(65_536)));
    }

    #[test]
    fn nonsense_is_refused_with_a_hint() {
        for text in ["", "5", "s", "-5s", "nan", "infs", "1e9s", "5 parsecs", "1.2.3s", "1e99999d"]
        {
            assert!(span(text).is_err(), "{text:?} was accepted");
        }
        for text in ["", "900", "/s", "nan/s", "inf/s", "-1/s", "5/y", "1e400/s"] {
            assert!(rate(text).is_err(), "{text:?} was accepted");
        }
        for text in ["", "101%", "-1%", "nan%", "two"] {
            assert!(share(text).is_err(), "{text:?} was accepted");
        }
        assert!(cores("0").is_err());
        assert!(bytes("5 apples").is_err());
        let lacking = span("90").unwrap_err();
        assert!(lacking.help.is_some_and(|help| help.contains("\"90s\"")));
        for text in ["9; drop/s", "9;\n", "\"9\"; %", "9% ; s"] {
            let flaw = rate(text).unwrap_err();
            assert_eq!(flaw.title, format!("{text:?} is no rate"));
        }
    }
}
