//! The replication that is told, as data that the page explores: what it did bin by bin, the lives
//! of its replicas, and the moments that matter.

use serde_json::{Map, Value, json};

use crate::metric::nine_digits;
use crate::observe::ledger::{Failure, failed_and_rejected};
use crate::observe::timeline::{Latency, ReplicaLife, TotalRow};
use crate::plot::timeline::{
    BandPoint, Condition, ConditionSpan, RuleKind, TimelineInput, intervals, ready_capacity,
};
use crate::report::format::table::Table;
use crate::report::format::words::{NOTHING, grouped};
use crate::scenario::Scenario;
use crate::units::{Instant, Share, Span};

/// Bins that the page has; of more, some are told as one.
const BINS: usize = 800;
/// Rows of single replicas that it has; of more, bins are told as one.
const ROWS: usize = 3_600;
/// Lanes of replicas, else of slots; of more there are none.
const LANES: usize = 40;
/// Spans of all lanes, and steps of a line.
const STEPS: usize = 4_000;
/// Moments that are told.
const MOMENTS: usize = 60;
/// Rows of the table for those who do not explore.
const TABLE_ROWS: usize = 60;

/// Rows that are told as one.
struct Binned<'a> {
    bins: Vec<&'a [TotalRow]>,
    /// Seconds that each lasts; the last may be shorter.
    step: f64,
    end: f64,
}

impl<'a> Binned<'a> {
    fn of(input: &'a TimelineInput, most: usize) -> Binned<'a> {
        let rows = &input.timeline.total;
        let together = rows.len().div_ceil(most).max(1);
        let step = input.timeline.bin.as_secs() * together as f64;
        Binned { bins: rows.chunks(together).collect(), step, end: input.horizon.as_secs() }
    }

    fn width(&self, bin: &[TotalRow]) -> f64 {
        self.step.min(self.end - bin[0].start.as_secs()).max(1e-9)
    }

    /// A count per second.
    fn rates(&self, of: impl Fn(&TotalRow) -> u64) -> Vec<Value> {
        let rate =
            |bin: &&[TotalRow]| short(bin.iter().map(&of).sum::<u64>() as f64 / self.width(bin));
        self.bins.iter().map(rate).collect()
    }

    /// The greatest of each bin.
    fn most(&self, of: impl Fn(&TotalRow) -> Option<f64>) -> Vec<Value> {
        self.bins.iter().map(|bin| number(greatest(bin, &of))).collect()
    }

    /// The mean of each bin.
    fn mean(&self, of: impl Fn(&TotalRow) -> Option<f64>) -> Vec<Value> {
        self.bins.iter().map(|bin| number(mean(bin, &of))).collect()
    }
}

fn greatest(bin: &[TotalRow], of: impl Fn(&TotalRow) -> Option<f64>) -> Option<f64> {
    bin.iter().filter_map(of).reduce(f64::max)
}

fn mean(bin: &[TotalRow], of: impl Fn(&TotalRow) -> Option<f64>) -> Option<f64> {
    let known: Vec<f64> = bin.iter().filter_map(of).collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}

/// A number in four digits.
fn short(value: f64) -> Value {
    let four: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    match four.fract() == 0.0 && four.abs() < 1e15 {
        true => json!(four as i64),
        false => nine_digits(four).map_or(Value::Null, |value| json!(value)),
    }
}

fn number(value: Option<f64>) -> Value {
    value.map_or(Value::Null, short)
}

/// A time in seconds, to the millisecond.
fn moment(secs: f64) -> Value {
    let rounded = (secs * 1e3).round() / 1e3;
    if rounded.fract() == 0.0 { json!(rounded as i64) } else { json!(rounded) }
}

/// Milliseconds of a latency.
fn millis(of: fn(&Latency) -> Span) -> impl Fn(&TotalRow) -> Option<f64> {
    move |row| row.latency.as_ref().map(|latency| of(latency).as_secs() * 1e3)
}

/// All that the page explores.
pub(super) fn told(input: &TimelineInput, scenario: &Scenario) -> Value {
    let binned = Binned::of(input, BINS);
    let percent = |share: f64| 100.0 * share.clamp(0.0, 1.0);
    let monitored = input.monitored.iter().map(|share| share.map(percent));
    let starts = input.timeline.total.iter().map(|row| row.start.as_secs());
    let ready = ready_capacity(input, None);
    let question = scenario.sentence();
    let about = input.subtitle.strip_prefix(&question);
    json!({
        "about": about.unwrap_or(input.subtitle).trim(),
        "step": moment(binned.step),
        "end": moment(binned.end),
        "warmUp": moment(input.warm_up.as_secs().min(binned.end)),
        "sent": binned.rates(|row| row.offered),
        "served": binned.rates(|row| row.served),
        "failed": binned.rates(TotalRow::failed),
        "rejected": unless_all(binned.rates(|row| failed_and_rejected(&row.failures).1), &json!(0)),
        "kinds": kinds(&binned),
        "p50": binned.most(millis(|it| it.p50)),
        "p99": binned.most(millis(|it| it.p99)),
        "held": binned.most(|row| Some(row.in_flight as f64)),
        "inRotation": binned.mean(|row| Some(row.in_rotation as f64)),
        "wanted": unless_all(
            binned.most(|row| row.wanted.map(|wanted| wanted as f64)),
            &Value::Null,
        ),
        "cpu": binned.mean(|row| row.cpu.map(percent)),
        "monitored": steps(starts.zip(monitored)),
        "capacity": steps(ready.into_iter()),
        "bands": bands(input, &binned),
        "conditions": Condition::ALL.map(|(_, words, _)| words),
        "zones": scenario.plan.topology.zones,
        "lanes": lanes(input),
        "moments": moments(input),
        "goals": goals(input),
    })
}

/// Values; nothing if all are the same.
fn unless_all(values: Vec<Value>, same: &Value) -> Vec<Value> {
    if values.iter().all(|value| value == same) { Vec::new() } else { values }
}

/// The ways in which requests failed or were rejected: the bins in which any did, with how many a
/// second.
fn kinds(binned: &Binned) -> Vec<Value> {
    let of = |kind: Failure| {
        let rates = binned.rates(|row| row.failures[kind as usize]);
        let seen = rates.into_iter().enumerate().filter(|(_, rate)| *rate != json!(0));
        let seen: Vec<Value> = seen.flat_map(|(bin, rate)| [json!(bin), rate]).collect();
        (!seen.is_empty()).then(|| json!({ "label": kind.label(), "at": seen }))
    };
    Failure::ALL.into_iter().filter_map(of).collect()
}

/// A value from each time on at which it changes; nothing if it does so too often.
fn steps(all: impl Iterator<Item = (f64, Option<f64>)>) -> Value {
    let mut all: Vec<(f64, Option<f64>)> = all.collect();
    all.dedup_by(|next, kept| next.1 == kept.1);
    match all.len() <= STEPS {
        true => all.into_iter().map(|(at, value)| json!([moment(at), number(value)])).collect(),
        false => Value::Null,
    }
}

/// How far replications differ, bin by bin: least and greatest.
fn bands(input: &TimelineInput, binned: &Binned) -> Value {
    let Some(bands) = &input.bands else { return Value::Null };
    let band = |points: &[BandPoint], scale: f64| {
        let (mut low, mut high) = (vec![None; binned.bins.len()], vec![None; binned.bins.len()]);
        for (at, least, most) in points {
            let bin = ((at / binned.step) as usize).min(binned.bins.len().saturating_sub(1));
            let (low, high): (&mut Option<f64>, &mut Option<f64>) = (&mut low[bin], &mut high[bin]);
            *low = Some(low.map_or(*least, |known| known.min(*least)));
            *high = Some(high.map_or(*most, |known| known.max(*most)));
        }
        let ends = [low, high].map(|end| -> Vec<Value> {
            end.into_iter().map(|value| number(value.map(|value| value * scale))).collect()
        });
        json!(ends)
    };
    match binned.bins.is_empty() {
        true => Value::Null,
        false => json!({ "served": band(&bands.served, 1.0), "p99": band(&bands.p99, 1e3) }),
    }
}

/// A lane for each replica with what it did, or for each slot; nothing if these are too many.
fn lanes(input: &TimelineInput) -> Vec<Value> {
    let (lives, horizon) = (&input.timeline.replicas, input.horizon.as_secs());
    let slots = lives.iter().map(|life| life.slot + 1).max().unwrap_or(0);
    let spans: Vec<Vec<ConditionSpan>> =
        lives.iter().map(|life| intervals(life, horizon)).collect();
    if spans.iter().map(Vec::len).sum::<usize>() > STEPS {
        return Vec::new();
    }
    if lives.len() <= LANES {
        let mut of_replicas = series(input).into_iter();
        let lane = |(life, spans): (&ReplicaLife, &Vec<ConditionSpan>)| {
            let mut lane = of_replicas.next().unwrap_or_default();
            lane.insert("name".to_owned(), json!(life.name));
            lane.insert("zone".to_owned(), json!(life.zone));
            lane.insert("spans".to_owned(), flat(spans.iter()));
            Value::Object(lane)
        };
        return lives.iter().zip(&spans).map(lane).collect();
    }
    let slot = |slot: usize| {
        let held = || lives.iter().zip(&spans).filter(move |(life, _)| life.slot == slot);
        let zone = held().next().map_or(0, |(life, _)| life.zone);
        let spans = flat(held().flat_map(|(_, spans)| spans));
        json!({ "name": format!("slot {slot}"), "zone": zone, "spans": spans })
    };
    if slots <= LANES { (0..slots).map(slot).collect() } else { Vec::new() }
}

/// From, to and the condition of each span, in turn.
fn flat<'s>(spans: impl Iterator<Item = &'s ConditionSpan>) -> Value {
    let three =
        |span: &ConditionSpan| [moment(span.from), moment(span.to), json!(span.condition as usize)];
    spans.flat_map(three).collect()
}

/// What single replicas did: requests that reached and left each, what it holds, its CPU. Each
/// begins with the bin, of `step` seconds, in which it came into being.
fn series(input: &TimelineInput) -> Vec<Map<String, Value>> {
    let rows = &input.timeline.by_replica;
    let together = rows.len().div_ceil(ROWS).max(1);
    let step = input.timeline.bin.as_secs() * together as f64;
    let of = |replica: usize| {
        let own: Vec<_> = rows.iter().filter(|row| row.replica == replica).collect();
        let first = own.first().map_or(0, |row| row.bin / together);
        let groups: Vec<_> = own.chunk_by(|a, b| a.bin / together == b.bin / together).collect();
        let width = |count: usize| input.timeline.bin.as_secs() * count as f64;
        let rate = |of: fn(&crate::observe::timeline::ReplicaRow) -> u64| -> Vec<Value> {
            let one = |group: &&[&crate::observe::timeline::ReplicaRow]| {
                let count: u64 = group.iter().map(|row| of(row)).sum();
                short(count as f64 / width(group.len()))
            };
            groups.iter().map(one).collect()
        };
        let cpu = groups.iter().map(|group| {
            let sum: f64 = group.iter().map(|row| row.cpu.clamp(0.0, 1.0)).sum();
            json!((100.0 * sum / group.len() as f64).round() as i64)
        });
        let held = groups.iter().map(|group| group.iter().map(|row| row.in_flight).max());
        let mut all = Map::new();
        all.insert("first".to_owned(), moment(first as f64 * step));
        all.insert("step".to_owned(), moment(step));
        all.insert("cpu".to_owned(), cpu.collect());
        all.insert("sent".to_owned(), rate(|row| row.arrived).into());
        all.insert("served".to_owned(), rate(|row| row.served).into());
        all.insert("held".to_owned(), held.map(|most| json!(most)).collect());
        all
    };
    (0..input.timeline.replicas.len()).map(of).collect()
}

/// The moments that matter, in order of time.
fn moments(input: &TimelineInput) -> Vec<Value> {
    let mut rules: Vec<_> = input.rules.iter().collect();
    rules.sort_by_key(|rule| rule.at);
    let one = |rule: &&crate::plot::timeline::TimelineRule| {
        let kind = match rule.kind {
            RuleKind::Fault => "fault",
            RuleKind::Detected => "detected",
            RuleKind::Recovered => "recovered",
            RuleKind::Decided => "decided",
        };
        json!({ "at": moment(rule.at.as_secs()), "text": rule.label, "kind": kind })
    };
    rules.iter().take(MOMENTS).map(one).collect()
}

/// The latency objectives, in milliseconds.
fn goals(input: &TimelineInput) -> Vec<Value> {
    let at = |at: Instant| moment(at.as_secs());
    let one = |goal: &crate::plot::timeline::Goal| {
        let bound = short(goal.bound.as_secs() * 1e3);
        json!({ "text": goal.label, "bound": bound, "from": at(goal.from), "to": at(goal.to) })
    };
    input.goals.iter().take(MOMENTS).map(one).collect()
}

/// The same as a table of few rows, for those who do not explore; and what its latencies are.
pub(super) fn table(input: &TimelineInput) -> Table {
    let binned = Binned::of(input, TABLE_ROWS);
    let head = [
        "from",
        "sent /s",
        "served /s",
        "failed /s",
        "p50",
        "p99",
        "held",
        "CPU",
        "as monitored",
        "in rotation",
    ];
    let mut table = Table::of_numbers().with(head);
    let together = input.timeline.total.len().div_ceil(TABLE_ROWS).max(1);
    let rate = |bin: &[TotalRow], of: &dyn Fn(&TotalRow) -> u64| {
        grouped(bin.iter().map(of).sum::<u64>() as f64 / binned.width(bin), 0)
    };
    let time = |millis: Option<f64>| {
        millis.map_or(NOTHING.to_owned(), |millis| Span::from_secs(millis / 1e3).to_string())
    };
    let share = |share: Option<f64>| share.map_or(NOTHING.to_owned(), percent);
    for (index, bin) in binned.bins.iter().enumerate() {
        let monitored = input.monitored.get(index * together).copied().flatten();
        table.row([
            bin[0].start.to_string(),
            rate(bin, &|row| row.offered),
            rate(bin, &|row| row.served),
            rate(bin, &TotalRow::failed),
            time(greatest(bin, millis(|it| it.p50))),
            time(greatest(bin, millis(|it| it.p99))),
            grouped(greatest(bin, |row| Some(row.in_flight as f64)).unwrap_or(0.0), 0),
            share(mean(bin, |row| row.cpu)),
            share(monitored),
            grouped(mean(bin, |row| Some(row.in_rotation as f64)).unwrap_or(0.0), 1)
                .trim_end_matches(".0")
                .to_owned(),
        ]);
    }
    table
}

/// A share in whole percent, at most all.
fn percent(share: f64) -> String {
    Share((share.clamp(0.0, 1.0) * 100.0).round() / 100.0).to_string()
}
