//! `memory check`.

use std::fmt::Write;
use std::time::Duration;

use clap::Args;
use memory_core::migrate::schema;
use memory_core::{CheckReport, Clock, SchemaPolicy, SystemClock, check_round};
use serde_json::json;

use crate::cli::EXIT_STATUS;
use crate::failure::Failure;
use crate::migrate::{remedy, to_index};
use crate::outcome::Outcome;
use crate::store;

/// How long the store may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub(crate) struct CheckArgs {
    /// The store: a path, sqlite://path or postgres://user@host/database
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Also writes, reads, changes and deletes, in a tenant of its own that leaves nothing behind
    #[arg(long)]
    full: bool,
}

pub(crate) async fn run(args: &CheckArgs) -> Result<Outcome, Failure> {
    let (config, mut notes) = store::chosen(args.url.as_deref())?;
    notes.extend(store::ignored_variables()?);
    let config = store::existing(config)?.with_schema(SchemaPolicy::Ignore);
    let storage = store::open(&config).await?;
    let health = storage.health(PATIENCE).await;
    if let Some(problem) = &health.problem {
        store::close(storage.as_ref()).await;
        let problem = format!("{config} does not answer: {problem}");
        return Err(Failure::could_not_run(problem));
    }
    let status = schema::status(storage.as_ref()).await?;
    let pending: Vec<&str> = status.pending().map(|state| state.name.as_str()).collect();
    let unknown: Vec<&str> = status.unknown().map(|state| state.name.as_str()).collect();
    let info = storage
        .info()
        .await
        .map_err(|error| Failure::store("asking the store what it is", error))?;
    let remedy = remedy(&status, &config);
    let round = if args.full && remedy.is_none() {
        Some(check_round(storage.as_ref(), SystemClock.now()).await)
    } else {
        None
    };
    store::close(storage.as_ref()).await;

    let failed = round.as_ref().is_some_and(|round| round.problem.is_some());
    let mut text = format!(
        "{config}\nanswers in {:.1?}: {} {}\n",
        health.latency, info.backend, info.server_version
    );
    if !pending.is_empty() {
        let _ = writeln!(text, "the schema lacks {}", pending.join(", "));
    }
    if !unknown.is_empty() {
        let names = unknown.join(", ");
        let _ = writeln!(text, "the schema has {names}, newer than this program");
    }
    if let Some(remedy) = &remedy {
        let _ = writeln!(text, "{remedy}");
        if args.full {
            text.push_str("the round was left out, because it needs this program's schema\n");
        }
    } else {
        let newest = info.schema_version.as_deref().unwrap_or("none");
        let _ = writeln!(text, "the schema is the newest: {newest}");
    }
    if let Some(indexing) = to_index(&status, &config) {
        let count = status.unindexed;
        let _ = writeln!(
            text,
            "messages and nodes still to be indexed for search: {count}"
        );
        let _ = writeln!(text, "{indexing}");
    }
    if let Some(round) = &round {
        text.push_str(&shown(round));
    }
    let document = json!({
        "store": config.to_string(),
        "health": health,
        "info": info,
        "pending": pending,
        "unknown": unknown,
        "unindexed": status.unindexed,
        "round": round,
    });
    let exit_status = status.exit_status().max(u8::from(failed));
    Ok(Outcome::new(exit_status, text, "check", document).with_notes(notes))
}

fn shown(round: &CheckReport) -> String {
    let mut text = String::new();
    for step in &round.steps {
        let _ = writeln!(text, "  {:>9.1?}  {}", step.took, step.step);
    }
    match &round.problem {
        None => text.push_str("the whole round is in order\n"),
        Some(problem) => {
            let _ = writeln!(text, "{problem}");
        }
    }
    text
}
