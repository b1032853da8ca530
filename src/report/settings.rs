//! The settings of a scenario as resolved, in text.

use crate::report::format::table::Table;
use crate::report::format::words::distinct;
use crate::scenario::sources::address;
use crate::scenario::{Scenario, Setting};

/// The settings as an aligned table: path, value, mark, source; below it where sources can be read.
pub fn text(scenario: &Scenario) -> String {
    let mut table = Table::default();
    for setting in &scenario.settings {
        table.row([&*setting.path, &setting.value, setting.mark.label(), &setting.source]);
    }
    let read = |one: &Setting| Some((one.source.clone(), address(&one.path, &one.source)?));
    let read = distinct(scenario.settings.iter().filter_map(read));
    let lines = read.iter().map(|(source, address)| format!("  {source}\n    {address}\n"));
    let addresses: String = lines.collect();
    match addresses.is_empty() {
        true => table.text(),
        false => format!("{}Where sources can be read\n{addresses}", table.text()),
    }
}
