use std::cmp::Reverse;

use async_trait::async_trait;
use memory_domain::{
    ActiveGoalCursor, Goal, GoalFilter, GoalId, GoalStatus, Limit, NewGoal, TenantId, Timestamp,
};
use memory_storage::{GoalStore, StorageError};

use super::{Model, not_found, page};

#[async_trait]
impl GoalStore for Model {
    async fn save_goal(
        &self,
        tenant: &TenantId,
        goal: NewGoal,
        at: Timestamp,
    ) -> Result<Goal, StorageError> {
        let new = goal.validated()?;
        self.write(tenant, at, |own| {
            let goal = match own.goals.remove(&new.id) {
                Some(stands) => new.replacing(stands, at),
                None => new.into_goal(tenant.clone(), at),
            };
            own.goals.insert(goal.id, goal.clone());
            Ok(goal)
        })
    }

    async fn goal(&self, tenant: &TenantId, id: GoalId) -> Result<Option<Goal>, StorageError> {
        let found = self.read(tenant, |own| own.goals.get(&id).cloned());
        Ok(found.flatten())
    }

    async fn goals(
        &self,
        tenant: &TenantId,
        filter: GoalFilter,
        limit: Limit,
    ) -> Result<Vec<Goal>, StorageError> {
        let within = |deadline: Option<Timestamp>| {
            let from = filter.deadline_from;
            let to = filter.deadline_to;
            from.is_none_or(|from| deadline.is_some_and(|at| from <= at))
                && to.is_none_or(|to| deadline.is_some_and(|at| at <= to))
        };
        let meets = |goal: &&Goal| {
            filter.status.is_none_or(|status| status == goal.status) && within(goal.deadline)
        };
        let listed = self.read(tenant, |own| {
            page(
                own.goals.values().filter(meets).cloned(),
                |goal| (goal.deadline.is_none(), goal.deadline, goal.id),
                filter
                    .after
                    .map(|after| (after.deadline.is_none(), after.deadline, after.id)),
                limit,
            )
        });
        Ok(listed.unwrap_or_default())
    }

    async fn active_goals(
        &self,
        tenant: &TenantId,
        limit: Limit,
        after: Option<ActiveGoalCursor>,
    ) -> Result<Vec<Goal>, StorageError> {
        let place = |place: ActiveGoalCursor| {
            (
                Reverse(place.importance),
                Reverse(place.created_at),
                Reverse(place.id),
            )
        };
        let listed = self.read(tenant, |own| {
            let goals = own.goals.values();
            page(
                goals
                    .filter(|goal| goal.status == GoalStatus::Active)
                    .cloned(),
                |goal| place(goal.active_cursor()),
                after.map(place),
                limit,
            )
        });
        Ok(listed.unwrap_or_default())
    }

    async fn set_goal_status(
        &self,
        tenant: &TenantId,
        id: GoalId,
        status: GoalStatus,
        at: Timestamp,
    ) -> Result<Goal, StorageError> {
        self.write(tenant, at, |own| {
            let goal = own.goals.get_mut(&id);
            let goal = goal.ok_or_else(|| not_found("goal", id))?;
            goal.set_status(status, at);
            Ok(goal.clone())
        })
    }
}
