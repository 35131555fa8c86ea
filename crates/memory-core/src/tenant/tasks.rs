use std::ops::Deref;
use std::time::Duration;

use memory_domain::{Lease, Limit, NewTask, Task, TaskClaim, TaskFailure, TaskFilter, TaskId};
use memory_storage::{MemoryStore, StorageError, TaskStore};
use serde_json::Value;

use super::Scoped;

/// Tasks: see [`TaskStore`](crate::TaskStore) for what each verb promises.
impl<S: Deref<Target: MemoryStore>> Scoped<S> {
    /// Creates a task that waits for a worker; the same id with the same content again is the same
    /// write.
    ///
    /// # Errors
    /// `Conflict` if the id stands with other content.
    pub async fn create_task(&self, task: NewTask) -> Result<Task, StorageError> {
        self.store.create_task(&self.id, task, self.now()).await
    }

    /// Looks a task up.
    pub async fn task(&self, id: TaskId) -> Result<Option<Task>, StorageError> {
        self.store.task(&self.id, id).await
    }

    /// Looks up the task that another queue knows under this id; the newest, if there are several.
    pub async fn task_by_external_id(
        &self,
        external_id: &str,
    ) -> Result<Option<Task>, StorageError> {
        self.store.task_by_external_id(&self.id, external_id).await
    }

    /// Lists tasks: newest first.
    ///
    /// # Errors
    /// `Invalid` for a limit over 1,000.
    pub async fn tasks(&self, filter: TaskFilter, limit: u32) -> Result<Vec<Task>, StorageError> {
        self.store.tasks(&self.id, filter, Limit::new(limit)?).await
    }

    /// Gives a worker the next task that waits, or whose lease ran out: the highest priority first,
    /// then the oldest. Exactly one worker gets a task.
    pub async fn claim_task(&self, claim: TaskClaim) -> Result<Option<Task>, StorageError> {
        self.store.claim_task(&self.id, claim, self.now()).await
    }

    /// Gives a worker this one task.
    ///
    /// # Errors
    /// `NotFound` if it is not there; `WrongState` if it is finished or another has it.
    pub async fn start_task(&self, id: TaskId, lease: Lease) -> Result<Task, StorageError> {
        self.store.start_task(&self.id, id, lease, self.now()).await
    }

    /// Lets the worker that has a task keep it, from now on for as long as the lease says.
    ///
    /// # Errors
    /// `NotFound` if it is not there; `WrongState` if it is not running or another has it.
    pub async fn extend_lease(&self, id: TaskId, lease: Lease) -> Result<Task, StorageError> {
        self.store
            .extend_lease(&self.id, id, lease, self.now())
            .await
    }

    /// Completes a task with what came of it.
    ///
    /// # Errors
    /// `NotFound` if it is not there; `WrongState` if it is not running or another has it.
    pub async fn finish_task(
        &self,
        id: TaskId,
        worker: &str,
        result: Option<Value>,
    ) -> Result<Task, StorageError> {
        self.store
            .finish_task(&self.id, id, worker, result, self.now())
            .await
    }

    /// Ends an attempt that failed: the task waits again, or has failed for good.
    ///
    /// # Errors
    /// `NotFound` if it is not there; `WrongState` if it is not running or another has it.
    pub async fn fail_task(
        &self,
        id: TaskId,
        worker: &str,
        failure: TaskFailure,
    ) -> Result<Task, StorageError> {
        self.store
            .fail_task(&self.id, id, worker, failure, self.now())
            .await
    }

    /// Gives a task up, whoever has it.
    ///
    /// # Errors
    /// `NotFound` if it is not there; `WrongState` if it was completed or has failed for good.
    pub async fn cancel_task(&self, id: TaskId) -> Result<Task, StorageError> {
        self.store.cancel_task(&self.id, id, self.now()).await
    }

    /// Deletes the tasks that were over longer ago than `age`, and returns how many.
    pub async fn delete_finished_tasks(&self, age: Duration) -> Result<u64, StorageError> {
        self.store
            .delete_finished_tasks(&self.id, age, self.now())
            .await
    }
}
