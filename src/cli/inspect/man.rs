//! `brownout man`: manual pages, from what `--help` says.

use std::fs;
use std::path::Path;

use anyhow::Context;
use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::cli::args::{Args, ManArgs};
use crate::cli::exit::Exit;
use crate::cli::terminal::Terminal;

/// Prints the page of the program, or writes all pages into a folder.
pub(in crate::cli) fn man(args: &ManArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let mut program = Args::command();
    program.build();
    match &args.output {
        None => terminal.print(&page(&program)?)?,
        Some(folder) => write_all(folder, &program, terminal)?,
    }
    Ok(Exit::Met)
}

/// When what the pages say was last revised: they must have a date, and no clock is asked.
const REVISED: &str = "2026-12-01";

/// A page: what the library renders, with the examples and exit codes under headings of their own,
/// and without the breaks around blanks that readers of manual pages warn of.
fn page(command: &Command) -> anyhow::Result<String> {
    let (mut written, mut page) = (Vec::new(), String::new());
    Man::new(command.clone()).render(&mut written)?;
    for line in String::from_utf8(written)?.replace(".br\n\n.br\n", ".sp\n").lines() {
        match line {
            _ if line.starts_with(".TH ") => {
                let name = command.get_display_name().unwrap_or("brownout");
                let version = env!("CARGO_PKG_VERSION");
                page += &format!(".TH {name} 1 {REVISED} \"brownout {version}\" Brownout\n");
            }
            ".SH EXTRA" => {}
            "EXAMPLES:" => page += ".SH EXAMPLES\n",
            "EXIT CODES:" => page += ".SH EXIT STATUS\n",
            line => page.extend([line, "\n"]),
        }
    }
    Ok(page)
}

fn write_all(folder: &Path, program: &Command, terminal: Terminal) -> anyhow::Result<()> {
    let refused = || format!("cannot write into {}", folder.display());
    fs::create_dir_all(folder).with_context(refused)?;
    let commands = program.get_subcommands().filter(|command| command.get_name() != "help");
    for command in std::iter::once(program).chain(commands) {
        let path = folder.join(Man::new(command.clone()).get_filename());
        fs::write(&path, page(command)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
        terminal.print(&format!("{}\n", path.display()))?;
    }
    Ok(())
}
