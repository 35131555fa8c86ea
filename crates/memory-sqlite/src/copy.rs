//! Copying a store's file, and putting a copy in the place of a store.

use std::error::Error;
use std::fmt::{self, Display};
use std::path::Path;
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;
use memory_domain::InvalidInput;
use memory_storage::{Backup, BoxError, StorageError};

use crate::error::Failure;
use crate::new_file::{NewFile, NewFileError};
use crate::owner::{Owner, owner};

/// Copies the state that a connection sees to a file that is verified before it gets its name.
/// Blocks.
pub(crate) fn copy(
    connection: &mut SqliteConnection,
    store: &Path,
    to: &Path,
    replace: bool,
) -> Result<Backup, StorageError> {
    const STEP: &str = "copying the file";
    let failed = |source: BoxError| StorageError::Backend { step: STEP, source };
    let unplaced = |error: NewFileError| match error {
        NewFileError::Exists(path) => StorageError::Conflict {
            what: "the file",
            id: path.display().to_string(),
        },
        NewFileError::Refused { path, problem } => {
            InvalidInput::new("file", path.display(), format!("it {problem}")).into()
        }
        error @ NewFileError::Failed { .. } => failed(error.into()),
    };
    let file = NewFile::create(to, replace, Some(store)).map_err(unplaced)?;
    let bytes = fill(connection, &file).map_err(|failure| match failure {
        Copying::Database(error) => Failure::from(error).into_error(STEP, Duration::default()),
        Copying::Other(error) => failed(error),
    })?;
    file.keep_database().map_err(unplaced)?;
    Ok(Backup { bytes })
}

enum Copying {
    Database(diesel::result::Error),
    Other(BoxError),
}

/// Makes a new file a verified copy, and says how large it is.
fn fill(connection: &mut SqliteConnection, file: &NewFile) -> Result<u64, Copying> {
    let Some(path) = file.temporary().to_str() else {
        return Err(Copying::Other("the path is no UTF-8".into()));
    };
    // Into an empty file; a read transaction of the source suffices, so others may write.
    diesel::sql_query("vacuum into ?")
        .bind::<Text, _>(path)
        .execute(connection)
        .map_err(Copying::Database)?;
    sound(file.temporary()).map_err(|problem| Copying::Other(problem.into()))?;
    let metadata = file.temporary().metadata();
    Ok(metadata
        .map_err(|error| Copying::Other(error.into()))?
        .len())
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

impl From<NewFileError> for RestoreError {
    fn from(error: NewFileError) -> RestoreError {
        RestoreError {
            problem: error.to_string(),
            source: match error {
                NewFileError::Failed { source, .. } => Some(source.into()),
                NewFileError::Exists(_) | NewFileError::Refused { .. } => None,
            },
        }
    }
}

fn refuse(problem: String) -> RestoreError {
    RestoreError {
        problem,
        source: None,
    }
}

/// A store that a backup was put in the place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// Its size in bytes.
    pub bytes: u64,
    /// Whether it belongs to whom the store belonged that it replaced, if there was one.
    pub belongs: bool,
}

/// Puts a copy of a backup in the place of a store, at once and whole. Blocks.
///
/// The backup is checked from end to end first, and left as it is. A store that stands there is only
/// replaced if `replace` says so and nobody has it open; its mode is kept, and its owner where that
/// is permitted.
///
/// # Errors
/// The backup is not there, damaged or no store of ours; the store stands and is not to be replaced,
/// or somebody has it open; the copy cannot be written.
pub fn restore(backup: &Path, to: &Path, replace: bool) -> Result<Restored, RestoreError> {
    let shown = backup.display();
    if !backup.exists() {
        return Err(refuse(format!("{shown} is not there")));
    }
    sound(backup).map_err(|problem| refuse(format!("{shown} cannot be restored: {problem}")))?;
    let file = NewFile::create(to, replace, Some(backup))?;
    let failed = |step: &str, source: BoxError| RestoreError {
        problem: format!("{step} failed"),
        source: Some(source),
    };
    let mut connection =
        read_only(backup).map_err(|error| failed("reading the backup", error.into()))?;
    let bytes = fill(&mut connection, &file).map_err(|error| match error {
        Copying::Database(error) => failed("copying the backup", error.into()),
        Copying::Other(error) => failed("copying the backup", error),
    })?;
    drop(connection);
    let belongs = file.inherit()?;
    file.keep_database()?;
    Ok(Restored { bytes, belongs })
}
