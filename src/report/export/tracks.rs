//! Writing a Perfetto trace track by track: slices that lie within each other, instants, counters.
//!
//! What overlaps cannot lie in one track, so it is spread over several of the same name, which the
//! viewer shows below each other ([`in_lanes`]).

use std::io::{Result, Write};

use prost::Message;

use super::proto::{
    CounterDescriptor, DebugAnnotation, EventType, ProcessDescriptor, ThreadDescriptor, Trace,
    TracePacket, TrackDescriptor, TrackEvent,
};
use crate::units::Instant;

/// All is told by one writer.
const SEQUENCE: u32 = 1;
/// Nothing of before is needed to read what follows (`SEQ_INCREMENTAL_STATE_CLEARED`).
const BEGINNING: u32 = 1;

/// A track that has been told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TrackId(u64);

/// What is known of an event beside its name: names and values.
pub(super) type Details<'a> = &'a [(&'static str, String)];

/// A trace in the making.
pub(super) struct TrackWriter<'a> {
    out: &'a mut dyn Write,
    tracks: u64,
}

impl<'a> TrackWriter<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        TrackWriter { out, tracks: 0 }
    }

    /// A process of this number, from 1.
    pub(super) fn process(&mut self, pid: i32, name: &str) -> Result<TrackId> {
        let process = ProcessDescriptor { pid: Some(pid), process_name: Some(name.to_owned()) };
        self.track(TrackDescriptor { process: Some(process), ..TrackDescriptor::default() })
    }

    /// A thread of a process.
    pub(super) fn thread(&mut self, pid: i32, tid: i32, name: &str) -> Result<TrackId> {
        let name = Some(name.to_owned());
        let thread = ThreadDescriptor { pid: Some(pid), tid: Some(tid), thread_name: name };
        self.track(TrackDescriptor { thread: Some(thread), ..TrackDescriptor::default() })
    }

    /// A track below another one.
    pub(super) fn below(&mut self, parent: TrackId, name: &str) -> Result<TrackId> {
        self.track(TrackDescriptor {
            name: Some(name.to_owned()),
            parent_uuid: Some(parent.0),
            ..TrackDescriptor::default()
        })
    }

    /// A counter below a track, with its values, each of which holds until the next. What there is
    /// none of is left out.
    pub(super) fn counter(
        &mut self,
        parent: TrackId,
        (name, unit): (&str, &str),
        values: impl Iterator<Item = (Instant, Option<f64>)>,
    ) -> Result<()> {
        let track = self.track(TrackDescriptor {
            name: Some(name.to_owned()),
            parent_uuid: Some(parent.0),
            counter: Some(CounterDescriptor { unit_name: Some(unit.to_owned()) }),
            ..TrackDescriptor::default()
        })?;
        for (at, value) in values.filter_map(|(at, value)| Some((at, value?))) {
            let event = TrackEvent { double_counter_value: Some(value), ..TrackEvent::default() };
            self.event(track, at, EventType::Counter, event)?;
        }
        Ok(())
    }

    /// Something begins on a track; it ends with the next [`TrackWriter::end`] that is not that of
    /// what begins in between.
    pub(super) fn begin(
        &mut self,
        track: TrackId,
        at: Instant,
        (category, name): (&str, &str),
        details: Details,
    ) -> Result<()> {
        self.event(track, at, EventType::SliceBegin, named(category, name, details))
    }

    /// The last thing that began on a track ends.
    pub(super) fn end(&mut self, track: TrackId, at: Instant) -> Result<()> {
        self.event(track, at, EventType::SliceEnd, TrackEvent::default())
    }

    /// Something that takes no time.
    pub(super) fn instant(
        &mut self,
        track: TrackId,
        at: Instant,
        (category, name): (&str, &str),
        details: Details,
    ) -> Result<()> {
        self.event(track, at, EventType::Instant, named(category, name, details))
    }

    fn track(&mut self, descriptor: TrackDescriptor) -> Result<TrackId> {
        self.tracks += 1;
        let uuid = Some(self.tracks);
        let flags = (self.tracks == 1).then_some(BEGINNING);
        self.packet(TracePacket {
            sequence_flags: flags,
            track_descriptor: Some(TrackDescriptor { uuid, ..descriptor }),
            ..TracePacket::default()
        })?;
        Ok(TrackId(self.tracks))
    }

    fn event(
        &mut self,
        track: TrackId,
        at: Instant,
        kind: EventType,
        event: TrackEvent,
    ) -> Result<()> {
        let (kind, track_uuid) = (Some(kind as i32), Some(track.0));
        self.packet(TracePacket {
            timestamp: Some(at.0),
            track_event: Some(TrackEvent { r#type: kind, track_uuid, ..event }),
            ..TracePacket::default()
        })
    }

    fn packet(&mut self, packet: TracePacket) -> Result<()> {
        let packet = TracePacket { trusted_packet_sequence_id: Some(SEQUENCE), ..packet };
        self.out.write_all(&Trace { packet: vec![packet] }.encode_to_vec())
    }
}

fn named(category: &str, name: &str, details: Details) -> TrackEvent {
    let annotation = |(name, value): &(&str, String)| DebugAnnotation {
        string_value: Some(value.clone()),
        name: Some((*name).to_owned()),
    };
    TrackEvent {
        debug_annotations: details.iter().map(annotation).collect(),
        categories: vec![category.to_owned()],
        name: Some(name.to_owned()),
        ..TrackEvent::default()
    }
}

/// Spreads what lasts over as few lanes as there are at a time, in each of which nothing overlaps;
/// all are in order of their begin.
pub(super) fn in_lanes<'t, T>(
    all: impl IntoIterator<Item = &'t T>,
    span: impl Fn(&T) -> (Instant, Instant),
) -> Vec<Vec<&'t T>> {
    let mut lanes: Vec<(Instant, Vec<&T>)> = Vec::new();
    for one in all {
        let (from, to) = span(one);
        match lanes.iter_mut().find(|(until, _)| *until <= from) {
            Some((until, lane)) => {
                *until = to;
                lane.push(one);
            }
            None => lanes.push((to, vec![one])),
        }
    }
    lanes.into_iter().map(|(_, lane)| lane).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_one_after_the_other_are_one_trace() {
        let mut bytes = Vec::new();
        let mut tracks = TrackWriter::new(&mut bytes);
        let gateway = tracks.process(1, "gateway").unwrap();
        tracks.begin(gateway, Instant(5), ("a", "b"), &[("c", "d".to_owned())]).unwrap();
        tracks.end(gateway, Instant(9)).unwrap();
        let values = [(Instant(0), Some(1.5)), (Instant(1), None)];
        tracks.counter(gateway, ("cpu", "share"), values.into_iter()).unwrap();
        let trace = Trace::decode(&bytes[..]).unwrap();
        assert_eq!(trace.packet.len(), 5);
        let kinds: Vec<_> =
            trace.packet.iter().filter_map(|one| one.track_event.as_ref()?.r#type).collect();
        assert_eq!(kinds, [1, 2, 4]);
        let flags: Vec<_> = trace.packet.iter().filter_map(|one| one.sequence_flags).collect();
        assert_eq!(flags, [BEGINNING]);
    }

    #[test]
    fn what_overlaps_lies_in_lanes_of_its_own() {
        let all = [(0, 5), (1, 2), (2, 9), (5, 6), (7, 8)];
        let lanes = in_lanes(&all, |(from, to)| (Instant(*from), Instant(*to)));
        assert_eq!(lanes, [vec![&(0, 5), &(5, 6), &(7, 8)], vec![&(1, 2), &(2, 9)]]);
    }
}
