//! Caches that are emptied at once.

use std::path::Path;

use brownout::observe::count::Count;
use brownout::scenario::read::parse;

use crate::common::replicate;

/// A thousand resources, all alike, that stay cached in each of two replicas; 500 requests a
/// second.
const CACHED: &str = r#"
question = "What does a purge cost?"
[gateway]
cores = 1
cpu-per-request = "constant(100us)"
replicas = 2
[traffic]
rate = "500/s"
[[policy]]
name = "cache"
kind = "cache"
shared = false
ttl = "1h"
[[api]]
name = "pages"
policies = ["cache"]
resources = 1000
[[fault]]
kind = "cache-purge"
at = "100s"
[run]
horizon = "150s"
warm-up = "50s"
"#;

/// Once every resource is cached there is no miss: of a thousand that a replica is asked for 12,500
/// times before the warm-up is over 1,000·e^−12.5 = 0.004 are not. After the purge each replica
/// misses each resource once.
#[test]
fn after_a_purge_every_resource_is_missed_once() {
    let misses = |text: &str| {
        let scenario = parse("purge.toml", text, Path::new(".")).scenario.unwrap();
        replicate(&scenario.plan, 0).windows[0].counts[Count::Miss as usize]
    };
    let after = misses(CACHED);
    assert!((1_998..=2_000).contains(&after), "{after}");
    let fault = "[[fault]]\nkind = \"cache-purge\"\nat = \"100s\"\n";
    assert!(misses(&CACHED.replace(fault, "")) <= 1);
}
