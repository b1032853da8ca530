//! What is known of faults that strike at random, and what that leaves open.
//!
//! Requests that fail or wait because of a fault do so together, and most replications may see no
//! strike: what replications have in common then says little. Two things follow for the end of an
//! interval that is on the side of harm.
//!
//! Losses by strikes that were seen have the limit of what comes in clusters
//! ([`crate::stats::clusters`]). And while a fault was seen to strike less than [`ENOUGH`] times,
//! its effect is not known: a further strike may do what none did. Of such strikes no more are
//! possible than the rule of three leaves, and no more than the rate of the fault, which the plan
//! knows, leads to. Each can take every request for as long as the longest incident of that fault
//! lasted; all the rest of the run, if none was seen.

use crate::observe::outcome::WindowOutcome;
use crate::observe::strikes::Strikes;
use crate::observe::tally::Restorations;
use crate::stats::law::gamma;
use crate::stats::{Confidence, Estimate, Interval, Sample, clusters};

/// Strikes of a fault from which its effect is known: what is left out by ten comes in less than
/// 3 of 10 strikes.
pub const ENOUGH: u64 = 10;

/// A fault that was not seen to strike often enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seldom {
    /// Index of the fault in the plan.
    pub fault: usize,
    /// How often it was seen to strike.
    pub struck: u64,
    /// Replications in which [`ENOUGH`] strikes can be expected, if that can be said.
    pub needed: Option<u64>,
    /// Whether the windows are of its incidents.
    own: bool,
    /// Its place among the strikes of a window.
    index: usize,
    /// Strikes of a replication that can do what none was seen to do.
    strikes: f64,
    /// The share of the requests that these can hit.
    share: f64,
    /// The time in seconds that one can last.
    lasts: f64,
}

/// What windows show of the faults that strike at random.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    strikes: Vec<u64>,
    seldom: Vec<Seldom>,
    length: f64,
    confidence: Confidence,
}

impl Evidence {
    /// What these windows show, one of each replication; `None` if nothing strikes at random, or
    /// if there are too few for an interval.
    pub fn of(windows: &[&WindowOutcome], confidence: Confidence) -> Option<Evidence> {
        let first = windows.first().filter(|first| !first.strikes.is_empty())?;
        let total = |window: &&WindowOutcome| window.strikes.iter().map(|s| s.struck).sum();
        let open = windows.iter().map(|window| window.open.as_secs()).sum::<f64>();
        let length = open / windows.len() as f64;
        let seldom = (0..first.strikes.len()).filter_map(|index| {
            let all: Vec<&Strikes> = windows.iter().map(|window| &window.strikes[index]).collect();
            seldom(&all, length, confidence).map(|seldom| Seldom { index, ..seldom })
        });
        let (strikes, seldom) = (windows.iter().map(total).collect(), seldom.collect());
        (windows.len() > 1).then_some(Evidence { strikes, seldom, length, confidence })
    }

    /// The fault that was seen least, of those that were seen too seldom; the one of whose
    /// incidents the windows are, if it is among them: without it there is nothing to be seen.
    pub fn lacking(&self) -> Option<Seldom> {
        self.seldom.iter().min_by_key(|seldom| (!seldom.own, seldom.struck)).copied()
    }

    /// All faults that were seen too seldom, in the order of the plan.
    pub fn seldom(&self) -> &[Seldom] {
        &self.seldom
    }

    /// The interval of a share that is the worse the greater it is, from what each window deviates
    /// and its usual interval.
    pub fn share(&self, sample: &Sample, usual: Interval) -> Interval {
        let unseen = self.seldom.iter().fold(1.0, |rest, seldom| rest * (1.0 - seldom.share));
        self.towards_all(sample, usual, 1.0 - unseen)
    }

    /// The same of the mean over replications of the greatest share of any minute: a strike may
    /// bring a minute of all.
    pub fn greatest_share(&self, sample: &Sample, usual: Interval) -> Interval {
        self.towards_all(sample, usual, self.unseen().min(1.0))
    }

    /// The same of a mean latency: a request that is hit may wait for as long as a strike lasts.
    pub fn latency(&self, sample: &Sample, usual: Interval) -> Interval {
        self.with_more(sample, usual, self.wait())
    }

    /// The same of the requests in flight on average, of so many that are sent: those that are hit
    /// are in flight for as long as they wait.
    pub fn held(&self, sample: &Sample, usual: Interval, sent: f64) -> Interval {
        let rate = if self.length > 0.0 { sent / self.length } else { 0.0 };
        self.with_more(sample, usual, rate * self.wait())
    }

    /// The same of the most that a replica holds at once: of those that are hit it may hold all.
    pub fn held_at_once(&self, sample: &Sample, usual: Interval, sent: f64) -> Interval {
        let hit = self.seldom.iter().map(|seldom| seldom.share).sum::<f64>();
        self.with_more(sample, usual, sent * hit)
    }

    /// The same of a number of events: how many a strike may bring is not known.
    pub fn number(&self, sample: &Sample, usual: Interval) -> Interval {
        self.with_more(sample, usual, if self.unseen() > 0.0 { f64::INFINITY } else { 0.0 })
    }

    /// The same of the longest recovery, as the mean over the replications that had an incident,
    /// which are `speaking`. Their number leaves room for replications of a kind that was not seen:
    /// with incidents that take twice as long as the longest; or, where one fault struck all of
    /// them, without it.
    pub fn recovery(
        &self,
        speaking: &[(&WindowOutcome, &Restorations)],
        estimate: &Estimate,
    ) -> Option<Interval> {
        let Interval { low, high } = estimate.interval?;
        let count = speaking.len() as f64;
        let unseen = 1.0 - self.confidence.error().powf(1.0 / count);
        let towards = |from: f64, to: f64| from + unseen * (to - from);
        let took = || speaking.iter().map(|(_, took)| took);
        let longest = took().map(|took| took.longest().as_secs()).fold(0.0, f64::max);
        let least = took().filter_map(|took| took.range()).map(|range| range.0).min();
        let part = self.unseen() * self.strikes.len() as f64 / count;
        let spared = (0..speaking[0].0.strikes.len()).map(|fault| self.spared(speaking, fault));
        let spared = spared.fold(0.0, f64::max).min(unseen);
        let least = least.unwrap_or_default().as_secs();
        let low = low.min(low + spared * (least - low));
        let high = high.max(towards(estimate.point, 2.0 * longest));
        Some(Interval { low, high: high + part.min(1.0) * self.length })
    }

    /// The share of the replications that a fault may spare, if it struck all that are speaking and
    /// others struck them too: so many as its number of strikes leaves without one.
    fn spared(&self, speaking: &[(&WindowOutcome, &Restorations)], fault: usize) -> f64 {
        let struck = |window: &WindowOutcome| window.strikes[fault].struck;
        let mut windows = speaking.iter().map(|(window, _)| *window);
        let is_everywhere = windows.clone().all(|window| struck(window) > 0)
            && windows.any(|window| window.incidents.injected > struck(window));
        let all: u64 = speaking.iter().map(|(window, _)| struck(window)).sum();
        let least = gamma::garwood(all, self.confidence).low / speaking.len() as f64;
        if is_everywhere { (-least).exp() } else { 0.0 }
    }

    /// Strikes of a replication that can do what none was seen to do.
    pub fn unseen(&self) -> f64 {
        self.seldom.iter().map(|seldom| seldom.strikes).sum()
    }

    /// The longest that a strike can last that does what none was seen to do.
    pub fn lasts(&self) -> f64 {
        self.seldom.iter().map(|seldom| seldom.lasts).fold(0.0, f64::max)
    }

    /// The interval of a share where so much of what lacks to all may be unseen.
    fn towards_all(&self, sample: &Sample, usual: Interval, unseen: f64) -> Interval {
        let seen = usual.high.max(self.seen(sample)).min(1.0);
        Interval { low: usual.low, high: 1.0 - (1.0 - seen) * (1.0 - unseen) }
    }

    /// The interval of what may be so much more by what is unseen.
    fn with_more(&self, sample: &Sample, usual: Interval, unseen: f64) -> Interval {
        Interval { low: usual.low, high: usual.high.max(self.seen(sample)) + unseen }
    }

    /// How long a request may wait on average for strikes that were not seen, in seconds.
    fn wait(&self) -> f64 {
        self.seldom.iter().map(|seldom| seldom.share * seldom.lasts).sum()
    }

    fn seen(&self, sample: &Sample) -> f64 {
        clusters::upper_limit(sample, &self.strikes, self.confidence)
    }
}

fn seldom(all: &[&Strikes], length: f64, confidence: Confidence) -> Option<Seldom> {
    let first = all.first()?;
    let count = all.len() as f64;
    let struck = all.iter().map(|strikes| strikes.struck).sum::<u64>();
    let after = all.iter().map(|strikes| strikes.after).sum::<f64>() / count;
    let longest = all.iter().map(|strikes| strikes.longest.as_secs()).fold(0.0, f64::max);
    let lasts = if struck > 0 { longest.min(length) } else { length };
    let possible = gamma::garwood(0, confidence).high / count;
    let expected = first.rate.map(|rate| rate * (length + longest));
    let strikes = expected.map_or(possible, |expected| expected.min(possible));
    let part = if length > 0.0 { lasts / length } else { 0.0 };
    let per_replication = expected.or((struck > 0).then(|| struck as f64 / count));
    let needed = per_replication.map(|per| (ENOUGH as f64 / per).ceil() as u64);
    let share = (strikes * part).min(after).min(1.0);
    let (fault, own, index) = (first.fault, first.own, 0);
    let found = Seldom { fault, own, index, struck, needed, strikes, share, lasts };
    (struck < ENOUGH).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Span;

    const USUAL: Confidence = Confidence::USUAL;

    /// A window of 1 000 s with so many strikes of 50 s, at a rate that leads to one in ten.
    fn window(struck: u64) -> WindowOutcome {
        let longest = Span::from_secs(if struck > 0 { 50.0 } else { 0.0 });
        let strikes =
            Strikes { fault: 3, own: false, struck, longest, rate: Some(1e-4), after: 0.048 };
        WindowOutcome {
            open: Span::from_secs(1e3),
            strikes: vec![strikes],
            ..WindowOutcome::default()
        }
    }

    fn evidence(struck: &[u64]) -> Evidence {
        let windows: Vec<WindowOutcome> = struck.iter().map(|struck| window(*struck)).collect();
        Evidence::of(&windows.iter().collect::<Vec<_>>(), USUAL).unwrap()
    }

    fn nothing(count: usize) -> Sample {
        Sample { point: 0.0, deviations: vec![0.0; count] }
    }

    const NONE: Interval = Interval { low: 0.0, high: 0.0 };

    #[test]
    fn what_never_struck_may_take_all_that_comes_after_it() {
        // The rate leads to 0.1 strikes, the rule of three leaves 0.3: 4.8 % come after the first.
        let high = evidence(&[0; 10]).share(&nothing(10), NONE).high;
        assert!((high - 0.048).abs() < 1e-12, "{high}");
        let lacking = evidence(&[0; 10]).lacking().unwrap();
        assert_eq!((lacking.fault, lacking.struck, lacking.needed), (3, 0, Some(100)));
        // Of 1 000 replications it leaves 0.003.
        let high = evidence(&[0; 1_000]).share(&nothing(1_000), NONE).high;
        assert!((high - 0.002_995_7).abs() < 1e-6, "{high}");
    }

    #[test]
    fn what_struck_seldom_may_take_all_while_it_lasts() {
        // 0.1 · 1 050 / 1 000 strikes in a replication, each for 50 of 1 000 s.
        let few = evidence(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let high = few.share(&nothing(10), NONE).high;
        assert!((high - 0.105 * 0.05).abs() < 1e-12, "{high}");
        let high = few.latency(&nothing(10), NONE).high;
        assert!((high - 0.105 * 0.05 * 50.0).abs() < 1e-12, "{high}");
        assert_eq!(few.lasts(), 50.0);
    }

    #[test]
    fn what_never_struck_may_fill_the_gateway() {
        let never = evidence(&[0; 10]);
        let half = Sample { point: 0.5, deviations: vec![0.0; 10] };
        let usual = Interval { low: 0.5, high: 0.5 };
        // Of 0.1 strikes in a replication each may bring a minute of full CPU.
        let minute = never.greatest_share(&half, usual);
        assert!(minute.low == 0.5 && (minute.high - 0.55).abs() < 1e-12, "{minute:?}");
        // Of 5 000 requests 4.8 % are hit, and each may be in flight for all of 1 000 s.
        let held = never.held(&half, usual, 5e3);
        assert!(held.low == 0.5 && (held.high - 240.5).abs() < 1e-9, "{held:?}");
        let at_once = never.held_at_once(&half, usual, 5e3);
        assert!(at_once.low == 0.5 && (at_once.high - 240.5).abs() < 1e-9, "{at_once:?}");
        assert_eq!(never.number(&half, usual), Interval { low: 0.5, high: f64::INFINITY });
        let often = evidence(&[1; 10]);
        assert_eq!(often.greatest_share(&half, usual), usual);
        assert_eq!(often.held(&half, usual, 5e3), usual);
        assert_eq!(often.held_at_once(&half, usual, 5e3), usual);
        assert_eq!(often.number(&half, usual), usual);
    }

    #[test]
    fn of_the_incidents_of_a_fault_that_fault_is_what_lacks() {
        let mut window = window(0);
        let other = Strikes { fault: 7, own: true, ..window.strikes[0] };
        window.strikes.push(other);
        let fault = |window: &WindowOutcome| {
            Evidence::of(&[window, window], USUAL).unwrap().lacking().unwrap().fault
        };
        assert_eq!(fault(&window), 7);
        window.strikes[1].struck = 2;
        assert_eq!(fault(&window), 7);
        window.strikes[1].struck = 5;
        assert_eq!(fault(&window), 3, "ten strikes of its own say enough");
    }

    /// The interval of a recovery that took 40 s in each replication, the last of them struck so
    /// often.
    fn recovery(struck: u64, others: u64) -> Interval {
        let mut windows = vec![window(struck), window(struck)];
        for window in &mut windows {
            let span = |seconds| Span::from_secs(seconds);
            window.incidents.injected = struck + others;
            for took in [10.0, 40.0] {
                window.incidents.service.seen.record(span(took));
            }
        }
        let all: Vec<&WindowOutcome> = windows.iter().collect();
        let speaking: Vec<_> =
            all.iter().map(|window| (*window, &window.incidents.service)).collect();
        let interval = Some(Interval { low: 40.0, high: 40.0 });
        let estimate = Estimate { point: 40.0, interval, n: 2 };
        Evidence::of(&all, USUAL).unwrap().recovery(&speaking, &estimate).unwrap()
    }

    #[test]
    fn recovery_leaves_room_for_replications_of_another_kind() {
        // Two replications leave 1 − √0.05 = 77.64 % for others: of 80 s, or of 10 s where what is
        // seldom struck both, and not alone.
        let rest = 1.0 - 0.05_f64.sqrt();
        let often = recovery(5, 1);
        // Ten strikes in two may be 2.4 for each (4.795/2, Garwood): e^−2.4 = 9 % see none.
        assert!(
            (often.low - (40.0 - 30.0 * (-4.795_389_f64 / 2.0).exp())).abs() < 1e-4,
            "{often:?}"
        );
        assert!((recovery(50, 1).low - 40.0).abs() < 1e-9);
        assert!((often.high - (40.0 + rest * 40.0)).abs() < 1e-9, "{often:?}");
        // 0.105 strikes for each replication that had an incident may last to the end.
        let seldom = recovery(1, 1);
        assert!((seldom.low - (40.0 - rest * 30.0)).abs() < 1e-9, "{seldom:?}");
        assert!((seldom.high - often.high - 105.0).abs() < 1e-9, "{seldom:?}");
        assert_eq!(recovery(1, 0).low, 40.0);
    }

    #[test]
    fn what_struck_often_is_known() {
        let often = evidence(&[1; 10]);
        assert_eq!(often.lacking(), None);
        assert_eq!(often.share(&nothing(10), NONE), NONE);
        // Equal losses of every strike: ten of them are known as well as their number is.
        let mut losses = [0.0; 20];
        losses[..10].fill(1.0);
        let mut struck = [0; 20];
        struck[..10].fill(1);
        let sample = Sample::of(&losses).unwrap();
        let high = evidence(&struck).share(&sample, Interval { low: 0.3, high: 0.7 }).high;
        let limit = gamma::garwood(10, USUAL).high / 20.0;
        assert!((high - limit).abs() < 0.02, "{high} for {limit}");
    }

    #[test]
    fn nothing_at_random_leaves_nothing_open() {
        let plain = WindowOutcome::default();
        assert_eq!(Evidence::of(&[&plain, &plain], USUAL), None);
        assert_eq!(Evidence::of(&[&window(0)], USUAL), None);
    }
}
