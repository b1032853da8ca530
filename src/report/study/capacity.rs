//! A capacity plan in text: the recommendation first, then every capacity with what bounds it, what
//! it hangs on, and what limits it all.

use super::capacity_caveats::{judged, texts};
use super::capacity_words as words;
use crate::report::text::{self, Paint, Written};
use crate::report::words::{grouped, plural, wrapped};
use crate::scenario::Scenario;
use crate::study::advice::{self, Carries};
use crate::study::capacity::{Candidate, Effort, Finding};
use crate::study::cost::{Cost, Prices, tier};
use crate::study::mode::Mode;
use crate::study::search::Capacity;
use crate::study::sensitivity::{FACTORS, NO_EFFECT, Swing};
use crate::study::settling::Settling;

/// A capacity plan with all that is said of it.
#[derive(Debug)]
pub struct CapacityReport<'a> {
    /// The gateways that might be had.
    pub candidates: &'a [Candidate],
    /// The modes that were asked for.
    pub modes: &'a [Mode],
    /// How capacities were looked for.
    pub effort: Effort,
    /// What was found.
    pub findings: &'a [Finding],
    /// Runs that show whether warm-up suffices.
    pub settling: &'a [Settling],
    /// Requests per second that are to be carried.
    pub demand: f64,
    /// Whether the demand is the scenario's own.
    pub demand_is_own: bool,
    /// What each costs.
    pub prices: &'a Prices,
    /// What the assumed settings do to the capacity of the candidate that is recommended, or of the
    /// last, in its weakest mode.
    pub swings: &'a [Swing],
    /// Whether it was stopped.
    pub interrupted: bool,
}

impl<'a> CapacityReport<'a> {
    /// The scenario of the first candidate.
    pub(super) fn base(&self) -> &'a Scenario {
        &self.candidates[0].scenario
    }

    /// Whether each candidate carries the demand.
    pub fn carries(&self) -> Vec<Carries> {
        let one =
            |candidate| advice::carries(self.findings, candidate, self.modes.len(), self.demand);
        (0..self.candidates.len()).map(one).collect()
    }

    /// What a candidate costs.
    pub(super) fn cost(&self, candidate: usize) -> Cost {
        self.prices.of(tier(&self.candidates[candidate].scenario).as_deref())
    }

    /// The candidate that is recommended.
    pub fn chosen(&self) -> Option<usize> {
        let demand = (self.modes.len(), self.demand);
        advice::recommended(self.candidates, self.findings, demand, self.prices)
    }

    /// Whether some search was stopped, or not begun.
    fn is_incomplete(&self) -> bool {
        let stopped = |finding: &Finding| finding.capacity == Capacity::Stopped;
        self.findings.len() < self.candidates.len() * self.modes.len()
            || self.findings.iter().any(stopped)
    }

    /// The findings of a candidate in the order of the modes.
    pub(super) fn of(&self, candidate: usize) -> impl Iterator<Item = &'a Finding> {
        self.findings.iter().filter(move |finding| finding.candidate == candidate)
    }

    pub(super) fn weakest(&self, candidate: usize) -> Option<&'a Finding> {
        advice::weakest(self.findings, candidate, self.demand)
    }

    /// The finding of which it was tried what it hangs on.
    pub(super) fn hinge(&self) -> Option<&'a Finding> {
        advice::hinge(self.candidates, self.findings, self.chosen(), self.demand)
    }

    /// What loads count.
    pub(super) fn arrivals(&self) -> &'static str {
        match self.base().plan.requests_per_arrival() > 1.0 {
            true => "sessions",
            false => "requests",
        }
    }

    /// How the figures came about, in words.
    pub(super) fn sample(&self) -> String {
        let replications = plural(self.effort.replications as u64, "replication");
        let seed = self.base().plan.run.seed;
        format!("{replications} at each load, seed {seed}; 95 % intervals")
    }
}

/// The report in text.
pub fn render(report: &CapacityReport, written: Option<Written>, colour: bool) -> String {
    let paint = Paint { colour };
    let mut sections = vec![recommendation(report, paint) + "\n" + &head(report)];
    sections.push(capacities(report, paint));
    sections.push(swings(report, paint));
    sections.push(caveats(report, paint));
    sections.extend(written.map(|written| text::files(&written, paint)));
    sections.retain(|section| !section.is_empty());
    sections.join("\n")
}

/// The recommendation alone.
pub fn recommendation_only(report: &CapacityReport, colour: bool) -> String {
    recommendation(report, Paint { colour })
}

fn head(report: &CapacityReport) -> String {
    let base = report.base();
    let texts: Vec<String> = judged(report);
    let tiers = plural(report.candidates.len() as u64, "gateway");
    let count = words::modes(report.modes.len());
    let judged = report.effort.trial.judged;
    let mut out = wrapped("  ", &base.question);
    out.push_str(&wrapped("  ", &format!("{tiers} in {count}, {}", report.sample())));
    let objectives = format!("{}; judged for {judged} from a loss on", texts.join(", "));
    out + &wrapped("  ", &objectives)
}

fn recommendation(report: &CapacityReport, paint: Paint) -> String {
    let mut out = format!("{}\n", paint.title(&headline(report)));
    for (candidate, carries) in report.carries().into_iter().enumerate() {
        out.push_str(&wrapped("  ", &reason(report, candidate, carries)));
    }
    out
}

/// What the plan comes to, in one sentence.
pub(super) fn headline(report: &CapacityReport) -> String {
    let demand = words::demand(report.demand);
    let modes = words::all_modes(report.modes.len());
    if report.is_incomplete() {
        return format!("? STOPPED before it was known what carries {demand}");
    }
    match report.chosen() {
        Some(chosen) => {
            let name = &report.candidates[chosen].name;
            format!("✓ CHOOSE {name}: it carries {demand} in {modes}")
        }
        None if report.carries().contains(&Carries::Undecided) => {
            format!("? UNDECIDED: no gateway is sure to carry {demand} in {modes}")
        }
        None => format!("✗ NONE of these gateways carries {demand} in {modes}"),
    }
}

/// Why a candidate is chosen or not.
fn reason(report: &CapacityReport, candidate: usize, carries: Carries) -> String {
    let name = &report.candidates[candidate].name;
    let cost = report.cost(candidate).words;
    let Some(weakest) = report.weakest(candidate) else {
        return format!("{name} ({cost}): not looked at");
    };
    let found = words::capacity(weakest.capacity);
    let when = weakest.mode.label();
    let binding = weakest.binding.as_ref();
    let why = binding.map(|binding| format!(", then {}", words::binding(binding)));
    let why = why.unwrap_or_default();
    let sure = advice::sure(weakest.capacity);
    match carries {
        Carries::Yes => {
            let far = match lasts(report, weakest.capacity) {
                Some(growth) => format!("lasts until {growth} traffic"),
                None => "carries it".to_owned(),
            };
            format!("✓ {name} ({cost}) {far}; weakest when {when}: {found}{why}")
        }
        Carries::No => format!("✗ {name} ({cost}) does not; weakest when {when}: {found}{why}"),
        Carries::Undecided
            if sure >= report.demand
                && advice::carried(weakest, report.demand) == Carries::Undecided =>
        {
            let demand = words::demand(report.demand);
            format!(
                "? {name} ({cost}) may; weakest when {when}: {found}{why}; but {demand} itself was \
                 tried and is not sure to meet the objectives"
            )
        }
        Carries::Undecided => format!("? {name} ({cost}) may; weakest when {when}: {found}{why}"),
    }
}

/// How far the demand may grow until it is no longer sure to be carried: `+10 %`, `at least +10 %`;
/// `None` if the capacity does not say.
pub(super) fn lasts(report: &CapacityReport, capacity: Capacity) -> Option<String> {
    let growth = 100.0 * (advice::sure(capacity) / report.demand - 1.0);
    let least = if matches!(capacity, Capacity::AtLeast(_)) { "at least " } else { "" };
    (growth >= 0.0).then(|| format!("{least}+{} %", grouped(growth.floor(), 0)))
}

fn capacities(report: &CapacityReport, paint: Paint) -> String {
    let title = format!(
        "Capacity in {}/s, the load at which all replicas left are full, and what is in the way",
        report.arrivals()
    );
    let mut out = format!("{}\n", paint.title(&title));
    let width = report.modes.iter().map(|mode| mode.label().chars().count()).max().unwrap_or(0);
    for (index, candidate) in report.candidates.iter().enumerate() {
        out.push_str(&format!("  {}\n", candidate.name));
        for finding in report.of(index) {
            let label = finding.mode.label();
            let capacity = words::capacity(finding.capacity);
            let theory = words::theory(finding);
            out.push_str(&format!("    {label:<width$}  {capacity:<24}  {theory}\n"));
            if let Some(binding) = &finding.binding {
                let indent = format!("    {:width$}  ", "");
                out.push_str(&wrapped(&indent, &words::binding(binding)));
            }
        }
    }
    let note = "A loss that is soon made good can be got through above the load at which the \
                survivors are full.";
    let above = |finding: &Finding| match finding.capacity {
        Capacity::Between { point, .. } | Capacity::AtLeast(point) => {
            finding.mode.loses() && point > finding.theory
        }
        _ => false,
    };
    if report.findings.iter().any(above) {
        out.push_str(&wrapped("  ", note));
    }
    out
}

/// What the capacity hangs on.
fn swings(report: &CapacityReport, paint: Paint) -> String {
    let Some(hinge) = report.hinge().filter(|_| !report.swings.is_empty()) else {
        return String::new();
    };
    let name = &report.candidates[hinge.candidate].name;
    let title = format!("What the capacity of {name} hangs on ({})", hinge.mode.label());
    let mut out = format!("{}\n", paint.title(&title));
    let (weighty, idle): (Vec<&Swing>, Vec<&Swing>) =
        report.swings.iter().partition(|swing| swing.weight() >= NO_EFFECT);
    let width = weighty.iter().map(|swing| swing.path.chars().count()).max().unwrap_or(0);
    let [less, more] = FACTORS;
    for swing in weighty {
        let [down, up] = swing.capacity.map(words::change);
        let (path, value) = (&swing.path, &swing.value);
        let line = format!("{path:<width$}  ×{less}: {down:>8}   ×{more}: {up:>8}   of {value}");
        out.push_str(&format!("  {line}\n"));
    }
    if !idle.is_empty() {
        let list: Vec<&str> = idle.iter().map(|swing| swing.path.as_str()).collect();
        out.push_str(&wrapped("  ", &format!("less than 0.5 %: {}", list.join(", "))));
    }
    out
}

fn caveats(report: &CapacityReport, paint: Paint) -> String {
    let mut out = format!("{}\n", paint.title("Caveats"));
    for text in texts(report) {
        out.push_str(&wrapped("  ! ", &text));
    }
    out
}
