//! A connection as the driver gives it, without diesel, which cannot COPY.

use std::io::Cursor;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use diesel_async::AsyncPgConnection;
use futures_util::SinkExt;
use memory_storage::SqlDialect;
use tokio::task::JoinHandle;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row, Statement};

use super::{Connection, Connector, State};
use crate::error::{ConnectError, Failure};
use crate::tap::LastError;

/// A connection as the driver gives it. Dropping it closes it, and stops what it still runs.
///
/// Nothing here is bounded in time but by the server: what it is for takes as long as it takes.
pub(crate) struct Line {
    parts: Option<Parts>,
    connector: Arc<Connector>,
    version: String,
    pub(super) encrypted: bool,
}

struct Parts {
    client: Client,
    driver: JoinHandle<Option<tokio_postgres::Error>>,
    last_error: LastError,
}

impl Line {
    pub(super) fn new(
        client: Client,
        driver: JoinHandle<Option<tokio_postgres::Error>>,
        last_error: LastError,
        version: String,
        encrypted: bool,
        connector: Arc<Connector>,
    ) -> Line {
        let parts = Parts {
            client,
            driver,
            last_error,
        };
        Line {
            parts: Some(parts),
            connector,
            version,
            encrypted,
        }
    }

    /// Goes on with diesel on top, in the middle of a transaction or not.
    pub(crate) async fn into_connection(
        mut self,
        state: State,
    ) -> Result<Connection, ConnectError> {
        let Parts {
            client,
            driver,
            last_error,
        } = self.parts.take().expect("it is taken once");
        let cancel = client.cancel_token();
        let diesel = AsyncPgConnection::try_from(client)
            .await
            .map_err(ConnectError::unreachable)?;
        Ok(Connection {
            diesel,
            driver,
            last_error,
            cancel,
            patience: self.connector.patience,
            connector: Arc::clone(&self.connector),
            version: std::mem::take(&mut self.version),
            encrypted: self.encrypted,
            used_up: false,
            state,
            lost: None,
            idle_since: Instant::now(),
        })
    }

    pub(super) fn into_client(mut self) -> Client {
        self.parts.take().expect("it is taken once").client
    }

    fn client(&self) -> &Client {
        &self.parts.as_ref().expect("it is taken at the end").client
    }

    /// Runs statements that return nothing and have no values.
    pub(crate) async fn batch(&self, sql: &str) -> Result<(), Failure> {
        self.timed(sql, self.client().batch_execute(sql)).await
    }

    /// Runs a statement whose values are texts, and returns its rows.
    pub(crate) async fn rows(&self, sql: &str, values: &[&str]) -> Result<Vec<Row>, Failure> {
        let values: Vec<(&(dyn ToSql + Sync), Type)> = values
            .iter()
            .map(|value| (value as &(dyn ToSql + Sync), Type::TEXT))
            .collect();
        self.timed(sql, self.client().query_typed(sql, &values))
            .await
    }

    /// Prepares a statement.
    pub(crate) async fn prepare(&self, sql: &str) -> Result<Statement, Failure> {
        self.timed(sql, self.client().prepare(sql)).await
    }

    /// Has a statement that copies from here take what is to be copied.
    pub(crate) async fn copy(&self, statement: &Statement, bytes: Vec<u8>) -> Result<(), Failure> {
        self.timed("copy", async {
            let sink = self.client().copy_in(statement).await?;
            let mut sink = pin!(sink);
            sink.feed(Cursor::new(bytes)).await?;
            sink.finish().await
        })
        .await
        .map(drop)
    }

    async fn timed<T>(
        &self,
        sql: &str,
        running: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Failure> {
        let started = Instant::now();
        let result = running.await;
        let shape = || memory_storage::shape(sql, SqlDialect::Postgres);
        self.connector.log.ended(started, shape);
        result.map_err(|error| Failure::of_driver(error, started.elapsed()))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(Parts { client, driver, .. }) = self.parts.take()
            && !driver.is_finished()
        {
            // For the reason that is given at the connection.
            driver.abort();
            self.connector
                .cancel_later(client.cancel_token(), self.encrypted);
        }
    }
}
