use std::error::Error;
use std::time::Duration;

use memory_domain::{InvalidInput, WrongState};

/// The cause of an error, whatever the backend calls it.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Why a store refused or failed. The variant says what the caller can do; the cause, where there
/// is one, is the `source`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// A value breaks a rule. Nothing was written; correct it.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),

    /// What was to be changed is not there.
    #[error("{what} {id} is not there")]
    NotFound {
        /// What was looked for: `session`, `node`.
        what: &'static str,
        /// Its id.
        id: String,
    },

    /// The same id, or the same unique key, stands with other content. Nothing was changed.
    #[error("{what} {id} is there already with other content")]
    Conflict {
        /// What stands: `session`, `message`.
        what: &'static str,
        /// Its id or key.
        id: String,
    },

    /// The state of what is to be changed does not allow it. Nothing was changed; look at it again.
    #[error(transparent)]
    WrongState(#[from] WrongState),

    /// What is referred to is not there. Nothing was written; write that first.
    #[error("{what} {id}, which is referred to, is not there")]
    MissingReference {
        /// What is missing: `session`, `node`.
        what: &'static str,
        /// Its id.
        id: String,
    },

    /// Others were writing for as long as the caller may wait. Nothing was written; try again.
    #[error(
        "others kept the store busy for {waited:?}; finish or drop open units of work, then retry"
    )]
    Busy {
        /// How long the caller waited.
        waited: Duration,
    },

    /// No connection became free in time. Nothing was done; try again or enlarge the pool.
    #[error("no connection became free within {waited:?} (the pool has at most {max_size})")]
    PoolTimeout {
        /// How long the caller waited.
        waited: Duration,
        /// The most connections that the pool opens.
        max_size: u32,
    },

    /// The statement took longer than it may. Nothing was written.
    #[error("the statement took longer than {limit:?}")]
    Timeout {
        /// The limit that was passed.
        limit: Duration,
    },

    /// The database cannot be reached at the moment. Nothing was written; try again.
    #[error("the database cannot be reached while {step}")]
    Unavailable {
        /// What was being done.
        step: &'static str,
        /// What the driver said.
        #[source]
        source: BoxError,
    },

    /// The connection was lost while committing: ask again, by id, what stands.
    #[error("the connection was lost during commit, so the outcome is unknown; look by id")]
    OutcomeUnknown {
        /// What the driver said.
        #[source]
        source: BoxError,
    },

    /// The unit of work was undone before; begin a new one.
    #[error("the unit of work was undone: {reason}")]
    WorkAborted {
        /// Why: a database error, an idle deadline, a dropped verb.
        reason: String,
    },

    /// The store was opened, or its file is, for reading only.
    #[error("the store is read-only")]
    ReadOnly,

    /// The store was closed.
    #[error("the store is closed")]
    Closed,

    /// The schema is not the one that this program works with.
    #[error("the schema does not fit this program: {problem}")]
    SchemaMismatch {
        /// What differs and what to do.
        problem: String,
    },

    /// A row holds what the domain does not allow; somebody else wrote it.
    #[error("{table}.{column} of row {id} holds what must not be there: {problem}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's id.
        id: String,
        /// What is wrong with the value.
        problem: String,
    },

    /// The backend cannot do this.
    #[error("{what} is not supported here")]
    Unsupported {
        /// What was asked.
        what: String,
    },

    /// The database failed in a way that the caller cannot mend.
    #[error("the database failed while {step}")]
    Backend {
        /// What was being done.
        step: &'static str,
        /// What the driver said.
        #[source]
        source: BoxError,
    },
}

impl StorageError {
    /// Whether the same call may succeed later without any change.
    pub const fn is_retryable(&self) -> bool {
        matches!(
            self,
            StorageError::Busy { .. }
                | StorageError::PoolTimeout { .. }
                | StorageError::Timeout { .. }
                | StorageError::Unavailable { .. }
        )
    }

    /// Whether the store itself refused, before or without an error of the database, so that a
    /// unit of work remains usable.
    pub const fn is_refusal(&self) -> bool {
        matches!(
            self,
            StorageError::Invalid(_)
                | StorageError::NotFound { .. }
                | StorageError::Conflict { .. }
                | StorageError::WrongState(_)
                | StorageError::MissingReference { .. }
                | StorageError::Unsupported { .. }
        )
    }
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL names no backend of ours.
    #[error(
        "{scheme:?} is not a scheme of a store; use sqlite://path, a bare path, sqlite::memory: or postgres://"
    )]
    UnknownScheme {
        /// The scheme that was given.
        scheme: String,
    },

    /// The URL, an option or a variable has a value that does not fit.
    #[error("option {option} has the value {value:?}: {problem}")]
    InvalidOption {
        /// The option, URL parameter or environment variable.
        option: String,
        /// What was given; never a password.
        value: String,
        /// What would be accepted.
        problem: String,
    },

    /// The program was built without this backend.
    #[error("the backend {backend} is not built in; enable the feature `{feature}` of memory-core")]
    FeatureOff {
        /// The backend that the URL names.
        backend: &'static str,
        /// The cargo feature that brings it.
        feature: &'static str,
    },

    /// The server does not answer.
    #[error("{target} cannot be reached; check host, port and that the server runs")]
    Unreachable {
        /// Host, port and database, without the password.
        target: String,
        /// What the driver said.
        #[source]
        source: BoxError,
    },

    /// The server refuses the user or password, or the database does not exist.
    #[error("{target} refused user {user:?}; check user, password and database")]
    Refused {
        /// Host, port and database.
        target: String,
        /// The user.
        user: String,
        /// What the server said.
        #[source]
        source: BoxError,
    },

    /// The connection was to be encrypted, and cannot be: a file of certificates does not serve,
    /// the server offers no TLS, or its certificate is not to be trusted.
    #[error("{target} cannot be reached by TLS: {problem}")]
    Tls {
        /// Host, port and database, without the password.
        target: String,
        /// Which file or check failed, and what to do.
        problem: String,
    },

    /// The file is not a SQLite database, or is damaged or encrypted.
    #[error("{path} is not a SQLite database, or is damaged or encrypted")]
    NotADatabase {
        /// The file.
        path: String,
    },

    /// The file is a SQLite database of another program.
    #[error("{path} belongs to another program; {hint}")]
    ForeignFile {
        /// The file.
        path: String,
        /// What to do: for a legacy format, `memory migrate --from`.
        hint: String,
    },

    /// The file cannot be created, read or written.
    #[error("{path} cannot be opened: {problem}")]
    Inaccessible {
        /// The file.
        path: String,
        /// What is in the way and what to do.
        problem: String,
        /// What the system said.
        #[source]
        source: Option<BoxError>,
    },

    /// The schema is older or newer than the program, and may not be changed now.
    #[error("the schema of {target} does not fit this program: {problem}")]
    SchemaMismatch {
        /// The store.
        target: String,
        /// What differs and what to do.
        problem: String,
    },

    /// The server is too old.
    #[error("{target} runs version {found}; at least {needed} is needed")]
    ServerTooOld {
        /// Host, port and database.
        target: String,
        /// Its version.
        found: String,
        /// The oldest version that serves.
        needed: &'static str,
    },

    /// Something failed that the caller cannot mend by other options.
    #[error("opening {target} failed while {step}")]
    Failed {
        /// The store.
        target: String,
        /// What was being done.
        step: &'static str,
        /// What the driver said.
        #[source]
        source: BoxError,
    },
}
