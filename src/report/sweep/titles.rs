//! What the charts of a sweep find, in one line.

use crate::objective::{Bound, Metric, Relation};
use crate::report::format::words::{plural, whole};
use crate::report::sweep::ladder::{Ladder, Scale};
use crate::report::sweep::report::{Row, SweepReport};
use crate::report::sweep::usable::{Usable, usable};
use crate::units::Span;
use crate::verdict::{Judgement, Overall};

/// Ladders that a title can tell one by one.
const LADDERS_TOLD: usize = 3;

/// The settings of a name without the sections that they are in: `gateway.replicas=2` becomes
/// `replicas=2`, `fault.crash.at=3m` becomes `crash.at=3m`.
pub(crate) fn short(name: &str) -> String {
    let one = |setting: &str| {
        let (path, value) = setting.split_once('=').unwrap_or((setting, ""));
        let path = path.split_once('.').map_or(path, |(_, rest)| rest);
        format!("{path}={value}")
    };
    name.split(", ").filter(|name| !name.is_empty()).map(one).collect::<Vec<_>>().join(", ")
}

/// Of latency over a setting.
pub(crate) fn of_ladders(
    report: &SweepReport,
    axis: usize,
    scale: &Scale,
    ladders: &[Ladder],
) -> String {
    let usable = usable(report);
    let found = match (&usable[..], ladders) {
        ([one], [ladder]) => of_usable(one, ladder, scale),
        ([], [ladder]) => {
            of_range(report, axis, scale, ladder).or_else(|| trend(report, axis, scale, ladder))
        }
        ([_, ..], _) => of_several(report, &usable, scale),
        _ => None,
    };
    found.unwrap_or_else(|| of_extremes(report))
}

/// Up to which load what is demanded holds.
fn of_usable(usable: &Usable, ladder: &Ladder, scale: &Scale) -> Option<String> {
    let what = subject(ladder.steps.first()?.1);
    let load = |value: f64| match scale.is_load {
        true => scale.show(value).replace("/s", " requests/s"),
        false => scale.show(value),
    };
    let met = |(_, row): &&(f64, &Row)| row.overall == Overall::Met;
    match usable.upto {
        Some(upto) if usable.is_last => Some(format!("{what} at every load up to {}", load(upto))),
        Some(upto) => Some(format!("{what} up to {}", load(upto))),
        None if ladder.steps.iter().filter(met).count() == 0 => {
            let least = load(ladder.steps.first()?.0);
            Some(format!("No load from {least} on is shown to meet what is demanded"))
        }
        None => None,
    }
}

fn subject(row: &Row) -> String {
    match &row.judgements[..] {
        [one] => stays(one).unwrap_or_else(|| format!("{} is met", one.objective.text)),
        _ => "All objectives are met".to_owned(),
    }
}

/// `p99 stays under 50 ms`, of a latency over the whole run.
fn stays(judgement: &Judgement) -> Option<String> {
    let objective = &judgement.objective;
    let name = match objective.metric {
        Metric::SentLatency(_) => objective.metric.name(),
        Metric::Latency(_) => format!("{} of served", objective.metric.name()).into(),
        Metric::MeanLatency => "Mean latency".into(),
        _ => return None,
    };
    let upper = matches!(objective.relation, Relation::Below | Relation::AtMost);
    match objective.bound {
        Bound::Span(bound) if upper && objective.window == 0 => {
            Some(format!("{name} stays under {bound}"))
        }
        _ => None,
    }
}

/// Up to which load the objectives are met with each of several settings; of many, with those that
/// bear least and most.
fn of_several(report: &SweepReport, usable: &[Usable], scale: &Scale) -> Option<String> {
    let what = subject(report.rows.first()?);
    let one = |usable: &Usable| {
        let with = short(&usable.name);
        let least = if usable.is_last { "at least " } else { "" };
        match usable.upto {
            Some(upto) => format!("up to {least}{} with {with}", scale.show(upto)),
            None => format!("not even at the least load with {with}"),
        }
    };
    let by = |a: &&Usable, b: &&Usable| a.upto.unwrap_or(0.0).total_cmp(&b.upto.unwrap_or(0.0));
    let told: Vec<&Usable> = match usable.len() {
        ..=LADDERS_TOLD => usable.iter().collect(),
        _ => usable.iter().min_by(by).into_iter().chain(usable.iter().max_by(by)).collect(),
    };
    Some(format!("{what} {}", told.into_iter().map(one).collect::<Vec<_>>().join(", ")))
}

/// From which value of a setting to which all objectives are met, if that is one range and not all
/// of it.
fn of_range(report: &SweepReport, axis: usize, scale: &Scale, ladder: &Ladder) -> Option<String> {
    let met: Vec<bool> = ladder.steps.iter().map(|(_, row)| row.overall == Overall::Met).collect();
    let first = met.iter().position(|met| *met)?;
    let last = met.iter().rposition(|met| *met)?;
    let is_part = last - first + 1 < met.len() && met[first..=last].iter().all(|met| *met);
    let value = |index: usize| scale.show(ladder.steps[index].0);
    is_part.then(|| {
        let (what, path) = (subject(ladder.steps[first].1), &report.axes[axis].path);
        match first == last {
            true => format!("{what} with {path} at {} alone", value(first)),
            false => format!("{what} with {path} from {} to {}", value(first), value(last)),
        }
    })
}

/// How p99 changes from the least value of a setting to the greatest.
fn trend(report: &SweepReport, axis: usize, scale: &Scale, ladder: &Ladder) -> Option<String> {
    let served = |(x, row): &(f64, &Row)| Some((*x, row.get(0, Metric::P99)?.point));
    let mut steps = ladder.steps.iter().filter_map(served);
    let first = steps.next()?;
    let last = steps.next_back()?;
    let verb = if first.1 < last.1 { "grows" } else { "falls" };
    let (from, to) = (Span::from_secs(first.1).to_string(), Span::from_secs(last.1).to_string());
    let (low, high) = (scale.show(first.0), scale.show(last.0));
    let path = match scale.is_load {
        true => "the load",
        false => &report.axes[axis].path,
    };
    Some(match from == to {
        true => format!("p99 is {from} whether {path} is {low} or {high}"),
        false => format!("p99 {verb} from {from} to {to} as {path} goes from {low} to {high}"),
    })
}

/// Of a map.
pub(crate) fn of_map(report: &SweepReport) -> String {
    let met = report.rows.iter().filter(|row| row.overall == Overall::Met).count() as u64;
    let demanding = report.rows.iter().any(|row| row.overall != Overall::NoObjectives);
    let cells = plural(report.rows.len() as u64, "combination");
    match extremes(report).filter(|_| demanding) {
        Some((least, greatest)) => format!(
            "All objectives are met in {} of {cells}; p99 goes from {} to {}",
            whole(met),
            Span::from_secs(least.1),
            Span::from_secs(greatest.1)
        ),
        None => of_extremes(report),
    }
}

/// A cell with its p99 in seconds.
type KnownCell<'r> = (&'r Row, f64);

/// The cells of the least and the greatest p99.
fn extremes<'r>(report: &'r SweepReport) -> Option<(KnownCell<'r>, KnownCell<'r>)> {
    let known = || report.rows.iter().filter_map(|row| Some((row, row.get(0, Metric::P99)?.point)));
    let by = |a: &KnownCell, b: &KnownCell| a.1.total_cmp(&b.1);
    Some((known().min_by(by)?, known().max_by(by)?))
}

/// Where p99 is least, and where it is greatest.
pub(crate) fn of_extremes(report: &SweepReport) -> String {
    let Some((least, greatest)) = extremes(report) else {
        return "No request was served".to_owned();
    };
    let with = |(row, seconds): KnownCell| {
        format!("{} with {}", Span::from_secs(seconds), short(report.name(row.cell)))
    };
    match least.0.cell == greatest.0.cell {
        true => format!("p99 is {}", with(least)),
        false => format!("p99 goes from {} to {}", with(least), with(greatest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sweep::ladder::ladders;
    use crate::report::sweep::report::sample::{axes, cells, report, without_objectives};

    fn title(settings: &[&str], p99: &[f64], demanding: bool) -> String {
        let axes = axes(settings);
        let cells = cells(&axes);
        let cells = if demanding { cells } else { without_objectives(cells) };
        let p99: Vec<Option<f64>> = p99.iter().map(|p99| Some(*p99)).collect();
        let report = report(&axes, &cells, &p99);
        let scale = Scale::of(&axes[0]).unwrap();
        of_ladders(&report, 0, &scale, &ladders(&report, 0, &scale))
    }

    #[test]
    fn names_leave_out_the_sections() {
        assert_eq!(short("gateway.replicas=2, fault.crash.at=3m"), "replicas=2, crash.at=3m");
        assert_eq!(short(""), "");
    }

    #[test]
    fn titles_say_up_to_where_the_objective_holds() {
        let loads = ["traffic.rate=10/s,1025/s"];
        assert_eq!(
            title(&loads, &[50.0, 60.0], true),
            "p99 stays under 250 ms at every load up to 1,025 requests/s"
        );
        assert_eq!(
            title(&loads, &[50.0, 900.0], true),
            "p99 stays under 250 ms up to 10 requests/s"
        );
        assert_eq!(
            title(&loads, &[800.0, 900.0], true),
            "No load from 10 requests/s on is shown to meet what is demanded"
        );
        assert_eq!(
            title(&["traffic.rate=10/s,20/s", "a.z=p,q"], &[50.0, 800.0, 900.0, 900.0], true),
            "p99 stays under 250 ms up to 10/s with z=p, not even at the least load with z=q"
        );
    }

    #[test]
    fn of_many_settings_titles_tell_the_extremes() {
        let settings = ["traffic.rate=10/s,20/s", "a.z=p,q,r,s"];
        let p99 = [50.0, 50.0, 50.0, 50.0, 900.0, 50.0, 900.0, 900.0];
        assert_eq!(
            title(&settings, &p99, true),
            "p99 stays under 250 ms up to 10/s with z=p, up to at least 20/s with z=q"
        );
    }

    #[test]
    fn settings_other_than_the_load_have_a_range() {
        let boot = ["startup.boot=2s,4s,6s"];
        assert_eq!(
            title(&boot, &[50.0, 60.0, 900.0], true),
            "p99 stays under 250 ms with startup.boot from 2s to 4s"
        );
        assert!(title(&boot, &[900.0, 900.0, 50.0], true).ends_with("boot at 6s alone"));
        assert!(title(&boot, &[50.0, 900.0, 50.0], true).starts_with("p99 "));
        assert!(title(&boot, &[50.0, 60.0, 70.0], true).starts_with("p99 grows"));
    }

    #[test]
    fn without_a_verdict_titles_say_how_latency_changes() {
        let said = title(&["traffic.rate=10/s,20/s"], &[50.0, 100.0], false);
        assert_eq!(said, "p99 grows from 52.4 ms to 105 ms as the load goes from 10/s to 20/s");
        let said = title(&["gateway.replicas=2,3"], &[100.0, 50.0], false);
        assert!(said.ends_with("to 52.4 ms as gateway.replicas goes from 2 to 3"), "{said}");
        assert!(said.starts_with("p99 falls"), "{said}");
        let said = title(&["a.x=2,3"], &[50.0, 50.0], false);
        assert!(said.ends_with("whether a.x is 2 or 3"), "{said}");
        let said = title(&["traffic.rate=10/s,20/s"], &[800.0, 50.0], true);
        assert!(said.contains("ms with rate=20/s to"), "{said}");
    }
}
