//! The store: what is not a verb on what is remembered.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use diesel::prelude::*;
use memory_storage::{
    Config, Health, Info, Maintenance, OpenError, PoolStats, RecordReader, RecordWriter,
    SchemaAdmin, Storage, StorageError, Target, UnitOfWork,
};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::executor::{Executor, Reading, Sqlite};
use crate::open;
use crate::pool::Pool;
use crate::records::{Reader, Writer};
use crate::schema;

/// An open SQLite store.
///
/// Reads run on a pool of connections and never wait for the writer. Every write goes to the one
/// writer, which commits those that wait together; a unit of work has it alone until it ends. When
/// the last handle is dropped, the writer's thread ends.
///
/// # Timeouts
///
/// A write that the writer has not begun within `pool.acquire_timeout` is `Busy` and will not be
/// written. One that it has begun is undone after `statement_timeout`, which is `Timeout`, unless
/// only the commit is left. A listing that must look at every row is given up after
/// `statement_timeout`; what an index bounds runs to its end.
pub type SqliteStorage = Sqlite<Pool>;

impl Sqlite<Pool> {
    /// Opens the file that the configuration names; by default it is created, and its schema
    /// brought up, if needed. Many processes may do so at once.
    ///
    /// Must be called on a tokio runtime, of either flavour, which the store then needs as long as
    /// it is used.
    ///
    /// # Errors
    /// See [`OpenError`]; `InvalidOption` if the target is no SQLite store.
    pub async fn open(config: &Config) -> Result<SqliteStorage, OpenError> {
        let config = config.clone().validated()?;
        let Target::Sqlite(target) = config.target.clone() else {
            return Err(OpenError::InvalidOption {
                option: "target".to_owned(),
                value: config.to_string(),
                problem: "give a SQLite store".to_owned(),
            });
        };
        let opening = config.clone();
        let opened = spawn_blocking(move || open::open(&opening, &target))
            .await
            .unwrap_or_else(|error| {
                Err(OpenError::Failed {
                    target: config.to_string(),
                    step: "opening the file",
                    source: error.into(),
                })
            })?;
        let pool = Pool::start(config, opened.place, opened.writer).await?;
        Ok(Sqlite(pool))
    }

    /// How often a verb has left its task for a connection: once per verb, which a test holds.
    #[doc(hidden)]
    pub fn hops(&self) -> u64 {
        self.0.meter().hops()
    }
}

#[async_trait]
impl Storage for Sqlite<Pool> {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StorageError> {
        let idle = self.0.config.idle_work_timeout;
        let lease = self.0.lease(Some(idle)).await?;
        Ok(Box::new(Sqlite(lease)))
    }

    async fn health(&self, within: Duration) -> Health {
        let begun = Instant::now();
        // Off the caller's thread, so that a disk that hangs does not hang the answer.
        let reading = Reading::of("checking the store").scan(true);
        let look = self.0.read(reading, |connection| {
            Ok(diesel::sql_query("select 1 from sqlite_schema limit 1").execute(connection)?)
        });
        let problem = match timeout(within, look).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("no answer within {within:?}")),
        };
        Health {
            healthy: problem.is_none(),
            latency: begun.elapsed(),
            problem,
        }
    }

    async fn info(&self) -> Result<Info, StorageError> {
        let reading = Reading::of("reading what the store is").snapshot();
        let (server_version, states) = self
            .0
            .read(reading, |connection| {
                let version = diesel::select(sqlite_version()).get_result(connection)?;
                Ok((version, schema::states(connection)?))
            })
            .await?;
        let newest = states.into_iter().rfind(|state| state.applied);
        Ok(Info {
            backend: "sqlite",
            server_version,
            schema_version: newest.map(|state| state.name),
            location: self.0.config.to_string(),
            options: self.options(),
        })
    }

    fn pool_stats(&self) -> PoolStats {
        self.0.meter().stats()
    }

    async fn close(&self, deadline: Duration) -> Result<(), StorageError> {
        self.0.close(deadline).await
    }

    fn schema(&self) -> &dyn SchemaAdmin {
        &self.0
    }

    fn maintenance(&self) -> &dyn Maintenance {
        &self.0
    }

    async fn reader(&self) -> Result<Box<dyn RecordReader>, StorageError> {
        Ok(Box::new(Reader::begin(&self.0).await?))
    }

    async fn writer(&self) -> Result<Box<dyn RecordWriter>, StorageError> {
        // A transfer waits for its source between batches, for as long as that takes.
        Ok(Box::new(Writer::new(self.0.lease(None).await?)))
    }
}

diesel::define_sql_function! {
    fn sqlite_version() -> Text;
}

impl Sqlite<Pool> {
    /// What is configured, and what came of it: a temporary file waits for no disk, and a file in a
    /// folder that cannot be written is read as it lies there.
    fn options(&self) -> BTreeMap<&'static str, String> {
        let place = &self.0.place;
        let mut options = self.0.config.options();
        options.insert("access", format!("{:?}", place.access).to_lowercase());
        options.insert("synchronous", place.synchronous().to_owned());
        options
    }
}
