use std::time::Duration;

use async_trait::async_trait;
use memory_domain::{
    Lease, Limit, NewTask, Task, TaskClaim, TaskFailure, TaskFilter, TaskId, TenantId, Timestamp,
};
use memory_storage::{StorageError, TaskStore};
use serde_json::Value;

use super::Recorder;
use crate::Verb;

#[async_trait]
impl TaskStore for Recorder<'_> {
    async fn create_task(
        &self,
        tenant: &TenantId,
        task: NewTask,
        at: Timestamp,
    ) -> Result<Task, StorageError> {
        self.note(Verb::CreateTask);
        self.store.create_task(tenant, task, at).await
    }

    async fn task(&self, tenant: &TenantId, id: TaskId) -> Result<Option<Task>, StorageError> {
        self.note(Verb::Task);
        self.store.task(tenant, id).await
    }

    async fn task_by_external_id(
        &self,
        tenant: &TenantId,
        external_id: &str,
    ) -> Result<Option<Task>, StorageError> {
        self.note(Verb::TaskByExternalId);
        self.store.task_by_external_id(tenant, external_id).await
    }

    async fn tasks(
        &self,
        tenant: &TenantId,
        filter: TaskFilter,
        limit: Limit,
    ) -> Result<Vec<Task>, StorageError> {
        self.note(Verb::Tasks);
        self.store.tasks(tenant, filter, limit).await
    }

    async fn claim_task(
        &self,
        tenant: &TenantId,
        claim: TaskClaim,
        at: Timestamp,
    ) -> Result<Option<Task>, StorageError> {
        self.note(Verb::ClaimTask);
        self.store.claim_task(tenant, claim, at).await
    }

    async fn start_task(
        &self,
        tenant: &TenantId,
        id: TaskId,
        lease: Lease,
        at: Timestamp,
    ) -> Result<Task, StorageError> {
        self.note(Verb::StartTask);
        self.store.start_task(tenant, id, lease, at).await
    }

    async fn extend_lease(
        &self,
        tenant: &TenantId,
        id: TaskId,
        lease: Lease,
        at: Timestamp,
    ) -> Result<Task, StorageError> {
        self.note(Verb::ExtendLease);
        self.store.extend_lease(tenant, id, lease, at).await
    }

    async fn finish_task(
        &self,
        tenant: &TenantId,
        id: TaskId,
        worker: &str,
        result: Option<Value>,
        at: Timestamp,
    ) -> Result<Task, StorageError> {
        self.note(Verb::FinishTask);
        self.store.finish_task(tenant, id, worker, result, at).await
    }

    async fn fail_task(
        &self,
        tenant: &TenantId,
        id: TaskId,
        worker: &str,
        failure: TaskFailure,
        at: Timestamp,
    ) -> Result<Task, StorageError> {
        self.note(Verb::FailTask);
        self.store.fail_task(tenant, id, worker, failure, at).await
    }

    async fn cancel_task(
        &self,
        tenant: &TenantId,
        id: TaskId,
        at: Timestamp,
    ) -> Result<Task, StorageError> {
        self.note(Verb::CancelTask);
        self.store.cancel_task(tenant, id, at).await
    }

    async fn delete_finished_tasks(
        &self,
        tenant: &TenantId,
        age: Duration,
        at: Timestamp,
    ) -> Result<u64, StorageError> {
        self.note(Verb::DeleteFinishedTasks);
        self.store.delete_finished_tasks(tenant, age, at).await
    }
}
