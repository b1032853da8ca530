//! `events.csv`: what happened in the replication that is told, one row for each fact.

use std::io::{Result, Write};

use crate::observe::outcome::Outcome;
use crate::observe::{Observation, RegionNews, ReplicaId};
use crate::plan::Plan;
use crate::report::format::cells;
use crate::report::format::table::write_csv;
use crate::report::run::cluster::rollout_counts;

const HEADER: [&str; 9] =
    ["time_s", "event", "replica", "zone", "state", "fault", "incident", "detail", "replication"];

/// Writes the journal of a replication; of several regions with the region of each fact at last.
pub(crate) fn write(plan: &Plan, outcome: &Outcome, out: &mut dyn Write) -> Result<()> {
    let regions = plan.regions.as_ref().map(|regions| &regions.all);
    let rows = outcome.journal.iter().zip(rows(plan, outcome)).map(|(entry, (event, row))| {
        let EventRow { replica, zone, state, fault, incident, detail } = row;
        let first = [cells::time(entry.at), event.to_owned()];
        let which = outcome.replication.to_string();
        let of = regions.map(|all| {
            let region = region_of(plan, &entry.observation, &zone);
            region.map_or(String::new(), |region| all[region].name.clone())
        });
        let cells = [replica, zone, state.to_owned(), fault, incident, detail, which];
        first.into_iter().chain(cells).chain(of)
    });
    write_csv(out, HEADER.into_iter().chain(regions.map(|_| "region")), rows)
}

/// What each fact of the journal of a replication is called, and its cells.
pub(crate) fn rows(
    plan: &Plan,
    outcome: &Outcome,
) -> impl Iterator<Item = (&'static str, EventRow)> {
    let mut names = Names { plan, created: Vec::new() };
    outcome.journal.iter().map(move |entry| names.row(&entry.observation))
}

/// The region, of several, that a fact is of: that which it names, or that of its zone, its slot or
/// its incident; `None` = what they share.
fn region_of(plan: &Plan, fact: &Observation, zone: &str) -> Option<usize> {
    use Observation::*;
    let all = &plan.regions.as_ref()?.all;
    match fact {
        Decided { region, .. }
        | ApiServerBack { region, .. }
        | Ingress { region, .. }
        | Region { region, .. } => Some(*region),
        Unschedulable { slot, .. } | SlotGone { slot } => Some(slot % all.len()),
        FaultInjected { fault, .. }
        | FaultEnded { fault, .. }
        | FaultMissed { fault, .. }
        | ClientsLeave { fault, .. }
        | InstancesAvoided { fault, .. } => plan.region_of(*fault),
        FaultTakes { slot, .. } => Some(slot % all.len()),
        // Incidents of all regions are numbered in turn, those of none last.
        Rollout { incident, .. } => Some(incident % (all.len() + 1)).filter(|it| *it < all.len()),
        _ => all.iter().position(|one| zone.strip_prefix(&one.name[..]).is_some_and(is_below)),
    }
}

fn is_below(rest: &str) -> bool {
    rest.starts_with('/')
}

/// The cells of a row after its time and event; empty where they do not apply.
#[derive(Default)]
pub(crate) struct EventRow {
    replica: String,
    pub(crate) zone: String,
    state: &'static str,
    pub(crate) fault: String,
    incident: String,
    pub(crate) detail: String,
}

impl EventRow {
    fn incident(self, incident: impl ToString) -> EventRow {
        EventRow { incident: incident.to_string(), ..self }
    }

    fn detail(self, detail: impl Into<String>) -> EventRow {
        EventRow { detail: detail.into(), ..self }
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

    fn of_zone(&self, zone: usize) -> EventRow {
        EventRow { zone: self.plan.topology.zones[zone].clone(), ..EventRow::default() }
    }

    fn of_fault(&self, fault: usize) -> EventRow {
        let fault = self.plan.faults.get(fault).map_or_else(String::new, |f| f.name.clone());
        EventRow { fault, ..EventRow::default() }
    }

    fn of_both(&self, fault: usize, zone: usize) -> EventRow {
        EventRow { zone: self.of_zone(zone).zone, ..self.of_fault(fault) }
    }

    fn of_region(&self, region: usize, news: RegionNews) -> String {
        let name = self.plan.regions.as_ref().map(|regions| regions.all[region].name.as_str());
        format!("{} {}", name.unwrap_or_default(), news.label())
    }

    /// Probes that failed, and for which upstream.
    fn probed(&self, observation: &Observation) -> EventRow {
        match observation {
            Observation::ProbesFailed { replica, probe } => self.of(*replica).detail(probe.label()),
            Observation::UpstreamFailedProbe { replica, probe, upstream, ready } => {
                let upstream = &self.plan.dependencies.upstreams[*upstream].name;
                let detail = format!("{upstream} fails the {}; {ready} ready", probe.label());
                self.of(*replica).detail(detail)
            }
            _ => unreachable!("{observation:?} is of no probe"),
        }
    }

    /// What a fact is called, and its cells.
    fn row(&mut self, observation: &Observation) -> (&'static str, EventRow) {
        use Observation::*;
        let only = |detail: String| EventRow::default().detail(detail);
        match observation {
            Created { replica, slot, zone, name } => {
                let zone = self.plan.topology.zones[*zone].clone();
                let missing = (*replica + 1).saturating_sub(self.created.len());
                self.created.extend(vec![Default::default(); missing]);
                self.created[*replica] = (name.clone(), zone);
                ("created", self.of(*replica).detail(format!("slot {slot}")))
            }
            Entered { replica, state, cause } => {
                let state = state.label();
                ("entered", EventRow { state, ..self.of(*replica).detail(*cause) })
            }
            JoinedRotation { replica } => ("joined_rotation", self.of(*replica)),
            LeftRotation { replica } => ("left_rotation", self.of(*replica)),
            Avoided(one) => ("avoided", self.of(one.replica).detail(one.to_string())),
            ContractsMissing { replica } => ("contracts_missing", self.of(*replica)),
            ContractsLoaded { replica } => ("contracts_loaded", self.of(*replica)),
            Speed { replica, share } => ("speed", self.of(*replica).detail(cells::share(share.0))),
            FetchFailed { replica, what } => ("fetch_failed", self.of(*replica).detail(*what)),
            FaultInjected { fault, incident, subject, .. } => {
                ("fault_injected", self.of_fault(*fault).incident(incident).detail(subject))
            }
            FaultTakes { incident, slot } => {
                ("fault_takes", only(format!("slot {slot}")).incident(incident))
            }
            FaultEnded { fault, incident } => {
                ("fault_ended", self.of_fault(*fault).incident(incident))
            }
            ClientsLeave { fault, incident, leaving, .. } => {
                let row = self.of_fault(*fault).incident(incident);
                ("clients_leave", row.detail(leaving.to_string()))
            }
            InstancesAvoided { fault, incident } => {
                ("instances_avoided", self.of_fault(*fault).incident(incident))
            }
            FaultMissed { fault, reason } => {
                ("fault_missed", self.of_fault(*fault).detail(*reason))
            }
            Decided { decision, .. } => ("autoscaler_decided", only(decision.to_string())),
            Unschedulable { slot, reason } => {
                ("unschedulable", only(format!("slot {slot}: {reason}")))
            }
            ApiServerBack { endpoints, slots, .. } => ("api_server_back", waited(endpoints, slots)),
            SlotGone { slot } => ("slot_gone", only(format!("slot {slot}"))),
            Node { zone, name, what } => {
                ("node", self.of_zone(*zone).detail(format!("{name} {what}")))
            }
            Evictions { zone, stopped } => {
                let detail = if *stopped { "stopped" } else { "go on" };
                ("evictions", self.of_zone(*zone).detail(detail))
            }
            ZoneReturned { fault, zone } => ("zone_returned", self.of_both(*fault, *zone)),
            Ingress { reachable, down, .. } => {
                ("ingress", only(format!("{reachable} reachable, {down} of them down")))
            }
            ProbesFailed { .. } => ("probes_failed", self.probed(observation)),
            UpstreamFailedProbe { .. } => ("upstream_failed_probe", self.probed(observation)),
            Rollout { incident, stage, .. } => {
                (stage.key(), only(rollout_counts(observation)).incident(incident))
            }
            OutOfMemory { replica } => ("out_of_memory", self.of(*replica).detail("OOMKilled")),
            Region { region, news } => ("region", only(self.of_region(*region, *news))),
            ClientsGiven { .. } | ClientsMoved { .. } => ("clients_moved", EventRow::default()),
            Boundary => ("boundary", EventRow::default()),
        }
    }
}

/// How much waited for the API server.
fn waited(endpoints: &usize, slots: &usize) -> EventRow {
    EventRow::default().detail(format!("{endpoints} endpoints and {slots} slots had to wait"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::example;

    #[test]
    fn every_fact_has_a_row_and_replicas_have_their_names() {
        let outcome = example::outcome(&example::plan(), 0);
        let mut out = Vec::new();
        write(&example::plan(), &outcome, &mut out).unwrap();
        let mut reader = csv::Reader::from_reader(&out[..]);
        assert_eq!(reader.headers().unwrap(), &HEADER[..]);
        let rows: Vec<Vec<String>> =
            reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        assert_eq!(rows.len(), outcome.journal.len());
        assert_eq!(
            rows[4],
            ["180", "fault_injected", "", "", "", "crash", "0", "replica b-1", "0"]
        );
        assert_eq!(
            rows[5],
            ["180", "entered", "b-1", "b", "failed", "", "", "crash, \"hard\"", "0"]
        );
        assert_eq!(rows[8], ["193", "joined_rotation", "b-2", "b", "", "", "", "", "0"]);
    }
}
