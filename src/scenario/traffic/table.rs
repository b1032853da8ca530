//! A recording as CSV: a table with the column `time_s`, and if wanted `demand_ms`, `replica`
//! (counted from 1) and `api` (a name). Or a `requests.csv` as a run writes it: what was sent when,
//! and with what demand; the rest of it is what came of that, and is left aside.

use crate::diagnostic::{Flaw, clip, suggestion};
use crate::plan::{Api, Recorded};
use crate::quantity::SPAN_LIMIT;
use crate::scenario::text::file;
use crate::scenario::traffic::lines::RecordedLines;
use crate::units::Instant;

const FORMATS: &str = "a recording is a table with the columns time_s, demand_ms, replica and api, \
                       an access log, or JSON lines";
const COLUMNS: [&str; 4] = ["time_s", "demand_ms", "replica", "api"];
/// The column of a `requests.csv` that says when a request was sent.
const SENT: &str = "sent_s";

/// What the lines of a recording may name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nameable<'n> {
    /// How many replicas there are.
    pub(crate) replicas: usize,
    /// The APIs that the file lists.
    pub(crate) apis: &'n [Api],
}

/// Reads a table. Its times are those of the run.
pub(crate) fn read(reading: &mut RecordedLines<'_>, nameable: Nameable<'_>) {
    TimesTable { reading, nameable, columns: [None; COLUMNS.len()] }.read();
}

/// A table while it is read.
struct TimesTable<'r, 'a> {
    reading: &'r mut RecordedLines<'a>,
    nameable: Nameable<'r>,
    /// Where each of [`COLUMNS`] stands.
    columns: [Option<usize>; COLUMNS.len()],
}

impl TimesTable<'_, '_> {
    fn read(&mut self) {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(self.reading.text.as_bytes());
        let mut record = csv::StringRecord::new();
        let mut first = true;
        while self.reading.goes_on() {
            let line = reader.position().line() as usize;
            match reader.read_record(&mut record) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => return self.reading.note(line, Flaw::new(error.to_string())),
            }
            let line = record.position().map_or(line, |position| position.line() as usize);
            let read = if first { self.header(&record) } else { self.record(&record) };
            if let Err(flaw) = read {
                self.reading.note(line, flaw);
                if first {
                    return;
                }
            }
            first = false;
        }
    }

    fn header(&mut self, names: &csv::StringRecord) -> Result<(), Flaw> {
        if let Some(sent) = names.iter().position(|name| name == SENT) {
            let find = |column: usize| names.iter().position(|name| name == COLUMNS[column]);
            let api = find(3).filter(|_| !self.nameable.apis.is_empty());
            self.columns = [Some(sent), find(1), None, api];
            return Ok(());
        }
        if !names.iter().any(|name| COLUMNS.contains(&name)) {
            return Err(Flaw::new("this is no header of a recording").help(FORMATS));
        }
        for (index, name) in names.iter().enumerate() {
            let column = COLUMNS.iter().position(|column| *column == name);
            let Some(column) = column else {
                let help = suggestion(name, COLUMNS).unwrap_or_default();
                return Err(Flaw::new(format!("unknown column {:?}", clip(name))).help(help));
            };
            self.columns[column] = Some(index);
        }
        match self.columns[0] {
            Some(_) => Ok(()),
            None => Err(Flaw::new("the trace has no column \"time_s\"").help(FORMATS)),
        }
    }

    fn record(&mut self, fields: &csv::StringRecord) -> Result<(), Flaw> {
        let field = |column: usize| {
            let text = self.columns[column].and_then(|index| fields.get(index)).unwrap_or("");
            Some(text).filter(|text| !text.is_empty())
        };
        let at = field(0).and_then(instant);
        let at = at.ok_or_else(|| Flaw::new("`time_s` is no number of seconds from 0"))?;
        if self.reading.records.last().is_some_and(|last| at < last.at) {
            return Err(Flaw::new("this arrival is earlier than the one before")
                .help("sort the trace by time_s"));
        }
        // Recordings round: a demand of 0.000 is one below their resolution.
        let demand = optional(field(1), file::milliseconds, || {
            Flaw::new("`demand_ms` is no number of milliseconds from 0")
        })?;
        let replicas = self.nameable.replicas;
        let slot = |text: &str| text.parse().ok().filter(|n| (1..=replicas).contains(n));
        let slot = optional(field(2), slot, || {
            Flaw::new(format!("`replica` is not between 1 and {replicas}"))
        })?;
        let slot = slot.map(|number: usize| number - 1);
        let api = field(3).map(|name| self.api(name)).transpose()?;
        self.reading.push(Recorded { at, demand, slot, api })
    }
}

impl TimesTable<'_, '_> {
    fn api(&self, name: &str) -> Result<u32, Flaw> {
        let apis = self.nameable.apis;
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
}

fn instant(text: &str) -> Option<Instant> {
    let seconds: f64 = text.parse().ok()?;
    (0.0..=SPAN_LIMIT.as_secs()).contains(&seconds).then(|| Instant::from_secs(seconds))
}

/// Nothing for an empty field, else what it reads as.
fn optional<T>(
    field: Option<&str>,
    read: impl Fn(&str) -> Option<T>,
    flaw: impl Fn() -> Flaw,
) -> Result<Option<T>, Flaw> {
    field.map(|text| read(text).ok_or_else(flaw)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<Recorded>, Vec<String>) {
        let mut reading = RecordedLines::new("t.csv".to_owned(), text);
        super::read(&mut reading, Nameable { replicas: 2, apis: &[] });
        let titles = reading.titles();
        (reading.records, titles)
    }

    #[test]
    fn columns_may_come_in_any_order_and_cells_may_be_empty() {
        let (records, problems) = read("replica,time_s,demand_ms\n2,0.5,1.5\n,0.75,\n");
        assert!(problems.is_empty(), "{problems:?}");
        let first =
            Recorded { at: Instant(500_000_000), demand: Some(1.5e6), slot: Some(1), api: None };
        let second = Recorded { at: Instant(750_000_000), demand: None, slot: None, api: None };
        assert_eq!(records, [first, second]);
    }

    #[test]
    fn the_requests_of_a_run_are_read_for_when_they_were_sent_and_what_they_took() {
        let (records, problems) = read(
            "number,sent_s,taken_s,replica,demand_ms,ended_s,latency_ms,failed_after_ms,outcome\n\
             0,0.5,0.5,b-1,1.5,0.6,100,,served\n1,0.75,,,,1.75,,1000,timed_out\n",
        );
        assert!(problems.is_empty(), "{problems:?}");
        let found: Vec<_> = records.iter().map(|one| (one.at.0, one.demand, one.slot)).collect();
        assert_eq!(found, [(500_000_000, Some(1.5e6), None), (750_000_000, None, None)]);
    }

    #[test]
    fn an_api_is_known_by_its_name() {
        let text = "question = \"?\"\n[[api]]\nname = \"orders\"\n[[api]]\nname = \"stock\"\n\
                    [traffic]\nrate = \"1/s\"\n[run]\nhorizon = \"1m\"\n";
        let plan = crate::scenario::read::parse("t", text, ".".as_ref()).scenario.unwrap().plan;
        let apis = &plan.dependencies.apis;
        let mut reading =
            RecordedLines::new("t.csv".to_owned(), "time_s,api\n1,stock\n2,\n3,stok\n");
        super::read(&mut reading, Nameable { replicas: 2, apis });
        let found: Vec<_> = reading.records.iter().map(|record| record.api).collect();
        assert_eq!(found, [Some(1), None]);
        assert_eq!(reading.titles(), ["4: \"stok\" is no API of this scenario"]);
    }

    #[test]
    fn every_bad_line_is_named() {
        let (_, problems) = read("time_s,replica\n1,\n0.5,1\nx,1\n2,3\n-1,\nnan,\n1e99,\n");
        let lines: Vec<&str> = problems.iter().map(|problem| &problem[..2]).collect();
        assert_eq!(lines, ["3:", "4:", "5:", "6:", "7:"]);
    }

    #[test]
    fn a_wrong_header_ends_the_reading() {
        assert!(read("time,demand_ms\n1,2\n").1[0].contains("unknown column \"time\""));
        assert!(read("demand_ms\n1\n").1[0].contains("no column \"time_s\""));
    }
}
