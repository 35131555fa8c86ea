use std::sync::Arc;

use memory_storage::StorageError;

use crate::connection::{Part, Row};
use crate::error::{Failure, chain};
use crate::pool::{Lease, Pool};
use crate::statement::Statement;
use crate::work::undo_later;

/// A transaction for one caller, as long as he likes.
pub(crate) struct Transaction {
    pool: Arc<Pool>,
    lease: Result<Lease, String>,
}

impl Transaction {
    pub(crate) async fn begin(pool: &Arc<Pool>, begin: &str) -> Result<Transaction, StorageError> {
        let mut lease = pool.lend().await?;
        lease
            .begin(begin)
            .await
            .map_err(|failure| failure.in_work("beginning", pool.config()))?;
        Ok(Transaction {
            pool: Arc::clone(pool),
            lease: Ok(lease),
        })
    }

    /// Goes on with what another began on this connection.
    pub(super) fn going_on(pool: &Arc<Pool>, lease: Lease) -> Transaction {
        Transaction {
            pool: Arc::clone(pool),
            lease: Ok(lease),
        }
    }

    /// Runs statements that return nothing, and may take long. After a failure, or when the future
    /// is dropped, everything is undone.
    pub(super) async fn long_batch(
        &mut self,
        step: &'static str,
        sql: &str,
    ) -> Result<(), StorageError> {
        let mut lease = self.take("a call was dropped before it ended")?;
        match lease.long_batch(sql).await {
            Ok(()) => {
                self.lease = Ok(lease);
                Ok(())
            }
            Err(failure) => Err(self.abort(step, failure)),
        }
    }

    /// Runs a statement. After a failure, or when the future is dropped, everything is undone.
    pub(crate) async fn run(
        &mut self,
        statement: &Statement<'_>,
    ) -> Result<Vec<Row>, StorageError> {
        let mut lease = self.take("a call was dropped before it ended")?;
        match lease.run(statement).await {
            Ok(rows) => {
                self.lease = Ok(lease);
                Ok(rows)
            }
            Err(failure) => Err(self.abort(statement.step(), failure)),
        }
    }

    /// Runs a statement, and keeps its first rows up to so many bytes. After a failure, or when the
    /// future is dropped, everything is undone.
    pub(super) async fn run_within(
        &mut self,
        statement: &Statement<'_>,
        bytes: usize,
    ) -> Result<Part, StorageError> {
        let mut lease = self.take("a call was dropped before it ended")?;
        match lease.run_within(statement, bytes).await {
            Ok(read) => {
                self.lease = Ok(lease);
                Ok(read)
            }
            Err(failure) => Err(self.abort(statement.step(), failure)),
        }
    }

    pub(crate) async fn commit(mut self) -> Result<(), StorageError> {
        let mut lease = self.take("it was committed")?;
        lease
            .commit()
            .await
            .map_err(|failure| failure.of_commit(self.pool.config()))
    }

    /// Commits, and begins anew on the same connection.
    pub(crate) async fn renew(&mut self, begin: &str) -> Result<(), StorageError> {
        let mut lease = self.take("a checkpoint did not come to its end")?;
        lease
            .commit()
            .await
            .map_err(|failure| failure.of_commit(self.pool.config()))?;
        lease
            .begin(begin)
            .await
            .map_err(|failure| failure.in_work("beginning", self.pool.config()))?;
        self.lease = Ok(lease);
        Ok(())
    }

    fn abort(&mut self, step: &'static str, failure: Failure) -> StorageError {
        let error = failure.in_work(step, self.pool.config());
        self.lease = Err(format!("{step} failed: {}", chain(&error)));
        error
    }

    fn take(&mut self, reason: &str) -> Result<Lease, StorageError> {
        if let Err(reason) = &self.lease {
            let reason = reason.clone();
            return Err(StorageError::WorkAborted { reason });
        }
        std::mem::replace(&mut self.lease, Err(reason.to_owned()))
            .map_err(|reason| StorageError::WorkAborted { reason })
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Ok(lease) = self.take("it was dropped") {
            undo_later(lease);
        }
    }
}
