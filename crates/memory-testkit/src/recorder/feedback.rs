use async_trait::async_trait;
use memory_domain::{Feedback, FeedbackFilter, Limit, NewFeedback, TenantId, Timestamp};
use memory_storage::{FeedbackStore, StorageError};

use super::Recorder;
use crate::Verb;

#[async_trait]
impl FeedbackStore for Recorder<'_> {
    async fn record_feedback(
        &self,
        tenant: &TenantId,
        feedback: NewFeedback,
        at: Timestamp,
    ) -> Result<Feedback, StorageError> {
        self.note(Verb::RecordFeedback);
        self.store.record_feedback(tenant, feedback, at).await
    }

    async fn feedback(
        &self,
        tenant: &TenantId,
        filter: FeedbackFilter,
        limit: Limit,
    ) -> Result<Vec<Feedback>, StorageError> {
        self.note(Verb::Feedback);
        self.store.feedback(tenant, filter, limit).await
    }
}
