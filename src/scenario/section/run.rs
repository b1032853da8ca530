//! The section `[run]`.

use crate::plan::{REPLICATIONS_MOST, Run};
use crate::scenario::reader::{Reader, keys};
use crate::units::{Instant, SECOND, Span};

keys! { key "run" {
    HORIZON: Span = "horizon", "", Given, "", "The end of simulated time.";
    WARM_UP: Span = "warm-up", "", Assumed, "a tenth of the horizon, a minute at most",
        "Requests sent before this are not counted.";
    SEED: u64 = "seed", "1", Assumed, "any will do", "Seed of all randomness.";
    REPLICATIONS: u64 = "replications", "10", Assumed, "enough for an interval",
        "Independent repetitions, 1 to 100000.";
} instead {
    "duration": "horizon = \"10m\"", "length": "horizon = \"10m\"", "until": "horizon = \"10m\"",
}}

/// Reads `[run]`; `None` if the horizon or the warm-up is not sound.
pub(crate) fn read(reader: &Reader<'_>) -> Option<Run> {
    let section = reader.section(&key::SPEC);
    let horizon = section.require(key::HORIZON, "horizon = \"10m\"");
    let seed = section.get(key::SEED);
    let replications = section.count(key::REPLICATIONS, 1..=REPLICATIONS_MOST).value as usize;
    let tenth = horizon.as_ref().map_or(0, |horizon| horizon.value.0 / 10);
    let default = Span(tenth.min(60 * SECOND));
    let warm_up = section.or(key::WARM_UP, default);
    let horizon = horizon?;
    if horizon.value == Span::ZERO {
        let help = "write a duration above zero";
        section.error(&horizon, "a run of no length shows nothing", help);
        return None;
    }
    if warm_up.value >= horizon.value {
        let title = "warm-up takes the whole run, so nothing would be counted";
        let help = format!("write a warm-up shorter than {}", horizon.value);
        section.error(&warm_up, title, help);
        return None;
    }
    let (horizon, warm_up) = (Instant(horizon.value.0), Instant(warm_up.value.0));
    Some(Run { horizon, warm_up, seed, replications, bin: bin(horizon) })
}

/// The timeline's bin for a horizon: the narrowest of a list that needs at most 20 000 rows, so
/// that the memory of a run does not grow with its length.
pub(crate) fn bin(horizon: Instant) -> Span {
    const SECONDS: [u64; 12] = [1, 2, 5, 10, 30, 60, 300, 900, 3_600, 21_600, 86_400, 604_800];
    let fits = |seconds: &&u64| horizon.0 / (**seconds * SECOND) < 20_000;
    Span(SECONDS.iter().find(fits).unwrap_or(&604_800) * SECOND)
}
