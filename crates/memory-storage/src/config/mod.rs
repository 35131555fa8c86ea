//! How to reach a store, and how it behaves.

mod password;
mod target;
mod url;

use std::fmt::{self, Display};
use std::str::FromStr;
use std::time::Duration;

pub use password::Password;
pub use target::{PostgresTarget, SqliteLocation, SqliteTarget, Synchronous, Target};

use crate::OpenError;

/// Everything about a store that can be chosen. Starts from a URL or a [`Target`]; what is not said
/// has the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Which store.
    pub target: Target,
    /// The pool of connections: readers on SQLite, all connections on PostgreSQL.
    pub pool: PoolOptions,
    /// The longest that one statement may run; by default 60 s. On SQLite it bounds how long the
    /// caller waits.
    pub statement_timeout: Duration,
    /// How long a unit of work may be idle before it is undone; by default 30 s.
    pub idle_work_timeout: Duration,
    /// What opening does about the schema; by default what suits the backend.
    pub schema: SchemaPolicy,
}

/// The longest time-out: both databases count milliseconds in 31 bits, which end after 24 days.
const TIMEOUT_MAX: Duration = Duration::from_hours(20 * 24);

/// How a pool of connections behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolOptions {
    /// Connections kept open though idle; by default 2.
    pub min_idle: u32,
    /// The most connections; by default 10.
    pub max_size: u32,
    /// How long a caller waits for a connection, or on SQLite for the writer; by default 30 s.
    pub acquire_timeout: Duration,
    /// When a connection is replaced; by default after an hour.
    pub max_lifetime: Duration,
    /// When an idle connection is closed; by default after 10 minutes.
    pub idle_timeout: Duration,
    /// A connection that lay idle for this long is checked before it is used; by default 30 s.
    pub check_after_idle: Duration,
}

impl Default for PoolOptions {
    fn default() -> Self {
        PoolOptions {
            min_idle: 2,
            max_size: 10,
            acquire_timeout: Duration::from_secs(30),
            max_lifetime: Duration::from_hours(1),
            idle_timeout: Duration::from_mins(10),
            check_after_idle: Duration::from_secs(30),
        }
    }
}

/// What opening a store does about its schema.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SchemaPolicy {
    /// SQLite: [`SchemaPolicy::Apply`]; PostgreSQL: [`SchemaPolicy::Require`].
    #[default]
    Backend,
    /// Creates or upgrades the schema; many processes at once apply it once.
    Apply,
    /// Refuses a store whose schema is not the program's.
    Require,
    /// Opens whatever is there, to look at the schema or to change it. Verbs may fail.
    Ignore,
}

impl Config {
    /// A store with every default.
    pub fn new(target: Target) -> Config {
        Config {
            target,
            pool: PoolOptions::default(),
            statement_timeout: Duration::from_mins(1),
            idle_work_timeout: Duration::from_secs(30),
            schema: SchemaPolicy::default(),
        }
    }

    /// Reads a URL: `sqlite://path`, a bare path, `sqlite::memory:`, `postgres://…`. A driver, as in
    /// `postgresql+asyncpg://`, is accepted and ignored.
    ///
    /// # Errors
    /// `UnknownScheme`, or `InvalidOption` naming the part that does not fit.
    pub fn from_url(url: &str) -> Result<Config, OpenError> {
        url::parse(url)
    }

    /// Sets the pool's behaviour.
    pub fn with_pool(mut self, pool: PoolOptions) -> Config {
        self.pool = pool;
        self
    }

    /// Sets the longest that one statement may run.
    pub fn with_statement_timeout(mut self, timeout: Duration) -> Config {
        self.statement_timeout = timeout;
        self
    }

    /// Sets how long a unit of work may be idle.
    pub fn with_idle_work_timeout(mut self, timeout: Duration) -> Config {
        self.idle_work_timeout = timeout;
        self
    }

    /// Sets what opening does about the schema.
    pub fn with_schema(mut self, schema: SchemaPolicy) -> Config {
        self.schema = schema;
        self
    }

    /// Checks that the options fit together; adapters call it before they open anything.
    ///
    /// # Errors
    /// `InvalidOption` names the one that does not.
    pub fn validated(self) -> Result<Config, OpenError> {
        let refuse = |option: &str, value: String, problem: &str| {
            Err(OpenError::InvalidOption {
                option: option.to_owned(),
                value,
                problem: problem.to_owned(),
            })
        };
        if self.pool.max_size == 0 {
            return refuse("pool.max_size", "0".to_owned(), "give at least 1");
        }
        if self.pool.min_idle > self.pool.max_size {
            let value = self.pool.min_idle.to_string();
            return refuse("pool.min_idle", value, "give at most pool.max_size");
        }
        for (option, duration) in [
            ("pool.acquire_timeout", self.pool.acquire_timeout),
            ("pool.max_lifetime", self.pool.max_lifetime),
            ("pool.idle_timeout", self.pool.idle_timeout),
            ("statement_timeout", self.statement_timeout),
            ("idle_work_timeout", self.idle_work_timeout),
        ] {
            if !(Duration::from_millis(1)..=TIMEOUT_MAX).contains(&duration) {
                let problem = "give a millisecond to 20 days";
                return refuse(option, format!("{duration:?}"), problem);
            }
        }
        Ok(self)
    }
}

impl FromStr for Config {
    type Err = OpenError;

    fn from_str(url: &str) -> Result<Config, OpenError> {
        Config::from_url(url)
    }
}

impl Display for Config {
    /// Where the store is, without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.target.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, PoolOptions};

    #[test]
    fn the_defaults_are_those_of_the_domain() {
        let pool = Config::from_url("memory.db").unwrap().pool;
        assert_eq!((pool.min_idle, pool.max_size), (2, 10));
        assert_eq!(pool.acquire_timeout.as_secs(), 30);
        assert_eq!(pool.max_lifetime.as_secs(), 3_600);
        assert_eq!(pool.idle_timeout.as_secs(), 600);
    }

    #[test]
    fn a_pool_needs_room() {
        let pool = PoolOptions {
            max_size: 0,
            ..PoolOptions::default()
        };
        let error = Config::from_url("memory.db")
            .unwrap()
            .with_pool(pool)
            .validated();
        assert!(error.unwrap_err().to_string().contains("pool.max_size"));
    }
}
