//! Copying a store's file, and putting a copy in the place of a store.

use std::error::Error;
use std::fmt::{self, Display};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;
use memory_domain::InvalidInput;
use memory_storage::{Backup, BoxError, StorageError};
use tokio::task::spawn_blocking;

use crate::connection::{Place, Role};
use crate::error::Failure;
use crate::new_file::{NewFile, NewFileError};
use crate::owner::{Owner, owner};

/// Copies the store to a file that is verified before it gets its name. Dropped, it leaves nothing.
pub(crate) async fn copy(
    place: Arc<Place>,
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
    let file = NewFile::create(to, replace, Some(&place.path)).map_err(unplaced)?;
    let temporary = file.temporary().to_owned();
    let filling = blocking(move || {
        // A connection of its own: a copy takes long, and readers are few.
        let mut connection = place
            .connect(Role::Reader)
            .map_err(|error| Copying::Unavailable(error.into()))?;
        connection
            .batch_execute("pragma query_only = off")
            .map_err(Copying::Database)?;
        fill(&mut connection, &temporary)
    });
    let bytes = filling.await.map_err(|error| match error {
        Copying::Database(error) => Failure::from(error).into_error(STEP, Duration::default()),
        Copying::Unavailable(source) => StorageError::Unavailable { step: STEP, source },
        Copying::Other(error) => failed(error),
    })?;
    file.keep_database().map_err(unplaced)?;
    Ok(Backup { bytes })
}

enum Copying {
    Database(diesel::result::Error),
    Unavailable(BoxError),
    Other(BoxError),
}

/// Runs what takes long off the caller's thread. Whoever goes away takes the new file along, into
/// which it may still write.
async fn blocking<T: Send + 'static>(
    body: impl FnOnce() -> Result<T, Copying> + Send + 'static,
) -> Result<T, Copying> {
    spawn_blocking(body)
        .await
        .unwrap_or_else(|error| Err(Copying::Other(error.into())))
}

/// Makes a new file a verified copy that is on the disk, and says how large it is.
fn fill(connection: &mut SqliteConnection, file: &Path) -> Result<u64, Copying> {
    let other = |error: std::io::Error| Copying::Other(error.into());
    let Some(path) = file.to_str() else {
        return Err(Copying::Other("the path is no UTF-8".into()));
    };
    // Into an empty file; a read transaction of the source suffices, so others may write.
    diesel::sql_query("vacuum into ?")
        .bind::<Text, _>(path)
        .execute(connection)
        .map_err(Copying::Database)?;
    sound(file).map_err(|problem| Copying::Other(problem.into()))?;
    let written = File::open(file).map_err(other)?;
    written.sync_all().map_err(other)?;
    Ok(written.metadata().map_err(other)?.len())
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

/// Puts a copy of a backup in the place of a store, at once and whole. Dropped, it
/// leaves what stands as it was.
///
/// The backup is checked from end to end first, and left as it is. A store that stands there is only
/// replaced if `replace` says so and nobody has it open; its mode is kept, and its owner where that
/// is permitted.
///
/// # Errors
/// The backup is not there, damaged or no store of ours; the store stands and is not to be replaced,
/// or somebody has it open; the copy cannot be written.
pub async fn restore(backup: &Path, to: &Path, replace: bool) -> Result<Restored, RestoreError> {
    let shown = backup.display();
    if !backup.exists() {
        return Err(refuse(format!("{shown} is not there")));
    }
    let file = NewFile::create(to, replace, Some(backup))?;
    let (source, temporary) = (backup.to_owned(), file.temporary().to_owned());
    let filling = blocking(move || {
        if let Err(problem) = sound(&source) {
            return Ok(Err(problem));
        }
        let mut connection =
            read_only(&source).map_err(|error| Copying::Unavailable(error.into()))?;
        fill(&mut connection, &temporary).map(Ok)
    });
    let filled = filling.await.map_err(|error| {
        let (step, source) = match error {
            Copying::Unavailable(error) => ("reading the backup", error),
            Copying::Database(error) => ("copying the backup", error.into()),
            Copying::Other(error) => ("copying the backup", error),
        };
        RestoreError {
            problem: format!("{step} failed"),
            source: Some(source),
        }
    })?;
    let bytes =
        filled.map_err(|problem| refuse(format!("{shown} cannot be restored: {problem}")))?;
    let belongs = file.inherit()?;
    file.keep_database()?;
    Ok(Restored { bytes, belongs })
}
