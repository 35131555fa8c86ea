use diesel::prelude::*;
use memory_domain::{Goal, GoalId};
use memory_storage::StorageError;

use super::Place;
use crate::schema::goals;
use crate::sql_types::{IdValue, InstantValue};

/// A row of `goals`.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = goals)]
#[expect(missing_docs, reason = "the columns are documented in `schema`")]
pub struct GoalRow {
    pub tenant_id: String,
    pub id: IdValue,
    pub description: String,
    pub importance: i64,
    pub complexity: String,
    pub estimated_value: Option<f64>,
    pub status: String,
    pub deadline: Option<InstantValue>,
    pub created_at: InstantValue,
    pub completed_at: Option<InstantValue>,
}

impl From<Goal> for GoalRow {
    fn from(goal: Goal) -> GoalRow {
        GoalRow {
            tenant_id: goal.tenant_id.into(),
            id: IdValue(goal.id.uuid()),
            description: goal.description,
            importance: goal.importance,
            complexity: goal.complexity,
            estimated_value: goal.estimated_value,
            status: goal.status.as_str().to_owned(),
            deadline: goal.deadline.map(InstantValue),
            created_at: InstantValue(goal.created_at),
            completed_at: goal.completed_at.map(InstantValue),
        }
    }
}

impl TryFrom<GoalRow> for Goal {
    type Error = StorageError;

    fn try_from(row: GoalRow) -> Result<Goal, StorageError> {
        let place = Place {
            table: "goals",
            id: &row.id.0,
        };
        Ok(Goal {
            tenant_id: place.tenant("tenant_id", &row.tenant_id)?,
            id: GoalId::from_uuid(row.id.0),
            description: row.description,
            importance: row.importance,
            complexity: row.complexity,
            estimated_value: row.estimated_value,
            status: place.check("status", row.status.parse())?,
            deadline: row.deadline.map(|value| value.0),
            created_at: row.created_at.0,
            completed_at: row.completed_at.map(|value| value.0),
        })
    }
}
