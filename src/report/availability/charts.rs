//! The charts of a study of availability.

use super::report::AvailabilityReport;
use super::words::answered;
use crate::plot::{Figure, burn, months, outages};
use crate::report::format::words::{plural, share_of};
use crate::study::availability::estimate::YEAR;
use crate::study::availability::months::MonthScatter;
use crate::study::availability::sample::DOWN;
use crate::units::{Share, three_digits};

/// Causes that are drawn.
const DRAWN: usize = 12;

/// The charts, each with the name of its files.
pub fn charts(report: &AvailabilityReport) -> Vec<(&'static str, Figure)> {
    vec![
        ("budget", burn_chart(report)),
        ("months", months_chart(report)),
        ("outages", outages_chart(report)),
    ]
}

fn burn_chart(report: &AvailabilityReport) -> Figure {
    let mut causes: Vec<_> = report.run.causes.iter().filter(|cause| cause.failed > 0.0).collect();
    causes.sort_by(|one, other| other.failed.total_cmp(&one.failed));
    let all: f64 = causes.iter().map(|cause| cause.failed).sum();
    let title = causes.first().map_or("No request fails".to_owned(), |first| {
        format!("{} fails {} of what fails", first.name, share_of(first.failed / all))
    });
    let (whole, of) = match report.budget() {
        Some(target) => {
            let budget = (1.0 - target.0) * report.run.requests;
            (budget, format!("of the error budget of {}", Share(1.0 - target.0)))
        }
        None => (all, "of all failed requests".to_owned()),
    };
    let causes = causes.into_iter().take(DRAWN).map(|cause| {
        let share = cause.failed / whole;
        let often = cause.per_year.map(|often| format!(", {} a year", three_digits(often)));
        let said = format!("{}{}", share_of(share), often.unwrap_or_default());
        (cause.name.clone(), share, said)
    });
    let subtitle = format!("Requests that fail in the long run by cause, {of}");
    let causes = causes.collect();
    burn::burn(&burn::BurnInput { title: &title, subtitle: &subtitle, causes })
}

fn months_chart(report: &AvailabilityReport) -> Figure {
    let scatter = &report.scatter;
    let title = match (report.budget(), report.chances) {
        (Some(target), Some([month, _])) => {
            let share = share_of(month.point);
            format!("{share} of the months miss {target}")
        }
        _ => {
            let worst = answered(MonthScatter::quantile(&scatter.months, 0.95));
            format!("One month in twenty has less than {worst}")
        }
    };
    let years = plural(scatter.years.len() as u64, "year");
    let subtitle = format!("{years} drawn month by month from the clusters that were simulated");
    let budget = report.budget().map(|target| (1.0 - target.0, format!("budget of {target}")));
    let (months, years) = (&scatter.months[..], &scatter.years[..]);
    let (title, subtitle) = (title.as_str(), subtitle.as_str());
    months::months(&months::MonthsInput { title, subtitle, months, years, budget })
}

fn outages_chart(report: &AvailabilityReport) -> Figure {
    let weighted = report.study.weighted();
    let mut lengths: Vec<(f64, f64)> =
        weighted.iter().map(|one| (one.piece.figures.longest, one.rate * YEAR)).collect();
    lengths.retain(|(length, rate)| *length > 0.0 && *rate > 0.0);
    lengths.sort_by(|one, other| other.0.total_cmp(&one.0));
    let mut often = 0.0;
    let outages = lengths.into_iter().map(|(length, rate)| {
        often += rate;
        (length, often)
    });
    let title = match report.study.outage_that_returns(1.0) {
        Some((length, _)) => format!("Once a year an outage lasts {length:.0} s or longer"),
        None => "Outages come more seldom than once a year".to_owned(),
    };
    let subtitle = format!(
        "An outage: more than {} of the requests fail, with gaps under a minute",
        Share(DOWN)
    );
    let outages = outages.collect();
    outages::outages(&outages::OutagesInput { title: &title, subtitle: &subtitle, outages })
}
