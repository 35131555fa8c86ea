//! Files of JSON Lines: each line an object, which becomes a row of a table whose columns are the
//! objects' keys.
//!
//! The lines are put into a temporary database, with their numbers, and read from there as the rows
//! of a SQLite file are. A line that is no such object (no JSON, another type than a key has, a key
//! that stands twice) is kept whole in a column of its own, [`WHOLE`], and is quarantined. Blank
//! lines are no rows.

mod load;
mod recognise;
mod split;

use std::path::Path;

use memory_storage::{QuarantinedRow, RawRow, RawValue, RecordSource, SourceError};

use crate::catalog::Catalog;
use crate::cells::{NaiveTimes, value};
use crate::format::Format;
use crate::ids::check_source_name;
use crate::reading::{Mapped, Reading};
use crate::shelf::Shelf;
use crate::source::{Job, LegacySource};
use crate::sqlite_file::unusable;
use crate::{LegacyKind, Options};

pub(crate) use recognise::{Seen, look};

/// The column of lines that could not be split.
pub(crate) const WHOLE: &str = "(line)";

/// Where the column [`WHOLE`] goes.
pub(crate) const IN_QUARANTINE: &str = "the quarantine";

/// Why a line could not be split, beside the row.
const PROBLEM: &str = "problem";

/// The number of a line, for a replay of it.
const NUMBER: &str = "line";

/// A kind of lines. Its format has one table.
pub(crate) struct Lines {
    pub(crate) format: &'static dyn Format,
    /// The keys by which the kind is known, of which an object has all.
    pub(crate) marks: &'static [&'static str],
    /// The keys whose values are objects; those of the others are texts and numbers.
    pub(crate) objects: &'static [&'static str],
}

impl Lines {
    /// Splits a line that a person mended as a whole; one that still cannot be split stays as it is.
    pub(crate) fn split_mended(&self, row: &mut QuarantinedRow) {
        let is_whole = |(column, _): &&(String, RawValue)| column == WHOLE;
        let Some((_, RawValue::Text(line))) = row.values.iter().find(is_whole) else {
            return;
        };
        match self.split(line) {
            Ok(values) => row.values = values,
            Err(error) => {
                row.context.insert(PROBLEM.to_owned(), error.to_string());
            }
        }
    }
}

/// Begins to read a file of JSON Lines, up to where it ends now.
pub(crate) fn open(
    path: &Path,
    kind: LegacyKind,
    lines: &'static Lines,
    options: Options,
) -> Result<Box<dyn RecordSource>, SourceError> {
    let location = path.display().to_string();
    let name = options.name.unwrap_or_else(|| kind.system().to_owned());
    check_source_name(&name).map_err(|error| unusable(&location, error.to_string()))?;
    let reader = load::Reader::open(path, &location)?;
    let shelf = Shelf::open(lines.format, location)?;
    let naive = NaiveTimes::new(options.timezone, lines.format.documented_zone());
    let job = Job {
        catalog: Catalog { tables: Vec::new() },
        file: shelf.file,
        kind,
        format: lines.format,
        name,
        naive,
        unnamed: options.tenant.unwrap_or_else(crate::open::default_tenant),
        batch_size: options.batch_size,
        is_replay: false,
    };
    let source = LegacySource::start_after(job, |mut job| {
        let shelf = Shelf::of(job.file, job.format);
        job.file = load::load(lines, reader, shelf)?;
        job.catalog = Catalog::read(&job.file)?;
        Ok(job)
    })?;
    Ok(Box::new(source))
}

/// A row that was a line of a file.
pub(crate) struct LineRow {
    /// The line's number, in the file from which it came first.
    number: String,
    /// Why it could not be split.
    pub(crate) problem: Option<String>,
}

impl LineRow {
    /// What is known of a row; `None` if it is not of JSON Lines.
    pub(crate) fn of(
        reading: &Reading<'_>,
        mapped: &Mapped<'_>,
        raw: &RawRow,
        rowid: i64,
    ) -> Result<Option<LineRow>, SourceError> {
        if reading.converting.kind.lines().is_none() {
            return Ok(None);
        }
        let number = reading.context(mapped, rowid, NUMBER)?;
        let is_whole = *value(raw, mapped.table.place(WHOLE)) != RawValue::Null;
        let problem = if is_whole {
            reading.noted(mapped, rowid, PROBLEM)?
        } else {
            None
        };
        Ok(Some(LineRow {
            number: number.unwrap_or_else(|| rowid.to_string()),
            problem: problem.or_else(|| {
                let problem = format!("invalid {WHOLE}: give null beside the keys of a line");
                is_whole.then_some(problem)
            }),
        }))
    }

    /// The row's key for people.
    pub(crate) fn key(&self) -> String {
        format!("line={}", self.number)
    }

    /// What a replay must know of it.
    pub(crate) fn context(self) -> (&'static str, String) {
        (NUMBER, self.number)
    }
}
