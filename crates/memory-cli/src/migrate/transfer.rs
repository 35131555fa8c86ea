//! `memory migrate --from … --to …` and `memory migrate --replay … --to …`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use memory_core::legacy::SourceTimezone;
use memory_core::migrate::{self, BATCH_SIZE_DEFAULT, Progress, Report, TransferOptions};
use memory_core::{
    Clock, Config, OpenError, RunId, SchemaPolicy, SqliteLocation, SqliteTarget, Storage,
    SystemClock, Target, TenantId,
};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::progress::Display;
use crate::store::{self, SourceOptions};

#[derive(Debug, Args)]
#[command(next_help_heading = "Moving memory from one store to another")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line, and none excludes another"
)]
pub(crate) struct TransferArgs {
    /// Carries everything from here: a store of ours, or a file of CONTINUUM, flux-rag, AI-PAL,
    /// JARVIS or consultant
    #[arg(
        long,
        value_name = "SOURCE",
        requires = "to",
        conflicts_with = "url",
        group = "source"
    )]
    from: Option<String>,
    /// Carries what was mended in this quarantine file, read as its run read it
    #[arg(
        long,
        value_name = "FILE",
        requires = "to",
        conflicts_with = "url",
        group = "source"
    )]
    replay: Option<PathBuf>,
    /// Carries everything to this store
    #[arg(long, value_name = "TARGET", requires = "source")]
    to: Option<String>,
    /// What the source is, instead of recognising it: memory, continuum, flux-rag,
    /// flux-rag-feedback, ai-pal, ai-pal-audit, jarvis or consultant
    #[arg(
        long,
        value_name = "KIND",
        requires = "from",
        conflicts_with = "replay"
    )]
    source_kind: Option<String>,
    /// The name that goes into ids made from the source's; by default its system's
    #[arg(
        long,
        value_name = "NAME",
        requires = "from",
        conflicts_with = "replay"
    )]
    source_name: Option<String>,
    /// The zone of times that name none, such as Europe/Berlin; by default what the system wrote
    #[arg(
        long,
        value_name = "ZONE",
        requires = "from",
        conflicts_with = "replay"
    )]
    source_timezone: Option<SourceTimezone>,
    /// The tenant of rows that name none; by default `default`
    #[arg(
        long,
        value_name = "TENANT",
        requires = "from",
        conflicts_with = "replay"
    )]
    default_tenant: Option<TenantId>,
    /// What is done about rows that stand in the target with other content
    #[arg(long, value_enum, default_value_t, requires = "source")]
    on_conflict: OnConflict,
    /// Tables, and columns as table.column, that may stay behind
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "source")]
    allow_unmapped: Vec<String>,
    /// Exits with 0 though rows are in quarantine
    #[arg(long, requires = "source")]
    allow_quarantine: bool,
    /// Carries only what belongs to this tenant
    #[arg(
        long,
        value_name = "TENANT",
        requires = "from",
        conflicts_with = "replay"
    )]
    tenant: Option<TenantId>,
    /// Carries only these tables of the source
    #[arg(
        long,
        value_name = "TABLES",
        value_delimiter = ',',
        requires = "from",
        conflicts_with = "replay"
    )]
    table: Vec<String>,
    /// How many rows are written at once
    #[arg(long, value_name = "ROWS", default_value_t = BATCH_SIZE_DEFAULT, requires = "source")]
    batch_size: u32,
    /// Applies the target's pending migrations first; a new SQLite file needs no asking
    #[arg(long, requires = "source", conflicts_with = "dry_run")]
    create_schema: bool,
    /// Does not read back what was written
    #[arg(long, requires = "source")]
    no_verify: bool,
    /// Does everything against the target, whose schema must be there, and undoes it
    #[arg(long, requires = "source")]
    dry_run: bool,
    /// Makes what is carried last batch by batch, and goes on with an unfinished run of this source
    #[arg(long, requires = "source", conflicts_with = "dry_run")]
    resumable: bool,
    /// Goes on with this unfinished run, though the source was called by another name then
    #[arg(
        long,
        value_name = "RUN",
        requires = "source",
        conflicts_with = "dry_run"
    )]
    resume: Option<RunId>,
    /// Where rows go that cannot be carried; by default memory-quarantine-RUN.jsonl
    #[arg(long, value_name = "FILE", requires = "source")]
    quarantine_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum OnConflict {
    /// They go to the quarantine file, and the exit status is 1
    #[default]
    Quarantine,
    /// What stands is accepted
    Keep,
}

impl From<OnConflict> for migrate::OnConflict {
    fn from(chosen: OnConflict) -> migrate::OnConflict {
        match chosen {
            OnConflict::Quarantine => migrate::OnConflict::Quarantine,
            OnConflict::Keep => migrate::OnConflict::Keep,
        }
    }
}

impl TransferArgs {
    /// Whether a transfer is meant; without `--from` or `--replay` its other options are refused by
    /// clap.
    pub(crate) fn is_asked_for(&self) -> bool {
        self.from.is_some() || self.replay.is_some()
    }

    fn options(&self) -> TransferOptions {
        TransferOptions {
            on_conflict: self.on_conflict.into(),
            tenant: self.tenant.clone(),
            tables: self.table.iter().cloned().collect(),
            batch_size: self.batch_size,
            dry_run: self.dry_run,
            resumable: self.resumable || self.resume.is_some(),
            resume: self.resume,
            verify: !self.no_verify,
            create_schema: self.create_schema,
            allow_unmapped: self.allow_unmapped.iter().cloned().collect(),
            allow_quarantine: self.allow_quarantine,
            quarantine_file: self.quarantine_file.clone(),
            ..TransferOptions::new(SystemClock.now())
        }
    }

    fn source_options(&self) -> SourceOptions {
        SourceOptions {
            kind: self.source_kind.clone(),
            name: self.source_name.clone(),
            timezone: self.source_timezone,
            default_tenant: self.default_tenant.clone(),
            tenant: self.tenant.clone(),
            batch_size: self.batch_size,
        }
    }
}

pub(crate) async fn run(args: &TransferArgs, json: bool) -> Result<Outcome, Failure> {
    let Some(to) = &args.to else {
        return Err(Failure::usage("a transfer needs --to"));
    };
    let options = args.options();
    options.check()?;
    // The source first: if it cannot be read, no target is made.
    let opened = match (&args.from, &args.replay) {
        (Some(from), None) => {
            store::must_differ(from, to)?;
            store::open_source(from, args.source_options()).await?
        }
        (None, Some(file)) => store::open_replay(file, args.batch_size)?,
        _ => return Err(Failure::usage("a transfer needs --from or --replay")),
    };
    let (target, notes) = open_target(store::config(to)?, args.dry_run, args.create_schema).await?;

    let mut display = Display::new(json);
    let mut progress = |progress: &Progress<'_>| display.show(progress);
    let report = migrate::transfer(opened.source, target.as_ref(), options, &mut progress).await;
    drop(display);
    store::close(target.as_ref()).await;
    if let Some(storage) = &opened.storage {
        store::close(storage.as_ref()).await;
    }
    Ok(report_outcome(&report?).with_notes(notes))
}

/// Opens the store that a transfer writes to, and says what the user should know about it.
pub(crate) async fn open_target(
    mut config: Config,
    dry_run: bool,
    create_schema: bool,
) -> Result<(Arc<dyn Storage>, Vec<String>), Failure> {
    let mut notes = Vec::new();
    config.schema = match (dry_run, create_schema) {
        (true, _) => SchemaPolicy::Require,
        (false, true) => SchemaPolicy::Apply,
        // A store that stands is brought up only if that is asked for.
        (false, false) if stands(&config) => SchemaPolicy::Require,
        (false, false) => SchemaPolicy::Backend,
    };
    if dry_run && let Some(path) = store::missing_file(&config) {
        // A dry run leaves nothing behind, and into an empty store all goes as into a new file.
        config.target = Target::Sqlite(SqliteTarget::memory());
        config.schema = SchemaPolicy::Apply;
        notes.push(format!(
            "{} is not there yet; the dry run was done against a temporary store in its place",
            path.display()
        ));
    }
    match memory_core::connect(&config).await {
        Ok(target) => Ok((target, notes)),
        Err(error @ OpenError::SchemaMismatch { .. })
            if !create_schema && !dry_run && !is_newer(config).await =>
        {
            let remedy = "give --create-schema to apply the migrations with the transfer";
            Err(Failure::from(error).with_remedy(remedy))
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether there is a file with something in it; of a server that is found out when it is opened.
fn stands(config: &Config) -> bool {
    match &config.target {
        Target::Sqlite(SqliteTarget {
            location: SqliteLocation::File(path),
            ..
        }) => path.metadata().is_ok_and(|file| file.len() > 0),
        _ => false,
    }
}

/// Whether a store has migrations that this program does not know.
async fn is_newer(config: Config) -> bool {
    let config = config.with_schema(SchemaPolicy::Ignore);
    let Ok(storage) = memory_core::connect(&config).await else {
        return false;
    };
    let states = storage.schema().status().await;
    store::close(storage.as_ref()).await;
    states.is_ok_and(|states| states.iter().any(|migration| !migration.known))
}

/// What a transfer has to say at its end.
pub(crate) fn report_outcome(report: &Report) -> Outcome {
    let problems: Vec<Value> = report
        .problems()
        .iter()
        .map(|problem| {
            let mut told = json!(problem);
            told["what_to_do"] = json!(problem.remedy());
            told
        })
        .collect();
    let status = report.exit_status();
    let mut outcome = Outcome::new(status, report.to_string(), "report", json!(report));
    outcome
        .document
        .insert("problems".to_owned(), json!(problems));
    outcome
}
