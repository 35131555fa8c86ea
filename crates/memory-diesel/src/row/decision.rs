use diesel::prelude::*;
use memory_domain::{Decision, DecisionId};
use memory_storage::StorageError;

use super::Place;
use crate::schema::decisions;
use crate::sql_types::{IdValue, InstantValue};

/// A row of `decisions`.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = decisions)]
#[expect(missing_docs, reason = "the columns are documented in `schema`")]
pub struct DecisionRow {
    pub tenant_id: String,
    pub id: IdValue,
    pub session_id: Option<String>,
    pub text: String,
    pub context: Option<String>,
    pub extracted_from: Option<String>,
    pub decided_at: InstantValue,
}

impl From<Decision> for DecisionRow {
    fn from(decision: Decision) -> DecisionRow {
        DecisionRow {
            tenant_id: decision.tenant_id.into(),
            id: IdValue(decision.id.uuid()),
            session_id: decision.session_id,
            text: decision.text,
            context: decision.context,
            extracted_from: decision.extracted_from,
            decided_at: InstantValue(decision.decided_at),
        }
    }
}

impl TryFrom<DecisionRow> for Decision {
    type Error = StorageError;

    fn try_from(row: DecisionRow) -> Result<Decision, StorageError> {
        let place = Place {
            table: "decisions",
            id: &row.id.0,
        };
        Ok(Decision {
            tenant_id: place.tenant("tenant_id", &row.tenant_id)?,
            id: DecisionId::from_uuid(row.id.0),
            session_id: row.session_id,
            text: row.text,
            context: row.context,
            extracted_from: row.extracted_from,
            decided_at: row.decided_at.0,
        })
    }
}
