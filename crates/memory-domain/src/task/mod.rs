//! Tasks: work that is queued, claimed by one worker at a time, and done, retried or given up.

mod lease;
mod new;
mod status;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{JsonObject, TaskId, TenantId, Timestamp, WrongState};

pub use lease::{Lease, TaskClaim};
pub use new::{NewTask, TaskFailure, task_result};
pub use status::TaskStatus;

/// A piece of work.
///
/// ```text
///            claim, start                finish
///   pending ───────────────▶ running ───────────▶ completed
///      ▲  │                  │  │  └── fail, no attempt left ──▶ failed
///      │  └─ cancel ──┐      │  └───── cancel ──▶ cancelled
///      └──────────────┼──────┘ fail, attempts left
///                     ▼        (and a lease that ran out can be claimed again)
///                 cancelled
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its id, unique within the tenant.
    pub id: TaskId,
    /// What is to be done.
    pub name: String,
    /// What kind of work it is; workers claim by it.
    pub task_type: String,
    /// How far it is.
    pub status: TaskStatus,
    /// The higher, the sooner it is claimed.
    pub priority: i64,
    /// How often a worker got it.
    pub attempts: i64,
    /// How often it may be tried again after a failure.
    pub max_retries: i64,
    /// What it is done with.
    pub arguments: JsonObject,
    /// What came of it; never the JSON value null, which is nothing.
    pub result: Option<Value>,
    /// What went wrong when it last failed.
    pub error: Option<String>,
    /// Where that was.
    pub traceback: Option<String>,
    /// Its id in another queue.
    pub external_id: Option<String>,
    /// Who has it, or had it last.
    pub claimed_by: Option<String>,
    /// Until when the one who has it keeps it; none when nobody has it.
    pub claimed_until: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its latest attempt began.
    pub started_at: Option<Timestamp>,
    /// When it was completed, given up or cancelled.
    pub completed_at: Option<Timestamp>,
}

impl Task {
    /// Where a listing goes on after this task.
    pub fn cursor(&self) -> TaskCursor {
        TaskCursor {
            created_at: self.created_at,
            id: self.id,
        }
    }

    /// Whether a worker may take it: it is pending, or it is running and nobody holds it any more.
    pub fn is_claimable(&self, at: Timestamp) -> bool {
        match self.status {
            TaskStatus::Pending => true,
            TaskStatus::Running => self.claimed_until.is_none_or(|until| until <= at),
            _ => false,
        }
    }

    /// Gives it to a worker and counts an attempt; says whether anything changed. The one who has
    /// it already has it still, for as long as before.
    ///
    /// # Errors
    /// It is finished, or another has it.
    pub fn start(&mut self, lease: &Lease, at: Timestamp) -> Result<bool, WrongState> {
        if self.is_claimable(at) {
            self.status = TaskStatus::Running;
            self.attempts += 1;
            self.claimed_by = Some(lease.worker.clone());
            self.claimed_until = Some(lease.until(at));
            self.started_at = Some(at);
            return Ok(true);
        }
        if self.status == TaskStatus::Running && self.is_of(&lease.worker) {
            return Ok(false);
        }
        Err(self.wrong_state(TaskStatus::Running, Some(&lease.worker)))
    }

    /// Lets the worker that has it keep it from now on for as long as the lease says; says whether
    /// anything changed.
    ///
    /// # Errors
    /// It is not running, or another has it.
    pub fn extend(&mut self, lease: &Lease, at: Timestamp) -> Result<bool, WrongState> {
        if self.status != TaskStatus::Running || !self.is_of(&lease.worker) {
            return Err(self.wrong_state(TaskStatus::Running, Some(&lease.worker)));
        }
        let until = Some(lease.until(at));
        let changes = self.claimed_until != until;
        self.claimed_until = until;
        Ok(changes)
    }

    /// Completes it with what came of it; says whether anything changed: the same worker with the
    /// same result again is the same write. The error of an earlier attempt goes.
    ///
    /// # Errors
    /// It is not running, or another has it.
    pub fn finish(
        &mut self,
        worker: &str,
        result: Option<&Value>,
        at: Timestamp,
    ) -> Result<bool, WrongState> {
        if self.status == TaskStatus::Completed
            && self.is_of(worker)
            && self.result.as_ref() == result
        {
            return Ok(false);
        }
        if self.status != TaskStatus::Running || !self.is_of(worker) {
            return Err(self.wrong_state(TaskStatus::Completed, Some(worker)));
        }
        self.status = TaskStatus::Completed;
        self.result = result.cloned();
        self.error = None;
        self.traceback = None;
        self.claimed_until = None;
        self.completed_at = Some(at);
        Ok(true)
    }

    /// Ends an attempt that failed: it is pending again, or failed for good when it was tried once
    /// and `max_retries` times more. Says whether anything changed: the same worker with the same
    /// failure again is the same write.
    ///
    /// # Errors
    /// It is not running, or another has it.
    pub fn fail(
        &mut self,
        worker: &str,
        failure: &TaskFailure,
        at: Timestamp,
    ) -> Result<bool, WrongState> {
        let has_failed = matches!(self.status, TaskStatus::Pending | TaskStatus::Failed);
        if has_failed && self.is_of(worker) && failure.is_of(self) {
            return Ok(false);
        }
        if self.status != TaskStatus::Running || !self.is_of(worker) {
            return Err(self.wrong_state(TaskStatus::Failed, Some(worker)));
        }
        if self.attempts <= self.max_retries {
            self.status = TaskStatus::Pending;
        } else {
            self.status = TaskStatus::Failed;
            self.completed_at = Some(at);
        }
        self.error = Some(failure.error.clone());
        self.traceback.clone_from(&failure.traceback);
        self.claimed_until = None;
        Ok(true)
    }

    /// Gives it up, whoever has it; says whether anything changed.
    ///
    /// # Errors
    /// It was completed, or failed for good.
    pub fn cancel(&mut self, at: Timestamp) -> Result<bool, WrongState> {
        match self.status {
            TaskStatus::Cancelled => Ok(false),
            TaskStatus::Completed | TaskStatus::Failed => {
                Err(self.wrong_state(TaskStatus::Cancelled, None))
            }
            TaskStatus::Pending | TaskStatus::Running => {
                self.status = TaskStatus::Cancelled;
                self.claimed_until = None;
                self.completed_at = Some(at);
                Ok(true)
            }
        }
    }

    fn is_of(&self, worker: &str) -> bool {
        self.claimed_by.as_deref() == Some(worker)
    }

    /// Names both states, and who has it and who would, where that is what is wrong.
    fn wrong_state(&self, wanted: TaskStatus, worker: Option<&str>) -> WrongState {
        let state = match (&self.claimed_by, self.status) {
            (Some(holder), TaskStatus::Running) => format!("running, of worker {holder:?}"),
            (_, status) => status.to_string(),
        };
        let wanted = match worker {
            Some(worker) => format!("{wanted} by worker {worker:?}"),
            None => wanted.to_string(),
        };
        WrongState::new("task", self.id, state, wanted)
    }
}

/// Which tasks a listing gives: those that meet every condition that is set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Only tasks that are this far.
    pub status: Option<TaskStatus>,
    /// Only tasks created at this moment or later.
    pub created_from: Option<Timestamp>,
    /// Only tasks created at this moment or earlier.
    pub created_to: Option<Timestamp>,
    /// Only tasks that come after this place.
    pub after: Option<TaskCursor>,
}

impl TaskFilter {
    /// Tasks that are this far.
    pub fn of_status(status: TaskStatus) -> TaskFilter {
        TaskFilter {
            status: Some(status),
            ..TaskFilter::default()
        }
    }
}

/// A place in the listing of tasks: newest first, then the greater id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskCursor {
    /// The last task's time of creation.
    pub created_at: Timestamp,
    /// The last task's id.
    pub id: TaskId,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::{Lease, NewTask, Task, TaskFailure, TaskStatus};
    use crate::{TenantId, Timestamp};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn task() -> Task {
        let new = NewTask::new("n", "t").with_max_retries(1);
        new.into_task(TenantId::new("ada").unwrap(), NOW)
    }

    fn lease(worker: &str) -> Lease {
        Lease::new(worker, Duration::from_secs(10))
    }

    #[test]
    fn a_lease_that_ran_out_is_nobodys() {
        let mut task = task();
        assert!(task.start(&lease("a"), NOW).unwrap());
        assert!(!task.is_claimable(NOW.after(Duration::from_micros(9_999_999))));
        let later = NOW.after(Duration::from_secs(10));
        assert!(task.is_claimable(later));
        assert!(task.start(&lease("b"), later).unwrap());
        assert_eq!(task.attempts, 2);
        let refused = task.finish("a", None, later).unwrap_err();
        assert_eq!(refused.state, "running, of worker \"b\"");
        assert_eq!(refused.wanted, "completed by worker \"a\"");
        assert!(task.finish("b", Some(&json!(1)), later).unwrap());
        assert!(!task.finish("b", Some(&json!(1)), later).unwrap());
        assert!(task.finish("b", Some(&json!(2)), later).is_err());
    }

    #[test]
    fn a_failure_is_retried_until_no_attempt_is_left() {
        let failure = TaskFailure::new("broken");
        let mut task = task();
        task.start(&lease("a"), NOW).unwrap();
        assert!(task.fail("a", &failure, NOW).unwrap());
        assert_eq!(task.status, TaskStatus::Pending);
        assert!(!task.fail("a", &failure, NOW).unwrap());
        task.start(&lease("a"), NOW).unwrap();
        assert!(task.fail("a", &failure, NOW).unwrap());
        assert_eq!(task.status, TaskStatus::Failed);
        assert!(task.start(&lease("a"), NOW).is_err());
        assert!(task.cancel(NOW).is_err());
    }
}
