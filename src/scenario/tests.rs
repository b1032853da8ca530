//! What scenarios mean: defaults, derived values and the way back from settings to a file.

use std::fmt::Write;
use std::path::Path;

use crate::diagnostic::render;
use crate::plan::{
    Balancing, Configuration, Extent, Fault, Gate, Plan, ReplicaTarget, Scatter, Schedule, Traffic,
};
use crate::policy::overload::{LoadTrigger, OverloadSpec};
use crate::random::Law;
use crate::scenario::read::{load, parse};
use crate::scenario::{Mark, Scenario, Setting, keys};
use crate::units::{Instant, Rate, SECOND, Share, Span};

const LEAST: &str = "question = \"?\"\ntraffic.rate = \"900/s\"\nrun.horizon = \"10m\"\n";

/// Says nearly everything that a scenario can say.
const MOST: &str = r#"
question = "What does \"everything\" look like?"
objectives = ["p99 < 5s during slow", "p95 < 1s from 2m to 3m", "recovery < 1h"]

[gateway]
management = "self-managed"
cores = "500m"
cpu-per-request = "erlang(3, 1.4ms)"
throttling = true
threads = 2
replicas = 4
contracts = true
memory = "512MiB"
memory-per-request = "64KiB"

[topology]
zones = ["north", "south"]
replicas-per-zone = [3, 1]
spread = "do-not-schedule"

[ingress]
balancing = "per-connection"
requests-per-connection = 50
dead-address = "refuses"
failover = "weibull(5s, shape=0.7)"

[traffic]
rate = "54k/min"
arrivals = "deterministic"

[[traffic.change]]
kind = "ramp"
from = "3m"
to = "5m"
rate = "1000/s"

[[traffic.change]]
kind = "step"
at = "2m"
rate = "800/s"

[startup]
boot = "hyperexponential(1.4s, cv=2)"
contract-gate = "api"
contract-share = "30%"

[probes]
readiness-period = "0s"

[[fault]]
kind = "replica-hang"
every = "gamma(1h, cv=0.123456789)"
target = "south-1"

[[fault]]
kind = "replica-hang"
at = "6m"
target = "zone north"

[[fault]]
name = "slow"
kind = "replica-slow"
at = "4m"
for = "empirical(1s, 2s)"
cpu = "12.5%"
target = "north-3"

[run]
horizon = "10m"
seed = 18446744073709551615
"#;

fn sound(text: &str) -> Scenario {
    let loaded = parse("folder/test.toml", text, Path::new(""));
    let shown = render(&loaded.source, &loaded.problems, false);
    loaded.scenario.unwrap_or_else(|| panic!("{shown}"))
}

fn setting<'s>(scenario: &'s Scenario, path: &str) -> &'s Setting {
    let mut settings = scenario.settings.iter();
    settings.find(|setting| setting.path == path).unwrap_or_else(|| panic!("no {path}"))
}

/// The plan of a file that writes its replicas out: they are where it starts, whatever the load.
pub(super) fn with_written_replicas(mut plan: Plan) -> Plan {
    if let Some(autoscaling) = &mut plan.autoscaling {
        autoscaling.settled = false;
    }
    plan
}

/// A file that writes every setting out.
pub(super) fn written(settings: &[Setting]) -> String {
    let mut text = String::new();
    let mut last = String::new();
    for Setting { path, value, .. } in settings {
        let (section, key) = path.rsplit_once('.').unwrap_or(("", path));
        if section != last {
            match section.split_once('[') {
                Some((list, _)) => writeln!(text, "[[{list}]]").expect("text"),
                None => writeln!(text, "[{section}]").expect("text"),
            }
            section.clone_into(&mut last);
        }
        writeln!(text, "{key} = {value}").expect("text");
    }
    text
}

#[test]
fn a_question_a_rate_and_a_horizon_are_enough() {
    let scenario = sound(LEAST);
    assert_eq!((scenario.name.as_str(), scenario.question.as_str()), ("test", "?"));
    let plan = &scenario.plan;
    assert_eq!((plan.gateway.replicas, plan.topology.placement.as_slice()), (2, &[0, 1][..]));
    assert_eq!(plan.run.warm_up, Instant(60 * SECOND));
    assert_eq!((plan.run.seed, plan.run.replications), (1, 10));
    assert_eq!(plan.startup.configuration, Configuration::Local);
    assert_eq!(plan.startup.contracts, None);
    assert!(plan.faults.is_empty() && plan.windows.len() == 1);
}

#[test]
fn another_sentence_may_follow_a_question() {
    let said = |question: &str| {
        sound(&format!("question = \"{question}\"\ntraffic.rate = \"1/s\"\nrun.horizon = \"1m\""))
            .sentence()
    };
    assert_eq!(said("What if?"), "What if?");
    assert_eq!(said("A crash at noon"), "A crash at noon.");
}

#[test]
fn a_tier_is_its_cores_and_the_rate_that_fills_them() {
    for (tier, cores, rate) in
        [("small", 0.1, 60.0), ("large", 1.0, 715.0), ("xlarge", 2.0, 1905.0)]
    {
        let plan = sound(&format!("{LEAST}gateway.tier = \"{tier}\"\n")).plan;
        assert_eq!(plan.gateway.cores.0, cores);
        assert_eq!(plan.gateway.demand, Law::LogNormal(Span::from_secs(cores / rate), 0.2));
        assert!((plan.saturation().0 / rate - 1.0).abs() < 1e-5);
    }
}

#[test]
fn a_tier_comes_as_it_is_sold_and_what_is_not_sold_is_named() {
    let read = |more: &str| sound(&format!("{LEAST}{more}\n"));
    let scales = |scenario: &Scenario| {
        scenario.plan.autoscaling.as_ref().map(|one| (one.spec.min, one.spec.max))
    };
    for tier in ["large", "xlarge"] {
        let scenario = read(&format!("gateway.tier = \"{tier}\""));
        assert_eq!((scales(&scenario), scenario.what_if), (Some((2, 3)), None), "{tier}");
    }
    let small = read("gateway.tier = \"small\"");
    assert_eq!((scales(&small), small.plan.gateway.replicas, small.what_if), (None, 2, None));
    for (more, bounds, said) in [
        ("gateway.replicas = 3", None, "3 replicas at all times"),
        ("gateway.tier = \"small\"\ngateway.replicas = 3", None, "Small is sold as 2 replicas"),
        ("[autoscaler]\nmax = 5", Some((2, 5)), "2 to 5 replicas"),
    ] {
        let scenario = read(more);
        assert_eq!(scales(&scenario), bounds, "{more}");
        assert!(scenario.what_if.is_some_and(|what_if| what_if.contains(said)), "{more}");
    }
    let own = "gateway.cores = 2\ngateway.cpu-per-request = \"1ms\"\ngateway.replicas = 5";
    for more in [own, "gateway.management = \"self-managed\"\ngateway.replicas = 5"] {
        let scenario = read(more);
        assert_eq!((scales(&scenario), scenario.what_if), (None, None), "{more}");
    }
}

#[test]
fn an_autoscaled_gateway_starts_with_the_replicas_that_its_load_keeps() {
    let read = |rate: &str, more: &str| {
        let text = LEAST.replace("900/s", rate) + more;
        let scenario = sound(&text);
        let found = setting(&scenario, "gateway.replicas").clone();
        assert_eq!(found.value, scenario.plan.gateway.replicas.to_string());
        assert_eq!(scenario.plan.topology.placement.len(), scenario.plan.gateway.replicas);
        (scenario.plan.gateway.replicas, found.mark)
    };
    // Two hold up to 70 % and a tenth of that: 2 · 715/s · 0.77 = 1 101/s.
    assert_eq!(read("1101/s", "").0, 2);
    assert_eq!(read("1102/s", ""), (3, Mark::Inferred));
    assert_eq!(read("9000/s", "").0, 3);
    assert_eq!(read("1200/s", "gateway.replicas = 2\n[autoscaler]\n"), (2, Mark::Given));
}

#[test]
fn the_rate_that_fills_a_replica_counts_the_demand_of_apis_and_policies() {
    let apis = "[[api]]\nname = \"a\"\nshare = \"75%\"\npayload = \"100KiB\"\n\
                policies = [\"check\"]\n\
                [[api]]\nname = \"b\"\ncpu-per-request = \"4ms\"\npolicies = []\n";
    let policy = "[[policy]]\nname = \"check\"\nkind = \"work\"\ncpu = \"0.5ms\"\n\
                  cpu-per-kb = \"5us\"\n";
    let plan = sound(&format!("{LEAST}gateway.cpu-per-request = \"1ms\"\n{policy}{apis}")).plan;
    // Three of four take 1 + 0.5 + 100 · 0.005 ms, one takes 4 ms.
    assert!((plan.demand_secs() - 2.5e-3).abs() < 1e-12, "{}", plan.demand_secs());
    assert!((plan.saturation().0 - plan.gateway.cores.0 / 2.5e-3).abs() < 1e-6);
}

#[test]
fn the_settings_list_what_the_plan_holds() {
    let scenario = sound(LEAST);
    let plan = &scenario.plan;
    let span = |path: &str| {
        let value = setting(&scenario, path).value.trim_matches('"').to_owned();
        crate::quantity::span(&value).expect("a span")
    };
    assert_eq!(span("ingress.hop"), plan.ingress.hop);
    assert_eq!(span("ingress.read-timeout"), plan.ingress.read_timeout);
    assert_eq!(span("detection.toleration"), plan.detection.toleration);
    assert_eq!(span("detection.node-grace"), plan.detection.node_grace);
    assert_eq!(span("probes.readiness-period"), plan.startup.readiness.period);
    assert_eq!(span("probes.liveness-timeout"), plan.detection.liveness.timeout);
    assert_eq!(setting(&scenario, "probes.liveness-failures").value, "5");
    let boot = setting(&scenario, "startup.boot");
    assert_eq!(boot.value, "\"uniform(2s, 6s)\"");
    assert_eq!((boot.mark, boot.source.as_str()), (Mark::Assumed, "no boot time is published"));
    assert_eq!(plan.startup.boot, Law::uniform_secs(2.0, 6.0));
    assert_eq!(setting(&scenario, "traffic.rate").mark, Mark::Given);
    assert_eq!(setting(&scenario, "probes.readiness-period").source, "Helm chart");
}

#[test]
fn settings_come_in_the_order_of_the_reference() {
    let scenario = sound(MOST);
    let order: Vec<String> = keys::reference()
        .map(|entry| match entry.section {
            "" => entry.name.to_owned(),
            section => format!("{section}.{}", entry.name),
        })
        .collect();
    let plain = scenario.settings.iter().filter(|setting| !setting.path.contains('['));
    let places: Vec<usize> = plain
        .map(|setting| order.iter().position(|path| *path == setting.path).expect("a known path"))
        .collect();
    assert!(places.is_sorted());
}

#[test]
fn a_file_that_writes_every_setting_out_means_the_same() {
    let managed = "gateway.contracts = true\nstartup.configuration = \"download\"\n";
    let daily = format!("traffic.daily = [{}]\n", "0.5,1.5,".repeat(12));
    let weekly = "weekly = [1, 1, 1, 1, 1, 0.5, 0]\nweek-start = \"sat\"\nday-start = \"23h30m\"\n";
    let bursts = "[traffic.bursts]\nfactor = 2.5\nevery = \"2m\"\nfor = \"9s\"\n";
    let traffic = "question = \"?\"\nrun.horizon = \"10m\"\n[traffic]\nrate = \"9/s\"\n";
    let swinging = format!("{traffic}{weekly}{bursts}");
    for text in [LEAST, MOST, &format!("{LEAST}{managed}{daily}"), &swinging] {
        let scenario = sound(text);
        let again = sound(&written(&scenario.settings));
        assert_eq!(again.plan, with_written_replicas(scenario.plan));
        assert_eq!(again.objectives, scenario.objectives);
        assert_eq!(again.question, scenario.question);
        assert!(again.settings.iter().all(|setting| setting.mark == Mark::Given));
    }
}

#[test]
fn everything_that_is_written_reaches_the_plan() {
    let plan = sound(MOST).plan;
    assert_eq!(plan.topology.placement, [0, 1, 0, 0]);
    let Balancing::PerConnection { connections, requests, .. } = plan.ingress.balancing else {
        panic!("{:?}", plan.ingress.balancing)
    };
    assert_eq!((connections, requests), (100, Some(50)));
    let contracts = plan.startup.contracts.expect("contracts");
    assert_eq!(contracts.gate, Gate::Api(Share(0.3)));
    assert_eq!(contracts.poll, Span(15 * SECOND));
    let Configuration::Download(download) = plan.startup.configuration else { panic!("local") };
    assert_eq!(download.backoff, Span(15 * SECOND));
    let Traffic::Process(process) = plan.traffic else { panic!("a trace") };
    let last = process.corners.last().copied();
    assert_eq!(last, Some((Instant(300 * SECOND), Rate(1_000.0))));
    assert_eq!(process.corners.len(), 5);
    assert_eq!(plan.run.seed, u64::MAX);
}

#[test]
fn faults_find_their_targets_and_get_names_of_their_own() {
    let plan = sound(MOST).plan;
    let names: Vec<&str> = plan.faults.iter().map(|fault| fault.name.as_str()).collect();
    assert_eq!(names, ["replica-hang", "replica-hang-2", "slow"]);
    assert_eq!(plan.faults[0].fault, Fault::ReplicaHang(ReplicaTarget::Slot(1)));
    assert_eq!(plan.faults[1].fault, Fault::ReplicaHang(ReplicaTarget::Zone(0)));
    assert_eq!(plan.faults[1].schedule, Schedule::At(Instant(360 * SECOND)));
    let length = Law::Empirical([1e9, 2e9].into());
    let slow = Fault::ReplicaSlow(ReplicaTarget::Slot(3), Share(0.125), length);
    assert_eq!(plan.faults[2].fault, slow);
}

#[test]
fn windows_are_the_run_then_those_of_objectives_then_those_of_set_faults() {
    let scenario = sound(MOST);
    let labels: Vec<&str> =
        scenario.plan.windows.iter().map(|window| window.label.as_str()).collect();
    assert_eq!(labels, ["the run", "during slow", "2:00 to 3:00", "during replica-hang-2"]);
    assert_eq!(scenario.plan.windows[1].extent, Extent::During(2));
    let windows: Vec<usize> = scenario.objectives.iter().map(|one| one.window).collect();
    assert_eq!(windows, [1, 2, 0]);
}

#[test]
fn a_preset_changes_defaults_but_not_what_is_written() {
    let preset = format!("{LEAST}ingress.preset = \"ingress-nginx\"\n");
    let ingress = sound(&preset).plan.ingress;
    assert_eq!((ingress.retries, ingress.read_timeout), (2, Span(60 * SECOND)));
    let scenario = sound(&format!("{preset}ingress.retries = 1\n"));
    assert_eq!(scenario.plan.ingress.retries, 1);
    let source = &setting(&scenario, "ingress.read-timeout").source;
    assert_eq!(source, "preset \"ingress-nginx\"");
}

#[test]
fn the_older_catalogue_rates_the_tiers_differently() {
    let plan = sound(&format!("{LEAST}gateway.catalogue = \"1.11\"\n")).plan;
    assert!((plan.saturation().0 - 238.0).abs() < 0.01);
}

#[test]
fn a_self_managed_replica_downloads_and_a_cache_spares_it_that() {
    let own = format!("{LEAST}gateway.management = \"self-managed\"\n");
    assert!(matches!(sound(&own).plan.startup.configuration, Configuration::Download(_)));
    let cached = format!("{own}startup.configuration = \"cached\"\n");
    assert_eq!(sound(&cached).plan.startup.configuration, Configuration::Local);
}

#[test]
fn traces_and_samples_are_found_beside_the_scenario() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("written");
        folder.path().join(name)
    };
    write("trace.csv", "time_s,replica\n0.5,2\n700,\n");
    write("demand.csv", "1\n3\n");
    let text = "question = \"?\"\ntraffic.replay = \"trace.csv\"\nrun.horizon = \"10m\"\n\
                gateway.cpu-per-request = 'empirical(\"demand.csv\")'\n";
    let path = write("own.toml", text);
    let scenario = load(&path).scenario.expect("sound");
    assert_eq!((scenario.name.as_str(), scenario.path.as_path()), ("own", path.as_path()));
    let Traffic::Replay(recording) = &scenario.plan.traffic else { panic!("no trace") };
    assert_eq!((recording.times.len(), recording.details[0].slot), (1, Some(1)));
    assert_eq!(scenario.plan.gateway.demand, Law::Empirical([1e6, 3e6].into()));
}

#[test]
fn days_hours_and_bursts_multiply_the_rate() {
    let text = format!(
        "question = \"?\"\nrun.horizon = \"10m\"\n[traffic]\nrate = \"100/s\"\n\
         daily = [2, {}1]\nweekly = [1, 1, 1, 1, 1, 0.5, 3]\nweek-start = \"sat\"\n\
         day-start = \"23h30m\"\nbursts = {{ factor = 4, every = \"5m\", for = \"20s\" }}\n",
        "1, ".repeat(22)
    );
    let Traffic::Process(process) = sound(&text).plan.traffic else { panic!("a recording") };
    let corners: Vec<(f64, f64)> =
        process.corners.iter().map(|(at, rate)| (at.as_secs() / 3_600.0, rate.0)).collect();
    // Saturday 23:30 is halfway from 0.5·1 to Sunday's 3·2.
    assert_eq!(corners[..3], [(0.0, 325.0), (0.5, 600.0), (1.5, 300.0)]);
    assert_eq!((corners.len(), corners[169]), (170, (168.0, 325.0)));
    assert_eq!(process.period, Some(Span(7 * 86_400 * SECOND)));
    let Scatter::Bursty(bursts) = process.scatter else { panic!("{:?}", process.scatter) };
    assert_eq!((bursts.share(), bursts.calm()), (Share(1.0 / 16.0), 16.0 / 19.0));
    assert!((process.peak().0 - 600.0 * 64.0 / 19.0).abs() < 1e-9);
}

#[test]
fn a_recording_is_played_as_fast_and_as_often_as_is_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let line = |time: &str| format!("h - - [10/Oct/2000:{time} +0000] \"GET / HTTP/1.1\" 200 -\n");
    let log = line("00:00:20") + &line("00:00:10") + &line("00:00:20") + &line("00:00:50");
    std::fs::write(folder.path().join("access.log"), log).expect("written");
    let recording = |more: &str| {
        let text = format!(
            "question = \"?\"\ntraffic.replay = \"access.log\"\nrun.horizon = \"15s\"\n{more}"
        );
        let scenario = parse("own.toml", &text, folder.path()).scenario.expect("sound");
        let format = setting(&scenario, "traffic.replay-format");
        assert_eq!((format.value.as_str(), format.mark), ("\"access-log\"", Mark::Inferred));
        let Traffic::Replay(recording) = scenario.plan.traffic else { panic!("no recording") };
        let times: Vec<f64> = recording.times.iter().map(|at| at.as_secs()).collect();
        (times, recording.resolution.as_secs(), recording.period.map(Span::as_secs))
    };
    assert_eq!(recording(""), (vec![0.0, 10.0, 10.0], 1.0, None));
    // 40 s and a third of them, four times as fast.
    let fast = recording("traffic.replay-speed = 4\ntraffic.replay-loop = true\n");
    assert_eq!((fast.0, fast.1), (vec![0.0, 2.5, 2.5, 10.0], 0.25));
    assert!((fast.2.expect("a period") - 40.0 / 3.0).abs() < 1e-8);
}

#[test]
fn what_a_replica_sheds_is_a_threshold_unless_it_begins_below() {
    let written = |lines: &str| {
        let memory = "memory = \"1GiB\"\nmemory-per-request = \"1MiB\"\n";
        let overload = sound(&format!("{LEAST}[gateway]\n{memory}{lines}")).plan.gateway.overload;
        overload.expect("it sheds")
    };
    let trigger = |from, full| Some(LoadTrigger { from: Share(from), full: Share(full) });
    let memory = written("shed-memory = \"90%\"\n");
    assert_eq!(memory, OverloadSpec { memory: trigger(0.9, 0.9), ..OverloadSpec::NONE });
    let scaled = "shed-cpu = \"95%\"\nshed-cpu-from = \"80%\"\nshed-refresh = \"250ms\"\n";
    let refresh = Span(SECOND / 4);
    let cpu = OverloadSpec { cpu: trigger(0.8, 0.95), refresh, ..OverloadSpec::NONE };
    assert_eq!(written(scaled), cpu);
    let requests = OverloadSpec { requests: Some(500), ..OverloadSpec::NONE };
    assert_eq!(written("shed-requests = 500\n"), requests);
    assert_eq!(sound(LEAST).plan.gateway.overload, None);
}
