use std::ops::Deref;

use memory_domain::{
    FileSnapshot, FileSnapshotCursor, KnowledgeStats, Limit, Mission, MissionFilter,
    NewFileSnapshot, NewMission, Node, RiskyFile,
};
use memory_storage::{FileStore, MemoryStore, MissionStore, StorageError};

use super::Scoped;

/// Missions: see [`MissionStore`](crate::MissionStore) for what each verb promises.
impl<S: Deref<Target: MemoryStore>> Scoped<S> {
    /// Logs a mission, and makes its node in the graph if it is to have one. Under a known key
    /// everything is replaced but the id and the time of creation.
    ///
    /// # Errors
    /// `Conflict` if what is new has an id that stands for something else.
    pub async fn log_mission(&self, mission: NewMission) -> Result<Mission, StorageError> {
        self.store.log_mission(&self.id, mission, self.now()).await
    }

    /// Looks a mission up by the key that it has outside.
    pub async fn mission(&self, key: &str) -> Result<Option<Mission>, StorageError> {
        self.store.mission(&self.id, key).await
    }

    /// Lists missions: newest first.
    ///
    /// # Errors
    /// `Invalid` for a limit over 1,000.
    pub async fn missions(
        &self,
        filter: MissionFilter,
        limit: u32,
    ) -> Result<Vec<Mission>, StorageError> {
        self.store
            .missions(&self.id, filter, Limit::new(limit)?)
            .await
    }
}

/// Files: see [`FileStore`](crate::FileStore) for what each verb promises.
impl<S: Deref<Target: MemoryStore>> Scoped<S> {
    /// Records what a file is like; the same id with the same content again is the same write.
    ///
    /// # Errors
    /// `Conflict` if the id stands with other content.
    pub async fn record_file_snapshot(
        &self,
        snapshot: NewFileSnapshot,
    ) -> Result<FileSnapshot, StorageError> {
        self.store
            .record_file_snapshot(&self.id, snapshot, self.now())
            .await
    }

    /// The snapshots of a file: newest first.
    ///
    /// # Errors
    /// `Invalid` for a limit over 1,000.
    pub async fn file_history(
        &self,
        path: &str,
        limit: u32,
        after: Option<FileSnapshotCursor>,
    ) -> Result<Vec<FileSnapshot>, StorageError> {
        self.store
            .file_history(&self.id, path, Limit::new(limit)?, after)
            .await
    }

    /// The snapshots that were taken for a mission: newest first.
    ///
    /// # Errors
    /// `Invalid` for a limit over 1,000.
    pub async fn mission_snapshots(
        &self,
        mission_key: &str,
        limit: u32,
        after: Option<FileSnapshotCursor>,
    ) -> Result<Vec<FileSnapshot>, StorageError> {
        self.store
            .mission_snapshots(&self.id, mission_key, Limit::new(limit)?, after)
            .await
    }

    /// The nodes of the files that a mission worked on, by path; those after the path `after`.
    ///
    /// # Errors
    /// `Invalid` for a limit over 1,000.
    pub async fn files_of_mission(
        &self,
        mission_key: &str,
        limit: u32,
        after: Option<&str>,
    ) -> Result<Vec<Node>, StorageError> {
        self.store
            .files_of_mission(&self.id, mission_key, Limit::new(limit)?, after)
            .await
    }

    /// The nodes of the missions that worked on a file, by key; those after the key `after`.
    ///
    /// # Errors
    /// `Invalid` for a limit over 1,000.
    pub async fn missions_of_file(
        &self,
        path: &str,
        limit: u32,
        after: Option<&str>,
    ) -> Result<Vec<Node>, StorageError> {
        self.store
            .missions_of_file(&self.id, path, Limit::new(limit)?, after)
            .await
    }

    /// The files on which missions worked, the riskiest first.
    ///
    /// # Errors
    /// `Invalid` for a limit over 1,000.
    pub async fn risky_files(&self, limit: u32) -> Result<Vec<RiskyFile>, StorageError> {
        self.store.risky_files(&self.id, Limit::new(limit)?).await
    }

    /// Counts and adds up what is known of the graph, missions and files.
    pub async fn knowledge_stats(&self) -> Result<KnowledgeStats, StorageError> {
        self.store.knowledge_stats(&self.id).await
    }
}
