//! Loads at which a gateway changes how it works, known before anything runs: between two of them
//! more load is worse, but beyond one it may be better.
//!
//! ```text
//!  excess │      ╱│        ╱      With two replicas the loss of one is felt from here on …
//!       0 ┼─────╱─┼───────╱─ load
//!         │    ╱  │    ╱          … until the autoscaler adds a third before it.
//!           change: low to high
//! ```
//!
//! An autoscaler that has n replicas adds one for sure where their utilisation lies above the
//! target and its tolerance, and holds n for sure where n would be asked for if there were more;
//! between the two it depends on chance and on where it began. One that begins with what it holds
//! changes at the end of its tolerance. A cache answers the more of the
//! requests the more often each of its keys is asked for: a key with λ requests in its time to live
//! is found in λ/(1 + λ) of them.
//!
//! Assumed: a cache has room for all keys, and limits turn nothing away.

use crate::autoscaler::average::AverageTarget;
use crate::autoscaler::calculator::CpuTarget;
use crate::plan::{Api, Plan, Policy, PolicyKind, Popularity};
use crate::policy::cache::CacheSpec;
use crate::scenario::Scenario;
use crate::study::capacity::search::{Band, Look, Watched};
use crate::study::mode::regions::{Carrier, carriers_ever};
use crate::study::mode::{Mode, Trial};

/// A change lies between two loads.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Below this a gateway works as before, …
    pub low: f64,
    /// … above this in another way.
    pub high: f64,
    /// What changes.
    pub cause: Cause,
}

/// What changes with the load.
#[derive(Clone, Debug, PartialEq)]
pub enum Cause {
    /// The autoscaler has so many replicas, and one more above.
    Replicas(usize),
    /// The cache of this name answers little, and most above.
    Cache(String),
}

/// How far beside a change a load is surely on one side of it.
const BESIDE: f64 = 0.03;
/// A cache is cold while it answers less than the first of what it ever may, and warm with the
/// second.
const WARM: [f64; 2] = [0.1, 0.99];
/// Loads between two sides of a change are at most this factor apart.
const WIDE: f64 = 3.0;
/// Loads beyond this many requests per second are nobody's.
const MOST: f64 = 1e9;

/// The changes in a mode, those of each cause in order of load: of several regions those of each
/// with the part of the load that it carries, before a region is lost and after that.
pub fn changes(base: &Scenario, mode: Mode, trial: Trial) -> Vec<Change> {
    let mut all: Vec<Change> = Vec::new();
    for Carrier { gateway, part, .. } in carriers_ever(base, mode) {
        let of_all = |change: Change| Change {
            low: change.low / part,
            high: change.high / part,
            cause: change.cause,
        };
        for change in of_gateway(gateway, mode, trial).into_iter().map(of_all) {
            if !all.contains(&change) {
                all.push(change);
            }
        }
    }
    all
}

/// The changes of one gateway.
fn of_gateway(plan: &Plan, mode: Mode, trial: Trial) -> Vec<Change> {
    let mut all = scaling(plan);
    // The number of replicas at the trough decides with how many the climb begins.
    if mode == Mode::DailyPeak {
        let at_peak = |change: &Change| Change {
            low: change.low * trial.peak_ratio,
            high: change.high * trial.peak_ratio,
            cause: change.cause.clone(),
        };
        all.extend(all.iter().map(at_peak).collect::<Vec<_>>());
    }
    all.extend(caches(plan));
    all
}

/// The loads to look at because of changes: both sides of each, and thoroughly those between, where
/// some replications have changed and others have not.
pub fn watched(changes: &[Change]) -> Vec<Watched> {
    let each = |change: &Change| {
        let (low, width) = (change.low, change.high / change.low);
        let gaps = match width > 1.0 {
            true => (width.ln() / WIDE.ln()).ceil().max(2.0),
            false => 1.0,
        };
        let better = |load: f64, look: Look| Watched { load, look, is_beyond: true };
        let between = (1..gaps as i32).map(move |gap| low * width.powf(f64::from(gap) / gaps));
        let below = Watched { load: low * (1.0 - BESIDE), look: Look::Few, is_beyond: false };
        let above = better(beyond(change), Look::Few);
        between.map(move |load| better(load, Look::All)).chain([below, above])
    };
    changes.iter().flat_map(each).collect()
}

/// A load that lies surely beyond a change.
pub fn beyond(change: &Change) -> f64 {
    change.high * (1.0 + BESIDE)
}

/// A band and what changes where it ends, if that is known: of several changes the most sudden. Up
/// to where that begins more load is worse.
pub fn explained(changes: &[Change], mut band: Band) -> (Band, Option<Cause>) {
    let is_there = |change: &&Change| change.low < band.again && band.from < change.high;
    let width = |change: &Change| change.high / change.low;
    let there = changes.iter().filter(is_there);
    let sudden = there.min_by(|a, b| width(a).total_cmp(&width(b)));
    band.to = band.to.max(sudden.map_or(0.0, |change| change.low));
    (band, sudden.map(|change| change.cause.clone()))
}

fn scaling(plan: &Plan) -> Vec<Change> {
    let Some(autoscaling) = &plan.autoscaling else { return Vec::new() };
    let spec = &autoscaling.spec;
    let begins_settled = autoscaling.settled && !plan.ends_early();
    let change = |replicas: i32, low: f64, held: f64, high: f64| {
        let cause = Cause::Replicas(replicas.max(0) as usize);
        match begins_settled {
            true => Change { low: held, high: held, cause },
            false => Change { low: low.min(high), high, cause },
        }
    };
    let stays = |count: f64, down: f64| count.min((count + 1.0) * (1.0 - down));
    let by_cpu = |target: &CpuTarget, replicas: i32| {
        let (count, share) = (f64::from(replicas), f64::from(target.utilisation_pct) / 100.0);
        let at = |count: f64, share: f64| load_of(plan, count * autoscaling.cores_at(share));
        let low = at(stays(count, target.tolerance.down), share);
        change(replicas, low, at(count, target.held()), at(count, target.exceeded()))
    };
    let by_requests = |target: &AverageTarget, replicas: i32| {
        let (count, each) = (f64::from(replicas), target.milli as f64 / 1e3);
        let (low, held) = (stays(count, target.tolerance.down) * each, count * target.held());
        change(replicas, low, held, held)
    };
    let between = || spec.min.max(1)..spec.max;
    let cpu = spec.cpu().into_iter().flat_map(|target| between().map(|n| by_cpu(target, n)));
    let requests = spec.requests().into_iter();
    let requests = requests.flat_map(|target| between().map(|n| by_requests(target, n)));
    cpu.chain(requests).collect()
}

fn caches(plan: &Plan) -> Vec<Change> {
    let apis = plan.dependencies.apis.iter();
    let one = |api| {
        let (policy, spec) = cache(plan, api)?;
        let [low, high] = WARM.map(|part| {
            let most = api.cacheable.0;
            inverse(|load| hits(plan, api, spec, load), part * most)
        });
        Some(Change { low, high, cause: Cause::Cache(policy.name.clone()) })
    };
    apis.filter_map(one).collect()
}

/// The cache of an API, if it has one.
fn cache<'a>(plan: &'a Plan, api: &Api) -> Option<(&'a Policy, &'a CacheSpec)> {
    let mut policies = api.policies.iter().map(|index| &plan.dependencies.policies[*index]);
    policies.find_map(|policy| match &policy.kind {
        PolicyKind::Cache(spec) => Some((policy, spec)),
        _ => None,
    })
}

/// The share of the requests of an API that its cache answers.
fn hits(plan: &Plan, api: &Api, spec: &CacheSpec, load: f64) -> f64 {
    let all: f64 = plan.dependencies.apis.iter().map(|api| api.weight).sum();
    let caches = if spec.shared { 1 } else { plan.gateway.replicas.max(1) };
    let asked = load * plan.requests_per_arrival() * api.weight / all * api.cacheable.0;
    let in_a_life = asked / caches as f64 * spec.ttl.as_secs();
    let found = |share: f64| in_a_life * share / (1.0 + in_a_life * share);
    api.cacheable.0 * mean_over_keys(&api.resources, found)
}

/// The mean over requests of what `of` makes of the share of the key that each asks for.
fn mean_over_keys(popularity: &Popularity, of: impl Fn(f64) -> f64) -> f64 {
    // Keys that are nearly alike are taken together: the number, and the weight of each.
    let (mut groups, mut first) = (Vec::new(), 1);
    while first <= popularity.keys {
        let count = (first / 32).max(1).min(popularity.keys + 1 - first);
        let middle = first as f64 + (count - 1) as f64 / 2.0;
        groups.push((count as f64, middle.powf(-popularity.zipf)));
        first += count;
    }
    let total: f64 = groups.iter().map(|(count, weight)| count * weight).sum();
    groups.iter().map(|(count, weight)| count * weight / total * of(weight / total)).sum()
}

/// Cores that are busy at a load, in the mean.
fn work(plan: &Plan, load: f64) -> f64 {
    let all: f64 = plan.dependencies.apis.iter().map(|api| api.weight).sum();
    let saved = |api: &Api| {
        let own = api.demand.as_ref().unwrap_or(&plan.gateway.demand).mean_secs();
        let saved = cache(plan, api)
            .map(|(policy, spec)| hits(plan, api, spec, load) * (1.0 - policy.spent.0));
        api.weight / all * own * saved.unwrap_or(0.0)
    };
    let saved: f64 = plan.dependencies.apis.iter().map(saved).sum();
    load * plan.requests_per_arrival() * (plan.demand_secs() - saved)
}

/// The load that keeps so many cores busy.
fn load_of(plan: &Plan, cores: f64) -> f64 {
    inverse(|load| work(plan, load), cores)
}

/// Where a growing function reaches a value.
fn inverse(of: impl Fn(f64) -> f64, value: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while of(high) < value && high < MOST {
        (low, high) = (high, 2.0 * high);
    }
    for _ in 0..50 {
        let middle = (low + high) / 2.0;
        if of(middle) < value { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::read;
    use crate::units::{SECOND, Span};
    use std::path::Path;

    const TRIAL: Trial = Trial { judged: Span(600 * SECOND), peak_ratio: 2.0 };

    fn base(text: &str) -> Scenario {
        let text = format!("question = \"?\"\n[gateway]\ncores = 1\n{text}");
        let loaded = read::parse("changes.toml", &text, Path::new(""));
        loaded.scenario.unwrap_or_else(|| panic!("{:?}", loaded.problems))
    }

    fn near(found: f64, truth: f64) {
        assert!((found / truth - 1.0).abs() < 1e-6, "{found}, not {truth}");
    }

    const SCALED: &str = "replicas = 2\ncpu-per-request = \"constant(10ms)\"\n\
                          [traffic]\nrate = \"9/s\"\n\
                          [run]\nhorizon = \"10m\"\n[autoscaler]\nmin = 2\nmax = 4\n";

    #[test]
    fn an_autoscaler_changes_between_its_target_and_the_end_of_its_tolerance() {
        // 100/s a replica; at 70 % with 10 %, 77 % is tolerated, and 78 % is the next whole one.
        let found = changes(&base(SCALED), Mode::ReplicaLoss, TRIAL);
        assert_eq!(found.len(), 2, "{found:?}");
        near(found[0].low, 140.0);
        near(found[0].high, 156.0);
        near(found[1].low, 210.0);
        near(found[1].high, 234.0);
        assert_eq!(found[1].cause, Cause::Replicas(3));
        // A climb from half of the peak begins with what the trough asks for.
        let peak = changes(&base(SCALED), Mode::DailyPeak, TRIAL);
        near(peak[2].low, 280.0);
        assert_eq!(watched(&found).len(), 6);
    }

    #[test]
    fn a_band_ends_for_the_most_sudden_of_the_changes_there() {
        let change = |low, high, cause| Change { low, high, cause };
        let cache = Cause::Cache("cache".to_owned());
        let changes =
            [change(154.0, 154.0, Cause::Replicas(2)), change(10.0, 900.0, cache.clone())];
        let band = |from, to, again| Band { from, to, again, until: again };
        let scaled = explained(&changes, band(100.0, 129.0, 159.0));
        assert_eq!(scaled, (band(100.0, 154.0, 159.0), Some(Cause::Replicas(2))));
        let cached = explained(&changes, band(5.0, 9.0, 30.0));
        assert_eq!(cached, (band(5.0, 10.0, 30.0), Some(cache)));
        assert_eq!(explained(&changes, band(1.0, 2.0, 3.0)), (band(1.0, 2.0, 3.0), None));
    }

    #[test]
    fn an_autoscaler_that_begins_with_what_it_holds_changes_at_once() {
        let base = base(&SCALED.replace("replicas = 2\n", ""));
        let found = changes(&base, Mode::ReplicaLoss, TRIAL);
        near(found[0].low, 154.0);
        near(found[0].high, 154.0);
        let loads = watched(&found);
        assert_eq!(loads.len(), 4);
        near(loads[0].load, 0.97 * 154.0);
        near(loads[1].load, 1.03 * 154.0);
    }

    #[test]
    fn a_cache_is_warm_where_its_keys_are_asked_for_often_enough() {
        let cached = "replicas = 2\ncpu-per-request = \"constant(10ms)\"\n\
                      [traffic]\nrate = \"9/s\"\n[run]\nhorizon = \"10m\"\n\
                      [[policy]]\nname = \"cache\"\nkind = \"cache\"\n\
                      shared = true\nttl = \"20s\"\n[[upstream]]\nname = \"slow\"\n\
                      latency = \"constant(300ms)\"\n[[api]]\nname = \"products\"\n\
                      policies = [\"cache\"]\nupstream = \"slow\"\nresources = 20\n";
        // A key of 20 is asked for once in 20 s at 1/s: hits are λ/(1 + λ), of what may be cached.
        let base = base(cached);
        let api = &base.plan.dependencies.apis[0];
        let most = api.cacheable.0;
        let found = &changes(&base, Mode::Healthy, TRIAL)[0];
        near(found.low, 1.0 / 9.0 / most);
        near(found.high, 99.0 / most);
        assert_eq!(found.cause, Cause::Cache("cache".to_owned()));
    }

    #[test]
    fn keys_that_are_taken_together_weigh_as_much_as_one_by_one() {
        let popularity = Popularity { keys: 5_000, zipf: 0.9 };
        let weights: Vec<f64> = (1..=5_000).map(|key| f64::from(key).powf(-0.9)).collect();
        let total: f64 = weights.iter().sum();
        let of = |share: f64| 300.0 * share / (1.0 + 300.0 * share);
        let truth: f64 = weights.iter().map(|weight| weight / total * of(weight / total)).sum();
        let found = mean_over_keys(&popularity, of);
        assert!((found / truth - 1.0).abs() < 1e-3, "{found}, not {truth}");
    }
}
