use async_trait::async_trait;
use memory_domain::{
    FileSnapshot, FileSnapshotCursor, KnowledgeStats, Limit, Mission, MissionFilter,
    NewFileSnapshot, NewMission, Node, RiskyFile, TenantId, Timestamp,
};
use memory_storage::{FileStore, MissionStore, StorageError};

use super::Recorder;
use crate::Verb;

#[async_trait]
impl MissionStore for Recorder<'_> {
    async fn log_mission(
        &self,
        tenant: &TenantId,
        mission: NewMission,
        at: Timestamp,
    ) -> Result<Mission, StorageError> {
        self.note(Verb::LogMission);
        self.store.log_mission(tenant, mission, at).await
    }

    async fn mission(&self, tenant: &TenantId, key: &str) -> Result<Option<Mission>, StorageError> {
        self.note(Verb::Mission);
        self.store.mission(tenant, key).await
    }

    async fn missions(
        &self,
        tenant: &TenantId,
        filter: MissionFilter,
        limit: Limit,
    ) -> Result<Vec<Mission>, StorageError> {
        self.note(Verb::Missions);
        self.store.missions(tenant, filter, limit).await
    }
}

#[async_trait]
impl FileStore for Recorder<'_> {
    async fn record_file_snapshot(
        &self,
        tenant: &TenantId,
        snapshot: NewFileSnapshot,
        at: Timestamp,
    ) -> Result<FileSnapshot, StorageError> {
        self.note(Verb::RecordFileSnapshot);
        self.store.record_file_snapshot(tenant, snapshot, at).await
    }

    async fn file_history(
        &self,
        tenant: &TenantId,
        path: &str,
        limit: Limit,
        after: Option<FileSnapshotCursor>,
    ) -> Result<Vec<FileSnapshot>, StorageError> {
        self.note(Verb::FileHistory);
        self.store.file_history(tenant, path, limit, after).await
    }

    async fn mission_snapshots(
        &self,
        tenant: &TenantId,
        mission_key: &str,
        limit: Limit,
        after: Option<FileSnapshotCursor>,
    ) -> Result<Vec<FileSnapshot>, StorageError> {
        self.note(Verb::MissionSnapshots);
        self.store
            .mission_snapshots(tenant, mission_key, limit, after)
            .await
    }

    async fn files_of_mission(
        &self,
        tenant: &TenantId,
        mission_key: &str,
        limit: Limit,
        after: Option<&str>,
    ) -> Result<Vec<Node>, StorageError> {
        self.note(Verb::FilesOfMission);
        self.store
            .files_of_mission(tenant, mission_key, limit, after)
            .await
    }

    async fn missions_of_file(
        &self,
        tenant: &TenantId,
        path: &str,
        limit: Limit,
        after: Option<&str>,
    ) -> Result<Vec<Node>, StorageError> {
        self.note(Verb::MissionsOfFile);
        self.store
            .missions_of_file(tenant, path, limit, after)
            .await
    }

    async fn risky_files(
        &self,
        tenant: &TenantId,
        limit: Limit,
    ) -> Result<Vec<RiskyFile>, StorageError> {
        self.note(Verb::RiskyFiles);
        self.store.risky_files(tenant, limit).await
    }

    async fn knowledge_stats(&self, tenant: &TenantId) -> Result<KnowledgeStats, StorageError> {
        self.note(Verb::KnowledgeStats);
        self.store.knowledge_stats(tenant).await
    }
}
