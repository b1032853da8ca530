//! Whether a plan agrees with runs: no load that it calls carried is missed by a run of its mode.
//!
//! Random gateways with an autoscaler, some with a cache in front of a slow upstream, some with
//! contracts, each in one mode. Its capacity is searched, and then loads up to the low end of its
//! interval are run by themselves, with other random numbers and twice the replications, and judged
//! as a run or a cell of a sweep is. So are loads in the middle of bands that the plan says are
//! missed, of which none may be met. The plan is right with 95 %, and so is each run of a load that
//! lies just at its bound: of ten gateways one may disagree. All of them take about a minute; a
//! sample runs three, of which none may.

use std::path::Path;

use brownout::experiment::store::NoStore;
use brownout::experiment::{Progress, Runner};
use brownout::random::{Seed, Stream};
use brownout::scenario::{Scenario, read};
use brownout::study::capacity::find::find;
use brownout::study::capacity::finding::{Finding, SearchEffort};
use brownout::study::capacity::probe::probe;
use brownout::study::capacity::search::{Capacity, Excess};
use brownout::study::mode::{self, Mode, Trial, limits};
use brownout::units::{SECOND, Span};

use crate::{Effort, effort};

const EFFORT: SearchEffort = SearchEffort {
    trial: Trial { judged: Span(180 * SECOND), peak_ratio: 2.0 },
    replications: 10,
    tolerance: 0.01,
    demand: None,
};

/// A gateway with what is demanded of it, and the mode that it is tried in.
fn gateway(index: u64) -> (Scenario, Mode) {
    let mut stream = Seed { seed: 15, replication: index }.stream("gateways", 0);
    let mut between = |low: f64, high: f64| low + (high - low) * stream.unit();
    let (cpu, cv, wait) = (between(8.0, 16.0), between(0.2, 1.0), between(20.0, 100.0));
    let bound = wait + cpu * between(8.0, 30.0);
    let (target, most) = (between(55.0, 80.0).round(), 3 + index % 2);
    let (resources, ttl) = (between(500.0, 4_000.0).round(), between(5.0, 20.0).round());
    let (contracts, cached) = (index.is_multiple_of(3), index.is_multiple_of(2));
    let mut text = format!(
        "question = \"?\"\n\
         objectives = [\"p95 of served < {bound:.1}ms\", \"availability >= 80%\"]\n\
         [gateway]\ncores = 1\ncpu-per-request = \"log-normal({cpu:.2}ms, cv={cv:.2})\"\n\
         contracts = {contracts}\n[topology]\nzones = [\"a\", \"b\"]\n[traffic]\nrate = \"50/s\"\n\
         [autoscaler]\nmin = 2\nmax = {most}\ntarget = \"{target}%\"\n\
         [run]\nhorizon = \"5m\"\nwarm-up = \"20s\"\n"
    );
    if cached {
        text += &format!(
            "[[policy]]\nname = \"cache\"\nkind = \"cache\"\nshared = true\nttl = \"{ttl}s\"\n\
             [[upstream]]\nname = \"slow\"\nlatency = \"constant({wait:.1}ms)\"\n\
             [[api]]\nname = \"products\"\npolicies = [\"cache\"]\nupstream = \"slow\"\n\
             resources = {resources}\n"
        );
    }
    let loaded = read::parse("random.toml", &text, Path::new(""));
    let scenario = loaded.scenario.unwrap_or_else(|| panic!("{text}\n{:?}", loaded.problems));
    let modes = Mode::ALL.into_iter().filter(|mode| mode::moot(&scenario.plan, *mode).is_none());
    let modes: Vec<Mode> = modes.collect();
    (scenario, modes[(index as usize + 1) % modes.len()])
}

/// Loads that are carried, as the plan has it: the low end itself, and three below.
fn carried(finding: &Finding, stream: &mut Stream) -> Vec<f64> {
    match finding.capacity {
        Capacity::Between { low, .. } | Capacity::AtLeast(low) if low > 0.0 => {
            let below = [0.9, 0.6, 0.2].map(|from| low * (from + 0.1 * stream.unit()));
            [&[low][..], &below].concat()
        }
        _ => Vec::new(),
    }
}

#[test]
fn no_load_that_a_plan_calls_carried_is_missed_by_a_run() {
    let (gateways, may_disagree) = match effort() {
        Effort::Full => (10, 1),
        Effort::Sample => (3, 0),
    };
    let progress = Progress::default();
    let runner = Runner::new(None, &progress, &NoStore).expect("threads");
    let (mut loads, mut bands, mut disagree) = (0, 0, Vec::new());
    for index in 0..gateways {
        let (scenario, mode) = gateway(index);
        let guess = 0.9 * limits::fluid_limit(&scenario, mode);
        let finding = find(&runner, &scenario, mode, EFFORT, guess);
        let mut other = scenario.clone();
        other.plan.run.seed = 1_000 + index;
        let run = |load: f64| -> Excess {
            let effort = SearchEffort { replications: 2 * EFFORT.replications, ..EFFORT };
            probe(&runner, &other, mode, effort, load).expect("not stopped").excess
        };
        let mut stream = Seed { seed: 16, replication: index }.stream("loads", 0);
        let carried = carried(&finding, &mut stream);
        let missed = carried.iter().filter(|load| run(**load).least > 0.0).count();
        let middle = finding.bands.iter().map(|(band, _)| (band.from * band.to).sqrt());
        let met = middle.filter(|load| run(*load).most < 0.0).count();
        let Finding { capacity, bands: found, .. } = &finding;
        println!("{index}: {mode:?} {capacity:?} {found:?}: {missed} missed, {met} met");
        loads += carried.len();
        bands += found.len();
        if missed + met > 0 {
            disagree.push(index);
        }
    }
    println!("{gateways} gateways, {loads} loads, {bands} bands; disagree: {disagree:?}");
    assert!(loads as u64 >= 2 * gateways, "hardly anything was carried");
    assert!(bands > 0 || effort() == Effort::Sample, "no band was found");
    assert!(disagree.len() <= may_disagree, "{disagree:?}");
}
