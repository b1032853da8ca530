//! What `[ingress]` says of what it tries again.

use super::condition::RetryCondition;
use super::keys::{IngressDefaults, key};
use crate::plan::{RetryHost, RetryRules};
use crate::policy::retries::RetryLimit;
use crate::scenario::reader::{Mark, SectionReader};
use crate::scenario::text::Located;
use crate::units::{Share, Span};

/// More than these are never meant.
const AT_ONCE_MOST: u64 = 1_000_000;

/// What is tried again, where requests have so many further tries.
pub(super) fn rules(
    section: &SectionReader<'_>,
    defaults: &IngressDefaults,
    retries: u32,
    timeouts: (Span, Span),
) -> RetryRules {
    if retries == 0 {
        return RetryRules::CONNECT_FAILURE;
    }
    let listed = |conditions: &[RetryCondition]| -> Vec<Located<RetryCondition>> {
        conditions.iter().map(|value| Located { value: *value, span: 0..0 }).collect()
    };
    let on = match &defaults.values {
        Some(preset) => {
            let default = listed(preset.retry_on);
            section.get_or(key::RETRY_ON, default, Mark::Documented, &defaults.source).value
        }
        None => section.get(key::RETRY_ON),
    };
    let has = |condition| on.iter().any(|one| one.value.covers(condition));
    let mut statuses: Vec<u16> = on.iter().flat_map(|one| one.value.statuses()).collect();
    statuses.sort_unstable();
    statuses.dedup();
    let non_idempotent = key::NON_IDEMPOTENT;
    let non_idempotent = defaults.parsed(section, non_idempotent, |it| it.retry_non_idempotent);
    let rules = RetryRules {
        on_connect_failure: has(RetryCondition::ConnectFailure),
        on_reset: has(RetryCondition::Reset),
        on_timeout: has(RetryCondition::Timeout),
        on_statuses: statuses,
        non_idempotent: non_idempotent.value,
        idempotent: section.get(key::IDEMPOTENT),
        backoff: defaults.parsed(section, key::BACKOFF, |preset| preset.retry_backoff).value,
        host: host(section, defaults),
        at_once: limit(section, defaults),
        hedges: section.get(key::HEDGES),
    };
    check_retries(section, &rules, timeouts);
    rules
}

/// Warns of retries that are never made.
fn check_retries(section: &SectionReader<'_>, rules: &RetryRules, timeouts: (Span, Span)) {
    let (read, request) = timeouts;
    let place = section.key_place(&key::RETRY_ON);
    if !rules.on_connect_failure && !rules.of_sent() {
        let help = "name a condition, such as \"reset\"";
        section.warn(place, "nothing is tried again: `ingress.retry-on` is empty", help);
    } else if rules.ends_waiting() && request <= read {
        let title = format!("no time is left after a try that times out: it lasts {read}");
        section.warn(place, title, "raise `request-timeout`, or lower `read-timeout`");
    }
    if rules.hedges && request == Span::MAX {
        let place = section.key_place(&key::HEDGES);
        let title = "a hedged request waits without limit: its tries stay open";
        section.warn(place, title, "write `request-timeout`; Envoy's route has 15s");
    }
}

/// Which replica a further try goes to.
fn host(section: &SectionReader<'_>, defaults: &IngressDefaults) -> RetryHost {
    let (other, attempts) = (key::OTHER_HOST, key::HOST_ATTEMPTS);
    if !defaults.parsed(section, other, |preset| preset.retry_host != RetryHost::Chosen(0)).value {
        return RetryHost::Chosen(0);
    }
    let found = defaults.found(section, attempts, |preset| match preset.retry_host {
        RetryHost::Chosen(anew) if anew > 0 => Some(anew.into()),
        _ => None,
    });
    let anew = section.bounded(attempts, 1..=1_000, found);
    anew.map_or(RetryHost::Other, |anew| RetryHost::Chosen(anew as u32))
}

/// How many may be under way at once: a budget overrides a number, as in Envoy.
fn limit(section: &SectionReader<'_>, defaults: &IngressDefaults) -> RetryLimit {
    if let Some(share) = section.find(key::BUDGET) {
        section.idle(&key::AT_ONCE, "`retry-budget` is the limit");
        if share.value == Share::ZERO {
            let help = "leave it out, or write retries-at-once = 3";
            section.warn(&share, "a budget of nothing allows no more than its least", help);
        }
        let least = section.count(key::BUDGET_LEAST, 0..=AT_ONCE_MOST).value as u32;
        return RetryLimit::Budget { share: share.value, least };
    }
    let at_once = defaults.found(section, key::AT_ONCE, |preset| preset.retries_at_once);
    let most = section.bounded(key::AT_ONCE, 1..=AT_ONCE_MOST, at_once);
    most.map_or(RetryLimit::None, |most| RetryLimit::Count(most as u32))
}
