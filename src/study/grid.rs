//! The cells of a grid of settings.
//!
//! A grid may have so many cells that their scenarios do not fit into memory: each is read when it
//! is needed, again if need be, and has to be what it was.

use std::borrow::Cow;

use crate::engine::digest::fnv_1a;
use crate::experiment::store::{self, ReplicationKey};
use crate::plan::Run;
use crate::scenario::Scenario;

/// Cells whose scenarios are held.
pub const HELD: usize = 1_000;

/// A scenario with every combination of some settings.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepGrid {
    /// The scenario of the first cell.
    pub first: Scenario,
    /// The cells, in order; at least one.
    pub cells: Vec<GridCell>,
}

/// A combination of settings.
#[derive(Clone, Debug, PartialEq)]
pub struct GridCell {
    /// What sets it apart.
    pub name: String,
    /// All that is changed in the scenario.
    pub changes: Vec<String>,
    /// How it is run.
    pub run: Run,
    /// The digest of its plan.
    plan: u64,
    /// Its scenario, of the first [`HELD`].
    held: Option<Box<Scenario>>,
}

impl GridCell {
    /// The name of one of its replications.
    pub fn key(&self, replication: u64) -> ReplicationKey {
        ReplicationKey { plan: self.plan, replication }
    }
}

/// Reads the scenario of a cell.
pub type ReadCell<'r> = &'r (dyn Fn(&GridCell) -> Option<Scenario> + Sync);

/// A cell whose scenario is not what it was when the grid was read.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0}: the scenario is not what it was at the start\n  = help: it, or a file that it names, was \
     changed meanwhile: begin anew"
)]
pub struct CellChanged(String);

impl SweepGrid {
    /// A grid of one cell so far.
    pub fn new(name: String, scenario: Scenario) -> SweepGrid {
        let mut grid = SweepGrid { first: scenario.clone(), cells: Vec::new() };
        grid.add(name, scenario);
        grid
    }

    /// Adds a cell, which gets the seed and the replications of the first.
    pub fn add(&mut self, name: String, mut scenario: Scenario) {
        self.aligned(&mut scenario);
        let (changes, run) = (scenario.changes.clone(), scenario.plan.run);
        let plan = store::digest(&scenario.plan);
        let held = (self.cells.len() < HELD).then(|| Box::new(scenario));
        self.cells.push(GridCell { name, changes, run, plan, held });
    }

    /// The digest of all plans.
    pub fn plans(&self) -> u64 {
        let plans: Vec<u8> = self.cells.iter().flat_map(|cell| cell.plan.to_le_bytes()).collect();
        fnv_1a(&plans)
    }

    /// The scenario of a cell: as it is held, else read anew.
    ///
    /// # Errors
    /// It is not what it was.
    pub fn scenario<'g>(
        &'g self,
        cell: &'g GridCell,
        read: ReadCell<'_>,
    ) -> Result<Cow<'g, Scenario>, CellChanged> {
        if let Some(held) = &cell.held {
            return Ok(Cow::Borrowed(held));
        }
        let changed = || CellChanged(cell.name.clone());
        let mut scenario = read(cell).ok_or_else(changed)?;
        self.aligned(&mut scenario);
        match store::digest(&scenario.plan) == cell.plan {
            true => Ok(Cow::Owned(scenario)),
            false => Err(changed()),
        }
    }

    /// Gives a scenario the seed and the number of replications that all cells have.
    fn aligned(&self, scenario: &mut Scenario) {
        let Run { seed, replications, .. } = self.first.plan.run;
        (scenario.plan.run.seed, scenario.plan.run.replications) = (seed, replications);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report;

    fn grid(count: usize) -> SweepGrid {
        let mut grid = SweepGrid::new("cell 0".to_owned(), report::sample::scenario());
        (1..count).for_each(|index| grid.add(format!("cell {index}"), report::sample::scenario()));
        grid
    }

    #[test]
    fn cells_have_the_seed_and_replications_of_the_first() {
        let mut grid = grid(1);
        let mut other = report::sample::scenario();
        (other.plan.run.seed, other.plan.run.replications) = (77, 99);
        grid.add("other".to_owned(), other);
        assert_eq!(grid.cells[1].run, grid.cells[0].run);
    }

    #[test]
    fn what_is_not_held_is_read_again_and_must_be_the_same() {
        let grid = grid(HELD + 1);
        let same = |_: &GridCell| Some(report::sample::scenario());
        let other = |_: &GridCell| {
            let mut scenario = report::sample::scenario();
            scenario.plan.gateway.cores.0 += 1.0;
            Some(scenario)
        };
        let (held, beyond) = (&grid.cells[0], &grid.cells[HELD]);
        assert!(matches!(grid.scenario(held, &|_| None), Ok(Cow::Borrowed(_))));
        let read = grid.scenario(beyond, &same).unwrap().into_owned();
        assert_eq!(read.plan, grid.first.plan);
        for wrong in [&other as ReadCell<'_>, &|_: &GridCell| None] {
            let said = grid.scenario(beyond, wrong).unwrap_err().to_string();
            assert!(said.starts_with("cell 1000: the scenario is not what it was"), "{said}");
        }
    }
}
