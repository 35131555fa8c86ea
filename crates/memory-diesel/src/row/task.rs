use diesel::prelude::*;
use memory_domain::{Task, TaskId};
use memory_storage::StorageError;

use super::Place;
use crate::schema::tasks;
use crate::sql_types::{AnyJsonValue, IdValue, InstantValue, JsonValue};

/// A row of `tasks`.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = tasks)]
#[expect(missing_docs, reason = "the columns are documented in `schema`")]
pub struct TaskRow {
    pub tenant_id: String,
    pub id: IdValue,
    pub name: String,
    pub task_type: String,
    pub status: String,
    pub priority: i64,
    pub attempts: i64,
    pub max_retries: i64,
    pub arguments: JsonValue,
    pub result: Option<AnyJsonValue>,
    pub error: Option<String>,
    pub traceback: Option<String>,
    pub external_id: Option<String>,
    pub claimed_by: Option<String>,
    pub claimed_until: Option<InstantValue>,
    pub created_at: InstantValue,
    pub started_at: Option<InstantValue>,
    pub completed_at: Option<InstantValue>,
}

impl From<Task> for TaskRow {
    fn from(task: Task) -> TaskRow {
        TaskRow {
            tenant_id: task.tenant_id.into(),
            id: IdValue(task.id.uuid()),
            name: task.name,
            task_type: task.task_type,
            status: task.status.as_str().to_owned(),
            priority: task.priority,
            attempts: task.attempts,
            max_retries: task.max_retries,
            arguments: JsonValue(task.arguments),
            result: task.result.map(AnyJsonValue),
            error: task.error,
            traceback: task.traceback,
            external_id: task.external_id,
            claimed_by: task.claimed_by,
            claimed_until: task.claimed_until.map(InstantValue),
            created_at: InstantValue(task.created_at),
            started_at: task.started_at.map(InstantValue),
            completed_at: task.completed_at.map(InstantValue),
        }
    }
}

impl TryFrom<TaskRow> for Task {
    type Error = StorageError;

    fn try_from(row: TaskRow) -> Result<Task, StorageError> {
        let place = Place {
            table: "tasks",
            id: &row.id.0,
        };
        Ok(Task {
            tenant_id: place.tenant("tenant_id", &row.tenant_id)?,
            id: TaskId::from_uuid(row.id.0),
            name: row.name,
            task_type: row.task_type,
            status: place.check("status", row.status.parse())?,
            priority: row.priority,
            attempts: row.attempts,
            max_retries: row.max_retries,
            arguments: row.arguments.0,
            result: row.result.map(|value| value.0),
            error: row.error,
            traceback: row.traceback,
            external_id: row.external_id,
            claimed_by: row.claimed_by,
            claimed_until: row.claimed_until.map(|value| value.0),
            created_at: row.created_at.0,
            started_at: row.started_at.map(|value| value.0),
            completed_at: row.completed_at.map(|value| value.0),
        })
    }
}
