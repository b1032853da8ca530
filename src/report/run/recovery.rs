//! Whether the system comes back from what troubled it, and by what steps, in words.

use crate::experiment::recovery::incidents::{FailoverSummary, Recovery, StepSummary};
use crate::experiment::recovery::stability::{Feedback, Loop, StabilitySummary};
use crate::metric::estimator::Proportion;
use crate::observe::failover::{FailoverStep, MOST_CLIENTS};
use crate::observe::recovery::Unclear;
use crate::plan::{Fault, Plan, Policy, PolicyKind, RegionRole, Regions, StateLoss};
use crate::report::format::words::{grouped, plural, shown, whole};
use crate::report::run::attempts::Line;

/// The findings, line by line; none if nothing troubled any replication.
pub(crate) fn lines(found: &StabilitySummary) -> Vec<Line> {
    let mut lines = Vec::new();
    if found.recovered.of > 0 {
        let after = found.recovered_after.as_ref();
        let after = after.map(|after| format!(", {} after the trigger", shown(Some(after))));
        lines.push(("recovered", of_all(found.recovered) + &after.unwrap_or_default()));
        lines.push(("degraded", of_all(found.degraded)));
        lines.push(("stuck", of_all(found.stuck)));
        let goodput = [&found.goodput_before, &found.goodput_last];
        let [before, last] = goodput.map(|goodput| shown(goodput.as_ref()));
        let text = format!("{last} of the requests sent at the end, {before} before the trigger");
        lines.push(("goodput", text));
    }
    lines.extend(found.sustaining_loops.iter().map(|feedback| ("sustaining loop", held(feedback))));
    lines.extend(found.unclear.iter().map(|(why, count)| ("unclear", unclear(*why, *count))));
    if found.untroubled > 0 && !lines.is_empty() {
        lines.push(("untroubled", plural(found.untroubled, "replication")));
    }
    lines
}

fn of_all(part: Proportion) -> String {
    let of = plural(part.of, "replication");
    let estimate = shown(part.estimate.as_ref());
    format!("{} of {of}: {estimate}{}", whole(part.count), none_or_all(part))
}

/// The end of the interval that a share without spread does not show.
fn none_or_all(part: Proportion) -> String {
    let interval = part.estimate.and_then(|estimate| estimate.interval);
    match interval.filter(|_| part.count == 0) {
        Some(interval) => format!(", at most {} %", grouped(interval.high * 100.0, 1)),
        None => String::new(),
    }
}

fn held(feedback: &Feedback) -> String {
    let (before, last) = (shown(Some(&feedback.before)), shown(Some(&feedback.last)));
    let text = match feedback.of {
        Loop::Retries => format!("retries: {last} attempts per request, {before} before"),
        Loop::WastedWork => format!("wasted work: {last} of the answers, {before} before"),
        Loop::CacheMisses => format!("cold caches: {last} of the look-ups miss, {before} before"),
        Loop::Restarts => format!("restarts: {last} a minute, {before} before"),
    };
    let factor = Some(feedback.factor()).filter(|factor| factor.is_finite());
    text + &factor.map(|times| format!(" (×{})", grouped(times, 1))).unwrap_or_default()
}

/// What became of the clients of a region that was lost or left: when requests were answered
/// again, the steps of that, and when clients were led elsewhere.
pub(crate) fn failover(
    found: &FailoverSummary,
    (plan, fault): (&Plan, usize),
    by_dns: bool,
) -> Vec<Line> {
    // What is left on purpose is neither found out nor decided on by anybody.
    let planned = matches!(plan.faults[fault].fault, Fault::PlannedFailover(_));
    let most = |what: &str| format!("{MOST_CLIENTS} % of {what}");
    let (answered, led) =
        (most("requests were answered again"), most("its clients look elsewhere"));
    let at_once = most("its clients are led elsewhere");
    let first = format!("{led}, or requests were answered before");
    let is_first = answered_before_led(found);
    let mut lines = vec![("RTO", took(&found.rto, &answered))];
    for StepSummary { step, took: recovery } in &found.steps {
        let (name, what) = match step {
            FailoverStep::Detection => ("  detection", "the checks fail"),
            FailoverStep::Decision => ("  decision", decided(plan)),
            FailoverStep::Switch if is_first => {
                (if by_dns { "  DNS" } else { "  switch" }, &*first)
            }
            FailoverStep::Switch if by_dns => ("  DNS", &*led),
            FailoverStep::Switch => ("  switch", &*at_once),
            FailoverStep::Scaling => ("  scaling", "there are replicas enough"),
            FailoverStep::Warming if plan.faults.len() > 1 => (
                "  warming",
                "backlog, caches, stragglers and what else went wrong let them be answered",
            ),
            FailoverStep::Warming => {
                ("  warming", "backlog, caches and stragglers let them be answered")
            }
        };
        let is_step = !planned || *step as usize >= FailoverStep::Switch as usize;
        if is_step && recovery.recovered + recovery.unrecovered > 0 {
            lines.push((name, took(recovery, what)));
        }
    }
    let back = found.clients_back.iter();
    let back = back.map(|one| format!("{} % {}", one.percent, figure(&one.after)));
    lines.push(("clients back", back.collect::<Vec<_>>().join("; ")));
    lines
}

/// Whether requests were answered again, at least in some replications, before most clients were
/// led elsewhere, as where few are sent, or the region is back: that ends the step.
fn answered_before_led(found: &FailoverSummary) -> bool {
    /// Of the time until they were led: less than that is luck.
    const NEAR: f64 = 0.98;
    let point = |recovery: &Recovery| recovery.longest.map_or(0.0, |longest| longest.point);
    let late = found.steps.iter().filter(|one| one.step as usize > FailoverStep::Switch as usize);
    let over = point(&found.rto) - late.map(|one| point(&one.took)).sum::<f64>();
    let most = found.clients_back.iter().find(|one| one.percent == MOST_CLIENTS);
    most.is_some_and(|led| over < NEAR * point(&led.after))
}

/// Until when the decision takes: not only that it is made, but that it can be acted on.
fn decided(plan: &Plan) -> &'static str {
    let is_frozen = plan.faults.iter().any(|fault| matches!(fault.fault, Fault::ManagerFrozen(_)));
    let regions = plan.regions.iter().flat_map(|regions| &regions.all);
    let is_cold = regions.filter(|one| one.role == RegionRole::Cold).count() > 0;
    match (is_frozen, is_cold) {
        (false, false) => "clients can be led elsewhere",
        (true, false) => "it is made, and the traffic manager can be changed",
        (false, true) => "it is made, and the control plane is there to deploy",
        (true, true) => "it is made, and traffic manager and control plane can act on it",
    }
}

/// A policy by its kind and its name, if that says more.
fn named(kind: &str, name: &str) -> String {
    if kind == name { kind.to_owned() } else { format!("{kind} {name}") }
}

/// What clients that a fault has led to another region do not find there, item by item: how old
/// what is left may be, which a recovery point objective bounds.
pub(crate) fn lost_state(plan: &Plan, fault: usize) -> Vec<String> {
    let (Some(regions), Some(region)) = (&plan.regions, plan.region_of(fault)) else {
        return Vec::new();
    };
    let is_lost = matches!(plan.faults[fault].fault, Fault::RegionOutage(_));
    let mut items = lost_of_policies(regions, region);
    let [configuration, contracts, .., tokens] = plan.state_elsewhere(fault).map(|(_, loss)| loss);
    match tokens {
        StateLoss::Absent { .. } => {}
        StateLoss::Kept(_) => items.push(
            "tokens: nothing if any region can check them, as assumed; policy.token-lifetime \
             says otherwise"
                .to_owned(),
        ),
        StateLoss::Lost { most, why } => {
            items.push(format!("tokens: all of them, {why}; they are up to {most} old"));
        }
    }
    match contracts {
        StateLoss::Absent { .. } => {}
        StateLoss::Kept(why) => items.push(format!("contracts: nothing, {why}")),
        StateLoss::Lost { most, .. } => items.push(format!(
            "contracts: those of up to {most} before, when the control plane has recovered; \
             replicas that run keep what they have"
        )),
    }
    items.push(match (configuration, &regions.control_plane) {
        (StateLoss::Lost { most, .. }, _) => format!(
            "configuration: up to {most} when the control plane has recovered, which goes with \
             this region"
        ),
        (_, home) if !is_lost || home.as_ref().is_some_and(|(home, _)| *home == region) => {
            "configuration: nothing, the control plane stays where it is".to_owned()
        }
        (_, Some(_)) => "configuration: nothing, the control plane is in another region".to_owned(),
        (_, None) => "configuration: nothing if the control plane is in none of these regions, as \
                      assumed; control-plane.home says where it is"
            .to_owned(),
    });
    items
}

/// What caches and limits of a region another one does not have.
fn lost_of_policies(regions: &Regions, region: usize) -> Vec<String> {
    let count = regions.all.len();
    let told = |policy: &Policy| {
        let name = &policy.name;
        match &policy.kind {
            PolicyKind::Cache(spec) => Some(format!(
                "{}: all of it, each region has its own; entries are up to {} old",
                named("cache", name),
                spec.ttl
            )),
            PolicyKind::Limit { .. } => Some(format!(
                "{}: its counters; each region counts for itself, so {count} regions admit up to \
                 {count} times the quota",
                named("limit", name),
            )),
            PolicyKind::Work | PolicyKind::Authentication { .. } => None,
        }
    };
    regions.all[region].gateway.used_policies().filter_map(told).collect()
}

/// A time, that it is at least so long where some incidents were not over, and until what.
fn took(recovery: &Recovery, what: &str) -> String {
    let Recovery { recovered, unrecovered, abnormal, .. } = recovery;
    let all = recovered + unrecovered + abnormal;
    let seen = match recovered == &all {
        true => String::new(),
        false => format!(" in {} of {}", whole(*recovered), plural(all, "incident")),
    };
    format!("{}, until {what}{seen}", figure(recovery))
}

/// A time, with that it is at least so long where some incidents were not over.
pub(super) fn figure(recovery: &Recovery) -> String {
    let bound = if recovery.unrecovered > 0 { "at least " } else { "" };
    format!("{bound}{}", shown(recovery.longest.as_ref()))
}

/// Why so many replications do not say whether they came back.
pub(crate) fn unclear(why: Unclear, count: u64) -> String {
    let why = match why {
        Unclear::NothingBefore => "less than 20 s without trouble, or no answer in them, before",
        Unclear::AbnormalBefore => "not normal before",
        Unclear::TriggerLasts => "the trigger was not over at the end",
        Unclear::TooShort => "too little time after the trigger",
    };
    format!("{}: {why}", plural(count, "replication"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_region_lacks_is_named_item_by_item() {
        let text = include_str!("../../../scenarios/regions-failback-storm.toml");
        let told = |text: &str| {
            let loaded = crate::scenario::read::parse("a.toml", text, std::path::Path::new(""));
            let plan = loaded.scenario.unwrap_or_else(|| panic!("{:?}", loaded.problems)).plan;
            lost_state(&plan, 0).join("\n")
        };
        let all = told(text);
        assert!(all.contains("cache: all of it") && all.contains("up to 10 min old"), "{all}");
        assert!(all.contains("control-plane.home says where"), "{all}");
        let gone = told(&format!("{text}\n[control-plane]\nhome = \"us-east-1\"\n"));
        assert!(gone.contains("configuration: up to 24 h"), "{gone}");
        let limit = "kind = \"rate-limit\"\nlimit = 100\nwindow = \"1s\"";
        let limited = told(&text.replace("kind = \"cache\"\nttl = \"10m\"", limit));
        assert!(limited.contains("2 regions admit up to 2 times the quota"), "{limited}");
        let token = |more: &str| format!("kind = \"authentication\"\ncpu = \"0.1ms\"{more}");
        let cache = "kind = \"cache\"\nttl = \"10m\"";
        let signed = told(&text.replace(cache, &token("\ntoken-lifetime = \"1h\"")));
        assert!(signed.contains("everybody signs in again; they are up to 60 min old"), "{signed}");
        assert!(told(&text.replace(cache, &token(""))).contains("tokens: nothing if any region"));
        // Who leaves a region on purpose leaves the control plane where it is.
        let left = text.replace("region-outage", "planned-failover");
        let left = told(&format!("{left}\n[control-plane]\nhome = \"us-east-1\"\n"));
        assert!(left.contains("configuration: nothing, the control plane stays"), "{left}");
    }
}
