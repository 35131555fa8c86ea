//! A file that is there whole, or not at all, and never in the place of what is in use.

use std::error::Error;
use std::fmt::{self, Display};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;
use tempfile::NamedTempFile;

use crate::owner::{Owner, owner};

/// A file under a temporary name in the folder where it is to be; removed unless it is kept.
#[derive(Debug)]
pub struct NewFile {
    path: PathBuf,
    file: NamedTempFile,
    replace: bool,
    /// After the file, which they belong to.
    beside: SideFiles,
}

impl NewFile {
    /// Makes an empty file that only its owner may read. With `replace` it may take the place of
    /// another file, but never of `store`, from which its content comes.
    ///
    /// # Errors
    /// `Exists` without `replace`; `Refused` for the store itself, by whatever name, and for what is no
    /// regular file; `Failed` if the folder cannot be written.
    pub fn create(
        path: &Path,
        replace: bool,
        store: Option<&Path>,
    ) -> Result<NewFile, NewFileError> {
        if !replace && path.exists() {
            return Err(NewFileError::Exists(path.to_owned()));
        }
        // What a link leads to is replaced, not the link: side files lie there, too.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if store.is_some_and(|store| is_same_file(store, &path)) {
            return Err(refused(&path, "is the store itself"));
        }
        if path.exists() && !path.is_file() {
            return Err(refused(&path, "is no regular file"));
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let file = tempfile::Builder::new()
            .prefix(&format!(".{name}."))
            .suffix(".partial")
            .tempfile_in(folder)
            .map_err(|error| failed(&path, error))?;
        Ok(NewFile {
            path,
            beside: SideFiles(file.path().to_owned()),
            file,
            replace,
        })
    }

    /// Where it is for now.
    pub fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// Its temporary name.
    pub(crate) fn temporary(&self) -> &Path {
        self.file.path()
    }

    /// Gives it the mode and, where that is permitted, the owner of what it is to replace. Says
    /// whether it has both then.
    #[cfg(unix)]
    pub(crate) fn inherit(&self) -> Result<bool, NewFileError> {
        use std::os::unix::fs::{MetadataExt, fchown};

        let Ok(old) = self.path.metadata() else {
            return Ok(true);
        };
        let file = self.file.as_file();
        let belongs = fchown(file, Some(old.uid()), Some(old.gid())).is_ok() || {
            // Who may not give a file away may still give it to a group of theirs.
            let _ = fchown(file, None, Some(old.gid()));
            false
        };
        file.set_permissions(old.permissions())
            .map_err(|error| failed(&self.path, error))?;
        Ok(belongs)
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "its twin can fail")]
    pub(crate) fn inherit(&self) -> Result<bool, NewFileError> {
        Ok(true)
    }

    /// Puts what was written on the disk, and gives the file its name. What stands there is held
    /// until then, so that nobody begins to use it.
    ///
    /// # Errors
    /// `Exists` if somebody made a file of that name meanwhile; `Refused` if what stands there is a
    /// database that somebody has open, or another program's; `Failed` if the disk refuses.
    pub fn keep(self) -> Result<(), NewFileError> {
        self.keep_after(|_| ())
    }

    /// The same for a database, into which what is left beside its name would be replayed.
    pub(crate) fn keep_database(self) -> Result<(), NewFileError> {
        self.keep_after(remove_side_files)
    }

    fn keep_after(self, prepare: impl FnOnce(&Path)) -> Result<(), NewFileError> {
        let NewFile {
            path,
            file,
            replace,
            beside: _beside,
        } = self;
        // Opened anew, because somebody else may have written it under its temporary name.
        File::open(file.path())
            .and_then(|file| file.sync_all())
            .map_err(|error| failed(&path, error))?;
        let held = if replace && path.exists() {
            hold(&path)?
        } else {
            None
        };
        if replace || !path.exists() {
            prepare(&path);
        }
        let kept = if replace {
            file.persist(&path)
        } else {
            file.persist_noclobber(&path)
        };
        drop(held);
        match kept {
            Ok(_) => Ok(()),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                Err(NewFileError::Exists(path))
            }
            Err(error) => Err(failed(&path, error.error)),
        }
    }
}

/// Why a new file did not get its name. What stood there is as it was.
#[derive(Debug)]
pub enum NewFileError {
    /// It is there already, and is not to be replaced.
    Exists(PathBuf),
    /// What stands there must not be replaced.
    Refused {
        /// The file.
        path: PathBuf,
        /// What it is, and what to do.
        problem: &'static str,
    },
    /// The system did not let it be written.
    Failed {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Display for NewFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NewFileError::Exists(path) => write!(f, "{} exists already", path.display()),
            NewFileError::Refused { path, problem } => {
                write!(f, "{} {problem}", path.display())
            }
            NewFileError::Failed { path, .. } => {
                write!(f, "{} cannot be written", path.display())
            }
        }
    }
}

impl Error for NewFileError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            NewFileError::Failed { source, .. } => Some(source),
            NewFileError::Exists(_) | NewFileError::Refused { .. } => None,
        }
    }
}

fn refused(path: &Path, problem: &'static str) -> NewFileError {
    let path = path.to_owned();
    NewFileError::Refused { path, problem }
}

fn failed(path: &Path, source: io::Error) -> NewFileError {
    let path = path.to_owned();
    NewFileError::Failed { path, source }
}

/// What SQLite makes beside a file while it writes it, and leaves if it is not let finish.
#[derive(Debug)]
struct SideFiles(PathBuf);

impl Drop for SideFiles {
    fn drop(&mut self) {
        remove_side_files(&self.0);
    }
}

fn remove_side_files(path: &Path) {
    for side in ["-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(side);
        let _ = std::fs::remove_file(PathBuf::from(name));
    }
}

/// Whether two names lead to one file, as links do; what is not there is no other's file.
pub fn is_same_file(a: &Path, b: &Path) -> bool {
    let (Ok(a), Ok(b)) = (a.canonicalize(), b.canonicalize()) else {
        return false;
    };
    a == b || identity(&a).is_some_and(|identity_a| identity(&b) == Some(identity_a))
}

/// What two hard links of one file have in common.
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;

    let metadata = path.metadata().ok()?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Path) -> Option<PathBuf> {
    None
}

/// Takes a database that stands out of use: its log goes into the file, and nobody else has it open.
/// `None` if it is none, or too damaged to be anybody's.
fn hold(path: &Path) -> Result<Option<SqliteConnection>, NewFileError> {
    #[derive(QueryableByName)]
    struct Mode {
        #[diesel(sql_type = Text)]
        journal_mode: String,
    }
    let uri = format!("file:{}?mode=rw", crate::connection::encoded(path));
    let Ok(mut connection) = SqliteConnection::establish(&uri) else {
        return Ok(None);
    };
    let in_use = || refused(path, "is in use; stop whoever has it open");
    match owner(&mut connection) {
        Ok(Owner::Us | Owner::Nobody) => {}
        Ok(Owner::Other(_)) => return Err(refused(path, "is another program's file")),
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
