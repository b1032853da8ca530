//! `brownout schema`: the JSON Schema of scenarios, and those of the JSON files among results.

use crate::cli::args::{SchemaArgs, SchemaOf};
use crate::cli::exit::Exit;
use crate::cli::terminal::Terminal;
use crate::scenario::schema;

/// Prints a schema.
pub(in crate::cli) fn schema(args: &SchemaArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let text = match args.of {
        SchemaOf::Scenario => schema::text(),
        SchemaOf::Summary => include_str!("../../../docs/schema/summary.schema.json").to_owned(),
        SchemaOf::Comparison => {
            include_str!("../../../docs/schema/comparison.schema.json").to_owned()
        }
        SchemaOf::Sweep => include_str!("../../../docs/schema/sweep.schema.json").to_owned(),
        SchemaOf::Plan => include_str!("../../../docs/schema/plan.schema.json").to_owned(),
        SchemaOf::Availability => {
            include_str!("../../../docs/schema/availability.schema.json").to_owned()
        }
        SchemaOf::Manifest => include_str!("../../../docs/schema/manifest.schema.json").to_owned(),
        SchemaOf::Check => include_str!("../../../docs/schema/check.schema.json").to_owned(),
    };
    terminal.print(&text)?;
    Ok(Exit::Met)
}
