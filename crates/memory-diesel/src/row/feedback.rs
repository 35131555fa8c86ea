use diesel::prelude::*;
use memory_domain::{Feedback, FeedbackId, MessageId, SessionId};
use memory_storage::StorageError;

use super::Place;
use crate::schema::feedback;
use crate::sql_types::{IdValue, InstantValue};

/// A row of `feedback`.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = feedback)]
#[expect(missing_docs, reason = "the columns are documented in `schema`")]
pub struct FeedbackRow {
    pub tenant_id: String,
    pub id: IdValue,
    pub session_id: Option<IdValue>,
    pub message_id: Option<IdValue>,
    pub rating: i64,
    pub comment: Option<String>,
    pub correction: Option<String>,
    pub created_at: InstantValue,
}

impl From<Feedback> for FeedbackRow {
    fn from(feedback: Feedback) -> FeedbackRow {
        FeedbackRow {
            tenant_id: feedback.tenant_id.into(),
            id: IdValue(feedback.id.uuid()),
            session_id: feedback.session_id.map(|id| IdValue(id.uuid())),
            message_id: feedback.message_id.map(|id| IdValue(id.uuid())),
            rating: feedback.rating,
            comment: feedback.comment,
            correction: feedback.correction,
            created_at: InstantValue(feedback.created_at),
        }
    }
}

impl TryFrom<FeedbackRow> for Feedback {
    type Error = StorageError;

    fn try_from(row: FeedbackRow) -> Result<Feedback, StorageError> {
        let place = Place {
            table: "feedback",
            id: &row.id.0,
        };
        Ok(Feedback {
            tenant_id: place.tenant("tenant_id", &row.tenant_id)?,
            id: FeedbackId::from_uuid(row.id.0),
            session_id: row.session_id.map(|id| SessionId::from_uuid(id.0)),
            message_id: row.message_id.map(|id| MessageId::from_uuid(id.0)),
            rating: row.rating,
            comment: row.comment,
            correction: row.correction,
            created_at: row.created_at.0,
        })
    }
}
