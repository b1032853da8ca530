//! Traffic from the files that people have. The samples in `tests/data/recordings` tell the same
//! sixty requests in every format, or the same half an hour of rates; each is read for when its
//! requests were sent, whatever a line says of that.

use std::io::Write;
use std::path::{Path, PathBuf};

use brownout::diagnostic::{Place, Severity};
use brownout::plan::{ArrivalProcess, Recording, Traffic};
use brownout::scenario::read::{Loaded, parse};

use crate::desk::Desk;

const REQUESTS: u64 = 60;

/// When a request of the samples was sent, in milliseconds from the first.
fn sent(request: u64) -> u64 {
    100 * request + request * request * 37 % 89
}

/// When it was answered.
fn answered(request: u64) -> u64 {
    sent(request) + 3 + request * 53 % 200
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/recordings")
}

fn sample(name: &str) -> String {
    std::fs::read_to_string(samples().join(name)).expect(name)
}

/// What becomes of a scenario whose traffic is this file.
fn load(folder: &Path, file: &str, more: &str) -> Loaded {
    let text = format!(
        "question = \"?\"\n[traffic]\nreplay = \"{file}\"\n{more}\n[run]\nhorizon = \"1h\"\n"
    );
    parse("own.toml", &text, folder)
}

fn recording(folder: &Path, file: &str, more: &str) -> Recording {
    let loaded = load(folder, file, more);
    match loaded.scenario.map(|scenario| scenario.plan.traffic) {
        Some(Traffic::Replay(recording)) => recording,
        other => panic!("{file}: {other:?}: {:?}", loaded.problems),
    }
}

fn milliseconds(recording: &Recording) -> Vec<f64> {
    recording.times.iter().map(|at| at.as_secs() * 1e3).collect()
}

pub fn rates(folder: &Path, file: &str, more: &str) -> ArrivalProcess {
    let loaded = load(folder, file, more);
    match loaded.scenario.map(|scenario| scenario.plan.traffic) {
        Some(Traffic::Process(process)) => process,
        other => panic!("{file}: {other:?}: {:?}", loaded.problems),
    }
}

/// The errors of a file: titles and remedies.
pub fn errors(folder: &Path, file: &str, more: &str) -> String {
    let loaded = load(folder, file, more);
    let errors = loaded.problems.iter().filter(|problem| problem.severity == Severity::Error);
    let said: Vec<String> =
        errors.map(|error| format!("{}\n{}\n", error.title, error.help.join("\n"))).collect();
    assert!(loaded.scenario.is_none() && !said.is_empty(), "{file} is taken");
    said.concat()
}

pub fn warnings(folder: &Path, file: &str) -> Vec<String> {
    let problems = load(folder, file, "").problems;
    let ends = |title: &String| !title.contains("the run ends at");
    problems.into_iter().map(|problem| problem.title).filter(ends).collect()
}

#[test]
fn what_tells_starts_is_read_to_the_millisecond() {
    let files = [
        "envoy.log",
        "alb.log",
        "haproxy.log",
        "cloudflare-ns.jsonl",
        "cloudflare-ms.jsonl",
        "cloudflare-rfc3339.jsonl",
        "kong.jsonl",
        "traefik.jsonl",
        "caddy.jsonl",
        "nginx.jsonl",
        "envoy.jsonl",
        "gcp.jsonl",
        "vegeta.jsonl",
        "docker.jsonl",
        "cri.log",
        "kubectl.log",
        "k6.jsonl",
        "k6-ns.csv",
        "jmeter.csv",
        "hey.csv",
        "times.csv",
    ];
    for file in files {
        let recording = recording(&samples(), file, "");
        let times = milliseconds(&recording);
        assert_eq!(times.len() as u64, REQUESTS, "{file}");
        for (request, at) in (0..).zip(&times) {
            let right = sent(request) as f64;
            assert!((at - right).abs() < 0.001, "{file}, request {request}: {at}, not {right}");
        }
        assert_eq!(recording.resolution.as_secs(), 0.0, "{file}");
        let rate = 59.0 / (times[59] - times[0]) * 1e3;
        assert!((rate - 10.0).abs() < 0.2, "{file}: {rate}/s");
    }
}

#[test]
fn what_tells_seconds_is_known_to_the_second() {
    let seconds = |moment: fn(u64) -> u64| {
        let mut all: Vec<f64> =
            (0..REQUESTS).map(|request| (moment(request) / 1_000 * 1_000) as f64).collect();
        all.sort_by(f64::total_cmp);
        all
    };
    for (file, right) in [
        ("apache-vhost.log", seconds(sent)),
        ("traefik.log", seconds(sent)),
        // Only the end is told.
        ("nginx.log", seconds(answered)),
    ] {
        let recording = recording(&samples(), file, "");
        assert_eq!(milliseconds(&recording), right, "{file}");
        assert_eq!(recording.resolution.as_secs(), 1.0, "{file}");
    }
}

#[test]
fn of_an_end_to_the_second_and_a_duration_the_second_of_the_start_is_taken() {
    let files = [
        "nginx-request-time.log",
        "ingress-nginx.log",
        "apisix.log",
        "iis.log",
        "cloudfront.log",
        "k6-s.csv",
    ];
    for file in files {
        let recording = recording(&samples(), file, "");
        let times = milliseconds(&recording);
        assert_eq!((times.len(), recording.resolution.as_secs()), (60, 1.0), "{file}");
        assert!(times.iter().all(|at| at % 1e3 == 0.0), "{file}");
        let middle = |request: u64| sent(request) as f64 - 500.0;
        let mut right: Vec<f64> = (0..REQUESTS).map(middle).collect();
        right.sort_by(f64::total_cmp);
        let errors: Vec<f64> = times.iter().zip(&right).map(|(at, right)| at - right).collect();
        assert!(errors.iter().all(|error| error.abs() <= 1e3), "{file}: {errors:?}");
        let mean = errors.iter().sum::<f64>() / 60.0;
        // Of a second in which a request ended and a tenth of one that it took in the mean.
        assert!(mean.abs() < 150.0, "{file}: off by {mean} ms");
    }
}

#[test]
fn a_slow_request_was_sent_long_before_its_line_was_written() {
    let desk = Desk::new();
    let line = |second: u64, taken: &str| {
        format!(
            "192.0.2.7 - - [04/May/2026:11:20:{second:02} +0000] \"GET / HTTP/1.1\" 200 7 \"-\" \
             \"agent\" 310 {taken} [own-80] [] 10.1.0.1:80 7 {taken} 200 00ff\n"
        )
    };
    let log = line(10, "0.100") + &line(40, "31.000") + &line(41, "0.100");
    std::fs::write(desk.path("slow.log"), log).unwrap();
    // 40 to 41 less 31 is 9 to 10: a second before the first of the file.
    let times = milliseconds(&recording(&desk.path(""), "slow.log", ""));
    assert_eq!(times, [0.0, 1_000.0, 32_000.0]);
}

#[test]
fn rates_of_every_kind_of_file_are_the_same_traffic() {
    let linear =
        ["prometheus.json", "grafana.csv", "rates.csv", "rpm.csv", "locust_stats_history.csv"];
    let level = ["cloudwatch.csv", "cloudwatch-statistics.json", "cloudwatch-data.json"];
    for file in linear.into_iter().chain(level) {
        let process = rates(&samples(), file, "");
        let corners: Vec<(f64, f64)> =
            process.corners.iter().map(|(at, rate)| (at.as_secs(), rate.0)).collect();
        let is_level = level.contains(&file);
        let mut right = Vec::new();
        for minute in 0..30_u32 {
            let rate = |minute: u32| f64::from(8 + minute % 5);
            if is_level && minute > 0 {
                right.push((f64::from(minute) * 60.0, rate(minute - 1)));
            }
            right.push((f64::from(minute) * 60.0, rate(minute)));
        }
        // The last holds for its minute; then nothing comes.
        right.extend([(1_800.0, 12.0), (1_800.0, 0.0)]);
        assert_eq!(corners.len(), right.len(), "{file}: {corners:?}");
        for (found, right) in corners.iter().zip(&right) {
            assert!(found.0 == right.0 && (found.1 - right.1).abs() < 1e-9, "{file}: {found:?}");
        }
        // Trapezia or steps: ten a second in the mean.
        let area = |pair: &[(f64, f64)]| (pair[1].0 - pair[0].0) * (pair[0].1 + pair[1].1) / 2.0;
        let mean = corners.windows(2).map(area).sum::<f64>() / 1_800.0;
        assert!((mean - 10.0).abs() < 0.1, "{file}: {mean}/s");
    }
}

#[test]
fn parts_and_shares_of_rates_are_played_as_asked() {
    let plain = |more: &str| {
        let process = rates(&samples(), "rates.csv", more);
        let corners = process.corners.iter().map(|(at, rate)| (at.as_secs(), rate.0));
        (corners.collect::<Vec<_>>(), process.period.map(|period| period.as_secs()))
    };
    let (corners, period) = plain("replay-from = \"30s\"\nreplay-to = \"2m\"\nreplay-loop = true");
    assert_eq!((corners, period), (vec![(0.0, 8.5), (30.0, 9.0), (90.0, 10.0)], Some(90.0)));
    let (corners, _) = plain("replay-speed = 2\nreplay-share = \"25%\"\nreplay-to = \"60s\"");
    assert_eq!(corners, [(0.0, 4.0), (30.0, 4.5), (30.0, 0.0)]);
    let one = rates(&samples(), "prometheus.json", "replay-series = \"503\"");
    assert_eq!(one.corners[0].1.0, 2.0);
    let wrong = errors(&samples(), "prometheus.json", "replay-series = \"404\"");
    assert!(wrong.contains("{code=\\\"200\\\"}"), "{wrong}");
}

#[test]
fn compressed_files_are_known_by_their_bytes() {
    let desk = Desk::new();
    let (folder, log) = (desk.path(""), sample("envoy.log"));
    let gzip = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let zstd = |text: &str| {
        let level = ruzstd::encoding::CompressionLevel::Fastest;
        ruzstd::encoding::compress_to_vec(text.as_bytes(), level)
    };
    let (first, second) = log.split_at(log.find('\n').unwrap() + 1);
    let whole = gzip(&log);
    for (name, bytes) in [
        ("plain-name.log", whole.clone()),
        ("members.gz", [gzip(first), gzip(second)].concat()),
        ("frames.zst", [zstd(first), zstd(second)].concat()),
    ] {
        std::fs::write(desk.path(name), bytes).unwrap();
        let times = milliseconds(&recording(&folder, name, ""));
        assert_eq!(times, milliseconds(&recording(&samples(), "envoy.log", "")), "{name}");
    }
    std::fs::write(desk.path("cut.gz"), &whole[..whole.len() / 2]).unwrap();
    assert!(errors(&folder, "cut.gz", "").contains("a gzip that is cut"));
}

#[test]
fn lines_that_cannot_be_read_are_few_and_told() {
    let desk = Desk::new();
    let (folder, log) = (desk.path(""), sample("nginx.log"));
    let write = |bytes: &[u8]| std::fs::write(desk.path("own.log"), bytes).unwrap();
    let with = |at: usize, line: &[u8]| {
        let mut lines: Vec<&[u8]> = log.as_bytes().split(|byte| *byte == b'\n').collect();
        lines.insert(at, line);
        lines.join(&b'\n')
    };
    let first = log.lines().next().unwrap();
    let latin = [&first.as_bytes()[..60], b"\xe9", &first.as_bytes()[60..]].concat();
    let long = vec![b'x'; 2 << 20];
    for (line, said) in [
        (&b"nginx: [notice] signal process started"[..], "this is no line of an access log"),
        (&first.as_bytes()[..40], "this is no line of an access log"),
        (&latin, "this line is not UTF-8 text at byte 61"),
        (&long, "this line is longer than 1 MiB"),
    ] {
        for at in [0, 30, 60] {
            write(&with(at, line));
            assert_eq!(recording(&folder, "own.log", "").times.len(), 60);
            let number = at + 1;
            let told = format!("1 of 61 lines is left out: line {number}, {said}");
            assert_eq!(warnings(&folder, "own.log"), [told]);
            let scenario = load(&folder, "own.log", "").scenario.unwrap();
            assert!(scenario.replay_said[1].contains(&format!("line {number}")));
        }
    }
    // Of sixty sound lines a few may be bad, of six hundred twenty, of six thousand a per cent.
    for (times, bad, taken) in
        [(1, 20, true), (1, 21, false), (10, 20, true), (10, 21, false), (100, 60, true)]
    {
        write((log.repeat(times) + &"cut\n".repeat(bad)).as_bytes());
        let is_taken = load(&folder, "own.log", "").scenario.is_some();
        assert_eq!(is_taken, taken, "{bad} of {}", times * 60);
    }
}

#[test]
fn two_formats_in_one_file_are_both_named() {
    let desk = Desk::new();
    let (envoy, nginx) = (sample("envoy.log"), sample("nginx.log"));
    let pairs = envoy.lines().zip(nginx.lines()).map(|(one, other)| format!("{one}\n{other}\n"));
    std::fs::write(desk.path("both.log"), pairs.collect::<String>()).unwrap();
    let said = errors(&desk.path(""), "both.log", "");
    assert!(said.contains("60 of 120 lines"), "{said}");
    assert!(said.contains("Envoy's default text log") && said.contains("an access log"), "{said}");
    let problems = load(&desk.path(""), "both.log", "").problems;
    let placed =
        problems.iter().any(|problem| matches!(problem.place, Place::Elsewhere { line: 2, .. }));
    assert!(placed, "{problems:?}");
}

#[test]
fn line_ends_and_byte_order_marks_do_not_matter() {
    let desk = Desk::new();
    for (name, text) in [
        ("crlf.log", sample("envoy.log").replace('\n', "\r\n")),
        ("bom.log", format!("\u{feff}{}", sample("envoy.log"))),
        ("array.json", format!("[\n{}\n]", sample("envoy.jsonl").trim().replace('\n', ",\n"))),
        ("bom.csv", format!("\u{feff}{}", sample("times.csv")).replace('\n', "\r\n")),
    ] {
        std::fs::write(desk.path(name), text).unwrap();
        assert_eq!(recording(&desk.path(""), name, "").times.len(), 60, "{name}");
        assert!(warnings(&desk.path(""), name).is_empty(), "{name}");
    }
}

#[test]
fn times_across_a_change_of_the_offset_go_on() {
    let desk = Desk::new();
    let line = |time: &str| format!("h - - [{time}] \"GET / HTTP/1.1\" 200 7\n");
    // Clocks go from 02:00 +0100 to 03:00 +0200, and back.
    let spring = line("29/Mar/2026:01:59:59 +0100") + &line("29/Mar/2026:03:00:00 +0200");
    let autumn = line("25/Oct/2026:02:59:59 +0200") + &line("25/Oct/2026:02:00:00 +0100");
    for log in [spring, autumn] {
        std::fs::write(desk.path("own.log"), log).unwrap();
        assert_eq!(milliseconds(&recording(&desk.path(""), "own.log", "")), [0.0, 1_000.0]);
    }
}

#[test]
fn a_part_of_a_recording_is_played_from_its_own_zero() {
    let count = |more: &str| {
        let times = milliseconds(&recording(&samples(), "envoy.log", more));
        (times.len(), times[0])
    };
    let right = |from: u64, to: u64| {
        let inside: Vec<u64> =
            (0..REQUESTS).map(sent).filter(|at| (from..to).contains(at)).collect();
        (inside.len(), (inside[0] - from) as f64)
    };
    let clock =
        "replay-from = \"2026-05-04T11:20:02Z\"\nreplay-to = \"2026-05-04T13:20:03.5+02:00\"";
    assert_eq!(count(clock), right(2_000, 3_500));
    assert_eq!(count("replay-from = 2026-05-04T11:20:02Z"), right(2_000, 9_000));
    assert_eq!(count("replay-from = \"2s\"\nreplay-to = \"3.5s\""), right(2_000, 3_500));
    let kept = recording(&samples(), "envoy.log", "replay-share = \"50%\"").times.len();
    assert!((18..=42).contains(&kept), "{kept} of 60");
    let looped = recording(&samples(), "envoy.log", "replay-to = \"2s\"\nreplay-loop = true");
    assert_eq!(looped.period.map(|period| period.as_secs()), Some(2.0));
    let said = errors(&samples(), "envoy.log", "replay-from = \"1h\"");
    assert!(said.contains("none of 60 recorded arrivals"), "{said}");
    let said = errors(&samples(), "times.csv", "replay-from = \"2026-05-04T11:20:02Z\"");
    assert!(said.contains("no clock"), "{said}");
}

#[test]
fn what_is_no_recording_is_named_for_what_it_is() {
    let desk = Desk::new();
    let utf16: Vec<u8> = "GET / 200\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let noise: Vec<u8> = (0..9_999_u64).map(|n| brownout::random::mix(n) as u8).collect();
    for (bytes, name) in [
        (
            &b"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: own\n"[..],
            "a Kubernetes manifest",
        ),
        (
            b"<?xml version=\"1.0\"?>\n<testResults version=\"1.2\">\n</testResults>\n",
            "a JMeter result in XML",
        ),
        (b"{\"metrics\": {\"http_req_duration\": {\"avg\": 1}}}", "a k6 summary"),
        (b"{\n \"summary\": {\n  \"successRate\": 1.0,\n  \"total\": 9\n }\n}", "an oha result"),
        (
            b"Summary:\n  Slowest: 0.1 secs\n  Fastest: 0.1 secs\n  Requests/sec: 9\n",
            "a hey result as text",
        ),
        (b"{\"log\":{\"version\":\"1.2\",\"creator\":{},\"entries\":[]}}", "a HAR file"),
        (b"metric_name,timestamp,metric_value\nhttp_reqs,1772443800,1\n", "the CSV of k6"),
        (b"Timestamp,User Count,Requests/s\n1772443800,9,10\n", "a Locust result"),
        (
            b"Type,Name,Request Count,Failure Count,Average Response Time,Requests/s\n\
              GET,/orders,9,0,41,10\n",
            "a Locust result",
        ),
        (
            b"{\"Metrics\": [{\"Namespace\": \"AWS/ApplicationELB\", \"MetricName\": \"x\"}]}",
            "a list of CloudWatch's metrics",
        ),
        (b"[\n {\n  \"ts\": 1\n },\n {\n  \"ts\": 2\n }\n]\n", "one JSON document"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF"),
        (b"PK\x03\x04........[Content_Types].xml", "an Excel workbook"),
        (b"PK\x03\x04........access.log", "a ZIP archive"),
        (b"<!DOCTYPE html>\n<html><title>Sign in</title></html>\n", "an HTML page"),
        (b"# HELP up Up.\n# TYPE up gauge\nup 1\n", "a page of metrics"),
        (&[b"\xff\xfe", &utf16[..]].concat(), "UTF-16 text"),
        (&utf16, "UTF-16 text"),
        (&noise, "binary data"),
    ] {
        std::fs::write(desk.path("own"), bytes).unwrap();
        let said = errors(&desk.path(""), "own", "");
        assert!(said.contains(&format!("it is {name}")), "{name}: {said}");
        assert!(said.lines().nth(1).is_some_and(|remedy| !remedy.is_empty()), "{said}");
    }
    std::fs::write(desk.path("own"), "{\"x\": 1}\n{\"x\": 2}\n").unwrap();
    assert!(errors(&desk.path(""), "own", "").contains("this object has no time"));
    std::fs::create_dir(desk.path("folder")).unwrap();
    assert!(errors(&desk.path(""), "folder", "").contains("it is a directory"));
    for text in ["", "\n\n", "time_s\n"] {
        std::fs::write(desk.path("own"), text).unwrap();
        assert!(errors(&desk.path(""), "own", "").contains("the recording has no arrivals"));
    }
}

#[test]
fn a_run_says_how_its_traffic_was_read() {
    let desk = Desk::new();
    std::fs::write(desk.path("own.log"), sample("ingress-nginx.log") + "cut\n").unwrap();
    let text = "question = \"?\"\n[traffic]\nreplay = \"own.log\"\nreplay-loop = true\n[run]\n\
                horizon = \"20s\"\nwarm-up = \"1s\"\nreplications = 2\n";
    std::fs::write(desk.path("own.toml"), text).unwrap();
    let output = desk.run(&["run", "own.toml", "-v"]);
    let said = String::from_utf8_lossy(&output.stdout).replace('\n', " ");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("the traffic was read from an access log"), "{said}");
    assert!(said.contains("1 of 61 lines is left out: line 61"), "{said}");
}

/// The times and rates of a process.
fn corners(process: &ArrivalProcess) -> Vec<(f64, f64)> {
    process.corners.iter().map(|(at, rate)| (at.as_secs(), rate.0)).collect()
}

#[test]
fn of_a_history_of_locust_the_names_that_are_wanted_are_taken() {
    let of = |series: &str| {
        let more = format!("replay-series = \"{series}\"");
        corners(&rates(&samples(), "locust_stats_history.csv", &more))
    };
    let all = corners(&rates(&samples(), "locust_stats_history.csv", ""));
    for (series, share) in [("/orders", 0.75), ("POST /carts", 0.25), ("/", 1.0)] {
        let found = of(series);
        assert_eq!(found.len(), all.len(), "{series}");
        let fits = |(one, of): (&(f64, f64), &(f64, f64))| (one.1 - share * of.1).abs() < 1e-9;
        assert!(found.iter().zip(&all).all(fits), "{series}: {found:?}");
    }
    let said = errors(&samples(), "locust_stats_history.csv", "replay-series = \"DELETE\"");
    assert!(said.contains("no series has \"DELETE\" in its name"), "{said}");
    assert!(said.contains("\"GET /orders\""), "{said}");
}

/// Counts of three minutes as `get-metric-data` has them, with these words in it.
fn metric_data(label: &str, status: &str, more: &str) -> String {
    format!(
        "{{\"MetricDataResults\": [{{\"Id\": \"m1\", \"Label\": \"{label}\", \"Timestamps\": \
         [1777893720, 1777893660, 1777893600], \"Values\": [720, 660, 600], \"StatusCode\": \
         \"{status}\"}}]{more}}}"
    )
}

#[test]
fn what_cloudwatch_does_not_count_or_leaves_out_is_told() {
    let desk = Desk::new();
    let write = |text: &str| std::fs::write(desk.path("own.json"), text).unwrap();
    let refused = |text: &str, more: &str| {
        write(text);
        errors(&desk.path(""), "own.json", more)
    };
    let told = |text: &str| {
        write(text);
        warnings(&desk.path(""), "own.json")
    };
    assert_eq!(told(&metric_data("RequestCount", "Complete", "")), Vec::<String>::new());
    let process = rates(&desk.path(""), "own.json", "");
    assert_eq!(corners(&process)[0], (0.0, 10.0));
    // An expression that divides by the period.
    write(&metric_data("requests per second", "Complete", ""));
    assert_eq!(corners(&rates(&desk.path(""), "own.json", ""))[0], (0.0, 600.0));
    let partial = told(&metric_data("RequestCount", "PartialData", ", \"NextToken\": \"x\""));
    let goes_on = "the answer of CloudWatch goes on (NextToken): the rest is missing";
    let part = "\"RequestCount\" is not complete: CloudWatch says PartialData";
    assert_eq!(partial, [goes_on, part]);
    let latency = metric_data("TargetResponseTime", "Complete", "");
    assert!(
        refused(&latency, "").contains("\"TargetResponseTime\" of CloudWatch counts no requests")
    );
    write(&latency);
    assert_eq!(
        corners(&rates(&desk.path(""), "own.json", "replay-series = \"Target\""))[0].1,
        10.0
    );
    let means = "{\"Label\": \"RequestCount\", \"Datapoints\": [{\"Timestamp\": \
                 \"2026-05-04T11:20:00Z\", \"Average\": 1.0, \"Unit\": \"Count\"}]}";
    assert!(refused(means, "").contains("ask for how many there were: --statistics Sum"));
    let cut = &metric_data("RequestCount", "Complete", "")[..150];
    assert!(refused(cut, "").contains("this is no answer of CloudWatch"));
    let uneven = metric_data("RequestCount", "Complete", "").replace("[720, 660", "[660");
    assert!(refused(&uneven, "").contains("\"RequestCount\" has 3 times and 2 values"));
}
