use std::future::Future;
use std::pin::{Pin, pin};

use futures_util::TryStreamExt;
use futures_util::future::{Either, select};
use memory_storage::SourceError;
use tokio::runtime::Handle;
use tokio_postgres::{Client, Row, RowStream};

use crate::reading::{Sink, Stop};

/// How many rows a cursor gives at once.
const FETCH: u32 = 1_000;
/// The most rows, and bytes of rows, that are held before they are converted.
const CHUNK_ROWS: usize = 256;
const CHUNK_BYTES: usize = 8 * 1024 * 1024;

/// Fixes the state that is read. The server's defaults might end a transaction that waits for the
/// target, and might spell times otherwise.
const BEGIN: &str = "begin isolation level repeatable read, read only;
    set local statement_timeout = 0;
    set local idle_in_transaction_session_timeout = 0;
    set local timezone = 'UTC';
    set local datestyle = 'ISO';
    set local extra_float_digits = 1;";

pub(super) async fn begin(client: &Client, location: &str) -> Result<(), SourceError> {
    client
        .batch_execute(BEGIN)
        .await
        .map_err(|error| failed(location, "beginning to read", error))
}

pub(super) fn failed(
    location: &str,
    step: &'static str,
    error: tokio_postgres::Error,
) -> SourceError {
    SourceError::Failed {
        location: location.to_owned(),
        step,
        source: error.into(),
    }
}

/// A connection in its read transaction, used from a thread that is not of the runtime.
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) location: String,
    pub(super) runtime: Handle,
}

impl Session {
    /// Waits for an answer, or until nobody wants it.
    pub(super) fn wait<T>(
        &self,
        sink: &Sink,
        step: &'static str,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Stop> {
        self.runtime.block_on(async {
            match select(pin!(answer), pin!(sink.closed())).await {
                Either::Left((answer, _)) => {
                    answer.map_err(|error| failed(&self.location, step, error).into())
                }
                Either::Right(_) => Err(Stop::Unwanted),
            }
        })
    }

    /// Calls `each` with every row that a query gives, through a cursor.
    pub(super) fn each(
        &self,
        sql: &str,
        sink: &mut Sink,
        mut each: impl FnMut(&Row, &mut Sink) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let declare = format!("declare legacy_rows no scroll cursor for {sql}");
        let step = "preparing to read rows";
        self.wait(sink, step, self.client.batch_execute(&declare))?;
        let fetch = format!("fetch forward {FETCH} from legacy_rows");
        let fetch = self.wait(sink, step, self.client.prepare(&fetch))?;
        let no_values: [&str; 0] = [];
        loop {
            let step = "reading rows";
            let stream = self.wait(sink, step, self.client.query_raw(&fetch, no_values))?;
            let mut stream = Box::pin(stream);
            let mut rows = 0;
            loop {
                let (chunk, is_last) = self.wait(sink, step, chunk(&mut stream))?;
                rows += chunk.len();
                for row in &chunk {
                    each(row, sink)?;
                }
                if is_last {
                    break;
                }
            }
            if rows == 0 {
                break;
            }
        }
        let step = "ending to read rows";
        self.wait(sink, step, self.client.batch_execute("close legacy_rows"))
    }
}

/// The next rows of a stream, few enough to be held, and whether it ended: from then on it must not
/// be asked again.
async fn chunk(
    stream: &mut Pin<Box<RowStream>>,
) -> Result<(Vec<Row>, bool), tokio_postgres::Error> {
    let mut rows = Vec::new();
    let mut bytes = 0;
    while rows.len() < CHUNK_ROWS && bytes < CHUNK_BYTES {
        let Some(row) = stream.try_next().await? else {
            return Ok((rows, true));
        };
        bytes += row.raw_size_bytes();
        rows.push(row);
    }
    Ok((rows, false))
}
