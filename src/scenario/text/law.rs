//! Laws and quantities as text: read from a scenario, and written back so that reading gives the
//! same value.

use std::ops::Range;

use crate::diagnostic::{Flaw, suggestion};
use crate::quantity;
use crate::random::Law;
use crate::units::{Bytes, Rate, SECOND, Share, Span};

/// Percentiles that give the spread of a log-normal law, with those of the standard normal law.
const PERCENTILES: [(&str, f64); 4] = [
    ("p90", 1.281_551_566),
    ("p95", 1.644_853_627),
    ("p99", 2.326_347_874),
    ("p99.9", 3.090_232_306),
];
/// The least coefficient of variation that a law is given.
const LEAST_CV: f64 = 1e-3;

/// A law that a scenario may name.
struct LawShape {
    name: &'static str,
    /// How it is written.
    example: &'static str,
    /// What it means, and in which other ways it is written.
    about: &'static str,
    read: fn(&FunctionCall<'_>) -> Result<Law, Flaw>,
}

const fn shape(
    name: &'static str,
    (example, about): (&'static str, &'static str),
    read: fn(&FunctionCall<'_>) -> Result<Law, Flaw>,
) -> LawShape {
    LawShape { name, example, about, read }
}

static SHAPES: [LawShape; 9] = [
    shape("constant", ("constant(5s)", "always the same; `5s` alone means it too"), |call| {
        Ok(Law::Constant(call.only_span(1)?))
    }),
    shape("uniform", ("uniform(2s, 6s)", "anything between, alike"), |call| call.uniform()),
    shape(
        "exponential",
        ("exponential(5s)", "exponential with this mean; `median=` instead of the mean"),
        |call| {
            call.expect(1)?;
            Ok(Law::Exponential(call.mean(Some(1.0 / std::f64::consts::LN_2))?))
        },
    ),
    shape(
        "log-normal",
        (
            "log-normal(5s, cv=1)",
            "log-normal: the mean, or `median=` (also `p50=`), and the coefficient of variation, \
             or a percentile such as `p99=40s` (`p90`, `p95`, `p99.9`)",
        ),
        |call| call.log_normal(),
    ),
    shape("gamma", ("gamma(5s, cv=0.5)", "gamma: mean and coefficient of variation"), |call| {
        Ok(Law::Gamma(call.only_span(2)?, call.named("cv", LEAST_CV)?))
    }),
    shape("erlang", ("erlang(3, 5s)", "Erlang of 3 phases with this mean in all"), |call| {
        call.erlang()
    }),
    shape(
        "hyperexponential",
        ("hyperexponential(5s, cv=2)", "two exponentials with balanced means"),
        |call| Ok(Law::Hyperexponential(call.only_span(2)?, call.named("cv", 1.0)?)),
    ),
    shape("weibull", ("weibull(30d, shape=0.7)", "Weibull: mean and shape"), |call| {
        Ok(Law::Weibull(call.only_span(2)?, call.named("shape", 0.1)?))
    }),
    shape(
        "empirical",
        (
            "empirical(1ms, 2ms, 10ms)",
            "one of the values, each alike; or `empirical(\"demands.csv\")`: the file has a value \
             in milliseconds on each line, without a header",
        ),
        |call| call.empirical(),
    ),
];

/// How each law is written, and what it means.
pub fn listed() -> impl Iterator<Item = (&'static str, &'static str)> {
    SHAPES.iter().map(|shape| (shape.example, shape.about))
}

/// The names of all laws, with those that are read as others.
pub(crate) fn names() -> Vec<&'static str> {
    SHAPES.iter().map(|shape| shape.name).chain(["lognormal"]).collect()
}

/// The law of this name.
fn named(name: &str) -> Option<&'static LawShape> {
    let name = if name == "lognormal" { "log-normal" } else { name };
    SHAPES.iter().find(|shape| shape.name == name)
}

impl LawShape {
    /// How the law is written.
    fn usage(&self) -> String {
        format!("write it as \"{}\"", self.example)
    }
}

/// Reads a law: `5s`, `uniform(2s, 6s)`, `log-normal(1.4ms, cv=1)`, `empirical(1ms, 2ms)`.
///
/// # Errors
/// Says which part is wrong, where it stands in the text and what was expected.
pub fn parse(text: &str) -> Result<Law, Flaw> {
    let Some((name, rest)) = text.split_once('(') else {
        return bare(text);
    };
    let start = name.len() + 1;
    let Some(inside) = rest.trim_end().strip_suffix(')') else {
        let title = format!("{text:?} lacks the closing parenthesis");
        return Err(Flaw::new(title).help(format!("write \"{})\"", text.trim())));
    };
    let shape = named(name.trim()).ok_or_else(|| unknown(name.trim(), text))?;
    (shape.read)(&FunctionCall { name: name.trim(), shape, arguments: split(inside, start) })
}

fn bare(text: &str) -> Result<Law, Flaw> {
    let plain = text.trim();
    quantity::span(text).map(Law::Constant).map_err(|flaw| match named(plain) {
        Some(shape) if shape.name == plain => {
            Flaw::new(format!("the law {text:?} lacks its values")).help(shape.usage())
        }
        _ if plain.starts_with(|c: char| c.is_ascii_alphabetic()) => unknown(plain, text),
        _ => flaw,
    })
}

fn unknown(name: &str, text: &str) -> Flaw {
    let start = text.find(name).unwrap_or(0);
    let flaw = Flaw::new(format!("{name:?} is no law")).within(start..start + name.len());
    flaw.label("expected a law")
        .help(suggestion(name, SHAPES.iter().map(|shape| shape.name)).unwrap_or_default())
}

/// An argument and where it stands.
struct Argument<'a> {
    text: &'a str,
    range: Range<usize>,
}

/// A law's name and its arguments.
struct FunctionCall<'a> {
    name: &'a str,
    shape: &'static LawShape,
    arguments: Vec<Argument<'a>>,
}

/// The pieces between commas, trimmed; `start` is where `inside` begins in the whole text.
fn split(inside: &str, start: usize) -> Vec<Argument<'_>> {
    if inside.trim().is_empty() {
        return Vec::new();
    }
    let mut offset = start;
    let piece = |piece: &'_ str| {
        let lead = piece.len() - piece.trim_start().len();
        let begin = offset + lead;
        offset += piece.len() + 1;
        begin..begin + piece.trim().len()
    };
    let ranges: Vec<_> = inside.split(',').map(piece).collect();
    let texts = inside.split(',').map(str::trim);
    texts.zip(ranges).map(|(text, range)| Argument { text, range }).collect()
}

impl FunctionCall<'_> {
    /// Checks the number of arguments.
    fn expect(&self, count: usize) -> Result<(), Flaw> {
        if self.arguments.len() == count {
            return Ok(());
        }
        let values = if count == 1 { "one value" } else { "two values" };
        let title = format!("{} takes {values}, not {}", self.name, self.arguments.len());
        Err(Flaw::new(title).help(self.shape.usage()))
    }

    /// The first of `count` arguments, a span.
    fn only_span(&self, count: usize) -> Result<Span, Flaw> {
        self.expect(count)?;
        self.mean(None)
    }

    /// The first argument: the mean, or, if that is so many times the median, `median=` or `p50=`.
    fn mean(&self, per_median: Option<f64>) -> Result<Span, Flaw> {
        let argument = &self.arguments[0];
        let Some((word, value)) = argument.text.split_once('=') else { return span_of(argument) };
        let start = argument.range.end - value.trim_start().len();
        let value = Argument { text: value.trim(), range: start..argument.range.end };
        match (word.trim(), per_median) {
            ("mean", _) => span_of(&value),
            ("median" | "p50", Some(factor)) => {
                Ok(Span((span_of(&value)?.0 as f64 * factor).round() as u64))
            }
            ("median" | "p50", None) => Err(Flaw::new(format!("{} has no median here", self.name))
                .within(argument.range.clone())
                .label("expected the mean")
                .help("write the mean, or a log-normal law")),
            (word, _) => Err(Flaw::new(format!("{word:?} is nothing of {}", self.name))
                .within(argument.range.clone())
                .help(format!("{}; a duration without a word is the mean", self.shape.usage()))),
        }
    }

    /// A mean or median with the coefficient of variation, or with a percentile that gives it.
    fn log_normal(&self) -> Result<Law, Flaw> {
        self.expect(2)?;
        let second = &self.arguments[1];
        let word = second.text.split_once('=').map(|(word, _)| word.trim());
        let cv = match PERCENTILES.iter().find(|(name, _)| Some(*name) == word) {
            Some((_, quantile)) => self.spread(second, *quantile)?,
            None => self.named("cv", LEAST_CV)?,
        };
        // exp(μ + σ²/2) over exp(μ), with cv² = exp(σ²) − 1.
        Ok(Law::LogNormal(self.mean(Some(cv.hypot(1.0)))?, cv))
    }

    /// The coefficient of variation of a log-normal law with a percentile, which is `quantile`
    /// standard deviations up on the normal scale.
    fn spread(&self, percentile: &Argument<'_>, quantile: f64) -> Result<f64, Flaw> {
        let below = self.mean(Some(1.0))?;
        let word = self.arguments[0].text.split_once('=').map(|(word, _)| word.trim());
        let of_median = word.is_some_and(|word| word != "mean");
        let value = percentile.text.split_once('=').map_or("", |(_, value)| value.trim());
        let start = percentile.range.end - value.len();
        let value = span_of(&Argument { text: value, range: start..percentile.range.end })?;
        let times = (value.0 as f64 / below.0 as f64).ln();
        // The percentile is exp(quantile · σ) medians, and exp(quantile · σ − σ²/2) means.
        let deviation = match of_median {
            true => times / quantile,
            false => quantile - (quantile * quantile - 2.0 * times).sqrt(),
        };
        let cv = deviation.powi(2).exp_m1().sqrt();
        let is_law = deviation > 0.0 && (LEAST_CV..=100.0).contains(&cv);
        is_law.then_some(cv).ok_or_else(|| {
            Flaw::new("no log-normal law has these two values")
                .within(percentile.range.clone())
                .label(format!("above {}, and not too far", show_span(below)))
                .help(self.shape.usage())
        })
    }

    fn uniform(&self) -> Result<Law, Flaw> {
        let low = self.only_span(2)?;
        let high = span_of(&self.arguments[1])?;
        if low > high {
            let title = "the lower end of a uniform law is above its upper end";
            return Err(Flaw::new(title).help("write the smaller value first"));
        }
        Ok(Law::Uniform(low, high))
    }

    fn erlang(&self) -> Result<Law, Flaw> {
        self.expect(2)?;
        let stages = self.arguments[0].text.parse::<u32>().ok();
        let Some(stages) = stages.filter(|stages| (1..=10_000).contains(stages)) else {
            let title = format!("{:?} is no number of stages", self.arguments[0].text);
            let flaw = Flaw::new(title).within(self.arguments[0].range.clone());
            return Err(flaw.label("1 to 10000").help(self.shape.usage()));
        };
        let mean = span_of(&self.arguments[1])?;
        Ok(Law::Gamma(mean, 1.0 / f64::from(stages).sqrt()))
    }

    /// The second argument, `name=number`, from `least` to 100.
    fn named(&self, name: &str, least: f64) -> Result<f64, Flaw> {
        let argument = &self.arguments[1];
        let value = match argument.text.split_once('=') {
            Some((left, right)) if left.trim() == name => right.trim(),
            Some(_) => "",
            None => argument.text,
        };
        let negative = value.strip_prefix('-').and_then(quantity::plain_number);
        match quantity::plain_number(value).or(negative.map(|number| -number)) {
            Some(number) if (least..=100.0).contains(&number) => Ok(number),
            Some(_) => Err(Flaw::new(format!("{name} is out of range"))
                .within(argument.range.clone())
                .label(format!("{least} to 100"))),
            None => Err(Flaw::new(format!("{} needs {name}", self.name))
                .within(argument.range.clone())
                .label(format!("expected {name}=NUMBER"))
                .help(self.shape.usage())),
        }
    }

    fn empirical(&self) -> Result<Law, Flaw> {
        if self.arguments.is_empty() {
            return Err(
                Flaw::new("an empirical law needs at least one value").help(self.shape.usage())
            );
        }
        let values = self.arguments.iter().map(|value| Ok(span_of(value)?.0 as f64));
        Ok(Law::Empirical(values.collect::<Result<Vec<f64>, Flaw>>()?.into()))
    }
}

fn span_of(argument: &Argument<'_>) -> Result<Span, Flaw> {
    quantity::span(argument.text)
        .map_err(|flaw| flaw.within(argument.range.clone()).label("expected a duration"))
}

/// The file that an empirical law names, `empirical("demands.csv")`, with its place in the text.
pub(crate) fn named_file(text: &str) -> Option<(&str, Range<usize>)> {
    let inside = text.trim().strip_prefix("empirical")?.trim_start().strip_prefix('(')?;
    let inside = inside.strip_suffix(')')?.trim();
    let path = inside.strip_prefix('"')?.strip_suffix('"')?;
    let start = text.find('"')? + 1;
    Some((path, start..start + path.len()))
}

/// A law as a scenario writes it.
pub fn show(law: &Law) -> String {
    match law {
        Law::Constant(value) => show_span(*value),
        Law::Uniform(low, high) => format!("uniform({}, {})", show_span(*low), show_span(*high)),
        Law::Exponential(mean) => format!("exponential({})", show_span(*mean)),
        Law::LogNormal(mean, cv) => format!("log-normal({}, cv={cv})", show_span(*mean)),
        Law::Gamma(mean, cv) => format!("gamma({}, cv={cv})", show_span(*mean)),
        Law::Hyperexponential(mean, cv) => {
            format!("hyperexponential({}, cv={cv})", show_span(*mean))
        }
        Law::Weibull(mean, shape) => format!("weibull({}, shape={shape})", show_span(*mean)),
        Law::Empirical(values) => {
            let values: Vec<String> =
                values.iter().map(|value| show_span(Span(value.round() as u64))).collect();
            format!("empirical({})", values.join(", "))
        }
    }
}

/// A span as a scenario writes it, exact to the nanosecond: `250ms`, `1.4ms`, `2m30s`.
pub fn show_span(span: Span) -> String {
    match span.0 {
        0 => "0s".to_owned(),
        1..1_000 => format!("{}ns", span.0),
        1_000..1_000_000 => decimal(span.0, 1_000, "us"),
        1_000_000..SECOND => decimal(span.0, 1_000_000, "ms"),
        _ => clock(span.0),
    }
}

fn clock(ns: u64) -> String {
    let units = [("d", 86_400 * SECOND), ("h", 3_600 * SECOND), ("m", 60 * SECOND)];
    let mut text = String::new();
    let mut rest = ns;
    for (unit, size) in units {
        if rest >= size {
            text.push_str(&format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    if rest > 0 {
        text.push_str(&decimal(rest, SECOND, "s"));
    }
    text
}

/// `ns` in units of `size` (a power of ten), with as many decimals as it takes.
fn decimal(ns: u64, size: u64, unit: &str) -> String {
    let digits = size.ilog10() as usize;
    let text = format!("{}.{:0digits$}", ns / size, ns % size);
    format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A rate as a scenario writes it: `900/s`.
pub fn show_rate(rate: Rate) -> String {
    format!("{}/s", rate.0)
}

/// A share as a scenario writes it: `99.9%`.
pub fn show_share(share: Share) -> String {
    let percent = format!("{:.9}", share.0 * 100.0);
    let percent = format!("{}%", percent.trim_end_matches('0').trim_end_matches('.'));
    match quantity::share(&percent) {
        Ok(read) if read == share => percent,
        _ => share.0.to_string(),
    }
}

/// An amount of memory as a scenario writes it: `512MiB`.
pub fn show_bytes(bytes: Bytes) -> String {
    let units = [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match units.iter().find(|(_, size)| bytes.0 >= *size && bytes.0.is_multiple_of(*size)) {
        Some((unit, size)) => format!("{}{unit}", bytes.0 / size),
        None => format!("{}B", bytes.0),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_law_reads_as_the_guide_says() {
        let ms = |value: f64| Span::from_secs(value / 1e3);
        for (text, law) in [
            ("5s", Law::Constant(ms(5e3))),
            ("constant(5s)", Law::Constant(ms(5e3))),
            ("uniform(2s, 6s)", Law::uniform_secs(2.0, 6.0)),
            ("exponential(1.4ms)", Law::Exponential(ms(1.4))),
            ("log-normal(1.4ms, cv=1)", Law::LogNormal(ms(1.4), 1.0)),
            // The mean is √2 times the median.
            ("log-normal(p50=12ms, cv=1)", Law::LogNormal(Span(16_970_563), 1.0)),
            ("log-normal( median = 12ms, cv=1)", Law::LogNormal(Span(16_970_563), 1.0)),
            ("log-normal(mean=12ms, cv=1)", Law::LogNormal(ms(12.0), 1.0)),
            ("exponential(p50=693147180ns)", Law::Exponential(Span(999_999_999))),
            ("gamma( 1.4ms ,cv = 0.5 )", Law::Gamma(ms(1.4), 0.5)),
            ("erlang(4, 1.4ms)", Law::Gamma(ms(1.4), 0.5)),
            ("hyperexponential(1.4ms, cv=2)", Law::Hyperexponential(ms(1.4), 2.0)),
            ("weibull(30d, shape=0.7)", Law::Weibull(Span(30 * 86_400 * SECOND), 0.7)),
            ("empirical(1ms, 2ms)", Law::Empirical([1e6, 2e6].into())),
        ] {
            assert_eq!(parse(text), Ok(law), "{text}");
        }
    }

    #[test]
    fn two_percentiles_or_mean_and_percentile_are_a_log_normal_law() {
        // σ = ln 4/2.3263 = 0.59591: mean exp(σ²/2) = 1.194293 ms, cv √(exp(σ²) − 1) = 0.652944.
        for text in ["log-normal(p50=1ms, p99=4ms)", "log-normal(1.194293ms, p99=4ms)"] {
            let Ok(Law::LogNormal(mean, cv)) = parse(text) else { panic!("{text}") };
            assert!((mean.0 as f64 / 1_194_293.0 - 1.0).abs() < 1e-5, "{text}: {mean:?}");
            assert!((cv / 0.652_944 - 1.0).abs() < 1e-5, "{text}: {cv}");
        }
        for none in ["p50=4ms, p99=4ms", "p50=4ms, p99=1ms", "4ms, p99=80ms", "0s, p99=1ms"] {
            let flaw = parse(&format!("log-normal({none})")).expect_err(none);
            assert!(flaw.title.contains("these two values"), "{none}: {flaw:?}");
        }
    }

    #[test]
    fn a_flaw_points_at_the_part_that_is_wrong() {
        let flawed = |text: &str| {
            let flaw = parse(text).expect_err(text);
            text[flaw.range.unwrap_or(0..text.len())].to_owned()
        };
        assert_eq!(flawed("uniform(2s, 6x)"), "6x");
        assert_eq!(flawed("exponental(2s)"), "exponental");
        assert_eq!(flawed("gamma(1s, cv=-1)"), "cv=-1");
        assert_eq!(flawed("hyperexponential(1s, cv=0.5)"), "cv=0.5");
        assert_eq!(flawed("erlang(0, 1s)"), "0");
        assert_eq!(flawed("log-normal(p50=12x, cv=1)"), "12x");
        assert_eq!(flawed("log-normal(p90=12ms, cv=1)"), "p90=12ms");
        assert_eq!(flawed("gamma(median=1s, cv=1)"), "median=1s");
        assert_eq!(flawed("log-normal(p50=1ms, p99=4x)"), "4x");
    }

    #[test]
    fn nonsense_is_no_law() {
        for text in [
            "",
            "(",
            ")",
            "uniform",
            "uniform(",
            "uniform()",
            "uniform(1s)",
            "uniform(2s, 1s)",
            "gamma(1s, cv=0)",
            "gamma(1s, cv=nan)",
            "gamma(1s, shape=2)",
            "weibull(1s, shape=0)",
            "empirical()",
            "empirical(1ms,)",
            "normal(1s, cv=1)",
            "5s)",
            "exponential(5s) x",
        ] {
            assert!(parse(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn a_file_of_values_is_told_from_values() {
        assert_eq!(named_file("empirical(\"a.csv\")"), Some(("a.csv", 11..16)));
        assert_eq!(named_file("empirical(1ms)"), None);
    }

    fn any_span() -> impl Strategy<Value = Span> {
        prop_oneof![0..2_000_u64, 0..10_000_000_000_u64, 0..4_000_000_000_000_000_u64]
            .prop_map(Span)
    }

    fn any_law() -> impl Strategy<Value = Law> {
        let cv = 0.001..100.0_f64;
        prop_oneof![
            any_span().prop_map(Law::Constant),
            (any_span(), any_span()).prop_map(|(a, b)| Law::Uniform(a.min(b), a.max(b))),
            any_span().prop_map(Law::Exponential),
            (any_span(), cv.clone()).prop_map(|(mean, cv)| Law::LogNormal(mean, cv)),
            (any_span(), cv.clone()).prop_map(|(mean, cv)| Law::Gamma(mean, cv)),
            (any_span(), 1.0..100.0_f64).prop_map(|(m, cv)| Law::Hyperexponential(m, cv)),
            (any_span(), 0.1..100.0_f64).prop_map(|(mean, shape)| Law::Weibull(mean, shape)),
            proptest::collection::vec(any_span().prop_map(|span| span.0 as f64), 1..5)
                .prop_map(|values| Law::Empirical(values.into())),
        ]
    }

    proptest! {
        #[test]
        fn a_law_written_out_reads_back_the_same(law in any_law()) {
            prop_assert_eq!(parse(&show(&law)), Ok(law));
        }

        #[test]
        fn quantities_written_out_read_back_the_same(x in 0.0..1.0_f64, n in 0..1_u64 << 50) {
            prop_assert_eq!(quantity::share(&show_share(Share(x))), Ok(Share(x)));
            prop_assert_eq!(quantity::rate(&show_rate(Rate(x * 1e6))), Ok(Rate(x * 1e6)));
            prop_assert_eq!(quantity::bytes(&show_bytes(Bytes(n))), Ok(Bytes(n)));
        }
    }
}
