//! Caches that are emptied at once.

use std::path::Path;

use brownout::experiment::{Progress, replicate};
use brownout::observe::count::Count;
use brownout::observe::recorder::Keep;
use brownout::scenario::read::parse;

/// A thousand resources, all alike, that stay cached; 500 requests a second.
const CACHED: &str = r#"
[gateway]
cores = 1
cpu-per-request = "constant(100us)"
replicas = 2
[traffic]
rate = "500/s"
[[policy]]
name = "cache"
kind = "cache"
ttl = "1h"
[[api]]
name = "pages"
policies = ["cache"]
resources = 1000
[[fault]]
kind = "cache-purge"
at = "100s"
[run]
horizon = "140s"
warm-up = "50s"
bin = "10s"
"#;

/// Once every resource is cached there is no miss; after the purge each resource that is asked for
/// is missed once, and of a thousand that 5,000 requests ask for alike some seven are not asked for
/// in the ten seconds: 1000·(1 − 1/1000)^5000 = 6.7, give or take 2.6.
#[test]
fn after_a_purge_every_resource_is_missed_once() {
    let scenario = parse("purge.toml", CACHED, Path::new(".")).scenario.unwrap();
    let keep = Keep { timeline: true, ..Keep::default() };
    let outcome = replicate(&scenario.plan, 0, keep, &Progress::default());
    let timeline = outcome.timeline.unwrap();
    let misses = |bin: usize| timeline.total[bin].counts[Count::Miss as usize];
    assert_eq!((misses(8), misses(9)), (0, 0), "everything is cached before");
    let first = misses(10);
    assert!((980..=1_000).contains(&first), "{first} misses in the bin after the purge");
    let later: u64 = (11..14).map(misses).sum();
    assert_eq!(first + later, 1_000, "each resource is missed once");
}
