//! SQL of the caller's own, and the walls around it.
//!
//! What only reads runs with `query_only` on, which only a `pragma` could switch off, and those are
//! refused before the database sees them, as are transactions, `attach` and `vacuum`. What writes may
//! leave nothing on the writer's connection either: a temporary table would stand before ours.

mod statement;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use async_trait::async_trait;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use memory_storage::{RawSql, SqlBatch, SqlDialect, SqlRow, StorageError};

use self::statement::{RawRow, RawStatement};
use crate::error::{Failure, Trouble};
use crate::executor::{Executor, Reading, Sqlite};

/// What is being done, for errors and logs.
const STEP: &str = "running raw SQL";

#[async_trait]
impl<E: Executor> RawSql for Sqlite<E> {
    async fn sql_rows(&self, batch: SqlBatch) -> Result<Vec<SqlRow>, StorageError> {
        raw(&self.0, batch, |statement, connection| {
            let rows: Vec<RawRow> = statement.load(connection)?;
            Ok(statement::named(rows))
        })
        .await
        .map(|rows| rows.into_iter().flatten().collect())
    }

    async fn sql_count(&self, batch: SqlBatch) -> Result<u64, StorageError> {
        let counts = raw(&self.0, batch, |statement, connection| {
            changes(connection, |connection| Ok(statement.execute(connection)?))
        });
        Ok(counts.await?.into_iter().sum())
    }
}

/// How many rows a statement changed. What changes none leaves SQLite's own count as it was.
fn changes(
    connection: &mut SqliteConnection,
    execute: impl FnOnce(&mut SqliteConnection) -> Result<usize, Failure>,
) -> Result<u64, Failure> {
    let before = total_changes(connection)?;
    let changed = execute(connection)?;
    let any = total_changes(connection)? != before;
    Ok(if any { changed as u64 } else { 0 })
}

fn total_changes(connection: &mut SqliteConnection) -> QueryResult<i64> {
    #[derive(QueryableByName)]
    struct Counted {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        count: i64,
    }
    let sql = "select total_changes() as count";
    let counted: Counted = diesel::sql_query(sql).get_result(connection)?;
    Ok(counted.count)
}

/// Runs a batch and returns what each set of values gave.
async fn raw<E, T, F>(executor: &E, batch: SqlBatch, run: F) -> Result<Vec<T>, StorageError>
where
    E: Executor,
    T: Send + 'static,
    F: Fn(RawStatement<'_>, &mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
{
    let scanned = batch.scanned(SqlDialect::Sqlite)?;
    let SqlBatch { sets, writing, .. } = batch;
    let each = move |connection: &mut SqliteConnection| {
        let ran = sets
            .iter()
            .map(|set| run(RawStatement::new(&scanned.pieces, set), connection))
            .collect();
        explained(ran)
    };
    if writing {
        let body = move |connection: &mut SqliteConnection| {
            let done = each(connection)?;
            leaves_nothing(connection)?;
            Ok(done)
        };
        return executor.write(STEP, body).await;
    }
    // It may look at every row.
    let reading = Reading::of(STEP).snapshot().scan(true);
    executor
        .read(reading, move |connection| only_reading(connection, each))
        .await
}

/// Runs a body that cannot write, on whatever connection: a unit of work has the writer's.
fn only_reading<T>(
    connection: &mut SqliteConnection,
    body: impl FnOnce(&mut SqliteConnection) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let before = is_query_only(connection)?;
    connection.batch_execute("pragma query_only = on")?;
    // Whatever happens, the writer's connection can write again.
    let ran = catch_unwind(AssertUnwindSafe(|| body(connection)));
    if !before {
        connection.batch_execute("pragma query_only = off")?;
    }
    ran.unwrap_or_else(|panic| resume_unwind(panic))
}

fn is_query_only(connection: &mut SqliteConnection) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = diesel::sql_types::Bool)]
        query_only: bool,
    }
    let sql = "select query_only from pragma_query_only";
    let found: Found = diesel::sql_query(sql).get_result(connection)?;
    Ok(found.query_only)
}

/// Refuses what would stay on the connection.
fn leaves_nothing(connection: &mut SqliteConnection) -> Result<(), Failure> {
    if has_temporary(connection)? {
        let what = "a temporary table, view, index or trigger".to_owned();
        return Err(StorageError::Unsupported { what }.into());
    }
    if has_permit(connection)? {
        let what = "a permit to delete audit events that stays".to_owned();
        return Err(StorageError::Unsupported { what }.into());
    }
    Ok(())
}

/// Whether audit events may be deleted: see the migration `audit`.
fn has_permit(connection: &mut SqliteConnection) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = diesel::sql_types::Bool)]
        permit: bool,
    }
    let sql = "select exists (select 1 from tenants_being_erased)
            or exists (select 1 from transfers_being_taken_back) as permit";
    match diesel::sql_query(sql).get_result::<Found>(connection) {
        Ok(found) => Ok(found.permit),
        // The caller dropped them, and with them what could permit anything.
        Err(error) if Trouble::of_error(&error) == Trouble::Schema => Ok(false),
        Err(error) => Err(error),
    }
}

fn has_temporary(connection: &mut SqliteConnection) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Counted {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        count: i64,
    }
    let sql = "select count(*) as count from sqlite_temp_schema";
    let counted: Counted = diesel::sql_query(sql).get_result(connection)?;
    Ok(counted.count > 0)
}

/// A table that is not there is the caller's mistake here, not the schema's.
fn explained<T>(ran: Result<T, Failure>) -> Result<T, Failure> {
    match ran {
        Err(Failure::Database(error)) if Trouble::of_error(&error) == Trouble::Schema => {
            let source = error.into();
            Err(StorageError::Backend { step: STEP, source }.into())
        }
        ran => ran,
    }
}
