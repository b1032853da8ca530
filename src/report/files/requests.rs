//! `requests.csv`: sampled requests of the replication that is told with their stages.

use std::io::{Result, Write};

use crate::observe::outcome::{Outcome, RequestRecord};
use crate::plan::Plan;
use crate::report::format::cells;
use crate::report::format::table::{Column, write_columns};
use crate::units::Span;

/// Writes the requests that were kept. `ended_s` is when a replica finished it or when it failed;
/// `latency_ms` is what the client of a served request saw, the way back included;
/// `failed_after_ms` is how long one that failed or was rejected took to that; `outcome` is
/// `served`, `in_flight`, or the way of failing. Where there are several APIs, the last column says
/// which it was for. The file can be replayed as it is.
pub(crate) fn write(plan: &Plan, outcome: &Outcome, out: &mut dyn Write) -> Result<()> {
    type Row<'a> = (&'a RequestRecord, Span, (&'a str, u64), &'a str);
    let columns: [Column<Row>; 11] = [
        (&["number"], |(it, ..)| it.number.into()),
        (&["sent_s"], |(it, ..)| it.sent.into()),
        (&["taken_s"], |(it, ..)| it.taken.map(|(at, _)| at).into()),
        (&["replica"], |(_, _, (replica, _), _)| (*replica).into()),
        (&["demand_ms"], |(it, ..)| {
            it.demand.map(|demand| cells::millis(Span(f64::from(demand).round() as u64))).into()
        }),
        (&["ended_s"], |(it, ..)| it.ended.into()),
        (&["latency_ms"], |(it, hop, ..)| {
            let answered = it.ended.filter(|_| it.failure.is_none());
            answered.map(|ended| cells::millis(ended.since(it.sent) + *hop)).into()
        }),
        (&["failed_after_ms"], |(it, ..)| {
            let failed = it.ended.filter(|_| it.failure.is_some());
            failed.map(|ended| cells::millis(ended.since(it.sent))).into()
        }),
        (&["outcome"], |(it, ..)| end(it).into()),
        (&["replication"], |(_, _, (_, replication), _)| (*replication).into()),
        (&["api"], |(.., api)| (*api).into()),
    ];
    let apis = plan.names_told_apart();
    let columns = if apis.len() > 1 { &columns[..] } else { &columns[..10] };
    let replicas = outcome.timeline.as_ref().map_or(&[][..], |timeline| &timeline.replicas);
    let rows = outcome.requests.iter().map(|request| {
        let name = request.taken.and_then(|(_, replica)| replicas.get(replica));
        let replica = name.map_or("", |life| life.name.as_str());
        let api = apis[request.api as usize];
        (request, plan.ingress.hop, (replica, outcome.replication), api)
    });
    write_columns(out, columns, rows)
}

fn end(request: &RequestRecord) -> &'static str {
    match (request.failure, request.ended) {
        (Some(failure), _) => failure.key(),
        (None, Some(_)) => "served",
        (None, None) => "in_flight",
    }
}
