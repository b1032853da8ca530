//! A comparison with all that is said of it.

use crate::experiment::Experiment;
use crate::report::availability::beside::BesideRow;
use crate::report::availability::report::AvailabilityReport;
use crate::report::availability::verdict;
use crate::report::fail_if::{FailCondition, FailJudged, FailWatch};
use crate::report::format::words::plural;
use crate::report::run::report::Report;
use crate::study::compare::{Contrast, Variant, contrasts};
use crate::study::cost::Prices;
use crate::units::{Instant, Span};

/// Names that are longer leave tables no room.
const LONGEST_NAME: usize = 24;

/// A comparison with all that is said of it.
#[derive(Debug)]
pub struct CompareReport<'a> {
    /// What was compared.
    pub variants: &'a [Variant],
    /// The experiment of each.
    pub runs: &'a [Experiment],
    /// The report of each.
    pub reports: Vec<Report<'a>>,
    /// The figures of all against the first.
    pub contrasts: Vec<Contrast>,
    /// What each costs.
    pub prices: &'a Prices,
    /// The months and years of each that was asked for.
    pub months: Vec<Option<AvailabilityReport<'a>>>,
    /// What would be a failure, and whether it is.
    pub fails: Vec<FailJudged>,
}

impl<'a> CompareReport<'a> {
    /// Sums up and judges the experiments of variants.
    pub fn new(
        variants: &'a [Variant],
        runs: &'a [Experiment],
        prices: &'a Prices,
        months: Vec<Option<AvailabilityReport<'a>>>,
    ) -> Self {
        let pairs = variants.iter().zip(runs);
        let reports = pairs.map(|(variant, run)| Report::new(&variant.scenario, run, None));
        let contrasts = contrasts(variants, runs);
        let (reports, fails) = (reports.collect(), Vec::new());
        CompareReport { variants, runs, reports, contrasts, prices, months, fails }
    }

    /// The same with what would be a failure.
    pub fn with_conditions(self, conditions: &[FailCondition]) -> Self {
        let mut watch = FailWatch::new(conditions);
        let names: Vec<String> = (0..self.variants.len()).map(|it| self.full_name(it)).collect();
        for ((name, report), months) in names.iter().zip(&self.reports).zip(&self.months) {
            watch.see_verdicts(name, &report.judgements);
            let judged = months.iter().flat_map(verdict::said);
            for line in judged {
                line.verdict.inspect(|verdict| watch.see_verdict(name, *verdict, &line.text));
            }
        }
        watch.see_contrasts(&self.contrasts, &names[1..]);
        if self.is_interrupted() {
            watch.cut();
        }
        CompareReport { fails: watch.judged().to_vec(), ..self }
    }

    /// Whether it was stopped.
    pub fn is_interrupted(&self) -> bool {
        self.runs.iter().any(|run| run.interrupted)
    }

    /// The months and years of those that have any.
    pub(crate) fn beside(&self) -> Vec<BesideRow<'_>> {
        let mut rows = Vec::new();
        for (index, months) in self.months.iter().enumerate() {
            let Some(report) = months else { continue };
            let cost = self.prices.of(&self.variants[index].scenario);
            rows.push(BesideRow { label: self.label(index), name: self.name(index), cost, report });
        }
        rows
    }

    pub(crate) fn name(&self, variant: usize) -> &str {
        &self.variants[variant].name
    }

    /// What tables and titles call a variant: its name, or a letter if some name is too long to
    /// stand above a column.
    pub(crate) fn label(&self, variant: usize) -> String {
        if self.has_letters() { letter(variant) } else { self.name(variant).to_owned() }
    }

    /// Its name, after its letter if it has one.
    pub(crate) fn full_name(&self, variant: usize) -> String {
        let name = self.name(variant);
        if self.has_letters() { format!("{}: {name}", letter(variant)) } else { name.to_owned() }
    }

    pub(crate) fn has_letters(&self) -> bool {
        self.variants.iter().any(|one| one.name.chars().count() > LONGEST_NAME)
    }

    /// How many replications of what there are, in words.
    pub(crate) fn sample(&self) -> String {
        let run = &self.variants[0].scenario.plan.run;
        let count = plural(self.runs[0].outcomes.len() as u64, "replication");
        let horizons = || self.variants.iter().map(|one| one.scenario.plan.run.horizon);
        let (least, most) = (horizons().min(), horizons().max());
        let span = |at: Option<Instant>| Span(at.unwrap_or_default().0);
        let horizon = match least == most {
            true => span(least).to_string(),
            false => format!("{} to {}", span(least), span(most)),
        };
        format!("{count} of {horizon} each, seed {}, common random numbers", run.seed)
    }
}

/// `A` to `Z`, then `A1` to `Z1` and so on.
fn letter(index: usize) -> String {
    let letter = char::from(b'A' + (index % 26) as u8);
    match index / 26 {
        0 => letter.to_string(),
        round => format!("{letter}{round}"),
    }
}
