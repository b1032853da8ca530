//! What people also have and no recording is: named for what it is, with what to do instead.

/// A kind of file that is no recording.
pub(crate) struct Foreign {
    /// What it is, with its article.
    pub(crate) name: &'static str,
    /// What to do instead.
    pub(crate) remedy: &'static str,
}

const fn foreign(name: &'static str, remedy: &'static str) -> Foreign {
    Foreign { name, remedy }
}

const UNPACK: &str = "unpack it first; gzip and Zstandard are read as they are";
const EXPORT: &str = "write the log as text, or export the series of rates as CSV";
const MEANS: &str = "it has means, not when requests came: write the rate into `traffic.rate`";

/// Files that begin with these bytes at this offset.
static MAGIC: [(usize, &[u8], Foreign); 14] = [
    (0, b"\xff\xfe", foreign("UTF-16 text", "write it as UTF-8: iconv -f UTF-16 -t UTF-8")),
    (0, b"\xfe\xff", foreign("UTF-16 text", "write it as UTF-8: iconv -f UTF-16 -t UTF-8")),
    (0, b"%PDF", foreign("a PDF", EXPORT)),
    (0, b"BZh", foreign("a bzip2", UNPACK)),
    (0, b"\xfd7zXZ", foreign("an xz", UNPACK)),
    (0, b"7z\xbc\xaf", foreign("a 7-Zip archive", UNPACK)),
    (257, b"ustar", foreign("a tar archive", UNPACK)),
    (0, b"PAR1", foreign("a Parquet file", EXPORT)),
    (0, b"SQLite format 3", foreign("an SQLite database", EXPORT)),
    (0, b"\xd0\xcf\x11\xe0", foreign("an Excel workbook", "save the sheet as CSV")),
    (0, b"\x89PNG", foreign("a picture", EXPORT)),
    (0, b"\xff\xd8\xff", foreign("a picture", EXPORT)),
    (0, b"\x7fELF", foreign("a program", EXPORT)),
    (0, b"\xd4\xc3\xb2\xa1", foreign("a capture of packets", EXPORT)),
];

/// Texts in which all of these stand, within what was looked at first.
static MARKS: [(&[&str], Foreign); 24] = [
    (&["<!doctype html"], foreign("an HTML page", EXPORT)),
    (&["<html"], foreign("an HTML page", EXPORT)),
    (
        &["<testresults"],
        foreign(
            "a JMeter result in XML",
            "write it as CSV: jmeter -Jjmeter.save.saveservice.output_format=csv",
        ),
    ),
    (&["<?xml"], foreign("an XML document", EXPORT)),
    (
        &["\"log\"", "\"entries\""],
        foreign("a HAR file", "it is what one browser did: take the log of a server or proxy"),
    ),
    (
        &["\"metrics\"", "http_req_duration"],
        foreign("a k6 summary", "write every request: k6 run --out json=requests.json"),
    ),
    (&["\"summary\"", "\"successrate\""], foreign("an oha result", MEANS)),
    (&["\"latencypercentiles\""], foreign("an oha result", MEANS)),
    (
        &["\"latencies\"", "\"throughput\""],
        foreign("a vegeta report", "write every request: vegeta encode"),
    ),
    (
        &["apiversion", "kind"],
        foreign(
            "a Kubernetes manifest",
            "it says what runs, not what comes: take the log of the ingress",
        ),
    ),
    (
        &["metric_name,timestamp,"],
        foreign(
            "the CSV of k6, without http_req_duration in its first lines",
            "write replay-format = \"k6\" if it has requests further on",
        ),
    ),
    (&["timestamp", "user count", "requests/s"], foreign("a Locust result", MEANS)),
    (
        &["\"metrics\"", "\"namespace\"", "\"metricname\""],
        foreign("a list of CloudWatch's metrics", "ask for values: aws cloudwatch get-metric-data"),
    ),
    (
        &["{{", "}}", "kind:"],
        foreign(
            "a Helm template",
            "it says what runs, not what comes: take the log of the ingress",
        ),
    ),
    (&["question", "[traffic]"], foreign("a scenario", "name its recording instead")),
    (
        &["slowest:", "fastest:", "requests/sec:"],
        foreign("a hey result as text", "write every request: hey -o csv"),
    ),
    (&["requests/sec:", "latency"], foreign("a wrk result", MEANS)),
    (&["requests per second:", "time per request:"], foreign("an ApacheBench result", MEANS)),
    (
        &["request count", "requests/s", "average response time"],
        foreign("a Locust result", "take the _stats_history.csv beside it"),
    ),
    (
        &["# type", "# help"],
        foreign("a page of metrics", "ask Prometheus for a range: query_range with rate(…[1m])"),
    ),
    (
        &["\"status\"", "\"error\"", "\"errortype\""],
        foreign("an error of Prometheus", "it says itself what was wrong with the query"),
    ),
    (
        &["openapi:", "paths:"],
        foreign("an OpenAPI document", "it says what may be asked: take the log of the ingress"),
    ),
    (&["summary:", "requests/sec:", "success rate:"], foreign("an oha result as text", MEANS)),
    (
        &["\"resulttype\"", "\"vector\""],
        foreign("an instant query of Prometheus", "ask for a range: query_range"),
    ),
];

/// What a file is by its first bytes, if it is no text.
pub(crate) fn binary(head: &[u8]) -> Option<&'static Foreign> {
    static ZIP: Foreign = foreign("a ZIP archive", UNPACK);
    static EXCEL: Foreign = foreign("an Excel workbook", "save the sheet as CSV");
    static DATA: Foreign = foreign("binary data", EXPORT);
    let begins = |(at, magic, _): &&(usize, &[u8], Foreign)| {
        head.get(*at..).is_some_and(|rest| rest.starts_with(magic))
    };
    if let Some((_, _, foreign)) = MAGIC.iter().find(begins) {
        return Some(foreign);
    }
    if head.starts_with(b"PK\x03\x04") {
        let holds = |name: &[u8]| head.windows(name.len()).any(|window| window == name);
        return Some(if holds(b"xl/") || holds(b"[Content_Types]") { &EXCEL } else { &ZIP });
    }
    let zeros =
        |odd| head.iter().take(4_096).skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    if head.len() > 8
        && (zeros(0) + zeros(1)) * 3 > head.len().min(4_096)
        && zeros(0).min(zeros(1)) == 0
    {
        return Some(&MAGIC[0].2);
    }
    // A log may have holes of zeros where a machine lost power, but not at once and everywhere.
    let start = &head[..head.len().min(4_096)];
    let controls = start.iter().filter(|byte| **byte < 9 || (14..27).contains(*byte)).count();
    (controls * 20 > start.len()).then_some(&DATA)
}

/// What a text is in which no recording was recognised.
pub(crate) fn document(head: &str) -> Option<&'static Foreign> {
    let text = head.to_lowercase();
    let found = MARKS.iter().find(|(marks, _)| marks.iter().all(|mark| text.contains(mark)));
    static JSON: Foreign =
        foreign("one JSON document", "write an object on each line: jq -c '.[]'");
    static OBJECTS: Foreign =
        foreign("JSON objects of several lines", "write each on one line: jq -c .");
    let start: String = text.split_whitespace().take(2).collect();
    let is_list = start.starts_with("[{") || start.starts_with("[[");
    let json = is_list.then_some(&JSON).or(start.starts_with('{').then_some(&OBJECTS));
    found.map(|(_, foreign)| foreign).or(json)
}
