//! Traffic from a file: what the file is, which part of it is played and how fast, and whether it
//! begins again.

use std::path::PathBuf;

use crate::diagnostic::{Flaw, Problem};
use crate::plan::Recording;
use crate::scenario::reader::setting::Mark;
use crate::scenario::reader::{Parsed, SectionReader};
use crate::scenario::recording::bad_lines::BadLines;
use crate::scenario::recording::formats::{self, RecordingFormat};
use crate::scenario::recording::kept::{KeptArrivals, RecordingWindow, SortedArrivals};
use crate::scenario::recording::line::{LineContext, LineFault, Nameable, Said};
use crate::scenario::recording::moment::Moment;
use crate::scenario::recording::named;
use crate::scenario::recording::source::LineSource;
use crate::scenario::text::file;
use crate::scenario::traffic::cloudwatch::{cloudwatch, is_cloudwatch};
use crate::scenario::traffic::format::{ReplayFormat, ReplayTime, key};
use crate::scenario::traffic::locust::{is_locust, locust};
use crate::scenario::traffic::rate_file::{self, RateFile};
use crate::scenario::traffic::rates::{self, RatePlay, RateSeries};
use crate::units::{Bytes, Instant, Span};

/// So many lines are looked at to know what a file is.
const LOOKED_AT: usize = 200;
/// A file of rates is read as a whole.
const RATES_LIMIT: Bytes = Bytes(64 << 20);
/// So many lines that do not fit the scenario are shown.
const UNFIT_SHOWN: usize = 5;

/// What was read of a file.
#[derive(Debug)]
pub(crate) enum Replayed {
    /// Arrivals.
    Arrivals(Recording),
    /// Rates over time.
    Rates(RateSeries),
}

/// Whose a file of rates is, if it is no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RatesOf {
    Prometheus,
    CloudWatch,
    Locust,
}

impl RatesOf {
    /// By the beginning of a file.
    fn known(head: &str, lines: &[&str]) -> Option<RatesOf> {
        if rate_file::is_prometheus(head) {
            return Some(RatesOf::Prometheus);
        }
        if is_cloudwatch(head) {
            return Some(RatesOf::CloudWatch);
        }
        is_locust(lines).then_some(RatesOf::Locust)
    }
}

/// How a file is to be played.
struct ReplayOrder<'s, 'r> {
    section: &'s SectionReader<'r>,
    path: Parsed<String>,
    file: PathBuf,
    speed: f64,
    again: Parsed<bool>,
    window: RecordingWindow,
    horizon: Option<Instant>,
}

/// Reads the file that `[traffic]` names, up to the horizon; problems are noted with file and
/// line.
pub(crate) fn read(
    section: &SectionReader<'_>,
    horizon: Option<Instant>,
    nameable: Nameable<'_>,
) -> Option<Replayed> {
    let speed = speed(section);
    let again = section.parsed(key::REPLAY_LOOP);
    let (from, to) = (section.find(key::REPLAY_FROM), section.find(key::REPLAY_TO));
    let share = section.parsed(key::REPLAY_SHARE);
    if share.value.0 == 0.0 {
        section.error(&share, "no request ever comes", "write a share above \"0%\"");
    }
    let path = section.find(key::REPLAY)?;
    let length = horizon.map_or(Moment::MAX, |end| (end.0 as f64 * speed) as Moment);
    let window = RecordingWindow {
        from: from.as_ref().map(|from| from.value),
        to: to.as_ref().map(|to| to.value),
        length,
        share: share.value.0,
    };
    if let (Some(from), Some(to)) = (from, to) {
        check_window(section, &from, &to);
    }
    let file = section.base.join(&path.value);
    let word = section.find(key::REPLAY_FORMAT).map(|word| word.value);
    let order = ReplayOrder { section, path, file, speed, again, window, horizon };
    order.read(word, nameable)
}

fn check_window(section: &SectionReader<'_>, from: &Parsed<ReplayTime>, to: &Parsed<ReplayTime>) {
    let ends_first = match (from.value, to.value) {
        (ReplayTime::After(from), ReplayTime::After(to)) => to <= from,
        (ReplayTime::At(from), ReplayTime::At(to)) => to <= from,
        _ => false,
    };
    if ends_first {
        let help = "let `replay-to` be later than `replay-from`";
        section.error(to, "this part of the recording takes no time", help);
    }
}

/// How many times as fast the recording is played; 1 if what is written is wrong.
fn speed(section: &SectionReader<'_>) -> f64 {
    let speed = section.parsed(key::REPLAY_SPEED);
    if speed.value > 0.0 {
        return speed.value;
    }
    let help = "write 1 for as fast as recorded, 2 for twice as fast";
    section.error(&speed, "a recording that stands still has no arrivals", help);
    1.0
}

impl ReplayOrder<'_, '_> {
    fn read(&self, word: Option<ReplayFormat>, nameable: Nameable<'_>) -> Option<Replayed> {
        let mut source = LineSource::open(&self.file).map_err(|flaw| self.unreadable(flaw)).ok()?;
        if let Some(foreign) = named::binary(&source.head) {
            return self.foreign(foreign);
        }
        let head = String::from_utf8_lossy(&source.head).into_owned();
        let lines = source.first_lines(LOOKED_AT);
        let format = formats::recognised(&lines, word, nameable);
        let of = RatesOf::known(&head, &lines);
        let fits = of.is_some() || rate_file::is_table(&lines);
        if word == Some(ReplayFormat::Rates) || word.is_none() && format.is_none() && fits {
            return match named::document(&head).filter(|_| of.is_none()) {
                Some(foreign) => self.foreign(foreign),
                None => self.rates(&mut source, of),
            };
        }
        match format.or_else(|| formats::meant(&lines)) {
            Some(format) => {
                drop(head);
                self.arrivals(&mut source, format, word.is_some(), nameable)
            }
            None if lines.is_empty() => self.empty(),
            None => match named::document(&head) {
                Some(foreign) => self.foreign(foreign),
                None => self.unknown(&lines),
            },
        }
    }

    /// Reads arrivals line by line.
    fn arrivals(
        &self,
        source: &mut LineSource,
        format: &RecordingFormat,
        is_given: bool,
        nameable: Nameable<'_>,
    ) -> Option<Replayed> {
        let mut bad = BadLines::new(self.file.display().to_string());
        let mut context = format.context(&source.first_lines(LOOKED_AT), nameable);
        let mut kept = KeptArrivals::new(self.window, format.own_zero);
        let mut unfit = 0;
        loop {
            let line = match source.next_line() {
                Ok(Some(line)) if !bad.hopeless() && unfit < UNFIT_SHOWN => line,
                Ok(_) => break,
                Err(flaw) => {
                    self.unreadable(flaw);
                    return None;
                }
            };
            bad.lines += 1;
            let read = match line.flaw {
                Some(flaw) => Err(LineFault::Unreadable(flaw)),
                None => format.read(&mut context, &line.text),
            };
            match read {
                Ok((Said::Request(logged), stamp)) => {
                    context.recognised.ends |= logged.tells_end();
                    let (at, coarse) = logged.start(stamp);
                    kept.push(at, coarse, logged.detail);
                }
                Ok((Said::Nothing, _)) => {}
                Err(LineFault::Unreadable(flaw)) => {
                    let named = || formats::named(&line.text, nameable);
                    bad.note(line.number, &line.text, flaw, named);
                }
                Err(LineFault::Unfit(flaw)) => {
                    self.section.note(bad.problem(line.number, &line.text, flaw));
                    unfit += 1;
                }
                Err(LineFault::Header(flaw)) => {
                    self.section.note(bad.problem(line.number, &line.text, flaw));
                    return None;
                }
            }
        }
        if bad.too_many() {
            let problems = bad.refusal(self.path.place.clone(), format.name);
            problems.into_iter().for_each(|problem| self.section.note(problem));
        } else if unfit == 0 {
            return self.finished(source, format, is_given, kept, &context, &bad);
        }
        None
    }

    /// Makes a recording of what was read.
    fn finished(
        &self,
        source: &LineSource,
        format: &RecordingFormat,
        is_given: bool,
        kept: KeptArrivals,
        context: &LineContext<'_>,
        bad: &BadLines,
    ) -> Option<Replayed> {
        if let Some((arrivals, memory)) = kept.excess() {
            self.too_large(arrivals, memory);
            return None;
        }
        let clock = |time: &ReplayTime| matches!(time, ReplayTime::At(_));
        if format.own_zero && [self.window.from, self.window.to].iter().flatten().any(clock) {
            let title = "a table of times has no clock to take a part of it by";
            self.section.error(&self.path, title, "write how long after its zero, such as \"2h\"");
            return None;
        }
        let sorted = kept.sorted();
        let mut said = vec![facts(source, format.name, context, sorted.disordered)];
        if !is_given {
            self.settle(format.word, &said[0]);
        }
        let warned: Vec<String> = bad.said().into_iter().collect();
        self.warn(&warned, "write the log whole; what is left out is not sent");
        said.extend(warned);
        said.extend(self.part(&sorted));
        self.section.say_replay(said);
        self.recording(sorted).map(Replayed::Arrivals)
    }

    /// What part of the file is played, if it is not all.
    fn part(&self, sorted: &SortedArrivals) -> Option<String> {
        let share = self.window.share;
        let share = (share < 1.0).then(|| format!("{} % of the requests are sent", share * 100.0));
        let count = sorted.left_out;
        let part = (self.window.is_part() && count > 0)
            .then(|| format!("{count} requests are outside the part that is played"));
        let all: Vec<String> = share.into_iter().chain(part).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    fn recording(&self, sorted: SortedArrivals) -> Option<Recording> {
        if sorted.times.is_empty() {
            self.none(sorted.left_out);
            return None;
        }
        let slower = |nanoseconds: Moment| match self.speed {
            1.0 => nanoseconds.unsigned_abs(),
            speed => (nanoseconds as f64 / speed).round() as u64,
        };
        let resolution = Span(slower(if sorted.to_the_second { 1_000_000_000 } else { 0 }));
        let period = sorted.length.map(|length| Span(slower(length)));
        if self.again.value && period.is_none() {
            let help = "that takes arrivals at two times at least; drop `replay-loop`";
            self.section.error(&self.again, "the recording is too short to begin again", help);
        }
        if !self.again.value {
            self.ends_early(Instant(slower(sorted.last)), "the last recorded arrival");
        }
        if sorted.left_out > 0 && !self.window.is_part() {
            let title = format!("{} recorded arrivals lie after the run", sorted.left_out);
            let problem = Problem::warning(self.path.place.clone(), title);
            self.section.note(problem.label("they are left out"));
        }
        let times: Vec<Instant> = sorted.times.into_iter().map(|at| Instant(slower(at))).collect();
        let details = sorted.details.into();
        let period = period.filter(|_| self.again.value);
        let times = times.into();
        Some(Recording { times, details, resolution, period, start: Span::ZERO })
    }

    /// Reads rates.
    fn rates(&self, source: &mut LineSource, of: Option<RatesOf>) -> Option<Replayed> {
        let text = source.rest(RATES_LIMIT).map_err(|flaw| self.unreadable(flaw)).ok()?;
        let mut bad = BadLines::new(self.file.display().to_string());
        let nameable = Nameable { replicas: 0, apis: &[] };
        let mut context = LineContext::new(nameable);
        let chosen = self.section.find(key::REPLAY_SERIES).map(|text| text.value);
        let table = || {
            let help = "it has a header, a column of times, and one or more of rates";
            Flaw::new("this is no table of rates").help(help)
        };
        let file = match of {
            Some(RatesOf::Prometheus) => rate_file::prometheus(&text),
            Some(RatesOf::CloudWatch) => cloudwatch(&text, chosen.is_some(), &mut context),
            Some(RatesOf::Locust) => {
                locust(&text, chosen.is_some(), &mut bad, &mut context).ok_or_else(table)
            }
            None => rate_file::table(&text, &mut bad, &mut context).ok_or_else(table),
        };
        if bad.too_many() {
            let problems = bad.refusal(self.path.place.clone(), "a table of rates");
            problems.into_iter().for_each(|problem| self.section.note(problem));
            return None;
        }
        let (window, speed, again) = (self.window, self.speed, self.again.value);
        let play = RatePlay { window, speed, again, chosen: chosen.as_deref() };
        let made = file.and_then(|file| Ok((rates::process(&file, &play)?, file)));
        let (series, RateFile { recognised, name, said, .. }) =
            made.map_err(|flaw| self.flaw(flaw)).ok()?;
        context.recognised = recognised;
        let facts = format!("{}, {}", facts(source, name, &context, 0), series.unit);
        if !self.section.has(&key::REPLAY_FORMAT) {
            self.settle(ReplayFormat::Rates, &facts);
        }
        let warned: Vec<String> =
            bad.said().into_iter().chain(said).chain(series.said.clone()).collect();
        self.warn(&warned, "see whether that is so; the reference says how rates are read");
        if !again {
            self.ends_early(series.end, "the last recorded rate");
        }
        self.section.say_replay(std::iter::once(facts).chain(warned).collect());
        Some(Replayed::Rates(series))
    }

    /// Says which format was recognised, and what else of it.
    fn settle(&self, word: ReplayFormat, facts: &str) {
        let source = format!("the file's first lines: {facts}");
        self.section.get_or(key::REPLAY_FORMAT, word, Mark::Inferred, &source);
    }

    /// Warns of a recording without arrivals in the last tenth of the run.
    fn ends_early(&self, last: Instant, what: &str) {
        let Some(end) = self.horizon.filter(|end| last.0 < end.0 / 10 * 9) else { return };
        let title = format!("{what} is at {last}, the run ends at {end}");
        let problem = Problem::warning(self.path.place.clone(), title).label("then nothing comes");
        let help = "write replay-loop = true to begin it again, or shorten `run.horizon`";
        self.section.note(problem.help(help));
    }

    fn warn(&self, said: &[String], help: &str) {
        said.iter().for_each(|said| self.section.warn(&self.path, said, help));
    }

    fn flaw(&self, flaw: Flaw) {
        let file = self.file.display();
        let problem = Problem::error(self.path.place.clone(), format!("{file}: {}", flaw.title));
        self.section.note(problem.helps(flaw.help));
    }

    fn unreadable(&self, flaw: Flaw) {
        let title = file::unreadable(&self.file, &flaw.title);
        self.section.note(Problem::error(self.path.place.clone(), title).helps(flaw.help));
    }

    fn foreign(&self, foreign: &named::Foreign) -> Option<Replayed> {
        let title = file::unreadable(&self.file, &format!("it is {}", foreign.name));
        self.section.error(&self.path, title, foreign.remedy);
        None
    }

    fn empty(&self) -> Option<Replayed> {
        self.none(0);
        None
    }

    fn none(&self, left_out: u64) {
        let title = match left_out {
            0 => "the recording has no arrivals".to_owned(),
            count => format!("none of {count} recorded arrivals lies in the part that is played"),
        };
        let help =
            "see `replay-from`, `replay-to` and `run.horizon`, and whether the file is whole";
        self.section.error(&self.path, title, help);
    }

    fn unknown(&self, lines: &[&str]) -> Option<Replayed> {
        let bad = BadLines::new(self.file.display().to_string());
        let flaw = Flaw::new("no format of recordings or rates is known that begins like this");
        let help = "docs/SCENARIOS.md lists what is read; a table of times needs the column time_s";
        self.section.note(bad.problem(1, lines[0], flaw.help(help)));
        None
    }

    fn too_large(&self, arrivals: u64, memory: Bytes) {
        let title = format!("the run would replay {arrivals} requests, which take {memory}");
        let help = "shorten `run.horizon`, take a part with `replay-from` and `replay-to`, or a \
                    share with `replay-share`";
        self.section.error(&self.path, title, help);
    }
}

/// What a file is and what was recognised in it, in words.
fn facts(source: &LineSource, name: &str, context: &LineContext<'_>, disordered: u64) -> String {
    let recognised = context.recognised;
    let mut all = vec![match source.compression {
        Some(kind) => format!("{name} in a {kind}"),
        None => name.to_owned(),
    }];
    all.extend(recognised.unit.map(|unit| format!("times in {unit} since 1970")));
    let told = [
        (recognised.zoneless, "times without offset taken for UTC"),
        (recognised.ends, "starts are ends less the durations that lines tell"),
        (disordered > 0, "lines out of order are sorted"),
    ];
    all.extend(told.into_iter().filter(|(is_so, _)| *is_so).map(|(_, text)| text.to_owned()));
    all.join(", ")
}
