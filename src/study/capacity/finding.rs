//! What a plan is made of: the gateways that might be had, how capacities are looked for, and what
//! was found.

use crate::metric::Metric;
use crate::objective::Objective;
use crate::observe::ledger::Failure;
use crate::scenario::Scenario;
use crate::study::capacity::regimes::Cause;
use crate::study::capacity::search::{Band, Capacity, Excess};
use crate::study::mode::{self, Mode, Moot, Trial, objectives};
use crate::units::Span;
use crate::verdict::Judgement;

/// A gateway that might be had.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Its name, such as `large`.
    pub name: String,
    /// What it is.
    pub scenario: Scenario,
    /// The modes that it is looked at in.
    pub modes: Vec<Mode>,
    /// The modes that were asked for and mean nothing for it.
    pub left_out: Vec<(Mode, Moot)>,
}

impl Candidate {
    /// A gateway in those of the modes that mean something for it.
    pub fn new(name: String, scenario: Scenario, asked: &[Mode]) -> Candidate {
        let unjudged =
            |mode: Mode| objectives::of(&scenario, mode).is_empty().then_some(Moot::NoObjective);
        let of =
            |mode: &Mode| (*mode, mode::moot(&scenario.plan, *mode).or_else(|| unjudged(*mode)));
        let left_out = asked.iter().map(of).filter_map(|(mode, why)| Some((mode, why?))).collect();
        let modes = asked.iter().map(of).filter(|(_, why)| why.is_none());
        let modes = modes.map(|(mode, _)| mode).collect();
        Candidate { name, scenario, modes, left_out }
    }
}

/// How capacities are looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchEffort {
    /// How modes are tried.
    pub trial: Trial,
    /// Replications at each load, at most.
    pub replications: usize,
    /// Loads that are so close are not told apart, such as 0.005.
    pub tolerance: f64,
    /// A load that is tried by itself wherever it may be carried.
    pub demand: Option<f64>,
}

/// The replications after which a load is looked at, if that is plain.
const PLAIN: usize = 2;
/// Of the replications of a load so many are a few, …
const FEW: f64 = 0.5;
/// … but fewer than these do not show how much they differ.
const FEWEST: usize = 4;

impl SearchEffort {
    /// After how many replications a load is looked at: two, a few and all, or all if these are
    /// few.
    pub fn looks(&self) -> Vec<usize> {
        let few = (FEW * self.replications as f64).ceil() as usize;
        if few < FEWEST { vec![self.replications] } else { vec![PLAIN, few, self.replications] }
    }

    /// How many replications a load gets at least, unless it is plain.
    pub fn few(&self) -> usize {
        self.looks().into_iter().nth(1).unwrap_or(self.replications)
    }
}

/// What was found for one candidate in one mode.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Index of the candidate.
    pub candidate: usize,
    /// The mode.
    pub mode: Mode,
    /// The capacity in requests per second: the largest load below which every load passes.
    pub capacity: Capacity,
    /// Bands of loads that miss below loads that meet, each with what changes there.
    pub bands: Vec<(Band, Option<Cause>)>,
    /// The load at which the CPU of the survivors is full.
    pub theory: f64,
    /// What is in the way of more, if something is.
    pub binding: Option<Binding>,
    /// Every load that was tried, in order of load.
    pub probes: Vec<LoadProbe>,
}

/// One load that was tried.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadProbe {
    /// Requests per second.
    pub load: f64,
    /// By how much the objectives are exceeded; above zero in an overload.
    pub excess: Excess,
    /// Each objective as judged, and by how much it is exceeded.
    pub judged: Vec<(Judgement, Excess)>,
    /// Whether it is more than all replicas serve, for as long as it lasts.
    pub overload: bool,
    /// What was not served in the judged time: of all requests, then of each API that is judged.
    pub unserved: Vec<Unserved>,
    /// How CPU was used.
    pub cpu: ProbedCpu,
    /// The digest of each replication.
    pub digests: Vec<u64>,
}

/// How CPU was used at a load: of several regions by the busiest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProbedCpu {
    /// Work that was done for each request that met a replica, times the load, over the CPU of the
    /// survivors: demand over capacity, which may be above one for a while.
    pub utilisation: f64,
    /// The region where that is most, if there are several and any is left.
    pub busiest: Option<usize>,
    /// The share of their CPU that working replicas used after warm-up.
    pub in_use: f64,
    /// Replicas that worked, on average after warm-up.
    pub working: f64,
}

/// Requests that were not served.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Unserved {
    /// Failed requests over all that have an outcome.
    pub failed: f64,
    /// How most of them failed.
    pub failure: Option<Failure>,
    /// The share of the requests that a policy rejected, and how it did most, if any.
    pub rejected: Option<(f64, Failure)>,
    /// The share of the requests that admission control or load shedding turned away; among those
    /// that failed.
    pub turned_away: f64,
}

impl LoadProbe {
    /// What was not served of the requests that an objective speaks of.
    pub fn unserved_of(&self, objective: &Objective) -> Unserved {
        // The first window of a probe is the run.
        self.unserved[objective.window - 1]
    }
}

impl Finding {
    /// Of the first candidate, before anything is known.
    pub fn none(mode: Mode) -> Finding {
        Finding {
            candidate: 0,
            mode,
            capacity: Capacity::Stopped,
            bands: Vec::new(),
            theory: 0.0,
            binding: None,
            probes: Vec::new(),
        }
    }

    /// The band below a load that was tried and meets the objectives, if there is one: loads on the
    /// way to it do not.
    pub fn band_below(&self, load: f64) -> Option<&(Band, Option<Cause>)> {
        self.at(load).filter(|probe| probe.excess.most < 0.0)?;
        self.bands.iter().rfind(|(band, _)| band.to < load)
    }

    /// What came of a load, if it was tried.
    pub fn at(&self, load: f64) -> Option<&LoadProbe> {
        self.probes.iter().find(|probe| probe.load == load)
    }

    /// What the loads that were tried came to, in order of load.
    pub fn tried(&self) -> Vec<(f64, Excess)> {
        self.probes.iter().map(|probe| (probe.load, probe.excess)).collect()
    }

    /// Adds a load, or what more replications say of it.
    pub(super) fn add(&mut self, probe: LoadProbe) {
        let place = self.probes.partition_point(|other| other.load < probe.load);
        match self.probes.get_mut(place).filter(|known| known.load == probe.load) {
            Some(known) => *known = probe,
            None => self.probes.insert(place, probe),
        }
    }
}

/// What bounds a capacity.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// The objective that is missed first, as written.
    pub objective: String,
    /// What it is about.
    pub metric: Metric,
    /// The API whose requests it speaks of; `None` = all.
    pub api: Option<String>,
    /// The share of the requests that failed, and how most of them did, if it is missed for that.
    pub failed: Option<(f64, Failure)>,
    /// Why.
    pub constraint: Constraint,
    /// The region whose CPU the constraint speaks of, if there are several.
    pub region: Option<String>,
}

/// Why an objective is missed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Constraint {
    /// Nothing was measured that it could be judged by.
    NoData,
    /// More CPU would not help, this share of it is in use: a request takes long by itself, or
    /// waits for something else.
    NotCpu(f64),
    /// It is more than all replicas serve: the backlog grows, and an objective that is met while
    /// judged is missed in time.
    Overload,
    /// No replica is left until one is replaced.
    Nobody,
    /// No region is left that could serve.
    NoRegion,
    /// The CPU of all replicas: this share of it is in use.
    Cpu(f64),
    /// The CPU of the replicas that the autoscaler has so far, on average so many: this share of it
    /// is in use.
    Autoscaler(f64, f64),
    /// The CPU of those that are left until replacements serve: what is offered over what they
    /// have.
    Survivors(f64),
    /// The same, for as long as contracts cannot be downloaded.
    Contracts(f64),
    /// This share of the requests fails in this way, most of them, until a loss is noticed: the
    /// time of detection times the share of the traffic that was lost.
    Detection(f64, Failure),
    /// This share of the requests fails in this way, most of them, though nothing is lost.
    Failures(f64, Failure),
    /// Requests wait for what is lost; more CPU would not help.
    Waiting,
    /// Recovery takes longer whatever the load.
    Replacement,
    /// The fail-over to another region takes so many seconds: whatever the load, if no load meets
    /// the objective, or from the capacity on.
    FailOver(f64, bool),
    /// The loss was not over within the time that is judged, which ends before the bound of the
    /// objective does.
    NotSeen(Span),
}

impl Constraint {
    /// Whether it is of CPU, which of several regions the busiest has.
    pub(crate) fn is_of_cpu(self) -> bool {
        matches!(
            self,
            Constraint::NotCpu(_)
                | Constraint::Cpu(_)
                | Constraint::Autoscaler(..)
                | Constraint::Survivors(_)
                | Constraint::Contracts(_)
        )
    }
}

/// A load that was tried with these excesses, where nothing failed.
#[cfg(test)]
pub(crate) fn made_up(load: f64, least: f64, point: f64, most: f64) -> LoadProbe {
    LoadProbe {
        load,
        excess: Excess { least, point, most },
        judged: Vec::new(),
        overload: false,
        unserved: vec![Unserved::default()],
        cpu: ProbedCpu { utilisation: 0.9, busiest: None, in_use: 0.95, working: 2.0 },
        digests: Vec::new(),
    }
}
