//! What `[ingress]` says of health checks and of outlier detection.

use super::keys::{IngressDefaults, key};
use super::preset::PresetValues;
use crate::diagnostic::Problem;
use crate::plan::HealthCheck;
use crate::policy::outlier::OutlierSpec;
use crate::scenario::reader::{SectionReader, TypedKey};
use crate::units::Share;

const COUNT_LIMIT: u64 = 1_000_000;

/// A preset's checks, or what stands for them in its place.
fn of(preset: &PresetValues) -> HealthCheck {
    let none = HealthCheck::default();
    preset.health.unwrap_or(none)
}

/// The health checks, if there are any.
pub(super) fn checks(
    section: &SectionReader<'_>,
    defaults: &IngressDefaults,
) -> Option<HealthCheck> {
    let every = |preset: &PresetValues| preset.health.map(|health| health.interval);
    let Some(interval) = defaults.found(section, key::HEALTH_CHECK, every) else {
        let reason = "nothing is checked: write `health-check`";
        section.idle(&key::HEALTH_TIMEOUT, reason);
        section.idle(&key::HEALTH_BY, reason);
        section.idle(&key::UNHEALTHY, reason);
        section.idle(&key::HEALTHY, reason);
        return None;
    };
    section.not_tiny(&key::HEALTH_CHECK, &interval);
    let has = defaults.values.as_ref().is_some_and(|preset| preset.health.is_some());
    let timeout = match has {
        true => defaults.parsed(section, key::HEALTH_TIMEOUT, |preset| of(preset).timeout),
        false => section.parsed(key::HEALTH_TIMEOUT),
    };
    if timeout.given && timeout.value > interval.value {
        let title = "a health check would still be waited for when the next one is due";
        let help = format!("write at most {}, or lengthen `health-check`", interval.value);
        section.error(&timeout, title, &help);
    }
    let count = |key: TypedKey<u64>, of: fn(&PresetValues) -> u64| {
        let found = if has { defaults.parsed(section, key, of) } else { section.parsed(key) };
        section.within(key, 1..=100, found).value as u32
    };
    Some(HealthCheck {
        interval: interval.value,
        timeout: timeout.value.min(interval.value),
        unhealthy: count(key::UNHEALTHY, |preset| of(preset).unhealthy.into()),
        healthy: count(key::HEALTHY, |preset| of(preset).healthy.into()),
        by: match has {
            true => defaults.parsed(section, key::HEALTH_BY, |preset| of(preset).by).value,
            false => section.get(key::HEALTH_BY),
        },
    })
}

/// The share below which all replicas are used, if any may be avoided.
pub(super) fn panic(
    section: &SectionReader<'_>,
    defaults: &IngressDefaults,
    avoids: bool,
) -> Share {
    if !avoids {
        let reason = "no replica is avoided: write `health-check` or outlier-detection = true";
        section.idle(&key::PANIC, reason);
        return Share::ZERO;
    }
    defaults.parsed(section, key::PANIC, |preset| preset.panic).value
}

/// Outlier detection over so many replicas, if there is any.
pub(super) fn outliers(section: &SectionReader<'_>, replicas: usize) -> Option<OutlierSpec> {
    let on = section.parsed(key::OUTLIERS);
    if !on.value {
        return None;
    }
    let consecutive = section.count(key::CONSECUTIVE, 1..=COUNT_LIMIT).value as u32;
    let spec = OutlierSpec {
        interval: section.period(key::OUTLIER_INTERVAL).value,
        base_ejection: section.get(key::BASE_EJECTION),
        max_ejection: section.get(key::MAX_EJECTION),
        max_ejected: section.get(key::MAX_EJECTED),
        always_eject_one: section.get(key::ALWAYS_EJECT_ONE),
        consecutive_5xx: Some(consecutive),
        ..OutlierSpec::default()
    };
    if !spec.allows(1, replicas.max(1)) {
        let title = "`ingress.outlier-detection` has no effect";
        let problem = Problem::warning(on.place, title);
        let problem = problem.label(format!("{} of {replicas} replicas is none", spec.max_ejected));
        section.note(problem.help("raise `max-ejected`, or write always-eject-one = true"));
    }
    Some(spec)
}
