//! `memory export`.

use std::fs::File;
use std::io::{BufWriter, Write, stdout};
use std::path::{Path, PathBuf};

use clap::Args;
use memory_core::migrate::{self, ExportReport, Progress};
use memory_core::{Clock, NewFile, NewFileError, Storage, SystemClock, TenantId};
use serde_json::json;
use tokio::task::spawn_blocking;

use crate::cli::EXIT_STATUS;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::progress::Display;
use crate::store;

/// Said at the end of `memory export --help`.
const EXAMPLES: &str = "\
The store is --url, else MEMORY_URL, else sqlite://memory.db. It is read in one frozen state, also
while others write to it. The file gets its name when it is whole.

Examples:
  memory export --to memory.jsonl
  memory export --tenant ada --to ada.jsonl
  memory export --url postgres://ada@localhost/mind | gzip > mind.jsonl.gz
";

#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n{EXIT_STATUS}"))]
pub(crate) struct ExportArgs {
    /// The store: a path, sqlite://path or postgres://user@host/database
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Exports only what belongs to this tenant
    #[arg(long, value_name = "TENANT")]
    tenant: Option<TenantId>,
    /// The file; standard output if it is `-`, and what there is to say then goes to standard error
    #[arg(long, value_name = "FILE", default_value = "-")]
    to: PathBuf,
    /// Replaces the file if it is there; a pipe or a device is written
    #[arg(long)]
    force: bool,
}

impl ExportArgs {
    pub(crate) fn is_to_stdout(&self) -> bool {
        self.to.as_os_str() == "-"
    }
}

pub(crate) async fn run(args: &ExportArgs, json: bool) -> Result<Outcome, Failure> {
    let (config, notes) = store::chosen(args.url.as_deref())?;
    let to_stdout = args.is_to_stdout();
    let store = store::file(&config).map(Path::to_owned);
    let storage = store::open_to_read(config).await?;
    let tenant = args.tenant.as_ref();
    let report = if to_stdout {
        let mut out = BufWriter::new(stdout());
        write(storage.as_ref(), tenant, &mut out, json).await
    } else {
        to_file(storage.as_ref(), store.as_deref(), args, json).await
    };
    store::close(storage.as_ref()).await;
    let report = report?;
    let outcome = Outcome::new(0, report.to_string(), "export", json!(report)).with_notes(notes);
    Ok(if to_stdout {
        outcome.on_standard_error()
    } else {
        outcome
    })
}

async fn to_file(
    storage: &dyn Storage,
    store: Option<&Path>,
    args: &ExportArgs,
    json: bool,
) -> Result<ExportReport, Failure> {
    let tenant = args.tenant.as_ref();
    if args.force && args.to.exists() && !args.to.is_file() {
        let mut out = BufWriter::new(opened(&args.to).await?);
        return write(storage, tenant, &mut out, json).await;
    }
    let mut file = NewFile::create(&args.to, args.force, store)?;
    let mut out = BufWriter::new(file.file());
    let report = write(storage, tenant, &mut out, json).await?;
    drop(out);
    file.keep()?;
    Ok(report)
}

/// A pipe or a device, which is written and not replaced. Opening a pipe waits for its reader.
async fn opened(path: &Path) -> Result<File, Failure> {
    let path = path.to_owned();
    let opening = spawn_blocking(move || {
        let opened = File::options().write(true).open(&path);
        opened.map_err(|source| NewFileError::Failed { path, source })
    });
    Ok(opening.await.map_err(Failure::could_not_run)??)
}

/// Writes everything, flushed.
pub(crate) async fn write(
    storage: &dyn Storage,
    tenant: Option<&TenantId>,
    out: &mut (dyn Write + Send),
    json: bool,
) -> Result<ExportReport, Failure> {
    let mut display = Display::new(json);
    let mut progress = |progress: &Progress<'_>| display.show(progress);
    let now = SystemClock.now();
    let report = migrate::export(storage, tenant, now, out, &mut progress).await;
    drop(display);
    Ok(report?)
}
