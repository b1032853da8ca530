//! Series of rates as people have them: which are refused, and what is told of the rest.

use crate::desk::Desk;
use crate::recordings::{errors, rates, warnings};

#[test]
fn a_counter_is_refused_with_the_remedy() {
    let desk = Desk::new();
    let answer = |metric: &str, value: &dyn Fn(u64) -> f64| {
        let values: Vec<String> =
            (0..30).map(|n| format!("[{}, \"{}\"]", 1_777_893_600 + 60 * n, value(n))).collect();
        format!(
            "{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[{{\
             \"metric\":{metric},\"values\":[{}]}}]}}}}",
            values.join(",")
        )
    };
    let grows = |n: u64| (1_000_000 + 600 * n) as f64;
    let restarts = |n: u64| (1_000 + 600 * (n % 20)) as f64;
    for (metric, value) in [
        ("{\"__name__\":\"http_requests_total\"}", &grows as &dyn Fn(u64) -> f64),
        ("{}", &grows),
        ("{\"pod\":\"a\"}", &restarts),
    ] {
        std::fs::write(desk.path("own.json"), answer(metric, value)).unwrap();
        let said = errors(&desk.path(""), "own.json", "");
        assert!(said.contains("counter") && said.contains("rate("), "{said}");
    }
    // A load that rises is none.
    std::fs::write(desk.path("own.json"), answer("{}", &|n| 10.5 * n as f64)).unwrap();
    assert_eq!(rates(&desk.path(""), "own.json", "").peak().0, 10.5 * 29.0);
}

#[test]
fn counts_of_a_morning_that_only_grow_are_no_counter() {
    let desk = Desk::new();
    // 36 minutes, from 3,000 requests to 66,000.
    let count = |n: u64| 3_000 + 1_800 * n;
    let clock = |n: u64| format!("2026-05-04T05:{n:02}:00Z");
    let points = (0..36).map(|n| {
        let at = clock(n);
        format!("{{\"Timestamp\":\"{at}\",\"Sum\":{}.0,\"Unit\":\"Count\"}}", count(n))
    });
    let points: Vec<String> = points.collect();
    let answer = format!("{{\"Label\":\"RequestCount\",\"Datapoints\":[{}]}}", points.join(","));
    std::fs::write(desk.path("own.json"), answer).unwrap();
    let rows = |header: &str| {
        let rows: String = (0..36).map(|n| format!("{},{}\n", clock(n), count(n))).collect();
        std::fs::write(desk.path("own.csv"), format!("{header}\n{rows}")).unwrap();
    };
    let peak = count(35) as f64 / 60.0;
    assert_eq!(rates(&desk.path(""), "own.json", "").peak().0, peak);
    for header in
        ["time,RequestCount", "Statistic,Sum\nPeriod,60 Seconds\ntime,m1", "time,increase(x[1m])"]
    {
        rows(header);
        assert_eq!(rates(&desk.path(""), "own.csv", "").peak().0, peak, "{header}");
    }
    // Where the name may be that of a counter as well, somebody has to say so.
    rows("time,requests");
    let said = errors(&desk.path(""), "own.csv", "");
    assert!(said.contains("only grows") && said.contains("replay-series = "), "{said}");
    let told = rates(&desk.path(""), "own.csv", "replay-series = \"requests\"");
    assert_eq!(told.peak().0, peak);
}

#[test]
fn what_counts_no_requests_is_refused_though_it_is_alone() {
    let desk = Desk::new();
    let table = |name: &str| {
        let rows: String = (0..20).map(|n| format!("{},{}\n", n * 60, 20 + n % 3)).collect();
        std::fs::write(desk.path("own.csv"), format!("time,{name}\n{rows}")).unwrap();
    };
    for name in [
        "latency_ms",
        "cpu",
        "bytes",
        "status",
        "users",
        "TargetResponseTime",
        "p99",
        "CPUUtilization",
        "container_memory_working_set_bytes",
        "errors",
        "duration seconds",
    ] {
        table(name);
        let said = errors(&desk.path(""), "own.csv", "");
        assert!(said.contains("is no rate of requests"), "{name}: {said}");
        let chosen = format!("replay-series = \"{name}\"");
        assert_eq!(rates(&desk.path(""), "own.csv", &chosen).peak().0, 22.0, "{name}");
    }
    for name in [
        "rate",
        "rps",
        "status 200 req/s",
        "requests per second of 3 replicas",
        "sum(rate(http_request_duration_seconds_count[5m]))",
        "code 200 rps",
    ] {
        table(name);
        assert_eq!(rates(&desk.path(""), "own.csv", "").peak().0, 22.0, "{name}");
        assert!(warnings(&desk.path(""), "own.csv").is_empty(), "{name}");
    }
    table("orders");
    let said = warnings(&desk.path(""), "own.csv");
    assert_eq!(said, ["orders is taken for requests per second: its name does not say"]);
}

#[test]
fn gaps_are_filled_and_told_or_refused() {
    let desk = Desk::new();
    let table = |missing: std::ops::Range<u32>| {
        let rows = (0..60).filter(|minute| !missing.contains(minute));
        let rows: String = rows.map(|minute| format!("{},{}\n", minute * 60, minute)).collect();
        std::fs::write(desk.path("own.csv"), format!("time,rate\n{rows}")).unwrap();
    };
    table(20..25);
    let said = warnings(&desk.path(""), "own.csv");
    assert_eq!(said, ["a gap of up to 6 min filled with a line"]);
    assert_eq!(rates(&desk.path(""), "own.csv", "").corners.len(), 57);
    table(20..50);
    let said = errors(&desk.path(""), "own.csv", "");
    assert!(said.contains("values are missing for 31 min"), "{said}");
}
