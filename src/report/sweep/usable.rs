//! Up to which load the objectives are met.

use crate::report::sweep::ladder::{LOAD, Ladder, Scale, ladders};
use crate::report::sweep::report::{Row, SweepReport};
use crate::verdict::{Overall, Verdict};

/// What a ladder of loads says of the objectives.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Usable {
    /// The other settings with their values.
    pub(crate) name: String,
    /// The greatest load up to which all objectives are met at every load that was tried.
    pub(crate) upto: Option<f64>,
    /// Whether that is the greatest load of all.
    pub(crate) is_last: bool,
    /// All of it in words.
    pub(crate) words: String,
}

/// The usable load for each choice of the other settings; nothing unless the load is swept and
/// something is demanded.
pub(crate) fn usable(report: &SweepReport) -> Vec<Usable> {
    let demanding = report.rows.iter().any(|row| row.overall != Overall::NoObjectives);
    let axis = report.axes.iter().position(|axis| axis.path == LOAD).filter(|_| demanding);
    let Some((axis, scale)) = axis.and_then(|axis| Some((axis, Scale::of(&report.axes[axis])?)))
    else {
        return Vec::new();
    };
    ladders(report, axis, &scale).iter().map(|ladder| of(ladder, &scale)).collect()
}

fn of(ladder: &Ladder, scale: &Scale) -> Usable {
    let steps = &ladder.steps;
    let met = steps.iter().take_while(|(_, row)| row.overall == Overall::Met).count();
    let upto = met.checked_sub(1).map(|last| steps[last].0);
    let is_last = met == steps.len();
    let words = words(steps, met, scale);
    Usable { name: ladder.name.clone(), upto, is_last, words }
}

fn words(steps: &[(f64, &Row)], met: usize, scale: &Scale) -> String {
    let all = subject(steps[0].1);
    let at = |index: usize| scale.show(steps[index].0);
    let Some((_, next)) = steps.get(met) else {
        return format!("{all} is met up to {}, the highest load that was tried", at(met - 1));
    };
    let mut text = match met {
        0 => format!("at {}, the lowest load that was tried, {}", at(0), failing(next)),
        _ => format!("{all} is met up to {}; at {} {}", at(met - 1), at(met), failing(next)),
    };
    let later =
        |wanted: Overall| (met + 1..steps.len()).find(|index| steps[*index].1.overall == wanted);
    if next.overall == Overall::Undecided {
        text += &match later(Overall::Missed) {
            Some(index) => format!("; at {} {}", at(index), failing(steps[index].1)),
            None => "; nothing is missed at a higher load".to_owned(),
        };
    }
    if let Some(index) = later(Overall::Met) {
        text += &format!("; but at {} {all} is met", at(index));
    }
    text
}

/// What is met if all is met.
fn subject(row: &Row) -> &str {
    match &row.judgements[..] {
        [one] => &one.objective.text,
        _ => "every objective",
    }
}

/// What is missed, or else undecided.
fn failing(row: &Row) -> String {
    let texts = |wanted: fn(&Verdict) -> bool| {
        let judged = row.judgements.iter().filter(|judged| wanted(&judged.verdict));
        judged.map(|judged| judged.objective.text.as_str()).collect::<Vec<_>>()
    };
    let missed = texts(|verdict| *verdict == Verdict::Missed);
    let undecided = texts(|verdict| matches!(verdict, Verdict::Undecided(_)));
    let (which, word) =
        if missed.is_empty() { (undecided, "undecided") } else { (missed, "missed") };
    let verb = if which.len() == 1 { "is" } else { "are" };
    format!("{} {verb} {word}", which.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sweep::report::sample::{
        axes, cells, objective, report, without_objectives,
    };

    /// What is said if p99 < 250 ms is met, undecided or missed at 10/s, 20/s and so on.
    fn said(p99: &[f64]) -> String {
        let axes = axes(&["traffic.rate=10/s..50/s:5"]);
        let cells = cells(&axes);
        let p99: Vec<Option<f64>> = p99.iter().map(|p99| Some(*p99)).collect();
        usable(&report(&axes, &cells, &p99)).remove(0).words
    }

    #[test]
    fn the_load_ends_where_something_is_missed() {
        assert_eq!(
            said(&[50.0, 60.0, 70.0, 400.0, 900.0]),
            "p99 < 250ms is met up to 30/s; at 40/s p99 < 250ms is missed"
        );
        assert_eq!(
            said(&[50.0, 60.0]),
            "p99 < 250ms is met up to 20/s, the highest load that was tried"
        );
        assert_eq!(
            said(&[400.0, 500.0]),
            "at 10/s, the lowest load that was tried, p99 < 250ms is missed"
        );
    }

    #[test]
    fn what_is_undecided_or_met_again_is_said() {
        assert_eq!(
            said(&[50.0, 245.0, 400.0]),
            "p99 < 250ms is met up to 10/s; at 20/s p99 < 250ms is undecided; at 30/s p99 < 250ms \
             is missed"
        );
        assert_eq!(
            said(&[50.0, 245.0]),
            "p99 < 250ms is met up to 10/s; at 20/s p99 < 250ms is undecided; nothing is missed at \
             a higher load"
        );
        assert_eq!(
            said(&[50.0, 400.0, 60.0]),
            "p99 < 250ms is met up to 10/s; at 20/s p99 < 250ms is missed; but at 30/s p99 < 250ms \
             is met"
        );
    }

    #[test]
    fn several_objectives_and_settings_are_told_apart() {
        let axes = axes(&["a.z=p,q", "traffic.rate=10/s,20/s"]);
        let mut cells = cells(&axes);
        let further = objective(&cells, 300.0);
        cells.first.objectives.push(further);
        let found = usable(&report(&axes, &cells, &[50.0, 280.0, 400.0, 400.0].map(Some)));
        assert_eq!((found[0].name.as_str(), found[0].upto), ("a.z=p", Some(10.0)));
        assert_eq!(
            found[0].words,
            "every objective is met up to 10/s; at 20/s p99 < 250ms is missed"
        );
        assert_eq!((found[1].upto, found[1].is_last), (None, false));
        let both = "p99 < 250ms and p99 < 300ms are missed";
        assert!(found[1].words.ends_with(both), "{}", found[1].words);
    }

    #[test]
    fn without_loads_or_objectives_nothing_is_said() {
        let axes = axes(&["traffic.rate=10/s,20/s"]);
        let cells = without_objectives(cells(&axes));
        assert_eq!(usable(&report(&axes, &cells, &[Some(50.0); 2])), []);
        let axes = self::axes(&["gateway.replicas=2,3"]);
        let cells = self::cells(&axes);
        assert_eq!(usable(&report(&axes, &cells, &[Some(50.0); 2])), []);
        let axes = self::axes(&["traffic.rate=10/s,20/s"]);
        let cells = self::cells(&axes);
        assert_eq!(usable(&report(&axes, &cells, &[])), []);
    }
}
