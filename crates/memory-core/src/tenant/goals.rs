use std::ops::Deref;

use memory_domain::{ActiveGoalCursor, Goal, GoalFilter, GoalId, GoalStatus, Limit, NewGoal};
use memory_storage::{GoalStore, MemoryStore, StorageError};

use super::Scoped;

/// Goals: see [`GoalStore`](crate::GoalStore) for what each verb promises.
impl<S: Deref<Target: MemoryStore>> Scoped<S> {
    /// Saves a goal. Under a known id everything is replaced but the time of creation.
    pub async fn save_goal(&self, goal: NewGoal) -> Result<Goal, StorageError> {
        self.store.save_goal(&self.id, goal, self.now()).await
    }

    /// Looks a goal up.
    pub async fn goal(&self, id: GoalId) -> Result<Option<Goal>, StorageError> {
        self.store.goal(&self.id, id).await
    }

    /// Lists goals: the earliest deadline first, those without one last.
    ///
    /// # Errors
    /// `Invalid` for a limit over 1,000.
    pub async fn goals(&self, filter: GoalFilter, limit: u32) -> Result<Vec<Goal>, StorageError> {
        self.store.goals(&self.id, filter, Limit::new(limit)?).await
    }

    /// Lists the active goals: the most important first; those after the place `after`.
    ///
    /// # Errors
    /// `Invalid` for a limit over 1,000.
    pub async fn active_goals(
        &self,
        limit: u32,
        after: Option<ActiveGoalCursor>,
    ) -> Result<Vec<Goal>, StorageError> {
        self.store
            .active_goals(&self.id, Limit::new(limit)?, after)
            .await
    }

    /// Sets the status of a goal: becoming completed sets the time of completion, and any other
    /// status clears it.
    ///
    /// # Errors
    /// `NotFound` if it is not there.
    pub async fn set_goal_status(
        &self,
        id: GoalId,
        status: GoalStatus,
    ) -> Result<Goal, StorageError> {
        self.store
            .set_goal_status(&self.id, id, status, self.now())
            .await
    }
}
