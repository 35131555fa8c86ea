use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{Double, Nullable};
use diesel::sqlite::SqliteConnection;
use memory_diesel::GoalRow;
use memory_diesel::schema::goals;
use memory_diesel::sql_types::{IdValue, Instant, InstantValue};
use memory_domain::{
    ActiveGoalCursor, Goal, GoalFilter, GoalId, GoalStatus, Limit, NewGoal, TenantId, Timestamp,
};
use memory_storage::{GoalStore, StorageError};

use crate::error::Failure;
use crate::executor::{Executor, Reading, Sqlite};
use crate::moving::{Moving, moved};
use crate::statement::Statement;
use crate::tenants::{entities, touch};

#[async_trait]
impl<E: Executor> GoalStore for Sqlite<E> {
    async fn save_goal(
        &self,
        tenant: &TenantId,
        goal: NewGoal,
        at: Timestamp,
    ) -> Result<Goal, StorageError> {
        let new = goal.validated()?;
        let tenant = tenant.clone();
        self.0
            .write("saving a goal", move |connection| {
                save(connection, tenant, new, at)
            })
            .await
    }

    async fn goal(&self, tenant: &TenantId, id: GoalId) -> Result<Option<Goal>, StorageError> {
        let tenant = tenant.clone();
        self.0
            .read(Reading::of("looking a goal up"), move |connection| {
                Goal::find(connection, &tenant, id)
            })
            .await
    }

    async fn goals(
        &self,
        tenant: &TenantId,
        filter: GoalFilter,
        limit: Limit,
    ) -> Result<Vec<Goal>, StorageError> {
        let tenant = tenant.clone();
        self.0
            .read(Reading::of("listing goals"), move |connection| {
                by_deadline(connection, &tenant, filter, limit)
            })
            .await
    }

    async fn active_goals(
        &self,
        tenant: &TenantId,
        limit: Limit,
        after: Option<ActiveGoalCursor>,
    ) -> Result<Vec<Goal>, StorageError> {
        let tenant = tenant.clone();
        self.0
            .read(Reading::of("listing active goals"), move |connection| {
                active(connection, &tenant, limit, after)
            })
            .await
    }

    async fn set_goal_status(
        &self,
        tenant: &TenantId,
        id: GoalId,
        status: GoalStatus,
        at: Timestamp,
    ) -> Result<Goal, StorageError> {
        let change = move |goal: &mut Goal| Ok(goal.set_status(status, at));
        moved(self, "setting the status of a goal", tenant, id, at, change).await
    }
}

fn save(
    connection: &mut SqliteConnection,
    tenant: TenantId,
    new: NewGoal,
    at: Timestamp,
) -> Result<Goal, Failure> {
    if let Some(stands) = Goal::find(connection, &tenant, new.id)? {
        let goal = new.replacing(stands.clone(), at);
        if goal != stands {
            goal.write(connection)?;
            touch(connection, &tenant, at)?;
        }
        return Ok(goal);
    }
    touch(connection, &tenant, at)?;
    let goal = new.into_goal(tenant, at);
    diesel::insert_into(goals::table)
        .values(GoalRow::from(goal.clone()))
        .execute(connection)?;
    Ok(goal)
}

impl Moving for Goal {
    const WHAT: &'static str = "goal";

    type Id = GoalId;

    fn find(
        connection: &mut SqliteConnection,
        tenant: &TenantId,
        id: GoalId,
    ) -> Result<Option<Goal>, Failure> {
        let row: Option<GoalRow> = goals::table
            .find((tenant.as_str(), IdValue(id.uuid())))
            .select(GoalRow::as_select())
            .first(connection)
            .optional()?;
        Ok(row.map(Goal::try_from).transpose()?)
    }

    fn write(&self, connection: &mut SqliteConnection) -> Result<(), Failure> {
        let moment = |at: Option<Timestamp>| at.map(InstantValue);
        Statement::new(
            "update goals set description = ?, importance = ?, complexity = ?, estimated_value = ?,
                 status = ?, deadline = ?, completed_at = ?
             where tenant_id = ? and id = ?",
        )
        .text(&self.description)
        .number(self.importance)
        .text(&self.complexity)
        .bind::<Nullable<Double>, _>(self.estimated_value)
        .text(self.status.as_str())
        .bind::<Nullable<Instant>, _>(moment(self.deadline))
        .bind::<Nullable<Instant>, _>(moment(self.completed_at))
        .text(self.tenant_id.as_str())
        .id(self.id.uuid())
        .run(connection)?;
        Ok(())
    }
}

/// What a goal is listed by: its deadline, or what is later than any. The indexes have it so.
const DEADLINE: &str = "coalesce(deadline, 9223372036854775807)";

/// The index is named, because without statistics SQLite takes the narrowest one that fits,
/// whatever it has to read past.
fn by_deadline(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    filter: GoalFilter,
    limit: Limit,
) -> Result<Vec<Goal>, Failure> {
    let mut statement = match filter.status {
        None => {
            Statement::new("select * from goals indexed by goals_by_deadline where tenant_id = ?")
                .text(tenant.as_str())
        }
        Some(status) => Statement::new(
            "select * from goals indexed by goals_by_status where tenant_id = ? and status = ?",
        )
        .text(tenant.as_str())
        .text(status.as_str()),
    };
    // One lower bound only, so that the index begins at the right one.
    statement = match (filter.after, filter.deadline_from) {
        (Some(place), from)
            if place
                .deadline
                .is_none_or(|at| from.is_none_or(|from| from <= at)) =>
        {
            let last = "coalesce(?, 9223372036854775807)";
            let deadline = place.deadline.map(InstantValue);
            // The first says no more than the second, of which the index knows nothing.
            statement
                .then(&format!(" and {DEADLINE} >= {last}"))
                .bind::<Nullable<Instant>, _>(deadline)
                .then(&format!(" and ({DEADLINE}, id) > ({last}, ?)"))
                .bind::<Nullable<Instant>, _>(deadline)
                .id(place.id.uuid())
        }
        (_, Some(from)) => statement.then(&format!(" and {DEADLINE} >= ?")).at(from),
        (_, None) => statement,
    };
    statement = match (filter.deadline_from, filter.deadline_to) {
        (_, Some(to)) => statement.then(&format!(" and {DEADLINE} <= ?")).at(to),
        (Some(_), None) => statement.then(&format!(" and {DEADLINE} < 9223372036854775807")),
        (None, None) => statement,
    };
    let rows: Vec<GoalRow> = statement
        .then(&format!(" order by {DEADLINE}, id limit ?"))
        .number(limit.rows().into())
        .load(connection)?;
    entities(rows)
}

fn active(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    limit: Limit,
    after: Option<ActiveGoalCursor>,
) -> Result<Vec<Goal>, Failure> {
    let mut statement = Statement::new(
        "select * from goals indexed by goals_active where tenant_id = ? and status = 'active'",
    )
    .text(tenant.as_str());
    if let Some(place) = after {
        statement = statement
            .then(" and (importance, created_at, id) < (?, ?, ?)")
            .number(place.importance)
            .at(place.created_at)
            .id(place.id.uuid());
    }
    let rows: Vec<GoalRow> = statement
        .then(" order by importance desc, created_at desc, id desc limit ?")
        .number(limit.rows().into())
        .load(connection)?;
    entities(rows)
}
