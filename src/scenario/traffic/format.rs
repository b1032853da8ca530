//! The tables of `[traffic]`, `[[traffic.change]]` and `[traffic.bursts]`.

use crate::plan::Scatter;
use toml::de::DeValue;

use crate::diagnostic::{Flaw, clip};
use crate::quantity;
use crate::scenario::reader::keys;
use crate::scenario::recording::moment::{self, Moment};
use crate::scenario::text::value::{Node, Value};
use crate::scenario::text::{Located, ValueShape, law, words};
use crate::units::{Rate, Share, Span};

words! {
    /// A change of the rate.
    enum ChangeKind { Step = "step", Ramp = "ramp", Spike = "spike" }
    /// A day of the week, counted from Monday.
    enum Weekday {
        Monday = "mon", Tuesday = "tue", Wednesday = "wed", Thursday = "thu", Friday = "fri",
        Saturday = "sat", Sunday = "sun",
    }
    /// What a file of recorded arrivals is.
    enum ReplayFormat {
        Csv = "csv", AccessLog = "access-log", JsonLines = "json-lines", Envoy = "envoy",
        Alb = "alb", Haproxy = "haproxy", W3c = "w3c", K6 = "k6", JMeter = "jmeter", Hey = "hey",
        Rates = "rates",
    }
    Scatter { Poisson = "poisson", Deterministic = "deterministic" }
}

/// A time in a recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ReplayTime {
    /// So long after its beginning.
    After(Span),
    /// By the clock.
    At(Moment),
}

impl Value for ReplayTime {
    fn kind() -> String {
        "a duration from its beginning or a time, such as \"2h\" or \"2026-03-02T09:30:00Z\""
            .to_owned()
    }
    fn shape() -> ValueShape {
        // Of a time by the clock: what tells it from a duration.
        ValueShape::Either(vec![Span::shape(), ValueShape::text("[0-9].*[-:].*")])
    }

    fn parse(text: &str) -> Result<Self, Flaw> {
        let text = clip(text);
        let is_clock = text.contains('-') || text.contains(':');
        match moment::written(&text).filter(|_| is_clock) {
            Some(read) => Ok(ReplayTime::At(read.at)),
            None if is_clock => Err(Flaw::new(format!("{text:?} is no time"))
                .help("write \"2026-03-02T09:30:00Z\", or how long after the beginning")),
            None => quantity::span(&text).map(ReplayTime::After),
        }
    }

    fn show(&self) -> String {
        match self {
            ReplayTime::After(span) => format!("\"{}\"", law::show_span(*span)),
            ReplayTime::At(at) => format!("\"{}\"", moment::shown(*at)),
        }
    }

    fn read(node: &Node<'_>) -> Result<Self, Vec<Flaw>> {
        let bare = node.text.get(node.span.clone());
        let bare = bare.filter(|_| matches!(node.value, DeValue::Datetime(_)));
        match node.value.as_str().or(bare) {
            Some(text) => Self::parse(text).map_err(|flaw| vec![node.within(flaw, text)]),
            None => Err(vec![node.mistyped::<Self>()]),
        }
    }

    fn quoted(number: &str) -> Option<String> {
        Span::quoted(number)
    }
}

keys! { key "traffic" {
    RATE: Rate = "rate", "", Given, "", "Requests per unit of time, or sessions.";
    ARRIVALS: Scatter = "arrivals", "poisson", Inferred, "many independent clients",
        "How arrivals scatter around the rate.";
    DAILY: Vec<Located<f64>> = "daily", "", Assumed, "none",
        "24 factors of the rate, one per hour of the day, linear in between.";
    DAY_START: Span = "day-start", "0s", Inferred, "midnight",
        "The time of day at which the run starts (with daily or weekly only).",
        With(&["daily", "weekly"]);
    WEEKLY: Vec<Located<f64>> = "weekly", "", Assumed, "none",
        "7 factors, one per day from Monday on, that multiply those of daily.";
    WEEK_START: Weekday = "week-start", "mon", Inferred, "a week's first day",
        "The weekday on which the run starts (with weekly only).", With(&["weekly"]);
    REPLAY: String = "replay", "", Assumed, "none",
        "A file of recorded arrivals, or of rates over time, from the scenario's folder.";
    REPLAY_FORMAT: ReplayFormat = "replay-format", "", Inferred, "the file's first lines",
        "What that file is (with replay only).", With(&["replay"]);
    REPLAY_SPEED: f64 = "replay-speed", "1", Inferred, "as recorded",
        "How many times as fast it is played: 2 doubles the rate (with replay only).",
        With(&["replay"]);
    REPLAY_LOOP: bool = "replay-loop", "false", Inferred, "a recording is played once",
        "Whether it begins again when it ends (with replay only).", With(&["replay"]);
    REPLAY_FROM: ReplayTime = "replay-from", "", Assumed, "the first request",
        "What of the file is before this is left out (with replay only).", With(&["replay"]);
    REPLAY_TO: ReplayTime = "replay-to", "", Assumed, "the last request",
        "What of the file is not before this is left out (with replay only).", With(&["replay"]);
    REPLAY_SHARE: Share = "replay-share", "100%", Inferred, "all of it",
        "Which share of the recorded requests is sent, drawn at random (with replay only).",
        With(&["replay"]);
    REPLAY_SERIES: String = "replay-series", "", Assumed, "all of them, summed",
        "Of a file of rates those series whose names contain this (with replay only).",
        With(&["replay"]);
}}

keys! { change "traffic.change" list {
    KIND: ChangeKind = "kind", "", Given, "", "Which way the rate changes.";
    AT: Span = "at", "", Given, "", "When a step or a spike happens.";
    FROM: Span = "from", "", Given, "", "When a ramp begins.";
    TO: Span = "to", "", Given, "", "When a ramp ends.";
    FOR: Span = "for", "", Given, "", "How long a spike lasts.";
    RATE: Rate = "rate", "", Given, "", "The new rate.";
}}

keys! { bursts "traffic.bursts" {
    FACTOR: f64 = "factor", "", Given, "",
        "The rate in a burst over that in calm; traffic.rate stays the mean of both.";
    EVERY: Span = "every", "", Given, "",
        "Mean time from the end of a burst to the next, exponential.";
    FOR: Span = "for", "", Given, "", "Mean length of a burst, exponential.";
}}
