use memory_domain::{
    FileSnapshotId, Limit, MissionFilter, MissionId, MissionStatus, NewRelationship, NodeId,
    RelationshipId, RelationshipKind, TenantId, Timestamp,
};
use memory_storage::{MemoryStore, StorageError};
use serde_json::json;

use super::{Given, SECRET, Verb, shown};
use crate::support::{
    at, mission_id, new_mission, new_snapshot, node_id, object, relationship_id, snapshot_id,
};

/// The missions and files with which verbs are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenMissions {
    /// A mission that failed, under [`GivenMissions::KEY`].
    pub mission: MissionId,
    /// Its node, which is said to have worked on the file `known`.
    pub node: NodeId,
    /// What says so.
    pub worked_on: RelationshipId,
    /// A snapshot of the file `known`.
    pub snapshot: FileSnapshotId,
    /// The mission to be logged.
    pub new: MissionId,
    /// The node that it is to get.
    pub new_node: NodeId,
    /// The snapshot to be recorded.
    pub new_snapshot: FileSnapshotId,
}

impl Default for GivenMissions {
    fn default() -> Self {
        GivenMissions {
            mission: mission_id(1),
            node: node_id(21),
            worked_on: relationship_id(21),
            snapshot: snapshot_id(1),
            new: mission_id(11),
            new_node: node_id(22),
            new_snapshot: snapshot_id(11),
        }
    }
}

impl GivenMissions {
    /// The key of the mission.
    pub const KEY: &str = "m-1";

    pub(super) fn taken(self) -> GivenMissions {
        GivenMissions {
            new: self.mission,
            new_node: self.node,
            new_snapshot: self.snapshot,
            ..self
        }
    }

    pub(super) async fn write(&self, store: &dyn MemoryStore, tenant: &TenantId, given: &Given) {
        let secret = || object(json!({"text": SECRET}));
        let mut mission = new_mission(0, Self::KEY)
            .with_id(self.mission)
            .with_node(self.node)
            .with_domain(SECRET)
            .with_cost_usd(0.25)
            .with_metadata(secret());
        mission.status = MissionStatus::FAILED;
        store.log_mission(tenant, mission, at(0)).await.unwrap();
        let link = NewRelationship::new(self.node, RelationshipKind::WORKED_ON, given.keyed_node)
            .with_id(self.worked_on)
            .with_metadata(secret());
        store.relate(tenant, link, at(0)).await.unwrap();
        let snapshot = new_snapshot(0, given.key.id())
            .with_id(self.snapshot)
            .with_mission(Self::KEY)
            .with_hash(SECRET);
        let record = store.record_file_snapshot(tenant, snapshot, at(0));
        record.await.unwrap();
    }
}

impl Verb {
    pub(super) async fn call_of_missions(
        self,
        store: &dyn MemoryStore,
        tenant: &TenantId,
        given: &Given,
        at: Timestamp,
    ) -> Result<String, StorageError> {
        let ids = &given.missions;
        let (key, path, all) = (GivenMissions::KEY, given.key.id(), Limit::MAX);
        Ok(match self {
            Verb::LogMission => {
                let mission = new_mission(0, "m-new")
                    .with_id(ids.new)
                    .with_node(ids.new_node);
                shown(store.log_mission(tenant, mission, at).await?)
            }
            Verb::Missions => {
                let any = MissionFilter::default();
                shown(store.missions(tenant, any, all).await?)
            }
            Verb::RecordFileSnapshot => {
                let snapshot = new_snapshot(0, "new").with_id(ids.new_snapshot);
                shown(store.record_file_snapshot(tenant, snapshot, at).await?)
            }
            Verb::FileHistory => shown(store.file_history(tenant, path, all, None).await?),
            Verb::MissionSnapshots => shown(store.mission_snapshots(tenant, key, all, None).await?),
            Verb::FilesOfMission => shown(store.files_of_mission(tenant, key, all, None).await?),
            Verb::MissionsOfFile => shown(store.missions_of_file(tenant, path, all, None).await?),
            Verb::RiskyFiles => shown(store.risky_files(tenant, all).await?),
            Verb::KnowledgeStats => shown(store.knowledge_stats(tenant).await?),
            _ => shown(store.mission(tenant, key).await?),
        })
    }
}
