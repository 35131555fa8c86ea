use serde_json::Value;

use super::{Task, TaskStatus};
use crate::limits::{TASK_PRIORITY_DEFAULT, TASK_RETRIES_DEFAULT};
use crate::{
    InvalidInput, JsonObject, TaskId, TenantId, Timestamp, free_text, key_text, normalise_json,
};

/// A task to be created.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTask {
    /// Made by the caller, so that a retry is the same task and not a second one.
    pub id: TaskId,
    /// What is to be done; a key text.
    pub name: String,
    /// What kind of work it is; a key text.
    pub task_type: String,
    /// The higher, the sooner it is claimed; by default 5.
    pub priority: i64,
    /// How often it may be tried again after a failure; by default 3, never negative.
    pub max_retries: i64,
    /// What it is done with.
    pub arguments: JsonObject,
    /// Its id in another queue; a key text.
    pub external_id: Option<String>,
}

impl NewTask {
    /// A task with a new id, without arguments.
    pub fn new(name: impl Into<String>, task_type: impl Into<String>) -> NewTask {
        NewTask {
            id: TaskId::generate(),
            name: name.into(),
            task_type: task_type.into(),
            priority: TASK_PRIORITY_DEFAULT,
            max_retries: TASK_RETRIES_DEFAULT,
            arguments: JsonObject::new(),
            external_id: None,
        }
    }

    /// Sets the id, for a retry or an import.
    pub fn with_id(mut self, id: TaskId) -> NewTask {
        self.id = id;
        self
    }

    /// Sets the priority: the higher, the sooner it is claimed.
    pub fn with_priority(mut self, priority: i64) -> NewTask {
        self.priority = priority;
        self
    }

    /// Sets how often it may be tried again after a failure.
    pub fn with_max_retries(mut self, max_retries: i64) -> NewTask {
        self.max_retries = max_retries;
        self
    }

    /// Sets the arguments.
    pub fn with_arguments(mut self, arguments: JsonObject) -> NewTask {
        self.arguments = arguments;
        self
    }

    /// Sets the id that it has in another queue.
    pub fn with_external_id(mut self, external_id: impl Into<String>) -> NewTask {
        self.external_id = Some(external_id.into());
        self
    }

    /// Checks and normalises every field.
    ///
    /// # Errors
    /// The first field that is refused.
    pub fn validated(mut self) -> Result<NewTask, InvalidInput> {
        key_text("name", &self.name)?;
        key_text("task_type", &self.task_type)?;
        if self.max_retries < 0 {
            return Err(InvalidInput::new(
                "max_retries",
                self.max_retries,
                "give 0 or more",
            ));
        }
        normalise_json("arguments", &mut self.arguments)?;
        if let Some(external_id) = &self.external_id {
            key_text("external_id", external_id)?;
        }
        Ok(self)
    }

    /// Whether `stored` is what creating this task gave, however far it is by now.
    pub fn is_same_write(&self, stored: &Task) -> bool {
        self.id == stored.id
            && self.name == stored.name
            && self.task_type == stored.task_type
            && self.priority == stored.priority
            && self.max_retries == stored.max_retries
            && self.arguments == stored.arguments
            && self.external_id == stored.external_id
    }

    /// The task that stands when it was created.
    pub fn into_task(self, tenant_id: TenantId, at: Timestamp) -> Task {
        Task {
            tenant_id,
            id: self.id,
            name: self.name,
            task_type: self.task_type,
            status: TaskStatus::Pending,
            priority: self.priority,
            attempts: 0,
            max_retries: self.max_retries,
            arguments: self.arguments,
            result: None,
            error: None,
            traceback: None,
            external_id: self.external_id,
            claimed_by: None,
            claimed_until: None,
            created_at: at,
            started_at: None,
            completed_at: None,
        }
    }
}

/// What went wrong in an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskFailure {
    /// What it was.
    pub error: String,
    /// Where it was.
    pub traceback: Option<String>,
}

impl TaskFailure {
    /// A failure without a traceback.
    pub fn new(error: impl Into<String>) -> TaskFailure {
        TaskFailure {
            error: error.into(),
            traceback: None,
        }
    }

    /// Sets the traceback.
    pub fn with_traceback(mut self, traceback: impl Into<String>) -> TaskFailure {
        self.traceback = Some(traceback.into());
        self
    }

    /// Checks both fields.
    ///
    /// # Errors
    /// The first field that is refused.
    pub fn validated(self) -> Result<TaskFailure, InvalidInput> {
        free_text("error", &self.error)?;
        if let Some(traceback) = &self.traceback {
            free_text("traceback", traceback)?;
        }
        Ok(self)
    }

    pub(super) fn is_of(&self, task: &Task) -> bool {
        task.error.as_deref() == Some(&*self.error) && task.traceback == self.traceback
    }
}

/// Checks and normalises the result of a task; the JSON value null is none.
///
/// # Errors
/// As [`normalise_json`].
pub fn task_result(result: Option<Value>) -> Result<Option<Value>, InvalidInput> {
    let Some(mut result) = result.filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    crate::json::normalise_any("result", &mut result)?;
    Ok(Some(result))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{NewTask, task_result};

    #[test]
    fn name_type_and_external_id_are_key_texts() {
        let refused = |new: NewTask| new.validated().unwrap_err().field;
        assert_eq!(refused(NewTask::new("", "t")), "name");
        assert_eq!(refused(NewTask::new("n", "x".repeat(513))), "task_type");
        assert_eq!(
            refused(NewTask::new("n", "t").with_external_id("")),
            "external_id"
        );
        let new = NewTask::new("n", "x".repeat(512)).with_external_id("x".repeat(512));
        assert!(new.validated().is_ok());
    }

    #[test]
    fn the_defaults_are_priority_5_and_3_retries() {
        let new = NewTask::new("n", "t");
        assert_eq!((new.priority, new.max_retries), (5, 3));
        assert!(new.clone().with_max_retries(0).validated().is_ok());
        assert!(new.with_max_retries(-1).validated().is_err());
    }

    #[test]
    fn a_result_of_null_is_none() {
        assert_eq!(task_result(Some(json!(null))).unwrap(), None);
        assert_eq!(task_result(Some(json!(1.0))).unwrap(), Some(json!(1)));
        assert!(task_result(Some(json!("a\u{0}"))).is_err());
    }
}
