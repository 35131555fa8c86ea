//! How to reach a store, and how it behaves.

mod bare_path;
mod options;
mod password;
mod pool;
mod source;
mod target;
mod tls;
mod typo;
mod url;
mod values;

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::str::FromStr;
use std::time::Duration;

pub use options::{ConfigOption, OptionBackend};
pub use password::Password;
pub use pool::PoolOptions;
pub use source::ConfigSource;
pub use target::{PostgresTarget, SqliteLocation, SqliteTarget, Synchronous, Target};
pub use tls::{RootCertificates, TlsMode, TlsOptions};

use crate::OpenError;

/// Everything about a store that can be chosen. Starts from a URL, a [`Target`] or the environment
/// ([`ConfigSource`]); what is not said has the default. The page `docs/configuration.md` lists all.
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
    /// A statement that takes at least this long is logged as a warning, without its values; by
    /// default 1 s. `None` logs none.
    pub slow_statement: Option<Duration>,
    /// Whether every statement is logged, without its values; by default not.
    pub echo: bool,
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
            slow_statement: Some(Duration::from_secs(1)),
            echo: false,
        }
    }

    /// Every option, in the order of the page that documents them.
    pub fn all_options() -> &'static [ConfigOption] {
        options::ALL
    }

    /// The options in force for this backend, by name, without secrets.
    pub fn options(&self) -> BTreeMap<&'static str, String> {
        options::shown(self)
    }

    /// Reads a URL: `sqlite://path`, a bare path, `sqlite::memory:`, `postgres://…`. A driver, as in
    /// `postgresql+asyncpg://`, is accepted and ignored.
    ///
    /// # Errors
    /// `UnknownScheme`, or `InvalidOption` naming the part that does not fit.
    pub fn from_url(url: &str) -> Result<Config, OpenError> {
        ConfigSource::new(url).read()
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

    /// Sets how long a statement takes that is logged as slow; `None` logs none.
    pub fn with_slow_statement(mut self, threshold: Option<Duration>) -> Config {
        self.slow_statement = threshold;
        self
    }

    /// Sets whether every statement is logged.
    pub fn with_echo(mut self, echo: bool) -> Config {
        self.echo = echo;
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
            return refuse("pool_max_size", "0".to_owned(), "give at least 1");
        }
        if self.pool.min_idle > self.pool.max_size {
            let value = self.pool.min_idle.to_string();
            return refuse("pool_min_idle", value, "give at most pool_max_size");
        }
        let busy_timeout = match &self.target {
            Target::Sqlite(sqlite) => sqlite.busy_timeout,
            Target::Postgres(_) => None,
        };
        for (option, duration) in [
            ("pool_acquire_timeout", Some(self.pool.acquire_timeout)),
            ("pool_max_lifetime", Some(self.pool.max_lifetime)),
            ("pool_idle_timeout", Some(self.pool.idle_timeout)),
            ("statement_timeout", Some(self.statement_timeout)),
            ("idle_work_timeout", Some(self.idle_work_timeout)),
            ("busy_timeout", busy_timeout),
            ("slow_statement", self.slow_statement),
        ] {
            if let Some(duration) = duration.filter(|duration| !values::is_timeout(*duration)) {
                return refuse(option, format!("{duration:?}"), values::TIMEOUT_RANGE);
            }
        }
        if let Target::Postgres(target) = &self.target {
            tls_fits(&target.tls)?;
        }
        Ok(self)
    }
}

/// Holds the options of TLS together: what only seems to protect is refused.
fn tls_fits(tls: &TlsOptions) -> Result<(), OpenError> {
    let refuse = |option: &str, value: &str, problem: &str| {
        Err(OpenError::InvalidOption {
            option: option.to_owned(),
            value: value.to_owned(),
            problem: problem.to_owned(),
        })
    };
    let mode = tls.mode;
    if mode == TlsMode::VerifyCa && tls.root.is_none() {
        let problem = "verify-ca needs sslrootcert, the file with the authority's certificate";
        return refuse("sslmode", mode.as_str(), problem);
    }
    if tls.root == Some(RootCertificates::System) && mode != TlsMode::VerifyFull {
        let problem = "anybody has a certificate that the system trusts, so the name must be \
                       checked too: give sslmode=verify-full, or a file";
        return refuse("sslrootcert", "system", problem);
    }
    match (&tls.certificate, &tls.key) {
        (Some(path), None) => {
            let problem = "give the certificate's key as sslkey";
            refuse("sslcert", &path.display().to_string(), problem)
        }
        (None, Some(path)) => {
            let problem = "give the certificate of the key as sslcert";
            refuse("sslkey", &path.display().to_string(), problem)
        }
        _ => Ok(()),
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
        assert!(error.unwrap_err().to_string().contains("pool_max_size"));
    }
}
