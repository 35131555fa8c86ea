use async_trait::async_trait;
use memory_domain::{Feedback, FeedbackFilter, Limit, NewFeedback, TenantId, Timestamp};

use crate::StorageError;

/// Feedback: what people thought of answers.
#[async_trait]
pub trait FeedbackStore: Send + Sync {
    /// Records feedback. What it is about need not be there. The same id with the same content, at
    /// whatever moment, is the same write and returns the feedback that stands.
    ///
    /// # Errors
    /// `Conflict` if the id stands with other content.
    async fn record_feedback(
        &self,
        tenant: &TenantId,
        feedback: NewFeedback,
        at: Timestamp,
    ) -> Result<Feedback, StorageError>;

    /// Lists feedback: newest first, then the greater id. Both ends of the time are included.
    async fn feedback(
        &self,
        tenant: &TenantId,
        filter: FeedbackFilter,
        limit: Limit,
    ) -> Result<Vec<Feedback>, StorageError>;
}
