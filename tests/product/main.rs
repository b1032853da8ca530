//! The product as a user meets it: commands, files, reports, charts, problems, shipped scenarios.

mod apis;
mod availability;
mod cli;
mod clusters;
mod compare;
mod desk;
mod explained;
mod exports;
mod files;
mod folders;
mod for_sale;
mod front;
mod limits;
mod manifests;
mod months;
mod pages;
mod plan;
mod plots;
mod problems;
mod rate_series;
mod recordings;

mod reference;
mod rule;
mod samples;
mod scenarios;
mod schema;
mod shards;
mod shards_submitted;
mod studies;
mod sweep;
mod wrong_commands;
