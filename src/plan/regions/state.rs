//! What of a gateway's state is lost in a disruption: what a recovery point objective bounds.
//!
//! It follows from the plan alone, and is a bound: what has no copy elsewhere is lost whole, and
//! was at most as old as it may become.

use crate::plan::{
    Api, Extent, Fault, FaultPlan, Plan, Policy, PolicyKind, ReplicaTarget, Schedule,
};
use crate::policy::limit::{Algorithm, LimitSpec, Sharing};
use crate::units::Span;

/// Something that a gateway keeps, or works by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateItem {
    /// APIs and policies as they were published.
    Configuration,
    /// Contracts of clients.
    Contracts,
    /// What caches hold.
    Cache,
    /// What limits have counted: rate limits, spike control, quotas.
    Limits,
    /// What was seen of tokens and sessions.
    Tokens,
}

impl StateItem {
    /// All of them, in the order in which they are told.
    pub const ALL: [StateItem; 5] = [
        StateItem::Configuration,
        StateItem::Contracts,
        StateItem::Cache,
        StateItem::Limits,
        StateItem::Tokens,
    ];

    /// The word by which objectives and files speak of it.
    pub fn word(self) -> &'static str {
        match self {
            StateItem::Configuration => "configuration",
            StateItem::Contracts => "contracts",
            StateItem::Cache => "cache",
            StateItem::Limits => "limits",
            StateItem::Tokens => "tokens",
        }
    }
}

/// What a recovery point objective bounds: how old an item that is lost may be, or the oldest of
/// all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoveryPoint {
    /// Of which item; `None` = of all that there are.
    pub item: Option<StateItem>,
    /// How old it is at most.
    pub most: Span,
}

/// What becomes of an item in a disruption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateLoss {
    /// The scenario has no such thing, …
    Absent {
        /// … and what would give it one.
        remedy: &'static str,
    },
    /// It is there afterwards, and why.
    Kept(&'static str),
    /// It is lost, and why.
    Lost {
        /// How old it was at most.
        most: Span,
        /// Why.
        why: &'static str,
    },
}

impl StateLoss {
    /// How old what is lost was at most: zero if nothing is; `None` if there is no such thing.
    pub fn most(&self) -> Option<Span> {
        match self {
            StateLoss::Absent { .. } => None,
            StateLoss::Kept(_) => Some(Span::ZERO),
            StateLoss::Lost { most, .. } => Some(*most),
        }
    }

    /// Why it is lost, or is not; `None` if there is no such thing.
    pub fn why(&self) -> Option<&'static str> {
        match self {
            StateLoss::Absent { .. } => None,
            StateLoss::Kept(why) | StateLoss::Lost { why, .. } => Some(why),
        }
    }

    /// The word that files use.
    pub fn word(&self) -> &'static str {
        match self {
            StateLoss::Absent { .. } => "absent",
            StateLoss::Kept(_) => "kept",
            StateLoss::Lost { .. } => "lost",
        }
    }
}

/// How much of a gateway a fault takes at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TakenAtOnce {
    /// A region with all that it has.
    Region,
    /// Clients go to another one, and it is still there.
    Clients,
    /// Some replicas, perhaps several at once, …
    Replicas,
    /// … or one after the other, so that others have copies.
    OneByOne,
    /// None.
    Nothing,
}

impl TakenAtOnce {
    fn by(fault: &Fault, nodes_hold_one: bool) -> TakenAtOnce {
        let is_one =
            |target: &ReplicaTarget| matches!(target, ReplicaTarget::Any | ReplicaTarget::Slot(_));
        match fault {
            Fault::RegionOutage(_) => TakenAtOnce::Region,
            Fault::PlannedFailover(_) => TakenAtOnce::Clients,
            Fault::ReplicaCrash(target) | Fault::ReplicaHang(target) if is_one(target) => {
                TakenAtOnce::OneByOne
            }
            Fault::NodeLoss(target, _) if is_one(target) && nodes_hold_one => TakenAtOnce::OneByOne,
            Fault::Rollout(_) => TakenAtOnce::OneByOne,
            fault if fault.takes_replicas() => TakenAtOnce::Replicas,
            _ => TakenAtOnce::Nothing,
        }
    }
}

/// What becomes of each item.
pub type StateLosses = [(StateItem, StateLoss); StateItem::ALL.len()];

impl Plan {
    /// What a fault does to each item of the state that its gateway has, or its region.
    pub fn state_after(&self, fault: usize) -> StateLosses {
        let gateway = self.gateway_of(fault);
        let nodes_hold_one = gateway.nodes.per_zone.is_some() && gateway.nodes.room == 1;
        let fault_kind = &self.faults[fault].fault;
        let taken = match TakenAtOnce::by(fault_kind, nodes_hold_one) {
            // Behind an ingress that is gone everything is there, and nobody comes to it.
            TakenAtOnce::Nothing if self.leaves_region(fault) => TakenAtOnce::Clients,
            taken => taken,
        };
        self.state(fault, taken)
    }

    /// What of each item of a region, of several, clients do not find that a fault has led to
    /// another one.
    pub fn state_elsewhere(&self, fault: usize) -> StateLosses {
        let is_lost = matches!(self.faults[fault].fault, Fault::RegionOutage(_));
        self.state(fault, if is_lost { TakenAtOnce::Region } else { TakenAtOnce::Clients })
    }

    fn state(&self, fault: usize, taken: TakenAtOnce) -> StateLosses {
        let gateway = self.gateway_of(fault);
        let home = self.regions.as_ref().and_then(|regions| regions.control_plane.as_ref());
        let region = self.region_of(fault);
        // The control plane is lost with its region, not when clients leave that.
        let goes_along = taken == TakenAtOnce::Region && home.map(|(home, _)| *home) == region;
        let lost = self.regions.as_ref().filter(|_| goes_along && home.is_some());
        let data_loss = lost.map(|regions| regions.data_loss);
        StateItem::ALL.map(|item| {
            let loss = match item {
                StateItem::Configuration => {
                    configuration(data_loss, taken == TakenAtOnce::Region && home.is_none())
                }
                StateItem::Contracts => gateway.contracts_after(data_loss),
                StateItem::Cache => gateway.caches_after(taken),
                StateItem::Limits => gateway.limits_after(taken),
                StateItem::Tokens => gateway.tokens_after(taken),
            };
            (item, loss)
        })
    }

    /// The region that a fault strikes, of several.
    pub fn region_of(&self, fault: usize) -> Option<usize> {
        self.regions.as_ref()?.of_fault[fault]
    }

    /// The gateway that a fault strikes, or all of them together.
    fn gateway_of(&self, fault: usize) -> &Plan {
        let regions = self.regions.as_ref().zip(self.region_of(fault));
        regions.map_or(self, |(regions, region)| &regions.all[region].gateway)
    }

    /// The faults that may begin in a window and by which a region is lost or left.
    pub fn regions_left_in(&self, window: usize) -> Vec<usize> {
        let may_begin = |fault: usize| match (self.windows[window].extent, &self.faults[fault]) {
            (Extent::Run, _) => true,
            (Extent::During(other), _) => other == fault,
            (Extent::Between(from, to), FaultPlan { schedule, .. }) => match schedule {
                Schedule::At(at) => from <= *at && *at < to,
                Schedule::Random(_) | Schedule::After(_) => true,
                Schedule::Elsewhere => false,
            },
        };
        let all = 0..self.faults.len();
        all.filter(|fault| self.leaves_region(*fault) && may_begin(*fault)).collect()
    }

    /// The oldest that may be lost of an item, or of all, in a window, which item that is and why;
    /// `None` if no region is left in it, or the scenario has no such thing.
    pub fn recovery_point(
        &self,
        window: usize,
        item: Option<StateItem>,
    ) -> Option<(Span, StateItem, StateLoss)> {
        let losses = self.regions_left_in(window).into_iter().flat_map(|f| self.state_after(f));
        let losses = losses.filter(|(one, _)| item.is_none_or(|item| item == *one));
        let mut oldest: Option<(Span, StateItem, StateLoss)> = None;
        for (one, loss) in losses {
            let Some(most) = loss.most() else { continue };
            if oldest.as_ref().is_none_or(|(known, ..)| most > *known) {
                oldest = Some((most, one, loss));
            }
        }
        oldest
    }

    /// Whether a fault is the loss of a region, or clients are led away from one.
    pub fn leaves_region(&self, fault: usize) -> bool {
        self.regions.is_some() && self.faults[fault].fault.leads_away()
    }

    fn apis(&self) -> &[Api] {
        &self.dependencies.apis
    }

    /// The policies that any API has.
    pub fn used_policies(&self) -> impl Iterator<Item = &Policy> {
        let used = |index: &usize| self.apis().iter().any(|api| api.policies.contains(index));
        let all = self.dependencies.policies.iter().enumerate();
        all.filter(move |(index, _)| used(index)).map(|(_, policy)| policy)
    }

    fn contracts_after(&self, data_loss: Option<Span>) -> StateLoss {
        let remedy = "contracts = true in [gateway]";
        match data_loss {
            _ if self.startup.contracts.is_none() => StateLoss::Absent { remedy },
            Some(most) => lost(most, "the control plane is lost too"),
            None => StateLoss::Kept("the control plane has them, and is not lost"),
        }
    }

    fn caches_after(&self, taken: TakenAtOnce) -> StateLoss {
        let caches = self.used_policies().filter_map(|policy| match &policy.kind {
            PolicyKind::Cache(spec) => Some(spec),
            _ => None,
        });
        let is_copied = |shared: bool, copies: usize, persist: bool| match taken {
            TakenAtOnce::Region | TakenAtOnce::Clients => false,
            TakenAtOnce::Replicas => !shared && persist,
            TakenAtOnce::OneByOne => {
                if shared {
                    copies > 0
                } else {
                    persist
                }
            }
            TakenAtOnce::Nothing => true,
        };
        let mut found = None;
        for spec in caches {
            let kept = is_copied(spec.shared, spec.replication, spec.persist);
            let age = if kept { Span::ZERO } else { spec.ttl };
            found = found.max(Some(age));
        }
        let why = match taken {
            TakenAtOnce::Region | TakenAtOnce::Clients => "each region has its own",
            _ => "those of the lost replicas",
        };
        let remedy = "a [[policy]] of kind \"cache\" that an API has";
        let kept = match taken {
            TakenAtOnce::Nothing => "no replica is lost",
            _ => "there is a copy",
        };
        of_age(found, (why, kept), remedy)
    }

    fn limits_after(&self, taken: TakenAtOnce) -> StateLoss {
        let limits = self.used_policies().filter_map(|policy| match &policy.kind {
            PolicyKind::Limit { spec, .. } => Some(spec),
            _ => None,
        });
        let mut found = None;
        for spec in limits {
            let kept = match taken {
                TakenAtOnce::Region | TakenAtOnce::Clients => false,
                TakenAtOnce::Nothing => true,
                _ => spec.sharing != Sharing::PerReplica,
            };
            found = found.max(Some(if kept { Span::ZERO } else { remembers(spec) }));
        }
        let why = match taken {
            TakenAtOnce::Region | TakenAtOnce::Clients => "each region counts for itself",
            _ => "each replica counts for itself",
        };
        let kept = match taken {
            TakenAtOnce::Nothing => "no replica is lost",
            _ => "replicas share their storage",
        };
        let remedy = "a [[policy]] of kind \"rate-limit\" or \"spike-control\" that an API has";
        of_age(found, (why, kept), remedy)
    }

    fn tokens_after(&self, taken: TakenAtOnce) -> StateLoss {
        let issued = self.used_policies().filter_map(|policy| match &policy.kind {
            PolicyKind::Authentication { regional, .. } => Some(*regional),
            _ => None,
        });
        let leaves = matches!(taken, TakenAtOnce::Region | TakenAtOnce::Clients);
        let age = |regional: Option<Span>| regional.filter(|_| leaves).unwrap_or_default();
        let why = "everybody signs in again";
        let kept = match leaves {
            true => "any region can check them, as assumed",
            false => "whoever issues them is not lost",
        };
        let remedy = "a [[policy]] of kind \"authentication\" that an API has";
        of_age(issued.map(age).max(), (why, kept), remedy)
    }
}

fn lost(most: Span, why: &'static str) -> StateLoss {
    StateLoss::Lost { most, why }
}

/// What is lost where something is that old; nothing if it has no age.
fn of_age(
    most: Option<Span>,
    (why, kept): (&'static str, &'static str),
    remedy: &'static str,
) -> StateLoss {
    match most {
        None => StateLoss::Absent { remedy },
        Some(Span::ZERO) => StateLoss::Kept(kept),
        Some(most) => lost(most, why),
    }
}

fn configuration(data_loss: Option<Span>, is_assumed: bool) -> StateLoss {
    match data_loss {
        Some(most) => lost(most, "the control plane is lost too"),
        None if is_assumed => StateLoss::Kept("the control plane is elsewhere, as assumed"),
        None => StateLoss::Kept("the control plane is not lost"),
    }
}

/// How far back a limit counts.
fn remembers(spec: &LimitSpec) -> Span {
    match &spec.algorithm {
        Algorithm::FixedWindow { quotas, .. } => {
            quotas.iter().map(|quota| quota.window).max().unwrap_or_default()
        }
        // A bucket that was empty is full after so long.
        Algorithm::TokenBucket { per_sec, size } => Span::from_secs(*size as f64 / per_sec.0),
        Algorithm::SlidingWindow { window, .. } => *window,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Regions;

    const BASE: &str = "question = \"?\"\ntraffic.rate = \"100/s\"\nrun.horizon = \"10m\"\n\
                        [gateway]\ntier = \"small\"\ncontracts = true\n[clients]\ncount = 5\n";
    const REGIONS: &str = "[[region]]\nname = \"x\"\n[[region]]\nname = \"y\"\n";

    /// Everything that a gateway may keep.
    const KEEPS: &str = "[[policy]]\nname = \"c\"\nkind = \"cache\"\nttl = \"10m\"\n\
        [[policy]]\nname = \"d\"\nkind = \"cache\"\nttl = \"2m\"\n\
        [[policy]]\nname = \"l\"\nkind = \"rate-limit\"\nquotas = [\"100/10s\", \"9000/1h\"]\n\
        [[policy]]\nname = \"t\"\nkind = \"authentication\"\ncpu = \"0.1ms\"\n\
        token-lifetime = \"8h\"\n\
        [[upstream]]\nname = \"u\"\nlatency = \"5ms\"\n\
        [[api]]\nname = \"a\"\nupstream = \"u\"\npolicies = [\"c\", \"d\", \"l\", \"t\"]\n\
        contracts = true\n";

    fn plan(text: &str) -> Plan {
        let loaded = crate::scenario::read::parse("a.toml", text, std::path::Path::new(""));
        loaded.scenario.unwrap_or_else(|| panic!("{:?}\n{text}", loaded.problems)).plan
    }

    /// How old what a fault takes of each item is at most.
    fn most(text: &str, kind: &str) -> [Option<f64>; 5] {
        let fault = format!("[[fault]]\nat = \"1m\"\nkind = {kind}\n");
        let plan = plan(&format!("{BASE}{text}{fault}"));
        plan.state_after(0).map(|(_, loss)| loss.most().map(Span::as_secs))
    }

    #[test]
    fn a_region_is_lost_with_all_that_has_no_copy_in_another() {
        let outage = "\"region-outage\"\nregion = \"x\"\nfor = \"2m\"";
        let there = format!("{REGIONS}{KEEPS}");
        let (hour, eight) = (Some(3_600.0), Some(28_800.0));
        let none = Some(0.0);
        assert_eq!(most(&there, outage), [none, none, Some(600.0), hour, eight]);
        // The control plane goes along, with a day or as much as is said.
        let home = |name: &str| format!("{there}[control-plane]\nhome = {name:?}\n");
        let day = Some(86_400.0);
        assert_eq!(most(&home("x"), outage), [day, day, Some(600.0), hour, eight]);
        assert_eq!(most(&home("y"), outage)[..2], [none, none]);
        let less = format!("{}data-loss = \"15m\"\n", home("x"));
        assert_eq!(most(&less, outage)[0], Some(900.0));
        // Who leaves on purpose leaves no control plane behind.
        let left = outage.replace("region-outage", "planned-failover");
        assert_eq!(most(&home("x"), &left), [none, none, Some(600.0), hour, eight]);
        assert_eq!(most(REGIONS, outage), [none, none, None, None, None]);
    }

    #[test]
    fn below_a_region_only_what_replicas_have_for_themselves_is_lost() {
        let none = Some(0.0);
        let all = [none, none, none, none, none];
        let crash = "\"replica-crash\"";
        assert_eq!(most(&KEEPS.replace("ttl = ", "shared = true\nttl = "), crash), all);
        let own = KEEPS
            .replace("ttl = ", "shared = false\nttl = ")
            .replace("quotas", "sharing = \"per-replica\"\nquotas");
        assert_eq!(most(&own, crash), [none, none, Some(600.0), Some(3_600.0), none]);
        let persists = own.replace("ttl = ", "persist = true\nttl = ");
        assert_eq!(most(&persists, crash)[2], none);
        // Those with the copies may be lost together.
        let zone = "\"zone-outage\"\nfor = \"1m\"";
        let shared = KEEPS.replace("ttl = ", "shared = true\nttl = ");
        assert_eq!(most(&shared, zone), [none, none, Some(600.0), none, none]);
        assert_eq!(most(&own, "\"control-plane-outage\"\nfor = \"1m\""), all);
    }

    #[test]
    fn the_oldest_item_decides_of_the_regions_that_are_left_in_a_window() {
        let text = format!(
            "objectives = [\"rpo < 1d\", \"rpo < 1d for cache\", \"rpo < 1h from 5m to 6m\"]\n\
             {BASE}{REGIONS}{KEEPS}[control-plane]\nhome = \"y\"\ndata-loss = \"20h\"\n\
             [[fault]]\nkind = \"region-outage\"\nregion = \"x\"\nat = \"1m\"\nfor = \"1m\"\n\
             [[fault]]\nkind = \"region-outage\"\nregion = \"y\"\nat = \"5m\"\nfor = \"1m\"\n"
        );
        let plan = plan(&text);
        let found = |window, item| {
            let (most, item, _) = plan.recovery_point(window, item).unwrap();
            (most.as_secs() / 3_600.0, item)
        };
        assert_eq!(found(0, None), (20.0, StateItem::Configuration));
        assert_eq!(found(0, Some(StateItem::Limits)), (1.0, StateItem::Limits));
        assert_eq!(plan.regions_left_in(0), [0, 1]);
        assert_eq!(plan.regions_left_in(1), [1]);
        let of_first = plan.windows.iter().position(|w| w.extent == Extent::During(0)).unwrap();
        assert_eq!(found(of_first, None), (8.0, StateItem::Tokens));
        let regions: &Regions = plan.regions.as_ref().unwrap();
        assert_eq!(regions.data_loss.as_secs(), 72_000.0);
    }
}
