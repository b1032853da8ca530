//! What `[ingress]` says of health checks, of outlier detection and of admission control.

use super::keys::{CheckInterval, IngressDefaults, key};
use super::preset::PresetValues;
use crate::diagnostic::Problem;
use crate::plan::HealthCheck;
use crate::policy::admission::AdmissionSpec;
use crate::policy::outlier::OutlierSpec;
use crate::scenario::reader::{Parsed, SectionReader, TypedKey};
use crate::scenario::request::admission::{self, AdmissionKeys};
use crate::scenario::request::outliers::{self, OutlierKeys};
use crate::units::{Share, Span};

/// What outlier detection is called here.
const KEYS: OutlierKeys = OutlierKeys {
    base_ejection: key::BASE_EJECTION,
    max_ejection: key::MAX_EJECTION,
    max_ejected: key::MAX_EJECTED,
    always_eject_one: key::ALWAYS_EJECT_ONE,
    consecutive: key::CONSECUTIVE,
};

/// What admission control is called here.
const ADMISSION: AdmissionKeys = AdmissionKeys {
    on: key::ADMISSION,
    window: key::ADMISSION_WINDOW,
    success: key::ADMISSION_SUCCESS,
    aggression: key::ADMISSION_AGGRESSION,
    least: key::ADMISSION_LEAST,
    most: key::ADMISSION_MOST,
};

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
    let Some(interval) = interval(section, defaults) else {
        let reason = "nothing is checked: write `health-check`";
        section.idle(&key::HEALTH_TIMEOUT, reason);
        section.idle(&key::HEALTH_BY, reason);
        section.idle(&key::FIRST, reason);
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
    if timeout.value > interval.value {
        let title = "a health check would still be waited for when the next one is due";
        let problem = match timeout.given {
            true => Problem::error(timeout.place.clone(), title),
            false => Problem::error(interval.place.clone(), title)
                .label(format!("`health-timeout` is {} by default", timeout.value)),
        };
        let help = format!("write a `health-timeout` of at most {}", interval.value);
        section.note(problem.help(help + ", or lengthen `health-check`"));
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
        first: defaults.parsed(section, key::FIRST, |preset| preset.first_check).value,
    })
}

/// From one check to the next, if there are any.
fn interval(section: &SectionReader<'_>, defaults: &IngressDefaults) -> Option<Parsed<Span>> {
    let every = |preset: &PresetValues| Some(CheckInterval::Every(preset.health?.interval));
    let Parsed { value, place, given } = defaults.found(section, key::HEALTH_CHECK, every)?;
    match value {
        CheckInterval::Every(value) => Some(Parsed { value, place, given }),
        CheckInterval::None => None,
    }
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
pub(super) fn outliers(
    section: &SectionReader<'_>,
    defaults: &IngressDefaults,
    replicas: usize,
) -> Option<OutlierSpec> {
    let on = section.parsed(key::OUTLIERS);
    if !on.value {
        return None;
    }
    let interval = key::OUTLIER_INTERVAL;
    let interval = defaults.parsed(section, interval, |preset| preset.outlier_interval);
    section.not_tiny(&key::OUTLIER_INTERVAL, &interval);
    outliers::read(section, &KEYS, (on.place, interval.value), (replicas, "replicas"))
}

/// Admission control, if there is any.
pub(super) fn admission(section: &SectionReader<'_>) -> Option<AdmissionSpec> {
    admission::read(section, &ADMISSION)
}
