//! A fail-over: what happened, step by step, after clients lost their region.
//!
//! ```text
//! at ─ detection ─► detected ─ decision ─► decided ─ switch ─► clients are led elsewhere
//!                                ─ scaling ─► replicas there ─ warming ─► answers
//! ```
//!
//! The steps add up to the time in which it is over: what a step begins with may come after that,
//! or never, and then it took no more than what was left. What a cold region takes to come into
//! being, between the decision and the change, is scaling.

use serde::{Deserialize, Serialize};

use super::RegionNews;
use crate::units::{Instant, Span};

/// A fail-over is over when so many percent of the clients that were struck are answered, and have
/// been led elsewhere: the rest are stragglers, whom a resolver or an old connection holds back.
pub const MOST_CLIENTS: u8 = 95;

/// The shares of the clients that are followed, in percent.
pub const CLIENTS_BACK: [u8; 3] = [50, MOST_CLIENTS, 99];

/// A step of a fail-over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailoverStep {
    /// Until the health checks found the region unhealthy.
    Detection,
    /// Until it was decided to lead clients elsewhere, and that could be done.
    Decision,
    /// Until [`MOST_CLIENTS`] percent of the clients had learnt of that.
    Switch,
    /// Until the last replica of another region was ready that was needed.
    Scaling,
    /// Until what they found was answered.
    Warming,
}

impl FailoverStep {
    /// All of them, in order.
    pub const ALL: [FailoverStep; 5] = [
        FailoverStep::Detection,
        FailoverStep::Decision,
        FailoverStep::Switch,
        FailoverStep::Scaling,
        FailoverStep::Warming,
    ];

    /// Its word.
    pub fn label(self) -> &'static str {
        match self {
            FailoverStep::Detection => "detection",
            FailoverStep::Decision => "decision",
            FailoverStep::Switch => "switch",
            FailoverStep::Scaling => "scaling",
            FailoverStep::Warming => "warming",
        }
    }
}

/// What happened after a region was struck.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FailoverCourse {
    /// The region.
    pub region: usize,
    /// Whether clients are to be led away from it, whatever is found out: it is lost, or left.
    pub is_left: bool,
    /// Its share of the clients when it was struck.
    pub clients: f64,
    /// When its health checks found it unhealthy.
    pub detected: Option<Instant>,
    /// When another region was deployed for it.
    pub deployed: Option<Instant>,
    /// When clients that ask were no longer led to it.
    pub withdrawn: Option<Instant>,
    /// When half, 95 and 99 % of its clients sent elsewhere.
    pub led: [Option<Instant>; CLIENTS_BACK.len()],
    /// When the last replica of another region joined the rotation before it was over.
    pub grown: Option<Instant>,
}

impl FailoverCourse {
    /// Of a region with this share of the clients.
    pub fn new(region: usize, is_left: bool, clients: f64) -> Self {
        let (detected, deployed, withdrawn, led, grown) = Default::default();
        FailoverCourse { region, is_left, clients, detected, deployed, withdrawn, led, grown }
    }

    /// Whether it is a fail-over, and of anybody: a region without clients leaves nobody.
    pub fn is_followed(&self) -> bool {
        self.clients > 0.0 && (self.is_left || self.withdrawn.is_some())
    }

    /// Something was found out or done about a region.
    pub fn note_news(&mut self, now: Instant, region: usize, news: RegionNews) {
        let of_it = region == self.region;
        let moment = match news {
            RegionNews::Unhealthy if of_it => &mut self.detected,
            RegionNews::Withdrawn if of_it => &mut self.withdrawn,
            RegionNews::Deployed => &mut self.deployed,
            _ => return,
        };
        moment.get_or_insert(now);
    }

    /// So many of its clients send to it now, of all that there are.
    pub fn note_clients(&mut self, now: Instant, share: f64) {
        for (percent, led) in CLIENTS_BACK.iter().zip(&mut self.led) {
            let left = self.clients * (1.0 - f64::from(*percent) / 100.0);
            if share <= left + 1e-9 {
                led.get_or_insert(now);
            }
        }
    }

    /// It serves its clients itself again, if it has any left.
    pub fn note_return(&mut self, now: Instant) {
        self.led.iter_mut().for_each(|led| _ = led.get_or_insert(now));
    }

    /// When the first steps ended, as far as they did: detection, decision, switch.
    pub fn ends(&self, at: Instant) -> [Option<Instant>; 3] {
        let decided = [self.withdrawn, self.deployed].into_iter().flatten().min();
        // What is left on purpose is not found out by checks.
        let planned = self.detected.is_none_or(|detected| decided < Some(detected));
        let found = if planned && decided.is_some() { Some(at) } else { self.detected };
        [found, decided, self.led[1]]
    }

    /// How long each step took until `over`; the first of them that did not end is the last.
    pub fn steps(&self, at: Instant, over: Instant) -> [Span; FailoverStep::ALL.len()] {
        let mut since = at;
        let mut until = |end: Option<Instant>| {
            let end = end.unwrap_or(over).clamp(since, over.max(since));
            let took = end.since(since);
            since = end;
            took
        };
        let [found, decided, led] = self.ends(at);
        let detection = until(found);
        let decision = until(decided);
        let deployment = until(self.withdrawn);
        let switch = until(led);
        let growth = until(Some(self.grown.unwrap_or(at)));
        [detection, decision, switch, deployment + growth, until(None)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SECOND;

    fn at(secs: u64) -> Instant {
        Instant(secs * SECOND)
    }

    fn secs(steps: [Span; 5]) -> [f64; 5] {
        steps.map(Span::as_secs)
    }

    /// A region with half of the clients, struck at 100 s, found out at 130 s, withdrawn at 140 s;
    /// its clients leave one in a second for a hundred seconds.
    fn course() -> FailoverCourse {
        let mut course = FailoverCourse::new(1, true, 0.5);
        course.note_news(at(130), 1, RegionNews::Unhealthy);
        course.note_news(at(131), 0, RegionNews::Unhealthy);
        course.note_news(at(140), 1, RegionNews::Withdrawn);
        for gone in 1..=100 {
            course.note_clients(at(140 + gone), 0.5 * (1.0 - gone as f64 / 100.0));
        }
        course
    }

    #[test]
    fn the_steps_add_up_to_the_time_until_requests_are_answered() {
        let mut course = course();
        assert_eq!(course.led, [50, 95, 99].map(|gone| Some(at(140 + gone))));
        course.grown = Some(at(250));
        assert_eq!(secs(course.steps(at(100), at(260))), [30.0, 10.0, 95.0, 15.0, 10.0]);
        // What is answered earlier needs none of what comes later.
        assert_eq!(secs(course.steps(at(100), at(200))), [30.0, 10.0, 60.0, 0.0, 0.0]);
        assert_eq!(secs(course.steps(at(100), at(120))), [20.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn what_nobody_notices_is_detection_until_it_is_over() {
        let course = FailoverCourse::new(0, true, 1.0);
        assert_eq!(secs(course.steps(at(100), at(700))), [600.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_cold_region_scales_between_the_decision_and_the_change() {
        let mut course = FailoverCourse::new(0, true, 1.0);
        course.note_news(at(130), 0, RegionNews::Unhealthy);
        course.note_news(at(135), 1, RegionNews::Deployed);
        course.note_news(at(200), 0, RegionNews::Withdrawn);
        course.note_clients(at(210), 0.0);
        course.grown = Some(at(180));
        assert_eq!(secs(course.steps(at(100), at(212))), [30.0, 5.0, 10.0, 65.0, 2.0]);
    }

    #[test]
    fn what_is_left_on_purpose_is_not_detected() {
        let mut course = FailoverCourse::new(0, true, 1.0);
        course.note_news(at(100), 0, RegionNews::Withdrawn);
        course.note_clients(at(160), 0.0);
        assert_eq!(secs(course.steps(at(100), at(160))), [0.0, 0.0, 60.0, 0.0, 0.0]);
    }
}
