//! `metrics.openmetrics.txt`: the timeline of the replication that is told, in the text format of
//! OpenMetrics 1.0, as `promtool tsdb create-blocks-from openmetrics` takes it into Prometheus.
//!
//! Every sample has the time of the end of its bin, from an [`Epoch`] on. What is counted only
//! grows, from 0 at the start of the run; what is measured is as it is at the end of the bin, NaN
//! where there is nothing to measure. What a replica has is 0 once it is gone. The dashboard of
//! `docs/grafana` shows all of it.

use std::collections::BTreeMap;
use std::io::{Result, Write};

use super::kind::Epoch;
use crate::observe::incident::Incident;
use crate::observe::ledger::Failure;
use crate::observe::outcome::Outcome;
use crate::observe::timeline::{ApiRow, Latency, ReplicaRow, Timeline, TotalRow};
use crate::report::files::timeline::DASHBOARD_BUCKET;
use crate::report::format::cells;
use crate::report::format::page::mark;
use crate::report::run::report::Report;
use crate::units::{Instant, Span};

/// What a family of metrics is.
#[derive(Clone, Copy)]
enum Family {
    Counter,
    Gauge,
    StateSet,
}

/// Samples of one metric: its own labels, and its values by time.
type MetricSeries = (Vec<(&'static str, String)>, Vec<(Instant, f64)>);

/// Writes families of metrics.
struct MetricsWriter<'a> {
    out: &'a mut dyn Write,
    epoch: Epoch,
    /// Labels that all have.
    common: String,
}

/// Writes the told replication of a run with its timeline.
pub(super) fn write(
    report: &Report,
    (outcome, timeline): (&Outcome, &Timeline),
    epoch: Epoch,
    out: &mut dyn Write,
) -> Result<()> {
    let common = [
        ("scenario", report.scenario.name.clone()),
        ("replication", outcome.replication.to_string()),
    ];
    let mut metrics = MetricsWriter { out, epoch, common: labels(&common) };
    requests(&mut metrics, timeline, outcome.ended)?;
    gauges(&mut metrics, timeline, outcome.ended)?;
    by_api(&mut metrics, report, timeline, outcome.ended)?;
    replicas(&mut metrics, report, timeline, outcome.ended)?;
    incidents(&mut metrics, report, (outcome, timeline))?;
    objectives(&mut metrics, report, outcome.ended)?;
    metrics.out.write_all(b"# EOF\n")
}

impl MetricsWriter<'_> {
    /// Writes a family, if it has any samples; its unit is how its name ends.
    fn family(
        &mut self,
        (name, kind, help): (&str, Family, &str),
        all: impl IntoIterator<Item = MetricSeries>,
    ) -> Result<()> {
        let (word, suffix) = match kind {
            Family::Counter => ("counter", "_total"),
            Family::Gauge => ("gauge", ""),
            Family::StateSet => ("stateset", ""),
        };
        let mut is_new = true;
        for (own, samples) in all {
            if std::mem::take(&mut is_new) {
                writeln!(self.out, "# TYPE {name} {word}")?;
                let units = ["seconds", "ratio"];
                if let Some(unit) = units.iter().find(|unit| name.ends_with(*unit)) {
                    writeln!(self.out, "# UNIT {name} {unit}")?;
                }
                writeln!(self.out, "# HELP {name} {}", escaped(help))?;
            }
            let own = labels(&own);
            let comma = if own.is_empty() { "" } else { "," };
            for (at, value) in samples {
                let (common, time) = (&self.common, cells::time(Instant(self.epoch.0 + at.0)));
                let value = if value.is_nan() { "NaN".to_owned() } else { value.to_string() };
                writeln!(self.out, "{name}{suffix}{{{common}{comma}{own}}} {value} {time}")?;
            }
        }
        Ok(())
    }
}

/// The end of each bin.
fn ends(timeline: &Timeline, ended: Instant) -> impl Iterator<Item = Instant> {
    timeline.total.iter().map(move |row| (row.start + timeline.bin).min(ended))
}

/// What was counted bin by bin, added up from 0 at the start.
fn grown(
    timeline: &Timeline,
    ended: Instant,
    counts: impl Iterator<Item = u64>,
) -> Vec<(Instant, f64)> {
    let mut sum = 0;
    let added = ends(timeline, ended).zip(counts).map(|(at, count)| {
        sum += count;
        (at, sum as f64)
    });
    [(Instant::ZERO, 0.0)].into_iter().chain(added).collect()
}

/// What became of the requests of the whole gateway.
fn requests(metrics: &mut MetricsWriter, timeline: &Timeline, ended: Instant) -> Result<()> {
    let total = || timeline.total.iter();
    let alone = |counts: Vec<u64>| [(Vec::new(), grown(timeline, ended, counts.into_iter()))];
    metrics.family(
        ("brownout_requests_offered", Family::Counter, "Requests that clients sent."),
        alone(total().map(|row| row.offered).collect()),
    )?;
    metrics.family(
        ("brownout_requests_served", Family::Counter, "Requests that were answered."),
        alone(total().map(|row| row.served).collect()),
    )?;
    if total().any(|row| row.attempts > 0) {
        metrics.family(
            ("brownout_attempts", Family::Counter, "Attempts that clients made."),
            alone(total().map(|row| row.attempts).collect()),
        )?;
    }
    for (name, help, rejects) in [
        ("brownout_requests_failed", "Requests that failed, by the way of failing.", false),
        ("brownout_requests_rejected", "Requests that a policy turned away on purpose.", true),
    ] {
        let happened = |kind: &Failure| total().any(|row| row.failures[*kind as usize] > 0);
        // One that always is there shows that nothing failed.
        let is_told = |kind: &Failure| {
            kind.is_rejection() == rejects && (happened(kind) || *kind == Failure::LostInFlight)
        };
        let kinds = Failure::ALL.into_iter().filter(is_told).map(|kind| {
            let counts = total().map(|row| row.failures[kind as usize]);
            (vec![("reason", kind.key().to_owned())], grown(timeline, ended, counts))
        });
        metrics.family((name, Family::Counter, help), kinds.collect::<Vec<_>>())?;
    }
    Ok(())
}

/// What a bin measures.
type TotalValue = fn(&TotalRow) -> Option<f64>;

const GAUGES: [(&str, &str, TotalValue); 5] = [
    ("brownout_in_flight", "Requests held by replicas.", |row| Some(row.in_flight as f64)),
    ("brownout_replicas_in_rotation", "Replicas that the ingress sends to.", |row| {
        Some(row.in_rotation as f64)
    }),
    ("brownout_replicas_wanted", "Replicas that the autoscaler wants.", |row| {
        row.wanted.map(|wanted| wanted as f64)
    }),
    ("brownout_cpu_ratio", "CPU in use over that of the serving replicas.", |row| row.cpu),
    ("brownout_cpu_autoscaler_ratio", "CPU of what is requested, as the autoscaler sees it.", {
        |row| row.cpu_seen
    }),
];

/// A figure of the latency in a bin, and what it is called.
type LatencyFigure = (&'static str, fn(&Latency) -> Span);

const LATENCIES: [LatencyFigure; 4] =
    [("mean", |it| it.mean), ("p50", |it| it.p50), ("p95", |it| it.p95), ("p99", |it| it.p99)];

const LATENCY: &str = "Latency of the requests that were answered in the bin.";

fn gauges(metrics: &mut MetricsWriter, timeline: &Timeline, ended: Instant) -> Result<()> {
    for (name, help, value) in GAUGES {
        let values: Vec<Option<f64>> = timeline.total.iter().map(value).collect();
        gauge(metrics, (name, help), timeline, ended, values)?;
    }
    let monitored = timeline.monitored(DASHBOARD_BUCKET);
    let name = ("brownout_cpu_monitored_ratio", "CPU in use as a dashboard of minutes shows it.");
    gauge(metrics, name, timeline, ended, monitored)?;
    let rows = || timeline.total.iter().map(|row| row.latency);
    let all = LATENCIES.into_iter().map(|(statistic, of)| {
        let labels = vec![("statistic", statistic.to_owned())];
        (labels, latencies(ends(timeline, ended).zip(rows()), of))
    });
    metrics.family(("brownout_latency_seconds", Family::Gauge, LATENCY), all)
}

/// A gauge of the whole gateway, if there is anything to be seen.
fn gauge(
    metrics: &mut MetricsWriter,
    (name, help): (&str, &str),
    timeline: &Timeline,
    ended: Instant,
    values: Vec<Option<f64>>,
) -> Result<()> {
    if values.iter().all(Option::is_none) {
        return Ok(());
    }
    let values = values.into_iter().map(|value| value.unwrap_or(f64::NAN));
    let series = (Vec::new(), ends(timeline, ended).zip(values).collect());
    metrics.family((name, Family::Gauge, help), [series])
}

fn latencies(
    rows: impl Iterator<Item = (Instant, Option<Latency>)>,
    of: fn(&Latency) -> Span,
) -> Vec<(Instant, f64)> {
    rows.map(|(at, row)| (at, row.map_or(f64::NAN, |row| of(&row).as_secs()))).collect()
}

/// The same of each API, or of each region.
fn by_api(
    metrics: &mut MetricsWriter,
    report: &Report,
    timeline: &Timeline,
    ended: Instant,
) -> Result<()> {
    type ApiCount = fn(&ApiRow) -> u64;
    const COUNTS: [(&str, &str, ApiCount); 4] = [
        ("brownout_api_requests_offered", "Requests that were sent, of each.", |row| row.offered),
        ("brownout_api_requests_served", "Requests that were answered, of each.", |row| row.served),
        ("brownout_api_requests_failed", "Requests that failed, of each.", |row| row.failed),
        ("brownout_api_requests_rejected", "Requests turned away, of each.", |row| row.rejected),
    ];
    let plan = &report.scenario.plan;
    let count = timeline.by_api.len() / timeline.total.len().max(1);
    let names = || plan.names_told_apart().into_iter().take(count).enumerate();
    let rows = |index: usize| timeline.by_api.iter().skip(index).step_by(count.max(1));
    let key = if plan.regions.is_some() { "region" } else { "api" };
    for (name, help, of) in COUNTS {
        let all = names().map(|(index, api)| {
            (vec![(key, api.to_owned())], grown(timeline, ended, rows(index).map(of)))
        });
        metrics.family((name, Family::Counter, help), all.collect::<Vec<_>>())?;
    }
    let all = names().flat_map(|(index, api)| {
        LATENCIES.into_iter().skip(1).map(move |(statistic, of)| {
            let labels = vec![(key, api.to_owned()), ("statistic", statistic.to_owned())];
            let bins = ends(timeline, ended).zip(rows(index).map(|row| row.latency));
            (labels, latencies(bins, of))
        })
    });
    metrics.family(("brownout_api_latency_seconds", Family::Gauge, LATENCY), all)?;
    let clients = names().filter(|_| plan.regions.is_some()).map(|(index, region)| {
        let shares = rows(index).map(|row| row.clients.unwrap_or(f64::NAN));
        (vec![("region", region.to_owned())], ends(timeline, ended).zip(shares).collect())
    });
    let help = "Share of all clients that send to the region.";
    metrics.family(("brownout_clients_ratio", Family::Gauge, help), clients)
}

/// What a replica counts or has, and the states it is in.
fn replicas(
    metrics: &mut MetricsWriter,
    report: &Report,
    timeline: &Timeline,
    ended: Instant,
) -> Result<()> {
    type ReplicaValue = fn(&ReplicaRow) -> f64;
    const OF_EACH: [(&str, &str, ReplicaValue); 2] = [
        ("brownout_replica_cpu_ratio", "CPU in use over its own, of each replica.", |row| row.cpu),
        ("brownout_replica_in_flight", "Requests that it holds, of each replica.", |row| {
            row.in_flight as f64
        }),
    ];
    let ends: Vec<Instant> = ends(timeline, ended).collect();
    let mut rows_of = vec![Vec::new(); timeline.replicas.len()];
    timeline.by_replica.iter().for_each(|row| rows_of[row.replica].push(row));
    let zones = &report.scenario.plan.topology.zones;
    let whose = |replica: usize| {
        let life = &timeline.replicas[replica];
        vec![("zone", zones[life.zone].clone()), ("replica", life.name.clone())]
    };
    let there = || rows_of.iter().enumerate().filter(|(_, rows)| !rows.is_empty());
    let gone = |rows: &[&ReplicaRow]| rows.last().and_then(|row| ends.get(row.bin + 1)).copied();
    let served = there().map(|(replica, rows)| {
        let mut sum = 0;
        let grown = rows.iter().map(|row| {
            sum += row.served;
            (ends[row.bin], sum as f64)
        });
        (whose(replica), grown.collect())
    });
    let help = "Requests that it answered, of each replica.";
    metrics.family(("brownout_replica_requests_served", Family::Counter, help), served)?;
    for (name, help, of) in OF_EACH {
        let all = there().map(|(replica, rows)| {
            let values = rows.iter().map(|row| (ends[row.bin], of(row)));
            (whose(replica), values.chain(gone(rows).map(|at| (at, 0.0))).collect())
        });
        metrics.family((name, Family::Gauge, help), all)?;
    }
    let in_rotation = there().map(|(replica, rows)| {
        let changes = &timeline.replicas[replica].rotation;
        let is_in = |at: Instant| changes.iter().rev().find(|(from, _)| *from < at);
        let value = |at: Instant| f64::from(u8::from(is_in(at).is_some_and(|(_, is_in)| *is_in)));
        let values = rows.iter().map(|row| (ends[row.bin], value(ends[row.bin])));
        (whose(replica), values.chain(gone(rows).map(|at| (at, 0.0))).collect())
    });
    let help = "Whether the ingress sends to it, of each replica.";
    metrics.family(("brownout_replica_in_rotation", Family::Gauge, help), in_rotation)?;
    states(metrics, &rows_of, &ends, whose)
}

/// The state of each replica at the end of each bin, of those states that it was ever in.
fn states(
    metrics: &mut MetricsWriter,
    rows_of: &[Vec<&ReplicaRow>],
    ends: &[Instant],
    whose: impl Fn(usize) -> Vec<(&'static str, String)>,
) -> Result<()> {
    const NAME: &str = "brownout_replica_state";
    let mut all = Vec::new();
    for (replica, rows) in rows_of.iter().enumerate() {
        let states: BTreeMap<_, _> =
            rows.iter().map(|row| (row.state, row.state.label())).collect();
        for (state, label) in states {
            let value = |row: &&ReplicaRow| f64::from(u8::from(row.state == state));
            let values = rows.iter().map(|row| (ends[row.bin], value(row)));
            let gone = rows.last().and_then(|row| ends.get(row.bin + 1)).map(|at| (*at, 0.0));
            let labels = [whose(replica), vec![(NAME, label.to_owned())]].concat();
            all.push((labels, values.chain(gone).collect()));
        }
    }
    let help = "The state that each replica is in, of those that it ever is in.";
    metrics.family((NAME, Family::StateSet, help), all)
}

/// Whether each incident lasts: until the gateway is back to normal.
fn incidents(
    metrics: &mut MetricsWriter,
    report: &Report,
    (outcome, timeline): (&Outcome, &Timeline),
) -> Result<()> {
    let one = |(index, incident): (usize, &Incident)| {
        let until = incident.normal.unwrap_or(Instant::NEVER);
        let lasts = |at: Instant| incident.at < at && until >= at;
        let values = ends(timeline, outcome.ended).map(|at| (at, f64::from(u8::from(lasts(at)))));
        let fault = report.scenario.plan.faults[incident.fault].name.clone();
        let labels = [
            ("fault", fault),
            ("subject", incident.subject.clone()),
            ("incident", index.to_string()),
        ];
        (labels.to_vec(), values.collect())
    };
    let help = "Whether the gateway is not back to normal after a fault.";
    let all = outcome.incidents.iter().enumerate().map(one);
    metrics.family(("brownout_incident", Family::Gauge, help), all)
}

/// The verdict on each objective, over all replications, at the end.
fn objectives(metrics: &mut MetricsWriter, report: &Report, ended: Instant) -> Result<()> {
    const NAME: &str = "brownout_objective_verdict";
    let all = report.judgements.iter().flat_map(|judgement| {
        let (_, _, found) = mark(&judgement.verdict);
        ["met", "missed", "undecided"].into_iter().map(move |word| {
            let objective = ("objective", judgement.objective.text.clone());
            let labels = vec![objective, (NAME, word.to_owned())];
            (labels, vec![(ended, f64::from(u8::from(word == found)))])
        })
    });
    let help = "The verdict on each objective, from all replications.";
    metrics.family((NAME, Family::StateSet, help), all.collect::<Vec<_>>())
}

/// Labels as they stand between braces.
fn labels(all: &[(&'static str, String)]) -> String {
    let one = |(name, value): &(&str, String)| format!("{name}=\"{}\"", escaped(value));
    all.iter().map(one).collect::<Vec<_>>().join(",")
}

/// A text within quotes, or in a line of help.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_can_have_any_characters() {
        let text = labels(&[("a", "p99 < 1s".to_owned()), ("b", "x\"\\\n".to_owned())]);
        assert_eq!(text, r#"a="p99 < 1s",b="x\"\\\n""#);
    }

    #[test]
    fn families_are_told_once_and_only_if_there_is_something() {
        let mut out = Vec::new();
        let common = labels(&[("scenario", "s".to_owned())]);
        let epoch = Epoch(1_000_000_000_000);
        let mut metrics = MetricsWriter { out: &mut out, epoch, common };
        let name = ("x_ratio", Family::Gauge, "Some \"x\".");
        metrics.family(name, []).unwrap();
        let series = |value: f64| (vec![("a", value.to_string())], vec![(Instant(500), value)]);
        metrics.family(name, [series(0.5), series(f64::NAN)]).unwrap();
        let expected = "# TYPE x_ratio gauge\n# UNIT x_ratio ratio\n\
                        # HELP x_ratio Some \\\"x\\\".\n\
                        x_ratio{scenario=\"s\",a=\"0.5\"} 0.5 1000.0000005\n\
                        x_ratio{scenario=\"s\",a=\"NaN\"} NaN 1000.0000005\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
