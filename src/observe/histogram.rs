//! A log-linear histogram of latencies: constant memory, merged without loss.

use serde::{Deserialize, Serialize};

use crate::units::Span;

/// Bits of the mantissa kept: 128 buckets per octave, so a bucket is at most 0.8 % wide.
const BITS: u32 = 7;
const PER_OCTAVE: usize = 1 << BITS;
/// Spans from 2^50 ns (13 days) on share the last bucket.
const OCTAVES: usize = 50 - BITS as usize + 1;
const BUCKETS: usize = PER_OCTAVE * OCTAVES;

/// A latency of which only the bucket is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// The least that it can be.
    pub least: Span,
    /// Placed in its bucket by its rank among those there.
    pub value: Span,
    /// The greatest that it can be.
    pub greatest: Span,
}

/// Counts of latencies by magnitude, with their exact sum, least and greatest.
///
/// Below 128 ns every nanosecond has its own bucket; above, the relative width is 1/128.
/// Quantiles interpolate inside a bucket, so their relative error is below 0.8 %. Only the octaves
/// between the least and the greatest latency take memory: 1 KiB each.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "StoredCounts")]
pub struct Histogram {
    /// Index of the first bucket that `counts` holds; a multiple of [`PER_OCTAVE`], as is its
    /// length.
    first: usize,
    counts: Vec<u64>,
    count: u64,
    sum: u128,
    least: u64,
    greatest: u64,
}

/// A histogram as it was written, which somebody may have altered.
#[derive(Deserialize)]
struct StoredCounts {
    first: usize,
    counts: Vec<u64>,
    count: u64,
    sum: u128,
    least: u64,
    greatest: u64,
}

impl TryFrom<StoredCounts> for Histogram {
    type Error = &'static str;

    fn try_from(written: StoredCounts) -> Result<Self, Self::Error> {
        let StoredCounts { first, counts, count, sum, least, greatest } = written;
        let octaves = first.is_multiple_of(PER_OCTAVE) && counts.len().is_multiple_of(PER_OCTAVE);
        let room = first..first.saturating_add(counts.len());
        let ends = match count {
            0 => (least, greatest, sum) == (u64::MAX, 0, 0),
            _ => {
                least <= greatest
                    && room.contains(&bucket(least))
                    && room.contains(&bucket(greatest))
                    && sum <= u128::from(count) * u128::from(greatest)
            }
        };
        let counted: u128 = counts.iter().copied().map(u128::from).sum();
        match octaves && room.end <= BUCKETS && ends && counted == u128::from(count) {
            true => Ok(Histogram { first, counts, count, sum, least, greatest }),
            false => Err("a histogram whose counts do not fit each other"),
        }
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { first: 0, counts: Vec::new(), count: 0, sum: 0, least: u64::MAX, greatest: 0 }
    }
}

/// Equal if the same latencies were counted, up to the width of a bucket.
impl PartialEq for Histogram {
    fn eq(&self, other: &Self) -> bool {
        let figures = |h: &Self| (h.count, h.sum, h.least, h.greatest);
        figures(self) == figures(other) && self.buckets().eq(other.buckets())
    }
}

impl Eq for Histogram {}

#[inline(always)]
fn bucket(value: u64) -> usize {
    if value < PER_OCTAVE as u64 {
        return value as usize;
    }
    let shift = 63 - value.leading_zeros() - BITS;
    let index = ((shift as usize) << BITS) + (value >> shift) as usize;
    index.min(BUCKETS - 1)
}

/// The values of bucket `index`: from the first (inclusive) to the second (exclusive).
fn bounds(index: usize) -> (u64, u64) {
    if index < 2 * PER_OCTAVE {
        return (index as u64, index as u64 + 1);
    }
    let shift = (index >> BITS) - 1;
    let mantissa = (index - (shift << BITS)) as u64;
    (mantissa << shift, (mantissa + 1) << shift)
}

impl Histogram {
    /// The greatest width of a bucket, over what lies in it.
    pub const WIDTH: f64 = 1.0 / PER_OCTAVE as f64;

    /// Counts one latency.
    #[inline(always)]
    pub fn record(&mut self, latency: Span) {
        let index = bucket(latency.0);
        match self.counts.get_mut(index.wrapping_sub(self.first)) {
            Some(count) => *count += 1,
            None => *self.make_room(index) += 1,
        }
        self.count += 1;
        self.sum += u128::from(latency.0);
        self.least = self.least.min(latency.0);
        self.greatest = self.greatest.max(latency.0);
    }

    /// Grows by whole octaves until bucket `index` has a place.
    #[cold]
    #[inline(never)]
    fn make_room(&mut self, index: usize) -> &mut u64 {
        let octave = index - index % PER_OCTAVE;
        if self.counts.is_empty() {
            self.first = octave;
        }
        if octave < self.first {
            let missing = self.first - octave;
            self.counts.splice(0..0, std::iter::repeat_n(0, missing));
            self.first = octave;
        }
        let needed = octave + PER_OCTAVE - self.first;
        if self.counts.len() < needed {
            self.counts.resize(needed, 0);
        }
        &mut self.counts[index - self.first]
    }

    /// Adds all counts of `other`.
    pub fn merge(&mut self, other: &Histogram) {
        if other.count == 0 {
            return;
        }
        let used = other.used();
        self.make_room(used.start);
        self.make_room(used.end - 1);
        let mine = &mut self.counts[used.start - self.first..used.end - self.first];
        let theirs = &other.counts[used.start - other.first..used.end - other.first];
        mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += theirs);
        self.count += other.count;
        self.sum += other.sum;
        self.least = self.least.min(other.least);
        self.greatest = self.greatest.max(other.greatest);
    }

    /// Forgets everything but the room; costs only as much as the range in use.
    pub fn clear(&mut self) {
        if self.count > 0 {
            let used = self.used();
            self.counts[used.start - self.first..used.end - self.first].fill(0);
            (self.count, self.sum, self.least, self.greatest) = (0, 0, u64::MAX, 0);
        }
    }

    /// Indices of the buckets from the least to the greatest latency; none when empty.
    fn used(&self) -> std::ops::Range<usize> {
        match self.count {
            0 => 0..0,
            _ => bucket(self.least)..bucket(self.greatest) + 1,
        }
    }

    /// The count of bucket `index`, one of [`Histogram::used`].
    fn at(&self, index: usize) -> u64 {
        self.counts[index - self.first]
    }

    /// How many latencies were counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their sum in nanoseconds.
    pub fn sum(&self) -> u128 {
        self.sum
    }

    /// The mean; `None` when empty.
    pub fn mean(&self) -> Option<Span> {
        (self.count > 0).then(|| Span((self.sum / u128::from(self.count)) as u64))
    }

    /// The greatest latency, exactly; `None` when empty.
    pub fn greatest(&self) -> Option<Span> {
        (self.count > 0).then_some(Span(self.greatest))
    }

    /// The least latency, exactly; `None` when empty.
    pub fn least(&self) -> Option<Span> {
        (self.count > 0).then_some(Span(self.least))
    }

    /// The latency that a share `q` (0 to 1) of the requests did not exceed: the value of rank
    /// ⌈q·n⌉ (Hyndman and Fan 1996, definition 1), placed inside its bucket by interpolation.
    /// `None` when empty.
    pub fn quantile(&self, q: f64) -> Option<Span> {
        let rank = ((q * self.count as f64).ceil() as u64).clamp(1, self.count.max(1));
        self.ranked(rank).map(|found| found.value)
    }

    /// The latency of a rank, from 1 for the least; `None` if there are not so many.
    pub fn ranked(&self, rank: u64) -> Option<Ranked> {
        if rank > self.count {
            return None;
        }
        let mut below = 0;
        // Whole octaves are passed over at once.
        for (octave, counts) in self.counts.chunks_exact(PER_OCTAVE).enumerate() {
            let here: u64 = counts.iter().sum();
            if below + here < rank {
                below += here;
                continue;
            }
            for (place, here) in counts.iter().enumerate().filter(|(_, here)| **here > 0) {
                if below + here >= rank {
                    let index = self.first + octave * PER_OCTAVE + place;
                    return Some(self.ranked_in(index, rank - below, *here));
                }
                below += here;
            }
        }
        None
    }

    /// The one of this rank among those `here`, in bucket `index`.
    fn ranked_in(&self, index: usize, rank: u64, here: u64) -> Ranked {
        let (low, high) = bounds(index);
        let part = (rank as f64 - 0.5) / here as f64;
        let value = low + (part * (high - low) as f64) as u64;
        let within = |value: u64| Span(value.clamp(self.least, self.greatest));
        let most = if index == BUCKETS - 1 { self.greatest } else { high - 1 };
        Ranked { least: within(low), value: within(value), greatest: within(most) }
    }

    /// How many latencies do not exceed `value`; of those in its bucket, the part that the value
    /// cuts off, as [`Histogram::quantile`] places them.
    pub fn up_to(&self, value: Span) -> f64 {
        let (index, used) = (bucket(value.0), self.used());
        let below: u64 = (used.start..used.end.min(index)).map(|index| self.at(index)).sum();
        let here = if used.contains(&index) { self.at(index) } else { 0 };
        let (low, high) = bounds(index);
        below as f64 + here as f64 * (value.0 - low) as f64 / (high - low) as f64
    }

    /// Non-empty buckets from low to high: upper bound and count.
    pub fn buckets(&self) -> impl Iterator<Item = (Span, u64)> + '_ {
        self.used()
            .filter(|index| self.at(*index) > 0)
            .map(|index| (Span(bounds(index).1), self.at(index)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn buckets_tile_the_axis_without_gap_or_overlap() {
        for index in 0..BUCKETS - 1 {
            let (low, high) = bounds(index);
            assert_eq!(bucket(low), index);
            assert_eq!(bucket(high - 1), index);
            assert_eq!(bounds(index + 1).0, high);
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn an_empty_histogram_has_no_figures() {
        let empty = Histogram::default();
        assert_eq!((empty.quantile(0.5), empty.mean(), empty.greatest()), (None, None, None));
        let mut cleared = Histogram::default();
        cleared.record(Span(5_000));
        cleared.clear();
        assert_eq!(cleared, empty);
    }

    #[test]
    fn a_histogram_is_read_back_as_it_was_and_never_if_its_counts_do_not_fit() {
        let read = |json: &str| serde_json::from_str::<Histogram>(json);
        let mut whole = Histogram::default();
        assert_eq!(read(&serde_json::to_string(&whole).unwrap()).unwrap(), whole);
        [5, 300, 70_000].into_iter().for_each(|value| whole.record(Span(value)));
        let json = serde_json::to_string(&whole).unwrap();
        assert_eq!(read(&json).unwrap(), whole);
        for (from, to) in [
            ("\"first\":0", "\"first\":1"),
            ("\"first\":0", "\"first\":18446744073709551488"),
            ("\"count\":3", "\"count\":4"),
            ("\"least\":5", "\"least\":18446744073709551615"),
            ("\"greatest\":70000", "\"greatest\":700000000"),
            ("\"counts\":[0", "\"counts\":[0,0"),
            ("\"sum\":70305", "\"sum\":999999999"),
        ] {
            assert!(json.contains(from), "{from} is not in {json}");
            assert!(read(&json.replacen(from, to, 1)).is_err(), "{to}");
        }
    }

    proptest! {
        #[test]
        fn quantiles_lie_within_a_bucket_of_the_exact_ones(
            mut values in prop::collection::vec(0_u64..1 << 44, 1..400), q in 0.0..=1.0_f64
        ) {
            let mut histogram = Histogram::default();
            values.iter().for_each(|v| histogram.record(Span(*v)));
            values.sort_unstable();
            let rank = ((q * values.len() as f64).ceil() as usize).clamp(1, values.len());
            let exact = values[rank - 1] as f64;
            let found = histogram.quantile(q).unwrap().0 as f64;
            prop_assert!((found - exact).abs() <= exact / 128.0 + 1.0, "{found} for {exact}");
            let Ranked { least, greatest, .. } = histogram.ranked(rank as u64).unwrap();
            prop_assert!((least..=greatest).contains(&Span(values[rank - 1])));
            prop_assert_eq!(histogram.ranked(values.len() as u64 + 1), None);
        }

        #[test]
        fn as_many_lie_up_to_a_quantile_as_it_says(
            values in prop::collection::vec(0_u64..1 << 44, 1..400), q in 0.0..=1.0_f64
        ) {
            let mut histogram = Histogram::default();
            values.iter().for_each(|v| histogram.record(Span(*v)));
            let value = histogram.quantile(q).unwrap();
            let found = histogram.up_to(value);
            // All in its bucket may stand in its place.
            let here = values.iter().filter(|v| bucket(**v) == bucket(value.0)).count() as f64;
            let rank = (q * values.len() as f64).ceil().max(1.0);
            prop_assert!((found - rank).abs() <= here, "{found} for {rank}");
            prop_assert_eq!(histogram.up_to(Span(1 << 45)), values.len() as f64);
            prop_assert_eq!(Histogram::default().up_to(value), 0.0);
        }

        #[test]
        fn merging_equals_recording_everything_in_one(
            left in prop::collection::vec(0_u64..1 << 60, 0..50),
            right in prop::collection::vec(0_u64..1 << 60, 0..50),
        ) {
            let of = |values: &[u64]| {
                let mut histogram = Histogram::default();
                values.iter().for_each(|v| histogram.record(Span(*v)));
                histogram
            };
            let mut merged = of(&left);
            merged.merge(&of(&right));
            prop_assert_eq!(merged, of(&[left, right].concat()));
        }
    }
}
