//! `brownout plan` as a user meets it: what its exit code says, what it writes, and that neither
//! threads nor a stop change a byte.

use std::fs;

use crate::desk::{Desk, err, out};
use serde_json::Value;

/// A small gateway under a small load, searched in a second.
const QUICK: [&str; 7] = ["plan", "small.toml", "--judged", "30s", "-n", "5", "--no-sensitivity"];
const SMALL: [&str; 2] = ["--tier", "small"];
const TWO_MODES: [&str; 4] = ["--mode", "healthy", "--mode", "replica-loss"];

/// A desk with a scenario of 4 requests/s and these objectives.
fn desk_with(objectives: &str) -> Desk {
    let desk = Desk::with(objectives);
    change(&desk, "50/s", "4/s");
    desk
}

fn desk() -> Desk {
    desk_with("\"p90 < 500ms\"")
}

fn change(desk: &Desk, from: &str, to: &str) {
    let text = fs::read_to_string(desk.path("small.toml")).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(desk.path("small.toml"), text.replace(from, to)).unwrap();
}

fn plan_code(desk: &Desk, more: &[&str]) -> i32 {
    desk.code(&[&QUICK[..], &SMALL, more].concat())
}

fn plan_json(desk: &Desk) -> Value {
    let text = fs::read_to_string(desk.path("results/plan-small/plan.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn report(desk: &Desk) -> String {
    fs::read_to_string(desk.path("results/plan-small/report.txt")).unwrap()
}

/// What was found for the only gateway in a mode.
fn found<'a>(plan: &'a Value, mode: &str) -> &'a Value {
    let all = plan["gateways"][0]["capacity"].as_array().unwrap();
    all.iter().find(|found| found["mode"] == mode).unwrap()
}

/// The errors of a command that cannot be carried out, in lines that fit.
fn refused(desk: &Desk, args: &[&str]) -> String {
    let output = desk.run(args);
    let said = err(&output);
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(2), ""), "{said}");
    assert!(said.lines().all(|line| line.chars().count() <= 100), "{said}");
    said
}

#[test]
fn the_exit_code_says_whether_the_demand_is_carried() {
    let desk = desk();
    assert_eq!(plan_code(&desk, &TWO_MODES), 0);
    let plan = plan_json(&desk);
    assert_eq!((&plan["chosen"], &plan["demand_per_s"]), (&"Small".into(), &4.0.into()));
    let lost = found(&plan, "replica-loss");
    assert!(lost["constraint"].as_str().unwrap().starts_with("CPU, demand is "), "{lost}");
    let [low, point, high] = ["low_per_s", "point_per_s", "high_per_s"]
        .map(|key| lost[key].as_f64().unwrap_or_else(|| panic!("{lost}")));
    assert!(low > 4.0 && low < point && point < high && high < 100.0, "{lost}");
    assert!(found(&plan, "healthy")["low_per_s"].as_f64().unwrap() > high, "{plan}");
    let with = |demand: f64| {
        plan_code(&desk, &[&TWO_MODES[..], &["--demand", &format!("{demand:.4}/s")]].concat())
    };
    assert_eq!(with(point), 3);
    assert_eq!(plan_json(&desk)["gateways"][0]["carries_demand"], "undecided");
    assert!(report(&desk).starts_with("? UNDECIDED"), "{}", report(&desk));
    assert_eq!(with(1.01 * high), 1);
    assert_eq!(plan_json(&desk)["chosen"], Value::Null);
    assert!(report(&desk).starts_with("✗ NONE"), "{}", report(&desk));
    // What is sure is the low end itself.
    assert_eq!(with(0.99 * low), 0);
}

#[test]
fn files_and_formats_agree() {
    let desk = desk();
    let args = [&QUICK[..6], &SMALL, &TWO_MODES, &["--format", "json"]].concat();
    let output = desk.run(&args);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let printed: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(printed, plan_json(&desk));
    let files = desk.results("results/plan-small");
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let all = ["capacity.csv", "manifest.json", "plan.json", "probes.csv", "report.txt"];
    for name in [&all[..], &["capacity.svg", "headroom.png", "sensitivity.csv"]].concat() {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let rows = fs::read_to_string(desk.path("results/plan-small/capacity.csv")).unwrap();
    assert_eq!(rows.lines().count(), 3, "{rows}");
    let lost = found(&printed, "replica-loss");
    let row: Vec<&str> = rows.lines().nth(2).unwrap().split(',').collect();
    assert_eq!(row[..3], ["Small", "replica-loss", "between"]);
    assert_eq!(row[4].parse::<f64>().unwrap(), lost["point_per_s"].as_f64().unwrap());
    // With one objective, a load that was tried is a row.
    let probes = fs::read_to_string(desk.path("results/plan-small/probes.csv")).unwrap();
    let tried = |mode: &str| found(&printed, mode)["experiments"].as_u64().unwrap();
    let count = probes.lines().count() as u64;
    assert_eq!(count, 1 + tried("healthy") + tried("replica-loss"));
    assert!(report(&desk).lines().all(|line| line.chars().count() <= 100));
}

#[test]
fn threads_change_no_byte() {
    let desk = desk();
    let args = [&QUICK[..6], &SMALL, &TWO_MODES].concat();
    for (jobs, place) in [("1", "one"), ("4", "four")] {
        let more = ["--jobs", jobs, "--output", place];
        assert_eq!(desk.code(&[&args[..], &more].concat()), 0);
    }
    assert_eq!(desk.results("one/plan-small"), desk.results("four/plan-small"));
}

#[cfg(unix)]
#[test]
fn a_stopped_plan_can_be_resumed_to_the_same_bytes() {
    let desk = desk();
    let args = ["plan", "small.toml", "--tier", "small", "--mode", "healthy", "--judged", "10m"];
    let few = [&args[..], &["-n", "10", "--no-charts"]].concat();
    assert_eq!(desk.code(&[&few[..], &["--output", "whole"]].concat()), 0);
    let many = [&args[..], &["-n", "10000", "--no-charts"]].concat();
    desk.stop_on_the_way(&many);
    let text = fs::read_to_string(desk.path("results/plan-small.partial/plan.json")).unwrap();
    let partial: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(partial["interrupted"], true);
    assert_eq!(found(&partial, "healthy")["state"], "stopped");
    let checkpoint = desk.path("results/.plan-small.checkpoint.jsonl");
    assert!(fs::read_to_string(&checkpoint).unwrap().lines().count() > 10);
    assert_eq!(desk.code(&[&few[..], &["--resume"]].concat()), 0);
    assert_eq!(desk.results("results/plan-small"), desk.results("whole/plan-small"));
    assert!(!checkpoint.exists());
}

#[test]
fn what_cannot_be_planned_is_refused_in_words() {
    let desk = desk();
    let quick = |more: &[&str]| refused(&desk, &[&QUICK[..], more].concat());
    let tier = quick(&["--tier", "smal"]);
    assert!(tier.contains("a similar value exists: 'small'"), "{tier}");
    assert_eq!(tier.matches("error").count(), 1, "said once: {tier}");
    assert!(quick(&["--tier", "small", "--tier", "small"]).contains("named twice"));
    assert!(quick(&["--mode", "healty"]).contains("a similar value exists: 'healthy'"));
    let short = refused(&desk, &["plan", "small.toml", "--judged", "9s"]);
    assert!(short.contains("judge for 10 seconds to a day"), "{short}");
    assert!(quick(&["--demand", "0/s"]).contains("a demand is above zero"));
    assert!(quick(&["--prices", "lrge=3"]).contains("\"large\""));
    let own = quick(&["--set", "gateway.cores=1"]);
    assert!(own.contains("a tier has its own cores"), "{own}");
    assert!(!desk.path("results").exists(), "nothing is left behind");
}

#[test]
fn a_plan_needs_an_objective_over_the_whole_run_and_a_load_to_change() {
    let refusal = |desk: &Desk| refused(desk, &[&QUICK[..], &SMALL].concat());
    let none = refusal(&desk_with(""));
    assert!(none.contains("no objective that a capacity can be judged by"), "{none}");
    let part = refusal(&desk_with("\"p90 < 500ms from 10s to 20s\""));
    assert!(part.contains("no objective that a capacity can be judged by"), "{part}");
    let desk = desk();
    fs::write(desk.path("trace.csv"), "time_s\n1.0\n2.0\n3.0\n").unwrap();
    change(&desk, "rate = \"4/s\"", "replay = \"trace.csv\"");
    let replayed = refusal(&desk);
    assert!(replayed.contains("the load of this scenario cannot be changed"), "{replayed}");
}

#[test]
fn a_mode_that_means_nothing_is_left_out_and_no_setting_is_changed() {
    let desk = desk();
    // Whether it carries its load in all of these is not asked here.
    plan_code(&desk, &["--set", "gateway.contracts=false"]);
    let plan = plan_json(&desk);
    let modes = |list: &str| -> Vec<&str> {
        let all = plan["gateways"][0][list].as_array().unwrap().iter();
        all.map(|one| one["mode"].as_str().unwrap()).collect()
    };
    assert_eq!(modes("capacity"), ["healthy", "replica-loss", "zone-loss"]);
    assert_eq!(modes("left_out"), ["control-plane-loss", "daily-peak"]);
    let said = report(&desk).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("4/s in all of three modes"), "{said}");
    assert!(said.contains("control plane down: no API uses contracts"), "{said}");
    let only = ["plan", "small.toml", "--tier", "small", "--mode", "control-plane-loss"];
    let refusal = refused(&desk, &only);
    assert!(
        refusal.contains("control-plane-loss means nothing here\n  = note: no API uses"),
        "{refusal}"
    );
}

#[test]
fn what_a_capacity_hangs_on_is_told_where_there_is_none() {
    // Of the requests of 30 s a half of 0.5 to 3 s is refused: one in 30, if nobody tries again.
    let desk = desk_with("\"availability >= 99.9%\"");
    let args = ["plan", "small.toml", "--judged", "30s", "-n", "10", "--mode", "replica-loss"];
    assert_eq!(desk.code(&[&args[..], &SMALL].concat()), 1);
    let plan = plan_json(&desk);
    assert_eq!(found(&plan, "replica-loss")["state"], "nothing", "{plan}");
    let settings = plan["sensitivity"]["settings"].as_array().unwrap();
    let retries = settings.iter().find(|one| one["setting"] == "ingress.retries").unwrap();
    assert_eq!(retries["capacity_per_s"], Value::Null, "{retries}");
    let load = retries["instead"][0]["capacity_per_s"].as_f64();
    assert!(load.is_some_and(|load| (40.0..130.0).contains(&load)), "{retries}");
    let said = report(&desk).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("ingress.retries 0 → 1: "), "{said}");
}

#[test]
fn no_data_never_passes() {
    // A tenth of a core and 2 s of CPU: a request in 20 s at most, judged for 10 s.
    let desk = desk_with("\"p99 < 100s\"");
    let more = ["--set", "gateway.cpu-per-request=constant(2s)", "--demand", "0.002/s"];
    let args = ["plan", "small.toml", "--judged", "10s", "-n", "3", "--no-sensitivity"];
    assert_eq!(desk.code(&[&args[..], &SMALL, &TWO_MODES[..2], &more].concat()), 3);
    let plan = plan_json(&desk);
    assert_eq!(plan["gateways"][0]["carries_demand"], "undecided");
    let low = found(&plan, "healthy")["low_per_s"].as_f64();
    assert!(low.is_none_or(|low| low == 0.0), "{plan}");
}

#[test]
fn recovery_is_asked_for_only_where_there_can_be_one() {
    let desk = desk_with("\"p90 < 500ms\", \"recovery < 30s\"");
    let mut text = fs::read_to_string(desk.path("small.toml")).unwrap();
    text.push_str("\n[[fault]]\nname = \"crash\"\nkind = \"replica-crash\"\nat = \"20s\"\n");
    fs::write(desk.path("small.toml"), text).unwrap();
    change(&desk, "tier = \"large\"", "tier = \"large\"\ncontracts = true");
    let modes = ["--mode", "control-plane-loss", "--mode", "replica-loss"];
    assert_eq!(plan_code(&desk, &modes), 0);
    let plan = plan_json(&desk);
    for mode in ["control-plane-loss", "replica-loss"] {
        assert!(found(&plan, mode)["low_per_s"].as_f64().unwrap() > 20.0, "{mode}: {plan}");
    }
    assert!(report(&desk).contains("the scenario's own faults are replaced"));
}

#[test]
fn a_loss_that_leaves_nobody_is_said_to() {
    let desk = desk();
    change(&desk, "tier = \"large\"", "tier = \"large\"\nreplicas = 1");
    assert_eq!(plan_code(&desk, &TWO_MODES), 1);
    let plan = plan_json(&desk);
    assert_eq!(found(&plan, "replica-loss")["fluid_limit_per_s"], 0.0);
    // More than a tenth fail, however few come.
    assert_eq!(found(&plan, "replica-loss")["state"], "nothing", "{plan}");
    change(&desk, "p90 < 500ms", "availability >= 90%");
    assert_eq!(plan_code(&desk, &TWO_MODES), 1);
    let said = report(&desk).replace("\n                       ", " ");
    let why = "availability >= 90%: no replica is left until one is replaced; ";
    assert!(said.contains(why) && said.contains("refused (no ready replica)"), "{said}");
    // A mean is of those that are served, once the lost one is replaced.
    change(&desk, "availability >= 90%", "mean < 500ms");
    assert_eq!(plan_code(&desk, &TWO_MODES), 1, "nobody sells a single replica");
    assert_eq!(plan_json(&desk)["gateways"][0]["carries_demand"], "yes");
    let said = report(&desk);
    assert!(said.contains("latency of the served requests is of those"), "{said}");
}

#[test]
fn what_all_replicas_cannot_serve_is_not_carried() {
    // All requests are answered in the end, and no bound is set on how long they take.
    let desk = desk_with("\"availability >= 90%\"");
    assert_eq!(plan_code(&desk, &["--mode", "healthy", "--demand", "100/s"]), 0);
    // Two replicas that are full at 60/s each.
    assert_eq!(plan_code(&desk, &["--mode", "healthy", "--demand", "130/s"]), 1);
    let plan = plan_json(&desk);
    let healthy = found(&plan, "healthy");
    assert_eq!(healthy["point_per_s"], healthy["fluid_limit_per_s"], "{healthy}");
    assert!(report(&desk).contains("the backlog grows"), "{}", report(&desk));
}

/// An API that answers from a cache or an upstream that takes as long for every request.
const CACHED: &str = "
[[policy]]
name = \"cache\"
kind = \"cache\"
shared = true
ttl = \"20s\"

[[upstream]]
name = \"slow\"
latency = \"constant(300ms)\"

[[api]]
name = \"products\"
policies = [\"cache\"]
upstream = \"slow\"
resources = 20
";

#[test]
fn a_load_above_loads_that_miss_is_not_carried() {
    // Each of 20 resources is fetched once in 20 s: one of λ requests a second takes 300 ms. That
    // is more than a tenth up to 10/s.
    let desk = desk_with("\"p90 < 200ms\"");
    let text = fs::read_to_string(desk.path("small.toml")).unwrap() + CACHED;
    fs::write(desk.path("small.toml"), text).unwrap();
    let plan = |demand: &str| plan_code(&desk, &["--mode", "healthy", "--demand", demand]);
    assert_eq!(plan("4/s"), 1);
    let json = plan_json(&desk);
    let healthy = found(&json, "healthy");
    assert_eq!(healthy["state"], "nothing");
    let [band] = &healthy["bands"].as_array().unwrap()[..] else { panic!("{healthy}") };
    let load = |key: &str| band[key].as_f64().unwrap_or_else(|| panic!("{band}"));
    assert!(load("missed_from_per_s") < 2.0 && load("missed_to_per_s") < 10.0, "{band}");
    assert!((9.0..40.0).contains(&load("met_again_from_per_s")), "{band}");
    assert_eq!(band["cold_cache_below"], "cache");
    let said = report(&desk).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("p90 < 200ms: time that more CPU would not save"), "{said}");
    assert!(said.contains("the cache \"cache\" is cold below"), "{said}");
    // It is met there, but who comes to it passes through what is not.
    assert_eq!(plan("40/s"), 1);
    let said = report(&desk).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("40/s itself is met, but not the loads on the way to it"), "{said}");
}

/// What the product does: two replicas, and a third when they are busy.
const AUTOSCALED: &str = "\n[autoscaler]\nmin = 2\nmax = 3\n";

#[test]
fn what_an_autoscaler_makes_possible_above_loads_that_miss_is_not_the_capacity() {
    // 10 requests/s saturate a replica. Up to 14/s there are two of them, of which one survives.
    let desk = desk_with("\"p90 < 5s\"");
    change(
        &desk,
        "tier = \"large\"",
        "replicas = 2\ncontracts = true\ncores = 1\ncpu-per-request = \"100ms\"",
    );
    let text = fs::read_to_string(desk.path("small.toml")).unwrap() + AUTOSCALED;
    fs::write(desk.path("small.toml"), text).unwrap();
    let args = ["plan", "small.toml", "--judged", "5m", "-n", "4", "--no-sensitivity"];
    let lost = ["--mode", "control-plane-loss", "--demand"];
    let plan = |demand: &str| desk.code(&[&args[..], &lost, &[demand]].concat());
    for (demand, code) in [("8/s", 0), ("12/s", 1), ("17/s", 1), ("25/s", 1)] {
        assert_eq!(plan(demand), code, "{demand}: {}", report(&desk));
        let json = plan_json(&desk);
        let found = found(&json, "control-plane-loss");
        let high = found["high_per_s"].as_f64().unwrap();
        assert!((9.0..12.0).contains(&high), "{found}");
        assert_eq!(found["bands"][0]["replicas_below"], 2, "{found}");
        let passes = report(&desk).contains("17/s itself is met");
        assert_eq!(passes, demand == "17/s", "{}", report(&desk));
    }
}

#[test]
fn a_gateway_that_still_settles_is_said_to() {
    // A cache of 10,000 resources that is empty at the start: with some 90 requests/s it takes well
    // over the 5 s of warm-up until most are there.
    let desk = desk_with("\"p90 < 10s\"");
    let cache = CACHED.replace("resources = 20\n", "resources = 10000\n").replace("20s", "1h");
    let text = fs::read_to_string(desk.path("small.toml")).unwrap() + &cache;
    fs::write(desk.path("small.toml"), text).unwrap();
    let args = ["plan", "small.toml", "--judged", "5m", "-n", "2", "--no-sensitivity"];
    let mode = ["--mode", "healthy", "--demand", "90/s"];
    let settles = || {
        desk.code(&[&args[..], &SMALL, &mode].concat());
        report(&desk).contains("--set run.warm-up=SPAN")
    };
    assert!(settles(), "{}", report(&desk));
    // With one resource the cache is full at once.
    change(&desk, "resources = 10000", "resources = 1");
    assert!(!settles(), "{}", report(&desk));
}

#[test]
fn a_time_that_cpu_does_not_save_is_not_called_cpu() {
    let desk = desk_with("\"p90 < 200ms\"");
    let text = fs::read_to_string(desk.path("small.toml")).unwrap() + CACHED;
    let text = text.replace("policies = [\"cache\"]\n", "").replace("resources = 20\n", "");
    let (from, to) = (text.find("[[policy]]").unwrap(), text.find("[[upstream]]").unwrap());
    let text = text[..from].to_owned() + &text[to..];
    fs::write(desk.path("small.toml"), text).unwrap();
    assert_eq!(plan_code(&desk, &["--mode", "healthy"]), 1);
    assert_eq!(found(&plan_json(&desk), "healthy")["state"], "nothing");
    assert!(report(&desk).contains("time that more CPU would not save"), "{}", report(&desk));
}

#[test]
fn sessions_are_counted_with_all_their_requests() {
    let desk = desk();
    let text = fs::read_to_string(desk.path("small.toml")).unwrap()
        + "\n[clients]\nloop = \"sessions\"\nrequests-per-session = 10\nthink = \"1s\"\n";
    fs::write(desk.path("small.toml"), text).unwrap();
    assert_eq!(plan_code(&desk, &["--mode", "healthy"]), 0);
    let plan = plan_json(&desk);
    let healthy = found(&plan, "healthy");
    // Two replicas that are full at 60 requests/s each.
    let limit = healthy["fluid_limit_per_s"].as_f64().unwrap();
    assert!((limit - 12.0).abs() < 0.001, "{healthy}");
    assert!(healthy["high_per_s"].as_f64().unwrap() < 12.5, "{healthy}");
    assert!(report(&desk).contains("Capacity in sessions/s"), "{}", report(&desk));
}

#[test]
fn a_small_demand_is_tried_and_what_is_never_missed_is_not_missed() {
    let desk = desk();
    // The capacity is some hundred times the demand.
    let args = ["plan", "small.toml", "--judged", "10m", "-n", "3", "--no-sensitivity"];
    let demand = ["--mode", "healthy", "--demand", "0.5/s"];
    assert_eq!(desk.code(&[&args[..], &SMALL, &demand].concat()), 0);
    let probes = fs::read_to_string(desk.path("results/plan-small/probes.csv")).unwrap();
    assert!(probes.contains("\nSmall,healthy,0.5,p90 < 500ms,met,"), "{probes}");
    let perfect = desk_with("\"availability >= 100%\"");
    assert_eq!(plan_code(&perfect, &["--mode", "healthy"]), 3);
    assert_eq!(found(&plan_json(&perfect), "healthy")["low_per_s"], 0.0);
}

#[test]
fn a_capacity_far_below_what_cpu_allows_is_found() {
    // Two replicas that let 0.2 requests/s pass each, of 1,430/s that their CPU could do.
    let desk = desk();
    change(&desk, "4/s", "0.1/s");
    change(&desk, "p90 < 500ms", "rejected < 20%");
    let text = fs::read_to_string(desk.path("small.toml")).unwrap()
        + "\n[[policy]]\nname = \"limit\"\nkind = \"rate-limit\"\nlimit = 2\nwindow = \"10s\"\n\
           sharing = \"per-replica\"\n";
    fs::write(desk.path("small.toml"), text).unwrap();
    let args = ["plan", "small.toml", "--judged", "30m", "-n", "3", "--no-sensitivity"];
    let large = ["--tier", "large", "--mode", "healthy"];
    assert_eq!(desk.code(&[&args[..], &large].concat()), 0, "{}", report(&desk));
    assert!(report(&desk).contains("rejected (limit reached)"), "{}", report(&desk));
}

#[test]
fn the_demand_of_a_day_is_its_highest_rate() {
    let desk = desk();
    let hours: Vec<&str> = (0..24).map(|hour| if hour == 12 { "2.5" } else { "0.5" }).collect();
    change(&desk, "\"4/s\"", &format!("\"4/s\"\ndaily = [{}]", hours.join(", ")));
    assert_eq!(plan_code(&desk, &["--mode", "healthy"]), 0);
    assert_eq!(plan_json(&desk)["demand_per_s"], 10.0);
}

/// Two regions that share the clients, which are led from a lost one to the other within a minute.
const REGIONS: &str = "[global]\npreset = \"route53-fast\"\nttl = \"10s\"\n\n[[region]]\nname = \
                       \"x\"\n\n[[region]]\nname = \"y\"\n";

fn add(desk: &Desk, more: &str) {
    let text = fs::read_to_string(desk.path("small.toml")).unwrap();
    fs::write(desk.path("small.toml"), format!("{text}\n{more}")).unwrap();
}

#[test]
fn the_loss_of_a_region_leaves_the_others_half_of_what_two_carry() {
    let desk = desk_with("\"p90 of served < 500ms\", \"rto < 5m\"");
    let fault =
        "[[fault]]\nkind = \"region-outage\"\nregion = \"x\"\nat = \"10s\"\nfor = \"20s\"\n";
    add(&desk, &format!("{REGIONS}\n{fault}"));
    let modes = ["--mode", "healthy", "--mode", "region-loss", "--judged", "4m"];
    let args = ["plan", "small.toml", "-n", "4", "--no-sensitivity", "--no-charts"];
    assert_eq!(desk.code(&[&args[..], &SMALL, &modes].concat()), 0, "{}", report(&desk));
    let plan = plan_json(&desk);
    let figure = |mode: &str, key: &str| found(&plan, mode)[key].as_f64().unwrap();
    let (all, left) = ("healthy", "region-loss");
    let ratio = figure(left, "fluid_limit_per_s") / figure(all, "fluid_limit_per_s");
    assert!((ratio - 0.5).abs() < 1e-6, "{ratio}");
    // The survivor's queue has the four minutes less the fail-over to grow.
    let ratio = figure(left, "point_per_s") / figure(all, "point_per_s");
    assert!((0.4..0.62).contains(&ratio), "{ratio} of what two carry");
    let why = found(&plan, left)["constraint"].as_str().unwrap();
    assert!(why.starts_with("in y, the busiest region: CPU, demand is "), "{why}");
    assert!(report(&desk).contains("rto < 5m is judged only where a region is lost"));
    assert!(report(&desk).contains("the region that is lost is x"), "{}", report(&desk));
}

#[test]
fn a_region_with_a_tier_of_its_own_is_planned_as_it_is_written() {
    let desk = desk();
    add(&desk, &format!("{REGIONS}\n[region.gateway]\ntier = \"xlarge\"\n"));
    let refusal = refused(&desk, &["plan", "small.toml", "--tier", "small"]);
    assert!(refusal.contains("regions have tiers of their own"), "{refusal}");
    let only =
        refused(&Desk::with("\"p90 < 500ms\""), &["plan", "small.toml", "--mode", "region-loss"]);
    assert!(only.contains("it has one region, whose loss is total"), "{only}");
}

/// Two regions of which one is lost, without any fault of their own.
const PAIR: &str = "question = \"?\"\nobjectives = [OBJECTIVES]\n[gateway]\ntier = \"small\"\n\
                    [traffic]\nrate = \"40/s\"\n[global]\npreset = \"route53\"\n\
                    [control-plane]\nhome = \"east\"\n[[region]]\nname = \"east\"\n\
                    [[region]]\nname = \"west\"\n[run]\nhorizon = \"20m\"\n";

fn pair_desk(objectives: &str) -> Desk {
    let desk = desk();
    fs::write(desk.path("small.toml"), PAIR.replace("OBJECTIVES", objectives)).unwrap();
    desk
}

const LOST: [&str; 8] =
    ["plan", "small.toml", "--tier", "small", "--mode", "region-loss", "--no-sensitivity", "-n2"];

#[test]
fn a_plan_needs_no_fault_of_the_file_for_the_loss_that_it_tries() {
    let desk = pair_desk(
        "\"p90 of served < 500ms\", \"rto < 10s\", \"clients-back 95% < 5m\", \"rpo <= 24h\"",
    );
    // A run has nothing to recover from.
    assert_eq!(desk.code(&["check", "small.toml"]), 2);
    assert_eq!(desk.code(&LOST), 1);
    let plan = plan_json(&desk);
    let lost = found(&plan, "region-loss");
    assert_eq!((&lost["state"], &lost["objective"]), (&"nothing".into(), &"rto < 10s".into()));
    let why = lost["constraint"].as_str().unwrap();
    // Two failures of three at 30 s are 60 s: no load is led elsewhere within ten.
    assert!(
        why.contains("the fail-over takes 2 min") && why.contains("whatever the load"),
        "{why}"
    );
    assert!(report(&desk).contains("no load, for rto < 10s"), "{}", report(&desk));
}

#[test]
fn a_file_that_demands_recovery_times_alone_is_planned_by_the_loss_that_has_them() {
    let desk = pair_desk("\"rto < 5m\", \"clients-back 95% < 5m\"");
    assert_eq!(desk.code(&[&LOST[..], &["--demand", "20/s"]].concat()), 0, "{}", report(&desk));
    let plan = plan_json(&desk);
    let lost = found(&plan, "region-loss");
    assert!(lost["point_per_s"].as_f64().is_some_and(|load| load > 20.0), "{lost}");
    // Of itself it is looked at in that mode alone, and says why in no other.
    let args = ["plan", "small.toml", "--tier", "small", "--no-sensitivity", "-n2"];
    desk.run(&[&args[..], &["--force", "--demand", "20/s"]].concat());
    let plan = plan_json(&desk);
    let left_out = plan["gateways"][0]["left_out"].as_array().unwrap();
    let why = |mode: &str| {
        left_out.iter().find(|one| one["mode"] == mode).map(|one| one["reason"].clone())
    };
    let unjudged = "no objective of the scenario can be judged in it";
    assert_eq!(why("healthy"), Some(unjudged.into()), "{plan}");
    assert_eq!(why("region-loss"), None);
    let said = refused(&desk, &[&args[..], &["--mode", "healthy"]].concat());
    assert!(said.contains("no objective that a capacity can be judged by"), "{said}");
}

#[test]
fn a_bound_beyond_the_judged_time_is_said_to_be_the_reason() {
    let desk = pair_desk("\"p90 of served < 500ms\", \"rto < 5m\"");
    assert_eq!(desk.code(&[&LOST[..], &["--judged", "60s"]].concat()), 3);
    let plan = plan_json(&desk);
    let why = found(&plan, "region-loss")["constraint"].as_str().unwrap();
    assert!(why.contains("not over within the 60 s") && why.ends_with("--judged"), "{why}");
}

#[test]
fn a_mode_that_is_asked_for_and_means_nothing_is_refused() {
    let desk = desk();
    let said = refused(&desk, &[&QUICK[..], &SMALL, &["--mode", "region-loss"]].concat());
    assert!(
        said.contains("--mode region-loss means nothing here\n  = note: it has one region"),
        "{said}"
    );
    assert!(said.contains("write [[region]] for each"), "{said}");
    let both = [&QUICK[..], &SMALL, &["--mode", "healthy", "--mode", "daily-peak"]].concat();
    let said = refused(&desk, &both);
    assert!(said.contains("--mode daily-peak means nothing here"), "{said}");
}

#[test]
fn what_a_plan_turned_away_to_carry_a_load_is_told() {
    let desk = desk_with("\"availability >= 95%\"");
    let alone = "replicas = 1\ncores = 1\ncpu-per-request = \"100ms\"\n";
    change(&desk, "tier = \"large\"", &format!("{alone}shed-requests = 5"));
    let args = ["plan", "small.toml", "--judged", "10m", "-n", "4", "--no-sensitivity"];
    let mode = ["--mode", "healthy", "--demand", "5/s"];
    desk.code(&[&args[..], &mode].concat());
    let told =
        "load shedding turned requests away with 503 at loads that met the objectives, up to ";
    let text = report(&desk).split_whitespace().collect::<Vec<_>>().join(" ");
    let share = text.split(told).nth(1).and_then(|rest| rest.split(' ').next());
    let share: f64 = share.unwrap_or_else(|| panic!("{text}")).parse().unwrap();
    // Of M/G/1/5 with processor sharing (1 − ρ)ρ⁵/(1 − ρ⁶) is refused: 5 % at ρ = 0.675.
    assert!((1.0..5.0).contains(&share), "{share}");
    // Which is the capacity, within the interval of what four runs show.
    let point = found(&plan_json(&desk), "healthy")["point_per_s"].as_f64().unwrap();
    assert!((6.45..7.05).contains(&point), "{point}");
    change(&desk, "shed-requests = 5", "");
    desk.code(&[&args[..], &mode].concat());
    assert!(!report(&desk).contains("turned requests away"), "{}", report(&desk));
}
