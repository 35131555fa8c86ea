//! The pool of connections: bb8, with its own idea of when a connection is checked, and with true
//! counts.

mod bare;

pub(crate) use bare::Bare;

use std::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bb8::{ErrorSink, ManageConnection, PooledConnection, QueueStrategy};
use diesel_async::AsyncPgConnection;
use futures_util::future::{Either, select};
use memory_storage::{Config, PoolStats, StorageError};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::connection::{Connection, Connector, Line, Part, Row, State};
use crate::error::{ConnectError, Failure};
use crate::sql::RawStatement;
use crate::statement::Statement;

/// How long the check of a connection that lay idle may take before another is tried.
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// Hands out connections until it is closed.
pub(crate) struct Pool {
    connections: Mutex<Option<bb8::Pool<Manager>>>,
    connector: Arc<Connector>,
    counts: Arc<Counts>,
    failures: watch::Receiver<Option<ConnectError>>,
    phase: watch::Sender<Phase>,
    config: Arc<Config>,
}

/// How far closing is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Everything is served.
    Open,
    /// Nothing new begins.
    Closing,
    /// What is under way is cut off.
    Cut,
}

impl Pool {
    /// Makes the pool around a first connection; the others that stay open although idle are made
    /// in the background.
    pub(crate) fn new(connector: Arc<Connector>, first: Connection, config: Arc<Config>) -> Pool {
        let counts = Arc::new(Counts::default());
        let (sink, failures) = watch::channel(None);
        let options = &config.pool;
        let manager = Manager {
            connector: Arc::clone(&connector),
            counts: Arc::clone(&counts),
            first: Mutex::new(Some(first)),
        };
        let pool = bb8::Pool::builder()
            .max_size(options.max_size)
            .min_idle(options.min_idle)
            .max_lifetime(options.max_lifetime)
            .idle_timeout(options.idle_timeout)
            .connection_timeout(options.acquire_timeout)
            // The most recently used first: it is warm, and the others may grow old and go.
            .queue_strategy(QueueStrategy::Lifo)
            // Checked here instead, and not at each checkout: that doubled the cost of a read.
            .test_on_check_out(false)
            .error_sink(Box::new(Sink(sink)))
            .build_unchecked(manager);
        Pool {
            connections: Mutex::new(Some(pool)),
            connector,
            counts,
            failures,
            phase: watch::channel(Phase::Open).0,
            config,
        }
    }

    pub(crate) fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// Changes when closing goes on.
    pub(crate) fn phase(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    /// Lends a connection that works, for the exclusive use of the caller.
    pub(crate) async fn lend(&self) -> Result<Lease, StorageError> {
        let pool = self.connections().clone().ok_or(StorageError::Closed)?;
        let started = Instant::now();
        let mut waited = false;
        loop {
            let connection = self.take(&pool, started, &mut waited).await?;
            let mut lease = self.lease(connection);
            if lease.is_usable(self.config.pool.check_after_idle).await {
                return Ok(lease);
            }
            lease.connection().give_up();
        }
    }

    async fn take(
        &self,
        pool: &bb8::Pool<Manager>,
        started: Instant,
        waited: &mut bool,
    ) -> Result<PooledConnection<'static, Manager>, StorageError> {
        let mut failures = self.failures.clone();
        failures.mark_unchanged();
        let limit = self.config.pool.acquire_timeout;
        let taking = pin!(async {
            let mut taking = pin!(pool.get_owned());
            if let Some(taken) = futures_util::FutureExt::now_or_never(taking.as_mut()) {
                return taken;
            }
            if !std::mem::replace(waited, true) {
                self.counts.waits.fetch_add(1, Ordering::Relaxed);
            }
            let _waiting = Waiting::new(&self.counts);
            taking.await
        });
        let remaining = limit.saturating_sub(started.elapsed());
        let failing = pin!(self.cannot_connect(&mut failures));
        match timeout(remaining, select(taking, failing)).await {
            Ok(Either::Left((Ok(connection), _))) => Ok(connection),
            Ok(Either::Right((error, _))) => Err(error),
            Ok(Either::Left((Err(_), _))) | Err(_) => {
                self.counts.timeouts.fetch_add(1, Ordering::Relaxed);
                Err(StorageError::PoolTimeout {
                    waited: started.elapsed(),
                    max_size: self.config.pool.max_size,
                })
            }
        }
    }

    /// Ends when connecting failed while no connection is open: none will become free, then. Ends
    /// also when the store is closed.
    async fn cannot_connect(
        &self,
        failures: &mut watch::Receiver<Option<ConnectError>>,
    ) -> StorageError {
        let mut phase = self.phase.subscribe();
        let closing = pin!(phase.wait_for(|phase| *phase != Phase::Open));
        let failing = pin!(async {
            loop {
                if failures.changed().await.is_err() {
                    // The pool is gone.
                    return StorageError::Closed;
                }
                let failure = failures.borrow_and_update().clone();
                if let Some(failure) = failure
                    && self.counts.open() == 0
                {
                    return failure.on_use();
                }
            }
        });
        match select(closing, failing).await {
            Either::Left(_) => StorageError::Closed,
            Either::Right((error, _)) => error,
        }
    }

    /// A connection of its own, beside the pool, for what takes long.
    pub(crate) async fn dedicated(&self) -> Result<Lease, StorageError> {
        if *self.phase.borrow() != Phase::Open {
            return Err(StorageError::Closed);
        }
        let connection = self.connector.connect().await;
        let connection = connection.map_err(|error| error.on_use())?;
        Ok(self.lease(self.counts.count(connection)))
    }

    /// A connection of its own without diesel, for what copies.
    pub(crate) async fn bare(&self) -> Result<Bare, StorageError> {
        if *self.phase.borrow() != Phase::Open {
            return Err(StorageError::Closed);
        }
        let line = self.connector.line().await;
        let line = line.map_err(|error| error.on_use())?;
        Ok(Bare::new(line, self.phase.subscribe(), self.hold()))
    }

    fn lease(&self, connection: impl Into<Lent>) -> Lease {
        Lease {
            connection: connection.into(),
            phase: self.phase.subscribe(),
            hold: self.hold(),
        }
    }

    fn hold(&self) -> Hold {
        self.counts.held.send_modify(|held| {
            held.in_use += 1;
            self.counts
                .most_in_use
                .fetch_max(held.in_use, Ordering::Relaxed);
        });
        Hold {
            counts: Arc::clone(&self.counts),
            undoing: false,
        }
    }

    /// What was done so far.
    pub(crate) fn stats(&self) -> PoolStats {
        let counts = &self.counts;
        let opened = counts.opened.load(Ordering::Relaxed);
        let closed = counts.closed.load(Ordering::Relaxed);
        let Held { in_use, undoing } = *counts.held.borrow();
        let open = u32::try_from(opened.saturating_sub(closed)).unwrap_or(u32::MAX);
        PoolStats {
            opened,
            closed,
            open,
            idle: open.saturating_sub(in_use + undoing),
            in_use,
            most_in_use: counts.most_in_use.load(Ordering::Relaxed),
            waits: counts.waits.load(Ordering::Relaxed),
            timeouts: counts.timeouts.load(Ordering::Relaxed),
            total_wait: Duration::from_micros(counts.wait_micros.load(Ordering::Relaxed)),
        }
    }

    /// Lends nothing more, waits up to `deadline` until everything is given back, and closes; what
    /// is under way then is cut off.
    pub(crate) async fn close(&self, deadline: Duration) -> Result<(), StorageError> {
        let started = Instant::now();
        self.phase.send_replace(Phase::Closing);
        let pool = self.connections().take();
        let mut held = self.counts.held.subscribe();
        let finished = timeout(deadline, held.wait_for(|held| *held == Held::default())).await;
        // Idle connections close with the pool.
        drop(pool);
        if finished.is_ok() {
            return Ok(());
        }
        self.phase.send_replace(Phase::Cut);
        let waited = started.elapsed();
        Err(StorageError::Busy { waited })
    }

    fn connections(&self) -> std::sync::MutexGuard<'_, Option<bb8::Pool<Manager>>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection in use. Dropping it gives it back, or closes it if it is not as it was.
pub(crate) struct Lease {
    connection: Lent,
    phase: watch::Receiver<Phase>,
    hold: Hold,
}

/// Whose connection it is.
enum Lent {
    Pooled(PooledConnection<'static, Manager>),
    Dedicated(Counted),
}

impl Lease {
    /// Runs a statement.
    pub(crate) async fn run(&mut self, statement: &Statement<'_>) -> Result<Vec<Row>, Failure> {
        let mut phase = self.phase.clone();
        unless_cut(&mut phase, self.connection().run(statement)).await
    }

    /// Runs a statement, and keeps its first rows up to so many bytes.
    pub(crate) async fn run_within(
        &mut self,
        statement: &Statement<'_>,
        bytes: usize,
    ) -> Result<Part, Failure> {
        let mut phase = self.phase.clone();
        unless_cut(&mut phase, self.connection().run_within(statement, bytes)).await
    }

    /// Runs SQL of the caller's own.
    pub(crate) async fn raw_rows(&mut self, raw: &RawStatement<'_>) -> Result<Vec<Row>, Failure> {
        let mut phase = self.phase.clone();
        unless_cut(&mut phase, self.connection().raw_rows(raw)).await
    }

    /// Runs SQL of the caller's own, and says how many rows it changed.
    pub(crate) async fn raw_count(&mut self, raw: &RawStatement<'_>) -> Result<usize, Failure> {
        let mut phase = self.phase.clone();
        unless_cut(&mut phase, self.connection().raw_count(raw)).await
    }

    /// Runs what returns nothing and has no values.
    pub(crate) async fn batch(&mut self, sql: &str) -> Result<(), Failure> {
        let mut phase = self.phase.clone();
        unless_cut(&mut phase, self.connection().batch(sql)).await
    }

    /// What is still done with it is the pool's own affair.
    pub(crate) fn no_longer_in_use(&mut self) {
        let hold = &mut self.hold;
        if !std::mem::replace(&mut hold.undoing, true) {
            hold.counts.held.send_modify(|held| {
                held.in_use -= 1;
                held.undoing += 1;
            });
        }
    }

    /// Runs what returns nothing and has no values, and is given as long as it takes.
    pub(crate) async fn long_batch(&mut self, sql: &str) -> Result<(), Failure> {
        let mut phase = self.phase.clone();
        unless_cut(&mut phase, self.connection().long_batch(sql)).await
    }

    /// Begins a transaction with this statement.
    pub(crate) async fn begin(&mut self, begin: &str) -> Result<(), Failure> {
        let mut phase = self.phase.clone();
        unless_cut(&mut phase, self.connection().begin(begin)).await
    }

    /// Commits the transaction.
    pub(crate) async fn commit(&mut self) -> Result<(), Failure> {
        let mut phase = self.phase.clone();
        unless_cut(&mut phase, self.connection().commit()).await
    }

    /// Undoes the transaction.
    pub(crate) async fn rollback(&mut self) -> Result<(), Failure> {
        self.connection().rollback().await
    }

    pub(crate) fn connection(&mut self) -> &mut Connection {
        match &mut self.connection {
            Lent::Pooled(connection) => &mut connection.connection,
            Lent::Dedicated(connection) => &mut connection.connection,
        }
    }

    /// What diesel's migrations run on.
    pub(crate) fn diesel(&self) -> &AsyncPgConnection {
        match &self.connection {
            Lent::Pooled(connection) => connection.connection.diesel(),
            Lent::Dedicated(connection) => connection.connection.diesel(),
        }
    }

    /// Whether the connection works: looked at always, asked only if it lay idle for long.
    async fn is_usable(&mut self, check_after_idle: Duration) -> bool {
        let connection = self.connection();
        if connection.is_broken() {
            return false;
        }
        if connection.idle_for() < check_after_idle {
            return true;
        }
        // Empty, so nothing is parsed or planned.
        matches!(
            timeout(CHECK_TIMEOUT, connection.batch("")).await,
            Ok(Ok(()))
        )
    }
}

/// Lets something run until the store's closing cuts it off.
async fn unless_cut<T>(
    phase: &mut watch::Receiver<Phase>,
    running: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        result = running => result,
        Ok(_) = phase.wait_for(|phase| *phase == Phase::Cut) => Err(Failure::cut()),
    }
}

/// Makes connections for bb8 and says which ones it must not lend again.
pub(crate) struct Manager {
    connector: Arc<Connector>,
    counts: Arc<Counts>,
    /// The one with which the store was opened.
    first: Mutex<Option<Connection>>,
}

impl ManageConnection for Manager {
    type Connection = Counted;
    type Error = ConnectError;

    async fn connect(&self) -> Result<Counted, ConnectError> {
        let first = self
            .first
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let connection = match first {
            Some(first) => first,
            None => self.connector.connect().await?,
        };
        Ok(self.counts.count(connection))
    }

    /// Not called: `Lease::is_usable` does it.
    async fn is_valid(&self, _: &mut Counted) -> Result<(), ConnectError> {
        Ok(())
    }

    fn has_broken(&self, counted: &mut Counted) -> bool {
        counted.connection.is_broken()
    }
}

/// A connection that is counted when it closes.
pub(crate) struct Counted {
    connection: Box<Connection>,
    counts: Arc<Counts>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.counts.closed.fetch_add(1, Ordering::Relaxed);
    }
}

/// Connections that are lent.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Held {
    in_use: u32,
    /// Rolling back what was dropped: no caller waits for it, but closing does.
    undoing: u32,
}

#[derive(Default)]
struct Counts {
    opened: AtomicU64,
    closed: AtomicU64,
    held: watch::Sender<Held>,
    most_in_use: AtomicU32,
    waits: AtomicU64,
    timeouts: AtomicU64,
    wait_micros: AtomicU64,
}

impl Counts {
    fn count(self: &Arc<Self>, connection: Connection) -> Counted {
        self.opened.fetch_add(1, Ordering::Relaxed);
        Counted {
            connection: Box::new(connection),
            counts: Arc::clone(self),
        }
    }

    fn open(&self) -> u64 {
        let closed = self.closed.load(Ordering::Relaxed);
        self.opened.load(Ordering::Relaxed).saturating_sub(closed)
    }
}

impl From<PooledConnection<'static, Manager>> for Lent {
    fn from(connection: PooledConnection<'static, Manager>) -> Lent {
        Lent::Pooled(connection)
    }
}

impl From<Counted> for Lent {
    fn from(connection: Counted) -> Lent {
        Lent::Dedicated(connection)
    }
}

/// Counts a lease's end, after its connection was given back.
struct Hold {
    counts: Arc<Counts>,
    undoing: bool,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.counts.held.send_modify(|held| {
            let count = if self.undoing {
                &mut held.undoing
            } else {
                &mut held.in_use
            };
            *count -= 1;
        });
    }
}

/// Counts the time that a caller waits, also when it stops waiting.
struct Waiting<'a> {
    since: Instant,
    counts: &'a Counts,
}

impl<'a> Waiting<'a> {
    fn new(counts: &'a Counts) -> Waiting<'a> {
        let since = Instant::now();
        Waiting { since, counts }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let micros = u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.counts.wait_micros.fetch_add(micros, Ordering::Relaxed);
    }
}

/// Hears of connections that could not be made in the background.
#[derive(Debug, Clone)]
struct Sink(watch::Sender<Option<ConnectError>>);

impl ErrorSink<ConnectError> for Sink {
    fn sink(&self, error: ConnectError) {
        tracing::warn!(%error, "connecting failed; it is tried again");
        self.0.send_replace(Some(error));
    }

    fn boxed_clone(&self) -> Box<dyn ErrorSink<ConnectError>> {
        Box::new(self.clone())
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pool").field(&self.stats()).finish()
    }
}
