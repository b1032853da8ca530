//! A sweep, summed up: a row for each cell.

use crate::experiment::Experiment;
use crate::experiment::summary::WindowSummary;
use crate::metric::{Metric, Statistic};
use crate::observe::histogram::Histogram;
use crate::report::caveats::caveat::Caveat;
use crate::report::caveats::merged::{Limits, kind};
use crate::report::fail_if::{FailCondition, FailWatch};
use crate::report::format::words::{plural, range_of, whole};
use crate::report::manifest::digests;
use crate::report::run::report::Report;
use crate::scenario::Scenario;
use crate::study::grid::SweepGrid;
use crate::study::sweep::Effort;
use crate::study::variation::Axis;
use crate::units::Span;
use crate::verdict::{Judgement, Overall};

/// Cells of which the distribution of latency is kept, to be drawn.
pub(crate) const DRAWN_WHOLE: usize = 6;

/// A sweep with all that is said of it.
#[derive(Debug)]
pub struct SweepReport<'a> {
    /// The settings that take several values; the last changes fastest from cell to cell.
    pub axes: Vec<Axis>,
    /// All cells of the grid.
    pub grid: &'a SweepGrid,
    /// Those that are complete, in order.
    pub rows: Vec<Row>,
    /// How much is done for each cell.
    pub effort: Effort,
    /// What would be a failure, and whether it is.
    pub fails: FailWatch,
    pub(crate) limits: Limits,
}

/// What came of a cell.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its index among the cells.
    pub cell: usize,
    /// How many replications its figures rest on.
    pub replications: usize,
    /// The judgement on all objectives together.
    pub overall: Overall,
    /// The judgement on each objective.
    pub judgements: Vec<Judgement>,
    /// The figures of each window; the first is the whole run.
    pub windows: Vec<WindowSummary>,
    /// Work done over the capacity of the replicas that served, after warm-up.
    pub cpu: Option<Statistic>,
    /// The caveats for which the figures depend on how long the run is: see [`Row::is_settled`].
    pub unsettled: Vec<Caveat>,
    /// The digest of each replication.
    pub digests: Vec<String>,
    /// The latencies of the run in each replication; kept of few cells only.
    pub(crate) latencies: Vec<Histogram>,
}

impl<'a> SweepReport<'a> {
    /// A sweep over these settings, of which no cell is complete yet.
    pub fn new(axes: &[Axis], grid: &'a SweepGrid, effort: Effort) -> Self {
        let axes = axes.iter().filter(|axis| axis.varies()).cloned().collect();
        let (rows, fails, limits) = (Vec::new(), FailWatch::default(), Limits::default());
        SweepReport { axes, grid, rows, effort, fails, limits }
    }

    /// The same with what would be a failure.
    pub fn with_conditions(self, conditions: &[FailCondition]) -> Self {
        SweepReport { fails: FailWatch::new(conditions), ..self }
    }

    /// Looks at the figures of each cell, by which its intervals are corrected.
    pub fn looks(&self) -> usize {
        self.effort.looks(self.grid.first.plan.run.replications)
    }

    /// Adds a cell that is complete, of this scenario.
    pub fn add(&mut self, cell: usize, scenario: &Scenario, run: &Experiment) {
        let one = Report::new(scenario, run, None);
        self.limits.note(&one.caveats, cell, kind);
        let name = &self.grid.cells[cell].name;
        self.fails.see_verdicts(name, &one.judgements);
        self.fails.see_outcomes(name, &scenario.plan, &run.outcomes);
        let whole = self.grid.cells.len() <= DRAWN_WHOLE;
        self.rows.push(Row::new(cell, one, whole));
    }

    /// Whether it was stopped.
    pub fn is_interrupted(&self) -> bool {
        self.rows.len() < self.grid.cells.len()
    }

    /// The values of the settings that vary, of a cell, as indices into those of each axis.
    pub(crate) fn place(&self, cell: usize) -> Vec<usize> {
        let mut rest = cell;
        let mut place: Vec<usize> = (self.axes.iter().rev())
            .map(|axis| {
                let index = rest % axis.values.len();
                rest /= axis.values.len();
                index
            })
            .collect();
        place.reverse();
        place
    }

    /// The values of the settings that vary, of a cell.
    pub(crate) fn values(&self, cell: usize) -> Vec<&str> {
        let axes = self.axes.iter().zip(self.place(cell));
        axes.map(|(axis, index)| axis.values[index].as_str()).collect()
    }

    /// How many replications of what there are, in words.
    pub(crate) fn sample(&self) -> String {
        let runs = self.grid.cells.iter().map(|cell| &cell.run);
        let lengths = || runs.clone().map(|run| run.horizon.0);
        let counts = || self.rows.iter().map(|row| row.replications as u64);
        let (Some(least), Some(most)) = (lengths().min(), lengths().max()) else {
            return String::new();
        };
        let count = match (counts().min(), counts().max()) {
            (Some(least), Some(most)) if least < most => {
                format!("{} replications", range_of(whole(least), whole(most)))
            }
            (Some(count), _) => plural(count, "replication"),
            _ => "no replications".to_owned(),
        };
        let length = range_of(Span(least).to_string(), Span(most).to_string());
        let seed = runs.clone().map(|run| run.seed).next().unwrap_or(0);
        format!("{count} of {length} each, seed {seed}, common random numbers")
    }

    /// The name of a cell.
    pub(crate) fn name(&self, cell: usize) -> &str {
        &self.grid.cells[cell].name
    }
}

impl Row {
    fn new(cell: usize, report: Report, whole: bool) -> Row {
        let outcomes = &report.experiment.outcomes;
        let latencies = outcomes.iter().filter_map(|outcome| outcome.windows.first());
        let latencies = latencies.filter(|_| whole).map(|window| window.latency.clone()).collect();
        let unsettled = report.caveats.iter().filter(|caveat| caveat.unsettles().is_some());
        Row {
            cell,
            replications: outcomes.len(),
            overall: report.overall(),
            unsettled: unsettled.cloned().collect(),
            digests: digests(report.experiment),
            latencies,
            cpu: report.summary.gateway.cpu,
            windows: report.summary.windows,
            judgements: report.judgements,
        }
    }

    /// Whether a longer run would give the same figures, as far as can be seen. It would not if the
    /// load is above the capacity of all replicas, if requests were never answered, if latency was
    /// still growing after warm-up, or if an incident was not over at the end.
    pub fn is_settled(&self) -> bool {
        self.unsettled.is_empty()
    }

    /// A figure of a window; CPU is known of the run alone.
    pub(crate) fn get(&self, window: usize, metric: Metric) -> Option<&Statistic> {
        match metric {
            Metric::Cpu => self.cpu.as_ref().filter(|_| window == 0),
            _ => self.windows.get(window)?.get(metric),
        }
    }

    /// All latencies of the run, if they were kept.
    pub(crate) fn latency(&self) -> Histogram {
        let mut all = Histogram::default();
        self.latencies.iter().for_each(|latency| all.merge(latency));
        all
    }

    /// The figures of a window that files have.
    pub(crate) fn measures(&self, window: usize) -> impl Iterator<Item = Metric> {
        Metric::SWEPT.into_iter().filter(move |metric| window == 0 || *metric != Metric::Cpu)
    }
}

#[cfg(test)]
pub(crate) mod sample {
    use super::*;
    use crate::experiment::tests::example;
    use crate::objective::{Bound, Objective};
    use crate::plan::Traffic;
    use crate::report;
    use crate::study::variation::cross;
    use crate::units::Rate;

    /// Settings such as `traffic.rate=10/s,20/s`.
    pub(crate) fn axes(texts: &[&str]) -> Vec<Axis> {
        texts.iter().map(|text| Axis::read(text).unwrap()).collect()
    }

    /// The cells of a grid. The bound on p99 is crossed where [`run`] says.
    pub(crate) fn cells(axes: &[Axis]) -> SweepGrid {
        let mut all = cross(axes).into_iter().map(|variation| {
            let (name, changes) = (variation.name, variation.changes);
            (name, of_cell(&report::sample::scenario(), &changes))
        });
        let (name, mut first) = all.next().unwrap();
        first.objectives.truncate(1);
        let mut grid = SweepGrid::new(name, first);
        all.for_each(|(name, scenario)| grid.add(name, scenario));
        grid
    }

    /// A scenario with the load that `traffic.rate` is changed to.
    fn of_cell(first: &Scenario, changes: &[String]) -> Scenario {
        let mut scenario = first.clone();
        let rate = changes.iter().find_map(|one| {
            one.strip_prefix("traffic.rate=")?.trim_end_matches("/s").parse::<f64>().ok()
        });
        if let (Some(rate), Traffic::Process(process)) = (rate, &mut scenario.plan.traffic) {
            process.corners[0].1 = Rate(rate);
        }
        scenario.changes = changes.to_vec();
        scenario
    }

    /// An experiment in which p99 is what `p99` milliseconds say, more or less.
    pub(crate) fn run(p99: f64) -> Experiment {
        let mut run = example::experiment();
        for (index, outcome) in run.outcomes.iter_mut().enumerate() {
            let mut latency = Histogram::default();
            let scale = p99 * (1.0 + 0.02 * index as f64) / 1e5;
            (0..2_000)
                .for_each(|n| latency.record(Span::from_secs(scale * f64::from(n % 100 + 1))));
            outcome.windows[0].latency = latency;
            outcome.windows[0].ledger.failures = Default::default();
        }
        run
    }

    /// A report in which the p99 of each cell is as given; `None` = the cell is not complete.
    pub(crate) fn report<'a>(
        axes: &[Axis],
        grid: &'a SweepGrid,
        p99: &[Option<f64>],
    ) -> SweepReport<'a> {
        let mut report = SweepReport::new(axes, grid, Effort::Replications(5));
        for (cell, p99) in p99.iter().enumerate() {
            let scenario = of_cell(&grid.first, &grid.cells[cell].changes);
            p99.iter().for_each(|p99| report.add(cell, &scenario, &run(*p99)));
        }
        report
    }

    /// Cells without objectives.
    pub(crate) fn without_objectives(mut grid: SweepGrid) -> SweepGrid {
        grid.first.objectives.clear();
        grid
    }

    /// The objective of the cells, with another bound in milliseconds.
    pub(crate) fn objective(grid: &SweepGrid, bound: f64) -> Objective {
        let first = grid.first.objectives[0].clone();
        let bound_text = format!("p99 < {bound}ms");
        Objective { text: bound_text, bound: Bound::Span(Span::from_secs(bound / 1e3)), ..first }
    }
}

#[cfg(test)]
mod tests {
    use super::sample::{axes, cells, report, run};
    use super::*;
    use crate::experiment::tests::example;

    #[test]
    fn a_cell_has_the_values_that_its_name_says() {
        let axes = axes(&["a.x=1,2", "a.y=7", "a.z=p,q,r"]);
        let cells = cells(&axes);
        let report = report(&axes, &cells, &[]);
        assert_eq!((report.axes.len(), cells.cells.len()), (2, 6));
        for (index, cell) in cells.cells.iter().enumerate() {
            let [x, z] = report.values(index)[..] else { panic!("two vary") };
            assert_eq!(cell.name, format!("a.x={x}, a.z={z}"));
        }
        assert_eq!(report.place(4), [1, 1]);
    }

    #[test]
    fn a_row_sums_up_its_cell() {
        let axes = axes(&["traffic.rate=10/s,20/s,300/s"]);
        let cells = cells(&axes);
        let report = report(&axes, &cells, &[Some(100.0), Some(200.0), Some(900.0)]);
        assert!(!report.is_interrupted());
        let verdicts: Vec<Overall> = report.rows.iter().map(|row| row.overall).collect();
        assert_eq!(verdicts, [Overall::Met, Overall::Met, Overall::Missed]);
        let row = &report.rows[0];
        assert!((row.get(0, Metric::P99).unwrap().point - 0.1).abs() < 0.01);
        assert_eq!((row.replications, row.digests.len(), row.latencies.len()), (5, 5, 5));
        assert_eq!(row.latency().count(), 10_000);
        let names: Vec<_> = row.measures(0).map(Metric::name).collect();
        assert_eq!(
            names,
            ["mean", "p50", "p95", "p99", "p99.9", "availability", "throughput", "CPU"]
        );
        assert_eq!(row.measures(1).count(), names.len() - 1);
    }

    fn keys(row: &Row) -> Vec<&str> {
        row.unsettled.iter().map(Caveat::key).collect()
    }

    #[test]
    fn figures_that_depend_on_the_length_of_the_run_are_not_settled() {
        let axes = axes(&["traffic.rate=10/s,300/s"]);
        let cells = cells(&axes);
        let report = report(&axes, &cells, &[Some(100.0), Some(900.0)]);
        assert!(report.rows[0].is_settled());
        assert_eq!(keys(&report.rows[1]), ["overload"]);
        let mut stuck = run(100.0);
        example::change_incident(&mut stuck.outcomes[0], |incident| {
            (incident.normal, incident.service) = (None, None);
        });
        stuck.outcomes[0].windows[0].unanswered = 3;
        let mut report = SweepReport::new(&axes, &cells, Effort::Replications(5));
        report.add(0, &cells.first, &stuck);
        assert_eq!(keys(&report.rows[0]), ["unrecovered", "unanswered"]);
        assert!(report.is_interrupted());
    }

    #[test]
    fn distributions_are_kept_of_few_cells_only() {
        let axes = axes(&["traffic.rate=10/s..70/s:7"]);
        let cells = cells(&axes);
        let report = report(&axes, &cells, &[Some(100.0)]);
        assert!(report.rows[0].latencies.is_empty());
    }
}
