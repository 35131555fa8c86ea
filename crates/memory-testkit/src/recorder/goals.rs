use async_trait::async_trait;
use memory_domain::{
    ActiveGoalCursor, Goal, GoalFilter, GoalId, GoalStatus, Limit, NewGoal, TenantId, Timestamp,
};
use memory_storage::{GoalStore, StorageError};

use super::Recorder;
use crate::Verb;

#[async_trait]
impl GoalStore for Recorder<'_> {
    async fn save_goal(
        &self,
        tenant: &TenantId,
        goal: NewGoal,
        at: Timestamp,
    ) -> Result<Goal, StorageError> {
        self.note(Verb::SaveGoal);
        self.store.save_goal(tenant, goal, at).await
    }

    async fn goal(&self, tenant: &TenantId, id: GoalId) -> Result<Option<Goal>, StorageError> {
        self.note(Verb::Goal);
        self.store.goal(tenant, id).await
    }

    async fn goals(
        &self,
        tenant: &TenantId,
        filter: GoalFilter,
        limit: Limit,
    ) -> Result<Vec<Goal>, StorageError> {
        self.note(Verb::Goals);
        self.store.goals(tenant, filter, limit).await
    }

    async fn active_goals(
        &self,
        tenant: &TenantId,
        limit: Limit,
        after: Option<ActiveGoalCursor>,
    ) -> Result<Vec<Goal>, StorageError> {
        self.note(Verb::ActiveGoals);
        self.store.active_goals(tenant, limit, after).await
    }

    async fn set_goal_status(
        &self,
        tenant: &TenantId,
        id: GoalId,
        status: GoalStatus,
        at: Timestamp,
    ) -> Result<Goal, StorageError> {
        self.note(Verb::SetGoalStatus);
        self.store.set_goal_status(tenant, id, status, at).await
    }
}
