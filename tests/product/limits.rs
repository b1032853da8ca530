//! What work may take: time after Ctrl-C, and memory.

use std::fs;
use std::time::{Duration, Instant};

use crate::desk::{Desk, err, out};

/// A scenario in which requests come 70 times as fast as they are served, until 15 minutes are
/// over, and nobody gives up.
const OVERLOAD: &str = "question = \"?\"\n[gateway]\nreplicas = 3\n[ingress]\n\
    read-timeout = \"10d\"\n[traffic]\nrate = \"99999/s\"\n[run]\nhorizon = \"15m\"\n";

#[cfg(unix)]
#[test]
fn a_stop_is_heard_at_once_while_requests_drain() {
    let desk = Desk::new();
    fs::write(desk.path("slow.toml"), OVERLOAD.replace("15m", "40s")).unwrap();
    let run = ["run", "slow.toml", "-n", "2", "--jobs", "2"];
    // All that is left is the drain.
    let simulated = |line: &str| {
        let far = line.split_once(" simulated").and_then(|(far, _)| far.split_once(" of "));
        far.is_some_and(|(done, all)| done == all)
    };
    let (child, talk) = desk.begun(&run, simulated);
    let begun = Instant::now();
    Desk::signal(&child, "-TERM");
    let output = Desk::ended(child, talk);
    assert!(begun.elapsed() < Duration::from_secs(3), "it took {:?}", begun.elapsed());
    assert_eq!(output.status.code(), Some(130), "{}", err(&output));
    let replications = desk.path("results/slow.partial/replications.csv");
    assert!(fs::read_to_string(replications).unwrap().contains(",true,"));
}

#[test]
fn what_there_will_be_no_room_for_is_refused_before_it_runs() {
    let desk = Desk::new();
    fs::write(desk.path("overload.toml"), OVERLOAD).unwrap();
    // (99,999 - 3 / 1.398601 ms) a second for 15 minutes.
    let warning = err(&desk.run(&["check", "overload.toml"]));
    assert!(warning.contains("88.1 million requests wait at once, in about 5.25"), "{warning}");
    let begun = Instant::now();
    let refused = desk.run(&["run", "overload.toml", "--jobs", "1"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = err(&refused);
    assert!(said.contains("overload: up to 88,068,599 requests wait at once"), "{said}");
    assert!(said.contains("about 5.25 GiB of memory, and 4 GiB is allowed"), "{said}");
    assert!(said.contains("--memory") && said.contains("--jobs 1"), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(10) && !desk.path("results").exists());
}

#[test]
fn work_that_finds_no_room_ends_and_says_where() {
    let desk = Desk::new();
    // Nobody can know before that two replicas at a hundredth of their speed are not enough.
    let text = "question = \"?\"\n[ingress]\nread-timeout = \"1h\"\n[traffic]\n\
        rate = \"1000/s\"\n[run]\nwarm-up = \"5s\"\nhorizon = \"10m\"\n[[fault]]\n\
        kind = \"replica-slow\"\ntarget = \"all\"\ncpu = \"1%\"\nat = \"10s\"\nfor = \"1h\"\n";
    fs::write(desk.path("slow.toml"), text).unwrap();
    let output = desk.run(&["run", "slow.toml", "-n", "2", "--memory", "4MiB"]);
    let said = err(&output);
    assert_eq!(output.status.code(), Some(2), "{}{said}", out(&output));
    assert!(said.contains("no room for the requests in flight: replication "), "{said}");
    assert!(said.contains("4 MiB is allowed") && said.contains("--memory"), "{said}");
    assert_eq!(desk.names("results"), ["slow.partial"]);
}
