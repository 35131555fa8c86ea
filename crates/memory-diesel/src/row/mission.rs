use diesel::prelude::*;
use memory_domain::{FileSnapshot, FileSnapshotId, Mission, MissionId, MissionStatus};
use memory_storage::StorageError;

use super::Place;
use crate::schema::{file_snapshots, missions};
use crate::sql_types::{IdValue, InstantValue, JsonValue};

/// A row of `missions`.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = missions)]
#[expect(missing_docs, reason = "the columns are documented in `schema`")]
pub struct MissionRow {
    pub tenant_id: String,
    pub id: IdValue,
    pub key: String,
    pub status: String,
    pub domain: Option<String>,
    pub cost_usd: Option<f64>,
    pub iterations: Option<i64>,
    pub duration_seconds: Option<f64>,
    pub files_modified: Option<i64>,
    pub metadata: JsonValue,
    pub created_at: InstantValue,
}

impl From<Mission> for MissionRow {
    fn from(mission: Mission) -> MissionRow {
        MissionRow {
            tenant_id: mission.tenant_id.into(),
            id: IdValue(mission.id.uuid()),
            key: mission.key,
            status: mission.status.into(),
            domain: mission.domain,
            cost_usd: mission.cost_usd,
            iterations: mission.iterations,
            duration_seconds: mission.duration_seconds,
            files_modified: mission.files_modified,
            metadata: JsonValue(mission.metadata),
            created_at: InstantValue(mission.created_at),
        }
    }
}

impl TryFrom<MissionRow> for Mission {
    type Error = StorageError;

    fn try_from(row: MissionRow) -> Result<Mission, StorageError> {
        let place = Place {
            table: "missions",
            id: &row.id.0,
        };
        Ok(Mission {
            tenant_id: place.tenant("tenant_id", &row.tenant_id)?,
            id: MissionId::from_uuid(row.id.0),
            key: row.key,
            status: place.check("status", MissionStatus::new(row.status))?,
            domain: row.domain,
            cost_usd: row.cost_usd,
            iterations: row.iterations,
            duration_seconds: row.duration_seconds,
            files_modified: row.files_modified,
            metadata: row.metadata.0,
            created_at: row.created_at.0,
        })
    }
}

/// A row of `file_snapshots`.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = file_snapshots)]
#[expect(missing_docs, reason = "the columns are documented in `schema`")]
pub struct FileSnapshotRow {
    pub tenant_id: String,
    pub id: IdValue,
    pub path: String,
    pub mission_key: Option<String>,
    pub size_bytes: Option<i64>,
    pub lines_of_code: Option<i64>,
    pub hash: Option<String>,
    pub metadata: JsonValue,
    pub taken_at: InstantValue,
}

impl From<FileSnapshot> for FileSnapshotRow {
    fn from(snapshot: FileSnapshot) -> FileSnapshotRow {
        FileSnapshotRow {
            tenant_id: snapshot.tenant_id.into(),
            id: IdValue(snapshot.id.uuid()),
            path: snapshot.path,
            mission_key: snapshot.mission_key,
            size_bytes: snapshot.size_bytes,
            lines_of_code: snapshot.lines_of_code,
            hash: snapshot.hash,
            metadata: JsonValue(snapshot.metadata),
            taken_at: InstantValue(snapshot.taken_at),
        }
    }
}

impl TryFrom<FileSnapshotRow> for FileSnapshot {
    type Error = StorageError;

    fn try_from(row: FileSnapshotRow) -> Result<FileSnapshot, StorageError> {
        let place = Place {
            table: "file_snapshots",
            id: &row.id.0,
        };
        Ok(FileSnapshot {
            tenant_id: place.tenant("tenant_id", &row.tenant_id)?,
            id: FileSnapshotId::from_uuid(row.id.0),
            path: row.path,
            mission_key: row.mission_key,
            size_bytes: row.size_bytes,
            lines_of_code: row.lines_of_code,
            hash: row.hash,
            metadata: row.metadata.0,
            taken_at: row.taken_at.0,
        })
    }
}
