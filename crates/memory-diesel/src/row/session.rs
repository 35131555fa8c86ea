use diesel::prelude::*;
use memory_domain::{Session, SessionId};
use memory_storage::StorageError;

use super::Place;
use crate::schema::sessions;
use crate::sql_types::{IdValue, InstantValue, JsonValue};

/// A row of `sessions`.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = sessions)]
#[expect(missing_docs, reason = "the columns are documented in `schema`")]
pub struct SessionRow {
    pub tenant_id: String,
    pub id: IdValue,
    pub title: String,
    pub metadata: JsonValue,
    pub created_at: InstantValue,
    pub updated_at: InstantValue,
    pub message_count: i64,
}

impl From<Session> for SessionRow {
    fn from(session: Session) -> SessionRow {
        SessionRow {
            tenant_id: session.tenant_id.into(),
            id: IdValue(session.id.uuid()),
            title: session.title,
            metadata: JsonValue(session.metadata),
            created_at: InstantValue(session.created_at),
            updated_at: InstantValue(session.updated_at),
            message_count: session.message_count,
        }
    }
}

impl TryFrom<SessionRow> for Session {
    type Error = StorageError;

    fn try_from(row: SessionRow) -> Result<Session, StorageError> {
        let place = Place {
            table: "sessions",
            id: &row.id.0,
        };
        Ok(Session {
            tenant_id: place.tenant("tenant_id", &row.tenant_id)?,
            id: SessionId::from_uuid(row.id.0),
            title: row.title,
            metadata: row.metadata.0,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
            message_count: row.message_count,
        })
    }
}
