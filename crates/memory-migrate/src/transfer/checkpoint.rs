//! What the target remembers of a resumable run that has not ended.

use std::collections::{BTreeMap, BTreeSet};

use memory_domain::{Digest, JsonObject, TenantId};
use memory_storage::{RecordWriter, RunId, SourceDescription, StorageError, TransferRun};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::accounts::SavedBook;
use super::carrier::Carrier;
use super::tally::Tally;
use crate::quarantine::Kept;
use crate::report::{Findings, RuleReport};
use crate::{MigrateError, OnConflict, TransferOptions};

/// Where the checkpoint stands in the run's report.
pub(crate) const CHECKPOINT: &str = "checkpoint";

/// How far a run is, with its books: enough to go on as if it had never stopped.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    /// Rows of the source that are done.
    pub(crate) done: u64,
    /// Rows of the source.
    pub(crate) total: u64,
    pub(crate) selection: Selection,
    pub(crate) tables: Vec<SavedTable>,
    pub(crate) rules: Vec<RuleReport>,
    pub(crate) conflicts: Findings,
    pub(crate) quarantined: Findings,
    pub(crate) tally: Tally,
    pub(crate) quarantine: Option<Kept>,
}

/// What decides what becomes of a row: it must be the same when the run goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Selection {
    tenant: Option<TenantId>,
    tables: BTreeSet<String>,
    on_conflict: OnConflict,
    settings: BTreeMap<String, String>,
}

/// One table of the source.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavedTable {
    pub(crate) table: String,
    #[serde(flatten)]
    pub(crate) position: Position,
    #[serde(flatten)]
    pub(crate) book: SavedBook,
}

/// How many rows of a table came, and a digest over all of them in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    pub(crate) rows: u64,
    pub(crate) digest: Digest,
}

impl Default for Position {
    fn default() -> Position {
        Position {
            rows: 0,
            digest: Digest::from_bytes([0; 32]),
        }
    }
}

impl Selection {
    pub(crate) fn of(options: &TransferOptions, source: &SourceDescription) -> Selection {
        Selection {
            tenant: options.tenant.clone(),
            tables: options.tables.clone(),
            on_conflict: options.on_conflict,
            settings: source.settings.clone(),
        }
    }

    /// The options that are not as they were.
    fn difference(&self, other: &Selection) -> Option<&'static str> {
        [
            ("--tenant", self.tenant == other.tenant),
            ("--table", self.tables == other.tables),
            ("--on-conflict", self.on_conflict == other.on_conflict),
            (
                "--source-timezone or --default-tenant",
                self.settings == other.settings,
            ),
        ]
        .into_iter()
        .find_map(|(option, same)| (!same).then_some(option))
    }
}

/// The unfinished run that is to be gone on with: the one that was asked for, or the newest from the
/// same source.
///
/// # Errors
/// `NotResumable` if the run cannot be gone on with as it was asked for, and `RunUnfinished` if one
/// from the same source stands in the way of a transfer that is not resumable.
pub(super) async fn unfinished(
    writer: &mut dyn RecordWriter,
    options: &TransferOptions,
    source: &SourceDescription,
) -> Result<Option<(TransferRun, Checkpoint)>, MigrateError> {
    // Until the first checkpoint nobody sees the run, and another command would begin its own.
    writer
        .take_turn(source, options.resumable)
        .await
        .map_err(MigrateError::store(
            "waiting for another transfer from there",
        ))?;
    let runs = writer
        .unfinished()
        .await
        .map_err(MigrateError::store("looking for an unfinished run"))?;
    let is_of_system =
        |run: &TransferRun| run.source_kind == source.kind && run.source_name == source.name;
    let is_from_here =
        |run: &TransferRun| is_of_system(run) && run.source_location == source.location;
    let is_wanted = |run: &TransferRun| match options.resume {
        Some(wanted) => run.id == wanted,
        None => is_from_here(run),
    };
    let run = match (runs.into_iter().find(is_wanted), options.resume) {
        (Some(run), _) => run,
        (None, Some(wanted)) => return Err(refuse(wanted, "no unfinished run has this id")),
        (None, None) => return Ok(None),
    };
    if !options.resumable {
        return Err(MigrateError::RunUnfinished { run: run.id });
    }
    if !is_of_system(&run) {
        let (kind, name) = (&run.source_kind, &run.source_name);
        let problem = format!("its source is {kind} under the name {name:?}");
        return Err(refuse(run.id, problem));
    }
    let Some(saved) = run.report.get(CHECKPOINT).cloned() else {
        let problem = "its checkpoint went when a tenant was erased";
        return Err(refuse(run.id, problem));
    };
    let checkpoint: Checkpoint = serde_json::from_value(saved).map_err(|error| {
        let problem = format!("its checkpoint cannot be read ({error})");
        refuse(run.id, problem)
    })?;
    let selection = Selection::of(options, source);
    if let Some(option) = selection.difference(&checkpoint.selection) {
        let problem = format!("it was begun with another {option}; give the same");
        return Err(refuse(run.id, problem));
    }
    Ok(Some((run, checkpoint)))
}

fn refuse(run: RunId, problem: impl Into<String>) -> MigrateError {
    MigrateError::NotResumable {
        run,
        problem: problem.into(),
    }
}

impl Carrier<'_> {
    /// Goes on with the books of a checkpoint.
    pub(super) fn go_on(&mut self, from: Checkpoint) {
        self.accounts.go_on(&from.tables, &from.rules);
        self.conflicts = from.conflicts;
        self.quarantined = from.quarantined;
        self.tally = from.tally;
    }

    /// Writes what waits and makes everything so far last, with how far it is. A run that has
    /// inserted nothing leaves no trace of itself yet.
    pub(super) async fn checkpoint(&mut self) -> Result<(), MigrateError> {
        self.flush().await?;
        let Some(course) = self.course.as_deref_mut() else {
            return Ok(());
        };
        course.begin_batch();
        if !self.accounts.has_inserted() {
            return Ok(());
        }
        let books = self.accounts.saved().zip(course.positions());
        let checkpoint = Checkpoint {
            done: self.accounts.done(),
            total: self.accounts.totals().iter().map(|(_, rows)| rows).sum(),
            selection: course.selection.clone(),
            tables: books
                .map(|((table, book), position)| SavedTable {
                    table,
                    position,
                    book,
                })
                .collect(),
            rules: self.accounts.rules(),
            conflicts: self.conflicts.clone(),
            quarantined: self.quarantined.clone(),
            tally: self.tally.clone(),
            // The rows in it last before the target says that they do.
            quarantine: self.quarantine.keep()?,
        };
        let report = stored(&BTreeMap::from([(CHECKPOINT, checkpoint)]))?;
        let run = self.options.run;
        self.writer
            .checkpoint(run, &course.stored, &report)
            .await
            .map_err(refused(run, "making a checkpoint last"))?;
        course.lasts(report);
        Ok(())
    }
}

/// Says what was being done when the target failed, or that the run is no longer this command's.
pub(super) fn refused(run: RunId, step: &'static str) -> impl FnOnce(StorageError) -> MigrateError {
    move |error| match error {
        StorageError::Conflict { .. } => MigrateError::TakenOver { run },
        error => MigrateError::store(step)(error),
    }
}

/// Anything as the report of a run, in the form in which the target keeps it.
pub(super) fn stored(report: &impl Serialize) -> Result<JsonObject, MigrateError> {
    let broken = |problem: String| MigrateError::Contract {
        party: "the report",
        problem,
    };
    match serde_json::to_value(report) {
        Ok(Value::Object(mut report)) => {
            memory_domain::normalise_json("report", &mut report)
                .map_err(|error| broken(error.to_string()))?;
            Ok(report)
        }
        Ok(_) => Err(broken("it is no object".to_owned())),
        Err(error) => Err(broken(error.to_string())),
    }
}
