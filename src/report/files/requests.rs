//! `requests.csv`: sampled requests of the replication that is told with their stages.

use std::io::{Result, Write};

use crate::observe::outcome::{Outcome, RequestRecord};
use crate::report::format::cells;
use crate::report::format::table::{Column, write_columns};
use crate::units::Span;

/// Writes the requests that were kept. `ended_s` is when a replica finished it or when it failed;
/// `latency_ms` is what the client of a served request saw, the way back included;
/// `failed_after_ms` is how long one that failed or was rejected took to that; `outcome` is
/// `served`, `in_flight`, or the way of failing. The file can be replayed as it is.
pub(crate) fn write(hop: Span, outcome: &Outcome, out: &mut dyn Write) -> Result<()> {
    type Row<'a> = (&'a RequestRecord, Span, (&'a str, u64));
    let columns: [Column<Row>; 10] = [
        (&["number"], |(it, ..)| it.number.into()),
        (&["sent_s"], |(it, ..)| it.sent.into()),
        (&["taken_s"], |(it, ..)| it.taken.map(|(at, _)| at).into()),
        (&["replica"], |(_, _, (replica, _))| (*replica).into()),
        (&["demand_ms"], |(it, ..)| {
            it.demand.map(|demand| cells::millis(Span(f64::from(demand).round() as u64))).into()
        }),
        (&["ended_s"], |(it, ..)| it.ended.into()),
        (&["latency_ms"], |(it, hop, _)| {
            let answered = it.ended.filter(|_| it.failure.is_none());
            answered.map(|ended| cells::millis(ended.since(it.sent) + *hop)).into()
        }),
        (&["failed_after_ms"], |(it, ..)| {
            let failed = it.ended.filter(|_| it.failure.is_some());
            failed.map(|ended| cells::millis(ended.since(it.sent))).into()
        }),
        (&["outcome"], |(it, ..)| end(it).into()),
        (&["replication"], |(.., (_, replication))| (*replication).into()),
    ];
    let replicas = outcome.timeline.as_ref().map_or(&[][..], |timeline| &timeline.replicas);
    let rows = outcome.requests.iter().map(|request| {
        let name = request.taken.and_then(|(_, replica)| replicas.get(replica));
        (request, hop, (name.map_or("", |life| life.name.as_str()), outcome.replication))
    });
    write_columns(out, &columns, rows)
}

fn end(request: &RequestRecord) -> &'static str {
    match (request.failure, request.ended) {
        (Some(failure), _) => failure.key(),
        (None, Some(_)) => "served",
        (None, None) => "in_flight",
    }
}
