//! `memory restore`.

use std::path::{Path, PathBuf};

use clap::Args;
use memory_core::migrate::{ExportSource, Progress, Report, TransferOptions, transfer};
use memory_core::{
    Clock, Config, RecordKind, SqliteLocation, Storage, SystemClock, Target, restore_sqlite,
};
use serde_json::json;

use super::shown_bytes;
use crate::cli::EXIT_STATUS;
use crate::failure::Failure;
use crate::migrate::{open_target, report_outcome};
use crate::outcome::Outcome;
use crate::progress::Display;
use crate::store;

#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub(crate) struct RestoreArgs {
    /// A file that `memory backup` made
    file: PathBuf,
    /// The store: a path, sqlite://path or postgres://user@host/database
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Replaces the SQLite store that is there; nobody may have it open
    #[arg(long)]
    force: bool,
    /// Applies the pending migrations of a PostgreSQL store first
    #[arg(long)]
    create_schema: bool,
}

pub(crate) async fn run(args: &RestoreArgs, json: bool) -> Result<Outcome, Failure> {
    let (config, notes) = store::chosen(args.url.as_deref())?;
    store::must_be_there(&args.file)?;
    let path = match &config.target {
        Target::Sqlite(sqlite) => match &sqlite.location {
            SqliteLocation::File(path) => Some(path.clone()),
            SqliteLocation::Memory => {
                let problem = "sqlite::memory: is a new, empty store: name a file or a URL";
                return Err(Failure::usage(problem));
            }
        },
        Target::Postgres(_) => None,
    };
    let outcome = match path {
        Some(path) => file(&args.file, &path, args.force).await?,
        None => portable(args, config, json).await?,
    };
    Ok(outcome.with_notes(notes))
}

async fn file(backup: &Path, to: &Path, force: bool) -> Result<Outcome, Failure> {
    if ExportSource::recognise(backup)? {
        let problem = format!("{} is a portable export, not a copy", backup.display());
        let remedy = "carry it into a store with `memory import`";
        return Err(Failure::could_not_run(problem).with_remedy(remedy));
    }
    if to.exists() && !force {
        let problem = format!(
            "{} is there already; give --force to replace it",
            to.display()
        );
        return Err(Failure::finding(problem));
    }
    let restored = restore_sqlite(backup, to, force)
        .await
        .map_err(Failure::could_not_run)?;
    let (backup, to) = (backup.display().to_string(), to.display().to_string());
    let text = format!(
        "{to}\nis what {backup} was, {}, verified\n",
        shown_bytes(restored.bytes)
    );
    let document = json!({ "store": to, "file": backup, "bytes": restored.bytes });
    let mut notes = Vec::new();
    if !restored.belongs {
        notes.push(format!(
            "{to} belongs to whoever ran this, and not to whom the store belonged: that could not \
             be kept; `chown` it"
        ));
    }
    Ok(Outcome::new(0, text, "restore", document).with_notes(notes))
}

async fn portable(args: &RestoreArgs, config: Config, json: bool) -> Result<Outcome, Failure> {
    let options = TransferOptions {
        create_schema: args.create_schema,
        ..TransferOptions::new(SystemClock.now())
    };
    options.check()?;
    let source = ExportSource::open(&args.file, options.batch_size)?;
    let (target, _) = open_target(config, false, args.create_schema).await?;
    let report = into_empty(target.as_ref(), source, options, json).await;
    store::close(target.as_ref()).await;
    Ok(report_outcome(&report?))
}

async fn into_empty(
    target: &dyn Storage,
    source: ExportSource,
    options: TransferOptions,
    json: bool,
) -> Result<Report, Failure> {
    let counting = |error| Failure::store("looking whether the store is empty", error);
    let mut reader = target.reader().await.map_err(counting)?;
    let tenants = reader.count(RecordKind::Tenant, None).await;
    if tenants.map_err(counting)? > 0 {
        let problem = "the store holds something already, and a restore is into an empty one";
        let remedy = "name another store, or join the two with `memory import`";
        return Err(Failure::finding(problem).with_remedy(remedy));
    }
    drop(reader);
    let mut display = Display::new(json);
    let mut progress = |progress: &Progress<'_>| display.show(progress);
    Ok(transfer(Box::new(source), target, options, &mut progress).await?)
}
