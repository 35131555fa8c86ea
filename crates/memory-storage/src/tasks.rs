use std::time::Duration;

use async_trait::async_trait;
use memory_domain::{
    Lease, Limit, NewTask, Task, TaskClaim, TaskFailure, TaskFilter, TaskId, TenantId, Timestamp,
};
use serde_json::Value;

use crate::StorageError;

/// Tasks: work that is queued, claimed by one worker at a time, and done, retried or given up. See
/// [`Task`] for the states and what leads from one to another.
#[async_trait]
pub trait TaskStore: Send + Sync {
    /// Creates a task that waits for a worker. The same id with the same content is the same write
    /// and returns the task as it stands, however far it is.
    ///
    /// # Errors
    /// `Conflict` if the id stands with other content.
    async fn create_task(
        &self,
        tenant: &TenantId,
        task: NewTask,
        at: Timestamp,
    ) -> Result<Task, StorageError>;

    /// Looks a task up.
    async fn task(&self, tenant: &TenantId, id: TaskId) -> Result<Option<Task>, StorageError>;

    /// Looks up the task that another queue knows under this id; the newest, if there are several.
    async fn task_by_external_id(
        &self,
        tenant: &TenantId,
        external_id: &str,
    ) -> Result<Option<Task>, StorageError>;

    /// Lists tasks: newest first, then the greater id.
    async fn tasks(
        &self,
        tenant: &TenantId,
        filter: TaskFilter,
        limit: Limit,
    ) -> Result<Vec<Task>, StorageError>;

    /// Gives a worker the next task that waits, or whose lease ran out: the highest priority first,
    /// then the oldest, then the smaller id. It is running then, and the attempt is counted.
    ///
    /// Exactly one worker gets a task. What another is claiming at this moment is passed over,
    /// without waiting for it. Not idempotent: a claim that is repeated gets another task, and the
    /// first comes back when its lease runs out.
    async fn claim_task(
        &self,
        tenant: &TenantId,
        claim: TaskClaim,
        at: Timestamp,
    ) -> Result<Option<Task>, StorageError>;

    /// Gives a worker this one task, as [`claim_task`](Self::claim_task) does with the next: for
    /// work that another queue handed out. A worker that has it already has it still, for as long
    /// as before.
    ///
    /// # Errors
    /// `NotFound` if it is not there; `WrongState` if it is finished or another worker has it.
    async fn start_task(
        &self,
        tenant: &TenantId,
        id: TaskId,
        lease: Lease,
        at: Timestamp,
    ) -> Result<Task, StorageError>;

    /// Lets the worker that has a task keep it, from now on for as long as the lease says.
    ///
    /// # Errors
    /// `NotFound` if it is not there; `WrongState` if it is not running or another worker has it.
    /// A lease that ran out can be extended as long as nobody else took the task.
    async fn extend_lease(
        &self,
        tenant: &TenantId,
        id: TaskId,
        lease: Lease,
        at: Timestamp,
    ) -> Result<Task, StorageError>;

    /// Completes a task with what came of it, of which the JSON value null is none. The same worker
    /// with the same result again is the same write.
    ///
    /// # Errors
    /// `NotFound` if it is not there; `WrongState` if it is not running or another worker has it:
    /// who lost the lease to another cannot finish that one's task.
    async fn finish_task(
        &self,
        tenant: &TenantId,
        id: TaskId,
        worker: &str,
        result: Option<Value>,
        at: Timestamp,
    ) -> Result<Task, StorageError>;

    /// Ends an attempt that failed. The task waits again until it was tried once and `max_retries`
    /// times more; then it has failed for good. The same worker with the same failure again is the
    /// same write.
    ///
    /// # Errors
    /// `NotFound` if it is not there; `WrongState` if it is not running or another worker has it.
    async fn fail_task(
        &self,
        tenant: &TenantId,
        id: TaskId,
        worker: &str,
        failure: TaskFailure,
        at: Timestamp,
    ) -> Result<Task, StorageError>;

    /// Gives a task up, whoever has it. A cancelled one stays as it is.
    ///
    /// # Errors
    /// `NotFound` if it is not there; `WrongState` if it was completed or has failed for good.
    async fn cancel_task(
        &self,
        tenant: &TenantId,
        id: TaskId,
        at: Timestamp,
    ) -> Result<Task, StorageError>;

    /// Deletes the tasks that were completed, failed for good or were cancelled longer ago than
    /// `age`, and returns how many. One of which it is not known when counts from its creation.
    async fn delete_finished_tasks(
        &self,
        tenant: &TenantId,
        age: Duration,
        at: Timestamp,
    ) -> Result<u64, StorageError>;
}
