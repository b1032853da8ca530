//! A scenario over a grid of settings.
//!
//! The cells of the grid run one after the other, all with the same seed: replication i of every
//! cell has the same random numbers as far as the cells have it in common, so that a curve over the
//! cells shows the settings and not the draw. A cell is handed on when it is complete; what it
//! simulated is then forgotten, so a grid takes no more memory than its largest cell.
//!
//! A shard has no use for what cells come to: it simulates its units of all cells side by side and
//! lets go of them. Where cells go on until they are precise, each is one unit.

use crate::experiment::{Experiment, Retention, Runner};
use crate::scenario::Scenario;
use crate::study::grid::{CellChanged, GridCell, ReadCell, SweepGrid};
use crate::study::precision::{self, Precision};

/// The most cells of a grid.
pub const CELLS_MOST: usize = 100_000;

/// How much is done for each cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Effort {
    /// So many replications.
    Replications(usize),
    /// As many as it takes to be so precise.
    Precision(Precision),
}

impl Effort {
    /// The most replications of a cell.
    pub fn most(&self) -> usize {
        match self {
            Effort::Replications(count) => *count,
            Effort::Precision(precision) => precision.most,
        }
    }

    /// Looks at the figures of a cell, by which its intervals are corrected, if its scenario asks
    /// for so many replications.
    pub fn looks(&self, asked: usize) -> usize {
        match self {
            Effort::Replications(_) => 1,
            Effort::Precision(precision) => precision.looks(asked).len(),
        }
    }
}

/// Runs the cells in order and hands on each that is complete, with its index and its scenario. If
/// it is stopped, the cell that is under way is dropped.
///
/// # Errors
/// The scenario of a cell has changed meanwhile.
///
/// # Panics
/// As [`crate::experiment::replicate`].
pub fn run(
    runner: &Runner<'_>,
    grid: &SweepGrid,
    read: ReadCell<'_>,
    effort: Effort,
    mut each: impl FnMut(usize, &Scenario, Experiment),
) -> Result<(), CellChanged> {
    if runner.partition().is_shard() {
        return share(runner, grid, read, effort);
    }
    let cells = &grid.cells;
    let horizon = |cell: &GridCell| cell.run.horizon.0;
    let left = cells.iter().map(horizon).fold(0, u64::saturating_add);
    let mut forecast = Forecast { left, cells_left: cells.len(), ..Forecast::default() };
    for (index, cell) in cells.iter().enumerate() {
        if runner.is_cancelled() {
            return Ok(());
        }
        runner.progress().enter(format!("cell {} of {}: {}", index + 1, cells.len(), cell.name));
        forecast.begin(horizon(cell));
        let expect = |count: usize| {
            let (replications, nanoseconds) = forecast.expected(count);
            runner.progress().expect(replications, nanoseconds);
        };
        let scenario = grid.scenario(cell, read)?;
        let run = one(&of_cell(runner, index, effort), &scenario, effort, expect);
        if run.interrupted && runner.is_cancelled() {
            return Ok(());
        }
        forecast.end(run.asked);
        if !run.interrupted {
            each(index, &scenario, run);
        }
    }
    Ok(())
}

/// The part of a shard, of all cells.
fn share(
    runner: &Runner<'_>,
    grid: &SweepGrid,
    read: ReadCell<'_>,
    effort: Effort,
) -> Result<(), CellChanged> {
    let count = match effort {
        Effort::Replications(count) => count,
        Effort::Precision(precision) => precision.looks(1)[0],
    };
    let horizons = grid.cells.iter().map(|cell| cell.run.horizon.0);
    let horizons = horizons.fold(0, u64::saturating_add).saturating_mul(count as u64);
    runner.progress().expect(count * grid.cells.len(), horizons);
    let numbered: Vec<(usize, &GridCell)> = grid.cells.iter().enumerate().collect();
    let done = runner.side_by_side(&numbered, |(index, cell)| {
        if !has_part(runner, cell, effort) {
            (0..count).for_each(|_| runner.pass(cell.run.horizon.0, 0));
        } else if !runner.is_cancelled() {
            let scenario = grid.scenario(cell, read)?;
            one(&of_cell(runner, *index, effort), &scenario, effort, |_| ());
        }
        Ok(())
    });
    done.into_iter().collect()
}

/// Whether any replication of a cell is simulated here, as far as that is known without its
/// scenario.
fn has_part(runner: &Runner<'_>, cell: &GridCell, effort: Effort) -> bool {
    let Effort::Replications(count) = effort else { return true };
    (0..count as u64).any(|index| runner.partition().has(cell.key(index).unit()))
}

/// Who simulates a cell: replications that are given by themselves, else the whole cell.
fn of_cell<'a>(runner: &Runner<'a>, index: usize, effort: Effort) -> Runner<'a> {
    match effort {
        Effort::Replications(_) => runner.clone(),
        Effort::Precision(_) => runner.as_unit(index as u64),
    }
}

fn one(
    runner: &Runner<'_>,
    scenario: &Scenario,
    effort: Effort,
    expect: impl Fn(usize),
) -> Experiment {
    // It shows whether warm-up was long enough.
    let retention = Retention::FirstTrace;
    match effort {
        Effort::Replications(count) => {
            expect(count);
            runner.run(&scenario.plan, count, retention)
        }
        Effort::Precision(precision) => {
            precision::run_within(runner, scenario, precision, retention, expect)
        }
    }
}

/// What was done, and what is left.
#[derive(Debug, Default)]
struct Forecast {
    /// Replications of the cells that ended.
    done: usize,
    /// Nanoseconds simulated in them.
    simulated: u64,
    /// Cells that ended.
    cells: usize,
    /// The horizon of the cell that is under way, in nanoseconds.
    horizon: u64,
    /// Cells after it.
    cells_left: usize,
    /// The sum of their horizons, in nanoseconds.
    left: u64,
}

impl Forecast {
    fn begin(&mut self, horizon: u64) {
        self.horizon = horizon;
        self.cells_left -= 1;
        self.left -= self.left.min(horizon);
    }

    fn end(&mut self, replications: usize) {
        self.done += replications;
        self.simulated =
            self.simulated.saturating_add(self.horizon.saturating_mul(replications as u64));
        self.cells += 1;
    }

    /// Replications and nanoseconds in all, if the cell under way takes `count` replications and
    /// those after it as many as those so far on average.
    fn expected(&self, count: usize) -> (usize, u64) {
        let later = (self.done + count).div_ceil(self.cells + 1);
        let replications = self.done + count + self.cells_left * later;
        let now = self.horizon.saturating_mul(count as u64);
        let later = self.left.saturating_mul(later as u64);
        (replications, self.simulated.saturating_add(now).saturating_add(later))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::experiment::Progress;
    use crate::experiment::store::{NoStore, OutcomeStore, ReplicationKey};
    use crate::observe::outcome::Outcome;
    use crate::report;
    use crate::units::Instant;

    fn grid(count: usize) -> SweepGrid {
        let cell = |index: usize| {
            let mut scenario = report::sample::scenario();
            scenario.plan.run.horizon = Instant::from_secs(200.0 + 10.0 * index as f64);
            scenario.plan.run.replications = 2;
            scenario.objectives.clear();
            scenario
        };
        let mut grid = SweepGrid::new("cell 0".to_owned(), cell(0));
        (1..count).for_each(|index| grid.add(format!("cell {index}"), cell(index)));
        grid
    }

    fn swept(
        progress: &Progress,
        store: &dyn OutcomeStore,
        effort: Effort,
    ) -> Vec<(usize, Experiment)> {
        let runner = Runner::new(Some(2), progress, store).unwrap();
        let mut found = Vec::new();
        let each = |index, _: &Scenario, run| found.push((index, run));
        run(&runner, &grid(3), &|_| None, effort, each).unwrap();
        found
    }

    #[test]
    fn every_cell_comes_once_in_order_and_the_totals_are_right() {
        let progress = Progress::default();
        let found = swept(&progress, &NoStore, Effort::Replications(3));
        let counts: Vec<_> =
            found.iter().map(|(index, run)| (*index, run.outcomes.len())).collect();
        assert_eq!(counts, [(0, 3), (1, 3), (2, 3)]);
        assert_eq!((progress.completed(), progress.replications()), (9, 9));
        assert_eq!(progress.simulated(), progress.expected());
        assert_eq!(progress.stage(), "cell 3 of 3: cell 2");
    }

    #[test]
    fn cells_go_on_until_they_are_precise() {
        let precision = Precision { relative: 1e-9, most: 12 };
        let progress = Progress::default();
        let found = swept(&progress, &NoStore, Effort::Precision(precision));
        assert!(found.iter().all(|(_, run)| run.outcomes.len() == 12 && run.sequence.is_some()));
        assert_eq!((progress.completed(), progress.replications()), (36, 36));
        assert_eq!(Effort::Precision(precision).looks(2), 2);
        assert_eq!(Effort::Replications(5).looks(2), 1);
    }

    #[test]
    fn what_is_expected_follows_what_was_needed() {
        let mut forecast = Forecast { left: 60, cells_left: 3, ..Forecast::default() };
        forecast.begin(10);
        assert_eq!(forecast.expected(4), (12, 40 + 4 * 50));
        forecast.end(8);
        forecast.begin(20);
        assert_eq!(forecast.expected(4), (8 + 4 + 6, 80 + 80 + 6 * 30));
        let mut long = Forecast { left: u64::MAX, cells_left: 2, ..Forecast::default() };
        long.begin(u64::MAX);
        assert_eq!(long.expected(9), (18, u64::MAX));
    }

    /// Stops the work when so many replications were kept.
    struct Stopping<'a> {
        progress: &'a Progress,
        after: usize,
        kept: Mutex<Vec<(ReplicationKey, Outcome)>>,
    }

    impl OutcomeStore for Stopping<'_> {
        fn get(&self, key: ReplicationKey) -> Option<Outcome> {
            let kept = self.kept.lock().unwrap();
            kept.iter().find(|(known, _)| *known == key).map(|(_, outcome)| outcome.clone())
        }

        fn put(&self, key: ReplicationKey, outcome: &Outcome) {
            let mut kept = self.kept.lock().unwrap();
            kept.push((key, outcome.clone()));
            if kept.len() == self.after {
                self.progress.cancel();
            }
        }
    }

    #[test]
    fn a_sweep_that_is_stopped_keeps_complete_cells_and_can_be_resumed() {
        let effort = Effort::Replications(5);
        let whole = swept(&Progress::default(), &NoStore, effort);
        let progress = Progress::default();
        let store = Stopping { progress: &progress, after: 7, kept: Mutex::default() };
        let part = swept(&progress, &store, effort);
        assert_eq!(part, whole[..1]);
        let progress = Progress::default();
        let store = Stopping { progress: &progress, after: usize::MAX, kept: store.kept };
        let kept = store.kept.lock().unwrap().len();
        assert!(kept >= 7);
        assert_eq!(swept(&progress, &store, effort), whole);
        assert_eq!(store.kept.lock().unwrap().len(), 15);
    }

    #[test]
    fn what_is_stopped_before_it_begins_gives_nothing() {
        let progress = Progress::default();
        progress.cancel();
        assert_eq!(swept(&progress, &NoStore, Effort::Replications(2)), []);
    }
}
