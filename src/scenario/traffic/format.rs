//! The tables of `[traffic]`, `[[traffic.change]]` and `[traffic.bursts]`.

use crate::plan::Scatter;
use crate::scenario::reader::keys;
use crate::scenario::text::{Located, words};
use crate::units::{Rate, Span};

words! {
    /// A change of the rate.
    enum ChangeKind { Step = "step", Ramp = "ramp", Spike = "spike" }
    /// A day of the week, counted from Monday.
    enum Weekday {
        Monday = "mon", Tuesday = "tue", Wednesday = "wed", Thursday = "thu", Friday = "fri",
        Saturday = "sat", Sunday = "sun",
    }
    /// What a file of recorded arrivals is.
    enum ReplayFormat { Csv = "csv", AccessLog = "access-log", JsonLines = "json-lines" }
    Scatter { Poisson = "poisson", Deterministic = "deterministic" }
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
        "A file of recorded arrivals, from the scenario's folder.";
    REPLAY_FORMAT: ReplayFormat = "replay-format", "", Inferred, "the file's first line",
        "What that file is (with replay only).", With(&["replay"]);
    REPLAY_SPEED: f64 = "replay-speed", "1", Inferred, "as recorded",
        "How many times as fast it is played: 2 doubles the rate (with replay only).",
        With(&["replay"]);
    REPLAY_LOOP: bool = "replay-loop", "false", Inferred, "a recording is played once",
        "Whether it begins again when it ends (with replay only).", With(&["replay"]);
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
