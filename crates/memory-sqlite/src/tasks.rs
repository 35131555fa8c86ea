use std::time::Duration;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::Nullable;
use diesel::sqlite::SqliteConnection;
use memory_diesel::TaskRow;
use memory_diesel::schema::tasks;
use memory_diesel::sql_types::{AnyJson, AnyJsonValue, IdValue, Instant, InstantValue};
use memory_domain::{
    Lease, Limit, NewTask, Task, TaskClaim, TaskFailure, TaskFilter, TaskId, TenantId, Timestamp,
    key_text, task_result,
};
use memory_storage::{StorageError, TaskStore};
use serde_json::Value;

use crate::error::Failure;
use crate::executor::{Executor, Reading, Sqlite};
use crate::moving::{Moving, moved};
use crate::statement::Statement;
use crate::tenants::{entities, touch};

#[async_trait]
impl<E: Executor> TaskStore for Sqlite<E> {
    async fn create_task(
        &self,
        tenant: &TenantId,
        task: NewTask,
        at: Timestamp,
    ) -> Result<Task, StorageError> {
        let new = task.validated()?;
        let tenant = tenant.clone();
        self.0
            .write("creating a task", move |connection| {
                create(connection, tenant, new, at)
            })
            .await
    }

    async fn task(&self, tenant: &TenantId, id: TaskId) -> Result<Option<Task>, StorageError> {
        let tenant = tenant.clone();
        self.0
            .read(Reading::of("looking a task up"), move |connection| {
                Task::find(connection, &tenant, id)
            })
            .await
    }

    async fn task_by_external_id(
        &self,
        tenant: &TenantId,
        external_id: &str,
    ) -> Result<Option<Task>, StorageError> {
        key_text("external_id", external_id)?;
        let (tenant, external_id) = (tenant.clone(), external_id.to_owned());
        let reading = Reading::of("looking a task up by its external id");
        self.0
            .read(reading, move |connection| {
                let rows: Vec<TaskRow> = Statement::new(
                    "select * from tasks indexed by tasks_by_external_id
                     where tenant_id = ? and external_id = ?
                     order by created_at desc, id desc limit 1",
                )
                .text(tenant.as_str())
                .text(&external_id)
                .load(connection)?;
                Ok(entities(rows)?.into_iter().next())
            })
            .await
    }

    async fn tasks(
        &self,
        tenant: &TenantId,
        filter: TaskFilter,
        limit: Limit,
    ) -> Result<Vec<Task>, StorageError> {
        let tenant = tenant.clone();
        self.0
            .read(Reading::of("listing tasks"), move |connection| {
                list(connection, &tenant, filter, limit)
            })
            .await
    }

    async fn claim_task(
        &self,
        tenant: &TenantId,
        claim: TaskClaim,
        at: Timestamp,
    ) -> Result<Option<Task>, StorageError> {
        let claim = claim.validated()?;
        let tenant = tenant.clone();
        self.0
            .write("claiming a task", move |connection| {
                let Some(mut task) = next(connection, &tenant, &claim, at)? else {
                    return Ok(None);
                };
                task.start(&claim.lease, at).map_err(StorageError::from)?;
                task.write(connection)?;
                touch(connection, &tenant, at)?;
                Ok(Some(task))
            })
            .await
    }

    async fn start_task(
        &self,
        tenant: &TenantId,
        id: TaskId,
        lease: Lease,
        at: Timestamp,
    ) -> Result<Task, StorageError> {
        let lease = lease.validated()?;
        let change = move |task: &mut Task| task.start(&lease, at);
        moved(self, "starting a task", tenant, id, at, change).await
    }

    async fn extend_lease(
        &self,
        tenant: &TenantId,
        id: TaskId,
        lease: Lease,
        at: Timestamp,
    ) -> Result<Task, StorageError> {
        let lease = lease.validated()?;
        let change = move |task: &mut Task| task.extend(&lease, at);
        moved(self, "extending a lease", tenant, id, at, change).await
    }

    async fn finish_task(
        &self,
        tenant: &TenantId,
        id: TaskId,
        worker: &str,
        result: Option<Value>,
        at: Timestamp,
    ) -> Result<Task, StorageError> {
        key_text("worker", worker)?;
        let result = task_result(result)?;
        let worker = worker.to_owned();
        let change = move |task: &mut Task| task.finish(&worker, result.as_ref(), at);
        moved(self, "finishing a task", tenant, id, at, change).await
    }

    async fn fail_task(
        &self,
        tenant: &TenantId,
        id: TaskId,
        worker: &str,
        failure: TaskFailure,
        at: Timestamp,
    ) -> Result<Task, StorageError> {
        key_text("worker", worker)?;
        let failure = failure.validated()?;
        let worker = worker.to_owned();
        let change = move |task: &mut Task| task.fail(&worker, &failure, at);
        moved(self, "failing a task", tenant, id, at, change).await
    }

    async fn cancel_task(
        &self,
        tenant: &TenantId,
        id: TaskId,
        at: Timestamp,
    ) -> Result<Task, StorageError> {
        let change = move |task: &mut Task| task.cancel(at);
        moved(self, "cancelling a task", tenant, id, at, change).await
    }

    async fn delete_finished_tasks(
        &self,
        tenant: &TenantId,
        age: Duration,
        at: Timestamp,
    ) -> Result<u64, StorageError> {
        let tenant = tenant.clone();
        self.0
            .write("deleting finished tasks", move |connection| {
                let gone = Statement::new(
                    "delete from tasks
                     where tenant_id = ? and status in ('completed', 'failed', 'cancelled')
                         and coalesce(completed_at, created_at) < ?",
                )
                .text(tenant.as_str())
                .at(at.before(age))
                .run(connection)?;
                if gone > 0 {
                    touch(connection, &tenant, at)?;
                }
                Ok(gone as u64)
            })
            .await
    }
}

fn create(
    connection: &mut SqliteConnection,
    tenant: TenantId,
    new: NewTask,
    at: Timestamp,
) -> Result<Task, Failure> {
    if let Some(stands) = Task::find(connection, &tenant, new.id)? {
        if new.is_same_write(&stands) {
            return Ok(stands);
        }
        return Err(Failure::Refused(StorageError::Conflict {
            what: "task",
            id: new.id.to_string(),
        }));
    }
    touch(connection, &tenant, at)?;
    let task = new.into_task(tenant, at);
    diesel::insert_into(tasks::table)
        .values(TaskRow::from(task.clone()))
        .execute(connection)?;
    Ok(task)
}

/// The task that a claim gets.
fn next(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    claim: &TaskClaim,
    at: Timestamp,
) -> Result<Option<Task>, Failure> {
    let types = serde_json::to_string(&claim.task_types).expect("texts are JSON");
    let mut statement = Statement::new(
        "select * from tasks indexed by tasks_to_claim
         where tenant_id = ? and status in ('pending', 'running')
             and (status = 'pending' or claimed_until is null or claimed_until <= ?)",
    )
    .text(tenant.as_str())
    .at(at);
    if !claim.task_types.is_empty() {
        statement = statement
            .then(" and task_type in (select value from json_each(?))")
            .text(&types);
    }
    let rows: Vec<TaskRow> = statement
        .then(" order by priority desc, created_at, id limit 1")
        .load(connection)?;
    Ok(entities(rows)?.into_iter().next())
}

impl Moving for Task {
    const WHAT: &'static str = "task";

    type Id = TaskId;

    fn find(
        connection: &mut SqliteConnection,
        tenant: &TenantId,
        id: TaskId,
    ) -> Result<Option<Task>, Failure> {
        let row: Option<TaskRow> = tasks::table
            .find((tenant.as_str(), IdValue(id.uuid())))
            .select(TaskRow::as_select())
            .first(connection)
            .optional()?;
        Ok(row.map(Task::try_from).transpose()?)
    }

    fn write(&self, connection: &mut SqliteConnection) -> Result<(), Failure> {
        let moment = |at: Option<Timestamp>| at.map(InstantValue);
        Statement::new(
            "update tasks set status = ?, attempts = ?, result = ?, error = ?, traceback = ?,
                 claimed_by = ?, claimed_until = ?, started_at = ?, completed_at = ?
             where tenant_id = ? and id = ?",
        )
        .text(self.status.as_str())
        .number(self.attempts)
        .bind::<Nullable<AnyJson>, _>(self.result.clone().map(AnyJsonValue))
        .optional_text(self.error.as_deref())
        .optional_text(self.traceback.as_deref())
        .optional_text(self.claimed_by.as_deref())
        .bind::<Nullable<Instant>, _>(moment(self.claimed_until))
        .bind::<Nullable<Instant>, _>(moment(self.started_at))
        .bind::<Nullable<Instant>, _>(moment(self.completed_at))
        .text(self.tenant_id.as_str())
        .id(self.id.uuid())
        .run(connection)?;
        Ok(())
    }
}

/// The index is named, because without statistics SQLite takes the narrowest one that fits,
/// whatever it has to read past.
fn list(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    filter: TaskFilter,
    limit: Limit,
) -> Result<Vec<Task>, Failure> {
    let mut statement = match filter.status {
        None => {
            Statement::new("select * from tasks indexed by tasks_by_creation where tenant_id = ?")
                .text(tenant.as_str())
        }
        Some(status) => Statement::new(
            "select * from tasks indexed by tasks_by_status where tenant_id = ? and status = ?",
        )
        .text(tenant.as_str())
        .text(status.as_str()),
    };
    if let Some(from) = filter.created_from {
        statement = statement.then(" and created_at >= ?").at(from);
    }
    // One upper bound only, so that the index begins at the right one.
    statement = match (filter.after, filter.created_to) {
        (Some(place), to) if to.is_none_or(|to| place.created_at <= to) => statement
            .then(" and (created_at, id) < (?, ?)")
            .at(place.created_at)
            .id(place.id.uuid()),
        (_, Some(to)) => statement.then(" and created_at <= ?").at(to),
        (_, None) => statement,
    };
    let rows: Vec<TaskRow> = statement
        .then(" order by created_at desc, id desc limit ?")
        .number(limit.rows().into())
        .load(connection)?;
    entities(rows)
}
