//! `latency.hlog`: the latencies of the served requests as an HdrHistogram log, version 1.3 of its
//! text format, with histograms in its compressed encoding (V2), in nanoseconds.
//!
//! Each line is one window of one replication, tagged with the name of the window. Replications lie
//! one after the other in time, from an [`Epoch`] on, each as long as its horizon: all lines of a
//! tag together are what the report pools. Two significant digits are as fine as the histograms
//! that are kept, bucket by bucket, so that nothing is lost and nothing is made up.

use core::time::Duration;
use std::io::{Error, Result, Write};

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

use super::kind::Epoch;
use crate::observe::histogram::Histogram;
use crate::observe::outcome::Outcome;
use crate::plan::{Extent, Plan};
use crate::report::manifest::VERSION;
use crate::units::{Instant, Span};

/// As fine as the histograms that are kept: 128 buckets an octave.
const DIGITS: u8 = 2;
/// The greatest value of a line is written in milliseconds.
const NANOSECONDS: f64 = 1e6;
/// The names of the columns, as readers expect them.
const LEGEND: &str =
    "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n";

/// Writes the windows of all replications.
pub(super) fn write(
    plan: &Plan,
    outcomes: &[Outcome],
    epoch: Epoch,
    mut out: &mut dyn Write,
) -> Result<()> {
    let (mut serializer, seconds) = (V2DeflateSerializer::new(), epoch.seconds());
    IntervalLogWriterBuilder::new()
        .add_comment("[Histogram log format version 1.3]")
        .add_comment(&format!("[brownout {VERSION}: latencies of served requests, nanoseconds]"))
        .add_comment(&format!("[StartTime: {seconds:.3} (seconds since epoch), {epoch}]"))
        .add_comment(&format!("[BaseTime: {seconds:.3} (seconds since epoch)]"))
        .begin_log_with(&mut out, &mut serializer)?;
    out.write_all(LEGEND.as_bytes())?;
    let mut log = IntervalLogWriterBuilder::new()
        .with_max_value_divisor(NANOSECONDS)
        .begin_log_with(&mut out, &mut serializer)?;
    let mut begin = Span::ZERO;
    for outcome in outcomes {
        for (index, from) in in_order(plan) {
            let Some(window) = outcome.windows.get(index) else { continue };
            let tag = tag(&plan.windows[index].label);
            let (at, long) = (Span(begin.0 + from.0), window.open);
            log.write_histogram(
                &histogram(&window.latency)?,
                Duration::from_nanos(at.0),
                Duration::from_nanos(long.0),
                Tag::new(&tag),
            )
            .map_err(Error::other)?;
        }
        begin += Span(plan.run.horizon.0);
    }
    Ok(())
}

/// The windows with when they begin, in this order; one that lasts as long as a fault has its
/// effect is told from the end of warm-up.
fn in_order(plan: &Plan) -> Vec<(usize, Instant)> {
    let begin = |extent: Extent| match extent {
        Extent::Between(from, _) => from,
        Extent::Run | Extent::During(_) => plan.run.warm_up,
    };
    let all = plan.windows.iter().map(|window| begin(window.extent));
    let mut all: Vec<(usize, Instant)> = all.enumerate().collect();
    all.sort_by_key(|(_, from)| *from);
    all
}

/// The same counts in the same buckets.
fn histogram(kept: &Histogram) -> Result<hdrhistogram::Histogram<u64>> {
    let mut made = hdrhistogram::Histogram::<u64>::new(DIGITS).map_err(Error::other)?;
    for (above, count) in kept.buckets() {
        made.record_n(above.0 - 1, count).map_err(Error::other)?;
    }
    Ok(made)
}

/// A label without what ends a tag.
fn tag(label: &str) -> String {
    let ends = |c: char| c == ',' || c.is_whitespace() || c.is_control();
    label.chars().map(|c| if ends(c) { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_bucket_is_one_of_theirs(values in prop::collection::vec(0_u64..1 << 50, 1..200)) {
            let mut kept = Histogram::default();
            values.iter().for_each(|value| kept.record(Span(*value)));
            let made = histogram(&kept).unwrap();
            prop_assert_eq!(made.len(), kept.count());
            let theirs: Vec<(u64, u64)> = made
                .iter_recorded()
                .map(|one| (one.value_iterated_to() + 1, one.count_at_value()))
                .collect();
            let ours: Vec<(u64, u64)> = kept.buckets().map(|(above, n)| (above.0, n)).collect();
            prop_assert_eq!(theirs, ours);
        }
    }

    #[test]
    fn a_tag_ends_where_it_is_to() {
        assert_eq!(tag("during crash, \"b\""), "during-crash--\"b\"");
        assert!(Tag::new(&tag("a\tb\nc, d")).is_some());
    }
}
