//! Reading a quarantine file again, after a person mended it.

mod line;
mod records;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use memory_storage::{QuarantinedRow, SourceDescription, SourceError};
use serde::Deserialize;

pub use records::ReplayedRecords;

use crate::STORE_KIND;
use crate::export::EXPORT_KIND;
use crate::quarantine::FORMAT;
use line::Line;

/// A quarantine file that is read again: what its run's source was, then its rows in their order.
///
/// The rows of a legacy source are converted by the reader of that system
/// (`memory_legacy::replay`); the records of a store of ours, and the lines of an export, come from
/// [`ReplayedRecords`].
#[derive(Debug)]
pub struct Quarantined {
    path: PathBuf,
    source: SourceDescription,
    lines: BufReader<File>,
    number: u64,
}

/// The first line of the file.
#[derive(Deserialize)]
struct Header {
    memory_quarantine: u32,
    source: SourceDescription,
}

impl Quarantined {
    /// Opens a quarantine file and reads what its run was.
    ///
    /// # Errors
    /// `Unusable` if there is no such file, or its first line is not that of a quarantine file that
    /// this version reads; `Failed` if it cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Quarantined, SourceError> {
        let path = path.as_ref().to_owned();
        let file = File::open(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                unusable(&path, "there is no such file; check the path")
            }
            _ => failed(&path, error),
        })?;
        let mut lines = BufReader::new(file);
        let first = next_line(&mut lines, &path)?;
        let header: Header = serde_json::from_str(first.as_deref().unwrap_or_default())
            .map_err(|_| unusable(&path, "its first line is not that of a quarantine file"))?;
        if header.memory_quarantine != FORMAT {
            let problem = format!(
                "its format is {}, and this version reads {FORMAT}",
                header.memory_quarantine
            );
            return Err(unusable(&path, problem));
        }
        Ok(Quarantined {
            path,
            source: header.source,
            lines,
            number: 1,
        })
    }

    /// What the source of its run was, and how that was read.
    pub fn source(&self) -> &SourceDescription {
        &self.source
    }

    /// Whether its rows are records, of a store of ours or of an export.
    pub fn holds_records(&self) -> bool {
        [STORE_KIND, EXPORT_KIND].contains(&self.source.kind.as_str())
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next line that is not blank.
    fn next_line(&mut self) -> Result<Option<Line>, SourceError> {
        while let Some(text) = next_line(&mut self.lines, &self.path)? {
            self.number += 1;
            if !text.trim().is_empty() {
                let line = Line::read(&text).map_err(|problem| self.refuse(&problem))?;
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    fn next_row(&mut self) -> Result<Option<QuarantinedRow>, SourceError> {
        let Some(line) = self.next_line()? else {
            return Ok(None);
        };
        let values = line.values().map_err(|problem| self.refuse(&problem))?;
        Ok(Some(QuarantinedRow {
            line: self.number,
            table: line.table,
            values,
            context: line.context,
        }))
    }

    fn refuse(&self, problem: &str) -> SourceError {
        unusable(&self.path, format!("line {}: {problem}", self.number))
    }
}

/// The rows, each with its raw values; after an error none comes that can be relied on.
impl Iterator for Quarantined {
    type Item = Result<QuarantinedRow, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_row().transpose()
    }
}

fn next_line(lines: &mut BufReader<File>, path: &Path) -> Result<Option<String>, SourceError> {
    let mut text = String::new();
    let read = lines
        .read_line(&mut text)
        .map_err(|error| failed(path, error))?;
    Ok((read > 0).then_some(text))
}

fn unusable(path: &Path, problem: impl Into<String>) -> SourceError {
    SourceError::Unusable {
        location: path.display().to_string(),
        problem: problem.into(),
    }
}

fn failed(path: &Path, error: std::io::Error) -> SourceError {
    SourceError::Failed {
        location: path.display().to_string(),
        step: "reading the quarantine file",
        source: error.into(),
    }
}
