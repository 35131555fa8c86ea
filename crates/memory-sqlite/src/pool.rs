//! The store's executor: reads on a pool of connections, writes by the writer.

use std::fmt::{self, Debug};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bb8::{PooledConnection, RunError};
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use memory_storage::{Config, OpenError, StorageError};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::{block_in_place, spawn_blocking};
use tokio::time::timeout;
use tracing::{Instrument, Span};

use crate::connection::{Connection, Place};
use crate::error::{Failure, panicked};
use crate::executor::{Executor, Reading, span};
use crate::gate::{Gate, Pass};
use crate::meter::{InUse, Meter};
use crate::readers::{Readers, readers};
use crate::writer::{Lease, Limits, Writer};

/// What every part of an open store hangs on.
pub struct Pool {
    pub(crate) config: Config,
    pub(crate) place: Arc<Place>,
    pub(crate) gate: Arc<Gate>,
    readers: Mutex<Option<bb8::Pool<Readers>>>,
    /// `None` if the store is only read.
    writer: Option<Writer>,
    /// Set if this runtime refuses `block_in_place` though it has several threads.
    never_in_place: AtomicBool,
}

impl Pool {
    /// Opens the readers and starts the writer. The file is there and is ours.
    pub(crate) async fn start(
        config: Config,
        place: Arc<Place>,
        writer: Option<Connection>,
    ) -> Result<Pool, OpenError> {
        let readers = readers(&config.pool, place.clone())
            .await
            .map_err(|error| {
                let step = "opening the readers";
                failed(&config, step, error)
            })?;
        let limits = Limits {
            acquire: config.pool.acquire_timeout,
            statement: config.statement_timeout,
        };
        let writer = writer
            .map(|connection| Writer::start(place.clone(), connection, limits))
            .transpose()
            .map_err(|error| failed(&config, "starting the writer's thread", error))?;
        Ok(Pool {
            config,
            place,
            gate: Arc::default(),
            readers: Mutex::new(Some(readers)),
            writer,
            never_in_place: AtomicBool::new(false),
        })
    }

    pub(crate) fn meter(&self) -> &Arc<Meter> {
        &self.place.meter
    }

    /// The writer, if there is one.
    pub(crate) fn writer(&self) -> Result<&Writer, StorageError> {
        self.writer.as_ref().ok_or(StorageError::ReadOnly)
    }

    /// Waits for a turn of one's own on the writer.
    pub(crate) async fn lease(&self, idle: Option<Duration>) -> Result<Lease, StorageError> {
        let pass = self.gate.enter()?;
        self.writer()?.lease(pass, idle).await
    }

    /// See `Storage::close`.
    pub(crate) async fn close(&self, deadline: Duration) -> Result<(), StorageError> {
        let begun = Instant::now();
        let again = self.gate.is_closed();
        self.gate.close();
        let in_time = self.gate.emptied(deadline).await;
        // Connections that are still out are closed when they come back.
        drop(self.lock_readers().take());
        let mut stopped = true;
        if let Some(writer) = &self.writer {
            if !in_time {
                self.gate.cut();
                writer.cut();
            }
            let left = deadline.saturating_sub(begun.elapsed()).max(LAST_MOMENTS);
            stopped = timeout(left, writer.stop()).await.is_ok();
        }
        self.place.remove_temporary();
        if again || (in_time && stopped) {
            Ok(())
        } else {
            let waited = begun.elapsed();
            Err(StorageError::Busy { waited })
        }
    }

    pub(crate) async fn checkout(&self) -> Result<Checkout, StorageError> {
        let pass = self.gate.enter()?;
        let readers = self.lock_readers().clone().ok_or(StorageError::Closed)?;
        let asked = Instant::now();
        let direct = readers.state().idle_connections > 0;
        match readers.get_owned().await {
            Ok(connection) => {
                if !direct {
                    self.meter().waited(asked.elapsed());
                }
                Ok(Checkout {
                    connection,
                    _in_use: self.meter().using(),
                    pass,
                })
            }
            Err(RunError::TimedOut) => {
                let waited = asked.elapsed();
                self.meter().timed_out(waited);
                let max_size = self.config.pool.max_size;
                Err(StorageError::PoolTimeout { waited, max_size })
            }
            Err(RunError::User(error)) => Err(StorageError::Unavailable {
                step: "opening a connection",
                source: error.into(),
            }),
        }
    }

    fn lock_readers(&self) -> std::sync::MutexGuard<'_, Option<bb8::Pool<Readers>>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a body may run on the caller's own thread, which saves the way to another one and
    /// back: a point read takes a third of that way's time.
    fn may_run_in_place(&self) -> bool {
        !self.never_in_place.load(Relaxed)
            && Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread
    }
}

/// What closing gives the writer to move its log into the file, whatever the deadline.
const LAST_MOMENTS: Duration = Duration::from_millis(500);

impl Pool {
    /// Runs a body on the caller's own thread, or on one that may wait.
    async fn read_somewhere<T, F>(&self, reading: Reading, body: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
    {
        let mut out = self.checkout().await?;
        self.meter().hop();
        let mut body = Some(body);
        if !reading.scan && self.may_run_in_place() {
            // Within a `LocalSet`, `block_in_place` panics before it runs anything, and there is no
            // way to ask first. The body's own panics are caught further in.
            let entered = catch_unwind(AssertUnwindSafe(|| {
                block_in_place(|| body.take().map(|body| out.read(reading, body)))
            }));
            match entered {
                Ok(Some(result)) => return result,
                _ => self.never_in_place.store(true, Relaxed),
            }
        }
        let Some(body) = body else {
            return Err(panicked(reading.step, &"the body was lost"));
        };
        let span = Span::current();
        let running = spawn_blocking(move || span.in_scope(|| out.read(reading, body)));
        let limit = self.config.statement_timeout;
        match timeout(limit, running).await {
            Ok(Ok(result)) => result,
            Ok(Err(error)) => Err(StorageError::Backend {
                step: reading.step,
                source: error.into(),
            }),
            Err(_) => Err(StorageError::Timeout { limit }),
        }
    }
}

impl Executor for Pool {
    async fn read<T, F>(&self, reading: Reading, body: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
    {
        let span = span(reading.step);
        self.read_somewhere(reading, body).instrument(span).await
    }

    async fn write<T, F>(&self, step: &'static str, body: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
    {
        let _pass = self.gate.enter()?;
        let writing = self.writer()?.write(step, body);
        writing.instrument(span(step)).await
    }
}

impl Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let location = format_args!("{}", self.config);
        f.debug_struct("Pool")
            .field("location", &location)
            .finish_non_exhaustive()
    }
}

/// A reader's connection that is out of the pool.
pub(crate) struct Checkout {
    // In this order: the connection is back before it counts as idle.
    connection: PooledConnection<'static, Readers>,
    _in_use: InUse,
    pass: Pass,
}

impl Checkout {
    /// Runs a body. A panic becomes an error.
    pub(crate) fn run<T, F>(&mut self, step: &'static str, body: F) -> Result<T, StorageError>
    where
        F: FnOnce(&mut SqliteConnection) -> Result<T, Failure>,
    {
        let begun = Instant::now();
        let connection = &mut self.connection;
        // A statement cut short by a panic is reset as it unwinds, and the connection is closed.
        let ran = catch_unwind(AssertUnwindSafe(|| body(connection)));
        let (result, broken) = match ran {
            Ok(Ok(value)) => (Ok(value), false),
            Ok(Err(Failure::Refused(error))) => (Err(error), false),
            // Whatever the database met, the next verb gets another connection.
            Ok(Err(failure)) => {
                let error = failure.into_error(step, begun.elapsed());
                (Err(error), true)
            }
            Err(panic) => (Err(panicked(step, &*panic)), true),
        };
        self.connection.broken |= broken;
        result
    }

    /// Runs the body of a verb, in a transaction if it has several statements.
    fn read<T, F>(&mut self, reading: Reading, body: F) -> Result<T, StorageError>
    where
        F: FnOnce(&mut SqliteConnection) -> Result<T, Failure>,
    {
        self.run(reading.step, |connection| {
            if reading.snapshot {
                in_snapshot(connection, body)
            } else {
                body(connection)
            }
        })
    }

    /// Refuses to go on if the store was closed meanwhile.
    pub(crate) fn check_cut(&self) -> Result<(), StorageError> {
        self.pass.check_cut()
    }

    /// Ends a transaction that was left open, so that the connection can go back to the pool.
    pub(crate) fn end_transaction(&mut self) {
        if self.connection.batch_execute("rollback").is_err() {
            self.connection.broken = true;
        }
    }
}

/// Runs a body within one read transaction: all its statements see one state.
fn in_snapshot<T>(
    connection: &mut SqliteConnection,
    body: impl FnOnce(&mut SqliteConnection) -> Result<T, Failure>,
) -> Result<T, Failure> {
    connection.batch_execute("begin")?;
    let result = body(connection);
    let ended = connection.batch_execute("rollback");
    let value = result?;
    ended?;
    Ok(value)
}

fn failed(
    config: &Config,
    step: &'static str,
    error: impl std::error::Error + Send + Sync + 'static,
) -> OpenError {
    OpenError::Failed {
        target: config.to_string(),
        step,
        source: Box::new(error),
    }
}
