//! `memory migrate runs`.

use std::fmt::Write;

use clap::Args;
use memory_core::{RunStatus, TransferRun};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::store;

#[derive(Debug, Args)]
pub(crate) struct RunsArgs {
    /// The most runs to be listed
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

pub(crate) async fn run(url: Option<&str>, args: &RunsArgs) -> Result<Outcome, Failure> {
    let (config, notes) = store::chosen(url)?;
    let config = store::existing(config)?;
    let storage = store::open_to_read(config.clone()).await?;
    let runs = memory_core::migrate::runs(storage.as_ref(), args.limit).await;
    store::close(storage.as_ref()).await;
    let runs = runs?;
    let mut text = format!("{config}\n");
    if runs.is_empty() {
        text.push_str("nothing was carried into this store\n");
    }
    for run in &runs {
        let _ = writeln!(text, "{}", line(run));
    }
    Ok(Outcome::new(0, text, "runs", json!(runs)).with_notes(notes))
}

fn line(run: &TransferRun) -> String {
    let status = match run.status {
        // What of a run lasts is seen of a resumable one only before its end.
        RunStatus::Running => {
            let checkpoint = run.report.get("checkpoint").unwrap_or(&Value::Null);
            match (&checkpoint["done"], &checkpoint["total"]) {
                (Value::Number(done), Value::Number(total)) => {
                    format!("unfinished, {done} of {total} rows done")
                }
                _ => "unfinished".to_owned(),
            }
        }
        RunStatus::Completed => "completed".to_owned(),
        RunStatus::RolledBack => "rolled back".to_owned(),
    };
    format!(
        "  {}  {}  {status}  from {} ({})",
        run.id, run.started_at, run.source_location, run.source_kind
    )
}
