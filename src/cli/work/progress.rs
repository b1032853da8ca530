//! Progress on standard error: what is being done, simulated time, replications done, requests per
//! second, time left.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::args::When;
use crate::cli::terminal::Terminal;
use crate::experiment::Progress;
use crate::units::{Span, three_digits};

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Show {
    /// Not at all.
    Nothing,
    /// As a bar that is drawn over and over.
    Bar,
    /// As a line now and then, where nothing can be drawn over.
    Lines,
}

impl Show {
    /// What was asked for, as far as standard error can do it.
    pub(super) fn new(when: When, quiet: bool, terminal: Terminal) -> Self {
        match (when, quiet, terminal.is_watched()) {
            (When::Never, ..) | (_, true, _) | (When::Auto, _, false) => Show::Nothing,
            (_, _, true) => Show::Bar,
            (When::Always, _, false) => Show::Lines,
        }
    }
}

/// Does `work` and meanwhile shows how far `progress` is.
pub(super) fn during<T>(
    show: Show,
    progress: &Progress,
    terminal: Terminal,
    work: impl FnOnce() -> T,
) -> T {
    if show == Show::Nothing {
        return work();
    }
    let finished = AtomicBool::new(false);
    thread::scope(|scope| {
        let shown = scope.spawn(|| match show {
            Show::Bar => draw(progress, &finished),
            _ => tell(progress, terminal, &finished),
        });
        let _end = ThreadEnd { finished: &finished, thread: shown.thread().clone() };
        work()
    })
}

/// Ends the showing thread, even if the work panics.
struct ThreadEnd<'a> {
    finished: &'a AtomicBool,
    thread: Thread,
}

impl Drop for ThreadEnd<'_> {
    fn drop(&mut self) {
        self.finished.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

fn draw(progress: &Progress, finished: &AtomicBool) {
    let bar = ProgressBar::new(progress.expected());
    let style = ProgressStyle::with_template("{bar:24} {percent:>3} %  {msg}  ETA {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let begun = Instant::now();
    while !finished.load(Ordering::Acquire) {
        bar.set_message(words(progress, begun));
        bar.set_length(progress.expected());
        bar.set_position(progress.simulated());
        thread::park_timeout(Duration::from_millis(100));
    }
    bar.finish_and_clear();
}

fn tell(progress: &Progress, terminal: Terminal, finished: &AtomicBool) {
    let begun = Instant::now();
    loop {
        let last = finished.load(Ordering::Acquire);
        terminal.say(&format!("{}\n", words(progress, begun)));
        if last {
            return;
        }
        thread::park_timeout(Duration::from_secs(2));
    }
}

fn words(progress: &Progress, begun: Instant) -> String {
    let seconds = begun.elapsed().as_secs_f64().max(1e-3);
    let rate = progress.requests() as f64 / seconds;
    let stage = progress.stage();
    let stage = if stage.is_empty() { stage } else { format!("{stage}: ") };
    format!(
        "{stage}{} of {} simulated, {}/{} replications, {} requests/s",
        Span(progress.simulated()),
        Span(progress.expected()),
        progress.completed(),
        progress.replications(),
        thousands(rate),
    )
}

/// A large number in as few digits as a glance takes in: `850`, `12.3 k`, `1.2 M`.
fn thousands(value: f64) -> String {
    match value {
        large if large >= 1e6 => format!("{} M", three_digits(large / 1e6)),
        medium if medium >= 1e4 => format!("{} k", three_digits(medium / 1e3)),
        small => three_digits(small.round()),
    }
}
