use serde_json::Value;

use super::check::at_least;
use super::{Entity, Kind, keyed};
use crate::canonical::ObjectEncoder;
use crate::{InvalidInput, Task, TaskStatus, key_text};

impl Kind for Task {
    const NOUN: &'static str = "task";
}

impl Entity for Task {
    keyed!();

    fn check(&self) -> Result<(), InvalidInput> {
        key_text("name", &self.name)?;
        key_text("task_type", &self.task_type)?;
        if let Some(id) = &self.external_id {
            key_text("external_id", id)?;
        }
        if let Some(worker) = &self.claimed_by {
            key_text("claimed_by", worker)?;
        }
        at_least("attempts", self.attempts, 0)?;
        at_least("max_retries", self.max_retries, 0)?;
        if self.result == Some(Value::Null) {
            let problem = "leave it out where there is none";
            return Err(InvalidInput::new("result", "null", problem));
        }
        let is_held = self.status == TaskStatus::Running && self.claimed_by.is_some();
        if let (Some(until), false) = (self.claimed_until, is_held) {
            let problem = "only a running task that a worker has is kept until then";
            return Err(InvalidInput::new("claimed_until", until, problem));
        }
        Ok(())
    }

    fn encode(&self, out: &mut ObjectEncoder<'_>) {
        out.json("arguments", &self.arguments);
        out.integer("attempts", self.attempts);
        out.optional_text("claimed_by", self.claimed_by.as_deref());
        out.optional_plain("claimed_until", self.claimed_until);
        out.optional_plain("completed_at", self.completed_at);
        out.plain("created_at", self.created_at);
        out.optional_text("error", self.error.as_deref());
        out.optional_text("external_id", self.external_id.as_deref());
        out.plain("id", self.id);
        out.integer("max_retries", self.max_retries);
        out.text("name", &self.name);
        out.integer("priority", self.priority);
        out.optional_json("result", self.result.as_ref());
        out.optional_plain("started_at", self.started_at);
        out.plain("status", self.status);
        out.text("task_type", &self.task_type);
        out.text("tenant_id", self.tenant_id.as_str());
        out.optional_text("traceback", self.traceback.as_deref());
    }
}
