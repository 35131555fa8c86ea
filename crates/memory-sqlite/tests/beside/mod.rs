//! The file of a store, and another program's connection to it.

use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use memory_storage::{Config, SqliteLocation, SqliteTarget, Target};

pub(crate) fn path(config: &Config) -> PathBuf {
    match &config.target {
        Target::Sqlite(SqliteTarget {
            location: SqliteLocation::File(path),
            ..
        }) => path.clone(),
        other => panic!("{other} is no file"),
    }
}

/// Waits where it must: a store that was just dropped may still be closing.
pub(crate) fn connect(path: &Path) -> SqliteConnection {
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    connection
        .batch_execute("pragma busy_timeout = 9000; pragma foreign_keys = on")
        .unwrap();
    connection
}
