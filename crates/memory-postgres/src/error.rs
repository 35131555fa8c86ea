//! What the server's and the driver's errors mean to the caller.

use std::error::Error;
use std::fmt::{self, Display};
use std::time::Duration;

use diesel::result::Error as DieselError;
use memory_storage::{BoxError, Config, OpenError, PostgresTarget, StorageError, Target};
use tokio_postgres::error::SqlState;

use crate::connection::OLDEST_SERVER;
use crate::statement::Statement;
use crate::tls;

/// Why a statement failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The code, if the server reported an error.
    code: Option<SqlState>,
    /// Why the connection is lost, if it is.
    lost: Option<String>,
    /// What the server or the driver said.
    source: BoxError,
    /// How long it took to fail.
    elapsed: Duration,
    /// Whether the store was closed under it.
    cut: bool,
}

impl Failure {
    pub(crate) fn new(
        error: DieselError,
        code: Option<SqlState>,
        lost: Option<String>,
        elapsed: Duration,
    ) -> Failure {
        let source: BoxError = match (error, &code, &lost) {
            (DieselError::DatabaseError(_, information), Some(code), _) => Box::new(ServerError {
                code: code.code().to_owned(),
                message: information.message().to_owned(),
                constraint: information.constraint_name().map(str::to_owned),
            }),
            (_, None, Some(reason)) => reason.clone().into(),
            (error, ..) => Box::new(error),
        };
        Failure {
            code,
            lost,
            source,
            elapsed,
            cut: false,
        }
    }

    /// What the driver itself says.
    pub(crate) fn of_driver(error: tokio_postgres::Error, elapsed: Duration) -> Failure {
        let code = error.code().cloned();
        let lost =
            (code.is_none() && (error.is_closed() || comes_from_io(&error))).then(|| chain(&error));
        let source: BoxError = match error.as_db_error() {
            Some(said) => Box::new(ServerError {
                code: said.code().code().to_owned(),
                message: said.message().to_owned(),
                constraint: said.constraint().map(str::to_owned),
            }),
            None => Box::new(error),
        };
        Failure {
            code,
            lost,
            source,
            elapsed,
            cut: false,
        }
    }

    /// A migration failed; diesel has put the server's error into its own.
    pub(crate) fn of_migration(source: BoxError, code: Option<SqlState>) -> Failure {
        Failure {
            code,
            lost: None,
            source,
            elapsed: Duration::ZERO,
            cut: false,
        }
    }

    /// The store was closed while it ran.
    pub(crate) fn cut() -> Failure {
        Failure {
            code: None,
            lost: None,
            source: "the store was closed".into(),
            elapsed: Duration::ZERO,
            cut: true,
        }
    }

    /// The server did not answer, nor did its own timeouts.
    pub(crate) fn silence(elapsed: Duration) -> Failure {
        let reason = format!("the server has not answered for {elapsed:?}");
        Failure {
            code: None,
            source: reason.clone().into(),
            lost: Some(reason),
            elapsed,
            cut: false,
        }
    }

    /// A column holds what cannot be handed over.
    pub(crate) fn of_column(column: &str, problem: &(dyn Error + Send + Sync)) -> Failure {
        let source = format!("column {column}: {problem}");
        Failure::of_migration(source.into(), None)
    }

    /// Whether the same statement may succeed at once, because it lost against another: a deadlock,
    /// a serialization failure, or a row that came between looking and writing.
    pub(crate) fn is_race(&self) -> bool {
        [
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::UNIQUE_VIOLATION,
            SqlState::FOREIGN_KEY_VIOLATION,
        ]
        .iter()
        .any(|code| self.code.as_ref() == Some(code))
    }

    /// Whether a lock was not had in time.
    pub(crate) fn is_locked_out(&self) -> bool {
        self.code.as_ref() == Some(&SqlState::LOCK_NOT_AVAILABLE)
    }

    /// What became of a statement that stood by itself.
    pub(crate) fn of_statement(self, statement: &Statement<'_>, config: &Config) -> StorageError {
        if (self.cut || self.lost.is_some()) && statement.writes() {
            return self.outcome_unknown();
        }
        self.in_work(statement.step(), config)
    }

    /// What became of a commit.
    pub(crate) fn of_commit(self, config: &Config) -> StorageError {
        if (self.cut || self.lost.is_some()) && !self.was_idle() {
            return self.outcome_unknown();
        }
        self.in_work("committing", config)
    }

    /// Whether the server itself undid an idle transaction, before it got what failed.
    fn was_idle(&self) -> bool {
        self.code.as_ref() == Some(&SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT)
    }

    fn outcome_unknown(self) -> StorageError {
        let source = self.source;
        StorageError::OutcomeUnknown { source }
    }

    /// What became of SQL of the caller's own, whose names are his business.
    pub(crate) fn of_raw(self, step: &'static str, config: &Config) -> StorageError {
        let is_about_names = [
            SqlState::UNDEFINED_TABLE,
            SqlState::UNDEFINED_COLUMN,
            SqlState::UNDEFINED_FUNCTION,
            SqlState::INVALID_SCHEMA_NAME,
        ];
        if self
            .code
            .as_ref()
            .is_some_and(|code| is_about_names.contains(code))
        {
            let source = self.source;
            return StorageError::Backend { step, source };
        }
        self.in_work(step, config)
    }

    /// What became of a statement whose transaction is gone if the connection is.
    pub(crate) fn in_work(self, step: &'static str, config: &Config) -> StorageError {
        if self.was_idle() {
            let reason = format!("it was idle for longer than {:?}", config.idle_work_timeout);
            return StorageError::WorkAborted { reason };
        }
        let Failure {
            code,
            lost,
            source,
            elapsed,
            cut,
        } = self;
        if cut {
            return StorageError::Closed;
        }
        if lost.is_some() {
            return StorageError::Unavailable { step, source };
        }
        let Some(code) = code else {
            return StorageError::Backend { step, source };
        };
        match code {
            SqlState::LOCK_NOT_AVAILABLE
            | SqlState::T_R_DEADLOCK_DETECTED
            | SqlState::T_R_SERIALIZATION_FAILURE => StorageError::Busy { waited: elapsed },
            SqlState::QUERY_CANCELED => StorageError::Timeout {
                limit: config.statement_timeout,
            },
            SqlState::READ_ONLY_SQL_TRANSACTION => StorageError::ReadOnly,
            SqlState::UNDEFINED_TABLE
            | SqlState::UNDEFINED_COLUMN
            | SqlState::UNDEFINED_FUNCTION
            | SqlState::INVALID_SCHEMA_NAME => StorageError::SchemaMismatch {
                problem: format!("{source}; {}", migrate(&config.target)),
            },
            SqlState::ADMIN_SHUTDOWN
            | SqlState::CRASH_SHUTDOWN
            | SqlState::CANNOT_CONNECT_NOW
            | SqlState::TOO_MANY_CONNECTIONS => StorageError::Unavailable { step, source },
            _ => StorageError::Backend { step, source },
        }
    }
}

/// What to type to bring the schema up.
pub(crate) fn migrate(target: &Target) -> String {
    format!("run `memory migrate up --url {target}`")
}

/// An error that the server reported. Its details are left out: they hold values of rows.
#[derive(Debug)]
struct ServerError {
    code: String,
    message: String,
    constraint: Option<String>,
}

impl Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (SQLSTATE {}", self.message, self.code)?;
        if let Some(constraint) = &self.constraint {
            write!(f, ", constraint {constraint}")?;
        }
        f.write_str(")")
    }
}

impl Error for ServerError {}

/// Why a connection could not be made.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("the server cannot be reached: {reason}")]
    Unreachable { reason: String },
    #[error("the server refused: {reason}")]
    Refused {
        reason: String,
        /// Whether its rules refuse such a connection, whoever asks: perhaps not one that is
        /// encrypted, or one that is not.
        by_rule: bool,
    },
    #[error("{problem}")]
    Tls { problem: String },
    #[error("the server runs version {version}; at least {OLDEST_SERVER} is needed")]
    TooOld { version: String },
}

impl ConnectError {
    pub(crate) fn unreachable(reason: impl Display) -> ConnectError {
        ConnectError::Unreachable {
            reason: reason.to_string(),
        }
    }

    /// Tells a server that says no from one that does not answer.
    pub(crate) fn from_driver(error: &tokio_postgres::Error) -> ConnectError {
        let reason = chain(error);
        let answered = match error.code() {
            // Invalid authorization (class 28), no such database, no right to connect.
            Some(code) => {
                code.code().starts_with("28")
                    || *code == SqlState::INVALID_CATALOG_NAME
                    || *code == SqlState::INSUFFICIENT_PRIVILEGE
            }
            // Neither the network nor the server: the driver lacks a password, or cannot sign in.
            None => !error.is_closed() && !comes_from_io(error),
        };
        if answered {
            let by_rule = error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION);
            ConnectError::Refused { reason, by_rule }
        } else if let Some(problem) = causes(error).find_map(tls::problem) {
            // With TLS 1.3 the server looks at the client's certificate after the handshake.
            ConnectError::Tls { problem }
        } else {
            ConnectError::Unreachable { reason }
        }
    }

    /// Whether the same may go well with encryption, or without.
    pub(crate) fn may_depend_on_encryption(&self) -> bool {
        matches!(
            self,
            ConnectError::Tls { .. } | ConnectError::Refused { by_rule: true, .. }
        )
    }

    /// With what the first of two ways failed of.
    pub(crate) fn after(self, first: &ConnectError) -> ConnectError {
        match self {
            ConnectError::Refused { reason, by_rule } => ConnectError::Refused {
                reason: format!("{reason}; before that: {first}"),
                by_rule,
            },
            ConnectError::Tls { problem } => ConnectError::Tls {
                problem: format!("{problem}; before that: {first}"),
            },
            other => other,
        }
    }

    /// As the answer to opening a store.
    pub(crate) fn on_open(self, target: &PostgresTarget, place: &Target) -> OpenError {
        let source = self.to_string().into();
        let shown = place.to_string();
        match self {
            ConnectError::Unreachable { reason } => OpenError::Unreachable {
                target: shown,
                source: reason.into(),
            },
            ConnectError::Refused { .. } => OpenError::Refused {
                target: shown,
                user: target.user.clone(),
                source,
            },
            ConnectError::Tls { problem } => OpenError::Tls {
                target: shown,
                problem,
            },
            ConnectError::TooOld { version } => OpenError::ServerTooOld {
                target: shown,
                found: version,
                needed: OLDEST_SERVER,
            },
        }
    }

    /// As the answer to a verb.
    pub(crate) fn on_use(&self) -> StorageError {
        StorageError::Unavailable {
            step: "connecting",
            source: self.to_string().into(),
        }
    }
}

fn comes_from_io(error: &tokio_postgres::Error) -> bool {
    causes(error).any(<dyn Error>::is::<std::io::Error>)
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    causes(error).fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}

fn causes(error: &dyn Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}
