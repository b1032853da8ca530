//! A server that shares its cores among its jobs (egalitarian processor sharing).
//!
//! With n jobs on c cores each job progresses at rate `speed · min(1, c/n)`. The server keeps an
//! attained-service clock V that runs at that rate; a job that arrives when the clock shows V and
//! needs d of service is done when the clock shows V + d. So an arrival or a departure touches one
//! number and one queue, however many jobs there are (Parekh and Gallager's virtual time).
//!
//! The server is advanced lazily: nothing happens in it between two calls that could not be worked
//! out later. Looking at it never changes what it will do.
//!
//! ```text
//! push ──► jobs by tag ──► done        V advances at speed · min(1, c/n)
//!             │
//!             ├──► expired             a job that is older than the patience
//!             ├──► cancelled           one job that nobody waits for any more
//!             └──► removed             the server is killed, or the job's connection breaks
//! ```
//!
//! A background job is work that is nobody's request: it shares the cores like any job, has no
//! patience, and is left out of all counts of jobs.

use super::course::Course;
use super::deadline::{Deadline, Deadlines};
use super::jobs::{Job, JobId, Jobs};
use super::service_rate::ServiceRate;

/// A job that comes to a server.
#[derive(Clone, Copy, Debug)]
pub struct Coming {
    /// When, in nanoseconds.
    pub at: u64,
    /// Which job it is.
    pub id: JobId,
    /// Its demand in nanoseconds of one core.
    pub demand: f64,
    /// See [`Job::mark`].
    pub mark: u32,
}

/// Receives the jobs that leave a server.
pub trait Sink {
    /// A job is done at `at` (nanoseconds).
    fn done(&mut self, job: &Job, at: u64);
    /// The background job with this mark is done at `at`.
    fn background_done(&mut self, _mark: u32, _at: u64) {}
    /// A job ran out of patience at `at`.
    fn expired(&mut self, id: JobId, at: u64);
    /// Whether this job was cancelled; see [`Server::cancel`].
    fn is_cancelled(&self, _id: JobId) -> bool {
        false
    }
}

/// A processor-sharing server. Times are nanoseconds.
#[derive(Clone, Debug)]
pub struct Server {
    jobs: Jobs,
    /// Cancelled jobs that are still in `jobs`, none as its first.
    tombstones: usize,
    /// How many of those that share the cores are background jobs.
    background: usize,
    /// Most jobs that ever shared, without background jobs.
    peak: usize,
    /// How far its work has come, and how many jobs share the cores; `jobs` may also hold some that
    /// have expired or were cancelled.
    course: Course,
    /// No job can expire before this.
    guard: u64,
    deadlines: Deadlines,
    rate: ServiceRate,
}

impl Server {
    /// An idle server with `cores` cores at full speed, whose jobs expire `patience` nanoseconds
    /// after their arrival (`u64::MAX` = never).
    pub fn new(cores: f64, patience: u64) -> Self {
        let rate = ServiceRate::new(cores, 1.0);
        Server {
            jobs: Jobs::default(),
            tombstones: 0,
            background: 0,
            peak: 0,
            course: Course::new(&rate),
            guard: patience,
            deadlines: Deadlines::new(patience),
            rate,
        }
    }

    /// Jobs in the server as of the last call, without background jobs.
    #[inline(always)]
    pub fn in_service(&self) -> usize {
        self.sharing() - self.background
    }

    /// Jobs and background jobs that share the cores.
    #[inline(always)]
    fn sharing(&self) -> usize {
        self.course.sharing()
    }

    /// So many share them from now on.
    #[inline(always)]
    fn share(&mut self, sharing: usize) {
        self.course.share(sharing, &self.rate);
    }

    /// Jobs that it keeps, those that have expired or were cancelled among them.
    pub fn kept(&self) -> usize {
        self.jobs.len()
    }

    /// Whether it has neither jobs nor background jobs.
    pub(super) fn is_idle(&self) -> bool {
        self.sharing() == 0
    }

    /// Begins to record the most jobs anew.
    pub fn forget_peak(&mut self) {
        self.peak = self.in_service();
    }

    /// Most jobs that were ever in the server at once.
    pub fn peak(&self) -> usize {
        debug_assert!(self.peak >= self.in_service(), "the peak is no less than what is there");
        self.peak
    }

    /// Core-nanoseconds worked until `now`, which is not before the last call.
    pub fn busy_until(&self, now: u64) -> f64 {
        self.course.busy_until(now)
    }

    /// Cores in use as of the last call.
    pub fn usage(&self) -> f64 {
        self.course.usage()
    }

    /// The service rate of this server's cores when it stands still.
    pub(super) fn standstill(&self) -> ServiceRate {
        self.rate.at_speed(0.0)
    }

    /// Takes on another service rate at `now`, to which the server has been advanced, and gives its
    /// own for it.
    pub(super) fn exchange_rate(&mut self, now: u64, rate: &mut ServiceRate) {
        self.course.settle(now);
        std::mem::swap(&mut self.rate, rate);
        self.share(self.sharing());
    }

    /// The jobs in the server but those in the background, in no particular order. Cancelled ones
    /// may be among them.
    pub fn in_service_jobs(&self) -> impl Iterator<Item = &Job> {
        let customers = self.jobs.iter().filter(|job| !job.is_background());
        customers.filter(|job| !self.deadlines.has_passed(job, self.course.anchor))
    }

    /// The first moment to which the server must be advanced for a job to be done, if nothing else
    /// happens before; `u64::MAX` if none will be.
    #[inline(always)]
    pub fn next_done(&self) -> u64 {
        self.jobs.first().map_or(u64::MAX, |first| self.course.moment_of(first.tag))
    }

    /// Lets everything happen that happens until `now`, `now` included.
    #[inline(always)]
    pub fn advance(&mut self, now: u64, sink: &mut impl Sink) {
        debug_assert!(now >= self.course.anchor, "time does not go back");
        if now >= self.guard {
            return self.advance_tracking(now, sink);
        }
        while let Some(due) = self.next_due(now) {
            self.complete_first(due, sink);
        }
    }

    /// [`Server::advance`], and then [`Server::next_done`].
    #[inline(always)]
    pub fn advance_and_next(&mut self, now: u64, sink: &mut impl Sink) -> u64 {
        if now >= self.guard {
            self.advance_tracking(now, sink);
            return self.next_done();
        }
        while let Some(due) = self.next_due(now) {
            self.complete_first(due, sink);
        }
        self.next_done()
    }

    /// Takes on jobs in order of time, as [`Server::advance`] and [`Server::push`] one by one.
    #[inline(always)]
    pub fn take_all(&mut self, coming: &[Coming], sink: &mut impl Sink) {
        let taken = self.take_plainly(coming, sink);
        for job in &coming[taken..] {
            self.advance(job.at, sink);
            self.push(job.at, job.id, job.demand, job.mark);
        }
    }

    /// Takes on jobs as long as these are but few, none of which can expire, was cancelled or is in
    /// the background; says how many. It is the usual case, and all that changes stands in
    /// registers.
    #[inline(never)]
    fn take_plainly(&mut self, coming: &[Coming], sink: &mut impl Sink) -> usize {
        let may_expire = coming.last().is_none_or(|last| last.at >= self.guard);
        if may_expire || self.has_leftovers() || self.background > 0 {
            return 0;
        }
        let Some(mut few) = self.jobs.few() else { return 0 };
        debug_assert!(self.tombstones == 0, "who was cancelled is a leftover");
        debug_assert!(coming.is_sorted_by_key(|job| job.at), "jobs come in order of time");
        let (mut course, rate, mut peak) = (self.course, &self.rate, self.peak);
        let mut taken = 0;
        for Coming { at, id, demand, mark } in coming.iter().copied() {
            loop {
                let first = few.first(course.sharing());
                let Some(due) = course.due(first.tag, at) else { break };
                course.complete(first.tag, due, rate);
                sink.done(first, due);
            }
            if !few.has_room(course.sharing()) {
                break;
            }
            let count = course.sharing();
            let tag = course.join(at, demand, rate);
            few.insert(count, Job { tag, id, arrived: at, demand: demand as f32, mark });
            peak = peak.max(course.sharing());
            taken += 1;
        }
        (self.course, self.peak) = (course, peak);
        self.jobs.set_few(&few, course.sharing());
        debug_assert!(!self.has_leftovers() && taken <= coming.len(), "all that are kept share");
        taken
    }

    /// Adds a job at `now`, to which the server has been advanced, or before which it has nothing
    /// to do.
    #[inline(always)]
    pub fn push(&mut self, now: u64, id: JobId, demand: f64, mark: u32) {
        debug_assert!(now < Job::BACKGROUND, "the arrival of a job is a time");
        self.enter(now, Job { tag: demand, id, arrived: now, demand: demand as f32, mark });
        self.peak = self.peak.max(self.in_service());
        self.deadlines.add(now, id);
    }

    /// Adds a background job at `now`, to which the server has been advanced.
    pub fn push_background(&mut self, now: u64, demand: f64, mark: u32) {
        let (id, arrived) = (JobId::from_number(now), Job::BACKGROUND);
        self.enter(now, Job { tag: demand, id, arrived, demand: demand as f32, mark });
        self.background += 1;
    }

    /// Adds a job whose tag is its demand so far.
    #[inline(always)]
    fn enter(&mut self, now: u64, job: Job) {
        if self.has_leftovers() && self.sharing() == 0 {
            self.begin_anew(now);
        }
        let tag = self.course.join(now, job.tag, &self.rate);
        self.jobs.push(Job { tag, ..job });
        debug_assert!(self.sharing() + self.tombstones <= self.jobs.len(), "all share");
    }

    /// Whether deadlines are kept, or jobs that share nothing any more.
    #[inline(always)]
    fn has_leftovers(&self) -> bool {
        self.deadlines.are_tracked() || self.jobs.len() > self.sharing()
    }

    /// One of the jobs, which the sink from now on says is cancelled, leaves at `now`, to which the
    /// server has been advanced.
    pub fn cancel(&mut self, now: u64, sink: &impl Sink) {
        self.course.settle(now);
        assert!(self.in_service() > 0, "who is cancelled is there");
        self.share(self.sharing() - 1);
        self.tombstones += 1;
        self.drop_tombstones(sink);
        if self.is_mostly_gone() {
            let before = self.jobs.len();
            self.jobs.retain(|job| job.is_background() || !sink.is_cancelled(job.id));
            self.tombstones -= before - self.jobs.len();
        }
    }

    /// Whether more jobs have expired or were cancelled than are there, and not just a few: in
    /// overload it takes for ever until they would have been done.
    fn is_mostly_gone(&self) -> bool {
        const FEW: usize = 512;
        self.jobs.len() - self.sharing() > self.sharing().max(FEW)
    }

    /// Changes the speed at `now`, to which the server has been advanced; 0 = frozen.
    pub fn set_speed(&mut self, now: u64, speed: f64) {
        self.course.settle(now);
        self.rate = self.rate.at_speed(speed);
        self.share(self.sharing());
    }

    /// Removes every job at `now`, to which the server has been advanced, and gives
    /// those that are no background jobs, in order.
    pub fn kill(&mut self, now: u64) -> Vec<JobId> {
        self.remove(now, |_| true)
    }

    /// Removes at `now` the jobs that `leaves` names, all of them or none that is cancelled; gives
    /// those that are no background jobs, in order.
    pub fn remove(&mut self, now: u64, leaves: impl Fn(&Job) -> bool) -> Vec<JobId> {
        self.course.settle(now);
        let deadlines = &self.deadlines;
        let mut removed = Vec::new();
        self.jobs.retain(|job| {
            let live = !deadlines.has_passed(job, now);
            if live && leaves(job) && !job.is_background() {
                removed.push(job.id);
            }
            live && !leaves(job)
        });
        self.tombstones = self.tombstones.min(self.jobs.len());
        self.share(self.jobs.len() - self.tombstones);
        self.background = self.jobs.iter().filter(|job| job.is_background()).count();
        assert!(self.background <= self.sharing(), "background jobs share the cores");
        self.deadlines.forget();
        self.guard = self.earliest_deadline(now);
        debug_assert!(self.guard >= now, "whoever is left has time left");
        removed.sort_unstable();
        removed
    }

    /// When the first job will be done, if that is not after `now`.
    #[inline(always)]
    fn next_due(&self, now: u64) -> Option<u64> {
        self.course.due(self.jobs.first()?.tag, now)
    }

    #[inline(always)]
    fn complete_first(&mut self, at: u64, sink: &mut impl Sink) {
        if let Some(job) = self.jobs.pop() {
            self.course.complete(job.tag, at, &self.rate);
            if self.tombstones > 0 {
                self.drop_tombstones(sink);
            }
            if job.is_background() {
                self.background -= 1;
                return sink.background_done(job.mark, at);
            }
            sink.done(&job, at);
        }
    }

    /// Takes cancelled jobs out of the front of the queue; necessary after [`Server::remove`] if
    /// some were cancelled.
    pub fn drop_tombstones(&mut self, sink: &impl Sink) {
        let is_tombstone = |job: &Job| !job.is_background() && sink.is_cancelled(job.id);
        while self.tombstones > 0 && self.jobs.first().is_some_and(is_tombstone) {
            self.jobs.pop();
            self.tombstones -= 1;
        }
        debug_assert!(self.tombstones <= self.jobs.len(), "tombstones are kept as jobs are");
    }

    /// Forgets expired and cancelled jobs, and the deadlines.
    #[cold]
    fn begin_anew(&mut self, now: u64) {
        debug_assert!(self.sharing() == 0 && self.background == 0, "nobody is forgotten");
        self.jobs.clear();
        self.tombstones = 0;
        self.deadlines.forget();
        self.guard = self.deadlines.due(now);
    }

    /// [`Server::advance`] when a job may have run out of patience.
    #[cold]
    #[inline(never)]
    fn advance_tracking(&mut self, now: u64, sink: &mut impl Sink) {
        if !self.deadlines.are_tracked() && !self.track(now) {
            return self.advance(now, sink);
        }
        loop {
            self.drop_expired_heads();
            let due = self.next_due(now);
            let deadline = self.deadlines.first().filter(|deadline| *deadline <= now);
            match (due, deadline) {
                (Some(due), deadline) if deadline.is_none_or(|deadline| due <= deadline) => {
                    if let Some(job) = self.jobs.first() {
                        self.deadlines.close(job.arrived, job.id);
                    }
                    self.complete_first(due, sink);
                }
                (_, Some(deadline)) => self.expire(deadline, sink),
                _ => break,
            }
        }
        if self.sharing() == 0 {
            self.guard = self.deadlines.due(now);
        }
    }

    /// Starts to track every deadline if one lies at or before `now`; otherwise moves the guard.
    fn track(&mut self, now: u64) -> bool {
        let earliest = self.earliest_deadline(now);
        if earliest > now {
            self.guard = earliest;
            return false;
        }
        self.deadlines.track(&self.jobs);
        true
    }

    /// No job that is there now or comes later expires before this.
    fn earliest_deadline(&self, now: u64) -> u64 {
        let next = self.deadlines.due(now);
        self.deadlines.earliest(&self.jobs).min(next)
    }

    fn expire(&mut self, at: u64, sink: &mut impl Sink) {
        if let Some(Deadline { id, arrived, .. }) = self.deadlines.pop() {
            debug_assert_eq!(at, self.deadlines.due(arrived), "neither early nor late");
            self.course.settle(at);
            debug_assert!(self.in_service() > 0, "who runs out of patience is there");
            self.share(self.sharing() - 1);
            if self.is_mostly_gone() {
                let deadlines = &self.deadlines;
                self.jobs.retain(|job| !deadlines.has_passed(job, at));
            }
            sink.expired(id, at);
        }
    }

    fn drop_expired_heads(&mut self) {
        while self
            .jobs
            .first()
            .is_some_and(|job| self.deadlines.has_passed(job, self.course.anchor))
        {
            self.jobs.pop();
        }
    }
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
