use std::rc::Rc;

use memory_domain::{
    FileSnapshot, FileSnapshotId, InvalidInput, Record, free_text, key_text, path_text,
};
use memory_storage::RawRow;

use super::mission::{integer, metadata, text};
use super::{Rows, kept_metadata};
use crate::catalog::Place;
use crate::converting::Converted;
use crate::ids::TableIds;
use crate::inverse::SourceValue;
use crate::reading::{Mapped, Reading};

/// Makes file snapshots of rows.
pub(super) struct Snapshots<'a> {
    reading: &'a Reading<'a>,
    mapped: Mapped<'a>,
    id: Place,
    path: Place,
    mission: Place,
    size_bytes: Place,
    lines_of_code: Place,
    hash: Place,
    created_at: Place,
    metadata: Place,
    ids: Rc<TableIds>,
}

impl<'a> Snapshots<'a> {
    pub(super) fn new(reading: &'a Reading<'a>, mapped: Mapped<'a>) -> Self {
        let place = |name| mapped.table.place(name);
        Snapshots {
            reading,
            mapped,
            id: place("id"),
            path: place("file_path"),
            mission: place("mission_id"),
            size_bytes: place("size_bytes"),
            lines_of_code: place("lines_of_code"),
            hash: place("hash"),
            created_at: place("created_at"),
            metadata: place("metadata"),
            ids: reading.converting.ids.table("file_snapshots"),
        }
    }
}

impl<'a> Rows<'a> for Snapshots<'a> {
    fn reading(&self) -> &'a Reading<'a> {
        self.reading
    }

    fn mapped(&self) -> Mapped<'a> {
        self.mapped
    }

    fn id(&self) -> Place {
        self.id
    }

    fn convert(&self, raw: &RawRow) -> Result<Converted, InvalidInput> {
        let mut cells = self.reading.cells(raw);
        let id = cells.integer(self.id)?;
        let path = cells.text(self.path)?;
        path_text(self.path.name, path)?;
        let mission_key = cells.optional_text(self.mission)?;
        if let Some(key) = mission_key {
            key_text(self.mission.name, key)?;
        }
        let hash = cells.optional_text(self.hash)?;
        if let Some(hash) = hash {
            free_text(self.hash.name, hash)?;
        }
        let snapshot = FileSnapshot {
            tenant_id: self.reading.converting.unnamed.clone(),
            id: FileSnapshotId::from_uuid(self.ids.integer(id)),
            path: path.to_owned(),
            mission_key: mission_key.map(str::to_owned),
            size_bytes: cells.optional_integer(self.size_bytes)?,
            lines_of_code: cells.optional_integer(self.lines_of_code)?,
            hash: hash.map(str::to_owned),
            metadata: kept_metadata(&mut cells, self.metadata)?,
            taken_at: cells.time(self.created_at)?,
        };
        Ok(Converted {
            record: Record::FileSnapshot(snapshot),
            rules: cells.rules,
            beyond: Vec::new(),
        })
    }
}

pub(super) fn inverse(snapshot: &FileSnapshot) -> Vec<(&'static str, SourceValue<'_>)> {
    vec![
        (
            "id",
            SourceValue::Integer("file_snapshots", snapshot.id.uuid()),
        ),
        ("file_path", SourceValue::Text(&snapshot.path)),
        ("mission_id", text(snapshot.mission_key.as_deref())),
        ("size_bytes", integer(snapshot.size_bytes)),
        ("lines_of_code", integer(snapshot.lines_of_code)),
        ("hash", text(snapshot.hash.as_deref())),
        ("created_at", SourceValue::Time(snapshot.taken_at)),
        ("metadata", metadata(&snapshot.metadata)),
    ]
}
