use std::rc::Rc;

use memory_domain::{Goal, GoalId, GoalStatus, InvalidInput, Record, TenantId, finite};
use memory_storage::{RawRow, RawValue};

use super::{tenant, time, user};
use crate::catalog::Place;
use crate::converting::Converted;
use crate::ids::TableIds;
use crate::inverse::SourceValue;
use crate::reading::{Mapped, Reading};
use crate::rules;
use crate::standing::Rows;

/// Makes goals of rows.
pub(super) struct Goals<'a> {
    reading: &'a Reading<'a>,
    mapped: Mapped<'a>,
    goal_id: Place,
    user_id: Place,
    created_at: Place,
    description: Place,
    importance: Place,
    complexity_level: Place,
    estimated_value: Place,
    status: Place,
    completed_at: Place,
    deadline: Place,
    ids: Rc<TableIds>,
}

impl<'a> Goals<'a> {
    pub(super) fn new(reading: &'a Reading<'a>, mapped: Mapped<'a>) -> Self {
        let place = |name| mapped.table.place(name);
        Goals {
            reading,
            mapped,
            goal_id: place("goal_id"),
            user_id: place("user_id"),
            created_at: place("created_at"),
            description: place("description"),
            importance: place("importance"),
            complexity_level: place("complexity_level"),
            estimated_value: place("estimated_value"),
            status: place("status"),
            completed_at: place("completed_at"),
            deadline: place("deadline"),
            ids: reading.converting.ids.table("ffe_goals"),
        }
    }
}

impl<'a> Rows<'a> for Goals<'a> {
    fn reading(&self) -> &'a Reading<'a> {
        self.reading
    }

    fn mapped(&self) -> Mapped<'a> {
        self.mapped
    }

    fn id(&self) -> Place {
        self.goal_id
    }

    fn further(&self) -> String {
        "null".to_owned()
    }

    fn convert(&self, raw: &RawRow, _: Option<i64>) -> Result<Converted, InvalidInput> {
        let mut cells = self.reading.cells(raw);
        let estimated_value = cells.optional_real(self.estimated_value)?;
        let estimated_value = estimated_value
            .map(|value| finite(self.estimated_value.name, value))
            .transpose()?;
        let status = if *cells.value(self.status) == RawValue::Null {
            // What the system writes where nothing is said.
            let status = GoalStatus::Active;
            cells.rule(rules::NULL_DEFAULT, self.status, "NULL", status.as_str());
            status
        } else {
            cells.text(self.status)?.parse()?
        };
        let goal = Goal {
            tenant_id: tenant(&mut cells, self.user_id, self.reading.converting.unnamed)?,
            id: GoalId::from_uuid(cells.uuid(self.goal_id, &self.ids)?),
            description: cells.free_text(self.description)?,
            importance: cells.integer(self.importance)?,
            complexity: cells.key_text(self.complexity_level)?,
            estimated_value,
            status,
            deadline: cells.optional_time(self.deadline)?,
            created_at: cells.time(self.created_at)?,
            completed_at: cells.optional_time(self.completed_at)?,
        };
        Ok(Converted {
            record: Record::Goal(goal),
            rules: cells.rules,
            beyond: Vec::new(),
        })
    }
}

pub(super) fn inverse<'r>(
    goal: &'r Goal,
    unnamed: &TenantId,
) -> Vec<(&'static str, SourceValue<'r>)> {
    let value = goal.estimated_value;
    vec![
        ("goal_id", SourceValue::Uuid(goal.id.uuid())),
        ("user_id", user(&goal.tenant_id, unnamed)),
        ("created_at", SourceValue::Time(goal.created_at)),
        ("description", SourceValue::Text(&goal.description)),
        ("importance", SourceValue::Number(goal.importance)),
        ("complexity_level", SourceValue::Text(&goal.complexity)),
        (
            "estimated_value",
            value.map_or(SourceValue::Null, SourceValue::Real),
        ),
        ("status", SourceValue::Text(goal.status.as_str())),
        ("completed_at", time(goal.completed_at)),
        ("deadline", time(goal.deadline)),
    ]
}
