//! `memory import`.

use std::io::{BufReader, stdin};
use std::path::{Path, PathBuf};

use clap::Args;
use memory_core::legacy::{Recognised, recognise};
use memory_core::migrate::{BATCH_SIZE_DEFAULT, ExportSource, Progress, TransferOptions};
use memory_core::{Clock, SystemClock, TenantId};

use crate::cli::EXIT_STATUS;
use crate::failure::Failure;
use crate::migrate::{OnConflict, open_target, report_outcome};
use crate::outcome::Outcome;
use crate::progress::Display;
use crate::store;

/// Said at the end of `memory import --help`.
const EXAMPLES: &str = "\
The store is --url, else MEMORY_URL, else sqlite://memory.db. Everything is carried in one
transaction that is verified before it lasts; what stands is never changed. `memory migrate runs`
lists the run, and `memory migrate rollback RUN` takes it back.

Examples:
  memory import memory.jsonl
  memory import memory.jsonl --tenant ada --url postgres://ada@localhost/mind
  zcat mind.jsonl.gz | memory import - --dry-run
";

#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n{EXIT_STATUS}"))]
pub(crate) struct ImportArgs {
    /// A file that `memory export` wrote; standard input if it is `-`
    file: PathBuf,
    /// The store: a path, sqlite://path or postgres://user@host/database
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Carries only what belongs to this tenant
    #[arg(long, value_name = "TENANT")]
    tenant: Option<TenantId>,
    /// Does everything against the store, whose schema must be there, and undoes it
    #[arg(long)]
    dry_run: bool,
    /// What is done about records that stand in the store with other content
    #[arg(long, value_enum, default_value_t)]
    on_conflict: OnConflict,
    /// Exits with 0 though lines are in quarantine
    #[arg(long)]
    allow_quarantine: bool,
    /// Where lines go that cannot be carried; by default memory-quarantine-RUN.jsonl
    #[arg(long, value_name = "FILE")]
    quarantine_file: Option<PathBuf>,
    /// How many records are written at once
    #[arg(long, value_name = "ROWS", default_value_t = BATCH_SIZE_DEFAULT)]
    batch_size: u32,
    /// Applies the store's pending migrations first; a new SQLite file needs no asking
    #[arg(long, conflicts_with = "dry_run")]
    create_schema: bool,
}

impl ImportArgs {
    fn options(&self) -> TransferOptions {
        TransferOptions {
            on_conflict: self.on_conflict.into(),
            tenant: self.tenant.clone(),
            batch_size: self.batch_size,
            dry_run: self.dry_run,
            create_schema: self.create_schema,
            allow_quarantine: self.allow_quarantine,
            quarantine_file: self.quarantine_file.clone(),
            ..TransferOptions::new(SystemClock.now())
        }
    }
}

pub(crate) async fn run(args: &ImportArgs, json: bool) -> Result<Outcome, Failure> {
    let options = args.options();
    options.check()?;
    // The file first: if it cannot be read, no store is made.
    let source = open(&args.file, args.batch_size)?;
    let (config, mut notes) = store::chosen(args.url.as_deref())?;
    let (target, more) = open_target(config, args.dry_run, args.create_schema).await?;
    notes.extend(more);

    let mut display = Display::new(json);
    let mut progress = |progress: &Progress<'_>| display.show(progress);
    let source = Box::new(source);
    let report =
        memory_core::migrate::transfer(source, target.as_ref(), options, &mut progress).await;
    drop(display);
    store::close(target.as_ref()).await;
    Ok(report_outcome(&report?).with_notes(notes))
}

fn open(file: &Path, batch_size: u32) -> Result<ExportSource, Failure> {
    if file.as_os_str() == "-" {
        let reader = Box::new(BufReader::new(stdin()));
        return Ok(ExportSource::read(
            reader,
            "standard input".to_owned(),
            batch_size,
        )?);
    }
    store::must_be_there(file)?;
    ExportSource::open(file, batch_size).map_err(|error| match recognise(file) {
        // It is an export whose header is not as it should be.
        Ok(Recognised::Export) | Err(_) => error.into(),
        Ok(other) => store::other_command(file, other),
    })
}
