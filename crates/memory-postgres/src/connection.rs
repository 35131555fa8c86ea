//! One connection to the server: how it is made, what it runs, when it may be used again.

mod line;

pub(crate) use line::Line;

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::row::{Field, Row as _};
use diesel_async::pooled_connection::PoolableConnection;
use diesel_async::{AsyncConnectionCore, AsyncPgConnection, SimpleAsyncConnection};
use futures_util::TryStreamExt;
use memory_storage::{Config, PostgresTarget, SqlDialect, StatementLog};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{CancelToken, Client, NoTls};

use crate::error::{ConnectError, Failure};
use crate::sql::RawStatement;
use crate::statement::Statement;
use crate::tap::{LastError, Tap};
use crate::tls::{Socket, Tls, Way};

/// A row as the driver hands it over.
pub(crate) type Row = <AsyncPgConnection as AsyncConnectionCore>::Row<'static, 'static>;

/// The oldest server that serves, for the error and as `server_version_num` counts.
pub(crate) const OLDEST_SERVER: &str = "14";
const OLDEST_MAJOR: u32 = 14;

/// How much longer the client waits than the server may take, before it holds the connection for
/// dead: the server's own timeouts answer first, unless it or the network is gone.
const GRACE: Duration = Duration::from_secs(5);

/// How long a request to cancel may take; nobody waits for it.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(5);

/// How connections are made, all alike.
pub(crate) struct Connector {
    driver: tokio_postgres::Config,
    target: PostgresTarget,
    tls: Tls,
    log: StatementLog,
    /// The longest that one statement can take on a server that answers, unless that is lifted.
    patience: Duration,
}

impl Connector {
    /// Reads the files of certificates, and says what is wrong with one.
    pub(crate) fn new(target: &PostgresTarget, config: &Config) -> Result<Connector, String> {
        let mut driver = tokio_postgres::Config::new();
        driver
            .user(&target.user)
            .dbname(&target.database)
            .application_name(&target.application_name)
            .options(session_options(target, config))
            // What the driver is given is encrypted already, if it is to be.
            .ssl_mode(SslMode::Disable);
        if let Some(password) = &target.password {
            driver.password(password.reveal());
        }
        Ok(Connector {
            driver,
            target: target.clone(),
            tls: Tls::new(target)?,
            log: StatementLog::new("postgres", config),
            patience: config.statement_timeout.saturating_add(GRACE),
        })
    }

    /// Connects, within the connect timeout.
    pub(crate) async fn connect(self: &Arc<Self>) -> Result<Connection, ConnectError> {
        self.line().await?.into_connection(State::Clean).await
    }

    /// Connects without anything of ours on top, within the connect timeout. The connection ends
    /// with the client.
    pub(crate) async fn bare(self: &Arc<Self>) -> Result<Client, ConnectError> {
        Ok(self.line().await?.into_client())
    }

    /// Connects as the driver does, within the connect timeout.
    pub(crate) async fn line(self: &Arc<Self>) -> Result<Line, ConnectError> {
        let limit = self.target.connect_timeout;
        match timeout(limit, self.handshake()).await {
            Ok(result) => result,
            Err(_) => Err(ConnectError::unreachable(format!(
                "no answer within {limit:?}"
            ))),
        }
    }

    /// Tries the ways that the mode of TLS allows, one after the other.
    async fn handshake(self: &Arc<Self>) -> Result<Line, ConnectError> {
        let (first, second) = self.tls.ways();
        match (self.attempt(first).await, second) {
            (Err(error), Some(second)) if error.may_depend_on_encryption() => {
                let line = self.attempt(second).await;
                let line = line.map_err(|last| last.after(&error))?;
                if !line.encrypted {
                    tracing::warn!(%error, "a connection is not encrypted, because that failed");
                }
                Ok(line)
            }
            (result, _) => result,
        }
    }

    async fn attempt(self: &Arc<Self>, way: Way) -> Result<Line, ConnectError> {
        let socket = self.socket().await.map_err(ConnectError::unreachable)?;
        let (socket, encrypted) = self.tls.secure(socket, way).await?;
        let (tap, last_error) = Tap::new(socket);
        let (client, driver) = self
            .driver
            .connect_raw(tap, NoTls)
            .await
            .map_err(|error| ConnectError::from_driver(&error))?;
        let version = driver.parameter("server_version").unwrap_or("").to_owned();
        if major(&version) < OLDEST_MAJOR {
            return Err(ConnectError::TooOld { version });
        }
        let driver = tokio::spawn(async move { driver.await.err() });
        Ok(Line::new(
            client,
            driver,
            last_error,
            version,
            encrypted,
            Arc::clone(self),
        ))
    }

    async fn socket(&self) -> std::io::Result<Box<dyn Socket>> {
        let PostgresTarget { host, port, .. } = &self.target;
        #[cfg(unix)]
        if host.starts_with('/') {
            let socket = UnixStream::connect(format!("{host}/.s.PGSQL.{port}")).await?;
            return Ok(Box::new(socket));
        }
        let socket = TcpStream::connect((host.as_str(), *port)).await?;
        // A verb is one small packet; waiting for more to send would only delay it.
        socket.set_nodelay(true)?;
        keep_alive(&socket)?;
        Ok(Box::new(socket))
    }

    /// Asks the server to stop what a connection runs; nobody waits for it.
    fn cancel_later(self: &Arc<Self>, token: CancelToken, encrypted: bool) {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let connector = Arc::clone(self);
            // The key in it is as secret as what the connection carried.
            let way = if encrypted {
                Way::Encrypted
            } else {
                Way::Plain
            };
            runtime.spawn(async move { connector.cancel(token, way).await });
        }
    }

    async fn cancel(&self, token: CancelToken, way: Way) {
        let request = async {
            let socket = self.socket().await.ok()?;
            let (socket, _) = self.tls.secure(socket, way).await.ok()?;
            token.cancel_query_raw(socket, NoTls).await.ok()
        };
        // Whether it arrived or not, the statement ends at its own timeouts.
        let _ = timeout(CANCEL_TIMEOUT, request).await;
    }
}

/// Has the system find out when the server's machine is gone, while nothing is being sent.
fn keep_alive(socket: &TcpStream) -> std::io::Result<()> {
    let keep_alive = socket2::TcpKeepalive::new()
        .with_time(Duration::from_mins(1))
        .with_interval(Duration::from_secs(15));
    socket2::SockRef::from(socket).set_tcp_keepalive(&keep_alive)
}

/// The session's settings, for the startup packet: no trip of their own.
fn session_options(target: &PostgresTarget, config: &Config) -> String {
    let millis = |duration: Duration| duration.as_millis().clamp(1, i32::MAX as u128);
    // The client ends an idle work itself; the server does if the client cannot.
    let idle = config.idle_work_timeout.saturating_add(GRACE);
    [
        format!("search_path={}", target.schema),
        format!("statement_timeout={}", millis(config.statement_timeout)),
        format!("lock_timeout={}", millis(config.pool.acquire_timeout)),
        format!("idle_in_transaction_session_timeout={}", millis(idle)),
        // Several verbs rely on a fresh snapshot per statement, whatever the server's default is.
        "default_transaction_isolation=read\\ committed".to_owned(),
        // What the caller's own SQL is read by.
        "standard_conforming_strings=on".to_owned(),
        // Compiling a plan takes longer than any of our statements.
        "jit=off".to_owned(),
    ]
    .map(|option| format!("-c {option}"))
    .join(" ")
}

/// The first rows of a statement.
pub(crate) struct Part {
    pub(crate) rows: Vec<Row>,
    /// How many bytes there was still room for.
    pub(crate) room: usize,
    /// Whether there were more rows.
    pub(crate) is_cut: bool,
}

/// How many bytes the values of a row have.
fn width(row: &Row) -> usize {
    let columns = 0..row.field_count();
    columns
        .filter_map(|column| Some(row.get(column)?.value()?.as_bytes().len()))
        .sum()
}

/// The first number of a version such as `15.18 (Debian 15.18-0+deb12u1)` or `19beta1`.
fn major(version: &str) -> u32 {
    let digits = version
        .find(|c: char| !c.is_ascii_digit())
        .map_or(version, |end| &version[..end]);
    digits.parse().unwrap_or(0)
}

/// A connection. Dropping it closes it, and stops what it still runs.
pub(crate) struct Connection {
    diesel: AsyncPgConnection,
    driver: JoinHandle<Option<tokio_postgres::Error>>,
    last_error: LastError,
    cancel: CancelToken,
    connector: Arc<Connector>,
    version: String,
    encrypted: bool,
    /// How long an answer is waited for.
    patience: Duration,
    /// Whether nobody may have it next.
    used_up: bool,
    state: State,
    /// Why the connection is lost, once it was found to be.
    lost: Option<String>,
    idle_since: Instant,
}

/// What would be found by the next one to use the connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing.
    Clean,
    /// An open transaction.
    InTransaction,
    /// A statement whose answer nobody waited for, or which failed in an unknown way.
    Unknown,
}

impl Connection {
    /// The server's version, as it words it.
    pub(crate) fn server_version(&self) -> &str {
        &self.version
    }

    /// Whether it goes over TLS.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Whether the connection must not be used again.
    pub(crate) fn is_broken(&mut self) -> bool {
        self.state != State::Clean || self.used_up || self.is_lost()
    }

    /// Whether the server is gone.
    pub(crate) fn is_lost(&mut self) -> bool {
        self.driver.is_finished() || self.diesel.is_broken()
    }

    /// Never to be used again.
    pub(crate) fn give_up(&mut self) {
        self.state = State::Unknown;
    }

    /// How long ago it was last used.
    pub(crate) fn idle_for(&self) -> Duration {
        self.idle_since.elapsed()
    }

    /// Runs a statement: one round trip, plus one when the connection prepares it.
    pub(crate) async fn run(&mut self, statement: &Statement<'_>) -> Result<Vec<Row>, Failure> {
        let after = self.enter();
        let started = Instant::now();
        let running = async {
            let rows = AsyncConnectionCore::load(&mut self.diesel, statement).await?;
            rows.try_collect::<Vec<Row>>().await
        };
        let result = timeout(self.patience, running).await;
        self.connector
            .log
            .ended(started, || statement.sql().to_owned());
        self.leave(after, started, result).await
    }

    /// Runs a statement, and keeps its first rows up to so many bytes; more are let go as they come.
    pub(crate) async fn run_within(
        &mut self,
        statement: &Statement<'_>,
        bytes: usize,
    ) -> Result<Part, Failure> {
        let after = self.enter();
        let started = Instant::now();
        let running = async {
            let mut rows = AsyncConnectionCore::load(&mut self.diesel, statement).await?;
            let mut part = Part {
                rows: Vec::new(),
                room: bytes,
                is_cut: false,
            };
            while let Some(row) = rows.try_next().await? {
                if part.room == 0 {
                    part.is_cut = true;
                    continue;
                }
                part.room = part.room.saturating_sub(width(&row));
                part.rows.push(row);
            }
            Ok(part)
        };
        let result = timeout(self.patience, running).await;
        self.connector
            .log
            .ended(started, || statement.sql().to_owned());
        self.leave(after, started, result).await
    }

    /// Runs SQL of the caller's own, which is prepared for this once: two round trips.
    pub(crate) async fn raw_rows(&mut self, raw: &RawStatement<'_>) -> Result<Vec<Row>, Failure> {
        let after = self.enter();
        let started = Instant::now();
        let running = async {
            let rows = AsyncConnectionCore::load(&mut self.diesel, raw).await?;
            rows.try_collect::<Vec<Row>>().await
        };
        let result = timeout(self.patience, running).await;
        self.connector.log.ended(started, || raw.shape().to_owned());
        self.leave(after, started, result).await
    }

    /// Runs SQL of the caller's own, and says how many rows it changed.
    pub(crate) async fn raw_count(&mut self, raw: &RawStatement<'_>) -> Result<usize, Failure> {
        let after = self.enter();
        let started = Instant::now();
        let running = AsyncConnectionCore::execute_returning_count(&mut self.diesel, raw);
        let result = timeout(self.patience, running).await;
        self.connector.log.ended(started, || raw.shape().to_owned());
        self.leave(after, started, result).await
    }

    /// Lets statements take as long as they take, here and on the server. That it is gone is then
    /// found out by the system alone.
    pub(crate) async fn lift_limits(&mut self) -> Result<(), Failure> {
        self.batch("set statement_timeout = 0").await?;
        self.patience = Duration::MAX;
        Ok(())
    }

    /// Undoes the transaction, and what was set in the session.
    pub(crate) async fn restore(&mut self, sql: &str) -> Result<(), Failure> {
        self.batch(sql).await?;
        self.state = State::Clean;
        Ok(())
    }

    /// Has the connection closed when its transaction has ended.
    pub(crate) fn use_up(&mut self) {
        self.used_up = true;
    }

    /// Runs what returns nothing and has no values, such as `begin`.
    pub(crate) async fn batch(&mut self, sql: &str) -> Result<(), Failure> {
        self.batch_within(self.patience, sql).await
    }

    /// Runs what returns nothing and has no values, and is given as long as it takes.
    pub(crate) async fn long_batch(&mut self, sql: &str) -> Result<(), Failure> {
        self.batch_within(Duration::MAX, sql).await
    }

    async fn batch_within(&mut self, limit: Duration, sql: &str) -> Result<(), Failure> {
        let after = self.enter();
        let started = Instant::now();
        let result = timeout(limit, self.diesel.batch_execute(sql)).await;
        self.connector
            .log
            .ended(started, || memory_storage::shape(sql, SqlDialect::Postgres));
        self.leave(after, started, result).await
    }

    pub(crate) async fn begin(&mut self, begin: &str) -> Result<(), Failure> {
        self.batch(begin).await?;
        self.state = State::InTransaction;
        Ok(())
    }

    pub(crate) async fn commit(&mut self) -> Result<(), Failure> {
        self.batch("commit").await?;
        self.state = State::Clean;
        Ok(())
    }

    pub(crate) async fn rollback(&mut self) -> Result<(), Failure> {
        self.batch("rollback").await?;
        self.state = State::Clean;
        Ok(())
    }

    /// What diesel's migrations run on.
    pub(crate) fn diesel(&self) -> &AsyncPgConnection {
        &self.diesel
    }

    /// What diesel's migrations run on.
    pub(crate) fn diesel_mut(&mut self) -> &mut AsyncPgConnection {
        &mut self.diesel
    }

    /// The code of the last error that the server reported.
    pub(crate) fn last_code(&self) -> Option<SqlState> {
        self.last_error.take()
    }

    /// If the future is dropped from here to `leave`, the state stays `Unknown`.
    fn enter(&mut self) -> State {
        self.last_error.take();
        std::mem::replace(&mut self.state, State::Unknown)
    }

    async fn leave<T>(
        &mut self,
        after: State,
        started: Instant,
        result: Result<diesel::QueryResult<T>, tokio::time::error::Elapsed>,
    ) -> Result<T, Failure> {
        self.idle_since = Instant::now();
        match result {
            Ok(Ok(value)) => {
                self.state = after;
                Ok(value)
            }
            Ok(Err(error)) => {
                let code = self.last_error.take();
                let lost = self.settle().await;
                // An error that the server reported ends the statement; any other may not.
                if code.is_some() && lost.is_none() {
                    self.state = after;
                }
                Err(Failure::new(error, code, lost, started.elapsed()))
            }
            Err(_) => Err(Failure::silence(started.elapsed())),
        }
    }

    /// Why the connection is lost, if it is. The client hears of it first, the driver's task ends a
    /// moment later.
    async fn settle(&mut self) -> Option<String> {
        if self.lost.is_none() && self.is_lost() {
            let reason = match timeout(Duration::from_secs(1), &mut self.driver).await {
                Ok(Ok(Some(error))) => crate::error::chain(&error),
                _ => "the server closed the connection".to_owned(),
            };
            self.lost = Some(reason);
        }
        self.lost.clone()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.state == State::Unknown && !self.driver.is_finished() {
            // The socket is closed at once; but the server looks at it only when it has something
            // to send, so it is told to stop, lest it waits for a lock and keeps others.
            self.driver.abort();
            self.connector
                .cancel_later(self.cancel.clone(), self.encrypted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn a_version_is_read_by_its_first_number() {
        assert_eq!(major("15.18 (Debian 15.18-0+deb12u1)"), 15);
        assert_eq!(major("9.6.24"), 9);
        assert_eq!(major("19beta1"), 19);
        assert_eq!(major(""), 0);
    }
}
