use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Take};
use std::path::Path;

use memory_domain::InvalidInput;
use memory_storage::{RawValue, SourceError};

use super::{Lines, PROBLEM, WHOLE};
use crate::shelf::Shelf;
use crate::sqlite_file::{MAGIC, SqliteFile, unusable};

/// The longest line that is read: several free texts of 64 MiB. SQLite takes no value of 1 GB.
const LINE_BYTES: u64 = 512 * 1024 * 1024;

/// How many different keys a file may have: SQLite takes up to 2,000 columns.
const KEYS: usize = 1_000;

/// Reads line by line.
pub(super) struct Reader {
    file: Take<BufReader<File>>,
    line: Vec<u8>,
    number: i64,
}

impl Reader {
    /// Opens a file, to be read up to where it ends now: what others append meanwhile is for the
    /// next run.
    pub(super) fn open(path: &Path, location: &str) -> Result<Reader, SourceError> {
        let failed = |error| failed(location, "opening the file", error);
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(unusable(location, "it is no regular file; give a file"));
        }
        let mut reader = BufReader::with_capacity(1 << 16, file);
        if reader.fill_buf().map_err(failed)?.starts_with(MAGIC) {
            let problem = "it is a SQLite database, and JSON Lines were asked for";
            return Err(unusable(location, problem));
        }
        Ok(Reader {
            file: reader.take(metadata.len()),
            line: Vec::new(),
            number: 0,
        })
    }

    /// Reads the next line that is not blank; `false` at the end.
    fn next(&mut self, location: &str) -> Result<bool, SourceError> {
        loop {
            if self.line.capacity() > 1 << 20 {
                // One long line does not keep its room for ever.
                self.line = Vec::new();
            }
            self.line.clear();
            let mut limited = (&mut self.file).take(LINE_BYTES + 1);
            let read = limited
                .read_until(b'\n', &mut self.line)
                .map_err(|error| failed(location, "reading the file", error))?;
            if read == 0 {
                return Ok(false);
            }
            self.number += 1;
            if read as u64 > LINE_BYTES {
                let problem = format!(
                    "line {} has more than {LINE_BYTES} bytes; take it out",
                    self.number
                );
                return Err(unusable(location, problem));
            }
            if self.line.last() == Some(&b'\n') {
                self.line.pop();
            }
            if !self.line.iter().all(u8::is_ascii_whitespace) {
                return Ok(true);
            }
        }
    }
}

/// Puts the lines of a file on a shelf.
pub(super) fn load(
    lines: &Lines,
    mut reader: Reader,
    mut shelf: Shelf,
) -> Result<SqliteFile, SourceError> {
    let location = shelf.file.location.clone();
    let mut keys = HashSet::new();
    while reader.next(&location)? {
        let split = lines.split(&reader.line).and_then(|values| {
            match values
                .iter()
                .find(|(key, _)| is_one_too_many(&mut keys, key))
            {
                None => Ok(values),
                Some((key, _)) => {
                    let problem = format!("the file has over {KEYS} different keys before it");
                    Err(InvalidInput::new(WHOLE, key, problem))
                }
            }
        });
        match split {
            Ok(values) => shelf.insert(0, Some(reader.number), &values)?,
            Err(error) => {
                let whole = [(WHOLE.to_owned(), RawValue::Text(reader.line.clone()))];
                let row = shelf.insert(0, Some(reader.number), &whole)?;
                shelf.note(0, row, PROBLEM, &error.to_string())?;
                row
            }
        };
    }
    shelf.filled()
}

fn is_one_too_many(keys: &mut HashSet<String>, key: &str) -> bool {
    if keys.contains(key) {
        return false;
    }
    let is_full = keys.len() >= KEYS;
    if !is_full {
        keys.insert(key.to_owned());
    }
    is_full
}

fn failed(location: &str, step: &'static str, error: io::Error) -> SourceError {
    SourceError::Failed {
        location: location.to_owned(),
        step,
        source: error.into(),
    }
}
