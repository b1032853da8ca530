//! What the chart of latency against a swept setting shows.

/// What the picture shows.
#[derive(Clone, Debug)]
pub struct HockeyInput<'a> {
    /// The finding or the question.
    pub title: &'a str,
    /// What was simulated, with the number of replications.
    pub subtitle: &'a str,
    /// The swept setting with its unit, such as "offered load (requests/s)".
    pub x_label: &'a str,
    /// The latencies; up to six are easy to tell apart.
    pub lines: Vec<HockeyLine>,
    /// Levels to compare with: words and seconds.
    pub objectives: Vec<(String, f64)>,
    /// Up to where the setting is of use, and words for it. What lies beyond is tinted.
    pub usable: Option<(f64, String)>,
    /// Requests served per second; if empty, there is no lower panel. Each looks like the latency
    /// whose label begins with its own.
    pub throughput: Vec<HockeyLine>,
    /// Whether the setting is a load in requests per second, so that throughput can be compared
    /// with it.
    pub is_load: bool,
}

/// A latency, or requests served per second, over the setting.
#[derive(Clone, Debug)]
pub struct HockeyLine {
    /// What it is, such as "p99", "2 replicas, p99" or "served".
    pub label: String,
    /// The values, in any order.
    pub points: Vec<HockeyPoint>,
}

/// One value of the setting and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct HockeyPoint {
    /// The setting.
    pub x: f64,
    /// What was measured, in seconds or, of a throughput, requests per second. `None` if nothing
    /// was served: the line ends.
    pub y: Option<f64>,
    /// The 95 % interval of `y`, in its unit.
    pub interval: Option<(f64, f64)>,
    /// Whether the runs settled. If not, `y` depends on how long they were: the mark is hollow and
    /// the line dashed.
    pub settled: bool,
}
