use std::cmp::Reverse;
use std::time::Duration;

use async_trait::async_trait;
use memory_domain::{
    Lease, Limit, NewTask, Task, TaskClaim, TaskFailure, TaskFilter, TaskId, TenantId, Timestamp,
    WrongState, key_text, task_result,
};
use memory_storage::{StorageError, TaskStore};
use serde_json::Value;

use super::{Model, conflict, not_found, page};

#[async_trait]
impl TaskStore for Model {
    async fn create_task(
        &self,
        tenant: &TenantId,
        task: NewTask,
        at: Timestamp,
    ) -> Result<Task, StorageError> {
        let new = task.validated()?;
        self.write(tenant, at, |own| {
            let stands = own
                .tasks
                .entry(new.id)
                .or_insert_with(|| new.clone().into_task(tenant.clone(), at));
            if new.is_same_write(stands) {
                Ok(stands.clone())
            } else {
                Err(conflict("task", new.id))
            }
        })
    }

    async fn task(&self, tenant: &TenantId, id: TaskId) -> Result<Option<Task>, StorageError> {
        let found = self.read(tenant, |own| own.tasks.get(&id).cloned());
        Ok(found.flatten())
    }

    async fn task_by_external_id(
        &self,
        tenant: &TenantId,
        external_id: &str,
    ) -> Result<Option<Task>, StorageError> {
        key_text("external_id", external_id)?;
        let newest = self.read(tenant, |own| {
            let tasks = own.tasks.values();
            tasks
                .filter(|task| task.external_id.as_deref() == Some(external_id))
                .max_by_key(|task| (task.created_at, task.id))
                .cloned()
        });
        Ok(newest.flatten())
    }

    async fn tasks(
        &self,
        tenant: &TenantId,
        filter: TaskFilter,
        limit: Limit,
    ) -> Result<Vec<Task>, StorageError> {
        let meets = |task: &&Task| {
            filter.status.is_none_or(|status| status == task.status)
                && filter
                    .created_from
                    .is_none_or(|from| from <= task.created_at)
                && filter.created_to.is_none_or(|to| task.created_at <= to)
        };
        let listed = self.read(tenant, |own| {
            page(
                own.tasks.values().filter(meets).cloned(),
                |task| (Reverse(task.created_at), Reverse(task.id)),
                filter
                    .after
                    .map(|after| (Reverse(after.created_at), Reverse(after.id))),
                limit,
            )
        });
        Ok(listed.unwrap_or_default())
    }

    async fn claim_task(
        &self,
        tenant: &TenantId,
        claim: TaskClaim,
        at: Timestamp,
    ) -> Result<Option<Task>, StorageError> {
        let claim = claim.validated()?;
        self.write(tenant, at, |own| {
            let next = own
                .tasks
                .values_mut()
                .filter(|task| task.is_claimable(at))
                .filter(|task| {
                    claim.task_types.is_empty() || claim.task_types.contains(&task.task_type)
                })
                .min_by_key(|task| (Reverse(task.priority), task.created_at, task.id));
            let Some(task) = next else {
                return Ok(None);
            };
            task.start(&claim.lease, at)?;
            Ok(Some(task.clone()))
        })
    }

    async fn start_task(
        &self,
        tenant: &TenantId,
        id: TaskId,
        lease: Lease,
        at: Timestamp,
    ) -> Result<Task, StorageError> {
        let lease = lease.validated()?;
        self.move_task(tenant, id, at, |task| task.start(&lease, at))
    }

    async fn extend_lease(
        &self,
        tenant: &TenantId,
        id: TaskId,
        lease: Lease,
        at: Timestamp,
    ) -> Result<Task, StorageError> {
        let lease = lease.validated()?;
        self.move_task(tenant, id, at, |task| task.extend(&lease, at))
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
        self.move_task(tenant, id, at, |task| {
            task.finish(worker, result.as_ref(), at)
        })
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
        self.move_task(tenant, id, at, |task| task.fail(worker, &failure, at))
    }

    async fn cancel_task(
        &self,
        tenant: &TenantId,
        id: TaskId,
        at: Timestamp,
    ) -> Result<Task, StorageError> {
        self.move_task(tenant, id, at, |task| task.cancel(at))
    }

    async fn delete_finished_tasks(
        &self,
        tenant: &TenantId,
        age: Duration,
        at: Timestamp,
    ) -> Result<u64, StorageError> {
        let before = at.before(age);
        self.write(tenant, at, |own| {
            let count = own.tasks.len();
            own.tasks.retain(|_, task| {
                let over = task.completed_at.unwrap_or(task.created_at);
                !task.status.is_finished() || over >= before
            });
            Ok((count - own.tasks.len()) as u64)
        })
    }
}

impl Model {
    fn move_task(
        &self,
        tenant: &TenantId,
        id: TaskId,
        at: Timestamp,
        change: impl FnOnce(&mut Task) -> Result<bool, WrongState>,
    ) -> Result<Task, StorageError> {
        self.write(tenant, at, |own| {
            let task = own.tasks.get_mut(&id);
            let task = task.ok_or_else(|| not_found("task", id))?;
            change(task)?;
            Ok(task.clone())
        })
    }
}
