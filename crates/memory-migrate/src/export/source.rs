use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Error, Read};
use std::path::Path;

use async_trait::async_trait;
use memory_domain::{Record, RecordKey, RecordKind};
use memory_storage::{
    Conversion, RawValue, RecordSource, RowContext, SourceColumn, SourceDescription, SourceError,
    SourceRow, SourceTable,
};
use serde_json::Value;

use super::format::{FORMAT, Header, LINE_BYTES, Sums, Trailer, VERSION};
use super::lines::{Line, Lines};
use super::lost::lost;
use crate::text::shorten;

/// What [`SourceDescription::kind`] says of a file that [`export`](crate::export) wrote.
pub const EXPORT_KIND: &str = "memory-export";

/// A batch ends when it has this many bytes, though it has room for more rows.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// The column of a line that could not be carried.
pub(crate) const LINE_COLUMN: &str = "line";

/// A file that [`export`](crate::export) wrote as the source of a transfer. Ids are kept, and no
/// value is changed.
///
/// The file is read once, in its order, so it may be a pipe. A line that is a record but cannot be
/// carried is quarantined under its number. What shows that the file is not as it was written (a
/// line that is no record, a missing trailer, counts or digests that do not agree) is an error that
/// names the line, and with it the whole transfer is undone.
pub struct ExportSource {
    lines: Lines,
    description: SourceDescription,
    header: Header,
    sums: Sums,
    batch_rows: usize,
    /// The first row of the next batch, which is of another kind than the batch before.
    held: Option<SourceRow>,
    ended: bool,
}

impl ExportSource {
    /// Opens a file, to be read in batches of `batch_rows`.
    ///
    /// # Errors
    /// `Unusable` if its first line is not that of such a file, or of another version; `Failed` if
    /// it cannot be read.
    pub fn open(path: &Path, batch_rows: u32) -> Result<ExportSource, SourceError> {
        let location = path.display().to_string();
        let file = File::open(path).map_err(|error| failed(&location, "opening it", error))?;
        let is_folder = file.metadata().is_ok_and(|metadata| metadata.is_dir());
        if is_folder {
            return Err(unusable(&location, "it is a folder"));
        }
        let reader = BufReader::with_capacity(1 << 16, file);
        ExportSource::read(Box::new(reader), location, batch_rows)
    }

    /// Reads from anywhere, such as standard input; `location` says where in messages.
    ///
    /// # Errors
    /// As [`ExportSource::open`].
    pub fn read(
        reader: Box<dyn BufRead + Send>,
        location: String,
        batch_rows: u32,
    ) -> Result<ExportSource, SourceError> {
        let mut lines = Lines::new(reader);
        let header = read_header(&mut lines, &location)?;
        Ok(ExportSource {
            lines,
            description: SourceDescription {
                kind: EXPORT_KIND.to_owned(),
                name: EXPORT_KIND.to_owned(),
                location,
                settings: BTreeMap::new(),
            },
            header,
            sums: Sums::default(),
            batch_rows: batch_rows.max(1) as usize,
            held: None,
            ended: false,
        })
    }

    /// Whether a file begins as an export does: with an object.
    ///
    /// # Errors
    /// `Failed` if it cannot be read.
    pub fn recognise(path: &Path) -> Result<bool, SourceError> {
        let location = path.display().to_string();
        let file = File::open(path).map_err(|error| failed(&location, "opening it", error))?;
        let mut first = Vec::new();
        file.take(1)
            .read_to_end(&mut first)
            .map_err(|error| failed(&location, "reading it", error))?;
        Ok(first == b"{")
    }

    /// The next row; `None` after the trailer.
    fn next_row(&mut self) -> Result<Option<(SourceRow, usize)>, SourceError> {
        let location = &self.description.location;
        let line = self.lines.next();
        let line = line.map_err(|error| failed(location, "reading it", error))?;
        let (line, finished) = match line {
            Line::Whole(line) => (line, true),
            Line::Unfinished(line) => (line, false),
            Line::TooLong => return Err(too_long(location, self.lines.number)),
            Line::End => {
                let problem = format!(
                    "it ends after line {} without the trailer that is its last line, so the rest \
                     is missing",
                    self.lines.number
                );
                return Err(unusable(location, &problem));
            }
        };
        let parsed = parse(line, &self.header);
        let bytes = line.len();
        let raw = match &parsed {
            Parsed::Refused { .. } => vec![RawValue::Text(line.to_vec())],
            _ => Vec::new(),
        };
        match &parsed {
            Parsed::Record(record) if finished => self.sums.add(record.kind(), line),
            Parsed::Refused { kind, .. } if finished => self.sums.add(*kind, line),
            Parsed::Trailer(_) | Parsed::Broken(_) => {}
            _ => {
                let problem = format!("line {} is cut off", self.lines.number);
                return Err(unusable(location, &problem));
            }
        }
        let number = self.lines.number;
        match parsed {
            Parsed::Record(record) => {
                let key = format!("line {number}: {}", name(&record.key()));
                let row = SourceRow {
                    table: place(record.kind()),
                    key,
                    conversion: Conversion::Record {
                        record,
                        rules: Vec::new(),
                        beyond: Vec::new(),
                    },
                    raw,
                    context: RowContext::default(),
                };
                Ok(Some((row, bytes)))
            }
            Parsed::Refused { kind, reason } => {
                let row = SourceRow {
                    table: place(kind),
                    key: format!("line {number}"),
                    conversion: Conversion::Quarantined { reason },
                    raw,
                    context: RowContext::default(),
                };
                Ok(Some((row, bytes)))
            }
            Parsed::Trailer(trailer) => {
                self.end(&trailer, number)?;
                Ok(None)
            }
            Parsed::Broken(problem) if finished => {
                Err(unusable(location, &format!("line {number} {problem}")))
            }
            Parsed::Broken(_) => {
                let problem = format!("line {number} is cut off, so the rest is missing");
                Err(unusable(location, &problem))
            }
        }
    }

    /// Holds what came to the trailer, which must be the last line.
    fn end(&mut self, trailer: &Trailer, number: u64) -> Result<(), SourceError> {
        self.ended = true;
        let location = &self.description.location;
        let problem = |problem: String| Err(unusable(location, &problem));
        let found = self.sums.finish();
        for (table, wanted) in &trailer.records {
            let Some(found) = found.get(table) else {
                if wanted.count == 0 {
                    continue;
                }
                return problem(format!(
                    "line {number} tells of {table}, which this program does not know"
                ));
            };
            let promised = self.header.records.get(table).copied().unwrap_or_default();
            if found.count != wanted.count || found.count != promised {
                return problem(format!(
                    "line {number}, the trailer, tells of {} {table} and the first line of \
                     {promised}, but {} came: lines are missing, or were added",
                    wanted.count, found.count
                ));
            }
            if found.digest != wanted.digest {
                return problem(format!(
                    "the digest of {table} in line {number}, the trailer, is not that of their \
                     lines: at least one was changed after the file was written"
                ));
            }
        }
        for (table, found) in &found {
            if found.count > 0 && !trailer.records.contains_key(table) {
                return problem(format!(
                    "line {number}, the trailer, does not tell of {table}, of which {} came",
                    found.count
                ));
            }
        }
        match self.lines.next() {
            Ok(Line::End) => Ok(()),
            Ok(_) => problem(format!("line {} follows the trailer", number + 1)),
            Err(error) => Err(failed(location, "reading it", error)),
        }
    }
}

#[async_trait]
impl RecordSource for ExportSource {
    fn description(&self) -> &SourceDescription {
        &self.description
    }

    /// The tables in the order of [`RecordKind::ALL`], with the counts of the header.
    async fn tables(&mut self) -> Result<Vec<SourceTable>, SourceError> {
        let table = |kind: RecordKind| {
            let rows = self.header.records.get(kind.table()).copied();
            table_of_lines(kind, rows.unwrap_or_default())
        };
        Ok(RecordKind::ALL.into_iter().map(table).collect())
    }

    async fn next(&mut self) -> Result<Option<Vec<SourceRow>>, SourceError> {
        if self.ended {
            return Ok(None);
        }
        let mut rows: Vec<SourceRow> = self.held.take().into_iter().collect();
        let mut bytes = 0;
        while rows.len() < self.batch_rows && bytes < BATCH_BYTES {
            let Some((row, read)) = self.next_row()? else {
                break;
            };
            bytes += read;
            if rows.first().is_some_and(|first| first.table != row.table) {
                self.held = Some(row);
                break;
            }
            rows.push(row);
        }
        Ok(Some(rows).filter(|rows| !rows.is_empty()))
    }
}

/// What a line is.
enum Parsed {
    Record(Box<Record>),
    /// A record that cannot be carried.
    Refused {
        kind: RecordKind,
        reason: String,
    },
    Trailer(Trailer),
    /// Nothing that was written by us: `is not JSON`.
    Broken(String),
}

fn parse(line: &[u8], header: &Header) -> Parsed {
    match serde_json::from_slice::<Record>(line) {
        Ok(record) => match refused(&record, line, header) {
            None => Parsed::Record(Box::new(record)),
            Some(reason) => Parsed::Refused {
                kind: record.kind(),
                reason,
            },
        },
        Err(error) => parse_other(line, &error),
    }
}

/// Why a record cannot be carried.
fn refused(record: &Record, line: &[u8], header: &Header) -> Option<String> {
    if let Some(tenant) = &header.tenant
        && tenant != record.tenant_id()
    {
        return Some(format!(
            "it belongs to tenant {}, but by its first line the file holds only {tenant}",
            record.tenant_id()
        ));
    }
    if let Err(refused) = record.check() {
        return Some(refused.to_string());
    }
    match serde_json::to_vec(record) {
        Ok(again) if again == line => None,
        // Spaces and the order of keys do not matter; anything else would be lost.
        _ => lost(record, line),
    }
}

fn parse_other(line: &[u8], error: &serde_json::Error) -> Parsed {
    let value = match serde_json::from_slice::<Value>(line) {
        Ok(value) => value,
        Err(error) => return Parsed::Broken(format!("is not JSON ({error})")),
    };
    if value.get("end").is_some() {
        return match serde_json::from_value::<Trailer>(value) {
            Ok(trailer) if trailer.end == FORMAT => Parsed::Trailer(trailer),
            Ok(trailer) => Parsed::Broken(format!("ends {:?}, not {FORMAT:?}", trailer.end)),
            Err(error) => Parsed::Broken(format!("is a trailer that cannot be read ({error})")),
        };
    }
    match value.get("record") {
        None => Parsed::Broken("is no record and no trailer".to_owned()),
        Some(word) => match serde_json::from_value::<RecordKind>(word.clone()) {
            Ok(kind) => Parsed::Refused {
                kind,
                reason: error.to_string(),
            },
            Err(_) => Parsed::Broken(format!(
                "holds a record of the kind {}, which this program does not know",
                shorten(&word.to_string())
            )),
        },
    }
}

fn read_header(lines: &mut Lines, location: &str) -> Result<Header, SourceError> {
    let problem = |problem: String| Err(unusable(location, &problem));
    let line = match lines.next() {
        Ok(Line::Whole(line)) => line,
        Ok(Line::End) => return problem("it is empty".to_owned()),
        Ok(Line::Unfinished(_)) => {
            return problem("line 1 does not end, so it is no export or was cut off".to_owned());
        }
        Ok(Line::TooLong) => return Err(too_long(location, 1)),
        Err(error) => return Err(failed(location, "reading it", error)),
    };
    let value: Value = match serde_json::from_slice(line) {
        Ok(value) => value,
        Err(error) => return problem(format!("line 1 is not JSON ({error})")),
    };
    if value.get("format").and_then(Value::as_str) != Some(FORMAT) {
        return problem(format!(
            "line 1 does not name the format {FORMAT:?}; is it a file of `memory export`?"
        ));
    }
    match value.get("version").and_then(Value::as_u64) {
        Some(version) if version == u64::from(VERSION) => {}
        version => {
            let version = version.map_or_else(|| "none".to_owned(), |version| version.to_string());
            return problem(format!(
                "line 1 names version {version}, and this program reads version {VERSION}; use a \
                 newer program"
            ));
        }
    }
    let header: Header = match serde_json::from_value(value) {
        Ok(header) => header,
        Err(error) => return problem(format!("line 1 cannot be read as a header ({error})")),
    };
    for (table, count) in &header.records {
        if *count > 0 && table.parse::<RecordKind>().is_err() {
            return problem(format!(
                "line 1 tells of {table:?}, which this program does not know; use a newer program"
            ));
        }
    }
    Ok(header)
}

/// A table whose one column is the line itself: a record is carried whole, or not at all.
pub(crate) fn table_of_lines(kind: RecordKind, rows: u64) -> SourceTable {
    SourceTable {
        name: kind.table().to_owned(),
        rows,
        mapped: true,
        columns: vec![SourceColumn {
            name: LINE_COLUMN.to_owned(),
            target: Some(kind.table().to_owned()),
            non_null: rows,
        }],
    }
}

/// The place of a kind's table among them.
pub(crate) fn place(kind: RecordKind) -> usize {
    let mut kinds = RecordKind::ALL.into_iter();
    kinds.position(|other| other == kind).unwrap_or_default()
}

/// `ada/0198…`; the table is said beside it.
fn name(key: &RecordKey) -> String {
    match key.id {
        Some(id) => format!("{}/{id}", key.tenant_id),
        None => key.tenant_id.to_string(),
    }
}

fn too_long(location: &str, number: u64) -> SourceError {
    let problem = format!("line {number} has more than {LINE_BYTES} bytes, which no record has");
    unusable(location, &problem)
}

fn unusable(location: &str, problem: &str) -> SourceError {
    SourceError::Unusable {
        location: location.to_owned(),
        problem: problem.to_owned(),
    }
}

fn failed(location: &str, step: &'static str, error: Error) -> SourceError {
    SourceError::Failed {
        location: location.to_owned(),
        step,
        source: error.into(),
    }
}
