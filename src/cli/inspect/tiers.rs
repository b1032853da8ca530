//! `brownout tiers`: the catalogue of the product, and where each column comes from.

use serde_json::json;

use crate::cli::args::{ListFormat, TiersArgs};
use crate::cli::exit::Exit;
use crate::cli::terminal::Terminal;
use crate::report::format::table::Table;
use crate::report::format::words::wrapped;
use crate::scenario::catalogue::{COLUMNS, TierColumn, TierFacts, tiers as facts};
use crate::study::cost::entitlement;

/// Prints the tiers of a release.
pub(in crate::cli) fn tiers(args: &TiersArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let tiers = facts(&args.catalogue);
    let text = match args.format {
        ListFormat::Text => text(&args.catalogue, &tiers),
        ListFormat::Json => json(&args.catalogue, &tiers),
    };
    terminal.print(&text)?;
    Ok(Exit::Met)
}

fn replicas(tier: &TierFacts) -> String {
    match tier.most > tier.least {
        true => format!("{} to {}", tier.least, tier.most),
        false => tier.least.to_string(),
    }
}

fn text(release: &str, tiers: &[TierFacts]) -> String {
    let mut table = Table::of_numbers();
    table.row(["tier", "rating", "cores", "at full CPU", "memory", "replicas", "entitlement"]);
    for tier in tiers {
        table.row([
            tier.tier.to_owned(),
            format!("{}/s", tier.rating),
            tier.cores.to_string(),
            format!("{}/s", tier.saturation),
            "not published".to_owned(),
            replicas(tier),
            entitlement(tier.tier).to_owned(),
        ]);
    }
    let mut page = format!("Tiers of release {release}\n{}\nWhere that comes from\n", table.text());
    for column in &COLUMNS {
        let TierColumn { name, mark, source, about } = column;
        page +=
            &wrapped(&format!("  {name:<12} "), &format!("{about}; {}: {source}", mark.label()));
        let address = column.address().map(|address| format!("  {:<12} {address}\n", ""));
        page += &address.unwrap_or_default();
    }
    page + "\nAnother size, or one that you measured: gateway.cores and gateway.cpu-per-request.\n"
}

fn json(release: &str, tiers: &[TierFacts]) -> String {
    let tier = |tier: &TierFacts| {
        json!({
            "tier": tier.tier,
            "rating_per_s": tier.rating,
            "cores": tier.cores,
            "saturation_per_s": tier.saturation,
            "memory_bytes": null,
            "replicas_least": tier.least,
            "replicas_most": tier.most,
            "entitlement": entitlement(tier.tier),
        })
    };
    let column = |column: &TierColumn| {
        json!({
            "column": column.name,
            "mark": column.mark.label(),
            "source": column.source,
            "about": column.about,
            "address": column.address(),
        })
    };
    let mut all = json!({
        "schema": "brownout/tiers/1",
        "catalogue": release,
        "tiers": tiers.iter().map(tier).collect::<Vec<_>>(),
        "columns": COLUMNS.iter().map(column).collect::<Vec<_>>(),
    });
    all.sort_all_objects();
    format!("{all:#}\n")
}
