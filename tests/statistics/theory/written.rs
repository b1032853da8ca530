//! Systems of the vectors as scenario files, as a user would write them.
//!
//! The unit of time is 10 ms: that is the mean demand. Where the system is a queue in order of
//! arrival, it is an upstream of so many workers, and the gateway's own part is a nanosecond.
//! Replicas that fail live for 100 s in the mean, and everything else is scaled with that.

use std::fmt::Write;

use crate::theory::vectors::{Params, Vector};

/// Units of time in a second.
const PER_SECOND: f64 = 100.0;
/// Seconds that a replica lives.
const LIFE: f64 = 100.0;
/// Replications, as many as an interval is estimated from.
pub const REPLICATIONS: usize = 30;
/// Requests of a replication that count, and those before them, for whom the system fills.
const REQUESTS: f64 = 30_000.0;
const WARM_UP: f64 = 3_000.0;

/// The scenario of a vector's system; `None` if no file says it.
pub fn scenario(vector: &Vector) -> Option<String> {
    let params = &vector.params;
    match vector.family.as_str() {
        "mm1_ps" | "mg1_ps" | "mmc_ps" | "mgc_ps" | "rr_ekm1_ps" | "rr_zone_uneven"
        | "random_split_mm1"
            if params.find("tagged_size").is_none() =>
        {
            Some(shared(params))
        }
        "mm1_fifo" | "mmc_fifo" | "md1_fifo" | "mg1_fifo" | "rr_ekm1_fifo" | "mm1k" => {
            Some(in_order(params, &law(params.word("service"))))
        }
        // Whatever the law, so one that is far from exponential.
        "mmcc_loss" => Some(in_order(params, &law("hyperexp_balanced_cv2_4"))),
        "kofn_ctmc" | "two_replica_deterministic_respawn" => Some(failing(params)),
        _ => None,
    }
}

/// A demand of mean 1 in the words of scenario files.
fn law(name: &str) -> String {
    let cv = || name.rsplit("cv2_").next().and_then(|cv2| cv2.parse::<f64>().ok()).map(f64::sqrt);
    match (name, cv()) {
        ("exponential" | "", _) => "exponential(10ms)".to_owned(),
        ("deterministic", _) => "10ms".to_owned(),
        ("uniform_0_2", _) => "uniform(0ms, 20ms)".to_owned(),
        ("erlang2", _) => "erlang(2, 10ms)".to_owned(),
        ("erlang4", _) => "erlang(4, 10ms)".to_owned(),
        (name, Some(cv)) if name.starts_with("hyperexp") => {
            format!("hyperexponential(10ms, cv={cv})")
        }
        (name, Some(cv)) if name.starts_with("lognormal") => format!("lognormal(10ms, cv={cv})"),
        _ => panic!("no such law of demand: {name}"),
    }
}

/// What every scenario begins with: a gateway and a way to it that adds nothing.
fn bare(cores: f64, demand: &str, replicas: usize, balancing: &str) -> String {
    format!(
        "question = \"Does it agree with theory?\"\n\n[gateway]\ncores = {cores}\n\
         cpu-per-request = \"{demand}\"\nreplicas = {replicas}\n\n[ingress]\ninstances = 1\n\
         in-zones = false\nbalancing = \"{balancing}\"\ndelay = \"0s\"\nhop = \"0s\"\n\
         propagation = \"0s\"\n"
    )
}

/// So many requests, with so many a unit of time.
fn load(text: &mut String, rate: f64) {
    let per_second = rate * PER_SECOND;
    let (warm_up, horizon) = (WARM_UP / per_second, (WARM_UP + REQUESTS) / per_second);
    ends(text, per_second, warm_up, horizon);
}

fn ends(text: &mut String, per_second: f64, warm_up: f64, horizon: f64) {
    let written = write!(
        text,
        "\n[traffic]\nrate = \"{per_second}/s\"\n\n[run]\nwarm-up = \"{warm_up:.3}s\"\n\
         horizon = \"{horizon:.3}s\"\nreplications = {REPLICATIONS}\n"
    );
    written.expect("text can grow");
}

fn rate(params: &Params) -> f64 {
    let given = ["arrival_rate", "total_arrival_rate", "offered_load"];
    given.iter().find_map(|key| params.find(key)).expect("a rate")
}

fn shared(params: &Params) -> String {
    let zones = params.zones();
    let balancing = match params.word("dispatch") {
        "uniform random" => "random",
        _ if zones.is_some() => "zone-then-replica",
        _ => "round-robin",
    };
    let replicas = zones
        .as_ref()
        .map_or(params.find("replicas").unwrap_or(1.0) as usize, |zones| zones.iter().sum());
    let cores = params.find("servers").unwrap_or(1.0);
    let mut text = bare(cores, &law(params.word("service")), replicas, balancing);
    if let Some(zones) = zones {
        let names = &["a", "b", "c", "d"][..zones.len()];
        write!(text, "\n[topology]\nzones = {names:?}\nreplicas-per-zone = {zones:?}\n")
            .expect("text can grow");
    }
    load(&mut text, rate(params));
    text
}

fn in_order(params: &Params, latency: &str) -> String {
    let mut text = bare(1.0, "1ns", 1, "round-robin");
    let workers = params.find("servers").unwrap_or(1.0);
    let hosts = params.find("replicas").unwrap_or(1.0);
    write!(
        text,
        "\n[[upstream]]\nname = \"queue\"\nhosts = {hosts}\nworkers = {workers}\n\
         latency = \"{latency}\"\ntimeout = \"10h\"\nidle-timeout = \"10h\"\n"
    )
    .expect("text can grow");
    let breaker = match params.find("capacity") {
        Some(capacity) => format!("breaker = true\nrequests = {capacity}\n"),
        None if params.find("offered_load").is_some() => {
            format!("breaker = true\nconnections = {workers}\npending = 0\n")
        }
        None => String::new(),
    };
    text.push_str(&breaker);
    load(&mut text, rate(params));
    text
}

/// Replicas that fail and are replaced at once, with a request a second to see them.
fn failing(params: &Params) -> String {
    let pace = LIFE / params.number("mtbf_s");
    let boot = match params.find("respawn_s") {
        Some(seconds) => format!("{:.6}ms", seconds * pace * 1e3),
        None => format!("exponential({:.6}ms)", params.number("mttr_s") * pace * 1e3),
    };
    let mut text = bare(1.0, "1ns", params.number("replicas") as usize, "round-robin");
    write!(
        text,
        "\n[startup]\nschedule = \"0s\"\nsandbox = \"0s\"\nimage = \"0s\"\nboot = \"{boot}\"\n\n\
         [probes]\nreadiness-initial-delay = \"0s\"\nreadiness-period = \"0s\"\n\n\
         [detection]\ncrash = \"0s\"\n\n[[fault]]\nkind = \"replica-crash\"\n\
         every = \"exponential({LIFE}s)\"\n"
    )
    .expect("text can grow");
    ends(&mut text, 1.0, LIFE, WARM_UP + REQUESTS);
    text
}
