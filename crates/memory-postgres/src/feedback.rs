use async_trait::async_trait;
use diesel::sql_types::Nullable;
use memory_diesel::FeedbackRow;
use memory_diesel::sql_types::{Id, IdValue};
use memory_domain::{Feedback, FeedbackFilter, Limit, NewFeedback, TenantId, Timestamp};
use memory_storage::{FeedbackStore, StorageError};

use crate::columns::{Feedbacks, feedback_columns};
use crate::executor::{Executor, Postgres};
use crate::listing::Newest;
use crate::statement::Statement;

// As for a session: the row that stands is not seen if it came while the statement ran, which is
// then sent again.
const RECORD: &str = concat!(
    "with written as (
        insert into feedback as x
            (tenant_id, id, session_id, message_id, rating, comment, correction, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (tenant_id, id) do nothing
        returning ",
    feedback_columns!("x"),
    ")
    select ",
    feedback_columns!("w"),
    ", touch_tenant($1, $8) from written as w
    union all
    select ",
    feedback_columns!("x"),
    ", true from feedback as x where x.tenant_id = $1 and x.id = $2"
);

const ALL: &str = concat!(
    "select ",
    feedback_columns!("x"),
    " from feedback as x where x.tenant_id = $1"
);

#[async_trait]
impl<E: Executor> FeedbackStore for Postgres<E> {
    async fn record_feedback(
        &self,
        tenant: &TenantId,
        feedback: NewFeedback,
        at: Timestamp,
    ) -> Result<Feedback, StorageError> {
        let new = feedback.validated()?;
        let session = new.session_id.map(|id| IdValue(id.uuid()));
        let message = new.message_id.map(|id| IdValue(id.uuid()));
        let stands: Feedback = self
            .standing(|| {
                let statement = Statement::writing("recording feedback", RECORD)
                    .text(tenant.as_str())
                    .id(new.id.uuid())
                    .bind::<Nullable<Id>, _>(session)
                    .bind::<Nullable<Id>, _>(message)
                    .number(new.rating)
                    .optional_text(new.comment.as_deref())
                    .optional_text(new.correction.as_deref())
                    .at(at);
                self.entities::<Feedbacks, FeedbackRow, _>(statement)
            })
            .await?;
        if new.is_same_write(&stands) {
            Ok(stands)
        } else {
            Err(StorageError::Conflict {
                what: "feedback",
                id: new.id.to_string(),
            })
        }
    }

    async fn feedback(
        &self,
        tenant: &TenantId,
        filter: FeedbackFilter,
        limit: Limit,
    ) -> Result<Vec<Feedback>, StorageError> {
        let mut statement = Statement::reading("listing feedback", ALL).text(tenant.as_str());
        if let Some(message) = filter.message {
            statement = statement.then(" and x.message_id = ").parameter();
            statement = statement.id(message.uuid());
        }
        if let Some(session) = filter.session {
            statement = statement.then(" and x.session_id = ").parameter();
            statement = statement.id(session.uuid());
        }
        if let Some(rating) = filter.rating {
            statement = statement.then(" and x.rating = ").parameter();
            statement = statement.number(rating);
        }
        let newest = Newest {
            by: "created_at",
            from: filter.from,
            to: filter.to,
            after: filter
                .after
                .map(|place| (place.created_at, place.id.uuid())),
            limit,
        };
        self.entities::<Feedbacks, FeedbackRow, _>(newest.of(statement))
            .await
    }
}
