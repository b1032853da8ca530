//! A capacity plan in text: the recommendation first, then every capacity with what bounds it, what
//! it hangs on, and what limits it all.

use crate::report::availability::beside;
use crate::report::format::page::{Paint, Written};
use crate::report::format::words::{grouped, plural, wrapped};
use crate::report::plan::caveats::{judged, texts};
use crate::report::plan::report::CapacityReport;
use crate::report::plan::words;
use crate::study::capacity::advice::{self, Carries};
use crate::study::capacity::finding::{Candidate, Finding};
use crate::study::capacity::search::Capacity;
use crate::study::capacity::sensitivity::{NO_EFFECT, Sensitivity};
use crate::study::mode::{Mode, Moot};
use crate::verdict::Overall;

/// The report in text.
pub fn render(report: &CapacityReport, written: Option<Written>, colour: bool) -> String {
    let paint = Paint { colour };
    let sections = vec![
        recommendation(report, paint) + "\n" + &head(report),
        capacities(report, paint),
        months(report, paint),
        sensitivities(report, paint),
        paint.caveats(texts(report)),
    ];
    paint.page(sections, written)
}

/// The recommendation alone.
pub fn recommendation_only(report: &CapacityReport, colour: bool) -> String {
    recommendation(report, Paint { colour })
}

fn head(report: &CapacityReport) -> String {
    let base = report.base();
    let count = plural(report.candidates.len() as u64, "gateway");
    let modes = words::modes(report.modes.len());
    let (texts, time) = (judged(report).join(", "), report.effort.trial.judged);
    let lines = [
        base.question.clone(),
        format!("{count} in {modes}, {}", report.sample()),
        format!("{texts}; judged for {time} from a loss on"),
    ];
    lines.map(|line| wrapped("  ", &line)).concat()
}

fn recommendation(report: &CapacityReport, paint: Paint) -> String {
    let mut out = format!("{}\n", paint.title(&headline(report).for_text()));
    for (candidate, carries) in report.carries().into_iter().enumerate() {
        out.push_str(&wrapped("  ", &reason(report, candidate, carries)));
    }
    out
}

/// What the plan comes to, in one sentence.
pub(crate) struct Headline {
    glyph: char,
    /// Its first word, for text and for charts.
    lead: (&'static str, &'static str),
    rest: String,
}

impl Headline {
    /// The sign of the verdict, and all of it in words.
    pub(crate) fn parts(&self) -> (char, String) {
        (self.glyph, self.for_charts())
    }

    /// For text.
    pub(crate) fn for_text(&self) -> String {
        format!("{} {}{}", self.glyph, self.lead.0, self.rest)
    }

    /// For charts.
    pub(crate) fn for_charts(&self) -> String {
        format!("{}{}", self.lead.1, self.rest)
    }
}

/// What the plan comes to.
pub(crate) fn headline(report: &CapacityReport) -> Headline {
    let demand = words::demand(report.demand);
    let count = report.chosen().map(|chosen| report.candidates[chosen].modes.len());
    let modes = words::all_modes(count.unwrap_or(report.modes.len()), report.modes.len());
    let fits = report.fits();
    let is_judged = |months: &Overall| *months != Overall::NoObjectives;
    let judged = report.kept.iter().any(is_judged);
    let months = if judged { " and keeps its months" } else { "" };
    let (glyph, lead, rest) = match report.chosen() {
        _ if report.is_incomplete() => {
            ('?', ("STOPPED", "STOPPED"), format!(" before it was known what carries {demand}"))
        }
        Some(chosen) => {
            let name = &report.candidates[chosen].name;
            ('✓', ("CHOOSE", "Choose"), format!(" {name}: it carries {demand} in {modes}{months}"))
        }
        None if fits.contains(&Carries::Undecided) => {
            let months = if judged { " and to keep its months" } else { "" };
            let rest = format!(": no gateway is sure to carry {demand} in {modes}{months}");
            ('?', ("UNDECIDED", "UNDECIDED"), rest)
        }
        None => {
            let which = match fits.contains(&Carries::Yes) {
                true => "the gateways that are for sale",
                false => "these gateways",
            };
            ('✗', ("NONE", "None"), format!(" of {which} carries {demand} in {modes}{months}"))
        }
    };
    Headline { glyph, lead, rest }
}

/// Why a candidate is chosen or not.
pub(crate) fn reason(report: &CapacityReport, candidate: usize, carries: Carries) -> String {
    let name = &report.candidates[candidate].name;
    let cost = report.cost(candidate).words;
    let Some(weakest) = report.weakest(candidate) else {
        return format!("{name} ({cost}): not looked at");
    };
    let found = words::capacity(weakest.capacity);
    let when = weakest.mode.label();
    let binding = weakest.binding.as_ref();
    let then = if weakest.capacity == Capacity::Nothing { "for" } else { "then" };
    let why = binding.map(|binding| format!(", {then} {}", words::binding(binding)));
    let why = why.unwrap_or_default();
    let glyph = match advice::fit(carries, report.kept[candidate]) {
        Carries::Yes => "✓",
        Carries::No => "✗",
        Carries::Undecided => "?",
    };
    let does = match (carries, lasts(report, weakest.capacity)) {
        (Carries::Yes, Some(growth)) => format!("lasts until {growth} traffic"),
        (Carries::Yes, None) => "carries it".to_owned(),
        (Carries::No, _) => "does not".to_owned(),
        (Carries::Undecided, _) => "may".to_owned(),
    };
    let but = reservation(report, weakest).unwrap_or_default() + &of_months(report, candidate);
    format!("{glyph} {name} ({cost}) {does}; weakest when {when}: {found}{why}{but}")
}

/// What stands in the way of a gateway that carries the demand: months that are not as demanded.
fn of_months(report: &CapacityReport, candidate: usize) -> String {
    match report.kept[candidate] {
        Overall::Missed => "; but its months are not as demanded: see below".to_owned(),
        Overall::Undecided => "; but its months may not be as demanded: see below".to_owned(),
        Overall::Met | Overall::NoObjectives => String::new(),
    }
}

/// What is to be said of the demand itself, if it is not what the capacity makes one expect.
fn reservation(report: &CapacityReport, weakest: &Finding) -> Option<String> {
    let demand = words::demand(report.demand);
    if let Some((band, _)) = weakest.band_below(report.demand) {
        return Some(format!(
            "; {demand} itself is met, but not the loads on the way to it: {}",
            words::band(band)
        ));
    }
    let unsure = advice::sure(weakest.capacity) >= report.demand
        && advice::carried(weakest, report.demand) == Carries::Undecided;
    unsure
        .then(|| format!("; but {demand} itself was tried and is not sure to meet the objectives"))
}

/// How far the demand may grow until it is no longer sure to be carried: `+10 %`, `at least +10 %`;
/// `None` if the capacity does not say.
pub(crate) fn lasts(report: &CapacityReport, capacity: Capacity) -> Option<String> {
    let growth = 100.0 * (advice::sure(capacity) / report.demand - 1.0);
    let least = if matches!(capacity, Capacity::AtLeast(_)) { "at least " } else { "" };
    (growth >= 0.0).then(|| format!("{least}+{} %", grouped((growth + 1e-7).floor(), 0)))
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
        let indent = format!("    {:width$}  ", "");
        for finding in report.of(index) {
            let label = finding.mode.label();
            let capacity = words::capacity(finding.capacity);
            let theory = words::theory(finding);
            out.push_str(&format!("    {label:<width$}  {capacity:<24}  {theory}\n"));
            if let Some(binding) = &finding.binding {
                out.push_str(&wrapped(&indent, &words::binding(binding)));
            }
            for band in &finding.bands {
                out.push_str(&wrapped(&indent, &words::band_and_cause(band)));
            }
        }
    }
    out.extend(notes(report).iter().map(|line| wrapped("  ", line)));
    out
}

/// What is to be said of all capacities.
pub(crate) fn notes(report: &CapacityReport) -> Vec<String> {
    let mut lines = left_out(report);
    let above = |finding: &Finding| match finding.capacity {
        Capacity::Between { point, .. } | Capacity::AtLeast(point) => {
            finding.mode.loses() && point > finding.theory
        }
        _ => false,
    };
    let (regions, others): (Vec<&Finding>, Vec<&Finding>) = (report.findings.iter())
        .filter(|finding| above(finding))
        .partition(|finding| finding.mode == Mode::RegionLoss);
    if !others.is_empty() {
        lines.push(
            "A loss that is soon made good can be got through above the load at which the \
             survivors are full."
                .to_owned(),
        );
    }
    let grows = |one: &&Finding| report.candidates[one.candidate].scenario.plan.may_scale();
    if regions.iter().any(grows) {
        lines.push(
            "A region does not come back: above the load at which the replicas that are left are \
             full, the autoscaler adds to them."
                .to_owned(),
        );
    }
    lines
}

/// What months and years bring at the demand.
fn months(report: &CapacityReport, paint: Paint) -> String {
    let rows = report.beside();
    let title = format!("Months and years at {}", words::demand(report.demand));
    match rows.is_empty() {
        true => String::new(),
        false => beside::section(&title, report.prices.unit(), &rows, paint),
    }
}

/// The modes that mean nothing for some gateway, and why.
fn left_out(report: &CapacityReport) -> Vec<String> {
    let line = |candidate: &Candidate| {
        let one = |(mode, why): &(Mode, Moot)| {
            format!("{}, left out: {}: {}", candidate.name, mode.label(), words::moot(*why))
        };
        candidate.left_out.iter().map(one).collect::<Vec<_>>()
    };
    report.candidates.iter().flat_map(line).collect()
}

/// What the capacity of the critical case hangs on.
fn sensitivities(report: &CapacityReport, paint: Paint) -> String {
    let Some(case) = report.critical_case().filter(|_| !report.sensitivities.is_empty()) else {
        return String::new();
    };
    let name = &report.candidates[case.candidate].name;
    let title = format!("What the capacity of {name} hangs on ({})", case.mode.label());
    let (weighty, idle): (Vec<&Sensitivity>, Vec<&Sensitivity>) =
        report.sensitivities.iter().partition(|one| one.weight() >= NO_EFFECT);
    let width = weighty.iter().map(|one| one.path.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for one in weighty {
        let Sensitivity { path, value, .. } = one;
        let instead = one.instead.iter().map(|other| words::instead(one, other));
        let text = format!("{value} → {}", instead.collect::<Vec<_>>().join("; "));
        let indent = format!("  {:width$}  ", "");
        let lines = wrapped(&indent, &text);
        out.push_str(&format!("  {path:<width$}  {}", &lines[indent.len()..]));
    }
    if !idle.is_empty() {
        let list: Vec<&str> = idle.iter().map(|one| one.path.as_str()).collect();
        let idle = match case.capacity {
            Capacity::Between { .. } => "less than 0.5 %",
            _ => "no load either way",
        };
        out.push_str(&wrapped("  ", &format!("{idle}: {}", list.join(", "))));
    }
    paint.section(&title, out)
}
