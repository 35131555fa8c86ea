use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use memory_domain::{Record, RecordKey, RecordKind, TenantId};
use memory_storage::{RecordReader, StorageError, TransferRun};
use tokio::task::spawn_blocking;

use super::{page, runs};
use crate::error::Failure;
use crate::pool::{Checkout, Pool};

/// Reads whole records from the state in which it began: a read transaction that lasts as long as
/// it does. It holds one of the pool's connections.
///
/// While it lasts, SQLite's log cannot be moved into the file beyond that state, and grows.
pub(crate) struct Reader(Arc<Mutex<Held>>);

impl Reader {
    pub(crate) async fn begin(pool: &Pool) -> Result<Reader, StorageError> {
        let held = Held(pool.checkout().await?);
        let reader = Reader(Arc::new(Mutex::new(held)));
        // A transaction sees nothing before its first statement, so there is one at once.
        reader
            .run("beginning to read", |connection| {
                connection.batch_execute("begin; select 1 from sqlite_schema limit 1")?;
                Ok(())
            })
            .await?;
        Ok(reader)
    }

    /// Runs a body off the caller's thread. If the caller goes away, it runs on to its end, and the
    /// connection goes back after it.
    async fn run<T, F>(&self, step: &'static str, body: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
    {
        let held = self.0.clone();
        let running = spawn_blocking(move || {
            let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
            held.0.check_cut()?;
            held.0.run(step, body)
        });
        running.await.unwrap_or_else(|error| {
            let source = error.into();
            Err(StorageError::Backend { step, source })
        })
    }
}

/// A connection with an open read transaction.
struct Held(Checkout);

impl Drop for Held {
    fn drop(&mut self) {
        // Without it the connection would be closed, which costs more and says the same.
        self.0.end_transaction();
    }
}

#[async_trait]
impl RecordReader for Reader {
    async fn count(
        &mut self,
        kind: RecordKind,
        tenant: Option<&TenantId>,
    ) -> Result<u64, StorageError> {
        let tenant = tenant.cloned();
        self.run("counting records", move |connection| {
            page::count(connection, kind, tenant.as_ref())
        })
        .await
    }

    async fn page(
        &mut self,
        kind: RecordKind,
        tenant: Option<&TenantId>,
        after: Option<&RecordKey>,
        limit: u32,
    ) -> Result<Vec<Record>, StorageError> {
        let (tenant, after) = (tenant.cloned(), after.cloned());
        self.run("reading records", move |connection| {
            page::page(connection, kind, tenant.as_ref(), after.as_ref(), limit)
        })
        .await
    }

    async fn runs(&mut self, limit: u32) -> Result<Vec<TransferRun>, StorageError> {
        self.run("listing runs", move |connection| {
            runs::list(connection, limit)
        })
        .await
    }
}
