use diesel::prelude::*;
use memory_domain::{Message, MessageId, Role, SessionId};
use memory_storage::StorageError;

use super::Place;
use crate::schema::messages;
use crate::sql_types::{IdValue, InstantValue, JsonValue};

/// A row of `messages`.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = messages)]
#[expect(missing_docs, reason = "the columns are documented in `schema`")]
pub struct MessageRow {
    pub tenant_id: String,
    pub id: IdValue,
    pub session_id: IdValue,
    pub number: i64,
    pub role: String,
    pub content: String,
    pub metadata: JsonValue,
    pub created_at: InstantValue,
}

impl From<Message> for MessageRow {
    fn from(message: Message) -> MessageRow {
        MessageRow {
            tenant_id: message.tenant_id.into(),
            id: IdValue(message.id.uuid()),
            session_id: IdValue(message.session_id.uuid()),
            number: message.number,
            role: message.role.into(),
            content: message.content,
            metadata: JsonValue(message.metadata),
            created_at: InstantValue(message.created_at),
        }
    }
}

impl TryFrom<MessageRow> for Message {
    type Error = StorageError;

    fn try_from(row: MessageRow) -> Result<Message, StorageError> {
        let place = Place {
            table: "messages",
            id: &row.id.0,
        };
        Ok(Message {
            tenant_id: place.tenant("tenant_id", &row.tenant_id)?,
            id: MessageId::from_uuid(row.id.0),
            session_id: SessionId::from_uuid(row.session_id.0),
            number: row.number,
            role: place.check("role", Role::new(row.role))?,
            content: row.content,
            metadata: row.metadata.0,
            created_at: row.created_at.0,
        })
    }
}
