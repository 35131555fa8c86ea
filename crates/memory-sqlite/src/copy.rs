//! Copying a store's file, and putting a copy in the place of a store.

use std::error::Error;
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;
use memory_storage::{Backup, BoxError, StorageError};
use tempfile::NamedTempFile;

use crate::error::Failure;
use crate::owner::{Owner, owner};

/// Copies the state that a connection sees to a file that is verified before it gets its name.
/// Blocks.
pub(crate) fn copy(
    connection: &mut SqliteConnection,
    to: &Path,
    replace: bool,
) -> Result<Backup, StorageError> {
    const STEP: &str = "copying the file";
    let failed = |source: BoxError| StorageError::Backend { step: STEP, source };
    if !replace && to.exists() {
        return Err(exists(to));
    }
    let file = copied(connection, to).map_err(|failure| match failure {
        Copying::Database(error) => Failure::from(error).into_error(STEP, Duration::default()),
        Copying::Other(error) => failed(error),
    })?;
    let bytes = file
        .as_file()
        .metadata()
        .map_err(|error| failed(error.into()))?;
    let bytes = bytes.len();
    let kept = if replace {
        file.persist(to)
    } else {
        file.persist_noclobber(to)
    };
    match kept {
        Ok(_) => Ok(Backup { bytes }),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Err(exists(to)),
        Err(error) => Err(failed(error.error.into())),
    }
}

enum Copying {
    Database(diesel::result::Error),
    Other(BoxError),
}

/// A verified copy under a temporary name in the folder where it is to be.
fn copied(connection: &mut SqliteConnection, to: &Path) -> Result<NamedTempFile, Copying> {
    let other = |error: std::io::Error| Copying::Other(error.into());
    let folder = match to.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let file = tempfile::Builder::new()
        .prefix(".memory-copy-")
        .tempfile_in(folder)
        .map_err(other)?;
    let Some(path) = file.path().to_str() else {
        return Err(Copying::Other("the path is no UTF-8".into()));
    };
    // Into an empty file; a read transaction of the source suffices, so others may write.
    diesel::sql_query("vacuum into ?")
        .bind::<Text, _>(path)
        .execute(connection)
        .map_err(Copying::Database)?;
    sound(file.path()).map_err(|problem| Copying::Other(problem.into()))?;
    file.as_file().sync_all().map_err(other)?;
    Ok(file)
}

fn exists(to: &Path) -> StorageError {
    StorageError::Conflict {
        what: "the file",
        id: to.display().to_string(),
    }
}

#[derive(QueryableByName)]
struct Check {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

/// Holds that a file is a whole store of ours. Its tables are read from end to end.
fn sound(path: &Path) -> Result<(), String> {
    let mut connection = read_only(path).map_err(|error| error.to_string())?;
    let owned = owner(&mut connection).map_err(|error| error.to_string())?;
    if !matches!(owned, Owner::Us) {
        return Err("it is no store of memory".to_owned());
    }
    let found: Vec<Check> = diesel::sql_query("pragma integrity_check(1)")
        .load(&mut connection)
        .map_err(|error| error.to_string())?;
    match found.first() {
        Some(check) if check.integrity_check == "ok" => Ok(()),
        Some(check) => Err(format!("it is damaged: {}", check.integrity_check)),
        None => Err("it could not be checked".to_owned()),
    }
}

fn read_only(path: &Path) -> ConnectionResult<SqliteConnection> {
    let uri = format!("file:{}?mode=ro", crate::connection::encoded(path));
    SqliteConnection::establish(&uri)
}

/// Why a backup was not put in a store's place. The store is as it was.
#[derive(Debug)]
pub struct RestoreError {
    problem: String,
    source: Option<BoxError>,
}

impl Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl Error for RestoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        }
    }
}

fn refuse(problem: String) -> RestoreError {
    RestoreError {
        problem,
        source: None,
    }
}

/// Puts a copy of a backup in the place of a store, at once and whole. Blocks.
///
/// The backup is checked from end to end first, and left as it is. A store that stands there is only
/// replaced if `replace` says so and nobody has it open.
///
/// # Errors
/// The backup is not there, damaged or no store of ours; the store stands and is not to be replaced,
/// or somebody has it open; the copy cannot be written.
pub fn restore(backup: &Path, to: &Path, replace: bool) -> Result<Backup, RestoreError> {
    let shown = backup.display();
    if !backup.exists() {
        return Err(refuse(format!("{shown} is not there")));
    }
    if let (Ok(a), Ok(b)) = (backup.canonicalize(), to.canonicalize())
        && a == b
    {
        return Err(refuse(format!("{shown} is the store itself")));
    }
    sound(backup).map_err(|problem| refuse(format!("{shown} cannot be restored: {problem}")))?;
    if to.exists() && !replace {
        return Err(refuse(format!("{} is there already", to.display())));
    }
    let failed = |step: &str, source: BoxError| RestoreError {
        problem: format!("{step} failed"),
        source: Some(source),
    };
    let mut connection =
        read_only(backup).map_err(|error| failed("reading the backup", error.into()))?;
    let copied = copied(&mut connection, to).map_err(|error| match error {
        Copying::Database(error) => failed("copying the backup", error.into()),
        Copying::Other(error) => failed("copying the backup", error),
    })?;
    drop(connection);
    let bytes = copied.as_file().metadata();
    let bytes = bytes.map_err(|error| failed("copying the backup", error.into()))?;
    // Held until the new file has its name, so that nobody begins to use the old one.
    let held = if to.exists() { hold(to)? } else { None };
    for side in ["-wal", "-shm", "-journal"] {
        let mut name = to.as_os_str().to_owned();
        name.push(side);
        let _ = std::fs::remove_file(PathBuf::from(name));
    }
    let kept = if replace {
        copied.persist(to)
    } else {
        copied.persist_noclobber(to)
    };
    kept.map_err(|error| failed("giving the copy its name", error.error.into()))?;
    drop(held);
    Ok(Backup { bytes: bytes.len() })
}

/// Takes a store that stands out of use: its log goes into the file, and nobody else has it open.
/// `None` if it is too damaged to be anybody's.
fn hold(path: &Path) -> Result<Option<SqliteConnection>, RestoreError> {
    #[derive(QueryableByName)]
    struct Mode {
        #[diesel(sql_type = Text)]
        journal_mode: String,
    }
    let uri = format!("file:{}?mode=rw", crate::connection::encoded(path));
    let Ok(mut connection) = SqliteConnection::establish(&uri) else {
        return Ok(None);
    };
    let in_use = || {
        let shown = path.display();
        refuse(format!("{shown} is in use; stop whoever has it open"))
    };
    match owner(&mut connection) {
        Ok(Owner::Us | Owner::Nobody) => {}
        Ok(Owner::Other(_)) => {
            let problem = format!("{} is another program's file", path.display());
            return Err(refuse(problem));
        }
        Err(error) if error.to_string().contains("locked") => return Err(in_use()),
        Err(_) => return Ok(None),
    }
    // Only whoever is alone can leave the mode in which readers and a writer share the file.
    let mode: QueryResult<Mode> =
        diesel::sql_query("pragma journal_mode = delete").get_result(&mut connection);
    match mode {
        Ok(mode) if mode.journal_mode == "delete" => {}
        _ => return Err(in_use()),
    }
    connection
        .batch_execute("begin exclusive")
        .map_err(|_| in_use())?;
    Ok(Some(connection))
}
