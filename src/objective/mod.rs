//! Objectives: what a scenario demands of its gateway.
//!
//! An objective is a figure, a bound and the part of the run that it speaks of, such as
//! `p99 < 250ms during crash`; [`parse`] reads it. One that speaks of months or years, such as
//! `availability >= 99.95% per month`, is no figure of a run: `budget.rs` reads it, and only the
//! study of availability judges it.
//!
//! It owns the words in which something is demanded, and what is said of wrong ones; what they
//! mean is up to `metric` and `verdict`.
//!
//! Begin with [`parse`].

pub mod budget;

use std::ops::Range;

use crate::diagnostic::{Flaw, suggestion};
use crate::metric::percentile::Among;
pub use crate::metric::{Metric, Restored};
use crate::observe::ledger::Failure;
use crate::observe::outcome::MINUTE_PERCENTILES;
use crate::plan::{RecoveryPoint, StateItem};
use crate::quantity;
use crate::units::{Instant, Share, Span};

/// One objective of a scenario, such as `p99 < 250ms during crash`.
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    /// As written in the scenario.
    pub text: String,
    /// What is measured.
    pub metric: Metric,
    /// How it must compare with the bound.
    pub relation: Relation,
    /// The bound.
    pub bound: Bound,
    /// Over which window (index into the plan's windows).
    pub window: usize,
}

/// How a figure must compare with its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

/// The bound of an objective.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// For latencies and recovery.
    Span(Span),
    /// For availability and the probabilities of whole replications.
    Share(Share),
}

/// An objective as read, before its period is found among the windows of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// What is measured.
    pub metric: Metric,
    /// How it must compare with the bound.
    pub relation: Relation,
    /// The bound.
    pub bound: Bound,
    /// Over which part of the run.
    pub period: Period,
    /// Of the requests of which API; where its name stands in the objective. `None` = of all. What
    /// stands there of a recovery point is an item of state, which the metric has.
    pub api: Option<(String, Range<usize>)>,
}

/// The part of a run that an objective speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Period {
    /// All of it after warm-up.
    Run,
    /// While the fault of this name has its effect; where the name stands in the objective.
    During(String, Range<usize>),
    /// Between two instants; where they stand in the objective.
    Between(Instant, Instant, Range<usize>),
}

const SHAPE: &str = "write METRIC RELATION BOUND, such as \"p99 < 250ms\" or \"recovery < 60s\"";

/// The other word for `recovery`.
const SERVICE_RESTORED: &str = "service-restored";

/// Reads an objective: `p99 < 250ms`, `p99 of served < 250ms`,
/// `availability >= 99.9% during crash`, `p95 < 80ms from 1m to 2m for orders`,
/// `p95 recovery < 60s`, `stuck < 5%`.
///
/// # Errors
/// Says which part is wrong and where it stands in the text.
pub fn parse(text: &str) -> Result<Draft, Flaw> {
    let symbols = |c: char| matches!(c, '<' | '>' | '=' | '≤' | '≥');
    let Some(start) = text.find(symbols) else {
        return Err(without_relation(text));
    };
    let length = text[start..].find(|c| !symbols(c)).unwrap_or(text.len() - start);
    let end = start + length;
    let metric = metric(TextPiece::of(text, 0..start))?;
    let relation = relation(TextPiece::of(text, start..end))?;
    let AroundApi { before, mut api, after } = AroundApi::find(text, end)?;
    let metric = match (metric, api.take_if(|_| metric.is_given())) {
        (Metric::Rpo(_), Some(word)) => item(&word)?,
        (metric, _) => metric,
    };
    let cut = before.start + period_start(&text[before.clone()]).unwrap_or(before.len());
    let bound = bound(TextPiece::of(text, end..cut), metric)?;
    let piece = match (TextPiece::of(text, cut..before.end), TextPiece::of(text, after)) {
        (early, late) if late.text.is_empty() => early,
        (early, late) if early.text.is_empty() => late,
        (_, late) => {
            let help = "write the part of the run once, before or after the API";
            return Err(late.flaw("nothing more may follow the API").help(help));
        }
    };
    let (metric, period) = match piece.text == WORST_MINUTE {
        true => {
            let worst = metric.in_the_worst_minute();
            (worst.ok_or_else(|| no_worst_minute(&piece, metric))?, Period::Run)
        }
        false => (metric, period(piece.clone())?),
    };
    let whole = metric.is_of_replications() || metric.is_of_the_run();
    if whole && period != Period::Run {
        let of = if metric.is_of_the_run() { "the whole run" } else { "whole replications" };
        let title = format!("{:?} is of {of}", metric.key());
        return Err(piece.flaw(title).help("leave out the part of the run"));
    }
    if let Some(api) = api.as_ref().filter(|_| !metric.is_of_apis()) {
        let title = format!("{:?} is of the gateway, not of one API or region", metric.key());
        let help = "latencies, availability, failed and rejected are of requests; name a fault \
                    with \"during\" instead";
        return Err(api.flaw(title).help(help));
    }
    let api = api.map(|api| (api.text.to_owned(), api.range));
    Ok(Draft { metric, relation, bound, period, api })
}

/// A recovery point of the item that is named.
fn item(word: &TextPiece<'_>) -> Result<Metric, Flaw> {
    let words = StateItem::ALL.map(StateItem::word);
    let item = StateItem::ALL.into_iter().find(|item| item.word() == word.text);
    let point = |item| Metric::Rpo(RecoveryPoint { item: Some(item), most: Span::ZERO });
    item.map(point).ok_or_else(|| {
        let help = suggestion(word.text, words).unwrap_or_default();
        word.flaw(format!("a gateway keeps no {:?}", word.text)).help(help)
    })
}

/// What stands around the name of an API: the whole text before it, if there is none.
struct AroundApi<'a> {
    before: Range<usize>,
    api: Option<TextPiece<'a>>,
    after: Range<usize>,
}

impl<'a> AroundApi<'a> {
    /// Finds `for API` from a place of an objective on.
    fn find(text: &'a str, from: usize) -> Result<AroundApi<'a>, Flaw> {
        let end = text.len();
        let Some(at) = word_start(&text[from..], "for").map(|at| from + at) else {
            return Ok(AroundApi { before: from..end, api: None, after: end..end });
        };
        let mut api = TextPiece::of(text, at + "for".len()..end);
        if api.text.is_empty() {
            let help = "write \"for NAME\" with the name of an [[api]]";
            let flaw = TextPiece::of(text, at..end).flaw("\"for\" lacks the name of an API");
            return Err(flaw.help(help));
        }
        let length = api.text.find(' ').unwrap_or(api.text.len());
        api = TextPiece::of(text, api.range.start..api.range.start + length);
        Ok(AroundApi { before: from..at, after: api.range.end..end, api: Some(api) })
    }
}

/// The part of a run that is its worst minute.
const WORST_MINUTE: &str = "in the worst minute";

fn no_worst_minute(piece: &TextPiece<'_>, metric: Metric) -> Flaw {
    let title = format!("{:?} is not followed minute by minute", metric.key());
    let percentiles = MINUTE_PERCENTILES.map(|share| Metric::Latency(share).key()).join(", ");
    piece.flaw(title).help(format!("of a minute there are availability, {percentiles}"))
}

fn without_relation(text: &str) -> Flaw {
    match metric(TextPiece::of(text, 0..text.find(' ').unwrap_or(text.len()))) {
        Err(flaw) if flaw.help.is_some() => flaw.help(SHAPE),
        _ => Flaw::new(format!("the objective {text:?} has no relation and bound")).help(SHAPE),
    }
}

/// A part of an objective and where it stands.
#[derive(Clone)]
struct TextPiece<'a> {
    text: &'a str,
    range: Range<usize>,
}

impl<'a> TextPiece<'a> {
    /// The part of `text` at `range`, without the blanks around it.
    fn of(text: &'a str, range: Range<usize>) -> TextPiece<'a> {
        let part = &text[range.clone()];
        let start = range.start + part.len() - part.trim_start().len();
        TextPiece { text: part.trim(), range: start..start + part.trim().len() }
    }

    fn flaw(&self, title: impl Into<String>) -> Flaw {
        let flaw = Flaw::new(title);
        if self.text.is_empty() { flaw } else { flaw.within(self.range.clone()) }
    }
}

/// Where `during`, `from` or `in` begins, as a word of its own.
fn period_start(rest: &str) -> Option<usize> {
    ["during", "from", "in"].into_iter().filter_map(|keyword| word_start(rest, keyword)).min()
}

/// Where a word begins that stands by itself, after others.
fn word_start(text: &str, word: &str) -> Option<usize> {
    let mut found = text.match_indices(word).map(|(at, _)| at);
    found.find(|at| {
        let after = text[at + word.len()..].chars().next();
        text[..*at].ends_with(' ') && after.is_none_or(|c| c == ' ')
    })
}

fn metric(piece: TextPiece<'_>) -> Result<Metric, Flaw> {
    if piece.text.is_empty() {
        return Err(piece.flaw("the objective does not say what is measured").help(SHAPE));
    }
    if let Some(named) = named(piece.text) {
        return Ok(named);
    }
    if let Some(figure) = piece.text.strip_suffix("of served") {
        return of_served(piece.clone(), figure.trim_end());
    }
    if let Some((figure, api)) = piece.text.split_once(" for ") {
        let start = piece.range.start;
        let figure = metric(TextPiece { text: figure, range: start..start + figure.len() })?;
        let (what, example) = match figure.is_given() {
            true => ("item", example(figure).to_owned()),
            false => ("API", format!("{} for {}", example(figure), api.trim())),
        };
        let title = format!("the {what} stands at the end of an objective");
        return Err(piece.flaw(title).help(format!("such as {example:?}")));
    }
    if let Some((what, cause)) = piece.text.split_once(" by ") {
        return caused(&piece, what.trim_end(), cause.trim_start());
    }
    if let Some((rank, rest)) = piece.text.split_once(' ')
        && let Some(restored) = named(rest.trim_start()).and_then(Metric::restored)
    {
        return percentile(&piece, rank).map(|share| Metric::RecoveryWithin(restored, share));
    }
    if let Some(rank) = rank_within(piece.text) {
        let help = format!("write {rank:?}: a percentile is always of a latency");
        return Err(piece.flaw(format!("{:?} is no metric", piece.text)).help(help));
    }
    if piece.text.strip_prefix('p').is_some_and(|digits| digits.starts_with(is_digit)) {
        return percentile(&piece, piece.text).map(Metric::SentLatency);
    }
    // One share of the clients stands for all.
    let is_told = |metric: &Metric| !matches!(metric.restored(), Some(Restored::Clients(50 | 95)));
    let known: Vec<_> = Metric::DEMANDED.into_iter().filter(is_told).map(Metric::key).collect();
    let help = suggestion(piece.text, known.iter().map(String::as_str)).unwrap_or_default();
    Err(piece.flaw(format!("{:?} is no metric", piece.text)).help(help))
}

/// The percentile that stands in a text beside words for latency, in any way of writing: `p95` of
/// `p95 latency`, `p(95)` and `95th percentile`.
fn rank_within(text: &str) -> Option<String> {
    const LATENCY: [&str; 7] =
        ["latency", "latencies", "percentile", "response", "time", "duration", "of"];
    let plain = text.to_lowercase().replace("p(", "p").replace(')', "");
    let words = plain.split(|c: char| !c.is_alphanumeric() && c != '.');
    let (of_latency, rest): (Vec<&str>, Vec<&str>) = words.partition(|w| LATENCY.contains(w));
    let [rank] = rest[..] else { return None };
    let digits = rank.strip_prefix('p').or_else(|| rank.strip_suffix("th"))?;
    let share = quantity::hundredth(digits).filter(|share| *share > 0.0 && *share < 1.0);
    let is_plain = of_latency.is_empty() && rank == text;
    share.filter(|_| !is_plain).map(|_| format!("p{digits}"))
}

/// What objectives ask for by this word.
fn named(word: &str) -> Option<Metric> {
    let word = if word == SERVICE_RESTORED { "recovery" } else { word };
    Metric::DEMANDED.into_iter().find(|one| one.key() == word)
}

/// The share that `p99.9` stands for.
fn percentile(piece: &TextPiece<'_>, rank: &str) -> Result<f64, Flaw> {
    let digits = rank.strip_prefix('p').filter(|digits| digits.len() <= 8);
    let share = digits.and_then(quantity::hundredth).filter(|share| *share > 0.0 && *share < 1.0);
    share.ok_or_else(|| {
        piece
            .flaw(format!("{rank:?} is no percentile"))
            .help("a percentile lies between p0 and p100, such as p50, p99 or p99.9")
    })
}

/// A latency of the served requests alone.
fn of_served(piece: TextPiece<'_>, figure: &str) -> Result<Metric, Flaw> {
    let part =
        TextPiece { text: figure, range: piece.range.start..piece.range.start + figure.len() };
    match metric(part)? {
        Metric::SentLatency(share) => Ok(Metric::Latency(share)),
        Metric::MeanLatency => Ok(Metric::MeanLatency),
        Metric::Greatest(_) => Ok(Metric::Greatest(Among::Served)),
        _ => Err(piece
            .flaw(format!("{figure:?} is no latency"))
            .help("only latencies are of the served requests, such as \"p99 of served < 250ms\"")),
    }
}

/// The share of the requests that failed, or were rejected, in one way.
fn caused(piece: &TextPiece<'_>, what: &str, cause: &str) -> Result<Metric, Flaw> {
    let is_wanted = |kind: &Failure| match what {
        "failed" => !kind.is_rejection(),
        _ => kind.is_rejection(),
    };
    if what != "failed" && what != "rejected" {
        let title = format!("{:?} is no metric", piece.text);
        return Err(piece.flaw(title).help("requests are failed or rejected by something"));
    }
    let ways = Failure::ALL.into_iter().filter(is_wanted).map(Metric::ShareOf);
    let ways: Vec<(String, Metric)> = ways.map(|one| (one.key(), one)).collect();
    let written = format!("{what} by {}", cause.replace('_', "-"));
    let found = ways.iter().find(|(name, _)| *name == written).map(|(_, metric)| *metric);
    found.ok_or_else(|| {
        let names: Vec<&str> = ways.iter().map(|(name, _)| name.as_str()).collect();
        let all = names.iter().filter_map(|name| name.split_once(" by ")).map(|(_, why)| why);
        let help = suggestion(&written, names.iter().copied());
        let all = || format!("there are {}", all.collect::<Vec<_>>().join(", "));
        let title = format!("no request is {what} by {cause:?}");
        piece.flaw(title).help(help.unwrap_or_else(all))
    })
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

fn relation(piece: TextPiece<'_>) -> Result<Relation, Flaw> {
    match piece.text {
        "<" => Ok(Relation::Below),
        "<=" | "≤" => Ok(Relation::AtMost),
        ">" => Ok(Relation::Above),
        ">=" | "≥" => Ok(Relation::AtLeast),
        other => Err(piece.flaw(format!("{other:?} is no relation")).help("use <, <=, > or >=")),
    }
}

fn bound(piece: TextPiece<'_>, metric: Metric) -> Result<Bound, Flaw> {
    if piece.text.is_empty() {
        return Err(piece.flaw("the objective has no bound").help(SHAPE));
    }
    if metric.is_share() {
        return quantity::share(piece.text)
            .map(Bound::Share)
            .map_err(|flaw| no_share(&piece, metric, &flaw));
    }
    quantity::span(piece.text).map(Bound::Span).map_err(|flaw| match piece.text.contains('%') {
        true => piece
            .flaw("latencies and recovery are durations, not shares")
            .help(format!("bound it with a duration, such as {:?}", example(metric))),
        false => flaw.within(piece.range.clone()),
    })
}

/// An objective on this metric.
fn example(metric: Metric) -> &'static str {
    metric.demand().map_or("p99 < 250ms", |demand| demand.example)
}

/// Why what bounds a share is none.
fn no_share(piece: &TextPiece<'_>, metric: Metric, flaw: &Flaw) -> Flaw {
    let name = metric.key();
    let example = example(metric);
    if quantity::span(piece.text).is_ok() {
        let help = format!("bound it with a percentage, such as {example:?}");
        return piece.flaw(format!("{name} is a share, not a duration")).help(help);
    }
    if piece.text.contains('%') {
        let title = match metric {
            Metric::Availability => format!("no availability reaches {:?}", piece.text),
            _ => format!("no share reaches {:?}", piece.text),
        };
        return piece.flaw(title).help("write a percentage from 0% to 100%");
    }
    piece.flaw(&flaw.title).help(format!("write a percentage from 0% to 100%, such as {example:?}"))
}

fn period(piece: TextPiece<'_>) -> Result<Period, Flaw> {
    if let Some(rest) = piece.text.strip_prefix("during") {
        let start = piece.range.end - rest.trim_start().len();
        return match rest.trim() {
            "" => {
                let help = "write \"during NAME\" with the name of a [[fault]]";
                Err(piece.flaw("\"during\" lacks the name of a fault").help(help))
            }
            name => Ok(Period::During(name.to_owned(), start..start + name.len())),
        };
    }
    if piece.text.is_empty() {
        return Ok(Period::Run);
    }
    let Some(rest) = piece.text.strip_prefix("from") else {
        let help = format!("write \"during NAME\", \"from 1m to 2m\" or {WORST_MINUTE:?}");
        return Err(piece.flaw(format!("{:?} is no part of a run", piece.text)).help(help));
    };
    let Some((from, to)) = rest.split_once(" to ") else {
        return Err(piece.flaw("\"from\" lacks its end").help("write \"from 1m to 2m\""));
    };
    let instant = |text: &str| {
        let read = quantity::span(text.trim()).map(|span| Instant(span.0));
        read.map_err(|flaw| flaw.within(piece.range.clone()))
    };
    let (from, to) = (instant(from)?, instant(to)?);
    if from >= to {
        let help = "write the earlier time first, such as \"from 1m to 2m\"";
        return Err(piece.flaw("the period ends before it begins").help(help));
    }
    Ok(Period::Between(from, to, piece.range))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(seconds: f64) -> Bound {
        Bound::Span(Span::from_secs(seconds))
    }

    #[test]
    fn objectives_read_as_written() {
        let read = |text: &str| parse(text).expect(text);
        let p99 = read("p99 < 250ms");
        assert_eq!((p99.metric, p99.relation), (Metric::SentLatency(0.99), Relation::Below));
        assert_eq!((p99.bound, p99.period), (span(0.25), Period::Run));
        let tight = read("p99.9<=2s during crash");
        assert_eq!(tight.metric, Metric::SentLatency(0.999));
        assert_eq!(read("p99 of served < 2s during crash").metric, Metric::Latency(0.99));
        assert_eq!(read("mean of served < 2s").metric, Metric::MeanLatency);
        assert_eq!(read("greatest < 2s during crash").metric, Metric::Greatest(Among::Sent));
        assert_eq!(read("greatest of served < 2s").metric, Metric::Greatest(Among::Served));
        let timed_out = Metric::ShareOf(Failure::TimedOut);
        assert_eq!(read("failed by timed-out < 0.1%").metric, timed_out);
        assert_eq!(read("failed by timed_out < 0.1% during crash").metric, timed_out);
        let limited = Metric::ShareOf(Failure::RateLimited);
        assert_eq!(read("rejected by limit < 5%").metric, limited);
        assert_eq!(read("rejected < 5%").metric, Metric::Rejected);
        assert_eq!(read("cpu as monitored < 80%").metric, Metric::CpuMonitored);
        let worst = read("availability >= 99% in the worst minute");
        assert_eq!((worst.metric, worst.period), (Metric::WorstAvailability, Period::Run));
        assert_eq!(read("p99 < 1s in the worst minute").metric, Metric::WorstLatency(0.99));
        assert_eq!(tight.period, Period::During("crash".to_owned(), 17..22));
        let available = read("availability ≥ 99.9% from 1m to 2m30s");
        assert_eq!(available.relation, Relation::AtLeast);
        assert_eq!(available.bound, Bound::Share(Share(0.999)));
        let minute = 60 * crate::units::SECOND;
        let Period::Between(from, to, _) = available.period else { panic!("no period") };
        assert_eq!((from, to), (Instant(minute), Instant(minute * 5 / 2)));
        assert_eq!(read("recovery < 2m 30s").bound, span(150.0));
        assert_eq!(read("service-restored < 30s").metric, Metric::RECOVERY);
        assert_eq!(read("redundancy-restored < 5m").metric, Metric::REDUNDANCY);
        let within = |restored, share| Metric::RecoveryWithin(restored, share);
        assert_eq!(read("p95 recovery < 60s").metric, within(Restored::Service, 0.95));
        let of_node = read("p50  service-restored <= 1m during node");
        assert_eq!(of_node.metric, within(Restored::Service, 0.5));
        assert_eq!(of_node.period, Period::During("node".to_owned(), 35..39));
        let redundancy = within(Restored::Redundancy, 0.999);
        assert_eq!(read("p99.9 redundancy-restored < 5m").metric, redundancy);
        assert_eq!(read("mean < 5ms").metric, Metric::MeanLatency);
        let orders = |range| Some(("orders".to_owned(), range));
        assert_eq!(read("p99 < 200ms for orders").api, orders(16..22));
        for text in ["p99 < 1s during crash for orders", "p99 < 1s for orders during crash"] {
            let draft = read(text);
            let Period::During(name, range) = draft.period else { panic!("{text}") };
            assert_eq!((name.as_str(), &text[range]), ("crash", "crash"));
            assert_eq!(&text[draft.api.unwrap().1], "orders");
        }
        let worst = read("availability >= 99% in the worst minute for orders");
        assert_eq!((worst.metric, worst.api), (Metric::WorstAvailability, orders(44..50)));
        assert_eq!(read("failed by timed-out < 1% for for").api.unwrap().0, "for");
        assert_eq!(read("p99 < 1s").api, None);
        let point = |item| Metric::Rpo(RecoveryPoint { item, most: Span::ZERO });
        let rpo = read("rpo < 1h for configuration during crash");
        assert_eq!((rpo.metric, rpo.bound), (point(Some(StateItem::Configuration)), span(3600.0)));
        assert!(
            rpo.api.is_none() && matches!(rpo.period, Period::During(name, _) if name == "crash")
        );
        assert_eq!(parse("rpo <= 10m").unwrap().metric, point(None));
        assert_eq!(read("stuck < 5%").bound, Bound::Share(Share(0.05)));
        assert_eq!(read("recovered > 95%").metric, Metric::Recovered);
        assert_eq!(read("cpu < 80%").metric, Metric::Cpu);
    }

    #[test]
    fn a_flaw_names_the_part_and_the_remedy() {
        let flaw = |text: &str| {
            let flaw = parse(text).expect_err(text);
            let place = text[flaw.range.clone().unwrap_or(0..text.len())].to_owned();
            (place, format!("{} {}", flaw.title, flaw.help.unwrap_or_default()))
        };
        assert_eq!(flaw("availabilty > 99%").0, "availabilty");
        assert!(flaw("availabilty > 99%").1.contains("did you mean \"availability\"?"));
        assert!(flaw("p100 < 5s").1.contains("p99.9"));
        assert_eq!(flaw("availability of served > 99%").0, "availability of served");
        assert_eq!(flaw("p999x of served < 5s").0, "p999x");
        let unknown = flaw("failed by timeout < 1%");
        assert_eq!(unknown.0, "failed by timeout");
        assert!(unknown.1.contains("timed-out"), "{}", unknown.1);
        assert!(flaw("failed by limit < 1%").1.contains("no request is failed by \"limit\""));
        assert!(flaw("p98 < 1s in the worst minute").1.contains("p50, p90, p95, p99, p99.9"));
        assert_eq!(flaw("mean < 1s in the worst minute").0, "in the worst minute");
        for part in ["in the worst hour", "in worst minute", "in the worst minute during crash"] {
            let (place, help) = flaw(&format!("availability >= 99% {part}"));
            assert_eq!(place, part);
            assert!(help.contains("in the worst minute"), "{help}");
        }
        assert!(flaw("p100 recovery < 5s").1.contains("\"p100\" is no percentile"));
        assert!(flaw("p95 recovry < 5s").1.contains("is no percentile"));
        for text in ["p95 latency < 5s", "latency p95 < 5s", "p(95) < 5s", "95th percentile < 5s"] {
            assert!(parse(text).unwrap_err().help.unwrap().starts_with("write \"p95\""), "{text}");
        }
        assert!(flaw("p95 cpu < 5%").1.contains("is no percentile"));
        assert_eq!(flaw("p99 == 5s").0, "==");
        assert!(flaw("p99 < 99%").1.contains("durations, not shares"));
        assert!(flaw("availability > 5s").1.contains("a share, not a duration"));
        assert!(flaw("availability >= 101%").1.contains("no availability reaches"));
        assert_eq!(flaw("p99 < 5").0, "5");
        assert!(flaw("stuck < 5s").1.contains("a share, not a duration"));
        assert!(flaw("stuck < 105%").1.contains("no share reaches"));
        assert_eq!(flaw("stuck < 5% during crash").0, "during crash");
        assert!(flaw("recovred > 95%").1.contains("did you mean \"recovered\"?"));
        assert!(flaw("p99 < 5s during").1.contains("lacks the name"));
        assert_eq!(flaw("p99 < 5s for").0, "for");
        let (_, said) = flaw("p99 < 5s for");
        assert!(said.contains("lacks the name of an API") && said.contains("[[api]]"), "{said}");
        assert_eq!(flaw("p99 < 5s during crash for orders now").0, "now");
        assert!(flaw("p99 < 5s for orders now").1.contains("is no part of a run"));
        for text in ["recovery < 60s for orders", "cpu < 80% for orders", "stuck < 5% for orders"] {
            let (place, help) = flaw(text);
            assert_eq!(place, "orders", "{text}");
            assert!(help.contains("of the gateway, not of one API or region"), "{help}");
        }
        let (place, help) = flaw("availability for orders >= 99%");
        assert_eq!(place, "availability for orders");
        assert!(help.contains("such as \"availability >= 99.9% for orders\""), "{help}");
        let (place, help) = flaw("rpo < 1h for configuraton");
        assert_eq!(place, "configuraton");
        assert!(help.contains("did you mean \"configuration\"?"), "{help}");
        assert!(flaw("rpo < 1h for sessions").1.contains("\"limits\" or \"tokens\""));
        let (_, help) = flaw("rpo for cache < 1h");
        assert!(help.contains("the item stands at the end of an objective such as \"rpo < 1h"));
        assert!(flaw("rpo < 5%").1.contains("durations, not shares"));
        assert!(flaw("p99 < 5s from 1m").1.contains("from 1m to 2m"));
        assert!(flaw("p99 < 5s from 2m to 1m").1.contains("before it begins"));
    }

    #[test]
    fn nonsense_is_refused_without_harm() {
        for text in ["", " ", "<", "p99", "p99 <", "< 5s", "p < 5s", "p99 < 5s 6q", "p0 < 1s", "≤"]
        {
            assert!(parse(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn what_is_of_the_whole_run_has_no_other_window() {
        let title = |text: &str| parse(text).expect_err(text).title;
        assert_eq!(title("cpu < 80% during crash"), "\"cpu\" is of the whole run");
        assert_eq!(title("stuck < 5% from 1m to 2m"), "\"stuck\" is of whole replications");
        assert_eq!(title("cpu < 80ms"), "cpu is a share, not a duration");
    }

    #[test]
    fn the_manual_lists_all_that_can_be_demanded() {
        let manual = include_str!("../../docs/SCENARIOS.md");
        let figures = manual.lines().find(|line| line.starts_with("| figure |")).unwrap();
        for metric in Metric::DEMANDED.into_iter().filter(|one| one.quantile().is_none()) {
            assert!(figures.contains(&format!("`{}`", metric.key())), "{figures}");
        }
    }
}
