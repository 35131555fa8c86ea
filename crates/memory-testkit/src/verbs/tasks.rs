use std::time::Duration;

use memory_domain::{
    Lease, Limit, NewTask, TaskClaim, TaskFailure, TaskFilter, TaskId, TenantId, Timestamp,
};
use memory_storage::{MemoryStore, StorageError};
use serde_json::json;

use super::{Given, SECRET, Verb, shown};
use crate::support::{at, new_task, object, task_id};

/// The tasks with which verbs are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenTasks {
    /// One that waits.
    pub pending: TaskId,
    /// One that the worker [`GivenTasks::WORKER`] has for a day.
    pub running: TaskId,
    /// One that was completed.
    pub completed: TaskId,
    /// The task to be created.
    pub new: TaskId,
}

impl Default for GivenTasks {
    fn default() -> Self {
        GivenTasks {
            pending: task_id(1),
            running: task_id(2),
            completed: task_id(3),
            new: task_id(11),
        }
    }
}

impl GivenTasks {
    /// Who has the running task.
    pub const WORKER: &str = "worker";
    /// The id of the running task in another queue.
    pub const EXTERNAL_ID: &str = "external";

    pub(super) fn taken(self) -> GivenTasks {
        GivenTasks {
            new: self.pending,
            ..self
        }
    }

    pub(super) async fn write(&self, store: &dyn MemoryStore, tenant: &TenantId) {
        let secret = |id: TaskId| {
            NewTask::new(SECRET, "search")
                .with_id(id)
                .with_arguments(object(json!({"text": SECRET})))
        };
        let tasks = [
            secret(self.pending),
            secret(self.running).with_external_id(Self::EXTERNAL_ID),
            secret(self.completed),
        ];
        for task in tasks {
            store.create_task(tenant, task, at(0)).await.unwrap();
        }
        for id in [self.running, self.completed] {
            let start = store.start_task(tenant, id, lease(), at(0));
            start.await.unwrap();
        }
        let result = Some(json!({"text": SECRET}));
        let finish = store.finish_task(tenant, self.completed, Self::WORKER, result, at(0));
        finish.await.unwrap();
    }
}

fn lease() -> Lease {
    Lease::new(GivenTasks::WORKER, Duration::from_hours(24))
}

impl Verb {
    pub(super) async fn call_of_tasks(
        self,
        store: &dyn MemoryStore,
        tenant: &TenantId,
        given: &Given,
        at: Timestamp,
    ) -> Result<String, StorageError> {
        let GivenTasks {
            pending,
            running,
            new,
            ..
        } = given.tasks;
        let worker = GivenTasks::WORKER;
        Ok(match self {
            Verb::CreateTask => {
                let task = new_task(0).with_id(new);
                shown(store.create_task(tenant, task, at).await?)
            }
            Verb::TaskByExternalId => {
                let id = GivenTasks::EXTERNAL_ID;
                shown(store.task_by_external_id(tenant, id).await?)
            }
            Verb::Tasks => {
                let any = TaskFilter::default();
                shown(store.tasks(tenant, any, Limit::MAX).await?)
            }
            Verb::ClaimTask => {
                let claim = TaskClaim::new("claimer", Duration::from_mins(1)).of_type("search");
                shown(store.claim_task(tenant, claim, at).await?)
            }
            Verb::StartTask => shown(store.start_task(tenant, pending, lease(), at).await?),
            Verb::ExtendLease => shown(store.extend_lease(tenant, running, lease(), at).await?),
            Verb::FinishTask => {
                let result = Some(json!(["new", 1]));
                shown(
                    store
                        .finish_task(tenant, running, worker, result, at)
                        .await?,
                )
            }
            Verb::FailTask => {
                let failure = TaskFailure::new("new").with_traceback("line 1");
                shown(
                    store
                        .fail_task(tenant, running, worker, failure, at)
                        .await?,
                )
            }
            Verb::CancelTask => shown(store.cancel_task(tenant, pending, at).await?),
            Verb::DeleteFinishedTasks => {
                let age = Duration::ZERO;
                shown(store.delete_finished_tasks(tenant, age, at).await?)
            }
            _ => shown(store.task(tenant, pending).await?),
        })
    }
}
