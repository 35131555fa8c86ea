//! Files that missions work on: what they were like at a moment, and how risky they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    EntityKey, EntityType, FileSnapshotId, InvalidInput, JsonObject, RelationshipKind, TenantId,
    Timestamp, free_text, key_text, normalise_json, path_text,
};

/// What a file was like at a moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileSnapshot {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its id, unique within the tenant.
    pub id: FileSnapshotId,
    /// Where the file is.
    pub path: String,
    /// The mission that it was taken for, by its key; the mission need not be there.
    pub mission_key: Option<String>,
    /// How large the file was.
    pub size_bytes: Option<i64>,
    /// How many lines of code it had.
    pub lines_of_code: Option<i64>,
    /// The hash of its content, as the application makes it.
    pub hash: Option<String>,
    /// What the application keeps about it.
    pub metadata: JsonObject,
    /// When it was taken.
    pub taken_at: Timestamp,
}

impl FileSnapshot {
    /// Where a listing goes on after this snapshot.
    pub fn cursor(&self) -> FileSnapshotCursor {
        FileSnapshotCursor {
            taken_at: self.taken_at,
            id: self.id,
        }
    }
}

/// A snapshot to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct NewFileSnapshot {
    /// Made by the caller, so that a retry is the same snapshot and not a second one.
    pub id: FileSnapshotId,
    /// Where the file is; 1 to 1,024 bytes.
    pub path: String,
    /// The mission that it is taken for, by its key; a key text.
    pub mission_key: Option<String>,
    /// How large the file is.
    pub size_bytes: Option<i64>,
    /// How many lines of code it has.
    pub lines_of_code: Option<i64>,
    /// The hash of its content, as the application makes it.
    pub hash: Option<String>,
    /// What the application keeps about it.
    pub metadata: JsonObject,
}

impl NewFileSnapshot {
    /// A snapshot with a new id, of which nothing more is known.
    pub fn new(path: impl Into<String>) -> NewFileSnapshot {
        NewFileSnapshot {
            id: FileSnapshotId::generate(),
            path: path.into(),
            mission_key: None,
            size_bytes: None,
            lines_of_code: None,
            hash: None,
            metadata: JsonObject::new(),
        }
    }

    /// Sets the id, for a retry or an import.
    pub fn with_id(mut self, id: FileSnapshotId) -> NewFileSnapshot {
        self.id = id;
        self
    }

    /// Sets the mission that it is taken for, by its key.
    pub fn with_mission(mut self, key: impl Into<String>) -> NewFileSnapshot {
        self.mission_key = Some(key.into());
        self
    }

    /// Sets how large the file is.
    pub fn with_size_bytes(mut self, bytes: i64) -> NewFileSnapshot {
        self.size_bytes = Some(bytes);
        self
    }

    /// Sets how many lines of code it has.
    pub fn with_lines_of_code(mut self, lines: i64) -> NewFileSnapshot {
        self.lines_of_code = Some(lines);
        self
    }

    /// Sets the hash of its content.
    pub fn with_hash(mut self, hash: impl Into<String>) -> NewFileSnapshot {
        self.hash = Some(hash.into());
        self
    }

    /// Sets the metadata.
    pub fn with_metadata(mut self, metadata: JsonObject) -> NewFileSnapshot {
        self.metadata = metadata;
        self
    }

    /// Checks and normalises every field.
    ///
    /// # Errors
    /// The first field that is refused.
    pub fn validated(mut self) -> Result<NewFileSnapshot, InvalidInput> {
        path_text("path", &self.path)?;
        if let Some(key) = &self.mission_key {
            key_text("mission_key", key)?;
        }
        if let Some(hash) = &self.hash {
            free_text("hash", hash)?;
        }
        normalise_json("metadata", &mut self.metadata)?;
        Ok(self)
    }

    /// Whether `stored` is what recording this snapshot gives: the same write, not another one.
    pub fn is_same_write(&self, stored: &FileSnapshot) -> bool {
        self.id == stored.id
            && self.path == stored.path
            && self.mission_key == stored.mission_key
            && self.size_bytes == stored.size_bytes
            && self.lines_of_code == stored.lines_of_code
            && self.hash == stored.hash
            && self.metadata == stored.metadata
    }

    /// The snapshot that stands when it was recorded.
    pub fn into_snapshot(self, tenant_id: TenantId, at: Timestamp) -> FileSnapshot {
        FileSnapshot {
            tenant_id,
            id: self.id,
            path: self.path,
            mission_key: self.mission_key,
            size_bytes: self.size_bytes,
            lines_of_code: self.lines_of_code,
            hash: self.hash,
            metadata: self.metadata,
            taken_at: at,
        }
    }
}

/// A place in a listing of snapshots: newest first, then the greater id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSnapshotCursor {
    /// When the last snapshot was taken.
    pub taken_at: Timestamp,
    /// The last snapshot's id.
    pub id: FileSnapshotId,
}

/// The key that a file's node has in the graph.
///
/// # Errors
/// The path must be a key text, so a path over 512 bytes has no node.
pub fn file_node_key(path: &str) -> Result<EntityKey, InvalidInput> {
    EntityKey::new(EntityType::FILE.as_str(), path)
}

/// How much went wrong where missions worked on a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskyFile {
    /// Where the file is.
    pub path: String,
    /// How many bugs the missions that worked on it caused.
    pub bugs: u64,
    /// How many of those missions failed.
    pub failed_missions: u64,
    /// How many missions worked on it.
    pub missions: u64,
}

impl RiskyFile {
    /// 10 for each bug and 5 for each failed mission.
    pub fn score(&self) -> u64 {
        10 * self.bugs + 5 * self.failed_missions
    }
}

/// What is known of a tenant's graph, missions and files, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KnowledgeStats {
    /// How many nodes there are of each entity type; those without one are not counted.
    pub entities: BTreeMap<EntityType, u64>,
    /// How many relationships there are of each kind.
    pub relationships: BTreeMap<RelationshipKind, u64>,
    /// How many missions there are.
    pub missions: u64,
    /// How many of them succeeded.
    pub successful_missions: u64,
    /// How many of them failed.
    pub failed_missions: u64,
    /// What the missions of which that is known cost together, in US dollars. Sums of doubles
    /// depend on their order: backends agree to within a millionth of a millionth of the sum of
    /// the amounts. Amounts beyond [`SUMMED_MAX`](crate::limits::SUMMED_MAX) count as that.
    pub cost_usd_total: f64,
    /// What such a mission cost on average; none if it is known of no mission.
    pub cost_usd_mean: Option<f64>,
    /// How long the missions of which that is known took on average, in seconds.
    pub duration_seconds_mean: Option<f64>,
    /// How many files have a snapshot.
    pub files: u64,
}

#[cfg(test)]
mod tests {
    use super::{NewFileSnapshot, RiskyFile, file_node_key};

    #[test]
    fn a_path_has_up_to_1024_bytes_and_a_mission_key_512() {
        let new = |path: &str| NewFileSnapshot::new(path).validated();
        assert_eq!(new("").unwrap_err().field, "path");
        assert!(new(&"x".repeat(1_024)).is_ok());
        assert!(new(&"x".repeat(1_025)).is_err());
        let refused = NewFileSnapshot::new("p").with_mission("x".repeat(513));
        assert_eq!(refused.validated().unwrap_err().field, "mission_key");
        assert!(file_node_key(&"x".repeat(513)).is_err());
    }

    #[test]
    fn a_bug_weighs_as_much_as_two_failed_missions() {
        let risky = RiskyFile {
            path: "p".into(),
            bugs: 2,
            failed_missions: 3,
            missions: 9,
        };
        assert_eq!(risky.score(), 35);
    }
}
