use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use memory_storage::SourceError;
use rusqlite::{Connection, ErrorCode, OpenFlags};

/// How long a writer may keep the file locked before reading fails.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The first bytes of every SQLite file that is not encrypted.
pub(crate) const MAGIC: &[u8] = b"SQLite format 3\0";
/// How many bytes a SQLite file's header has.
const HEADER_BYTES: usize = 100;

/// A SQLite file in its one read transaction.
pub(crate) struct SqliteFile {
    pub(crate) connection: Connection,
    /// The path as it was given, for messages.
    pub(crate) location: String,
}

impl SqliteFile {
    /// Opens a file for reading and fixes the state that is read, until the value is dropped.
    ///
    /// Never `immutable`, which would leave out what is still in the write-ahead log.
    pub(crate) fn open(path: &Path) -> Result<SqliteFile, SourceError> {
        let location = path.display().to_string();
        let resolved = check(path, &location)?;
        // Without SQLITE_OPEN_URI, so that a file called `file:x?mode=rwc` is just that.
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(resolved, flags).step(&location, "opening the file")?;
        // What a file's schema says must not make SQLite run anything but plain functions.
        connection
            .busy_timeout(BUSY_TIMEOUT)
            .and_then(|()| connection.execute_batch("pragma trusted_schema = off; begin"))
            // Only the first look takes the snapshot.
            .and_then(|()| {
                connection.query_row("select count(*) from main.sqlite_schema", [], |_| Ok(()))
            })
            .step(&location, "taking a snapshot")?;
        Ok(SqliteFile {
            connection,
            location,
        })
    }

    /// The mark that says whose file it is.
    pub(crate) fn application_id(&self) -> Result<i32, SourceError> {
        self.connection
            .query_row("pragma application_id", [], |row| row.get(0))
            .step(&self.location, "reading the application id")
    }

    pub(crate) fn unusable(&self, problem: impl Into<String>) -> SourceError {
        unusable(&self.location, problem)
    }
}

/// Says what was being done where SQLite fails, and where it can be said, what to do.
pub(crate) trait Step<T> {
    fn step(self, location: &str, step: &'static str) -> Result<T, SourceError>;
}

impl<T> Step<T> for rusqlite::Result<T> {
    fn step(self, location: &str, step: &'static str) -> Result<T, SourceError> {
        self.map_err(|error| match remedy(&error) {
            Some(problem) => unusable(location, problem),
            None => SourceError::Failed {
                location: location.to_owned(),
                step,
                source: error.into(),
            },
        })
    }
}

pub(crate) fn unusable(location: &str, problem: impl Into<String>) -> SourceError {
    SourceError::Unusable {
        location: location.to_owned(),
        problem: problem.into(),
    }
}

/// What a person can do about a failure of SQLite.
fn remedy(error: &rusqlite::Error) -> Option<String> {
    let problem = match error.sqlite_error_code()? {
        ErrorCode::NotADatabase => NOT_A_DATABASE.to_owned(),
        ErrorCode::DatabaseCorrupt => format!(
            "it is damaged or truncated ({error}); read a copy made with `sqlite3 FILE .recover`"
        ),
        ErrorCode::ReadOnly if is_hot_journal(error) => {
            "a program stopped in the middle of a write, which only a writer can undo; open it, or \
            a copy together with its `-journal` file, once with `sqlite3`"
                .to_owned()
        }
        ErrorCode::CannotOpen | ErrorCode::ReadOnly => {
            "SQLite may not make the files that it needs beside it (`-wal`, `-shm`); make its \
            directory writable, or give a copy, made together with its `-wal` file if it has one"
                .to_owned()
        }
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => format!(
            "another program kept it locked for {} s; end that program or try again",
            BUSY_TIMEOUT.as_secs()
        ),
        ErrorCode::PermissionDenied => NOT_PERMITTED.to_owned(),
        _ => return None,
    };
    Some(problem)
}

/// Whether a transaction that was cut off would have to be undone before reading.
fn is_hot_journal(error: &rusqlite::Error) -> bool {
    error
        .sqlite_error()
        .is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_READONLY_ROLLBACK)
}

const NOT_A_DATABASE: &str = "it is neither JSON Lines nor a SQLite database, or is encrypted; give \
    a SQLite file, decrypted";
const NOT_PERMITTED: &str = "it may not be read; check its permissions";

/// Looks at a file before SQLite does, which would take an empty file for an empty database and
/// notice a missing end late or never.
fn check(path: &Path, location: &str) -> Result<PathBuf, SourceError> {
    let refuse = |problem: &str| unusable(location, problem);
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => refuse("there is no such file; check the path"),
        ErrorKind::PermissionDenied => refuse(NOT_PERMITTED),
        _ => SourceError::Failed {
            location: location.to_owned(),
            step: "looking at the file",
            source: error.into(),
        },
    };
    // Absolute, so that no name is taken for one of SQLite's own, such as `:memory:`.
    let resolved = path.canonicalize().map_err(failed)?;
    let metadata = resolved.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(refuse("it is a directory; give the file in it"));
    }
    if !metadata.is_file() {
        return Err(refuse("it is no regular file; give a SQLite file"));
    }
    let mut header = Vec::with_capacity(HEADER_BYTES);
    File::open(&resolved)
        .and_then(|file| file.take(HEADER_BYTES as u64).read_to_end(&mut header))
        .map_err(failed)?;
    if header.is_empty() {
        return Err(refuse("it is empty; there is nothing to carry"));
    }
    if !header.starts_with(MAGIC) {
        return Err(refuse(NOT_A_DATABASE));
    }
    let whole = bytes_by_header(&header);
    // With a write-ahead log the end may lawfully be in there.
    if whole.is_none_or(|whole| whole > metadata.len()) && !has_wal(&resolved) {
        return Err(refuse(
            "its end is missing; copy it again from where it was made",
        ));
    }
    Ok(resolved)
}

/// How long the file is by its own account, if that can be relied on; `None` for half a header.
///
/// Source: "Database File Format", sections 1.3.2 and 1.3.7: the size in pages at offset 28 holds
/// if the change counter at 24 equals the version-valid-for number at 92.
fn bytes_by_header(header: &[u8]) -> Option<u64> {
    let number = |at: usize| {
        let bytes = header.get(at..at + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    };
    let page_size = match u16::from_be_bytes(header.get(16..18)?.try_into().ok()?) {
        1 => 65_536,
        size => u64::from(size),
    };
    if number(24)? != number(92)? {
        return Some(0);
    }
    Some(page_size * u64::from(number(28)?))
}

fn has_wal(path: &Path) -> bool {
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    Path::new(&wal)
        .metadata()
        .is_ok_and(|metadata| metadata.len() > 0)
}
