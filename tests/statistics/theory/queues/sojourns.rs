//! An observer that keeps what the vectors ask of requests: exact moments, not a histogram.

use brownout::observe::{Observer, Reading, Sent, Served};
use brownout::units::Instant;

/// Nanoseconds in the unit of time: the mean demand of a request is 10 ms.
pub const UNIT: f64 = 1e7;

/// Count, sum and sum of squares.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    count: f64,
    sum: f64,
    squares: f64,
}

impl Tally {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        self.sum += value;
        self.squares += value * value;
    }

    fn merge(&mut self, other: &Tally) {
        self.count += other.count;
        self.sum += other.sum;
        self.squares += other.squares;
    }

    pub fn mean(&self) -> f64 {
        self.sum / self.count
    }

    pub fn variance(&self) -> f64 {
        self.squares / self.count - self.mean().powi(2)
    }
}

/// What is to be kept.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Requests that arrive from here to the horizon count, each until it is answered.
    pub from: Instant,
    pub until: Instant,
    /// The demand that marks a tagged request.
    pub tagged: Option<f32>,
    /// Whether every sojourn is kept, for quantiles.
    pub all: bool,
    pub replicas: usize,
}

/// Sojourns of the requests at the replicas, in units of the mean demand.
#[derive(Clone, Debug)]
pub struct Sojourns {
    scope: Scope,
    sojourns: Tally,
    tagged: Tally,
    slowdowns: Tally,
    by_replica: Vec<Tally>,
    /// Time that all requests together spent between the ends of the scope.
    presence: f64,
    busy_at_start: Option<Vec<f64>>,
    busy: Vec<f64>,
    spans: f64,
    all: Vec<f32>,
}

impl Sojourns {
    pub fn new(scope: Scope) -> Self {
        Sojourns {
            sojourns: Tally::default(),
            tagged: Tally::default(),
            slowdowns: Tally::default(),
            by_replica: vec![Tally::default(); scope.replicas],
            presence: 0.0,
            busy_at_start: None,
            busy: vec![0.0; scope.replicas],
            spans: scope.until.since(scope.from).0 as f64 / UNIT,
            all: Vec::new(),
            scope,
        }
    }

    /// Adds what another replication saw.
    pub fn merge(&mut self, other: &Sojourns) {
        self.sojourns.merge(&other.sojourns);
        self.tagged.merge(&other.tagged);
        self.slowdowns.merge(&other.slowdowns);
        self.by_replica.iter_mut().zip(&other.by_replica).for_each(|(mine, it)| mine.merge(it));
        self.busy.iter_mut().zip(&other.busy).for_each(|(mine, theirs)| *mine += theirs);
        self.presence += other.presence;
        self.spans += other.spans;
        self.all.extend_from_slice(&other.all);
    }

    pub fn sojourn(&self) -> &Tally {
        &self.sojourns
    }

    pub fn tagged(&self) -> &Tally {
        &self.tagged
    }

    pub fn mean_slowdown(&self) -> f64 {
        self.slowdowns.mean()
    }

    /// Requests in the system, averaged over time.
    pub fn mean_number(&self) -> f64 {
        self.presence / self.spans
    }

    /// Mean sojourn at these replicas.
    pub fn mean_at(&self, replicas: &[usize]) -> f64 {
        let mut total = Tally::default();
        replicas.iter().for_each(|replica| total.merge(&self.by_replica[*replica]));
        total.mean()
    }

    /// Share of the time that these replicas, of one core each, worked.
    pub fn utilisation(&self, replicas: &[usize]) -> f64 {
        let busy: f64 = replicas.iter().map(|replica| self.busy[*replica]).sum();
        busy / (self.spans * replicas.len() as f64)
    }

    /// The order statistic at this share of all sojourns.
    pub fn quantile(&mut self, share: f64) -> f64 {
        let place = (share * self.all.len() as f64).ceil().max(1.0) as usize - 1;
        f64::from(*self.all.select_nth_unstable_by(place, f32::total_cmp).1)
    }
}

impl Observer for Sojourns {
    fn served(&mut self, request: &Served) {
        let Scope { from, until, tagged, all, .. } = self.scope;
        if request.finished <= until {
            self.presence += request.finished.since(request.arrived.max(from)).0 as f64 / UNIT;
        }
        if request.arrived < from || request.arrived >= until {
            return;
        }
        let sojourn = request.finished.since(request.arrived).0 as f64 / UNIT;
        self.sojourns.add(sojourn);
        self.slowdowns.add(sojourn * UNIT / f64::from(request.demand));
        self.by_replica[request.replica].add(sojourn);
        if tagged == Some(request.demand) {
            self.tagged.add(sojourn);
        }
        if all {
            self.all.push(sojourn as f32);
        }
    }

    /// Who is still there, even with a processor that stands still, was present until now.
    fn horizon(&mut self, at: Instant, in_flight: &[Sent], under_way: &[Sent]) {
        let from = self.scope.from;
        let present = in_flight
            .iter()
            .chain(under_way)
            .map(|sent| at.since(sent.at.max(from)).0 as f64 / UNIT);
        self.presence += present.sum::<f64>();
    }

    /// The first bin ends with the warm-up, the last at the horizon.
    fn bin_ended(&mut self, _at: Instant, readings: &[Reading]) {
        let now: Vec<f64> = readings.iter().map(|reading| reading.busy / UNIT).collect();
        let start = self.busy_at_start.get_or_insert_with(|| now.clone());
        self.busy = now.iter().zip(start).map(|(now, start)| now - *start).collect();
    }
}
