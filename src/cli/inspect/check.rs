//! `brownout check`: mistakes in scenarios, without running them.

use crate::cli::args::{CheckArgs, CheckFormat};
use crate::cli::exit::Exit;
use crate::cli::load;
use crate::cli::terminal::Terminal;
use crate::diagnostic::Severity;
use crate::report::check::{CheckedFile, json, markdown, told};
use crate::report::format::words::plural;
use crate::report::settings;
use crate::scenario::read::Loaded;

/// Checks every file, says what is wrong on standard error, and prints one line for each, or all
/// of it for programs.
pub(in crate::cli) fn check(args: &CheckArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let mut files = Vec::new();
    for path in &args.files {
        let Loaded { scenario, problems, source, .. } = load::read_changed(path, &args.set);
        load::say(&source, &problems, terminal);
        let file = CheckedFile { source, problems, scenario };
        if args.format == CheckFormat::Text {
            terminal.print(&line(&file, args.settings))?;
        }
        files.push(file);
    }
    let mut out = Vec::new();
    match args.format {
        CheckFormat::Text => {}
        CheckFormat::Json => json::write(&files, args.settings, &mut out)?,
        CheckFormat::Sarif => told::write_sarif(&files, &mut out)?,
        CheckFormat::Junit => told::write_junit(&files, &mut out)?,
        CheckFormat::Markdown => out.extend(markdown::render(&files).into_bytes()),
    }
    terminal.print(&String::from_utf8(out)?)?;
    Ok(if files.iter().all(CheckedFile::is_sound) { Exit::Met } else { Exit::Error })
}

/// A file in a line, with its settings if they are asked for.
fn line(file: &CheckedFile, with_settings: bool) -> String {
    let counts = (file.number(Severity::Error), file.number(Severity::Warning));
    let line = format!("{}: {}\n", file.source.name, words(file.is_sound(), counts));
    let scenario = file.scenario.as_ref().filter(|_| with_settings);
    line + &scenario.map(settings::text).unwrap_or_default()
}

fn words(sound: bool, (errors, warnings): (u64, u64)) -> String {
    match (sound, warnings) {
        (true, 0) => "ok".to_owned(),
        (true, _) => format!("ok, {}", plural(warnings, "warning")),
        (false, 0) => plural(errors, "error"),
        (false, _) => format!("{}, {}", plural(errors, "error"), plural(warnings, "warning")),
    }
}
