//! What SQLite's errors mean to the caller.
//!
//! Diesel passes on SQLite's message but not its result code, so the message is what tells errors
//! apart. The messages are those of `sqlite3_errstr`, which have not changed in ten years, and
//! SQLite is compiled in; a test holds the ones that are used here.

use std::any::Any;
use std::time::Duration;

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use memory_domain::InvalidInput;
use memory_storage::StorageError;

/// Why the body of a verb ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The store refuses, or a row is not what it must be.
    Refused(StorageError),
    /// The database failed.
    Database(DieselError),
}

impl From<DieselError> for Failure {
    fn from(error: DieselError) -> Failure {
        Failure::Database(error)
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Failure {
        Failure::Refused(error)
    }
}

impl From<InvalidInput> for Failure {
    fn from(error: InvalidInput) -> Failure {
        Failure::Refused(error.into())
    }
}

impl Failure {
    /// The error that the caller of a verb gets; `waited` is for how long it ran.
    pub(crate) fn into_error(self, step: &'static str, waited: Duration) -> StorageError {
        match self {
            Failure::Refused(error) => error,
            Failure::Database(error) => storage_error(error, step, waited),
        }
    }
}

/// What went wrong, as far as anybody acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Another process holds a lock (`SQLITE_BUSY`).
    Locked,
    /// The file or its folder may only be read (`SQLITE_READONLY`).
    ReadOnly,
    /// The file cannot be opened (`SQLITE_CANTOPEN`).
    CannotOpen,
    /// The file is something else, damaged or encrypted (`SQLITE_NOTADB`, `SQLITE_CORRUPT`).
    NotADatabase,
    /// No room is left (`SQLITE_FULL`): nothing of the transaction was written.
    Full,
    /// A table or column is not there.
    Schema,
    /// Anything else.
    Other,
}

impl Trouble {
    /// Reads SQLite's message.
    pub(crate) fn of(message: &str) -> Trouble {
        match message {
            "database is locked" | "database table is locked" => Trouble::Locked,
            "attempt to write a readonly database" => Trouble::ReadOnly,
            "unable to open database file" => Trouble::CannotOpen,
            "file is not a database" | "database disk image is malformed" => Trouble::NotADatabase,
            "database or disk is full" => Trouble::Full,
            _ if message.starts_with("no such table") || message.contains("no such column") => {
                Trouble::Schema
            }
            _ => Trouble::Other,
        }
    }

    pub(crate) fn of_error(error: &DieselError) -> Trouble {
        match error {
            DieselError::DatabaseError(DatabaseErrorKind::Unknown, information) => {
                Trouble::of(information.message())
            }
            _ => Trouble::Other,
        }
    }
}

/// The error that the caller of a verb gets when the database failed.
pub(crate) fn storage_error(
    error: DieselError,
    step: &'static str,
    waited: Duration,
) -> StorageError {
    let source = Box::new(error);
    match Trouble::of_error(&source) {
        Trouble::Locked => StorageError::Busy { waited },
        Trouble::ReadOnly => StorageError::ReadOnly,
        Trouble::CannotOpen => StorageError::Unavailable { step, source },
        Trouble::Schema => StorageError::SchemaMismatch {
            problem: format!("{source}; run `memory migrate up --url` with the file"),
        },
        Trouble::NotADatabase | Trouble::Full | Trouble::Other => {
            StorageError::Backend { step, source }
        }
    }
}

/// What a caller gets when the code of a verb panicked.
pub(crate) fn panicked(step: &'static str, panic: &(dyn Any + Send)) -> StorageError {
    let said = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message");
    StorageError::Backend {
        step,
        source: format!("a panic: {said}").into(),
    }
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;
    use diesel::prelude::*;
    use diesel::sqlite::SqliteConnection;

    use super::Trouble;

    fn trouble(connection: &mut SqliteConnection, sql: &str) -> Trouble {
        Trouble::of_error(&connection.batch_execute(sql).unwrap_err())
    }

    #[test]
    fn sqlites_messages_are_those_that_are_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db").display().to_string();
        let mut one = SqliteConnection::establish(&path).unwrap();
        let mut other = SqliteConnection::establish(&path).unwrap();
        one.batch_execute("create table t (c); begin immediate; insert into t values (1)")
            .unwrap();
        assert_eq!(trouble(&mut other, "begin immediate"), Trouble::Locked);
        one.batch_execute("commit; pragma max_page_count = 2")
            .unwrap();
        let fill = "insert into t values (randomblob(100000))";
        assert_eq!(trouble(&mut one, fill), Trouble::Full);
        other.batch_execute("pragma query_only = on").unwrap();
        assert_eq!(trouble(&mut other, "delete from t"), Trouble::ReadOnly);
        assert_eq!(trouble(&mut one, "select * from u"), Trouble::Schema);
        assert_eq!(trouble(&mut one, "select d from t"), Trouble::Schema);
        assert_eq!(trouble(&mut one, "select nonsense("), Trouble::Other);

        let text = folder.path().join("text");
        std::fs::write(
            &text,
            "not a database, but long enough to have a header".repeat(9),
        )
        .unwrap();
        let mut text = SqliteConnection::establish(&text.display().to_string()).unwrap();
        assert_eq!(
            trouble(&mut text, "select * from sqlite_schema"),
            Trouble::NotADatabase
        );
        let nowhere = folder.path().join("none/a.db").display().to_string();
        let error = SqliteConnection::establish(&nowhere)
            .err()
            .unwrap()
            .to_string();
        assert_eq!(Trouble::of(&error), Trouble::CannotOpen, "{error}");
    }
}
