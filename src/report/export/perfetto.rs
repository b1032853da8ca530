//! `trace.perfetto`: the replication that is told as a trace for <https://ui.perfetto.dev>, in
//! Perfetto's own protocol buffers (`TracePacket` with `TrackEvent`).
//!
//! The gateway is a process, with its counters, incidents and events; each zone is one, in which
//! each replica is a thread. On a replica's thread lie the states of its life, below it whether it
//! is in rotation, its counters and the requests that were sampled (`--requests-every`): as many
//! tracks as there are at a time. Time is simulated time from the start of the run.

use std::io::{Result, Write};

use super::tracks::{TrackId, TrackWriter, in_lanes};
use crate::observe::incident::Incident;
use crate::observe::ledger::Failure;
use crate::observe::outcome::{Outcome, RequestRecord};
use crate::observe::timeline::{ApiRow, ReplicaLife, ReplicaRow, Timeline, TotalRow};
use crate::observe::{Observation, ReplicaId, State};
use crate::plan::Plan;
use crate::report::files::events;
use crate::report::files::timeline::DASHBOARD_BUCKET;
use crate::report::format::cells;
use crate::units::{Instant, Span};

/// The process of the gateway; those of the zones follow.
const GATEWAY: i32 = 1;
/// The thread of the first replica: no number of a process, whose main thread it would be.
const FIRST_THREAD: i32 = 1_000_000;

/// Writes a replication with its timeline.
pub(super) fn write(
    plan: &Plan,
    (outcome, timeline): (&Outcome, &Timeline),
    out: &mut dyn Write,
) -> Result<()> {
    let mut tracks = TrackWriter::new(out);
    let gateway = tracks.process(GATEWAY, "gateway")?;
    incidents(&mut tracks, gateway, plan, outcome)?;
    counters(&mut tracks, gateway, timeline)?;
    by_api(&mut tracks, gateway, plan, timeline)?;
    for (zone, name) in (GATEWAY + 1..).zip(&plan.topology.zones) {
        tracks.process(zone, &format!("zone {name}"))?;
    }
    let replicas = replicas(&mut tracks, outcome, timeline)?;
    facts(&mut tracks, (gateway, &replicas), plan, outcome)?;
    requests(&mut tracks, (gateway, &replicas), plan, outcome)
}

/// A slice for each incident, until the gateway was back to normal.
fn incidents(
    tracks: &mut TrackWriter,
    gateway: TrackId,
    plan: &Plan,
    outcome: &Outcome,
) -> Result<()> {
    let mut all: Vec<&Incident> = outcome.incidents.iter().collect();
    all.sort_by_key(|incident| incident.at);
    let until = |one: &Incident| one.normal.unwrap_or(outcome.ended);
    for lane in in_lanes(all, |one| (one.at, until(one))) {
        let track = tracks.below(gateway, "incidents")?;
        for incident in lane {
            let seen = |span: Option<Span>| cells::optional(span, cells::secs);
            let details = [
                ("subject", incident.subject.clone()),
                ("failed", incident.ledger.failed().to_string()),
                ("service_restored_after_s", seen(incident.recovery())),
                ("redundancy_restored_after_s", seen(incident.redundancy_recovery())),
            ];
            let name = &plan.faults[incident.fault].name;
            tracks.begin(track, incident.at, ("incident", name), &details)?;
            tracks.end(track, until(incident))?;
        }
    }
    Ok(())
}

/// What is known of a bin.
type BinValue = fn(&TotalRow, f64) -> Option<f64>;

/// The counters of the gateway: name, unit, value of a bin that lasts so many seconds.
const COUNTERS: [(&str, &str, BinValue); 10] = [
    ("offered", "requests/s", |row, secs| Some(row.offered as f64 / secs)),
    ("served", "requests/s", |row, secs| Some(row.served as f64 / secs)),
    ("failed", "requests/s", |row, secs| Some(row.failed() as f64 / secs)),
    ("p50", "ms", |row, _| row.latency.map(|latency| latency.p50.as_millis())),
    ("p99", "ms", |row, _| row.latency.map(|latency| latency.p99.as_millis())),
    ("in flight", "requests", |row, _| Some(row.in_flight as f64)),
    ("in rotation", "replicas", |row, _| Some(row.in_rotation as f64)),
    ("wanted", "replicas", |row, _| row.wanted.map(|wanted| wanted as f64)),
    ("CPU", "share", |row, _| row.cpu),
    ("CPU as the autoscaler sees it", "share", |row, _| row.cpu_seen),
];

fn counters(tracks: &mut TrackWriter, gateway: TrackId, timeline: &Timeline) -> Result<()> {
    let secs = timeline.bin.as_secs();
    let mut counter = |name: &str, unit: &str, values: Vec<Option<f64>>| {
        if values.iter().all(Option::is_none) {
            return Ok(());
        }
        let starts = timeline.total.iter().map(|row| row.start);
        tracks.counter(gateway, (name, unit), starts.zip(values))
    };
    for (name, unit, value) in COUNTERS {
        counter(name, unit, timeline.total.iter().map(|row| value(row, secs)).collect())?;
    }
    for kind in Failure::ALL {
        if timeline.total.iter().any(|row| row.failures[kind as usize] > 0) {
            let rate = |row: &TotalRow| Some(row.failures[kind as usize] as f64 / secs);
            counter(kind.label(), "requests/s", timeline.total.iter().map(rate).collect())?;
        }
    }
    counter("CPU as monitored", "share", timeline.monitored(DASHBOARD_BUCKET))
}

/// The counters of each API, or of each region.
fn by_api(
    tracks: &mut TrackWriter,
    gateway: TrackId,
    plan: &Plan,
    timeline: &Timeline,
) -> Result<()> {
    type ApiValue = fn(&ApiRow, f64) -> Option<f64>;
    const OF_EACH: [(&str, &str, ApiValue); 5] = [
        ("offered", "requests/s", |row, secs| Some(row.offered as f64 / secs)),
        ("served", "requests/s", |row, secs| Some(row.served as f64 / secs)),
        ("failed", "requests/s", |row, secs| Some(row.failed as f64 / secs)),
        ("p99", "ms", |row, _| row.latency.map(|latency| latency.p99.as_millis())),
        ("clients", "share", |row, _| row.clients),
    ];
    let (secs, bins) = (timeline.bin.as_secs(), timeline.total.len().max(1));
    let count = timeline.by_api.len() / bins;
    for (index, api) in plan.names_told_apart().into_iter().take(count).enumerate() {
        let rows = || timeline.by_api.iter().skip(index).step_by(count);
        let track = tracks.below(gateway, api)?;
        for (name, unit, value) in OF_EACH {
            if rows().any(|row| value(row, secs).is_some()) {
                let starts = timeline.total.iter().map(|row| row.start);
                let values = rows().map(|row| value(row, secs));
                let name = format!("{api}: {name}");
                tracks.counter(track, (&name, unit), starts.zip(values))?;
            }
        }
    }
    Ok(())
}

/// Each replica as a thread of its zone.
fn replicas(
    tracks: &mut TrackWriter,
    outcome: &Outcome,
    timeline: &Timeline,
) -> Result<Vec<TrackId>> {
    let mut rows_of = vec![Vec::new(); timeline.replicas.len()];
    timeline.by_replica.iter().for_each(|row| rows_of[row.replica].push(row));
    let mut threads = Vec::new();
    for (index, (life, rows)) in timeline.replicas.iter().zip(rows_of).enumerate() {
        let pid = GATEWAY + 1 + life.zone as i32;
        let thread = tracks.thread(pid, FIRST_THREAD + index as i32, &life.name)?;
        states(tracks, thread, life, outcome.ended)?;
        rotation(tracks, thread, life, outcome.ended)?;
        of_replica(tracks, thread, (life, &rows), timeline)?;
        threads.push(thread);
    }
    Ok(threads)
}

/// A slice for each state, until the next one.
fn states(
    tracks: &mut TrackWriter,
    thread: TrackId,
    life: &ReplicaLife,
    ended: Instant,
) -> Result<()> {
    let next = life.states.iter().skip(1).map(|(at, _)| *at).chain([ended]);
    for ((at, state), until) in life.states.iter().zip(next) {
        if *state != State::Terminated {
            tracks.begin(thread, *at, ("state", state.label()), &[])?;
            tracks.end(thread, until)?;
        }
    }
    Ok(())
}

/// A slice for each time in rotation.
fn rotation(
    tracks: &mut TrackWriter,
    thread: TrackId,
    life: &ReplicaLife,
    ended: Instant,
) -> Result<()> {
    if life.rotation.is_empty() {
        return Ok(());
    }
    let track = tracks.below(thread, "rotation")?;
    let mut is_in = false;
    for (at, joins) in life.rotation.iter().filter(|(at, _)| *at <= ended) {
        match (is_in, joins) {
            (false, true) => tracks.begin(track, *at, ("rotation", "in rotation"), &[])?,
            (true, false) => tracks.end(track, *at)?,
            _ => {}
        }
        is_in = *joins;
    }
    if is_in { tracks.end(track, ended) } else { Ok(()) }
}

/// The counters of a replica, and nothing once it is gone.
fn of_replica(
    tracks: &mut TrackWriter,
    thread: TrackId,
    (life, rows): (&ReplicaLife, &[&ReplicaRow]),
    timeline: &Timeline,
) -> Result<()> {
    type RowValue = fn(&ReplicaRow) -> f64;
    const OF_EACH: [(&str, &str, RowValue); 2] =
        [("CPU", "share", |row| row.cpu), ("in flight", "requests", |row| row.in_flight as f64)];
    let start = |bin: usize| timeline.total.get(bin).map(|row| row.start);
    let gone = rows.last().and_then(|row| start(row.bin + 1)).map(|at| (at, Some(0.0)));
    for (name, unit, value) in OF_EACH {
        let values = rows.iter().filter_map(|row| Some((start(row.bin)?, Some(value(row)))));
        let name = format!("{}: {name}", life.name);
        tracks.counter(thread, (&name, unit), values.chain(gone))?;
    }
    if life.speed.iter().any(|(_, share)| share.0 != 1.0) {
        let values = life.speed.iter().map(|(at, share)| (*at, Some(share.0)));
        tracks.counter(thread, (&format!("{}: speed", life.name), "share"), values)?;
    }
    Ok(())
}

/// An instant for each fact that no slice and no counter shows.
fn facts(
    tracks: &mut TrackWriter,
    (gateway, replicas): (TrackId, &[TrackId]),
    plan: &Plan,
    outcome: &Outcome,
) -> Result<()> {
    let events = tracks.below(gateway, "events")?;
    for (entry, (name, row)) in outcome.journal.iter().zip(events::rows(plan, outcome)) {
        let track = match shown(&entry.observation) {
            Shown::Elsewhere => continue,
            Shown::OfReplica(replica) => replicas.get(replica).copied().unwrap_or(events),
            Shown::OfGateway => events,
        };
        let told = [("zone", row.zone), ("fault", row.fault), ("detail", row.detail)];
        let details: Vec<_> = told.into_iter().filter(|(_, text)| !text.is_empty()).collect();
        tracks.instant(track, entry.at, ("event", name), &details)?;
    }
    Ok(())
}

/// Where a fact is shown.
enum Shown {
    /// By a slice or a counter, or not at all.
    Elsewhere,
    OfReplica(ReplicaId),
    OfGateway,
}

fn shown(fact: &Observation) -> Shown {
    use Observation::*;
    match fact {
        Created { .. } | Entered { .. } | JoinedRotation { .. } | LeftRotation { .. } => {
            Shown::Elsewhere
        }
        Speed { .. } | Boundary | ClientsGiven { .. } | ClientsMoved { .. } => Shown::Elsewhere,
        Avoided(avoided) => Shown::OfReplica(avoided.replica),
        FetchFailed { replica, .. }
        | ContractsLoaded { replica }
        | ContractsMissing { replica }
        | ProbesFailed { replica, .. }
        | UpstreamFailedProbe { replica, .. }
        | OutOfMemory { replica } => Shown::OfReplica(*replica),
        _ => Shown::OfGateway,
    }
}

/// A slice for each request that was kept, below the replica that took it on, with its stages.
fn requests(
    tracks: &mut TrackWriter,
    (gateway, replicas): (TrackId, &[TrackId]),
    plan: &Plan,
    outcome: &Outcome,
) -> Result<()> {
    let taken_by = |one: &RequestRecord| one.taken.map(|(_, replica)| replica);
    let places = [(None, gateway)].into_iter();
    let places = places.chain(replicas.iter().enumerate().map(|(at, track)| (Some(at), *track)));
    for (replica, parent) in places {
        let mut of_it: Vec<&RequestRecord> =
            outcome.requests.iter().filter(|one| taken_by(one) == replica).collect();
        of_it.sort_by_key(|one| one.sent);
        let until = |one: &RequestRecord| one.ended.unwrap_or(outcome.ended).max(one.sent);
        for lane in in_lanes(of_it, |one| (one.sent, until(one))) {
            let track = tracks.below(parent, "requests")?;
            for request in lane {
                one_request(tracks, track, plan, (request, until(request)))?;
            }
        }
    }
    Ok(())
}

fn one_request(
    tracks: &mut TrackWriter,
    track: TrackId,
    plan: &Plan,
    (request, until): (&RequestRecord, Instant),
) -> Result<()> {
    let name = match (request.failure, request.ended) {
        (Some(failure), _) => failure.label(),
        (None, Some(_)) => "served",
        (None, None) => "in flight at the end",
    };
    let demand = request.demand.map(|demand| Span(f64::from(demand).round() as u64));
    let mut details = vec![("number", request.number.to_string())];
    details.extend(demand.map(|demand| ("demand_ms", cells::millis(demand))));
    let apis = plan.names_told_apart();
    if apis.len() > 1 {
        details.push((plan.told_apart_by(), apis[request.api as usize].to_owned()));
    }
    tracks.begin(track, request.sent, ("request", name), &details)?;
    // What waits at the ingress, and what a replica has.
    let taken = request.taken.map(|(at, _)| at.clamp(request.sent, until));
    tracks.begin(track, request.sent, ("request", "at the ingress"), &[])?;
    tracks.end(track, taken.unwrap_or(until))?;
    if let Some(taken) = taken {
        tracks.begin(track, taken, ("request", "in the replica"), &[])?;
        tracks.end(track, until)?;
    }
    tracks.end(track, until)
}
