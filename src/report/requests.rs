//! `requests.csv`: sampled requests of the first replication with their stages.

use std::io::{Result, Write};

use super::cells::{self, optional};
use crate::observe::outcome::{Outcome, RequestRecord};
use crate::units::Span;

const HEADER: [&str; 8] =
    ["number", "sent_s", "taken_s", "replica", "demand_ms", "ended_s", "latency_ms", "outcome"];

/// Writes the requests that were kept. `ended_s` is when a replica finished it or when it failed;
/// `latency_ms` is what the client of an answered request saw, the way back included; `outcome` is
/// `served`, `in_flight`, or the way of failing.
///
/// # Errors
/// Those of the writer.
pub fn write(hop: Span, outcome: &Outcome, out: &mut dyn Write) -> Result<()> {
    let mut rows = cells::rows(out);
    let replicas = outcome.timeline.as_ref().map_or(&[][..], |timeline| &timeline.replicas);
    rows.write_record(HEADER)?;
    for request in &outcome.requests {
        let name = request.taken.and_then(|(_, replica)| replicas.get(replica));
        rows.write_record(row(request, hop, name.map_or("", |life| &life.name)))?;
    }
    rows.flush()
}

fn row(request: &RequestRecord, hop: Span, replica: &str) -> [String; 8] {
    let end = match (request.failure, request.ended) {
        (Some(failure), _) => failure.key(),
        (None, Some(_)) => "served",
        (None, None) => "in_flight",
    };
    let answered = request.ended.filter(|_| request.failure.is_none());
    [
        request.number.to_string(),
        cells::time(request.sent),
        optional(request.taken, |(at, _)| cells::time(at)),
        replica.to_owned(),
        optional(request.demand, |demand| cells::millis(Span(f64::from(demand).round() as u64))),
        optional(request.ended, cells::time),
        optional(answered, |ended| cells::millis(ended.since(request.sent) + hop)),
        end.to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::sample;

    #[test]
    fn each_request_says_where_it_went_and_how_it_ended() {
        let mut out = Vec::new();
        write(Span(1_000_000), &sample::outcome(&sample::plan(), 0), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1], "0,0.5,0.501,a-1,10,0.52,21,served");
        assert_eq!(lines[2], "100,179.99,0.501,a-1,10,180,,lost_in_flight");
        assert_eq!(lines[3], "200,599.99,,,,,,in_flight");
    }
}
