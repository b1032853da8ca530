//! Charts of made-up runs: drawn without a panic whatever the data, and described in words.

mod troubles;

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use brownout::observe::State;
use brownout::observe::histogram::Histogram;
use brownout::observe::timeline::{Latency, ReplicaLife, Timeline, TotalRow};
use brownout::plot::percentile::{
    LatencyBound, PercentileCurve, PercentileInput, Role, percentile,
};
use brownout::plot::theme::Theme;
use brownout::plot::timeline::{Goal, RuleKind, TimelineInput, TimelineRule, timeline};
use brownout::plot::{self, Figure, style_sheet, svg};
use brownout::units::{Instant, Rate, Share, Span};
use rayon::prelude::*;
use troubles::{failing, storm};

/// Requests per second that one replica serves.
const PER_REPLICA: f64 = 480.0;

fn at(seconds: f64) -> Instant {
    Instant::from_secs(seconds)
}

/// Cheap noise around 0.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        let step = 6_364_136_223_846_793_005;
        self.0 = self.0.wrapping_mul(step).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f64 / f64::from(1 << 23) - 1.0
    }
}

/// A replica in rotation from `start` on; if that is not zero, it takes 40 s to get there.
fn life(name: &str, slot: usize, start: f64) -> ReplicaLife {
    let states = match start {
        0.0 => vec![(at(0.0), State::Ready)],
        _ => vec![
            (at(start - 40.0), State::Scheduling),
            (at(start - 34.0), State::Booting),
            (at(start - 6.0), State::Ready),
        ],
    };
    let rotation = vec![(at(start), true)];
    ReplicaLife { name: name.to_owned(), zone: slot % 3, slot, states, rotation, speed: vec![] }
}

/// Lets a replica fail at `when`, be noticed after `unnoticed` seconds and leave soon after.
fn end(mut life: ReplicaLife, when: f64, unnoticed: f64) -> ReplicaLife {
    let seen = when + unnoticed;
    life.states.push((at(when), State::Failed));
    life.states.extend([(at(seen), State::Unready), (at(seen + 4.0), State::Terminated)]);
    life.rotation.push((at(seen + 1.0), false));
    life
}

fn latest<T: Copy>(changes: &[(Instant, T)], time: Instant) -> Option<T> {
    changes.iter().rev().find(|change| change.0 <= time).map(|change| change.1)
}

/// Replicas in rotation and the speed of those that work, at `time`.
fn strength(replicas: &[ReplicaLife], time: Instant) -> (usize, usize, f64) {
    let sent_to = replicas.iter().filter(|life| latest(&life.rotation, time) == Some(true));
    let (mut all, mut working, mut speed) = (0, 0, 0.0);
    for life in sent_to {
        all += 1;
        if latest(&life.states, time) == Some(State::Ready) {
            working += 1;
            speed += latest(&life.speed, time).map_or(1.0, |share| share.0);
        }
    }
    (all, working, speed)
}

/// A fluid picture of a run: what is offered beyond capacity waits, what broken replicas get fails.
fn run(replicas: Vec<ReplicaLife>, load: impl Fn(f64) -> f64, bin: f64, seconds: f64) -> Timeline {
    let (mut noise, mut waiting) = (Noise(7), 0.0_f64);
    let mut total = Vec::new();
    for index in 0..(seconds / bin).ceil() as usize {
        let start = at(index as f64 * bin);
        let (all, working, speed) = strength(&replicas, start);
        let offered = (load(start.as_secs()) * bin * (1.0 + 0.05 * noise.next())).max(0.0);
        let failed = offered * if all == 0 { 1.0 } else { 1.0 - working as f64 / all as f64 };
        let capacity = speed * PER_REPLICA * bin;
        let served = (offered - failed + waiting).min(capacity);
        waiting += offered - failed - served;
        let used = if capacity > 0.0 { served / capacity } else { 0.0 };
        let base = 0.012 / (1.04 - used) + waiting / (capacity / bin).max(1.0);
        let mut span = |part: f64| Span::from_secs(base * part * (1.0 + 0.15 * noise.next()));
        let latency = Latency { mean: span(0.9), p50: span(0.7), p95: span(1.8), p99: span(2.9) };
        let mut failures = TotalRow::default().failures;
        failures[index % 6] = failed as u64;
        total.push(TotalRow {
            start,
            offered: offered as u64,
            served: served as u64,
            failures,
            latency: (served >= 1.0).then_some(latency),
            in_flight: waiting as u64,
            in_rotation: all,
            cpu: (speed > 0.0).then_some(used),
            ..TotalRow::default()
        });
    }
    Timeline { bin: Span::from_secs(bin), total, by_api: vec![], by_replica: vec![], replicas }
}

fn rule(seconds: f64, label: &str, kind: RuleKind) -> TimelineRule {
    TimelineRule { at: at(seconds), label: label.to_owned(), kind }
}

fn goal(label: &str, bound: f64, from: f64, to: f64) -> Goal {
    let (label, bound) = (label.to_owned(), Span::from_secs(bound));
    Goal { label, quantile: Some(0.99), bound, from: at(from), to: at(to) }
}

fn draw(timeline: &Timeline, title: &str, seconds: f64, rules: Vec<TimelineRule>) -> Figure {
    self::timeline(&TimelineInput {
        autoscaler: None,
        regions: Vec::new(),
        title,
        subtitle: "3 × large, 900 requests/s; replication 1 of 30, seed 42; grey is warm-up",
        timeline,
        bands: None,
        monitored: timeline.monitored(Span::from_secs(60.0)),
        capacity_per_replica: Rate(PER_REPLICA),
        rules,
        goals: vec![goal("p99 < 250ms", 0.25, 0.0, seconds), goal("p99 < 2s", 2.0, 180.0, 210.0)],
        warm_up: at(60.0),
        horizon: at(seconds),
    })
}

fn crash() -> Figure {
    let replicas = vec![
        life("a-1", 0, 0.0),
        end(life("b-1", 1, 0.0), 180.0, 2.0),
        life("c-1", 2, 0.0),
        life("b-2", 1, 232.0),
    ];
    let rules = vec![
        rule(180.0, "replica b-1 crashes", RuleKind::Fault),
        rule(183.0, "out of rotation", RuleKind::Detected),
        rule(232.0, "capacity restored", RuleKind::Recovered),
        rule(262.0, "backlog gone", RuleKind::Recovered),
    ];
    let title = "Losing one of three replicas at 900/s fails 1 request in 600";
    draw(&run(replicas, |_| 900.0, 1.0, 600.0), title, 600.0, rules)
}

fn hang() -> Figure {
    let mut hung = life("b-1", 1, 0.0);
    hung.states.extend([(at(180.0), State::Hung), (at(212.0), State::Unready)]);
    hung.states.extend([(at(242.0), State::Booting), (at(270.0), State::Ready)]);
    hung.rotation.extend([(at(213.0), false), (at(276.0), true)]);
    let mut slow = life("c-1", 2, 0.0);
    slow.speed = vec![(at(400.0), Share(0.6)), (at(460.0), Share::ONE)];
    let load = |t: f64| 880.0 + 60.0 * (t / 60.0).sin();
    let rules = vec![
        rule(180.0, "replica b-1 hangs", RuleKind::Fault),
        rule(213.0, "out of rotation", RuleKind::Detected),
        rule(276.0, "back to normal", RuleKind::Recovered),
        rule(400.0, "replica c-1 slows to 60 %", RuleKind::Fault),
        rule(592.0, "a long label near the right edge of the picture", RuleKind::Fault),
    ];
    let title = "A hung replica fails a third of the traffic until its probe notices";
    let timeline = run(vec![life("a-1", 0, 0.0), hung, slow], load, 1.0, 600.0);
    draw(&timeline, title, 600.0, rules)
}

fn zone_loss() -> Figure {
    let mut replicas: Vec<ReplicaLife> = Vec::new();
    for (slot, zone) in ["a", "b", "c"].iter().cycle().take(6).enumerate() {
        let born = life(&format!("{zone}-{}", slot / 3 + 1), slot, 0.0);
        replicas.push(if *zone == "b" { end(born, 600.0, 45.0) } else { born });
    }
    for (slot, name) in [(1, "a-3"), (4, "c-3")] {
        let mut heir = life(name, slot, 1_010.0);
        heir.states[0].0 = at(950.0);
        replicas.push(heir);
    }
    let rules = vec![
        rule(600.0, "zone b lost", RuleKind::Fault),
        rule(646.0, "out of rotation", RuleKind::Detected),
        rule(1_010.0, "capacity restored", RuleKind::Recovered),
    ];
    let title = "Zone b is gone for 20 minutes: replacements wait five minutes for a node";
    let load = |t: f64| 1_700.0 + 350.0 * (t / 700.0).sin();
    draw(&run(replicas, load, 1.0, 1_800.0), title, 1_800.0, rules)
}

fn day() -> Figure {
    let (mut replicas, mut rules) = (Vec::new(), Vec::new());
    for (slot, zone) in ["a", "b", "c"].iter().enumerate() {
        for part in 0..8 {
            let lag = slot as f64 * 1_900.0;
            let born = f64::from(part) * 10_800.0 + lag;
            let start = if part == 0 { 0.0 } else { born + 60.0 };
            let one = life(&format!("{zone}-{}", part + 1), slot, start);
            let ends = born + 10_800.0;
            replicas.push(if part < 7 { end(one, ends, 2.0) } else { one });
            rules.push(rule(ends, "crash", RuleKind::Fault));
        }
    }
    rules.retain(|rule| rule.at < at(80_000.0));
    let load = |t: f64| 640.0 - 420.0 * (t / 86_400.0 * std::f64::consts::TAU).cos();
    let timeline = run(replicas, load, 5.0, 86_400.0);
    draw(&timeline, "A day with a crash every hour", 86_400.0, rules)
}

fn thousand() -> Figure {
    let replica = |slot: usize| {
        let start = if slot % 7 == 3 { 80.0 + slot as f64 / 9.0 } else { 0.0 };
        let one = life(&format!("a-{slot}"), slot, start);
        if slot % 3 == 1 { end(one, 300.0, 20.0) } else { one }
    };
    let timeline = run((0..1_000).map(replica).collect(), |_| 300_000.0, 1.0, 600.0);
    let rules = vec![rule(300.0, "a third crashes", RuleKind::Fault)];
    draw(&timeline, "A third of a thousand replicas", 600.0, rules)
}

fn histogram(count: usize, base: f64, tail: f64, seed: u64) -> Histogram {
    let (mut noise, mut histogram) = (Noise(seed), Histogram::default());
    for _ in 0..count {
        let exponential = -((noise.next() + 1.0) / 2.0).max(1e-9).ln();
        let late = if noise.next() > 0.96 { tail * (1.0 + noise.next()) } else { 0.0 };
        histogram.record(Span::from_secs(base * (0.5 + exponential) + late));
    }
    histogram
}

fn curve<'a>(label: &str, histogram: &'a Histogram, role: Role) -> PercentileCurve<'a> {
    PercentileCurve { label: label.to_owned(), histogram, role, band: None }
}

fn percentiles() -> Figure {
    let run = histogram(500_000, 0.012, 0.3, 1);
    let (before, during) = (histogram(160_000, 0.010, 0.0, 2), histogram(40_000, 0.030, 0.9, 3));
    let part = |i: u64| histogram(40_000, 0.012, 0.25 + 0.01 * i as f64, 40 + i);
    let parts: Vec<Histogram> = (0..12).map(part).collect();
    let mut curves = vec![
        curve("the run", &run, Role::Run),
        curve("before crash", &before, Role::Before),
        curve("during crash", &during, Role::During),
    ];
    curves[0].band = Some(parts.iter().collect());
    percentile(&PercentileInput {
        title: "One crash in ten minutes sets the p99 of the run",
        subtitle: "3 × large, 900 requests/s, 30 replications; shaded: least to greatest \
                   replication; curves end where fewer than 10 requests remain",
        curves,
        bounds: vec![LatencyBound { quantile: 0.99, latency: Span::from_secs(0.25) }],
    })
}

/// Curves too close to be named at their ends.
fn compared() -> Figure {
    let base = |i: u64| 0.011 + 0.0004 * i as f64;
    let histograms: Vec<Histogram> =
        (0..5).map(|i| histogram(90_000, base(i), 0.02 * i as f64, 9 + i)).collect();
    let named = histograms.iter().enumerate().map(|(i, histogram)| {
        curve(&format!("{} × large, round robin", i + 2), histogram, Role::Compared(i))
    });
    percentile(&PercentileInput {
        title: "Balancing hardly matters while nothing fails",
        subtitle: "900 requests/s, 30 replications",
        curves: named.collect(),
        bounds: vec![LatencyBound { quantile: 0.999, latency: Span::from_secs(0.2) }],
    })
}

/// Every picture worth a look, by name.
fn gallery() -> [(&'static str, Figure); 10] {
    [
        ("storm", storm()),
        ("compared", compared()),
        ("failing", failing()),
        ("empty", draw(&Timeline::default(), "Nothing happened", 600.0, vec![])),
        ("crash", crash()),
        ("hang", hang()),
        ("zone", zone_loss()),
        ("day", day()),
        ("thousand", thousand()),
        ("percentile", percentiles()),
    ]
}

/// Size of a PNG picture, and how many colours a seventh of its pixels have.
fn look_at(bytes: &[u8]) -> ((u32, u32), usize) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    let colours: HashSet<&[u8]> = pixels.chunks(3).step_by(7).collect();
    ((reader.info().width, reader.info().height), colours.len())
}

/// Draws a figure every way, checks the pictures, and writes them to be looked at.
fn write_pictures(name: &str, figure: &Figure) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::write(folder.join(format!("{name}.svg")), sound_svg(figure)).unwrap();
    let (width, height) = figure.size();
    for (theme, kind) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        let bytes = plot::png(figure, theme).unwrap();
        let (size, colours) = look_at(&bytes);
        assert_eq!(size, (2 * width as u32, 2 * height as u32), "{name} {kind}");
        assert!(colours > 20, "{name} {kind} has {colours} colours");
        fs::write(folder.join(format!("{name}-{kind}.png")), bytes).unwrap();
    }
}

/// Draws a figure as SVG, twice to the same bytes, and checks what it says.
fn sound_svg(figure: &Figure) -> String {
    let document = svg(figure).unwrap();
    assert_eq!(document, svg(figure).unwrap());
    assert!(document.starts_with("<svg ") && document.ends_with("</svg>\n"));
    let marks = document.split_once("</style>").unwrap().1;
    assert!(!marks.contains("NaN") && !marks.contains("inf"), "{marks}");
    assert_eq!(marks.matches("<text").count(), marks.matches("</text>").count());
    assert!(marks.len() < 600_000, "{} bytes", marks.len());
    let (styles, colours) = (style_sheet(), marks.split("=\"#").skip(1).map(|part| &part[..6]));
    for colour in colours.collect::<HashSet<_>>() {
        assert!(styles.contains(&format!("=\"#{colour}\"]")), "{colour} has no dark counterpart");
    }
    assert!(figure.alt.len() > 40, "{}", figure.alt);
    let (width, height) = figure.size();
    assert!((800.0..1_000.0).contains(&width) && (300.0..1_400.0).contains(&height));
    document
}

fn assert_sound(figure: &Figure) {
    sound_svg(figure);
    let bytes = plot::png(figure, Theme::Light).unwrap();
    assert_eq!(bytes[..8], *b"\x89PNG\r\n\x1a\n");
}

#[test]
fn every_picture_is_drawn_in_every_format() {
    gallery().par_iter().for_each(|(name, figure)| write_pictures(name, figure));
}

#[test]
fn runs_with_next_to_nothing_in_them_are_drawn() {
    let one = |load: f64, bin| run(vec![life("a-1", 0, 0.0)], |_| load, bin, 1.0);
    assert_sound(&draw(&Timeline::default(), "", 0.0, vec![]));
    assert_sound(&draw(&run(vec![], |_| 0.0, 1.0, 60.0), "Nobody asks", 60.0, vec![]));
    assert_sound(&draw(&one(5.0, 1.0), "One bin", 1.0, vec![]));
    assert_sound(&draw(&one(5.0, 9.0), "Less than a bin", 1.0, vec![]));
}

#[test]
fn numbers_that_are_none_are_left_out() {
    let mut timeline = run(vec![life("a-1", 0, 0.0)], |_| 100.0, 1.0, 60.0);
    for row in timeline.total.iter_mut().skip(20).step_by(3) {
        row.cpu = Some(f64::NAN);
        row.latency = None;
    }
    for row in timeline.total.iter_mut().take(10) {
        let zero = Span::ZERO;
        row.latency = Some(Latency { mean: zero, p50: zero, p95: zero, p99: zero });
    }
    timeline.replicas[0].speed = vec![(at(1.0), Share(0.0))];
    assert_sound(&draw(&timeline, "Gaps", 60.0, vec![rule(1e12, "never", RuleKind::Fault)]));
}

#[test]
fn percentile_plots_of_few_or_equal_latencies_are_drawn() {
    let equal = |count: usize, latency: f64| {
        let mut histogram = Histogram::default();
        (0..count).for_each(|_| histogram.record(Span::from_secs(latency)));
        histogram
    };
    let draw = |title, curves, bounds| {
        assert_sound(&percentile(&PercentileInput { title, subtitle: "", curves, bounds }));
    };
    let histograms = [equal(0, 1.0), equal(1, 1.0), equal(9, 0.0), equal(5_000, 0.02)];
    for histogram in &histograms {
        let mut one = curve("all", histogram, Role::Compared(7));
        one.band = Some(histograms.iter().collect());
        let bound = |quantile: f64| LatencyBound { quantile, latency: Span::from_secs(0.1) };
        draw("Few", vec![one], [0.0, 0.5, 1.0, f64::NAN].map(bound).into());
    }
    draw("Nothing", vec![], vec![]);
}

#[test]
fn pictures_tell_their_story_in_words() {
    let incident = ["0:00 to 10:00", "4 replicas", "3:00: replica b-1 crashes", "p99"];
    assert!(storm().alt.contains(" attempts.") && !crash().alt.contains("attempts"));
    let compared = ["before crash:", "at 99 %", "Objective: 99 % of those served within 250 ms"];
    for (alt, words) in [(crash().alt, &incident[..]), (percentiles().alt, &compared)] {
        words.iter().for_each(|words| assert!(alt.contains(words), "{words}: {alt}"));
    }
}
