//! Recordings as tables: a table with the column `time_s`, and if wanted `demand_ms`, `replica`
//! (counted from 1) and `api` (a name); a `requests.csv` as a run writes it, for what was sent when
//! and with what demand; and the requests that k6, JMeter and hey have sent.

use crate::diagnostic::{Flaw, clip, suggestion};
use crate::plan::RecordedDetail;
use crate::quantity::SPAN_LIMIT;
use crate::scenario::recording::line::{LineContext, LineFault, Logged, Said, fields, no_time};
use crate::scenario::recording::moment::{self, Moment};
use crate::scenario::text::file;
use crate::units::SECOND;

const COLUMNS: [&str; 4] = ["time_s", "demand_ms", "replica", "api"];
const COLUMNS_HELP: &str =
    "a recording is a table with the columns time_s, demand_ms, replica and api";
/// The column of a `requests.csv` that says when a request was sent.
const SENT: &str = "sent_s";

/// Whether a line is meant for the header of a table of times, sound or not.
pub(crate) fn is_header(line: &str) -> bool {
    let names = fields(line, ',');
    names.iter().any(|name| name == SENT || COLUMNS.contains(&&**name))
}

/// A table of times, which are those of the run.
pub(crate) fn times(context: &mut LineContext<'_>, line: &str) -> Result<Said, LineFault> {
    let fields = fields(line, ',');
    if context.places.is_empty() && !is_header(line) {
        return Err(Flaw::new("this is no header of a recording").help(COLUMNS_HELP).into());
    }
    if context.places.is_empty() {
        let places = header(&fields, context).map_err(LineFault::Header)?;
        (context.places, context.columns) = (places.into(), fields);
        return Ok(Said::Nothing);
    }
    let field = |column: usize| {
        let text = context.places[column].and_then(|place| fields.get(place));
        text.map(String::as_str).filter(|text| !text.is_empty())
    };
    if fields.len() < context.columns.len() && field(0).is_none_or(|time| seconds(time).is_none()) {
        let title = format!("{} fields stand here, not {}", fields.len(), context.columns.len());
        return Err(Flaw::new(title).into());
    }
    let at = field(0).and_then(seconds);
    let at = at.ok_or_else(|| Flaw::new("`time_s` is no number of seconds from 0"))?;
    // Recordings round: a demand of 0.000 is one below their resolution.
    let demand = optional(field(1), file::milliseconds, || {
        Flaw::new("`demand_ms` is no number of milliseconds from 0")
    })?;
    let replicas = context.nameable.replicas;
    let slot = |text: &str| text.parse().ok().filter(|n| (1..=replicas).contains(n));
    let slot = optional(field(2), slot, || {
        Flaw::new(format!("`replica` is not between 1 and {replicas}"))
    });
    let slot = slot.map_err(LineFault::Unfit)?.map(|number: usize| number - 1);
    let api = field(3).map(|name| api(context, name)).transpose().map_err(LineFault::Unfit)?;
    let detail = RecordedDetail { demand, slot, api };
    Ok(Said::Request(Logged::sent(at).with(detail)))
}

/// Where each of [`COLUMNS`] stands.
fn header(names: &[String], context: &LineContext<'_>) -> Result<[Option<usize>; 4], Flaw> {
    let place = |wanted: &str| names.iter().position(|name| name == wanted);
    if let Some(sent) = place(SENT) {
        let api = place("api").filter(|_| !context.nameable.apis.is_empty());
        return Ok([Some(sent), place("demand_ms"), None, api]);
    }
    let unknown = names.iter().find(|name| !COLUMNS.contains(&&***name));
    if let Some(name) = unknown {
        let help = suggestion(name, COLUMNS).unwrap_or_default();
        return Err(Flaw::new(format!("unknown column {:?}", clip(name))).help(help));
    }
    match place("time_s") {
        Some(_) => Ok(COLUMNS.map(place)),
        None => Err(Flaw::new("the trace has no column \"time_s\"").help(COLUMNS_HELP)),
    }
}

fn api(context: &LineContext<'_>, name: &str) -> Result<u32, Flaw> {
    let apis = context.nameable.apis;
    let index = apis.iter().position(|api| api.name == name);
    index.map(|index| index as u32).ok_or_else(|| {
        let names: Vec<&str> = apis.iter().map(|api| api.name.as_str()).collect();
        let help = match names.is_empty() {
            true => "list it as [[api]] in the scenario".to_owned(),
            false => suggestion(name, names).unwrap_or_default(),
        };
        Flaw::new(format!("{:?} is no API of this scenario", clip(name))).help(help)
    })
}

/// Seconds from zero.
fn seconds(text: &str) -> Option<Moment> {
    let seconds: f64 = text.parse().ok()?;
    let sound = (0.0..=SPAN_LIMIT.as_secs()).contains(&seconds);
    sound.then(|| (seconds * SECOND as f64).round() as Moment)
}

/// Nothing for an empty field, else what it reads as.
fn optional<T>(
    field: Option<&str>,
    read: impl Fn(&str) -> Option<T>,
    flaw: impl Fn() -> Flaw,
) -> Result<Option<T>, Flaw> {
    field.map(|text| read(text).ok_or_else(flaw)).transpose()
}

/// The results of JMeter as CSV, with any separator: `timeStamp` is when a sample began.
/// <https://jmeter.apache.org/usermanual/listeners.html#csvlogformat>
pub(crate) fn jmeter(context: &mut LineContext<'_>, line: &str) -> Result<Said, LineFault> {
    let what = "the CSV of a JMeter result";
    let [Some(at), _] = &row(context, line, &["timeStamp", "elapsed"], what)?[..] else {
        return Ok(Said::Nothing);
    };
    let help = "timeStamp is milliseconds since 1970";
    let read = moment::written(at).ok_or_else(|| no_time(at, help))?;
    let logged = Logged::sent(context.note(read));
    Ok(Said::Request(logged))
}

/// The CSV of k6: of its samples those of the duration of a request, which have the time of its end
/// and milliseconds. Times are whole seconds unless `K6_CSV_TIME_FORMAT` says otherwise.
/// <https://grafana.com/docs/k6/latest/results-output/real-time/csv/>
pub(crate) fn k6_csv(context: &mut LineContext<'_>, line: &str) -> Result<Said, LineFault> {
    let names = ["metric_name", "timestamp", "metric_value"];
    let [Some(metric), Some(at), Some(value)] = &row(context, line, &names, "the CSV of k6")?[..]
    else {
        return Ok(Said::Nothing);
    };
    if metric != "http_req_duration" {
        return Ok(Said::Nothing);
    }
    let read = moment::written(at).ok_or_else(|| no_time(at, "k6 writes seconds since 1970"))?;
    let coarse = read.coarse || read.unit == Some("seconds") && !at.contains('.');
    let milliseconds = file::milliseconds(value);
    let milliseconds = milliseconds
        .ok_or_else(|| Flaw::new("`metric_value` is no number of milliseconds from 0"))?;
    let logged = Logged::answered(context.note(read), Some(milliseconds / SECOND as f64));
    Ok(Said::Request(logged.to_the_second(coarse)))
}

/// The CSV of hey: `offset` is when a request was sent, in seconds from the start.
/// <https://github.com/rakyll/hey>
pub(crate) fn hey(context: &mut LineContext<'_>, line: &str) -> Result<Said, LineFault> {
    let [_, Some(at)] = &row(context, line, &["response-time", "offset"], "the CSV of hey")?[..]
    else {
        return Ok(Said::Nothing);
    };
    let at = seconds(at).ok_or_else(|| Flaw::new("`offset` is no number of seconds from 0"))?;
    Ok(Said::Request(Logged::sent(at)))
}

/// The named fields of a row; nothing of the header, which must have them all.
fn row(
    context: &mut LineContext<'_>,
    line: &str,
    names: &[&str],
    what: &str,
) -> Result<Vec<Option<String>>, LineFault> {
    let separator = [',', '\t', ';'].into_iter().max_by_key(|one| line.matches(*one).count());
    let all = fields(line, separator.unwrap_or(','));
    if context.places.is_empty() {
        let places: Vec<_> =
            names.iter().map(|name| all.iter().position(|field| field == name)).collect();
        if places.contains(&None) {
            return Err(Flaw::new(format!("this is no header of {what}")).into());
        }
        (context.places, context.columns) = (places, all);
        return Ok(vec![None; names.len()]);
    }
    if all.len() < context.columns.len() {
        let title = format!("{} fields stand here, not {}", all.len(), context.columns.len());
        return Err(Flaw::new(title).help("the line may be cut off").into());
    }
    let field = |place: &Option<usize>| place.and_then(|place| all.get(place).cloned());
    Ok(context.places.iter().map(field).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Row = (Moment, Option<f64>, Option<usize>, Option<u32>);

    /// The rows of a table, and what is wrong with its lines.
    fn read(text: &str, apis: &[crate::plan::Api]) -> (Vec<Row>, Vec<String>) {
        let nameable = crate::scenario::recording::line::Nameable { replicas: 2, apis };
        let mut context = LineContext::new(nameable);
        let (mut rows, mut problems) = (Vec::new(), Vec::new());
        for (index, line) in text.lines().enumerate() {
            match times(&mut context, line) {
                Ok(Said::Request(logged)) => {
                    let RecordedDetail { demand, slot, api } = logged.detail;
                    rows.push((logged.start(None).0, demand, slot, api));
                }
                Ok(Said::Nothing) => {}
                Err(
                    LineFault::Unreadable(flaw) | LineFault::Unfit(flaw) | LineFault::Header(flaw),
                ) => problems.push(format!("{}: {}", index + 1, flaw.title)),
            }
        }
        (rows, problems)
    }

    #[test]
    fn columns_may_come_in_any_order_and_cells_may_be_empty() {
        let (rows, problems) = read("replica,time_s,demand_ms\n2,0.5,1.5\n,0.75,\n", &[]);
        assert!(problems.is_empty(), "{problems:?}");
        let right = [(500_000_000, Some(1.5e6), Some(1), None), (750_000_000, None, None, None)];
        assert_eq!(rows, right);
    }

    #[test]
    fn the_requests_of_a_run_are_read_for_when_they_were_sent_and_what_they_took() {
        let (rows, problems) = read(
            "number,sent_s,taken_s,replica,demand_ms,ended_s,latency_ms,failed_after_ms,outcome\n\
             0,0.5,0.5,b-1,1.5,0.6,100,,served\n1,0.75,,,,1.75,,1000,timed_out\n",
            &[],
        );
        assert!(problems.is_empty(), "{problems:?}");
        let right = [(500_000_000, Some(1.5e6), None, None), (750_000_000, None, None, None)];
        assert_eq!(rows, right);
    }

    #[test]
    fn an_api_is_known_by_its_name() {
        let text = "question = \"?\"\n[[api]]\nname = \"orders\"\n[[api]]\nname = \"stock\"\n\
                    [traffic]\nrate = \"1/s\"\n[run]\nhorizon = \"1m\"\n";
        let plan = crate::scenario::read::parse("t", text, ".".as_ref()).scenario.unwrap().plan;
        let apis = &plan.dependencies.apis;
        let (rows, problems) = read("time_s,api\n1,stock\n2,\n3,stok\n", apis);
        assert_eq!(rows.iter().map(|row| row.3).collect::<Vec<_>>(), [Some(1), None]);
        assert_eq!(problems, ["4: \"stok\" is no API of this scenario"]);
    }

    #[test]
    fn every_bad_line_is_named() {
        let (_, problems) = read("time_s,replica\n1,\n0.5,1\nx,1\n2,3\n-1,\nnan,\n1e99,\n", &[]);
        let lines: Vec<&str> = problems.iter().map(|problem| &problem[..2]).collect();
        assert_eq!(lines, ["4:", "5:", "6:", "7:", "8:"]);
        assert!(read("time,demand_ms\n1,2\n", &[]).1[0].contains("unknown column \"time\""));
        assert!(read("demand_ms\n1\n", &[]).1[0].contains("no column \"time_s\""));
    }
}
