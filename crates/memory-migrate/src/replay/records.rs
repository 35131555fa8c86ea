use std::path::PathBuf;

use async_trait::async_trait;
use memory_domain::{Record, RecordKind};
use memory_storage::{
    Conversion, RawRow, RawValue, RecordSource, SourceDescription, SourceError, SourceRow,
    SourceTable,
};

use super::Quarantined;
use super::line::Line;
use crate::export::{LINE_COLUMN, lost, place, table_of_lines};

/// The records of a quarantine file whose source was a store of ours or an export, as the source of
/// a transfer: each in the line's `record`, or else in its value `line`, which is what a person
/// mends. What is still no record, or has more than a record has, is quarantined again.
///
/// The file is read once to count, then once per kind, so that what is referred to comes first and
/// memory stays bounded.
#[derive(Debug)]
pub struct ReplayedRecords {
    description: SourceDescription,
    path: PathBuf,
    counts: Vec<u64>,
    batch_size: usize,
    /// The kind at hand, by its place in [`RecordKind::ALL`].
    table: usize,
    lines: Quarantined,
}

impl ReplayedRecords {
    /// Counts the records of a quarantine file.
    ///
    /// # Errors
    /// `Unusable` names the line that holds nothing of a record; `Failed` if the file cannot be
    /// read.
    pub fn new(mut lines: Quarantined, batch_size: u32) -> Result<ReplayedRecords, SourceError> {
        let path = lines.path().to_owned();
        let mut counts = vec![0; RecordKind::ALL.len()];
        while let Some(row) = next_row(&mut lines)? {
            counts[row.table] += 1;
        }
        Ok(ReplayedRecords {
            description: SourceDescription {
                location: path.display().to_string(),
                ..lines.source().clone()
            },
            lines: Quarantined::open(&path)?,
            path,
            counts,
            batch_size: batch_size.max(1) as usize,
            table: 0,
        })
    }
}

fn next_row(lines: &mut Quarantined) -> Result<Option<SourceRow>, SourceError> {
    let Some(line) = lines.next_line()? else {
        return Ok(None);
    };
    let text = text(&line).map_err(|problem| lines.refuse(&problem))?;
    match sound(&text) {
        Ok(record) => {
            let key = record.key();
            let key = match key.id {
                Some(id) => format!("{}/{id}", key.tenant_id),
                None => key.tenant_id.to_string(),
            };
            let table = place(record.kind());
            let conversion = Conversion::Record {
                record: Box::new(record),
                rules: Vec::new(),
                beyond: Vec::new(),
            };
            Ok(Some(row(table, key, conversion, Vec::new())))
        }
        Err(reason) => {
            let Ok(kind) = line.table.parse::<RecordKind>() else {
                return Err(lines.refuse(&format!("{} is no table of a store", line.table)));
            };
            let raw = vec![RawValue::Text(text)];
            let conversion = Conversion::Quarantined { reason };
            Ok(Some(row(place(kind), line.key, conversion, raw)))
        }
    }
}

/// The record of a line, as it is spelled.
fn text(line: &Line) -> Result<Vec<u8>, String> {
    if let Some(record) = &line.record {
        return Ok(record.to_string().into_bytes());
    }
    let mut values = line.values()?.into_iter();
    match values.find(|(column, _)| column == LINE_COLUMN) {
        Some((_, RawValue::Text(text))) => Ok(text),
        _ => Err("it has no record".to_owned()),
    }
}

/// The record that a text is, if nothing of the text would be lost.
fn sound(text: &[u8]) -> Result<Record, String> {
    let record: Record = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    match lost(&record, text) {
        None => Ok(record),
        Some(reason) => Err(reason),
    }
}

#[async_trait]
impl RecordSource for ReplayedRecords {
    fn description(&self) -> &SourceDescription {
        &self.description
    }

    async fn tables(&mut self) -> Result<Vec<SourceTable>, SourceError> {
        let tables = RecordKind::ALL.into_iter().zip(&self.counts);
        Ok(tables
            .map(|(kind, rows)| table_of_lines(kind, *rows))
            .collect())
    }

    async fn next(&mut self) -> Result<Option<Vec<SourceRow>>, SourceError> {
        let mut rows = Vec::new();
        while self.table < RecordKind::ALL.len() {
            match next_row(&mut self.lines)? {
                Some(row) if row.table == self.table => {
                    rows.push(row);
                    if rows.len() >= self.batch_size {
                        return Ok(Some(rows));
                    }
                }
                Some(_) => {}
                None => {
                    self.table += 1;
                    self.lines = Quarantined::open(&self.path)?;
                    if !rows.is_empty() {
                        return Ok(Some(rows));
                    }
                }
            }
        }
        Ok(None)
    }
}

fn row(table: usize, key: String, conversion: Conversion, raw: RawRow) -> SourceRow {
    SourceRow {
        table,
        key,
        conversion,
        raw,
        context: Vec::new(),
    }
}
