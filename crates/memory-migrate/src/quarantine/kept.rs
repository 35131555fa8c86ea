//! The file of a resumable run, from one command to the next.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Quarantine, hold, partial};
use crate::{MigrateError, TransferOptions};

/// What a checkpoint tells of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The name that it gets at the end.
    file: PathBuf,
    /// How long it is; what follows came after the checkpoint, and comes again.
    bytes: u64,
}

impl Quarantine {
    /// Makes the rows that came so far last, and tells how much of the file they are; `None` if there
    /// is no file. From then on it outlives a run that fails.
    ///
    /// # Errors
    /// `Quarantine` if they cannot be written.
    pub(crate) fn keep(&mut self) -> Result<Option<Kept>, MigrateError> {
        let Some(file) = &mut self.file else {
            return Ok(None);
        };
        let kept = write_through(file, std::mem::take(&mut self.has_new)).and_then(|bytes| {
            let file = std::path::absolute(&self.path)?;
            Ok(Kept { file, bytes })
        });
        let kept = kept.map_err(|error| {
            let problem = "check the room on the disk";
            refuse(&self.path, problem, Some(error))
        })?;
        self.is_kept = true;
        Ok(Some(kept))
    }

    /// Goes on with the file that a checkpoint tells of, unless the command that writes it is still
    /// there: what it wrote since must not be cut off.
    pub(super) fn go_on(
        &mut self,
        options: &TransferOptions,
        kept: &Kept,
    ) -> Result<(), MigrateError> {
        if let Some(given) = &options.quarantine_file
            && std::path::absolute(given).ok().as_ref() != Some(&kept.file)
        {
            return Err(MigrateError::NotResumable {
                run: options.run,
                problem: format!(
                    "its quarantine file is {}; leave --quarantine-file out",
                    kept.file.display()
                ),
            });
        }
        self.path.clone_from(&kept.file);
        let partial = partial(&self.path);
        if is_held(&self.path) || is_held(&partial) {
            return Err(self.under_way());
        }
        let opened = self
            .take_name_back(&partial)
            .and_then(|()| reopen(&partial, kept.bytes));
        let (file, held) = opened.map_err(|error| {
            if error.kind() == io::ErrorKind::WouldBlock {
                return self.under_way();
            }
            let problem = "the run has rows in it; put it back, or take the run back";
            refuse(&partial, problem, Some(error))
        })?;
        self.held = Some(held);
        self.file = Some(BufWriter::new(file));
        self.is_kept = true;
        Ok(())
    }

    /// A command that was cut off just before its end had given the file its name already.
    fn take_name_back(&self, partial: &Path) -> io::Result<()> {
        let is_ours = first_line(&self.path)
            .ok()
            .flatten()
            .is_some_and(|header| header["run"] == self.header["run"]);
        match is_ours {
            false => Ok(()),
            true if partial.exists() => fs::remove_file(&self.path),
            true => fs::rename(&self.path, partial),
        }
    }

    /// Removes what a command left that was cut off before its first checkpoint: nothing of it was
    /// carried.
    pub(super) fn remove_leftover(&self, options: &TransferOptions) -> Result<(), MigrateError> {
        let partial = partial(&self.path);
        if let Ok(file) = File::open(&partial) {
            // Held until it is removed, so that nobody begins to write it meanwhile.
            let Ok(_held) = hold(&file) else {
                return Err(self.under_way());
            };
            let is_leftover = match first_line(&partial) {
                Ok(None) => true,
                Ok(Some(header)) => ["resumable", "source", "target"]
                    .iter()
                    .all(|part| header[part] == self.header[part]),
                Err(_) => false,
            };
            if is_leftover {
                fs::remove_file(&partial).map_err(|error| {
                    let problem = "an earlier run left it; remove it";
                    refuse(&partial, problem, Some(error))
                })?;
            }
        }
        options.check_quarantine()
    }

    /// Says whose the file is that another command writes.
    pub(super) fn under_way(&self) -> MigrateError {
        let partial = partial(&self.path);
        let names = [&partial, &self.path];
        let headers = names.into_iter().filter_map(|path| first_line(path).ok()?);
        if { headers }.any(|header| header["run"] == self.header["run"]) {
            return MigrateError::UnderWay { run: self.run };
        }
        let problem = "another command writes it; give another --quarantine-file";
        refuse(&partial, problem, None)
    }
}

/// Whether another command writes a file.
fn is_held(path: &Path) -> bool {
    File::open(path)
        .and_then(|file| hold(&file))
        .is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

/// Writes what is new through to the disk, and tells the file's length.
fn write_through(file: &mut BufWriter<File>, has_new: bool) -> io::Result<u64> {
    if has_new {
        file.flush()?;
        file.get_ref().sync_all()?;
    }
    file.stream_position()
}

/// Opens a file to be gone on with after so many bytes, which must be there, and holds it.
fn reopen(path: &Path, bytes: u64) -> io::Result<(File, File)> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let held = hold(&file)?;
    let length = file.metadata()?.len();
    if length < bytes {
        let problem = format!("it has {length} bytes, of {bytes} that were written");
        return Err(io::Error::other(problem));
    }
    file.set_len(bytes)?;
    file.seek(SeekFrom::End(0))?;
    Ok((file, held))
}

/// The first line of a quarantine file; `None` if it is empty.
fn first_line(path: &Path) -> io::Result<Option<Value>> {
    let mut line = String::new();
    BufReader::new(File::open(path)?).read_line(&mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    Ok(Some(serde_json::from_str(&line)?))
}

fn refuse(path: &Path, problem: &'static str, source: Option<io::Error>) -> MigrateError {
    MigrateError::Quarantine {
        path: path.to_owned(),
        problem,
        source,
    }
}
