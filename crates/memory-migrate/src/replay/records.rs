use std::path::PathBuf;

use async_trait::async_trait;
use memory_domain::{Record, RecordKind};
use memory_storage::{
    Conversion, RecordSource, SourceDescription, SourceError, SourceRow, SourceTable,
};

use super::Quarantined;

/// The records of a quarantine file whose source was a store of ours, as the source of a transfer:
/// each in the line's `record`, which is what a person mends.
///
/// The file is read once to check and count, then once per kind, so that what is referred to comes
/// first and memory stays bounded.
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
    /// Checks every record of a quarantine file.
    ///
    /// # Errors
    /// `Unusable` names the line that holds no record; `Failed` if the file cannot be read.
    pub fn new(mut lines: Quarantined, batch_size: u32) -> Result<ReplayedRecords, SourceError> {
        let path = lines.path().to_owned();
        let mut counts = vec![0; RecordKind::ALL.len()];
        while let Some(record) = next_record(&mut lines)? {
            let table = RecordKind::ALL
                .into_iter()
                .position(|kind| kind == record.kind());
            counts[table.unwrap_or_default()] += 1;
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

fn next_record(lines: &mut Quarantined) -> Result<Option<Record>, SourceError> {
    let Some(line) = lines.next_line()? else {
        return Ok(None);
    };
    let Some(record) = line.record else {
        return Err(lines.refuse("it has no record"));
    };
    match serde_json::from_value::<Record>(record) {
        Ok(record) => Ok(Some(record)),
        Err(error) => Err(lines.refuse(&format!("its record is not sound: {error}"))),
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
            .map(|(kind, rows)| SourceTable {
                name: kind.table().to_owned(),
                rows: *rows,
                mapped: true,
                columns: Vec::new(),
            })
            .collect())
    }

    async fn next(&mut self) -> Result<Option<Vec<SourceRow>>, SourceError> {
        let mut rows = Vec::new();
        while let Some(kind) = RecordKind::ALL.get(self.table) {
            match next_record(&mut self.lines)? {
                Some(record) if record.kind() == *kind => {
                    rows.push(row(self.table, record));
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

fn row(table: usize, record: Record) -> SourceRow {
    let key = record.key();
    SourceRow {
        table,
        key: match key.id {
            Some(id) => format!("{}/{id}", key.tenant_id),
            None => key.tenant_id.to_string(),
        },
        conversion: Conversion::Record {
            record: Box::new(record),
            rules: Vec::new(),
            beyond: Vec::new(),
        },
        raw: Vec::new(),
        context: Vec::new(),
    }
}
