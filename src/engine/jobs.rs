//! The jobs of one server, ordered by when they will be done.

use crate::units::Instant;

/// Names a job. A server only compares and returns it: it is a number that whoever pushed the job
/// chose, such as the time at which a request was sent, of which no two are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct JobId(u64);

impl JobId {
    /// The job of this number.
    #[inline(always)]
    pub const fn from_number(number: u64) -> Self {
        JobId(number)
    }

    /// Its number.
    #[inline(always)]
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl From<Instant> for JobId {
    #[inline(always)]
    fn from(sent: Instant) -> Self {
        JobId(sent.0)
    }
}

impl From<JobId> for Instant {
    /// When the job was sent, if that is how it was named.
    #[inline(always)]
    fn from(id: JobId) -> Self {
        Instant(id.0)
    }
}

/// A job under processor sharing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Job {
    /// The server's attained-service clock at which this job is done; the sort key.
    pub tag: f64,
    /// Which job it is.
    pub id: JobId,
    /// When it reached the server, in nanoseconds; [`Job::BACKGROUND`] for a background job.
    pub arrived: u64,
    /// Its demand in nanoseconds of one core, for the record.
    pub demand: f32,
    /// A mark that the model may give it, for [`Jobs::retain`].
    pub mark: u32,
}

impl Job {
    /// Stands for the arrival of a background job: work that is nobody's request. It shares the
    /// cores like any other job, but has no patience and is not counted.
    pub const BACKGROUND: u64 = u64::MAX;

    /// Never done.
    const NONE: Job =
        Job { tag: f64::INFINITY, id: JobId(0), arrived: Job::BACKGROUND, demand: 0.0, mark: 0 };

    /// Whether it is a background job.
    #[inline(always)]
    pub fn is_background(&self) -> bool {
        self.arrived == Job::BACKGROUND
    }
}

/// A priority queue of [`Job`]s by least tag: a sorted array while short, a 4-ary heap when long.
///
/// Short queues are the rule below saturation and there an insertion moves a few neighbours; long
/// ones occur in overload, where an array would cost time in proportion to the backlog.
#[derive(Clone, Debug, Default)]
pub struct Jobs {
    /// Descending by tag while `!heaped`, so that the next is last; else a heap, the next first.
    items: Vec<Job>,
    heaped: bool,
}

const SORTED_LIMIT: usize = 32;
const ARITY: usize = 4;

/// Copies of few jobs in descending order of their tags, behind one that is never done, so that no
/// branch asks whether there is any. How many there are whoever has them keeps in mind: what
/// nothing refers to stays in registers.
#[derive(Debug)]
pub struct Few([Job; 1 + SORTED_LIMIT]);

impl Few {
    /// The one with the least tag among so many; of none one whose tag is infinite.
    #[inline(always)]
    pub fn first(&self, count: usize) -> &Job {
        &self.0[count]
    }

    /// Whether one more can be added to so many.
    #[inline(always)]
    pub fn has_room(&self, count: usize) -> bool {
        count < SORTED_LIMIT
    }

    /// Adds one to so many.
    #[inline(always)]
    pub fn insert(&mut self, count: usize, job: Job) {
        debug_assert!(self.has_room(count), "{count} are as many as there is room for");
        debug_assert!(job.tag.is_finite(), "nothing but the first is never done");
        // Few move, so one by one: a call that moves them all at once would take longer.
        let mut place = count + 1;
        while self.0[place - 1].tag <= job.tag {
            self.0[place] = self.0[place - 1];
            place -= 1;
        }
        self.0[place] = job;
        debug_assert!(self.0[..count + 2].is_sorted_by(|a, b| a.tag >= b.tag), "descending");
    }
}

impl Jobs {
    /// How many there are.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The one with the least tag.
    #[inline(always)]
    pub fn first(&self) -> Option<&Job> {
        if self.heaped { self.items.first() } else { self.items.last() }
    }

    /// Adds one.
    #[inline(always)]
    pub fn push(&mut self, job: Job) {
        debug_assert!(!job.tag.is_nan(), "tags have an order");
        let count = self.items.len();
        if self.heaped || count == SORTED_LIMIT {
            return self.push_heap(job);
        }
        let mut place = count;
        self.items.push(job);
        while place > 0 && self.items[place - 1].tag <= job.tag {
            self.items[place] = self.items[place - 1];
            place -= 1;
        }
        self.items[place] = job;
        debug_assert!(self.items.is_sorted_by(|a, b| a.tag >= b.tag), "descending tags");
    }

    /// Copies of the jobs, unless they are a heap.
    #[inline(always)]
    pub fn few(&self) -> Option<Few> {
        let mut few = Few([Job::NONE; 1 + SORTED_LIMIT]);
        few.0[1..].get_mut(..self.items.len())?.copy_from_slice(&self.items);
        (!self.heaped).then_some(few)
    }

    /// Takes so many jobs in place of all that there were.
    #[inline(always)]
    pub fn set_few(&mut self, few: &Few, count: usize) {
        debug_assert!(!self.heaped, "a heap is no array");
        debug_assert!(few.0[0].tag.is_infinite(), "the first is never done");
        self.items.clear();
        self.items.extend_from_slice(&few.0[1..1 + count]);
        debug_assert_eq!(self.items.len(), count, "all of them are kept");
    }

    /// Takes out the one with the least tag.
    #[inline(always)]
    pub fn pop(&mut self) -> Option<Job> {
        debug_assert!(self.heaped || self.items.len() <= SORTED_LIMIT, "long queues are heaps");
        if self.heaped { self.pop_heap() } else { self.items.pop() }
    }

    /// Removes all for which `keep` is false.
    pub fn retain(&mut self, keep: impl FnMut(&Job) -> bool) {
        let before = self.items.len();
        self.items.retain(keep);
        debug_assert!(self.items.len() <= before, "nothing comes by removing");
        self.rebuild();
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.items.clear();
        self.heaped = false;
    }

    /// All of them, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = &Job> {
        self.items.iter()
    }

    #[cold]
    fn rebuild(&mut self) {
        self.items.sort_by(|a, b| b.tag.total_cmp(&a.tag));
        self.heaped = self.items.len() > SORTED_LIMIT;
        if self.heaped {
            self.items.reverse();
        }
        debug_assert!(self.is_heap() || !self.heaped, "ascending is a heap");
    }

    /// Whether every parent comes before its children.
    fn is_heap(&self) -> bool {
        (1..self.items.len()).all(|at| self.items[(at - 1) / ARITY].tag <= self.items[at].tag)
    }

    fn push_heap(&mut self, job: Job) {
        if !self.heaped {
            self.items.reverse();
            self.heaped = true;
        }
        self.items.push(job);
        let mut child = self.items.len() - 1;
        while child > 0 {
            let parent = (child - 1) / ARITY;
            if self.items[parent].tag <= job.tag {
                break;
            }
            self.items[child] = self.items[parent];
            child = parent;
        }
        debug_assert!(child == 0 || self.items[(child - 1) / ARITY].tag <= job.tag, "heap order");
        self.items[child] = job;
    }

    fn pop_heap(&mut self) -> Option<Job> {
        let top = *self.items.first()?;
        let last = self.items.pop()?;
        if self.items.is_empty() {
            self.heaped = false;
        } else {
            self.sift_down(last);
            debug_assert!(self.items[0].tag >= top.tag, "the least tag leaves first");
        }
        Some(top)
    }

    fn sift_down(&mut self, job: Job) {
        let items = &mut self.items[..];
        let mut hole = 0;
        loop {
            let from = hole * ARITY + 1;
            let least = match items.get(from..from + ARITY) {
                Some(four) => from + least_of_four(four),
                None => match (from..items.len())
                    .min_by(|a, b| items[*a].tag.total_cmp(&items[*b].tag))
                {
                    Some(least) => least,
                    None => break,
                },
            };
            if items[least].tag >= job.tag {
                break;
            }
            items[hole] = items[least];
            hole = least;
        }
        items[hole] = job;
    }
}

/// The place of the least tag among four; comparisons only, so that no branch depends on them.
#[inline(always)]
fn least_of_four(four: &[Job]) -> usize {
    let low = usize::from(four[1].tag < four[0].tag);
    let high = 2 + usize::from(four[3].tag < four[2].tag);
    if four[high].tag < four[low].tag { high } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn job(tag: f64) -> Job {
        Job { tag, id: JobId(0), arrived: 0, demand: 0.0, mark: (tag as u32) % 3 }
    }

    proptest! {
        #[test]
        fn jobs_leave_in_order_of_their_tags(
            steps in prop::collection::vec((0_u8..8, 0.0..1e6_f64), 1..600),
        ) {
            let mut jobs = Jobs::default();
            let mut model: Vec<f64> = Vec::new();
            for (action, tag) in steps {
                if action < 5 {
                    jobs.push(job(tag));
                    model.push(tag);
                } else if action < 7 {
                    model.sort_by(f64::total_cmp);
                    let expected = (!model.is_empty()).then(|| model.remove(0));
                    prop_assert_eq!(jobs.first().map(|j| j.tag), expected);
                    prop_assert_eq!(jobs.pop().map(|j| j.tag), expected);
                } else if tag < 1e5 {
                    jobs.retain(|j| j.mark != 0);
                    model.retain(|tag| !(*tag as u32).is_multiple_of(3));
                }
                prop_assert_eq!(jobs.len(), model.len());
            }
        }
    }
}
