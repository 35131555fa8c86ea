use std::cmp::Reverse;

use async_trait::async_trait;
use memory_domain::{Limit, Mission, MissionFilter, NewMission, TenantId, Timestamp, key_text};
use memory_storage::{MissionStore, StorageError};

use super::{Model, conflict, page};

#[async_trait]
impl MissionStore for Model {
    async fn log_mission(
        &self,
        tenant: &TenantId,
        mission: NewMission,
        at: Timestamp,
    ) -> Result<Mission, StorageError> {
        let new = mission.validated()?;
        let node = new.new_node()?;
        self.write(tenant, at, |own| {
            let known = own.missions.values().find(|known| known.key == new.key);
            let known = known.map(|known| (known.id, known.created_at));
            if known.is_none() && own.missions.contains_key(&new.id) {
                return Err(conflict("mission", new.id));
            }
            if let Some(node) = node
                && !own.nodes.values().any(|known| known.key == node.key)
            {
                if own.nodes.contains_key(&node.id) {
                    return Err(conflict("node", node.id));
                }
                let node = node.into_node(tenant.clone(), at);
                own.nodes.insert(node.id, node);
            }
            let mut mission = new.into_mission(tenant.clone(), at);
            if let Some((id, created_at)) = known {
                mission.id = id;
                mission.created_at = created_at;
            }
            own.missions.insert(mission.id, mission.clone());
            Ok(mission)
        })
    }

    async fn mission(&self, tenant: &TenantId, key: &str) -> Result<Option<Mission>, StorageError> {
        key_text("key", key)?;
        let found = self.read(tenant, |own| {
            let mut missions = own.missions.values();
            missions.find(|mission| mission.key == key).cloned()
        });
        Ok(found.flatten())
    }

    async fn missions(
        &self,
        tenant: &TenantId,
        filter: MissionFilter,
        limit: Limit,
    ) -> Result<Vec<Mission>, StorageError> {
        let filter = filter.validated()?;
        let meets = |mission: &&Mission| {
            let created_at = mission.created_at;
            filter
                .status
                .as_ref()
                .is_none_or(|status| *status == mission.status)
                && (filter.domain.is_none() || filter.domain == mission.domain)
                && filter.created_from.is_none_or(|from| from <= created_at)
                && filter.created_to.is_none_or(|to| created_at <= to)
        };
        let listed = self.read(tenant, |own| {
            page(
                own.missions.values().filter(meets).cloned(),
                |mission| (Reverse(mission.created_at), Reverse(mission.id)),
                filter
                    .after
                    .map(|after| (Reverse(after.created_at), Reverse(after.id))),
                limit,
            )
        });
        Ok(listed.unwrap_or_default())
    }
}
