//! Capacities, constraints and sensitivities in words.

use crate::observe::ledger::Failure;
use crate::report::format::words::{grouped, plural};
use crate::study::capacity::finding::Finding;
use crate::study::capacity::finding::{Binding, Constraint};
use crate::study::capacity::regimes::Cause;
use crate::study::capacity::search::{Band, Capacity};
use crate::study::capacity::sensitivity::{Gives, Instead, Sensitivity};
use crate::study::mode::Moot;
use crate::units::{Rate, Share, Span};

/// A load in requests per second: `1,180`, `96.4`.
pub fn load(rate: f64) -> String {
    let digits = if rate > 0.0 { 3 - rate.log10().floor() as i32 } else { 0 };
    grouped(rate, digits.clamp(0, 3) as usize)
}

/// A demand: `1,287/s`, in as many digits as it has.
pub fn demand(rate: f64) -> String {
    if rate.fract() == 0.0 { format!("{}/s", grouped(rate, 0)) } else { Rate(rate).to_string() }
}

/// `1,180/s (1,160–1,200)`.
pub fn capacity(capacity: Capacity) -> String {
    match capacity {
        Capacity::Between { low, high, .. } if high.is_infinite() => {
            format!("undecided above {}/s", load(low))
        }
        Capacity::Between { low, point, high } => {
            format!("{}/s ({}–{})", load(point), load(low), load(high))
        }
        Capacity::AtMost(high) if high.is_infinite() => "undecided".to_owned(),
        Capacity::AtMost(high) => format!("less than {}/s", load(high)),
        Capacity::AtLeast(0.0) => "undecided".to_owned(),
        Capacity::AtLeast(low) => format!("at least {}/s", load(low)),
        Capacity::Nothing => "no load".to_owned(),
        Capacity::Stopped => "stopped".to_owned(),
    }
}

/// A band of loads that miss: `missed from 745.0 to 1,035/s, met again from 1,130 to 1,410/s`.
pub fn band(band: &Band) -> String {
    let range = |from: f64, to: f64| match from < to {
        true => format!("from {} to {}/s", load(from), load(to)),
        false => format!("at {}/s", load(from)),
    };
    let (missed, met) = (range(band.from, band.to), range(band.again, band.until));
    format!("missed {missed}, met again {met}")
}

/// The same with what changes there: `…: the autoscaler goes from 2 to 3 replicas`.
pub fn band_and_cause((one, cause): &(Band, Option<Cause>)) -> String {
    let cause = match cause {
        Some(Cause::Replicas(count)) => {
            format!(": the autoscaler goes from {count} to {} replicas", count + 1)
        }
        Some(Cause::Cache(name)) => format!(": the cache {name:?} is cold below"),
        None => String::new(),
    };
    format!("{}{cause}", band(one))
}

/// What is in the way of more: `p99 < 250ms: CPU, demand is 92 % of the survivors' capacity`.
pub fn binding(binding: &Binding) -> String {
    format!("{}: {}", binding.objective, why(binding))
}

/// The same without the objective.
pub fn why(binding: &Binding) -> String {
    let named = matches!(binding.constraint, Constraint::Detection(..) | Constraint::Failures(..));
    let constraint = match &binding.region {
        Some(region) => {
            format!("in {region}, the busiest region: {}", constraint(binding.constraint))
        }
        None => constraint(binding.constraint),
    };
    match binding.failed.filter(|_| !named) {
        Some((share, kind)) => format!("{constraint}; {} {}", Share(share), fails(kind)),
        None => constraint,
    }
}

/// The same in the fewest words: `p99: CPU of the survivors`.
pub fn short(binding: &Binding) -> String {
    let why = match binding.constraint {
        Constraint::NoData => "nothing measured",
        Constraint::NotCpu(_) => "not CPU",
        Constraint::Overload => "more than CPU serves",
        Constraint::Nobody => "no replica left",
        Constraint::NoRegion => "no region left",
        Constraint::Cpu(_) => "CPU",
        Constraint::Autoscaler(..) => "CPU until scaled",
        Constraint::Survivors(_) => "CPU of survivors",
        Constraint::Contracts(_) => "contracts out of reach",
        Constraint::Detection(..) => "detection × share",
        Constraint::Failures(..) => "failed requests",
        Constraint::Waiting => "waiting for the lost",
        Constraint::Replacement => "replacement",
        Constraint::FailOver(..) => "fail-over",
        Constraint::NotSeen(_) => "judged too shortly",
    };
    let whose = binding.api.as_ref().map_or(String::new(), |api| format!(" for {api}"));
    format!("{}{whose}: {why}", binding.metric.name())
}

/// Why an objective is missed.
pub fn constraint(constraint: Constraint) -> String {
    let percent = |share: f64| format!("{} %", grouped(100.0 * share, 0));
    match constraint {
        Constraint::NoData => "nothing was measured that it could be judged by".to_owned(),
        Constraint::NotCpu(busy) => {
            format!("time that more CPU would not save, {} of it in use", percent(busy))
        }
        Constraint::Overload => {
            "met while judged, but more than the CPU of all replicas serves: the backlog grows"
                .to_owned()
        }
        Constraint::Nobody => "no replica is left until one is replaced".to_owned(),
        Constraint::NoRegion => {
            "no region is left: a cold one is deployed through the control plane, which is lost"
                .to_owned()
        }
        Constraint::Cpu(busy) => format!("CPU, {} of it in use", percent(busy)),
        Constraint::Autoscaler(working, busy) => format!(
            "CPU of the {} replicas that the autoscaler has on average, {} in use",
            grouped(working, 1),
            percent(busy)
        ),
        Constraint::Survivors(asked) => {
            format!("CPU, demand is {} of the survivors' capacity", percent(asked))
        }
        Constraint::Contracts(asked) => format!(
            "contracts not reachable, CPU demand is {} of the survivors' capacity",
            percent(asked)
        ),
        Constraint::Detection(failed, kind) => {
            format!("detection time × share, {} {}", Share(failed), fails(kind))
        }
        Constraint::Failures(failed, kind) => format!("{} {}", Share(failed), fails(kind)),
        Constraint::Waiting => "waiting for what was lost".to_owned(),
        Constraint::Replacement => "the time until a replacement serves".to_owned(),
        Constraint::FailOver(took, any_load) => {
            let took = Span::from_secs(took);
            match any_load {
                true => format!(
                    "the fail-over takes {took} by detection, decision and DNS alone, \
                                 whatever the load, which is more than the recovery time objective"
                ),
                false => format!(
                    "the fail-over takes {took} from there on, which is more than the \
                                  recovery time objective"
                ),
            }
        }
        Constraint::NotSeen(judged) => format!(
            "the loss is not over within the {judged} that are judged, which is less than the \
             bound → a longer --judged"
        ),
    }
}

fn fails(kind: Failure) -> String {
    match kind.label().split_once(": ") {
        Some((what, why)) => format!("{what} ({why})"),
        None => kind.label().to_owned(),
    }
}

/// What theory says beside it: `fluid limit 1,430/s, 83 % of it reached`.
pub fn theory(finding: &Finding) -> String {
    let reached = match finding.capacity {
        Capacity::Between { point, high, .. } if high.is_finite() && finding.theory > 0.0 => {
            format!(", {} %", grouped(100.0 * point / finding.theory, 0))
        }
        _ => String::new(),
    };
    format!("{}/s{reached}", load(finding.theory))
}

/// What another value of an assumption gives: `1: 666.0/s`, `refuses: 752.0/s (+1.5 %)`.
pub fn instead(sensitivity: &Sensitivity, instead: &Instead) -> String {
    let value = &instead.value;
    match (instead.gives, sensitivity.ratio(instead.gives)) {
        (Gives::Load(to), Some(ratio)) => {
            format!("{value}: {}/s ({} %)", load(to), signed(100.0 * (ratio - 1.0)))
        }
        (Gives::Load(to), None) => format!("{value}: {}/s", load(to)),
        (Gives::AtLeast(to), _) => format!("{value}: at least {}/s", load(to)),
        (Gives::Nothing, _) => format!("{value}: no load"),
        (Gives::NotFollowed, _) => format!("{value}: not followed"),
    }
}

/// What gives a mode that means nothing a meaning.
pub fn remedy(why: Moot) -> &'static str {
    match why {
        Moot::ControlPlane => "write contracts = true in [gateway], or leave this mode out",
        Moot::OnlyRegion => "write [[region]] for each of several regions, or leave this mode out",
        Moot::OnlyZone => "write several zones in [topology], or leave this mode out",
        Moot::NoObjective => "write one over the whole run, such as \"p99 of served < 250ms\"",
        Moot::NothingFollows => "use --mode healthy, which is the harder one",
    }
}

/// Why a mode means nothing for a gateway.
pub fn moot(why: Moot) -> &'static str {
    match why {
        Moot::ControlPlane => "no API uses contracts, and replicas start without the control plane",
        Moot::OnlyRegion => "it has one region, whose loss is total",
        Moot::OnlyZone => "it has one zone, whose loss is total",
        Moot::NoObjective => "no objective of the scenario can be judged in it",
        Moot::NothingFollows => "without autoscaler or cache the same load all the time is harder",
    }
}

fn signed(percent: f64) -> String {
    let text = grouped(percent, usize::from(percent.abs() < 9.95));
    if percent > 0.0 && text != "0.0" { format!("+{text}") } else { text }
}

/// `five failure modes`, `one failure mode`.
pub fn modes(count: usize) -> String {
    const NUMBERS: [&str; 6] = ["no", "one", "two", "three", "four", "five"];
    let ending = if count == 1 { "" } else { "s" };
    match NUMBERS.get(count) {
        Some(number) => format!("{number} mode{ending}"),
        None => plural(count as u64, "mode"),
    }
}

/// Those modes as a whole, of so many that were looked at: `all of five modes`, `the one mode asked
/// for`.
pub fn all_modes(count: usize, looked_at: usize) -> String {
    match count {
        1 if looked_at > 1 => "the one mode that means something for it".to_owned(),
        1 => "the one mode asked for".to_owned(),
        _ => format!("all of {}", modes(count)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_have_four_digits() {
        assert_eq!([1_287.0, 12.5].map(demand), ["1,287/s", "12.5/s"]);
        assert_eq!([1_183.4, 96.44, 5.0, 0.0].map(load), ["1,183", "96.44", "5.000", "0"]);
    }

    #[test]
    fn a_capacity_is_a_point_with_its_interval_or_says_why_not() {
        let between = |low, point, high| capacity(Capacity::Between { low, point, high });
        assert_eq!(between(1_160.0, 1_180.0, 1_200.0), "1,180/s (1,160–1,200)");
        assert_eq!(between(0.0, 1.0, f64::INFINITY), "undecided above 0/s");
        assert_eq!(capacity(Capacity::AtLeast(900.0)), "at least 900.0/s");
        assert_eq!(capacity(Capacity::Nothing), "no load");
        let with = |from, to| Band { from, to, again: 1_130.0, until: 1_410.0 };
        let words = "missed from 745.0 to 1,035/s, met again from 1,130 to 1,410/s";
        assert_eq!(band(&with(745.0, 1_035.0)), words);
        let cause = Some(Cause::Replicas(2));
        assert_eq!(
            band_and_cause(&(with(745.0, 745.0), cause)),
            "missed at 745.0/s, met again from 1,130 to 1,410/s: the autoscaler goes from 2 to 3 \
             replicas"
        );
    }

    #[test]
    fn modes_are_counted_in_words() {
        assert_eq!(all_modes(1, 1), "the one mode asked for");
        assert_eq!(all_modes(1, 2), "the one mode that means something for it");
        assert_eq!(all_modes(2, 2), "all of two modes");
    }

    #[test]
    fn constraints_name_the_mechanism() {
        let detection = Constraint::Detection(0.028, Failure::DeadAddress);
        assert_eq!(constraint(detection), "detection time × share, 2.8 % refused (dead address)");
        assert_eq!(
            constraint(Constraint::Survivors(0.92)),
            "CPU, demand is 92 % of the survivors' capacity"
        );
        let not_cpu = constraint(Constraint::NotCpu(0.01));
        assert_eq!(not_cpu, "time that more CPU would not save, 1 % of it in use");
        let scaling = constraint(Constraint::Autoscaler(2.13, 0.981));
        assert_eq!(
            scaling,
            "CPU of the 2.1 replicas that the autoscaler has on average, 98 % in use"
        );
        assert_eq!(constraint(Constraint::Nobody), "no replica is left until one is replaced");
        let of = |capacity, gives| {
            let one = Instead { value: "1".to_owned(), gives };
            let (path, value, other) = ("a".to_owned(), "0".to_owned(), one.clone());
            instead(&Sensitivity { path, value, capacity, instead: vec![other] }, &one)
        };
        assert_eq!(of(Some(1_000.0), Gives::Load(1_243.0)), "1: 1,243/s (+24 %)");
        assert_eq!(of(Some(1_000.0), Gives::Load(997.0)), "1: 997.0/s (-0.3 %)");
        assert_eq!(of(None, Gives::Load(666.0)), "1: 666.0/s");
        assert_eq!(of(Some(1_000.0), Gives::Nothing), "1: no load");
    }
}
