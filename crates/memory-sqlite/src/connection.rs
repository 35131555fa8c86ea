//! Connections to the file: where it is, how one is opened, what is set on each.

use std::fmt::Write as _;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use diesel::Connection as _;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use memory_domain::{JsonObject, json_contains as contains};
use memory_storage::{StatementLog, Synchronous};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use tempfile::TempDir;

use crate::error::Trouble;
use crate::listener::Listener;
use crate::meter::{Meter, Open};

/// `MEM1`: what the header of our files says (`PRAGMA application_id`), so that nobody else's is
/// taken for ours.
pub const APPLICATION_ID: i32 = 0x4D45_4D31;

/// Where the file is, and how every connection to it is opened.
#[derive(Debug)]
pub(crate) struct Place {
    /// An absolute path: it stays the same file if the process changes its folder.
    pub(crate) path: PathBuf,
    pub(crate) access: Access,
    pub(crate) synchronous: Synchronous,
    /// How long SQLite waits for a lock that another process holds.
    pub(crate) busy_timeout: Duration,
    pub(crate) meter: Arc<Meter>,
    pub(crate) log: StatementLog,
    /// The folder of a `sqlite::memory:` store, deleted with the last holder or when taken out.
    pub(crate) temporary: Mutex<Option<TempDir>>,
}

/// How the file may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Read and written, and made if it is missing.
    Create,
    /// Read and written.
    Write,
    /// Only read; others may write.
    Read,
    /// Only read, from a folder that cannot be written, where nobody can write either: without
    /// the side files that SQLite would need to see writers.
    Immutable,
}

impl Access {
    pub(crate) fn writes(self) -> bool {
        matches!(self, Access::Create | Access::Write)
    }
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Writes; there is one.
    Writer,
    /// Reads; cannot write.
    Reader,
    /// Changes the schema: foreign keys are off, because rebuilding a table with them on deletes
    /// the rows that refer to it.
    Migrator,
}

impl Place {
    /// Opens a connection.
    pub(crate) fn connect(&self, role: Role) -> Result<Connection, ConnectError> {
        let mut inner = SqliteConnection::establish(&self.uri())?;
        inner.set_instrumentation(Listener::new(self.log));
        inner.batch_execute(&self.pragmas(role))?;
        if role != Role::Migrator {
            register_json_contains(&mut inner)?;
        }
        let counted = (role == Role::Reader).then(|| self.meter.open());
        Ok(Connection {
            inner,
            broken: false,
            _counted: counted,
        })
    }

    /// The file as SQLite's URI, which says the mode and takes any path, `?` and `%` included.
    fn uri(&self) -> String {
        let mode = match self.access {
            Access::Create => "mode=rwc",
            Access::Write => "mode=rw",
            Access::Read => "mode=ro",
            Access::Immutable => "immutable=1",
        };
        format!("file:{}?{mode}", encoded(&self.path))
    }

    fn pragmas(&self, role: Role) -> String {
        let mut pragmas = format!(
            "pragma busy_timeout = {};
             pragma trusted_schema = off;
             pragma foreign_keys = {};",
            self.busy_timeout.as_millis().min(i32::MAX as u128),
            if role == Role::Migrator { "off" } else { "on" },
        );
        let _ = match role {
            Role::Writer => write!(
                pragmas,
                "pragma synchronous = {};
                 pragma cache_size = -{CACHE_KIB};
                 pragma journal_size_limit = {LOG_KEPT};",
                self.synchronous()
            ),
            Role::Reader => write!(pragmas, "pragma query_only = on;"),
            Role::Migrator => write!(pragmas, "pragma synchronous = full;"),
        };
        pragmas
    }

    /// How far a commit of the writer waits for the disk.
    pub(crate) fn synchronous(&self) -> &'static str {
        match self.synchronous {
            // It is gone with the process, so there is nothing to wait for.
            _ if self.is_temporary() => "off",
            Synchronous::Normal => "normal",
            Synchronous::Full => "full",
        }
    }

    fn is_temporary(&self) -> bool {
        self.temporary
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    /// Deletes the file of a `sqlite::memory:` store.
    pub(crate) fn remove_temporary(&self) {
        self.temporary
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }
}

/// How many KiB of the file the writer keeps in memory at most. What a large transaction changes lies
/// all over the file, and what has no room goes to the log and is read again.
const CACHE_KIB: u32 = 64 * 1024;

/// How much of the log stays on the disk once it is in the file: a transfer may have made it huge.
const LOG_KEPT: u64 = 64 * 1024 * 1024;

/// What a path keeps in a URI.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.');

#[cfg(unix)]
pub(crate) fn encoded(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    percent_encode(path.as_os_str().as_bytes(), PATH).to_string()
}

#[cfg(not(unix))]
pub(crate) fn encoded(path: &Path) -> String {
    // SQLite wants /C:/folder/file.
    let path = path.to_string_lossy().replace('\\', "/");
    let rooted = format!("/{}", path.trim_start_matches('/'));
    percent_encode(rooted.as_bytes(), &PATH.remove(b':')).to_string()
}

/// A connection that is counted, and knows whether somebody left it in disorder.
pub(crate) struct Connection {
    inner: SqliteConnection,
    /// Set while a verb runs: what panics leaves it set, and the pool closes the connection.
    pub(crate) broken: bool,
    /// Readers are the pool, which has statistics; it is one of them until it is closed.
    _counted: Option<Open>,
}

impl Deref for Connection {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.inner
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.inner
    }
}

/// Why a connection could not be opened: SQLite's message.
#[derive(Debug)]
pub(crate) struct ConnectError(String);

impl ConnectError {
    pub(crate) fn new(error: &impl ToString) -> ConnectError {
        ConnectError(error.to_string())
    }

    pub(crate) fn trouble(&self) -> Trouble {
        Trouble::of(&self.0)
    }
}

impl std::fmt::Display for ConnectError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConnectError {}

impl From<ConnectionError> for ConnectError {
    fn from(error: ConnectionError) -> ConnectError {
        ConnectError(error.to_string())
    }
}

impl From<diesel::result::Error> for ConnectError {
    fn from(error: diesel::result::Error) -> ConnectError {
        ConnectError(error.to_string())
    }
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// Whether one object contains another, by the domain's rule: so that a listing's limit is
    /// SQL's business though its filter is Rust.
    fn json_contains(
        whole: diesel::sql_types::Text,
        part: diesel::sql_types::Text,
    ) -> diesel::sql_types::Bool;
}

fn register_json_contains(connection: &mut SqliteConnection) -> QueryResult<()> {
    // The part is the same in every row of a listing, so it is parsed once.
    let last = Mutex::new((String::new(), JsonObject::new()));
    json_contains_utils::register_impl(connection, move |whole: String, part: String| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.0 != part {
            let object = serde_json::from_str(&part).unwrap_or_default();
            *last = (part, object);
        }
        serde_json::from_str(&whole).is_ok_and(|whole| contains(&whole, &last.1))
    })
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn any_path_becomes_a_uri() {
        assert_eq!(
            encoded("/a b/ü?#%&.db".as_ref()),
            "/a%20b/%C3%BC%3F%23%25%26.db"
        );
    }
}
