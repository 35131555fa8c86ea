use async_trait::async_trait;
use memory_domain::{
    Decision, DecisionFilter, DecisionId, Limit, NewDecision, TenantId, Timestamp,
};

use crate::StorageError;

/// Decisions: what was settled in conversations.
#[async_trait]
pub trait DecisionStore: Send + Sync {
    /// Records a decision, taken at `at`. The same id with the same content, at whatever moment, is
    /// the same write and returns the decision that stands.
    ///
    /// # Errors
    /// `Conflict` if the id stands with other content.
    async fn record_decision(
        &self,
        tenant: &TenantId,
        decision: NewDecision,
        at: Timestamp,
    ) -> Result<Decision, StorageError>;

    /// Looks a decision up.
    async fn decision(
        &self,
        tenant: &TenantId,
        id: DecisionId,
    ) -> Result<Option<Decision>, StorageError>;

    /// Lists decisions: newest first, then the greater id. Both ends of the time are included.
    async fn decisions(
        &self,
        tenant: &TenantId,
        filter: DecisionFilter,
        limit: Limit,
    ) -> Result<Vec<Decision>, StorageError>;
}
