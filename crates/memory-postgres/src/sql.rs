//! SQL of the caller's own, and the walls around it.
//!
//! What only reads runs in a read-only transaction, or within a unit of work in a read-only
//! savepoint: neither can be made to write again. What it set in the session is undone, and where
//! that is not certain the connection is closed.

mod statement;
mod values;

use async_trait::async_trait;
use memory_storage::{
    Config, RawSql, ScannedSql, SqlBatch, SqlDialect, SqlRow, SqlValue, StorageError,
};
use tracing::Instrument;

pub(crate) use statement::RawStatement;

use crate::error::Failure;
use crate::executor::{Executor, Postgres};
use crate::pool::Lease;

/// What is being done, for errors and logs.
pub(crate) const STEP: &str = "running raw SQL";

/// What a statement may leave behind in a session, undone. As `discard all`, which would throw away
/// the prepared statements too, and cannot run with others.
macro_rules! tidy {
    () => {
        "reset all; reset role; reset session authorization; close all; unlisten *; \
         select pg_advisory_unlock_all(); discard temp"
    };
}

/// The same within a unit of work, whose locks and cursors are its own.
macro_rules! tidy_within {
    () => {
        "reset all; reset role; reset session authorization; discard temp"
    };
}

const AFTER_READING: &str = concat!("rollback; ", tidy!());
const AFTER_WRITING: &str = tidy!();
const BEFORE_READING_WITHIN: &str = "savepoint raw_sql; set transaction read only";
const BEFORE_FETCHING_WITHIN: &str = "savepoint raw_sql";
const UNDO_WITHIN: &str = "rollback to savepoint raw_sql; release savepoint raw_sql";
const AFTER_WRITING_WITHIN: &str = tidy_within!();
const AFTER_FETCHING_WITHIN: &str = concat!("release savepoint raw_sql; ", tidy_within!());

/// A batch, and what is wanted of it.
pub(crate) struct RawRun<'a> {
    scanned: ScannedSql,
    sets: &'a [Vec<SqlValue>],
    writing: bool,
    fetch: bool,
}

/// What came of a batch.
#[derive(Default)]
pub(crate) struct RawDone {
    rows: Vec<SqlRow>,
    changed: u64,
}

#[async_trait]
impl<E: Executor> RawSql for Postgres<E> {
    async fn sql_rows(&self, batch: SqlBatch) -> Result<Vec<SqlRow>, StorageError> {
        let run = RawRun::new(&batch, true)?;
        Ok(self.0.raw(&run).instrument(span()).await?.rows)
    }

    async fn sql_count(&self, batch: SqlBatch) -> Result<u64, StorageError> {
        let run = RawRun::new(&batch, false)?;
        Ok(self.0.raw(&run).instrument(span()).await?.changed)
    }
}

fn span() -> tracing::Span {
    tracing::debug_span!(target: "memory::verb", "verb", backend = "postgres", verb = STEP)
}

impl<'a> RawRun<'a> {
    fn new(batch: &'a SqlBatch, fetch: bool) -> Result<RawRun<'a>, StorageError> {
        Ok(RawRun {
            scanned: batch.scanned(SqlDialect::Postgres)?,
            sets: &batch.sets,
            writing: batch.writing,
            fetch,
        })
    }

    /// Runs it in a transaction of its own. A connection that fails in it is closed.
    pub(crate) async fn alone(
        &self,
        mut lease: Lease,
        config: &Config,
    ) -> Result<RawDone, StorageError> {
        let begin = if self.writing {
            "begin"
        } else {
            // All sets of values see one state.
            "begin isolation level repeatable read read only"
        };
        let started = lease.begin(begin).await;
        started.map_err(|failure| RawRun::error(failure, config))?;
        let done = self.run(&mut lease).await.flatten();
        let done = done.map_err(|failure| RawRun::error(failure, config))?;
        let restore = if self.writing {
            let committed = lease.commit().await;
            committed.map_err(|failure| failure.of_commit(config))?;
            AFTER_WRITING
        } else {
            AFTER_READING
        };
        if lease.connection().restore(restore).await.is_err() {
            lease.connection().give_up();
        }
        Ok(done)
    }

    /// Runs it within a unit of work, whose connection nobody has after it. The failure within is
    /// ours and not the server's: what ran is undone, and the work goes on.
    pub(crate) async fn within(
        &self,
        lease: &mut Lease,
    ) -> Result<Result<RawDone, Failure>, Failure> {
        lease.connection().use_up();
        match (self.writing, self.fetch) {
            (false, _) => lease.batch(BEFORE_READING_WITHIN).await?,
            (true, true) => lease.batch(BEFORE_FETCHING_WITHIN).await?,
            // Without rows none is read wrongly, which saves the round trip.
            (true, false) => {}
        }
        let done = self.run(lease).await?;
        let end = match (self.writing, self.fetch) {
            (true, true) if done.is_ok() => AFTER_FETCHING_WITHIN,
            (true, false) => AFTER_WRITING_WITHIN,
            _ => UNDO_WITHIN,
        };
        lease.batch(end).await?;
        Ok(done)
    }

    /// Fails within if a value of what ran has no type here.
    async fn run(&self, lease: &mut Lease) -> Result<Result<RawDone, Failure>, Failure> {
        let mut done = RawDone::default();
        for values in self.sets {
            let raw = RawStatement::new(&self.scanned, values);
            if self.fetch {
                let rows = lease.raw_rows(&raw).await?;
                match values::decoded(&rows) {
                    Ok(rows) => done.rows.extend(rows),
                    Err(failure) => return Ok(Err(failure)),
                }
            } else {
                let rows = lease.raw_count(&raw).await? as u64;
                // Of what only looks, PostgreSQL counts the rows that it found.
                done.changed += if self.scanned.only_looks() { 0 } else { rows };
            }
        }
        Ok(Ok(done))
    }

    /// What became of it. Before its commit nothing is in doubt; and a table that is not there is
    /// the caller's mistake here, not the schema's.
    pub(crate) fn error(failure: Failure, config: &Config) -> StorageError {
        failure.of_raw(STEP, config)
    }
}
