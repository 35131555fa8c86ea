use std::ops::Deref;

use memory_domain::{Decision, DecisionFilter, DecisionId, Limit, NewDecision};
use memory_storage::{DecisionStore, MemoryStore, StorageError};

use super::Scoped;

/// Decisions: see [`DecisionStore`](crate::DecisionStore) for what each verb promises.
impl<S: Deref<Target: MemoryStore>> Scoped<S> {
    /// Records a decision, taken now; the same id with the same content again is the same write.
    ///
    /// # Errors
    /// `Conflict` if the id stands with other content.
    pub async fn record_decision(&self, decision: NewDecision) -> Result<Decision, StorageError> {
        self.store
            .record_decision(&self.id, decision, self.now())
            .await
    }

    /// Looks a decision up.
    pub async fn decision(&self, id: DecisionId) -> Result<Option<Decision>, StorageError> {
        self.store.decision(&self.id, id).await
    }

    /// Lists decisions: newest first.
    ///
    /// # Errors
    /// `Invalid` for a limit over 1,000.
    pub async fn decisions(
        &self,
        filter: DecisionFilter,
        limit: u32,
    ) -> Result<Vec<Decision>, StorageError> {
        self.store
            .decisions(&self.id, filter, Limit::new(limit)?)
            .await
    }
}
