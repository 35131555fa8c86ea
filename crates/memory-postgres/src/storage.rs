//! Opening a store, and what can be asked of it besides the verbs.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use memory_storage::{
    Config, Health, Info, Maintenance, OpenError, PoolStats, PostgresTarget, RecordReader,
    RecordWriter, SchemaAdmin, SchemaPolicy, Storage, StorageError, Target, UnitOfWork,
};
use tokio::time::timeout;
use tracing::Instrument;

use crate::connection::{Connector, Row};
use crate::error::chain;
use crate::executor::{Executor, Postgres};
use crate::pool::Pool;
use crate::records::{Reader, Writer};
use crate::schema::Schema;
use crate::sql::{RawDone, RawRun};
use crate::statement::Statement;
use crate::work;

/// A store on a PostgreSQL server.
///
/// Dropping it closes its connections; `close` waits for what is under way.
pub type PostgresStorage = Postgres<Store>;

/// What a store runs its verbs on: each on its own, on a connection of the pool.
pub struct Store {
    pool: Arc<Pool>,
    schema: Schema,
}

impl Postgres<Store> {
    /// Opens a store on a server. A schema that is not the program's is refused unless the
    /// configuration says otherwise: bringing up a shared database is the operator's decision.
    ///
    /// # Errors
    /// `Unreachable`, `Refused`, `ServerTooOld`, `SchemaMismatch`, or `InvalidOption`.
    pub async fn open(config: &Config) -> Result<PostgresStorage, OpenError> {
        let config = Arc::new(config.clone().validated()?);
        let target = postgres(&config)?;
        let connector = connector(target, &config).await?;
        let first = connector.connect().await;
        let first = first.map_err(|error| error.on_open(target, &config.target))?;
        let pool = Arc::new(Pool::new(connector, first, Arc::clone(&config)));
        let schema = Schema::new(Arc::clone(&pool), target.schema.clone());
        let fitted = match config.schema {
            SchemaPolicy::Apply => schema.up().await.map(drop),
            SchemaPolicy::Backend | SchemaPolicy::Require => schema.require().await,
            SchemaPolicy::Ignore => Ok(()),
        };
        fitted.map_err(|error| on_open(error, &config.target))?;
        Ok(Postgres(Store { pool, schema }))
    }
}

/// Connects to a server with everything that a configuration says of the connection, and nothing of
/// ours on top: for reading what another system keeps there. The connection ends with the client.
///
/// # Errors
/// `Unreachable`, `Refused`, `Tls`, `ServerTooOld` or `InvalidOption`.
pub async fn connect_bare(config: &Config) -> Result<tokio_postgres::Client, OpenError> {
    let config = Arc::new(config.clone().validated()?);
    let target = postgres(&config)?;
    let connector = connector(target, &config).await?;
    let client = connector.bare().await;
    client.map_err(|error| error.on_open(target, &config.target))
}

fn postgres(config: &Config) -> Result<&PostgresTarget, OpenError> {
    let Target::Postgres(target) = &config.target else {
        let problem = "give a URL that begins with postgres://";
        return Err(invalid("url", &config.target.to_string(), problem));
    };
    check(target)?;
    Ok(target)
}

/// Reads the files of certificates, off the caller's thread: the system's are many.
async fn connector(
    target: &PostgresTarget,
    config: &Arc<Config>,
) -> Result<Arc<Connector>, OpenError> {
    let (target, config) = (target.clone(), Arc::clone(config));
    let shown = config.target.to_string();
    let reading = tokio::task::spawn_blocking(move || Connector::new(&target, &config));
    match reading.await {
        Ok(Ok(connector)) => Ok(Arc::new(connector)),
        Ok(Err(problem)) => Err(OpenError::Tls {
            target: shown,
            problem,
        }),
        Err(error) => Err(OpenError::Failed {
            target: shown,
            step: "reading certificates",
            source: error.into(),
        }),
    }
}

/// Holds the parts of a target that go into SQL or the startup packet to what they can carry: a
/// target need not come from a URL.
fn check(target: &PostgresTarget) -> Result<(), OpenError> {
    let schema = &target.schema;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if schema.is_empty()
        || schema.len() > 63
        || !schema.chars().all(plain)
        || schema.starts_with(|c: char| c.is_ascii_digit())
        || schema.starts_with("pg_")
    {
        let problem = "give up to 63 of a-z, 0-9 and _, starting with a letter, not with pg_";
        return Err(invalid("schema", schema, problem));
    }
    for (option, value) in [
        ("user", &target.user),
        ("database", &target.database),
        ("application_name", &target.application_name),
    ] {
        if value.contains('\0') {
            return Err(invalid(option, value, "remove the character U+0000"));
        }
    }
    Ok(())
}

fn invalid(option: &str, value: &str, problem: &str) -> OpenError {
    OpenError::InvalidOption {
        option: option.to_owned(),
        value: value.to_owned(),
        problem: problem.to_owned(),
    }
}

fn on_open(error: StorageError, target: &Target) -> OpenError {
    let target = target.to_string();
    match error {
        StorageError::SchemaMismatch { problem } => OpenError::SchemaMismatch { target, problem },
        error => OpenError::Failed {
            target,
            step: "looking at the schema",
            source: error.into(),
        },
    }
}

/// How often a statement that lost against another is tried again. One that loses each time meets a
/// crowd, and waiting is better than adding to it.
const RETRIES: u32 = 4;

impl Executor for Store {
    fn rows<'a>(
        &'a self,
        statement: &'a Statement<'a>,
    ) -> BoxFuture<'a, Result<Vec<Row>, StorageError>> {
        let run = async move {
            let mut attempt = 0;
            loop {
                let failure = match self.pool.lend().await?.run(statement).await {
                    Ok(rows) => return Ok(rows),
                    Err(failure) => failure,
                };
                if !failure.is_race() || attempt == RETRIES {
                    return Err(failure.of_statement(statement, self.pool.config()));
                }
                attempt += 1;
                tokio::time::sleep(Duration::from_millis(1 << attempt)).await;
            }
        };
        run.instrument(statement.span()).boxed()
    }

    fn raw<'a>(&'a self, run: &'a RawRun<'a>) -> BoxFuture<'a, Result<RawDone, StorageError>> {
        let running = async move { run.alone(self.pool.lend().await?, self.pool.config()).await };
        running.boxed()
    }
}

#[async_trait]
impl Storage for Postgres<Store> {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StorageError> {
        Ok(Box::new(work::begin(&self.0.pool).await?))
    }

    async fn health(&self, limit: Duration) -> Health {
        let started = Instant::now();
        let statement = Statement::reading("asking for a sign of life", "select 1");
        let problem = match timeout(limit, self.0.rows(&statement)).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(chain(&error)),
            Err(_) => Some(format!("no answer within {limit:?}")),
        };
        Health {
            healthy: problem.is_none(),
            latency: started.elapsed(),
            problem,
        }
    }

    async fn info(&self) -> Result<Info, StorageError> {
        let mut lease = self.0.pool.lend().await?;
        let server_version = lease.connection().server_version().to_owned();
        let encrypted = lease.connection().is_encrypted();
        drop(lease);
        let states = self.0.schema.status().await?;
        let newest = states.into_iter().rev().find(|state| state.applied);
        let config = self.0.pool.config();
        let mut options = config.options();
        options.insert("encrypted", encrypted.to_string());
        Ok(Info {
            backend: "postgres",
            server_version,
            schema_version: newest.map(|state| state.name),
            location: config.target.to_string(),
            options,
        })
    }

    fn pool_stats(&self) -> PoolStats {
        self.0.pool.stats()
    }

    async fn close(&self, deadline: Duration) -> Result<(), StorageError> {
        self.0.pool.close(deadline).await
    }

    fn schema(&self) -> &dyn SchemaAdmin {
        &self.0.schema
    }

    fn maintenance(&self) -> &dyn Maintenance {
        &self.0.schema
    }

    async fn reader(&self) -> Result<Box<dyn RecordReader>, StorageError> {
        Ok(Box::new(Reader::begin(&self.0.pool).await?))
    }

    async fn writer(&self) -> Result<Box<dyn RecordWriter>, StorageError> {
        Ok(Box::new(Writer::begin(&self.0.pool).await?))
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("location", &self.pool.config().target.to_string())
            .field("pool", &self.pool.stats())
            .finish_non_exhaustive()
    }
}
