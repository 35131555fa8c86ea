//! What runs a verb's statement: the store, on a connection of the pool, or a unit of work.

use std::fmt::Display;
use std::time::Instant;

use diesel::deserialize::FromSqlRow;
use diesel::pg::Pg;
use futures_util::future::BoxFuture;
use memory_storage::StorageError;

use crate::connection::Row;
use crate::sql::{RawDone, RawRun};
use crate::statement::Statement;

/// Runs one statement. Each verb is written once over it.
pub(crate) trait Executor: Send + Sync {
    /// Runs a statement and returns its rows.
    fn rows<'a>(
        &'a self,
        statement: &'a Statement<'a>,
    ) -> BoxFuture<'a, Result<Vec<Row>, StorageError>>;

    /// Runs SQL of the caller's own, with the walls around it that are needed here.
    fn raw<'a>(&'a self, run: &'a RawRun<'a>) -> BoxFuture<'a, Result<RawDone, StorageError>>;
}

/// Every verb of the contract, over what runs its statements.
#[derive(Debug)]
pub struct Postgres<E>(pub(crate) E);

#[expect(
    private_bounds,
    reason = "the public sees the contract's traits, not what they are written with"
)]
impl<E: Executor> Postgres<E> {
    /// Runs a statement and reads its rows, whose columns are of the types `S`.
    pub(crate) async fn load<S, R>(&self, statement: Statement<'_>) -> Result<Vec<R>, StorageError>
    where
        R: FromSqlRow<S, Pg>,
    {
        let rows = self.0.rows(&statement).await?;
        read(statement.step(), &rows)
    }

    /// Runs a statement that gives one row or none.
    pub(crate) async fn first<S, R>(
        &self,
        statement: Statement<'_>,
    ) -> Result<Option<R>, StorageError>
    where
        R: FromSqlRow<S, Pg>,
    {
        Ok(self.load::<S, R>(statement).await?.into_iter().next())
    }

    /// Runs a statement that gives rows of a table, and makes them what the domain speaks of.
    pub(crate) async fn entities<S, R, T>(
        &self,
        statement: Statement<'_>,
    ) -> Result<Vec<T>, StorageError>
    where
        R: FromSqlRow<S, Pg>,
        T: TryFrom<R, Error = StorageError>,
    {
        let rows = self.load::<S, R>(statement).await?;
        rows.into_iter().map(T::try_from).collect()
    }

    /// Runs a statement that makes something or finds what stands, until it gives one of the two.
    /// What was written after the statement began is in its way, but not to be seen by it.
    pub(crate) async fn standing<T, F>(&self, attempt: impl Fn() -> F) -> Result<T, StorageError>
    where
        F: Future<Output = Result<Vec<T>, StorageError>>,
    {
        let started = Instant::now();
        for _ in 0..ATTEMPTS {
            if let Some(stands) = attempt().await?.into_iter().next() {
                return Ok(stands);
            }
        }
        let waited = started.elapsed();
        Err(StorageError::Busy { waited })
    }

    /// Runs a statement that gives a row if what it changes is there.
    pub(crate) async fn changed(
        &self,
        statement: Statement<'_>,
        what: &'static str,
        id: impl Display + Send,
    ) -> Result<(), StorageError> {
        if self.0.rows(&statement).await?.is_empty() {
            let id = id.to_string();
            return Err(StorageError::NotFound { what, id });
        }
        Ok(())
    }
}

/// Once is enough unless rows come and go within microseconds.
const ATTEMPTS: u32 = 5;

/// Reads rows whose columns are of the types `S`.
pub(crate) fn read<S, R>(step: &'static str, rows: &[Row]) -> Result<Vec<R>, StorageError>
where
    R: FromSqlRow<S, Pg>,
{
    rows.iter()
        .map(|row| R::build_from_row(row).map_err(|source| StorageError::Backend { step, source }))
        .collect()
}
