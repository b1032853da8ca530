//! Which regions serve: what is found out about their health, what is decided, and when clients
//! learn of it.
//!
//! ```text
//! healthy ─ checks fail ─► unhealthy ─ decision ─► does not serve
//!    ▲                                                   │
//!    └── serves ◄─ failback ◄─ healthy again ◄───────────┘
//! ```
//!
//! A decision that has been overtaken is void. Where nothing serves, the rule for that holds. While
//! the manager is frozen nothing is changed; what was decided meanwhile holds from its end on. A
//! region that is left on purpose does not serve, whatever its health.

use crate::plan::{AllUnhealthy, Failback, RegionRole, Regions};
use crate::random::{Seed, Stream};
use crate::units::Span;

/// What is known and decided about a region.
#[derive(Clone, Copy, Debug)]
struct Standing {
    healthy: bool,
    serves: bool,
    /// Faults by which it is left on purpose.
    left: u32,
    /// Counts changes of its health: a decision on an earlier one is void.
    change: u32,
}

/// The traffic manager.
#[derive(Clone, Debug)]
pub(super) struct Manager {
    standings: Vec<Standing>,
    /// Faults that freeze it.
    frozen: u32,
    /// What clients are answered now.
    pub answered: Vec<bool>,
    stream: Stream,
}

impl Manager {
    /// Where every region that runs is healthy.
    pub fn new(runs: &[bool], seed: Seed) -> Self {
        let standing = |runs: &bool| Standing { healthy: *runs, serves: *runs, left: 0, change: 0 };
        let standings: Vec<Standing> = runs.iter().map(standing).collect();
        let stream = seed.stream("region decisions", 0);
        Manager { standings, frozen: 0, answered: runs.to_vec(), stream }
    }

    /// The health of a region is found to be this; gives when that is acted upon and the number of
    /// the change, if it is one and is acted upon at all.
    pub fn find(
        &mut self,
        regions: &Regions,
        region: usize,
        healthy: bool,
    ) -> Option<(Option<Span>, u32)> {
        let standing = &mut self.standings[region];
        if standing.healthy == healthy {
            return None;
        }
        standing.healthy = healthy;
        standing.change += 1;
        let change = standing.change;
        let manager = &regions.manager;
        let after = match (healthy, regions.all[region].role, &manager.failback) {
            (false, ..) => Some(manager.decision.draw(&mut self.stream)),
            // Nobody comes back to what stood by: it is just there.
            (true, RegionRole::Standby | RegionRole::Cold, _) => Some(Span::ZERO),
            (true, RegionRole::Active, Failback::After(law)) => Some(law.draw(&mut self.stream)),
            (true, RegionRole::Active, Failback::Never) => None,
        };
        Some((after, change))
    }

    /// What was decided on the health of a region takes effect, if it was not overtaken; says
    /// whether it was not.
    pub fn decide(&mut self, region: usize, change: u32) -> bool {
        let standing = &mut self.standings[region];
        assert!(change <= standing.change, "region {region} has not come to change {change}");
        let holds = standing.change == change;
        if holds {
            standing.serves = standing.healthy;
        }
        holds
    }

    /// A region is left on purpose, or that is over.
    pub fn leave(&mut self, region: usize, begins: bool) {
        let left = &mut self.standings[region].left;
        *left = if begins { *left + 1 } else { left.checked_sub(1).expect("it was left") };
    }

    /// Nothing can be changed, or it can again.
    pub fn freeze(&mut self, begins: bool) {
        let frozen = &mut self.frozen;
        *frozen = if begins { *frozen + 1 } else { frozen.checked_sub(1).expect("it was frozen") };
    }

    /// What clients are to be answered; `None` if that stays as it is.
    pub fn change(&mut self, regions: &Regions) -> Option<&[bool]> {
        if self.frozen > 0 {
            return None;
        }
        let serves = |standing: &Standing| standing.serves && standing.left == 0;
        let mut wanted: Vec<bool> = self.standings.iter().map(serves).collect();
        if !wanted.contains(&true) {
            match regions.manager.unhealthy {
                AllUnhealthy::All => {
                    wanted = regions.all.iter().map(|one| one.role != RegionRole::Cold).collect()
                }
                AllUnhealthy::Stay => return None,
            }
        }
        if wanted == self.answered {
            return None;
        }
        assert!(wanted.contains(&true), "clients are led nowhere");
        self.answered = wanted;
        Some(&self.answered)
    }

    /// The cold region that is to be deployed: the first, if no other one is left to serve.
    pub fn cold_one(&self, regions: &Regions) -> Option<usize> {
        let serves = |region: usize| {
            let Standing { serves, left, .. } = self.standings[region];
            serves && left == 0
        };
        let all = 0..regions.all.len();
        let nobody = all.clone().all(|region| !serves(region));
        all.into_iter().find(|region| nobody && regions.all[*region].role == RegionRole::Cold)
    }
}
