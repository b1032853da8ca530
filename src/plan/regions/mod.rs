//! Several regions, each with a gateway of its own, and what leads clients to them.
//!
//! [`Regions`] has the regions and their [`TrafficManager`]: what its checks ask, what is decided
//! on them, and how clients learn of that. `join` makes one plan of it, with what all regions have
//! in common where a plan of one gateway has its own. `state` says what of a gateway's state is
//! lost with a region, or with a part of one.
//!
//! It owns what these types are, and no rule of what happens: that is `model/global`. It may ask
//! for the other parts of a plan, for laws and for quantities. Begin with [`Regions`].

mod join;
mod state;

use super::Plan;
use crate::random::Law;
use crate::units::{Share, Span};

pub use state::{RecoveryPoint, StateItem, StateLoss, StateLosses};

/// Regions that clients share.
#[derive(Clone, Debug, PartialEq)]
pub struct Regions {
    /// At least one of them; active ones before those that stand by, which are taken in this
    /// order.
    pub all: Vec<RegionPlan>,
    /// How a client is given one of several regions that are meant for it.
    pub steering: Steering,
    /// What tells clients where to go.
    pub manager: TrafficManager,
    /// The region whose loss takes the control plane along, and how long that takes to recover
    /// after the region is back.
    pub control_plane: Option<(usize, Law)>,
    /// How old the configuration may be that the control plane has after it has recovered.
    pub data_loss: Span,
    /// The region that each fault of the plan strikes, or leads clients away from; `None` = what
    /// they share.
    pub of_fault: Vec<Option<usize>>,
}

/// A region: a gateway, and its part in the whole.
#[derive(Clone, Debug, PartialEq)]
pub struct RegionPlan {
    /// Its name.
    pub name: String,
    /// What it is there for.
    pub role: RegionRole,
    /// Its share of the clients, as against those of the others that serve; above 0.
    pub weight: f64,
    /// How far clients are from it.
    pub round_trip: RoundTrip,
    /// What its gateway is. Its traffic is what all regions together get; faults and windows are
    /// those of all regions, in the same order.
    pub gateway: Plan,
}

/// How long a request and its answer are on the way between clients and a region, together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoundTrip {
    /// Of clients whose home it is.
    pub own: Span,
    /// Of those whose home is another region.
    pub others: Span,
}

/// What a region is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionRole {
    /// It serves clients whenever it is healthy.
    Active,
    /// It runs, and serves clients while no active region is healthy.
    Standby,
    /// Nothing of it runs until it is deployed through the control plane, which is decided with
    /// the fail-over to it.
    Cold,
}

/// How clients are spread over the regions that serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steering {
    /// By weight, again and again among those that are healthy.
    Weighted,
    /// A client belongs to one region, as many to each as its weight says. If that is not healthy
    /// all of them go to the next one in order.
    Nearest,
}

/// What tells clients where to go.
#[derive(Clone, Debug, PartialEq)]
pub struct TrafficManager {
    /// How clients learn of a change.
    pub routing: Routing,
    /// How the health of regions is found out; without it a change is made by plan alone.
    pub check: Option<RegionCheck>,
    /// From the detection until a change is made; a person may have to decide.
    pub decision: Law,
    /// When clients go back to a region that is healthy again.
    pub failback: Failback,
    /// What is done where no region is healthy.
    pub unhealthy: AllUnhealthy,
    /// Clients that move together, because they share a resolver; at least 1.
    pub groups: usize,
}

/// How clients learn of a change.
#[derive(Clone, Debug, PartialEq)]
pub enum Routing {
    /// By DNS: each group keeps the answer that it has until it expires, and a connection that
    /// works beyond that.
    Dns {
        /// Time to live of an answer.
        ttl: Span,
        /// Share of the groups whose resolver keeps answers for longer, …
        stragglers: Share,
        /// … and for how much longer.
        overtime: Law,
        /// How long clients use a connection that works; zero = for one request.
        connections: Law,
    },
    /// At once for all, so long after the change was made: behind a proxy, or by anycast.
    AtOnce(Law),
}

/// How the health of regions is found out.
#[derive(Clone, Debug, PartialEq)]
pub struct RegionCheck {
    /// What a check asks.
    pub asks: Asks,
    /// Between the beginnings of two checks from one location, in any phase.
    pub interval: Span,
    /// After which silence counts as a failure.
    pub timeout: Span,
    /// Failures in a row from which on a location takes a region for unhealthy; at least 1.
    pub failures: u32,
    /// Successes in a row from which on it takes it for healthy again; at least 1.
    pub successes: u32,
    /// Locations that ask, each by itself; at least 1.
    pub locations: usize,
    /// A region is healthy while more than this share of the locations take it for healthy.
    pub quorum: Share,
}

/// What a health check asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// Whether the ingress answers.
    Ingress,
    /// Whether a replica behind it answers.
    Replica,
    /// Whether an API behind that answers as it should.
    Api,
}

/// When clients go back to a region that is healthy again.
#[derive(Clone, Debug, PartialEq)]
pub enum Failback {
    /// After it was healthy for so long.
    After(Law),
    /// Not in the run.
    Never,
}

/// What is done where no region is healthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllUnhealthy {
    /// All are taken for healthy.
    All,
    /// Everything stays as it is.
    Stay,
}

impl Regions {
    /// The regions that serve while all are healthy.
    pub fn active(&self) -> impl Iterator<Item = usize> {
        let active = |region: &RegionPlan| region.role == RegionRole::Active;
        (0..self.all.len()).filter(move |region| active(&self.all[*region]))
    }

    /// The share of the clients that each region is given, where these serve and everybody knows:
    /// each client stays at its home if that serves. Else clients are spread over the active ones
    /// that do by weight, or go to the next; where none does, all go to the first standby that
    /// does. All are zero where nothing serves.
    ///
    /// # Panics
    /// If `serves` does not speak of every region.
    pub fn shares(&self, serves: &[bool]) -> Vec<f64> {
        assert_eq!(serves.len(), self.all.len(), "each region serves or does not");
        let mut shares = vec![0.0; self.all.len()];
        let weight = |region: &usize| self.all[*region].weight;
        let (there, away): (Vec<usize>, Vec<usize>) = self.active().partition(|one| serves[*one]);
        let kept: f64 = there.iter().map(weight).sum();
        let all = kept + away.iter().map(weight).sum::<f64>();
        if there.is_empty() {
            let stands_by = |one: &usize| self.all[*one].role != RegionRole::Active && serves[*one];
            if let Some(standby) = (0..self.all.len()).find(stands_by) {
                shares[standby] = 1.0;
            }
            return shares;
        }
        there.iter().for_each(|one| shares[*one] = weight(one) / all);
        for home in away {
            let part = weight(&home) / all;
            match self.steering {
                Steering::Weighted => {
                    there.iter().for_each(|one| shares[*one] += part * weight(one) / kept);
                }
                Steering::Nearest => shares[self.next_to(home, &there)] += part,
            }
        }
        shares
    }

    /// The next region to one, of some.
    ///
    /// # Panics
    /// If there are none.
    pub fn next_to(&self, home: usize, among: &[usize]) -> usize {
        let count = self.all.len();
        let after = |region: &usize| (region + count - home) % count;
        among.iter().copied().min_by_key(after).expect("there is a next one")
    }
}

#[cfg(test)]
impl Regions {
    /// Active regions of these weights, then so many that stand by.
    pub(crate) fn of_weights(weights: &[f64], standbys: usize, steering: Steering) -> Regions {
        let all = weights.iter().map(|weight| (RegionRole::Active, *weight));
        let standbys = std::iter::repeat_n((RegionRole::Standby, 1.0), standbys);
        let region = |(role, weight)| RegionPlan {
            name: "x".to_owned(),
            role,
            weight,
            round_trip: RoundTrip::default(),
            gateway: Plan::neutral(),
        };
        Regions {
            all: all.chain(standbys).map(region).collect(),
            steering,
            manager: TrafficManager {
                routing: Routing::AtOnce(Law::ZERO),
                check: None,
                decision: Law::ZERO,
                failback: Failback::Never,
                unhealthy: AllUnhealthy::Stay,
                groups: 1_000,
            },
            control_plane: None,
            data_loss: Span::ZERO,
            of_fault: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_of_a_lost_region_are_spread_by_weight_or_go_to_the_next() {
        let weighted = Regions::of_weights(&[2.0, 1.0, 1.0], 1, Steering::Weighted);
        assert_eq!(weighted.shares(&[true; 4]), [0.5, 0.25, 0.25, 0.0]);
        assert_eq!(weighted.shares(&[false, true, true, true]), [0.0, 0.5, 0.5, 0.0]);
        assert_eq!(weighted.shares(&[true, false, true, true]), [2.0 / 3.0, 0.0, 1.0 / 3.0, 0.0]);
        let nearest = Regions::of_weights(&[2.0, 1.0, 1.0], 1, Steering::Nearest);
        assert_eq!(nearest.shares(&[false, true, true, true]), [0.0, 0.75, 0.25, 0.0]);
        assert_eq!(nearest.shares(&[true, true, false, true]), [0.75, 0.25, 0.0, 0.0]);
    }

    #[test]
    fn a_standby_gets_all_where_no_active_region_serves() {
        let one = Regions::of_weights(&[1.0], 2, Steering::Weighted);
        assert_eq!(one.shares(&[false, true, true]), [0.0, 1.0, 0.0]);
        assert_eq!(one.shares(&[false, false, true]), [0.0, 0.0, 1.0]);
        assert_eq!(one.shares(&[false; 3]), [0.0; 3]);
    }
}
