//! `memory migrate`, `memory migrate up`, `down`, `redo` and `status`.

use std::fmt::Display;

use clap::Args;
use memory_core::migrate::schema::{self, SchemaChange, SchemaReport};
use memory_core::{Config, SchemaPolicy, Storage};
use serde_json::json;

use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::store;

#[derive(Debug, Args)]
pub(crate) struct DownArgs {
    /// How many migrations
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    /// Deletes the rows that the migrations' tables hold
    #[arg(long)]
    force: bool,
}

/// What is done after reverting.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Steps {
    Down,
    Redo,
}

pub(crate) async fn up(url: Option<&str>) -> Result<Outcome, Failure> {
    let (config, notes) = store::chosen(url)?;
    let storage = open(&config).await?;
    let change = schema::up(storage.as_ref()).await;
    store::close(storage.as_ref()).await;
    Ok(changed(&config, &change?).with_notes(notes))
}

pub(crate) async fn down(
    url: Option<&str>,
    steps: Steps,
    args: &DownArgs,
) -> Result<Outcome, Failure> {
    let (config, notes) = store::chosen(url)?;
    let config = store::existing(config)?;
    let storage = open(&config).await?;
    let change = match steps {
        Steps::Down => schema::down(storage.as_ref(), args.steps, args.force).await,
        Steps::Redo => schema::redo(storage.as_ref(), args.steps, args.force).await,
    };
    store::close(storage.as_ref()).await;
    Ok(changed(&config, &change?).with_notes(notes))
}

pub(crate) async fn status(url: Option<&str>) -> Result<Outcome, Failure> {
    let (config, notes) = store::chosen(url)?;
    let config = store::existing(config)?;
    let storage = open(&config).await?;
    let report = schema::status(storage.as_ref()).await;
    store::close(storage.as_ref()).await;
    let report = report?;
    let status = report.exit_status();
    let document = json!({
        "store": config.to_string(),
        "migrations": report.migrations,
        "unindexed": report.unindexed,
    });
    let mut text = titled(&config, &report);
    if let Some(remedy) = remedy(&report, &config).or_else(|| to_index(&report, &config)) {
        text.push_str(&remedy);
        text.push('\n');
    }
    Ok(Outcome::new(status, text, "schema", document).with_notes(notes))
}

/// What is to be done about a schema that is not the program's.
pub(crate) fn remedy(report: &SchemaReport, config: &Config) -> Option<String> {
    if report.unknown().next().is_some() {
        return Some("use a newer program".to_owned());
    }
    let pending = report.pending().next();
    pending.map(|_| format!("bring it up with `memory migrate up --url {config}`"))
}

/// What is to be done about an index for search that was cut off.
pub(crate) fn to_index(report: &SchemaReport, config: &Config) -> Option<String> {
    let is_due = report.unindexed > 0;
    is_due.then(|| format!("go on indexing with `memory migrate up --url {config}`"))
}

/// Opens the store whatever its schema is: that is what is looked at or changed here.
async fn open(config: &Config) -> Result<std::sync::Arc<dyn Storage>, Failure> {
    store::open(&config.clone().with_schema(SchemaPolicy::Ignore)).await
}

fn changed(config: &Config, change: &SchemaChange) -> Outcome {
    let document = json!({
        "store": config.to_string(),
        "reverted": change.reverted,
        "applied": change.applied,
        "migrations": change.schema.migrations,
        "unindexed": change.schema.unindexed,
    });
    // What is pending after `down` was reverted as asked, and is no finding.
    Outcome::new(0, titled(config, change), "schema", document)
}

fn titled(config: &Config, what: &impl Display) -> String {
    format!("{config}\n{what}")
}
