use std::ops::Deref;

use memory_domain::{Feedback, FeedbackFilter, Limit, NewFeedback};
use memory_storage::{FeedbackStore, MemoryStore, StorageError};

use super::Scoped;

/// Feedback: see [`FeedbackStore`](crate::FeedbackStore) for what each verb promises.
impl<S: Deref<Target: MemoryStore>> Scoped<S> {
    /// Records feedback; the same id with the same content again is the same write.
    ///
    /// # Errors
    /// `Conflict` if the id stands with other content.
    pub async fn record_feedback(&self, feedback: NewFeedback) -> Result<Feedback, StorageError> {
        self.store
            .record_feedback(&self.id, feedback, self.now())
            .await
    }

    /// Lists feedback: newest first.
    ///
    /// # Errors
    /// `Invalid` for a limit over 1,000.
    pub async fn feedback(
        &self,
        filter: FeedbackFilter,
        limit: u32,
    ) -> Result<Vec<Feedback>, StorageError> {
        self.store
            .feedback(&self.id, filter, Limit::new(limit)?)
            .await
    }
}
