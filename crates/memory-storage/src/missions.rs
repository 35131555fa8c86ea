use async_trait::async_trait;
use memory_domain::{Limit, Mission, MissionFilter, NewMission, TenantId, Timestamp};

use crate::StorageError;

/// Missions: pieces of work that an assistant was sent on, what they cost and how they ended.
#[async_trait]
pub trait MissionStore: Send + Sync {
    /// Logs a mission and returns it as it stands. Under a known key everything is replaced but the
    /// id and the time of creation, so the same again is the same write.
    ///
    /// If it is to have a node in the graph, that is made in the same step with the key (`mission`,
    /// key), unless one with that key is there, which then stays as it is.
    ///
    /// # Errors
    /// `Conflict` if the key is new and its id stands for another mission, or if the node is new
    /// and its id stands for another node.
    async fn log_mission(
        &self,
        tenant: &TenantId,
        mission: NewMission,
        at: Timestamp,
    ) -> Result<Mission, StorageError>;

    /// Looks a mission up by the key that it has outside.
    async fn mission(&self, tenant: &TenantId, key: &str) -> Result<Option<Mission>, StorageError>;

    /// Lists missions: newest first, then the greater id.
    async fn missions(
        &self,
        tenant: &TenantId,
        filter: MissionFilter,
        limit: Limit,
    ) -> Result<Vec<Mission>, StorageError>;
}
