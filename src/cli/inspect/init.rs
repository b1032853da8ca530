//! `brownout init`: a commented scenario to begin with.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::cli::args::InitArgs;
use crate::cli::exit::Exit;
use crate::cli::terminal::Terminal;
use crate::report::format::table::Table;
use crate::scenario::schema;
use crate::scenario::templates::{SCHEMA, TEMPLATES, Template, named};

/// Writes a template and the schema that it names, and says what to do next. What is there stays.
pub(in crate::cli) fn init(args: &InitArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    if args.list {
        terminal.print(&list())?;
        return Ok(Exit::Met);
    }
    let template = named(&args.template).context("no such template")?;
    match &args.file {
        Some(file) if file == Path::new("-") => {
            terminal.print(template.text)?;
            terminal.say(&format!("brownout schema > {SCHEMA} writes the schema that it names\n"));
        }
        file => {
            let path = path(file.as_deref(), template);
            create(&path, template)?;
            let schema = write_schema(&path)?;
            terminal.print(&next(&path, template, schema))?;
        }
    }
    Ok(Exit::Met)
}

fn list() -> String {
    let mut table = Table::default();
    for template in &TEMPLATES {
        table.row([template.name, template.about]);
    }
    table.text()
}

/// Where a template goes: under its own name, unless a file or another folder is named.
fn path(file: Option<&Path>, template: &Template) -> PathBuf {
    let own = format!("{}.toml", template.name);
    match file {
        None => PathBuf::from(own),
        Some(folder) if folder.is_dir() => folder.join(own),
        Some(file) => file.to_owned(),
    }
}

fn create(path: &Path, template: &Template) -> anyhow::Result<()> {
    let shown = path.display();
    let mut file = match File::create_new(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => bail!(
            "{shown} is there already, and init overwrites nothing\n  = help: name another file: \
             brownout init NAME.toml --template {}",
            template.name
        ),
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "cannot write {shown}: there is no such folder\n  = help: make the folder first, or \
             leave it out"
        ),
        Err(error) => return Err(error).with_context(|| format!("cannot write {shown}")),
    };
    file.write_all(template.text.as_bytes()).with_context(|| format!("cannot write {shown}"))
}

/// What became of the schema beside a scenario.
enum BesideIt {
    Written,
    /// It is there, and of this version.
    Same,
    /// It is there, and of another version.
    Other,
}

/// Writes the schema beside a scenario, unless there is one.
fn write_schema(scenario: &Path) -> anyhow::Result<BesideIt> {
    let path = scenario.with_file_name(SCHEMA);
    let text = schema::text();
    match File::create_new(&path) {
        Ok(mut file) => {
            let shown = path.display();
            file.write_all(text.as_bytes()).with_context(|| format!("cannot write {shown}"))?;
            Ok(BesideIt::Written)
        }
        Err(_) if fs::read(&path).is_ok_and(|old| old == text.as_bytes()) => Ok(BesideIt::Same),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(BesideIt::Other),
        Err(error) => Err(error).with_context(|| format!("cannot write {}", path.display())),
    }
}

fn next(path: &Path, template: &Template, schema: BesideIt) -> String {
    let (file, command) = (path.display(), template.command);
    let beside = match schema {
        BesideIt::Written => format!(", and {SCHEMA} for editors"),
        BesideIt::Same => String::new(),
        BesideIt::Other => format!(
            "; {SCHEMA} is of another version and was left: brownout schema > {SCHEMA} renews it"
        ),
    };
    let mut table = Table::default();
    table
        .row([format!("brownout check {file} --settings"), "every setting, and its source".into()]);
    table.row([format!("brownout {command} {file}"), "the answer".to_owned()]);
    format!("Wrote {file}{beside}.\n\nNext:\n{}", table.text())
}
