//! Rates as Amazon CloudWatch answers them in JSON: datapoints of one metric, or results of several
//! queries.

use serde::Deserialize;
use serde_json::Value;

use crate::diagnostic::Flaw;
use crate::scenario::recording::line::{LineContext, no_time};
use crate::scenario::recording::moment;
use crate::scenario::traffic::rate_file::{Counting, NamedSeries, RateFile, RateUnit, unit};

/// What stands in the names of metrics that count no requests, in small letters.
const OTHERS: [&str; 5] = ["latency", "time", "duration", "utilization", "bytes"];
const TIME_HELP: &str = "CloudWatch writes \"2026-05-04T11:20:00+00:00\", or seconds since 1970";

/// An answer to `get-metric-statistics` or to `get-metric-data`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CloudWatchAnswer {
    #[serde(default)]
    label: String,
    datapoints: Option<Vec<Datapoint>>,
    metric_data_results: Option<Vec<MetricData>>,
    next_token: Option<String>,
}

/// One period of a metric: the statistics that were asked for.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Datapoint {
    timestamp: Value,
    sum: Option<f64>,
    sample_count: Option<f64>,
    average: Option<f64>,
    #[serde(default)]
    unit: String,
}

/// What one query found.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricData {
    #[serde(default)]
    id: String,
    #[serde(default)]
    label: String,
    timestamps: Vec<Value>,
    values: Vec<f64>,
    #[serde(default)]
    status_code: String,
}

/// Whether a text is such an answer, by its beginning.
pub(crate) fn is_cloudwatch(head: &str) -> bool {
    let has = |names: [&str; 2]| names.iter().all(|name| head.contains(&format!("\"{name}\"")));
    let opens = head.trim_start().starts_with('{');
    opens && (has(["Datapoints", "Timestamp"]) || has(["MetricDataResults", "Timestamps"]))
}

/// Reads an answer; what is asked for by name may be anything.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html>
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>
pub(crate) fn cloudwatch(
    text: &str,
    is_chosen: bool,
    context: &mut LineContext<'_>,
) -> Result<RateFile, Flaw> {
    let answer: CloudWatchAnswer = serde_json::from_str(text).map_err(|error| {
        let help = "it may be cut off; it is what aws cloudwatch get-metric-data answers";
        Flaw::new(format!("this is no answer of CloudWatch: {error}")).help(help)
    })?;
    let mut said = Vec::new();
    if answer.next_token.is_some() {
        said.push("the answer of CloudWatch goes on (NextToken): the rest is missing".to_owned());
    }
    let mut series: Vec<NamedSeries> = Vec::new();
    if let Some(points) = answer.datapoints {
        series.push(of_statistics(answer.label, &points, context)?);
    }
    for result in answer.metric_data_results.unwrap_or_default() {
        if !["", "Complete"].contains(&&*result.status_code) {
            let MetricData { label, status_code, .. } = &result;
            said.push(format!("{label:?} is not complete: CloudWatch says {status_code}"));
        }
        let found = of_data(result, context)?;
        // Pages of one answer that are put together have a part of a series each.
        match series.iter_mut().find(|one| one.name == found.name) {
            Some(one) => one.points.extend(found.points),
            None => series.push(found),
        }
    }
    if let Some(other) = series.iter().find(|one| !is_chosen && !counts(&one.name)) {
        let title = format!("{:?} of CloudWatch counts no requests", other.name);
        let help = "ask for the Sum of RequestCount, or name the series with `replay-series`";
        return Err(Flaw::new(title).help(help));
    }
    let (recognised, name) = (context.recognised, "an answer of CloudWatch");
    Ok(RateFile { series, period: None, recognised, name, said })
}

/// Whether a metric may count requests.
fn counts(name: &str) -> bool {
    let name = name.to_lowercase();
    !OTHERS.iter().any(|other| name.contains(other))
}

fn of_statistics(
    label: String,
    points: &[Datapoint],
    context: &mut LineContext<'_>,
) -> Result<NamedSeries, Flaw> {
    let is_rate = |point: &Datapoint| point.unit.ends_with("/Second");
    let unit = match points.iter().any(is_rate) {
        true => RateUnit::Second,
        false => RateUnit::Period,
    };
    let value = |point: &Datapoint| match unit {
        RateUnit::Second => point.average.or(point.sum),
        _ => point.sum.or(point.sample_count),
    };
    let mut found = Vec::new();
    for point in points {
        let value = value(point).ok_or_else(|| {
            let title = format!("CloudWatch was not asked for the Sum of {label:?}");
            Flaw::new(title).help("ask for how many there were: --statistics Sum")
        })?;
        found.push((time(&point.timestamp, context)?, value));
    }
    Ok(NamedSeries { name: label, unit: Some(unit), points: found, counting: Counting::Apart })
}

fn of_data(result: MetricData, context: &mut LineContext<'_>) -> Result<NamedSeries, Flaw> {
    let name = if result.label.is_empty() { result.id } else { result.label };
    let (times, values) = (result.timestamps.len(), result.values.len());
    if times != values {
        let title = format!("{name:?} has {times} times and {values} values");
        return Err(Flaw::new(title).help("it may have been changed: ask CloudWatch again"));
    }
    let times = result.timestamps.iter().map(|at| time(at, context));
    let times: Vec<_> = times.collect::<Result<_, _>>()?;
    let points = times.into_iter().zip(result.values).collect();
    // Metrics are of periods, unless an expression has divided them.
    let unit = unit(&name).or(Some(RateUnit::Period));
    Ok(NamedSeries { name, unit, points, counting: Counting::Apart })
}

fn time(value: &Value, context: &mut LineContext<'_>) -> Result<moment::Moment, Flaw> {
    let read = moment::of_value(value).ok_or_else(|| no_time(&value.to_string(), TIME_HELP))?;
    Ok(context.note(read))
}
