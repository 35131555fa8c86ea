use async_trait::async_trait;
use memory_domain::{
    ActiveGoalCursor, Goal, GoalFilter, GoalId, GoalStatus, Limit, NewGoal, TenantId, Timestamp,
};

use crate::StorageError;

/// Goals: what somebody wants to reach, how much it matters and by when.
#[async_trait]
pub trait GoalStore: Send + Sync {
    /// Saves a goal and returns it as it stands. Under a known id everything is replaced but the
    /// time of creation, so the same again is the same write. A goal that becomes completed gets
    /// the time of completion, one that stays so keeps it, and any other status clears it.
    async fn save_goal(
        &self,
        tenant: &TenantId,
        goal: NewGoal,
        at: Timestamp,
    ) -> Result<Goal, StorageError>;

    /// Looks a goal up.
    async fn goal(&self, tenant: &TenantId, id: GoalId) -> Result<Option<Goal>, StorageError>;

    /// Lists goals: the earliest deadline first, those without one last, then the smaller id. Both
    /// ends of the deadline are included; a goal without one is within no bounds.
    async fn goals(
        &self,
        tenant: &TenantId,
        filter: GoalFilter,
        limit: Limit,
    ) -> Result<Vec<Goal>, StorageError>;

    /// Lists the goals whose status is active: the most important first, then the newest, then the
    /// greater id; those after the place `after`.
    async fn active_goals(
        &self,
        tenant: &TenantId,
        limit: Limit,
        after: Option<ActiveGoalCursor>,
    ) -> Result<Vec<Goal>, StorageError>;

    /// Sets the status of a goal, and with it the time of completion as
    /// [`save_goal`](GoalStore::save_goal) does. The same status again is the same write.
    ///
    /// # Errors
    /// `NotFound` if it is not there.
    async fn set_goal_status(
        &self,
        tenant: &TenantId,
        id: GoalId,
        status: GoalStatus,
        at: Timestamp,
    ) -> Result<Goal, StorageError>;
}
