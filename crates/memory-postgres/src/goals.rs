use async_trait::async_trait;
use diesel::sql_types::{Double, Nullable};
use memory_diesel::GoalRow;
use memory_diesel::sql_types::{Instant, InstantValue};
use memory_domain::{
    ActiveGoalCursor, Goal, GoalFilter, GoalId, GoalStatus, Limit, NewGoal, TenantId, Timestamp,
};
use memory_storage::{GoalStore, StorageError};

use crate::columns::{Goals, goal_columns};
use crate::executor::{Executor, Postgres};
use crate::statement::Statement;

// What stands is locked first, and changed if it differs. What somebody else inserted after the
// statement began is in the way of the insertion but not seen by the selection, and the statement is
// sent again.
const SAVE: &str = concat!(
    "with old as (
        select * from goals where tenant_id = $1 and id = $2 for no key update
    ), replaced as (
        update goals as g set
            description = $3,
            importance = $4,
            complexity = $5,
            estimated_value = $6,
            status = $7,
            deadline = $8,
            completed_at = case
                when $7 <> 'completed' then null
                when old.status = 'completed' then old.completed_at
                else $9
            end
        from old where g.tenant_id = $1 and g.id = old.id and (
            (
                old.description, old.importance, old.complexity, old.estimated_value, old.status,
                old.deadline
            ) is distinct from ($3, $4, $5, $6, $7, $8)
            or (old.status <> 'completed' and old.completed_at is not null)
        )
        returning ",
    goal_columns!("g"),
    "), made as (
        insert into goals as g (
            tenant_id, id, description, importance, complexity, estimated_value, status, deadline,
            created_at, completed_at
        )
        select $1, $2, $3, $4, $5, $6, $7, $8, $9, case when $7 = 'completed' then $9 end
        where not exists (select from old)
        on conflict (tenant_id, id) do nothing
        returning ",
    goal_columns!("g"),
    ")
    select ",
    goal_columns!("w"),
    ", touch_tenant($1, $9)
    from (select * from replaced union all select * from made) as w
    union all
    select ",
    goal_columns!("o"),
    ", true from old as o where not exists (select from replaced)"
);

const ONE: &str = concat!(
    "select ",
    goal_columns!("g"),
    " from goals as g where g.tenant_id = $1 and g.id = $2"
);

// What a goal is listed by: its deadline, or what is later than any. The indexes have it so.
macro_rules! deadline {
    () => {
        "coalesce(g.deadline, 'infinity')"
    };
}

const LIST: &str = concat!(
    "select ",
    goal_columns!("g"),
    " from goals as g where g.tenant_id = $1"
);

const ACTIVE: &str = concat!(
    "select ",
    goal_columns!("g"),
    " from goals as g where g.tenant_id = $1 and g.status = 'active'"
);

// See the transitions of tasks. Nothing is refused, so nobody asks whether it was written.
const SET_STATUS: &str = concat!(
    "with old as (
        select * from goals where tenant_id = $1 and id = $2 for no key update
    ), written as (
        update goals as g set
            status = $3,
            completed_at = case
                when $3 <> 'completed' then null
                when old.status = 'completed' then old.completed_at
                else $4
            end
        from old where g.tenant_id = $1 and g.id = old.id and (
            old.status <> $3 or (old.status <> 'completed' and old.completed_at is not null)
        )
        returning ",
    goal_columns!("g"),
    ")
    select ",
    goal_columns!("w"),
    ", touch_tenant($1, $4) from written as w
    union all
    select ",
    goal_columns!("o"),
    ", true from old as o where not exists (select from written)"
);

#[async_trait]
impl<E: Executor> GoalStore for Postgres<E> {
    async fn save_goal(
        &self,
        tenant: &TenantId,
        goal: NewGoal,
        at: Timestamp,
    ) -> Result<Goal, StorageError> {
        let new = goal.validated()?;
        self.standing(|| {
            let statement = Statement::writing("saving a goal", SAVE)
                .text(tenant.as_str())
                .id(new.id.uuid())
                .text(&new.description)
                .number(new.importance)
                .text(&new.complexity)
                .bind::<Nullable<Double>, _>(new.estimated_value)
                .text(new.status.as_str())
                .bind::<Nullable<Instant>, _>(new.deadline.map(InstantValue))
                .at(at);
            self.entities::<Goals, GoalRow, _>(statement)
        })
        .await
    }

    async fn goal(&self, tenant: &TenantId, id: GoalId) -> Result<Option<Goal>, StorageError> {
        let statement = Statement::reading("looking a goal up", ONE)
            .text(tenant.as_str())
            .id(id.uuid());
        let goals = self.entities::<Goals, GoalRow, _>(statement).await?;
        Ok(goals.into_iter().next())
    }

    async fn goals(
        &self,
        tenant: &TenantId,
        filter: GoalFilter,
        limit: Limit,
    ) -> Result<Vec<Goal>, StorageError> {
        let mut statement = Statement::reading("listing goals", LIST).text(tenant.as_str());
        if let Some(status) = filter.status {
            statement = statement.then(" and g.status = ").parameter();
            statement = statement.text(status.as_str());
        }
        if let Some(from) = filter.deadline_from {
            statement = statement
                .then(concat!(" and ", deadline!(), " >= "))
                .parameter();
            statement = statement.at(from);
        }
        if let Some(to) = filter.deadline_to {
            statement = statement
                .then(concat!(" and ", deadline!(), " <= "))
                .parameter();
            statement = statement.at(to);
        } else if filter.deadline_from.is_some() {
            statement = statement.then(concat!(" and ", deadline!(), " < 'infinity'"));
        }
        if let Some(after) = filter.after {
            statement = statement
                .then(concat!(" and (", deadline!(), ", g.id) > (coalesce("))
                .parameter()
                .bind::<Nullable<Instant>, _>(after.deadline.map(InstantValue))
                .then(", 'infinity'), ")
                .parameter()
                .id(after.id.uuid())
                .then(")");
        }
        let statement = statement
            .then(concat!(" order by ", deadline!(), ", g.id limit "))
            .parameter()
            .limit(limit);
        self.entities::<Goals, GoalRow, _>(statement).await
    }

    async fn active_goals(
        &self,
        tenant: &TenantId,
        limit: Limit,
        after: Option<ActiveGoalCursor>,
    ) -> Result<Vec<Goal>, StorageError> {
        let mut statement = Statement::reading("listing active goals", ACTIVE);
        statement = statement.text(tenant.as_str());
        if let Some(after) = after {
            statement = statement
                .then(" and (g.importance, g.created_at, g.id) < (")
                .parameter()
                .number(after.importance)
                .then(", ")
                .parameter()
                .at(after.created_at)
                .then(", ")
                .parameter()
                .id(after.id.uuid())
                .then(")");
        }
        let statement = statement
            .then(" order by g.importance desc, g.created_at desc, g.id desc limit ")
            .parameter()
            .limit(limit);
        self.entities::<Goals, GoalRow, _>(statement).await
    }

    async fn set_goal_status(
        &self,
        tenant: &TenantId,
        id: GoalId,
        status: GoalStatus,
        at: Timestamp,
    ) -> Result<Goal, StorageError> {
        let statement = Statement::writing("setting the status of a goal", SET_STATUS)
            .text(tenant.as_str())
            .id(id.uuid())
            .text(status.as_str())
            .at(at);
        let goals = self.entities::<Goals, GoalRow, _>(statement).await?;
        goals.into_iter().next().ok_or_else(|| {
            let id = id.to_string();
            StorageError::NotFound { what: "goal", id }
        })
    }
}
