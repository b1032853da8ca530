//! What would be a failure, as it is typed.

use crate::diagnostic::{Flaw, suggestion};
use crate::metric::Metric;
use crate::quantity;

/// What would be a failure.
#[derive(Clone, Debug, PartialEq)]
pub enum FailCondition {
    /// A variant misses an objective.
    Missed,
    /// A figure of a variant is worse than that of the first.
    Worse,
    /// A figure changes too much against that of the first.
    Changed(ChangeLimit),
}

/// How much a figure may change.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeLimit {
    /// As typed.
    pub text: String,
    /// Which figure.
    pub metric: Metric,
    /// The label of the window; `None` = the run.
    pub window: Option<String>,
    /// Whether more than this is too much, else less.
    pub is_most: bool,
    /// So much; negative = less.
    pub by: ChangeBy,
}

/// By how much a figure changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ChangeBy {
    /// By a share of what it is.
    Share(f64),
    /// By seconds, or a share from 0 to 1.
    Amount(f64),
}

const SHAPE: &str = "write missed, worse, or how much of a change is too much, such as \"p99 > \
                     +10%\", \"p99 during crash > +200ms\" or \"failed > +0.1 points\"";

impl FailCondition {
    /// Reads `missed`, `worse` or `p99 > +10%`.
    ///
    /// # Errors
    /// Says what is wrong, and how it is written.
    pub fn read(text: &str) -> Result<FailCondition, Flaw> {
        match text.trim() {
            "missed" => Ok(FailCondition::Missed),
            "worse" => Ok(FailCondition::Worse),
            text => change(text).map(FailCondition::Changed),
        }
    }

    /// As it is typed.
    pub fn text(&self) -> &str {
        match self {
            FailCondition::Missed => "missed",
            FailCondition::Worse => "worse",
            FailCondition::Changed(limit) => &limit.text,
        }
    }

    /// Whether variants are held against the first.
    pub fn compares(&self) -> bool {
        *self != FailCondition::Missed
    }

    /// Refuses a window that no variant has.
    ///
    /// # Errors
    /// Names those that all have.
    pub fn expect_window(&self, labels: &[String]) -> Result<(), Flaw> {
        let FailCondition::Changed(ChangeLimit { window: Some(window), text, .. }) = self else {
            return Ok(());
        };
        if labels.contains(window) {
            return Ok(());
        }
        let flaw = Flaw::new(format!("{text:?}: no window is called {window:?}"));
        Err(match suggestion(window, labels.iter().map(String::as_str)) {
            Some(help) => flaw.help(help),
            None => flaw,
        })
    }
}

fn change(text: &str) -> Result<ChangeLimit, Flaw> {
    let split = text.find(['<', '>']).map(|at| (&text[..at], &text[at..at + 1], &text[at + 1..]));
    let Some((figure, relation, amount)) = split else {
        return Err(Flaw::new(format!("{text:?} is no condition")).help(SHAPE));
    };
    let (metric, window) = figure_of(figure.trim())?;
    let amount = amount.trim();
    let (sign, size) = match amount.split_at_checked(1) {
        Some(("+", size)) => (1.0, size.trim()),
        Some(("-" | "−", size)) => (-1.0, size.trim()),
        _ => {
            let flaw = Flaw::new(format!("{amount:?} is no change: it has no sign"));
            return Err(flaw.help(format!("write {relation} +{amount} or {relation} -{amount}")));
        }
    };
    let by = match of_size(size, metric)? {
        ChangeBy::Share(share) => ChangeBy::Share(sign * share),
        ChangeBy::Amount(amount) => ChangeBy::Amount(sign * amount),
    };
    Ok(ChangeLimit { text: text.to_owned(), metric, window, is_most: relation == ">", by })
}

/// The figures that are compared, by their names.
fn names() -> Vec<(String, Metric)> {
    Metric::COMPARED.map(|(metric, _)| (metric.name().to_lowercase(), metric)).to_vec()
}

/// A figure, and the window that is named after it.
fn figure_of(text: &str) -> Result<(Metric, Option<String>), Flaw> {
    let lower = text.to_lowercase();
    let known = names();
    let found = known.iter().find_map(|(name, metric)| {
        let rest = lower.strip_prefix(name.as_str())?;
        let ends = rest.is_empty() || rest.starts_with(' ');
        ends.then(|| (*metric, text[name.len()..].trim()))
    });
    if let Some((metric, rest)) = found {
        return Ok((metric, Some(rest.to_owned()).filter(|rest| !rest.is_empty())));
    }
    let word = lower.split(' ').next().unwrap_or_default();
    let flaw = Flaw::new(format!("{word:?} is no figure that is compared"));
    Err(match suggestion(word, known.iter().map(|(name, _)| name.as_str())) {
        Some(help) => flaw.help(help),
        None => flaw,
    })
}

/// So much, without its sign.
fn of_size(text: &str, metric: Metric) -> Result<ChangeBy, Flaw> {
    let number =
        |digits: &str| digits.trim().parse::<f64>().ok().filter(|it| (0.0..1e6).contains(it));
    if let Some(percent) = text.strip_suffix('%').and_then(number) {
        return Ok(ChangeBy::Share(percent / 100.0));
    }
    let points = text.strip_suffix("points").or_else(|| text.strip_suffix("point"));
    match (metric.is_share(), points.and_then(number)) {
        (true, Some(points)) => return Ok(ChangeBy::Amount(points / 100.0)),
        (true, None) => {
            let help = "write a share of what it is (+10%), or points (+0.1 points)";
            return Err(Flaw::new(format!("{text:?} is no change of a share")).help(help));
        }
        (false, _) => {}
    }
    let span = quantity::span(text).map_err(|flaw| match flaw.help {
        Some(_) => flaw,
        None => flaw.help(SHAPE),
    })?;
    Ok(ChangeBy::Amount(span.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(text: &str) -> ChangeLimit {
        match FailCondition::read(text) {
            Ok(FailCondition::Changed(limit)) => limit,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_change_is_of_a_figure_in_a_window_by_so_much() {
        let one = limit("p99 > +10%");
        assert_eq!((one.metric, one.window, one.is_most), (Metric::P99, None, true));
        assert_eq!(one.by, ChangeBy::Share(0.1));
        let one = limit("P95 during crash > + 200ms");
        assert_eq!(one.metric, Metric::Latency(0.95));
        assert_eq!((one.window.as_deref(), one.by), (Some("during crash"), ChangeBy::Amount(0.2)));
        let one = limit("cpu < -5 points");
        assert_eq!(
            (one.metric, one.is_most, one.by),
            (Metric::Cpu, false, ChangeBy::Amount(-0.05))
        );
        assert_eq!(FailCondition::read("worse"), Ok(FailCondition::Worse));
        assert_eq!(FailCondition::read(" missed "), Ok(FailCondition::Missed));
    }

    #[test]
    fn what_is_no_condition_is_explained() {
        let said = |text: &str| FailCondition::read(text).unwrap_err().to_string();
        assert!(said("better").contains("write missed, worse, or"));
        assert!(said("p98 > +10%").contains("did you mean \"p99\"?"), "{}", said("p98 > +10%"));
        assert!(said("p99 > 10%").contains("write > +10% or > -10%"));
        assert!(said("p99 > +10").contains("lacks a unit"));
        assert!(said("failed > +10ms").contains("+0.1 points"));
        assert!(said("p99 >").contains("has no sign"));
    }

    #[test]
    fn a_window_must_be_there() {
        let labels = ["the run", "during crash"].map(str::to_owned);
        let said = |text: &str| FailCondition::read(text).unwrap().expect_window(&labels);
        assert_eq!(said("p99 > +10%"), Ok(()));
        assert_eq!(said("p99 during crash > +10%"), Ok(()));
        let flaw = said("p99 during crsh > +10%").unwrap_err().to_string();
        assert!(flaw.contains("did you mean \"during crash\"?"), "{flaw}");
    }
}
