//! Whether it fails, and by what.

use serde_json::{Value, json};

use super::condition::{ChangeBy, ChangeLimit, FailCondition};
use crate::observe::outcome::Outcome;
use crate::plan::Plan;
use crate::report::compare::contrast;
use crate::report::format::page::{Paint, overall as overall_word};
use crate::report::format::words::wrapped;
use crate::report::run::text as run_text;
use crate::stats::paired::Comparison;
use crate::stats::{Estimate, Interval};
use crate::study::compare::{Contrast, contrasts_of};
use crate::verdict::{Judgement, Overall, Verdict, overall_of};

/// Reasons that are told one by one.
const REASONS_TOLD: usize = 20;

/// A condition, and whether it is so.
#[derive(Clone, Debug, PartialEq)]
pub struct FailJudged {
    /// What would be a failure.
    pub condition: FailCondition,
    /// `Missed` = it is; `Undecided` = the data do not say; `Met` = it is not.
    pub verdict: Overall,
    /// What says so: whom it concerns, which figure, by how much; the first of many.
    pub found: Vec<String>,
    /// How many more there are.
    pub more: usize,
}

impl FailJudged {
    /// Nothing that is a failure has been seen yet.
    fn new(condition: FailCondition) -> FailJudged {
        FailJudged { condition, verdict: Overall::Met, found: Vec::new(), more: 0 }
    }

    fn note(&mut self, verdict: Overall, found: String) {
        if verdict == Overall::Met {
            return;
        }
        // What fails is told, and not what may.
        if verdict == Overall::Missed && self.verdict != Overall::Missed {
            (self.found, self.more) = (Vec::new(), 0);
            self.verdict = Overall::Missed;
        }
        if self.verdict == Overall::Met {
            self.verdict = Overall::Undecided;
        }
        match verdict == self.verdict {
            true if self.found.len() < REASONS_TOLD => self.found.push(found),
            true => self.more += 1,
            false => {}
        }
    }

    /// What says so, one by one as far as they are told.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let more = (self.more > 0).then(|| format!("and {} more", self.more));
        self.found.iter().cloned().chain(more).collect()
    }

    /// In a line for each reason: the verdict first.
    pub(crate) fn lines(&self) -> Vec<String> {
        let glyph = match self.verdict {
            Overall::Missed => "✗ fails",
            Overall::Undecided => "? undecided",
            Overall::Met | Overall::NoObjectives => "✓ passes",
        };
        let first = format!("{glyph} --fail-if '{}'", self.condition.text());
        [first].into_iter().chain(self.reasons()).collect()
    }
}

/// All conditions line by line; what says so is set in.
pub fn text(all: &[FailJudged]) -> String {
    let lines = all.iter().flat_map(|one| {
        let lines = one.lines().into_iter().enumerate();
        lines.map(|(at, line)| wrapped(if at == 0 { "  " } else { "      " }, &line))
    });
    lines.collect()
}

/// The section of a report; nothing without any.
pub(crate) fn section(all: &[FailJudged], paint: Paint) -> String {
    paint.section("Conditions of --fail-if", text(all))
}

/// All conditions as JSON has them.
pub(crate) fn values(all: &[FailJudged]) -> Vec<Value> {
    let value = |one: &FailJudged| {
        json!({
            "condition": one.condition.text(),
            "verdict": overall_word(one.verdict),
            "found": one.reasons(),
        })
    };
    all.iter().map(value).collect()
}

/// The judgement on all conditions together.
pub fn overall(all: &[FailJudged]) -> Overall {
    all.iter().fold(Overall::NoObjectives, |so_far, one| match (so_far, one.verdict) {
        (Overall::Missed, _) | (_, Overall::Missed) => Overall::Missed,
        (Overall::Undecided, _) | (_, Overall::Undecided) => Overall::Undecided,
        _ => Overall::Met,
    })
}

/// Watches variants as they come, the first first.
#[derive(Debug, Default)]
pub struct FailWatch {
    judged: Vec<FailJudged>,
    /// What others are held against: its plan and its outcomes, if anything compares.
    first: Option<(Plan, Vec<Outcome>)>,
}

impl FailWatch {
    /// Watches for these.
    pub fn new(conditions: &[FailCondition]) -> FailWatch {
        let judged = conditions.iter().cloned().map(FailJudged::new);
        FailWatch { judged: judged.collect(), first: None }
    }

    /// What was found so far.
    pub fn judged(&self) -> &[FailJudged] {
        &self.judged
    }

    /// Looks at the objectives of a variant.
    pub fn see_verdicts(&mut self, name: &str, judgements: &[Judgement]) {
        for one in self.judged.iter_mut().filter(|one| !one.condition.compares()) {
            for judgement in judgements {
                let verdict = overall_of([judgement.verdict].into_iter());
                let what = match judgement.verdict {
                    Verdict::Undecided(_) => "is undecided on",
                    _ => "misses",
                };
                let figure = run_text::figure(judgement);
                one.note(verdict, format!("{name} {what} {}: {figure}", judgement.objective.text));
            }
        }
    }

    /// Looks at a judgement that is no objective of a run.
    pub fn see_verdict(&mut self, name: &str, verdict: Verdict, what: &str) {
        for one in self.judged.iter_mut().filter(|one| !one.condition.compares()) {
            one.note(overall_of([verdict].into_iter()), format!("{name}: {what}"));
        }
    }

    /// Looks at the figures of a variant, by those of the first in replications that both have.
    pub fn see_outcomes(&mut self, name: &str, plan: &Plan, outcomes: &[Outcome]) {
        if !self.judged.iter().any(|one| one.condition.compares()) {
            return;
        }
        let Some((first_plan, first)) = self.first.take() else {
            self.first = Some((plan.clone(), outcomes.to_vec()));
            return;
        };
        let both = first.len().min(outcomes.len());
        let found = contrasts_of(&[&first_plan, plan], &[&first[..both], &outcomes[..both]]);
        self.see_contrasts(&found, &[name.to_owned()]);
        self.first = Some((first_plan, first));
    }

    /// Looks at differences of variants, of which these are the names, to the first.
    pub fn see_contrasts(&mut self, contrasts: &[Contrast], names: &[String]) {
        for one in &mut self.judged {
            match one.condition.clone() {
                FailCondition::Missed => {}
                FailCondition::Worse => worse(one, contrasts, names),
                FailCondition::Changed(limit) => changed(one, &limit, contrasts, names),
            }
        }
    }

    /// It was stopped: what is not a failure so far may become one.
    pub fn cut(&mut self) {
        let said = "the work was stopped before all of it was known";
        self.judged.iter_mut().for_each(|one| one.note(Overall::Undecided, said.to_owned()));
    }
}

/// Notes every figure that is worse.
fn worse(judged: &mut FailJudged, contrasts: &[Contrast], names: &[String]) {
    for contrast in contrasts {
        for (found, name) in contrast.against.iter().zip(names) {
            let Some(found) = found else { continue };
            if contrast::is_worse(contrast.metric, found.call()) {
                judged.note(Overall::Missed, said(name, contrast, found));
            }
        }
    }
}

/// Holds a change against its limit.
fn changed(judged: &mut FailJudged, limit: &ChangeLimit, contrasts: &[Contrast], names: &[String]) {
    let is_it = |contrast: &&Contrast| {
        let first = contrasts.first().is_some_and(|first| first.window == contrast.window);
        let here = limit.window.as_ref().map_or(first, |window| *window == contrast.window);
        contrast.metric == limit.metric && here
    };
    let contrast = contrasts.iter().find(is_it);
    for (index, name) in names.iter().enumerate() {
        let found = contrast.and_then(|contrast| contrast.against[index].as_ref());
        match contrast.zip(found) {
            Some((contrast, found)) => judged.note(held(limit, found), said(name, contrast, found)),
            None => {
                let metric = limit.metric.name();
                let why = format!("{name}: {metric} has too few data to be compared");
                judged.note(Overall::Undecided, why);
            }
        }
    }
}

/// Whether a change is too much: only if its whole interval is.
fn held(limit: &ChangeLimit, found: &Comparison) -> Overall {
    let (interval, bound) = match limit.by {
        ChangeBy::Amount(amount) => (found.difference.interval, amount),
        ChangeBy::Share(share) => match &found.ratio {
            Some(ratio) => (ratio.interval, 1.0 + share),
            // Nothing has no share that it could change by.
            None if found.difference.interval == Some(Interval { low: 0.0, high: 0.0 }) => {
                return Overall::Met;
            }
            None => (None, 0.0),
        },
    };
    let Some(Interval { low, high }) = interval else { return Overall::Undecided };
    let (fails, passes) = match limit.is_most {
        true => (low > bound, high <= bound),
        false => (high < bound, low >= bound),
    };
    match (fails, passes) {
        (true, _) => Overall::Missed,
        (_, true) => Overall::Met,
        _ => Overall::Undecided,
    }
}

/// Who, which figure, by how much.
fn said(name: &str, contrast: &Contrast, found: &Comparison) -> String {
    let Contrast { metric, window, .. } = contrast;
    let difference = contrast::difference(*metric, &found.difference);
    let percent = found.ratio.as_ref().map(share_of_change);
    let percent = percent.map_or_else(String::new, |percent| format!(", {percent}"));
    let word = contrast::call(*metric, found.call());
    format!("{name}: {} of {window} is {word}: {difference}{percent}", metric.name())
}

/// A ratio as a change: `+12.3 % (+10.1 to +14.5)`.
fn share_of_change(ratio: &Estimate) -> String {
    let percent = |ratio: f64| format!("{:+.1}", 100.0 * (ratio - 1.0));
    let interval = ratio.interval.filter(|interval| interval.low < interval.high);
    let interval = interval.map(|it| format!(" ({} to {})", percent(it.low), percent(it.high)));
    format!("{} %{}", percent(ratio.point), interval.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Metric;
    use crate::stats::{Confidence, Sample, paired};

    fn found(one: &[f64], other: &[f64]) -> Comparison {
        let sample = |values: &[f64]| Sample::of(values).unwrap();
        paired::compare(&sample(one), &sample(other), Confidence::USUAL)
    }

    fn contrast(metric: Metric, window: &str, against: Vec<Option<Comparison>>) -> Contrast {
        Contrast { metric, window: window.to_owned(), figures: Vec::new(), against }
    }

    fn judged(condition: &str, contrasts: &[Contrast]) -> FailJudged {
        let mut watch = FailWatch::new(&[FailCondition::read(condition).unwrap()]);
        watch.see_contrasts(contrasts, &["B".to_owned(), "C".to_owned()]);
        watch.judged().first().unwrap().clone()
    }

    fn all() -> Vec<Contrast> {
        let (base, slower) = ([10.0, 10.1, 10.2], [12.0, 12.13, 12.24]);
        let (same, mixed) = (found(&base, &base), found(&[10.2, 10.0, 10.6], &base));
        vec![
            contrast(Metric::P99, "the run", vec![Some(found(&slower, &base)), Some(same)]),
            contrast(Metric::Failed, "the run", vec![Some(mixed), None]),
            contrast(Metric::P99, "during crash", vec![Some(same), Some(found(&slower, &base))]),
        ]
    }

    #[test]
    fn what_is_worse_is_told_with_whom_it_concerns_and_by_how_much() {
        let found = judged("worse", &all());
        assert_eq!((found.verdict, found.found.len()), (Overall::Missed, 2));
        assert!(found.found[0].starts_with("B: p99 of the run is worse: +"), "{:?}", found.found);
        assert!(found.found[0].contains("+20."), "{:?}", found.found);
        assert!(found.found[1].starts_with("C: p99 of during crash"), "{:?}", found.found);
        // What is too close to call is not worse.
        assert_eq!(judged("worse", &all()[1..2]).verdict, Overall::Met);
    }

    #[test]
    fn a_change_fails_with_its_whole_interval_and_is_undecided_within() {
        let of = |condition: &str| judged(condition, &all()).verdict;
        assert_eq!(of("p99 > +10%"), Overall::Missed);
        assert_eq!(of("p99 > +30%"), Overall::Met);
        assert_eq!(of("p99 > +20.1%"), Overall::Undecided);
        assert_eq!(of("p99 > +5s"), Overall::Met);
        assert_eq!(of("p99 during crash > +10%"), Overall::Missed);
        assert_eq!(of("p99 < -10%"), Overall::Met);
        // C has too few failures to be compared.
        assert_eq!(of("failed > +500 points"), Overall::Undecided);
        assert_eq!(of("recovery > +1s"), Overall::Undecided);
    }

    #[test]
    fn what_fails_drives_out_what_is_undecided() {
        let mut one = FailJudged::new(FailCondition::Missed);
        one.note(Overall::Undecided, "maybe".to_owned());
        assert_eq!(one.lines(), ["? undecided --fail-if 'missed'", "maybe"]);
        one.note(Overall::Missed, "yes".to_owned());
        one.note(Overall::Undecided, "maybe".to_owned());
        assert_eq!(one.lines(), ["✗ fails --fail-if 'missed'", "yes"]);
        assert_eq!(overall(&[one, FailJudged::new(FailCondition::Worse)]), Overall::Missed);
        assert_eq!(overall(&[]), Overall::NoObjectives);
    }
}
