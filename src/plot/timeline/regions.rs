//! Several regions over time: which of them clients send to, and what each gets and can serve.

use super::input::TimelineInput;
use super::load::{MOST_HEADROOM, capacity_key, load_keys, peak, ready};
use crate::observe::timeline::{ApiRow, TotalRow};
use crate::plot::canvas::{Figure, Role};
use crate::plot::layout::lines::NamedLine;
use crate::plot::layout::{Frame, PlotAxis, SeriesPoint, lines as marks};

/// Height of the panel of all clients.
pub(crate) const SHARES: f64 = 72.0;
/// Height of the panel of a region.
pub(crate) const ONE: f64 = 84.0;

/// What `of` says of each bin of a region, and its width in seconds, at the middle of the bin.
fn by_bin(
    input: &TimelineInput,
    region: usize,
    of: impl Fn(&ApiRow, f64) -> Option<f64>,
) -> Vec<SeriesPoint> {
    let rows = input.timeline.by_api.chunks(input.regions.len());
    let bins = input.timeline.total.iter().zip(rows);
    let point = |(total, regions): (&TotalRow, &[ApiRow])| {
        let start = total.start.as_secs();
        let width = input.timeline.bin.as_secs().min(input.horizon.as_secs() - start).max(1e-9);
        (start + width / 2.0, of(&regions[region], width))
    };
    bins.map(point).collect()
}

/// The share of all clients that send to each region.
pub(crate) fn clients(figure: &mut Figure, frame: &mut Frame, input: &TimelineInput) {
    frame.y = PlotAxis::percent();
    frame.draw_levels(figure);
    let mut keys = Vec::new();
    for (index, region) in input.regions.iter().enumerate() {
        let shares = by_bin(input, index, |row, _| row.clients);
        let line = NamedLine::of(&shares, Role::compared(index), 1.7, &region.name);
        keys.extend(line.draw(figure, frame));
    }
    frame.draw_keys(figure, &keys);
}

/// Requests that a region gets and serves, and the capacity that is ready for them.
pub(crate) fn one(figure: &mut Figure, frame: &mut Frame, input: &TimelineInput, region: usize) {
    let rates =
        |of: fn(&ApiRow) -> u64| by_bin(input, region, |row, width| Some(of(row) as f64 / width));
    let (offered, served) = (rates(|row| row.offered), rates(|row| row.served));
    let ready = ready(input, Some(region));
    let load = peak(&offered).max(peak(&served));
    let shown = if load > 0.0 { peak(&ready).min(MOST_HEADROOM * load) } else { peak(&ready) };
    frame.y = PlotAxis::count(shown.max(load).max(1.0) * 1.02, 3);
    frame.draw_levels(figure);
    figure.fills(marks::area(frame, &served), Role::Served, 0.12);
    figure.lines(marks::steps(frame, &ready, input.horizon.as_secs()), Role::Capacity, 2.0);
    marks::draw(figure, frame, &offered, Role::Offered, 1.1);
    marks::draw(figure, frame, &served, Role::Served, 1.5);
    let mut keys = Vec::from_iter(capacity_key(frame, &ready));
    keys.extend(load_keys(frame, &offered, &served));
    frame.draw_keys(figure, &keys);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::State;
    use crate::observe::timeline::{ReplicaLife, Timeline};
    use crate::plot::timeline::TimelineRegion;
    use crate::units::{Instant, Rate, Span};

    fn life(slot: usize, until: Option<f64>) -> ReplicaLife {
        let at = Instant::from_secs;
        let mut states = vec![(at(0.0), State::Ready)];
        states.extend(until.map(|until| (at(until), State::Terminated)));
        let mut rotation = vec![(at(0.0), true)];
        rotation.extend(until.map(|until| (at(until), false)));
        ReplicaLife { name: "r".to_owned(), zone: 0, slot, states, rotation, speed: Vec::new() }
    }

    #[test]
    fn each_region_has_the_capacity_of_its_own_slots_and_its_own_rows() {
        let bin = |start| TotalRow { start: Instant::from_secs(start), ..TotalRow::default() };
        let row = |clients| ApiRow { offered: 20, clients: Some(clients), ..ApiRow::default() };
        let timeline = Timeline {
            bin: Span::from_secs(10.0),
            total: vec![bin(0.0), bin(10.0)],
            by_api: vec![row(0.5), row(0.5), row(0.1), row(0.9)],
            by_replica: Vec::new(),
            replicas: vec![life(0, None), life(1, None), life(2, Some(15.0))],
        };
        let region = |name: &str, rate| TimelineRegion {
            name: name.to_owned(),
            capacity_per_replica: Rate(rate),
        };
        let input = TimelineInput {
            title: "",
            subtitle: "",
            timeline: &timeline,
            bands: None,
            monitored: Vec::new(),
            capacity_per_replica: Rate(1.0),
            regions: vec![region("x", 10.0), region("y", 30.0)],
            autoscaler: None,
            rules: Vec::new(),
            goals: Vec::new(),
            warm_up: Instant::ZERO,
            horizon: Instant::from_secs(20.0),
        };
        assert_eq!(ready(&input, Some(0)), [(0.0, Some(20.0)), (15.0, Some(10.0))]);
        assert_eq!(ready(&input, Some(1)), [(0.0, Some(30.0))]);
        assert_eq!(ready(&input, None), [(0.0, Some(50.0)), (15.0, Some(40.0))]);
        let clients = by_bin(&input, 1, |row, _| row.clients);
        assert_eq!(clients, [(5.0, Some(0.5)), (15.0, Some(0.9))]);
        let offered = by_bin(&input, 0, |row, width| Some(row.offered as f64 / width));
        assert_eq!(offered, [(5.0, Some(2.0)), (15.0, Some(2.0))]);
    }
}
