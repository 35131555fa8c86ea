//! The list of runs.

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use memory_diesel::TransferRunRow;
use memory_diesel::schema::transfer_runs;
use memory_diesel::sql_types::IdValue;
use memory_domain::{JsonObject, Timestamp};
use memory_storage::{RunId, RunStatus, StorageError, TransferRun};

use crate::error::Failure;
use crate::statement::Statement;
use crate::tenants::{entities, found};

pub(super) fn open(connection: &mut SqliteConnection, run: TransferRun) -> Result<(), Failure> {
    let id = run.id;
    let opened = diesel::insert_into(transfer_runs::table)
        .values(TransferRunRow::from(run))
        .on_conflict_do_nothing()
        .execute(connection)?;
    if opened == 1 {
        return Ok(());
    }
    Err(conflict(id))
}

pub(super) fn close(
    connection: &mut SqliteConnection,
    run: RunId,
    status: RunStatus,
    at: Timestamp,
    report: JsonObject,
) -> Result<(), Failure> {
    if one(connection, run)?.is_some_and(|run| run.status == RunStatus::RolledBack) {
        return Err(conflict(run));
    }
    let changed = Statement::new(
        "update transfer_runs set status = ?, finished_at = ?, report = ? where id = ?",
    )
    .text(status.as_str())
    .at(at)
    .json(report)
    .id(run.0)
    .run(connection)?;
    Ok(found("run", &run, changed)?)
}

/// Sets the report of a run that is under way and whose report is `from`.
pub(super) fn checkpoint(
    connection: &mut SqliteConnection,
    run: RunId,
    from: &JsonObject,
    to: JsonObject,
) -> Result<(), Failure> {
    // Nobody else writes until the transaction ends.
    let standing = one(connection, run)?;
    if !standing.is_some_and(|run| run.status == RunStatus::Running && run.report == *from) {
        return Err(conflict(run));
    }
    Statement::new("update transfer_runs set report = ? where id = ?")
        .json(to)
        .id(run.0)
        .run(connection)?;
    Ok(())
}

fn conflict(run: RunId) -> Failure {
    Failure::Refused(StorageError::Conflict {
        what: "run",
        id: run.to_string(),
    })
}

pub(super) fn one(
    connection: &mut SqliteConnection,
    run: RunId,
) -> Result<Option<TransferRun>, Failure> {
    let row: Option<TransferRunRow> = transfer_runs::table
        .find(IdValue(run.0))
        .select(TransferRunRow::as_select())
        .first(connection)
        .optional()?;
    Ok(row.map(TransferRun::try_from).transpose()?)
}

pub(super) fn unfinished(connection: &mut SqliteConnection) -> Result<Vec<TransferRun>, Failure> {
    let rows: Vec<TransferRunRow> = transfer_runs::table
        .select(TransferRunRow::as_select())
        .filter(transfer_runs::status.eq(RunStatus::Running.as_str()))
        .order((transfer_runs::started_at.desc(), transfer_runs::id.desc()))
        .load(connection)?;
    entities(rows)
}

pub(crate) fn list(
    connection: &mut SqliteConnection,
    limit: u32,
) -> Result<Vec<TransferRun>, Failure> {
    let rows: Vec<TransferRunRow> = transfer_runs::table
        .select(TransferRunRow::as_select())
        .order((transfer_runs::started_at.desc(), transfer_runs::id.desc()))
        .limit(limit.into())
        .load(connection)?;
    entities(rows)
}
