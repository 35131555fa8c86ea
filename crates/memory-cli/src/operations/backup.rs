//! `memory backup`.

use std::io::BufWriter;
use std::path::PathBuf;

use clap::Args;
use memory_core::{NewFile, NewFileError, StorageError, Target};
use serde_json::json;

use super::shown_bytes;
use crate::cli::EXIT_STATUS;
use crate::export;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::store;

#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub(crate) struct BackupArgs {
    /// The file: a copy of a SQLite store, or a portable export of a PostgreSQL store
    file: PathBuf,
    /// The store: a path, sqlite://path or postgres://user@host/database
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Replaces the file if it is there
    #[arg(long)]
    force: bool,
}

pub(crate) async fn run(args: &BackupArgs, json: bool) -> Result<Outcome, Failure> {
    let (config, notes) = store::chosen(args.url.as_deref())?;
    let location = config.to_string();
    let is_file = matches!(config.target, Target::Sqlite(_));
    let storage = store::open_to_read(config).await?;
    let made = if is_file {
        let maintenance = storage.maintenance();
        let copied = maintenance.backup(&args.file, args.force).await;
        copied.map(|copy| copy.bytes).map_err(refused)
    } else {
        portable(storage.as_ref(), args, json).await
    };
    store::close(storage.as_ref()).await;
    let bytes = made?;
    let format = if is_file { "sqlite" } else { "memory-export" };
    let file = args.file.display().to_string();
    let text = format!(
        "{location}\nis now also in {file}, {} ({format}), verified\n",
        shown_bytes(bytes)
    );
    let document = json!({ "store": location, "file": file, "format": format, "bytes": bytes });
    Ok(Outcome::new(0, text, "backup", document).with_notes(notes))
}

async fn portable(
    storage: &dyn memory_core::Storage,
    args: &BackupArgs,
    json: bool,
) -> Result<u64, Failure> {
    let mut file = NewFile::create(&args.file, args.force, None)?;
    let mut out = BufWriter::new(file.file());
    let report = export::write(storage, None, &mut out, json).await?;
    drop(out);
    file.keep()?;
    Ok(report.bytes)
}

fn refused(error: StorageError) -> Failure {
    match error {
        StorageError::Conflict { id, .. } => NewFileError::Exists(id.into()).into(),
        error => Failure::store("making the backup", error),
    }
}
