use async_trait::async_trait;
use memory_domain::{
    FileSnapshot, FileSnapshotCursor, KnowledgeStats, Limit, NewFileSnapshot, Node, RiskyFile,
    TenantId, Timestamp,
};

use crate::StorageError;

/// Files: what they were like at a moment, which missions worked on them, and what went wrong there.
///
/// Snapshots stand by themselves. Who worked on what is in the graph: `worked_on` leads from the
/// node with the key (`mission`, key) to the one with the key (`file`, path), and `caused_bug` from
/// a mission to a bug or a file. An undirected relationship counts both ways.
#[async_trait]
pub trait FileStore: Send + Sync {
    /// Records what a file is like. The same id with the same content is the same write and returns
    /// the snapshot that stands.
    ///
    /// # Errors
    /// `Conflict` if the id stands with other content.
    async fn record_file_snapshot(
        &self,
        tenant: &TenantId,
        snapshot: NewFileSnapshot,
        at: Timestamp,
    ) -> Result<FileSnapshot, StorageError>;

    /// The snapshots of a file: newest first, then the greater id.
    async fn file_history(
        &self,
        tenant: &TenantId,
        path: &str,
        limit: Limit,
        after: Option<FileSnapshotCursor>,
    ) -> Result<Vec<FileSnapshot>, StorageError>;

    /// The snapshots that were taken for a mission: newest first, then the greater id.
    async fn mission_snapshots(
        &self,
        tenant: &TenantId,
        mission_key: &str,
        limit: Limit,
        after: Option<FileSnapshotCursor>,
    ) -> Result<Vec<FileSnapshot>, StorageError>;

    /// The nodes of the files that a mission worked on, each once, in the order of their paths;
    /// those after the path `after`, if one is given.
    async fn files_of_mission(
        &self,
        tenant: &TenantId,
        mission_key: &str,
        limit: Limit,
        after: Option<&str>,
    ) -> Result<Vec<Node>, StorageError>;

    /// The nodes of the missions that worked on a file, each once, in the order of their keys;
    /// those after the key `after`, if one is given.
    async fn missions_of_file(
        &self,
        tenant: &TenantId,
        path: &str,
        limit: Limit,
        after: Option<&str>,
    ) -> Result<Vec<Node>, StorageError>;

    /// The files on which missions worked, the riskiest first: by score (see [`RiskyFile::score`]),
    /// then the one with more missions, then by path.
    ///
    /// A bug is what a `caused_bug` leads to, counted once for each mission that caused it; it
    /// counts for every file that the mission worked on. A mission failed if it was logged with
    /// the status `failed`. Parallel relationships count once.
    async fn risky_files(
        &self,
        tenant: &TenantId,
        limit: Limit,
    ) -> Result<Vec<RiskyFile>, StorageError>;

    /// Counts and adds up what is known, from one snapshot.
    async fn knowledge_stats(&self, tenant: &TenantId) -> Result<KnowledgeStats, StorageError>;
}
