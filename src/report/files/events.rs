//! `events.csv`: what happened in the first replication, one row for each fact.

use std::io::{Result, Write};

use crate::observe::outcome::JournalEntry;
use crate::observe::{Observation, ReplicaId};
use crate::plan::Plan;
use crate::report::format::cells;
use crate::report::format::table::write_csv;

const HEADER: [&str; 8] =
    ["time_s", "event", "replica", "zone", "state", "fault", "incident", "detail"];

/// Writes the journal.
pub(crate) fn write(plan: &Plan, journal: &[JournalEntry], out: &mut dyn Write) -> Result<()> {
    let mut names = Names { plan, created: Vec::new() };
    let rows = journal.iter().map(|entry| {
        let EventRow { replica, zone, state, fault, incident, detail } =
            names.row(&entry.observation);
        let first = [cells::time(entry.at), event(&entry.observation).to_owned()];
        first.into_iter().chain([replica, zone, state.to_owned(), fault, incident, detail])
    });
    write_csv(out, HEADER, rows)
}

/// The cells of a row after its time and event; empty where they do not apply.
#[derive(Default)]
struct EventRow {
    replica: String,
    zone: String,
    state: &'static str,
    fault: String,
    incident: String,
    detail: String,
}

fn event(observation: &Observation) -> &'static str {
    match observation {
        Observation::Created { .. } => "created",
        Observation::Entered { .. } => "entered",
        Observation::JoinedRotation { .. } => "joined_rotation",
        Observation::LeftRotation { .. } => "left_rotation",
        Observation::Speed { .. } => "speed",
        Observation::FaultInjected { .. } => "fault_struck",
        Observation::FaultTakes { .. } => "fault_takes",
        Observation::FaultEnded { .. } => "fault_ended",
        Observation::Unschedulable { .. } => "unschedulable",
        Observation::Node { .. } => "node",
        Observation::Evictions { .. } => "evictions",
        Observation::Decided { .. } => "autoscaler_decided",
        Observation::SlotGone { .. } => "slot_gone",
        Observation::ZoneReturned { .. } => "zone_returned",
        Observation::FaultMissed { .. } => "fault_missed",
        Observation::FetchFailed { .. } => "fetch_failed",
        Observation::ContractsMissing { .. } => "contracts_missing",
        Observation::ContractsLoaded { .. } => "contracts_loaded",
        Observation::Ingress { .. } => "ingress",
        Observation::Boundary => "boundary",
        Observation::ProbesFailed { .. } => "probes_failed",
    }
}

/// Names of replicas as they come into being, by number.
struct Names<'a> {
    plan: &'a Plan,
    created: Vec<(String, String)>,
}

impl Names<'_> {
    fn of(&self, replica: ReplicaId) -> EventRow {
        let (replica, zone) = self.created.get(replica).cloned().unwrap_or_default();
        EventRow { replica, zone, ..EventRow::default() }
    }

    fn zone(&self, zone: usize) -> String {
        self.plan.topology.zones[zone].clone()
    }

    fn of_fault(&self, fault: usize) -> EventRow {
        let fault = self.plan.faults.get(fault).map_or_else(String::new, |f| f.name.clone());
        EventRow { fault, ..EventRow::default() }
    }

    fn row(&mut self, observation: &Observation) -> EventRow {
        let only = |detail: String| EventRow { detail, ..EventRow::default() };
        match observation {
            Observation::Created { replica, slot, zone, name } => {
                let zone = self.plan.topology.zones[*zone].clone();
                let missing = (*replica + 1).saturating_sub(self.created.len());
                self.created.extend(vec![Default::default(); missing]);
                self.created[*replica] = (name.clone(), zone);
                EventRow { detail: format!("slot {slot}"), ..self.of(*replica) }
            }
            Observation::Entered { replica, state, cause } => {
                EventRow { state: state.label(), detail: (*cause).to_owned(), ..self.of(*replica) }
            }
            Observation::JoinedRotation { replica }
            | Observation::LeftRotation { replica }
            | Observation::ContractsMissing { replica }
            | Observation::ContractsLoaded { replica } => self.of(*replica),
            Observation::Speed { replica, share } => {
                EventRow { detail: cells::share(share.0), ..self.of(*replica) }
            }
            Observation::FetchFailed { replica, what } => {
                EventRow { detail: (*what).to_owned(), ..self.of(*replica) }
            }
            Observation::FaultInjected { fault, incident, subject, .. } => EventRow {
                incident: incident.to_string(),
                detail: subject.clone(),
                ..self.of_fault(*fault)
            },
            Observation::FaultTakes { incident, slot } => EventRow {
                incident: incident.to_string(),
                detail: format!("slot {slot}"),
                ..EventRow::default()
            },
            Observation::FaultEnded { fault, incident } => {
                EventRow { incident: incident.to_string(), ..self.of_fault(*fault) }
            }
            Observation::Decided { decision, .. } => only(decision.to_string()),
            Observation::Unschedulable { slot, reason } => only(format!("slot {slot}: {reason}")),
            Observation::SlotGone { slot } => only(format!("slot {slot}")),
            Observation::Node { zone, name, what } => EventRow {
                zone: self.zone(*zone),
                detail: format!("{name} {what}"),
                ..EventRow::default()
            },
            Observation::Evictions { zone, stopped } => {
                let detail = if *stopped { "stopped" } else { "go on" };
                EventRow {
                    zone: self.zone(*zone),
                    detail: detail.to_owned(),
                    ..EventRow::default()
                }
            }
            Observation::ZoneReturned { fault, zone } => {
                EventRow { zone: self.zone(*zone), ..self.of_fault(*fault) }
            }
            Observation::FaultMissed { fault, reason } => {
                EventRow { detail: (*reason).to_owned(), ..self.of_fault(*fault) }
            }
            Observation::Ingress { reachable, down } => {
                only(format!("{reachable} reachable, {down} of them down"))
            }
            Observation::ProbesFailed { replica, liveness } => {
                let detail = if *liveness { "liveness probe" } else { "readiness probe" };
                EventRow { detail: detail.to_owned(), ..self.of(*replica) }
            }
            Observation::Boundary => EventRow::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::example;

    #[test]
    fn every_fact_has_a_row_and_replicas_have_their_names() {
        let outcome = example::outcome(&example::plan(), 0);
        let mut out = Vec::new();
        write(&example::plan(), &outcome.journal, &mut out).unwrap();
        let mut reader = csv::Reader::from_reader(&out[..]);
        assert_eq!(reader.headers().unwrap(), &HEADER[..]);
        let rows: Vec<Vec<String>> =
            reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        assert_eq!(rows.len(), outcome.journal.len());
        assert_eq!(rows[4], ["180", "fault_struck", "", "", "", "crash", "0", "replica b-1"]);
        assert_eq!(rows[5], ["180", "entered", "b-1", "b", "failed", "", "", "crash, \"hard\""]);
        assert_eq!(rows[8], ["193", "joined_rotation", "b-2", "b", "", "", "", ""]);
    }
}
