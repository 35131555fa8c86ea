use std::cmp::Reverse;

use async_trait::async_trait;
use memory_domain::{Feedback, FeedbackFilter, Limit, NewFeedback, TenantId, Timestamp};
use memory_storage::{FeedbackStore, StorageError};

use super::{Model, conflict, page, within};

#[async_trait]
impl FeedbackStore for Model {
    async fn record_feedback(
        &self,
        tenant: &TenantId,
        feedback: NewFeedback,
        at: Timestamp,
    ) -> Result<Feedback, StorageError> {
        let new = feedback.validated()?;
        self.write(tenant, at, |own| {
            let first = || new.clone().into_feedback(tenant.clone(), at);
            let stands = own.feedback.entry(new.id).or_insert_with(first);
            if new.is_same_write(stands) {
                Ok(stands.clone())
            } else {
                Err(conflict("feedback", new.id))
            }
        })
    }

    async fn feedback(
        &self,
        tenant: &TenantId,
        filter: FeedbackFilter,
        limit: Limit,
    ) -> Result<Vec<Feedback>, StorageError> {
        let meets = |given: &&Feedback| {
            within(given.created_at, filter.from, filter.to)
                && (filter.session.is_none() || filter.session == given.session_id)
                && (filter.message.is_none() || filter.message == given.message_id)
                && filter.rating.is_none_or(|rating| rating == given.rating)
        };
        let listed = self.read(tenant, |own| {
            page(
                own.feedback.values().filter(meets).cloned(),
                |given| (Reverse(given.created_at), Reverse(given.id)),
                filter
                    .after
                    .map(|after| (Reverse(after.created_at), Reverse(after.id))),
                limit,
            )
        });
        Ok(listed.unwrap_or_default())
    }
}
