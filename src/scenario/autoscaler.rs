//! The section `[autoscaler]`.

use crate::autoscaler::behavior::{Behavior, PolicyUnit, Rules, ScalingPolicy};
use crate::autoscaler::calculator::CpuTarget;
use crate::autoscaler::controller::{AutoscalerSpec, Settings};
use crate::autoscaler::pods::Care;
use crate::diagnostic::{Flaw, Problem};
use crate::plan::Autoscaling;
use crate::quantity;
use crate::scenario::Mark;
use crate::scenario::book::{Book, Section};
use crate::scenario::gateway::{GatewayPart, REPLICA_LIMIT};
use crate::scenario::keys::{Key, autoscaler as key};
use crate::scenario::value::Located;
use crate::scenario::word::{ScalePreset, Tier};
use crate::units::{Share, Span};

/// What a preset says.
struct Defaults {
    min: u64,
    /// `None` = the file must say it.
    max: Option<u64>,
    target: Share,
    up: Option<&'static str>,
    down_window: Option<Span>,
    source: &'static str,
}

fn defaults(preset: ScalePreset) -> Defaults {
    match preset {
        ScalePreset::CloudHub2 => Defaults {
            min: 2,
            max: Some(3),
            target: Share(0.7),
            up: Some("100% in 180s"),
            down_window: Some(Span::from_secs(1_800.0)),
            source: "the policy that is published for applications on CloudHub 2.0",
        },
        ScalePreset::HelmChart => Defaults {
            min: 2,
            max: Some(11),
            target: Share(0.5),
            up: None,
            down_window: None,
            source: "the Helm chart of the self-managed gateway",
        },
        ScalePreset::Kubernetes => Defaults {
            min: 1,
            max: None,
            target: Share(0.8),
            up: None,
            down_window: None,
            source: "Kubernetes",
        },
    }
}

/// Reads `[autoscaler]`; `None` if the file has none.
pub(crate) fn read<'a>(
    book: &mut Book<'a>,
    top: &Section<'a>,
    gateway: &GatewayPart,
) -> Option<Autoscaling> {
    let section = book.section(top, "autoscaler");
    if !section.is_there() {
        return None;
    }
    let scales = gateway.tier != Some(Tier::Small);
    if !scales {
        let title = "a small gateway does not scale: [autoscaler] has no effect";
        let help = "choose tier = \"large\" or \"xlarge\", or leave out [autoscaler]".to_owned();
        book.problems.push(Problem::warning(section.place.clone(), title).help(help));
    }
    let preset = book.get(&section, key::PRESET).value;
    let defaults = defaults(preset);
    // The vendor publishes its policy for applications, not for gateways.
    let mark = match preset {
        ScalePreset::CloudHub2 => Mark::Assumed,
        ScalePreset::HelmChart | ScalePreset::Kubernetes => Mark::Documented,
    };
    let (min, max) = bounds(book, &section, gateway, &defaults, mark);
    let target = book.get_or(&section, key::TARGET, defaults.target, mark, defaults.source);
    if target.value.0 < 0.01 {
        let help = "write a percentage from \"1%\" to \"100%\"".to_owned();
        book.error(target.place.clone(), "a target of nothing cannot be held", help);
    }
    let percent = target.value.0 * 100.0;
    if (percent - percent.round()).abs() > 1e-9 {
        let help = "Kubernetes takes whole percents only".to_owned();
        book.error(target.place.clone(), "this target is no whole percentage", help);
    }
    let behavior = behavior(book, &section, &defaults);
    let care = Care {
        initialization: book.get(&section, key::INITIALIZATION).value,
        initial_readiness: book.get(&section, key::INITIAL_READINESS).value,
    };
    let target = CpuTarget {
        utilisation_pct: (target.value.0 * 100.0).round().max(1.0) as i32,
        tolerance_up: book.get(&section, key::TOLERANCE_UP).value.0,
        tolerance_down: book.get(&section, key::TOLERANCE_DOWN).value.0,
        container: None,
        care,
    };
    let cores = gateway.plan.cores;
    let request = book.get_or(&section, key::CPU_REQUEST, cores, Mark::Assumed, "its limit");
    if request.value.0 > cores.0 {
        let help = format!("its limit is {} (gateway.cores); request that or less", cores.0);
        book.error(request.place.clone(), "a replica cannot request more CPU than it has", help);
    }
    let autoscaling = Autoscaling {
        spec: AutoscalerSpec { min, max, target, behavior, settings: Settings::default() },
        request_milli: (request.value.0 * 1e3).round().max(1.0) as i64,
        sync: clock(book, &section, key::SYNC, "autoscaler.sync"),
        scrape: clock(book, &section, key::RESOLUTION, "autoscaler.resolution"),
        kubelet: clock(book, &section, key::KUBELET, "autoscaler.kubelet"),
    };
    scales.then_some(autoscaling)
}

fn bounds<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    gateway: &GatewayPart,
    defaults: &Defaults,
    mark: Mark,
) -> (i32, i32) {
    let limit = 1..=REPLICA_LIMIT;
    let of_preset = |count| (count, mark, defaults.source);
    let min = book.count_or(section, key::MIN, limit.clone(), of_preset(defaults.min));
    let max = match defaults.max {
        Some(max) => book.count_or(section, key::MAX, limit, of_preset(max)),
        None => {
            let example = "max = 5, because Kubernetes has no default for it";
            let found = book.require(section, key::MAX, example);
            let Some(found) = found else { return (min.value as i32, REPLICA_LIMIT as i32) };
            book.within(section, key::MAX, limit, found)
        }
    };
    if min.value > max.value {
        let title = format!("the least of {} is above the most of {}", min.value, max.value);
        book.error(max.place.clone(), title, "write min and max in [autoscaler]".to_owned());
    }
    let replicas = gateway.replicas.value;
    if min.value <= max.value && !(min.value..=max.value).contains(&replicas) {
        let title = format!("the autoscaler allows {} to {} replicas", min.value, max.value);
        let problem = Problem::warning(gateway.replicas.place.clone(), title);
        book.problems.push(problem.label("its first step corrects this"));
    }
    (min.value as i32, max.value as i32)
}

fn clock<'a>(book: &mut Book<'a>, section: &Section<'a>, key: Key<Span>, path: &str) -> Span {
    let period = book.get(section, key);
    let least = Span::from_secs(1.0);
    if period.value < least {
        let help = "write \"1s\" or more; the usual values are 10s and 15s".to_owned();
        book.error(period.place.clone(), format!("`{path}` is too short"), help);
    }
    period.value.max(least)
}

fn behavior<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    defaults: &Defaults,
) -> Option<Behavior> {
    let given = section.has(&key::UP)
        || section.has(&key::DOWN)
        || section.has(&key::UP_SELECT)
        || section.has(&key::DOWN_SELECT)
        || section.has(&key::UP_WINDOW)
        || section.has(&key::DOWN_WINDOW);
    let of_preset = || defaults.up.map(|text| policies_of(&[text]));
    let up = policies(book, section, key::UP).or_else(of_preset);
    let down = policies(book, section, key::DOWN);
    let up_select = book.get(section, key::UP_SELECT).value;
    let down_select = book.get(section, key::DOWN_SELECT).value;
    let up_window = book.find(section, key::UP_WINDOW).map(|found| found.value);
    let down_window = book.find(section, key::DOWN_WINDOW).map(|found| found.value);
    let down_window = down_window.or(defaults.down_window);
    if !given && defaults.up.is_none() {
        return None;
    }
    let mut behavior = Behavior::default();
    behavior.up.policies = up.unwrap_or(behavior.up.policies);
    (behavior.up.select, behavior.down.select) = (up_select, down_select);
    behavior.up.window = up_window.or(behavior.up.window);
    behavior.down.policies = down.unwrap_or(Rules::down().policies);
    behavior.down.window = down_window;
    Some(behavior)
}

fn policies<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    key: Key<Vec<Located<String>>>,
) -> Option<Vec<ScalingPolicy>> {
    let list = book.find(section, key)?;
    let mut policies = Vec::new();
    for text in &list.value {
        match policy(&text.value) {
            Some(policy) => policies.push(policy),
            None => {
                let flaw = Flaw::new(format!("{:?} is no policy", text.value));
                let help = "write \"4 pods in 15s\" or \"100% in 180s\"";
                book.flaw(&text.span, flaw.help(help), "");
            }
        }
    }
    if list.value.is_empty() {
        let help = "name at least one, such as \"100% in 15s\"".to_owned();
        book.error(list.place, format!("`autoscaler.{}` allows no change", key.name), help);
        return None;
    }
    Some(policies)
}

fn policies_of(texts: &[&str]) -> Vec<ScalingPolicy> {
    texts.iter().filter_map(|text| policy(text)).collect()
}

/// Reads `4 pods in 15s` or `100% in 180s`.
fn policy(text: &str) -> Option<ScalingPolicy> {
    let (change, period) = text.split_once(" in ")?;
    let period = quantity::span(period.trim()).ok().filter(|period| *period > Span::ZERO)?;
    let change = change.trim();
    let (number, unit) = match change.strip_suffix('%') {
        Some(number) => (number, PolicyUnit::Percent),
        None => (change.strip_suffix("pods").or(change.strip_suffix("pod"))?, PolicyUnit::Pods),
    };
    let value = number.trim().parse().ok().filter(|value| (1..=1_000_000).contains(value))?;
    Some(ScalingPolicy { unit, value, period })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_read_as_they_are_written() {
        let seconds = Span::from_secs;
        let percent =
            ScalingPolicy { unit: PolicyUnit::Percent, value: 100, period: seconds(180.0) };
        let pods = ScalingPolicy { unit: PolicyUnit::Pods, value: 4, period: seconds(15.0) };
        assert_eq!(policy("100% in 180s"), Some(percent));
        assert_eq!(policy("4 pods in 15s"), Some(pods));
        for wrong in ["", "4 in 15s", "-1 pods in 15s", "4 pods in 0s", "4 pods", "1.5% in 3m"] {
            assert_eq!(policy(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_preset_has_policies_that_can_be_read() {
        for preset in [ScalePreset::CloudHub2, ScalePreset::HelmChart, ScalePreset::Kubernetes] {
            assert!(defaults(preset).up.is_none_or(|text| policies_of(&[text]).len() == 1));
        }
    }
}
