use std::time::Duration;

use async_trait::async_trait;
use diesel::sql_types::{BigInt, Nullable, Text};
use memory_diesel::TaskRow;
use memory_diesel::sql_types::{AnyJson, AnyJsonValue};
use memory_domain::{
    Lease, Limit, NewTask, Task, TaskClaim, TaskFailure, TaskFilter, TaskId, TenantId, Timestamp,
    key_text, task_result,
};
use memory_storage::{StorageError, TaskStore};
use serde_json::Value;

use crate::columns::{Tasks, task_columns};
use crate::executor::{Executor, Postgres};
use crate::moving::{Moving, moved, moving};
use crate::statement::Statement;

// See the creation of a session.
const CREATE: &str = concat!(
    "with written as (
        insert into tasks as t (
            tenant_id, id, name, task_type, status, priority, attempts, max_retries, arguments,
            external_id, created_at
        )
        values ($1, $2, $3, $4, 'pending', $5, 0, $6, $7, $8, $9)
        on conflict (tenant_id, id) do nothing
        returning ",
    task_columns!("t"),
    ")
    select ",
    task_columns!("w"),
    ", touch_tenant($1, $9) from written as w
    union all
    select ",
    task_columns!("t"),
    ", true from tasks as t where t.tenant_id = $1 and t.id = $2"
);

const ONE: &str = concat!(
    "select ",
    task_columns!("t"),
    " from tasks as t where t.tenant_id = $1 and t.id = $2"
);

const BY_EXTERNAL_ID: &str = concat!(
    "select ",
    task_columns!("t"),
    " from tasks as t where t.tenant_id = $1 and t.external_id = $2
    order by t.created_at desc, t.id desc limit 1"
);

const LIST: &str = concat!(
    "select ",
    task_columns!("t"),
    " from tasks as t where t.tenant_id = $1"
);

// A row that another is claiming is passed over; one that another has claimed since the statement
// began is looked at once more when it is locked, and passed over then.
macro_rules! claim {
    ($types:literal, $worker:literal, $until:literal) => {
        concat!(
            "with next as (
                select id from tasks
                where tenant_id = $1 and status in ('pending', 'running')
                    and (status = 'pending' or claimed_until is null or claimed_until <= $2)",
            $types,
            "
                order by priority desc, created_at, id limit 1
                for no key update skip locked
            ), written as (
                update tasks as t set
                    status = 'running',
                    attempts = t.attempts + 1,
                    claimed_by = ",
            $worker,
            ",
                    claimed_until = ",
            $until,
            ",
                    started_at = $2
                from next where t.tenant_id = $1 and t.id = next.id
                returning ",
            task_columns!("t"),
            ")
            select ",
            task_columns!("w"),
            ", touch_tenant($1, $2) from written as w"
        )
    };
}

// Numbered as they are first mentioned: the types come before the lease.
const CLAIM: &str = claim!("", "$3", "$4");
const CLAIM_OF_TYPES: &str = claim!(" and task_type = any($3)", "$4", "$5");

// The row is locked first, so that what is said of a refusal is how it is now; then it is changed
// if its state allows that. One row, if there is such a task: what was written, or what stands.
macro_rules! transition {
    ($set:literal, $allowed:literal) => {
        concat!(
            "with old as (
                select * from tasks where tenant_id = $1 and id = $2 for no key update
            ), written as (
                update tasks as t set ",
            $set,
            " from old where t.tenant_id = $1 and t.id = old.id and (",
            $allowed,
            ")
                returning ",
            task_columns!("t"),
            ")
            select true, ",
            task_columns!("w"),
            ", touch_tenant($1, $3) from written as w
            union all
            select false, ",
            task_columns!("o"),
            ", true from old as o where not exists (select from written)"
        )
    };
}

const START: &str = transition!(
    "status = 'running', attempts = old.attempts + 1, started_at = $3, claimed_by = $4,
    claimed_until = $5",
    "old.status = 'pending' or (
        old.status = 'running' and (old.claimed_until is null or old.claimed_until <= $3)
    )"
);

// $3 is for the tenant's time alone.
const EXTEND: &str = transition!(
    "claimed_until = case when $3 is not null then $4 end",
    "old.status = 'running' and old.claimed_by = $5"
);

const FINISH: &str = transition!(
    "status = 'completed', completed_at = $3, result = $4, error = null, traceback = null,
    claimed_until = null",
    "old.status = 'running' and old.claimed_by = $5"
);

const FAIL: &str = transition!(
    "status = case when old.attempts <= old.max_retries then 'pending' else 'failed' end,
    completed_at = case when old.attempts <= old.max_retries then old.completed_at else $3 end,
    error = $4, traceback = $5, claimed_until = null",
    "old.status = 'running' and old.claimed_by = $6"
);

const CANCEL: &str = transition!(
    "status = 'cancelled', completed_at = $3, claimed_until = null",
    "old.status in ('pending', 'running')"
);

const DELETE_FINISHED: &str = "with gone as (
        delete from tasks
        where tenant_id = $1 and status in ('completed', 'failed', 'cancelled')
            and coalesce(completed_at, created_at) < $2
        returning id
    )
    select count(*), case when count(*) > 0 then touch_tenant($1, $3) end from gone";

#[async_trait]
impl<E: Executor> TaskStore for Postgres<E> {
    async fn create_task(
        &self,
        tenant: &TenantId,
        task: NewTask,
        at: Timestamp,
    ) -> Result<Task, StorageError> {
        let new = task.validated()?;
        let stands: Task = self
            .standing(|| {
                let statement = Statement::writing("creating a task", CREATE)
                    .text(tenant.as_str())
                    .id(new.id.uuid())
                    .text(&new.name)
                    .text(&new.task_type)
                    .number(new.priority)
                    .number(new.max_retries)
                    .json(&new.arguments)
                    .optional_text(new.external_id.as_deref())
                    .at(at);
                self.entities::<Tasks, TaskRow, _>(statement)
            })
            .await?;
        if new.is_same_write(&stands) {
            Ok(stands)
        } else {
            Err(StorageError::Conflict {
                what: "task",
                id: new.id.to_string(),
            })
        }
    }

    async fn task(&self, tenant: &TenantId, id: TaskId) -> Result<Option<Task>, StorageError> {
        let statement = Statement::reading("looking a task up", ONE)
            .text(tenant.as_str())
            .id(id.uuid());
        let tasks = self.entities::<Tasks, TaskRow, _>(statement).await?;
        Ok(tasks.into_iter().next())
    }

    async fn task_by_external_id(
        &self,
        tenant: &TenantId,
        external_id: &str,
    ) -> Result<Option<Task>, StorageError> {
        key_text("external_id", external_id)?;
        let step = "looking a task up by its external id";
        let statement = Statement::reading(step, BY_EXTERNAL_ID)
            .text(tenant.as_str())
            .text(external_id);
        let tasks = self.entities::<Tasks, TaskRow, _>(statement).await?;
        Ok(tasks.into_iter().next())
    }

    async fn tasks(
        &self,
        tenant: &TenantId,
        filter: TaskFilter,
        limit: Limit,
    ) -> Result<Vec<Task>, StorageError> {
        let mut statement = Statement::reading("listing tasks", LIST).text(tenant.as_str());
        if let Some(status) = filter.status {
            statement = statement.then(" and t.status = ").parameter();
            statement = statement.text(status.as_str());
        }
        if let Some(from) = filter.created_from {
            statement = statement.then(" and t.created_at >= ").parameter();
            statement = statement.at(from);
        }
        if let Some(to) = filter.created_to {
            statement = statement.then(" and t.created_at <= ").parameter();
            statement = statement.at(to);
        }
        if let Some(after) = filter.after {
            statement = statement.then(" and (t.created_at, t.id) < (").parameter();
            statement = statement.at(after.created_at).then(", ").parameter();
            statement = statement.id(after.id.uuid()).then(")");
        }
        let statement = statement
            .then(" order by t.created_at desc, t.id desc limit ")
            .parameter()
            .limit(limit);
        self.entities::<Tasks, TaskRow, _>(statement).await
    }

    async fn claim_task(
        &self,
        tenant: &TenantId,
        claim: TaskClaim,
        at: Timestamp,
    ) -> Result<Option<Task>, StorageError> {
        let claim = claim.validated()?;
        let until = claim.lease.until(at);
        let statement = if claim.task_types.is_empty() {
            Statement::writing("claiming a task", CLAIM)
                .text(tenant.as_str())
                .at(at)
                .text(&claim.lease.worker)
                .at(until)
        } else {
            let types = claim.task_types.iter().map(String::as_str).collect();
            Statement::writing("claiming a task of some types", CLAIM_OF_TYPES)
                .text(tenant.as_str())
                .at(at)
                .array::<Text, &str>(types)
                .text(&claim.lease.worker)
                .at(until)
        };
        let tasks = self.entities::<Tasks, TaskRow, _>(statement).await?;
        Ok(tasks.into_iter().next())
    }

    async fn start_task(
        &self,
        tenant: &TenantId,
        id: TaskId,
        lease: Lease,
        at: Timestamp,
    ) -> Result<Task, StorageError> {
        let lease = lease.validated()?;
        let statement = moving("starting a task", START, tenant, id.uuid(), at)
            .text(&lease.worker)
            .at(lease.until(at));
        moved(self, statement, id, |task: &mut Task| {
            task.start(&lease, at)
        })
        .await
    }

    async fn extend_lease(
        &self,
        tenant: &TenantId,
        id: TaskId,
        lease: Lease,
        at: Timestamp,
    ) -> Result<Task, StorageError> {
        let lease = lease.validated()?;
        let statement = moving("extending a lease", EXTEND, tenant, id.uuid(), at)
            .at(lease.until(at))
            .text(&lease.worker);
        moved(self, statement, id, |task: &mut Task| {
            task.extend(&lease, at)
        })
        .await
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
        let statement = moving("finishing a task", FINISH, tenant, id.uuid(), at)
            .bind::<Nullable<AnyJson>, _>(result.clone().map(AnyJsonValue))
            .text(worker);
        let explain = |task: &mut Task| task.finish(worker, result.as_ref(), at);
        moved(self, statement, id, explain).await
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
        let statement = moving("failing a task", FAIL, tenant, id.uuid(), at)
            .text(&failure.error)
            .optional_text(failure.traceback.as_deref())
            .text(worker);
        moved(self, statement, id, |task: &mut Task| {
            task.fail(worker, &failure, at)
        })
        .await
    }

    async fn cancel_task(
        &self,
        tenant: &TenantId,
        id: TaskId,
        at: Timestamp,
    ) -> Result<Task, StorageError> {
        let statement = moving("cancelling a task", CANCEL, tenant, id.uuid(), at);
        moved(self, statement, id, |task: &mut Task| task.cancel(at)).await
    }

    async fn delete_finished_tasks(
        &self,
        tenant: &TenantId,
        age: Duration,
        at: Timestamp,
    ) -> Result<u64, StorageError> {
        let statement = Statement::writing("deleting finished tasks", DELETE_FINISHED)
            .text(tenant.as_str())
            .at(at.before(age))
            .at(at);
        let gone = self.first::<(BigInt,), (i64,)>(statement).await?;
        Ok(gone.map_or(0, |(gone,)| gone.unsigned_abs()))
    }
}

impl Moving for Task {
    const WHAT: &'static str = "task";

    type Columns = Tasks;

    type Row = TaskRow;
}
