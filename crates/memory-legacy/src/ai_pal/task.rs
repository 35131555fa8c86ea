use std::rc::Rc;

use memory_domain::{InvalidInput, JsonObject, Record, Task, TaskId, TaskStatus, TenantId};
use memory_storage::RawRow;
use serde_json::Value;

use super::{tenant, text, time, user};
use crate::catalog::Place;
use crate::cells::{Cells, refuse};
use crate::converting::Converted;
use crate::ids::TableIds;
use crate::inverse::SourceValue;
use crate::reading::{Mapped, Reading};
use crate::rules;
use crate::standing::Rows;

/// Makes tasks of rows. A task that was running is nobody's, so any worker may claim it.
pub(super) struct Tasks<'a> {
    reading: &'a Reading<'a>,
    mapped: Mapped<'a>,
    task_id: Place,
    task_name: Place,
    user_id: Place,
    task_type: Place,
    status: Place,
    priority: Place,
    created_at: Place,
    started_at: Place,
    completed_at: Place,
    result: Place,
    error_message: Place,
    error_traceback: Place,
    attempts: Place,
    max_retries: Place,
    args: Place,
    kwargs: Place,
    celery_task_id: Place,
    ids: Rc<TableIds>,
}

impl<'a> Tasks<'a> {
    pub(super) fn new(reading: &'a Reading<'a>, mapped: Mapped<'a>) -> Self {
        let place = |name| mapped.table.place(name);
        Tasks {
            reading,
            mapped,
            task_id: place("task_id"),
            task_name: place("task_name"),
            user_id: place("user_id"),
            task_type: place("task_type"),
            status: place("status"),
            priority: place("priority"),
            created_at: place("created_at"),
            started_at: place("started_at"),
            completed_at: place("completed_at"),
            result: place("result"),
            error_message: place("error_message"),
            error_traceback: place("error_traceback"),
            attempts: place("attempts"),
            max_retries: place("max_retries"),
            args: place("args"),
            kwargs: place("kwargs"),
            celery_task_id: place("celery_task_id"),
            ids: reading.converting.ids.table("background_tasks"),
        }
    }

    /// What the task is done with: `args` and `kwargs`, each where it is not NULL.
    fn arguments(&self, cells: &mut Cells<'_>) -> Result<JsonObject, InvalidInput> {
        let mut arguments = JsonObject::new();
        for place in [self.args, self.kwargs] {
            if let Some(value) = cells.json(place)? {
                arguments.insert(place.name.to_owned(), value);
            }
        }
        Ok(arguments)
    }
}

impl<'a> Rows<'a> for Tasks<'a> {
    fn reading(&self) -> &'a Reading<'a> {
        self.reading
    }

    fn mapped(&self) -> Mapped<'a> {
        self.mapped
    }

    fn id(&self) -> Place {
        self.task_id
    }

    fn further(&self) -> String {
        "null".to_owned()
    }

    fn convert(&self, raw: &RawRow, _: Option<i64>) -> Result<Converted, InvalidInput> {
        let mut cells = self.reading.cells(raw);
        let status: TaskStatus = cells.text(self.status)?.parse()?;
        let task = Task {
            tenant_id: tenant(&mut cells, self.user_id, self.reading.converting.unnamed)?,
            id: TaskId::from_uuid(cells.uuid(self.task_id, &self.ids)?),
            name: cells.key_text(self.task_name)?,
            task_type: cells.key_text(self.task_type)?,
            status,
            priority: cells.integer(self.priority)?,
            attempts: count(&cells, self.attempts)?,
            max_retries: count(&cells, self.max_retries)?,
            arguments: self.arguments(&mut cells)?,
            result: result(&mut cells, self.result)?,
            error: cells.optional_free_text(self.error_message)?,
            traceback: cells.optional_free_text(self.error_traceback)?,
            external_id: cells.optional_key_text(self.celery_task_id)?,
            claimed_by: None,
            claimed_until: None,
            created_at: cells.time(self.created_at)?,
            started_at: cells.optional_time(self.started_at)?,
            completed_at: cells.optional_time(self.completed_at)?,
        };
        Ok(Converted {
            record: Record::Task(task),
            rules: cells.rules,
            beyond: Vec::new(),
        })
    }
}

fn count(cells: &Cells<'_>, place: Place) -> Result<i64, InvalidInput> {
    match cells.integer(place)? {
        count @ 0.. => Ok(count),
        _ => Err(refuse(place, cells.value(place), "give at least 0")),
    }
}

/// What came of a task: JSON, or a text of the task's own.
fn result(cells: &mut Cells<'_>, place: Place) -> Result<Option<Value>, InvalidInput> {
    let Some(text) = cells.optional_text(place)? else {
        return Ok(None);
    };
    // What looks like JSON and is none was to be JSON.
    let looks_like_json = text.starts_with(['{', '[', '"']);
    let is_no_number = ["NaN", "Infinity", "-Infinity"].contains(&text);
    if !looks_like_json && !is_no_number && serde_json::from_str::<Value>(text).is_err() {
        let text = cells.optional_free_text(place)?.unwrap_or_default();
        cells.rule(
            rules::PLAIN_RESULT,
            place,
            &*text,
            Value::from(&*text).to_string(),
        );
        return Ok(Some(Value::String(text)));
    }
    let value = cells.json(place)?;
    if value == Some(Value::Null) {
        cells.rule(rules::NULL_RESULT, place, text, "NULL");
        return Ok(None);
    }
    Ok(value)
}

pub(super) fn inverse<'r>(
    task: &'r Task,
    unnamed: &TenantId,
) -> Vec<(&'static str, SourceValue<'r>)> {
    let json = |value: Option<&'r Value>| value.map_or(SourceValue::Null, SourceValue::JsonValue);
    vec![
        ("task_id", SourceValue::Uuid(task.id.uuid())),
        ("task_name", SourceValue::Text(&task.name)),
        ("user_id", user(&task.tenant_id, unnamed)),
        ("task_type", SourceValue::Text(&task.task_type)),
        ("status", SourceValue::Text(task.status.as_str())),
        ("priority", SourceValue::Number(task.priority)),
        ("created_at", SourceValue::Time(task.created_at)),
        ("started_at", time(task.started_at)),
        ("completed_at", time(task.completed_at)),
        ("result", json(task.result.as_ref())),
        ("error_message", text(task.error.as_deref())),
        ("error_traceback", text(task.traceback.as_deref())),
        ("attempts", SourceValue::Number(task.attempts)),
        ("max_retries", SourceValue::Number(task.max_retries)),
        ("args", json(task.arguments.get("args"))),
        ("kwargs", json(task.arguments.get("kwargs"))),
        ("celery_task_id", text(task.external_id.as_deref())),
    ]
}
