//! A file that is there whole, or not at all.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::failure::Failure;

/// A file under a temporary name in the folder where it is to be; removed unless it is kept.
pub(crate) struct NewFile {
    path: PathBuf,
    file: NamedTempFile,
    replace: bool,
}

impl NewFile {
    /// Makes an empty file that only its owner may read.
    pub(crate) fn create(path: &Path, replace: bool) -> Result<NewFile, Failure> {
        if !replace && path.exists() {
            return Err(exists(path));
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
            .map_err(|error| cannot_write(path, &error))?;
        Ok(NewFile {
            path: path.to_owned(),
            file,
            replace,
        })
    }

    /// Where it is for now.
    pub(crate) fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// Puts what was written on the disk, and gives the file its name.
    pub(crate) fn keep(self) -> Result<(), Failure> {
        // Opened anew, because somebody else may have written it under its temporary name.
        let synced = File::open(self.file.path()).and_then(|file| file.sync_all());
        synced.map_err(|error| cannot_write(&self.path, &error))?;
        let kept = if self.replace {
            self.file.persist(&self.path)
        } else {
            self.file.persist_noclobber(&self.path)
        };
        match kept {
            Ok(_) => Ok(()),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                Err(exists(&self.path))
            }
            Err(error) => Err(cannot_write(&self.path, &error.error)),
        }
    }
}

fn exists(path: &Path) -> Failure {
    let problem = format!("{} exists already", path.display());
    Failure::could_not_run(problem).with_remedy("name another file, or give --force to replace it")
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    let problem = format!("{} cannot be written: {error}", path.display());
    Failure::could_not_run(problem).with_remedy("check the folder and the room on the disk")
}
