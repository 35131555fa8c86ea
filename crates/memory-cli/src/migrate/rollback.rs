//! `memory migrate rollback`.

use clap::Args;
use memory_core::{Clock, RunId, SchemaPolicy, SystemClock};
use serde_json::json;

use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::store;

#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    /// The run, as `memory migrate runs` lists it
    run: RunId,
    /// Also removes what was changed since, and what was built upon the run's records
    #[arg(long)]
    force: bool,
}

pub(crate) async fn run(url: Option<&str>, args: &RollbackArgs) -> Result<Outcome, Failure> {
    let (config, notes) = store::chosen(url)?;
    let config = store::existing(config)?.with_schema(SchemaPolicy::Require);
    let storage = store::open(&config).await?;
    let now = SystemClock.now();
    let report = memory_core::migrate::rollback(storage.as_ref(), args.run, args.force, now).await;
    store::close(storage.as_ref()).await;
    let report = report?;
    let text = format!("{config}\n{report}");
    Ok(Outcome::new(report.exit_status(), text, "rollback", json!(report)).with_notes(notes))
}
