//! The unit of work: every verb on a lease of the writer.

use async_trait::async_trait;
use diesel::sqlite::SqliteConnection;
use memory_storage::{StorageError, UnitOfWork};
use tracing::Instrument;

use crate::error::Failure;
use crate::executor::{Executor, Reading, Sqlite, span};
use crate::writer::Lease;

impl Executor for Lease {
    async fn read<T, F>(&self, reading: Reading, body: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
    {
        // The work's transaction is the one state that the body sees.
        self.run(reading.step, body)
            .instrument(span(reading.step))
            .await
    }

    async fn write<T, F>(&self, step: &'static str, body: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
    {
        self.run(step, body).instrument(span(step)).await
    }
}

#[async_trait]
impl UnitOfWork for Sqlite<Lease> {
    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        self.0.commit().await
    }

    async fn rollback(self: Box<Self>) -> Result<(), StorageError> {
        self.0.roll_back().await;
        Ok(())
    }
}
